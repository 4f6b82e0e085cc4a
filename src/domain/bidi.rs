//! Signs that turn the direction of a text around (Unicode's Bidi_Control), with which one name can look like another:
//! a name or a reply shows them, instead of following them.

/// Whether a sign changes the direction of the text around it and shows nothing itself.
pub fn is_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text for a reader: with `\u{202e}` in the place of such a sign.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_shown_and_letters_stay() {
        assert_eq!(visible("a\u{202e}nna\u{2069}"), "a\\u{202e}nna\\u{2069}");
        for name in ["", "Анна Ким", "שלום", "علي", "👩\u{200d}🚀", "می\u{200c}خواهم"] {
            assert_eq!(visible(name), name);
        }
        // All of Unicode's Bidi_Control, and nothing beside it.
        let found: Vec<char> = ('\0'..=char::MAX).filter(|c| is_control(*c)).collect();
        assert_eq!(found.len(), 12);
    }
}
