use super::*;
use crate::server::db::testing::on_both;
use crate::server::db::{on_db, on_tx};
use crate::server::services::Actor;
use crate::server::services::testing::{actor, sent_mailing};

on_both!(
    what_came_back_is_a_fact_beside_sent,
    each_class_has_its_consequence,
    the_same_report_twice_is_one,
    letters_that_come_back_again_and_again,
    a_report_finds_its_letter_by_what_it_brings_along,
    whoever_writes_to_leave_has_left,
    what_names_no_letter_is_kept_within_bounds,
    what_names_no_letter_is_shown_to_administrators_alone,
    what_came_is_readable_for_thirty_days,
    a_mailing_of_which_much_comes_back_is_paused,
);

fn now() -> DateTime<Utc> {
    "2026-05-14T10:00:00Z".parse().unwrap()
}

fn tokens() -> DeliveryTokens {
    DeliveryTokens::new(b"0123456789abcdef0123456789abcdef", [])
}

/// A notification with a status and what the server said.
fn bounce(status: &str, said: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@example.net\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; c0@example.org\r\nAction: failed\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} {said}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn complaint(copy: &str) -> Vec<u8> {
    format!(
        "From: fbl@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: T/1\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{copy}\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"
    )
    .into_bytes()
}

async fn deliveries(db: &Db, owner: &Actor) -> Vec<i64> {
    const SQL: &str =
        "SELECT d.id FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN mailings g ON g.id = r.mailing_id
        WHERE g.owner_id = $1 ORDER BY d.id";
    on_db!(db, pool => sqlx::query_scalar(SQL).bind(owner.id).fetch_all(pool).await).unwrap()
}

async fn reached(db: &Db, clients: usize) -> (Actor, Vec<i64>) {
    let anna = actor(db, "anna@example.org").await;
    sent_mailing(db, &anna, clients).await;
    let ids = deliveries(db, &anna).await;
    (anna, ids)
}

async fn back(db: &Db, to: &[ReturnAddress], raw: &[u8]) -> Taken {
    take(db, &tokens(), &Came { raw, to, source: Source::Report }, now()).await.unwrap()
}

/// Reasons in the ledger, with their end.
async fn ledger(db: &Db, owner: &Actor) -> Vec<(String, String, Option<DateTime<Utc>>)> {
    const SQL: &str = "SELECT email, reason, until FROM suppressions WHERE owner_id = $1 ORDER BY id";
    on_db!(db, pool => sqlx::query_as(SQL).bind(owner.id).fetch_all(pool).await).unwrap()
}

async fn mailing_of(db: &Db, delivery: i64) -> i64 {
    const SQL: &str = "SELECT r.mailing_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1";
    on_db!(db, pool => sqlx::query_scalar(SQL).bind(delivery).fetch_one(pool).await).unwrap()
}

async fn what_came_back_is_a_fact_beside_sent(db: Db) {
    let (anna, ids) = reached(&db, 3).await;
    let taken = back(&db, &[ReturnAddress::Bounce(ids[0])], &bounce("5.1.1", "no such user")).await;
    assert_eq!(taken, Taken::Entered { class: Class::NoAddress, delivery: Some(ids[0]) });
    back(&db, &[ReturnAddress::Bounce(ids[1])], &complaint("To: x@example.org")).await;
    back(&db, &[ReturnAddress::Bounce(ids[0])], &complaint("To: x@example.org")).await;
    let counts = returns::counts(&db, mailing_of(&db, ids[0]).await, None).await.unwrap();
    assert_eq!((counts.returned, counts.complained), (1, 2));
    assert_eq!(returns::totals(&db).await.unwrap(), counts);
    const STATE: &str = "SELECT state FROM deliveries WHERE id = $1";
    let state: String = on_db!(&db, pool => sqlx::query_scalar(STATE).bind(ids[0]).fetch_one(pool).await).unwrap();
    assert_eq!(state, "sent", "the record is as it was");
    let facts = returns::of_delivery(&db, anna.id, ids[0]).await.unwrap();
    assert_eq!(facts.len(), 2);
    assert_eq!((facts[0].class.as_str(), facts[0].status.as_str()), ("no_address", "5.1.1"));
    assert!(facts[0].diagnostic.contains("no such user") && facts[0].readable);
    let boris = actor(&db, "boris@example.org").await;
    assert!(returns::of_delivery(&db, boris.id, ids[0]).await.unwrap().is_empty());
    assert_eq!(returns::evidence(&db, boris.id, facts[0].id).await.unwrap(), None);
}

