use super::*;
use crate::domain::lang::Lang;
use crate::domain::page::PAGE_SIZE;
use crate::domain::user::{Role, Theme};
use crate::server::db::testing;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

const LETTER: &str = "From: =?utf-8?B?0J7Qu9GM0LPQsA==?= <olga@example.org>\r\n\
    To: boris@example.org\r\n\
    Subject: =?utf-8?B?0J/RgNC40LLQtdGC?=\r\n\
    X-Long: one\r\n two\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    See <https://example.org/in-text>, or https://example.org/a?b=1&c=2.\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <title>Head</title><p onclick=\"x()\">See <a href=\"https://example.org/a?b=1&amp;c=2\">this</a>\
    <a href=\"javascript:alert(1)\">bad</a><script>alert(1)</script></p>\r\n\
    --b--\r\n";

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn user(role: Role) -> User {
    User {
        id: 1,
        email: "olga@example.org".to_owned(),
        email_key: "olga@example.org".to_owned(),
        name: "Olga".to_owned(),
        password_hash: String::new(),
        role,
        zone: "UTC".to_owned(),
        lang: Lang::En,
        theme: Theme::System,
        totp: false,
        confirmed_at: Some(now()),
        blocked_at: None,
        epoch: 0,
    }
}

fn caught(raw: &str) -> CaughtLetter {
    CaughtLetter {
        at: now(),
        connection: 1,
        sender: "vestnik@example.org".to_owned(),
        recipients: vec!["boris@example.org".to_owned(), "anna@example.org".to_owned()],
        raw: raw.as_bytes().to_vec(),
        message_id: None,
    }
}

fn anybody() -> Reader {
    reader(true, true, None).unwrap()
}

#[test]
fn only_administrators_read_where_others_can_reach_the_service() {
    assert!(matches!(reader(false, true, Some(&user(Role::Admin))), Err(Error::NotFound)));
    assert!(reader(true, true, None).is_ok());
    assert!(matches!(reader(true, false, None), Err(Error::Unauthenticated)));
    assert!(matches!(reader(true, false, Some(&user(Role::Manager))), Err(Error::Forbidden)));
    assert!(reader(true, false, Some(&user(Role::Admin))).is_ok());
    let blocked = User { blocked_at: Some(now()), ..user(Role::Admin) };
    assert!(matches!(reader(true, false, Some(&blocked)), Err(Error::Forbidden)));
}

/// What is caught is stored with its subject read, found by search, and taken apart safely.
async fn stored(db: Db) {
    let (sender, mut receiver) = mpsc::channel(8);
    let stored = db.clone();
    let task = tokio::spawn(async move { store(&stored, &mut receiver).await });
    sender.send(caught(LETTER)).await.unwrap();
    sender.send(caught("Subject: a\0b\r\n\r\nplain")).await.unwrap();
    drop(sender);
    task.await.unwrap();

    let found = list(&db, anybody(), "ПРИВЕТ", None).await.unwrap();
    assert_eq!((found.total, found.rows.len()), (1, 1));
    let row = &found.rows[0];
    assert_eq!((row.subject.as_str(), row.to.as_str()), ("Привет", "boris@example.org, anna@example.org"));

    let letter = get(&db, anybody(), row.id).await.unwrap();
    assert_eq!(letter.source, LETTER);
    assert_eq!(source(&db, anybody(), row.id).await.unwrap(), LETTER.as_bytes());
    let header = |name: &str| letter.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("From"), Some("Ольга <olga@example.org>"));
    assert_eq!(header("Subject"), Some("Привет"));
    assert_eq!(header("X-Long"), Some("one two"));
    assert!(letter.text.contains("https://example.org/in-text"));
    assert!(letter.has_html);
    let html = as_page(&db, anybody(), row.id).await.unwrap();
    for bad in ["script", "onclick", "javascript", "Head"] {
        assert!(!html.contains(bad), "{bad}: {html}");
    }
    assert!(html.contains("target=\"_blank\"") && html.contains("noopener"), "{html}");
    assert_eq!(letter.links, ["https://example.org/a?b=1&c=2", "https://example.org/in-text"]);
    assert!(matches!(get(&db, anybody(), row.id + 100).await, Err(Error::NotFound)));
    assert!(matches!(as_page(&db, anybody(), row.id + 100).await, Err(Error::NotFound)));
}

/// More letters than a transaction takes are all stored, and listed page by page, newest first.
async fn many(db: Db) {
    let letters = BATCH + 10;
    let (sender, mut receiver) = mpsc::channel(letters);
    for n in 0..letters {
        sender.try_send(caught(&format!("Subject: letter {n}\r\n\r\n"))).unwrap();
    }
    drop(sender);
    store(&db, &mut receiver).await;
    let mut after = None;
    let mut subjects = Vec::new();
    loop {
        let page = list(&db, anybody(), "", after.as_deref()).await.unwrap();
        assert_eq!(page.total, letters as i64);
        assert!(page.rows.len() as i64 <= PAGE_SIZE);
        subjects.extend(page.rows.into_iter().map(|row| row.subject));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..letters).rev().map(|n| format!("letter {n}")).collect();
    assert_eq!(subjects, expected);
}

/// Only the newest letters are kept.
async fn pruned(db: Db) {
    let batch: Vec<NewLetter> = (0..5).map(|n| new_letter(caught(&format!("Subject: letter {n}\r\n\r\n")))).collect();
    insert(&db, &batch, false).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    letters::prune(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let left = list(&db, anybody(), "", None).await.unwrap();
    let left: Vec<&str> = left.rows.iter().map(|row| row.subject.as_str()).collect();
    assert_eq!(left, ["letter 4", "letter 3"]);
}

testing::on_both!(stored, many, pruned);
