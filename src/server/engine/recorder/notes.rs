//! What the letters before came to, in a file beside an SQLite database that is not waited for. A connection whose next
//! letter is armed already hands it over at once, and before that it writes here what became of the one before. So it is
//! known whatever ends the process, as long as the machine goes on: what was written is in the system's memory. After a
//! loss of power it may be missing, and then two letters of a connection are in doubt instead of one.

use super::file;
use super::packed;
use super::record::Entry;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Room for a note: the 1000 characters of a reply that are kept, whatever they become in JSON, and the rest.
const ROOM: usize = 8 << 10;
/// What stands behind the journal's name.
pub const SUFFIX: &str = "-notes";

fn name(id: &str) -> String {
    format!("{id}{SUFFIX}")
}

/// The notes of one engine.
pub struct Notes {
    database: PathBuf,
    id: Arc<str>,
    /// Made when it is first needed; `None` if that could not be done.
    file: OnceLock<Option<File>>,
}

/// Where one connection writes its notes: two places, in turn. The note before the last one is for a letter whose outcome
/// is durable, because the arm that was asked for after it is.
#[derive(Debug)]
pub struct Place {
    number: usize,
    odd: bool,
}

impl Place {
    /// The place of a connection; no other one that is at work may have this number.
    pub fn new(number: usize) -> Self {
        Self { number, odd: false }
    }

    fn next(&mut self) -> u64 {
        self.odd = !self.odd;
        ((self.number * 2 + usize::from(self.odd)) * ROOM) as u64
    }
}

impl Notes {
    pub fn new(database: PathBuf, id: Arc<str>) -> Self {
        Self { database, id, file: OnceLock::new() }
    }

    /// Whether notes can be written.
    pub fn are_possible(&self) -> bool {
        let make = || File::options().create_new(true).write(true).open(file::path_of(&self.database, &name(&self.id)));
        let made = self.file.get_or_init(|| {
            make().inspect_err(|error| tracing::warn!(%error, "no notes can be written; sending is slower")).ok()
        });
        made.is_some()
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

    /// Removes them, when all that they tell is in the tables.
    pub fn close(&self) {
        if let Some(Some(_)) = self.file.get() {
            // If they stay, the next start finds nothing new in them and removes them.
            let _ = remove(&self.database, &self.id);
        }
    }
}

/// What an engine that is gone noted. Most of it is in its journal, too, or in the tables.
///
/// # Errors
/// If the file cannot be read.
pub fn read(database: &Path, id: &str) -> io::Result<Vec<Entry>> {
    let bytes = match fs::read(file::path_of(database, &name(id))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let mut entries = Vec::new();
    for note in bytes.chunks(ROOM).filter_map(file::frame) {
        entries.extend(packed::unpack(note.1)?);
    }
    Ok(entries)
}

/// Removes the notes of an engine that is gone, if there are any.
///
/// # Errors
/// What the file system says.
pub fn remove(database: &Path, id: &str) -> io::Result<()> {
    file::remove(database, &name(id))
}
