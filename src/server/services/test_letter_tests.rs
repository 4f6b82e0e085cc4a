use super::*;
use crate::server::clock::ManualClock;
use crate::server::db::testing;
use crate::server::services::testing::actor;
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use tokio::sync::mpsc;

/// A mail server that catches, and behaves as the scenario says.
struct Catcher {
    relay: Relay,
    timeouts: Timeouts,
    from: EmailAddress,
    sink: Sink,
    caught: mpsc::Receiver<CaughtLetter>,
}

impl Catcher {
    async fn new(scenario: &str) -> Self {
        let (sender, caught) = mpsc::channel(8);
        let config = SinkConfig { scenario: Scenario::parse(scenario).unwrap(), ..SinkConfig::default() };
        let sink = Sink::start(config, ManualClock::new(now()), Some(sender)).await.unwrap();
        let relay = Relay::parse(&format!("smtp://{}?tls=none", sink.addr())).unwrap();
        let from = EmailAddress::parse("vestnik@example.org").unwrap();
        Self { relay, timeouts: Timeouts::default(), from, sink, caught }
    }

    fn post(&self) -> Post<'_> {
        let secret = b"0123456789abcdef0123456789abcdef";
        Post { relay: &self.relay, timeouts: &self.timeouts, from: &self.from, secret, dkim: None }
    }
}

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn form(body: &str) -> MessageForm {
    MessageForm { id: 0, subject: "Test for {{ full_name }}".to_owned(), body: body.to_owned() }
}

async fn goes_to_the_writer_with_the_chosen_client_in_it(db: Db) {
    let mut catcher = Catcher::new("").await;
    let olga = actor(&db, "olga@example.org").await;
    let boris = testing::client(&db, olga.id, "boris@example.org", "Boris", "regular").await;
    let send = async |post: Post<'_>, body: &str, client| send(&db, post, &olga, &form(body), client, now()).await;

    assert_eq!(send(catcher.post(), "{{ comment }}", Some(boris)).await.unwrap(), "olga@example.org");
    let letter = catcher.caught.recv().await.unwrap();
    assert_eq!(letter.recipients, ["olga@example.org"]);
    let text = String::from_utf8(letter.raw).unwrap();
    assert!(text.contains("Subject: Test for Boris\r\n") && text.contains("regular"), "{text}");
    send(catcher.post(), "Hello", None).await.unwrap();
    let second = catcher.caught.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&second.raw).contains("Subject: Test for Olga\r\n"));
    assert_ne!(second.message_id, letter.message_id);
    let foreign = testing::client(&db, actor(&db, "ivan@example.org").await.id, "c@example.org", "", "").await;
    assert!(matches!(send(catcher.post(), "Hello", Some(foreign)).await, Err(Error::NotFound)));
}

async fn a_refusal_is_told_with_the_servers_words(db: Db) {
    let catcher = Catcher::new("olga@example.org rcpt reply 550 5.1.1 No such user\n").await;
    let olga = actor(&db, "olga@example.org").await;
    let send = async |body: &str| send(&db, catcher.post(), &olga, &form(body), None, now()).await;
    let Err(Error::Invalid(errors)) = send("Hello").await else { panic!("taken") };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("", "error.test_send"));
    assert!(errors.0[0].args[0].1.contains("550") && errors.0[0].args[0].1.contains("No such user"), "{errors:?}");
    let Err(Error::Invalid(errors)) = send("{{ x }}").await else { panic!("taken") };
    assert_eq!(errors.0[0].field, "body");
    assert_eq!(catcher.sink.accepted(), 0);
}

testing::on_both!(goes_to_the_writer_with_the_chosen_client_in_it, a_refusal_is_told_with_the_servers_words);
