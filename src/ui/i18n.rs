//! The reader's language. It is a plain value, for it changes by a full page load (`/language`).

use crate::api::error::FieldError;
use crate::domain::lang::{Lang, group};
use crate::locales;
use leptos::prelude::*;
use std::fmt::Display;
use std::sync::OnceLock;

/// Makes the language known to the page. The server provides a [`Lang`] context before it renders
/// (`Lang::choose`); in the browser this provides what `<html lang>` says.
pub fn provide_lang() {
    if use_context::<Lang>().is_none() {
        provide_context(use_lang());
    }
}

/// The reader's language. In the browser it is known everywhere, handlers and tasks included.
pub fn use_lang() -> Lang {
    if is_browser() {
        static LANG: OnceLock<Lang> = OnceLock::new();
        return *LANG.get_or_init(|| {
            let tag = document().document_element().and_then(|html| html.get_attribute("lang"));
            tag.and_then(|tag| Lang::parse(&tag)).unwrap_or_default()
        });
    }
    use_context::<Lang>().unwrap_or_default()
}

/// The text of a key in the reader's language.
pub fn t(key: &str) -> String {
    locales::text(use_lang(), key)
}

/// [`t`] with placeholders: `t_with("common.sort_by", &[("column", &name)])`.
pub fn t_with(key: &str, args: &[(&str, &dyn Display)]) -> String {
    locales::text_with(use_lang(), key, args)
}

/// [`t`] with placeholders that came over the wire.
pub fn t_args(key: &str, args: &[(String, String)]) -> String {
    locales::text_args(use_lang(), key, args)
}

/// The plural form of `n`, with `{n}` grouped: `tn("common.rows", 12_480)`.
pub fn tn(key: &str, n: i64) -> String {
    locales::count(use_lang(), key, n, &[])
}

/// [`tn`] with further placeholders.
pub fn tn_with(key: &str, n: i64, args: &[(&str, &dyn Display)]) -> String {
    locales::count(use_lang(), key, n, args)
}

/// A number, grouped as the reader's language does.
pub fn number(n: i64) -> String {
    group(use_lang(), n)
}

/// The sentence of a wrong field.
pub fn error_text(error: &FieldError) -> String {
    t_args(&error.key, &error.args)
}
