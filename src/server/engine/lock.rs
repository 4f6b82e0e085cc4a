//! One engine on one SQLite file: a second one would take the first one's work for abandoned.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Held while an engine runs; the system gives it back however the process ends.
#[derive(Debug)]
pub struct EngineLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another Vestnik is sending with the data in {0}; it will do the work")]
    Held(PathBuf),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
}

impl EngineLock {
    /// Takes the lock of a data directory.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has it.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let path = data_dir.join("engine.lock");
        let fail = |error| LockError::Io { path: path.clone(), error };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(LockError::Held(data_dir.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => Err(fail(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = EngineLock::take(dir.path()).unwrap();
        assert!(matches!(EngineLock::take(dir.path()), Err(LockError::Held(_))));
        drop(first);
        EngineLock::take(dir.path()).unwrap();
    }
}
