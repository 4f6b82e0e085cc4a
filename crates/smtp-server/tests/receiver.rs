//! The receiver as strangers meet it: over sockets, with what they should not say.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use vestnik_smtp_server::{Mailroom, NotNow, Received, Receiver, ReceiverConfig, tls};

/// Takes letters for addresses that begin with `b-`.
#[derive(Default)]
struct Room {
    taken: Mutex<Vec<Received>>,
    busy: AtomicBool,
}

impl Mailroom for Room {
    fn accepts(&self, address: &str) -> bool {
        address.starts_with("b-") && address.ends_with("@bounces.example.org")
    }

    fn take(&self, letter: Received) -> Pin<Box<dyn Future<Output = Result<(), NotNow>> + Send + '_>> {
        Box::pin(async move {
            if self.busy.load(Ordering::Relaxed) {
                return Err(NotNow);
            }
            self.taken.lock().unwrap().push(letter);
            Ok(())
        })
    }
}

impl Room {
    fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

async fn start(change: impl FnOnce(&mut ReceiverConfig)) -> (Receiver, Arc<Room>) {
    let mut config = ReceiverConfig::new(([127, 0, 0, 1], 0).into(), "mx.example.org".into(), None);
    config.idle = Duration::from_secs(10);
    change(&mut config);
    let room = Arc::new(Room::default());
    (Receiver::start(config, room.clone()).await.unwrap(), room)
}

const ENVELOPE: &str = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b-x@bounces.example.org>\r\nDATA\r\n";

/// Says all at once, and gives what is answered until the server closes or is quiet.
async fn talk(server: &Receiver, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(said).await.unwrap();
    heard(&mut stream).await
}

async fn heard(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(length @ 1..)) = tokio::time::timeout(Duration::from_millis(700), stream.read(&mut buffer)).await {
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_bounce_is_taken_as_it_came() {
    let (server, room) = start(|_| {}).await;
    let answer = talk(&server, format!("{ENVELOPE}Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n").as_bytes()).await;
    assert!(answer.contains("354 ") && answer.contains("250 2.0.0 Taken") && answer.contains("221 "), "{answer}");
    assert!(answer.contains("250 SIZE 524288") && !answer.contains("AUTH") && !answer.contains("STARTTLS"), "{answer}");
    let taken = room.taken.lock().unwrap();
    assert_eq!(taken[0].raw, b"Subject: x\r\n\r\n.dot\r\n");
    assert_eq!((taken[0].sender.as_str(), taken[0].recipients[0].as_str()), ("", "b-x@bounces.example.org"));
}

#[tokio::test]
async fn it_relays_nothing_and_knows_nobody_else() {
    let (server, room) = start(|_| {}).await;
    for address in
        ["anna@example.net", "b-x@example.net", "postmaster", "b-x%example.net@bounces.example.org@example.net"]
    {
        let said = format!("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<{address}>\r\nDATA\r\n");
        let answer = talk(&server, said.as_bytes()).await;
        assert!(!answer.contains("354") && answer.contains("554 5.5.1"), "{answer}");
    }
    let answer = talk(&server, b"EHLO a\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nMAIL FROM:<a@b>\r\n").await;
    assert!(answer.contains("502 5.5.1"), "{answer}");
    let answer = talk(&server, b"MAIL FROM:<a@b>\r\nVRFY b-x\r\n").await;
    assert!(answer.contains("503 5.5.1 EHLO first") && answer.contains("252 "), "{answer}");
    assert_eq!(room.count(), 0);
}

#[tokio::test]
async fn each_recipient_has_a_letter_of_its_own() {
    let (server, room) = start(|_| {}).await;
    let second = ENVELOPE.replace("DATA", "RCPT TO:<b-y@bounces.example.org>\r\nDATA");
    let answer = talk(&server, format!("{second}Subject: x\r\n\r\none\r\n.\r\nQUIT\r\n").as_bytes()).await;
    assert!(answer.contains("452 4.5.3 "), "{answer}");
    assert_eq!(room.count(), 1);
}

#[tokio::test]
async fn whoever_guesses_addresses_is_sent_away() {
    let (server, _) = start(|_| {}).await;
    let said = format!("EHLO a\r\nMAIL FROM:<>\r\n{}", "RCPT TO:<b-x@example.net>\r\n".repeat(100));
    let answer = talk(&server, said.as_bytes()).await;
    assert_eq!(answer.matches("550 5.1.1").count(), 10);
    assert!(answer.ends_with("421 4.7.0 Too many addresses that are not here\r\n"), "{answer}");
    assert_eq!(server.refused(), 10);
    let answer = talk(&server, format!("EHLO a\r\n{}", "NOOP\r\n".repeat(100)).as_bytes()).await;
    assert!(answer.ends_with("421 4.7.0 Too much of that\r\n"), "{answer}");
}

#[tokio::test]
async fn no_letter_smuggles_in_another() {
    for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n.\r"] {
        let (server, room) = start(|_| {}).await;
        let said = format!(
            "{ENVELOPE}Subject: x\r\n\r\none{end}MAIL FROM:<>\r\nRCPT TO:<b-y@bounces.example.org>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n"
        );
        let answer = talk(&server, said.as_bytes()).await;
        assert!(answer.contains("550 5.6.0"), "{}: {answer}", end.escape_debug());
        assert_eq!(answer.matches("354 ").count(), 1, "{}: {answer}", end.escape_debug());
        assert_eq!(room.count(), 0, "{}", end.escape_debug());
    }
    let (server, room) = start(|_| {}).await;
    let answer = talk(&server, b"EHLO a\nMAIL FROM:<>\n").await;
    assert!(answer.ends_with("521 5.5.2 A line must end with CR and LF\r\n"), "{answer}");
    let answer = talk(&server, b"EHLO a\r\nMAIL FROM:<>\rRCPT TO:<b-x@bounces.example.org>\r\n").await;
    assert!(answer.ends_with("521 5.5.2 A line must end with CR and LF\r\n"), "{answer}");
    assert_eq!(room.count(), 0);
}

#[tokio::test]
async fn a_letter_that_is_too_large_is_not_kept() {
    let (server, room) = start(|config| config.max_size = 10_000).await;
    let answer = talk(&server, b"EHLO a\r\nMAIL FROM:<> SIZE=10001\r\n").await;
    assert!(answer.contains("552 5.3.4"), "{answer}");
    let large = "x".repeat(98) + "\r\n";
    let said = format!("{ENVELOPE}{}.\r\nNOOP\r\n", large.repeat(200));
    let answer = talk(&server, said.as_bytes()).await;
    assert!(answer.ends_with("552 5.3.4 Letter too large\r\n250 2.0.0 OK\r\n"), "{answer}");
    // Without an end the connection is closed soon.
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(ENVELOPE.as_bytes()).await.unwrap();
    let mut written = 0;
    while written < 100_000_000 && stream.write_all(large.repeat(100).as_bytes()).await.is_ok() {
        written += 10_000;
    }
    assert!(written < 100_000_000, "{written}");
    assert_eq!(room.count(), 0);
}

#[tokio::test]
async fn what_cannot_be_kept_comes_again() {
    let (server, room) = start(|_| {}).await;
    room.busy.store(true, Ordering::Relaxed);
    let letter = format!("{ENVELOPE}Subject: x\r\n\r\n.\r\n");
    assert!(talk(&server, letter.as_bytes()).await.ends_with("451 4.3.0 Not now, try again later\r\n"));
    room.busy.store(false, Ordering::Relaxed);
    assert!(talk(&server, letter.as_bytes()).await.ends_with("250 2.0.0 Taken\r\n"));
    assert_eq!(room.count(), 1);
}

#[tokio::test]
async fn many_slow_connections_keep_nobody_else_out() {
    let (server, room) =
        start(|config| (config.connections_each, config.idle) = (20, Duration::from_millis(600))).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(TcpStream::connect(server.addr()).await.unwrap());
    }
    let answer = talk(&server, b"").await;
    assert!(answer.starts_with("421 4.7.0 mx.example.org Too many connections"), "{answer}");
    // They say nothing, and lose their places.
    let start = Instant::now();
    let letter = format!("{ENVELOPE}Subject: x\r\n\r\n.\r\n");
    while room.count() == 0 && start.elapsed() < Duration::from_secs(20) {
        let _ = talk(&server, letter.as_bytes()).await;
    }
    assert_eq!(room.count(), 1);
    drop(slow);
}

