use super::*;
use crate::domain::design::Logo;
use crate::forms::messages::MessageForm;
use crate::server::db::{on_tx, testing};
use crate::server::services::images::{self, Upload};
use crate::server::services::messages;
use crate::server::services::testing::actor;

const SITE: &str = "https://mail.example.org";

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn form() -> DesignForm {
    let look = BuiltIn::Bakery.look("Bakery").unwrap();
    let form = DesignForm::of(&Design { id: 0, name: "Bakery".to_owned(), look, messages: 0 });
    DesignForm { version: String::new(), ..form }
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
    let Error::Invalid(mut errors) = result.unwrap_err() else { panic!("not a wrong field") };
    let error = errors.0.remove(0);
    (error.field, error.key)
}

fn message(design: i64) -> MessageForm {
    let text = str::to_owned;
    MessageForm { subject: text("s"), body: text("Hello"), design: design.to_string(), ..MessageForm::default() }
}

/// Another's designs are as good as absent, in messages too.
async fn ownership(db: Db) {
    let (olga, ivan) = (actor(&db, "olga@example.org").await, actor(&db, "ivan@example.org").await);
    let id = save(&db, &olga, &form(), "", now()).await.unwrap();
    assert!(matches!(get(&db, &ivan, id).await, Err(Error::NotFound)));
    assert!(matches!(save(&db, &ivan, &DesignForm { id, ..form() }, "", now()).await, Err(Error::NotFound)));
    assert!(matches!(delete(&db, &ivan, id).await, Err(Error::NotFound)));
    assert!(matches!(sample_of(&db, &ivan, &id.to_string(), SITE).await, Err(Error::NotFound)));
    assert_eq!(list(&db, &ivan).await.unwrap(), []);
    let gone = ("design".to_owned(), "error.design.gone".to_owned());
    assert_eq!(refused(messages::create(&db, &ivan, &message(id), now()).await), gone);
    assert_eq!(refused(messages::preview(&db, &ivan, message(id), None, SITE).await), gone);

    assert!(sample_of(&db, &olga, &id.to_string(), SITE).await.unwrap().contains("#f5ebdc"));
    let changed = DesignForm { id, background: "#ffffff".to_owned(), ..form() };
    assert_eq!(save(&db, &olga, &changed, "", now()).await.unwrap(), id);
    assert!(messages::preview(&db, &olga, message(id), None, SITE).await.unwrap().html.contains("bgcolor=\"#ffffff\""));
    let stale = DesignForm { version: "0".to_owned(), ..changed };
    assert_eq!(refused(save(&db, &olga, &stale, "", now()).await).1, "error.changed_meanwhile");
}

async fn run(db: &Db, mailing: i64, owner: &Actor) {
    let mut tx = db.begin().await.unwrap();
    testing::open_run(&mut tx, mailing, owner.id, now()).await;
    tx.commit().await.unwrap();
}

