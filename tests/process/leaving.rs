//! Whoever leaves has left, whatever happens to the process and to its database.

use crate::support::{World, ask, until};
use sqlx::{Connection, Executor};
use vestnik::server::mail::delivery_token::DeliveryTokens;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Held by somebody else, a database of SQLite takes nothing; kill -9 takes what is in memory.
#[test]
fn leaving_survives_a_locked_database_and_a_kill() {
    const CLIENTS: usize = 20;
    let mut world = World::sqlite();
    world.set("VESTNIK_SECRET", SECRET);
    world.mail(2, "");
    let mailing = world.mailing(CLIENTS, "resend");
    let (mut serving, addr) = world.serve();
    until("all have got it", || world.show(&mailing).0 == "finished");
    let tokens = DeliveryTokens::new(SECRET.as_bytes(), []);
    let first = world.number("SELECT MIN(id) FROM deliveries");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = world.setting("VESTNIK_DATABASE_URL");
    let lock = runtime.block_on(async {
        let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
        conn.execute("BEGIN IMMEDIATE").await.unwrap();
        conn
    });
    let leave = |addr: &str, n: usize| {
        let path = format!("/u/{}", tokens.token(first + n as i64));
        let form = ["Content-Type: application/x-www-form-urlencoded".to_owned()];
        ask(addr, "POST", &path, &form, "List-Unsubscribe=One-Click").unwrap().status
    };
    for n in 0..CLIENTS {
        assert_eq!(leave(&addr, n), 200, "{n}");
    }
    serving.signal("KILL");
    serving.end();
    drop(lock);
    const LEFT: &str = "SELECT COUNT(*) FROM suppressions WHERE reason = 'unsubscribed'";
    assert_eq!(world.number(LEFT), 0, "nothing could be stored");
    let (mut serving, addr) = world.serve();
    until("all is carried over", || world.number(LEFT) == CLIENTS as i64);
    // What they say again changes nothing.
    assert_eq!(leave(&addr, 0), 200);
    assert_eq!(world.number(LEFT), CLIENTS as i64);
    serving.signal("TERM");
    assert!(serving.end().success());
}
