//! How fast a mailing goes, and which of its runs the events speak of.

use crate::domain::mailing::{MailingLive, MailingState, Run, RunState};
use crate::ui::i18n::{number, t_with, tn};

/// “118 a second · 28 s left”; empty while there is nothing to tell.
pub fn pace(live: Option<&MailingLive>) -> String {
    let pace = live.and_then(pace_of);
    pace.map(|Pace { rate, seconds, later }| pace_words(rate, seconds, later)).unwrap_or_default()
}

/// The same of its parts: letters a second, seconds that are left, and letters that wait for another try.
pub fn pace_words(rate: f64, seconds: Option<i64>, later: i64) -> String {
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { number(rate.round() as i64) };
    let mut words = vec![t_with("mailings.rate", &[("n", &rate)])];
    words.extend(seconds.map(|left| match left {
        ..120 => t_with("mailings.seconds_left", &[("n", &number(left))]),
        120..7_200 => t_with("mailings.minutes_left", &[("n", &number(left / 60))]),
        _ => t_with("mailings.hours_left", &[("n", &number(left / 3_600))]),
    }));
    if later > 0 {
        words.push(tn("mailings.retried_later", later));
    }
    words.join(" · ")
}

/// How a run goes on.
#[derive(Debug, PartialEq)]
struct Pace {
    /// Letters a second.
    rate: f64,
    /// What those need that wait for their first try.
    seconds: Option<i64>,
    /// Letters that wait for another try.
    later: i64,
}

/// None of a run that does not send: it is over, stopped, or held until another day.
fn pace_of(live: &MailingLive) -> Option<Pace> {
    let run = live.run.as_ref()?;
    let sends =
        MailingState::of(live.status, live.paused, live.disabled) == MailingState::Running && live.held.is_none();
    if run.state != RunState::Open || !sends || live.rate <= 0.0 {
        return None;
    }
    let waiting = run.counts.waiting;
    let seconds = (waiting > 0).then(|| (waiting as f64 / live.rate).ceil() as i64);
    Some(Pace { rate: live.rate, seconds, later: run.counts.deferred })
}

/// The run as the page has it, or as it is now if it is the one that the events speak of.
pub fn newest(run: &Run, live: Option<&MailingLive>) -> Run {
    live.and_then(|live| live.run.as_ref()).filter(|now| now.id == run.id).unwrap_or(run).clone()
}

/// The state of a mailing, as the page has it, or as it is now.
pub fn state_now(first: MailingState, live: Option<&MailingLive>) -> MailingState {
    live.map_or(first, |live| MailingState::of(live.status, live.paused, live.disabled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailing::{Counts, Held, MailingStatus};
    use chrono::DateTime;

    fn live(waiting: i64, deferred: i64) -> MailingLive {
        let run = Run {
            id: 1,
            occurrence: DateTime::UNIX_EPOCH,
            state: RunState::Open,
            reason: String::new(),
            opened_at: DateTime::UNIX_EPOCH,
            finished_at: None,
            counts: Counts { waiting, deferred, ..Counts::default() },
        };
        MailingLive {
            status: MailingStatus::Running,
            paused: false,
            disabled: false,
            next_at: None,
            run: Some(run),
            held: None,
            rate: 2.0,
            now: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_rest_that_waits_for_another_try_has_no_time() {
        assert_eq!(pace_of(&live(218, 0)), Some(Pace { rate: 2.0, seconds: Some(109), later: 0 }));
        assert_eq!(pace_of(&live(3, 10)), Some(Pace { rate: 2.0, seconds: Some(2), later: 10 }));
        assert_eq!(pace_of(&live(0, 10)), Some(Pace { rate: 2.0, seconds: None, later: 10 }));
    }

    #[test]
    fn what_does_not_send_has_no_pace() {
        let over = live(0, 0).run.map(|run| Run { state: RunState::Done, ..run });
        let held = Some(Held { limit: 5, until: DateTime::UNIX_EPOCH });
        for still in [
            MailingLive { paused: true, ..live(218, 0) },
            MailingLive { disabled: true, ..live(218, 0) },
            MailingLive { status: MailingStatus::Finished, ..live(218, 0) },
            MailingLive { run: over, ..live(0, 0) },
            MailingLive { held, ..live(218, 0) },
            MailingLive { rate: 0.0, ..live(218, 0) },
        ] {
            assert_eq!(pace_of(&still), None, "{still:?}");
        }
    }
}
