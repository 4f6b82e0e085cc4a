//! From the bytes of a CSV file to clients and faulty lines.

use super::read::{FILE_MAX, Limited, Position, TooMuch};
use crate::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use crate::domain::email::EmailAddress;
use crate::domain::import::{LineProblem, Mapping};
use crate::server::db::clients::NewClient;
use csv::ByteRecord;
use std::io::{Chain, Cursor, Read};

/// Lines that are stored in one transaction.
pub const BATCH: usize = 500;
/// Lines that a preview shows.
const SHOWN: usize = 20;
/// Lines that a preview checks.
const CHECKED: usize = 1000;
/// Bytes that are looked at before the first line is read.
const PEEK: u64 = 8192;
/// Longest piece of a faulty cell that is repeated to the reader, in characters.
const VALUE_MAX: usize = 100;

const EMAIL: &[&str] =
    &["email", "e-mail", "mail", "email address", "почта", "эл. почта", "электронная почта", "имейл", "адрес"];
const FULL_NAME: &[&str] =
    &["full_name", "full name", "fullname", "name", "имя", "фио", "ф.и.о.", "полное имя", "фамилия имя", "клиент"];
const COMMENT: &[&str] =
    &["comment", "comments", "note", "notes", "комментарий", "комментарии", "примечание", "заметка"];

/// Why a file cannot be read on. `line` is 0 where it is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A locale key.
    pub key: &'static str,
    /// From 1, the header included.
    pub line: i64,
}

impl Fault {
    pub fn whole(key: &'static str) -> Self {
        Self { key, line: 0 }
    }

    /// The line at fault, as a list of problems.
    pub fn problems(&self) -> Vec<LineProblem> {
        if self.line == 0 {
            return Vec::new();
        }
        vec![LineProblem { line: self.line, key: self.key.to_owned(), value: String::new() }]
    }
}

impl From<csv::Error> for Fault {
    fn from(error: csv::Error) -> Self {
        let line = error.position().map_or(0, |at| i64::try_from(at.line()).unwrap_or(i64::MAX));
        let inner = match error.kind() {
            csv::ErrorKind::Io(error) => error.get_ref().and_then(|error| error.downcast_ref::<TooMuch>()),
            _ => None,
        };
        Self { key: inner.map_or("error.import.unreadable", |too_much| too_much.0), line }
    }
}

/// Some lines, checked.
#[derive(Debug, Default)]
pub struct Batch {
    pub clients: Vec<NewClient>,
    pub problems: Vec<LineProblem>,
    /// Bytes of the file read so far.
    pub bytes: i64,
}

/// The beginning of a file.
#[derive(Debug, Default)]
pub struct Preview {
    pub header: Vec<String>,
    pub mapping: Mapping,
    pub lines: Vec<Vec<String>>,
    /// What is wrong in the first lines under the mapping.
    pub problems: Vec<LineProblem>,
}

type Csv<R> = csv::Reader<Chain<Cursor<Vec<u8>>, Limited<R>>>;

/// A CSV file whose header has been read.
struct Lines<R> {
    csv: Csv<R>,
    position: Position,
    header: Vec<String>,
}

impl<R: Read> Lines<R> {
    fn open(reader: R, max: u64) -> Result<Self, Fault> {
        let position = Position::default();
        let mut limited = Limited::new(reader, position.clone(), max);
        let mut start = Vec::new();
        let unreadable = |_| Fault::whole("error.import.unreadable");
        Read::by_ref(&mut limited).take(PEEK).read_to_end(&mut start).map_err(unreadable)?;
        if is_binary(&start) {
            return Err(Fault::whole("error.import.not_text"));
        }
        if start.starts_with(b"\xef\xbb\xbf") {
            start.drain(..3);
        }
        let delimiter = sniff(&start);
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(Cursor::new(start).chain(limited));
        let mut first = ByteRecord::new();
        if !csv.read_byte_record(&mut first)? {
            return Err(Fault::whole("error.import.empty"));
        }
        position.line_done();
        let header = cells(&first, 1)?;
        Ok(Self { csv, position, header })
    }

    /// The next line that is not empty, and its number.
    fn next(&mut self, record: &mut ByteRecord) -> Result<Option<i64>, Fault> {
        loop {
            if !self.csv.read_byte_record(record)? {
                return Ok(None);
            }
            self.position.line_done();
            if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let line = record.position().map_or(0, csv::Position::line);
                return Ok(Some(i64::try_from(line).unwrap_or(i64::MAX)));
            }
        }
    }
}

/// Pictures, archives and the like: they hold NUL bytes, which no text does, or begin as such files do.
fn is_binary(start: &[u8]) -> bool {
    let known: [&[u8]; 6] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"%PDF-", b"\x1f\x8b"];
    start.contains(&0) || known.iter().any(|magic| start.starts_with(magic))
}

