//! Scenario files: which faults the server injects, for whom and when. docs/sink.md explains them.
//!
//! A file has one rule on each line; empty lines and lines that begin with `#` say nothing.
//!
//! ```text
//! seed 42
//! WHOM STAGE ACTION [times=N]
//! WHOM HABIT [times=N]
//! ```
//!
//! - WHOM is a recipient pattern with `@` or `*` in it (`bounce*@example.org`; `*` stands for any text,
//!   `?` for one character, case does not matter), `rate=10%`, `every=100` (the 100th time, the 200th,
//!   ..), `connection` (always) or `connection=3` (the third connection alone).
//! - STAGE is `connect`, `greeting`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `body`, `dot` or
//!   `quit`. Recipients are known at `rcpt`, `data`, `body` and `dot` only.
//! - ACTION is `delay 50ms`, `reply 451 4.7.1 Text` (`\n` in the text begins another line), `drop`,
//!   `drop-after` (at `dot`), `silence`, `garbage`, `endless` or `drip 1b/100ms`.
//! - HABIT is `close-after 20`, `no-starttls` or `no-pipelining`, and holds for a whole connection.
//! - `times=N` ends a rule after N times: for each recipient where recipients are known, else in all.
//! - Every `delay` and `drip` that matches is done; of the other actions the first that matches.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest `delay` and longest pause of a `drip`.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the server does wrong on purpose; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// Start value of the dice that `rate=` throws: the same seed, the same faults.
    pub(super) seed: u64,
    pub(super) rules: Vec<Rule<Act>>,
    pub(super) habits: Vec<Rule<Habit>>,
}

/// A mistake in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ScenarioError {
    /// Counted from 1.
    pub line: usize,
    /// What was found and what was expected.
    pub why: String,
}

/// A scenario file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the scenario {path} cannot be read: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("the scenario {path}, {source}")]
    Parse { path: String, source: ScenarioError },
}

/// One line of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule<What> {
    pub whom: Whom,
    pub what: What,
    pub times: Option<u64>,
}

/// Whom a rule strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Recipient(Glob),
    /// Chance in millionths.
    Rate(u32),
    Every(u64),
    /// `None` is every connection.
    Connection(Option<u64>),
}

/// The moments at which a fault can strike: always just before the server's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
    Dot,
    Quit,
}

impl Stage {
    pub const ALL: [(&'static str, Self); 11] = [
        ("connect", Self::Connect),
        ("greeting", Self::Greeting),
        ("ehlo", Self::Ehlo),
        ("starttls", Self::StartTls),
        ("auth", Self::Auth),
        ("mail", Self::Mail),
        ("rcpt", Self::Rcpt),
        ("data", Self::Data),
        ("body", Self::Body),
        ("dot", Self::Dot),
        ("quit", Self::Quit),
    ];

    /// Whether the server knows then for whom the letter is.
    pub fn knows_recipients(self) -> bool {
        matches!(self, Self::Rcpt | Self::Data | Self::Body | Self::Dot)
    }

    /// First digit and code of the reply that means success (RFC 5321, section 4.3.2).
    pub fn success(self) -> u16 {
        match self {
            Self::Connect | Self::Greeting | Self::StartTls => 220,
            Self::Auth => 235,
            Self::Data => 354,
            Self::Quit => 221,
            Self::Ehlo | Self::Mail | Self::Rcpt | Self::Body | Self::Dot => 250,
        }
    }
}

/// A fault at a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub stage: Stage,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Delay(Duration),
    Drip(Drip),
    Reply(Reply),
    Drop,
    /// The letter is accepted, and the connection dropped without a reply.
    DropAfter,
    Silence,
    Garbage,
    Endless,
}

/// How slowly a reply is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drip {
    /// At least 1.
    pub bytes: usize,
    pub pause: Duration,
}

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    /// As it goes over the wire, line ends included.
    pub wire: Arc<[u8]>,
}

/// A fault that lasts for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// After so many letters the next command is answered with 421, and the connection closed.
    CloseAfter(u64),
    NoStarttls,
    NoPipelining,
}

/// A pattern with `*` and `?`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<char>);

