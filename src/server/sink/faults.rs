//! A scenario at work: counts, throws the dice and says what goes wrong now.

use super::scenario::{Act, Action, Drip, Habit, Reply, Rule, Scenario, Stage, Whom};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For so many recipients a rule with `times=` keeps count; for more it no longer strikes. It bounds
/// what a peer with endlessly many names can make the server remember.
const REMEMBERED: usize = 1_000_000;

/// What is to happen instead of the ordinary reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    Reply(Reply),
    Drop,
    DropAfter,
    Silence,
    Garbage,
    Endless,
}

/// All that goes wrong at one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    pub delay: Duration,
    pub drip: Option<Drip>,
    pub strike: Option<Strike>,
}

/// What a connection is like from its beginning to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habits {
    pub close_after: Option<u64>,
    pub no_starttls: bool,
    pub no_pipelining: bool,
}

/// A rule and how often it was asked and struck.
#[derive(Debug)]
struct Live<What> {
    rule: Rule<What>,
    /// Distinguishes the dice of rules with the same seed.
    dice: u64,
    asked: AtomicU64,
    struck: AtomicU64,
    struck_for: Mutex<HashMap<String, u64>>,
}

/// The rules of a scenario, shared by all connections.
#[derive(Debug)]
pub(super) struct Faults {
    /// By stage, in the order of [`Stage::ALL`].
    stages: [Vec<Live<Action>>; Stage::ALL.len()],
    habits: Vec<Live<Habit>>,
}

impl Faults {
    pub fn new(scenario: Scenario) -> Self {
        let mut stages: [Vec<Live<Action>>; Stage::ALL.len()] = Default::default();
        let mut number = 0;
        let mut dice = || {
            number += 1;
            mix(scenario.seed ^ mix(number))
        };
        for Rule { whom, what: Act { stage, action }, times } in scenario.rules {
            stages[stage as usize].push(Live::new(Rule { whom, what: action, times }, dice()));
        }
        let habits = scenario.habits.into_iter().map(|rule| Live::new(rule, dice())).collect();
        Self { stages, habits }
    }

    /// What goes wrong at `stage` of connection number `connection`; `recipients` are those of the letter,
    /// as far as they are known.
    pub fn at(&self, stage: Stage, connection: u64, recipients: &[String]) -> Trouble {
        let mut trouble = Trouble::default();
        for live in &self.stages[stage as usize] {
            if !live.strikes(connection, recipients) {
                continue;
            }
            trouble.strike = Some(match &live.rule.what {
                Action::Delay(delay) => {
                    trouble.delay += *delay;
                    continue;
                }
                Action::Drip(drip) => {
                    trouble.drip = Some(*drip);
                    continue;
                }
                Action::Reply(reply) => Strike::Reply(reply.clone()),
                Action::Drop => Strike::Drop,
                Action::DropAfter => Strike::DropAfter,
                Action::Silence => Strike::Silence,
                Action::Garbage => Strike::Garbage,
                Action::Endless => Strike::Endless,
            });
            break;
        }
        trouble
    }

    /// The habits of a new connection.
    pub fn habits(&self, connection: u64) -> Habits {
        let mut habits = Habits::default();
        for live in &self.habits {
            if live.strikes(connection, &[]) {
                match live.rule.what {
                    Habit::CloseAfter(letters) => habits.close_after = Some(letters),
                    Habit::NoStarttls => habits.no_starttls = true,
                    Habit::NoPipelining => habits.no_pipelining = true,
                }
            }
        }
        habits
    }
}

impl<What> Live<What> {
    fn new(rule: Rule<What>, dice: u64) -> Self {
        Self { rule, dice, asked: AtomicU64::new(0), struck: AtomicU64::new(0), struck_for: Mutex::default() }
    }

