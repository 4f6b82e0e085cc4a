//! From the bytes of a CSV file to clients and faulty lines.

use super::encoding::{detect, is_binary};
use super::guess;
use super::read::LineTooLong;
use super::records::{PEEK, Records, cells};
use crate::domain::bidi::trimmed;
use crate::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use crate::domain::email::{EmailAddress, mailbox};
use crate::domain::formula;
use crate::domain::import::{Layout, LineProblem};
use crate::server::db::clients::NewClient;
use csv::ByteRecord;
use std::io::{Read, Seek};

/// Lines that are read before they are stored.
pub const BATCH: usize = 500;
/// Lines that a preview shows.
const SHOWN: usize = 20;
/// Lines that a preview checks.
pub const CHECKED: usize = 1000;
/// Lines that are counted before somebody confirms them: about a second's worth.
const COUNTED: u64 = 1_000_000;
/// Cells of a faulty line that are shown.
const CELLS_SHOWN: usize = 20;
/// Longest text that a link to a form carries, in characters: browsers and proxies take addresses of some thousand bytes.
const LINKED_MAX: usize = 300;
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
        vec![LineProblem::new(self.line, self.key, "")]
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

/// What was made of a line, and the line.
#[derive(Debug)]
pub struct Line<T> {
    pub number: i64,
    pub made: T,
    pub record: ByteRecord,
}

impl Line<NewClient> {
    /// What is wrong with it after all.
    pub fn refused(self, key: &str) -> Line<LineProblem> {
        let NewClient { email, full_name, comment } = self.made;
        let made = LineProblem {
            cells: shown(&self.record),
            fields: fields([email.as_str(), &full_name, &comment]),
            ..LineProblem::new(self.number, key, email.as_str())
        };
        Line { number: self.number, made, record: self.record }
    }
}

/// Some lines, checked.
#[derive(Debug, Default)]
pub struct Batch {
    pub clients: Vec<Line<NewClient>>,
    pub problems: Vec<Line<LineProblem>>,
    /// The line that names the columns.
    pub head: ByteRecord,
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
    pub number: i64,
    pub record: ByteRecord,
}

/// The beginning of a file.
#[derive(Debug, Default)]
pub struct Preview {
    /// The cells of the first line.
    pub columns: Vec<String>,
    /// The line that names them.
    pub head: ByteRecord,
    pub layout: Layout,
    pub lines: Vec<Checked>,
    /// More lines follow.
    pub more: bool,
}

/// The same as [`cells`] for a line that is shown because it is faulty.
fn shown(record: &ByteRecord) -> Vec<String> {
    let mut cells = cells(record);
    cells.truncate(CELLS_SHOWN);
    cells
}

/// What a form for a new client begins with; none if a link could not carry it.
fn fields(texts: [&str; 3]) -> Option<Box<[String; 3]>> {
    let short = texts.iter().all(|text| text.chars().count() <= LINKED_MAX);
    short.then(|| Box::new(texts.map(str::to_owned)))
}

