//! Colours of letters, and whether one can be read on another.

use serde::{Deserialize, Serialize};

/// An opaque sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour([u8; 3]);

impl Colour {
    pub const BLACK: Self = Self([0; 3]);
    pub const WHITE: Self = Self([255; 3]);

    /// From `0xRRGGBB`.
    pub const fn from_rgb(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self([red, green, blue])
    }

    /// Reads `#RRGGBB`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if plain { u32::from_str_radix(digits, 16).ok().map(Self::from_rgb) } else { None }
    }

    /// Relative luminance (WCAG 2.2), 0 to 1.
    pub fn luminance(self) -> f64 {
        let part = |byte: u8| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(part);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio (WCAG 2.2), 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour with a share (0 to 1) of another.
    #[must_use]
    pub fn mix(self, other: Self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        let mut bytes = self.0;
        for (byte, other) in bytes.iter_mut().zip(other.0) {
            let mixed = (f64::from(*byte) * (1.0 - share) + f64::from(other) * share).round();
            // Between two bytes, so it is one.
            *byte = mixed as u8;
        }
        Self(bytes)
    }

    /// Black or white, whichever is better read on it: one of them always reaches 4.5.
    pub fn on(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The nearest colour to this one towards white (on a dark ground) or black that reaches the contrast.
    #[must_use]
    pub fn readable_on(self, ground: Self, contrast: f64) -> Self {
        let end = ground.on();
        let steps = (0..=20).map(|step| self.mix(end, f64::from(step) / 20.0));
        steps.into_iter().find(|colour| colour.contrast(ground) >= contrast).unwrap_or(end)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no colour")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!(Colour::parse(" #A43e1b ").map(|colour| colour.to_string()).as_deref(), Some("#a43e1b"));
        for bad in ["", "#fff", "a43e1b", "#a43e1g", "#+43e1b", "#яяя", "red"] {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn contrast_is_as_wcag_counts_it() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        // A grey that is known to pass just so.
        assert!((Colour::from_rgb(0x76_7676).contrast(Colour::WHITE) - 4.54).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn something_is_always_readable(a in 0u32..0x100_0000, b in 0u32..0x100_0000) {
            let (a, b) = (Colour::from_rgb(a), Colour::from_rgb(b));
            prop_assert!(a.on().contrast(a) >= 4.5);
            prop_assert!(a.readable_on(b, 4.5).contrast(b) >= 4.5);
        }
    }
}
