use super::*;
use crate::domain::relay::{Cause, Speaker};
use crate::domain::user::{Permission, Role};
use crate::server::clock::ManualClock;
use crate::server::db::testing;
use crate::server::mail::script::{Script, Step, say};
use crate::server::sink::{Scenario, Sink, SinkConfig};
use secrecy::ExposeSecret;

const KEEPER: Keeper = Keeper::command_line();

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(&"0123456789abcdef0123456789abcdef".to_owned().into())
}

fn means(sealer: &Sealer) -> Means<'_> {
    Means { sealer, hello: Some("mail.example.org") }
}

fn form(port: u16) -> RelayForm {
    RelayForm {
        name: "Main".into(),
        host: "localhost".into(),
        port: port.to_string(),
        tls: "none".into(),
        user: "anna".into(),
        password: "correct horse".into(),
        enabled: true,
        ..RelayForm::default()
    }
}

async fn sink(faults: &str) -> Sink {
    let credentials = Some(("anna".to_owned(), "correct horse".to_owned()));
    let config = SinkConfig { scenario: Scenario::parse(faults).unwrap(), credentials, ..SinkConfig::default() };
    Sink::start(config, ManualClock::new(now()), None).await.unwrap()
}

fn wrong(result: Result<i64>) -> (String, String, Vec<(String, String)>) {
    match result {
        Err(Error::Invalid(errors)) => {
            let error = errors.0.into_iter().next().unwrap();
            (error.field, error.key, error.args)
        }
        other => panic!("{other:?}"),
    }
}

async fn a_relay_is_kept_without_its_password_in_sight(db: Db) {
    let sink = sink("").await;
    let port = sink.addr().port();
    let id = save(&db, KEEPER, means(&sealer()), &form(port), now()).await.unwrap();
    let stored = relays::get(&db, id).await.unwrap().unwrap();
    assert!(!stored.sealed.contains("correct horse") && stored.settings.has_password);
    let opened = sealer().open(&stored.sealed, &relays::context(&stored.settings)).unwrap();
    assert_eq!(opened.expose_secret(), "correct horse");
    assert_eq!(list(&db, KEEPER).await.unwrap(), std::slice::from_ref(&stored.settings));
    assert_eq!(wrong(save(&db, KEEPER, means(&sealer()), &form(port), now()).await).1, "error.relay.taken");

    // Without a password the stored one stays, and is tried.
    let same = RelayForm { id, password: String::new(), connections: "7".into(), ..form(port) };
    assert_eq!(save(&db, KEEPER, means(&sealer()), &same, now()).await.unwrap(), id);
    let after = relays::get(&db, id).await.unwrap().unwrap();
    assert_eq!((after.settings.connections, after.settings.has_password), (7, true));
    assert_eq!(test_stored(&db, KEEPER, means(&sealer()), id).await.unwrap().fault, None);
    // It goes to no other host, and to nobody else.
    for elsewhere in
        [RelayForm { host: "127.0.0.1".into(), ..same.clone() }, RelayForm { user: "eve".into(), ..same.clone() }]
    {
        let (field, key, _) = wrong(save(&db, KEEPER, means(&sealer()), &elsewhere, now()).await);
        assert_eq!((field.as_str(), key.as_str()), ("password", "error.relay.password_again"));
    }
    let moved = RelayForm { id, ..form(port) };
    let other = Sealer::new(&"another secret that is long enough too".to_owned().into());
    assert_eq!(wrong(save(&db, KEEPER, means(&other), &same, now()).await).1, "error.relay.sealed");
    assert_eq!(save(&db, KEEPER, means(&other), &moved, now()).await.unwrap(), id);

    set_enabled(&db, KEEPER, id, false, now()).await.unwrap();
    assert!(!get(&db, KEEPER, id).await.unwrap().enabled);
    remove(&db, KEEPER, id, now()).await.unwrap();
    for result in [get(&db, KEEPER, id).await.map(drop), remove(&db, KEEPER, id, now()).await] {
        assert!(matches!(result, Err(Error::NotFound)));
    }
    let gone = RelayForm { id, enabled: false, ..form(port) };
    assert!(matches!(save(&db, KEEPER, means(&sealer()), &gone, now()).await, Err(Error::NotFound)));
}

