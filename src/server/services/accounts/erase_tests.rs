use super::super::add;
use super::super::tests::{PASSWORD, enter, form, noon, origin, post, sign_up};
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::Permission;
use crate::forms::oversight::StopForm;
use crate::server::db::{on_db, testing, users};
use crate::server::services::audit::{Verdict, list, verify};
use crate::server::services::oversight;
use crate::server::services::testing::sent_mailing;

async fn actor(db: &Db, email: &str, role: Role) -> Actor {
    let id = add(db, &form(email), role, Lang::En, noon()).await.unwrap();
    let actor = Actor::prove(&users::by_id(db, id).await.unwrap().unwrap(), Permission::Own).unwrap();
    Actor { address: "192.0.2.7".to_owned(), ..actor }
}

fn password(text: &str) -> PasswordForm {
    PasswordForm { password: text.to_owned() }
}

async fn rows(db: &Db, table: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
}

async fn all_that_is_theirs_goes_and_nothing_else(db: Db) {
    let (anna, boris) =
        (actor(&db, "anna@example.org", Role::User).await, actor(&db, "b@example.org", Role::User).await);
    let manager = actor(&db, "manager@example.org", Role::Manager).await;
    let manager = Actor { address: "192.0.2.8".to_owned(), ..manager };
    // More than one batch.
    sent_mailing(&db, &anna, 620).await;
    sent_mailing(&db, &boris, 3).await;
    enter(&db, "anna@example.org", PASSWORD).await.unwrap();
    let stop = |id, reason: &str| StopForm { id, reason: reason.to_owned() };
    oversight::block(&db, origin(), &manager, &stop(anna.id, "Anna Petrova's spam"), noon()).await.unwrap();
    oversight::unblock(&db, &manager, anna.id, noon()).await.unwrap();
    let counts = own_counts(&db, &anna).await.unwrap();
    assert_eq!((counts.clients, counts.messages, counts.mailings, counts.deliveries), (620, 1, 1, 620));
    let wrong = delete_account(&db, origin(), &anna, &password("not the password"), noon()).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))));
    post(&db).await;
    delete_account(&db, origin(), &anna, &password(PASSWORD), noon()).await.unwrap();
    let letters = post(&db).await;
    assert!(letters.len() == 1 && letters[0].0 == "anna@example.org", "{letters:?}");
    let gone = users::by_id(&db, anna.id).await.unwrap().unwrap();
    assert!(Actor::prove(&gone, Permission::Own).is_err() && gone.name.is_empty() && gone.email.is_empty());
    assert!(enter(&db, "anna@example.org", PASSWORD).await.is_err());
    assert!(matches!(oversight::user(&db, &manager, anna.id).await, Err(Error::NotFound)));
    sign_up(&db, "anna@example.org", noon()).await.expect("the address is free");
    assert!(matches!(verify(&db, None).await.unwrap(), Verdict::Whole { .. }));

    empty_all(&db, &CancellationToken::new()).await.unwrap();
    assert!(users::by_id(&db, anna.id).await.unwrap().is_none());
    for (table, left) in
        [("clients", 3), ("messages", 1), ("mailings", 1), ("runs", 1), ("deliveries", 3), ("attempts", 3)]
    {
        assert_eq!(rows(&db, table).await, left, "{table}");
    }
    let log = list(&db, "", "", "").await.unwrap().rows;
    let about: Vec<_> = log.iter().filter(|line| line.target_id == Some(anna.id)).collect();
    assert!(about.iter().any(|line| line.act == Act::AccountDeleted));
    assert!(about.iter().all(|line| line.target.is_empty() && line.reason.is_empty()), "{about:?}");
    let block = about.iter().find(|line| line.act == Act::UserBlocked).unwrap();
    assert_eq!(block.actor, "manager@example.org", "who did it stays");
    let old =
        |line: &&crate::domain::audit::AuditLine| line.target_id == Some(anna.id) || line.actor_id == Some(anna.id);
    let told = format!("{:?}", log.iter().filter(old).collect::<Vec<_>>());
    assert!(!told.contains("anna@") && !told.contains("Petrova") && !told.contains("192.0.2.7"), "{told}");
    assert_eq!(list(&db, "petrova", "", "").await.unwrap().total, 0, "nothing is found by it");
    assert!(matches!(verify(&db, None).await.unwrap(), Verdict::Whole { .. }), "the chain holds");
}

async fn the_last_administrator_stays(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let refused = delete_account(&db, origin(), &admin, &password(PASSWORD), noon()).await;
    assert!(matches!(refused, Err(Error::Conflict("error.delete.last_admin"))));
    let other = actor(&db, "other@example.org", Role::Admin).await;
    // Both at once: one stays.
    let form = password(PASSWORD);
    let (one, two) = tokio::join!(
        delete_account(&db, origin(), &admin, &form, noon()),
        delete_account(&db, origin(), &other, &form, noon())
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
}

testing::on_both!(all_that_is_theirs_goes_and_nothing_else, the_last_administrator_stays);
