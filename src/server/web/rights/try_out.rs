//! Trying one cell.

use super::rule::{Expect, Idle, No, Row, Who, Yes};
use super::world::{PASSWORD, Person, Things, World, pixel};
use crate::api::error::AppError;
use crate::server::web::testing::{Answer, multipart, multipart_with};
use std::collections::BTreeMap;

/// Fills in the placeholders.
fn fill(text: &str, things: &Things, asker: Option<&Person>, fresh: &str) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').expect("a placeholder ends");
        let value = match name.strip_prefix("mine.") {
            // Who is anonymous has nothing; what they ask with is nobody's.
            Some(name) => asker.map_or("987654", |asker| &asker.things[name]),
            None if name == "fresh" => fresh,
            None if name == "password" => PASSWORD,
            None => things.get(name).unwrap_or_else(|| panic!("nothing is called {name}")),
        };
        filled.push_str(value);
        filled.push_str(rest);
    }
    filled
}

/// The form of a row, sent by somebody about their own things.
pub fn body_of(row: &Row, person: &Person, fresh: &str) -> String {
    fill(row.form, &person.things, Some(person), fresh)
}

/// The path of a route whose parts in braces are the values before the query.
pub fn path_of(route: &str, filled: &str) -> String {
    let (values, query) = filled.split_once('?').unwrap_or((filled, ""));
    let mut values = values.split(',');
    let part = |part: &str| match part.starts_with('{') {
        true => values.next().unwrap_or_default().to_owned(),
        false => part.to_owned(),
    };
    let path = route.split('/').map(part).collect::<Vec<_>>().join("/");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// Calls what a row names; returns the path as well.
pub async fn call(
    world: &World,
    functions: &BTreeMap<String, String>,
    row: &Row,
    asker: Option<&Person>,
    things: &Things,
) -> (Answer, String) {
    world.forget_tries().await;
    let served = &world.served;
    let filled = fill(row.form, things, asker, &world.fresh());
    let cookie = ("Cookie", asker.map_or("", |asker| asker.cookie.as_str()));
    let Some((method, route)) = row.name.split_once(' ') else {
        let headers = [cookie, ("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")];
        let path = functions[row.name].clone();
        return (served.send("POST", &path, &headers, encoded(&filled).as_bytes()).await, path);
    };
    let path = path_of(route, &filled);
    // Streams have no end.
    if path.starts_with("/events/") {
        return (served.head(&path, cookie.1).await, path);
    }
    let file = match row.form {
        "file" => Some(multipart("a.csv", b"email\na@example.org\n")),
        "file with a reason" => Some(multipart_with(&[("reason", "asked")], "a.csv", b"email\na@example.org\n")),
        "picture" => Some(multipart("a.png", &pixel())),
        _ => None,
    };
    if let Some((kind, body)) = file {
        return (served.send(method, &path, &[cookie, ("Content-Type", kind)], &body).await, path);
    }
    let method = if method == "ANY" { "GET" } else { method };
    (served.send(method, &path, &[cookie, ("Accept", "text/html")], b"").await, path)
}

/// The form as it travels. The tables write it as people read it.
pub fn encoded(form: &str) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        out.append_pair(name, value);
    }
    out.finish()
}

/// What is wrong with an answer.
pub fn fault(row: &Row, who: Who, expected: Expect, answer: &Answer) -> Option<String> {
    let as_expected = match expected {
        Yes | Idle => answer.status < 400,
        No(status) => answer.status == status,
    };
    if !as_expected {
        return Some(format!("{expected:?} expected, but {} {}", answer.status, answer.body));
    }
    // A server function says which error it is, and its status is that error's.
    if let (No(status), false) = (expected, row.name.contains(' ')) {
        let error: Option<AppError> = serde_json::from_str(&answer.body).ok();
        if error.as_ref().map(AppError::status) != Some(status) {
            return Some(format!("{who:?} is told {}", answer.body));
        }
    }
    None
}
