//! What the columns of a file are, as far as it can be seen.

use crate::domain::email::{EmailAddress, mailbox};
use crate::domain::import::{Encoding, Layout};

// The words of spreadsheets, address books, shops and mailing services, in English, Russian, German, French and Spanish,
// as `plain` writes them.
const EMAIL: &[&str] = &[
    "email",
    "e mail",
    "mail",
    "email address",
    "e mail address",
    "e mail 1 value",
    "primary email",
    "email 1",
    "subscriber email",
    "contact email",
    "email адрес",
    "e mail адрес",
    "почта",
    "эл почта",
    "электронная почта",
    "электронный адрес",
    "адрес электронной почты",
    "имейл",
    "емейл",
    "мейл",
    "адрес",
    "e mail adresse",
    "email adresse",
    "mailadresse",
    "adresse e mail",
    "adresse email",
    "courriel",
    "correo",
    "correo electrónico",
];
const FULL_NAME: &[&str] = &[
    "full name",
    "fullname",
    "name",
    "display name",
    "contact name",
    "customer name",
    "recipient name",
    "subscriber name",
    "фио",
    "ф и о",
    "полное имя",
    "имя и фамилия",
    "фамилия имя",
    "фамилия имя отчество",
    "имя фамилия",
    "клиент",
    "получатель",
    "vollständiger name",
    "nom complet",
    "nombre completo",
];
/// The one of them that can also be a part of a name.
const BARE_NAME: &str = "name";
const FIRST_NAME: &[&str] = &[
    "first name",
    "firstname",
    "fname",
    "given name",
    "forename",
    "first",
    "имя",
    "vorname",
    "prénom",
    "prenom",
    "nombre",
];
const MIDDLE_NAME: &[&str] =
    &["middle name", "middlename", "additional name", "second name", "отчество", "zweiter vorname", "deuxième prénom"];
const LAST_NAME: &[&str] = &[
    "last name",
    "lastname",
    "lname",
    "family name",
    "surname",
    "last",
    "фамилия",
    "nachname",
    "familienname",
    "nom",
    "nom de famille",
    "apellido",
    "apellidos",
];
const COMMENT: &[&str] = &[
    "comment",
    "comments",
    "note",
    "notes",
    "remark",
    "remarks",
    "комментарий",
    "комментарии",
    "примечание",
    "примечания",
    "заметка",
    "заметки",
    "bemerkung",
    "kommentar",
    "notiz",
    "notizen",
    "commentaire",
    "remarque",
    "comentario",
    "nota",
];

/// A column's name without case, and with one space for whatever parts its words.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The delimiter that the first line has most of, outside quotes.
pub fn delimiter(start: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => counts.iter_mut().filter(|(known, _)| *known == byte).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    // The comma wins where none stands.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(delimiter, _)| *delimiter)
}

fn is_address(cell: &str) -> bool {
    EmailAddress::parse(mailbox(cell).1).is_ok()
}

/// The layout of a file that begins with these lines: by the names in the first, or by where the addresses
/// stand. A first line that holds an address is data.
pub fn layout(first: &[String], more: &[Vec<String>], encoding: Encoding) -> Layout {
    let named: Vec<String> = first.iter().map(|name| plain(name)).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| named.iter().position(|known| known == name));
    if let Some(at) = first.iter().position(|cell| is_address(cell)) {
        return Layout { email: Some(at), header: false, encoding, ..Layout::default() };
    }
    let addresses = |at: usize| more.iter().filter(|line| line.get(at).is_some_and(|cell| is_address(cell))).count();
    let fullest = (0..first.len()).rev().max_by_key(|at| addresses(*at)).filter(|at| addresses(*at) > 0);
    let email = find(EMAIL).or(fullest);
    let other = |names: &[&str]| find(names).filter(|at| Some(*at) != email);
    let layout = Layout { email, comment: other(COMMENT), header: true, encoding, ..Layout::default() };
    let (full, first_name, last_name) = (other(FULL_NAME), other(FIRST_NAME), other(LAST_NAME));
    // Beside a column of one part, a mere "name" may be the other part: it is where it does not hold the first.
    let part = full.filter(|at| named[*at] == BARE_NAME).filter(|at| match (first_name, last_name) {
        (Some(first), None) => holds(more, *at, first) == Some(false),
        (None, Some(last)) => holds(more, *at, last) != Some(true),
        _ => false,
    });
    let (full, first_name, last_name) = match part {
        Some(_) if first_name.is_none() => (None, part, last_name),
        Some(_) => (None, first_name, part),
        None => (full, first_name, last_name),
    };
    match (full, first_name, other(MIDDLE_NAME), last_name) {
        (Some(full), ..) => Layout { full_name: Some(full), ..layout },
        // A last name alone is all that there is of the name.
        (None, first, middle, last) => Layout {
            full_name: first.or(middle).or(last),
            middle_name: middle.filter(|_| first.is_some()),
            last_name: last.filter(|_| first.or(middle).is_some()),
            ..layout
        },
    }
}

