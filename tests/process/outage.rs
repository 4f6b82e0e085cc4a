//! The database goes away in mid-send and comes back: nothing is forgotten, nothing recorded falsely.

use crate::support::{World, ask, get, until};
use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A way to the database that can be cut: all connections end and new ones do too, as while PostgreSQL is
/// restarted.
pub struct Way {
    pub port: u16,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    pub fn to(server: String) -> Self {
        Self::from(TcpListener::bind("127.0.0.1:0").unwrap(), server)
    }

    pub fn from(listener: TcpListener, server: String) -> Self {
        let port = listener.local_addr().unwrap().port();
        let way = Self { port, open: Arc::new(AtomicBool::new(true)), streams: Arc::default() };
        let (open, streams) = (way.open.clone(), way.streams.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                if !open.load(Ordering::SeqCst) {
                    continue;
                }
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                streams.lock().unwrap().extend([client, server]);
            }
        });
        way
    }

    pub fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn heal(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

#[test]
fn postgres_restarted_in_mid_send() {
    let (mut world, way) = World::behind_a_way();
    world.mail(5, "*@* dot delay 10ms");
    let mailing = world.mailing(300, "resend");
    let mut worker = world.work();
    for letters in [20, 120] {
        until("some letters are out", || world.ledger().len() >= letters);
        way.cut();
        worker.says("the record cannot be written");
        way.heal();
    }
    until("all have got it", || world.show(&mailing).0 == "finished");
    assert_eq!((world.states(&mailing)["sent"], world.ledger().len(), world.duplicates()), (300, 300, 0));
    worker.signal("TERM");
    assert!(worker.end().success());
}

/// Functions, as scripts and as plain forms call them, answer as soon as pages do; what was typed comes back, but for
/// passwords.
#[test]
fn functions_say_at_once_that_postgres_is_away() {
    let (mut world, way) = World::behind_a_way();
    world.mail(1, "");
    let (mut service, addr) = world.serve();
    let form = "form%5Bemail%5D=anna%22%40example.org&form%5Bpassword%5D=a+secret+word&form%5Bnext%5D=%2Fclients";
    let post = |path: &str, accept: &str, kind: &str| {
        let headers = [format!("Accept: {accept}"), format!("Content-Type: {kind}")];
        let begun = Instant::now();
        (ask(&addr, "POST", path, &headers, form).unwrap(), begun.elapsed())
    };
    let urlencoded = "application/x-www-form-urlencoded";
    assert_ne!(post("/api/login", "application/json", urlencoded).0.status, 503);
    way.cut();
    until("pages say that it is away", || get(&addr, "/login", &[]).is_ok_and(|(status, _)| status == 503));
    for (path, accept, kind) in [
        ("/api/login", "application/json", urlencoded),
        ("/api/login", "text/html", urlencoded),
        ("/api/register", "text/html", urlencoded),
        ("/clients/upload", "text/html", "multipart/form-data; boundary=x"),
    ] {
        let (answer, took) = post(path, accept, kind);
        assert!(answer.status == 503 && took < Duration::from_secs(2), "{path}: {} in {took:?}", answer.status);
        assert!(answer.head.to_lowercase().contains("retry-after: "), "{}", answer.head);
        match (accept, path) {
            ("application/json", _) => assert_eq!(answer.body, "\"Unavailable\""),
            (_, "/clients/upload") => {}
            _ => {
                assert!(answer.body.contains(&format!("<form method=\"post\" action=\"{path}\">")), "{}", answer.body);
                assert!(
                    answer.body.contains("name=\"form[email]\" value=\"anna&quot;@example.org\""),
                    "{}",
                    answer.body
                );
                assert!(!answer.body.contains("secret"), "{}", answer.body);
            }
        }
    }
    way.heal();
    until("it is there again", || post("/api/login", "application/json", urlencoded).0.status != 503);
    service.signal("TERM");
    assert!(service.end().success());
}
