//! The bytes of an uploaded file: counted, limited, and never all in memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Largest file, in bytes.
pub const FILE_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Largest line, in bytes: a quote that is never closed would otherwise take the file into memory.
pub const LINE_MAX: u64 = 1024 * 1024;

/// Why a reader stopped; carried inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TooMuch(pub &'static str);

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

/// A reader that counts and refuses too much.
#[derive(Debug)]
pub struct Limited<R> {
    inner: R,
    position: Position,
    max: u64,
}

impl<R: Read> Limited<R> {
    pub fn new(inner: R, position: Position, max: u64) -> Self {
        Self { inner, position, max }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let read = self.position.read.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        let line = self.position.line.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        if read > self.max {
            return Err(io::Error::other(TooMuch("error.import.too_large")));
        }
        if line > LINE_MAX {
            return Err(io::Error::other(TooMuch("error.import.line_too_long")));
        }
        Ok(n)
    }
}
