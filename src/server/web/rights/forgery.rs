//! Requests that a foreign site makes a reader's browser send: everything that changes something refuses them.

use super::dump::{difference, dump};
use super::functions::FUNCTIONS;
use super::listing;
use super::routes::ROUTES;
use super::rule::Who;
use super::try_out::{body_of, encoded, path_of};
use super::world::{Person, World};
use crate::server::db::Db;
use crate::server::db::testing::on_both;

/// What browsers say of where a request comes from: another site by form and by fetch, an old browser, a frame
/// without an origin, a neighbour below the same domain.
const FOREIGN: [&[(&str, &str)]; 5] = [
    &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")],
    &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors")],
    &[("Origin", "https://evil.example")],
    &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
    &[("Origin", "http://127.0.0.1:9"), ("Sec-Fetch-Site", "same-site")],
];

async fn post(world: &World, path: &str, cookie: &str, from: &[(&str, &str)], kind: &str, body: &[u8]) -> u16 {
    // A form asks for a page, fetch for anything.
    let accept = if from.iter().any(|(_, value)| *value == "navigate") { "text/html" } else { "*/*" };
    let mut headers = vec![("Cookie", cookie), ("Content-Type", kind), ("Accept", accept)];
    headers.extend(from);
    world.served.send("POST", path, &headers, body).await.status
}

/// An administrator with one thing of every kind, whom the foreign site would like to use.
async fn somebody(world: &World) -> Person {
    let text: String = FUNCTIONS.iter().chain(ROUTES).map(|row| row.form).collect();
    world.person(Who::Admin, &text).await
}

async fn a_foreign_site_changes_nothing(db: Db) {
    let world = World::new(db).await;
    let person = somebody(&world).await;
    let before = dump(world.db()).await;
    let functions = listing::functions();
    let mut tried = 0;
    for row in FUNCTIONS.iter().chain(ROUTES) {
        let (path, form) = match row.name.split_once(' ') {
            None => (functions[row.name].clone(), encoded(&body_of(row, &person, &world.fresh()))),
            // Mail programs send there from everywhere: the token is all the right, and no cookie counts.
            // From a page that sends no referrer, letters go to the address alone, and few of them.
            Some(("POST", route)) if route == "/u" || route.starts_with("/u/") => continue,
            Some(("POST", route)) => (path_of(route, row.form), String::new()),
            Some(_) => continue,
        };
        for from in FOREIGN {
            // What a form of another site can send: a form, a file, plain text that is none.
            for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=edge", "text/plain"] {
                let status = post(&world, &path, &person.cookie, from, kind, form.as_bytes()).await;
                assert_eq!(status, 403, "{} from {from:?} as {kind}", row.name);
                tried += 1;
            }
        }
        // A link or a picture brings the cookie along; what it asks for is not done.
        let link = format!("{path}?{form}");
        for method in ["GET", "HEAD", "OPTIONS"] {
            let headers = [("Cookie", person.cookie.as_str()), ("Sec-Fetch-Site", "cross-site")];
            let answer = world.served.send(method, &link, &headers, b"").await;
            // To the home page, to nothing, or to a page of that name.
            let harmless = matches!(answer.status, 303 | 405);
            assert!(harmless, "{method} {link}: {answer:?}");
            tried += 1;
        }
    }
    assert_eq!(difference(&before, &dump(world.db()).await), None);
    println!("{tried} forged requests refused");
}

/// The same requests from our own pages are served: it is the origin that is refused.
async fn our_own_pages_are_served(db: Db) {
    let world = World::new(db).await;
    let person = somebody(&world).await;
    let own = world.served.origin();
    for from in [&[("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")][..], &[("Origin", own.as_str())]] {
        let form = encoded(&format!("form[id]=0&form[email]={}@example.org", world.fresh()));
        let kind = "application/x-www-form-urlencoded";
        let status = post(&world, "/api/clients/save", &person.cookie, from, kind, form.as_bytes()).await;
        assert_eq!(status, 200, "{from:?}");
    }
}

on_both!(a_foreign_site_changes_nothing, our_own_pages_are_served);
