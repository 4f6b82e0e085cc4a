use super::super::clients::NewClient;
use super::super::testing::{client, double, made_at, message, on_both, user};
use super::super::{on_db, runs, selections};
use super::*;
use crate::domain::audience::Audience;
use crate::domain::email::EmailAddress;
use crate::domain::user::Role;

async fn owner(db: &Db) -> i64 {
    user(db, "anna@example.org", Role::User).await.id
}

async fn found(db: &Db, owner: i64) -> Vec<(i64, i64)> {
    list(db, owner, 0, 100).await.unwrap().into_iter().map(|double| (double.goes.id, double.stays.id)).collect()
}

/// Whom a run with this audience writes to.
async fn written_to(db: &Db, owner: i64, audience: &Audience) -> Vec<String> {
    const MAILING: &str = "INSERT INTO mailings (owner_id, message_id, title, search, audience, start_local, zone, start_at,
        end_at, period, policy, status, created_at, updated_at) VALUES ($1, $2, '', '', '', '', 'UTC', $3, $3, 'once', 'hold',
        'running', $3, $3) RETURNING id";
    const EMAILS: &str = "SELECT email FROM deliveries WHERE run_id = $1 ORDER BY client_id";
    let message = message(db, owner, "S", "B").await;
    let mut tx = db.begin().await.unwrap();
    let mailing: i64 = on_tx!(&mut tx, conn =>
        sqlx::query_scalar(MAILING).bind(owner).bind(message).bind(made_at()).fetch_one(conn).await)
    .unwrap();
    let snapshot = runs::snapshot(&mut tx, mailing).await.unwrap();
    let run = runs::open(&mut tx, mailing, made_at(), &snapshot, made_at()).await.unwrap().unwrap();
    runs::fill(&mut tx, run, (owner, 0), audience, made_at()).await.unwrap();
    tx.commit().await.unwrap();
    on_db!(db, pool => sqlx::query_scalar(EMAILS).bind(run).fetch_all(pool).await).unwrap()
}

