//! What goes into the program beside the code: the migrations, which `sqlx::migrate!` embeds (without a word here a new
//! file would be missed), and with the feature `site` what browsers get.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=migrations");
    let mut files = String::new();
    if env::var_os("CARGO_FEATURE_SITE").is_some() {
        let site = folder("CARGO_MANIFEST_DIR").join("target/site");
        assert!(site.join("assets.json").is_file(), "the site is not built: run `make build`");
        println!("cargo:rerun-if-changed={}", site.display());
        list(&site, &site, &mut files);
    }
    fs::write(folder("OUT_DIR").join("site.rs"), format!("&[\n{files}]\n")).expect("OUT_DIR can be written");
}

fn folder(variable: &str) -> PathBuf {
    env::var_os(variable).expect("cargo names its folders").into()
}

/// Writes a `File` for each file below `folder`, in the order of their names.
fn list(site: &Path, folder: &Path, files: &mut String) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("the site can be read").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(site, &path, files);
            continue;
        }
        let name = path.strip_prefix(site).expect("it is below").to_str().expect("names are ASCII");
        let modified = fs::metadata(&path).and_then(|file| file.modified()).expect("files have a time");
        let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        files.push_str(&format!(
            "    File {{ name: {name:?}, bytes: include_bytes!({path:?}), modified: {modified} }},\n"
        ));
    }
}
