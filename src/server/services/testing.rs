//! Actors for tests, and what they have.

use super::{Actor, import, mailings};
use crate::domain::import::Duplicates;
use crate::domain::user::{Permission, Role};
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::testing::{made_at, message, open_run, user};
use crate::server::db::{Db, claims, on_tx};
use chrono::{DateTime, Utc};

/// A new user, proven as the owner of what is theirs.
pub async fn actor(db: &Db, email: &str) -> Actor {
    Actor::prove(&user(db, email, Role::User).await, Permission::Own).expect("a user may own")
}

/// A new mailing of a new message to all clients of its owner, once and from now on; its id.
pub async fn mailing(db: &Db, owner: &Actor, subject: &str, body: &str, now: DateTime<Utc>) -> i64 {
    let form = MailingForm {
        message: message(db, owner.id, subject, body).await,
        clients: "all".into(),
        start: NOW.into(),
        end: "2027-01-01T00:00".into(),
        zone: "UTC".into(),
        period: "once".into(),
        policy: "resend".into(),
        ..MailingForm::default()
    };
    mailings::create(db, owner, &form, now).await.unwrap()
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
