//! The two halves of the record, each alone.

use super::notes::{self, Notes, Place};
use super::record::{Entry, Frame};
use super::{apply, beside, file, journal::Journal, packed};
use crate::server::clock::{ManualClock, SharedClock};
use crate::server::db::{Db, journals};
use chrono::{DateTime, Utc};
use std::path::Path;

/// Leaves frames in a journal, as an engine does that dies before it carries them over.
pub async fn append(db: &Db, id: &str, frames: &[Frame]) {
    let clock: SharedClock = ManualClock::new(DateTime::UNIX_EPOCH);
    let mut journal = Journal::create(db, id, &clock).await.unwrap();
    for frame in frames {
        let (seq, _) = journal.append(&frame.entries, &clock).await.unwrap();
        assert_eq!(seq, frame.seq);
    }
}

/// Leaves notes of one connection beside a database, or in a folder where it is no file, as an engine does that dies.
pub fn keep(db: &Db, folder: &Path, id: &str, entries: &[Entry]) {
    let notes = Notes::new(beside(db, Some(folder)).unwrap(), id.into());
    assert!(notes.are_possible());
    let mut place = Place::new(2);
    for entry in entries {
        notes.write(&mut place, entry).unwrap();
    }
}

/// PostgreSQL: makes a journal of what a process had noted, as another one does that finds it gone.
pub async fn take_up(db: &Db, id: &str, entries: &[Entry]) {
    assert!(journals::append_noted(db, id, &packed::pack(entries).unwrap()).await.unwrap());
}

/// What engines have noted beside an SQLite database.
pub fn noted(db: &Db) -> Vec<Entry> {
    let database = db.file().unwrap();
    left(db).iter().flat_map(|id| notes::read(&database, id).unwrap()).collect()
}

/// The engines that left something beside an SQLite database.
pub fn left(db: &Db) -> Vec<String> {
    file::found(&db.file().unwrap()).unwrap()
}

/// Carries frames over.
pub async fn carry(db: &Db, id: &str, frames: &[Frame], now: DateTime<Utc>) {
    apply::carry_on(db, id, &mut frames.to_vec(), now).await.unwrap();
}
