//! Relays against mail servers on real sockets, with the clock in hand.

use super::{Pool, PoolConfig, Source};
use crate::domain::delivery::{AttemptStatus, DeliveryState};
use crate::domain::email::EmailAddress;
use crate::domain::mailing::RunState;
use crate::domain::relay::{Cause, Limits, RelaySettings, RelayState, TlsMode};
use crate::forms::mailings::MailingForm;
use crate::server::clock::{Clock, ManualClock};
use crate::server::db::relays::Stored;
use crate::server::db::{Db, attempts, deliveries, on_tx, relays, runs, testing};
use crate::server::engine::{Engine, EngineConfig};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::relay::Relay;
use crate::server::mail::script::{Script, Step, say};
use crate::server::mail::timeouts::Timeouts;
use crate::server::services::testing::actor;
use crate::server::services::{Actor, mailings};
use crate::server::sink::{CaughtLetter, Scenario, Sink, SinkConfig};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A service with clients and a message; relays and engines are added.
struct World {
    db: Db,
    clock: Arc<ManualClock>,
    actor: Actor,
    message: i64,
    clients: usize,
}

/// A mail server that catches.
struct Server {
    sink: Sink,
    caught: mpsc::Receiver<CaughtLetter>,
}

impl Server {
    async fn start(world: &World, faults: &str) -> Self {
        Self::at(world, faults, ([127, 0, 0, 1], 0).into()).await
    }

    async fn at(world: &World, faults: &str, listen: std::net::SocketAddr) -> Self {
        let (sender, caught) = mpsc::channel(10_000);
        let credentials = Some(("anna".to_owned(), "right".to_owned()));
        let scenario = Scenario::parse(faults).unwrap();
        // Without AUTH it asks for nothing; with it, for the right password.
        let credentials = faults.contains("# asks").then_some(credentials).flatten();
        let config = SinkConfig { listen, scenario, credentials, ..SinkConfig::default() };
        let sink = Sink::start(config, world.clock.clone(), Some(sender)).await.unwrap();
        Self { sink, caught }
    }

    fn port(&self) -> u16 {
        self.sink.addr().port()
    }

    fn url(&self, options: &str) -> String {
        format!("smtp://localhost:{}?{options}", self.port())
    }

    /// When letters came, since the last call.
    fn arrived(&mut self) -> Vec<(String, DateTime<Utc>)> {
        let mut arrived = Vec::new();
        while let Ok(letter) = self.caught.try_recv() {
            arrived.push((letter.recipients[0].clone(), letter.at));
        }
        arrived
    }
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

impl World {
    async fn new(db: Db, clients: usize) -> Self {
        let actor = actor(&db, "olga@example.org").await;
        for n in 0..clients {
            testing::client(&db, actor.id, &format!("c{n}@example.org"), "", "").await;
        }
        let message = testing::message(&db, actor.id, "Hello", "Hello {{ email }}").await;
        Self { db, clock: ManualClock::new(noon()), actor, message, clients }
    }

    fn pool(&self, source: Source) -> Pool {
        let timeouts = Timeouts::parse("connect=1s,greeting=1s,ehlo=9s,mail=9s,rcpt=9s,data=9s,body=9s,dot=9s");
        let config = PoolConfig { source, timeouts: timeouts.unwrap(), hello: None, secret: secret() };
        Pool::new(self.db.clone(), self.clock.clone(), config)
    }

