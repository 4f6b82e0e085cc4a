//! Secrets that people and mail servers trust the service with: they stand in no log, page, error or metric,
//! and in no file.

use crate::support::{Answer, World, ask, cookies, on_both, until};

/// Words that stand nowhere else. None looks like another, so that each is looked for by itself.
const PASSWORD: &str = "canary-first-quartz-49152";
const WRONG: &str = "canary-wrong-basalt-77113";
const NEW: &str = "canary-second-gneiss-30259";
const SMTP: &str = "canary-smtp-obsidian-66042";
const OTHER_SMTP: &str = "canary-other-feldspar-18870";
const EMAIL: &str = "owner@example.org";

/// A browser of one person, which keeps all that it was answered.
struct Browser {
    addr: String,
    cookie: String,
    seen: Vec<(String, String)>,
}

impl Browser {
    fn ask(&mut self, method: &str, path: &str, accept: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers =
            vec![format!("Accept: {accept}"), "Content-Type: application/x-www-form-urlencoded".to_owned()];
        if !self.cookie.is_empty() {
            headers.push(format!("Cookie: {}", self.cookie));
        }
        let answer = ask(&self.addr, method, path, &headers, &body).unwrap();
        // What the browser keeps as its cookie is told to it, and to nobody else.
        let head: String = answer.head.lines().filter(|line| !line.to_lowercase().starts_with("set-cookie")).collect();
        self.seen.push((format!("{method} {path}"), head + &answer.body));
        answer
    }

    fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "text/html", &[])
    }

    /// As a script sends a form, and as a browser without scripts does.
    fn send(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask("POST", path, "text/html", form);
        self.ask("POST", path, "application/json", form)
    }

    fn log_in(&mut self, password: &str) {
        let form = [("form[email]", EMAIL), ("form[password]", password), ("form[next]", "")];
        let answer = self.ask("POST", "/api/login", "application/json", &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.cookie = cookies(&answer.head);
    }

    /// The address of a server function without one of its own, as a form on a page has it.
    fn function(&mut self, page: &str, name: &str) -> String {
        let body = self.get(page).body;
        let at = body.find(&format!("/api/{name}")).unwrap_or_else(|| panic!("{page} has no form of {name}: {body}"));
        body[at..].split('"').next().unwrap().to_owned()
    }
}

fn relay<'a>(password: &'a str, port: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("form[id]", "0"),
        ("form[name]", "Main"),
        ("form[host]", "127.0.0.1"),
        ("form[port]", port),
        ("form[user]", "somebody"),
        ("form[password]", password),
    ]
}

