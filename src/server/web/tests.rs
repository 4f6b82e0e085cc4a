//! The service over real connections, with a real session.

use super::live::STREAMS;
use super::testing::{IMPORT_MAX, Served, multipart, multipart_with, until};
use crate::domain::delivery::{Attempt, AttemptStatus, Stage};
use crate::domain::email::EmailAddress;
use crate::domain::import::Goal;
use crate::domain::suppression::Reason;
use crate::forms::mailings::MailingForm;
use crate::server::db::suppressions::NewEntry;
use crate::server::db::testing::{client, made_at, message, on_both, open_run};
use crate::server::db::{Db, attempts, deliveries, imports, on_tx};
use crate::server::services::testing::{enter, entry};
use crate::server::services::{Actor, mailings};
use chrono::TimeDelta;
use tokio::io::AsyncWriteExt;

async fn mailing(db: &Db, actor: &Actor) -> i64 {
    let form = MailingForm {
        message: message(db, actor.id, "The catalogue", "Hello").await,
        clients: "all".to_owned(),
        start: "now".to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        zone: "UTC".to_owned(),
        period: "daily".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    };
    mailings::create(db, actor, &form, made_at()).await.unwrap()
}

/// A run with one attempt whose reply looks like a formula.
async fn run(db: &Db, actor: &Actor, mailing: i64) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let run = open_run(&mut tx, mailing, actor.id, made_at()).await;
    tx.commit().await.unwrap();
    let delivery = deliveries::list(db, run, None, "", 0, 1).await.unwrap().remove(0);
    let attempt = Attempt {
        number: 1,
        at: made_at(),
        ms: 5,
        stage: Stage::Rcpt,
        status: AttemptStatus::Failed,
        relay: "mx:25".to_owned(),
        code: Some(550),
        enhanced: None,
        reply: "=cmd|'/c calc'!A1".to_owned(),
    };
    let mut tx = db.begin().await.unwrap();
    attempts::insert(&mut tx, delivery.id, run, &attempt).await.unwrap();
    tx.commit().await.unwrap();
    run
}

