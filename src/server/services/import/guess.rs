//! What the columns of a file are, as far as it can be seen.

use crate::domain::email::EmailAddress;
use crate::domain::import::{Encoding, Layout};

const EMAIL: &[&str] =
    &["email", "e-mail", "mail", "email address", "почта", "эл. почта", "электронная почта", "имейл", "адрес"];
const FULL_NAME: &[&str] =
    &["full_name", "full name", "fullname", "name", "имя", "фио", "ф.и.о.", "полное имя", "фамилия имя", "клиент"];
const COMMENT: &[&str] =
    &["comment", "comments", "note", "notes", "комментарий", "комментарии", "примечание", "заметка"];

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
    EmailAddress::parse(cell).is_ok()
}

/// The layout of a file that begins with these lines: by the names in the first, or by where the addresses
/// stand. A first line that holds an address is data.
pub fn layout(first: &[String], more: &[Vec<String>], encoding: Encoding) -> Layout {
    let find = |names: &[&str]| first.iter().position(|name| names.contains(&name.trim().to_lowercase().as_str()));
    if let Some(at) = first.iter().position(|cell| is_address(cell)) {
        return Layout { email: Some(at), full_name: None, comment: None, header: false, encoding };
    }
    let addresses = |at: usize| more.iter().filter(|line| line.get(at).is_some_and(|cell| is_address(cell))).count();
    let fullest = (0..first.len()).rev().max_by_key(|at| addresses(*at)).filter(|at| addresses(*at) > 0);
    let email = find(EMAIL).or(fullest);
    let other = |names: &[&str]| find(names).filter(|at| Some(*at) != email);
    Layout { email, full_name: other(FULL_NAME), comment: other(COMMENT), header: true, encoding }
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
    }

    #[test]
    fn the_delimiter_is_what_the_first_line_has_most_of() {
        for (line, found) in [("a;b,c;d", b';'), ("a\tb", b'\t'), ("\"a;b;c\",d", b','), ("email", b',')] {
            assert_eq!(delimiter(line.as_bytes()), found, "{line}");
        }
    }
}