/// The delimiter that the header has most of, outside quotes.
fn sniff(start: &[u8]) -> u8 {
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

fn cells(record: &ByteRecord, line: i64) -> Result<Vec<String>, Fault> {
    record.iter().map(|cell| text(cell, line).map(|text| text.trim().to_owned())).collect()
}

fn text(cell: &[u8], line: i64) -> Result<&str, Fault> {
    std::str::from_utf8(cell).map_err(|_| Fault { key: "error.import.not_utf8", line })
}

/// Finds the columns by their names in the header.
///
/// # Errors
/// If none is named like an email address.
pub fn guess(header: &[String]) -> Result<Mapping, Fault> {
    let find = |names: &[&str]| header.iter().position(|name| names.contains(&name.trim().to_lowercase().as_str()));
    let email = find(EMAIL).ok_or(Fault { key: "error.import.no_email", line: 1 })?;
    Ok(Mapping { email, full_name: find(FULL_NAME), comment: find(COMMENT) })
}

/// What one line holds: a client, or what is wrong with it.
fn client(record: &ByteRecord, mapping: Mapping, line: i64) -> Result<Result<NewClient, LineProblem>, Fault> {
    // The whole line must be text, so that a file in another encoding is not taken by halves.
    for cell in record {
        text(cell, line)?;
    }
    let cell = |column: Option<usize>| match column.and_then(|column| record.get(column)) {
        Some(cell) => text(cell, line).map(str::trim),
        None => Ok(""),
    };
    let (email, full_name, comment) = (cell(Some(mapping.email))?, cell(mapping.full_name)?, cell(mapping.comment)?);
    let problem = |key: &str, value: &str| {
        Ok(Err(LineProblem { line, key: key.to_owned(), value: value.chars().take(VALUE_MAX).collect() }))
    };
    let address = match EmailAddress::parse(email) {
        Ok(address) => address,
        Err(error) => return problem(error.key(), email),
    };
    if full_name.chars().count() > FULL_NAME_MAX {
        return problem("error.import.name_long", full_name);
    }
    if full_name.chars().any(char::is_control) {
        return problem("error.import.name_control", full_name);
    }
    if comment.chars().count() > COMMENT_MAX || comment.contains('\0') {
        return problem("error.import.comment", comment);
    }
    Ok(Ok(NewClient { email: address, full_name: full_name.to_owned(), comment: comment.to_owned() }))
}

fn usable(mapping: Option<Mapping>, header: &[String]) -> Result<Mapping, Fault> {
    match mapping {
        Some(mapping) if mapping.email < header.len() => Ok(mapping),
        Some(_) => Err(Fault { key: "error.import.no_email", line: 1 }),
        None => guess(header),
    }
}

/// Reads the beginning of a file.
///
/// # Errors
/// Why the file cannot be imported.
pub fn preview(reader: impl Read, mapping: Option<Mapping>) -> Result<Preview, Fault> {
    let mut lines = Lines::open(reader, FILE_MAX)?;
    let mut preview = Preview { mapping: usable(mapping, &lines.header)?, ..Preview::default() };
    let mut record = ByteRecord::new();
    for _ in 0..CHECKED {
        let Some(line) = lines.next(&mut record)? else { break };
        if let Err(problem) = client(&record, preview.mapping, line)? {
            preview.problems.push(problem);
        }
        if preview.lines.len() < SHOWN {
            preview.lines.push(cells(&record, line)?);
        }
    }
    preview.header = lines.header;
    Ok(preview)
}

/// Hands the file's lines over in batches until the end, or until `take` says false.
///
/// # Errors
/// Why the file cannot be read on; the lines before have been handed over.
pub fn each_batch(
    reader: impl Read,
    mapping: Option<Mapping>,
    mut take: impl FnMut(Batch) -> bool,
) -> Result<(), Fault> {
    each_batch_up_to(FILE_MAX, reader, mapping, &mut take)
}

fn each_batch_up_to(
    max: u64,
    reader: impl Read,
    mapping: Option<Mapping>,
    take: &mut impl FnMut(Batch) -> bool,
) -> Result<(), Fault> {
    let mut lines = Lines::open(reader, max)?;
    let mapping = usable(mapping, &lines.header)?;
    let mut record = ByteRecord::new();
    let mut batch = Batch::default();
    let end = loop {
        let read = lines.next(&mut record).and_then(|line| match line {
            Some(line) => client(&record, mapping, line).map(Some),
            None => Ok(None),
        });
        match read {
            Ok(Some(Ok(client))) => batch.clients.push(client),
            Ok(Some(Err(problem))) => batch.problems.push(problem),
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        if batch.clients.len() + batch.problems.len() >= BATCH {
            batch.bytes = lines.position.bytes();
            if !take(std::mem::take(&mut batch)) {
                return Ok(());
            }
        }
    };
    batch.bytes = lines.position.bytes();
    take(batch);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<String>, Vec<LineProblem>, Result<(), Fault>) {
        let (mut clients, mut problems) = (Vec::new(), Vec::new());
        let end = each_batch(bytes, None, |batch| {
            clients.extend(batch.clients.into_iter().map(|c| format!("{}|{}|{}", c.email, c.full_name, c.comment)));
            problems.extend(batch.problems);
            true
        });
        (clients, problems, end)
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
        let cp1251 = b"email,name\na@example.org,A\nb@example.org,\xc0\xed\xed\xe0\n";
        assert_eq!(fault(cp1251), Fault { key: "error.import.not_utf8", line: 3 });
        assert_eq!(all(cp1251).0.len(), 1, "the lines before are handed over");
    }

    #[test]
    fn neither_a_huge_line_nor_a_huge_file_is_taken() {
        let endless = b"email\n\"".chain(std::io::repeat(b'x'));
        let fault = each_batch(endless, None, |_| true).unwrap_err();
        assert_eq!(fault.key, "error.import.line_too_long");
        let long = format!("email\n{}", "a@example.org\n".repeat(100_000));
        let fault = each_batch_up_to(1_000_000, long.as_bytes(), None, &mut |_| true).unwrap_err();
        assert_eq!(fault.key, "error.import.too_large");
    }
}
