use super::super::tests::{PASSWORD, enter, form, key, noon, origin, post};
use super::super::{add, ask_new_email, send_reset};
use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::{AddressForm, NewEmailForm};
use crate::server::db::testing;
use crate::server::services::Actor;

fn folded(email: &str) -> String {
    account_key(&EmailAddress::parse(email).unwrap())
}

#[test]
fn case_and_the_form_of_a_domain_make_no_difference() {
    for same in [
        ["Anna@EXAMPLE.org", "anna@example.org", "ANNA@example.ORG"],
        ["анна@пример.рф", "АННА@ПРИМЕР.РФ", "Анна@xn--e1afmkfd.xn--p1ai"],
        ["o@Bücher.example", "O@XN--BCHER-KVA.example", "o@bücher.EXAMPLE"],
        // A composed and a decomposed letter of a domain.
        ["o@b\u{fc}cher.example", "o@bu\u{308}cher.example", "o@xn--bcher-kva.example"],
    ] {
        assert!(same.iter().all(|email| folded(email) == folded(same[0])), "{same:?}");
    }
    assert_ne!(folded("anna@example.org"), folded("anna+list@example.org"));
    assert_ne!(folded("anna@example.org"), folded("anna@example.com"));
}

async fn log_in_is_without_case_and_nobody_is_there_twice(db: Db) {
    let id = add(&db, &form("Anna@Пример.рф"), Role::User, Lang::En, noon()).await.unwrap();
    for same in ["anna@пример.рф", "ANNA@ПРИМЕР.РФ", "Anna@xn--e1afmkfd.xn--p1ai", "anna@XN--E1AFMKFD.xn--p1ai"]
    {
        assert_eq!(enter(&db, same, PASSWORD).await.unwrap().id, id, "{same}");
        let twice = add(&db, &form(same), Role::User, Lang::En, noon()).await;
        assert_eq!(key(twice.unwrap_err()), "error.email.taken", "{same}");
        post(&db).await;
        let reset = AddressForm { email: same.to_owned() };
        // The fourth letter waits.
        if send_reset(&db, origin(), &reset, noon()).await.is_ok() {
            assert_eq!(post(&db).await.len(), 1, "{same}");
        }
    }
    // Nor by a change of address.
    let other = add(&db, &form("boris@example.org"), Role::User, Lang::En, noon()).await.unwrap();
    let other = users::by_id(&db, other).await.unwrap().unwrap();
    let other = Actor::prove(&other, Permission::Own).unwrap();
    let wanted = NewEmailForm { email: "ANNA@xn--e1afmkfd.xn--p1ai".to_owned(), password: PASSWORD.to_owned() };
    ask_new_email(&db, origin(), &other, &wanted, noon()).await.unwrap();
    let letters = post(&db).await;
    assert!(letters.iter().all(|(_, text)| !text.contains("token=")), "{letters:?}");
    // One's own in another case is a change like any other.
    let wanted = NewEmailForm { email: "BORIS@example.org".to_owned(), password: PASSWORD.to_owned() };
    ask_new_email(&db, origin(), &other, &wanted, noon()).await.unwrap();
    assert_eq!(post(&db).await.len(), 2);
}

async fn accounts_of_before_get_their_keys(db: Db) {
    // As they were made before: the local part as written.
    let mut ids = Vec::new();
    for email in ["Anna@example.org", "anna@example.org", "Boris@пример.рф", "CLARA@example.org"] {
        ids.push(add(&db, &form(&format!("{}{email}", ids.len())), Role::User, Lang::En, noon()).await.unwrap());
        let mut tx = db.begin().await.unwrap();
        let (local, domain) = email.split_once('@').unwrap();
        let old = format!("{local}@{}", domain.to_lowercase());
        let user = users::by_id(&db, *ids.last().unwrap()).await.unwrap().unwrap();
        users::set_email(&mut tx, &user, email, &old).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert!(enter(&db, "clara@example.org", PASSWORD).await.is_err());
    for _ in 0..2 {
        fold_accounts(&db).await.unwrap();
        for (email, id) in [
            ("Boris@пример.рф", ids[2]),
            ("boris@xn--e1afmkfd.xn--p1ai", ids[2]),
            ("clara@example.org", ids[3]),
            ("CLARA@example.org", ids[3]),
            // The key was the second one's already; the first is found by its exact spelling.
            ("anna@example.org", ids[1]),
            ("Anna@example.org", ids[0]),
        ] {
            assert_eq!(enter(&db, email, PASSWORD).await.unwrap().id, id, "{email}");
        }
    }
}

testing::on_both!(log_in_is_without_case_and_nobody_is_there_twice, accounts_of_before_get_their_keys);
