//! Input that nobody types by accident, in every field of every server function: it is taken or refused, and
//! never a fault of ours. A NUL, for one, cannot be stored in PostgreSQL.

use super::functions::FUNCTIONS;
use super::listing;
use super::rule::{Row, Who};
use super::try_out::body_of;
use super::world::World;
use crate::server::db::Db;
use crate::server::db::testing::on_both;

const NASTY: [&str; 12] = [
    "",
    "\0",
    "a\0b",
    "a\r\nBcc: x@example.org\r\n\r\n",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "1e309",
    "' OR 1=1; --",
    "%_\\",
    "\u{202e}\u{feff}\u{e000}\u{10ffff}",
    "{{ x",
];

/// The form with one field replaced, each time another; what is not UTF-8 is sent as it is.
fn variants(form: &str) -> Vec<String> {
    let pairs: Vec<(&str, &str)> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let mut all = Vec::new();
    let long = "x".repeat(300_000);
    for replaced in 0..pairs.len() {
        let write = |value: &str| {
            let mut out = url::form_urlencoded::Serializer::new(String::new());
            for (n, (name, old)) in pairs.iter().enumerate() {
                out.append_pair(name, if n == replaced { value } else { old });
            }
            out.finish()
        };
        all.extend(NASTY.iter().map(|value| write(value)));
        all.push(write(&long));
        all.push(write("INVALID").replace("INVALID", "%ff%fe"));
    }
    all
}

async fn no_input_is_a_fault_of_ours(db: Db) {
    let world = World::new(db).await;
    let functions = listing::functions();
    let mut faults = Vec::new();
    let mut tried = 0;
    for row @ Row { name, form, .. } in FUNCTIONS {
        let person = world.person(Who::Admin, form).await;
        let user: i64 = person.things["user"].parse().unwrap();
        for body in variants(&body_of(row, &person, &world.fresh())) {
            // The request before may have changed the password, or logged out.
            let (cookie, _) = world.session(user).await;
            world.forget_tries().await;
            let headers = [
                ("Cookie", cookie.as_str()),
                ("Accept", "application/json"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ];
            let answer = world.served.send("POST", &functions[*name], &headers, body.as_bytes()).await;
            tried += 1;
            if answer.status >= 500 {
                faults.push(format!("{name} {:.200}: {} {}", body, answer.status, answer.body));
            }
        }
    }
    println!("{tried} requests with nasty input");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

on_both!(no_input_is_a_fault_of_ours);
