use super::*;
use crate::domain::settings::UserLimits;
use crate::server::clock::ManualClock;
use crate::server::db::testing;
use crate::server::services::testing::actor;
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use chrono::TimeDelta;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// A mail server that catches, and behaves as the scenario says.
struct Catcher {
    relay: Relay,
    timeouts: Timeouts,
    from: EmailAddress,
    sink: Sink,
    caught: mpsc::Receiver<CaughtLetter>,
    /// How often the mail server was asked for.
    asked: AtomicUsize,
    tokens: DeliveryTokens,
}

impl Catcher {
    async fn new(scenario: &str) -> Self {
        let (sender, caught) = mpsc::channel(100);
        let config = SinkConfig { scenario: Scenario::parse(scenario).unwrap(), ..SinkConfig::default() };
        let sink = Sink::start(config, ManualClock::new(now()), Some(sender)).await.unwrap();
        let relay = Relay::parse(&format!("smtp://{}?tls=none", sink.addr())).unwrap();
        let from = EmailAddress::parse("vestnik@example.org").unwrap();
        Self {
            relay,
            timeouts: Timeouts::default(),
            from,
            sink,
            caught,
            asked: AtomicUsize::new(0),
            tokens: DeliveryTokens::new(b"a secret", []),
        }
    }

    fn post(&self) -> Post<'_> {
        let secret = b"0123456789abcdef0123456789abcdef";
        Post {
            timeouts: &self.timeouts,
            from: &self.from,
            secret,
            dkim: None,
            tokens: &self.tokens,
            site: "https://mail.example.org",
            returns: None,
        }
    }

    async fn send(&self, db: &Db, actor: &Actor, body: &str, client: Option<i64>) -> Result<String> {
        self.send_at(db, actor, body, client, now()).await
    }

    async fn send_at(
        &self,
        db: &Db,
        actor: &Actor,
        body: &str,
        client: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<String> {
        send(db, self.post(), actor, &form(body), client, now, async || {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok((self.relay.clone(), ()))
        })
        .await
    }
}

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn form(body: &str) -> MessageForm {
    MessageForm { subject: "Test for {{ full_name }}".to_owned(), body: body.to_owned(), ..MessageForm::default() }
}

async fn goes_to_the_writer_with_the_chosen_client_in_it(db: Db) {
    let mut catcher = Catcher::new("").await;
    let olga = actor(&db, "olga@example.org").await;
    let boris = testing::client(&db, olga.id, "boris@example.org", "Boris", "regular").await;
    assert_eq!(catcher.send(&db, &olga, "{{ comment }}", Some(boris)).await.unwrap(), "olga@example.org");
    let letter = catcher.caught.recv().await.unwrap();
    assert_eq!(letter.recipients, ["olga@example.org"]);
    let text = String::from_utf8(letter.raw).unwrap();
    assert!(text.contains("Subject: Test for Boris\r\n") && text.contains("regular"), "{text}");
    catcher.send(&db, &olga, "Hello", None).await.unwrap();
    let second = catcher.caught.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&second.raw).contains("Subject: Test for Olga\r\n"));
    assert_ne!(second.message_id, letter.message_id);
    let foreign = testing::client(&db, actor(&db, "ivan@example.org").await.id, "c@example.org", "", "").await;
    assert!(matches!(catcher.send(&db, &olga, "Hello", Some(foreign)).await, Err(Error::NotFound)));
}

async fn a_refusal_is_told_with_the_servers_words(db: Db) {
    let catcher = Catcher::new("olga@example.org rcpt reply 550 5.1.1 No such user\n").await;
    let olga = actor(&db, "olga@example.org").await;
    let send = async |body: &str| catcher.send(&db, &olga, body, None).await;
    let Err(Error::Invalid(errors)) = send("Hello").await else { panic!("taken") };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("", "error.test_send"));
    assert!(errors.0[0].args[0].1.contains("550") && errors.0[0].args[0].1.contains("No such user"), "{errors:?}");
    let Err(Error::Invalid(errors)) = send("{{ x }}").await else { panic!("taken") };
    assert_eq!(errors.0[0].field, "body");
    assert_eq!(catcher.sink.accepted(), 0);
}