fn secrets_stay_secret(mut world: World) {
    world.set("VESTNIK_LOG", "debug,vestnik=trace");
    world.set("VESTNIK_METRICS_TOKEN", "canary-metrics-marble-5521");
    world.add_user(EMAIL, "admin", PASSWORD);
    let (mut service, addr) = world.serve();
    let mut browser = Browser { addr: addr.clone(), cookie: String::new(), seen: Vec::new() };

    // Log-in, right and wrong, and in no shape that is understood.
    browser.send("/api/login", &[("form[email]", EMAIL), ("form[password]", WRONG), ("form[next]", "")]);
    browser.send("/api/login", &[("password", PASSWORD)]);
    browser.ask("POST", &format!("/api/login?password={WRONG}"), "application/json", &[]);
    browser.log_in(PASSWORD);
    let first = browser.cookie.clone();

    // A new password, asked for wrongly, by letter, and changed.
    let change = browser.function("/account", "profile/password");
    browser.send(&change, &[("form[old_password]", WRONG), ("form[new_password]", NEW)]);
    // Once: a second letter would put the first one's link out of use.
    browser.ask("POST", "/api/forgot", "application/json", &[("form[email]", EMAIL)]);
    let mut outbox = Browser { addr: addr.clone(), cookie: first.clone(), seen: Vec::new() };
    let mut token = String::new();
    until("the letter comes", || {
        let list = outbox.get("/outbox").body;
        let letter = list.split("href=\"/outbox/").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        let body = letter.map(|id| outbox.get(&format!("/outbox/{id}")).body).unwrap_or_default();
        token = body
            .split("/reset?token=")
            .nth(1)
            .and_then(|rest| rest.split(['"', '&', '<']).next())
            .unwrap_or("")
            .to_owned();
        token.len() > 30
    });
    browser.send("/api/reset", &[("form[token]", &token), ("form[password]", "short")]);
    let reset =
        browser.ask("POST", "/api/reset", "application/json", &[("form[token]", &token), ("form[password]", NEW)]);
    assert_eq!(reset.status, 200, "{}", reset.body);
    browser.send("/api/reset", &[("form[token]", &token), ("form[password]", NEW)]);
    browser.log_in(NEW);
    let second = browser.cookie.clone();

    // A mail server with a password: refused, tried out, stored (from then on no letter is caught); and one that
    // another process has in its settings.
    for (form, path) in [
        (relay(SMTP, "no port"), "/api/relays/save"),
        (relay(SMTP, "9"), "/api/relays/try"),
        (relay(SMTP, "9"), "/api/relays/save"),
    ] {
        browser.send(path, &form);
    }
    for path in ["/api/relays/list", "/api/session"] {
        browser.ask("POST", path, "application/json", &[]);
    }
    world.set("VESTNIK_SMTP_URL", &format!("smtps://somebody:{OTHER_SMTP}@127.0.0.1:no-port"));
    let bad = world.run(&["work"]);
    assert!(!bad.status.success());
    world.set("VESTNIK_SMTP_URL", &format!("smtps://somebody:{OTHER_SMTP}@127.0.0.1:9"));
    let listed = world.run(&["relay", "list"]);

    for path in [
        "/",
        "/account",
        "/account/security",
        "/relays",
        "/relays/new",
        "/users",
        "/users/1",
        "/audit",
        "/audit.csv",
        "/mailings",
        "/clients",
        "/messages",
        "/reports",
        "/outbox",
        "/nothing/here",
        "/metrics",
        "/healthz",
        "/readyz",
    ] {
        browser.get(path);
    }
    service.signal("TERM");
    assert!(service.end().success());

    let id = |cookie: &str| cookie.split('=').nth(1).unwrap().to_owned();
    let (first, second) = (id(&first), id(&second));
    let secrets = [PASSWORD, WRONG, NEW, SMTP, OTHER_SMTP, &token, &first, &second, "canary-metrics-marble-5521"];
    let mut places = browser.seen;
    places.push(("the log".to_owned(), service.words()));
    for (name, output) in [("vestnik work", bad), ("vestnik relay list", listed)] {
        let text = [output.stdout, output.stderr].concat();
        places.push((name.to_owned(), String::from_utf8_lossy(&text).into_owned()));
    }
    assert!(places.iter().any(|(name, text)| name == "the log" && text.contains("DEBUG")), "the log is a full one");
    for (name, text) in places {
        for secret in secrets {
            let line = text.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret} stands in {name}: {}", line.unwrap_or_default());
        }
    }
    // On disk there are hashes, and passwords of mail servers sealed. The letter with the link was caught here.
    for (path, bytes) in world.files() {
        for secret in secrets.iter().filter(|secret| **secret != token) {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", path.display());
        }
    }
}

/// A mail server that repeats what it was told, in every form: it stands in no log, record, page or file.
fn what_a_mail_server_repeats_is_kept_nowhere(mut world: World) {
    use base64::Engine;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let forms = [SMTP.to_owned(), base64(SMTP), base64(&format!("\0somebody\0{SMTP}"))];
    let echo = forms.join(" and ");
    world.set("VESTNIK_LOG", "trace");
    let faults = format!(
        "connection auth reply 454 4.7.0 Not now, {echo} times=1\nc0@* rcpt reply 550 5.7.1 Not with {echo}\n\
         c1@* dot reply 451 4.7.1 Later, {echo} times=1\nc2@* dot reply 250 2.0.0 Taken with {echo}"
    );
    world.mail(1, &faults);
    let url = world.setting("VESTNIK_SMTP_URL").replace("smtp://", &format!("smtp://somebody:{SMTP}@"));
    world.set("VESTNIK_SMTP_URL", &url);
    let mailing = world.mailing(3, "resend");
    let mut worker = world.work();
    until("all is done", || world.show(&mailing).0 == "finished");
    let mut said = String::new();
    for words in [&["mailing", "deliveries", &mailing][..], &["relay", "list"], &["relay", "list", "--json"]] {
        said += &String::from_utf8_lossy(&world.run(words).stdout);
    }
    worker.signal("TERM");
    assert!(worker.end().success());
    said += &worker.words();
    assert!(said.contains("Not with ******** and ********") && said.contains("Not now, ********"), "{said}");
    let faults = world.path("faults");
    let files = world.files().into_iter().filter(|(path, _)| *path != faults);
    for (place, text) in files.chain([("what it says".into(), said.into_bytes())]) {
        for form in &forms {
            let found = text.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!found, "{form} stands in {}", place.display());
        }
    }
}

on_both!(secrets_stay_secret, what_a_mail_server_repeats_is_kept_nowhere);
