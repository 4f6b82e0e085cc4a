//! The lines that were not taken, as a file that goes in again once they are mended.

use super::super::csv;
use super::uploads::stored;
use super::{Actor, Error, Result};
use crate::domain::bidi::trimmed;
use crate::domain::formula::{inert, plain};
use crate::domain::import::{Goal, ImportState};
use crate::server::db::Db;
use ::csv::ByteRecord;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// Where the faulty lines of an upload lie.
pub fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("faulty")
}

/// The file, made with the first line that goes into it.
#[derive(Debug)]
pub struct Faulty {
    path: PathBuf,
    file: Option<File>,
}

impl Faulty {
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Adds lines, under the line that names the file's columns. Bytes that are no text stay as they are.
    ///
    /// # Errors
    /// If the disk does not take them.
    pub async fn add(&mut self, head: &ByteRecord, rows: &[ByteRecord]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let fail = |path: &Path, error: std::io::Error| Error::Internal(format!("{}: {error}", path.display()));
        let path = &self.path;
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = File::create_new(path).await.map_err(|error| fail(path, error))?;
                file.write_all(csv::BOM.as_bytes()).await.map_err(|error| fail(path, error))?;
                let head = csv::raw_lines(std::iter::once(again(head)))?;
                file.write_all(&head).await.map_err(|error| fail(path, error))?;
                none.insert(file)
            }
        };
        file.write_all(&csv::raw_lines(rows.iter().map(again))?).await.map_err(|error| fail(path, error))?;
        file.flush().await.map_err(|error| fail(path, error))
    }
}

/// A record whose cells come in as those of this one did, and are no formulas for a spreadsheet.
fn again(record: &ByteRecord) -> ByteRecord {
    let cell = |cell: &[u8]| match std::str::from_utf8(cell) {
        Ok(text) => inert(plain(trimmed(text))).into_owned().into_bytes(),
        Err(_) => cell.to_vec(),
    };
    record.iter().map(cell).collect()
}

/// The file of one of the actor's imports that is over.
///
/// # Errors
/// [`Error::NotFound`] if there is no such import, it runs, or its file is not kept any more.
pub async fn open(db: &Db, actor: &Actor, id: i64) -> Result<File> {
    let found = match stored(db, actor, Goal::Clients, id).await {
        Err(Error::NotFound) => stored(db, actor, Goal::Suppressions, id).await?,
        found => found?,
    };
    if !matches!(found.import.state, ImportState::Done | ImportState::Failed) || found.path.is_empty() {
        return Err(Error::NotFound);
    }
    File::open(beside(Path::new(&found.path))).await.map_err(|_| Error::NotFound)
}
