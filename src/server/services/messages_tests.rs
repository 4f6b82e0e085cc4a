use super::*;
use crate::domain::page::PAGE_SIZE;
use crate::server::db::testing;
use crate::server::services::testing::actor;

const SITE: &str = "https://mail.example.org";

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn form(id: i64, subject: &str, body: &str) -> MessageForm {
    MessageForm { id, subject: subject.to_owned(), body: body.to_owned(), ..MessageForm::default() }
}

type Pairs = Vec<(String, String)>;

/// The wrong fields with their keys, and the arguments of the first.
fn wrong<T: std::fmt::Debug>(result: Result<T>) -> (Pairs, Pairs) {
    let Error::Invalid(errors) = result.unwrap_err() else { panic!("not a wrong field") };
    let args = errors.0[0].args.clone();
    let mut fields: Vec<_> = errors.0.into_iter().map(|error| (error.field, error.key)).collect();
    fields.sort();
    (fields, args)
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

async fn client(db: &Db, owner: &Actor, full_name: &str) -> i64 {
    testing::client(db, owner.id, "boris@example.org", full_name, "").await
}

/// Another's messages are as good as absent.
async fn ownership(db: Db) {
    let (olga, ivan) = (actor(&db, "olga@example.org").await, actor(&db, "ivan@example.org").await);
    let id = save(&db, &olga, &form(0, "Mine", "Hello"), "", now()).await.unwrap();
    assert!(matches!(get(&db, &ivan, id).await, Err(Error::NotFound)));
    assert!(matches!(save(&db, &ivan, &form(id, "Taken", "x"), "", now()).await, Err(Error::NotFound)));
    assert!(matches!(delete(&db, &ivan, id).await, Err(Error::NotFound)));
    assert!(matches!(duplicate(&db, &ivan, id, "", now()).await, Err(Error::NotFound)));
    assert_eq!(list(&db, &ivan, "", "", "").await.unwrap().total, 0);
    let boris = client(&db, &olga, "Boris").await;
    assert!(matches!(preview(&db, &ivan, form(0, "s", "b"), Some(boris), SITE).await, Err(Error::NotFound)));
    assert!(clients(&db, &ivan, "").await.unwrap().is_empty());

    assert_eq!(get(&db, &olga, id).await.unwrap().subject, "Mine");
    assert_eq!(save(&db, &olga, &form(id, " Changed ", "Hello"), "", now()).await.unwrap(), id);
    assert_eq!(get(&db, &olga, id).await.unwrap().subject, "Changed");
    let copy = duplicate(&db, &olga, id, "", now()).await.unwrap();
    assert_eq!(get(&db, &olga, copy).await.unwrap().body, "Hello");
    delete(&db, &olga, id).await.unwrap();
    assert!(matches!(get(&db, &olga, id).await, Err(Error::NotFound)));
}

/// Of two windows, the second one to save is told, and says so if it is to win.
async fn two_windows(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let id = save(&db, &olga, &form(0, "First", "Hello"), "", now()).await.unwrap();
    let opened = form(0, "First", "Hello").version_stored();
    let window =
        |subject: &str, version: &str| MessageForm { version: version.to_owned(), ..form(id, subject, "Hello") };
    save(&db, &olga, &window("One", &opened), "", now()).await.unwrap();
    let (fields, args) = wrong(save(&db, &olga, &window("Two", &opened), "", now()).await);
    assert_eq!(fields, [pair("", crate::api::error::CHANGED)]);
    assert_eq!(get(&db, &olga, id).await.unwrap().subject, "One", "the first one is there");
    assert_eq!(args, [pair("version", &form(0, "One", "Hello").version_stored())]);
    save(&db, &olga, &window("Two", &args[0].1), "", now()).await.unwrap();
    assert_eq!(get(&db, &olga, id).await.unwrap().subject, "Two", "whoever was told may");
    // What came and went again is no change.
    save(&db, &olga, &window("First", ""), "", now()).await.unwrap();
    save(&db, &olga, &window("Three", &opened), "", now()).await.unwrap();
    let gone = MessageForm { id: 999_999, ..window("x", &opened) };
    assert!(matches!(save(&db, &olga, &gone, "", now()).await, Err(Error::NotFound)));
}

/// A mailing that uses the message.
async fn mailing(db: &Db, actor: &Actor, message: i64) {
    let mut tx = db.begin().await.unwrap();
    db::mailings::insert(
        &mut tx,
        actor.id,
        &db::mailings::NewMailing {
            message_id: message,
            topic: 0,
            title: "May".to_owned(),
            audience: crate::domain::audience::Audience::All,
            start_local: now().naive_utc(),
            zone: "UTC".to_owned(),
            start_at: now(),
            end_at: now() + chrono::TimeDelta::days(1),
            period: crate::domain::schedule::Period::Once,
            policy: crate::domain::mailing::DoubtPolicy::Resend,
            next_at: Some(now()),
        },
        now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

/// A message that a mailing uses stays.
async fn in_use(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let id = create(&db, &olga, &form(0, "Used", "Hello"), now()).await.unwrap();
    mailing(&db, &olga, id).await;
    assert!(matches!(delete(&db, &olga, id).await, Err(Error::Conflict("error.message.in_use"))));
    assert_eq!(get(&db, &olga, id).await.unwrap().mailings, 1);
}

/// A template that cannot be filled in is refused at its field and line, and nothing of it is stored.
async fn template_errors(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let bad = form(0, "Hi {{ nmae }}", "One\n{{ full_nmae }}");
    let (fields, args) = wrong(save(&db, &olga, &bad, "", now()).await);
    assert_eq!(fields, [pair("body", "error.template.undefined"), pair("subject", "error.template.undefined")]);
    assert_eq!(args, [pair("name", "nmae"), pair("line", "1")]);
    assert_eq!(list(&db, &olga, "", "", "").await.unwrap().total, 0);

    let id = create(&db, &olga, &form(0, "Good", "Hello"), now()).await.unwrap();
    let (fields, args) = wrong(update(&db, &olga, &form(id, "Good", "One\n\n{{ full_name"), now()).await);
    assert_eq!(fields, [pair("body", "error.template.syntax")]);
    assert_eq!(args[1], pair("line", "3"));
    assert_eq!(get(&db, &olga, id).await.unwrap().body, "Hello");

    let (fields, _) = wrong(save(&db, &olga, &form(0, "", ""), "", now()).await);
    assert_eq!(fields, [pair("body", "error.required"), pair("subject", "error.required")]);
}

/// Pages follow each other without a gap, newest first, and a search narrows them.
async fn pages(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    for n in 0..=PAGE_SIZE {
        create(&db, &olga, &form(0, &format!("Письмо {n}"), "Hello"), now()).await.unwrap();
    }
    let first = list(&db, &olga, "", "", "").await.unwrap();
    assert_eq!((first.rows.len() as i64, first.total), (PAGE_SIZE, PAGE_SIZE + 1));
    assert_eq!(first.rows[0].subject, format!("Письмо {PAGE_SIZE}"));
    let second = list(&db, &olga, "", "", &first.next.unwrap()).await.unwrap();
    assert_eq!(second.rows.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["Письмо 0"]);
    assert_eq!(second.next, None);
    let found = list(&db, &olga, "ПИСЬМО 7", "", "").await.unwrap();
    assert_eq!((found.total, found.rows[0].subject.as_str(), found.next), (1, "Письмо 7", None));
}

/// Several go at once; those that a mailing uses and those of others stay.
async fn many(db: Db) {
    let (olga, ivan) = (actor(&db, "olga@example.org").await, actor(&db, "ivan@example.org").await);
    let mut ids = Vec::new();
    for (at, subject) in ["Вторник", "апрель", "Будни"].into_iter().enumerate() {
        let later = now() + chrono::TimeDelta::minutes(at as i64);
        ids.push(create(&db, &olga, &form(0, subject, "Hello"), later).await.unwrap());
    }
    let theirs = create(&db, &ivan, &form(0, "Other", "Hello"), now()).await.unwrap();
    update(&db, &olga, &form(ids[0], "Вторник", "Changed"), now() + chrono::TimeDelta::hours(1)).await.unwrap();
    let subjects = async |sort: &str| {
        let rows = list(&db, &olga, "", sort, "").await.unwrap().rows;
        rows.into_iter().map(|row| row.subject).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(subjects("subject").await, "апрель Будни Вторник");
    assert_eq!(subjects("-updated").await, "Вторник Будни апрель");
    let first = messages::list(&db, olga.id, "", MessageSort::Updated, true, None, 1).await.unwrap().remove(0);
    let key = messages::key(&first, MessageSort::Updated);
    let rest = messages::list(&db, olga.id, "", MessageSort::Updated, true, Some(&key), 9).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[2], ids[1]]);

    mailing(&db, &olga, ids[1]).await;
    let chosen = Chosen { ids: vec![ids[0], ids[1], theirs], ..Chosen::default() };
    assert_eq!(delete_chosen(&db, &olga, &chosen).await.unwrap(), (1, 2));
    let whole = list(&db, &olga, "", "", "").await.unwrap().whole();
    let told = Chosen { all: true, n: 2, mark: whole.mark, ..Chosen::default() };
    for other in [Chosen { n: 3, ..told.clone() }, Chosen { mark: whole.mark + 1, ..told.clone() }] {
        assert!(matches!(delete_chosen(&db, &olga, &other).await, Err(Error::Conflict("error.list_changed"))));
    }
    assert_eq!(delete_chosen(&db, &olga, &told).await.unwrap(), (1, 1));
    assert_eq!(list(&db, &ivan, "", "", "").await.unwrap().total, 1);
}

/// The preview shows the chosen client, as text and as HTML, and says what is wrong.
async fn previews(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let boris = client(&db, &olga, "Борис <Б>").await;
    let shown =
        preview(&db, &olga, form(0, "Hi {{ full_name }}", "**{{ full_name }}**, {{ email }}"), Some(boris), SITE)
            .await
            .unwrap();
    assert_eq!(shown.subject, "Hi Борис <Б>");
    assert!(shown.html.contains("<strong>Борис &lt;Б&gt;</strong>"), "{}", shown.html);
    assert!(shown.text.contains("Борис <Б>, boris@example.org"), "{}", shown.text);
    assert!(preview(&db, &olga, form(0, "", "{{ full_name }}"), None, SITE).await.unwrap().text.contains("Anna Kim"));
    let (fields, _) = wrong(preview(&db, &olga, form(0, "s", "{{ x }}"), None, SITE).await);
    assert_eq!(fields, [pair("body", "error.template.undefined")]);
    let pictures = format!("![x](/images/{})", "0".repeat(32));
    let made = MessageForm {
        preheader: "For {{ full_name }}".to_owned(),
        design: "night".to_owned(),
        ..form(0, "s", &pictures)
    };
    let shown = preview(&db, &olga, made, Some(boris), SITE).await.unwrap();
    assert_eq!(shown.preheader, "For Борис <Б>");
    assert!(shown.html.contains("For Борис &lt;Б&gt;&#847;") && shown.html.contains("#13151b"), "{}", shown.html);
    assert!(shown.html.contains(&format!("src=\"{SITE}/images/0")), "{}", shown.html);
    assert_eq!(clients(&db, &olga, "борис").await.unwrap().len(), 1);
}

/// What once ended the process or stopped it for minutes is refused at its field and line by every door, and harmless where
/// it is stored already.
async fn hostile(db: Db) {
    let olga = actor(&db, "olga@example.org").await;
    let id = create(&db, &olga, &form(0, "Good", "Hello"), now()).await.unwrap();
    for (body, key, line) in [
        (format!("One\n{{{{ {}email }}}}", "not ".repeat(49_000)), "error.template.operators", "2"),
        (format!("\n\n{{{{ email{} }}}}", "|upper".repeat(30_000)), "error.template.operators", "3"),
        (format!("{{{{ '{}' }}}}", "x".repeat(20_000)), "error.template.long", "1"),
        (format!("{{% if email %}}{}{{% endif %}}", "{% elif email %}".repeat(10_000)), "error.template.nested", "1"),
        (format!("One\n\n{}", ">".repeat(50_000)), "error.markdown.depth", "3"),
        (format!("One\n\n{}", "<div>".repeat(30_000)), "error.markdown.depth", "3"),
        (format!("{}|\n{}|\n{}", "|a".repeat(900), "|-".repeat(900), "|a\n".repeat(900)), "error.markdown.size", "58"),
    ] {
        for refused in [
            save(&db, &olga, &form(0, "New", &body), "", now()).await.map(|_| ()),
            save(&db, &olga, &form(id, "Good", &body), "", now()).await.map(|_| ()),
            preview(&db, &olga, form(0, "s", &body), None, SITE).await.map(|_| ()),
        ] {
            let (fields, args) = wrong(refused);
            assert_eq!(fields, [pair("body", key)]);
            assert_eq!(args[1], pair("line", line), "{key}");
        }
        let old = testing::message(&db, olga.id, "Old", &body).await;
        let stored = get(&db, &olga, old).await.unwrap();
        assert_eq!(wrong(preview(&db, &olga, form(0, "s", &stored.body), None, SITE).await).0, [pair("body", key)]);
        duplicate(&db, &olga, old, "", now()).await.unwrap();
    }
    assert_eq!(get(&db, &olga, id).await.unwrap().body, "Hello");
    let subject = format!("{{{{ {}1 }}}}", "-".repeat(490));
    assert_eq!(
        wrong(save(&db, &olga, &form(0, &subject, "Hello"), "", now()).await).0,
        [pair("subject", "error.template.operators")]
    );
}

testing::on_both!(hostile, ownership, in_use, template_errors, pages, many, previews, two_windows);