async fn each_class_has_its_consequence(db: Db) {
    let (anna, ids) = reached(&db, 8).await;
    for (delivery, raw) in [
        (ids[0], bounce("5.1.1", "unknown")),
        (ids[1], complaint("To: x@example.org")),
        (ids[2], bounce("5.2.2", "full")),
        (ids[3], bounce("5.3.4", "too big")),
        (ids[4], bounce("5.7.1", "blocked using zen.spamhaus.org")),
        (ids[5], b"Auto-Submitted: auto-replied\r\n\r\nAway\r\n".to_vec()),
        (ids[6], b"Subject: hello\r\n\r\nWhat?\r\n".to_vec()),
        (ids[7], bounce("4.4.7", "expired")),
    ] {
        back(&db, &[ReturnAddress::Bounce(delivery)], &raw).await;
    }
    let ledger = ledger(&db, &anna).await;
    let short: Vec<_> = ledger.iter().map(|(email, reason, _)| (email.as_str(), reason.as_str())).collect();
    assert_eq!(short, [("c0@example.org", "hard_bounce"), ("c1@example.org", "complaint")]);
    let counts = returns::counts(&db, mailing_of(&db, ids[0]).await, None).await.unwrap();
    assert_eq!((counts.returned, counts.complained), (5, 1));
}

async fn the_same_report_twice_is_one(db: Db) {
    let (_, ids) = reached(&db, 2).await;
    let raw = bounce("5.2.2", "full");
    assert!(matches!(back(&db, &[ReturnAddress::Bounce(ids[0])], &raw).await, Taken::Entered { .. }));
    assert_eq!(back(&db, &[ReturnAddress::Bounce(ids[0])], &raw).await, Taken::Known);
    assert!(
        matches!(back(&db, &[ReturnAddress::Bounce(ids[1])], &raw).await, Taken::Entered { .. }),
        "of another letter"
    );
    for n in 0..30 {
        back(&db, &[ReturnAddress::Bounce(ids[0])], &bounce("5.2.2", &format!("full {n}"))).await;
    }
    assert_eq!(back(&db, &[ReturnAddress::Bounce(ids[0])], &bounce("5.2.2", "once more")).await, Taken::Known);
    let counts = returns::counts(&db, mailing_of(&db, ids[0]).await, None).await.unwrap();
    assert_eq!(counts.returned, 2, "each letter once");
    // As many as there may be of one kind silence no other.
    let complained = back(&db, &[ReturnAddress::Bounce(ids[0])], &complaint("To: x@example.org")).await;
    assert!(matches!(complained, Taken::Entered { class: Class::Complaint, .. }), "{complained:?}");
}

/// Moves the last tries of an owner's letters to one day each, the first run's first.
async fn spread(db: &Db, days: &[i64], ids: &[i64]) {
    const SQL: &str = "UPDATE deliveries SET last_at = $2 WHERE id = $1";
    let mut tx = db.begin().await.unwrap();
    for (id, day) in ids.iter().zip(days) {
        let at = now() - TimeDelta::days(30) + TimeDelta::days(*day);
        on_tx!(&mut tx, conn => sqlx::query(SQL).bind(id).bind(at).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
}

async fn letters_that_come_back_again_and_again(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    for _ in 0..4 {
        sent_mailing(&db, &anna, 1).await;
    }
    let ids = deliveries(&db, &anna).await;
    assert_eq!(ids.len(), 4);
    spread(&db, &[0, 1, 2, 3], &ids).await;
    for id in &ids {
        back(&db, &[ReturnAddress::Bounce(*id)], &bounce("5.2.2", &format!("full {id}"))).await;
    }
    assert!(ledger(&db, &anna).await.is_empty(), "within three days");
    spread(&db, &[0, 1, 4, 8], &ids).await;
    back(&db, &[ReturnAddress::Bounce(ids[3])], &bounce("4.4.7", "expired")).await;
    let entries = ledger(&db, &anna).await;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].1.as_str(), entries[0].2), ("soft_bounces", Some(now() + SOFT_LASTS)));
    // One letter a day, and each report a day late.
    let dora = actor(&db, "dora@example.org").await;
    for _ in 0..9 {
        sent_mailing(&db, &dora, 1).await;
    }
    let ids = deliveries(&db, &dora).await;
    spread(&db, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &ids).await;
    for id in &ids[..7] {
        back(&db, &[ReturnAddress::Bounce(*id)], &bounce("5.2.2", &format!("full {id}"))).await;
    }
    assert!(ledger(&db, &dora).await.is_empty(), "within six days");
    back(&db, &[ReturnAddress::Bounce(ids[7])], &bounce("5.2.2", "full")).await;
    assert_eq!(ledger(&db, &dora).await.len(), 1, "the letter of the day after may come back yet");
    // One that arrived in between would have ended the row.
    let boris = actor(&db, "boris@example.org").await;
    for _ in 0..3 {
        sent_mailing(&db, &boris, 1).await;
    }
    let ids = deliveries(&db, &boris).await;
    spread(&db, &[0, 4, 8], &ids).await;
    for id in [ids[0], ids[2]] {
        back(&db, &[ReturnAddress::Bounce(id)], &bounce("5.2.2", &format!("full {id}"))).await;
    }
    assert!(ledger(&db, &boris).await.is_empty());
}

