//! From the bytes of a CSV file to clients and faulty lines.

use super::encoding::{decoded, detect, is_binary};
use super::guess;
use super::read::{Limited, LineTooLong, Position};
use crate::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use crate::domain::email::{EmailAddress, mailbox};
use crate::domain::formula;
use crate::domain::import::{Encoding, Layout, LineProblem};
use crate::server::db::clients::NewClient;
use csv::ByteRecord;
use encoding_rs_io::DecodeReaderBytes;
use std::io::{Chain, Cursor, Read, Seek};

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

/// Most columns that can be chosen from.
const COLUMNS_MAX: usize = 100;
/// Lines that columns are guessed by.
const GUESSED_BY: usize = 20;

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
        let endless = match error.kind() {
            csv::ErrorKind::Io(error) => error.get_ref().is_some_and(|error| error.is::<LineTooLong>()),
            _ => false,
        };
        Self { key: if endless { "error.import.line_too_long" } else { "error.import.unreadable" }, line }
    }
}

impl From<std::io::Error> for Fault {
    fn from(_: std::io::Error) -> Self {
        Self::whole("error.import.unreadable")
    }
}

/// Some lines, checked.
#[derive(Debug, Default)]
pub struct Batch {
    /// With the numbers of their lines.
    pub clients: Vec<(i64, NewClient)>,
    pub problems: Vec<LineProblem>,
    /// Bytes of the file read so far.
    pub bytes: i64,
}

/// A line at the beginning of a file.
#[derive(Debug)]
pub struct Checked {
    /// Only of the first few lines; shortened.
    pub cells: Vec<String>,
    /// What it holds; none while the column of the addresses is not known.
    pub held: Option<Result<NewClient, LineProblem>>,
}

/// The beginning of a file.
#[derive(Debug, Default)]
pub struct Preview {
    /// The cells of the first line.
    pub columns: Vec<String>,
    pub layout: Layout,
    pub lines: Vec<Checked>,
}

/// What was looked at already, the rest of the file, and the end of its last line.
type Csv<R> = csv::Reader<Chain<Chain<Cursor<Vec<u8>>, DecodeReaderBytes<Limited<R>, Vec<u8>>>, &'static [u8]>>;

/// A CSV file whose first line has been read.
struct Lines<R> {
    csv: Csv<R>,
    position: Position,
    first: Vec<String>,
    /// The first line again, if it is data.
    pending: Option<ByteRecord>,
    /// Lines before the first one.
    skipped: i64,
    /// Lines end with CR and LF.
    crlf: bool,
}

/// The delimiter that Excel names in a line of its own (`sep=;`), and the bytes of that line.
fn named_delimiter(start: &[u8]) -> Option<(u8, usize)> {
    let line = start.split_inclusive(|byte| *byte == b'\n').next()?;
    let text = line.trim_ascii_end();
    let (name, delimiter) = text.split_at_checked(4)?;
    let is_one = name.eq_ignore_ascii_case(b"sep=") && line.len() > text.len();
    match delimiter {
        [delimiter] if is_one => Some((*delimiter, line.len())),
        // A tab is white space at the end of the line.
        [] if is_one && line[4..].starts_with(b"\t") => Some((b'\t', line.len())),
        _ => None,
    }
}

impl<R: Read> Lines<R> {
    fn open(reader: R, encoding: Encoding) -> Result<Self, Fault> {
        let position = Position::default();
        let mut decoded = decoded(Limited::new(reader, position.clone()), encoding);
        let mut start = Vec::new();
        Read::by_ref(&mut decoded).take(PEEK).read_to_end(&mut start)?;
        if is_binary(&start) {
            return Err(Fault::whole("error.import.not_text"));
        }
        if start.starts_with(b"\xef\xbb\xbf") {
            start.drain(..3);
        }
        let named = named_delimiter(&start);
        if let Some((_, length)) = named {
            start.drain(..length);
        }
        let crlf = start.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r\n"));
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(named.map_or_else(|| guess::delimiter(&start), |(delimiter, _)| delimiter))
            .flexible(true)
            .has_headers(false)
            // Many files have no end of the last line; a second one is an empty line, which is none.
            .from_reader(Cursor::new(start).chain(decoded).chain(if crlf { b"\r\n".as_slice() } else { b"\n" }));
        let mut first = ByteRecord::new();
        if !csv.read_byte_record(&mut first)? {
            return Err(Fault::whole("error.import.empty"));
        }
        if first.len() > COLUMNS_MAX {
            return Err(Fault { key: "error.import.columns", line: 1 });
        }
        position.line_done();
        let skipped = i64::from(named.is_some());
        Ok(Self { csv, position, first: cells(&first), pending: Some(first), skipped, crlf })
    }

