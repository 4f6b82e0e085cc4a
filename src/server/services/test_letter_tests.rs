use super::*;
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::server::clock::ManualClock;
use crate::server::config::Config;
use crate::server::db::users::NewUser;
use crate::server::db::{Db, testing, users};
use crate::server::engine::Wake;
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A service whose mail server is a catcher that behaves as the scenario says.
async fn service(db: Db, scenario: &str) -> (AppState, Sink, mpsc::Receiver<CaughtLetter>) {
    let clock = ManualClock::new("2026-05-04T10:00:00Z".parse().unwrap());
    let (sender, receiver) = mpsc::channel(8);
    let config = SinkConfig { scenario: Scenario::parse(scenario).unwrap(), ..SinkConfig::default() };
    let sink = Sink::start(config, clock.clone(), Some(sender)).await.unwrap();
    let relay = Relay::parse(&format!("smtp://{}?tls=none", sink.addr())).unwrap();
    let config = Config {
        database_url: String::new(),
        data_dir: Default::default(),
        addr: ([127, 0, 0, 1], 0).into(),
        public_url: "http://127.0.0.1".to_owned(),
        relay: None,
        timeouts: Timeouts::default(),
        from: EmailAddress::parse("vestnik@example.org").unwrap(),
        secret: "0123456789abcdef0123456789abcdef".to_owned().into(),
        retry: Vec::new(),
        site_dir: Default::default(),
        dev_reload: None,
    };
    let state = AppState {
        db,
        clock,
        config: Arc::new(config),
        relay: Arc::new(relay),
        catching: true,
        wake: Wake::default(),
        stop: CancellationToken::new(),
    };
    (state, sink, receiver)
}

async fn olga(state: &AppState) -> Actor {
    let new = NewUser {
        email: "olga@example.org",
        email_key: "olga@example.org",
        name: "Olga",
        password_hash: "",
        role: Role::User,
        zone: "UTC",
        lang: Lang::En,
        confirmed_at: Some(state.clock.now()),
        now: state.clock.now(),
    };
    let mut tx = state.db.begin().await.unwrap();
    let id = users::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    Actor::prove(&users::by_id(&state.db, id).await.unwrap().unwrap(), Permission::Own).unwrap()
}

fn form(body: &str) -> MessageForm {
    MessageForm { id: 0, subject: "Test for {{ full_name }}".to_owned(), body: body.to_owned() }
}

#[tokio::test]
async fn goes_to_the_writer_with_the_chosen_client_in_it() {
    let (db, _folder) = testing::sqlite().await;
    let (state, _sink, mut caught) = service(db, "").await;
    let olga = olga(&state).await;
    let new = db::clients::NewClient {
        email: EmailAddress::parse("boris@example.org").unwrap(),
        full_name: "Boris".to_owned(),
        comment: "regular".to_owned(),
    };
    let mut tx = state.db.begin().await.unwrap();
    let boris = db::clients::insert(&mut tx, olga.id, &new, state.clock.now()).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(send(&state, &olga, &form("{{ comment }}"), Some(boris)).await.unwrap(), "olga@example.org");
    let letter = caught.recv().await.unwrap();
    assert_eq!(letter.recipients, ["olga@example.org"]);
    let text = String::from_utf8(letter.raw).unwrap();
    assert!(text.contains("Subject: Test for Boris\r\n") && text.contains("regular"), "{text}");
    send(&state, &olga, &form("Hello"), None).await.unwrap();
    let second = caught.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&second.raw).contains("Subject: Test for Olga\r\n"));
    assert_ne!(second.message_id, letter.message_id);
    assert!(matches!(send(&state, &olga, &form("Hello"), Some(boris + 1)).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_refusal_is_told_with_the_servers_words() {
    let (db, _folder) = testing::sqlite().await;
    let (state, sink, _caught) = service(db, "olga@example.org rcpt reply 550 5.1.1 No such user\n").await;
    let olga = olga(&state).await;
    let Err(Error::Invalid(errors)) = send(&state, &olga, &form("Hello"), None).await else { panic!("taken") };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("", "error.test_send"));
    assert!(errors.0[0].args[0].1.contains("550") && errors.0[0].args[0].1.contains("No such user"), "{errors:?}");
    let Err(Error::Invalid(errors)) = send(&state, &olga, &form("{{ x }}"), None).await else { panic!("taken") };
    assert_eq!(errors.0[0].field, "body");
    assert_eq!(sink.accepted(), 0);
}
