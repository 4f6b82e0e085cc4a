//! Where the built files are.

use std::collections::BTreeMap;

/// Addresses of the built files. The server provides it as a context; the browser never needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    pub css: String,
    /// The script that starts the wasm.
    pub start_js: String,
    pub js: String,
    pub wasm: String,
    /// The texts of each language, by its tag.
    pub texts: BTreeMap<String, String>,
    /// Fonts worth loading before the stylesheet asks for them.
    pub fonts: Vec<String>,
    /// The script that reloads the page after each build, under development only.
    pub dev_reload: Option<String>,
    /// Whether the page is there to be read, by somebody without a session: then the script waits for the
    /// reader's first act, and nothing of it is fetched beforehand.
    pub calm: bool,
}
