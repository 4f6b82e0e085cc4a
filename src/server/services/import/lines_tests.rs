use super::super::records::{APART_MAX, COLUMNS_MAX};
use super::*;
use crate::domain::import::Encoding;
use std::io::Cursor;

fn all(bytes: &[u8]) -> (Vec<String>, Vec<LineProblem>, Result<(), Fault>) {
    let (mut clients, mut problems) = (Vec::new(), Vec::new());
    let end = each_batch(Cursor::new(bytes), None, |batch| {
        clients.extend(
            batch.clients.into_iter().map(|Line { made: c, .. }| format!("{}|{}|{}", c.email, c.full_name, c.comment)),
        );
        problems.extend(batch.problems.into_iter().map(|line| line.made));
        true
    });
    (clients, problems, end.map(drop))
}

#[test]
fn takes_any_delimiter_order_and_a_byte_order_mark() {
    for file in [
        "\u{feff}ФИО;Почта;Комментарий\r\n\"Ёлкина; \"\"Анна\"\"\";anna@example.org;друг\r\n",
        "Name,E-Mail,comment\n\"Ёлкина; \"\"Анна\"\"\",anna@example.org,друг",
        "email\tfull name\tкомментарий\n\nanna@example.org\t\"Ёлкина; \"\"Анна\"\"\"\tдруг\n",
    ] {
        let (clients, problems, end) = all(file.as_bytes());
        assert_eq!(clients, ["anna@example.org|Ёлкина; \"Анна\"|друг"], "{file}");
        assert!(problems.is_empty() && end.is_ok(), "{file}");
    }
}

#[test]
fn a_faulty_line_is_named_and_the_rest_goes_in() {
    let (clients, problems, end) = all(b"email,name\nok@example.org,A\nnobody,B\n,C\nalso@example.org\n");
    assert_eq!(clients, ["ok@example.org|A|", "also@example.org||"]);
    let problems: Vec<_> = problems.iter().map(|p| (p.line, p.key.as_str(), p.value.as_str())).collect();
    assert_eq!(problems, [(3, "error.email.at", "nobody"), (4, "error.email.empty", "")]);
    assert!(end.is_ok());
}

#[test]
fn says_why_a_file_cannot_be_read() {
    let fault = |bytes: &[u8]| all(bytes).2.unwrap_err();
    assert_eq!(fault(b""), Fault::whole("error.import.empty"));
    assert_eq!(fault(b"\x89PNG\r\n\x1a\n"), Fault::whole("error.import.not_text"));
    assert_eq!(fault(b"a\0b"), Fault::whole("error.import.not_text"));
    assert_eq!(fault(b"phone,name\n1,2\n"), Fault { key: "error.import.no_email", line: 1 });
    let wide = ",".repeat(COLUMNS_MAX);
    assert_eq!(fault(wide.as_bytes()), Fault { key: "error.import.columns", line: 1 });
}

#[test]
fn a_damaged_line_is_named_and_another_encoding_is_read() {
    let (clients, problems, end) = all("email,имя\na@example.org,Анна\nb@example.org,\u{1}\n".as_bytes());
    assert_eq!((clients.len(), problems[0].line, end.is_ok()), (1, 3, true));
    let mut damaged = "email,имя\na@example.org,Анна\nb@example.org,".as_bytes().to_vec();
    damaged.extend(b"\xff\nc@example.org,C\n");
    let (clients, problems, end) = all(&damaged);
    assert_eq!(clients, ["a@example.org|Анна|", "c@example.org|C|"]);
    assert_eq!((problems[0].line, problems[0].key.as_str(), end.is_ok()), (3, "error.import.not_utf8", true));
    let cp1251 = b"email,\xe8\xec\xff\nb@example.org,\xc0\xed\xed\xe0\n";
    assert_eq!(all(cp1251).0, ["b@example.org|Анна|"]);
}

#[test]
fn a_file_without_a_header_is_data_from_its_first_line() {
    let (clients, problems, _) = all("anna@example.org,Анна\nboris@example.org,Борис\n".as_bytes());
    assert_eq!(clients, ["anna@example.org||", "boris@example.org||"]);
    assert!(problems.is_empty());
    let seen = preview(Cursor::new("anna@example.org,Анна\n"), None).unwrap();
    assert_eq!((seen.lines.len(), seen.columns[1].as_str(), seen.layout.header), (1, "Анна", false));
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let file = format!(
                "email,comment{end}{end}bad,x{end}a@example.org,\"two{end}lines\"{end}worse,\"a{end}b\"{end}{end}worst,x{last}"
            );
            let lines: Vec<i64> = all(file.as_bytes()).1.iter().map(|problem| problem.line).collect();
            assert_eq!(lines, [3, 6, 9], "{file:?}");
        }
    }
}

