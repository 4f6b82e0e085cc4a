//! Sessions and links that are planted, replayed, or used twice at once.

use super::listing;
use super::rule::Who;
use super::try_out::encoded;
use super::world::{PASSWORD, World};
use crate::server::db::Db;
use crate::server::db::testing::{self, made_at, on_both};
use crate::server::services::accounts;
use crate::server::web::testing::Answer;

const NEW: &str = "a new long password";

async fn send(world: &World, name: &str, cookie: &str, form: &str) -> Answer {
    let path = &listing::functions()[name];
    let headers =
        [("Cookie", cookie), ("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")];
    world.served.send("POST", path, &headers, encoded(form).as_bytes()).await
}

/// Whether the cookie is somebody's.
async fn is_in(world: &World, cookie: &str) -> bool {
    let answer = send(world, "profile/get", cookie, "").await;
    assert!(answer.status == 200 || answer.status == 401, "{answer:?}");
    answer.status == 200
}

/// Logs in with a cookie that the browser has already; returns the one that it has then.
async fn log_in(world: &World, cookie: &str, email: &str, password: &str) -> String {
    let answer = send(world, "login", cookie, &format!("form[email]={email}&form[password]={password}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let set = answer.session();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

async fn a_planted_session_is_worth_nothing(db: Db) {
    let world = World::new(db).await;
    let victim = world.person(Who::User, "").await;
    let email = &victim.things["email"];
    // One that was never given out, one of the attacker's own, and one that was ended.
    let attacker = world.person(Who::Other, "").await;
    let ended = world.person(Who::Other, "").await.cookie;
    send(&world, "sessions/end/all", &ended, "").await;
    for planted in ["vestnik=AAAAAAAAAAAAAAAAAAAAAA", "vestnik=nonsense", &attacker.cookie, &ended] {
        let given = log_in(&world, planted, email, PASSWORD).await;
        assert_ne!(given, planted);
        assert!(is_in(&world, &given).await);
        assert!(!is_in(&world, planted).await, "{planted} became somebody's by the log-in");
    }
}

async fn a_cookie_that_was_ended_is_not_taken_again(db: Db) {
    let world = World::new(db).await;
    let person = world.person(Who::User, "").await;
    let email = person.things["email"].clone();
    let fresh = async || log_in(&world, "", &email, PASSWORD).await;

    let (here, elsewhere) = (fresh().await, fresh().await);
    world.served.post("/logout", &here, "").await;
    assert!(!is_in(&world, &here).await && is_in(&world, &elsewhere).await, "logged out here");

    let here = fresh().await;
    send(&world, "sessions/end/all", &here, "").await;
    assert!(!is_in(&world, &here).await && !is_in(&world, &elsewhere).await, "logged out everywhere");

    let (here, elsewhere) = (fresh().await, fresh().await);
    let form = format!("form[old_password]={PASSWORD}&form[new_password]=another long password");
    let changed = send(&world, "profile/password", &here, &form).await;
    let renewed = changed.session().split(';').next().unwrap().to_owned();
    assert!(is_in(&world, &renewed).await, "the password was changed here");
    assert!(!is_in(&world, &here).await && !is_in(&world, &elsewhere).await);

    let person = world.person(Who::User, "{reset}").await;
    let form = format!("form[token]={}&form[password]={NEW}", person.things["reset"]);
    assert_eq!(send(&world, "reset", "", &form).await.status, 200);
    assert!(!is_in(&world, &person.cookie).await, "the password was reset");
    assert_eq!(send(&world, "reset", "", &form).await.status, 409, "a link that was used");
}

/// Sends forms to one function at once; returns the places of those that were done.
async fn at_once(world: &World, name: &str, forms: &[String]) -> Vec<usize> {
    let answers = futures::future::join_all(forms.iter().map(|form| send(world, name, "", form))).await;
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    let done: Vec<usize> = (0..forms.len()).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(refused + done.len(), forms.len(), "{answers:?}");
    done
}

async fn a_link_works_once_however_often_it_is_followed(db: Db) {
    const TIMES: usize = 8;
    let world = World::new(db).await;
    let person = world.person(Who::User, "{confirm}").await;
    let waiting = world.person(Who::Unconfirmed, "{confirm}").await;
    let confirm = format!("form[token]={}&form[name]=Eve&form[password]={NEW}", waiting.things["confirm"]);
    for (name, form) in [("confirm", confirm), ("profile/email/take", format!("token={}", person.things["move"]))] {
        assert_eq!(at_once(&world, name, &vec![form; TIMES]).await.len(), 1, "{name}");
    }
    // Each sets another password; that of the one who won is the account's.
    let person = world.person(Who::User, "{reset}").await;
    let form = |n: usize| format!("form[token]={}&form[password]={NEW} {n}", person.things["reset"]);
    let done = at_once(&world, "reset", &(0..TIMES).map(form).collect::<Vec<_>>()).await;
    assert_eq!(done.len(), 1);
    for n in 0..TIMES {
        world.forget_tries().await;
        let form = format!("form[email]={}&form[password]={NEW} {n}", person.things["email"]);
        let expected = if n == done[0] { 200 } else { 422 };
        assert_eq!(send(&world, "login", "", &form).await.status, expected, "password {n}");
    }
}

async fn one_set_up_link_makes_one_administrator(db: Db) {
    let world = World::new(db).await;
    let token = accounts::offer_setup(world.db(), made_at()).await.unwrap().unwrap();
    let form = |n: usize| {
        format!("form[name]=Eve&form[email]=e{n}@example.org&form[password]={NEW}&form[zone]=UTC&form[setup]={token}")
    };
    let done = at_once(&world, "setup", &(0..8).map(form).collect::<Vec<_>>()).await;
    assert_eq!(done.len(), 1);
}

/// How often two requests are tried at once; a soak takes ten times as many.
const ROUNDS: usize = 20;

/// A log-in is under way while what it was checked against changes: it comes to nothing, whichever is first.
async fn log_ins_under_way(world: &World, rounds: usize) {
    let admin = world.person(Who::Admin, "").await;
    for round in 0..rounds {
        world.forget_tries().await;
        let person = world.person(Who::User, "{reset}").await;
        let email = &person.things["email"];
        let log_in = format!("form[email]={email}&form[password]={PASSWORD}");
        let (name, cookie, form) = match round % 3 {
            0 => ("reset", "", format!("form[token]={}&form[password]={NEW}", person.things["reset"])),
            1 => {
                let form = format!("form[old_password]={PASSWORD}&form[new_password]={NEW}");
                ("profile/password", person.cookie.as_str(), form)
            }
            _ => {
                ("users/role", admin.cookie.as_str(), format!("form[id]={}&form[role]=manager", person.things["user"]))
            }
        };
        // Three log-ins, so that one of them is in the midst of it.
        let (one, two, three, changed) = tokio::join!(
            send(world, "login", "", &log_in),
            send(world, "login", "", &log_in),
            send(world, "login", "", &log_in),
            send(world, name, cookie, &form),
        );
        assert_eq!(changed.status, 200, "round {round}: {name} {changed:?}");
        for entered in [one, two, three] {
            assert!([200, 401, 422].contains(&entered.status), "round {round}: {entered:?}");
            let given = entered.session().split(';').next().unwrap_or_default();
            // With another role, whoever logs in afterwards is in.
            let may = name == "users/role";
            assert!(given.is_empty() || !is_in(world, given).await || may, "round {round}: in after {name}");
        }
        assert!(!is_in(world, &person.cookie).await, "round {round}: {name}");
    }
}

async fn a_log_in_under_way_ends_with_the_password(db: Db) {
    log_ins_under_way(&World::new(db).await, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak: 200 rounds"]
async fn soak_sqlite_log_ins_under_way() {
    let (db, _folder) = testing::sqlite().await;
    log_ins_under_way(&World::new(db).await, 10 * ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak: 200 rounds"]
async fn soak_postgres_log_ins_under_way() {
    log_ins_under_way(&World::new(testing::postgres().await).await, 10 * ROUNDS).await;
}

on_both!(
    a_log_in_under_way_ends_with_the_password,
    a_planted_session_is_worth_nothing,
    a_cookie_that_was_ended_is_not_taken_again,
    a_link_works_once_however_often_it_is_followed,
    one_set_up_link_makes_one_administrator,
);
