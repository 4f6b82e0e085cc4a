//! What the letters before came to, in a file that is not waited for: beside an SQLite database, or in the data folder. A
//! connection whose next letter is armed already hands it over at once, and before that it writes here what became of the
//! one before. So it is known whatever ends the process, as long as the machine goes on: what was written is in the
//! system's memory. After a loss of power it may be missing, and then what was handed over last is in doubt.

use super::MOST_AHEAD;
use super::file;
use super::packed;
use super::record::Entry;
use crate::server::db::journals::NOTED;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Room for a note: the 1000 characters of a reply that are kept, whatever they become in JSON, and the rest.
const ROOM: usize = 8 << 10;
/// How long nothing more is noted where that did not work, on a full disk for example.
const REST: Duration = Duration::from_secs(60);
/// An empty file may for so long belong to an engine that is about to lock it.
const BEGINNING: Duration = Duration::from_secs(60 * 60);

fn name(id: &str) -> String {
    format!("{id}{NOTED}")
}

/// The notes of one engine.
pub struct Notes {
    beside: PathBuf,
    id: Arc<str>,
    /// Made when it is first needed; `None` if that could not be done.
    file: OnceLock<Option<File>>,
    begun: Instant,
    /// Milliseconds after that until which nothing is noted.
    rests_until: AtomicU64,
}

/// Where one connection writes its notes: some places, in turn. All that was given before the arm of a letter is durable
/// once that one may leave, so the notes of the letters that may be armed meanwhile, and of one more, are all that count.
#[derive(Debug)]
pub struct Place {
    number: usize,
    turn: usize,
}

/// Places of one connection.
const TURNS: usize = MOST_AHEAD + 1;

impl Place {
    /// The place of a connection; no other one that is at work may have this number.
    pub fn new(number: usize) -> Self {
        Self { number, turn: 0 }
    }

    fn next(&mut self) -> u64 {
        self.turn = (self.turn + 1) % TURNS;
        ((self.number * TURNS + self.turn) * ROOM) as u64
    }
}

impl Notes {
    /// Notes of the engine of this name, beside a file that need not be there.
    pub fn new(beside: PathBuf, id: Arc<str>) -> Self {
        Self { beside, id, file: OnceLock::new(), begun: Instant::now(), rests_until: AtomicU64::new(0) }
    }

    /// Whether notes can be written.
    pub fn are_possible(&self) -> bool {
        let make = || -> io::Result<File> {
            let file =
                File::options().create_new(true).write(true).open(file::path_of(&self.beside, &name(&self.id)))?;
            // The system gives it back however the process ends: so others see that it has ended ([`Left`]).
            // Whoever looks for notes may have it for a moment.
            file.lock()?;
            Ok(file)
        };
        let made = self.file.get_or_init(|| {
            make().inspect_err(|error| tracing::warn!(%error, "no notes can be written; sending is slower")).ok()
        });
        made.is_some() && self.now() >= self.rests_until.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes nothing for a while; false if that was so already.
    pub fn rest(&self) -> bool {
        let now = self.now();
        let until = now.saturating_add(u64::try_from(REST.as_millis()).unwrap_or(u64::MAX));
        self.rests_until.swap(until, Ordering::Relaxed) <= now
    }

    /// Writes a note.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, place: &mut Place, entry: &Entry) -> io::Result<()> {
        let Some(Some(file)) = self.file.get() else { return Err(io::ErrorKind::NotFound.into()) };
        let records = packed::pack(std::slice::from_ref(entry))?;
        let mut note = Vec::with_capacity(file::HEADER + records.len());
        file::put_frame(&mut note, 0, records.as_bytes())?;
        if note.len() > ROOM {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        file.write_all_at(&note, place.next())
    }

    /// What others left here that are gone.
    pub fn left(&self) -> Vec<Left> {
        let left = Left::find(&self.beside).unwrap_or_else(|error| {
            tracing::error!(%error, "notes of processes that are gone cannot be looked for");
            Vec::new()
        });
        left.into_iter().filter(|left| *left.id != *self.id).collect()
    }

    /// Removes them, when all that they tell is in the tables.
    pub fn close(&self) {
        if let Some(Some(_)) = self.file.get() {
            // If they stay, the next start finds nothing new in them and removes them.
            let _ = remove(&self.beside, &self.id);
        }
    }
}

/// What an engine that is gone noted. Most of it is in its journal, too, or in the tables.
///
/// # Errors
/// If the file cannot be read.
pub fn read(beside: &Path, id: &str) -> io::Result<Vec<Entry>> {
    match fs::read(file::path_of(beside, &name(id))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => Ok(entries(id, &read?)),
    }
}

/// The notes that can be read: one that cannot, as a later version may have written, must not keep back the others.
fn entries(id: &str, bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (_, note) in bytes.chunks(ROOM).filter_map(file::frame) {
        match packed::unpack(note) {
            Ok(noted) => entries.extend(noted),
            Err(error) => tracing::error!(process = id, %error, "a note of a process that is gone cannot be read"),
        }
    }
    entries
}

/// Removes the notes of an engine that is gone, if there are any.
///
/// # Errors
/// What the file system says.
pub fn remove(beside: &Path, id: &str) -> io::Result<()> {
    file::remove(beside, &name(id))
}

/// The notes of an engine that is gone, as the lock on them tells. Nobody else takes them up while this lives.
pub struct Left {
    pub id: String,
    beside: PathBuf,
    file: File,
}

impl Left {
    /// All there are beside a file. What cannot be opened or locked is logged and left.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn find(beside: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for id in file::found(beside)? {
            match Self::open(beside, &id) {
                Ok(left) => found.extend(left),
                Err(error) => tracing::error!(process = id, %error, "what a process noted cannot be taken up"),
            }
        }
        Ok(found)
    }

    /// Those of one engine; none if it lives or may be about to begin, or somebody has them.
    fn open(beside: &Path, id: &str) -> io::Result<Option<Self>> {
        // For writing, too: NFS locks no other file for one alone (flock(2)).
        let file = match File::options().read(true).write(true).open(file::path_of(beside, &name(id))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let empty = file.metadata()?.len() == 0;
        let left = Self { id: id.to_owned(), beside: beside.to_owned(), file };
        Ok((!empty || left.age() >= BEGINNING).then_some(left))
    }

    /// What it noted.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn entries(&mut self) -> io::Result<Vec<Entry>> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(entries(&self.id, &bytes))
    }

    /// How long ago the last note was written.
    pub fn age(&self) -> Duration {
        let written = self.file.metadata().and_then(|metadata| metadata.modified()).ok();
        written.and_then(|written| written.elapsed().ok()).unwrap_or_default()
    }

    /// Removes them, when all that they tell is recorded.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove(self) -> io::Result<()> {
        remove(&self.beside, &self.id)
    }
}
