//! The server seen from outside: a plain client on a real connection.

use super::*;
use crate::server::clock::ManualClock;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::path::Path;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use vestnik_smtp_server::wire;

/// Longer than any answer takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LETTER: &str = "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n";

fn clock() -> SharedClock {
    ManualClock::new("2026-03-01T10:00:00.5Z".parse().unwrap())
}

async fn sink(scenario: &str) -> Sink {
    start(SinkConfig { scenario: Scenario::parse(scenario).unwrap(), ..SinkConfig::default() }).await
}

async fn start(config: SinkConfig) -> Sink {
    Sink::start(config, clock(), None).await.unwrap()
}

struct Client<S>(S);

impl Client<TcpStream> {
    /// Connected, greeted, and EHLO done.
    async fn new(sink: &Sink) -> Self {
        let mut client = Self::raw(sink).await;
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.ask("EHLO me\r\n").await.contains("PIPELINING"));
        client
    }

    async fn raw(sink: &Sink) -> Self {
        Self(TcpStream::connect(sink.addr()).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// One reply of one or more lines; empty when the server has closed.
    async fn reply(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let from = text.len();
            while !text[from..].ends_with(b"\r\n") {
                match timeout(PATIENCE, self.0.read_u8()).await.expect("a reply in time") {
                    Ok(byte) => text.push(byte),
                    Err(_) => return String::from_utf8_lossy(&text).into_owned(),
                }
            }
            if text.get(from + 3) != Some(&b'-') {
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
    }

    async fn ask(&mut self, command: &str) -> String {
        self.send(command).await;
        self.reply().await
    }

    /// The first three characters of so many replies.
    async fn codes(&mut self, count: usize) -> Vec<String> {
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(self.reply().await.chars().take(3).collect());
        }
        codes
    }

    async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("the end in time");
        rest
    }

    /// Sends one letter as far as the 354.
    async fn until_body(&mut self) {
        self.send(LETTER).await;
        assert_eq!(self.codes(3).await, ["250", "250", "354"]);
    }
}

fn ledger(path: &Path) -> Vec<serde_json::Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn commands_in_one_segment_are_answered_in_order() {
    let sink = sink("").await;
    let mut client = Client::new(&sink).await;
    client.send("NOOP\r\nMAIL FROM:<a@x>\r\nRCPT TO:<>\r\nRCPT TO:<b@y>\r\nVRFY b\r\nDATA\r\n").await;
    assert_eq!(client.codes(6).await, ["250", "250", "501", "250", "252", "354"]);
    client.send(format!("x\r\n.\r\n{LETTER}")).await;
    assert_eq!(client.codes(4).await, ["250", "250", "250", "354"]);
    client.send(".\r\nQUIT\r\n").await;
    assert_eq!(client.codes(2).await, ["250", "221"]);
    assert!(client.rest().await.is_empty());
    assert_eq!((sink.accepted(), sink.connections()), (2, 1));
    sink.stop().await;
}

#[tokio::test]
async fn replies_to_one_segment_come_in_one_piece() {
    let shared = Shared::new(&SinkConfig::default(), clock(), None, PATIENCE).unwrap().0;
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    ours.write_all(b"EHLO me\r\nNOOP\r\nNOOP\r\nQUIT\r\n").await.unwrap();
    let mut wire = wire::Wire::new(theirs, PATIENCE);
    assert_eq!(session::Session::new(&shared, 1).open(&mut wire).await, wire::End::Closing);
    // The greeting went out before the wait for input; the rest waits for the end of the input.
    let mut bytes = [0; 1024];
    let greeting = ours.read(&mut bytes).await.unwrap();
    assert!(bytes[..greeting].starts_with(b"220 ") && bytes[..greeting].iter().filter(|&&b| b == b'\n').count() == 1);
    wire.flush().await.unwrap();
    let rest = ours.read(&mut bytes).await.unwrap();
    assert!(bytes[..rest].starts_with(b"250-") && bytes[..rest].ends_with(b"221 2.0.0 Bye\r\n"));
}