#[test]
fn excels_first_line_names_the_delimiter() {
    for file in [
        "sep=;\r\nemail;name\r\nanna@example.org;\"A, B\"\r\nnobody;x\r\n",
        "\u{feff}SEP=;\nemail;name\nanna@example.org;A, B\nnobody;x\n",
        "sep=\t\nemail\tname\nanna@example.org\tA, B\nnobody\tx\n",
        "sep=|\nemail|name\nanna@example.org|A, B\nnobody|x\n",
    ] {
        let (clients, problems, end) = all(file.as_bytes());
        assert_eq!(clients, ["anna@example.org|A, B|"], "{file}");
        assert_eq!((problems.len(), problems[0].line, end.is_ok()), (1, 4, true), "{file}");
    }
    let column = all(b"sep=,email\nx,anna@example.org\n").0;
    assert_eq!(column, ["anna@example.org||"], "a column with such a name is one");
}

#[test]
fn addresses_come_as_other_programs_write_them() {
    let file = "email,name\n\"\"\"John Smith\"\" <j@example.org>\",\n<b@example.org>,B\nMAILTO:c@example.org?subject=x,\n\
        d@example.org\u{200b},\n\"Other <e@example.org>\",E\nf\u{200b}@example.org,\n";
    let (clients, problems, _) = all(file.as_bytes());
    let expected =
        ["j@example.org|John Smith|", "b@example.org|B|", "c@example.org||", "d@example.org||", "e@example.org|E|"];
    assert_eq!(clients, expected);
    assert_eq!((problems[0].line, problems[0].key.as_str()), (7, "error.email.local"));
}

#[test]
fn a_name_is_joined_of_its_columns() {
    let file = "Фамилия;Имя;Отчество;Почта;Город\nЁлкина;Анна;Петровна;a@example.org;Москва\nКим;;;b@example.org;\n";
    let mut clients = Vec::new();
    let unused = each_batch(Cursor::new(file), None, |batch| {
        clients.extend(batch.clients.into_iter().map(|line| line.made.full_name));
        true
    });
    assert_eq!(clients, ["Анна Петровна Ёлкина", "Ким"]);
    assert_eq!(unused, Ok(vec!["Город".to_owned()]));
}

#[test]
fn an_endless_line_is_not_taken() {
    let mut endless = b"email\n\"".to_vec();
    endless.resize(3 * 1024 * 1024, b'x');
    assert_eq!(all(&endless).2.unwrap_err().key, "error.import.line_too_long");
}

#[test]
fn a_quote_that_is_never_closed_takes_nobody_along_unnamed() {
    for (file, clients, lines) in [
        (
            "email,name\nok@example.org,A\na@example.org,\"Anna\nb@example.org,Boris\nc@example.org,Vera\n",
            vec!["ok@example.org|A|"],
            vec![(3, "a@example.org, Anna"), (4, "b@example.org, Boris"), (5, "c@example.org, Vera")],
        ),
        (
            "email;name;comment\r\na@example.org;A;\"told\r\nb@example.org;B;\"x\" y\"\r\nd@example.org;D;\r\n",
            vec!["d@example.org|D|"],
            vec![(2, "a@example.org, A, told"), (3, "b@example.org, B, x y\"")],
        ),
        ("email\n\"a@example.org\nb@example.org\n\n", vec![], vec![(2, "a@example.org"), (3, "b@example.org")]),
        // Closed by the next one that is meant to open: the lines are still three people.
        (
            "sep=,\nemail,name\na@example.org,\"Anna\nb@example.org,Boris\"\nc@example.org,\"Kim, Vera\"\n",
            vec!["c@example.org|Kim, Vera|"],
            vec![(3, "a@example.org, Anna"), (4, "b@example.org, Boris\"")],
        ),
        (
            "email,name\r\na@example.org,\"Anna\r\nb@example.org,\"Kim, Boris\"\r\nc@example.org,\"",
            vec![],
            vec![(2, "a@example.org, Anna"), (3, "b@example.org, Kim, Boris"), (4, "c@example.org, ")],
        ),
    ] {
        let (taken, problems, end) = all(file.as_bytes());
        assert_eq!(taken, clients, "{file:?}");
        let named: Vec<_> = problems.iter().map(|problem| (problem.line, problem.value.as_str())).collect();
        assert_eq!((named, end.is_ok()), (lines, true), "{file:?}");
        assert!(problems.iter().all(|problem| problem.key == "error.import.open_quote"));
    }
    let (taken, problems, _) = all(b"email,comment\na@example.org,\"two\nb@example.org,\"\n");
    assert_eq!(
        (taken, problems.len()),
        (vec!["a@example.org||two\nb@example.org,".to_owned()], 0),
        "closed, it is text"
    );
}

