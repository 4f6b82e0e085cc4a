//! The form of a design.

use super::{Check, from_garde, is_filled, is_line, is_text};
use crate::api::error::FieldErrors;
use crate::domain::colour::Colour;
use crate::domain::design::{
    ADDRESS_MAX, Design, FOOTER_MAX, Font, HEADER_MAX, Header, LOGO_WIDTHS, Logo, Look, NAME_MAX, RADIUS_MAX,
    SOCIAL_MAX,
};
use crate::domain::post::is_image_id;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// How wide a logo is shown unless somebody says otherwise, in pixels.
const LOGO_WIDTH: u16 = 140;

/// A design as it is written: new while `id` is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate)]
pub struct DesignForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    #[garde(custom(is_filled), custom(is_line(NAME_MAX)))]
    pub name: String,
    #[garde(custom(is_colour))]
    pub accent: String,
    #[garde(custom(is_colour))]
    pub text: String,
    #[garde(custom(is_colour))]
    pub paper: String,
    #[garde(custom(is_colour))]
    pub background: String,
    #[garde(custom(is_font))]
    pub font: String,
    /// Pixels.
    #[garde(custom(is_radius))]
    pub radius: String,
    #[garde(custom(is_header))]
    pub header: String,
    #[garde(custom(is_line(HEADER_MAX)), custom(is_literal))]
    #[serde(default)]
    pub header_text: String,
    /// The id of a stored picture, or empty.
    #[garde(custom(is_logo))]
    #[serde(default)]
    pub logo: String,
    /// Pixels; empty for the usual width.
    #[garde(custom(is_logo_width))]
    #[serde(default)]
    pub logo_width: String,
    /// Markdown.
    #[garde(custom(is_text(FOOTER_MAX)), custom(is_literal))]
    #[serde(default)]
    pub footer: String,
    #[garde(custom(is_text(ADDRESS_MAX)), custom(is_literal))]
    #[serde(default)]
    pub address: String,
    /// Web addresses, one in a line.
    #[garde(custom(is_text(2_000)), custom(is_literal), custom(are_addresses))]
    #[serde(default)]
    pub social: String,
    /// [`Design::version`] of what was stored when the form was opened.
    #[garde(skip)]
    #[serde(default)]
    pub version: String,
}

/// Rule for texts that go out as they are: no template is run in them, so what looks like one is refused.
fn is_literal<C>(value: &str, _: &C) -> garde::Result {
    let is_block = value.lines().any(|line| line.trim_start().starts_with("::"));
    match () {
        () if ["{{", "{%", "{#"].iter().any(|code| value.contains(code)) => Err(refuse("error.design.code")),
        () if is_block => Err(refuse("error.design.block")),
        () => Ok(()),
    }
}

fn refuse(key: &'static str) -> garde::Error {
    garde::Error::new(key)
}

fn is_colour<C>(value: &str, _: &C) -> garde::Result {
    Colour::parse(value).map(drop).ok_or_else(|| refuse("error.design.colour"))
}

fn is_font<C>(value: &str, _: &C) -> garde::Result {
    Font::parse(value).map(drop).ok_or_else(|| refuse("error.required"))
}

fn is_header<C>(value: &str, _: &C) -> garde::Result {
    Header::parse(value).map(drop).ok_or_else(|| refuse("error.required"))
}

fn radius(value: &str) -> Option<u16> {
    value.trim().parse().ok().filter(|radius| *radius <= RADIUS_MAX)
}

fn is_radius<C>(value: &str, _: &C) -> garde::Result {
    radius(value).map(drop).ok_or_else(|| refuse("error.design.radius"))
}

fn is_logo<C>(value: &str, _: &C) -> garde::Result {
    if value.is_empty() || is_image_id(value) { Ok(()) } else { Err(refuse("error.design.logo")) }
}

fn logo_width(value: &str) -> Option<u16> {
    match value.trim() {
        "" => Some(LOGO_WIDTH),
        pixels => pixels.parse().ok().filter(|width| LOGO_WIDTHS.contains(width)),
    }
}