async fn selection(db: &Db, owner: i64, ids: &[i64]) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let id = selections::insert(&mut tx, owner, ids, made_at()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_run_writes_to_an_address_once(db: Db) {
    let owner = owner(&db).await;
    client(&db, owner, "ann.lee@example.com", "Ann", "").await;
    let upper = double(&db, owner, "Ann.Lee@Example.com", "Ann", "friend").await;
    client(&db, owner, "a@пример.рф", "", "").await;
    let labels = double(&db, owner, "A@xn--e1afmkfd.xn--p1ai", "", "friend").await;
    let third = double(&db, owner, "A@ПРИМЕР.рф", "", "friend").await;
    client(&db, owner, "b@example.org", "", "friend").await;
    let written = written_to(&db, owner, &Audience::All).await;
    assert_eq!(written, ["ann.lee@example.com", "a@пример.рф", "b@example.org"]);
    // Where the one that stays is not meant, a double is.
    let search = Audience::Search { text: "friend".to_owned() };
    let friends = ["Ann.Lee@Example.com", "A@xn--e1afmkfd.xn--p1ai", "b@example.org"];
    assert_eq!(written_to(&db, owner, &search).await, friends);
    let picked = Audience::Picked { selection: selection(&db, owner, &[upper, labels, third]).await };
    assert_eq!(written_to(&db, owner, &picked).await, friends[..2]);
}

async fn doubles_are_joined_and_nothing_is_lost(db: Db) {
    let owner = owner(&db).await;
    let (stays, boris) =
        (client(&db, owner, "ann@example.org", "", "fair").await, client(&db, owner, "b@example.org", "", "").await);
    let first = double(&db, owner, "Ann@example.org", "Ann Lee", "").await;
    let second = double(&db, owner, "ANN@example.org", "A. Lee", "met in May").await;
    let other = user(&db, "other@example.org", Role::User).await.id;
    client(&db, other, "ann@example.org", "", "").await;
    let theirs = double(&db, other, "Ann@example.org", "", "").await;
    assert_eq!(found(&db, owner).await, [(first, stays), (second, stays)]);
    assert_eq!(count(&db, owner).await.unwrap(), 2);
    let picked = selection(&db, owner, &[first, second, boris]).await;
    let before = written_to(&db, owner, &Audience::Search { text: "met".to_owned() }).await;
    assert_eq!(before, ["ANN@example.org"]);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(join(&mut tx, owner, 1, made_at()).await.unwrap(), 1);
    assert_eq!(join(&mut tx, owner, 5, made_at()).await.unwrap(), 1);
    assert_eq!(join(&mut tx, owner, 5, made_at()).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(found(&db, owner).await, []);
    let ann = clients::get(&db, owner, stays).await.unwrap().unwrap();
    assert_eq!((ann.full_name.as_str(), ann.comment.as_str()), ("Ann Lee", "fair\nA. Lee\nmet in May"));
    assert_eq!(clients::count(&db, owner, "met in may").await.unwrap(), 1);
    assert_eq!(selections::members(&db, owner, picked, &[stays, boris]).await.unwrap().len(), 2);
    // The record of what was sent stays.
    const RECORD: &str = "SELECT COUNT(*) FROM deliveries WHERE email = 'ANN@example.org'";
    let kept: i64 = on_db!(&db, pool => sqlx::query_scalar(RECORD).fetch_one(pool).await).unwrap();
    assert_eq!(kept, 1);
    assert_eq!(found(&db, other).await.first().map(|(id, _)| *id), Some(theirs), "another's stay");
}

async fn where_the_one_that_stays_goes_another_stays(db: Db) {
    let owner = owner(&db).await;
    for (change, spelling) in [("deleted", "a"), ("found and deleted", "b"), ("moved", "c")] {
        let lower = client(&db, owner, &format!("{spelling}nn@example.org"), "", "first").await;
        let first = double(&db, owner, &format!("{spelling}Nn@example.org"), "", "").await;
        let second = double(&db, owner, &format!("{spelling}NN@example.org"), "", "").await;
        let mut tx = db.begin().await.unwrap();
        match change {
            "deleted" => assert_eq!(clients::delete(&mut tx, owner, &[lower]).await.unwrap(), 1),
            "found and deleted" => {
                assert_eq!(clients::delete_found(&mut tx, owner, "first".into()).await.unwrap().total, 1)
            }
            _ => {
                let email = EmailAddress::parse("moved@example.org").unwrap();
                let new = NewClient { email, full_name: String::new(), comment: String::new() };
                assert!(clients::update(&mut tx, owner, lower, &new, made_at()).await.unwrap());
            }
        }
        tx.commit().await.unwrap();
        assert_eq!(found(&db, owner).await, [(second, first)], "{change}");
        let mut tx = db.begin().await.unwrap();
        join(&mut tx, owner, 5, made_at()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// What the migration makes of clients that were stored before.
async fn clients_of_before_are_marked(db: Db) {
    let owner = owner(&db).await;
    let stays = client(&db, owner, "ann@example.org", "", "").await;
    let goes = double(&db, owner, "Ann@example.org", "", "").await;
    let unfolded = double(&db, owner, "почта@пример.рф", "", "").await;
    let migration = match db {
        Db::Sqlite { .. } => include_str!("../../../migrations/sqlite/0033_doubles.sql"),
        Db::Postgres(_) => include_str!("../../../migrations/postgres/0033_doubles.sql"),
    };
    const BEFORE: &str = "DROP INDEX clients_by_address_key; DROP INDEX clients_doubles;
        ALTER TABLE clients DROP COLUMN double_id; CREATE INDEX clients_by_address_key ON clients (owner_id, address_key);
        UPDATE clients SET address_key = '' WHERE email_key = 'почта@пример.рф';";
    let mut tx = db.begin().await.unwrap();
    for sql in [BEFORE, migration] {
        on_tx!(&mut tx, conn => sqlx::raw_sql(sql).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(found(&db, owner).await, [(goes, stays)]);
    let mut tx = db.begin().await.unwrap();
    clients::set_key(&mut tx, unfolded, "почта@xn--e1afmkfd.xn--p1ai").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&db, owner).await.unwrap(), 1);
    client(&db, owner, "c@example.org", "", "").await;
}

on_both!(
    a_run_writes_to_an_address_once,
    doubles_are_joined_and_nothing_is_lost,
    where_the_one_that_stays_goes_another_stays,
    clients_of_before_are_marked,
);
