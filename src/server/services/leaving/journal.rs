//! What was asked for while the database was away: a file in the data folder, one line each, on the disk before anybody is
//! told that it is done, and carried over into the database later.

use super::Request;
use crate::domain::suppression::Source;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Processes that may share a data folder, each with a file of its own.
const FILES: usize = 64;

/// Behind a line of somebody who leaves everything.
const ALL: &str = " all";

/// One file, which no other process writes.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// In it and not carried over.
    waiting: Vec<Request>,
}

fn path(folder: &Path, n: usize) -> PathBuf {
    folder.join(format!("leaving-{n}.journal"))
}

/// Opens a file that nobody else holds; the system gives the lock back however a process ends.
fn hold(path: &Path, create: bool) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Journal {
    /// Takes a file of its own, with all that was left in it and in those of processes that are gone.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        for n in 0..FILES {
            if let Some(file) = hold(&path(folder, n), true)? {
                // The name, too, must outlive a loss of power.
                File::open(folder)?.sync_all()?;
                let mut journal = Self { waiting: Vec::new(), file };
                journal.waiting = journal.read()?;
                for other in n + 1..FILES {
                    journal.take_over(&path(folder, other))?;
                }
                return Ok(journal);
            }
        }
        Err(io::Error::other("too many processes share the data folder"))
    }

    fn take_over(&mut self, path: &Path) -> io::Result<()> {
        let Some(file) = hold(path, false)? else { return Ok(()) };
        let mut other = Self { file, waiting: Vec::new() };
        let left = other.read()?;
        if !left.is_empty() {
            self.append(&left)?;
            other.file.set_len(0)?;
            other.file.sync_all()?;
        }
        Ok(())
    }

    /// Whole lines; one that a crash cut off was acknowledged to nobody, and is taken off.
    fn read(&mut self) -> io::Result<Vec<Request>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.file.set_len(whole as u64)?;
        let lines = String::from_utf8_lossy(&text[..whole]).into_owned();
        Ok(lines.lines().filter_map(parse).collect())
    }

    /// What waits, the oldest first.
    pub fn waiting(&self) -> &[Request] {
        &self.waiting
    }

    /// Makes requests durable before it returns.
    ///
    /// # Errors
    /// What the file system says; nothing of them counts then.
    pub fn append(&mut self, requests: &[Request]) -> io::Result<()> {
        let lines: String = requests.iter().map(line).collect();
        let end = self.file.seek(SeekFrom::End(0))?;
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is there of them would be carried over although nobody was told so.
            self.file.set_len(end)?;
            return Err(error);
        }
        self.waiting.extend_from_slice(requests);
        Ok(())
    }

    /// The first `count` are in the database.
    ///
    /// # Errors
    /// What the file system says; they are carried over once more then, which changes nothing.
    pub fn carried(&mut self, count: usize) -> io::Result<()> {
        self.waiting.drain(..count.min(self.waiting.len()));
        if self.waiting.is_empty() {
            self.file.set_len(0)?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

fn line(request: &Request) -> String {
    let Request { delivery, at, source, evidence, all } = request;
    let (micros, evidence) = (at.timestamp_micros(), URL_SAFE_NO_PAD.encode(evidence));
    format!("{delivery} {micros} {} {evidence}{}\n", source.as_str(), if *all { ALL } else { "" })
}

fn parse(line: &str) -> Option<Request> {
    let mut parts = line.split(' ');
    let delivery = parts.next()?.parse().ok()?;
    let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let source = Source::parse(parts.next()?)?;
    let evidence = String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
    let all = parts.next().is_some();
    Some(Request { delivery, at, source, evidence, all })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(delivery: i64) -> Request {
        let at = DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap();
        Request {
            delivery,
            at,
            source: Source::OneClick,
            evidence: "слишком много\nписем".to_owned(),
            all: delivery == 3,
        }
    }

    #[test]
    fn what_was_written_is_there_after_a_kill_and_gone_once_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.append(&[request(1), request(2)]).unwrap();
        journal.append(&[request(3)]).unwrap();
        drop(journal);
        // A crash in the midst of a line.
        let mut file = OpenOptions::new().append(true).open(path(folder.path(), 0)).unwrap();
        file.write_all(b"4 18000000").unwrap();
        drop(file);
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.waiting(), [request(1), request(2), request(3)]);
        journal.append(&[request(5)]).unwrap();
        journal.carried(3).unwrap();
        assert_eq!(journal.waiting(), [request(5)]);
        drop(journal);
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.waiting().len(), 4, "what was carried over comes again until all is");
        journal.carried(4).unwrap();
        drop(journal);
        assert!(Journal::open(folder.path()).unwrap().waiting().is_empty());
    }

    #[test]
    fn two_processes_have_a_file_each_and_the_next_one_takes_over_both() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (Journal::open(folder.path()).unwrap(), Journal::open(folder.path()).unwrap());
        one.append(&[request(1)]).unwrap();
        two.append(&[request(2)]).unwrap();
        drop(two);
        drop(one);
        assert_eq!(Journal::open(folder.path()).unwrap().waiting(), [request(1), request(2)]);
        let alone = Journal::open(folder.path()).unwrap();
        assert_eq!(alone.waiting(), [request(1), request(2)], "what was taken over is in its own file");
    }
}
