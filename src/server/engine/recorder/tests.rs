//! The journal's file, and that the order of records is kept.

use super::file::{self, FileJournal};
use super::notes::{self, Left, Notes, Place};
use super::packed;
use super::record::{Entry, Frame, Record, Ticket};
use super::writer::Next;
use super::{MOST_AHEAD, Recorder, Wish};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState, Stage};
use crate::server::clock::ManualClock;
use crate::server::db::testing;
use crate::server::supervisor::Supervisor;
use chrono::DateTime;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

fn entry(id: i64) -> Entry {
    Entry { ticket: Ticket { id, run: 1, lease: "lease".into(), was_deferred: false }, record: Record::Arm }
}

/// A frame of more than one size.
fn frame(seq: i64) -> Frame {
    Frame { seq, entries: (0..1 + seq % 7 * 100).map(|n| entry(seq * 1000 + n)).collect() }
}

fn append(journal: &mut FileJournal, frame: &Frame) -> std::io::Result<()> {
    journal.append(frame.seq, packed::pack(&frame.entries).unwrap().as_bytes())
}

/// Spoils a journal's file.
fn write_at(database: &Path, id: &str, at: u64, bytes: &[u8]) {
    let path = format!("{}-sending-{id}", database.display());
    std::fs::File::options().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn what_was_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("test.db");
    let mut journal = FileJournal::create(&database, "one").unwrap();
    for seq in 1..=9 {
        append(&mut journal, &frame(seq)).unwrap();
    }
    assert_eq!(file::found(&database).unwrap(), ["one"]);
    assert_eq!(file::read(&database, "one", 0).unwrap(), (1..=9).map(frame).collect::<Vec<_>>());
    assert_eq!(file::read(&database, "one", 7).unwrap(), [frame(8), frame(9)]);
    // A journal with something in it survives its end; one without does not.
    journal.release(8);
    journal.close();
    assert_eq!(file::found(&database).unwrap(), ["one"]);
    let mut journal = FileJournal::create(&database, "two").unwrap();
    append(&mut journal, &frame(1)).unwrap();
    journal.release(1);
    journal.close();
    assert_eq!(file::found(&database).unwrap(), ["one"]);
}

#[test]
fn it_goes_round_and_never_over_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("test.db");
    let mut journal = FileJournal::create(&database, "one").unwrap();
    let mut seq = 0;
    // Several times round, with the tables 20 frames behind.
    while seq < 2000 {
        seq += 1;
        append(&mut journal, &frame(seq)).unwrap();
        journal.release(seq - 20);
        if seq % 97 == 0 {
            assert_eq!(
                file::read(&database, "one", seq - 20).unwrap(),
                (seq - 19..=seq).map(frame).collect::<Vec<_>>()
            );
        }
    }
    // Nothing is carried over any more: it fills up, and keeps all.
    let kept = seq - 20;
    let error = loop {
        match append(&mut journal, &frame(seq + 1)) {
            Ok(()) => seq += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(seq > kept + 100);
    assert_eq!(file::read(&database, "one", kept).unwrap(), (kept + 1..=seq).map(frame).collect::<Vec<_>>());
    journal.release(seq);
    append(&mut journal, &frame(seq + 1)).unwrap();
}

#[test]
fn what_a_crash_left_half_written_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("test.db");
    let mut journal = FileJournal::create(&database, "one").unwrap();
    // Of one entry each; they stand 128 bytes apart.
    let small = |seq| Frame { seq, entries: vec![entry(seq)] };
    for seq in 1..=3 {
        append(&mut journal, &small(seq)).unwrap();
    }
    write_at(&database, "one", 2 * 128 + 40, b"torn");
    assert_eq!(file::read(&database, "one", 0).unwrap(), [small(1), small(2)]);
    // What is missing in the middle was there before: that is no crash.
    write_at(&database, "one", 0, b"gone");
    assert!(file::read(&database, "one", 0).is_err());
    assert_eq!(file::read(&database, "one", 1).unwrap(), [small(2)]);
}

