//! Addresses of links and pictures in letters. A letter stands nowhere, so an address in it must be whole: some can be
//! made so, the others lead nowhere and are named to whoever writes them.

use super::fill::{begins_with_mark, is_mark};
use crate::domain::email::EmailAddress;
use crate::domain::post::is_image_id;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use url::{ParseError, Url};

/// What an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Link,
    Picture,
}

impl Kind {
    /// The schemes that mail programs follow.
    pub fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Link => &["http", "https", "mailto", "tel"],
            Self::Picture => &["http", "https"],
        }
    }
}

/// An address that a letter cannot keep, and the line (from 1) where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub kind: Kind,
    /// As it was written; `…` stands for what a client's data would fill in.
    pub address: String,
    pub line: u32,
}

impl Lost {
    /// The locale key of the sentence for it; its placeholders are `name` and `line`.
    pub fn key(&self) -> &'static str {
        match self.kind {
            Kind::Link => "error.link.lost",
            Kind::Picture => "error.picture.lost",
        }
    }
}

/// The address as a letter can have it: as it is, or with the beginning that its writer left out (`www.example.com`,
/// `//example.com`, `anna@example.com`). None if nobody can know where it leads.
pub fn whole(address: &str, kind: Kind) -> Option<Cow<'_, str>> {
    let address = address.trim();
    let begins = |with: &str| address.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let made = match () {
        () if begins("//") => Cow::Owned(format!("https:{address}")),
        () if begins("www.") => Cow::Owned(format!("https://{address}")),
        () => match mail(address).filter(|_| kind == Kind::Link) {
            Some(mail) => Cow::Owned(format!("mailto:{mail}")),
            None => Cow::Borrowed(address),
        },
    };
    let url = Url::parse(&made).ok()?;
    let says_more = made.len() > url.scheme().len() + 1;
    (says_more && kind.schemes().contains(&url.scheme())).then_some(made)
}

/// The same for an address in a template, which a client's value may begin: it is known only once it is filled in.
pub fn kept(address: &str, kind: Kind) -> Option<Cow<'_, str>> {
    if begins_with_mark(address) { Some(Cow::Borrowed(address)) } else { whole(address, kind) }
}

/// The same, and pictures of our own store (`/images/…`), which are found at `site`.
pub fn kept_or_stored<'a>(address: &'a str, kind: Kind, site: &str) -> Option<Cow<'a, str>> {
    if kind == Kind::Picture && is_stored(address) {
        return Some(Cow::Owned(format!("{site}{address}")));
    }
    kept(address, kind)
}

/// Whether an address is that of a stored picture, in some width or in its largest.
fn is_stored(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("/images/") else { return false };
    let (id, width) = rest.split_once('/').unwrap_or((rest, "1"));
    let is_width = (1..=5).contains(&width.len()) && width.bytes().all(|b| b.is_ascii_digit());
    is_image_id(id) && is_width
}

/// Whether the sanitiser leaves an element its address: it knows of [`kept`] where an address names no scheme.
pub fn survives(address: &str, kind: Kind) -> bool {
    match Url::parse(address) {
        Err(ParseError::RelativeUrlWithoutBase) => kept(address, kind).is_some(),
        _ => whole(address, kind).is_some(),
    }
}

/// A client's value as the beginning of an address; none if it is no address. What may not stand in one is
/// percent-encoded.
pub fn of_value(value: &str, kind: Kind) -> Option<String> {
    let address = whole(value, kind)?;
    let mut out = String::with_capacity(address.len());
    for b in address.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    Some(out)
}

/// An address as a reader knows it: not percent-encoded, and without marks.
pub fn shown(address: &str) -> String {
    decoded(address).replace(is_mark, "…")
}

/// An address without its percent-encoding (RFC 3986 2.1).
pub fn decoded(address: &str) -> Cow<'_, str> {
    percent_decode_str(address).decode_utf8_lossy()
}

/// A mail address that stands without a scheme, without what other programs put around one.
fn mail(address: &str) -> Option<String> {
    let bare = !address.contains([':', '/', '?', '#', '%']);
    let address = bare.then(|| EmailAddress::parse(address).ok()).flatten()?;
    Some(address.as_str().to_owned())
}

/// What no bare address holds, though there be no space: quotes, and the stops of scripts that write none. A letter of those
/// that belongs to an address is encoded where it was copied from a browser.
const SEPARATORS: &str = "<>\"«»“”。．，、！？：；（）【】「」『』《》〈〉｡､،؛؟";

/// The web and mail addresses that stand bare in a text, with the links that they become.
pub fn bare(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut end = 0;
    for word in text.split(|c: char| c.is_whitespace() || SEPARATORS.contains(c)) {
        // Words come in order, so each is looked for behind the one before.
        let start = end + text[end..].find(word).unwrap_or_default();
        end = start + word.len();
        let Some(begin) = beginning(word) else { continue };
        let length = trimmed(&word[begin..]);
        let address = &word[begin..begin + length];
        let is_web = address.contains("://") || address.matches('.').count() > 1 && !address.contains('@');
        let link = if is_web || mail(address).is_some() { whole(address, Kind::Link) } else { None };
        if let Some(link) = link {
            found.push((start + begin..start + begin + length, link.into_owned()));
        }
    }
    found
}

