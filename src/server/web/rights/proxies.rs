//! Who comes through a proxy, under another name, or from another machine is a stranger, whatever they claim; and
//! somebody at this machine reads what was caught here.

use super::functions::FUNCTIONS;
use super::routes::{PAGES, ROUTES};
use super::rule::Who;
use super::tests::{People, none, try_as};
use super::world::{Things, World};
use crate::server::db::Db;
use crate::server::db::testing::on_both;
use crate::server::web::testing::{Answer, Reached};
use std::net::SocketAddr;

/// A way to come to the service.
struct Way {
    name: &'static str,
    /// VESTNIK_PUBLIC_URL; none is the address that it listens on.
    public: Option<&'static str>,
    /// VESTNIK_TRUSTED_PROXIES.
    proxies: &'static [&'static str],
    /// The service listens on all addresses.
    wide: bool,
    reached: Reached,
}

const fn way(name: &'static str, host: Option<&'static str>, headers: &'static [(&'static str, &'static str)]) -> Way {
    Way { name, public: None, proxies: &[], wide: false, reached: Reached { version: "HTTP/1.1", host, headers } }
}

const PUBLIC: Option<&str> = Some("https://mail.example.org");
const NAME: Option<&str> = Some("mail.example.org");
const HERE: Option<&str> = Some("localhost");
const LOCAL: &[&str] = &["127.0.0.1"];
/// What nginx adds as docs/operations.md writes it.
const NGINX: &[(&str, &str)] = &[("X-Forwarded-For", "203.0.113.9")];

/// Proxies as they are documented, and names under which a browser may be led here.
const DOCUMENTED: [Way; 4] = [
    Way { public: PUBLIC, proxies: LOCAL, ..way("nginx as documented", NAME, NGINX) },
    Way { public: PUBLIC, ..way("nginx that is not trusted", NAME, NGINX) },
    way("nginx, and nothing set", NAME, NGINX),
    way("a name that leads here (DNS rebinding)", Some("evil.example:3000"), &[]),
];

/// What else strangers may bring about.
const OTHERS: [Way; 16] = [
    Way { public: PUBLIC, proxies: LOCAL, ..way("a claimed name", HERE, NGINX) },
    Way { public: PUBLIC, ..way("a proxy that adds nothing", None, &[]) },
    Way { proxies: LOCAL, ..way("a claimed name, and nothing set", HERE, NGINX) },
    Way { proxies: LOCAL, ..way("a claimed peer", HERE, &[("X-Forwarded-For", "127.0.0.1, 203.0.113.9")]) },
    Way { proxies: LOCAL, ..way("a peer before", HERE, &[("X-Forwarded-For", "203.0.113.9, 127.0.0.1")]) },
    Way { proxies: LOCAL, ..way("a hidden peer", HERE, &[("X-Forwarded-For", "unknown, 127.0.0.1")]) },
    Way { proxies: LOCAL, ..way("a proxy that is silent", HERE, &[]) },
    way("a proxy that nobody trusts", HERE, &[("X-Forwarded-For", "127.0.0.1")]),
    way("a claimed host", NAME, &[("X-Forwarded-Host", "localhost")]),
    Way { proxies: LOCAL, ..way("another host", HERE, &[("X-Forwarded-For", "::1"), ("X-Forwarded-Host", "a.org")]) },
    way("Forwarded", HERE, &[("Forwarded", "for=127.0.0.1;host=localhost")]),
    way("Via", HERE, &[("Via", "1.1 squid")]),
    way("another header", HERE, &[("X-Real-IP", "127.0.0.1")]),
    way("two names", HERE, &[("Host", "mail.example.org")]),
    Way { wide: true, ..way("another machine", Some("192.168.1.5:3000"), &[]) },
    Way { reached: Reached { version: "HTTP/1.0", host: None, headers: &[] }, ..way("an old proxy", None, &[]) },
];

/// People at this machine.
const AT_HOME: [Way; 5] = [
    way("by its address", None, &[]),
    way("by its name", HERE, &[]),
    way("by its name and port", Some("LOCALHOST:3000"), &[]),
    way("by IPv6", Some("[::1]:3000"), &[]),
    Way {
        public: Some("http://localhost:8080"),
        proxies: LOCAL,
        ..way("through their own proxy", Some("localhost:8080"), &[("X-Forwarded-For", "127.0.0.1")])
    },
];

