//! What Vestnik makes on disk is for its user alone: database, journals, uploads, the secret.

use rustix::fs::Mode;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What group and others may do.
const OTHERS: u32 = 0o077;

/// Gives nobody else any right to files that this process makes from now on.
pub fn begin() {
    rustix::process::umask(Mode::from_raw_mode(OTHERS));
}

/// Takes others' rights from files that an older version made, with a line in the log for each.
pub fn mend(data_dir: &Path, database: Option<&Path>) {
    let mut files = vec![data_dir.join("secret")];
    files.extend(database.into_iter().flat_map(|file| beside(file, &['-', '.'])));
    // Beside a PostgreSQL database, notes of sending lie here.
    files.extend(beside(&data_dir.join("vestnik"), &['-']));
    let uploads = data_dir.join("uploads");
    files.extend(below(&uploads));
    files.push(uploads);
    files.sort();
    files.dedup();
    for path in files {
        match close(&path) {
            Ok(true) => tracing::warn!("{} was open to others; it is private now", path.display()),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{} is open to others, and stays so: {error}", path.display()),
        }
    }
}

/// Whether others had rights to it.
fn close(path: &Path) -> io::Result<bool> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & !OTHERS))?;
    Ok(true)
}

/// A file and those that have its name with one of these signs and more behind it: SQLite's log, journals, locks.
fn beside(file: &Path, signs: &[char]) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let name = name.to_string_lossy();
    let ours = |path: &PathBuf| {
        let found = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.strip_prefix(&*name).is_some_and(|rest| rest.is_empty() || rest.starts_with(signs))
    };
    below(folder).into_iter().filter(ours).collect()
}

/// The files in a folder; none if it cannot be read.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_to_others_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("uploads")).unwrap();
        let ours =
            ["secret", "vestnik.db", "vestnik.db-wal", "vestnik.db.lock", "vestnik.db-sending-1", "uploads/1.csv"];
        let others = ["vestnik.dbx", "other"];
        for name in ours.iter().chain(&others) {
            fs::write(path(name), "").unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o664)).unwrap();
        }
        fs::set_permissions(path("uploads"), fs::Permissions::from_mode(0o755)).unwrap();
        mend(folder.path(), Some(&path("vestnik.db")));
        let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        for name in ours {
            assert_eq!(mode(name), 0o600, "{name}");
        }
        assert_eq!(mode("uploads"), 0o700);
        assert_eq!((mode("vestnik.dbx"), mode("other")), (0o664, 0o664));
    }
}