/// Where a word's address begins: at its scheme, or behind the signs that open it.
fn beginning(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    // Scripts without spaces put it right behind a letter.
    let behind_sign = |at: &usize| !word[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let web = ["https://", "http://", "www."].iter().filter_map(|begin| lower.find(begin)).filter(behind_sign).min();
    web.or_else(|| {
        let at = word.find(|c: char| c.is_alphanumeric() || c == '_')?;
        word.contains('@').then_some(at)
    })
}

/// How long an address is without the signs that end its sentence, and without brackets that it has not opened.
fn trimmed(word: &str) -> usize {
    let count = |sign: char| word.matches(sign).count();
    let mut unopened = [count(')').saturating_sub(count('(')), count(']').saturating_sub(count('['))];
    let mut rest = word;
    while let Some(last) = rest.chars().next_back() {
        let bracket = match last {
            ')' => Some(0),
            ']' => Some(1),
            _ => None,
        };
        match bracket {
            Some(which) if unopened[which] > 0 => unopened[which] -= 1,
            Some(_) => break,
            None if "?!.,:;*_~'’…|}".contains(last) => {}
            None => break,
        }
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_can_be_made_whole_is() {
        for (address, kind, made) in [
            ("https://example.org/a", Kind::Link, Some("https://example.org/a")),
            ("www.example.com", Kind::Link, Some("https://www.example.com")),
            ("WWW.example.com:8080/x", Kind::Link, Some("https://WWW.example.com:8080/x")),
            ("//example.com/x", Kind::Link, Some("https://example.com/x")),
            ("//example.com/x.png", Kind::Picture, Some("https://example.com/x.png")),
            ("anna@example.com", Kind::Link, Some("mailto:anna@example.com")),
            ("<anna@example.com>", Kind::Link, Some("mailto:anna@example.com")),
            ("anna@example.com\u{200b}", Kind::Link, Some("mailto:anna@example.com")),
            ("mailto:anna@example.com", Kind::Link, Some("mailto:anna@example.com")),
            ("tel:+79000000000", Kind::Link, Some("tel:+79000000000")),
            ("/blog/a", Kind::Link, None),
            ("#top", Kind::Link, None),
            ("", Kind::Link, None),
            ("example.com", Kind::Link, None),
            ("tg://resolve?domain=x", Kind::Link, None),
            ("javascript:alert(1)", Kind::Link, None),
            ("tel:", Kind::Link, None),
            ("https://", Kind::Link, None),
            ("images/a.png", Kind::Picture, None),
            ("data:image/png;base64,AAAA", Kind::Picture, None),
            ("mailto:anna@example.com", Kind::Picture, None),
        ] {
            assert_eq!(whole(address, kind).as_deref(), made, "{address} {kind:?}");
        }
    }

    #[test]
    fn a_value_is_an_address_or_nothing() {
        let link = |value: &str| of_value(value, Kind::Link);
        assert_eq!(link(" https://pay.example/7?a=b&c=d#e ").as_deref(), Some("https://pay.example/7?a=b&c=d#e"));
        assert_eq!(link("https://x.org/a\"><b>").as_deref(), Some("https://x.org/a%22%3E%3Cb%3E"));
        assert_eq!(link("www.example.com").as_deref(), Some("https://www.example.com"));
        assert_eq!(link("anna@example.com").as_deref(), Some("mailto:anna@example.com"));
        for bad in ["", "Comment", "javascript:alert(1)", "/pay", "java\nscript:x"] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }

    #[test]
    fn bare_addresses_are_found_without_their_sentence() {
        let found = |text: &str| {
            let found: Vec<String> = bare(text).into_iter().map(|(at, link)| format!("{}={link}", &text[at])).collect();
            found.join(" ")
        };
        assert_eq!(
            found("See https://example.org/a_(b), or not."),
            "https://example.org/a_(b)=https://example.org/a_(b)"
        );
        assert_eq!(found("(www.example.com)!"), "www.example.com=https://www.example.com");
        assert_eq!(found("сайт:https://example.org/?q=1; x"), "https://example.org/?q=1=https://example.org/?q=1");
        assert_eq!(found("«anna@example.com»."), "anna@example.com=mailto:anna@example.com");
        assert_eq!(found("at 10:30, v1.2.3, e.g. www., user@, @name, a.b.c, xhttp://y"), "");
        assert_eq!(found("请看 https://example.com/a。谢谢"), "https://example.com/a=https://example.com/a");
        assert_eq!(
            found("请访问https://example.com/a，或（www.example.org）"),
            "https://example.com/a=https://example.com/a www.example.org=https://www.example.org"
        );
        assert_eq!(found("انظر https://example.com/a؟"), "https://example.com/a=https://example.com/a");
        assert_eq!(
            found("a a https://x.org/1 https://x.org/1"),
            "https://x.org/1=https://x.org/1 https://x.org/1=https://x.org/1"
        );
    }

    #[test]
    fn readers_see_what_was_written() {
        assert_eq!(shown("/%D0%B0/%EE%80%80?q=100%"), "/а/…?q=100%");
        assert_eq!(shown("%+f%zz%4"), "%+f%zz%4");
    }

    proptest! {
        #[test]
        fn any_text_is_searched(text in "[ -~«»а-яhtps:/w.@]{0,80}") {
            for (at, _) in bare(&text) {
                prop_assert!(!text[at].is_empty());
            }
        }

        #[test]
        fn a_value_leaves_no_attribute(value in "(https://)?\\PC{0,40}") {
            if let Some(address) = of_value(&value, Kind::Link) {
                prop_assert!(!address.contains(['"', '<', '>', '\'', ' ']) && address.is_ascii());
            }
        }
    }
}
