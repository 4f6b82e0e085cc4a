//! `vestnik demo`: something to look at in an empty database. Deliveries are not made up: they come
//! about once the service runs.

use super::demo_messages::{Text, Texts, texts};
use super::demo_people::people;
use super::output::out;
use super::user::{actor, explain};
use super::{Failure, Outcome, demo_posts, service};
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::RegisterForm;
use crate::forms::clients::ClientForm;
use crate::forms::mailings::{MailingForm, NOW};
use crate::forms::messages::MessageForm;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, users};
use crate::server::services::{Actor, accounts, clients, mailings, messages};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::io::Write;

/// A user of the demonstration; the password is stored nowhere else.
struct Made {
    email: &'static str,
    password: String,
}

pub async fn run(config: &Config, clock: SharedClock, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let made = fill(&db, clock.now()).await?;
    db.close().await;
    if json {
        let users: Vec<_> = made.iter().map(|made| json!({ "email": made.email, "password": made.password })).collect();
        writeln!(out(), "{}", json!({ "users": users }))?;
    } else {
        for Made { email, password } in made {
            writeln!(out(), "{email} {password}")?;
        }
    }
    Ok(())
}

async fn fill(db: &Db, now: DateTime<Utc>) -> Result<Vec<Made>, Failure> {
    // Everything belongs to a user, so a database without users is empty.
    if users::any(&mut db.begin().await?).await? {
        return Err(Failure::Failed("the database is not empty: the demonstration needs a new one".to_owned()));
    }
    let mut made = Vec::new();
    for lang in Lang::ALL {
        made.push(user(db, lang, now).await?);
    }
    Ok(made)
}

async fn user(db: &Db, lang: Lang, now: DateTime<Utc>) -> Result<Made, Failure> {
    let texts = texts(lang);
    let password = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
    let form = RegisterForm {
        name: texts.user.to_owned(),
        email: texts.email.to_owned(),
        password: password.clone(),
        zone: texts.zone.to_owned(),
        ..RegisterForm::default()
    };
    // An editor has all that a user has, and the blog.
    accounts::add(db, &form, Role::Editor, lang, now).await.map_err(explain)?;
    let actor = actor(db, texts.email).await?;
    for (n, person) in people(lang).enumerate() {
        // Two of five have a comment, as in a list that somebody keeps by hand.
        let comment = if n % 5 < 2 { texts.comments[n % texts.comments.len()] } else { "" };
        let form = ClientForm {
            email: person.email,
            full_name: person.full_name,
            comment: comment.to_owned(),
            ..ClientForm::default()
        };
        clients::create(db, &actor, &form, now).await.map_err(explain)?;
    }
    plan(db, &actor, texts, now).await?;
    demo_posts::write(db, &actor, lang, now).await?;
    Ok(Made { email: texts.email, password })
}

/// The messages, and a mailing in each state that one can have before anything has been sent.
async fn plan(db: &Db, actor: &Actor, texts: &Texts, now: DateTime<Utc>) -> Result<(), Failure> {
    let welcome = message(db, actor, &texts.welcome, now).await?;
    let digest = message(db, actor, &texts.digest, now).await?;
    let invitation = message(db, actor, &texts.invitation, now).await?;
    let ahead = |days: i64| (now + TimeDelta::days(days)).date_naive().format("%Y-%m-%dT10:00").to_string();
    let form = |message, title: &str, period: &str, start: &str, end| MailingForm {
        title: title.to_owned(),
        message,
        clients: "all".to_owned(),
        start: start.to_owned(),
        end,
        zone: actor.zone.clone(),
        period: period.to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    };
    let some = |form| MailingForm { clients: "search".to_owned(), search: texts.comments[0].to_owned(), ..form };
    // Both are due: the service opens their first runs when it starts, and the first is then finished.
    mailing(db, actor, &form(welcome, texts.once, "once", NOW, ahead(7)), now).await?;
    mailing(db, actor, &some(form(digest, texts.daily, "daily", NOW, ahead(60))), now).await?;
    mailing(db, actor, &form(invitation, texts.monthly, "monthly", &ahead(10), ahead(375)), now).await?;
    // It starts ahead, so that nothing leaves before it is paused.
    let reminder = some(form(digest, texts.paused, "weekly", &ahead(3), ahead(90)));
    let id = mailing(db, actor, &reminder, now).await?;
    mailings::pause(db, actor, id, now).await.map_err(explain)
}

async fn message(db: &Db, actor: &Actor, text: &Text, now: DateTime<Utc>) -> Result<i64, Failure> {
    let form = MessageForm { subject: text.subject.to_owned(), body: text.body.to_owned(), ..MessageForm::default() };
    messages::create(db, actor, &form, now).await.map_err(explain)
}

async fn mailing(db: &Db, actor: &Actor, form: &MailingForm, now: DateTime<Utc>) -> Result<i64, Failure> {
    mailings::create(db, actor, form, now).await.map_err(explain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailing::MailingStatus;
    use crate::domain::post::Question;
    use crate::forms::accounts::LogInForm;
    use crate::server::cli::demo_people::PEOPLE;
    use crate::server::db::testing;
    use crate::server::services::clients::Listing;
    use crate::server::services::posts::public;
    use chrono::TimeZone;

    #[tokio::test]
    async fn fills_an_empty_database_once() {
        let (db, _folder) = testing::sqlite().await;
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        let made = fill(&db, now).await.unwrap();
        assert_eq!(made.len(), Lang::ALL.len());
        for (lang, Made { email, password }) in Lang::ALL.into_iter().zip(made) {
            let form = LogInForm { email: email.to_owned(), password, ..LogInForm::default() };
            assert_eq!(
                accounts::log_in(&db, &form, std::net::IpAddr::from([127, 0, 0, 1]), now).await.unwrap().lang,
                lang
            );
            let actor = actor(&db, email).await.unwrap();
            assert_eq!(actor.zone, texts(lang).zone);
            let all = clients::list(&db, &actor, &Listing::new("", "", "")).await.unwrap();
            assert_eq!(all.total, PEOPLE as i64);
            assert_eq!(messages::list(&db, &actor, "", "", "").await.unwrap().total, 3);
            let asked = Question { lang: lang.as_str().to_owned(), ..Question::default() };
            let blog = public::listing(&db, &asked, lang, now, "").await.unwrap();
            assert_eq!(blog.cards.len(), 3, "the fourth is to come");
            assert!(blog.cards.iter().all(|card| card.cover.is_some() && card.views == 0));
            let mut mailings = mailings::list(&db, &actor, mailings::Listing::default()).await.unwrap().page.rows;
            mailings.sort_by_key(|mailing| mailing.id);
            // Nothing is invented: no run has been opened, and two mailings are due.
            assert!(mailings.iter().all(|m| m.status == MailingStatus::Created && m.last_run.is_none()));
            let due: Vec<_> = mailings.iter().map(|m| m.next_at.is_some_and(|at| at <= now)).collect();
            assert_eq!(due, [true, true, false, false]);
            let paused: Vec<_> = mailings.iter().map(|m| m.paused).collect();
            assert_eq!(paused, [false, false, false, true]);
        }
        assert!(matches!(fill(&db, now).await, Err(Failure::Failed(_))), "a database in use is left alone");
    }
}