    /// The first line names the columns: it is no data.
    fn skip_header(&mut self) {
        self.pending = None;
    }

    /// The next line that is not empty, and its number.
    fn next(&mut self, record: &mut ByteRecord) -> Result<Option<i64>, Fault> {
        loop {
            let line = match self.pending.take() {
                Some(first) => {
                    *record = first;
                    1
                }
                None if !self.csv.read_byte_record(record)? => return Ok(None),
                None => {
                    self.position.line_done();
                    self.line_of(record)
                }
            };
            if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                return Ok(Some(line.saturating_add(self.skipped)));
            }
        }
    }
}

impl<R: Read> Lines<R> {
    /// Where the record that was just read begins, from 1. The reader's own place for it is where the one before ended: before
    /// empty lines, and before the LF of a CRLF.
    fn line_of(&self, record: &ByteRecord) -> i64 {
        let inside: usize = record.iter().map(|cell| cell.iter().filter(|byte| **byte == b'\n').count()).sum();
        let end = i64::try_from(self.csv.position().line()).unwrap_or(i64::MAX);
        end - i64::try_from(inside).unwrap_or(i64::MAX) - i64::from(!self.crlf)
    }
}

fn cells(record: &ByteRecord) -> Vec<String> {
    let shorten = |cell: &[u8]| String::from_utf8_lossy(cell).trim().chars().take(VALUE_MAX).collect();
    record.iter().take(COLUMNS_MAX).map(shorten).collect()
}

