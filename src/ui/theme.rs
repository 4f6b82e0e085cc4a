//! Light, dark, or as the system has it.

use super::browser::set_cookie;
use crate::domain::user::Theme;
use leptos::prelude::*;

/// The reader's theme. The server provides a [`Theme`] context from the cookie `theme`; the browser
/// finds it on `<html>`.
pub fn use_theme() -> Theme {
    if is_browser() {
        let name = document().document_element().and_then(|html| html.get_attribute("data-theme"));
        return Theme::ALL.into_iter().find(|theme| theme.data_theme() == name.as_deref()).unwrap_or_default();
    }
    use_context::<Theme>().unwrap_or_default()
}

/// Shows a theme at once and remembers it. Browser only.
pub fn apply_theme(theme: Theme) {
    if let Some(html) = document().document_element() {
        // Neither call fails for a fixed, valid attribute name.
        let _ = match theme.data_theme() {
            Some(name) => html.set_attribute("data-theme", name),
            None => html.remove_attribute("data-theme"),
        };
    }
    set_cookie("theme", theme.as_str());
}
