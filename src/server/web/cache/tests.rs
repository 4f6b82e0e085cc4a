//! Pages that are kept, through the whole service.

use super::Front;
use crate::domain::user::{Permission, Role};
use crate::forms::posts::PostForm;
use crate::forms::settings::SettingsForm;
use crate::server::clock::ManualClock;
use crate::server::db::testing::{self, made_at, on_both};
use crate::server::db::{Db, on_db};
use crate::server::services::posts::{self, Saved, drafts};
use crate::server::services::{Actor, settings};
use crate::server::web::testing::{Answer, Served, until};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;
use tower::ServiceExt;

async fn editor(db: &Db) -> Actor {
    Actor::prove(&testing::user(db, "editor@example.org", Role::Editor).await, Permission::Blog).unwrap()
}

async fn publish(served: &Served, editor: &Actor, title: &str) -> i64 {
    let form = PostForm {
        title: title.to_owned(),
        body: "One\n\nTwo".to_owned(),
        lang: "en".to_owned(),
        publish: "now".to_owned(),
        ..PostForm::default()
    };
    save(served, editor, &form).await
}

async fn save(served: &Served, editor: &Actor, form: &PostForm) -> i64 {
    let state = &served.state;
    match posts::save(&state.db, state.blog.kept.changes(), editor, form, "", state.now()).await.unwrap() {
        Saved::Stored(id) => id,
        Saved::Clash(_) => panic!("nobody else was there"),
    }
}

async fn rename(served: &Served, editor: &Actor, id: i64, title: &str) {
    let editing = drafts::editing(&served.state.db, editor, id, served.state.now()).await.unwrap();
    save(served, editor, &PostForm { title: title.to_owned(), ..PostForm::new(id, &editing.fields) }).await;
}

fn said(answer: &Answer) -> &str {
    answer.header("server-timing").strip_prefix("cache;desc=").unwrap_or_default()
}

fn renders(served: &Served) -> u64 {
    served.state.blog.pages.counts().renders.load(Ordering::Relaxed)
}

async fn views(served: &Served, post: i64) -> i64 {
    served.state.blog.views.flush(&served.state.db).await.unwrap();
    const SQL: &str = "SELECT views FROM posts WHERE id = $1";
    on_db!(&served.state.db, pool => sqlx::query_scalar(SQL).bind(post).fetch_one(pool).await).unwrap()
}