async fn change(db: &Db, sql: &'static str, (first, second): (i64, i64)) {
    let mut tx = db.begin().await.unwrap();
    on_tx!(&mut tx, conn => sqlx::query(sql).bind(first).bind(second).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

async fn used_in_letters(db: &Db, owner: &Actor, picture: &str) -> bool {
    let mut tx = db.begin().await.unwrap();
    crate::server::db::images::is_in_letters(&mut tx, owner.id, picture, now() - chrono::TimeDelta::days(1))
        .await
        .unwrap()
}

/// A design that a message has stays, and so does a picture that is a design's logo.
async fn in_use(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let mut data = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1, 1).write_to(&mut data, image::ImageFormat::Png).unwrap();
    let upload = Upload { name: "logo.png".to_owned(), alt: String::new(), data: data.into_inner() };
    let logo = images::add(&db, &olga, upload, now()).await.unwrap().id;
    let id = save(&db, &olga, &DesignForm { logo: logo.clone(), ..form() }, "", now()).await.unwrap();
    let kept = get(&db, &olga, id).await.unwrap().look.logo;
    assert_eq!(kept, Some(Logo { id: logo.clone(), width: 140 }));
    assert!(matches!(images::delete(&db, &olga, &logo, now()).await, Err(Error::Conflict("error.image.in_use"))));
    let shows = MessageForm { body: format!("![x](/images/{logo})"), ..message(id) };
    let shows = messages::create(&db, &olga, &shows, now()).await.unwrap();
    let used = messages::create(&db, &olga, &message(id), now()).await.unwrap();
    assert!(matches!(delete(&db, &olga, id).await, Err(Error::Conflict("error.design.in_use"))));
    assert_eq!(list(&db, &olga).await.unwrap()[0].messages, 2);
    messages::delete(&db, &olga, used).await.unwrap();
    let other = MessageForm { id: shows, design: "ink".to_owned(), ..message(0) };
    messages::update(&db, &olga, &MessageForm { body: format!("![x](/images/{logo}/1)"), ..other.clone() }, now())
        .await
        .unwrap();
    delete(&db, &olga, id).await.unwrap();
    let in_use =
        async |at| matches!(images::delete(&db, &olga, &logo, at).await, Err(Error::Conflict("error.image.in_use")));
    assert!(in_use(now()).await, "a message shows it");
    messages::update(&db, &olga, &other, now()).await.unwrap();
    // Another's letters keep it from nobody.
    let ivan = actor(&db, "ivan@example.org").await;
    for owner in [&olga, &ivan] {
        testing::client(&db, owner.id, "c@example.org", "", "").await;
    }
    let shown = format!("![x](/images/{logo}) ![y](/images/{})", "0".repeat(32));
    let theirs = crate::server::services::testing::mailing(&db, &ivan, "s", &shown, now()).await;
    run(&db, theirs, &ivan).await;
    assert!(!used_in_letters(&db, &olga, &logo).await);
    // A letter that has left is opened for long, and its footer shows it, too.
    let footer = DesignForm { footer: format!("![x](/images/{logo})"), ..form() };
    let footer = save(&db, &olga, &footer, "", now()).await.unwrap();
    let mine = crate::server::services::testing::mailing(&db, &olga, "s", "Hello", now()).await;
    let sql = "UPDATE messages SET design_id = $2 WHERE id = (SELECT message_id FROM mailings WHERE id = $1)";
    change(&db, sql, (mine, footer)).await;
    run(&db, mine, &olga).await;
    change(&db, "UPDATE messages SET design_id = NULL WHERE design_id = $2 AND $1 = $1", (0, footer)).await;
    delete(&db, &olga, footer).await.unwrap();
    assert!(in_use(now() + chrono::TimeDelta::days(364)).await);
    images::delete(&db, &olga, &logo, now() + chrono::TimeDelta::days(366)).await.unwrap();
    assert!(images::file(&db, &logo, None).await.is_err());
}

/// What no letter can hold is said at its field.
async fn refusals(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let lost = DesignForm { footer: "Hello\n\n[x](/shop)".to_owned(), ..form() };
    assert_eq!(refused(save(&db, &olga, &lost, "", now()).await), ("footer".to_owned(), "error.link.lost".to_owned()));
    let other = DesignForm { logo: "0".repeat(32), ..form() };
    assert_eq!(refused(save(&db, &olga, &other, "", now()).await), ("logo".to_owned(), "error.design.logo".to_owned()));
    let pale = DesignForm { text: "#999999".to_owned(), ..form() };
    let said = ("text".to_owned(), "error.design.contrast_text".to_owned());
    assert_eq!(refused(preview(&olga, &pale, SITE).await), said);
    let nameless = DesignForm { name: String::new(), ..form() };
    assert!(preview(&olga, &nameless, SITE).await.is_ok(), "colours are tried out before there is a name");
    for n in 0..DESIGNS_MAX {
        save(&db, &olga, &DesignForm { name: n.to_string(), ..form() }, "", now()).await.unwrap();
    }
    assert!(matches!(save(&db, &olga, &form(), "", now()).await, Err(Error::Conflict("error.design.many"))));
}

testing::on_both!(ownership, in_use, refusals);
