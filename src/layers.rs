//! Holds the sources to the layers of docs/architecture.md. Tests may name what they like.

use std::path::{Path, PathBuf};

/// Folders, and what of ours they may name: modules of the crate, and those of `server` after it.
const LAYERS: [(&str, &[&str], &[&str]); 8] = [
    ("domain", &["domain"], &[]),
    ("forms", &["api", "domain", "forms"], &[]),
    ("locales", &["domain", "locales"], &[]),
    ("ui", &["api", "domain", "forms", "locales", "ui"], &[]),
    ("server/db", &["domain"], &["clock", "db"]),
    ("server/mail", &["domain"], &["clock", "mail"]),
    ("server/schedule", &["domain"], &["schedule"]),
    (
        "server/services",
        &["api", "domain", "forms", "locales"],
        &["cache", "clock", "db", "mail", "schedule", "seal", "services", "sink"],
    ),
];
/// Frameworks, of which pure rules know nothing.
const FRAMEWORKS: [&str; 8] = ["axum", "js_sys", "leptos", "leptos_meta", "leptos_router", "sqlx", "tokio", "web_sys"];

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The files below a folder of src, without tests and comments.
fn code(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut found);
    found.retain(|(path, _)| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        name != "testing" && name != "layers" && !name.ends_with("tests")
    });
    for (_, text) in &mut found {
        let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
        let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
        *text = lines.collect::<Vec<_>>().join("\n");
    }
    found
}

/// The first names after each `prefix` in a text: `a` and `b` of `prefix::a::x` and `prefix::{b, …}`.
fn after(text: &str, prefix: &str) -> Vec<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        if text[..at].ends_with(word) {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(rest.split(|c| !word(c)).next().unwrap_or_default().to_owned());
            continue;
        };
        let (mut depth, mut head) = (0, true);
        let mut name = String::new();
        for c in list.chars() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.push(std::mem::take(&mut name));
                    head = true;
                    continue;
                }
                _ => {}
            }
            head &= word(c) || c.is_whitespace();
            if head && word(c) {
                name.push(c);
            }
        }
        names.push(name);
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn names_are_found_in_every_form() {
    let text = "use crate::a::b; use crate::{c, d::{e, f}, g}; fn x(y: crate::h) { my_crate::i() }";
    assert_eq!(after(text, "crate::"), ["a", "c", "d", "g", "h"]);
}

#[test]
fn layers_know_only_what_is_below_them() {
    let mut broken = Vec::new();
    for (folder, ours, servers) in LAYERS {
        let files = code(folder);
        assert!(!files.is_empty(), "{folder} has gone");
        for (path, text) in files {
            let mut note = |name: &str| broken.push(format!("{} names {name}", path.display()));
            for name in after(&text, "crate::") {
                if !ours.contains(&name.as_str()) && (name != "server" || servers.is_empty()) {
                    note(&name);
                }
            }
            for name in after(&text, "crate::server::") {
                if !servers.contains(&name.as_str()) {
                    note(&format!("server::{name}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn pure_rules_know_no_framework() {
    for (path, text) in code("domain") {
        for name in FRAMEWORKS {
            assert!(after(&text, &format!("{name}::")).is_empty(), "{} names {name}", path.display());
        }
    }
}

#[test]
fn one_switch_parts_server_and_browser() {
    let switch = concat!("feature = ", "\"ssr\"");
    for (path, text) in code("") {
        let allowed = usize::from(path.ends_with("src/lib.rs"));
        assert_eq!(text.matches(switch).count(), allowed, "{}", path.display());
    }
}

#[test]
fn only_the_clock_asks_for_the_time() {
    for (path, text) in code("server").into_iter().chain(code("../crates")) {
        let asks = ["Utc::now", "Local::now", "SystemTime::now"].iter().any(|call| text.contains(call));
        assert_eq!(asks, path.ends_with("server/clock.rs"), "{}", path.display());
    }
}