async fn uploads_follow_the_rules_that_the_page_states(db: Db) {
    let served = Served::start(db.clone()).await;
    let good = b"first,second\nanna@example.org,Anna\nnobody,Boris\n";
    let answer = served.upload("", "a.csv", good).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/login?next=/clients/import"));
    assert!(served.uploads().is_empty());

    let (anna, cookie) = served.somebody("anna@example.org").await;
    let page = served.get("/clients/import", &cookie).await;
    assert!(page.status == 200 && page.body.contains("Up to 10 KB"), "{page:?}");
    let answer = served.upload(&cookie, "a.csv", good).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let path = answer.header("location").to_owned();
    assert_eq!(served.uploads().len(), 1);
    let page = served.get(&path, &cookie).await.body;
    assert!(page.contains("nobody") && page.contains("An email address has exactly one @."), "{page}");
    let asked = "form%5Bemail%5D=1&form%5Bfull_name%5D=1&form%5Bfirst_is_data%5D=true&form%5Bduplicates%5D=update";
    let page = served.get(&format!("{path}?{asked}"), &cookie).await.body;
    assert!(page.contains("left out: 3.") && page.contains("holds the email already"), "{page}");
    let (_, stranger) = served.somebody("boris@example.org").await;
    assert_eq!(served.get(&path, &stranger).await.status, 404);

    let large = b"anna@example.org\n".repeat(3 * IMPORT_MAX as usize / 17);
    for (name, bytes, reason) in [
        ("large.csv", large.as_slice(), "error.import.too_large"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n....", "error.import.not_text"),
        ("late.csv", b"a\0b", "error.import.not_text"),
        ("empty.csv", b"", "error.import.empty"),
    ] {
        let answer = served.upload(&cookie, name, bytes).await;
        let id: i64 = answer.header("location").rsplit('/').next().unwrap().parse().unwrap();
        let stored = imports::get(&db, anna.id, Goal::Clients, id).await.unwrap().unwrap().import;
        assert_eq!((answer.status, stored.reason.as_str(), stored.size), (303, reason, bytes.len() as i64), "{name}");
        assert_eq!(served.uploads().len(), 1, "{name} is not kept");
        assert_eq!(served.get(answer.header("location"), &cookie).await.status, 200);
    }

    let (kind, body) = multipart("half.csv", good);
    let headers = [("Cookie", cookie.as_str()), ("Content-Type", kind)];
    let mut broken = served.open("POST", "/clients/upload", &headers, body.len()).await;
    broken.write_all(&body[..body.len() - 20]).await.unwrap();
    until(|| served.uploads().len() == 2).await;
    drop(broken);
    until(|| served.uploads().len() == 1).await;
}

/// In the reader's language, at its field, with what they typed.
async fn a_reason_that_is_none_comes_back_to_its_field(db: Db) {
    let served = Served::start(db).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    for (reason, typed) in [("%20", "reason=+"), (&*"x".repeat(501), "reason=xxx")] {
        let reason = reason.replace("%20", " ");
        let (kind, body) = multipart_with(&[("reason", &reason)], "a.csv", b"email\na@example.org\n");
        let headers = [("Cookie", &*cookie), ("Content-Type", kind)];
        let answer = served.send("POST", "/suppressions/upload", &headers, &body).await;
        let place = answer.header("location").to_owned();
        assert!(answer.status == 303 && place.contains("problem=error.") && place.contains(typed), "{answer:?}");
        let page = served.get(&place, &cookie).await;
        assert!(page.status == 200 && page.body.contains("aria-invalid=\"true\""), "{place}");
        assert!(page.body.contains(&format!("value=\"{reason}\"")), "{place}");
        assert!(served.uploads().is_empty());
    }
}

async fn files_are_the_owners_and_no_formulas(db: Db) {
    let served = Served::start(db.clone()).await;
    let (anna, cookie) = served.somebody("anna@example.org").await;
    let (_, stranger) = served.somebody("boris@example.org").await;
    client(&db, anna.id, "c@example.org", "=HYPERLINK(\"x\")", "+1").await;
    let id = mailing(&db, &anna).await;
    let run = run(&db, &anna, id).await;

    let file = served.get("/clients/export?search=HYPER", &cookie).await;
    assert!(file.header("content-disposition").contains("clients.csv"), "{file:?}");
    assert_eq!(file.body, "\u{feff}email,full_name,comment\r\nc@example.org,\"'=HYPERLINK(\"\"x\"\")\",'+1\r\n");
    let theirs = served.get("/clients/export", &stranger).await.body;
    assert_eq!(theirs, "\u{feff}email,full_name,comment\r\n");
    let paths = ["deliveries", "attempts"].map(|what| format!("/mailings/{id}/{what}.csv?run={run}"));
    let rows = served.get(&paths[0], &cookie).await;
    assert!(rows.status == 200 && rows.body.contains("c@example.org,\"'=HYPERLINK(\"\"x\"\")\",pending"), "{rows:?}");
    let rows = served.get(&paths[1], &cookie).await;
    assert!(rows.body.contains(",rcpt,failed,mx:25,550,,'=cmd|'/c calc'!A1\r\n"), "{rows:?}");
    // What a list does not show is not in its file.
    for path in &paths {
        let lines = async |filter: &str| served.get(&format!("{path}{filter}"), &cookie).await.body.lines().count();
        assert_eq!((lines("&state=sent").await, lines("&q=nobody").await), (1, 1), "{path}");
        assert_eq!((lines("&state=pending").await, lines("&q=C%40EXAMPLE&state=pending").await), (2, 2), "{path}");
    }
    client(&db, anna.id, "left@example.org", "Left", "").await;
    let over = made_at() - TimeDelta::days(1);
    for (email, reason, until) in [
        ("left@example.org", Reason::Unsubscribed, None),
        ("hand@example.org", Reason::ByHand, None),
        ("back@example.org", Reason::Unsubscribed, Some(over)),
    ] {
        let email = EmailAddress::parse(email).unwrap();
        enter(&db, &NewEntry { until, ..entry(&anna, &email, reason, over) }).await;
    }
    for (path, rows) in [
        ("/suppressions.csv", 2),
        ("/suppressions.csv?ended=1", 3),
        ("/suppressions.csv?reason=unsubscribed", 1),
        ("/suppressions.csv?q=HAND", 1),
        ("/suppressions.csv?reason=by_hand&q=left", 0),
        ("/clients/export?left_out=true", 1),
        ("/clients/export?left_out=true&search=hyper", 0),
    ] {
        assert_eq!(served.get(path, &cookie).await.body.lines().count(), rows + 1, "{path}");
    }
    for path in paths.iter().map(String::as_str).chain(["/clients/export"]) {
        assert_eq!(served.get(path, "").await.status, 401, "{path}");
    }
    for path in &paths {
        assert_eq!(served.get(path, &stranger).await.status, 404, "{path}");
    }
    let other = served.get(&format!("/mailings/{id}/deliveries.csv?run={}", run + 1), &cookie).await;
    assert_eq!(other.status, 404, "a run of no mailing of theirs");
}

async fn a_page_hears_what_changes_until_its_reader_leaves(db: Db) {
    let served = Served::start(db.clone()).await;
    let (anna, cookie) = served.somebody("anna@example.org").await;
    client(&db, anna.id, "c@example.org", "", "").await;
    let id = mailing(&db, &anna).await;
    let path = format!("/events/mailings/{id}");
    let (_, stranger) = served.somebody("boris@example.org").await;
    assert_eq!(served.get(&path, &stranger).await.status, 404);
    assert_eq!(served.get(&path, "").await.status, 401);

    let second = served.log_in("anna@example.org").await;
    let mut pages = vec![served.events(&path, &cookie).await, served.events(&path, &second).await];
    for page in &mut pages {
        assert!(page.next().await.unwrap().contains("\"paused\":false"));
    }
    assert_eq!(served.state.live.looked_at(), 1, "one look for all pages");
    mailings::pause(&db, &anna, id, made_at()).await.unwrap();
    for page in &mut pages {
        assert!(page.next().await.unwrap().contains("\"paused\":true"));
    }

    served.post("/logout", &cookie, "").await;
    assert_eq!(pages[0].next().await, None, "who has logged out hears no more");
    mailings::resume(&db, &anna, id).await.unwrap();
    assert!(pages[1].next().await.unwrap().contains("\"paused\":false"), "the other browser does");
    let mut tx = db.begin().await.unwrap();
    const BLOCK: &str = "UPDATE users SET blocked_at = $2 WHERE id = $1";
    on_tx!(&mut tx, conn => sqlx::query(BLOCK).bind(anna.id).bind(made_at()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pages[1].next().await, None, "who is blocked hears no more");
    until(|| served.state.live.looked_at() == 0).await;
}

async fn a_user_has_so_many_open_pages(db: Db) {
    let served = Served::start(db.clone()).await;
    let (anna, cookie) = served.somebody("anna@example.org").await;
    client(&db, anna.id, "c@example.org", "", "").await;
    let path = format!("/events/mailings/{}", mailing(&db, &anna).await);
    let mut pages = Vec::new();
    for _ in 0..STREAMS {
        pages.push(served.events(&path, &cookie).await);
        pages.last_mut().unwrap().next().await.unwrap();
    }
    assert_eq!(served.get(&path, &cookie).await.status, 429);
    drop(pages);
    until(|| served.state.live.looked_at() == 0).await;
    assert!(served.events(&path, &cookie).await.next().await.is_some(), "those that were closed are given back");
    served.state.stop.cancel();
}

async fn who_only_reads_is_left_in_peace_while_the_page_loads(db: Db) {
    let served = Served::start(db).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    for (path, cookie, calm) in [
        ("/", "", true),
        ("/blog", "", true),
        ("/blog/no-such-post", "", true),
        ("/login", "", false),
        ("/", cookie.as_str(), false),
        ("/blog", cookie.as_str(), false),
    ] {
        let page = served.get(path, cookie).await.body;
        assert_eq!(page.contains("data-calm"), calm, "{path}");
        assert_eq!(page.contains("rel=\"modulepreload\""), !calm, "{path}");
        assert!(page.contains("<script type=\"module\""), "{path}");
    }
}

async fn behind_tls_nothing_goes_without_it(db: Db) {
    let plain = Served::start(db.clone()).await;
    plain.somebody("anna@example.org").await;
    let form = "form[email]=anna@example.org&form[password]=correct%20horse";
    for (served, secure) in [(plain, false), (Served::start_behind_tls(db).await, true)] {
        for path in ["/", "/login", "/healthz", "/no-such-page"] {
            let header = served.get(path, "").await.header("strict-transport-security").to_owned();
            assert_eq!(header, if secure { "max-age=31536000" } else { "" }, "{path}");
        }
        let entered = served.post("/api/login", "", form).await;
        let set = entered.cookies();
        assert_eq!(set.len(), 2, "the session's and the browser's: {set:?}");
        assert!(set.iter().all(|set| set.starts_with("__Host-vestnik") == secure), "{set:?}");
        let kept =
            |set: &&str| set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && set.contains("; Path=/");
        assert!(set.iter().all(kept), "{set:?}");
        let chosen = served.get("/language?to=ru", "").await;
        let profile = "form[name]=Anna&form[lang]=en&form[theme]=dark&form[zone]=UTC";
        let session = entered.session().split(';').next().unwrap().to_owned();
        let saved = served.post("/api/save_profile", &session, profile).await;
        let cookies = [set, chosen.cookies(), saved.cookies()].concat();
        assert!(cookies.len() >= 3 && cookies.iter().all(|set| set.contains("; Secure") == secure), "{cookies:?}");
    }
}

async fn names_show_what_turns_them_around(db: Db) {
    let served = Served::start(db.clone()).await;
    let (anna, cookie) = served.somebody("anna@example.org").await;
    let id = client(&db, anna.id, "c@example.org", "a\u{202e}gro.elpmaxe", "b\u{2066}c").await;
    let list = served.get("/clients", &cookie).await.body;
    assert!(list.contains("a\\u{202e}gro.elpmaxe") && list.contains("b\\u{2066}c"), "{list}");
    assert!(!list.contains(['\u{202e}', '\u{2066}']));
    // The form has the name itself.
    let page = served.get(&format!("/clients/{id}"), &cookie).await.body;
    assert!(page.contains("value=\"a\u{202e}gro.elpmaxe\"") && page.contains("<h1 class"), "{page}");
    assert!(page.split("<form").next().unwrap().contains("a\\u{202e}gro.elpmaxe"), "{page}");
}

async fn a_form_without_scripts_that_is_sent_twice_is_one(db: Db) {
    let served = Served::start(db).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    let page = served.get("/clients/new", &cookie).await.body;
    let key = page.split("name=\"once\"").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap().to_owned();
    assert_eq!(key.len(), 32, "{page}");
    assert!(!served.get("/clients/new", &cookie).await.body.contains(&key), "each page has its own");
    let form = format!("form[id]=0&form[email]=c@example.org&once={key}&__page=/clients/new");
    let headers =
        [("Cookie", &*cookie), ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    for _ in 0..2 {
        let answer = served.send("POST", "/api/clients/save", &headers, form.as_bytes()).await;
        assert_eq!((answer.status, answer.header("location")), (302, "/clients?done=clients.saved"), "{answer:?}");
    }
    assert_eq!(served.get("/clients/export", &cookie).await.body.matches("c@example.org").count(), 1);
}

async fn pages_ask_for_no_more_than_they_need(db: Db) {
    let served = Served::start(db).await;
    for path in ["/", "/login", "/healthz", "/favicon.svg", "/no-such-page"] {
        let answer = served.get(path, "").await;
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = answer.header("permissions-policy");
        assert!(["camera=()", "microphone=()", "geolocation=()", "usb=()"].iter().all(|name| policy.contains(name)));
    }
}

async fn foreign_sites_are_refused_and_health_is_told(db: Db) {
    let served = Served::start(db.clone()).await;
    let (_, cookie) = served.somebody("anna@example.org").await;
    for foreign in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
        for path in ["/logout", "/clients/upload", "/api/clients/delete"] {
            let answer = served.send("POST", path, &[("Cookie", &cookie), foreign], b"").await;
            assert_eq!(answer.status, 403, "{path} {foreign:?}");
        }
    }
    assert_eq!(served.get("/clients/export", &cookie).await.status, 200, "still logged in");
    let health = served.get("/healthz", "").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    db.close().await;
    assert_eq!(served.get("/healthz", "").await.status, 503);
}

on_both!(
    who_only_reads_is_left_in_peace_while_the_page_loads,
    behind_tls_nothing_goes_without_it,
    uploads_follow_the_rules_that_the_page_states,
    a_reason_that_is_none_comes_back_to_its_field,
    files_are_the_owners_and_no_formulas,
    a_page_hears_what_changes_until_its_reader_leaves,
    a_user_has_so_many_open_pages,
    foreign_sites_are_refused_and_health_is_told,
    names_show_what_turns_them_around,
    a_form_without_scripts_that_is_sent_twice_is_one,
    pages_ask_for_no_more_than_they_need,
);
