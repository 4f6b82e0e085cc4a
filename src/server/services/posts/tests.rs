use super::public::{article, asked_lang, feed, listing, random, sitemap};
use super::views::Views;
use super::*;
use crate::domain::lang::Lang;
use crate::domain::post::{Change, Found, Listing, Question};
use crate::domain::user::{Permission, Role};
use crate::forms::messages::MessageForm;
use crate::server::clock::ManualClock;
use crate::server::db::testing;
use crate::server::db::users::{self, NewUser};
use crate::server::services::messages;

const SITE: &str = "https://v.example";

async fn person(db: &Db, email: &'static str, role: Role) -> users::User {
    let new = NewUser {
        email,
        email_key: email,
        name: email,
        password_hash: "",
        role,
        zone: "Europe/Berlin",
        lang: Lang::En,
        confirmed_at: Some(now()),
        now: now(),
    };
    let mut tx = db.begin().await.unwrap();
    let id = users::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    users::by_id(db, id).await.unwrap().unwrap()
}

async fn editor(db: &Db, email: &'static str) -> Actor {
    Actor::prove(&person(db, email, Role::Editor).await, Permission::Blog).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn form(title: &str, publish: &str) -> PostForm {
    PostForm {
        title: title.to_owned(),
        body: "One\n\nTwo\n\nThree".to_owned(),
        tags: "SMTP, Почта".to_owned(),
        lang: "en".to_owned(),
        publish: publish.to_owned(),
        ..PostForm::default()
    }
}

async fn stored(db: &Db, actor: &Actor, form: &PostForm) -> i64 {
    match save(db, &Changes::default(), actor, form, "", now()).await.unwrap() {
        Saved::Stored(id) => id,
        Saved::Clash(_) => panic!("nobody else was there"),
    }
}

/// The form of a stored post, as its editor page would send it back.
async fn again(db: &Db, actor: &Actor, id: i64) -> PostForm {
    PostForm::new(id, &drafts::editing(db, actor, id, now()).await.unwrap().fields)
}

async fn slug_of(db: &Db, id: i64) -> String {
    posts::get(db, id).await.unwrap().unwrap().content.slug
}

fn key<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
    let Error::Invalid(errors) = result.unwrap_err() else { panic!("not a wrong field") };
    (errors.0[0].field.clone(), errors.0[0].key.clone())
}

fn here(found: Found) -> crate::domain::post::Article {
    match found {
        Found::Here(article) => *article,
        Found::Moved(slug) => panic!("moved to {slug}"),
    }
}

testing::on_both!(
    a_post_appears_when_its_time_comes,
    slugs_are_unique_and_old_ones_lead_on,
    the_second_of_two_editors_is_told,
    history_compares_and_restores,
    drafts_are_kept_for_each_editor,
    lists_go_both_ways,
    related_neighbours_tags_and_search,
    a_post_becomes_a_message,
    views_are_added_in_batches,
    random_posts_are_different_ones,
    what_becomes_too_much_is_refused,
);

#[tokio::test]
async fn only_editors_and_administrators_write() {
    let (db, _folder) = testing::sqlite().await;
    for (role, may) in [(Role::User, false), (Role::Manager, false), (Role::Editor, true), (Role::Admin, true)] {
        let user = person(&db, role.as_str(), role).await;
        assert_eq!(Actor::prove(&user, Permission::Blog).is_ok(), may, "{role:?}");
    }
}

