//! Posts of the blog: what is written in public, and the pictures in it.

use super::lang::Lang;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest title, in characters.
pub const TITLE_MAX: usize = 200;
/// Longest summary, in characters.
pub const SUMMARY_MAX: usize = 500;
/// Longest body, in characters.
pub const BODY_MAX: usize = 200_000;
/// Longest name of an author, in characters.
pub const AUTHOR_MAX: usize = 100;
/// Longest description of a picture, in characters.
pub const ALT_MAX: usize = 300;
/// Most tags of a post.
pub const TAGS_MAX: usize = 10;
/// Longest tag, in characters.
pub const TAG_MAX: usize = 40;
/// Days in the chart of views.
pub const CHART_DAYS: usize = 30;

/// Largest file that is taken as a picture, in bytes.
pub const IMAGE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Most pixels that a picture may have.
pub const IMAGE_PIXELS_MAX: u64 = 40_000_000;
/// Bytes that all pictures of a user may take, in all their sizes.
pub const IMAGE_QUOTA: i64 = 200 * 1024 * 1024;
/// Widths that pictures are served in, in pixels.
pub const IMAGE_WIDTHS: [u32; 3] = [480, 960, 1600];

/// Whether visitors see a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    Draft,
    Scheduled,
    Published,
}

impl PostState {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Scheduled, Self::Published];

    /// The word in links and locale keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Published => "published",
        }
    }

    /// Reads [`PostState::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What a publication date means at an instant. Nothing happens when it comes: it has come.
    pub fn at(published_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match published_at {
            None => Self::Draft,
            Some(at) if at > now => Self::Scheduled,
            Some(_) => Self::Published,
        }
    }
}

/// What an editor writes; every version of a post is one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub title: String,
    pub slug: String,
    pub summary: String,
    /// Markdown.
    pub body: String,
    /// With commas between.
    pub tags: String,
    pub lang: Lang,
    pub author: String,
    /// A picture's id.
    pub cover: Option<String>,
    pub cover_alt: String,
}

/// The tags of a post as they were written, each once.
pub fn tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        if !tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase()) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

/// A post as the list of its editors shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRow {
    pub id: i64,
    pub title: String,
    pub slug: String,
    pub lang: Lang,
    pub author: String,
    pub state: PostState,
    pub published_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub views: i64,
    /// Views on each of the last [`CHART_DAYS`] days, the oldest first.
    pub chart: Vec<i64>,
}

/// What the editor page starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Editing {
    /// 0 for a post that does not exist yet.
    pub id: i64,
    pub state: PostState,
    pub fields: Fields,
    /// When what stands in the form was kept without being saved.
    pub draft_at: Option<DateTime<Utc>>,
    /// The zone of the publication date, an IANA name.
    pub zone: String,
}

/// The fields of the editor's form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// The version that the fields were made of; 0 for a new post.
    pub version: i64,
    pub content: Content,
    /// `draft`, `now` or `at`.
    pub publish: String,
    /// Wall time in the editor's zone, `2026-11-23T10:00`.
    pub publish_at: String,
}

/// Markdown as visitors would see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    pub html: String,
    /// Pictures that nobody has described.
    pub undescribed: i64,
}

/// A version of a post, in its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub version: i64,
    pub name: String,
    pub at: DateTime<Utc>,
}

/// A line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Same,
    Removed,
    Added,
    /// Lines that are the same are left out here.
    Gap,
}

/// What differs in one field: its name as in the form, and the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDiff {
    pub field: String,
    pub lines: Vec<(Change, String)>,
}

/// The history of a post, and one version compared with what is stored now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    pub title: String,
    /// The version that is stored now.
    pub current: i64,
    pub versions: Vec<Version>,
    /// The version that is compared, and what the current one changed since.
    pub compared: Option<(i64, Vec<FieldDiff>)>,
}

/// Two people changed the same post: what the other stored, and both joined as far as that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    pub theirs: Version,
    /// What differs between theirs and one's own.
    pub diff: Vec<FieldDiff>,
    /// Fields where both changed the same; one's own stands in the form.
    pub clashes: Vec<String>,
    pub editing: Editing,
}

