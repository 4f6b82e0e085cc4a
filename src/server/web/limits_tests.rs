//! What is too much, too long, too fast, or leads elsewhere.

use super::pace::Pace;
use super::testing::{IMPORT_MAX, Served, multipart};
use crate::server::db::Db;
use crate::server::db::testing::on_both;
use std::num::NonZeroU32;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The same addresses elsewhere, as attackers write them so that a careless look takes them for ours.
const ELSEWHERE: [&str; 10] = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "/\r\n/evil.example",
];

fn query(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

async fn no_answer_leads_to_another_site(db: Db) {
    let served = Served::start(db).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    let stays = |what: &str, location: &str| {
        let at = url::Url::parse(&served.origin()).unwrap().join(location).unwrap();
        assert_eq!(at.origin().ascii_serialization(), served.origin(), "{what} leads to {location:?}");
        assert!(!location.is_empty() && !location.contains(['\r', '\n']), "{what}: {location:?}");
    };
    for to in ELSEWHERE {
        for switch in ["/language?to=ru&", "/theme?to=dark&"] {
            let answer = served.get(&format!("{switch}{}", query("next", to)), &cookie).await;
            stays(switch, answer.header("location"));
        }
        let form = format!(
            "{}&{}&{}",
            query("form[email]", "anna@example.org"),
            query("form[password]", "correct horse"),
            query("form[next]", to)
        );
        stays("/api/login", served.post("/api/login", "", &form).await.header("location"));
        let origin = served.origin();
        // A form without scripts names the page that it stands on, and its browser does in a header.
        let page = format!("{}&{}", query("__page", to), query("form[email]", "anna@example.org"));
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Accept", "text/html"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", origin.as_str()),
            ("Referer", "https://evil.example/x"),
        ];
        for form in [page.as_str(), "form[email]=a"] {
            for function in ["/api/login", "/api/session"] {
                let answer = served.send("POST", function, &headers, form.as_bytes()).await;
                if !answer.header("location").is_empty() {
                    stays(function, answer.header("location"));
                }
                assert!(!answer.body.contains("https://evil.example/x"), "{function} shows where it came from");
            }
        }
    }
}

async fn a_body_that_is_too_large_is_not_read(db: Db) {
    let served = Served::start(db).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    let large = vec![b'a'; 5 * 1024 * 1024];
    for (path, accept) in [("/api/clients/save", "*/*"), ("/api/clients/save", "text/html"), ("/logout", "*/*")] {
        let kind = "application/x-www-form-urlencoded";
        let headers = [("Cookie", cookie.as_str()), ("Content-Type", kind), ("Accept", accept)];
        // What it says of its length is enough; and without that, so is what comes.
        let mut stream = served.open("POST", path, &headers, large.len()).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    }
    // An upload is read on for a while, so that the browser hears why it is refused; not for ever.
    let (kind, body) = multipart("large.csv", &vec![b'a'; 64 * IMPORT_MAX as usize]);
    let headers = [("Cookie", cookie.as_str()), ("Content-Type", kind)];
    let mut stream = served.open("POST", "/clients/upload", &headers, body.len() * 1000).await;
    // The other side may hang up at any time now.
    let _ = stream.write_all(&body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 422"), "{}", String::from_utf8_lossy(&answer));
    assert!(served.uploads().is_empty());
}

async fn one_address_may_not_ask_too_fast(db: Db) {
    let pace = Pace::new(NonZeroU32::MIN, NonZeroU32::new(3).unwrap());
    let served = Served::start_at_pace(db, pace).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(served.post("/api/session", "", "").await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses[..3].iter().all(|status| *status == 200) && statuses[4] == 429, "{statuses:?}");
    assert_eq!(answers[4].body, "\"RateLimited\"");
    assert_eq!(served.post("/clients/upload", "", "").await.status, 429);
    assert_eq!(served.get("/blog", "").await.status, 200, "pages are looked at freely");
}

on_both!(no_answer_leads_to_another_site, a_body_that_is_too_large_is_not_read, one_address_may_not_ask_too_fast,);
