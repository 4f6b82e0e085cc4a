use super::*;
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::AddressForm;
use crate::server::db::testing;
use crate::server::services::accounts;
use crate::server::services::letters::{self, Origin, Own};

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

async fn actor(db: &Db, email: &str, role: Role) -> Actor {
    Actor::prove(&testing::user(db, email, role).await, Permission::Own).unwrap()
}

fn form(change: impl Fn(&mut SettingsForm)) -> SettingsForm {
    let mut form = SettingsForm { registration: "open".into(), ..SettingsForm::default() };
    change(&mut form);
    form
}

async fn administrators_change_them_and_the_log_has_each(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let started = EmailAddress::parse("started@example.org").unwrap();
    for role in [Role::User, Role::Manager, Role::Editor] {
        let other = actor(&db, &format!("{}@example.org", role.as_str()), role).await;
        assert!(matches!(save(&db, &other, &form(|_| ()), now()).await, Err(Error::Forbidden)));
        assert!(matches!(page(&db, &other, &started).await, Err(Error::Forbidden)));
        let limits = LimitsForm { id: other.id, clients: "9".into(), letters: String::new() };
        assert!(matches!(set_limits(&db, &other, &limits, now()).await, Err(Error::Forbidden)));
    }
    let wrong = form(|form| form.sender_email = "nobody".into());
    assert!(matches!(save(&db, &admin, &wrong, now()).await, Err(Error::Invalid(_))));
    let chosen = form(|form| {
        form.sender_email = "news@example.org".into();
        form.letters = "500".into();
    });
    save(&db, &admin, &chosen, now()).await.unwrap();
    save(&db, &admin, &chosen, now()).await.unwrap();
    let seen = page(&db, &admin, &started).await.unwrap();
    assert_eq!((seen.settings.limits.letters, seen.started_with.as_str()), (Some(500), "started@example.org"));
    let lines = audit::list(&db, "", "settings_changed", "").await.unwrap().rows;
    let told: Vec<_> =
        lines.iter().map(|line| (line.target.as_str(), line.before.as_str(), line.after.as_str())).collect();
    assert_eq!(told, [("letters_max", "", "500"), ("sender_email", "", "news@example.org")]);
}

/// Of two windows on the settings, the second one to save is told.
async fn two_windows(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let opened = settings::get(&db).await.unwrap().version();
    let window = |letters: &str, version: &str| {
        form(|form| {
            form.letters = letters.into();
            form.version = version.into();
        })
    };
    save(&db, &admin, &window("500", &opened), now()).await.unwrap();
    let Err(Error::Invalid(errors)) = save(&db, &admin, &window("900", &opened), now()).await else {
        panic!("the other window has saved")
    };
    assert_eq!(errors.0[0].key, crate::api::error::CHANGED);
    assert_eq!(settings::get(&db).await.unwrap().limits.letters, Some(500));
    save(&db, &admin, &window("900", &errors.0[0].args[0].1), now()).await.unwrap();
    assert_eq!(settings::get(&db).await.unwrap().limits.letters, Some(900));
}

async fn the_stored_sender_wins(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let started = EmailAddress::parse("started@example.org").unwrap();
    let origin = Origin { from: &started, site: "https://vestnik.example" };
    let write = async || {
        let own = Own {
            subject: letters::Subject::TotpOn,
            name: "Olga",
            email: "olga@example.org",
            lang: Lang::En,
            args: &[],
            expires_at: now(),
        };
        let mut tx = db.begin().await.unwrap();
        letters::enqueue(&mut tx, origin, &own, now()).await.unwrap();
        tx.commit().await.unwrap();
        let sql = "SELECT raw FROM outgoing ORDER BY id DESC LIMIT 1";
        let raw: Vec<u8> = db::on_db!(&db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap();
        let raw = String::from_utf8(raw).unwrap();
        raw.lines().find(|line| line.starts_with("From:")).unwrap().to_owned()
    };
    assert_eq!(write().await, "From: Vestnik <started@example.org>");
    let chosen = form(|form| {
        form.sender_email = "news@example.org".into();
        form.sender_name = "The Post".into();
    });
    save(&db, &admin, &chosen, now()).await.unwrap();
    assert_eq!(write().await, "From: The Post <news@example.org>");
    save(&db, &admin, &form(|_| ()), now()).await.unwrap();
    assert_eq!(write().await, "From: Vestnik <started@example.org>");
}

async fn registration_is_closed_and_opened(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let register = async |email: &str| {
        let form = AddressForm { email: email.into() };
        accounts::sign_up(&db, &form, Lang::En, [10, 0, 0, 1].into(), now()).await
    };
    for (mode, key) in [("closed", "error.registration.closed"), ("invitation", "error.registration.invitation")] {
        save(&db, &admin, &form(|form| form.registration = mode.into()), now()).await.unwrap();
        match register("boris@example.org").await {
            Err(Error::Conflict(told)) => assert_eq!(told, key),
            other => panic!("{other:?}"),
        }
    }
    save(&db, &admin, &form(|_| ()), now()).await.unwrap();
    register("boris@example.org").await.unwrap();
}

async fn a_user_has_limits_of_their_own(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let user = actor(&db, "user@example.org", Role::User).await;
    let room = async || {
        let mut tx = db.begin().await.unwrap();
        limits::clients_room(&mut tx, user.id).await.unwrap()
    };
    assert_eq!(room().await, None);
    save(&db, &admin, &form(|form| form.clients = "10".into()), now()).await.unwrap();
    testing::client(&db, user.id, "c@example.org", "", "").await;
    assert_eq!(room().await, Some((10, 9)));
    let own = LimitsForm { id: user.id, clients: "1".into(), letters: String::new() };
    set_limits(&db, &admin, &own, now()).await.unwrap();
    set_limits(&db, &admin, &own, now()).await.unwrap();
    assert_eq!(room().await, Some((1, 0)));
    assert!(matches!(set_limits(&db, &admin, &LimitsForm { id: 999, ..own }, now()).await, Err(Error::NotFound)));
    let lines = audit::list(&db, "", "limits_changed", "").await.unwrap().rows;
    assert_eq!((lines.len(), lines[0].after.as_str(), lines[0].target_id), (1, "clients 1", Some(user.id)));
}

testing::on_both!(
    two_windows,
    administrators_change_them_and_the_log_has_each,
    the_stored_sender_wins,
    registration_is_closed_and_opened,
    a_user_has_limits_of_their_own,
);