#[tokio::test]
async fn commands_out_of_order_are_refused() {
    let sink = sink("").await;
    let mut client = Client::raw(&sink).await;
    client.reply().await;
    client.send("MAIL FROM:<a@x>\r\nAUTH PLAIN AGEAYg==\r\nHELO me\r\nRCPT TO:<b@y>\r\nDATA\r\n").await;
    assert_eq!(client.codes(5).await, ["503", "503", "250", "503", "503"]);
    client.send("MAIL FROM:<a@x>\r\nMAIL FROM:<a@x>\r\nDATA\r\nRSET\r\nRCPT TO:<b@y>\r\nBLAH\r\n").await;
    assert_eq!(client.codes(6).await, ["250", "503", "554", "250", "503", "500"]);
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<я@y>\r\nRSET\r\nMAIL FROM:<a@x> SMTPUTF8\r\nRCPT TO:<я@y>\r\n").await;
    assert_eq!(client.codes(5).await, ["250", "553", "250", "250", "250"]);
}

#[tokio::test]
async fn a_letter_comes_through_unchanged() {
    let (store, mut letters) = mpsc::channel(1);
    let sink = Sink::start(SinkConfig::default(), clock(), Some(store)).await.unwrap();
    let mut client = Client::new(&sink).await;
    client.until_body().await;
    assert!(client.ask("Message-ID: <1@x>\r\n\r\n..\r\n..a\r\nb.\r\n.\r\n").await.starts_with("250 2.0.0"));
    let letter = letters.recv().await.unwrap();
    assert_eq!(
        letter,
        CaughtLetter {
            at: "2026-03-01T10:00:00.5Z".parse().unwrap(),
            connection: 1,
            sender: "a@x".into(),
            recipients: vec!["b@y".into()],
            raw: b"Message-ID: <1@x>\r\n\r\n.\r\n.a\r\nb.\r\n".to_vec(),
            message_id: Some("<1@x>".into()),
        }
    );
    drop(letters);
    client.until_body().await;
    assert!(client.ask(".\r\n").await.starts_with("451 4.3.0"));
    assert_eq!(sink.accepted(), 1);
}

#[tokio::test]
async fn the_ledger_is_written_before_the_reply() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let sink = start(SinkConfig { ledger: Some(path.clone()), ..SinkConfig::default() }).await;
    let mut client = Client::new(&sink).await;
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n").await;
    client.codes(4).await;
    client.ask("Message-ID: <1@x>\r\n\r\n.\r\n").await;
    let lines = ledger(&path);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[1],
        serde_json::json!({"recipient": "c@y", "message_id": "<1@x>", "at": "2026-03-01T10:00:00.500Z", "connection": 1})
    );
    assert!(lines[0]["at"].as_str().unwrap().parse::<DateTime<Utc>>().is_ok());
    client.until_body().await;
    client.ask(".\r\n").await;
    sink.stop().await;
    assert!(ledger(&path)[2]["message_id"].is_null());

    let again = start(SinkConfig { ledger: Some(path.clone()), ..SinkConfig::default() }).await;
    again.stop().await;
    assert_eq!(ledger(&path).len(), 3, "an old ledger is kept");
    // Cut off by a crash.
    std::fs::write(&path, "{\"recipient\":\"b@").unwrap();
    let after = start(SinkConfig { ledger: Some(path.clone()), ..SinkConfig::default() }).await;
    drop(after);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"recipient\":\"b@\n", "what follows has a line of its own");
    let nowhere = SinkConfig { ledger: Some(folder.path().join("no/such")), ..SinkConfig::default() };
    assert!(matches!(Sink::start(nowhere, clock(), None).await, Err(SinkError::Ledger { .. })));
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_refuses_the_letter() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let sink = start(SinkConfig { ledger: Some(full.into()), ..SinkConfig::default() }).await;
    let mut client = Client::new(&sink).await;
    client.until_body().await;
    assert!(client.ask(".\r\n").await.starts_with("452 4.3.1"));
    assert_eq!(sink.accepted(), 0);
}

