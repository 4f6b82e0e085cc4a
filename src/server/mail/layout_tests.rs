use super::super::blocks;
use super::*;
use crate::domain::design::{BuiltIn, Logo};
use crate::domain::message::CLIPPED_FROM;

const SITE: &str = "https://mail.example.org";

fn link() -> Link {
    Link { page: format!("{SITE}/u/"), words: "Unsubscribe".to_owned() }
}

fn letter(look: &Look, markdown: &str) -> String {
    let layout = Layout::new(look, SITE);
    let body = blocks::render(markdown, &layout.theme, SITE).unwrap();
    let (link, preheader) = (link(), preheader('\u{e001}'));
    layout.document(&Sheet {
        fragment: &body.html,
        leave: Some((&link, '\u{e000}')),
        lang: "en",
        title: "T",
        preheader: &preheader,
    })
}

fn look() -> Look {
    Look {
        footer: "Written *for you*\u{e000}".to_owned(),
        address: "Mill Lane 3\n\n12345 Town & Country".to_owned(),
        social: vec!["https://t.me/bakery".to_owned()],
        logo: Some(Logo { id: "0".repeat(32), width: 120 }),
        ..BuiltIn::Bakery.look("Emma's <Bakery>").unwrap()
    }
}

#[test]
fn a_letter_has_all_that_its_design_says() {
    let html = letter(&look(), "# Hello\n\n::button[Go](https://a.example)\n");
    for part in [
        "<html lang=\"en\" dir=\"ltr\"",
        "content=\"light dark\"",
        "max-width:600px",
        "width=\"600\"",
        "alt=\"Emma&#39;s &lt;Bakery&gt;\" width=\"120\"",
        "Written <em>for you</em></p>",
        "Mill Lane 3<br>\n12345 Town &amp; Country",
        ">Telegram</a>",
        ">Unsubscribe</a>",
        "#a43e1b",
    ] {
        assert!(html.contains(part), "{part}:\n{html}");
    }
    assert_eq!(html.matches('\u{e000}').count(), 1, "only the link's own token");
    assert_eq!(html.matches("<table").count(), html.matches("</table>").count());
}

/// Gmail shows the beginning of a longer letter alone, and Outlook lays out tables alone.
#[test]
fn each_design_is_small_and_laid_out_by_tables() {
    let body = "# Hello\n\nText with a [link](https://a.example).\n\n:::columns\na\n:::next\nb\n:::\n\n:::card\nc\n:::\n\n> quote\n";
    for design in BuiltIn::ALL {
        let Some(look) = design.look("Bakery") else { continue };
        let html = letter(&look, body);
        assert!(html.len() < CLIPPED_FROM / 4, "{}", html.len());
        for bad in ["flex", "grid", "<div style=\"width", "position:", "url(", "<svg"] {
            assert!(!html.contains(bad), "{design:?}: {bad}");
        }
        // Nothing is smaller than 14 pixels but what nobody sees.
        let sizes = html.split("font-size:").skip(1).filter_map(|rest| rest.split("px").next()?.parse::<f64>().ok());
        assert_eq!(sizes.filter(|size| *size < 14.0).count(), 1, "{design:?}: the preheader alone");
    }
}

#[test]
fn what_is_read_in_the_dark_has_contrast() {
    for design in BuiltIn::ALL {
        let Some(look) = design.look("Bakery").filter(|look| !look.is_dark()) else { continue };
        let (paper, ground) = (DARK_PAPER.mix(look.accent, 0.05), DARK_GROUND.mix(look.accent, 0.05));
        let card = paper.mix(Colour::WHITE, 0.06);
        let link = look.accent.readable_on(card, CONTRAST_MIN);
        for (colour, ground) in [
            (DARK_TEXT, paper),
            (DARK_TEXT, card),
            (link, paper),
            (link, card),
            (link, ground),
            (DARK_TEXT.mix(ground, 0.25), ground),
            (look.accent.on(), look.accent),
        ] {
            assert!(colour.contrast(ground) >= CONTRAST_MIN, "{design:?}: {colour} on {ground}");
        }
        assert!(Layout::new(&look, SITE).style_sheet().contains(&link.to_string()));
    }
}

/// Each of these would be the place of a client's value, or of the letter's own token.
#[test]
fn no_text_of_a_design_is_taken_for_the_place_of_a_value() {
    for footer in ["a \u{e000}", "[x](%EE%80%80)", "[x](https://a.example/%EE%80%80)", "a &#xE000; b", "[x](&#xE000;)"]
    {
        let design = Look {
            footer: footer.to_owned(),
            address: "\u{e000}".to_owned(),
            header_text: "\u{e000}%EE%80%80".to_owned(),
            social: vec!["https://t.me/%EE%80%80\u{e000}".to_owned()],
            ..look()
        };
        let html = letter(&design, "Hello");
        assert_eq!((html.matches('\u{e000}').count(), html.matches("%EE%80").count()), (1, 0), "{footer}: {html}");
    }
}

#[test]
fn an_arabic_letter_is_read_from_the_right() {
    let html = letter(&look(), "مرحبا بكم في متجرنا الجديد");
    assert!(html.contains("<html lang=\"en\" dir=\"rtl\"") && html.contains("dir=\"rtl\" width=\"100%\""), "{html}");
}
