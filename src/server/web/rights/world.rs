//! People of every kind, and one thing of every kind for each of them.

use super::rule::Who;
use crate::domain::design::BuiltIn;
use crate::domain::email::EmailAddress;
use crate::domain::import::Goal;
use crate::domain::lang::Lang;
use crate::domain::suppression::{NO_TOPIC, Reason, Source};
use crate::domain::topic::Topic;
use crate::domain::user::{Permission, Role};
use crate::forms::mailings::MailingForm;
use crate::forms::posts::PostForm;
use crate::forms::relays::RelayForm;
use crate::server::clock::ManualClock;
use crate::server::config::Config;
use crate::server::db::designs;
use crate::server::db::invitations::{self, NewInvitation};
use crate::server::db::letters::{self, NewLetter};
use crate::server::db::returns::{self, About, NewReturn};
use crate::server::db::sessions::{EPOCH, Sessions, USER};
use crate::server::db::suppressions::{self, Filter, NewEntry};
use crate::server::db::testing::{client, made_at, message, open_run};
use crate::server::db::tokens::{self as links, TokenKind};
use crate::server::db::topics;
use crate::server::db::users::{self, NewUser};
use crate::server::db::{Db, deliveries, on_db, on_tx, selections};
use crate::server::services::posts::Saved;
use crate::server::services::{Actor, images, import, mailings, passwords, posts, relays, tokens};
use crate::server::web::session_cookie;
use crate::server::web::testing::Served;
use ipnet::IpNet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tower_sessions::Session;
use vestnik_reports::Class;

pub const PASSWORD: &str = "correct horse";

/// What stands for `{client}` and the like.
pub type Things = HashMap<&'static str, String>;

/// Somebody with a session and things.
pub struct Person {
    pub cookie: String,
    pub things: Things,
    /// Stands in every text of theirs, and of nobody else's.
    pub mark: String,
}

/// The service, and how people come into it.
pub struct World {
    pub served: Served,
    pub clock: Arc<ManualClock>,
    /// Argon2 takes long; all have the same password.
    hash: String,
}

/// A picture of one pixel.
pub fn pixel() -> Vec<u8> {
    let mut data = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1, 1).write_to(&mut data, image::ImageFormat::Png).unwrap();
    data.into_inner()
}

/// What stands in the place of things that are not there.
pub fn missing() -> Things {
    let ids = [
        "client",
        "suppression",
        "return",
        "topic",
        "message",
        "design",
        "mailing",
        "run",
        "delivery",
        "disabled",
        "selection",
        "import",
        "ledger_import",
        "post",
        "relay",
        "letter",
        "user",
        "admin",
        "stopped",
        "invitation",
    ];
    let mut things: Things = ids.into_iter().map(|name| (name, "987654".to_owned())).collect();
    for word in ["session", "confirm", "reset", "move", "revoke", "invited"] {
        things.insert(word, "nosuch".to_owned());
    }
    things.insert("slug", "no-such".to_owned());
    things.insert("image", "0".repeat(32));
    things.insert("email", "nobody@example.org".to_owned());
    things
}

impl World {
    pub async fn new(db: Db) -> Self {
        Self::with(db, Vec::new()).await
    }

    /// Reached through a proxy on this machine, whose word on who asks is believed.
    pub async fn behind_a_proxy(db: Db) -> Self {
        Self::with(db, vec!["127.0.0.1/32".parse().unwrap()]).await
    }

    async fn with(db: Db, proxies: Vec<IpNet>) -> Self {
        let clock = ManualClock::new(made_at());
        let served = Served::start_for_many(db, clock.clone(), proxies).await;
        Self::of(served, clock).await
    }

    /// With these settings.
    pub async fn set(db: Db, settle: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::new(made_at());
        let served = Served::start_set(db, clock.clone(), settle).await;
        Self::of(served, clock).await
    }

    async fn of(served: Served, clock: Arc<ManualClock>) -> Self {
        let hash = passwords::hash(PASSWORD).await.unwrap();
        Self { served, clock, hash }
    }

    pub fn db(&self) -> &Db {
        &self.served.state.db
    }