/// A picture as pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub id: String,
    pub alt: String,
    /// Of the largest size.
    pub width: u32,
    pub height: u32,
}

impl Picture {
    /// Where its largest size is.
    pub fn src(&self) -> String {
        format!("/images/{}", self.id)
    }

    /// Its sizes, for the browser to choose.
    pub fn srcset(&self) -> String {
        let sizes: Vec<String> = widths(self.width).iter().map(|w| format!("/images/{}/{w} {w}w", self.id)).collect();
        sizes.join(", ")
    }
}

/// The widths in which a picture is kept: those that it reaches, and its own.
pub fn widths(width: u32) -> Vec<u32> {
    let [.., most] = IMAGE_WIDTHS;
    let mut widths: Vec<u32> = IMAGE_WIDTHS.into_iter().filter(|w| *w < width).collect();
    if width <= most {
        widths.push(width);
    }
    widths
}

/// One's pictures, and the room that is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gallery {
    pub pictures: super::page::Page<Stored>,
    pub used: i64,
    pub quota: i64,
}

/// A picture as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub picture: Picture,
    pub name: String,
    pub bytes: i64,
    pub created_at: DateTime<Utc>,
    /// Posts that show it.
    pub posts: i64,
}

/// A post in a list for visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub lang: Lang,
    pub author: String,
    pub tags: Vec<String>,
    pub published_at: DateTime<Utc>,
    pub views: i64,
    pub cover: Option<Picture>,
}

/// What a visitor asks the blog for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// `en`, `ru` or `all`; empty for the reader's own.
    pub lang: String,
    pub tag: String,
    pub search: String,
    /// Cursors: the page after, or before, that post.
    pub after: String,
    pub before: String,
}

/// A page of the blog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    pub cards: Vec<Card>,
    /// Cursor of the page with older posts.
    pub older: Option<String>,
    /// Cursor of the page with newer posts.
    pub newer: Option<String>,
    /// The most used tags, as written and how often.
    pub tags: Vec<(String, i64)>,
    /// The service's own address, for links that must be whole.
    pub site: String,
}

/// The post before or after one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    pub slug: String,
    pub title: String,
}

/// A post with all that its page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    pub card: Card,
    pub html: String,
    pub updated_at: DateTime<Utc>,
    pub older: Option<Neighbour>,
    pub newer: Option<Neighbour>,
    pub related: Vec<Card>,
    /// The service's own address, for links that must be whole.
    pub site: String,
}

/// What stands at a post's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    Here(Box<Article>),
    /// It has this slug now.
    Moved(String),
}

/// The figures of the home page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub mailings: i64,
    /// Running, and neither paused nor disabled.
    pub active: i64,
    /// Addresses over all owners, each once.
    pub clients: i64,
}

/// What the home page shows besides its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    pub figures: Figures,
    pub posts: Vec<Card>,
    /// The service's own address, for links that must be whole.
    pub site: String,
}

/// Whether a text is the id of a picture: 32 hexadecimal digits.
pub fn is_image_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_published_when_its_time_has_come() {
        let at = DateTime::UNIX_EPOCH;
        let second = chrono::TimeDelta::seconds(1);
        assert_eq!(PostState::at(None, at), PostState::Draft);
        assert_eq!(PostState::at(Some(at), at - second), PostState::Scheduled);
        assert_eq!(PostState::at(Some(at), at), PostState::Published);
        assert_eq!(PostState::at(Some(at), at + second), PostState::Published);
    }

    #[test]
    fn tags_are_split_and_stand_once() {
        assert_eq!(tags(" Почта, SMTP ,,почта, a b "), ["Почта", "SMTP", "a b"]);
        assert!(tags(" , ").is_empty());
    }

    #[test]
    fn pictures_are_never_made_larger() {
        assert_eq!(widths(5000), [480, 960, 1600]);
        assert_eq!(widths(1600), [480, 960, 1600]);
        assert_eq!(widths(1000), [480, 960, 1000]);
        assert_eq!(widths(480), [480]);
        assert_eq!(widths(10), [10]);
    }
}
