//! Quotes that are not closed where they should be: whatever follows one is taken into its cell, and people go missing.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// A record that runs over several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, from 1.
    pub line: i64,
    /// A quote in it is not closed where its cell ends.
    pub broken: bool,
    /// It ends where the file does.
    pub open: bool,
    /// As it stands in the file.
    pub text: Vec<u8>,
}

/// What [`Quotes`] has found. It is ahead of whoever takes the records by what is read at once.
#[derive(Clone, Debug, Default)]
pub struct Spans(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    spans: Vec<Span>,
    /// Where each record begins that is not taken yet, whatever the lines end with.
    begins: VecDeque<i64>,
}

impl Spans {
    /// Where the next record begins, from 1. Asked once for each, in order.
    pub fn next_begins(&self) -> Option<i64> {
        self.found(|found| found.begins.pop_front())
    }

    /// The record that begins at a line, if it has several. Records are asked for in order.
    pub fn take(&self, line: i64) -> Option<Span> {
        self.found(|Found { spans, .. }| {
            let found = spans.iter().position(|span| span.line == line).map(|at| spans.swap_remove(at));
            spans.retain(|span| span.line > line);
            found
        })
    }

    fn found<T>(&self, act: impl FnOnce(&mut Found) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Where a quote opens a cell.
    Begin,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: one that closes, or the first of two.
    Closing,
}

/// A reader that looks at the quotes of a CSV file as it passes (RFC 4180 2.5 to 2.7).
#[derive(Debug)]
pub struct Quotes<R> {
    inner: R,
    delimiter: u8,
    state: State,
    line: i64,
    /// Where the record begins.
    begin: i64,
    /// The record so far.
    text: Vec<u8>,
    /// Something other than an end stood behind a closing quote.
    odd: bool,
    spans: Spans,
}

impl<R: Read> Quotes<R> {
    pub fn new(inner: R, delimiter: u8, spans: Spans) -> Self {
        Self { inner, delimiter, state: State::Begin, line: 1, begin: 1, text: Vec::new(), odd: false, spans }
    }

    fn see(&mut self, byte: u8) {
        self.text.push(byte);
        self.state = match (self.state, byte) {
            (State::Begin | State::Closing, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) => State::Quoted,
            (_, b'\n' | b'\r') => {
                self.end(false);
                State::Begin
            }
            (_, byte) if byte == self.delimiter => State::Begin,
            (State::Closing, _) => {
                self.odd = true;
                State::Plain
            }
            _ => State::Plain,
        };
        self.line += i64::from(byte == b'\n');
        if self.text.is_empty() {
            self.begin = self.line;
        }
    }

    /// The record ends.
    fn end(&mut self, open: bool) {
        let (broken, line) = (std::mem::take(&mut self.odd) || open, self.begin);
        // An empty line is no record.
        if self.text.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.spans.found(|found| found.begins.push_back(line));
        }
        if self.line > line {
            let text = std::mem::take(&mut self.text);
            self.spans.found(|found| found.spans.push(Span { line, broken, open, text }));
        } else {
            self.text.clear();
        }
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        for byte in buffer.iter().take(n) {
            self.see(*byte);
        }
        if n == 0 && !buffer.is_empty() && self.state == State::Quoted {
            self.state = State::Begin;
            self.end(true);
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(file: &str) -> Vec<Span> {
        let spans = Spans::default();
        let mut text = String::new();
        Quotes::new(file.as_bytes(), b',', spans.clone()).read_to_string(&mut text).unwrap();
        assert_eq!(text, file);
        spans.found(|found| found.spans.clone())
    }

    #[test]
    fn records_that_swallow_others_are_found() {
        for (file, lines) in [
            ("a,b\nx,\"Anna\ny,Boris\nz,Vera\n", vec![2]),
            ("a,b\nx,\"Anna\ny,Boris\nz,\"Vera\"\nw,W\n", vec![2]),
            ("a,b\r\n\r\nx,\"An\"na\"\r\ny,\"two\r\nli\"nes\r\nz,Z\r\n", vec![4]),
            ("a,b\nx,\"two\nlines\"\ny,\"a \"\"b\"\"\nc\"\n\"z\",\"\"\n", vec![]),
            ("a,b\nx,An\"na\ny,\"John \"X\" Smith\"\n", vec![]),
        ] {
            let broken: Vec<i64> = spans(file).iter().filter(|span| span.broken).map(|span| span.line).collect();
            assert_eq!(broken, lines, "{file:?}");
        }
    }

    #[test]
    fn a_record_of_several_lines_is_kept_as_it_stands() {
        let found = spans("a,b\r\nx,\"two\r\n\"\"li\"\"nes\"\r\ny,\"open\r\nz\r\n");
        let texts: Vec<_> =
            found.iter().map(|span| (span.line, span.open, str::from_utf8(&span.text).unwrap())).collect();
        assert_eq!(texts, [(2, false, "x,\"two\r\n\"\"li\"\"nes\"\r"), (4, true, "y,\"open\r\nz\r\n")]);
    }
}