#[test]
fn lines_that_end_differently_hide_nobody() {
    let file = "email,name\r\nok@example.org,A\n\r\na@example.org,\"Anna\nb@example.org,Boris\r\n\nc@example.org,Vera\"\r\nd@example.org,D\nnobody,E\r\n";
    let (clients, problems, _) = all(file.as_bytes());
    assert_eq!(clients, ["ok@example.org|A|", "d@example.org|D|"]);
    let named: Vec<_> = problems.iter().map(|problem| (problem.line, problem.value.as_str())).collect();
    let expected =
        [(4, "a@example.org, Anna"), (5, "b@example.org, Boris"), (7, "c@example.org, Vera\""), (9, "nobody")];
    assert_eq!(named, expected);
}

#[test]
fn a_quote_that_the_first_line_opens_is_said() {
    for file in ["email,\"name\na@example.org,A\nb@example.org,B\n", "\"a@example.org\nb@example.org\n"] {
        let fault = all(file.as_bytes()).2.unwrap_err();
        assert_eq!((fault.key, fault.line), ("error.import.first_quote", 1), "{file}");
    }
    // One that is closed is a name of two lines.
    assert_eq!(all(b"email,\"full\nname\"\na@example.org,A\n").0, ["a@example.org|A|"]);
}

#[test]
fn a_quote_that_swallows_very_many_lines_names_the_first_and_keeps_the_rest() {
    let lines: String = (0..50_000).map(|n| format!("p{n}@example.org,\n")).collect();
    let file = format!("email,name\na@example.org,\"Anna\n{lines}");
    let mut left = Vec::new();
    each_batch(Cursor::new(&file), None, |batch| {
        left.extend(batch.problems);
        true
    })
    .unwrap();
    assert_eq!(left.len(), APART_MAX);
    assert_eq!(left[1].made.value, "p0@example.org, ");
    // The last one holds all others, as they stand in the file.
    let rest = &left[APART_MAX - 1].record;
    assert!(lines.trim_end().ends_with(std::str::from_utf8(&rest[0]).unwrap().trim_end()) && rest.len() == 1);
    assert!(rest[0].starts_with(format!("p{}@", APART_MAX - 2).as_bytes()));
    assert!(preview(Cursor::new(&file), None).unwrap().lines.len() <= CHECKED + APART_MAX);
}

#[test]
fn a_faulty_line_shows_all_its_columns_and_what_it_would_make() {
    let (_, problems, _) = all("email,ФИО,город,comment\nnobody,Анна,Москва,друг\n".as_bytes());
    assert_eq!(problems[0].cells, ["nobody", "Анна", "Москва", "друг"]);
    assert_eq!(problems[0].fields, Some(Box::new(["nobody", "Анна", "друг"].map(str::to_owned))));
}

#[test]
fn what_a_line_would_make_is_no_longer_than_a_link_may_be() {
    let long = "x".repeat(LINKED_MAX + 1);
    for line in [format!("{long},,"), format!("nobody,{long},"), format!("nobody,,{long}")] {
        let (_, problems, _) = all(format!("email,name,comment\n{line}\n").as_bytes());
        assert_eq!((problems.len(), &problems[0].fields), (1, &None), "{line}");
    }
    let (_, problems, _) = all(b"email,name\na@example.org,\"Anna\nb@example.org,B\n");
    let made = |problem: &LineProblem| problem.fields.as_ref().map(|fields| fields.join("|"));
    let made: Vec<_> = problems.iter().map(made).collect();
    assert_eq!(made, [Some("a@example.org|Anna|".to_owned()), Some("b@example.org|B|".to_owned())]);
}

#[test]
fn a_preview_says_whether_it_has_seen_the_whole_file() {
    for (lines, more) in [(3, false), (CHECKED, false), (CHECKED + 1, true)] {
        let file = format!("email\n{}", "a@example.org\n".repeat(lines));
        let seen = preview(Cursor::new(file), None).unwrap();
        assert_eq!((seen.lines.len(), seen.more), (lines.min(CHECKED), more));
    }
}

#[test]
fn hidden_signs_around_a_cell_are_dropped() {
    let file = "email,name,comment\na@example.org\u{200b},\u{feff}Anna\u{200b} ,\u{2060}old\u{ad}\n";
    assert_eq!(all(file.as_bytes()).0, ["a@example.org|Anna|old"]);
}

#[test]
fn a_mark_of_utf_8_is_no_text_in_whatever_encoding() {
    for encoding in [Encoding::Windows1251, Encoding::Windows1252] {
        let mut file = b"\xef\xbb\xbfemail,name\n".to_vec();
        file.extend(b"a@example.org,\xc0\n");
        let layout = Layout { email: Some(0), header: true, encoding, ..Layout::default() };
        assert_eq!(preview(Cursor::new(file), Some(layout)).unwrap().columns, ["email", "name"]);
    }
}
