use super::super::add;
use super::super::tests::{PASSWORD, form, noon};
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::server::db::{testing, users};
use crate::server::services::testing::sent_mailing;

async fn actor(db: &Db, email: &str) -> Actor {
    let id = add(db, &form(email), Role::User, Lang::En, noon()).await.unwrap();
    Actor::prove(&users::by_id(db, id).await.unwrap().unwrap(), Permission::Own).unwrap()
}

async fn everything_that_is_ones_own_and_nothing_else(db: Db) {
    let (anna, boris) = (actor(&db, "anna@example.org").await, actor(&db, "boris@example.org").await);
    sent_mailing(&db, &anna, 1201).await;
    sent_mailing(&db, &boris, 2).await;
    let mut pieces = own_data(db.clone(), &anna, noon()).await.unwrap();
    let mut file = Vec::new();
    while let Some(piece) = pieces.recv().await {
        let piece = piece.unwrap();
        assert!(piece.len() < 4 * PIECE, "{} bytes at once", piece.len());
        file.extend(piece);
    }
    let text = String::from_utf8(file).unwrap();
    for secret in [PASSWORD, "argon2", "boris@example.org", "password"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let data: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(data["account"]["email"], "anna@example.org");
    let length = |value: &serde_json::Value| value.as_array().unwrap().len();
    assert_eq!((length(&data["clients"]), length(&data["messages"]), length(&data["mailings"])), (1201, 1, 1));
    let run = &data["mailings"][0]["runs"][0];
    assert_eq!((length(&data["mailings"][0]["runs"]), length(&run["deliveries"])), (1, 1201));
    assert_eq!(run["subject"], "For {{ full_name }}");
    let delivery = &run["deliveries"][1200];
    assert_eq!((delivery["state"].as_str(), delivery["attempts"][0]["reply"].as_str()), (Some("sent"), Some("ok")));
    let last = data["audit_log"].as_array().unwrap().last().unwrap();
    assert_eq!(last["act"], "data_exported");
}

testing::on_both!(everything_that_is_ones_own_and_nothing_else);
