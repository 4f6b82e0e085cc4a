use super::*;
use crate::domain::relay::{Limits, RelayLive, RelayRow, RelaySettings, TlsMode};
use crate::forms::mailings::NOW;
use crate::server::db::{on_tx, testing};
use crate::server::services::mailings::audience_count;
use crate::server::services::testing::actor;
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

async fn look(db: &Db, actor: &Actor, form: &MailingForm, hour: Option<i64>) -> ReviewBeside {
    let count = audience_count(db, actor.id, &audience(form).unwrap()).await.unwrap();
    let from = EmailAddress::parse("news@example.org").unwrap();
    beside(db, actor, form, count, (&from, relays(hour)), now()).await.unwrap()
}

async fn who_gets_it_who_does_not_and_until_when(db: Db) {
    let (owner, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    for name in ["one", "two", "three", "four", "five"] {
        testing::client(&db, owner.id, &format!("{name}@example.org"), "", "").await;
    }
    testing::client(&db, other.id, "one@example.org", "", "").await;
    for (address, reason, of) in [
        ("one@example.org", "unsubscribed", owner.id),
        ("one@example.org", "hard_bounce", owner.id),
        ("two@example.org", "complaint", owner.id),
        ("three@example.org", "complaint", other.id),
        ("stranger@example.org", "complaint", owner.id),
    ] {
        let mut tx = db.begin().await.unwrap();
        let sql = "INSERT INTO suppressions (owner_id, address_key, email, reason, source, since, evidence, actor)
            VALUES ($1, $2, $2, $3, 'link', $4, '', '')";
        on_tx!(&mut tx, conn => sqlx::query(sql).bind(of).bind(address).bind(reason).bind(now()).execute(conn).await.map(drop))
            .unwrap();
        tx.commit().await.unwrap();
    }
    let form = MailingForm {
        message: testing::message(&db, owner.id, "Hello", "Hello").await,
        clients: "all".to_owned(),
        start: NOW.to_owned(),
        zone: "UTC".to_owned(),
        period: "once".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    };
    let seen = look(&db, &owner, &form, Some(1)).await;
    let left_out = vec![("complaint".to_owned(), 1), ("hard_bounce".to_owned(), 1)];
    assert_eq!((seen.reached, &seen.left_out), (3, &left_out), "each counts once");
    assert_eq!((seen.sender_email.as_str(), seen.reply_to.as_str()), ("news@example.org", "a@example.org"));
    assert_eq!((seen.last_at, seen.late), (Some(now() + TimeDelta::hours(2)), false));
    let short = MailingForm { end: "2026-11-23T08:00".to_owned(), ..form.clone() };
    assert!(look(&db, &owner, &short, Some(1)).await.late);
    assert_eq!(look(&db, &owner, &form, None).await.last_at, None);
    let found = MailingForm { clients: "search".to_owned(), search: "two".to_owned(), ..form };
    assert_eq!(look(&db, &owner, &found, None).await.reached, 0);
}

testing::on_both!(who_gets_it_who_does_not_and_until_when);