async fn a_post_appears_when_its_time_comes(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let draft = stored(db, &actor, &form("Draft", "draft")).await;
    let at = PostForm { publish_at: "2026-05-04T13:30".to_owned(), ..form("Later", "at") };
    stored(db, &actor, &at).await;
    // Berlin is two hours ahead of UTC in May.
    let due: DateTime<Utc> = "2026-05-04T11:30:00Z".parse().unwrap();
    let second = TimeDelta::seconds(1);
    assert!(matches!(article(db, "later", due - second, SITE).await, Err(Error::NotFound)));
    let page = here(article(db, "later", due, SITE).await.unwrap().0);
    assert_eq!((page.card.published_at, page.card.author.as_str()), (due, "a"));
    assert!(matches!(article(db, "draft", due, SITE).await, Err(Error::NotFound)));
    let all = Question { lang: "all".to_owned(), ..Question::default() };
    assert_eq!(listing(db, &all, Lang::En, due - second, SITE).await.unwrap().cards.len(), 0);
    assert_eq!(listing(db, &all, Lang::En, due, SITE).await.unwrap().cards.len(), 1);
    assert_eq!(feed(db, None, due - second).await.unwrap().len(), 0);
    assert_eq!(sitemap(db, due).await.unwrap().len(), 1);

    let states = |state| list(db, &actor, "", state, None, now());
    assert_eq!(states(Some(PostState::Draft)).await.unwrap().rows[0].id, draft);
    assert_eq!(states(Some(PostState::Scheduled)).await.unwrap().rows[0].title, "Later");
    assert_eq!(states(Some(PostState::Published)).await.unwrap().total, 0);
    assert_eq!(states(None).await.unwrap().total, 2);
    // To publish again what is public does not change its date, nor does the form as it was loaded.
    let id = page.card.id;
    let loaded = again(db, &actor, id).await;
    assert_eq!((loaded.publish.as_str(), loaded.publish_at.as_str()), ("at", "2026-05-04T13:30"));
    let later = due + TimeDelta::days(1);
    save(db, &Changes::default(), &actor, &PostForm { publish: "now".to_owned(), ..loaded }, "", later).await.unwrap();
    assert_eq!(posts::get(db, id).await.unwrap().unwrap().published_at, Some(due));
    assert_eq!(
        key(save(db, &Changes::default(), &actor, &form("x", "at"), "", now()).await),
        ("publish_at".into(), "error.post.time".into())
    );
}

async fn slugs_are_unique_and_old_ones_lead_on(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let first = stored(db, &actor, &form("Письмо, которое ждут", "now")).await;
    let second = stored(db, &actor, &form("Письмо, которое ждут", "now")).await;
    let nameless = stored(db, &actor, &form("✉", "now")).await;
    assert_eq!(slug_of(db, first).await, "pismo-kotoroe-zhdut");
    assert_eq!(slug_of(db, second).await, "pismo-kotoroe-zhdut-2");
    assert_eq!(slug_of(db, nameless).await, "post");
    let taken = PostForm { slug: "pismo-kotoroe-zhdut".to_owned(), ..again(db, &actor, second).await };
    assert_eq!(
        key(save(db, &Changes::default(), &actor, &taken, "", now()).await),
        ("slug".into(), "error.post.slug_taken".into())
    );

    for slug in ["renamed", "renamed-again"] {
        stored(db, &actor, &PostForm { slug: slug.to_owned(), ..again(db, &actor, first).await }).await;
    }
    for old in ["pismo-kotoroe-zhdut", "renamed"] {
        assert_eq!(article(db, old, now(), SITE).await.unwrap().0, Found::Moved("renamed-again".to_owned()));
    }
    // An old slug still belongs to its post: others cannot take it, it can have it back.
    let taken = PostForm { slug: "renamed".to_owned(), ..again(db, &actor, second).await };
    assert_eq!(key(save(db, &Changes::default(), &actor, &taken, "", now()).await).1, "error.post.slug_taken");
    stored(db, &actor, &PostForm { slug: "renamed".to_owned(), ..again(db, &actor, first).await }).await;
    assert_eq!(here(article(db, "renamed", now(), SITE).await.unwrap().0).card.id, first);
    delete(db, &Changes::default(), &actor, first).await.unwrap();
    assert!(matches!(article(db, "renamed-again", now(), SITE).await, Err(Error::NotFound)));
    assert!(matches!(delete(db, &Changes::default(), &actor, first).await, Err(Error::NotFound)));
}