    /// What comes of it while the clock goes on, as fast as the machine bears: where letters under way take up a
    /// limit, others wait for a moment of the clock until they are done.
    async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        let moments = async {
            for _ in 0..10_000 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.clock.advance(TimeDelta::milliseconds(100));
            }
        };
        tokio::select! {
            done = work => done,
            () = moments => panic!("it does not end"),
        }
    }

    /// An engine whose first relay is at the address, and its pool.
    fn engine(&self, url: &str) -> (Engine, Pool) {
        self.engine_with(self.pool(Source::Settings(Relay::parse(url).unwrap())))
    }

    fn engine_with(&self, pool: Pool) -> (Engine, Pool) {
        let config = EngineConfig {
            timeouts: Timeouts::default(),
            from: EmailAddress::parse("service@vestnik.example").unwrap(),
            secret: secret(),
            retry: vec![Duration::from_secs(300)],
            dkim: None,
            returns: None,
            tokens: DeliveryTokens::new(b"a secret of the tests", []),
            site: "https://mail.example.org".to_owned(),
            data_dir: None,
        };
        let engine = Engine::new(self.db.clone(), self.clock.clone(), config, pool.clone(), CancellationToken::new());
        (engine, pool)
    }

    /// Adds a relay on the page.
    async fn add(&self, name: &str, port: u16, limits: Limits) -> i64 {
        let settings = RelaySettings {
            id: 0,
            name: name.to_owned(),
            host: "localhost".to_owned(),
            port,
            tls: TlsMode::None,
            user: String::new(),
            has_password: false,
            connections: 3,
            limits,
            priority: 0,
            enabled: true,
        };
        let mut tx = self.db.begin().await.unwrap();
        let id = relays::save(&mut tx, &Stored { settings, sealed: String::new() }, noon()).await.unwrap();
        tx.commit().await.unwrap();
        id.unwrap()
    }

    async fn mailing(&self) -> i64 {
        let form = MailingForm {
            message: self.message,
            clients: "all".into(),
            start: "now".into(),
            end: "2026-12-24T12:00:00Z".into(),
            zone: "UTC".into(),
            period: "once".into(),
            policy: "resend".into(),
            ..MailingForm::default()
        };
        mailings::create(&self.db, &self.actor, &form, self.clock.now()).await.unwrap()
    }

    /// Every delivery of the newest run: its state, and its attempts' status and relay.
    async fn record(&self, mailing: i64) -> BTreeMap<String, (DeliveryState, Vec<(AttemptStatus, String)>)> {
        let run = runs::of_mailing(&self.db, mailing, 1).await.unwrap().remove(0);
        let mut record = BTreeMap::new();
        for row in deliveries::list(&self.db, run.id, None, "", 0, 10_000).await.unwrap() {
            let tries = attempts::of_delivery(&self.db, row.id).await.unwrap();
            let tries = tries.into_iter().map(|attempt| (attempt.status, attempt.relay)).collect();
            record.insert(row.email, (row.state, tries));
        }
        assert_eq!(record.len(), self.clients);
        record
    }

    /// Nobody has been tried, and nobody is given up.
    async fn untouched(&self, mailing: i64) {
        for (email, (state, tries)) in self.record(mailing).await {
            assert_eq!((state, tries), (DeliveryState::Pending, vec![]), "{email}");
        }
    }

    /// Everybody got the letter at the first try, through this relay.
    async fn sent_by(&self, mailing: i64, relay: &str) {
        for (email, (state, tries)) in self.record(mailing).await {
            assert_eq!((state, tries), (DeliveryState::Sent, vec![(AttemptStatus::Sent, relay.to_owned())]), "{email}");
        }
    }
}

fn secret() -> SecretString {
    "a secret of the tests, long enough".to_owned().into()
}

async fn first(pool: &Pool) -> crate::domain::relay::RelayLive {
    pool.overview().await.unwrap().relays.remove(0).live
}