/// One letter after the other is taken, and none beside another.
async fn one_is_read_at_a_time(change: impl FnOnce(&mut ReceiverConfig)) {
    let (server, room) = start(change).await;
    let mut first = TcpStream::connect(server.addr()).await.unwrap();
    first.write_all(ENVELOPE.as_bytes()).await.unwrap();
    assert!(heard(&mut first).await.contains("354 "));
    assert!(talk(&server, ENVELOPE.as_bytes()).await.ends_with("451 4.3.2 Too busy, try again later\r\n"));
    first.write_all(b"x\r\n.\r\n").await.unwrap();
    assert!(heard(&mut first).await.contains("250 2.0.0 Taken"));
    assert!(talk(&server, format!("{ENVELOPE}x\r\n.\r\n").as_bytes()).await.contains("250 2.0.0 Taken"));
    assert_eq!(room.count(), 2);
}

#[tokio::test]
async fn letters_in_reading_are_few() {
    one_is_read_at_a_time(|config| config.letters = 1).await;
}

#[tokio::test]
async fn one_address_reads_few_of_all_letters() {
    one_is_read_at_a_time(|config| (config.letters, config.letters_each) = (8, 1)).await;
}

#[tokio::test]
async fn a_letter_that_drips_holds_its_place_for_so_long_and_no_longer() {
    let (server, room) = start(|config| {
        config.letters = 1;
        config.letter = Duration::from_millis(200);
    })
    .await;
    let mut slow = TcpStream::connect(server.addr()).await.unwrap();
    slow.write_all(ENVELOPE.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = slow.split();
    let drip = async {
        // Each byte comes in time, and the letter never ends.
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut said = String::new();
    tokio::select! { _ = reader.read_to_string(&mut said) => {}, () = drip => {} }
    assert!(said.contains("354 ") && said.ends_with("421 4.4.2 Too slow, try again later\r\n"), "{said}");
    let answer = talk(&server, format!("{ENVELOPE}Subject: x\r\n\r\none\r\n.\r\nQUIT\r\n").as_bytes()).await;
    assert!(answer.contains("250 2.0.0 Taken") && room.count() == 1, "{answer}");
}

#[tokio::test]
async fn what_was_said_before_tls_counts_for_nothing() {
    let (acceptor, pem) = tls::self_signed(&["mx.example.org".into()]).unwrap();
    let (server, room) = start(|config| config.tls = Some(acceptor)).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    // Said behind STARTTLS in the clear, as somebody on the way would put it in.
    let injected = "EHLO a\r\nSTARTTLS\r\nEHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b-x@bounces.example.org>\r\n";
    stream.write_all(injected.as_bytes()).await.unwrap();
    let answer = heard(&mut stream).await;
    assert!(answer.contains("250-STARTTLS") && answer.ends_with("220 2.0.0 Ready to start TLS\r\n"), "{answer}");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("mx.example.org").unwrap();
    let mut secure = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
    secure.write_all(b"DATA\r\nEHLO a\r\nQUIT\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = secure.read_to_string(&mut answer).await;
    assert!(answer.starts_with("503 5.5.1 EHLO first\r\n250-mx.example.org\r\n"), "{answer}");
    assert!(!answer.contains("STARTTLS"), "{answer}");
    assert_eq!(room.count(), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let (server, _) = start(|_| {}).await;
    let config = ReceiverConfig::new(server.addr(), "mx".into(), None);
    let Err(error) = Receiver::start(config, Arc::new(Room::default())).await else { panic!("two on one port") };
    assert!(error.to_string().contains(&server.addr().to_string()), "{error}");
}
