//! Designs: how an owner's letters look.

use super::colour::Colour;
use serde::{Deserialize, Serialize};

/// Longest name, in characters.
pub const NAME_MAX: usize = 80;
/// Longest text of the header, in characters.
pub const HEADER_MAX: usize = 120;
/// Longest footer, in characters of Markdown.
pub const FOOTER_MAX: usize = 2_000;
/// Longest postal address, in characters.
pub const ADDRESS_MAX: usize = 400;
/// Most addresses of social networks.
pub const SOCIAL_MAX: usize = 8;
/// Roundest corners, in pixels.
pub const RADIUS_MAX: u16 = 28;
/// How wide a logo may be, in pixels.
pub const LOGO_WIDTHS: std::ops::RangeInclusive<u16> = 24..=400;
/// Designs of one owner.
pub const DESIGNS_MAX: i64 = 50;
/// Contrast of text and its ground that is required (WCAG 2.2, 1.4.3).
pub const CONTRAST_MIN: f64 = 4.5;

/// The typeface, as a list that every mail program finds something in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Font {
    #[default]
    System,
    Grotesk,
    Humanist,
    Serif,
    Book,
}

impl Font {
    pub const ALL: [Self; 5] = [Self::System, Self::Grotesk, Self::Humanist, Self::Serif, Self::Book];

    /// The word in forms and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Grotesk => "grotesk",
            Self::Humanist => "humanist",
            Self::Serif => "serif",
            Self::Book => "book",
        }
    }

    /// Reads [`Font::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|font| font.as_str() == text)
    }

    /// As CSS says it, in single quotes.
    pub fn stack(self) -> &'static str {
        match self {
            Self::System => "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif",
            Self::Grotesk => "'Helvetica Neue',Helvetica,Arial,sans-serif",
            Self::Humanist => "'Trebuchet MS','Lucida Grande',Tahoma,sans-serif",
            Self::Serif => "Georgia,'Times New Roman',serif",
            Self::Book => "'Palatino Linotype',Palatino,'Book Antiqua',Georgia,serif",
        }
    }
}

/// What stands above the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// In the middle, above the sheet.
    #[default]
    Centre,
    /// A band of the accent colour, which the sheet hangs from.
    Band,
    /// At the side, on the sheet, over a line.
    Line,
}

impl Header {
    pub const ALL: [Self; 3] = [Self::Centre, Self::Band, Self::Line];

    /// The word in forms and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Band => "band",
            Self::Line => "line",
        }
    }

    /// Reads [`Header::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.as_str() == text)
    }
}

/// A logo: a picture of the owner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// Of the stored picture.
    pub id: String,
    /// How wide it is shown, in pixels.
    pub width: u16,
}

/// How a letter looks. A run keeps a copy of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Links, buttons, the band.
    pub accent: Colour,
    pub text: Colour,
    /// Behind the text.
    pub paper: Colour,
    /// Around the sheet.
    pub background: Colour,
    pub font: Font,
    /// Of corners, in pixels.
    pub radius: u16,
    pub header: Header,
    /// The sender's name as readers see it; empty for none.
    pub header_text: String,
    pub logo: Option<Logo>,
    /// Markdown.
    pub footer: String,
    /// Postal, of one or more lines.
    pub address: String,
    /// Web addresses.
    pub social: Vec<String>,
}

impl Look {
    /// The first pair of colours that cannot be read, by the field that is to be changed.
    pub fn unreadable(&self) -> Option<&'static str> {
        let low = |a: Colour, b: Colour| a.contrast(b) < CONTRAST_MIN;
        match () {
            () if low(self.text, self.paper) => Some("text"),
            () if low(self.accent, self.paper) => Some("accent"),
            () if low(self.text, self.background) => Some("background"),
            () => None,
        }
    }

    /// Whether it is light letters on a dark sheet by itself.
    pub fn is_dark(&self) -> bool {
        self.paper.luminance() < 0.18
    }
}

/// Designs that everybody has. `Plain` looks like a letter that somebody typed, and is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltIn {
    #[default]
    Plain,
    Bakery,
    Ink,
    Meadow,
    Harbour,
    Berry,
    Night,
}

