//! The tests: is everything in the table, and does the service answer as it says?

use super::dump::{difference, dump};
use super::functions::FUNCTIONS;
use super::listing;
use super::routes::{PAGES, ROUTES};
use super::rule::{Expect, Kind, No, Row, Who, Whose, Yes};
use super::try_out::{call, fault};
use super::world::{Person, Things, World, missing};
use crate::server::db::Db;
use crate::server::db::testing::on_both;
use crate::server::web::testing::Answer;
use std::collections::BTreeSet;

fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.name.to_owned()).collect()
}

#[tokio::test]
async fn everything_that_can_be_asked_is_in_the_table() {
    let (db, _folder) = crate::server::db::testing::sqlite().await;
    let world = World::new(db).await;
    let functions: BTreeSet<String> = listing::functions().into_keys().collect();
    let routes: BTreeSet<String> = listing::routes(world.served.state.clone()).into_iter().collect();
    let pages: BTreeSet<String> = listing::pages().into_iter().collect();
    assert!(
        functions.len() > 70 && routes.len() > 20 && pages.len() > 40,
        "{} {} {}",
        functions.len(),
        routes.len(),
        pages.len()
    );
    assert_eq!(names(FUNCTIONS), functions, "server functions");
    assert_eq!(names(ROUTES), routes, "routes");
    assert_eq!(names(PAGES), pages, "pages");
    let of = |rows: &[Row]| rows.iter().map(|row| row.cells().len()).sum::<usize>();
    let events = routes.iter().filter(|route| route.starts_with("GET /events/")).count();
    println!(
        "{} server functions, {} routes ({events} streams of events), {} pages: {} rows, {} cells",
        functions.len(),
        routes.len(),
        pages.len(),
        FUNCTIONS.len() + ROUTES.len() + PAGES.len(),
        of(FUNCTIONS) + of(ROUTES) + of(PAGES)
    );
}

/// Everybody, with a thing of every kind that these rows name.
pub struct People {
    all: Vec<(Who, Option<Person>)>,
}

impl People {
    pub async fn new(world: &World, rows: &[Row]) -> Self {
        let text: String = rows.iter().map(|row| row.form).collect();
        let mut all = Vec::new();
        for who in Who::ALL {
            let person = if who == Who::Anonymous { None } else { Some(world.person(who, &text).await) };
            all.push((who, person));
        }
        Self { all }
    }

    pub fn get(&self, who: Who) -> Option<&Person> {
        self.all.iter().find(|(known, _)| *known == who).and_then(|(_, person)| person.as_ref())
    }

    /// Whom another's thing belongs to.
    fn another(&self, who: Who) -> &Person {
        self.get(if who == Who::User { Who::Other } else { Who::User }).unwrap()
    }

    fn things(&self, who: Who, whose: Whose) -> Things {
        match whose {
            Whose::Own => self.get(who).map_or_else(missing, |person| person.things.clone()),
            Whose::Anothers => self.another(who).things.clone(),
            Whose::Missing => missing(),
        }
    }

    /// Whether an answer tells anything of others that it should not: their marks stand in all their texts.
    fn leak(&self, row: &Row, (who, whose, expected): (Who, Whose, Expect), answer: &Answer) -> Option<String> {
        if row.kind == Kind::ReadAll && expected == Yes {
            return None;
        }
        let shown = |of: Who| of == who || expected == Yes && whose == Whose::Anothers && of == self.owner(who);
        let mut others = self.all.iter().filter(|(of, _)| !shown(*of)).filter_map(|(_, person)| person.as_ref());
        others.find(|person| answer.body.contains(&person.mark)).map(|_| format!("shows another's: {}", answer.body))
    }

    fn owner(&self, who: Who) -> Who {
        if who == Who::User { Who::Other } else { Who::User }
    }
}

/// An answer without what differs from one to the next for no reason that matters: the path, nonces.
fn blank(answer: &Answer, path: &str) -> (u16, String) {
    // The link to the other language leads back to the page.
    let encoded: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let body = answer.body.replace(path, "#").replace(&encoded, "#");
    let mut parts = body.split("nonce=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or(part, |(_, rest)| rest));
    }
    (answer.status, text)
}

