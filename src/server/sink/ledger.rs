//! The ledger: a file with one JSON line for each accepted letter and recipient.

use super::CaughtLetter;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// How many letters may wait for the writer.
const QUEUE: usize = 1024;

#[derive(Serialize)]
struct Line<'a> {
    recipient: &'a str,
    message_id: Option<&'a str>,
    at: DateTime<Utc>,
    connection: u64,
}

struct Entry {
    lines: Vec<u8>,
    written: oneshot::Sender<bool>,
}

/// A way to the thread that writes the file, in the order in which letters were accepted.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: mpsc::Sender<Entry>,
}

impl Ledger {
    /// Opens the file for appending and starts its writer, a thread of its own because a slow disk must
    /// not hold up other connections' replies. It ends when the `Ledger` is dropped.
    pub fn open(path: &Path) -> io::Result<(Self, JoinHandle<()>)> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        // A line that was cut off by a crash stands alone, and spoils no other.
        let mut last = [b'\n'];
        if let Some(at) = file.metadata()?.len().checked_sub(1) {
            file.read_exact_at(&mut last, at)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
        let (entries, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("sink-ledger".into()).spawn(move || write(file, queue))?;
        Ok((Self { entries }, thread))
    }

    /// Returns once the letter's lines have been handed to the operating system. False: they could not
    /// be written, and the letter must not be accepted.
    pub async fn record(&self, letter: &CaughtLetter) -> bool {
        let (written, answer) = oneshot::channel();
        let Ok(lines) = render(letter) else { return false };
        self.entries.send(Entry { lines, written }).await.is_ok() && answer.await.unwrap_or(false)
    }
}

fn render(letter: &CaughtLetter) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(letter.recipients.len() * 160);
    for recipient in &letter.recipients {
        let message_id = letter.message_id.as_deref();
        serde_json::to_writer(
            &mut lines,
            &Line { recipient, message_id, at: letter.at, connection: letter.connection },
        )?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// One write(2) for all that is waiting, then the answers.
fn write(mut file: File, mut queue: mpsc::Receiver<Entry>) {
    let (mut lines, mut waiting) = (Vec::new(), Vec::new());
    while let Some(first) = queue.blocking_recv() {
        let mut next = Some(first);
        while let Some(entry) = next {
            lines.extend_from_slice(&entry.lines);
            waiting.push(entry.written);
            next = if waiting.len() < QUEUE { queue.try_recv().ok() } else { None };
        }
        let outcome = file.write_all(&lines);
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the ledger cannot be written");
        }
        lines.clear();
        for written in waiting.drain(..) {
            // A session that has gone meanwhile no longer wants to know.
            let _ = written.send(outcome.is_ok());
        }
    }
}
