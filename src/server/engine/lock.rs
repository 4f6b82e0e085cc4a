//! One engine on one SQLite file: a second one would take the first one's work for abandoned.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Held while an engine runs; the system gives it back however the process ends.
#[derive(Debug)]
pub struct EngineLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another Vestnik is sending from {0}; it will do the work")]
    Held(PathBuf),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
}

/// A file of ours beside the database's: whichever way one comes to the database, it is the same one.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".");
    path.push(suffix);
    path.into()
}

impl EngineLock {
    /// Takes the lock of an SQLite file. Not of the file itself: to close a second handle on it would
    /// take SQLite's own locks away (they belong to the process).
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has it.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let path = beside(database, "lock");
        let fail = |error| LockError::Io { path: path.clone(), error };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(LockError::Held(database.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => Err(fail(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_by_whatever_path() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.db"), dir.path().join("link.db"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let first = EngineLock::take(&file).unwrap();
        for path in [&file, &link, &dir.path().join(".").join("a.db")] {
            assert!(matches!(EngineLock::take(path), Err(LockError::Held(_))), "{}", path.display());
        }
        EngineLock::take(&dir.path().join("another.db")).unwrap();
        drop(first);
        EngineLock::take(&link).unwrap();
    }
}
