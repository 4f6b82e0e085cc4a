//! Blocks of a message: buttons, pictures with a width, cards and columns. They are lines of their own in the Markdown:
//!
//! ```text
//! ::button[Order now](https://bakery.example/order)
//! ::picture[Bread](https://bakery.example/bread.jpg width=400 link=https://bakery.example)
//! :::card            :::columns
//! Text               left
//! :::                :::next
//!                    right
//!                    :::
//! ```
//!
//! Text between them is Markdown. Mail programs know tables and attributes best, so that is what blocks become; the plain
//! text is made of HTML without tables ([`Body::simple`]).

use super::bounded::{Limit, TooMuch};
use super::fill::escape_html;
use super::links::{self, Kind};
use super::markdown::{self, Sanitiser};
use super::syntax::{self, line_at};
use super::theme::Theme;
use crate::domain::bidi::is_right_to_left;
use crate::domain::message::TemplateProblem;
use std::borrow::Cow;

/// Blocks and texts between them, in one message.
const PIECES_MAX: usize = 400;
/// Columns beside one another.
const COLUMNS_MAX: usize = 4;
/// Widest picture, in pixels: what a sheet of 600 leaves inside.
pub const WIDTH_MAX: u16 = 536;
/// Bytes of all the HTML.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A message's text as HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    pub html: String,
    /// The same without layout, which the plain text is made of.
    pub simple: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Button { text: &'a str, address: &'a str },
    Picture { alt: &'a str, address: &'a str, width: Option<u16>, link: Option<&'a str> },
    Card(Vec<Placed<'a>>),
    Columns(Vec<Vec<Placed<'a>>>),
}

/// A piece, and where it begins in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Placed<'a> {
    at: usize,
    piece: Piece<'a>,
}

/// The definitions of a message's links by reference, which count for each text in it wherever they stand.
fn definitions(source: &str) -> String {
    let mut all = String::new();
    for (_, definition) in markdown::parser(source).reference_definitions().iter() {
        all.push_str("\n\n");
        all.push_str(&source[definition.span.clone()]);
    }
    all
}

/// A message in pieces, and the first thing in it that is no block although it looks like one.
#[derive(Default)]
struct Reader<'a> {
    done: Vec<Placed<'a>>,
    /// Of the container that is open: where it begins, and its columns; a card has one.
    open: Option<(usize, bool, Vec<Vec<Placed<'a>>>)>,
    problem: Option<(&'static str, String, usize)>,
    pieces: usize,
}

impl<'a> Reader<'a> {
    fn read(markdown: &'a str) -> Self {
        let mut reader = Self::default();
        // Where the present text begins.
        let mut text = 0;
        let mut fence: Option<(char, usize)> = None;
        let mut at = 0;
        for line in markdown.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let word = line.trim();
            // Four columns make it a text that shows a fence (CommonMark 4.4), or are inside one.
            let indented = line.starts_with("    ") || line.starts_with('\t');
            let ticks = if indented { None } else { fence_of(word) };
            fence = match (fence, ticks) {
                (None, Some((sign, count, info))) if sign == '~' || !info.contains('`') => Some((sign, count)),
                (Some((open, least)), Some((sign, count, ""))) if sign == open && count >= least => None,
                (fence, _) => fence,
            };
            if fence.is_some() || indented || !word.starts_with("::") {
                continue;
            }
            if reader.takes(word, start, &markdown[text..start], text) {
                text = at;
            }
        }
        reader.text(&markdown[text..], text);
        if let Some((at, _, _)) = &reader.open {
            let at = *at;
            reader.wrong("error.block.open", "", at);
        }
        reader.close();
        reader
    }

    /// Reads a line that begins like a block; false leaves it to the text.
    fn takes(&mut self, word: &'a str, at: usize, before: &'a str, text: usize) -> bool {
        if let Some(container) = word.strip_prefix(":::") {
            match container.trim() {
                "" if self.open.is_some() => {
                    self.text(before, text);
                    self.close();
                }
                "next" if matches!(self.open, Some((_, true, _))) => {
                    self.text(before, text);
                    let count = self.open.as_mut().map_or(0, |(_, _, columns)| {
                        columns.push(Vec::new());
                        columns.len()
                    });
                    if count > COLUMNS_MAX {
                        self.wrong("error.block.columns", &COLUMNS_MAX.to_string(), at);
                    }
                }
                "card" | "columns" if self.open.is_none() => {
                    self.text(before, text);
                    self.open = Some((at, container.trim() == "columns", vec![Vec::new()]));
                }
                "card" | "columns" => {
                    self.wrong("error.block.nested", word, at);
                    return false;
                }
                _ => {
                    self.wrong("error.block.unknown", word, at);
                    return false;
                }
            }
            return true;
        }
        let Some(piece) = leaf(word) else {
            let known = ["::button", "::picture"].iter().any(|begin| word.starts_with(begin));
            self.wrong(if known { "error.block.syntax" } else { "error.block.unknown" }, word, at);
            return false;
        };
        self.text(before, text);
        self.put(Placed { at, piece });
        true
    }

    /// The definitions that each text needs; where it is one text alone, it has them.
    fn definitions(&self, source: &str) -> Result<String, TooMuch> {
        if self.pieces < 2 {
            return Ok(String::new());
        }
        let all = definitions(source);
        // Each text is read with all of them.
        if all.len() * self.pieces > BYTES_MAX { Err(TooMuch { limit: Limit::Size, line: 1 }) } else { Ok(all) }
    }

    fn wrong(&mut self, key: &'static str, detail: &str, at: usize) {
        if self.problem.is_none() {
            self.problem = Some((key, links::shown(detail), at));
        }
    }

    fn text(&mut self, text: &'a str, at: usize) {
        if !text.trim().is_empty() {
            self.put(Placed { at, piece: Piece::Text(text) });
        }
    }

    fn put(&mut self, placed: Placed<'a>) {
        self.pieces += 1;
        match &mut self.open {
            Some((_, _, columns)) => {
                if let Some(last) = columns.last_mut() {
                    last.push(placed);
                }
            }
            None => self.done.push(placed),
        }
    }

    fn close(&mut self) {
        let Some((at, is_columns, mut columns)) = self.open.take() else { return };
        let piece = if is_columns { Piece::Columns(columns) } else { Piece::Card(columns.pop().unwrap_or_default()) };
        self.put(Placed { at, piece });
    }
}

/// The sign of a line that may begin or end a block of code (CommonMark 4.5), how often it stands there, and what follows.
fn fence_of(word: &str) -> Option<(char, usize, &str)> {
    let sign = word.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let info = word.trim_start_matches(sign);
    let count = word.len() - info.len();
    (count >= 3).then(|| (sign, count, info.trim()))
}

/// A block of one line.
fn leaf(word: &str) -> Option<Piece<'_>> {
    let (name, rest) = word.strip_prefix("::")?.split_once('[')?;
    let (words, rest) = rest.split_once("](")?;
    let inside = rest.strip_suffix(')')?.trim();
    match name {
        "button" if !words.trim().is_empty() => Some(Piece::Button { text: words.trim(), address: inside }),
        "picture" => {
            let mut parts = inside.split_whitespace();
            let address = parts.next().unwrap_or_default();
            let (mut width, mut link) = (None, None);
            for part in parts {
                match part.split_once('=')? {
                    ("width", pixels) => width = Some(pixels.parse().ok().filter(|pixels| *pixels > 0)?),
                    ("link", address) => link = Some(address),
                    _ => return None,
                }
            }
            Some(Piece::Picture { alt: words.trim(), address, width, link })
        }
        _ => None,
    }
}

