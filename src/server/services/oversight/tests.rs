use super::*;
use crate::domain::email::EmailAddress;
use crate::server::db::{testing, users as table};
use crate::server::services::audit::{Verdict, verify};
use chrono::TimeZone;
use std::sync::LazyLock;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 9, 0, 0).unwrap()
}

async fn actor(db: &Db, email: &str, role: Role) -> Actor {
    let user = testing::user(db, email, role).await;
    prove(db, user.id).await.unwrap()
}

async fn prove(db: &Db, id: i64) -> Result<Actor> {
    Actor::prove(&table::by_id(db, id).await.unwrap().unwrap(), Permission::Own)
}

static FROM: LazyLock<EmailAddress> = LazyLock::new(|| EmailAddress::parse("news@vestnik.example").unwrap());

fn origin() -> Origin<'static> {
    Origin { from: &FROM, site: "https://vestnik.example" }
}

fn stop(id: i64, reason: &str) -> StopForm {
    StopForm { id, reason: reason.to_owned() }
}

fn conflict(result: Result<()>) -> &'static str {
    match result {
        Err(Error::Conflict(key)) => key,
        other => panic!("{other:?}"),
    }
}

async fn managers_block_and_let_in_again(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let manager = actor(&db, "manager@example.org", Role::Manager).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    let editor = actor(&db, "editor@example.org", Role::Editor).await;
    for other in [&user, &editor] {
        assert!(matches!(block(&db, origin(), other, &stop(manager.id, "why"), now()).await, Err(Error::Forbidden)));
        assert!(matches!(unblock(&db, other, manager.id, now()).await, Err(Error::Forbidden)));
        assert!(matches!(users(&db, other, "", "", "", "").await, Err(Error::Forbidden)));
        assert!(matches!(super::user(&db, other, user.id).await, Err(Error::Forbidden)));
    }
    assert_eq!(conflict(block(&db, origin(), &manager, &stop(admin.id, "why"), now()).await), "error.block.admin");
    assert_eq!(conflict(block(&db, origin(), &manager, &stop(manager.id, "why"), now()).await), "error.block.self");
    assert!(matches!(block(&db, origin(), &manager, &stop(user.id, "  "), now()).await, Err(Error::Invalid(_))));
    assert!(matches!(block(&db, origin(), &manager, &stop(9999, "why"), now()).await, Err(Error::NotFound)));
    block(&db, origin(), &manager, &stop(user.id, " Спам "), now()).await.unwrap();
    assert!(matches!(prove(&db, user.id).await, Err(Error::Forbidden)), "the very next request is refused");
    assert_eq!(conflict(block(&db, origin(), &manager, &stop(user.id, "again"), now()).await), "error.block.already");
    let seen = super::user(&db, &manager, user.id).await.unwrap();
    let why = seen.blocked.clone().unwrap();
    assert_eq!((why.by.as_str(), why.reason.as_str(), why.at), ("Olga", "Спам", now()));
    assert_eq!(seen.state(), UserState::Blocked);
    let blocked = users(&db, &admin, "USER@", "user", "blocked", "").await.unwrap();
    assert_eq!(blocked.rows, [seen]);
    assert_eq!(users(&db, &admin, "", "", "active", "").await.unwrap().total, 3);
    unblock(&db, &manager, user.id, now()).await.unwrap();
    assert_eq!(conflict(unblock(&db, &manager, user.id, now()).await), "error.block.not");
    prove(&db, user.id).await.unwrap();
    let log = audit::list(&db, "спам", "", "").await.unwrap();
    assert_eq!(log.rows.len(), 1);
    let line = &log.rows[0];
    assert_eq!((line.act, line.actor.as_str()), (Act::UserBlocked, "manager@example.org"));
    assert_eq!((line.target.as_str(), line.reason.as_str()), ("user@example.org", "Спам"));
    assert_eq!(audit::list(&db, "", "user_unblocked", "").await.unwrap().total, 1);
}

async fn only_administrators_give_roles(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let manager = actor(&db, "manager@example.org", Role::Manager).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    let form = |id, role: &str| RoleForm { id, role: role.to_owned() };
    assert!(matches!(give_role(&db, &manager, &form(user.id, "editor"), now()).await, Err(Error::Forbidden)));
    assert!(matches!(give_role(&db, &admin, &form(user.id, "king"), now()).await, Err(Error::Invalid(_))));
    assert_eq!(conflict(give_role(&db, &admin, &form(admin.id, "user"), now()).await), "error.role.self");
    give_role(&db, &admin, &form(user.id, "editor"), now()).await.unwrap();
    give_role(&db, &admin, &form(user.id, "editor"), now()).await.unwrap();
    assert_eq!(prove(&db, user.id).await.unwrap().role, Role::Editor);
    let log = audit::list(&db, "", "role_changed", "").await.unwrap();
    assert_eq!(log.rows.len(), 1, "what changes nothing is not noted");
    assert_eq!((log.rows[0].before.as_str(), log.rows[0].after.as_str()), ("user", "editor"));
}

