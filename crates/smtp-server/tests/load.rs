//! Measures of the receiver under load, with what it may cost; run them in a release build:
//! `cargo test --release -p vestnik-smtp-server --test load -- --ignored --nocapture --test-threads 1`.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vestnik_smtp_server::{Mailroom, NotNow, Received, Receiver, ReceiverConfig};

/// Counts letters and forgets them.
#[derive(Default)]
struct Room(AtomicUsize);

impl Mailroom for Room {
    fn accepts(&self, address: &str) -> bool {
        address == "b-x@bounces.example.org"
    }

    fn take(&self, _: Received) -> Pin<Box<dyn Future<Output = Result<(), NotNow>> + Send + '_>> {
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }
}

async fn start() -> (Receiver, Arc<Room>) {
    let mut config = ReceiverConfig::new(([127, 0, 0, 1], 0).into(), "mx.example.org".into(), None);
    // All come from this machine here.
    config.connections_each = 400;
    config.letters_each = 64;
    let room = Arc::new(Room::default());
    (Receiver::start(config, room.clone()).await.unwrap(), room)
}

/// Memory of this process in MiB, the test's own included.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

/// Connections that send a letter of 20 KiB after the other until the time is up.
async fn letters(server: &Receiver, time: Duration) {
    let addr = server.addr();
    let mut senders = tokio::task::JoinSet::new();
    let until = Instant::now() + time;
    for _ in 0..20 {
        senders.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let body = format!("Subject: x\r\n\r\n{}.\r\n", "a line of a bounce, as long as they are\r\n".repeat(500));
            let letter = format!("MAIL FROM:<>\r\nRCPT TO:<b-x@bounces.example.org>\r\nDATA\r\n{body}");
            stream.write_all(b"EHLO a\r\n").await.unwrap();
            let mut answer = vec![0; 4096];
            while Instant::now() < until {
                stream.write_all(letter.as_bytes()).await.unwrap();
                let mut said = String::new();
                while !said.contains("250 2.0.0") {
                    let n = stream.read(&mut answer).await.unwrap();
                    assert!(n > 0, "{said}");
                    said += &String::from_utf8_lossy(&answer[..n]);
                }
            }
        });
    }
    senders.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measure"]
async fn letters_a_second_beside_slow_connections() {
    let (server, room) = start().await;
    let before = memory();
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        stream.write_all(b"EHLO a\r\nMAIL FR").await.unwrap();
        slow.push(stream);
    }
    let time = Duration::from_secs(10);
    letters(&server, time).await;
    let rate = room.0.load(Ordering::Relaxed) as u64 / time.as_secs();
    let grown = memory().saturating_sub(before);
    println!("{rate} letters of 20 KiB a second beside 200 slow connections, {grown} MiB more");
    assert!(rate >= 1000 && grown < 100, "{rate} {grown}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measure"]
async fn a_letter_of_a_gibibyte_costs_no_memory() {
    let (server, room) = start().await;
    let before = memory();
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b-x@bounces.example.org>\r\nDATA\r\n").await.unwrap();
    let block = "x".repeat(998) + "\r\n";
    let block = block.repeat(64);
    let (mut sent, mut most) = (0, 0);
    // It need not read to the end.
    while sent < 1 << 30 && stream.write_all(block.as_bytes()).await.is_ok() {
        sent += block.len();
        if sent % (16 << 20) < block.len() {
            most = most.max(memory().saturating_sub(before));
        }
    }
    println!("{} MiB were read of a letter of 1024, {most} MiB more", sent >> 20);
    assert!(room.0.load(Ordering::Relaxed) == 0 && most < 50, "{most}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measure"]
async fn a_hundred_thousand_guesses_find_nothing() {
    let (server, room) = start().await;
    let (before, began) = (memory(), Instant::now());
    let mut guesses = 0;
    while guesses < 100_000 {
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        let said: String = (0..20).map(|n| format!("RCPT TO:<b-{guesses}{n}@bounces.example.org>\r\n")).collect();
        // The server hangs up before all is said.
        let _ = stream.write_all(format!("EHLO a\r\nMAIL FROM:<>\r\n{said}").as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        guesses += String::from_utf8_lossy(&answer).matches("550 5.1.1").count();
    }
    let grown = memory().saturating_sub(before);
    println!("{} guesses in {:?}, {grown} MiB more", guesses, began.elapsed());
    assert!(server.refused() >= 100_000 && room.0.load(Ordering::Relaxed) == 0 && grown < 50, "{grown}");
}
