//! The manifest of the built site.

use super::site::Site;
use crate::ui::assets::Assets;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where `style/build.mjs` writes it.
const MANIFEST: &str = "assets.json";

#[derive(Deserialize)]
struct Manifest {
    start: String,
    js: String,
    wasm: String,
    texts: BTreeMap<String, String>,
    css: String,
    fonts: Vec<String>,
}

/// Reads the manifest.
///
/// # Errors
/// A sentence for whoever starts the service.
pub fn load(site: &Site, dev_reload: bool) -> Result<Assets, String> {
    let text = site.read(MANIFEST)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let Manifest { start, js, wasm, texts, css, fonts } = manifest;
    let dev_reload = dev_reload.then(|| "/dev-reload.js".to_owned());
    Ok(Assets { css, start_js: start, js, wasm, texts, fonts, dev_reload, calm: false })
}