async fn another_role_ends_the_sessions(db: Db) {
    use crate::server::clock::ManualClock;
    use crate::server::db::sessions::{Sessions, USER};
    use tower_sessions::SessionStore;
    use tower_sessions::session::{Id, Record};
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    let sessions = Sessions::new(db.clone(), ManualClock::new(now()));
    let begin = async |user: i64| {
        let data = std::collections::HashMap::from([(USER.to_owned(), user.into())]);
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(now().timestamp() + 3600).unwrap();
        let mut record = Record { id: Id::default(), data, expiry_date };
        sessions.create(&mut record).await.unwrap();
        record.id
    };
    let (theirs, mine) = (begin(user.id).await, begin(admin.id).await);
    let same = RoleForm { id: user.id, role: "user".to_owned() };
    give_role(&db, &admin, &same, now()).await.unwrap();
    assert!(sessions.load(&theirs).await.unwrap().is_some(), "nothing has changed");
    give_role(&db, &admin, &RoleForm { role: "manager".to_owned(), ..same }, now()).await.unwrap();
    assert!(sessions.load(&theirs).await.unwrap().is_none());
    assert!(sessions.load(&mine).await.unwrap().is_some());
}

async fn a_changed_line_shows(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    assert_eq!(verify(&db, None).await.unwrap(), Verdict::Whole { lines: 0, head: String::new() });
    for round in 0..5 {
        block(&db, origin(), &admin, &stop(user.id, &format!("round {round}")), now()).await.unwrap();
        unblock(&db, &admin, user.id, now()).await.unwrap();
    }
    let Verdict::Whole { lines: 10, head } = verify(&db, None).await.unwrap() else { panic!("the chain is whole") };
    assert_eq!(verify(&db, Some(&head)).await.unwrap(), Verdict::Whole { lines: 10, head: head.clone() });
    assert_eq!(verify(&db, Some("elsewhere")).await.unwrap(), Verdict::Cut { lines: 10 });
    // The program cannot change a line.
    assert!(execute(&db, "UPDATE audit SET reason = '' WHERE id = 3").await.is_err());
    assert!(execute(&db, "DELETE FROM audit WHERE id = 3").await.is_err());
    assert!(execute(&db, "UPDATE audit_chain SET hash = '' WHERE seq = 3").await.is_err());
    assert!(execute(&db, "DELETE FROM audit_chain WHERE seq = 3").await.is_err());
    // What is said of somebody may be taken out, but not while their account is there.
    let erase = "UPDATE audit SET target = '', reason = '', before = '', after = '', target_salt = '' WHERE id = 9";
    execute(&db, erase).await.unwrap();
    assert_eq!(verify(&db, None).await.unwrap(), Verdict::Broken { id: 9 });
    // Whoever takes the guard away still breaks the chain.
    let on = if matches!(db, Db::Postgres(_)) { "ON audit" } else { "" };
    execute(&db, &format!("DROP TRIGGER audit_is_only_erased {on}")).await.unwrap();
    execute(&db, "UPDATE audit SET reason = 'nothing' WHERE id = 7").await.unwrap();
    assert_eq!(verify(&db, None).await.unwrap(), Verdict::Broken { id: 7 });
    execute(&db, &format!("DROP TRIGGER audit_is_not_deleted {on}")).await.unwrap();
    execute(&db, "DELETE FROM audit WHERE id = 3").await.unwrap();
    assert_eq!(verify(&db, None).await.unwrap(), Verdict::Broken { id: 4 }, "a gap in the chain");
}

async fn a_line_that_nobody_wrote_shows(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    block(&db, origin(), &admin, &stop(user.id, "why"), now()).await.unwrap();
    assert!(matches!(verify(&db, None).await.unwrap(), Verdict::Whole { lines: 1, .. }));
    let copy = "INSERT INTO audit (at, actor_id, actor, act, target_id, target, reason, before, after, address, search,
        actor_salt, target_salt) SELECT at, actor_id, actor, 'user_unblocked', target_id, target, reason, before, after,
        address, search, actor_salt, target_salt FROM audit";
    execute(&db, copy).await.unwrap();
    assert_eq!(verify(&db, None).await.unwrap(), Verdict::Broken { id: 2 });
}

