//! What the service tells of itself.

use crate::support::{World, get, on_both, until};

fn tells_how_it_is(mut world: World) {
    world.mail(3, "c1@* rcpt reply 550 5.1.1 Nobody\nc2@* dot drop-after times=1");
    world.set("VESTNIK_METRICS_TOKEN", "a token of the tests");
    // Figures are shown without the token at a machine that is known to nobody else.
    world.set("VESTNIK_PUBLIC_URL", "http://localhost:3000");
    let mailing = world.mailing(10, "resend");
    let (mut service, addr) = world.serve();
    until("it is ready", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 200));
    assert_eq!(get(&addr, "/healthz", &[]).unwrap(), (200, "ok\n".to_owned()));
    until("all have got it", || world.show(&mailing).0 == "finished");
    let (status, page) = get(&addr, "/metrics", &[]).unwrap();
    assert_eq!(status, 200);
    for line in [
        "vestnik_deliveries{state=\"sent\"} 9",
        "vestnik_deliveries{state=\"failed\"} 1",
        "vestnik_deliveries{state=\"waiting\"} 0",
        "vestnik_attempts_total{class=\"sent\"} 9",
        "vestnik_attempts_total{class=\"failed\"} 1",
        "vestnik_attempts_total{class=\"unknown\"} 1",
        "vestnik_attempts_total{class=\"deferred\"} 0",
        "vestnik_oldest_due_seconds 0",
        "vestnik_breaker_open{relay=",
        "vestnik_relay_trouble 0",
        "vestnik_smtp_connections 0",
        "vestnik_http_requests_total{status=\"2xx\"} ",
    ] {
        assert!(page.lines().any(|found| found.starts_with(line)), "no {line} in {page}");
    }
    let commits = page.lines().find_map(|line| line.strip_prefix("vestnik_commit_seconds_count ")).unwrap();
    assert!(commits.parse::<u64>().unwrap() > 0);
    // As it comes through a proxy on this machine, from anywhere.
    let host = "Host: mail.example.org";
    assert_eq!(get(&addr, "/metrics", &[host]).unwrap().0, 403);
    assert_eq!(get(&addr, "/metrics", &[host, "Authorization: Bearer another token"]).unwrap().0, 403);
    assert_eq!(get(&addr, "/metrics", &[host, "Authorization: Bearer a token of the tests"]).unwrap().0, 200);
    // As a container's health check asks.
    world.set("VESTNIK_ADDR", &addr);
    assert!(world.run(&["health"]).status.success());
    service.signal("TERM");
    assert!(service.end().success());
    let gone = world.run(&["health"]);
    assert_eq!(gone.status.code(), Some(1));
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(said.contains(&format!("VESTNIK_ADDR: {addr}: Connection refused")), "{said}");
}

/// While another process holds SQLite's write lock nothing is recorded, nothing is forgotten, and the
/// service says so.
#[test]
fn a_locked_database_is_waited_for() {
    let mut world = World::sqlite();
    world.mail(3, "");
    let mailing = world.mailing(200, "resend");
    let (mut service, addr) = world.serve();
    until("some letters are out", || world.ledger().len() >= 5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", world.path("test.db").display());
    runtime.block_on(async {
        use sqlx::{Connection, Executor};
        let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
        other.execute("BEGIN EXCLUSIVE").await.unwrap();
        until("it is not ready", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 503));
        world.set("VESTNIK_ADDR", &addr);
        let health = world.run(&["health"]);
        assert_eq!(health.status.code(), Some(1));
        assert!(String::from_utf8(health.stderr).unwrap().contains("the engine"));
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
    });
    until("it is ready again", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 200));
    until("all have got it", || world.show(&mailing).0 == "finished");
    assert_eq!((world.states(&mailing)["sent"], world.ledger().len(), world.duplicates()), (200, 200, 0));
    service.signal("TERM");
    assert!(service.end().success());
}

on_both!(tells_how_it_is);