/// What is wrong costs nobody a try, shows on the page, and the second relay does the work.
async fn is_made_good_by_the_second_relay(world: &World, url: &str, state: RelayState, cause: Cause) {
    let (engine, pool) = world.engine(url);
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.untouched(mailing).await;
    let live = first(&pool).await;
    assert_eq!((live.state, live.trouble.map(|trouble| trouble.fault.cause)), (state, Some(cause)), "{url}");
    assert!(engine.summary().relay_trouble.is_some());
    let alerts = usize::from(state == RelayState::Paused || cause.is_tls());
    assert_eq!((pool.alerts().len(), pool.breakers()[0].1), (alerts, state == RelayState::Resting), "{url}");

    let second = Server::start(world, "").await;
    let id = world.add("Second", second.port(), Limits::default()).await;
    pool.reload().await.unwrap();
    world.clock.advance(TimeDelta::seconds(2));
    engine.pass(None).await.unwrap();
    world.sent_by(mailing, &format!("localhost:{}", second.port())).await;
    assert_eq!(engine.summary().relay_trouble, None);
    let mut tx = world.db.begin().await.unwrap();
    relays::delete(&mut tx, id).await.unwrap();
    relays::resume(&mut tx, 0).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_server_that_cannot_be_reached(db: Db) {
    let world = World::new(db, 3).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resting = |cause| (RelayState::Resting, cause);
    for (url, (state, cause)) in [
        (format!("smtp://{free}?connections=2"), resting(Cause::Unreachable)),
        ("smtp://no-such-host.invalid?tls=none&connections=2".to_owned(), resting(Cause::Dns)),
    ] {
        is_made_good_by_the_second_relay(&world, &url, state, cause).await;
    }
}

async fn a_server_that_takes_no_connection(db: Db) {
    let world = World::new(db, 3).await;
    // The queue of one that never accepts: when it is full, the system drops what else comes.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        held.push(stream);
    }
    let url = format!("smtp://{address}?connections=2");
    is_made_good_by_the_second_relay(&world, &url, RelayState::Resting, Cause::Timeout).await;
}

async fn a_server_that_will_not_talk(db: Db) {
    let world = World::new(db, 3).await;
    for (faults, cause) in [
        ("connection greeting silence", Cause::Timeout),
        ("connection greeting drip 1b/400ms", Cause::Timeout),
        ("connection greeting drop", Cause::Closed),
        ("connection greeting garbage", Cause::Protocol),
        ("connection greeting endless", Cause::Protocol),
        ("connection greeting reply 421 4.3.2 Not now", Cause::Reply),
        ("connection greeting reply 554 5.7.1 Not you", Cause::Reply),
        ("connection ehlo reply 550 5.7.1 Not you", Cause::Reply),
        ("connection ehlo drop", Cause::Closed),
    ] {
        let server = Server::start(&world, faults).await;
        let url = server.url("tls=none&connections=2");
        is_made_good_by_the_second_relay(&world, &url, RelayState::Resting, cause).await;
        assert_eq!(server.sink.accepted(), 0, "{faults}");
    }
}

async fn required_encryption_is_never_done_without(db: Db) {
    let world = World::new(db, 3).await;
    for (faults, cause) in [
        ("connection no-starttls", Cause::NoStarttls),
        ("connection starttls reply 454 4.7.0 Not now", Cause::Reply),
        ("connection starttls reply 501 5.5.4 No", Cause::Reply),
        ("connection starttls drop", Cause::Closed),
        // The certificate that the server has made for itself.
        ("", Cause::UnknownIssuer),
    ] {
        let server = Server::start(&world, faults).await;
        let url = server.url("tls=required&connections=2");
        is_made_good_by_the_second_relay(&world, &url, RelayState::Resting, cause).await;
        assert_eq!(server.sink.accepted(), 0, "{faults}");
    }
    let ehlo = vec![say("220 hi"), Step::Expect("EHLO"), say("250-x\r\n250 STARTTLS")];
    let injected = vec![Step::Expect("STARTTLS"), say("220 go\r\n250 forged"), Step::Nothing];
    let script = Script::start([ehlo, injected].concat()).await;
    let url = format!("smtp://localhost:{}?tls=required&connections=1", script.port);
    is_made_good_by_the_second_relay(&world, &url, RelayState::Resting, Cause::Injected).await;
    script.end().await;
}