impl BuiltIn {
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Bakery, Self::Ink, Self::Meadow, Self::Harbour, Self::Berry, Self::Night];

    /// The word in forms and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Bakery => "bakery",
            Self::Ink => "ink",
            Self::Meadow => "meadow",
            Self::Harbour => "harbour",
            Self::Berry => "berry",
            Self::Night => "night",
        }
    }

    /// Reads [`BuiltIn::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|design| design.as_str() == text)
    }

    /// How it looks under somebody's name; nothing for the plain letter.
    pub fn look(self, name: &str) -> Option<Look> {
        let ([accent, text, paper, background], font, radius, header) = match self {
            Self::Plain => return None,
            Self::Bakery => ([0xa4_3e1b, 0x3d_2b1f, 0xff_fdf8, 0xf5_ebdc], Font::Serif, 14, Header::Centre),
            Self::Ink => ([0xc2_2b1a, 0x1b_1a18, 0xff_ffff, 0xff_ffff], Font::Book, 0, Header::Line),
            Self::Meadow => ([0x2d_6a3e, 0x23_312a, 0xff_ffff, 0xe9_f1e4], Font::Humanist, 10, Header::Band),
            Self::Harbour => ([0x1d_5fa8, 0x1d_2b3a, 0xff_ffff, 0xe8_eff6], Font::System, 8, Header::Band),
            Self::Berry => ([0xa8_1e5b, 0x3a_1c2e, 0xff_ffff, 0xfb_e9f0], Font::Humanist, 24, Header::Centre),
            Self::Night => ([0xf3_b94f, 0xf1_eee8, 0x1f_222b, 0x13_151b], Font::Grotesk, 12, Header::Centre),
        };
        let colour = Colour::from_rgb;
        Some(Look {
            accent: colour(accent),
            text: colour(text),
            paper: colour(paper),
            background: colour(background),
            font,
            radius,
            header,
            header_text: name.to_owned(),
            logo: None,
            footer: String::new(),
            address: String::new(),
            social: Vec::new(),
        })
    }
}

/// Which design a message has: one that everybody has, or one of its owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    BuiltIn(BuiltIn),
    Own(i64),
}

impl Default for Choice {
    fn default() -> Self {
        Self::BuiltIn(BuiltIn::Plain)
    }
}

impl Choice {
    /// Reads what a form says: the word of a built-in one, or an id; nothing is the plain letter.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let own = || text.parse().ok().filter(|id| *id > 0).map(Self::Own);
        BuiltIn::parse(text).map(Self::BuiltIn).or_else(own)
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn(design) => f.write_str(design.as_str()),
            Self::Own(id) => write!(f, "{id}"),
        }
    }
}

/// An owner's design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Design {
    /// 0 while it is not stored.
    pub id: i64,
    pub name: String,
    pub look: Look,
    /// Messages that use it.
    pub messages: i64,
}

impl Design {
    /// Tells whether it was changed since a form was opened.
    pub fn version(&self) -> String {
        super::version::version(&[&self.name, &serde_json::to_string(&self.look).unwrap_or_default()])
    }
}

/// A network as people call it, by its host; the host itself if it is not known.
pub fn network(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let known = [
        ("instagram.com", "Instagram"),
        ("facebook.com", "Facebook"),
        ("t.me", "Telegram"),
        ("telegram.me", "Telegram"),
        ("vk.com", "VK"),
        ("ok.ru", "OK"),
        ("youtube.com", "YouTube"),
        ("rutube.ru", "Rutube"),
        ("dzen.ru", "Дзен"),
        ("linkedin.com", "LinkedIn"),
        ("x.com", "X"),
        ("twitter.com", "X"),
        ("tiktok.com", "TikTok"),
        ("pinterest.com", "Pinterest"),
        ("bsky.app", "Bluesky"),
        ("threads.net", "Threads"),
        ("wa.me", "WhatsApp"),
        ("github.com", "GitHub"),
    ];
    let name = known.into_iter().find(|(known, _)| *known == host);
    name.map_or_else(|| host.to_owned(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_built_in_design_can_be_read() {
        for design in BuiltIn::ALL {
            assert_eq!(BuiltIn::parse(design.as_str()), Some(design));
            let Some(look) = design.look("Bakery") else { continue };
            assert_eq!(look.unreadable(), None, "{design:?}");
            assert_eq!(look.is_dark(), design == BuiltIn::Night, "{design:?}");
            assert!(look.radius <= RADIUS_MAX);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_field() {
        let look = BuiltIn::Bakery.look("").unwrap();
        let grey = Colour::from_rgb(0x99_9999);
        assert_eq!(Look { text: grey, ..look.clone() }.unreadable(), Some("text"));
        assert_eq!(Look { accent: grey, ..look.clone() }.unreadable(), Some("accent"));
        assert_eq!(Look { background: look.text, ..look }.unreadable(), Some("background"));
    }

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        for choice in [Choice::BuiltIn(BuiltIn::Night), Choice::Own(7), Choice::default()] {
            assert_eq!(Choice::parse(&choice.to_string()), Some(choice));
        }
        assert_eq!(Choice::parse(""), Some(Choice::default()));
        assert_eq!((Choice::parse("0"), Choice::parse("-1"), Choice::parse("nosuch")), (None, None, None));
    }

    #[test]
    fn networks_have_their_names() {
        assert_eq!(network("https://www.instagram.com/bakery"), "Instagram");
        assert_eq!(network("https://t.me/bakery?x"), "Telegram");
        assert_eq!(network("https://bakery.example/shop"), "bakery.example");
    }
}