/// What is wrong with the blocks and the Markdown of a message, if anything: the first of it, at its line.
///
/// # Errors
/// As [`markdown::render`].
pub fn problem(source: &str) -> Result<Option<TemplateProblem>, TooMuch> {
    let reader = Reader::read(source);
    let placed = |key: &str, detail: &str, at: usize| Some(syntax::problem(key, detail, line_at(source, at)));
    if let Some((key, detail, at)) = &reader.problem {
        return Ok(placed(key, detail, *at));
    }
    if reader.pieces > PIECES_MAX {
        return Ok(placed("error.block.many", &PIECES_MAX.to_string(), 0));
    }
    let definitions = reader.definitions(source)?;
    let mut queue: Vec<&Placed<'_>> = reader.done.iter().rev().collect();
    while let Some(Placed { at, piece }) = queue.pop() {
        let lost = |address: &str, kind: Kind| links::kept_or_stored(address, kind, "").is_none();
        match piece {
            Piece::Text(text) => {
                let offset = line_at(source, *at) - 1;
                let text = format!("{text}{definitions}");
                let lost = markdown::check(&text).map_err(|error| further(error, offset))?;
                if let Some(lost) = lost {
                    return Ok(Some(syntax::problem(lost.key(), &lost.address, lost.line + offset)));
                }
            }
            Piece::Button { address, .. } if lost(address, Kind::Link) => {
                return Ok(placed("error.link.lost", &links::shown(address), *at));
            }
            Piece::Picture { address, .. } if lost(address, Kind::Picture) => {
                return Ok(placed("error.picture.lost", &links::shown(address), *at));
            }
            Piece::Picture { link: Some(link), .. } if lost(link, Kind::Link) => {
                return Ok(placed("error.link.lost", &links::shown(link), *at));
            }
            Piece::Button { .. } | Piece::Picture { .. } => {}
            Piece::Card(inside) => queue.extend(inside.iter().rev()),
            Piece::Columns(columns) => queue.extend(columns.iter().rev().flat_map(|column| column.iter().rev())),
        }
    }
    Ok(None)
}

