//! Who among the processes is gone. Pure: each judges by its own clock alone, so that clocks that
//! disagree bury nobody alive.

use crate::server::db::processes::Process;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// What has been seen of the other processes.
#[derive(Debug, Default)]
pub struct Watch {
    /// The last beat of each, and since when it has stood still.
    seen: HashMap<String, (i64, DateTime<Utc>)>,
    looked: Option<DateTime<Utc>>,
}

impl Watch {
    /// Looks at all processes and names those whose beat has stood still for so long. After a gap in
    /// its own looks (the database was away, the machine slept) everybody's time begins anew: they
    /// could not beat either.
    pub fn look(&mut self, me: &str, found: Vec<Process>, now: DateTime<Utc>, after: TimeDelta) -> Vec<Process> {
        let gap = self.looked.is_none_or(|looked| now < looked || now - looked >= after);
        self.looked = Some(now);
        let before = std::mem::take(&mut self.seen);
        let mut dead = Vec::new();
        for process in found.into_iter().filter(|process| process.id != me) {
            let since = match before.get(&process.id) {
                Some((beat, since)) if *beat == process.beat && !gap => *since,
                _ => now,
            };
            self.seen.insert(process.id.clone(), (process.beat, since));
            if now - since >= after {
                dead.push(process);
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_that_stands_still_is_a_death_but_not_after_a_gap() {
        let after = TimeDelta::seconds(30);
        let mut watch = Watch::default();
        let start = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let mut look = |seconds, beat| {
            let process = |id: &str, beat| Process { id: id.into(), beat, trouble: String::new() };
            let found = vec![process("me", 1), process("still", 7), process("alive", beat)];
            let dead = watch.look("me", found, start + TimeDelta::seconds(seconds), after);
            dead.into_iter().map(|process| process.id).collect::<Vec<_>>()
        };
        assert!(look(0, 1).is_empty() && look(10, 2).is_empty() && look(20, 3).is_empty());
        assert_eq!(look(30, 4), ["still"]);
        // The database was away for a minute: nobody could beat.
        assert!(look(90, 4).is_empty() && look(110, 4).is_empty());
        assert_eq!(look(120, 5), ["still"]);
        assert!(look(100, 6).is_empty(), "the clock stepped back");
    }
}