    /// Runs a statement with one number.
    async fn run(&self, sql: &'static str, id: i64) {
        let mut tx = self.db().begin().await.unwrap();
        on_tx!(&mut tx, conn => sqlx::query(sql).bind(id).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// Forgets all tries: here one address asks for everybody.
    pub async fn forget_tries(&self) {
        self.run("DELETE FROM throttles WHERE $1 = $1", 0).await;
    }

    /// A word that was never used before.
    pub fn fresh(&self) -> String {
        // Several worlds may share a database.
        static WORDS: AtomicU32 = AtomicU32::new(0);
        format!("m{:05}x", WORDS.fetch_add(1, Ordering::Relaxed))
    }

    async fn account(&self, who: Who, mark: &str) -> Actor {
        let email = format!("{mark}@example.org");
        let new = NewUser {
            email: &email,
            email_key: &email,
            name: mark,
            password_hash: &self.hash,
            role: who.role(),
            zone: "UTC",
            lang: Lang::En,
            confirmed_at: Some(made_at()),
            now: made_at(),
        };
        let mut tx = self.db().begin().await.unwrap();
        let id = users::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        Actor::prove(&users::by_id(self.db(), id).await.unwrap().unwrap(), Permission::Own).unwrap()
    }

    /// Somebody new with the things that a text names. Who is blocked or unconfirmed became so afterwards.
    pub async fn person(&self, who: Who, text: &str) -> Person {
        let mark = self.fresh();
        let actor = self.account(who, &mark).await;
        let mut things = Things::new();
        for (part, names) in [
            ("client", &["client"][..]),
            ("suppression", &["suppression"]),
            ("return", &["return"]),
            ("topic", &["topic"]),
            ("message", &["message"]),
            ("design", &["design"]),
            ("mailing", &["mailing", "run", "delivery", "disabled"]),
            ("import", &["import", "ledger_import"]),
            ("post", &["post", "slug"]),
            ("image", &["image"]),
            ("relay", &["relay"]),
            ("letter", &["letter"]),
            ("token", &["confirm", "reset", "move", "revoke"]),
            ("user", &["admin", "stopped"]),
            ("session", &["session"]),
            ("invitation", &["invitation", "invited"]),
        ] {
            if names.iter().any(|name| text.contains(&format!("{{{name}}}")) || text.contains(&format!(".{name}}}"))) {
                self.add(part, &actor, &mark, &mut things).await;
            }
        }
        if text.contains("selection}") {
            things.insert("selection", self.selection(&actor, &mark).await.to_string());
        }
        things.insert("user", actor.id.to_string());
        things.insert("email", actor.email.clone());
        things.insert("password", PASSWORD.to_owned());
        let cookie = self.session(actor.id).await.0;
        match who {
            Who::Blocked => self.run("UPDATE users SET blocked_at = created_at WHERE id = $1", actor.id).await,
            Who::Unconfirmed => self.run("UPDATE users SET confirmed_at = NULL WHERE id = $1", actor.id).await,
            _ => {}
        }
        Person { cookie, things, mark }
    }

    /// A session as a log-in leaves it: the cookie, and the row's id.
    pub async fn session(&self, user: i64) -> (String, String) {
        let state = &self.served.state;
        let store = Arc::new(Sessions::new(state.db.clone(), state.clock.clone()));
        let expiry = tower_sessions::Expiry::OnInactivity(time::Duration::days(1));
        let session = Session::new(None, store, Some(expiry));
        session.insert(USER, user).await.unwrap();
        let epoch = users::by_id(self.db(), user).await.unwrap().map(|user| user.epoch);
        session.insert(EPOCH, epoch).await.unwrap();
        session.save().await.unwrap();
        let id = session.id().unwrap();
        (format!("{}={id}", session_cookie(state)), crate::server::db::sessions::stored_id(&id))
    }

    async fn add(&self, part: &str, actor: &Actor, mark: &str, things: &mut Things) {
        let (db, now) = (self.db(), made_at());
        match part {
            "client" => {
                let id = client(db, actor.id, &format!("c-{mark}@example.org"), mark, mark).await;
                things.insert("client", id.to_string());
            }
            "suppression" => {
                let email = format!("left-{mark}@example.org");
                let entry = NewEntry {
                    owner: actor.id,
                    email: &EmailAddress::parse(&email).unwrap(),
                    topic: NO_TOPIC,
                    reason: Reason::Unsubscribed,
                    source: Source::Page,
                    since: now,
                    until: None,
                    evidence: mark,
                    actor: "",
                    delivery: None,
                };
                let mut tx = db.begin().await.unwrap();
                suppressions::add(&mut tx, &entry).await.unwrap();
                tx.commit().await.unwrap();
                let filter = Filter { search: &email, ..Filter::default() };
                let id = suppressions::list(db, actor.id, &filter, i64::MAX, 1).await.unwrap().remove(0).id;
                things.insert("suppression", id.to_string());
            }
            "return" => {
                let new = NewReturn {
                    at: now,
                    about: Some(About { delivery: i64::from(u32::MAX) + actor.id, owner: actor.id, run: None }),
                    class: Class::Unknown,
                    recipient: "",
                    status: "",
                    diagnostic: mark,
                    source: Source::Report,
                    digest: mark.as_bytes(),
                    evidence: mark.as_bytes(),
                };
                let mut tx = db.begin().await.unwrap();
                assert!(returns::add(&mut tx, &new).await.unwrap());
                tx.commit().await.unwrap();
                let id: i64 =
                    on_db!(db, pool => sqlx::query_scalar("SELECT MAX(id) FROM returns").fetch_one(pool).await)
                        .unwrap();
                things.insert("return", id.to_string());
            }
            "topic" => {
                // Nobody gets it who has not asked, so that a tick changes something.
                let topic = Topic { name: mark.to_owned(), description: mark.to_owned(), ..Topic::default() };
                let mut tx = db.begin().await.unwrap();
                assert!(topics::save(&mut tx, actor.id, &topic, now).await.unwrap());
                tx.commit().await.unwrap();
                let id = topics::list(db, actor.id).await.unwrap().remove(0).id;
                things.insert("topic", id.to_string());
            }
            "message" => {
                things.insert("message", message(db, actor.id, mark, mark).await.to_string());
            }
            "design" => {
                let look = BuiltIn::Bakery.look(mark).unwrap();
                let mut tx = db.begin().await.unwrap();
                let id = designs::insert(&mut tx, actor.id, mark, &look, now).await.unwrap();
                tx.commit().await.unwrap();
                things.insert("design", id.to_string());
            }
            "mailing" => self.mailing(actor, mark, things).await,
            "import" => {
                let path = self.served.folder().join(format!("{mark}.csv"));
                for (thing, goal, why) in [("import", Goal::Clients, ""), ("ledger_import", Goal::Suppressions, mark)] {
                    let path = path.with_extension(goal.as_str());
                    std::fs::write(&path, format!("email\nnew-{mark}@example.org\n")).unwrap();
                    let upload = import::Upload { goal, why, name: mark, path: &path, size: 9 };
                    let id = import::add(db, actor, &upload, now).await.unwrap();
                    things.insert(thing, id.to_string());
                }
            }
            "post" => {
                let form = PostForm {
                    title: mark.to_owned(),
                    slug: mark.to_owned(),
                    body: mark.to_owned(),
                    lang: "en".to_owned(),
                    publish: "now".to_owned(),
                    ..PostForm::default()
                };
                let Saved::Stored(id) =
                    posts::save(db, self.served.state.blog.kept.changes(), actor, &form, "", now).await.unwrap()
                else {
                    panic!("a clash")
                };
                // Typed and not saved, when somebody else saved.
                let typed = PostForm { id, title: format!("{mark} again"), ..form };
                posts::drafts::keep(db, actor, &typed, now).await.unwrap();
                things.extend([("post", id.to_string()), ("slug", mark.to_owned())]);
            }
            "image" => {
                let (name, alt) = (mark.to_owned(), mark.to_owned());
                let picture = images::add(db, actor, images::Upload { name, alt, data: pixel() }, now).await;
                things.insert("image", picture.unwrap().id);
            }
            "relay" => {
                // Nobody answers there.
                let (name, host, port) = (mark.to_owned(), "127.0.0.1".to_owned(), "9".to_owned());
                let form = RelayForm { name, host, port, ..RelayForm::default() };
                let keeper = relays::Keeper::command_line();
                let (state, sealer) = (&self.served.state, self.served.state.sealer());
                let id = relays::save(db, keeper, state.means(&sealer), &form, now).await.unwrap();
                things.insert("relay", id.to_string());
            }
            "letter" => {
                let letter = NewLetter {
                    at: now,
                    sender: "a@example.org".to_owned(),
                    recipients: "b@example.org".to_owned(),
                    subject: mark.to_owned(),
                    raw: format!("Subject: {mark}\r\n\r\n{mark}\r\n").into_bytes(),
                };
                let mut tx = db.begin().await.unwrap();
                letters::insert(&mut tx, &letter).await.unwrap();
                tx.commit().await.unwrap();
                let id: i64 =
                    on_db!(db, pool => sqlx::query_scalar("SELECT MAX(id) FROM letters").fetch_one(pool).await)
                        .unwrap();
                things.insert("letter", id.to_string());
            }
            "token" => {
                for (name, kind) in [
                    ("confirm", TokenKind::Confirm),
                    ("reset", TokenKind::Reset),
                    ("move", TokenKind::Email),
                    ("revoke", TokenKind::Revoke),
                ] {
                    let (text, hash) = tokens::link();
                    let data = format!("moved-{mark}@example.org");
                    let (hash, end) = ((hash.as_str(), data.as_str()), now + chrono::TimeDelta::days(1));
                    let mut tx = db.begin().await.unwrap();
                    links::replace(&mut tx, kind, actor.id, hash, end, now).await.unwrap();
                    tx.commit().await.unwrap();
                    things.insert(name, text);
                }
            }
            "user" => {
                let admin = self.account(Who::Admin, &self.fresh()).await;
                let stopped = self.account(Who::Blocked, &self.fresh()).await;
                self.run("UPDATE users SET blocked_at = created_at WHERE id = $1", stopped.id).await;
                things.extend([("admin", admin.id.to_string()), ("stopped", stopped.id.to_string())]);
            }
            "invitation" => {
                let (text, hash) = tokens::link();
                let email = format!("i-{mark}@example.org");
                let new = NewInvitation {
                    email: &email,
                    email_key: &email,
                    role: Role::User,
                    hash: &hash,
                    invited_by: mark,
                    inviter_id: self.account(Who::Admin, &self.fresh()).await.id,
                    expires_at: now + chrono::TimeDelta::days(1),
                };
                let mut tx = db.begin().await.unwrap();
                invitations::replace(&mut tx, &new, now).await.unwrap();
                tx.commit().await.unwrap();
                let id = invitations::find(db, &hash).await.unwrap().unwrap().id;
                things.extend([("invitation", id.to_string()), ("invited", text)]);
            }
            "session" => {
                things.insert("session", self.session(actor.id).await.1);
            }
            other => panic!("no such part: {other}"),
        }
    }

    /// A mailing in the midst of a run, with one delivery whose fate is unknown, and one that was disabled.
    async fn mailing(&self, actor: &Actor, mark: &str, things: &mut Things) {
        let (db, now) = (self.db(), made_at());
        client(db, actor.id, &format!("d-{mark}@example.org"), mark, mark).await;
        let form = MailingForm {
            title: mark.to_owned(),
            message: message(db, actor.id, mark, mark).await,
            clients: "all".to_owned(),
            start: "now".to_owned(),
            end: "2026-12-31T10:00".to_owned(),
            zone: "UTC".to_owned(),
            period: "daily".to_owned(),
            policy: "hold".to_owned(),
            ..MailingForm::default()
        };
        let disabled = mailings::create(db, actor, &form, now).await.unwrap();
        self.run("UPDATE mailings SET disabled_at = created_at WHERE id = $1", disabled).await;
        let mailing = mailings::create(db, actor, &form, now).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let run = open_run(&mut tx, mailing, actor.id, now).await;
        tx.commit().await.unwrap();
        let delivery = deliveries::list(db, run, None, "", 0, 1).await.unwrap().remove(0).id;
        self.run("UPDATE deliveries SET state = 'unknown', attempts = 1 WHERE id = $1", delivery).await;
        self.run("UPDATE runs SET waiting = waiting - 1, unknown = 1 WHERE id = $1", run).await;
        let found = [("mailing", mailing), ("run", run), ("delivery", delivery), ("disabled", disabled)];
        things.extend(found.map(|(name, id)| (name, id.to_string())));
    }

    async fn selection(&self, actor: &Actor, mark: &str) -> i64 {
        let picked = client(self.db(), actor.id, &format!("s-{mark}@example.org"), mark, mark).await;
        let mut tx = self.db().begin().await.unwrap();
        let id = selections::insert(&mut tx, actor.id, &[picked], made_at()).await.unwrap();
        tx.commit().await.unwrap();
        id
    }
}
