//! The service's own letters: confirmations and the like. They go into a queue in the database, in the
//! transaction of what they tell, and the engine sends them from there.

use super::{Error, Result, tokens};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::locales::{text, text_with};
use crate::server::db::Tx;
use crate::server::db::outgoing::{self, NewOutgoing};
use crate::server::db::settings::{self, Sender};
use crate::server::mail::compose::{Mailbox, system_letter};
use crate::server::mail::markdown;
use chrono::{DateTime, Utc};
use std::fmt::Display;

/// Letters that may wait: a mail server that is away must not let the table grow without end.
const MOST: i64 = 10_000;

/// Who the letters come from, and where their links lead.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Unless the settings name another.
    pub from: &'a EmailAddress,
    /// Without a trailing slash.
    pub site: &'a str,
}

/// What a letter is about; its texts stand in the locale files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Asks to confirm an address; has a `link`.
    Confirm,
    /// Somebody signed up with an address that has an account; has a `link`.
    Taken,
    /// Leads to a new password; has a `link`.
    Reset,
    /// The password is another one.
    PasswordChanged,
    /// Asks to confirm another address of an account; has a `link`.
    NewEmail,
    /// To the present address: somebody wants another one, `email`; has a `link` that stops it.
    EmailAsked,
    /// To the old address: the account has another one, `email`; has a `link` that takes it back.
    EmailChanged,
    /// A second factor is asked for from now on; has a `link` that switches it off.
    TotpOn,
    /// It is no longer.
    TotpOff,
    /// A recovery code has been used.
    RecoveryUsed,
    /// A manager has blocked the account; has `by` and `reason`.
    Blocked,
    /// A manager has disabled a mailing; has `title`, `by` and `reason`.
    Disabled,
    /// The account is deleted.
    Deleted,
    /// To a reader who asked for links to leave by; has `links`, one for each sender.
    Leaving,
    /// Leads to an account of one's own; has a `link`, and `by`, who invites.
    Invited,
    /// A run of a mailing is over; has `title`, `outcome` and a `link`.
    RunEnded,
    /// The service has paused a mailing; has `title`, `reason` and a `link`.
    Paused,
    /// The letters of the day are used up while more wait; has `limit` and a `link`.
    Limit,
    /// To administrators: a mail server refused user and password; has `name`, `reason` and a `link`.
    Relay,
    /// To administrators: letters have been waiting for an hour; has a `link`.
    Late,
}

impl Subject {
    fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Taken => "taken",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::NewEmail => "new_email",
            Self::EmailAsked => "email_asked",
            Self::EmailChanged => "email_changed",
            Self::TotpOn => "totp_on",
            Self::TotpOff => "totp_off",
            Self::RecoveryUsed => "recovery_used",
            Self::Blocked => "blocked",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Leaving => "leaving",
            Self::Invited => "invited",
            Self::RunEnded => "run_ended",
            Self::Paused => "paused",
            Self::Limit => "limit",
            Self::Relay => "relay",
            Self::Late => "late",
        }
    }
}

impl Subject {
    /// Whether nobody has asked for it and nobody waits for it: rather not at all than twice.
    fn is_telling(self) -> bool {
        matches!(self, Self::RunEnded | Self::Paused | Self::Limit | Self::Relay | Self::Late)
    }
}

/// A letter to somebody.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    pub subject: Subject,
    /// Empty where nobody has proven that the address is theirs: a visitor's words do not go to others.
    pub name: &'a str,
    pub email: &'a str,
    pub lang: Lang,
    /// Placeholders beside `hello` and `site`; trusted or escaped.
    pub args: &'a [(&'a str, &'a str)],
    /// Later than this the letter is of no use.
    pub expires_at: DateTime<Utc>,
}

