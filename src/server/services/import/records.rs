//! The records of a CSV file, each with the number of its line.

use super::encoding::{decoded, is_binary};
use super::guess;
use super::lines::Fault;
use super::quotes::{Quotes, Span, Spans};
use super::read::{Limited, Position};
use crate::domain::import::{CELL_SHOWN, Encoding};
use csv::ByteRecord;
use encoding_rs_io::DecodeReaderBytes;
use std::io::{Chain, Cursor, Read};

/// Bytes that are looked at before the first line is read.
pub const PEEK: u64 = 8192;
/// Most columns that can be chosen from.
pub const COLUMNS_MAX: usize = 100;
/// Lines of one record that are read apart: a quote that is never closed may take half a million along.
pub const APART_MAX: usize = 1000;

/// What was looked at already, the rest of the file, and the end of its last line.
type Csv<R> = csv::Reader<Quotes<Chain<Chain<Cursor<Vec<u8>>, DecodeReaderBytes<Limited<R>, Vec<u8>>>, &'static [u8]>>>;

/// A CSV file whose first line has been read.
pub struct Records<R> {
    csv: Csv<R>,
    pub position: Position,
    /// The first line, whether it names columns or holds data.
    pub first: ByteRecord,
    /// The first line is still to be handed over.
    first_is_next: bool,
    /// Lines before the first one.
    skipped: i64,
    delimiter: u8,
    spans: Spans,
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

/// The byte order mark of UTF-8 as it is read in an encoding that somebody has chosen instead.
fn mark(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Windows1251 => "п»ї",
        Encoding::Windows1252 => "ï»¿",
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => "\u{feff}",
    }
}

impl<R: Read> Records<R> {
    /// Begins to read a file.
    ///
    /// # Errors
    /// Why it cannot be read: it is no text, empty, or has too many columns.
    pub fn open(reader: R, encoding: Encoding) -> Result<Self, Fault> {
        let position = Position::default();
        let mut decoded = decoded(Limited::new(reader, position.clone()), encoding);
        let mut start = Vec::new();
        Read::by_ref(&mut decoded).take(PEEK).read_to_end(&mut start)?;
        if is_binary(&start) {
            return Err(Fault::whole("error.import.not_text"));
        }
        if start.starts_with(mark(encoding).as_bytes()) {
            start.drain(..mark(encoding).len());
        }
        let named = named_delimiter(&start);
        if let Some((_, length)) = named {
            start.drain(..length);
        }
        let crlf = start.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r\n"));
        let delimiter = named.map_or_else(|| guess::delimiter(&start), |(delimiter, _)| delimiter);
        let spans = Spans::default();
        // Many files have no end of the last line; a second one is an empty line, which is none.
        let whole = Cursor::new(start).chain(decoded).chain(if crlf { b"\r\n".as_slice() } else { b"\n" });
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(Quotes::new(whole, delimiter, spans.clone()));
        let mut first = ByteRecord::new();
        if !csv.read_byte_record(&mut first)? {
            return Err(Fault::whole("error.import.empty"));
        }
        if first.len() > COLUMNS_MAX {
            return Err(Fault { key: "error.import.columns", line: 1 });
        }
        spans.next_begins();
        if spans.take(1).is_some_and(|span| span.open) {
            return Err(Fault { key: "error.import.first_quote", line: 1 });
        }
        position.line_done();
        let skipped = i64::from(named.is_some());
        Ok(Self { csv, position, first, first_is_next: true, skipped, delimiter, spans })
    }

    /// The first line names the columns: it is no data.
    pub fn skip_header(&mut self) {
        self.first_is_next = false;
    }

    /// The next record that is not empty, and the number of its line.
    ///
    /// # Errors
    /// Why the file cannot be read on.
    pub fn next(&mut self, record: &mut ByteRecord) -> Result<Option<i64>, Fault> {
        loop {
            let line = if std::mem::take(&mut self.first_is_next) {
                record.clone_from(&self.first);
                1
            } else if self.csv.read_byte_record(record)? {
                self.position.line_done();
                self.spans.next_begins().unwrap_or(i64::MAX)
            } else {
                return Ok(None);
            };
            if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                return Ok(Some(line.saturating_add(self.skipped)));
            }
        }
    }

    /// What the record that begins at a line looks like in the file, if it has several lines. Asked in order.
    pub fn span(&self, number: i64) -> Option<Span> {
        self.spans.take(number - self.skipped)
    }

    /// The lines of such a record, each read as one of its own; all beyond [`APART_MAX`] are the last one's only cell.
    pub fn apart(&self, span: &Span, number: i64) -> Vec<(i64, ByteRecord)> {
        let pieces = span.text.splitn(APART_MAX, |byte| *byte == b'\n');
        let pieces = pieces.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let read = |piece: &[u8]| {
            if piece.contains(&b'\n') {
                return ByteRecord::from(vec![piece]);
            }
            let mut line = csv::ReaderBuilder::new()
                .delimiter(self.delimiter)
                .flexible(true)
                .has_headers(false)
                .buffer_capacity(piece.len().max(1))
                .from_reader(piece);
            let mut record = ByteRecord::new();
            // What cannot be read apart is one cell.
            if line.read_byte_record(&mut record).unwrap_or(false) { record } else { ByteRecord::from(vec![piece]) }
        };
        let pieces = (number..).zip(pieces).filter(|(_, piece)| !piece.trim_ascii().is_empty());
        pieces.map(|(number, piece)| (number, read(piece))).collect()
    }
}

/// A record's cells for a reader: shortened, of many columns the first.
pub fn cells(record: &ByteRecord) -> Vec<String> {
    let shorten = |cell: &[u8]| String::from_utf8_lossy(cell).trim().chars().take(CELL_SHOWN).collect();
    record.iter().take(COLUMNS_MAX).map(shorten).collect()
}