async fn a_refused_password_pauses_until_somebody_acts(db: Db) {
    let world = World::new(db, 3).await;
    let server = Server::start(&world, "# asks\n").await;
    let url = format!("smtp://anna:wrong@localhost:{}?connections=5", server.port());
    is_made_good_by_the_second_relay(&world, &url, RelayState::Paused, Cause::Reply).await;
    assert_eq!(server.sink.connections(), 1, "one try, not one for each connection");

    let (engine, pool) = world.engine(&url);
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    assert_eq!(pool.alerts().len(), 1);
    // Neither time nor a restart changes it.
    world.clock.advance(TimeDelta::hours(5));
    let (restarted, pool) = world.engine(&url);
    restarted.pass(None).await.unwrap();
    assert_eq!((server.sink.connections(), pool.alerts().len()), (2, 1));
    world.untouched(mailing).await;
    // Other settings do, and so does somebody who says: again.
    let mut tx = world.db.begin().await.unwrap();
    relays::resume(&mut tx, 0).await.unwrap();
    tx.commit().await.unwrap();
    pool.reload().await.unwrap();
    restarted.pass(None).await.unwrap();
    assert_eq!((server.sink.connections(), pool.alerts().len()), (3, 1));
    let (right, pool) = world.engine(&url.replace("wrong", "right"));
    right.pass(None).await.unwrap();
    assert_eq!(pool.alerts(), []);
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
}

async fn a_password_that_cannot_be_checked_now_is_tried_later(db: Db) {
    let world = World::new(db, 3).await;
    let server = Server::start(&world, "# asks\nconnection auth reply 454 4.7.0 Not now times=1").await;
    let (engine, pool) = world.engine(&format!("smtp://anna:right@localhost:{}?connections=3", server.port()));
    assert_eq!(engine.summary().relay_trouble, None, "nothing is known yet");
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.untouched(mailing).await;
    let live = first(&pool).await;
    assert_eq!((live.state, live.until), (RelayState::Resting, Some(noon() + TimeDelta::seconds(1))));
    world.clock.advance(TimeDelta::seconds(1));
    engine.pass(None).await.unwrap();
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
}

async fn connections_are_closed_before_the_server_does(db: Db) {
    let world = World::new(db, 30).await;
    let server = Server::start(&world, "connection close-after 3").await;
    let (engine, pool) = world.engine(&server.url("connections=1"));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
    assert_eq!(first(&pool).await.per_connection, Some(3));
    // Ten of three letters each; the one that was put back may need an eleventh.
    assert!((10..=11).contains(&server.sink.connections()), "{}", server.sink.connections());
    assert_eq!(engine.summary().put_back, 1, "the one letter from which it was learned");
}

async fn a_server_that_bears_two_connections_gets_two(db: Db) {
    let world = World::new(db, 40).await;
    let server = Server::start(&world, "connection=3 greeting reply 421 4.7.0 Too many\n* dot delay 5ms").await;
    let (engine, pool) = world.engine(&server.url("connections=20"));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
    let live = first(&pool).await;
    assert_eq!((live.state, live.open), (RelayState::Ready, 0));
    assert!(live.trouble.is_some() && live.allowed < 20, "{live:?}");
}

/// Within the time for which the number is kept: the clock stands still.
async fn bears_one_connection(db: Db, greeting: &str) {
    let world = World::new(db, 200).await;
    let turned_away = |n: usize| format!("connection={n} greeting {greeting}\n");
    let faults: String = (2..7).map(turned_away).collect();
    let server = Server::start(&world, &faults).await;
    let (engine, pool) = world.engine(&server.url("connections=10"));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    // Where the first one had no session yet when the others were turned away, the server is known to rest.
    if engine.summary().relay_trouble.is_some() {
        world.clock.advance(TimeDelta::seconds(2));
        engine.pass(None).await.unwrap();
    }
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
    assert_eq!(first(&pool).await.allowed, 1);
    // Those with which it begins, and one for what was put back.
    assert!(server.sink.connections() <= 8, "{} connections for 200 letters", server.sink.connections());
}

