//! Pages that are kept: on several processes, at a stop, and while the database is away.

use crate::support::{OWNER, PASSWORD, World, ask, cookies, get, on_both, until};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const EDITOR: &str = "editor@example.org";

/// Sends a form, and returns the head of the answer.
fn post(addr: &str, path: &str, cookie: &str, fields: &[(&str, &str)]) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [format!("Cookie: {cookie}"), "Content-Type: application/x-www-form-urlencoded".to_owned()];
    let answer = ask(addr, "POST", path, &headers, &body).unwrap();
    assert!((200..400).contains(&answer.status), "{path}: {}", answer.body);
    answer.head
}

/// Logs somebody in whom the command line has added, and returns the cookie.
fn log_in(addr: &str, email: &str) -> String {
    let head = post(addr, "/api/login", "", &[("form[email]", email), ("form[password]", PASSWORD)]);
    cookies(&head)
}

fn editor(world: &World, addr: &str) -> String {
    world.add_user(EDITOR, "editor", PASSWORD);
    log_in(addr, EDITOR)
}

fn publish(addr: &str, cookie: &str, title: &str) {
    let fields = [("form[title]", title), ("form[body]", "One"), ("form[lang]", "en"), ("form[publish]", "now")];
    post(addr, "/api/posts/save", cookie, &fields);
}

fn page(addr: &str, path: &str) -> (u16, String) {
    get(addr, path, &[]).unwrap()
}

#[test]
fn two_processes_show_the_same_blog() {
    let mut world = World::postgres();
    world.mail(1, "");
    let ((_one, here), (_other, there)) = (world.serve(), world.serve());
    let cookie = editor(&world, &here);
    for addr in [&here, &there] {
        assert!(!page(addr, "/blog").1.contains("Fresh news"));
        assert_eq!(page(addr, "/blog/fresh-news").0, 404);
    }
    publish(&here, &cookie, "Fresh news");
    assert!(page(&here, "/blog").1.contains("Fresh news"), "at once where it was written");
    until("the other process shows it", || page(&there, "/blog").1.contains("Fresh news"));
    assert!(page(&there, "/blog/fresh-news").0 == 200 && page(&there, "/").1.contains("Fresh news"));
    post(&here, "/api/posts/delete", &cookie, &[("id", "1")]);
    assert_eq!(page(&here, "/blog/fresh-news").0, 404);
    until("it is gone there, too", || page(&there, "/blog/fresh-news").0 == 404);
    assert!(!page(&there, "/blog").1.contains("Fresh news"));
}

#[test]
fn pages_go_on_while_postgres_is_away() {
    let (mut world, way) = World::behind_a_way();
    world.mail(1, "");
    let (_service, addr) = world.serve();
    let cookie = editor(&world, &addr);
    publish(&addr, &cookie, "Fresh news");
    let kept = ["/", "/blog/fresh-news"].map(|path| (path, page(&addr, path)));
    way.cut();
    let cookie = format!("Cookie: {cookie}");
    until("the service notices", || get(&addr, "/mailings", &[&cookie]).unwrap().0 == 503);
    for (path, before) in &kept {
        assert_eq!(page(&addr, path), *before, "{path}");
    }
    for path in ["/blog", "/login", "/blog/feed.atom"] {
        let (status, body) = page(&addr, path);
        assert_eq!(status, 503, "{path}");
        assert!(body.contains("cannot reach its database"), "{body}");
    }
    let (status, body) = get(&addr, "/mailings", &["Accept-Language: ru"]).unwrap();
    assert!(status == 503 && body.contains("базой данных"), "{body}");
    way.heal();
    until("it is back", || page(&addr, "/blog").0 == 200);
    assert_eq!(page(&addr, "/blog/fresh-news").0, 200);
}

/// A page that asks for something while it is made, and is made anew meanwhile, never ends.
#[test]
fn pages_come_while_many_are_made() {
    let mut world = World::sqlite();
    world.mail(1, "");
    world.mailing(1, "hold");
    let (_service, addr) = world.serve();
    let writer = format!("Cookie: {}", editor(&world, &addr));
    publish(&addr, &writer["Cookie: ".len()..], "Fresh news");
    let owner = format!("Cookie: {}", log_in(&addr, OWNER));
    let own = ["/clients/1", "/messages/1", "/messages/new", "/mailings/1"].map(|path| (path, &owner));
    for (path, cookie) in own.into_iter().chain(["/posts/1", "/posts/new"].map(|path| (path, &writer))) {
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        assert_eq!(get(&addr, path, &[cookie]).expect(path).0, 200, "{path}");
                    }
                });
            }
        });
    }
}

fn a_stop_loses_no_view(mut world: World) {
    world.mail(1, "");
    let (mut service, addr) = world.serve();
    let cookie = editor(&world, &addr);
    publish(&addr, &cookie, "Fresh news");
    let (seen, gone) = (AtomicI64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !gone.load(Ordering::Relaxed) {
                    match get(&addr, "/blog/fresh-news", &[]) {
                        Ok((200, _)) => seen.fetch_add(1, Ordering::Relaxed),
                        Ok(answer) => panic!("{answer:?}"),
                        // It stops.
                        Err(_) => break,
                    };
                }
            });
        }
        until("many have looked", || seen.load(Ordering::Relaxed) > 500);
        service.signal("TERM");
        let status = service.end();
        gone.store(true, Ordering::Relaxed);
        assert!(status.success());
    });
    assert_eq!(world.number("SELECT views FROM posts"), seen.into_inner());
    assert_eq!(world.number("SELECT CAST(SUM(n) AS BIGINT) FROM post_views"), world.number("SELECT views FROM posts"));
}

on_both!(a_stop_loses_no_view);