#[test]
fn the_last_notes_of_a_connection_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("test.db");
    let notes = Notes::new(database.clone(), "one".into());
    assert!(notes.write(&mut Place::new(0), &entry(1)).is_err(), "nobody asked whether it is possible");
    assert!(notes.are_possible());
    let (mut first, mut second) = (Place::new(0), Place::new(1));
    // While so many letters of a connection may be armed, the outcome of one more may not be on the disk yet.
    let last = MOST_AHEAD as i64 + 4;
    for id in 1..=last {
        notes.write(&mut first, &entry(id)).unwrap();
    }
    notes.write(&mut second, &entry(99)).unwrap();
    let read = || {
        let mut ids: Vec<_> = notes::read(&database, "one").unwrap().iter().map(|entry| entry.ticket.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut expected: Vec<_> = (4..=last).chain([99]).collect();
    assert_eq!(read(), expected);
    assert_eq!(file::found(&database).unwrap(), ["one"]);
    // Half written, the oldest: as if it had not been.
    write_at(&database, "one-notes", 4 * 8192 + 40, b"torn");
    expected.remove(0);
    assert_eq!(read(), expected);
    // The longest reply has room.
    let attempt = Attempt {
        number: 1,
        at: DateTime::UNIX_EPOCH,
        ms: 0,
        stage: Stage::Dot,
        status: AttemptStatus::Sent,
        relay: "r".repeat(255),
        code: Some(250),
        enhanced: None,
        reply: "\u{1f4e7}".repeat(1000),
    };
    let record =
        Record::Settle { attempt, state: DeliveryState::Sent, reason: "".into(), due_at: DateTime::UNIX_EPOCH };
    notes.write(&mut first, &Entry { record, ..entry(98) }).unwrap();
    expected.insert(expected.len() - 1, 98);
    assert_eq!(read(), expected);
    notes.close();
    assert!(file::found(&database).unwrap().is_empty());
    assert!(read().is_empty(), "and none is no error");
}

#[test]
fn notes_are_taken_up_once_their_engine_is_gone_and_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let beside = folder.path().join("vestnik");
    let found = || Left::find(&beside).unwrap();
    let (writing, idle) = (Notes::new(beside.clone(), "writing".into()), Notes::new(beside.clone(), "idle".into()));
    assert!(writing.are_possible() && idle.are_possible());
    writing.write(&mut Place::new(1), &entry(7)).unwrap();
    assert!(found().is_empty(), "both live");
    drop((writing, idle));
    let mut left = found();
    assert!(found().is_empty(), "somebody has them");
    let [left_one] = &mut left[..] else { panic!("of one that has not written any, nobody knows whether it begins") };
    assert_eq!((left_one.entries().unwrap(), left_one.id.as_str()), (vec![entry(7)], "writing"));
    drop(left);
    let left = found().remove(0);
    left.remove().unwrap();
    assert!(found().is_empty());
}

#[test]
fn what_cannot_be_taken_up_keeps_nobody_elses_notes_back() {
    let folder = tempfile::tempdir().unwrap();
    let beside = folder.path().join("vestnik");
    for id in ["good", "later"] {
        let notes = Notes::new(beside.clone(), id.into());
        assert!(notes.are_possible());
        notes.write(&mut Place::new(0), &entry(1)).unwrap();
    }
    // As a later version may write them: well kept, and in no form that is known here.
    let mut unknown = Vec::new();
    file::put_frame(&mut unknown, 0, b"{}").unwrap();
    write_at(&beside, "later-notes", 0, &unknown);
    // No file that could be opened for writing.
    std::fs::create_dir(file::path_of(&beside, "folder-notes")).unwrap();
    std::fs::write(file::path_of(&beside, "empty-notes"), "").unwrap();
    let mut left = Left::find(&beside).unwrap();
    let noted: Vec<_> = left.iter_mut().map(|left| (left.id.clone(), left.entries().unwrap().len())).collect();
    assert_eq!(noted, [("good".to_owned(), 1), ("later".to_owned(), 1)]);
    drop(left);
    // Nobody begins for so long.
    let hours_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    let empty = std::fs::File::options().write(true).open(file::path_of(&beside, "empty-notes")).unwrap();
    empty.set_modified(hours_ago).unwrap();
    assert!(Left::find(&beside).unwrap().iter().any(|left| left.id == "empty"));
}

#[tokio::test]
async fn where_notes_fail_nothing_is_armed_ahead_for_a_while() {
    let (db, _folder) = testing::sqlite().await;
    let recorder = Recorder::start(
        db,
        ManualClock::new(DateTime::UNIX_EPOCH),
        "one",
        None,
        &Supervisor::new(CancellationToken::new()),
    );
    assert!(recorder.arms_ahead());
    assert!(recorder.keep(&mut Place::new(0), &entry(1)));
    // No file has a place there.
    let nowhere = 1 << 46;
    assert!(!recorder.keep(&mut Place::new(nowhere), &entry(2)));
    assert!(!recorder.arms_ahead());
}

#[test]
fn arms_wait_while_more_letters_are_under_way_than_wait() {
    let (mut next, back) = (Next::default(), Record::PutBack { due_at: DateTime::UNIX_EPOCH });
    let wish = || Wish { done: tokio::sync::oneshot::channel().0, ahead: false };
    let arm = |next: &mut Next, id| next.add(entry(id), Some(wish()));
    // A connection alone waits for nobody.
    arm(&mut next, 1);
    assert!(!next.may_grow());
    (2..=5).for_each(|id| arm(&mut next, id));
    // Written: five letters are under way. What two of them come to brings the next two.
    next.clear();
    for id in [1, 2] {
        next.add(Entry { record: back.clone(), ..entry(id) }, None);
        arm(&mut next, id + 10);
    }
    assert!(next.may_grow(), "three are under way");
    next.add(Entry { record: back, ..entry(3) }, None);
    assert!(!next.may_grow(), "two are");
}
