//! The texts that people read, in every language: flat JSON files of `area.name` keys. A value is a
//! text with `{name}` placeholders, or an object of plural forms, chosen by the placeholder `{n}`.
//! Keys also arrive as data (a wrong field names the key of its sentence), so lookup is by string.
//! The server has them compiled in; the browser fetches those of its page's language.

use crate::domain::lang::{Lang, group, plural};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Display;

#[cfg(target_arch = "wasm32")]
#[path = "fetched.rs"]
mod source;
#[cfg(not(target_arch = "wasm32"))]
#[path = "compiled.rs"]
mod source;

#[cfg(target_arch = "wasm32")]
pub use source::take;

type Texts = HashMap<String, Value>;

/// All texts of a language. In the browser, which has one language at a time, whatever language is named.
fn texts(lang: Lang) -> &'static Texts {
    source::texts(lang)
}

/// The value of a key as it stands in the file.
pub fn lookup(lang: Lang, key: &str) -> Option<&'static Value> {
    texts(lang).get(key)
}

/// The text of a key; the key itself if there is none.
pub fn text(lang: Lang, key: &str) -> String {
    text_with(lang, key, &[])
}

/// The text of a key with its placeholders filled. Where the key has plural forms, an argument `n`
/// chooses among them.
pub fn text_with(lang: Lang, key: &str, args: &[(&str, &dyn Display)]) -> String {
    let args: Vec<(String, String)> =
        args.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
    text_args(lang, key, &args)
}

/// [`text_with`] for arguments that came over the wire.
pub fn text_args(lang: Lang, key: &str, args: &[(String, String)]) -> String {
    let n = args.iter().find(|(name, _)| name == "n").and_then(|(_, value)| value.parse().ok());
    match template(lang, key, n) {
        Some(template) => fill(template, args),
        None => key.to_owned(),
    }
}

/// The text of a key in the plural form of `n`; `{n}` becomes the number, grouped.
pub fn count(lang: Lang, key: &str, n: i64, args: &[(&str, &dyn Display)]) -> String {
    let Some(template) = template(lang, key, Some(n)) else { return key.to_owned() };
    let mut all = vec![("n".to_owned(), group(lang, n))];
    all.extend(args.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
    fill(template, &all)
}

fn template(lang: Lang, key: &str, n: Option<i64>) -> Option<&'static str> {
    match lookup(lang, key)? {
        Value::String(text) => Some(text),
        Value::Object(forms) => {
            forms.get(n.map_or("other", |n| plural(lang, n))).or_else(|| forms.get("other")).and_then(Value::as_str)
        }
        _ => None,
    }
}

/// One pass, so that a value which looks like a placeholder stays as it is.
fn fill(template: &str, args: &[(String, String)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after
            .split_once('}')
            .and_then(|(name, tail)| args.iter().find(|(known, _)| known == name).map(|(_, value)| (value, tail)));
        match found {
            Some((value, tail)) => {
                filled.push_str(value);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests;
