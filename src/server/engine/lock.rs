//! One engine on one SQLite file: a second one would take the first one's work for abandoned.
//!
//! There are two locks. One is on a file beside the database, as every version of Vestnik knows it. The other is on the
//! database's file itself, whatever its name: a hard link in another folder leads to the same file and to another file
//! beside it. SQLite, too, goes by the name: under two of them it keeps two write-ahead logs and spoils the database
//! (<https://www.sqlite.org/howtocorrupt.html>, 2.5), so nobody may come by another name while an engine is at work.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while an engine runs; the system gives it back however the process ends.
#[derive(Debug)]
pub struct EngineLock {
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")]
    beside: File,
    inode: Inode,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another Vestnik is sending from {0}; it will do the work")]
    Held(PathBuf),
    #[error(
        "another Vestnik is at work on {0} under another name (a hard link): two names would spoil the database; use the \
         other one"
    )]
    OtherName(PathBuf),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
}

/// A file of ours beside the database's: whichever way one comes to the database, it is the same one.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".");
    path.push(suffix);
    path.into()
}

/// A database's file, as the system knows it: device and inode.
type Inode = (u64, u64);

/// A file that is locked by this process or not.
struct Handle {
    file: File,
    held: bool,
}

/// One handle for each database, for as long as the process lives: to close one on a file that SQLite has open takes
/// SQLite's own locks away, which belong to the process (fcntl_locking(2)). Ours (flock(2)) belongs to the handle.
static HANDLES: Mutex<BTreeMap<Inode, Handle>> = Mutex::new(BTreeMap::new());

fn handles() -> MutexGuard<'static, BTreeMap<Inode, Handle>> {
    HANDLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a database's file; none if somebody has it.
fn lock_inode(database: &Path) -> io::Result<Option<Inode>> {
    let found = std::fs::metadata(database)?;
    let inode = (found.dev(), found.ino());
    let mut handles = handles();
    let handle = match handles.entry(inode) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(Handle { file: File::open(database)?, held: false })
        }
    };
    if handle.held {
        return Ok(None);
    }
    match handle.file.try_lock() {
        Ok(()) => handle.held = true,
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(Some(inode))
}

impl Drop for EngineLock {
    fn drop(&mut self) {
        if let Some(handle) = handles().get_mut(&self.inode) {
            // If it fails, the end of the process gives it back.
            handle.held = handle.file.unlock().is_err();
        }
    }
}

fn lock_beside(database: &Path) -> Result<Option<File>, LockError> {
    let path = beside(database, "lock");
    let fail = |error| LockError::Io { path: path.clone(), error };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

impl EngineLock {
    /// Takes the locks of an SQLite file.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has them, [`LockError::OtherName`] if it has them under another name.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let beside = lock_beside(database)?.ok_or_else(|| LockError::Held(database.to_owned()))?;
        match lock_inode(database) {
            Ok(Some(inode)) => Ok(Self { beside, inode }),
            Ok(None) => Err(LockError::OtherName(database.to_owned())),
            Err(error) => Err(LockError::Io { path: database.to_owned(), error }),
        }
    }

    /// Refuses a file at which an engine is at work under another name. To be asked before SQLite opens it.
    ///
    /// # Errors
    /// [`LockError::OtherName`].
    pub fn check_name(database: &Path) -> Result<(), LockError> {
        // A file with one name has no other.
        if std::fs::metadata(database).is_ok_and(|found| found.is_file() && found.nlink() > 1) {
            // What else may be wrong shows when it is opened.
            if let Err(error @ LockError::OtherName(_)) = Self::take(database) {
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_by_whatever_path() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link, another) =
            (dir.path().join("a.db"), dir.path().join("link.db"), dir.path().join("another.db"));
        std::fs::write(&file, "").unwrap();
        std::fs::write(&another, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let first = EngineLock::take(&file).unwrap();
        for path in [&file, &link, &dir.path().join(".").join("a.db")] {
            assert!(matches!(EngineLock::take(path), Err(LockError::Held(_))), "{}", path.display());
        }
        EngineLock::take(&another).unwrap();
        drop(first);
        EngineLock::take(&link).unwrap();
    }

    #[test]
    fn one_at_a_time_by_whatever_name() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, link) = (dir.path().join("a.db"), other.path().join("b.db"));
        std::fs::write(&file, "").unwrap();
        EngineLock::check_name(&file).unwrap();
        let first = EngineLock::take(&file).unwrap();
        std::fs::hard_link(&file, &link).unwrap();
        assert!(matches!(EngineLock::take(&link), Err(LockError::OtherName(_))));
        assert!(matches!(EngineLock::check_name(&link), Err(LockError::OtherName(_))));
        // Who comes by the name that the engine has is welcome.
        EngineLock::check_name(&file).unwrap();
        assert!(matches!(EngineLock::take(&file), Err(LockError::Held(_))));
        drop(first);
        EngineLock::check_name(&link).unwrap();
        let second = EngineLock::take(&link).unwrap();
        assert!(matches!(EngineLock::take(&file), Err(LockError::OtherName(_))));
        drop(second);
        EngineLock::take(&file).unwrap();
    }
}
