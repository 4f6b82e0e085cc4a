//! Records as they stand in the journal: JSON in which nothing is said twice. A lease covers thousands of deliveries,
//! and each field has its place instead of a name: an arm takes some ten bytes, an outcome about a hundred.

use super::record::{Entry, Record, Ticket};
use crate::domain::delivery::{Attempt, AttemptStatus, DeliveryState, Stage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// Entries of one frame.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    leases: Vec<Lease<'a>>,
    entries: Vec<Line<'a>>,
}

/// A lease and its run.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Lease<'a>(Cow<'a, str>, i64);

/// A delivery, the place of its lease in [`Packed::leases`], whether it was deferred, what is recorded.
#[derive(Serialize, Deserialize)]
struct Line<'a>(i64, usize, bool, Said<'a>);

/// A [`Record`]; times are in microseconds since 1970, as PostgreSQL keeps them.
#[derive(Serialize, Deserialize)]
enum Said<'a> {
    #[serde(rename = "a")]
    Arm,
    #[serde(rename = "s")]
    Settle(Outcome<'a>, Cow<'a, str>, Cow<'a, str>, i64),
    #[serde(rename = "p")]
    PutBack(i64),
}

/// An [`Attempt`], its fields in their order.
#[derive(Serialize, Deserialize)]
struct Outcome<'a>(
    i64,
    i64,
    i64,
    Cow<'a, str>,
    Cow<'a, str>,
    Cow<'a, str>,
    Option<i32>,
    Option<Cow<'a, str>>,
    Cow<'a, str>,
);

/// Packs what becomes durable together.
///
/// # Errors
/// None is known: all of it can be written as JSON.
pub fn pack(entries: &[Entry]) -> serde_json::Result<String> {
    let mut packed = Packed { leases: Vec::new(), entries: Vec::with_capacity(entries.len()) };
    for Entry { ticket, record } in entries {
        let same = |lease: &Lease<'_>| lease.0 == ticket.lease && lease.1 == ticket.run;
        // Who comes last has most likely the newest.
        let place = packed.leases.iter().rposition(same).unwrap_or_else(|| {
            packed.leases.push(Lease(Cow::Borrowed(&ticket.lease), ticket.run));
            packed.leases.len() - 1
        });
        packed.entries.push(Line(ticket.id, place, ticket.was_deferred, Said::of(record)));
    }
    serde_json::to_string(&packed)
}

/// Reads back what [`pack`] wrote, or an earlier version, which wrote a list of entries.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] with the reason.
pub fn unpack(bytes: &[u8]) -> io::Result<Vec<Entry>> {
    if bytes.first() == Some(&b'[') {
        return Ok(serde_json::from_slice(bytes)?);
    }
    let Packed { leases, entries } = serde_json::from_slice(bytes)?;
    let unpacked = entries.into_iter().map(|Line(id, place, was_deferred, said)| {
        let Lease(lease, run) = leases.get(place)?;
        let ticket = Ticket { id, run: *run, lease: lease.clone().into_owned(), was_deferred };
        Some(Entry { ticket, record: said.record()? })
    });
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a lease, word or time that is not known");
    unpacked.collect::<Option<_>>().ok_or_else(wrong)
}

impl<'a> Said<'a> {
    fn of(record: &'a Record) -> Self {
        match record {
            Record::Arm => Self::Arm,
            Record::Settle { attempt, state, reason, due_at } => Self::Settle(
                Outcome::of(attempt),
                state.as_str().into(),
                Cow::Borrowed(reason),
                due_at.timestamp_micros(),
            ),
            Record::PutBack { due_at } => Self::PutBack(due_at.timestamp_micros()),
        }
    }

    fn record(self) -> Option<Record> {
        Some(match self {
            Self::Arm => Record::Arm,
            Self::Settle(outcome, state, reason, due_at) => Record::Settle {
                attempt: outcome.attempt()?,
                state: DeliveryState::parse(&state)?,
                reason: reason.into_owned().into(),
                due_at: time(due_at)?,
            },
            Self::PutBack(due_at) => Record::PutBack { due_at: time(due_at)? },
        })
    }
}