#[tokio::test]
async fn many_connections_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let sink = start(SinkConfig { ledger: Some(path.clone()), ..SinkConfig::default() }).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut client = Client::new(&sink).await;
        tasks.spawn(async move {
            for _ in 0..50 {
                client.until_body().await;
                assert!(client.ask("x\r\n.\r\n").await.starts_with("250"));
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!((sink.accepted(), ledger(&path).len()), (1000, 1000));
}

#[tokio::test]
async fn starttls_begins_anew_and_forgets_injected_commands() {
    let sink = sink("").await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sink.certificate().unwrap().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = Client::raw(&sink).await;
    client.reply().await;
    assert!(client.ask("EHLO me\r\n").await.contains("250-STARTTLS\r\n"));
    // The RSET would be answered before anything else if it survived.
    assert!(client.ask("STARTTLS\r\nRSET\r\n").await.starts_with("220"));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, client.0).await.unwrap();
    let mut client = Client(stream);
    assert!(client.ask("MAIL FROM:<a@x>\r\n").await.starts_with("503"), "EHLO is needed again");
    assert!(!client.ask("EHLO me\r\n").await.contains("STARTTLS"));
    assert!(client.ask("STARTTLS\r\n").await.starts_with("503"));
    client.until_body().await;
    assert!(client.ask("x\r\n.\r\n").await.starts_with("250"));
    assert!(client.ask("QUIT\r\n").await.starts_with("221"));
}

#[tokio::test]
async fn without_tls_starttls_is_not_offered() {
    let plain = start(SinkConfig { starttls: false, ..SinkConfig::default() }).await;
    assert!(Client::new(&plain).await.ask("STARTTLS\r\n").await.starts_with("502"));
    let faulty = sink("connection=1 no-starttls").await;
    assert!(Client::new(&faulty).await.ask("STARTTLS\r\n").await.starts_with("502"));
    assert!(Client::new(&faulty).await.ask("STARTTLS\r\n").await.starts_with("220"));
}

#[tokio::test]
async fn auth_in_all_its_forms() {
    let credentials = Some(("u".to_string(), "п".to_string()));
    let strict = start(SinkConfig { credentials, ..SinkConfig::default() }).await;
    let mut client = Client::new(&strict).await;
    let right = STANDARD.encode("\0u\0п");
    assert!(client.ask("MAIL FROM:<a@x>\r\n").await.starts_with("530"));
    assert!(client.ask("AUTH PLAIN AGEAYg==\r\n").await.starts_with("535 5.7.8"));
    assert!(client.ask("AUTH PLAIN !\r\n").await.starts_with("501"));
    assert!(client.ask("AUTH CRAM-MD5\r\n").await.starts_with("504"));
    assert_eq!(client.ask("AUTH PLAIN\r\n").await, "334 \r\n");
    assert!(client.ask("*\r\n").await.starts_with("501"));
    assert_eq!(client.ask("AUTH PLAIN\r\n").await, "334 \r\n");
    assert!(client.ask(&format!("{right}\r\n")).await.starts_with("235"));
    assert!(client.ask(&format!("AUTH PLAIN {right}\r\n")).await.starts_with("503"));
    assert!(client.ask("MAIL FROM:<a@x>\r\n").await.starts_with("250"));

    let mut client = Client::new(&strict).await;
    assert_eq!(client.ask("AUTH LOGIN\r\n").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.ask("dQ==\r\n").await, "334 UGFzc3dvcmQ6\r\n");
    assert!(client.ask(&format!("{}\r\n", STANDARD.encode("п"))).await.starts_with("235"));

    let lenient = sink("").await;
    assert!(Client::new(&lenient).await.ask("AUTH PLAIN AGEAYg==\r\n").await.starts_with("235"));
}

#[tokio::test]
async fn a_letter_too_large_is_refused_and_the_session_goes_on() {
    let sink = start(SinkConfig { max_size: 100, ..SinkConfig::default() }).await;
    let mut client = Client::new(&sink).await;
    assert!(client.ask("MAIL FROM:<a@x> SIZE=101\r\n").await.starts_with("552 5.3.4"));
    client.until_body().await;
    let large = format!("{}\r\n", "x".repeat(70)).repeat(1000);
    assert!(client.ask(&format!("{large}.\r\n")).await.starts_with("552 5.3.4"));
    client.until_body().await;
    assert!(client.ask(&format!("{}\r\n.\r\n", "x".repeat(98))).await.starts_with("250"));
    assert_eq!(sink.accepted(), 1);
}

#[tokio::test]
async fn hostile_input_is_bounded() {
    let sink = sink("").await;
    let mut client = Client::new(&sink).await;
    client.send(vec![b'x'; 1_000_000]).await;
    assert!(client.ask("\r\n").await.starts_with("500 5.5.2"));
    client.send(b"\xff\xfe\r\n\0\r\n\r\n").await;
    assert_eq!(client.codes(3).await, ["500", "500", "500"]);
    client.send("AUTH PLAIN\r\n").await;
    client.reply().await;
    client.send(vec![b'A'; 20_000]).await;
    assert!(client.ask("\r\n").await.starts_with("501"));
    assert!(client.ask("MAIL FROM:<a@x>\r\n").await.starts_with("250"));
    for number in 0..1001 {
        let reply = client.ask(&format!("RCPT TO:<r{number}@y>\r\n")).await;
        assert!(reply.starts_with(if number < 1000 { "250" } else { "452 4.5.3" }), "{number}: {reply}");
    }
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let (shared, _) = Shared::new(&SinkConfig::default(), clock(), None, Duration::from_millis(50)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    let stream = listener.accept().await.unwrap().0;
    let server = tokio::spawn(async move { connection(&shared, stream, 1).await });
    assert!(client.reply().await.starts_with("220"));
    assert!(client.reply().await.starts_with("421 4.4.2"));
    drop(client);
    timeout(PATIENCE, server).await.unwrap().unwrap();
}

#[tokio::test]
async fn stop_closes_what_is_open() {
    let sink = sink("").await;
    let mut client = Client::new(&sink).await;
    timeout(PATIENCE, sink.stop()).await.unwrap();
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn a_recipient_is_put_off_once() {
    let sink = sink("grey*@y rcpt reply 451 4.7.1 Later times=1\nbad@y rcpt reply 550 5.1.1 No\\nnever").await;
    let mut client = Client::new(&sink).await;
    client.ask("MAIL FROM:<a@x>\r\n").await;
    assert_eq!(client.ask("RCPT TO:<grey1@y>\r\n").await, "451 4.7.1 Later\r\n");
    assert_eq!(client.ask("RCPT TO:<bad@y>\r\n").await, "550-5.1.1 No\r\n550 5.1.1 never\r\n");
    assert!(client.ask("DATA\r\n").await.starts_with("554"), "neither was taken");
    assert!(client.ask("RCPT TO:<grey1@y>\r\n").await.starts_with("250"));
    assert!(client.ask("RCPT TO:<grey2@y>\r\n").await.starts_with("451"));
    assert!(client.ask("RCPT TO:<bad@y>\r\n").await.starts_with("550"));
}

#[tokio::test]
async fn replies_replaced_at_every_stage() {
    for (stage, command) in [
        ("ehlo", "EHLO me\r\n"),
        ("starttls", "STARTTLS\r\n"),
        ("auth", "AUTH PLAIN AGEAYg==\r\n"),
        ("mail", "MAIL FROM:<a@x>\r\n"),
        ("quit", "QUIT\r\n"),
    ] {
        let sink = sink(&format!("connection {stage} reply 454 4.3.0 Not today times=1")).await;
        let mut client = Client::raw(&sink).await;
        client.reply().await;
        if stage != "ehlo" {
            client.ask("EHLO me\r\n").await;
        }
        assert_eq!(client.ask(command).await, "454 4.3.0 Not today\r\n", "{stage}");
        if stage == "quit" {
            assert!(client.rest().await.is_empty());
        } else {
            assert!(client.ask(command).await.starts_with('2'), "{stage}");
        }
    }
    for (stage, sent) in [("connect", ""), ("greeting", ""), ("data", LETTER)] {
        let sink = sink(&format!("connection {stage} reply 421 4.3.2 Going down")).await;
        let mut client = Client::raw(&sink).await;
        if !sent.is_empty() {
            client.reply().await;
            client.ask("EHLO me\r\n").await;
            client.send(sent).await;
            client.codes(2).await;
        }
        assert_eq!(client.rest().await, b"421 4.3.2 Going down\r\n", "{stage}");
    }
    let sink = sink("connection greeting reply 554 5.3.2 Closed").await;
    let mut client = Client::raw(&sink).await;
    client.send("EHLO me\r\nQUIT\r\n").await;
    assert_eq!(client.codes(3).await, ["554", "503", "221"]);
}

#[tokio::test]
async fn replies_to_the_body_and_its_dot() {
    let sink =
        sink("bad@y dot reply 554 5.7.1 Spam times=1\nbad@y dot reply 250 2.0.0 Fine\nmid@y body reply 552 5.2.2 Full")
            .await;
    let mut client = Client::new(&sink).await;
    for (expected, accepted) in [("554 5.7.1 Spam\r\n", 0), ("250 2.0.0 Fine\r\n", 1)] {
        client.send("MAIL FROM:<a@x>\r\nRCPT TO:<bad@y>\r\nDATA\r\n").await;
        client.codes(3).await;
        assert_eq!(client.ask("x\r\n.\r\n").await, expected);
        assert_eq!(sink.accepted(), accepted);
    }
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<mid@y>\r\nDATA\r\n").await;
    client.codes(3).await;
    assert!(client.ask("half a letter").await.starts_with("552 5.2.2"));
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn connections_dropped_before_and_after_the_dot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    for (fault, accepted) in [("dot drop", 0), ("dot drop-after", 1), ("body drop", 0), ("data drop", 0)] {
        std::fs::write(&path, "").unwrap();
        let scenario = Scenario::parse(&format!("*@y {fault}")).unwrap();
        let sink = start(SinkConfig { scenario, ledger: Some(path.clone()), ..SinkConfig::default() }).await;
        let mut client = Client::new(&sink).await;
        if fault == "data drop" {
            client.send(LETTER).await;
            assert_eq!(client.codes(2).await, ["250", "250"], "earlier replies still come");
        } else {
            client.until_body().await;
            client.send("x\r\n.\r\n").await;
        }
        assert!(client.rest().await.is_empty(), "{fault}");
        assert_eq!((sink.accepted(), ledger(&path).len()), (accepted, accepted as usize), "{fault}");
        sink.stop().await;
    }
    let sink = sink("connection=1 connect drop").await;
    assert!(Client::raw(&sink).await.rest().await.is_empty());
    Client::new(&sink).await;
}

#[tokio::test]
async fn silence_keeps_the_connection_open() {
    let sink = sink("*@y rcpt silence").await;
    let mut client = Client::new(&sink).await;
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n").await;
    assert!(client.reply().await.starts_with("250"));
    assert!(timeout(Duration::from_millis(100), client.0.read_u8()).await.is_err());
    client.send("NOOP\r\n").await;
    assert!(timeout(Duration::from_millis(100), client.0.read_u8()).await.is_err());
    timeout(PATIENCE, sink.stop()).await.unwrap();
}

#[tokio::test]
async fn garbage_is_no_reply() {
    let sink = sink("connection mail garbage times=1").await;
    let mut client = Client::new(&sink).await;
    client.send("MAIL FROM:<a@x>\r\nNOOP\r\n").await;
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"250 2.0.0 Ok\r\n") {
        bytes.push(timeout(PATIENCE, client.0.read_u8()).await.unwrap().unwrap());
    }
    assert!(std::str::from_utf8(&bytes).is_err());
    assert!(client.ask("RCPT TO:<b@y>\r\n").await.starts_with("503"), "the command had no effect");
}

#[tokio::test]
async fn endless_goes_on_until_the_client_has_had_enough() {
    let sink = sink("connection ehlo endless").await;
    let mut client = Client::raw(&sink).await;
    client.reply().await;
    client.send("EHLO me\r\n").await;
    let mut bytes = vec![0; 200_000];
    timeout(PATIENCE, client.0.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert!(bytes.split(|&b| b == b'\n').all(|line| line.starts_with(b"250-") || line.len() < 4));
    drop(client);
}

#[tokio::test]
async fn delay_and_drip_take_their_time() {
    let sink = sink("connection mail delay 60ms\n*@y rcpt drip 1b/10ms").await;
    let mut client = Client::new(&sink).await;
    let begin = std::time::Instant::now();
    assert_eq!(client.ask("MAIL FROM:<a@x>\r\n").await, "250 2.1.0 Ok\r\n");
    assert!(begin.elapsed() >= Duration::from_millis(60));
    let begin = std::time::Instant::now();
    assert_eq!(client.ask("RCPT TO:<b@y>\r\n").await, "250 2.1.5 Ok\r\n");
    assert!(begin.elapsed() >= Duration::from_millis(130), "14 bytes, 13 pauses");
}

#[tokio::test]
async fn a_connection_ends_after_so_many_letters() {
    let sink = sink("connection close-after 2\nconnection no-pipelining").await;
    let mut client = Client::raw(&sink).await;
    client.reply().await;
    assert!(!client.ask("EHLO me\r\n").await.contains("PIPELINING"));
    for _ in 0..2 {
        client.until_body().await;
        assert!(client.ask(".\r\n").await.starts_with("250"));
    }
    client.send(LETTER).await;
    assert!(client.rest().await.starts_with(b"421 4.7.0"));
    assert_eq!(sink.accepted(), 2);
}

/// Feeds a session through a pipe in the given pieces, and returns all its replies.
async fn replies(input: &[u8], cuts: &[usize]) -> Vec<u8> {
    let config = SinkConfig { starttls: false, max_size: 500, ..SinkConfig::default() };
    let (shared, _) = Shared::new(&config, clock(), None, PATIENCE).unwrap();
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (mut read, mut write) = tokio::io::split(ours);
    let server = async {
        let mut wire = wire::Wire::new(theirs, PATIENCE);
        let end = session::Session::new(&shared, 1).open(&mut wire).await;
        let _ = wire.flush().await;
        drop(wire);
        end
    };
    let client = async {
        let (mut rest, mut cuts) = (input, cuts.iter().cycle());
        while !rest.is_empty() {
            let cut = cuts.next().map_or(rest.len(), |cut| (*cut).min(rest.len()));
            if write.write_all(&rest[..cut]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
            rest = &rest[cut..];
        }
        let _ = write.shutdown().await;
        let mut out = Vec::new();
        let _ = read.read_to_end(&mut out).await;
        out
    };
    tokio::join!(server, client).1
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "EHLO me\r\n",
        "MAIL FROM:<a@x>\r\n",
        "RCPT TO:<b@y>\r\n",
        "DATA\r\n",
        "x\r\n.\r\n",
        "..\r\n",
        ".\r\n",
        "RSET\r\n",
        "AUTH LOGIN\r\n",
        "dQ==\r\n",
        "NOOP\n",
        "QUIT\r\n",
        "\r\n",
    ]);
    prop_oneof![8 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..30)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_network_may_cut_where_it_likes(
        pieces in prop::collection::vec(piece(), 0..30),
        cuts in prop::collection::vec(1usize..40, 1..10),
    ) {
        let mut input = b"EHLO me\r\n".to_vec();
        input.extend(pieces.concat());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let whole = runtime.block_on(replies(&input, &[]));
        prop_assert!(whole.starts_with(b"220 "));
        prop_assert_eq!(whole, runtime.block_on(replies(&input, &cuts)));
    }
}

/// Another program's client, from the envelope to the text that arrives.
#[tokio::test]
async fn takes_letters_of_a_client_that_is_not_ours() {
    use lettre::transport::smtp::authentication::Credentials;
    use lettre::{Message, SmtpTransport, Transport};
    let (sender, mut caught) = mpsc::channel(1);
    let config =
        SinkConfig { credentials: Some(("anna".into(), "secret".into())), starttls: false, ..SinkConfig::default() };
    let sink = Sink::start(config, clock(), Some(sender)).await.unwrap();
    let port = sink.addr().port();
    let letter = Message::builder()
        .from("Anna <anna@example.org>".parse().unwrap())
        .to("client@example.net".parse().unwrap())
        .subject("Привет")
        .body(".dots\r\n..more\r\n".to_owned())
        .unwrap();
    let sent = tokio::task::spawn_blocking(move || {
        let transport = |password: &str| {
            let credentials = Credentials::new("anna".to_owned(), password.to_owned());
            SmtpTransport::builder_dangerous("127.0.0.1").port(port).credentials(credentials).build()
        };
        (transport("wrong").send(&letter).is_ok(), transport("secret").send(&letter).is_ok())
    });
    assert_eq!(sent.await.unwrap(), (false, true));
    let letter = caught.recv().await.unwrap();
    assert_eq!(
        (letter.sender.as_str(), letter.recipients),
        ("anna@example.org", vec!["client@example.net".to_owned()])
    );
    assert!(String::from_utf8_lossy(&letter.raw).contains("\r\n\r\n.dots\r\n..more\r\n"));
}