async fn one_that_does_not_work_is_refused_with_the_stage(db: Db) {
    let dead = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let refused = async |form: &RelayForm| {
        let (field, key, args) = wrong(save(&db, KEEPER, means(&sealer()), form, now()).await);
        (field, key, args.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
    };
    let (field, key, args) = refused(&form(dead)).await;
    assert_eq!((field.as_str(), key.as_str(), args[0].as_str()), ("host", "cause.unreachable", "TCP"));

    let server = sink("").await;
    let wrong_password = RelayForm { password: "wrong".into(), ..form(server.addr().port()) };
    let (field, key, args) = refused(&wrong_password).await;
    assert_eq!((field.as_str(), key.as_str(), args[0].as_str()), ("password", "cause.reply", "AUTH"));
    assert!(args[1].starts_with("535"), "{args:?}");

    let untrusted = RelayForm { tls: "required".into(), ..form(server.addr().port()) };
    let (field, key, args) = refused(&untrusted).await;
    assert_eq!((field.as_str(), key.as_str(), args[0].as_str()), ("tls", "cause.unknown_issuer", "TLS"));
    let plain = sink("connection no-starttls").await;
    let (_, key, _) = refused(&RelayForm { tls: "required".into(), ..form(plain.addr().port()) }).await;
    assert_eq!(key, "cause.no_starttls");
    let rude = sink("connection greeting reply 554 Go away").await;
    let (_, key, args) = refused(&form(rude.addr().port())).await;
    assert_eq!((key.as_str(), args[1].as_str()), ("cause.reply", "554 Go away"));
    let noisy = sink("connection greeting garbage").await;
    let (_, key, _) = refused(&form(noisy.addr().port())).await;
    assert_eq!(key, "cause.protocol");
    let (field, key, _) = refused(&RelayForm { host: "two words".into(), ..form(25) }).await;
    assert_eq!((field.as_str(), key.as_str()), ("host", "error.relay.host"));
    let (field, _, _) = refused(&RelayForm { password: String::new(), ..form(25) }).await;
    assert_eq!(field, "password");
    assert_eq!(list(&db, KEEPER).await.unwrap(), [], "nothing of it was stored");
    // What is off need not work.
    save(&db, KEEPER, means(&sealer()), &RelayForm { enabled: false, ..form(dead) }, now()).await.unwrap();
}

#[tokio::test]
async fn a_dialogue_shows_everything_but_secrets() {
    let (db, _folder) = testing::sqlite().await;
    let sink = sink("").await;
    let test = test(&db, KEEPER, means(&sealer()), &form(sink.addr().port())).await.unwrap();
    assert_eq!(test.fault, None);
    let said: Vec<&str> =
        test.dialogue.iter().filter(|line| line.speaker == Speaker::Us).map(|line| line.text.as_str()).collect();
    assert_eq!(said, ["EHLO mail.example.org", "AUTH PLAIN ********"]);
    let heard =
        |start: &str| test.dialogue.iter().any(|line| line.speaker == Speaker::Server && line.text.starts_with(start));
    assert!(heard("220 ") && heard("250-") && heard("235 "), "{test:?}");
}

#[tokio::test]
async fn what_a_server_repeats_of_a_secret_is_hidden_too() {
    let (db, _folder) = testing::sqlite().await;
    let login = vec![say("220 hi"), Step::Expect("EHLO"), say("250-x\r\n250 AUTH LOGIN"), Step::Expect("AUTH LOGIN")];
    let asked = vec![say("334 VXNlcm5hbWU6"), Step::Expect("YW5uYQ=="), say("334 UGFzc3dvcmQ6")];
    let refused =
        vec![Step::Expect("Y29ycmVjdCBob3JzZQ=="), say("535 5.7.8 correct horse (Y29ycmVjdCBob3JzZQ==) is wrong")];
    let script = Script::start([login, asked, refused].concat()).await;
    let test = test(&db, KEEPER, means(&sealer()), &form(script.port)).await.unwrap();
    let shown = format!("{test:?}");
    assert!(!shown.contains("horse") && !shown.contains("Y29ycmVjdCBob3JzZQ=="), "{shown}");
    let fault = test.fault.unwrap();
    assert_eq!((fault.cause, fault.detail.as_str()), (Cause::Reply, "535 5.7.8 ******** (********) is wrong"));
    script.end().await;
}

#[tokio::test]
async fn a_server_that_hangs_is_waited_for_briefly() {
    let script = Script::start(vec![Step::Silence]).await;
    let relay = relay(&form(script.port).settings(), None, None).unwrap();
    let test = try_within(&relay, &Timeouts::default(), Duration::from_millis(200)).await;
    assert_eq!(test.fault.map(|fault| fault.cause), Some(Cause::Timeout));
    script.end().await;
}

#[tokio::test]
async fn only_administrators_keep_relays() {
    let (db, _folder) = testing::sqlite().await;
    for role in Role::ALL {
        let user = testing::user(&db, &format!("{}@example.org", role.as_str()), role).await;
        assert_eq!(Actor::prove(&user, Permission::Settings).is_ok(), role == Role::Admin, "{role:?}");
    }
}

/// Of two windows on one mail server, the second one to save is told.
async fn two_windows(db: Db) {
    let off = RelayForm { enabled: false, ..form(2525) };
    let id = save(&db, KEEPER, means(&sealer()), &off, now()).await.unwrap();
    let opened = relays::get(&db, id).await.unwrap().unwrap().settings.version();
    let window = |priority: &str| RelayForm {
        id,
        password: String::new(),
        version: opened.clone(),
        priority: priority.into(),
        ..off.clone()
    };
    save(&db, KEEPER, means(&sealer()), &window("3"), now()).await.unwrap();
    let Err(Error::Invalid(errors)) = save(&db, KEEPER, means(&sealer()), &window("5"), now()).await else {
        panic!("the other window has saved")
    };
    assert_eq!(errors.0[0].key, crate::api::error::CHANGED);
    assert_eq!(relays::get(&db, id).await.unwrap().unwrap().settings.priority, 3);
    let knowingly = RelayForm { version: errors.0[0].args[0].1.clone(), ..window("5") };
    save(&db, KEEPER, means(&sealer()), &knowingly, now()).await.unwrap();
    assert_eq!(relays::get(&db, id).await.unwrap().unwrap().settings.priority, 5);
}

testing::on_both!(
    two_windows,
    a_relay_is_kept_without_its_password_in_sight,
    one_that_does_not_work_is_refused_with_the_stage
);
