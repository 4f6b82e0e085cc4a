//! The Content-Security-Policy of pages.

use crate::server::mail::markdown;
use crate::ui::pages::outbox::show::FRAME_CSS;
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The styles of our letters and of the frame around them, as hashes: letters are shown in frames that
/// inherit the page's policy, and no other style may stand in a page (CSP 3, 8.2).
static LETTER_STYLES: LazyLock<String> = LazyLock::new(|| {
    let hashes = markdown::styles()
        .chain([FRAME_CSS])
        .map(|style| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style))));
    hashes.collect::<Vec<_>>().join(" ")
});

/// Scripts are ours, or carry this page's nonce; nothing inline runs otherwise. `connect` is one more
/// address that scripts may talk to, or empty.
pub fn pages(nonce: &str, connect: &str) -> Option<HeaderValue> {
    let styles = LETTER_STYLES.as_str();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'unsafe-hashes' {styles}; img-src 'self' data:; connect-src 'self' {connect}; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inline_is_allowed() {
        let policy = pages("abc", "").unwrap();
        let policy = policy.to_str().unwrap();
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(policy.contains("'nonce-abc'"));
    }

    #[test]
    fn every_style_of_a_letter_has_its_hash() {
        let body = "# One\n\n## Two\n\n> quote\n\n`code` [link](https://a.example) ![i](https://a.example/i.png)\n\n\
                    ```\npre\n```\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n\n<p style=\"color:red\">own</p>\n";
        let html = markdown::document(&markdown::to_html(body), "en", "t");
        let styles: Vec<&str> = html.split("style=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(styles.len() > 8, "{html}");
        for style in styles {
            let hash = STANDARD.encode(Sha256::digest(style));
            assert!(LETTER_STYLES.contains(&hash), "{style}");
        }
    }
}
