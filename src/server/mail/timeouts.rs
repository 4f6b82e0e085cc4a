//! How long the mail server may take at each stage (RFC 5321 4.5.3.2).

use humantime::{format_duration, parse_duration};
use std::fmt;
use std::time::Duration;

/// A deadline for each stage of a session. It runs over the whole command, from the first byte
/// written to the last byte of the reply, so that a slow drip does not extend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name resolution, TCP and the TLS handshake, each.
    pub connect: Duration,
    pub greeting: Duration,
    /// EHLO, STARTTLS, RSET and each step of AUTH.
    pub ehlo: Duration,
    pub mail: Duration,
    pub rcpt: Duration,
    pub data: Duration,
    /// Each block of the body that is written.
    pub body: Duration,
    /// The reply after the final dot.
    pub dot: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(300),
            ehlo: Duration::from_secs(300),
            mail: Duration::from_secs(300),
            rcpt: Duration::from_secs(300),
            data: Duration::from_secs(120),
            body: Duration::from_secs(180),
            dot: Duration::from_secs(600),
        }
    }
}

/// Why a list of time-outs cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TimeoutsError {
    #[error("`{0}` must look like stage=duration")]
    Pair(String),
    #[error("`{0}` is not a stage; known are connect, greeting, ehlo, mail, rcpt, data, body, dot")]
    Stage(String),
    #[error("{stage}: `{text}` is not a duration such as 300ms, 5m or 1h30m: {error}")]
    Duration { stage: String, text: String, error: humantime::DurationError },
    #[error("{0}: a time-out of zero would fail every delivery")]
    Zero(String),
}

impl Timeouts {
    /// Reads `connect=5s,dot=30s`; stages that are not named keep their default.
    ///
    /// # Errors
    /// Names the pair, stage or duration that is wrong.
    pub fn parse(text: &str) -> Result<Self, TimeoutsError> {
        let mut timeouts = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (stage, value) = pair.split_once('=').ok_or_else(|| TimeoutsError::Pair(pair.to_owned()))?;
            let stage = stage.trim();
            let duration = parse_duration(value).map_err(|error| TimeoutsError::Duration {
                stage: stage.to_owned(),
                text: value.to_owned(),
                error,
            })?;
            if duration.is_zero() {
                return Err(TimeoutsError::Zero(stage.to_owned()));
            }
            *match stage {
                "connect" => &mut timeouts.connect,
                "greeting" => &mut timeouts.greeting,
                "ehlo" => &mut timeouts.ehlo,
                "mail" => &mut timeouts.mail,
                "rcpt" => &mut timeouts.rcpt,
                "data" => &mut timeouts.data,
                "body" => &mut timeouts.body,
                "dot" => &mut timeouts.dot,
                _ => return Err(TimeoutsError::Stage(stage.to_owned())),
            } = duration;
        }
        Ok(timeouts)
    }

    /// The longest that one delivery over an open connection may take, body blocks beyond the first
    /// not counted; a lease must outlive it.
    pub fn delivery(&self) -> Duration {
        // RSET after a refusal has the deadline of EHLO.
        self.mail + self.rcpt + self.data + self.body + self.dot + self.ehlo
    }
}

impl fmt::Display for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connect={},greeting={},ehlo={},mail={},rcpt={},data={},body={},dot={}",
            format_duration(self.connect),
            format_duration(self.greeting),
            format_duration(self.ehlo),
            format_duration(self.mail),
            format_duration(self.rcpt),
            format_duration(self.data),
            format_duration(self.body),
            format_duration(self.dot)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_defaults_and_round_trips() {
        let timeouts = Timeouts::parse("connect=5s, dot=30s").unwrap();
        assert_eq!(timeouts.connect, Duration::from_secs(5));
        assert_eq!(timeouts.dot, Duration::from_secs(30));
        assert_eq!(timeouts.data, Duration::from_secs(120));
        assert_eq!(Timeouts::parse(&timeouts.to_string()), Ok(timeouts));
        assert_eq!(Timeouts::parse(""), Ok(Timeouts::default()));
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(Timeouts::parse("dot"), Err(TimeoutsError::Pair("dot".into())));
        assert_eq!(Timeouts::parse("end=5s"), Err(TimeoutsError::Stage("end".into())));
        assert_eq!(Timeouts::parse("dot=0s"), Err(TimeoutsError::Zero("dot".into())));
        assert!(Timeouts::parse("dot=soon").unwrap_err().to_string().contains("`soon`"));
    }
}
