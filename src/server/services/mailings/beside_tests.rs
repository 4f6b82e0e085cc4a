use super::*;
use crate::domain::relay::{Limits, RelayLive, RelayRow, RelaySettings, TlsMode};
use crate::server::db::testing;
use crate::server::services::testing::{actor, mailing_form};
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

/// A mail server that takes so many letters an hour.
fn relays(hour: Option<i64>) -> RelaysReport {
    let settings = RelaySettings {
        id: 1,
        name: "One".to_owned(),
        host: "mx.example.org".to_owned(),
        port: 25,
        tls: TlsMode::Required,
        user: String::new(),
        has_password: false,
        connections: 20,
        limits: Limits { second: None, hour, day: None },
        priority: 1,
        enabled: true,
    };
    let live = RelayLive {
        state: RelayState::Ready,
        until: None,
        open: 0,
        allowed: 1,
        rate: 0.0,
        per_connection: None,
        trouble: None,
        limits: Vec::new(),
    };
    RelaysReport { relays: vec![RelayRow { settings, live }], catching: false, queue: 0, oldest_due: None }
}

async fn look(db: &Db, actor: &Actor, form: &MailingForm, letters: i64, hour: Option<i64>) -> ReviewBeside {
    let from = EmailAddress::parse("news@example.org").unwrap();
    beside(db, actor, form, letters, (&from, relays(hour)), now()).await.unwrap()
}

async fn who_it_comes_from_and_until_when(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    let form = MailingForm { end: String::new(), ..mailing_form(&db, &owner, "Hello", "Hello").await };
    let seen = look(&db, &owner, &form, 3, Some(1)).await;
    assert_eq!((seen.sender_email.as_str(), seen.reply_to.as_str()), ("news@example.org", "a@example.org"));
    assert_eq!((seen.last_at, seen.late), (Some(now() + TimeDelta::hours(2)), false));
    let short = MailingForm { end: "2026-11-23T08:00".to_owned(), ..form.clone() };
    assert!(look(&db, &owner, &short, 3, Some(1)).await.late);
    let free = look(&db, &owner, &form, 3, None).await;
    assert_eq!((free.last_at, free.stuck), (None, false));
    // What waits goes before.
    let from = EmailAddress::parse("news@example.org").unwrap();
    let busy = RelaysReport { queue: 4, ..relays(Some(1)) };
    let seen = beside(&db, &owner, &form, 3, (&from, busy), now()).await.unwrap();
    assert_eq!(seen.last_at, Some(now() + TimeDelta::hours(6)));
    // None that can be used is no server without a limit.
    let mut paused = relays(None);
    paused.relays[0].live.state = RelayState::Paused;
    assert!(beside(&db, &owner, &form, 3, (&from, paused), now()).await.unwrap().stuck);
}

testing::on_both!(who_it_comes_from_and_until_when);