/// What one line holds: a client, or what is wrong with it. Columns that the line has not are empty.
fn client(record: &ByteRecord, layout: &Layout, email: usize, line: i64) -> Result<NewClient, LineProblem> {
    let problem = |key: &str, value: &str| {
        Err(LineProblem { line, key: key.to_owned(), value: value.chars().take(VALUE_MAX).collect() })
    };
    // The whole line must be text, so that none of another encoding is taken by halves; but where no other cell counts.
    let mut cells = record.iter().enumerate().filter(|(at, _)| !layout.is_addresses() || *at == email);
    if let Some((_, broken)) = cells.find(|(_, cell)| std::str::from_utf8(cell).is_err()) {
        return problem("error.import.not_utf8", &String::from_utf8_lossy(broken));
    }
    let cell = |column: Option<usize>| {
        let cell = column.and_then(|column| record.get(column)).unwrap_or_default();
        formula::plain(std::str::from_utf8(cell).unwrap_or_default().trim())
    };
    let (email, comment) = (cell(Some(email)), cell(layout.comment));
    let parts: Vec<&str> = layout.names().map(|column| cell(Some(column))).filter(|part| !part.is_empty()).collect();
    let (own_name, address) = mailbox(email);
    // A name beside the address is the client's where no column has one.
    let full_name = if parts.is_empty() { own_name } else { parts.join(" ") };
    let full_name = full_name.as_str();
    let address = match EmailAddress::parse(address) {
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
    Ok(NewClient { email: address, full_name: full_name.to_owned(), comment: comment.to_owned() })
}

/// Reads the beginning of a file under a layout, or finds one out.
///
/// # Errors
/// Why the file cannot be imported.
pub fn preview(mut reader: impl Read + Seek, layout: Option<Layout>) -> Result<Preview, Fault> {
    let layout = match layout {
        Some(layout) => layout,
        None => found_layout(&mut reader)?,
    };
    reader.rewind()?;
    let mut lines = Lines::open(reader, layout.encoding)?;
    if layout.header {
        lines.skip_header();
    }
    let mut preview = Preview { columns: std::mem::take(&mut lines.first), layout, lines: Vec::new() };
    let mut record = ByteRecord::new();
    while preview.lines.len() < CHECKED
        && let Some(line) = lines.next(&mut record)?
    {
        let held = layout.email.map(|email| client(&record, &layout, email, line));
        let cells = if preview.lines.len() < SHOWN { cells(&record) } else { Vec::new() };
        preview.lines.push(Checked { cells, held });
    }
    Ok(preview)
}

/// Finds out how a file is laid out, by all of it for its encoding and by its first lines for the rest.
///
/// # Errors
/// Why the file cannot be imported.
pub fn found_layout(reader: &mut (impl Read + Seek)) -> Result<Layout, Fault> {
    let mut start = Vec::new();
    Read::by_ref(reader).take(PEEK).read_to_end(&mut start)?;
    if is_binary(&start) {
        return Err(Fault::whole("error.import.not_text"));
    }
    reader.rewind()?;
    let encoding = detect(&mut *reader)?;
    reader.rewind()?;
    let mut lines = Lines::open(reader, encoding)?;
    lines.skip_header();
    let (mut more, mut record) = (Vec::new(), ByteRecord::new());
    // A fault further down is named when the line is read to be taken.
    while more.len() < GUESSED_BY && matches!(lines.next(&mut record), Ok(Some(_))) {
        more.push(cells(&record));
    }
    Ok(guess::layout(&lines.first, &more, encoding))
}

/// Hands the file's lines over in batches until the end, or until `take` says false. Returns the names of the columns that
/// nothing was taken from.
///
/// # Errors
/// Why the file cannot be read on; the lines before have been handed over.
pub fn each_batch(
    mut reader: impl Read + Seek,
    layout: Option<Layout>,
    mut take: impl FnMut(Batch) -> bool,
) -> Result<Vec<String>, Fault> {
    let layout = match layout {
        Some(layout) => layout,
        None => found_layout(&mut reader)?,
    };
    reader.rewind()?;
    let mut lines = Lines::open(reader, layout.encoding)?;
    let no_email = Fault { key: "error.import.no_email", line: 1 };
    let email = layout.email.filter(|email| *email < lines.first.len()).ok_or(no_email)?;
    if layout.header {
        lines.skip_header();
    }
    let unused = layout.unused(&lines.first);
    let mut record = ByteRecord::new();
    let mut batch = Batch::default();
    let end = loop {
        match lines.next(&mut record) {
            Ok(Some(line)) => match client(&record, &layout, email, line) {
                Ok(client) => batch.clients.push((line, client)),
                Err(problem) => batch.problems.push(problem),
            },
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        if batch.clients.len() + batch.problems.len() >= BATCH {
            batch.bytes = lines.position.bytes();
            if !take(std::mem::take(&mut batch)) {
                return Ok(unused);
            }
        }
    };
    batch.bytes = lines.position.bytes();
    take(batch);
    end.map(|()| unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<String>, Vec<LineProblem>, Result<(), Fault>) {
        let (mut clients, mut problems) = (Vec::new(), Vec::new());
        let end = each_batch(Cursor::new(bytes), None, |batch| {
            clients
                .extend(batch.clients.into_iter().map(|(_, c)| format!("{}|{}|{}", c.email, c.full_name, c.comment)));
            problems.extend(batch.problems);
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
        let file =
            "Фамилия;Имя;Отчество;Почта;Город\nЁлкина;Анна;Петровна;a@example.org;Москва\nКим;;;b@example.org;\n";
        let mut clients = Vec::new();
        let unused = each_batch(Cursor::new(file), None, |batch| {
            clients.extend(batch.clients.into_iter().map(|(_, client)| client.full_name));
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
}
