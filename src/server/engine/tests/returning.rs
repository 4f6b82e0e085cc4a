//! The way back: each letter's own envelope sender, the listener, and what follows for the next run.

use super::*;
use crate::domain::suppression::{Reason, Source};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::return_path::{ReturnAddress, ReturnPath};
use crate::server::receive;
use crate::server::services::suppressions as ledger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn paths() -> ReturnPath {
    let tokens = DeliveryTokens::new(b"a secret of the tests, long enough", []);
    ReturnPath::new(tokens, "bounces.example.org".into())
}

/// Says all of it to a server and gives its last reply.
async fn say(addr: std::net::SocketAddr, said: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A bounce to an address, as a mail server brings it.
fn bounce(to: &str, recipient: &str) -> String {
    format!(
        "EHLO mx.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\n\
         From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n.\r\nQUIT\r\n"
    )
}

/// A world whose letters have envelope senders of their own.
async fn with_a_way_back(db: Db) -> World {
    let mut world = World::new(db, &FOUR, "").await;
    let tokens = paths().tokens().clone();
    let config = EngineConfig { returns: Some(paths()), tokens, ..config() };
    let relays = pool(&world.db, &world.clock, &world.sink.addr().to_string());
    world.engine = Engine::new(world.db.clone(), world.clock.clone(), config, relays, CancellationToken::new());
    world
}

async fn an_address_whose_letter_came_back_gets_no_other(db: Db) {
    let mut world = with_a_way_back(db).await;
    let first = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let run = world.runs(first).await.remove(0);
    let record = world.record(run.id).await;
    let mut senders = BTreeMap::new();
    while let Ok(letter) = world.caught.try_recv() {
        senders.insert(letter.recipients[0].clone(), letter.sender);
    }
    assert_eq!(senders.len(), 4);
    for (recipient, sender) in &senders {
        assert_eq!(paths().read(sender), Some(ReturnAddress::Bounce(record[recipient].0.id)), "{sender}");
    }

    let listen = ([127, 0, 0, 1], 0).into();
    let domain = "bounces.example.org";
    let server = receive::start(listen, domain, paths(), world.db.clone(), world.clock.clone()).await.unwrap();
    let answer = say(server.addr(), &bounce(&senders["b@example.org"], "b@example.org")).await;
    assert!(answer.contains("250 2.0.0 Taken"), "{answer}");
    let answer = say(server.addr(), &bounce("b-nobody@bounces.example.org", "c@example.org")).await;
    assert!(answer.contains("550 5.1.1") && answer.contains("554 5.5.1") && !answer.contains("Taken"), "{answer}");
    server.stop().await;

    let detail = service::detail(&world.db, &world.actor, first, world.clock.now()).await.unwrap();
    assert_eq!((detail.returned.returned, detail.returned.complained), (1, 0));
    assert_eq!(world.runs(first).await[0].counts.sent, 4, "what was sent stays on record");
    let id = record["b@example.org"].0.id;
    let delivery = service::delivery(&world.db, &world.actor, first, id).await.unwrap();
    assert_eq!(delivery.returned[0].class, "no_address");

    let second = world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), ["a@example.org", "c@example.org", "d@example.org"]);
    assert_eq!(world.runs(second).await[0].counts.not_sent, 1);
}

async fn what_cannot_be_kept_comes_again(db: Db) {
    let world = World::new(db, &FOUR, "").await;
    let listen = ([127, 0, 0, 1], 0).into();
    let domain = "bounces.example.org";
    let server = receive::start(listen, domain, paths(), world.db.clone(), world.clock.clone()).await.unwrap();
    world.db.close().await;
    let answer = say(server.addr(), &bounce(&paths().bounce(1), "a@example.org")).await;
    assert!(answer.contains("451 4.3.0"), "{answer}");
    let taken = receive::start(server.addr(), domain, paths(), world.db.clone(), world.clock.clone()).await;
    assert!(taken.is_err_and(|why| why.starts_with("VESTNIK_RECEIVE: ")));
}

/// The address after `mailto:` in a letter's `List-Unsubscribe`.
fn mailto(letter: &[u8]) -> String {
    let text = String::from_utf8_lossy(letter);
    let field = text.split("\r\nList-Unsubscribe: ").nth(1).expect("a way to leave");
    let address = field.split("<mailto:").nth(1).expect("an address to write to");
    address.split(['?', '>']).next().unwrap().to_owned()
}

async fn a_letter_to_the_address_in_the_header_leaves(db: Db) {
    let mut world = with_a_way_back(db).await;
    world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    let mut addresses = BTreeMap::new();
    while let Ok(letter) = world.caught.try_recv() {
        addresses.insert(letter.recipients[0].clone(), mailto(&letter.raw));
    }
    let listen = ([127, 0, 0, 1], 0).into();
    let domain = "bounces.example.org";
    let server = receive::start(listen, domain, paths(), world.db.clone(), world.clock.clone()).await.unwrap();
    // As a mail program writes, from whatever address its user has by now.
    let said = format!(
        "EHLO mail.example.net\r\nMAIL FROM:<somebody@example.net>\r\nRCPT TO:<{}>\r\nDATA\r\n\
         From: somebody@example.net\r\nSubject: unsubscribe\r\n\r\n.\r\nQUIT\r\n",
        addresses["b@example.org"]
    );
    for _ in 0..2 {
        let answer = say(server.addr(), &said).await;
        assert!(answer.contains("250 2.0.0 Taken"), "{answer}");
    }
    server.stop().await;
    let left =
        ledger::list(&world.db, &world.actor, &ledger::Listing::default(), "", world.clock.now()).await.unwrap().rows;
    let left: Vec<_> = left.iter().map(|entry| (entry.email.as_str(), entry.reason, entry.source)).collect();
    assert_eq!(left, [("b@example.org", Reason::Unsubscribed, Source::Mailto)]);
    world.mailing("now", TOMORROW, "once", "resend").await;
    world.engine.pass(None).await.unwrap();
    assert_eq!(world.arrived().into_keys().collect::<Vec<_>>(), ["a@example.org", "c@example.org", "d@example.org"]);
}

testing::on_both!(
    an_address_whose_letter_came_back_gets_no_other,
    what_cannot_be_kept_comes_again,
    a_letter_to_the_address_in_the_header_leaves,
);
