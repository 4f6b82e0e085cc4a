//! The HTML of a caught letter as a page of its own, as a mail program shows it: with its own styles, and nothing that acts
//! or is fetched.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The policy of that page. It has no origin, runs nothing and fetches nothing; its links open beside it.
pub const POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// How a letter looks that says nothing of it itself.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:1rem;color:#1c1b19;background:#fff;\
    overflow-wrap:anywhere}a{color:#1f5fbf}";

/// Attributes by which letters are laid out.
const LAYOUT: [&str; 14] = [
    "style",
    "align",
    "valign",
    "bgcolor",
    "width",
    "height",
    "dir",
    "lang",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "face",
    "size",
];

/// The page.
pub fn document(safe: &str) -> String {
    format!("<!DOCTYPE html><meta charset=\"utf-8\"><title></title><style>{STYLE}</style>{safe}")
}

/// Makes a letter's HTML safe to show, and lists the web addresses it links to.
pub fn sanitise(html: &str) -> (String, Vec<String>) {
    let links = Arc::new(Mutex::new(Vec::<String>::new()));
    let found = Arc::clone(&links);
    let mut cleaner = ammonia::Builder::default();
    cleaner
        // The head goes; without this the words of its title would stay as text.
        .add_clean_content_tags(["title"])
        .add_tags(["font"])
        .add_generic_attributes(LAYOUT)
        .url_schemes(["http", "https", "mailto", "data"].into())
        .set_tag_attribute_values(HashMap::from([("a", HashMap::from([("target", "_blank")]))]))
        .attribute_filter(move |element, attribute, value| {
            let kept = match (element, attribute) {
                (_, "style") => is_still(value),
                ("img", "src") => is_picture(value),
                (_, "href" | "cite") => !is_data(value),
                _ => true,
            };
            if kept && element == "a" && attribute == "href" && is_web(value) {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if !found.iter().any(|link| link == value) {
                    found.push(value.to_owned());
                }
            }
            kept.then(|| value.into())
        });
    let html = cleaner.clean(&with_body(html)).to_string();
    let links = std::mem::take(&mut *links.lock().unwrap_or_else(PoisonError::into_inner));
    (html, links)
}

/// A web address.
pub fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The letter's body as an element that a fragment can hold, so that its style stays. What comes of it is made safe later.
fn with_body(html: &str) -> String {
    const OPEN: &str = "<body";
    // Lengths stay where only ASCII changes its case.
    let Some(at) = html.to_ascii_lowercase().find(OPEN) else { return html.to_owned() };
    let after = at + OPEN.len();
    if !html[after..].starts_with(|c: char| c == '>' || c.is_ascii_whitespace()) {
        return html.to_owned();
    }
    format!("{}<div{}", &html[..at], &html[after..])
}

/// Whether a style names nothing that would be fetched. The page's policy would refuse it; here it does not come so far.
fn is_still(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    let plain = !style.contains(['\\', '@']) && !style.contains("/*");
    plain
        && style.match_indices('(').all(|(at, _)| {
            ["rgb", "rgba", "hsl", "hsla", "calc"].iter().any(|name| {
                style[..at]
                    .strip_suffix(name)
                    .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '-'))
            })
        })
}

fn is_data(url: &str) -> bool {
    url.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// A picture that the letter itself holds.
fn is_picture(url: &str) -> bool {
    ["png", "jpeg", "gif", "webp"].iter().any(|kind| url.starts_with(&format!("data:image/{kind};base64,")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::mail::markdown;

    #[test]
    fn a_letter_of_ours_keeps_each_of_its_styles() {
        let body = "# One\n\n> quote\n\n`code` [link](https://a.example)\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n";
        let letter = markdown::document(&markdown::to_html(body), "en", "t");
        let (safe, links) = sanitise(&letter);
        let styles = |html: &str| html.matches(" style=\"").count();
        assert!(styles(&letter) > 8, "{letter}");
        assert_eq!(styles(&safe), styles(&letter), "{safe}");
        assert_eq!(links, ["https://a.example"]);
    }

    #[test]
    fn nothing_of_a_hostile_letter_acts_or_is_fetched() {
        for hostile in [
            "<script>x()</script>",
            "<img src=x onerror=x()>",
            "<img src=https://evil.example/pixel.gif>",
            "<img src=\"data:image/svg+xml;base64,PHN2Zz4=\">",
            "<a href=\"data:text/html,<script>x()</script>\">x</a>",
            "<a href=\"javascript:x()\">x</a>",
            "<p style=\"background:url(https://evil.example/a)\">x</p>",
            "<p style=\"background:u\\72l(https://evil.example/a)\">x</p>",
            "<p style=\"background:image-set('https://evil.example/a' 1x)\">x</p>",
            "<p style=\"width:expression(x())\">x</p>",
            "<p style=\"background:-rgb(url(https://evil.example))\">x</p>",
            "<style>@import 'https://evil.example/a';</style>",
            "<link rel=stylesheet href=https://evil.example/a>",
            "<body onload=x() style=\"background:url(//evil.example/a)\">x</body>",
            "<base href=https://evil.example/><form action=https://evil.example><button>x</button></form>",
            "<iframe src=https://evil.example></iframe><object data=https://evil.example></object>",
            "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
            "<svg onload=x()><use href=https://evil.example/></svg>",
            "<table background=https://evil.example/a><tr><td>x</td></tr></table>",
        ] {
            let (safe, _) = sanitise(hostile);
            for bad in ["evil", "x()", "data:", "url(", "<style", "<form", "<script"] {
                assert!(!safe.contains(bad), "{hostile}: {safe}");
            }
        }
    }

    #[test]
    fn what_a_mail_program_shows_stays() {
        let html = "<html><head><title>T</title></head><BODY style=\"background:#eee; color:rgb(1, 2, 3)\">\
            <table width=\"600\" bgcolor=\"#fff\" cellpadding=\"4\"><tr><td align=\"right\" style=\"width:calc(50% - 2px)\">x</td></tr></table>\
            <img alt=\"Logo\" src=\"data:image/png;base64,AAAA\"><img alt=\"Away\" src=\"https://a.example/a.png\"></BODY></html>";
        let (safe, _) = sanitise(html);
        for kept in [
            "<div style=\"background:#eee; color:rgb(1, 2, 3)\">",
            "width=\"600\"",
            "bgcolor=\"#fff\"",
            "align=\"right\"",
            "calc(50% - 2px)",
            "src=\"data:image/png;base64,AAAA\"",
            "<img alt=\"Away\">",
        ] {
            assert!(safe.contains(kept), "{kept}: {safe}");
        }
        for policy in ["default-src 'none'", "img-src data:;", "sandbox allow-popups"] {
            assert!(POLICY.contains(policy));
        }
        assert!(!POLICY.contains("allow-scripts") && !POLICY.contains("allow-same-origin") && !POLICY.contains("http"));
    }
}
