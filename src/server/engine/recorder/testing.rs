//! The two halves of the record, each alone.

use super::record::Frame;
use super::{apply, journal::Journal};
use crate::server::clock::{ManualClock, SharedClock};
use crate::server::db::Db;
use chrono::{DateTime, Utc};

/// Leaves frames in a journal, as an engine does that dies before it carries them over.
pub async fn append(db: &Db, id: &str, frames: &[Frame]) {
    let clock: SharedClock = ManualClock::new(DateTime::UNIX_EPOCH);
    let mut journal = Journal::create(db, id, &clock).await.unwrap();
    for frame in frames {
        let (seq, _) = journal.append(&frame.entries, &clock).await.unwrap();
        assert_eq!(seq, frame.seq);
    }
}

/// Carries frames over.
pub async fn carry(db: &Db, id: &str, frames: &[Frame], now: DateTime<Utc>) {
    apply::carry_on(db, id, &mut frames.to_vec(), now).await.unwrap();
}