async fn the_second_of_two_editors_is_told(db: Db) {
    let db = &db;
    let (anna, boris) = (editor(db, "anna").await, editor(db, "boris").await);
    let id = stored(db, &anna, &form("Title", "draft")).await;
    let (hers, his) = (again(db, &anna, id).await, again(db, &boris, id).await);
    stored(db, &anna, &PostForm { body: "ONE\n\nTwo\n\nThree".to_owned(), summary: "Hers".to_owned(), ..hers }).await;
    let late = PostForm { body: "One\n\nTwo\n\nThree\n\nFour".to_owned(), title: "His".to_owned(), ..his };
    assert_eq!(save(db, &Changes::default(), &boris, &late, "", now()).await.unwrap(), Saved::Clash(id));
    assert_eq!(posts::get(db, id).await.unwrap().unwrap().content.title, "Title", "nothing is overwritten");

    let merge = drafts::merge(db, &boris, id, now()).await.unwrap();
    assert_eq!(merge.theirs.name, "anna");
    assert_eq!(merge.clashes, Vec::<String>::new());
    let fields = &merge.editing.fields;
    assert_eq!(fields.content.body, "ONE\n\nTwo\n\nThree\n\nFour", "both changes");
    assert_eq!((fields.content.title.as_str(), fields.content.summary.as_str()), ("His", "Hers"));
    assert!(
        merge.diff.iter().any(|diff| diff.field == "body" && diff.lines.contains(&(Change::Added, "Four".to_owned())))
    );
    stored(db, &boris, &PostForm::new(id, fields)).await;
    assert_eq!(posts::get(db, id).await.unwrap().unwrap().content.title, "His");
    assert!(matches!(drafts::merge(db, &boris, id, now()).await, Err(Error::NotFound)), "the draft is used up");

    // Both change the same line: one's own stands, and the field is named.
    let (hers, his) = (again(db, &anna, id).await, again(db, &boris, id).await);
    stored(db, &anna, &PostForm { body: "1".to_owned(), ..hers }).await;
    let late = PostForm { body: "2".to_owned(), publish: "now".to_owned(), ..his };
    assert_eq!(save(db, &Changes::default(), &boris, &late, "", now()).await.unwrap(), Saved::Clash(id));
    let merge = drafts::merge(db, &boris, id, now()).await.unwrap();
    assert_eq!(merge.clashes, ["body", "publish"]);
    assert_eq!(merge.editing.fields.content.body, "2");
}

