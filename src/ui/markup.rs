//! Texts that Leptos writes into a page as they are, as if they were markup: the title's and a textarea's.

/// The text as it stands in the page that the server writes. In the browser a text is set as a text.
pub fn written(text: &str) -> String {
    if cfg!(feature = "ssr") { text.replace('&', "&amp;").replace('<', "&lt;") } else { text.to_owned() }
}