impl<'a> Outcome<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self(
            attempt.number,
            attempt.at.timestamp_micros(),
            attempt.ms,
            attempt.stage.as_str().into(),
            attempt.status.as_str().into(),
            Cow::Borrowed(&attempt.relay),
            attempt.code,
            attempt.enhanced.as_deref().map(Cow::Borrowed),
            Cow::Borrowed(&attempt.reply),
        )
    }

    fn attempt(self) -> Option<Attempt> {
        let Self(number, at, ms, stage, status, relay, code, enhanced, reply) = self;
        Some(Attempt {
            number,
            at: time(at)?,
            ms,
            stage: Stage::parse(&stage)?,
            status: AttemptStatus::parse(&status)?,
            relay: relay.into_owned(),
            code,
            enhanced: enhanced.map(Cow::into_owned),
            reply: reply.into_owned(),
        })
    }
}

fn time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let now = DateTime::from_timestamp_micros(1_795_867_200_123_456).unwrap();
        let ticket = |id, lease: &str, run| Ticket { id, run, lease: lease.into(), was_deferred: id % 2 == 0 };
        let settled = |stage, status, state, enhanced: Option<&str>| Record::Settle {
            attempt: Attempt {
                number: 3,
                at: now,
                ms: 41,
                stage,
                status,
                relay: "mail.example.org:587".into(),
                code: enhanced.map(|_| 451),
                enhanced: enhanced.map(Into::into),
                reply: "\"try\\again\" позже\u{7}".into(),
            },
            state,
            reason: "a reason".into(),
            due_at: now + chrono::TimeDelta::minutes(5),
        };
        let mut entries = vec![
            Entry { ticket: ticket(1, "one", 7), record: Record::Arm },
            Entry { ticket: ticket(2, "two", 7), record: Record::PutBack { due_at: now } },
            Entry { ticket: ticket(3, "one", 7), record: Record::Arm },
        ];
        for (n, stage) in Stage::ALL.into_iter().enumerate() {
            let status = AttemptStatus::ALL[n % AttemptStatus::ALL.len()];
            let state = DeliveryState::ALL[n % DeliveryState::ALL.len()];
            let enhanced = (stage == Stage::Rcpt).then_some("4.7.1");
            entries.push(Entry { ticket: ticket(4, "two", 8), record: settled(stage, status, state, enhanced) });
        }
        entries
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let packed = pack(&entries()).unwrap();
        assert_eq!(unpack(packed.as_bytes()).unwrap(), entries());
        assert_eq!(packed.matches("\"one\"").count(), 1, "a lease is written once");
        assert!(unpack(pack(&[]).unwrap().as_bytes()).unwrap().is_empty());
    }

    #[test]
    fn a_journal_of_an_older_version_can_be_read() {
        let list = r#"[
            {"ticket":{"id":1,"run":7,"lease":"one","was_deferred":false},"record":"arm"},
            {"ticket":{"id":2,"run":7,"lease":"one","was_deferred":true},"record":{"settle":{"attempt":{"number":2,
                "at":"2026-11-28T12:00:00.123456Z","ms":41,"stage":"dot","status":"sent","relay":"relay:25","code":250,
                "enhanced":"2.0.0","reply":"taken"},"state":"sent","reason":"","due_at":"2026-11-28T12:00:00Z"}}},
            {"ticket":{"id":3,"run":7,"lease":"one","was_deferred":false},
                "record":{"put_back":{"due_at":"2026-11-28T12:00:00Z"}}}]"#;
        let entries = unpack(list.as_bytes()).unwrap();
        assert_eq!(unpack(pack(&entries).unwrap().as_bytes()).unwrap(), entries);
        assert_eq!(entries.iter().map(|entry| entry.ticket.id).collect::<Vec<_>>(), [1, 2, 3]);
        let Record::Settle { attempt, .. } = &entries[1].record else { panic!("{entries:?}") };
        assert_eq!((attempt.number, attempt.code, attempt.reply.as_str()), (2, Some(250), "taken"));
    }

    #[test]
    fn what_is_none_is_refused() {
        let good = pack(&entries()[..1]).unwrap();
        for bad in
            [&good[..9], &good.replace("0,false", "1,false"), &good.replace("\"a\"", "{\"p\":9223372036854775807}")]
        {
            assert!(unpack(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
