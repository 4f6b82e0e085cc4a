use super::*;
use crate::forms::settings::SettingsForm;
use crate::server::db::testing;
use std::sync::LazyLock;

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

static FROM: LazyLock<EmailAddress> = LazyLock::new(|| EmailAddress::parse("service@example.org").unwrap());

fn origin() -> Origin<'static> {
    Origin { from: &FROM, site: "https://vestnik.example" }
}

async fn actor(db: &Db, email: &str, role: Role) -> Actor {
    Actor::prove(&testing::user(db, email, role).await, Permission::Own).unwrap()
}

fn to(email: &str, role: &str) -> InviteForm {
    InviteForm { email: email.into(), role: role.into() }
}

async fn invite_now(db: &Db, admin: &Actor, email: &str, role: &str) -> String {
    invite(db, origin(), admin, &to(email, role), now()).await.unwrap();
    let sql = "SELECT raw FROM outgoing ORDER BY id DESC LIMIT 1";
    let raw: Vec<u8> = db::on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap();
    let letter = mail_parser::MessageParser::default().parse(&raw).unwrap();
    let text = letter.body_text(0).unwrap().into_owned();
    let (_, rest) = text.split_once("/invitation?token=").unwrap();
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn with(token: &str, password: &str) -> AccountForm {
    AccountForm { token: token.into(), name: "Boris".into(), password: password.into(), zone: String::new() }
}

async fn follow(db: &Db, token: &str, now: DateTime<Utc>) -> Result<i64> {
    let form = with(token, "correct horse battery");
    accept(db, &form, Lang::En, [10, 0, 0, 1].into(), now).await.map(|user| user.id)
}

fn conflict<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Conflict(key)) => key,
        other => panic!("{other:?}"),
    }
}

async fn an_invitation_makes_an_account_once(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let manager = actor(&db, "manager@example.org", Role::Manager).await;
    assert!(matches!(
        invite(&db, origin(), &manager, &to("b@example.org", "user"), now()).await,
        Err(Error::Forbidden)
    ));
    assert!(matches!(list(&db, &manager, "", now()).await, Err(Error::Forbidden)));
    for (wrong, role) in [("nobody", "user"), ("b@example.org", "king"), ("manager@example.org", "user")] {
        assert!(matches!(invite(&db, origin(), &admin, &to(wrong, role), now()).await, Err(Error::Invalid(_))));
    }
    let old = invite_now(&db, &admin, "boris@example.org", "user").await;
    let token = invite_now(&db, &admin, "boris@EXAMPLE.org", "editor").await;
    let open = list(&db, &admin, "", now()).await.unwrap();
    assert_eq!((open.total, open.rows[0].role, open.rows[0].expired), (1, Role::Editor, false));
    assert_eq!(conflict(look(&db, &old, now()).await), "error.invitation.unknown");
    assert_eq!(look(&db, &token, now()).await.unwrap().role, Role::Editor);
    assert_eq!(conflict(look(&db, &token, now() + INVITED_FOR).await), "error.invitation.expired");
    let weak = accept(&db, &with(&token, "short"), Lang::En, [10, 0, 0, 1].into(), now()).await;
    assert!(matches!(weak, Err(Error::Invalid(_))), "and the link goes on working");
    // Eight at once: one account.
    let tries = (0..8).map(|_| {
        let (db, token) = (db.clone(), token.clone());
        tokio::spawn(async move { follow(&db, &token, now()).await })
    });
    let results = futures::future::join_all(tries).await;
    let made: Vec<i64> = results.into_iter().filter_map(|result| result.unwrap().ok()).collect();
    assert_eq!(made.len(), 1);
    let user = users::by_id(&db, made[0]).await.unwrap().unwrap();
    assert_eq!((user.email.as_str(), user.role, user.confirmed_at), ("boris@EXAMPLE.org", Role::Editor, Some(now())));
    assert_eq!(conflict(follow(&db, &token, now()).await), "error.link.used");
    let acts: Vec<_> = audit::list(&db, "", "", "").await.unwrap().rows.into_iter().map(|line| line.act).collect();
    assert_eq!(acts, [Act::AccountRegistered, Act::InvitationSent, Act::InvitationSent]);
}

async fn what_is_taken_back_or_closed_leads_nowhere(db: Db) {
    let admin = actor(&db, "admin@example.org", Role::Admin).await;
    let token = invite_now(&db, &admin, "boris@example.org", "user").await;
    let id = list(&db, &admin, "", now()).await.unwrap().rows[0].id;
    let settings = |mode: &str| SettingsForm { registration: mode.into(), ..SettingsForm::default() };
    settings::save(&db, &admin, &settings("closed"), now()).await.unwrap();
    assert_eq!(conflict(look(&db, &token, now()).await), "error.registration.closed");
    assert_eq!(conflict(follow(&db, &token, now()).await), "error.registration.closed");
    let another = invite(&db, origin(), &admin, &to("c@example.org", "user"), now()).await;
    assert_eq!(conflict(another), "error.registration.closed");
    settings::save(&db, &admin, &settings("invitation"), now()).await.unwrap();
    look(&db, &token, now()).await.unwrap();
    revoke(&db, &admin, id, now()).await.unwrap();
    assert!(matches!(revoke(&db, &admin, id, now()).await, Err(Error::NotFound)));
    assert_eq!(conflict(follow(&db, &token, now()).await), "error.invitation.unknown");
}

testing::on_both!(an_invitation_makes_an_account_once, what_is_taken_back_or_closed_leads_nowhere);