/// Each counts as one of the owner's day, and nothing that cannot leave asks for what all share.
async fn the_days_limit_holds_for_test_letters_too(db: Db) {
    let catcher = Catcher::new("").await;
    let olga = actor(&db, "olga@example.org").await;
    let mut tx = db.begin().await.unwrap();
    limits::set(&mut tx, olga.id, UserLimits { clients: None, letters: Some(2) }).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(catcher.send(&db, &olga, "{{ x }}", None).await, Err(Error::Invalid(_))));
    assert!(matches!(catcher.send(&db, &olga, "Hello", Some(7)).await, Err(Error::NotFound)));
    assert_eq!(catcher.asked.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        catcher.send(&db, &olga, "Hello", None).await.unwrap();
    }
    let third = catcher.send(&db, &olga, "Hello", None).await;
    assert!(matches!(third, Err(Error::Conflict("error.test_limit"))), "{third:?}");
    assert_eq!(limits::letters_on(&db, olga.id, now()).await.unwrap(), 2);
    assert!(limits::is_used_up(&db, olga.id, 2, now()).await.unwrap(), "mailings wait, too");
    catcher.send_at(&db, &olga, "Hello", None, now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!((catcher.asked.load(Ordering::Relaxed), catcher.sink.accepted()), (3, 3));
}

/// A letter of which nobody knows whether it left counts, since it may have.
async fn what_certainly_did_not_leave_is_given_back_to_the_day(db: Db) {
    let doubtful = "ivan@example.org dot drop-after\n";
    let catcher = Catcher::new(&format!("olga@example.org rcpt reply 550 5.1.1 No such user\n{doubtful}")).await;
    let (olga, ivan) = (actor(&db, "olga@example.org").await, actor(&db, "ivan@example.org").await);
    let left = async |actor: &Actor| limits::letters_on(&db, actor.id, now()).await.unwrap();
    assert!(catcher.send(&db, &olga, "Hello", None).await.is_err());
    assert_eq!(left(&olga).await, 0, "refused");
    let away = || async { Err::<(Relay, ()), _>(Error::Conflict("error.test_limit")) };
    assert!(send(&db, catcher.post(), &olga, &form("Hello"), None, now(), away).await.is_err());
    assert_eq!(left(&olga).await, 0, "no mail server");
    assert!(catcher.send(&db, &ivan, "Hello", None).await.is_err());
    assert_eq!(left(&ivan).await, 1, "in doubt");
}

/// Without a limit on letters, too.
async fn nobody_uses_up_with_test_letters_what_all_share(db: Db) {
    let catcher = Catcher::new("").await;
    let (olga, ivan) = (actor(&db, "olga@example.org").await, actor(&db, "ivan@example.org").await);
    let mut sent = 0;
    let refused = loop {
        match catcher.send(&db, &olga, "Hello", None).await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    // Twenty are free, and each one from then on makes the next one wait.
    assert!(matches!(refused, Error::Conflict("error.test_often")) && sent == 21, "{sent}: {refused:?}");
    assert_eq!(catcher.asked.load(Ordering::Relaxed), sent);
    assert_eq!(limits::letters_on(&db, olga.id, now()).await.unwrap(), 21, "a refused one counts for nothing");
    catcher.send(&db, &ivan, "Hello", None).await.unwrap();
    catcher.send_at(&db, &olga, "Hello", None, now() + TimeDelta::seconds(30)).await.unwrap();
}

testing::on_both!(
    goes_to_the_writer_with_the_chosen_client_in_it,
    a_refusal_is_told_with_the_servers_words,
    the_days_limit_holds_for_test_letters_too,
    what_certainly_did_not_leave_is_given_back_to_the_day,
    nobody_uses_up_with_test_letters_what_all_share,
);