async fn history_compares_and_restores(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let id = stored(db, &actor, &form("First", "now")).await;
    stored(
        db,
        &actor,
        &PostForm { title: "Second".to_owned(), slug: "other".to_owned(), ..again(db, &actor, id).await },
    )
    .await;
    let history = history::history(db, &actor, id, Some(1)).await.unwrap();
    assert_eq!(history.versions.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
    let (_, diff) = history.compared.unwrap();
    assert_eq!(diff.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["title", "slug"]);
    assert!(matches!(
        history::restore(db, &Changes::default(), &actor, id, (1, 1), now()).await,
        Err(Error::Conflict(_))
    ));
    history::restore(db, &Changes::default(), &actor, id, (1, 2), now()).await.unwrap();
    let post = posts::get(db, id).await.unwrap().unwrap();
    assert_eq!((post.content.title.as_str(), post.content.slug.as_str(), post.version), ("First", "other", 3));
    assert!(post.published_at.is_some(), "it stays public");
    assert!(matches!(history::history(db, &actor, id, Some(9)).await, Err(Error::NotFound)));

    // Only so many are kept.
    for _ in 0..versions::KEPT {
        stored(db, &actor, &again(db, &actor, id).await).await;
    }
    assert_eq!(versions::list(db, id).await.unwrap().len() as i64, versions::KEPT);
}

async fn drafts_are_kept_for_each_editor(db: Db) {
    let db = &db;
    let (anna, boris) = (editor(db, "anna").await, editor(db, "boris").await);
    let typed = PostForm { title: String::new(), body: "unfinished".to_owned(), ..form("", "draft") };
    drafts::keep(db, &anna, &typed, now()).await.unwrap();
    let editing = drafts::editing(db, &anna, 0, now()).await.unwrap();
    assert_eq!((editing.fields.content.body.as_str(), editing.draft_at), ("unfinished", Some(now())));
    let other = drafts::editing(db, &boris, 0, now()).await.unwrap();
    assert_eq!((other.fields.content.author.as_str(), other.draft_at), ("boris", None));
    let id = stored(db, &anna, &form("Done", "draft")).await;
    assert_eq!(drafts::editing(db, &anna, 0, now()).await.unwrap().draft_at, None, "what is saved is no draft");

    drafts::keep(db, &anna, &PostForm { id, version: 1, ..typed.clone() }, now()).await.unwrap();
    drafts::discard(db, &anna, id).await.unwrap();
    assert_eq!(drafts::editing(db, &anna, id, now()).await.unwrap().fields.content.title, "Done");
    assert!(matches!(
        drafts::keep(db, &anna, &PostForm { id: 999, ..typed.clone() }, now()).await,
        Err(Error::NotFound)
    ));
    let huge = PostForm { body: "x".repeat(1_000_001), ..typed };
    assert_eq!(key(drafts::keep(db, &anna, &huge, now()).await).1, "error.too_long");
}

async fn lists_go_both_ways(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    for n in 0..30 {
        let at = now() - TimeDelta::hours(n);
        save(db, &Changes::default(), &actor, &form(&format!("Post {n}"), "now"), "", at).await.unwrap();
    }
    let ask = |after: Option<String>, before: Option<String>| {
        let (after, before) = (after.unwrap_or_default(), before.unwrap_or_default());
        let question = Question { lang: "en".to_owned(), after, before, ..Question::default() };
        async move { listing(db, &question, Lang::Ru, now(), SITE).await.unwrap() }
    };
    let titles = |page: &crate::domain::post::Listing| {
        (page.cards[0].title.clone(), page.cards[page.cards.len() - 1].title.clone())
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let first = ask(None, None).await;
    assert_eq!((titles(&first), first.newer.clone()), (pair("Post 0", "Post 11"), None));
    let second = ask(first.older.clone(), None).await;
    assert_eq!(titles(&second), pair("Post 12", "Post 23"));
    let third = ask(second.older.clone(), None).await;
    assert_eq!((titles(&third), third.older.clone()), (pair("Post 24", "Post 29"), None));
    assert_eq!(ask(None, third.newer).await, Listing { ..second.clone() });
    let back = ask(None, second.newer).await;
    assert_eq!((back.cards, back.newer), (first.cards, None));
    assert_eq!(asked_lang("", Lang::Ru), Some(Lang::Ru));
    assert_eq!(asked_lang("all", Lang::Ru), None);
}

async fn related_neighbours_tags_and_search(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    for (n, (title, tags, lang)) in [
        ("Old", "smtp", "en"),
        ("Middle", "SMTP, почта", "en"),
        ("New", "smtp, ПОЧТА", "en"),
        ("Русский", "почта, smtp", "ru"),
    ]
    .into_iter()
    .enumerate()
    {
        let form = PostForm { tags: tags.to_owned(), lang: lang.to_owned(), ..form(title, "now") };
        save(db, &Changes::default(), &actor, &form, "", now() + TimeDelta::hours(n as i64)).await.unwrap();
    }
    let late = now() + TimeDelta::days(1);
    let page = here(article(db, "middle", late, SITE).await.unwrap().0);
    assert_eq!(page.older.map(|post| post.title), Some("Old".to_owned()));
    assert_eq!(page.newer.map(|post| post.title), Some("New".to_owned()));
    assert_eq!(page.related.iter().map(|card| card.title.as_str()).collect::<Vec<_>>(), ["New", "Old"]);
    let asked = |lang: &str, tag: &str, search: &str| {
        let (lang, tag, search) = (lang.to_owned(), tag.to_owned(), search.to_owned());
        let question = Question { lang, tag, search, ..Question::default() };
        async move {
            let page = listing(db, &question, Lang::En, late, SITE).await.unwrap();
            page.cards.into_iter().map(|card| card.title).collect::<Vec<_>>()
        }
    };
    assert_eq!(asked("all", "Почта", "").await, ["Русский", "New", "Middle"]);
    assert_eq!(asked("", "", "MIDDLE").await, ["Middle"]);
    assert_eq!(asked("ru", "", "").await, ["Русский"]);
    assert_eq!(asked("", "", "100%").await, Vec::<String>::new());
    let tags = listing(db, &Question::default(), Lang::En, late, SITE).await.unwrap().tags;
    assert_eq!(tags, [("smtp".to_owned(), 3), ("почта".to_owned(), 2)]);
    assert_eq!(feed(db, Some(Lang::Ru), late).await.unwrap()[0].card.title, "Русский");
}

async fn a_post_becomes_a_message(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let body = "Use `{{ full_name }}` and {% if %}.\n\n[more](/blog/other)".to_owned();
    let id = stored(db, &actor, &PostForm { body, ..form("How to {{ name }}", "draft") }).await;
    let message = letter::to_message(db, &actor, id, SITE, "", now()).await.unwrap();
    let message = messages::get(db, &actor, message).await.unwrap();
    let typed = MessageForm { subject: message.subject, body: message.body.clone(), ..MessageForm::default() };
    let shown = messages::preview(db, &actor, typed, None, "https://mail.example.org").await.unwrap();
    assert_eq!(shown.subject, "How to {{ name }}");
    assert!(shown.html.contains("{{ full_name }}") && shown.html.contains("{% if %}"), "{}", shown.html);
    assert!(shown.html.contains("href=\"https://v.example/blog/other\""), "{}", shown.html);
    assert!(shown.html.contains("href=\"https://v.example/blog/how-to-name\""), "{}", shown.html);
    // What no letter can have is named, and no field of a message stands beside the button.
    let body = "One\n\n[chat](tg://resolve?domain=x)".to_owned();
    let id = stored(db, &actor, &PostForm { body, ..form("Chat", "draft") }).await;
    let Err(Error::Invalid(errors)) = letter::to_message(db, &actor, id, SITE, "", now()).await else {
        panic!("taken")
    };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("", "error.link.lost"));
}

async fn views_are_added_in_batches(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let id = stored(db, &actor, &form("Read me", "now")).await;
    let clock = ManualClock::new(now());
    let views = Views::new(clock.clone());
    for _ in 0..5 {
        views.count(id);
    }
    views.count(9_999);
    views.flush(db).await.unwrap();
    clock.advance(TimeDelta::days(1));
    views.count(id);
    views.flush(db).await.unwrap();
    views.flush(db).await.unwrap();
    let row = list(db, &actor, "", None, None, now() + TimeDelta::days(1)).await.unwrap().rows.remove(0);
    assert_eq!(row.views, 6);
    assert_eq!((row.chart.len(), &row.chart[CHART_DAYS - 2..]), (CHART_DAYS, &[5, 1][..]));

    // A batch that could not be added is not lost.
    views.count(id);
    let away = testing::sqlite().await.0;
    away.close().await;
    assert!(views.flush(&away).await.is_err());
    views.flush(db).await.unwrap();
    assert_eq!(list(db, &actor, "", None, None, now()).await.unwrap().rows[0].views, 7);
}

/// A body that would become too much is refused at its line and kept out of the database, also as an old version.
async fn what_becomes_too_much_is_refused(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    let table = format!("{}|\n{}|\n{}", "|a".repeat(900), "|-".repeat(900), "|a\n".repeat(900));
    for (body, key, line) in [
        (format!("One\n\n{}", ">".repeat(50_000)), "error.markdown.depth", "3"),
        (format!("One\n\n{}a", "- ".repeat(50_000)), "error.markdown.depth", "3"),
        (format!("\n{}{}", "*a _b ".repeat(9_000), "b_ a* ".repeat(9_000)), "error.markdown.depth", "2"),
        (table, "error.markdown.size", "58"),
    ] {
        let form = PostForm { body: body.clone(), ..form("A", "now") };
        let saved = save(db, &Changes::default(), &actor, &form, "", now()).await;
        for refused in [saved.map(|_| ()), preview(db, &body).await.map(|_| ())] {
            let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
            assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("body", key));
            assert_eq!(errors.0[0].args, [("line".to_owned(), line.to_owned())], "{key}");
        }
    }
    assert_eq!(list(db, &actor, "", None, None, now()).await.unwrap().total, 0);
    let html = "<div>".repeat(10_000);
    assert!(preview(db, &html).await.unwrap().html.starts_with("<p>&lt;div&gt;"), "HTML is shown as written");
}

async fn random_posts_are_different_ones(db: Db) {
    let db = &db;
    let actor = editor(db, "a").await;
    assert!(random(db, Lang::En, now(), 3).await.unwrap().is_empty());
    stored(db, &actor, &form("Draft", "draft")).await;
    stored(db, &actor, &PostForm { lang: "ru".to_owned(), ..form("Пост", "now") }).await;
    stored(db, &actor, &form("One", "now")).await;
    let titles = |cards: Vec<crate::domain::post::Card>| cards.into_iter().map(|card| card.title).collect::<Vec<_>>();
    assert_eq!(titles(random(db, Lang::En, now(), 3).await.unwrap()), ["One", "Пост"], "one's own language first");
    for n in 0..8 {
        stored(db, &actor, &form(&format!("Post {n}"), "now")).await;
    }
    let mut seen = std::collections::HashSet::new();
    for _ in 0..40 {
        let three = titles(random(db, Lang::En, now(), 3).await.unwrap());
        assert_eq!(three.iter().collect::<std::collections::HashSet<_>>().len(), 3);
        assert!(!three.contains(&"Draft".to_owned()));
        seen.extend(three);
    }
    assert!(seen.len() > 5, "they change: {seen:?}");
}
