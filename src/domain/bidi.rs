//! Which way texts are read, and signs that nobody sees: those that turn the direction of a text around (Unicode's
//! Bidi_Control), with which one name can look like another, and those without any width. A name or a reply shows them, instead
//! of following them.

/// Whether a sign changes the direction of the text around it and shows nothing itself.
pub fn is_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a sign shows nothing, and no script needs it: what is copied out of web pages and documents brings them along.
pub fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// A text without the white space and the hidden signs around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_hidden(c))
}

/// A text for a reader: with `\u{202e}` in the place of such a sign. Joiners are shown where they join nothing: scripts and
/// pictures that need them have no ASCII.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut before, mut chars) = (None, text.chars().peekable());
    while let Some(c) = chars.next() {
        let joins = |beside: Option<char>| beside.is_some_and(|c| !c.is_ascii());
        let idle = matches!(c, '\u{200c}' | '\u{200d}') && !(joins(before) && joins(chars.peek().copied()));
        if is_control(c) || is_hidden(c) || idle {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        before = Some(c);
    }
    shown
}

/// Which way a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    LeftToRight,
    RightToLeft,
    /// It has words of both.
    Both,
}

/// The direction of a text's words; one without any is read from left to right. Tags of HTML are no words.
pub fn direction(html: &str) -> Direction {
    match words(html) {
        (_, 0) => Direction::LeftToRight,
        (0, _) => Direction::RightToLeft,
        _ => Direction::Both,
    }
}

/// Whether most words of HTML are read from right to left.
pub fn is_right_to_left(html: &str) -> bool {
    let (left, right) = words(html);
    right > left
}

/// How many words begin with a letter that is read from the left, and from the right. Addresses count for nothing.
fn words(html: &str) -> (usize, usize) {
    let (mut left, mut right) = (0, 0);
    let texts = html.split('<').enumerate().map(|(at, piece)| match piece.split_once('>') {
        Some((_, text)) if at > 0 => text,
        _ if at > 0 => "",
        _ => piece,
    });
    for word in texts.flat_map(str::split_whitespace) {
        if word.starts_with('&') || word.contains("://") || word.contains('@') {
            continue;
        }
        match word.chars().find(|c| c.is_alphabetic()) {
            Some(c) if is_right(c) => right += 1,
            Some(_) => left += 1,
            None => {}
        }
    }
    (left, right)
}

/// Letters of the scripts that Unicode gives the classes R and AL (UAX 9), by their blocks.
fn is_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
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
        assert_eq!(visible("b@example.org\u{200b}"), "b@example.org\\u{200b}");
        assert_eq!(visible("An\u{ad}na\u{200d}"), "An\\u{ad}na\\u{200d}");
        assert_eq!(visible("\u{feff}a\u{200c}b"), "\\u{feff}a\\u{200c}b");
        // All of Unicode's Bidi_Control, and nothing beside it.
        let found: Vec<char> = ('\0'..=char::MAX).filter(|c| is_control(*c)).collect();
        assert_eq!(found.len(), 12);
    }

    #[test]
    fn most_words_say_the_direction() {
        for (html, all, most) in [
            ("<p title=\"שלום\">Hello</p>", Direction::LeftToRight, false),
            ("<p style=\"color:red\">שלום <b>עולם</b> &amp; 7</p>", Direction::RightToLeft, true),
            ("<p>مرحبا بكم <a href=\"https://x\">https://shop.example/a</a></p>", Direction::RightToLeft, true),
            ("<p>مرحبا بكم at Bakery</p>", Direction::Both, false),
            ("<p>سلام بر شما, Anna</p>", Direction::Both, true),
            ("", Direction::LeftToRight, false),
            ("7 + 8 = 15", Direction::LeftToRight, false),
        ] {
            assert_eq!((direction(html), is_right_to_left(html)), (all, most), "{html}");
        }
    }
}
