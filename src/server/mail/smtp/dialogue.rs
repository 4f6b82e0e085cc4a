//! What client and server said to each other while a session was opened, for people who look for
//! what is wrong. Secrets are left out, also where the server repeats them.

use crate::domain::delivery::Stage;
use crate::domain::relay::{Line, Speaker};
use crate::server::mail::relay::Credentials;
use crate::server::mail::reply::Reply;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

/// Stands in the place of a secret.
const HIDDEN: &str = "********";
/// Most lines that are kept of one side's endless talk.
const LINES: usize = 500;

/// The lines so far.
#[derive(Debug, Default)]
pub struct Dialogue {
    aloud: bool,
    lines: Vec<Line>,
    secrets: Vec<String>,
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

    /// A text in which no secret stands that the dialogue knows of.
    pub fn clean(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }

    /// From here on these may not be shown, in any form in which they go over the wire.
    pub(super) fn hide(&mut self, credentials: &Credentials) {
        if self.aloud {
            let (user, password) = (&credentials.user, credentials.password.expose_secret());
            let coded = [format!("\0{user}\0{password}"), password.to_owned()].map(|text| STANDARD.encode(text));
            self.secrets.extend(coded);
            self.secrets.push(password.to_owned());
            self.secrets.retain(|secret| !secret.is_empty());
        }
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
            let text: String = line.chars().flat_map(printable).collect();
            self.push(Speaker::Server, format!("{}{between}{}", reply.code, self.clean(&text)));
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
