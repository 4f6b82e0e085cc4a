//! Addresses made of titles.

/// Longest slug, in characters.
pub const SLUG_MAX: usize = 80;

/// Turns a title into a slug: lower-case Latin letters, digits and single hyphens. Cyrillic is written
/// as it sounds. A title with none of these gives an empty slug.
pub fn slugify(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if let Some(letters) = latin(c) {
            slug.push_str(letters);
        } else if !slug.is_empty() && !slug.ends_with('-') && !matches!(c, '\'' | '’' | '\u{301}') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_MAX);
    // A word that was cut goes, unless it is the only one.
    if slug.len() == SLUG_MAX
        && let Some((whole, _)) = slug.rsplit_once('-')
    {
        slug.truncate(whole.len());
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Whether a text is a slug as [`slugify`] writes them.
pub fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= SLUG_MAX
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// The Latin letters for a lower-case Cyrillic one, or for a Latin one with a mark.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' => "i",
        'й' | 'ы' => "y",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ў' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ю' => "yu",
        'я' => "ya",
        'є' => "ye",
        'ї' => "yi",
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
        'ù' | 'ú' | 'û' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_addresses() {
        for (title, slug) in [
            ("Monthly on the 31st: what should February do?", "monthly-on-the-31st-what-should-february-do"),
            ("Письмо, которое ждут: пять правил темы", "pismo-kotoroe-zhdut-pyat-pravil-temy"),
            ("  Объявление — щука & ёж  ", "obyavlenie-shchuka-ezh"),
            ("Don’t repeat yourself", "dont-repeat-yourself"),
            ("Über Straße", "uber-strasse"),
            ("邮件 ✉", ""),
        ] {
            assert_eq!(slugify(title), slug, "{title}");
            assert!(slug.is_empty() || is_slug(slug), "{slug}");
        }
    }

    #[test]
    fn long_titles_end_at_a_word() {
        let slug = slugify(&"слово ".repeat(40));
        assert!(slug.len() <= SLUG_MAX && slug.ends_with("slovo") && is_slug(&slug), "{slug}");
        assert_eq!(slugify(&"а".repeat(200)).len(), SLUG_MAX);
    }

    #[test]
    fn only_what_slugify_writes_is_a_slug() {
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "а", "a/b", "feed.xml"] {
            assert!(!is_slug(bad), "{bad}");
        }
        assert!(!is_slug(&"a".repeat(SLUG_MAX + 1)));
    }
}