    fn strikes(&self, connection: u64, recipients: &[String]) -> bool {
        match &self.rule.whom {
            Whom::Recipient(glob) => {
                recipients.iter().map(|one| one.to_lowercase()).any(|one| glob.fits(&one) && self.spend_on(one))
            }
            Whom::Rate(millionths) => {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                mix(self.dice ^ mix(asked)) % 1_000_000 < u64::from(*millionths) && self.spend(recipients)
            }
            Whom::Every(count) => {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
                asked.is_multiple_of(*count) && self.spend(recipients)
            }
            Whom::Connection(only) => only.is_none_or(|only| only == connection) && self.spend(recipients),
        }
    }

    /// Uses up one of the rule's times, if it has a limit.
    fn spend(&self, recipients: &[String]) -> bool {
        match self.rule.times {
            None => true,
            Some(_) if !recipients.is_empty() => recipients.iter().any(|one| self.spend_on(one.to_lowercase())),
            Some(times) => self
                .struck
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |struck| (struck < times).then_some(struck + 1))
                .is_ok(),
        }
    }

    fn spend_on(&self, recipient: String) -> bool {
        let Some(times) = self.rule.times else { return true };
        let mut struck = self.struck_for.lock().unwrap_or_else(PoisonError::into_inner);
        if struck.len() >= REMEMBERED && !struck.contains_key(&recipient) {
            return false;
        }
        let count = struck.entry(recipient).or_default();
        let left = *count < times;
        *count += u64::from(left);
        left
    }
}

/// SplitMix64. The n-th throw of a rule depends on nothing but the seed, the rule and n, so a scenario
/// repeats itself in every version and without a lock.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Faults {
        Faults::new(Scenario::parse(text).unwrap())
    }

    fn hits(faults: &Faults, count: u64) -> Vec<u64> {
        (1..=count).filter(|_| faults.at(Stage::Mail, 1, &[]).strike.is_some()).collect()
    }

    #[test]
    fn rate_is_kept_and_repeats_itself() {
        let text = "seed 42\nrate=10% mail drop";
        let first = hits(&faults(text), 10_000);
        assert!((800..1200).contains(&first.len()), "{}", first.len());
        assert_eq!(first, hits(&faults(text), 10_000));
        assert_ne!(first, hits(&faults("seed 43\nrate=10% mail drop"), 10_000));
        assert_eq!(hits(&faults("rate=0% mail drop"), 1000).len(), 0);
        assert_eq!(hits(&faults("rate=100% mail drop"), 1000).len(), 1000);
    }

    #[test]
    fn every_counts() {
        assert_eq!(hits(&faults("every=3 mail drop"), 10), [3, 6, 9]);
        assert_eq!(hits(&faults("every=3 mail drop times=2"), 10), [3, 6]);
    }

    #[test]
    fn times_is_for_each_recipient() {
        let faults = faults("*@x rcpt drop times=2");
        let at = |name: &str| faults.at(Stage::Rcpt, 1, &[name.to_string()]).strike.is_some();
        assert_eq!(
            [at("a@x"), at("b@x"), at("A@X"), at("a@x"), at("b@x"), at("b@x")],
            [true, true, true, false, true, false]
        );
    }

    #[test]
    fn delays_add_up_and_the_first_other_action_wins() {
        let trouble = faults(
            "connection rcpt delay 1s\n*@x rcpt delay 2s\n*@x rcpt drop\n* rcpt silence\n* rcpt delay 1s",
        )
        .at(Stage::Rcpt, 1, &["a@x".to_string()]);
        assert_eq!(trouble, Trouble { delay: Duration::from_secs(3), drip: None, strike: Some(Strike::Drop) });
    }

    #[test]
    fn a_connection_by_its_number() {
        let faults = faults("connection=2 close-after 5\nconnection=2 mail drop");
        assert_eq!(faults.habits(1), Habits::default());
        assert_eq!(faults.habits(2).close_after, Some(5));
        assert_eq!(faults.at(Stage::Mail, 1, &[]), Trouble::default());
        assert_eq!(faults.at(Stage::Mail, 2, &[]).strike, Some(Strike::Drop));
    }
}