impl Way {
    async fn world(&self, db: Db) -> World {
        let mut world = World::set(db, |config| {
            if let Some(public) = self.public {
                config.public_url = public.to_owned();
            }
            config.trusted_proxies = self.proxies.iter().map(|proxy| format!("{proxy}/32").parse().unwrap()).collect();
            if self.wide {
                config.addr = SocketAddr::from(([0, 0, 0, 0], 3000));
                config.public_url = "http://0.0.0.0:3000".to_owned();
            }
        })
        .await;
        world.served.reached = self.reached.clone();
        world
    }
}

/// Every door to what trusts this machine, with its answer to somebody without an account.
async fn doors(world: &World, things: &Things) -> Vec<(String, Answer)> {
    let id = &things["letter"];
    let function = |name: &str, form: String| (super::listing::functions()[name].clone(), Some(form));
    let mut answers = Vec::new();
    for (path, form) in [
        function("outbox/list", "search=".to_owned()),
        function("outbox/get", format!("id={id}")),
        ("/outbox".to_owned(), None),
        (format!("/outbox/{id}"), None),
        (format!("/outbox/{id}/source"), None),
        (format!("/outbox/{id}/page"), None),
        ("/metrics".to_owned(), None),
    ] {
        let answer = match &form {
            Some(form) => world.served.post(&path, "", form).await,
            None => world.served.get(&path, "").await,
        };
        answers.push((path, answer));
    }
    answers
}

async fn strangers_behind_a_proxy_see_what_strangers_see(db: Db) {
    // All cells take half a minute for each way: as it is documented, and with nothing set. What trusts this machine is asked
    // in every way below.
    for way in [&DOCUMENTED[0], &DOCUMENTED[2]] {
        let world = way.world(db.clone()).await;
        for rows in [FUNCTIONS, ROUTES, PAGES] {
            let people = People::new(&world, rows).await;
            let faults = try_as(&world, &people, rows, &[Who::Anonymous]).await;
            none(&faults.into_iter().map(|fault| format!("{}: {fault}", way.name)).collect::<Vec<_>>());
        }
    }
}

async fn what_was_caught_is_shown_to_nobody_from_elsewhere(db: Db) {
    for way in DOCUMENTED.iter().chain(&OTHERS) {
        let world = way.world(db.clone()).await;
        let (user, admin) = (world.person(Who::User, "{letter}").await, world.person(Who::Admin, "").await);
        for (path, answer) in doors(&world, &user.things).await {
            let refused = answer.status == 401 || path == "/metrics" && answer.status == 403;
            // Two names are no request at all.
            assert!(refused || answer.status == 400, "{}: {path} {answer:?}", way.name);
            assert!(!answer.body.contains(&user.mark), "{}: {path} {answer:?}", way.name);
        }
        let outbox = async |cookie: &str| world.served.get("/outbox", cookie).await;
        if way.name == "two names" {
            continue;
        }
        assert_eq!(outbox(&user.cookie).await.status, 403, "{}", way.name);
        let shown = outbox(&admin.cookie).await;
        assert!(shown.status == 200 && shown.body.contains(&user.mark), "{}", way.name);
        // All that is public is there, twice from what is kept, and leads to no letters.
        for path in ["/", "/", "/login", "/signup", "/forgot/sent", "/blog"] {
            let page = world.served.get(path, "").await;
            assert_eq!(page.status, 200, "{}: {path}", way.name);
            assert!(!page.body.contains("href=\"/outbox\""), "{}: {path}", way.name);
        }
    }
}

async fn whoever_is_at_this_machine_reads_what_was_caught(db: Db) {
    for way in &AT_HOME {
        let mut world = way.world(db.clone()).await;
        let user = world.person(Who::User, "{letter}").await;
        for (path, answer) in doors(&world, &user.things).await {
            assert_eq!(answer.status, 200, "{}: {path} {answer:?}", way.name);
            assert!(path == "/metrics" || answer.body.contains(&user.mark), "{}: {path} {answer:?}", way.name);
        }
        let leads = async |world: &World| world.served.get("/", "").await.body.contains("href=\"/outbox\"");
        assert!(leads(&world).await && leads(&world).await, "{}", way.name);
        // What is kept for somebody here is not handed out to others.
        world.served.reached.host = Some("evil.example");
        assert!(!leads(&world).await && !leads(&world).await, "{}", way.name);
    }
}

on_both!(
    strangers_behind_a_proxy_see_what_strangers_see,
    what_was_caught_is_shown_to_nobody_from_elsewhere,
    whoever_is_at_this_machine_reads_what_was_caught,
);
