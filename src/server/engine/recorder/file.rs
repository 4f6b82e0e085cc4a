//! The journal beside an SQLite database: a file of fixed size that is written round and round. To
//! overwrite blocks that are there already and make that durable takes a fraction of what it takes to
//! let a file grow, because the file system has nothing of its own to write.
//!
//! A frame begins at a multiple of 64 bytes: magic, length and number, a digest over both and the
//! records, then the records. What a crash left half written has no right digest.

use super::packed;
use super::record::Frame;
use crate::server::db::journals::NOTED;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Size of the file.
const CAPACITY: usize = 8 << 20;
const ALIGN: usize = 64;
const MAGIC: &[u8; 8] = b"VESTNIK1";
/// Magic, length (4 bytes), number (8), digest (12).
pub const HEADER: usize = 32;
/// What stands between the database's name and the journal's.
const INFIX: &str = "-sending-";

/// A journal that is being written.
#[derive(Debug)]
pub struct FileJournal {
    file: File,
    path: PathBuf,
    /// Where the next frame goes.
    head: usize,
    /// Frames that are not in the tables yet: number, place and length.
    kept: VecDeque<(i64, usize, usize)>,
    buffer: Vec<u8>,
}

impl FileJournal {
    /// Makes the file, all zeros and on disk.
    ///
    /// # Errors
    /// Whatever the file system says; no file is left then.
    pub fn create(database: &Path, id: &str) -> io::Result<Self> {
        let path = path_of(database, id);
        let make = || {
            let mut file = File::options().create_new(true).read(true).write(true).open(&path)?;
            let zeros = vec![0; 1 << 20];
            for _ in 0..CAPACITY / zeros.len() {
                file.write_all(&zeros)?;
            }
            file.sync_all()?;
            // The name, too, must outlive a loss of power.
            File::open(folder_of(&path))?.sync_all()?;
            Ok(file)
        };
        match make() {
            Ok(file) => Ok(Self { file, path, head: 0, kept: VecDeque::new(), buffer: Vec::new() }),
            Err(error) => {
                // Nothing is in it; if it stays, the next start removes it.
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    /// Writes a frame durably. May be called again with the same frame after an error.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] while too much has not been carried over yet; otherwise what the
    /// file system says.
    pub fn append(&mut self, seq: i64, records: &[u8]) -> io::Result<()> {
        let length = HEADER + records.len();
        let room = length.next_multiple_of(ALIGN);
        let at = if self.head + room <= CAPACITY { self.head } else { 0 };
        let taken = |(_, from, size): &(i64, usize, usize)| at < from + size && *from < at + room;
        if room > CAPACITY || self.kept.iter().any(taken) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.buffer.clear();
        put_frame(&mut self.buffer, seq, records)?;
        self.file.write_all_at(&self.buffer, at as u64)?;
        self.file.sync_data()?;
        self.head = at + room;
        self.kept.push_back((seq, at, room));
        Ok(())
    }

    /// Frames up to this one are in the tables; their place may be used again.
    pub fn release(&mut self, seq: i64) {
        while self.kept.front().is_some_and(|(kept, ..)| *kept <= seq) {
            self.kept.pop_front();
        }
    }

    /// Removes the file, if all of it is in the tables.
    pub fn close(self) {
        if self.kept.is_empty() {
            // If it stays, the next start finds nothing new in it and removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Appends a frame to a buffer.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it is longer than its header can tell.
pub fn put_frame(buffer: &mut Vec<u8>, seq: i64, records: &[u8]) -> io::Result<()> {
    let size = u32::try_from(records.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    buffer.extend_from_slice(MAGIC);
    buffer.extend_from_slice(&size.to_le_bytes());
    buffer.extend_from_slice(&seq.to_le_bytes());
    buffer.extend_from_slice(&digest(size, seq, records));
    buffer.extend_from_slice(records);
    Ok(())
}

fn digest(size: u32, seq: i64, records: &[u8]) -> [u8; 12] {
    let mut hash = Sha256::new();
    hash.update(size.to_le_bytes());
    hash.update(seq.to_le_bytes());
    hash.update(records);
    let mut digest = [0; 12];
    digest.copy_from_slice(&hash.finalize()[..12]);
    digest
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path of an engine's journal.
pub fn path_of(database: &Path, id: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(INFIX);
    name.push(id);
    database.with_file_name(name)
}

/// The engines that left a journal or notes beside a database, by id.
///
/// # Errors
/// If the folder cannot be read.
pub fn found(database: &Path) -> io::Result<Vec<String>> {
    let prefix = format!("{}{INFIX}", database.file_name().unwrap_or_default().to_string_lossy());
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(folder_of(database))? {
        if let Some(id) = entry?.file_name().to_string_lossy().strip_prefix(&prefix) {
            ids.insert(id.strip_suffix(NOTED).unwrap_or(id).to_owned());
        }
    }
    Ok(ids.into_iter().collect())
}

/// Frames of a journal behind the given one, in order; none if there is no journal.
///
/// # Errors
/// If the file cannot be read, or one in the middle is missing, which no crash can cause.
pub fn read(database: &Path, id: &str, after: i64) -> io::Result<Vec<Frame>> {
    let mut bytes = Vec::with_capacity(CAPACITY);
    match File::open(path_of(database, id)) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut frames: Vec<(i64, &[u8])> =
        bytes.chunks(ALIGN).enumerate().filter_map(|(n, _)| frame(&bytes[n * ALIGN..])).collect();
    frames.retain(|(seq, _)| *seq > after);
    frames.sort_unstable_by_key(|(seq, _)| *seq);
    frames.dedup_by_key(|(seq, _)| *seq);
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut read = Vec::with_capacity(frames.len());
    for ((seq, records), expected) in frames.into_iter().zip(after + 1..) {
        if seq != expected {
            return Err(wrong(format!("frame {expected} is missing")));
        }
        let entries = packed::unpack(records).map_err(|error| wrong(format!("frame {seq}: {error}")))?;
        read.push(Frame { seq, entries });
    }
    Ok(read)
}

/// Removes a journal that is in the tables, if there is one.
///
/// # Errors
/// What the file system says.
pub fn remove(database: &Path, id: &str) -> io::Result<()> {
    match fs::remove_file(path_of(database, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The frame that begins here, if one does.
pub fn frame(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER).filter(|(header, _)| header.starts_with(MAGIC))?;
    let size = u32::from_le_bytes(header.get(8..12)?.try_into().ok()?);
    let seq = i64::from_le_bytes(header.get(12..20)?.try_into().ok()?);
    let records = rest.get(..usize::try_from(size).ok()?)?;
    (header[20..] == digest(size, seq, records)).then_some((seq, records))
}
