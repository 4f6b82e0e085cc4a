//! What client and server said to each other while a session was opened, for people who look for
//! what is wrong. Secrets are left out, also where the server repeats them.

use crate::domain::delivery::Stage;
use crate::domain::relay::{Line, Speaker};
use crate::server::mail::reply::Reply;
use crate::server::mail::secrets::{HIDDEN, Secrets};

/// Most lines that are kept of one side's endless talk.
const LINES: usize = 500;

/// The lines so far.
#[derive(Debug, Default)]
pub struct Dialogue {
    aloud: bool,
    lines: Vec<Line>,
    secrets: Secrets,
}

impl Dialogue {
    /// One that writes down what is said.
    pub fn aloud() -> Self {
        Self { aloud: true, ..Self::default() }
    }

    /// One that costs nothing.
    pub(super) fn silent() -> Self {
        Self::default()
    }

    /// The lines, in order.
    pub fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// From here on these may not be shown.
    pub(super) fn hide(&mut self, secrets: &Secrets) {
        self.secrets = secrets.clone();
    }

    pub(super) fn said(&mut self, stage: Stage, command: &[u8]) {
        if !self.aloud || command.is_empty() {
            return;
        }
        let command = String::from_utf8_lossy(command);
        let text = match (stage, command.trim_end()) {
            (Stage::Auth, "AUTH LOGIN") => "AUTH LOGIN".to_owned(),
            (Stage::Auth, command) if command.starts_with("AUTH PLAIN ") => format!("AUTH PLAIN {HIDDEN}"),
            (Stage::Auth, _) => HIDDEN.to_owned(),
            (_, command) => command.to_owned(),
        };
        self.push(Speaker::Us, text);
    }

    pub(super) fn heard(&mut self, reply: &Reply) {
        if !self.aloud {
            return;
        }
        let last = reply.lines().len().saturating_sub(1);
        for (index, line) in reply.lines().iter().enumerate() {
            let between = if index == last { ' ' } else { '-' };
            let text: String = self.secrets.hide(line).chars().flat_map(printable).collect();
            self.push(Speaker::Server, format!("{}{between}{text}", reply.code));
        }
    }

    pub(super) fn encrypted(&mut self, version: &str) {
        if self.aloud {
            self.push(Speaker::Tls, version.replace('_', "."));
        }
    }

    fn push(&mut self, speaker: Speaker, text: String) {
        if self.lines.len() < LINES {
            self.lines.push(Line { speaker, text });
        }
    }
}

fn printable(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}
