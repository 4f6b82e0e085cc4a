//! The bytes of a file: counted, and never all in memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Largest line, in bytes: a quote that is never closed would otherwise take the file into memory.
pub const LINE_MAX: u64 = 1024 * 1024;

/// Why a reader stopped; carried inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("error.import.line_too_long")]
pub struct LineTooLong;

/// How far a reader is; shared with whoever takes the lines.
#[derive(Clone, Debug, Default)]
pub struct Position {
    read: Arc<AtomicU64>,
    line: Arc<AtomicU64>,
}

impl Position {
    /// Bytes read so far.
    pub fn bytes(&self) -> i64 {
        i64::try_from(self.read.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }

    /// A line has been taken whole.
    pub fn line_done(&self) {
        self.line.store(0, Ordering::Relaxed);
    }
}

/// A reader that counts, and refuses endless lines.
#[derive(Debug)]
pub struct Limited<R> {
    inner: R,
    position: Position,
}

impl<R: Read> Limited<R> {
    pub fn new(inner: R, position: Position) -> Self {
        Self { inner, position }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.position.read.fetch_add(n as u64, Ordering::Relaxed);
        let line = self.position.line.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        if line > LINE_MAX {
            return Err(io::Error::other(LineTooLong));
        }
        Ok(n)
    }
}