impl Glob {
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_lowercase().chars().collect())
    }

    /// Whether the pattern fits all of `text`, which is in lower case. Takes at most the product of both
    /// lengths, whatever the pattern.
    pub fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut p, mut t) = (0, 0);
        // Where to go on if what follows the last star does not fit: one character further in the text.
        let mut star = None;
        while t < text.len() {
            match self.0.get(p) {
                Some('*') => {
                    star = Some((p + 1, t));
                    p += 1;
                }
                Some(&c) if c == '?' || c == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((after, from)) => {
                        star = Some((after, from + 1));
                        p = after;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[p..].iter().all(|&c| c == '*')
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first line that says nothing the server understands.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut scenario = Self::default();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            scenario.line(line).map_err(|why| ScenarioError { line: number + 1, why })?;
        }
        Ok(scenario)
    }

    /// Reads a scenario file.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let name = || path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: name(), source })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            ScenarioError { line, why: "this is not text in UTF-8".to_owned() }
        });
        text.and_then(Self::parse).map_err(|source| LoadError::Parse { path: name(), source })
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (line, times) = split_times(line)?;
        let (first, rest) = word(line);
        if first == "seed" {
            self.seed = rest.parse().map_err(|_| format!("expected a whole number after seed, found \"{rest}\""))?;
            return if times.is_some() { Err("seed takes no times=".into()) } else { Ok(()) };
        }
        let whom = whom(first)?;
        let (second, rest) = word(rest);
        if let Some(habit) = habit(second, rest)? {
            if matches!(whom, Whom::Recipient(_)) {
                return Err(format!("{second} holds for a whole connection, before a recipient is known; {NOT_YET}"));
            }
            self.habits.push(Rule { whom, what: habit, times });
            return Ok(());
        }
        let stage = Stage::ALL.iter().find(|(name, _)| *name == second).map(|(_, stage)| *stage).ok_or_else(|| {
            let stages = Stage::ALL.map(|(name, _)| name).join(", ");
            format!("expected a stage ({stages}) or close-after, no-starttls, no-pipelining, found \"{second}\"")
        })?;
        if matches!(whom, Whom::Recipient(_)) && !stage.knows_recipients() {
            return Err(format!("the recipient is not known at the stage {second}; {NOT_YET}"));
        }
        let action = action(rest)?;
        match (&action, stage) {
            (Action::DropAfter, stage) if stage != Stage::Dot => {
                return Err("drop-after belongs to the stage dot: only there is a letter accepted".into());
            }
            (Action::Drip(_), Stage::Body) => {
                return Err("drip slows a reply down, and the stage body has none; use dot".into());
            }
            _ => {}
        }
        self.rules.push(Rule { whom, what: Act { stage, action }, times });
        Ok(())
    }
}

const NOT_YET: &str = "expected rate=, every= or connection";

/// The first word, and the rest of the line.
fn word(line: &str) -> (&str, &str) {
    match line.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest.trim_start()),
        None => (line, ""),
    }
}

fn split_times(line: &str) -> Result<(&str, Option<u64>), String> {
    let (before, last) = line.rsplit_once(char::is_whitespace).unwrap_or(("", line));
    match last.strip_prefix("times=") {
        Some(count) => Ok((before.trim_end(), Some(positive(count, "times=")?))),
        None => Ok((line, None)),
    }
}

fn positive(text: &str, after: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|&number| number > 0)
        .ok_or_else(|| format!("expected a whole number from 1 after {after}, found \"{text}\""))
}

fn whom(word: &str) -> Result<Whom, String> {
    if let Some(rate) = word.strip_prefix("rate=") {
        let percent = rate.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        return match percent {
            // In range, so that the cast neither cuts nor overflows.
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Whom::Rate((percent * 10_000.0).round() as u32)),
            _ => Err(format!("expected a percentage from 0% to 100% after rate=, found \"{rate}\"")),
        };
    }
    if let Some(count) = word.strip_prefix("every=") {
        return positive(count, "every=").map(Whom::Every);
    }
    if let Some(number) = word.strip_prefix("connection=") {
        return positive(number, "connection=").map(|number| Whom::Connection(Some(number)));
    }
    if word == "connection" {
        return Ok(Whom::Connection(None));
    }
    if word.contains(['@', '*']) {
        return Ok(Whom::Recipient(Glob::new(word)));
    }
    Err(format!(
        "expected a recipient pattern such as bounce*@example.org, rate=10%, every=100, connection, connection=3 or seed, found \"{word}\""
    ))
}

