//! What people see and change of their own accounts.

use super::lang::Lang;
use super::user::Theme;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub email: String,
    pub lang: Lang,
    pub theme: Theme,
    /// IANA name.
    pub zone: String,
    /// The names of all zones.
    pub zones: Vec<String>,
}

/// What somebody is told by letter without asking, unless they do not want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A run of a mailing is over.
    RunEnded,
    /// The service has paused a mailing.
    Paused,
    /// The letters of the day are used up while more wait.
    Limit,
    /// A mail server does not send; for administrators.
    Relay,
}

impl Notice {
    pub const ALL: [Self; 4] = [Self::RunEnded, Self::Paused, Self::Limit, Self::Relay];

    /// The word in the database and in forms, and the second half of the locale key `account.notice_…`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunEnded => "run_ended",
            Self::Paused => "paused",
            Self::Limit => "limit",
            Self::Relay => "relay",
        }
    }
}

/// How much an account holds, for whoever thinks of deleting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCounts {
    pub clients: i64,
    pub messages: i64,
    pub mailings: i64,
    pub deliveries: i64,
}

/// A browser that is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Names the session and does not open it.
    pub id: String,
    /// What the browser says it is, shortened; see [`device`].
    pub agent: String,
    /// Where it logged in from.
    pub address: String,
    pub began: Option<DateTime<Utc>>,
    /// To within some minutes.
    pub seen: Option<DateTime<Utc>>,
    /// The one that asks.
    pub current: bool,
}

/// How a second factor stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondFactor {
    Off,
    /// Being set up: not asked for yet.
    Draft(TotpSetup),
    On {
        since: DateTime<Utc>,
        /// Recovery codes that are left.
        recovery: i64,
    },
}

/// What an app needs to know, and what its owner has to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpSetup {
    /// In base32.
    pub secret: String,
    /// The same for an app, as `otpauth://`.
    pub uri: String,
    /// The same as a QR code: the side of an SVG in modules, and its path.
    pub size: i32,
    pub path: String,
    pub recovery: Vec<String>,
}

/// Browser and system out of a User-Agent header, such as `Firefox, Windows`; empty if neither is known.
pub fn device(agent: &str) -> String {
    let find =
        |known: &[(&str, &'static str)]| known.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    // Each of them pretends to be those behind it.
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("YaBrowser/", "Yandex Browser"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    [browser, system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn says_what_a_browser_is() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0",
                "Edge, Windows",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox, Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile Safari/604.1",
                "Safari, iPhone",
            ),
            ("curl/8.5.0", ""),
            ("", ""),
        ] {
            assert_eq!(device(agent), name, "{agent}");
        }
    }
}
