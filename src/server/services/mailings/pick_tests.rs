use super::*;
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::db::testing;
use crate::server::services::mailings;
use crate::server::services::testing::actor;

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

async fn picking(db: Db) {
    let (anna, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(testing::client(&db, anna.id, &format!("{name}@example.org"), "", "").await);
    }
    let theirs = testing::client(&db, other.id, "four@example.org", "", "").await;
    let selection = begin(&db, &anna, 0, now()).await.unwrap();
    let picks = |shown: &[i64], chosen: &[i64]| Picks {
        selection,
        shown: shown.to_vec(),
        ids: chosen.to_vec(),
        ..Picks::default()
    };
    let all = |word: &str, q: &str| Picks { selection, all: word.to_owned(), q: q.to_owned(), ..Picks::default() };
    assert_eq!(change(&db, &anna, &picks(&ids, &[ids[0], theirs])).await.unwrap(), 1, "another's is no choice");
    assert_eq!(change(&db, &anna, &picks(&ids[1..], &ids[2..])).await.unwrap(), 2, "other pages keep theirs");
    let page = choices(&db, &anna, selection, "", "").await.unwrap();
    let mut held: Vec<i64> = page.rows.iter().filter(|(_, held)| *held).map(|(client, _)| client.id).collect();
    held.sort_unstable();
    assert_eq!((held, page.total), (vec![ids[0], ids[2]], 3));
    assert_eq!(choices(&db, &anna, selection, "TWO@", "").await.unwrap().total, 1);
    assert_eq!(change(&db, &anna, &picks(&ids[..1], &[])).await.unwrap(), 1);
    assert_eq!(change(&db, &anna, &all("put", "")).await.unwrap(), 3);
    assert_eq!(change(&db, &anna, &all("take", "three@")).await.unwrap(), 2);
    assert!(matches!(change(&db, &other, &all("put", "")).await, Err(Error::Conflict(_))), "another's selection");
    assert!(choices(&db, &other, selection, "", "").await.unwrap().rows.iter().all(|(_, held)| !held));

    // What a mailing has got changes no more; a copy of it does.
    let message = testing::message(&db, anna.id, "Hello", "Hello").await;
    let form = MailingForm {
        message,
        clients: "picked".to_owned(),
        selection,
        start: NOW.to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        zone: "UTC".to_owned(),
        period: "once".to_owned(),
        policy: "hold".to_owned(),
        ..MailingForm::default()
    };
    let mailing = mailings::create(&db, &anna, &form, now()).await.unwrap();
    let used = change(&db, &anna, &all("take", "")).await;
    assert!(matches!(used, Err(Error::Conflict("error.selection.used"))), "{used:?}");
    let copy = begin(&db, &anna, selection, now()).await.unwrap();
    assert_eq!(change(&db, &anna, &Picks { selection: copy, ..all("take", "one@") }).await.unwrap(), 1);
    assert_eq!(mailings::detail(&db, &anna, mailing, now()).await.unwrap().audience_size.clients, 2);
    let foreign = begin(&db, &other, selection, now()).await.unwrap();
    let nothing = Picks { selection: foreign, ..Picks::default() };
    assert_eq!(change(&db, &other, &nothing).await.unwrap(), 0, "another's selection is not copied");
}

testing::on_both!(picking);