/// The lines of a message's pictures that nothing describes to those who do not see them.
pub fn undescribed(source: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    let reader = Reader::read(source);
    let mut queue: Vec<&Placed<'_>> = reader.done.iter().rev().collect();
    while let Some(Placed { at, piece }) = queue.pop() {
        match piece {
            Piece::Text(text) => {
                lines.extend(markdown::undescribed(text).into_iter().map(|place| line_at(source, at + place)))
            }
            Piece::Picture { alt: "", .. } => lines.push(line_at(source, *at)),
            Piece::Button { .. } | Piece::Picture { .. } => {}
            Piece::Card(inside) => queue.extend(inside.iter().rev()),
            Piece::Columns(columns) => queue.extend(columns.iter().rev().flat_map(|column| column.iter().rev())),
        }
    }
    lines
}

fn further(error: TooMuch, lines: u32) -> TooMuch {
    TooMuch { line: error.line + lines, ..error }
}

/// Renders a message's Markdown with its blocks. `site` is where stored pictures are found, without a trailing slash.
///
/// # Errors
/// If it would become more than the limits of [`super::bounded`] allow.
pub fn render(source: &str, theme: &Theme, site: &str) -> Result<Body, TooMuch> {
    let reader = Reader::read(source);
    if reader.pieces > PIECES_MAX {
        return Err(TooMuch { limit: Limit::Size, line: 1 });
    }
    let (definitions, sanitiser) = (reader.definitions(source)?, Sanitiser::new(theme));
    let rtl = is_right_to_left(source);
    let mut writer = Writer { source, theme, site, definitions, sanitiser, rtl, body: Body::default() };
    for placed in &reader.done {
        writer.piece(placed, WIDTH_MAX)?;
    }
    Ok(writer.body)
}

struct Writer<'a> {
    source: &'a str,
    theme: &'a Theme,
    site: &'a str,
    /// As [`definitions`] finds them.
    definitions: String,
    sanitiser: Sanitiser<'a>,
    rtl: bool,
    body: Body,
}

