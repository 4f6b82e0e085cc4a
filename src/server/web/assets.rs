//! The built site on disk: its manifest and its files.

use crate::ui::assets::Assets;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Manifest {
    start: String,
    js: String,
    wasm: String,
    texts: BTreeMap<String, String>,
    css: String,
    fonts: Vec<String>,
}

/// Reads `assets.json`, which `style/build.mjs` writes.
///
/// # Errors
/// A sentence for whoever starts the service.
pub fn load(site: &Path, dev_reload: bool) -> Result<Assets, String> {
    let path = site.join("assets.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("the site is not built: {}: {error} (make build)", path.display()))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let Manifest { start, js, wasm, texts, css, fonts } = manifest;
    let dev_reload = dev_reload.then(|| "/dev-reload.js".to_owned());
    Ok(Assets { css, start_js: start, js, wasm, texts, fonts, dev_reload, calm: false })
}
