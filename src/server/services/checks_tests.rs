use super::*;
use crate::domain::check::Level;
use crate::domain::design::{BuiltIn, Design};
use crate::forms::designs::DesignForm;
use crate::forms::messages::MessageForm;
use crate::server::db::testing;
use crate::server::services::designs;
use crate::server::services::testing::actor;
use chrono::{DateTime, Utc};

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

type Found = Vec<(Level, String, u32, String)>;

async fn found(db: &Db, actor: &Actor, form: MessageForm) -> Found {
    let id = messages::create(db, actor, &form, now()).await.unwrap();
    let findings = by_id(db, id).await.unwrap();
    findings.into_iter().map(|finding| (finding.level, finding.key, finding.line, finding.detail)).collect()
}

fn one(level: Level, key: &str, line: u32, detail: &str) -> (Level, String, u32, String) {
    (level, key.to_owned(), line, detail.to_owned())
}

/// A design with an address, which leaves nothing to say of itself.
async fn whole(db: &Db, actor: &Actor) -> String {
    let look = BuiltIn::Bakery.look("Bakery").unwrap();
    let form = DesignForm::of(&Design { id: 0, name: "Bakery".to_owned(), look, messages: 0 });
    let form = DesignForm { address: "Mill Lane 3".to_owned(), version: String::new(), ..form };
    designs::save(db, actor, &form, "", now()).await.unwrap().to_string()
}

async fn each_mistake_is_found(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let design = whole(&db, &olga).await;
    let form = |subject: &str, body: &str| MessageForm {
        subject: subject.to_owned(),
        body: body.to_owned(),
        design: design.clone(),
        ..MessageForm::default()
    };
    assert_eq!(found(&db, &olga, form("Fine", "Hello")).await, []);
    let plain = MessageForm { design: String::new(), ..form("Fine", "Hello") };
    assert_eq!(found(&db, &olga, plain).await, [one(Level::Yellow, "checks.address_plain", 0, "")]);
    let nameless = MessageForm { design: "ink".to_owned(), ..form("Fine", "Hello") };
    assert_eq!(found(&db, &olga, nameless).await, [one(Level::Red, "checks.address", 0, "")]);
    let large = found(&db, &olga, form("Fine", &"Слово за словом, ".repeat(6_000))).await;
    assert_eq!((large[0].0, large[0].1.as_str()), (Level::Red, "checks.size"));
    let picture = "a\n\n![](https://a.b/c.png)\n\n::picture[](https://a.b/c.png)\n\n![d](https://a.b/c.png)";
    assert_eq!(
        found(&db, &olga, form("Fine", picture)).await,
        [one(Level::Yellow, "checks.alt", 3, ""), one(Level::Yellow, "checks.alt", 5, "")]
    );
    assert_eq!(
        found(&db, &olga, form("BUY NOW", "Hello")).await,
        [one(Level::Yellow, "checks.capitals", 0, "BUY NOW")]
    );
    assert_eq!(
        found(&db, &olga, form("Fine", "a\n[b](https://example.org/c)")).await,
        [one(Level::Yellow, "checks.sample", 2, "")]
    );
    let other = form("Fine", "[b](https://example.organic/c)");
    assert_eq!(found(&db, &olga, other).await, [], "another host that begins so");
    // Stored before there was a rule.
    let old = testing::message(&db, olga.id, "s", "a\n\n{{ nmae }}").await;
    assert_eq!(by_id(&db, old).await.unwrap(), [Finding::red("error.template.undefined", 3, "nmae")]);
    assert!(matches!(by_id(&db, 987_654).await, Err(Error::NotFound)));
}

async fn those_without_a_value_are_counted(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let design = whole(&db, &olga).await;
    testing::client(&db, olga.id, "a@example.org", "Anna", "").await;
    testing::client(&db, olga.id, "b@example.org", "", "").await;
    let form = |body: &str| MessageForm {
        subject: "Fine".to_owned(),
        body: body.to_owned(),
        design: design.clone(),
        ..MessageForm::default()
    };
    assert_eq!(
        found(&db, &olga, form("Dear {{ full_name }}, {{ comment }}")).await,
        [one(Level::Yellow, "checks.missing_full_name", 0, "1"), one(Level::Yellow, "checks.missing_comment", 0, "2")]
    );
    let cared_for = "Dear {{ full_name|default(\"friend\") }}{% if comment %}, {{ comment }}{% endif %}";
    assert_eq!(found(&db, &olga, form(cared_for)).await, []);
}

testing::on_both!(each_mistake_is_found, those_without_a_value_are_counted);