impl Writer<'_> {
    /// Writes a piece into a place of so many pixels.
    fn piece(&mut self, Placed { at, piece }: &Placed<'_>, room: u16) -> Result<(), TooMuch> {
        match piece {
            Piece::Text(text) => {
                let offset = line_at(self.source, *at) - 1;
                let text = format!("{text}{}", self.definitions);
                let html =
                    markdown::render_in(&text, &self.sanitiser, self.site).map_err(|error| further(error, offset))?;
                self.body.html.push_str(&html);
                self.body.simple.push_str(&html);
            }
            Piece::Button { text, address } => self.button(text, address),
            Piece::Picture { alt, address, width, link } => self.picture(alt, address, *width, *link, room),
            Piece::Card(inside) => {
                self.body.html.push_str(&self.card());
                for placed in inside {
                    self.piece(placed, room.saturating_sub(48))?;
                }
                self.body.html.push_str("</td></tr></table>\n");
            }
            Piece::Columns(columns) => {
                let count = u16::try_from(columns.len()).unwrap_or(1).max(1);
                let share = 100 / count;
                self.body.html.push_str(&format!("<table {TABLE} width=\"100%\" style=\"margin:0 0 16px\"><tr>"));
                for (index, column) in columns.iter().enumerate() {
                    let gap = match (index + 1 < columns.len(), self.rtl) {
                        (false, _) => "padding:0",
                        (true, false) => "padding:0 20px 0 0",
                        (true, true) => "padding:0 0 0 20px",
                    };
                    self.body.html.push_str(&format!(
                        "<td class=\"v-col v-t\" width=\"{share}%\" valign=\"top\" style=\"width:{share}%;vertical-align:top;{gap};{}\">",
                        self.theme.cell
                    ));
                    for placed in column {
                        self.piece(placed, (room / count).saturating_sub(20))?;
                    }
                    self.body.html.push_str("</td>");
                }
                self.body.html.push_str("</tr></table>\n");
            }
        }
        if self.body.html.len() > BYTES_MAX {
            return Err(TooMuch { limit: Limit::Size, line: line_at(self.source, *at) });
        }
        Ok(())
    }

    fn card(&self) -> String {
        let Theme { card, line, cell, radius, .. } = self.theme;
        let radius = (*radius).min(16);
        let ground =
            card.map_or_else(|| ("", String::new()), |card| ("v-card v-t", format!("background-color:{card};")));
        let bgcolor = card.map_or_else(String::new, |card| format!(" bgcolor=\"{card}\""));
        format!(
            "<table {TABLE} width=\"100%\" style=\"margin:0 0 20px;border-collapse:separate\"><tr><td class=\"{}\"{bgcolor} style=\"{}\
             border:1px solid {line};border-radius:{radius}px;padding:22px 24px 8px;{cell}\">",
            ground.0, ground.1
        )
    }

    fn button(&mut self, text: &str, address: &str) {
        let Some(address) = links::kept_or_stored(address, Kind::Link, self.site) else { return };
        let (accent, on) = (self.theme.accent, self.theme.accent.on());
        let radius = self.theme.radius.min(28);
        let (mut words, mut href) = (String::new(), String::new());
        escape_html(&mut words, text);
        escape_html(&mut href, &address);
        self.body.html.push_str(&format!(
            "<table {TABLE} style=\"margin:8px 0 24px;border-collapse:separate\"><tr><td class=\"v-btn\" align=\"center\" bgcolor=\"{accent}\" \
             style=\"background-color:{accent};border-radius:{radius}px;mso-padding-alt:14px 28px\">\
             <a class=\"v-btn\" href=\"{href}\" style=\"display:inline-block;padding:14px 28px;{};line-height:1.25;font-weight:700;\
             color:{on};text-decoration:none\">{words}</a></td></tr></table>\n",
            without_colour(&self.theme.cell)
        ));
        self.body.simple.push_str(&format!("<p><a href=\"{href}\">{words}</a></p>\n"));
    }

    fn picture(&mut self, alt: &str, address: &str, width: Option<u16>, link: Option<&str>, room: u16) {
        let Some(address) = links::kept_or_stored(address, Kind::Picture, self.site) else { return };
        let width = width.unwrap_or(room).min(room).max(1);
        let radius = self.theme.radius.min(12);
        let (mut src, mut words) = (String::new(), String::new());
        escape_html(&mut src, &address);
        escape_html(&mut words, alt);
        let img = format!(
            "<img src=\"{src}\" alt=\"{words}\" width=\"{width}\" border=\"0\" style=\"display:block;width:100%;max-width:{width}px;\
             height:auto;border:0;border-radius:{radius}px;margin:0 auto\">"
        );
        let (open, close) = match link.and_then(|link| links::kept_or_stored(link, Kind::Link, self.site)) {
            Some(link) => {
                let mut href = String::new();
                escape_html(&mut href, &link);
                (format!("<a href=\"{href}\" style=\"text-decoration:none\">"), "</a>")
            }
            None => (String::new(), ""),
        };
        self.body.html.push_str(&format!(
            "<table {TABLE} width=\"100%\" style=\"margin:0 0 20px\"><tr><td align=\"center\">{open}{img}{close}</td></tr></table>\n"
        ));
        self.body.simple.push_str(&format!("<p>{open}<img src=\"{src}\" alt=\"{words}\">{close}</p>\n"));
    }
}

/// Attributes of every table that is there for its layout.
pub const TABLE: &str = "role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\"";

/// The style of a cell but for its colour, which stands last.
fn without_colour(cell: &str) -> Cow<'_, str> {
    cell.split_once(";color:").map_or(Cow::Borrowed(cell), |(font, _)| Cow::Borrowed(font))
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