async fn execute(db: &Db, sql: &str) -> db::DbResult<()> {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    let mut tx = db.begin().await?;
    db::on_tx!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(drop))?;
    tx.commit().await
}

async fn lines_written_at_once_make_one_chain(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8 {
        let user = actor(&db, &format!("user{n}@example.org"), Role::User).await;
        let (db, admin) = (db.clone(), admin.clone());
        tasks.spawn(async move { block(&db, origin(), &admin, &stop(user.id, "why"), now()).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(matches!(verify(&db, None).await.unwrap(), Verdict::Whole { lines: 8, .. }));
}

async fn managers_look_at_a_mailing_and_stop_it_but_change_nothing(db: Db) {
    use crate::forms::mailings::{MailingForm, NOW};
    use crate::server::services::mailings as own;
    let owner = actor(&db, "owner@example.org", Role::User).await;
    let other = actor(&db, "other@example.org", Role::User).await;
    let manager = actor(&db, "manager@example.org", Role::Manager).await;
    testing::client(&db, owner.id, "client@example.org", "", "").await;
    let form = MailingForm {
        message: testing::message(&db, owner.id, "The catalogue", "Hello").await,
        clients: "all".to_owned(),
        start: NOW.to_owned(),
        end: "2026-12-31T10:00".to_owned(),
        zone: "Europe/Moscow".to_owned(),
        period: "daily".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    };
    let id = own::create(&db, &owner, &form, now()).await.unwrap();
    assert!(own::detail(&db, &owner, id, now()).await.unwrap().owner.is_none());
    assert!(matches!(own::detail(&db, &other, id, now()).await, Err(Error::NotFound)));
    assert!(matches!(disable(&db, origin(), &other, &stop(id, "why"), now()).await, Err(Error::Forbidden)));
    let seen = own::detail(&db, &manager, id, now()).await.unwrap();
    assert_eq!(seen.owner.unwrap().email, "owner@example.org");
    assert_eq!(seen.audience_size.clients, 1, "the owner's clients are counted, not the manager's");
    own::live(&db, &manager, id, now()).await.unwrap();
    assert_eq!(own::run_of(&db, &manager, id, 0).await.unwrap(), None);
    assert!(matches!(own::pause(&db, &manager, id, now()).await, Err(Error::NotFound)));
    assert!(matches!(own::delete(&db, &manager, id, now()).await, Err(Error::NotFound)));
    assert!(matches!(own::draft(&db, &manager, id, true).await, Err(Error::NotFound)));
    let changed = MailingForm { id, ..form };
    assert!(matches!(own::update(&db, &manager, &changed, now()).await, Err(Error::NotFound)));

    disable(&db, origin(), &manager, &stop(id, "Bought addresses"), now()).await.unwrap();
    let told = own::detail(&db, &owner, id, now()).await.unwrap().stopped.unwrap();
    assert_eq!((told.by.as_str(), told.reason.as_str()), ("Olga", "Bought addresses"));
    assert_eq!(conflict(disable(&db, origin(), &manager, &stop(id, "again"), now()).await), "error.disable.already");
    let letters = waiting(&db).await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("owner@example.org") && letters[0].contains("Bought addresses"), "{letters:?}");
    let all = rows::MailingFilter { status: "stopped", ..rows::MailingFilter::default() };
    assert_eq!(mailings::list(&db, &manager, &all, "").await.unwrap().rows[0].owner_id, owner.id);
    assert!(matches!(mailings::list(&db, &owner, &all, "").await, Err(Error::Forbidden)));
    enable(&db, &manager, id, now()).await.unwrap();
    assert_eq!(conflict(enable(&db, &manager, id, now()).await), "error.disable.not");
    assert_eq!(own::detail(&db, &owner, id, now()).await.unwrap().stopped, None);
}

/// The service's own letters that wait.
async fn waiting(db: &Db) -> Vec<String> {
    let sql = "SELECT raw FROM outgoing ORDER BY id";
    let raw: Vec<Vec<u8>> = db::on_db!(db, pool => sqlx::query_scalar(sql).fetch_all(pool).await).unwrap();
    raw.into_iter().map(|raw| String::from_utf8(raw).unwrap()).collect()
}

testing::on_both!(
    managers_look_at_a_mailing_and_stop_it_but_change_nothing,
    managers_block_and_let_in_again,
    only_administrators_give_roles,
    a_changed_line_shows,
    a_line_that_nobody_wrote_shows,
    another_role_ends_the_sessions,
    lines_written_at_once_make_one_chain,
);