/// What tells two answers apart.
fn apart(one: &(u16, String), other: &(u16, String)) -> Option<String> {
    if one.0 != other.0 {
        return Some(format!("{} and {}", one.0, other.0));
    }
    let at = one.1.bytes().zip(other.1.bytes()).position(|(a, b)| a != b)?;
    let near = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..]).chars().take(100).collect::<String>()
    };
    Some(format!("{:?} and {:?}", near(&one.1), near(&other.1)))
}

/// Tries all cells that change nothing: what is refused, and what only reads.
async fn try_what_changes_nothing(world: &World, rows: &[Row]) -> Vec<String> {
    try_as(world, &People::new(world, rows).await, rows, &Who::ALL).await
}

/// The same for some of the people.
pub async fn try_as(world: &World, people: &People, rows: &[Row], some: &[Who]) -> Vec<String> {
    let functions = listing::functions();
    let mut faults = Vec::new();
    let mut before = dump(world.db()).await;
    for row in rows {
        let mut refused: Option<(u16, String)> = None;
        for cell @ (who, whose, expected) in row.cells() {
            if row.kind == Kind::Write && expected == Yes || !some.contains(&who) {
                continue;
            }
            let things = people.things(who, whose);
            let (answer, path) = call(world, &functions, row, people.get(who), &things).await;
            let wrong = fault(row, who, expected, &answer).or_else(|| people.leak(row, cell, &answer));
            faults.extend(wrong.map(|wrong| format!("{} {who:?} {whose:?}: {wrong}", row.name)));
            // What is another's looks like what is not there.
            match whose {
                Whose::Anothers if expected == No(404) => refused = Some(blank(&answer, &path)),
                Whose::Missing => {
                    let told = refused.take().and_then(|other| apart(&other, &blank(&answer, &path)));
                    faults
                        .extend(told.map(|by| format!("{} {who:?}: another's is told from missing by {by}", row.name)));
                }
                _ => {}
            }
        }
        let after = dump(world.db()).await;
        faults.extend(difference(&before, &after).map(|what| format!("{} changed {what}", row.name)));
        before = after;
    }
    faults
}

/// Tries all cells that change something, each with people and things of its own.
async fn try_what_changes_something(world: &World, rows: &[Row]) -> Vec<String> {
    let functions = listing::functions();
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.kind == Kind::Write) {
        for (who, whose, expected) in row.cells() {
            if expected != Yes {
                continue;
            }
            let asker = if who == Who::Anonymous { None } else { Some(world.person(who, row.form).await) };
            let things = match (whose, &asker) {
                (Whose::Own, Some(asker)) => asker.things.clone(),
                (Whose::Anothers, _) => world.person(Who::User, row.form).await.things,
                _ => missing(),
            };
            let (answer, _) = call(world, &functions, row, asker.as_ref(), &things).await;
            let wrong = fault(row, who, expected, &answer);
            faults.extend(wrong.map(|wrong| format!("{} {who:?} {whose:?}: {wrong}", row.name)));
        }
    }
    faults
}

pub fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} cells are not as the table says:\n{}", faults.len(), faults.join("\n"));
}

async fn what_is_refused_or_read_changes_nothing(db: Db) {
    let world = World::new(db).await;
    none(&try_what_changes_nothing(&world, FUNCTIONS).await);
    none(&try_what_changes_nothing(&world, ROUTES).await);
}

async fn pages_show_each_what_is_theirs(db: Db) {
    let world = World::new(db).await;
    none(&try_what_changes_nothing(&world, PAGES).await);
}

async fn what_is_allowed_is_done(db: Db) {
    let world = World::new(db).await;
    none(&try_what_changes_something(&world, FUNCTIONS).await);
    none(&try_what_changes_something(&world, ROUTES).await);
}

on_both!(what_is_refused_or_read_changes_nothing, pages_show_each_what_is_theirs, what_is_allowed_is_done);