/// Whether one column mostly holds what another one does; none where no line has both.
fn holds(lines: &[Vec<String>], whole: usize, part: usize) -> Option<bool> {
    let both = lines.iter().filter_map(|line| Some((line.get(whole)?.to_lowercase(), line.get(part)?.to_lowercase())));
    let both: Vec<bool> = both
        .filter(|(whole, part)| !whole.is_empty() && !part.is_empty())
        .map(|(whole, part)| whole.contains(&part))
        .collect();
    (!both.is_empty()).then(|| both.iter().filter(|holds| **holds).count() * 2 > both.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(lines: &[&str]) -> (Option<usize>, Option<usize>, bool) {
        let mut lines: Vec<Vec<String>> =
            lines.iter().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let first = lines.remove(0);
        let layout = layout(&first, &lines, Encoding::Utf8);
        (layout.email, layout.full_name, layout.header)
    }

    #[test]
    fn columns_are_known_by_name_else_by_what_stands_in_them() {
        assert_eq!(guessed(&["ФИО,Почта", "Анна,x"]), (Some(1), Some(0), true));
        assert_eq!(guessed(&["Клиент,Контакт", "Анна,anna@example.org"]), (Some(1), Some(0), true));
        assert_eq!(guessed(&["Анна,anna@example.org", "Борис,b@example.org"]), (Some(1), None, false));
        assert_eq!(guessed(&["phone,name", "1,2"]), (None, Some(1), true));
        assert_eq!(guessed(&["x,y", "1,Anna <anna@example.org>"]), (Some(1), None, true));
    }

    #[test]
    fn names_are_found_in_the_words_of_other_tools() {
        let names = |head: &str| {
            let first: Vec<String> = head.split(',').map(str::to_owned).collect();
            let layout = layout(&first, &[], Encoding::Utf8);
            let unused = layout.unused(&first).join("|");
            (layout.email, layout.names().collect::<Vec<_>>(), unused)
        };
        for (head, email, joined, unused) in [
            ("Email Address,First Name,Last Name", 0, vec![1, 2], ""),
            ("LAST_NAME,FIRST_NAME,E-mail,Phone", 2, vec![1, 0], "Phone"),
            ("Фамилия,Имя,Отчество,Эл. почта,Город", 3, vec![1, 2, 0], "Город"),
            ("Given Name,Additional Name,Family Name,E-mail 1 - Value", 3, vec![0, 1, 2], ""),
            ("Vorname;x,Nachname,E-Mail-Adresse", 2, vec![1], "Vorname;x"),
            ("Name,First Name,Email", 2, vec![0], "First Name"),
            ("Фамилия,почта", 1, vec![0], ""),
        ] {
            assert_eq!(names(head), (Some(email), joined, unused.to_owned()), "{head}");
        }
    }

    #[test]
    fn a_mere_name_is_the_part_that_is_missing_unless_it_is_the_whole() {
        let joined = |lines: &[&str]| {
            let lines: Vec<Vec<String>> =
                lines.iter().map(|line| line.split(',').map(str::to_owned).collect()).collect();
            layout(&lines[0], &lines[1..], Encoding::Utf8).names().collect::<Vec<_>>()
        };
        for (lines, names) in [
            (vec!["Name,Last Name,Email", "John,Smith,j@example.org"], vec![0, 1]),
            (vec!["Name,Last Name,Email", "John Smith,Smith,j@example.org"], vec![0]),
            (vec!["Name,Vorname,E-Mail", "Müller,Hans,h@example.org"], vec![1, 0]),
            (vec!["Name,First Name,Email", "Ann Lee,Ann,a@example.org", "Bo Kim,Bo,b@example.org"], vec![0]),
            (vec!["Name,First Name,Last Name,Email", "X,Ann,Lee,a@example.org"], vec![0]),
            (vec!["Full name,Last Name,Email", "John,Smith,j@example.org"], vec![0]),
            (vec!["Name,Surname,Email"], vec![0, 1]),
        ] {
            assert_eq!(joined(&lines), names, "{lines:?}");
        }
    }

    #[test]
    fn the_delimiter_is_what_the_first_line_has_most_of() {
        for (line, found) in [("a;b,c;d", b';'), ("a\tb", b'\t'), ("\"a;b;c\",d", b','), ("email", b',')] {
            assert_eq!(delimiter(line.as_bytes()), found, "{line}");
        }
    }
}
