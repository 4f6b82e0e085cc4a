//! The languages of the interface and of the service's own letters.

use serde::{Deserialize, Serialize};

/// A language that the interface speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    #[default]
    En,
    Ru,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::En, Self::Ru];

    /// The tag in HTML, cookies and the database (RFC 5646).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    /// Reads [`Lang::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == text)
    }

    /// The best of ours for an Accept-Language header (RFC 9110, section 12.5.4); English if none fits.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |text| text.trim().parse::<f32>().unwrap_or(0.0));
            if let Some(lang) = Self::parse(&primary)
                && quality > best.0
            {
                best = (quality, lang);
            }
        }
        best.1
    }

    /// What a reader sees: their choice (the cookie `lang`), else what their browser asks for.
    pub fn choose(cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        cookie
            .and_then(Self::parse)
            .unwrap_or_else(|| accept_language.map_or_else(Self::default, Self::from_accept_language))
    }
}

/// The plural category of a whole number: `one`, `few`, `many` or `other` (CLDR cardinal rules).
pub fn plural(lang: Lang, n: i64) -> &'static str {
    let n = n.unsigned_abs();
    match (lang, n % 10, n % 100) {
        (Lang::En, _, _) => {
            if n == 1 {
                "one"
            } else {
                "other"
            }
        }
        (Lang::Ru, _, 11..=14) => "many",
        (Lang::Ru, 1, _) => "one",
        (Lang::Ru, 2..=4, _) => "few",
        (Lang::Ru, _, _) => "many",
    }
}

/// A whole number with its thousands grouped: 12,480 in English, 12 480 with no-break spaces in Russian.
pub fn group(lang: Lang, n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let separator = match lang {
        Lang::En => ',',
        Lang::Ru => '\u{a0}',
    };
    let mut text = String::with_capacity(digits.len() * 2);
    if n < 0 {
        text.push('\u{2212}');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_language_the_browser_prefers() {
        for (header, lang) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", Lang::Ru),
            ("en-US,en;q=0.9,ru;q=0.8", Lang::En),
            ("de,ru;q=0.3,en;q=0.7", Lang::En),
            ("de, RU;q=0.5", Lang::Ru),
            ("ru;q=0", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::from_accept_language(header), lang, "{header}");
        }
        assert_eq!(Lang::choose(Some("en"), Some("ru")), Lang::En);
        assert_eq!(Lang::choose(Some("xx"), Some("ru")), Lang::Ru);
    }

    #[test]
    fn counts_as_the_language_does() {
        for (n, category) in [
            (1, "one"),
            (21, "one"),
            (2, "few"),
            (24, "few"),
            (0, "many"),
            (5, "many"),
            (11, "many"),
            (112, "many"),
            (-1, "one"),
        ] {
            assert_eq!(plural(Lang::Ru, n), category, "{n}");
        }
        assert_eq!((plural(Lang::En, 1), plural(Lang::En, 0), plural(Lang::En, 21)), ("one", "other", "other"));
    }

    #[test]
    fn groups_thousands() {
        assert_eq!(group(Lang::En, 12_480), "12,480");
        assert_eq!(group(Lang::Ru, 1_012_480), "1\u{a0}012\u{a0}480");
        assert_eq!(
            (group(Lang::En, 0), group(Lang::En, 999), group(Lang::En, -1000)),
            ("0".into(), "999".into(), "\u{2212}1,000".into())
        );
    }
}