async fn a_report_finds_its_letter_by_what_it_brings_along(db: Db) {
    let (anna, ids) = reached(&db, 2).await;
    let copy = format!("List-Unsubscribe: <https://news.example.org/u/{}>", tokens().token(ids[1]));
    let taken = back(&db, &[ReturnAddress::Office], &complaint(&copy)).await;
    assert_eq!(taken, Taken::Entered { class: Class::Complaint, delivery: Some(ids[1]) });
    assert_eq!(ledger(&db, &anna).await[0].0, "c1@example.org");
    let forged = format!("X: {}", "a".repeat(delivery_token::LEN));
    let taken = back(&db, &[ReturnAddress::Office], &complaint(&forged)).await;
    assert_eq!(taken, Taken::Entered { class: Class::Complaint, delivery: None });
    assert_eq!(ledger(&db, &anna).await.len(), 1);
    // Of an account that is gone.
    let taken = back(&db, &[ReturnAddress::Bounce(999_999)], &bounce("5.1.1", "x")).await;
    assert_eq!(taken, Taken::Entered { class: Class::NoAddress, delivery: None });
}

async fn whoever_writes_to_leave_has_left(db: Db) {
    let (anna, ids) = reached(&db, 1).await;
    assert_eq!(back(&db, &[ReturnAddress::Leave(ids[0])], b"Subject: unsubscribe\r\n\r\n").await, Taken::Left);
    assert_eq!(ledger(&db, &anna).await[0].1, "unsubscribed");
    assert_eq!(back(&db, &[ReturnAddress::Leave(999_999)], b"\r\n").await, Taken::Known);
}

async fn what_names_no_letter_is_kept_within_bounds(db: Db) {
    for n in 0..5 {
        let raw = format!("Subject: {n}\r\n\r\n{}", "x".repeat(100_000));
        assert!(matches!(
            back(&db, &[ReturnAddress::Office], raw.as_bytes()).await,
            Taken::Entered { delivery: None, .. }
        ));
    }
    const LONGEST: &str = "SELECT MAX(LENGTH(evidence)) FROM returns";
    let longest: Option<i64> = match &db {
        Db::Sqlite { .. } => on_db!(&db, pool => sqlx::query_scalar(LONGEST).fetch_one(pool).await).unwrap(),
        Db::Postgres(_) => {
            let one: Option<i32> = on_db!(&db, pool => sqlx::query_scalar(LONGEST).fetch_one(pool).await).unwrap();
            one.map(i64::from)
        }
    };
    assert_eq!(longest, i64::try_from(NAMELESS_MAX).ok());
    let mut tx = db.begin().await.unwrap();
    for n in 0..1_000_u32 {
        let new = NewReturn {
            at: now(),
            about: None,
            class: Class::Unknown,
            recipient: "",
            status: "",
            diagnostic: "",
            source: Source::Report,
            digest: &n.to_be_bytes(),
            evidence: b"x",
        };
        assert!(returns::add(&mut tx, &new).await.unwrap());
    }
    tx.commit().await.unwrap();
    const LEFT: &str = "SELECT COUNT(*), MIN(LENGTH(evidence)), MAX(LENGTH(evidence)) FROM returns";
    let left = match &db {
        Db::Sqlite { .. } => {
            on_db!(&db, pool => sqlx::query_as::<_, (i64, i64, i64)>(LEFT).fetch_one(pool).await).unwrap()
        }
        Db::Postgres(_) => {
            let (count, least, most): (i64, i32, i32) =
                on_db!(&db, pool => sqlx::query_as(LEFT).fetch_one(pool).await).unwrap();
            (count, least.into(), most.into())
        }
    };
    assert_eq!(left, (1_000, 1, 1), "the oldest go");
}

async fn what_came_is_readable_for_thirty_days(db: Db) {
    let (anna, ids) = reached(&db, 1).await;
    let raw = bounce("5.2.2", "full");
    back(&db, &[ReturnAddress::Bounce(ids[0])], &raw).await;
    let id = returns::of_delivery(&db, anna.id, ids[0]).await.unwrap()[0].id;
    forget_old(&db, now() + TimeDelta::days(29)).await.unwrap();
    assert_eq!(source(&db, &anna, id).await.unwrap(), raw);
    let boris = actor(&db, "boris@example.org").await;
    assert!(matches!(source(&db, &boris, id).await, Err(Error::NotFound)));
    forget_old(&db, now() + TimeDelta::days(31)).await.unwrap();
    assert!(matches!(source(&db, &anna, id).await, Err(Error::NotFound)));
    assert!(!returns::of_delivery(&db, anna.id, ids[0]).await.unwrap()[0].readable);
}