async fn a_thousand_visitors_at_once_cost_one_render_of_each_page(db: Db) {
    let served = Served::start(db.clone()).await;
    let editor = editor(&db).await;
    publish(&served, &editor, "First").await;
    let service: Front = served.service();
    let visitors: Vec<_> = (0..1000)
        .map(|n| {
            let path = if n % 2 == 0 { "/" } else { "/blog/first?utm_source=letter" };
            let service = service.clone();
            tokio::spawn(async move {
                let answer = service.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
                (path, answer.status(), axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for visitor in visitors {
        answers.push(visitor.await.unwrap());
    }
    for (path, status, body) in &answers {
        let (_, _, first) = answers.iter().find(|(other, _, _)| other == path).unwrap();
        assert_eq!((*status, body == first), (StatusCode::OK, true), "{path}");
    }
    assert_eq!(renders(&served), 2);
}

async fn a_page_is_rendered_once_and_anew_when_it_is_old(db: Db) {
    let clock = ManualClock::new(made_at());
    let served = Served::at(db.clone(), clock.clone()).await;
    publish(&served, &editor(&db).await, "First").await;
    let first = served.get("/blog", "").await;
    assert_eq!((first.status, said(&first)), (200, "miss"));
    let again = served.get("/blog?fbclid=1", "").await;
    assert_eq!((again.status, said(&again), renders(&served)), (200, "hit", 1));
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("cache-control"), super::CONTROL);
    assert_eq!(again.header("vary"), "accept-encoding, accept-language, cookie");

    clock.advance(TimeDelta::seconds(11));
    assert_eq!(said(&served.get("/blog", "").await), "stale", "the visitor does not wait for the new one");
    until(|| renders(&served) == 2).await;
    let mut fresh = served.get("/blog", "").await;
    while said(&fresh) == "stale" {
        fresh = served.get("/blog", "").await;
    }
    assert_eq!((said(&fresh), renders(&served)), ("hit", 2));
    assert_eq!(fresh.header("etag"), first.header("etag"), "nothing is different");

    clock.advance(TimeDelta::hours(1));
    assert_eq!(said(&served.get("/blog", "").await), "miss", "what is an hour old is not handed out");
}

async fn every_reader_gets_their_own_page_and_sessions_get_none_that_is_kept(db: Db) {
    let served = Served::start(db.clone()).await;
    publish(&served, &editor(&db).await, "First").await;
    let english = served.get("/", "").await;
    for (cookie, mark) in [("lang=ru", "lang=\"ru\""), ("theme=dark", "data-theme=\"vestnik-dark\"")] {
        for expected in ["miss", "hit"] {
            let page = served.get("/", cookie).await;
            assert_eq!(said(&page), expected);
            assert!(page.body.contains(mark) && page.body != english.body, "{cookie}");
        }
    }
    let (_, cookie) = served.somebody("anna@example.org").await;
    for _ in 0..2 {
        let own = served.get("/", &cookie).await;
        assert_eq!((own.status, said(&own), own.header("cache-control")), (200, "pass", "private, no-store"));
        assert!(own.body.contains("/account") && own.header("etag").is_empty(), "{}", own.headers);
    }
    let visitor = served.get("/", "").await;
    assert_eq!((said(&visitor), visitor.header("set-cookie")), ("hit", ""));
    assert!(!visitor.body.contains("/account"));
    const SESSIONS: &str = "SELECT COUNT(*) FROM sessions";
    let sessions: i64 = on_db!(&db, pool => sqlx::query_scalar(SESSIONS).fetch_one(pool).await).unwrap();
    assert_eq!(sessions, 1, "visitors have none");
}

async fn writes_and_the_clock_change_what_all_processes_show(db: Db) {
    let clock = ManualClock::new(made_at());
    let (served, other) = (Served::at(db.clone(), clock.clone()).await, Served::at(db.clone(), clock.clone()).await);
    let editor = editor(&db).await;
    let shows = async |served: &Served, path: &str, title: &str| served.get(path, "").await.body.contains(title);
    let arrives = async |path: &str, title: &str, is: bool| {
        assert_eq!(shows(&served, path, title).await, is, "at once where it was written");
        while shows(&other, path, title).await != is {
            tokio::task::yield_now().await;
        }
    };
    // Without PostgreSQL the other process looks twice a second.
    let heard = async |before: u64| {
        while other.state.blog.kept.changes().generation() == before {
            tokio::task::yield_now().await;
        }
    };
    let generation = || other.state.blog.kept.changes().generation();
    for served in [&served, &other] {
        assert!(!shows(served, "/blog", "Fresh news").await && !shows(served, "/", "Fresh news").await);
        assert_eq!(served.get("/blog/fresh-news", "").await.status, 404);
    }
    let id = publish(&served, &editor, "Fresh news").await;
    // What was not found is not kept: this page would tell nothing of the other process's cache.
    arrives("/blog", "Fresh news", true).await;
    for path in ["/", "/blog", "/blog/feed.atom", "/blog/feed.rss"] {
        assert!(shows(&served, path, "Fresh news").await && shows(&other, path, "Fresh news").await, "{path}");
    }
    let before = generation();
    rename(&served, &editor, id, "Old news").await;
    heard(before).await;
    arrives("/blog/fresh-news", "Old news", true).await;
    assert!(!shows(&other, "/blog", "Fresh news").await, "nothing else is stale then");
    posts::delete(&db, served.state.blog.kept.changes(), &editor, id).await.unwrap();
    arrives("/blog/fresh-news", "Old news", false).await;
    assert_eq!(other.get("/blog/fresh-news", "").await.status, 404);

    let at = PostForm { publish_at: "2026-01-01T03:00:10".to_owned(), publish: "at".to_owned(), ..PostForm::default() };
    let scheduled = PostForm { title: "Later".to_owned(), body: "x".to_owned(), lang: "en".to_owned(), ..at };
    let before = generation();
    save(&served, &editor, &scheduled).await;
    heard(before).await;
    // Three o'clock in Moscow is midnight in UTC.
    let due: DateTime<Utc> = made_at() + TimeDelta::seconds(10);
    clock.set(due - TimeDelta::seconds(5));
    for served in [&served, &other] {
        assert!(!shows(served, "/blog", "Later").await && !shows(served, "/sitemap.xml", "later").await);
    }
    clock.set(due);
    for served in [&served, &other] {
        assert!(shows(served, "/blog", "Later").await && shows(served, "/sitemap.xml", "later").await);
        assert_eq!(served.get("/blog/later", "").await.status, 200);
    }
}

async fn settings_that_pages_show_change_them(db: Db) {
    let (served, other) = (Served::start(db.clone()).await, Served::start(db.clone()).await);
    let admin = testing::user(&db, "admin@example.org", Role::Admin).await;
    let admin = Actor::prove(&admin, Permission::Settings).unwrap();
    assert!(other.get("/blog", "").await.body.contains("\"/signup\""));
    let form = SettingsForm { registration: "closed".to_owned(), ..SettingsForm::default() };
    settings::save(&db, &admin, &form, served.state.now()).await.unwrap();
    while other.get("/blog", "").await.body.contains("\"/signup\"") {
        tokio::task::yield_now().await;
    }
}

async fn every_view_is_counted_once_wherever_its_page_comes_from(db: Db) {
    let clock = ManualClock::new(made_at());
    let served = Served::at(db.clone(), clock.clone()).await;
    let editor = editor(&db).await;
    let id = publish(&served, &editor, "First").await;
    let path = "/blog/first";
    let rendered = served.get(path, "").await;
    assert_eq!((said(&rendered), views(&served, id).await), ("miss", 1));
    served.get(path, "").await;
    let known = served.send("GET", path, &[("If-None-Match", rendered.header("etag"))], b"").await;
    assert_eq!((known.status, known.body.as_str(), views(&served, id).await), (304, "", 3));
    clock.advance(TimeDelta::seconds(11));
    assert_eq!((said(&served.get(path, "").await), views(&served, id).await), ("stale", 4));
    let (_, cookie) = served.somebody("anna@example.org").await;
    assert_eq!((said(&served.get(path, &cookie).await), views(&served, id).await), ("pass", 5));

    let head = served.send("HEAD", path, &[], b"").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), rendered.body.len().to_string());
    served.send("GET", path, &[("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")], b"").await;
    for path in ["/", "/blog", "/blog/feed.atom", "/blog/none"] {
        served.get(path, "").await;
    }
    assert_eq!(views(&served, id).await, 5, "no program's look, and no other page, is a view");
}

async fn what_is_kept_goes_on_without_the_database(db: Db) {
    let clock = ManualClock::new(made_at());
    let served = Served::at(db.clone(), clock.clone()).await;
    publish(&served, &editor(&db).await, "First").await;
    let (home, post) = (served.get("/", "").await, served.get("/blog/first", "").await);
    db.close().await;
    for seconds in [0, 11, 3600] {
        clock.advance(TimeDelta::seconds(seconds));
        for (path, kept) in [("/", &home), ("/blog/first", &post)] {
            let page = served.get(path, "").await;
            assert_eq!((page.status, &page.body), (200, &kept.body), "{path} after {seconds} s");
            assert_eq!(said(&page) == "hit", seconds == 0);
        }
    }
    for path in ["/blog", "/blog/second", "/blog/feed.atom", "/sitemap.xml"] {
        let page = served.get(path, "").await;
        assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{path}");
        assert_ne!(page.header("cache-control"), super::CONTROL);
    }
    let page = served.get("/mailings", "vestnik=AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!((page.status, page.header("retry-after")), (503, "5"), "somebody who is logged in");
    assert!(page.body.contains("cannot reach its database"), "{}", page.body);
}

async fn the_policy_names_every_script_of_the_page_that_it_comes_with(db: Db) {
    let served = Served::start(db.clone()).await;
    publish(&served, &editor(&db).await, "First").await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    for (path, cookie) in
        [("/", ""), ("/blog/first", ""), ("/", cookie.as_str()), ("/clients", &cookie), ("/login", "")]
    {
        let page = served.get(path, cookie).await;
        let policy = page.header("content-security-policy");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("nonce"), "{policy}");
        let scripts: Vec<&str> =
            page.body.split("<script>").skip(1).filter_map(|rest| rest.split("</script>").next()).collect();
        assert!(scripts.len() >= 2, "leptos writes some: {}", page.body);
        for script in &scripts {
            let hash = STANDARD.encode(Sha256::digest(script));
            assert!(policy.contains(&format!("'sha256-{hash}'")), "{path}: {script}");
        }
        if !page.header("etag").is_empty() {
            let known = served.send("GET", path, &[("If-None-Match", page.header("etag"))], b"").await;
            assert_eq!((known.status, known.header("content-security-policy")), (304, policy));
        }
    }
}

async fn nobody_fills_the_cache(db: Db) {
    let served = Served::start(db.clone()).await;
    publish(&served, &editor(&db).await, "First").await;
    served.get("/", "").await;
    let kept = served.state.blog.pages.weight();
    for n in 0..20 {
        served.get(&format!("/?x={n}"), "").await;
        served.get(&format!("/blog/none-{n}"), "").await;
        served.get(&format!("/blog?q={}{n}", "a".repeat(200)), "").await;
    }
    assert_eq!(served.state.blog.pages.weight(), kept, "neither unknown parameters nor what is not there is kept");
    for n in 0..200 {
        served.get(&format!("/blog?q=word{n}"), "").await;
    }
    assert!(served.state.blog.pages.weight() <= kept + super::OPEN);
    assert_eq!(said(&served.get("/", "").await), "hit", "searches push out nothing but searches");
}

on_both!(
    a_thousand_visitors_at_once_cost_one_render_of_each_page,
    a_page_is_rendered_once_and_anew_when_it_is_old,
    every_reader_gets_their_own_page_and_sessions_get_none_that_is_kept,
    writes_and_the_clock_change_what_all_processes_show,
    settings_that_pages_show_change_them,
    every_view_is_counted_once_wherever_its_page_comes_from,
    what_is_kept_goes_on_without_the_database,
    the_policy_names_every_script_of_the_page_that_it_comes_with,
    nobody_fills_the_cache,
);
