//! Texts that need more care than Leptos takes: those that it writes into a page as if they were markup (the title's and a
//! textarea's), and those that a browser shortens.

/// The text as it stands in the page that the server writes. In the browser a text is set as a text.
pub fn written(text: &str) -> String {
    if cfg!(target_arch = "wasm32") { text.to_owned() } else { text.replace('&', "&amp;").replace('<', "&lt;") }
}

/// The text of a `<pre>`. A browser takes away the line break that begins it (HTML, 13.1.2.5); where nothing else was in
/// it, nothing would be left of what the server wrote, and the page would not come alive.
pub fn preformatted(text: &str) -> String {
    text.trim_start_matches(['\r', '\n']).to_owned()
}