async fn paused(db: &Db, mailing: i64) -> String {
    crate::server::db::mailings::by_id(db, mailing).await.unwrap().unwrap().paused_reason
}

/// Opens the runs of a mailing again, with so many letters sent.
async fn reopen(db: &Db, mailing: i64, sent: i64) {
    const SQL: &str = "UPDATE runs SET state = 'open', sent = $2 WHERE mailing_id = $1";
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(SQL).bind(mailing).bind(sent).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

async fn a_mailing_of_which_much_comes_back_is_paused(db: Db) {
    let (_, ids) = reached(&db, 30).await;
    let mailing = mailing_of(&db, ids[0]).await;
    reopen(&db, mailing, 200).await;
    for id in &ids[..9] {
        back(&db, &[ReturnAddress::Bounce(*id)], &bounce("5.1.1", &format!("unknown {id}"))).await;
    }
    assert_eq!(paused(&db, mailing).await, "", "nine are too few to say");
    back(&db, &[ReturnAddress::Bounce(ids[9])], &bounce("5.1.1", "unknown")).await;
    assert_eq!(paused(&db, mailing).await, "letters_returned");
    // Its owner has looked and goes on; what comes now makes it no worse.
    let resume = async || {
        const SQL: &str = "UPDATE mailings SET paused_at = NULL, paused_reason = '' WHERE id = $1";
        let mut tx = db.begin().await.unwrap();
        on_tx!(&mut tx, conn => sqlx::query(SQL).bind(mailing).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    };
    resume().await;
    back(&db, &[ReturnAddress::Bounce(ids[10])], &bounce("5.1.1", "unknown")).await;
    back(&db, &[ReturnAddress::Bounce(ids[11])], b"Auto-Submitted: auto-replied\r\n\r\nAway\r\n").await;
    assert_eq!(paused(&db, mailing).await, "");
    // Reports come late: by then much more has left.
    reopen(&db, mailing, 390).await;
    for id in &ids[12..20] {
        back(&db, &[ReturnAddress::Bounce(*id)], &bounce("5.1.1", &format!("unknown {id}"))).await;
    }
    assert_eq!(paused(&db, mailing).await, "");
    back(&db, &[ReturnAddress::Bounce(ids[20])], &bounce("5.1.1", "unknown")).await;
    assert_eq!(paused(&db, mailing).await, "letters_returned");

    let clara = actor(&db, "clara@example.org").await;
    sent_mailing(&db, &clara, 60).await;
    let ids = deliveries(&db, &clara).await;
    let mailing = mailing_of(&db, ids[0]).await;
    reopen(&db, mailing, 1_200).await;
    for id in &ids {
        back(&db, &[ReturnAddress::Bounce(*id)], &bounce("5.1.1", &format!("unknown {id}"))).await;
    }
    assert_eq!(paused(&db, mailing).await, "letters_returned", "of more than a thousand, too");

    let boris = actor(&db, "boris@example.org").await;
    sent_mailing(&db, &boris, 4).await;
    let ids = deliveries(&db, &boris).await;
    let mailing = mailing_of(&db, ids[0]).await;
    reopen(&db, mailing, 1000).await;
    for (n, id) in ids[..3].iter().enumerate() {
        assert_eq!(paused(&db, mailing).await, "", "{n}");
        back(&db, &[ReturnAddress::Bounce(*id)], &complaint("To: x@example.org")).await;
    }
    assert_eq!(paused(&db, mailing).await, "complaints");
}

async fn what_names_no_letter_is_shown_to_administrators_alone(db: Db) {
    let (anna, ids) = reached(&db, 1).await;
    let admin = crate::server::db::testing::user(&db, "root@example.org", crate::domain::user::Role::Admin).await;
    let admin = Actor::prove(&admin, Permission::Settings).unwrap();
    back(&db, &[ReturnAddress::Bounce(ids[0])], &bounce("5.1.1", "User unknown")).await;
    for said in ["first", "second"] {
        back(&db, &[ReturnAddress::Office], &bounce("5.2.2", said)).await;
    }
    let page = unmatched(&db, &admin, "").await.unwrap();
    let shown: Vec<_> = page.rows.iter().map(|row| (&*row.class, &*row.recipient, &*row.status)).collect();
    assert_eq!((shown, page.total), (vec![("full", "c0@example.org", "5.2.2"); 2], 2));
    assert!(page.rows[0].diagnostic.contains("second"), "the newest first");
    assert!(matches!(unmatched(&db, &anna, "").await, Err(super::super::Error::Forbidden)));
    assert_eq!(ledger(&db, &anna).await.len(), 1, "they count for nobody");
    assert_eq!(returns::of_deliveries(&db, &ids).await.unwrap(), [(ids[0], "no_address".to_owned())]);
}