fn habit(name: &str, rest: &str) -> Result<Option<Habit>, String> {
    let habit = match name {
        "close-after" => return positive(rest, "close-after").map(|count| Some(Habit::CloseAfter(count))),
        "no-starttls" => Habit::NoStarttls,
        "no-pipelining" => Habit::NoPipelining,
        _ => return Ok(None),
    };
    nothing_more(name, rest).map(|()| Some(habit))
}

fn action(text: &str) -> Result<Action, String> {
    let (name, rest) = word(text);
    let action = match name {
        "delay" => {
            return duration(rest)
                .map(Action::Delay)
                .ok_or_else(|| format!("expected a time such as 50ms, 2s or 1m, up to an hour, found \"{rest}\""));
        }
        "drip" => {
            return drip(rest)
                .map(Action::Drip)
                .ok_or_else(|| format!("expected bytes and time such as 1b/100ms after drip, found \"{rest}\""));
        }
        "reply" => {
            return reply(rest)
                .map(Action::Reply)
                .ok_or_else(|| format!("expected a code of three digits and a text after reply, found \"{rest}\""));
        }
        "drop" => Action::Drop,
        "drop-after" => Action::DropAfter,
        "silence" => Action::Silence,
        "garbage" => Action::Garbage,
        "endless" => Action::Endless,
        _ => {
            return Err(format!(
                "expected an action (delay, reply, drop, drop-after, silence, garbage, endless, drip), found \"{name}\""
            ));
        }
    };
    nothing_more(name, rest).map(|()| action)
}

fn nothing_more(name: &str, rest: &str) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(format!("expected only times=N after {name}, found \"{rest}\"")) }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis).filter(|duration| *duration <= LONGEST)
}

fn drip(text: &str) -> Option<Drip> {
    let (bytes, pause) = text.split_once('/')?;
    let bytes = bytes.strip_suffix('b')?.parse().ok().filter(|&bytes| bytes > 0)?;
    Some(Drip { bytes, pause: duration(pause)? })
}

