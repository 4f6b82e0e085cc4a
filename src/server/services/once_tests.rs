use super::*;
use crate::domain::mass_mail::MassMail;
use crate::domain::user::{Permission, Role};
use crate::forms::clients::ClientForm;
use crate::forms::mailings::{MailingForm, NOW};
use crate::forms::messages::MessageForm;
use crate::forms::posts::PostForm;
use crate::server::db::testing::{self, client, made_at, message};
use crate::server::db::{Db, on_db};
use crate::server::services::posts::Saved;
use crate::server::services::posts::changes::Changes;
use crate::server::services::{clients, mailings, messages, posts};
use std::future::Future;

/// How often two requests race.
const RACES: usize = 200;

async fn actor(db: &Db, email: &str) -> Actor {
    Actor::prove(&testing::user(db, email, Role::Editor).await, Permission::Blog).unwrap()
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
}

/// Sends each form twice at once, and says what both were told.
async fn race<T, F>(db: &Db, send: impl Fn(Db, Actor, usize) -> F) -> Vec<(T, T)>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let actor = actor(db, "anna@example.org").await;
    let mut told = Vec::new();
    for n in 0..RACES {
        let [first, second] = [(); 2].map(|()| tokio::spawn(send(db.clone(), actor.clone(), n)));
        told.push((first.await.unwrap().unwrap(), second.await.unwrap().unwrap()));
    }
    told
}

fn note(n: usize) -> MessageForm {
    MessageForm { subject: format!("Message {n}"), body: "Hello".to_owned(), ..MessageForm::default() }
}

async fn a_message_that_is_sent_twice_is_one(db: Db) {
    let told =
        race(
            &db,
            |db, anna, n| async move { messages::save(&db, &anna, &note(n), &format!("key {n}"), made_at()).await },
        );
    assert!(told.await.iter().all(|(first, second)| first == second));
    assert_eq!(count(&db, "SELECT COUNT(*) FROM messages").await, RACES as i64);
}

async fn a_client_that_is_sent_twice_is_one_and_no_error(db: Db) {
    race(&db, |db, anna, n| async move {
        let form = ClientForm { email: format!("c{n}@example.org"), ..ClientForm::default() };
        clients::save(&db, &anna, &form, "key", made_at()).await
    })
    .await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM clients").await, RACES as i64);
}

fn mailing(message: i64, title: String) -> MailingForm {
    MailingForm {
        message,
        title,
        clients: "all".to_owned(),
        start: NOW.to_owned(),
        end: "2026-02-01T00:00:00Z".to_owned(),
        zone: "UTC".to_owned(),
        period: "once".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    }
}

async fn a_mailing_that_is_sent_twice_is_one(db: Db) {
    let olga = testing::user(&db, "olga@example.org", Role::Editor).await;
    let olga = Actor::prove(&olga, Permission::Own).unwrap();
    client(&db, olga.id, "c@example.org", "", "").await;
    let about = message(&db, olga.id, "Hello", "Hello").await;
    for n in 0..RACES {
        let send = || {
            let (db, olga) = (db.clone(), olga.clone());
            tokio::spawn(async move {
                mailings::save(&db, &olga, &mailing(about, format!("Mailing {n}")), "key", MassMail::May, made_at())
                    .await
                    .unwrap()
            })
        };
        let (first, second) = (send(), send());
        assert_eq!(first.await.unwrap(), second.await.unwrap());
    }
    assert_eq!(count(&db, "SELECT COUNT(*) FROM mailings").await, RACES as i64);
}

async fn a_post_that_is_sent_twice_is_one(db: Db) {
    let told = race(&db, |db, anna, n| async move {
        let form = PostForm {
            title: format!("Post {n}"),
            body: "Text".to_owned(),
            lang: "en".to_owned(),
            publish: "now".to_owned(),
            ..PostForm::default()
        };
        match posts::save(&db, &Changes::default(), &anna, &form, "key", made_at()).await? {
            Saved::Stored(id) => Ok(id),
            Saved::Clash(id) => panic!("post {id} is new"),
        }
    });
    assert!(told.await.iter().all(|(first, second)| first == second));
    assert_eq!(count(&db, "SELECT COUNT(*) FROM posts").await, RACES as i64);
}

async fn copies_and_messages_out_of_posts_too(db: Db) {
    let anna = actor(&db, "anna@example.org").await;
    let id = messages::save(&db, &anna, &note(0), "", made_at()).await.unwrap();
    let copy = async |key: &str| messages::duplicate(&db, &anna, id, key, made_at()).await.unwrap();
    let first = copy("a").await;
    assert_eq!((copy("a").await, first == id), (first, false));
    assert_ne!(copy("b").await, first, "who wants two copies gets them");
}

/// Only what is the same is one.
async fn what_differs_is_made_anew(db: Db) {
    let (anna, olga) = (actor(&db, "anna@example.org").await, actor(&db, "olga@example.org").await);
    let save = async |actor: &Actor, n, key: &str| messages::save(&db, actor, &note(n), key, made_at()).await.unwrap();
    let first = save(&anna, 1, "key").await;
    let others = [
        save(&anna, 2, "key").await,
        save(&anna, 1, "another").await,
        save(&olga, 1, "key").await,
        save(&anna, 1, "").await,
        save(&anna, 1, "").await,
    ];
    assert!(others.iter().all(|id| *id != first));
    // What has been deleted can be made again.
    messages::delete(&db, &anna, first).await.unwrap();
    let again = save(&anna, 1, "key").await;
    assert_ne!(again, first);
    assert_eq!(save(&anna, 1, "key").await, again);
    // A day later nothing is known of it.
    crate::server::services::accounts::tidy(&db, made_at() + chrono::TimeDelta::days(2)).await.unwrap();
    assert_eq!(count(&db, "SELECT COUNT(*) FROM submissions").await, 0);
}

testing::on_both!(
    a_message_that_is_sent_twice_is_one,
    a_client_that_is_sent_twice_is_one_and_no_error,
    a_mailing_that_is_sent_twice_is_one,
    a_post_that_is_sent_twice_is_one,
    copies_and_messages_out_of_posts_too,
    what_differs_is_made_anew
);