fn is_logo_width<C>(value: &str, _: &C) -> garde::Result {
    logo_width(value).map(drop).ok_or_else(|| refuse("error.design.logo_width"))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn are_addresses<C>(value: &str, _: &C) -> garde::Result {
    let is_web = |line: &str| {
        let host = line.strip_prefix("https://").or_else(|| line.strip_prefix("http://")).unwrap_or_default();
        host.starts_with(char::is_alphanumeric) && host.contains('.') && !line.contains(char::is_whitespace)
    };
    if lines(value).count() > SOCIAL_MAX || !lines(value).all(is_web) {
        return Err(refuse("error.design.social"));
    }
    Ok(())
}

impl DesignForm {
    /// The form of a design as it is stored.
    pub fn of(design: &Design) -> Self {
        let Design { id, name, look, .. } = design;
        let width = look.logo.as_ref().map_or_else(String::new, |logo| logo.width.to_string());
        Self {
            id: *id,
            name: name.clone(),
            accent: look.accent.to_string(),
            text: look.text.to_string(),
            paper: look.paper.to_string(),
            background: look.background.to_string(),
            font: look.font.as_str().to_owned(),
            radius: look.radius.to_string(),
            header: look.header.as_str().to_owned(),
            header_text: look.header_text.clone(),
            logo: look.logo.as_ref().map(|logo| logo.id.clone()).unwrap_or_default(),
            logo_width: width,
            footer: look.footer.clone(),
            address: look.address.clone(),
            social: look.social.join("\n"),
            version: design.version(),
        }
    }

    /// How letters look that have it.
    ///
    /// # Errors
    /// What [`Check::check`] finds.
    pub fn look(&self) -> Result<Look, FieldErrors> {
        let errors = from_garde(self);
        if !errors.0.is_empty() {
            return Err(errors);
        }
        // Each has been checked.
        let colour = |text: &str| Colour::parse(text).unwrap_or(Colour::BLACK);
        let logo = Some(&self.logo).filter(|id| !id.is_empty());
        let look = Look {
            accent: colour(&self.accent),
            text: colour(&self.text),
            paper: colour(&self.paper),
            background: colour(&self.background),
            font: Font::parse(&self.font).unwrap_or_default(),
            radius: radius(&self.radius).unwrap_or_default(),
            header: Header::parse(&self.header).unwrap_or_default(),
            header_text: self.header_text.trim().to_owned(),
            logo: logo.map(|id| Logo { id: id.clone(), width: logo_width(&self.logo_width).unwrap_or(LOGO_WIDTH) }),
            footer: self.footer.trim().to_owned(),
            address: self.address.trim().to_owned(),
            social: lines(&self.social).map(str::to_owned).collect(),
        };
        match look.unreadable() {
            None => Ok(look),
            Some(field) => {
                let mut errors = FieldErrors::default();
                errors.push(field, &format!("error.design.contrast_{field}"));
                Err(errors)
            }
        }
    }
}

impl Check for DesignForm {
    fn check(&self) -> FieldErrors {
        self.look().err().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::design::BuiltIn;

    fn form() -> DesignForm {
        let look = BuiltIn::Bakery.look("Bakery").unwrap();
        DesignForm::of(&Design { id: 0, name: "Bakery".to_owned(), look, messages: 0 })
    }

    fn wrong(form: &DesignForm) -> Vec<(String, String)> {
        form.check().0.into_iter().map(|error| (error.field, error.key)).collect()
    }

    #[test]
    fn a_design_is_read_as_it_is_written() {
        let form = DesignForm {
            logo: "0".repeat(32),
            logo_width: "120".to_owned(),
            social: "https://t.me/bakery\n\n https://vk.com/bakery ".to_owned(),
            ..form()
        };
        let look = form.look().unwrap();
        assert_eq!(look.social, ["https://t.me/bakery", "https://vk.com/bakery"]);
        let again = DesignForm::of(&Design { id: 0, name: "Bakery".to_owned(), look: look.clone(), messages: 0 });
        assert_eq!(again.look(), Ok(look));
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let one = |field: &str, key: &str| vec![(field.to_owned(), key.to_owned())];
        let text = str::to_owned;
        assert_eq!(wrong(&form()), []);
        assert_eq!(wrong(&DesignForm { name: text(" "), ..form() }), one("name", "error.required"));
        assert_eq!(wrong(&DesignForm { accent: text("red"), ..form() }), one("accent", "error.design.colour"));
        assert_eq!(wrong(&DesignForm { radius: text("29"), ..form() }), one("radius", "error.design.radius"));
        assert_eq!(wrong(&DesignForm { logo: text("../x"), ..form() }), one("logo", "error.design.logo"));
        assert_eq!(
            wrong(&DesignForm { logo_width: text("9"), ..form() }),
            one("logo_width", "error.design.logo_width")
        );
        for social in ["t.me/x", "javascript:alert(1)", "https://", "https://a b.c", &"https://a.b\n".repeat(9)] {
            assert_eq!(wrong(&DesignForm { social: text(social), ..form() }), one("social", "error.design.social"));
        }
        for code in ["Dear {{ full_name }}", "{% if email %}", "{# no #}"] {
            assert_eq!(wrong(&DesignForm { footer: text(code), ..form() }), one("footer", "error.design.code"));
            assert_eq!(
                wrong(&DesignForm { header_text: text(code), ..form() }),
                one("header_text", "error.design.code")
            );
            assert_eq!(wrong(&DesignForm { address: text(code), ..form() }), one("address", "error.design.code"));
        }
        let block = "a\n::button[b](https://c.example)";
        assert_eq!(wrong(&DesignForm { footer: text(block), ..form() }), one("footer", "error.design.block"));
        for field in ["text", "accent", "background"] {
            let grey = text("#999999");
            let form = match field {
                "text" => DesignForm { text: grey, ..form() },
                "accent" => DesignForm { accent: grey, ..form() },
                _ => DesignForm { background: text("#5d4b3f"), ..form() },
            };
            assert_eq!(wrong(&form), one(field, &format!("error.design.contrast_{field}")));
        }
    }
}
