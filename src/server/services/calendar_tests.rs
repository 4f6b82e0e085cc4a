use super::*;
use crate::domain::user::Role;
use crate::forms::mailings::MailingForm;
use crate::server::db::testing;
use crate::server::services::testing::{actor, mailing_form, sent_mailing};
use crate::server::services::{Error, mailings as service};

fn now() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

async fn mailing(db: &Db, owner: &Actor, title: &str, start: &str, period: &str) -> i64 {
    let form = MailingForm {
        title: title.to_owned(),
        start: start.to_owned(),
        end: String::new(),
        period: period.to_owned(),
        ..mailing_form(db, owner, "Subject", "Body").await
    };
    service::create(db, owner, &form, now()).await.unwrap()
}

fn lines(calendar: &Calendar, date: &str) -> Vec<String> {
    let day = calendar.days.iter().find(|day| day.date.to_string() == date).unwrap();
    day.entries.iter().map(|entry| format!("{} {}", entry.time, entry.mailing.title)).collect()
}

/// The actors of these tests live in Moscow, three hours ahead of UTC.
async fn runs_stand_on_the_readers_day(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    testing::client(&db, owner.id, "one@example.org", "One", "").await;
    mailing(&db, &owner, "Late", "2026-11-30T22:30", "once").await;
    mailing(&db, &owner, "Daily", "2026-12-30T08:00", "daily").await;
    let december = calendar(&db, &owner, false, ("2026-12", ""), now()).await.unwrap();
    assert_eq!((december.days.len(), december.month.to_string().as_str()), (31, "2026-12-01"));
    assert_eq!(lines(&december, "2026-12-01"), ["01:30 Late"]);
    assert_eq!(lines(&december, "2026-12-31"), ["11:00 Daily"]);
    assert_eq!(lines(&december, "2026-12-29"), Vec::<String>::new());
    // It has no end, and so runs in any month to come; none of it is in one before.
    let later = calendar(&db, &owner, false, ("2030-02", ""), now()).await.unwrap();
    assert!(later.days.iter().all(|day| day.entries.len() == 1), "{later:?}");
    let before = calendar(&db, &owner, false, ("2026-11", ""), now()).await.unwrap();
    assert!(before.days.iter().all(|day| day.entries.is_empty()));
    let present = calendar(&db, &owner, false, ("nonsense", "nonsense"), now()).await.unwrap();
    assert_eq!((present.month, present.today), ("2026-11-01".parse().unwrap(), "2026-11-23".parse().unwrap()));
}

async fn a_full_day_is_shown_alone(db: Db) {
    let owner = actor(&db, "a@example.org").await;
    testing::client(&db, owner.id, "one@example.org", "One", "").await;
    for hour in 10..16 {
        mailing(&db, &owner, "One", &format!("2026-12-05T{hour}:00"), "once").await;
    }
    let december = calendar(&db, &owner, false, ("", "2026-12-05"), now()).await.unwrap();
    let day = december.days.iter().find(|day| day.date.to_string() == "2026-12-05").unwrap();
    assert_eq!((day.entries.len(), day.more), (A_DAY, 2));
    assert_eq!(december.chosen.unwrap().entries.len(), 6);
}

async fn what_has_begun_is_there_and_nobody_elses(db: Db) {
    let (owner, other) = (actor(&db, "a@example.org").await, actor(&db, "b@example.org").await);
    sent_mailing(&db, &owner, 1).await;
    let of = |all: bool, actor: Actor| {
        let db = db.clone();
        async move { calendar(&db, &actor, all, ("2026-01", ""), now()).await }
    };
    let begun = of(false, owner.clone()).await.unwrap();
    let day = begun.days.iter().find(|day| !day.entries.is_empty()).unwrap();
    assert!(day.entries[0].run.as_ref().is_some_and(|(_, state)| state == "open"), "{day:?}");
    assert!(of(false, other.clone()).await.unwrap().days.iter().all(|day| day.entries.is_empty()));
    assert!(matches!(of(true, other).await, Err(Error::Forbidden)));
    let manager = testing::user(&db, "m@example.org", Role::Manager).await;
    let manager = Actor::prove(&manager, Permission::Oversee).unwrap();
    let all = of(true, manager).await.unwrap();
    let seen = all.days.iter().find(|day| !day.entries.is_empty()).unwrap();
    assert_eq!(seen.entries[0].mailing.owner, "a@example.org");
}

testing::on_both!(runs_stand_on_the_readers_day, a_full_day_is_shown_alone, what_has_begun_is_there_and_nobody_elses);
