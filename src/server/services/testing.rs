//! Actors for tests, and what they have.

use super::{Actor, import, mailings};
use crate::domain::email::EmailAddress;
use crate::domain::import::Duplicates;
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::domain::user::{Permission, Role};
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::suppressions::{self, Added, NewEntry};
use crate::server::db::testing::{made_at, message, open_run, user};
use crate::server::db::{Db, claims, on_tx};
use chrono::{DateTime, Utc};

/// A new user, proven as the owner of what is theirs.
pub async fn actor(db: &Db, email: &str) -> Actor {
    Actor::prove(&user(db, email, Role::User).await, Permission::Own).expect("a user may own")
}

/// The form of a mailing of a new message to all clients of its owner, once and from now on.
pub async fn mailing_form(db: &Db, owner: &Actor, subject: &str, body: &str) -> MailingForm {
    MailingForm {
        message: message(db, owner.id, subject, body).await,
        clients: "all".into(),
        start: NOW.into(),
        end: "2027-01-01T00:00".into(),
        zone: "UTC".into(),
        period: "once".into(),
        policy: "resend".into(),
        ..MailingForm::default()
    }
}

/// A new mailing of [`mailing_form`]; its id.
pub async fn mailing(db: &Db, owner: &Actor, subject: &str, body: &str, now: DateTime<Utc>) -> i64 {
    let form = mailing_form(db, owner, subject, body).await;
    mailings::create(db, owner, &form, now).await.unwrap()
}

/// An entry of the ledger about everything, by its owner's hand.
pub fn entry<'a>(owner: &Actor, email: &'a EmailAddress, reason: Reason, since: DateTime<Utc>) -> NewEntry<'a> {
    NewEntry {
        owner: owner.id,
        email,
        topic: NO_TOPIC,
        reason,
        source: Source::Owner,
        since,
        until: None,
        evidence: "",
        actor: "",
        delivery: None,
    }
}

/// Puts an entry into the ledger.
pub async fn enter(db: &Db, entry: &NewEntry<'_>) -> Added {
    let mut tx = db.begin().await.unwrap();
    let added = suppressions::add(&mut tx, entry).await.unwrap();
    tx.commit().await.unwrap();
    added
}

/// Changes the tables as no service does.
pub async fn change(db: &Db, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

/// Clients, a message, and a mailing whose run has reached everybody.
pub async fn sent_mailing(db: &Db, owner: &Actor, clients: usize) {
    let lines: String = (0..clients).map(|n| format!("c{n}@example.org\n")).collect();
    let file = std::io::Cursor::new(format!("email\n{lines}").into_bytes());
    let target = import::Target { owner: owner.id, import: None, duplicates: Duplicates::Skip, faulty: None };
    let now = made_at();
    import::import_csv(db, target, file, None, now, |_| ()).await.unwrap();
    let mailing = mailing(db, owner, "For {{ full_name }}", "Hello", now).await;
    let mut tx = db.begin().await.unwrap();
    let run = open_run(&mut tx, mailing, owner.id, now).await;
    claims::claim(&mut tx, run, &format!("lease {run}"), now, now, i64::MAX).await.unwrap();
    let sent = "UPDATE deliveries SET state = 'sent', attempts = 1, lease = NULL WHERE run_id = $1";
    let attempt = "INSERT INTO attempts (delivery_id, run_id, number, at, ms, stage, status, relay, code, reply)
        SELECT id, run_id, 1, $2, 5, 'dot', 'sent', 'mail.example.org:25', 250, 'ok' FROM deliveries WHERE run_id = $1";
    on_tx!(&mut tx, conn => sqlx::query(sent).bind(run).execute(conn).await.map(drop)).unwrap();
    on_tx!(&mut tx, conn => sqlx::query(attempt).bind(run).bind(now).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}
