//! How the elements of a letter look. Styles stand on the elements themselves, since mail programs drop style sheets.

use crate::domain::colour::Colour;
use crate::domain::design::{CONTRAST_MIN, Look};
use std::sync::LazyLock;

/// The colour of the plain letter's links, on a light ground.
pub const PLAIN_ACCENT: Colour = Colour::from_rgb(0x25_63eb);
/// Lines of the plain letter: seen on light and on dark.
const PLAIN_LINE: &str = "#9ca3af";
/// Round corners of the plain letter's buttons and cards, in pixels.
const PLAIN_RADIUS: u16 = 6;
const MONOSPACE: &str = "ui-monospace,Menlo,Consolas,monospace";

/// Styles of elements, and what blocks are made of.
#[derive(Clone, Debug)]
pub struct Theme {
    /// By the element's name.
    elements: Vec<(&'static str, String)>,
    pub accent: Colour,
    /// Behind a card, and its line; without one a card follows the reader's colours.
    pub card: Option<Colour>,
    pub line: String,
    /// Typeface and colour of the text, for cells of tables, which Outlook lets inherit nothing.
    pub cell: String,
    pub radius: u16,
}

static PLAIN: LazyLock<Theme> = LazyLock::new(|| {
    let styles = [
        ("a", format!("color:{PLAIN_ACCENT}")),
        ("blockquote", format!("margin:0 0 1em;padding:0 0 0 1em;border-left:3px solid {PLAIN_LINE}")),
        ("code", format!("font-family:{MONOSPACE};font-size:.9em")),
        ("h1", "font-size:1.6em;line-height:1.25;margin:0 0 .6em".to_owned()),
        ("h2", "font-size:1.3em;line-height:1.3;margin:1.2em 0 .5em".to_owned()),
        ("hr", format!("border:0;border-top:1px solid {PLAIN_LINE};margin:1.5em 0")),
        ("img", "max-width:100%;height:auto".to_owned()),
        ("p", "margin:0 0 1em".to_owned()),
        ("pre", format!("overflow-x:auto;padding:.75em;border:1px solid {PLAIN_LINE};border-radius:6px")),
        ("table", "border-collapse:collapse;margin:0 0 1em".to_owned()),
        ("td", format!("border:1px solid {PLAIN_LINE};padding:.3em .6em")),
        ("th", format!("border:1px solid {PLAIN_LINE};padding:.3em .6em")),
    ];
    Theme {
        elements: styles.into(),
        accent: PLAIN_ACCENT,
        card: None,
        line: PLAIN_LINE.to_owned(),
        cell: "font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif".to_owned(),
        radius: PLAIN_RADIUS,
    }
});

impl Theme {
    /// That of the letter without a design.
    pub fn plain() -> &'static Self {
        &PLAIN
    }

    /// That of a design's text.
    pub fn of(look: &Look) -> Self {
        let line = look.paper.mix(look.text, 0.2);
        let font = look.font.stack();
        let corners = look.radius.min(12);
        let styles = [
            ("a", format!("color:{};text-decoration:underline", look.accent)),
            ("blockquote", format!("margin:0 0 16px;padding:2px 0 2px 18px;border-left:3px solid {}", look.accent)),
            ("code", format!("font-family:{MONOSPACE};font-size:15px")),
            ("h1", "margin:0 0 16px;font-size:30px;line-height:1.2;font-weight:700".to_owned()),
            ("h2", "margin:28px 0 10px;font-size:22px;line-height:1.3;font-weight:700".to_owned()),
            ("h3", "margin:22px 0 8px;font-size:18px;line-height:1.35;font-weight:700".to_owned()),
            ("h4", "margin:20px 0 6px;font-size:16px;line-height:1.4;font-weight:700".to_owned()),
            ("hr", format!("border:0;border-top:1px solid {line};margin:28px 0")),
            ("img", format!("max-width:100%;height:auto;border:0;border-radius:{corners}px")),
            ("li", "margin:0 0 6px".to_owned()),
            ("ol", "margin:0 0 16px;padding:0 22px".to_owned()),
            ("p", "margin:0 0 16px".to_owned()),
            ("pre", format!("overflow-x:auto;padding:14px;border:1px solid {line};border-radius:{corners}px")),
            ("table", "border-collapse:collapse;margin:0 0 16px".to_owned()),
            ("td", format!("border-bottom:1px solid {line};padding:8px 12px")),
            ("th", format!("border-bottom:2px solid {line};padding:8px 12px")),
            ("ul", "margin:0 0 16px;padding:0 22px".to_owned()),
        ];
        // A tint that takes nothing from what is read on it.
        let tint = look.paper.mix(look.accent, 0.07);
        let is_read = [look.text, look.accent].iter().all(|colour| colour.contrast(tint) >= CONTRAST_MIN);
        Self {
            elements: styles.into(),
            accent: look.accent,
            card: Some(if is_read { tint } else { look.paper }),
            line: line.to_string(),
            cell: format!("font-family:{font};font-size:16px;line-height:1.6;color:{}", look.text),
            radius: look.radius,
        }
    }

    /// That of a design's footer, which stands on the background.
    pub fn of_footer(look: &Look) -> Self {
        let muted = muted(look);
        let font = look.font.stack();
        Self {
            elements: vec![
                ("a", format!("color:{muted};text-decoration:underline")),
                ("img", "max-width:100%;height:auto;border:0".to_owned()),
                ("p", "margin:0 0 10px".to_owned()),
            ],
            accent: muted,
            card: None,
            line: muted.to_string(),
            cell: format!("font-family:{font};font-size:14px;line-height:1.55;color:{muted}"),
            radius: look.radius,
        }
    }

    /// Elements and their styles.
    pub fn elements(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.elements.iter().map(|(name, style)| (*name, style.as_str()))
    }

    /// The style of one element; empty if it has none.
    pub fn style(&self, element: &str) -> &str {
        self.elements().find(|(name, _)| *name == element).map_or("", |(_, style)| style)
    }
}

/// Of the small print: quieter than the text, and still read.
fn muted(look: &Look) -> Colour {
    look.text.mix(look.background, 0.3).readable_on(look.background, CONTRAST_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::design::BuiltIn;

    #[test]
    fn nothing_is_smaller_than_14_pixels() {
        for look in BuiltIn::ALL.iter().filter_map(|design| design.look("Bakery")) {
            for theme in [Theme::of(&look), Theme::of_footer(&look)] {
                let cell = ("cell", theme.cell.as_str());
                for (name, style) in theme.elements().chain([cell]) {
                    let size = style.split("font-size:").nth(1).and_then(|rest| rest.split("px").next());
                    assert!(size.is_none_or(|size| size.parse::<f64>().unwrap() >= 14.0), "{name}: {style}");
                }
            }
        }
    }

    #[test]
    fn small_print_and_cards_can_be_read() {
        for look in BuiltIn::ALL.iter().filter_map(|design| design.look("Bakery")) {
            assert!(muted(&look).contrast(look.background) >= CONTRAST_MIN);
            let card = Theme::of(&look).card.unwrap();
            assert!(look.text.contrast(card) >= CONTRAST_MIN && look.accent.contrast(card) >= CONTRAST_MIN);
        }
    }
}
