//! The page that a designed letter is: a sheet of 600 pixels in the middle, made of tables with widths, since Outlook lays out
//! nothing else. What the text is like is the business of [`super::theme`]; one small style sheet is for phones and the dark.

use super::blocks::TABLE;
use super::fill::{escape_html, without_marks};
use super::leave_link::Link;
use super::markdown::{self, COLUMNS_ON_PHONES, Sanitiser};
use super::theme::Theme;
use crate::domain::bidi::is_right_to_left;
use crate::domain::colour::Colour;
use crate::domain::design::{CONTRAST_MIN, Header, Look, network};

/// Width of the sheet, in pixels.
const WIDTH: u16 = 600;
/// What is read in the dark, and its grounds before they take something of the accent.
const DARK_TEXT: Colour = Colour::from_rgb(0xec_e9e4);
const DARK_PAPER: Colour = Colour::from_rgb(0x1e_1e21);
const DARK_GROUND: Colour = Colour::from_rgb(0x13_1315);

/// A design, made ready for the letters of a run.
#[derive(Clone, Debug)]
pub struct Layout {
    look: Look,
    pub theme: Theme,
    footer: Theme,
    /// The paragraphs of the footer but for the link to leave.
    parts: String,
    /// Where pictures are found, without a trailing slash.
    site: String,
}

/// What one letter puts into it.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The text.
    pub fragment: &'a str,
    /// The visible link to leave and the mark of its token, where the text has none.
    pub leave: Option<(&'a Link, char)>,
    /// An RFC 5646 tag.
    pub lang: &'a str,
    /// Escaped.
    pub title: &'a str,
    /// As [`preheader`] makes it.
    pub preheader: &'a str,
}

impl Layout {
    pub fn new(look: &Look, site: &str) -> Self {
        let (theme, footer) = (Theme::of(look), Theme::of_footer(look));
        let mut layout = Self { look: look.clone(), theme, footer, parts: String::new(), site: site.to_owned() };
        layout.parts = without_marks(&layout.written());
        layout
    }