async fn a_server_that_bears_one_connection_is_not_asked_for_another_at_each_letter(db: Db) {
    bears_one_connection(db, "reply 421 4.7.0 Too many").await;
}

async fn a_server_that_refuses_a_second_connection_for_good_is_not_asked_at_each_letter(db: Db) {
    bears_one_connection(db, "reply 554 5.7.0 Too many connections").await;
}

async fn a_server_that_closes_a_second_connection_is_not_asked_at_each_letter(db: Db) {
    bears_one_connection(db, "drop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_its_place_keeps_no_letters() {
    let (db, _folder) = testing::sqlite().await;
    let world = World::new(db, 200).await;
    // Its connection breaks in mid-run, and the server takes no other one.
    let faults = "every=20 rcpt drop times=1\nconnection=4 greeting reply 421 4.7.0 Too many\n* dot delay 2ms";
    let server = Server::start(&world, faults).await;
    let (engine, _) = world.engine(&server.url("connections=3"));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.clock.advance(TimeDelta::minutes(6));
    engine.pass(None).await.unwrap();
    assert!(world.record(mailing).await.values().all(|(state, _)| *state == DeliveryState::Sent));
    assert!(engine.summary().put_back > 1, "what it had armed for afterwards, too: {:?}", engine.summary());
}

/// Places that nobody needs make it look as if others were at work.
async fn one_letter_is_tried_again_where_many_places_are_idle(db: Db) {
    let world = World::new(db, 1).await;
    let server = Server::start(&world, "connection=1 greeting reply 421 4.7.0 Too many").await;
    let (engine, _) = world.engine(&server.url("connections=5"));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    // Where no other worker had its place yet, or still, the server is known to rest.
    if engine.summary().relay_trouble.is_some() {
        world.untouched(mailing).await;
        world.clock.advance(TimeDelta::seconds(2));
        engine.pass(None).await.unwrap();
    }
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
}

async fn more_connections_are_used_at_once(db: Db) {
    let world = World::new(db, 120).await;
    let mut server = Server::start(&world, "* dot delay 20ms").await;
    let id = world.add("Only", server.port(), Limits::default()).await;
    let connections = async |connections: i64| {
        let mut tx = world.db.begin().await.unwrap();
        let sql = "UPDATE relays SET connections = $2 WHERE id = $1";
        on_tx!(&mut tx, conn => sqlx::query(sql).bind(id).bind(connections).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    };
    connections(1).await;
    let (engine, pool) = world.engine_with(world.pool(Source::Nothing));
    pool.reload().await.unwrap();
    world.mailing().await;
    let passed = tokio::spawn(async move { engine.pass(None).await });
    server.caught.recv().await.unwrap();
    connections(4).await;
    pool.reload().await.unwrap();
    passed.await.unwrap().unwrap();
    assert_eq!(server.arrived().len(), 119);
    assert!(server.sink.connections() > 3, "the old one is closed, and {} were opened", server.sink.connections());
}

async fn what_is_stopped_is_not_in_the_queue(db: Db) {
    let world = World::new(db, 3).await;
    // Nobody listens on the discard port.
    let (engine, pool) = world.engine("smtp://127.0.0.1:9?tls=none");
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    let report = async || {
        let report = pool.overview().await.unwrap();
        (report.queue, report.oldest_due)
    };
    assert_eq!(report().await, (3, Some(noon())));
    mailings::pause(&world.db, &world.actor, mailing, noon()).await.unwrap();
    assert_eq!(report().await, (0, None));
}

async fn the_second_relay_takes_over_in_mid_run_until_the_first_is_back(db: Db) {
    let world = World::new(db, 60).await;
    let mut one = Server::start(&world, "* dot delay 5ms").await;
    let mut two = Server::start(&world, "").await;
    world.add("Second", two.port(), Limits::default()).await;
    let (engine, pool) = world.engine(&one.url("connections=3"));
    pool.reload().await.unwrap();
    let mailing = world.mailing().await;
    let pass = tokio::spawn({
        let engine = engine.clone();
        async move { engine.pass(None).await }
    });
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..10 {
        *seen.entry(one.caught.recv().await.unwrap().recipients[0].clone()).or_default() += 1;
    }
    let address = one.sink.addr();
    one.sink.stop().await;
    pass.await.unwrap().unwrap();
    while runs::of_mailing(&world.db, mailing, 1).await.unwrap()[0].state == RunState::Open {
        world.clock.advance(TimeDelta::minutes(6));
        engine.pass(None).await.unwrap();
    }
    while let Some(letter) = one.caught.recv().await {
        *seen.entry(letter.recipients[0].clone()).or_default() += 1;
    }
    let by_two = two.arrived();
    assert!(by_two.len() >= 30, "{}", by_two.len());
    for (recipient, _) in by_two {
        *seen.entry(recipient).or_default() += 1;
    }
    assert_eq!(seen.len(), 60, "nobody is lost");
    let twice = seen.values().filter(|n| **n > 1).count();
    assert!(twice <= 3, "at most one for each connection that was cut off: {twice}");

    // Back: the letters go by the second until a probe has got through.
    let mut one = Server::at(&world, "", address).await;
    world.clock.advance(TimeDelta::minutes(2));
    let mailing = world.mailing().await;
    engine.pass(None).await.unwrap();
    while first(&pool).await.state != RelayState::Ready {
        tokio::task::yield_now().await;
    }
    let earlier = (one.arrived().len(), two.arrived().len());
    assert_eq!(earlier.0 + earlier.1, 60);
    let next = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.sent_by(next, &format!("localhost:{}", address.port())).await;
    assert_eq!((one.arrived().len(), two.arrived().len()), (60, 0));
    assert!(world.record(mailing).await.values().all(|(state, _)| *state == DeliveryState::Sent));
}

/// The most letters in any window of this width, wherever it begins.
fn most_within(arrived: &[(String, DateTime<Utc>)], width: TimeDelta) -> usize {
    let within = |from: DateTime<Utc>| arrived.iter().filter(|(_, at)| *at >= from && *at < from + width).count();
    arrived.iter().map(|(_, at)| within(*at)).max().unwrap_or(0)
}

async fn a_limit_for_any_second_is_kept(db: Db) {
    let world = World::new(db, 25).await;
    let mut server = Server::start(&world, "").await;
    let (engine, _) = world.engine(&server.url("connections=10&second=4"));
    let mailing = world.mailing().await;
    let pass = tokio::spawn(async move { engine.pass(None).await });
    while !pass.is_finished() {
        // The engine gets a moment of real time for each moment of the clock.
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.clock.advance(TimeDelta::milliseconds(20));
    }
    pass.await.unwrap().unwrap();
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
    let arrived = server.arrived();
    assert_eq!((arrived.len(), most_within(&arrived, TimeDelta::seconds(1))), (25, 4));
}

async fn limits_for_hour_and_day_outlive_a_restart_and_are_shared(db: Db) {
    let world = World::new(db, 12).await;
    let mut server = Server::start(&world, "").await;
    let mailing = world.mailing().await;
    let url = server.url("connections=5&hour=4&day=9");
    let mut hours = Vec::new();
    for _ in 0..30 {
        // Two engines at once, and new ones each time.
        let ((one, _), (two, pool)) = (world.engine(&url), world.engine(&url));
        let (a, b) = world.while_time_passes(async { tokio::join!(one.pass(None), two.pass(None)) }).await;
        a.and(b).unwrap();
        hours.push(server.arrived());
        let limits = first(&pool).await.limits;
        assert!(limits.iter().all(|limit| limit.used <= limit.limit), "{limits:?}");
        world.clock.advance(TimeDelta::minutes(61));
    }
    let all: Vec<_> = hours.concat();
    assert_eq!((all.len(), most_within(&all, TimeDelta::hours(1)), most_within(&all, TimeDelta::days(1))), (12, 4, 9));
    assert_eq!(hours[0].len(), 4, "a limit is used to its end");
    world.sent_by(mailing, &format!("localhost:{}", server.port())).await;
}

async fn what_is_over_the_first_relays_limit_goes_by_the_second(db: Db) {
    let world = World::new(db, 8).await;
    // The second is slow, so that it has taken no more than one letter a connection when the first has taken its five.
    let (mut one, mut two) = (Server::start(&world, "").await, Server::start(&world, "*@* dot delay 1s").await);
    let limits = Limits { hour: Some(5), ..Limits::default() };
    world.add("First", one.port(), limits).await;
    world.add("Second", two.port(), Limits::default()).await;
    let (engine, pool) = world.engine_with(world.pool(Source::Nothing));
    let mailing = world.mailing().await;
    world.while_time_passes(engine.pass(None)).await.unwrap();
    assert_eq!((one.arrived().len(), two.arrived().len()), (5, 3));
    assert_eq!(first(&pool).await.state, RelayState::Limited);
    assert!(world.record(mailing).await.values().all(|(_, tries)| tries.len() == 1));
}

async fn relays_change_without_a_restart(db: Db) {
    let world = World::new(db, 2).await;
    let (mut catcher, mut added) = (Server::start(&world, "").await, Server::start(&world, "").await);
    let source = Source::Catcher(Relay::parse(&catcher.url("")).unwrap());
    let (engine, pool) = world.engine_with(world.pool(source));
    world.mailing().await;
    engine.pass(None).await.unwrap();
    assert_eq!((pool.catching(), catcher.arrived().len(), added.arrived().len()), (true, 2, 0));

    let id = world.add("Added", added.port(), Limits::default()).await;
    // As in another process: it is found within seconds.
    world.clock.advance(TimeDelta::seconds(6));
    world.mailing().await;
    engine.pass(None).await.unwrap();
    assert_eq!((pool.catching(), catcher.arrived().len(), added.arrived().len()), (false, 0, 2));

    let mut tx = world.db.begin().await.unwrap();
    relays::set_enabled(&mut tx, id, false, noon()).await.unwrap();
    tx.commit().await.unwrap();
    pool.reload().await.unwrap();
    let waits = world.mailing().await;
    engine.pass(None).await.unwrap();
    world.untouched(waits).await;
    assert!(!pool.catching(), "mail that was to go out is not caught because a relay is off");

    let mut tx = world.db.begin().await.unwrap();
    relays::delete(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    pool.reload().await.unwrap();
    engine.pass(None).await.unwrap();
    assert_eq!((pool.catching(), catcher.arrived().len()), (true, 2));
}

testing::on_both!(
    a_server_that_cannot_be_reached,
    a_server_that_takes_no_connection,
    a_server_that_will_not_talk,
    required_encryption_is_never_done_without,
    a_refused_password_pauses_until_somebody_acts,
    a_password_that_cannot_be_checked_now_is_tried_later,
    connections_are_closed_before_the_server_does,
    a_server_that_bears_two_connections_gets_two,
    a_server_that_bears_one_connection_is_not_asked_for_another_at_each_letter,
    a_server_that_refuses_a_second_connection_for_good_is_not_asked_at_each_letter,
    a_server_that_closes_a_second_connection_is_not_asked_at_each_letter,
    one_letter_is_tried_again_where_many_places_are_idle,
    more_connections_are_used_at_once,
    what_is_stopped_is_not_in_the_queue,
    the_second_relay_takes_over_in_mid_run_until_the_first_is_back,
    a_limit_for_any_second_is_kept,
    limits_for_hour_and_day_outlive_a_restart_and_are_shared,
    what_is_over_the_first_relays_limit_goes_by_the_second,
    relays_change_without_a_restart,
);