/// What one line holds: a client, or what is wrong with it. Columns that the line has not are empty.
fn client(record: &ByteRecord, layout: &Layout, email: usize, line: i64) -> Result<NewClient, LineProblem> {
    let problem =
        |key: &str, value: &str| Err(LineProblem { cells: shown(record), ..LineProblem::new(line, key, value) });
    // The whole line must be text, so that none of another encoding is taken by halves; but where no other cell counts.
    let mut cells = record.iter().enumerate().filter(|(at, _)| !layout.is_addresses() || *at == email);
    if let Some((_, broken)) = cells.find(|(_, cell)| std::str::from_utf8(cell).is_err()) {
        return problem("error.import.not_utf8", &String::from_utf8_lossy(broken));
    }
    let cell = |column: Option<usize>| {
        let cell = column.and_then(|column| record.get(column)).unwrap_or_default();
        formula::plain(trimmed(std::str::from_utf8(cell).unwrap_or_default()))
    };
    let (email, comment) = (cell(Some(email)), cell(layout.comment));
    let parts: Vec<&str> = layout.names().map(|column| cell(Some(column))).filter(|part| !part.is_empty()).collect();
    let (own_name, address) = mailbox(email);
    // A name beside the address is the client's where no column has one.
    let full_name = if parts.is_empty() { own_name } else { parts.join(" ") };
    let full_name = full_name.as_str();
    let problem = |key: &str, value: &str| {
        let fields = fields([address, full_name, comment]);
        problem(key, value).map_err(|problem: LineProblem| LineProblem { fields, ..problem })
    };
    let parsed = match EmailAddress::parse(address) {
        Ok(parsed) => parsed,
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
    Ok(NewClient { email: parsed, full_name: full_name.to_owned(), comment: comment.to_owned() })
}

/// What a record holds under a layout: mostly one line. A record of several lines that a quote holds together by mistake is each
/// of these lines, all of them at fault: where one ends, nobody can say.
fn held<R: Read>(
    records: &Records<R>,
    record: &ByteRecord,
    (layout, email): (&Layout, usize),
    number: i64,
) -> Vec<Line<Result<NewClient, LineProblem>>> {
    let span = records.span(number);
    let whole = match &span {
        Some(span) if span.broken => None,
        _ => Some(client(record, layout, email, number)),
    };
    if let Some(span) = &span
        && !matches!(whole, Some(Ok(_)))
    {
        let apart = records.apart(span, number);
        let others = apart.iter().skip(1).any(|(number, record)| client(record, layout, email, *number).is_ok());
        if span.broken || others {
            let problem = |(number, record): (i64, ByteRecord)| {
                let fields = match client(&record, layout, email, number) {
                    Ok(NewClient { email, full_name, comment }) => fields([email.as_str(), &full_name, &comment]),
                    Err(problem) => problem.fields,
                };
                let value = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(", ");
                let problem = LineProblem::new(number, "error.import.open_quote", &value);
                Line { number, made: Err(LineProblem { cells: shown(&record), fields, ..problem }), record }
            };
            return apart.into_iter().map(problem).collect();
        }
    }
    let made = whole.unwrap_or_else(|| client(record, layout, email, number));
    vec![Line { number, made, record: record.clone() }]
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
    let mut records = Records::open(reader, layout.encoding)?;
    if layout.header {
        records.skip_header();
    }
    let (columns, head) = (cells(&records.first), head(&records.first, &layout));
    let mut preview = Preview { columns, head, layout, ..Preview::default() };
    let mut record = ByteRecord::new();
    while let Some(number) = records.next(&mut record)? {
        if preview.lines.len() >= CHECKED {
            preview.more = true;
            break;
        }
        let found = match layout.email {
            Some(email) => held(&records, &record, (&layout, email), number),
            None => Vec::new(),
        };
        let lines = found.into_iter().map(|line| (line.number, line.record, Some(line.made)));
        let open = layout.email.is_none().then(|| (number, record.clone(), None));
        for (number, record, held) in lines.chain(open) {
            let cells = if preview.lines.len() < SHOWN { cells(&record) } else { Vec::new() };
            preview.lines.push(Checked { cells, held, number, record });
        }
    }
    Ok(preview)
}

/// How many lines of a file can be taken, of the first [`COUNTED`].
///
/// # Errors
/// Why the file cannot be read on.
pub fn takeable(reader: impl Read, layout: &Layout) -> Result<i64, Fault> {
    let Some(email) = layout.email else { return Ok(0) };
    let mut records = Records::open(reader, layout.encoding)?;
    if layout.header {
        records.skip_header();
    }
    let (mut record, mut lines, mut good) = (ByteRecord::new(), 0_u64, 0);
    while lines < COUNTED
        && let Some(number) = records.next(&mut record)?
    {
        lines += 1;
        good += held(&records, &record, (layout, email), number).iter().filter(|line| line.made.is_ok()).count();
    }
    Ok(i64::try_from(good).unwrap_or(i64::MAX))
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
    let mut records = Records::open(reader, encoding)?;
    records.skip_header();
    let (mut more, mut record) = (Vec::new(), ByteRecord::new());
    // A fault further down is named when the line is read to be taken.
    while more.len() < GUESSED_BY && matches!(records.next(&mut record), Ok(Some(_))) {
        more.push(cells(&record));
    }
    Ok(guess::layout(&cells(&records.first), &more, encoding))
}

/// The line that names the columns of a file with such lines: its own, or one by which the layout is found again.
fn head(first: &ByteRecord, layout: &Layout) -> ByteRecord {
    if layout.header {
        return first.clone();
    }
    let name = |at: usize| match Some(at) {
        column if column == layout.email => "email",
        column if column == layout.middle_name => "middle name",
        column if column == layout.last_name => "last name",
        column if column == layout.comment => "comment",
        column if column == layout.full_name && layout.names().count() > 1 => "first name",
        column if column == layout.full_name => "full name",
        _ => "",
    };
    (0..first.len()).map(name).collect()
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
    let mut records = Records::open(reader, layout.encoding)?;
    let no_email = Fault { key: "error.import.no_email", line: 1 };
    let email = layout.email.filter(|email| *email < records.first.len()).ok_or(no_email)?;
    if layout.header {
        records.skip_header();
    }
    let unused = layout.unused(&cells(&records.first));
    let head = head(&records.first, &layout);
    let mut record = ByteRecord::new();
    let empty = || Batch { head: head.clone(), ..Batch::default() };
    let mut batch = empty();
    let end = loop {
        match records.next(&mut record) {
            Ok(Some(number)) => {
                for Line { number, made, record } in held(&records, &record, (&layout, email), number) {
                    match made {
                        Ok(made) => batch.clients.push(Line { number, made, record }),
                        Err(made) => batch.problems.push(Line { number, made, record }),
                    }
                }
            }
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        if batch.clients.len() + batch.problems.len() >= BATCH {
            batch.bytes = records.position.bytes();
            if !take(std::mem::replace(&mut batch, empty())) {
                return Ok(unused);
            }
        }
    };
    batch.bytes = records.position.bytes();
    take(batch);
    end.map(|()| unused)
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
