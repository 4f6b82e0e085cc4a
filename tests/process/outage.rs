//! The database goes away in mid-send and comes back: nothing is forgotten, nothing recorded falsely.

use crate::support::{World, until};
use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A way to the database that can be cut: all connections end and new ones do too, as while PostgreSQL is
/// restarted.
pub struct Way {
    pub port: u16,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    pub fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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