    /// The whole letter.
    pub fn document(&self, sheet: &Sheet<'_>) -> String {
        let Look { background, paper, radius, .. } = &self.look;
        let Sheet { fragment, title, preheader, .. } = sheet;
        let (mut lang, theme) = (String::new(), &self.theme);
        escape_html(&mut lang, sheet.lang);
        let dir = if is_right_to_left(fragment) { "rtl" } else { "ltr" };
        let (above, inside) = self.header();
        // Under a band the sheet has its lower corners alone.
        let corners = match self.look.header {
            Header::Band if !above.is_empty() => format!("0 0 {radius}px {radius}px"),
            _ => format!("{radius}px"),
        };
        let footer = self.footer_html(sheet.leave);
        format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\" dir=\"{dir}\" xmlns:o=\"urn:schemas-microsoft-com:office:office\">\n<head>\n\
             <meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"supported-color-schemes\" content=\"light dark\">\n\
             <meta name=\"x-apple-disable-message-reformatting\">\n\
             <meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">\n\
             <title>{title}</title>\n\
             <!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->\n\
             <style>{style}</style>\n</head>\n\
             <body class=\"v-bg\" style=\"margin:0;padding:0;background-color:{background};-webkit-text-size-adjust:100%\">\n\
             {preheader}<table {TABLE} dir=\"{dir}\" width=\"100%\" class=\"v-bg\" bgcolor=\"{background}\" style=\"background-color:{background}\">\n\
             <tr><td class=\"v-out\" align=\"center\" style=\"padding:28px 12px\">\n\
             <!--[if mso]><table {TABLE} width=\"{WIDTH}\" align=\"center\"><tr><td><![endif]-->\n\
             <table {TABLE} align=\"center\" width=\"100%\" style=\"max-width:{WIDTH}px;margin:0 auto;border-collapse:separate\">\n\
             {above}<tr><td class=\"v-paper\" bgcolor=\"{paper}\" style=\"background-color:{paper};border-radius:{corners}\">\n\
             <table {TABLE} width=\"100%\">\n{inside}\
             <tr><td class=\"v-t v-pad\" style=\"padding:32px 32px 20px;overflow-wrap:break-word;word-break:break-word;{cell}\">\n\
             {fragment}</td></tr>\n</table>\n</td></tr>\n{footer}</table>\n\
             <!--[if mso]></td></tr></table><![endif]-->\n</td></tr>\n</table>\n</body>\n</html>\n",
            style = self.style_sheet(),
            cell = theme.cell,
        )
    }

    /// The row above the sheet, and the one on it.
    fn header(&self) -> (String, String) {
        let Look { accent, text, background, paper, font, radius, .. } = &self.look;
        let Some(sign) = self.sign() else { return Default::default() };
        let font = font.stack();
        let words = |colour: Colour, size: u8, align: &str| {
            format!(
                "font-family:{font};font-size:{size}px;line-height:1.3;font-weight:700;color:{colour};text-align:{align}"
            )
        };
        match self.look.header {
            Header::Centre => {
                let colour = if accent.contrast(*background) >= CONTRAST_MIN { *accent } else { *text };
                let style = words(colour, 24, "center");
                let row = format!(
                    "<tr><td class=\"v-head\" align=\"center\" style=\"padding:4px 24px 24px;{style}\">{sign}</td></tr>\n"
                );
                (row, String::new())
            }
            Header::Band => {
                let style = words(accent.on(), 22, "start");
                let row = format!(
                    "<tr><td class=\"v-pad\" bgcolor=\"{accent}\" style=\"background-color:{accent};border-radius:{radius}px {radius}px 0 0;\
                     padding:22px 32px;{style}\">{sign}</td></tr>\n"
                );
                (row, String::new())
            }
            Header::Line => {
                let colour = accent.readable_on(*paper, CONTRAST_MIN);
                let style = words(colour, 20, "start");
                let row = format!(
                    "<tr><td class=\"v-pad\" style=\"padding:28px 32px 0\"><table {TABLE} width=\"100%\"><tr>\
                     <td class=\"v-head\" style=\"padding:0 0 14px;border-bottom:2px solid {accent};{style}\">{sign}</td></tr></table></td></tr>\n"
                );
                (String::new(), row)
            }
        }
    }

    /// Logo and name; nothing where there is neither.
    fn sign(&self) -> Option<String> {
        let mut name = String::new();
        escape_html(&mut name, &without_marks(&self.look.header_text));
        match &self.look.logo {
            Some(logo) => {
                let (site, id, width) = (&self.site, &logo.id, logo.width);
                Some(format!(
                    "<img class=\"v-logo\" src=\"{site}/images/{id}\" alt=\"{name}\" width=\"{width}\" border=\"0\" \
                     style=\"width:{width}px;max-width:100%;height:auto;border:0\">"
                ))
            }
            None if name.is_empty() => None,
            None => Some(name),
        }
    }

    /// The row under the sheet.
    fn footer_html(&self, leave: Option<(&Link, char)>) -> String {
        let parts = self.footer_parts(leave);
        if parts.is_empty() {
            return String::new();
        }
        let cell = &self.footer.cell;
        format!(
            "<tr><td class=\"v-foot v-pad\" align=\"center\" style=\"padding:24px 32px 8px;text-align:center;overflow-wrap:break-word;\
             {cell}\">\n{parts}</td></tr>\n"
        )
    }

    /// What stands in the footer, as paragraphs: the plain text has it, too.
    pub fn footer_parts(&self, leave: Option<(&Link, char)>) -> String {
        let (paragraph, anchor) = (self.footer.style("p"), self.footer.style("a"));
        let link = leave.map(|(link, token)| link.paragraph(token, paragraph, anchor)).unwrap_or_default();
        format!("{}{link}", self.parts)
    }

    /// What the owner has written into the footer.
    fn written(&self) -> String {
        let Look { footer, address, social, .. } = &self.look;
        // What was too much has been refused when the design was saved.
        let mut parts = markdown::render_in(footer, &Sanitiser::new(&self.footer), &self.site).unwrap_or_default();
        let (paragraph, anchor) = (self.footer.style("p"), self.footer.style("a"));
        let links: Vec<String> = social
            .iter()
            .map(|address| {
                let (mut href, mut name) = (String::new(), String::new());
                escape_html(&mut href, address);
                escape_html(&mut name, &network(address));
                format!("<a href=\"{href}\" style=\"{anchor}\">{name}</a>")
            })
            .collect();
        if !links.is_empty() {
            parts.push_str(&format!("<p style=\"{paragraph}\">{}</p>\n", links.join(" &nbsp;·&nbsp; ")));
        }
        let lines: Vec<String> = address
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                let mut words = String::new();
                escape_html(&mut words, line);
                words
            })
            .collect();
        if !lines.is_empty() {
            parts.push_str(&format!("<p style=\"{paragraph}\">{}</p>\n", lines.join("<br>\n")));
        }
        parts
    }

    fn style_sheet(&self) -> String {
        let phones = format!(
            "@media (max-width:520px){{.v-out{{padding:12px 8px!important}}\
             .v-pad{{padding-left:20px!important;padding-right:20px!important}}h1{{font-size:26px!important}}}}{COLUMNS_ON_PHONES}"
        );
        if self.look.is_dark() {
            return format!(":root{{color-scheme:dark}}{phones}");
        }
        let accent = self.look.accent;
        let (paper, ground) = (DARK_PAPER.mix(accent, 0.05), DARK_GROUND.mix(accent, 0.05));
        let card = paper.mix(Colour::WHITE, 0.06);
        let line = paper.mix(DARK_TEXT, 0.25);
        let link = accent.readable_on(card, CONTRAST_MIN);
        let muted = DARK_TEXT.mix(ground, 0.25);
        // A logo is drawn for a light ground.
        format!(
            ":root{{color-scheme:light dark}}{phones}@media (prefers-color-scheme:dark){{\
             .v-bg{{background-color:{ground}!important}}.v-paper{{background-color:{paper}!important}}\
             .v-t,.v-t h1,.v-t h2,.v-t h3{{color:{DARK_TEXT}!important}}.v-t a,.v-head{{color:{link}!important}}\
             .v-t a.v-btn{{color:{}!important}}.v-foot,.v-foot a{{color:{muted}!important}}\
             .v-card{{background-color:{card}!important;border-color:{line}!important}}\
             .v-t td,.v-t th,.v-t hr,.v-t pre{{border-color:{line}!important}}\
             .v-logo{{background-color:#ffffff!important;color:{}!important;padding:8px!important;border-radius:8px!important}}}}",
            accent.on(),
            accent.readable_on(Colour::WHITE, CONTRAST_MIN)
        )
    }
}

/// What mail programs show beside the subject, hidden in the letter itself. `mark` stands for its words; what follows keeps
/// the beginning of the text from being shown behind them.
pub fn preheader(mark: char) -> String {
    const PADDING: &str = "&#847;&zwnj;&nbsp;";
    format!(
        "<div style=\"display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all\">\
         {mark}{}</div>\n",
        PADDING.repeat(80)
    )
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
