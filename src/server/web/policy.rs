//! The Content-Security-Policy of pages.

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Gives a rendered page its policy: scripts are ours, or are one of those that leptos wrote into this page,
/// which are told by the render's nonce and named by their hashes. The nonce does not leave the server: a
/// page that is kept, and its header, are the same whoever gets them. `connect` is one more address that
/// scripts may talk to, or empty.
pub fn seal(html: &str, nonce: &str, connect: &str) -> (String, Option<HeaderValue>) {
    let mark = format!(" nonce=\"{nonce}\"");
    let begin = format!("<script{mark}>");
    let scripts = html.split(&begin).skip(1).filter_map(|rest| rest.split("</script>").next());
    let hashes: String = scripts.map(|script| format!(" {}", hash(script))).collect();
    (html.replace(&mark, ""), pages(&hashes, connect))
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

fn pages(scripts: &str, connect: &str) -> Option<HeaderValue> {
    let policy = format!(
        "default-src 'self'; script-src 'self'{scripts} 'wasm-unsafe-eval'; \
         style-src 'self'; img-src 'self' data:; connect-src 'self' {connect}; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "'sha256-2TpG9cvl6j1u9fh0lsVG3elHfyF7hwyAnDpfhfmxMgg='";

    #[test]
    fn only_the_scripts_of_the_render_are_allowed() {
        let html = "<script nonce=\"abc\">one=1</script><script>alert(1)</script><script nonce=\"no\">2</script>\
                    <script nonce=\"abc\">three</script><script type=\"application/ld+json\">{}</script>";
        let (html, policy) = seal(html, "abc", "ws://x");
        let policy = policy.unwrap();
        let policy = policy.to_str().unwrap();
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        let scripts = policy.split("script-src ").nth(1).unwrap().split(';').next().unwrap();
        // printf one=1 | openssl dgst -sha256 -binary | base64
        assert_eq!(scripts, format!("'self' {} {} 'wasm-unsafe-eval'", ONE, hash("three")));
        assert!(html.starts_with("<script>one=1</script><script>alert(1)</script>"), "{html}");
        assert!(!html.contains("abc") && !policy.contains("nonce"), "the nonce stays here");
    }
}