/// Puts a letter into the queue. Where it is full, the letter is dropped and the log says so: whoever
/// waits for it can ask again.
///
/// # Errors
/// Database errors; an address that cannot stand in a header.
pub async fn enqueue(tx: &mut Tx, origin: Origin<'_>, own: &Own<'_>, now: DateTime<Utc>) -> Result<()> {
    let sender = settings::sender_in(tx, origin.from).await?;
    let new = write(&sender, origin.site, own, now)?;
    if !outgoing::insert(tx, &new, MOST, now).await? {
        tracing::error!(letter = own.subject.as_str(), "a letter of the service was dropped: {MOST} wait already");
    }
    Ok(())
}

fn write(sender: &Sender, site: &str, own: &Own<'_>, now: DateTime<Utc>) -> Result<NewOutgoing> {
    let Own { subject, name, email, lang, args, expires_at } = *own;
    let key = subject.as_str();
    let hello = match name {
        "" => text(lang, "letters.hello"),
        name => text_with(lang, "letters.hello_name", &[("name", &markdown::escape(name))]),
    };
    let mut filled: Vec<(&str, &dyn Display)> = vec![("hello", &hello), ("site", &site)];
    filled.extend(args.iter().map(|(name, value)| (*name, value as &dyn Display)));
    let title = text(lang, &format!("letters.{key}.subject"));
    let body = text_with(lang, &format!("letters.{key}.body"), &filled);
    let from = Mailbox { name: &sender.name, address: sender.email.as_str() };
    let id = tokens::link().1.replace(['-', '_'], "x");
    let letter = system_letter(from, Mailbox { name, address: email }, &title, &body, lang, now, &id)
        .map_err(|error| Error::Internal(error.to_string()))?;
    let (recipient, raw, smtputf8) = (letter.recipient, letter.bytes, letter.needs_smtputf8);
    Ok(NewOutgoing { recipient, raw, smtputf8, expires_at, once: subject.is_telling() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use mail_parser::MessageParser;

    /// Tokens are letters, digits, `-` and `_`, which Markdown has other uses for.
    #[test]
    fn a_link_is_whole_to_its_eye_and_in_its_text_whatever_its_token() {
        let from = EmailAddress::parse("service@vestnik.example").unwrap();
        let sender = Sender { name: String::new(), email: from };
        let link = "https://mail.example.org/u/_aB-_c_-__x__-*?token=_aB-_c_-__x__-_";
        let links = format!("- Anna: <{link}>\n");
        let now = Utc.with_ymd_and_hms(2026, 12, 1, 12, 0, 0).unwrap();
        let (mut with_link, words) = (0, ["email", "by", "reason", "title", "outcome", "limit", "name"]);
        for subject in [
            Subject::Confirm,
            Subject::Taken,
            Subject::Reset,
            Subject::NewEmail,
            Subject::EmailAsked,
            Subject::EmailChanged,
            Subject::TotpOn,
            Subject::Leaving,
            Subject::Invited,
            Subject::RunEnded,
            Subject::Paused,
            Subject::Limit,
            Subject::Relay,
            Subject::Late,
        ] {
            let mut args: Vec<(&str, &str)> = words.iter().map(|word| (*word, "x")).collect();
            args.extend([("link", link), ("links", links.as_str())]);
            for lang in Lang::ALL {
                let (email, expires_at) = ("anna@example.org", now);
                let own = Own { subject, name: "Anna", email, lang, args: &args, expires_at };
                let raw = write(&sender, "https://mail.example.org", &own, now).unwrap().raw;
                let letter = MessageParser::default().parse(&raw).unwrap();
                let (text, html) = (letter.body_text(0).unwrap(), letter.body_html(0).unwrap());
                assert!(
                    text.split_whitespace().any(|word| word.trim_matches(['<', '>', '.']) == link),
                    "{subject:?}: {text}"
                );
                assert!(html.contains(&format!("href=\"{link}\"")), "{subject:?}: {html}");
                // Where it names another thing, as "log in" does, that stands there alone.
                with_link += usize::from(html.contains(&format!(">{link}</a>")));
            }
        }
        assert_eq!(with_link, 26);
    }
}