/// A reply as RFC 5321, section 4.2.1 writes it; an enhanced code is repeated on each line, as RFC 2034,
/// section 4 asks.
fn reply(text: &str) -> Option<Reply> {
    let (code, text) = word(text);
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let enhanced = Some(word(text).0).filter(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let lines: Vec<&str> = text.split("\\n").collect();
    let mut wire = String::new();
    for (number, line) in lines.iter().enumerate() {
        let mark = if number + 1 == lines.len() { ' ' } else { '-' };
        wire.push_str(code);
        wire.push(mark);
        if let Some(enhanced) = enhanced.filter(|_| number > 0) {
            wire.push_str(enhanced);
            wire.push(' ');
        }
        wire.push_str(line.trim());
        wire.push_str("\r\n");
    }
    Some(Reply { code: code.parse().ok()?, wire: wire.into_bytes().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Rule<Act> {
        Scenario::parse(line).unwrap().rules.remove(0)
    }

    fn wire(line: &str) -> String {
        match one(line).what.action {
            Action::Reply(reply) => String::from_utf8(reply.wire.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_whole_file() {
        let scenario = Scenario::parse(
            "# bounces\nseed 42\n\nbounce*@example.org rcpt reply 550 5.1.1 No such user\r\n  rate=2.5% dot drop-after\n\
             every=100 mail delay 2s times=3\nconnection=2 greeting silence\nconnection close-after 20\nrate=50% no-starttls\n\
             connection no-pipelining\n* body drop\nconnection quit drip 3b/10ms\n",
        )
        .unwrap();
        assert_eq!(scenario.seed, 42);
        assert_eq!(scenario.rules.len(), 6);
        assert_eq!(scenario.rules[1].whom, Whom::Rate(25_000));
        assert_eq!(
            scenario.rules[2],
            Rule {
                whom: Whom::Every(100),
                what: Act { stage: Stage::Mail, action: Action::Delay(Duration::from_secs(2)) },
                times: Some(3)
            }
        );
        assert_eq!(scenario.rules[5].what.action, Action::Drip(Drip { bytes: 3, pause: Duration::from_millis(10) }));
        assert_eq!(
            scenario.habits.iter().map(|rule| rule.what).collect::<Vec<_>>(),
            [Habit::CloseAfter(20), Habit::NoStarttls, Habit::NoPipelining]
        );
    }

    #[test]
    fn replies_on_the_wire() {
        assert_eq!(wire("connection rcpt reply 451 4.7.1 Try again times=1"), "451 4.7.1 Try again\r\n");
        assert_eq!(wire("connection rcpt reply 999"), "999 \r\n");
        assert_eq!(wire(r"connection rcpt reply 550 5.7.1 No\nnever"), "550-5.7.1 No\r\n550 5.7.1 never\r\n");
        assert_eq!(wire(r"connection ehlo reply 250 a\nb"), "250-a\r\n250 b\r\n");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (line, expected) in [
            ("bounce rcpt drop", "expected a recipient pattern"),
            ("rate=10 rcpt drop", "percentage"),
            ("rate=101% rcpt drop", "percentage"),
            ("rate=NaN% rcpt drop", "percentage"),
            ("every=0 rcpt drop", "every="),
            ("connection=x rcpt drop", "connection="),
            ("connection", "expected a stage"),
            ("connection reply 450 x", "expected a stage"),
            ("connection rcpt", "expected an action"),
            ("connection rcpt explode", "expected an action"),
            ("connection rcpt drop now", "after drop"),
            ("connection rcpt drop times=0", "times="),
            ("connection rcpt delay 5", "50ms"),
            ("connection rcpt delay 2h", "50ms"),
            ("connection rcpt delay 99999999999999999999s", "50ms"),
            ("connection rcpt drip 0b/1s", "1b/100ms"),
            ("connection rcpt reply 45 x", "three digits"),
            ("connection rcpt reply 45\u{664} x", "three digits"),
            ("connection rcpt drop-after", "belongs to the stage dot"),
            ("connection body drip 1b/1s", "use dot"),
            ("connection close-after", "close-after"),
            ("connection no-starttls please", "no-starttls"),
            ("*@example.org mail drop", "not known at the stage mail; expected rate=, every= or connection"),
            ("*@example.org quit drop", "not known"),
            ("*@example.org close-after 3", "whole connection"),
            ("seed x", "whole number after seed"),
            ("seed 1 times=2", "seed takes no times="),
        ] {
            let error = Scenario::parse(&format!("# first\n\n{line}\n")).unwrap_err();
            assert_eq!(error.line, 3, "{line}");
            assert!(error.why.contains(expected), "{line}: {error}");
            assert!(error.to_string().starts_with("line 3: "));
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults");
        assert!(Scenario::load(&path).unwrap_err().to_string().contains("faults cannot be read"));
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(Scenario::load(&path).unwrap_err().to_string().contains("faults, line 1: expected"));
        std::fs::write(&path, "seed 7\n").unwrap();
        assert_eq!(Scenario::load(&path).unwrap().seed, 7);
        std::fs::write(&path, b"seed 7\n* rcpt reply 550 \xcd\xe5\xf2\n").unwrap();
        let error = Scenario::load(&path).unwrap_err().to_string();
        assert!(error.contains("faults, line 2: this is not text"), "{error}");
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("bounce*@example.org", "bounce17@example.org", true),
            ("Bounce*@Example.org", "bounce@example.org", true),
            ("bounce*@example.org", "bounce@example.org.net", false),
            ("*@*", "a@b", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xbxa", false),
            ("?@b", "ж@b", true),
            ("?@b", "@b", false),
            ("*", "", true),
            ("a@b", "a@b", true),
            ("a@b", "a@bc", false),
        ] {
            assert_eq!(Glob::new(pattern).fits(text), fits, "{pattern} {text}");
        }
    }
}
