//! The whole service on a port of its own, and a small browser for it.

use super::cache::Front;
use super::listen::{self, Limits};
use super::pace::Pace;
use super::quota::Quota;
use super::state::{AppState, Blog, TAKEAWAYS, UPLOADS};
use crate::domain::email::EmailAddress;
use crate::domain::lang::Lang;
use crate::domain::user::{Permission, Role};
use crate::forms::accounts::RegisterForm;
use crate::server::clock::ManualClock;
use crate::server::config::Config;
use crate::server::db::testing::made_at;
use crate::server::db::{Db, users};
use crate::server::engine::Wake;
use crate::server::engine::relays::{Pool, PoolConfig, Source};
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::relay::Relay;
use crate::server::mail::timeouts::Timeouts;
use crate::server::services::doctor::checkups::Checkups;
use crate::server::services::leaving::Desk;
use crate::server::services::{Actor, accounts};
use crate::server::supervisor::Supervisor;
use crate::server::web::hooks::sns::Sns;
use crate::ui::assets::Assets;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Largest upload, in bytes.
pub const IMPORT_MAX: u64 = 10 * 1024;
/// How long anything may take before a test gives up; no test depends on it.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse";

/// How people come to the service, where not directly.
#[derive(Clone, Debug)]
pub struct Reached {
    pub version: &'static str,
    /// The name that the service hears; none is the address that it listens on.
    pub host: Option<&'static str>,
    /// What is added to each request.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Default for Reached {
    fn default() -> Self {
        Self { version: "HTTP/1.1", host: None, headers: &[] }
    }
}

/// A running service.
pub struct Served {
    pub state: AppState,
    /// How requests come from now on.
    pub reached: Reached,
    addr: SocketAddr,
    folder: tempfile::TempDir,
    _stop: DropGuard,
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    /// A header's value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        let find = |line: &'_ str| line.split_once(": ").map(|(found, _)| found.eq_ignore_ascii_case(name));
        let line = self.headers.lines().find(|line| find(line) == Some(true));
        line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
    }
}

impl Answer {
    /// The cookies that the answer sets, with all that is said of each.
    pub fn cookies(&self) -> Vec<&str> {
        let split = self.headers.lines().filter_map(|line| line.split_once(": "));
        split.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value).collect()
    }

    /// The session's cookie among them, or an empty text.
    pub fn session(&self) -> &str {
        let cookie = self
            .cookies()
            .into_iter()
            .find(|cookie| ["vestnik=", "__Host-vestnik="].iter().any(|name| cookie.starts_with(name)));
        cookie.unwrap_or_default()
    }
}

impl Served {
    /// On an address that only this machine reaches.
    pub async fn start(db: Db) -> Self {
        Self::start_as(db, ManualClock::new(made_at()), Pace::default(), |_| {}).await
    }

    /// The service with a clock that the test moves.
    pub async fn at(db: Db, clock: Arc<ManualClock>) -> Self {
        Self::start_as(db, clock, Pace::default(), |_| {}).await
    }

    /// As if others could reach it, who may not read what the catcher has.
    pub async fn start_for_many(db: Db, clock: Arc<ManualClock>, proxies: Vec<IpNet>) -> Self {
        Self::start_set(db, clock, |config| {
            config.addr = SocketAddr::from(([0, 0, 0, 0], 3000));
            config.trusted_proxies = proxies;
        })
        .await
    }

    /// As if a proxy brought TLS.
    pub async fn start_behind_tls(db: Db) -> Self {
        let https = |config: &mut Config| config.public_url = "https://mail.example.org".to_owned();
        Self::start_as(db, ManualClock::new(made_at()), Pace::default(), https).await
    }

    /// With another limit on uploads, in bytes.
    pub async fn start_with_imports(db: Db, max: u64) -> Self {
        Self::start_as(db, ManualClock::new(made_at()), Pace::default(), |config| config.import_max = max).await
    }

    /// With another limit on how fast one address may ask.
    pub async fn start_at_pace(db: Db, pace: Pace) -> Self {
        Self::start_as(db, ManualClock::new(made_at()), pace, |_| {}).await
    }

    /// With these settings, for a test that asks for everybody.
    pub async fn start_set(db: Db, clock: Arc<ManualClock>, settle: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(db, clock, Pace::new(NonZeroU32::MAX, NonZeroU32::MAX), settle).await
    }

    async fn start_as(db: Db, clock: Arc<ManualClock>, pace: Pace, settle: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        std::fs::write(folder.path().join("favicon.svg"), "<svg/>").unwrap();
        let mut config = Config {
            database_url: String::new(),
            data_dir: folder.path().to_owned(),
            addr,
            public_url: format!("http://{addr}"),
            relay: None,
            hello: None,
            timeouts: Timeouts::default(),
            from: EmailAddress::parse("vestnik@example.org").unwrap(),
            secret: "0123456789abcdef0123456789abcdef".to_owned().into(),
            tokens: DeliveryTokens::new(b"0123456789abcdef0123456789abcdef", []),
            dkim: None,
            return_domain: None,
            receive: None,
            hook_secret: None,
            ses_topic: None,
            retry: Vec::new(),
            import_max: IMPORT_MAX,
            trusted_proxies: Vec::new(),
            site_dir: Some(folder.path().to_owned()),
            dev_reload: None,
            running: crate::server::config::Running::default(),
        };
        settle(&mut config);
        let stop = CancellationToken::new();
        let source = Source::Catcher(Relay::parse("smtp://127.0.0.1:9?tls=none").unwrap());
        let pool = PoolConfig { source, timeouts: config.timeouts.clone(), hello: None, secret: config.secret.clone() };
        let (leaving, keeper) = Desk::open(db.clone(), folder.path()).unwrap();
        tokio::spawn(keeper.keep(stop.clone()));
        let state = AppState {
            leaving,
            relays: Pool::new(db.clone(), clock.clone(), pool),
            db,
            blog: Blog::new(clock.clone()),
            clock: clock.clone(),
            config: Arc::new(config),
            wake: Wake::default(),
            letters: Wake::default(),
            uploads: Quota::new(UPLOADS),
            takeaways: Quota::new(TAKEAWAYS),
            pace,
            live: super::live::Live::default(),
            checkups: Checkups::default(),
            sns: Sns::default(),
            supervisor: Supervisor::new(stop.clone()),
            stop: stop.clone(),
        };
        state.blog.keep(&state.db, &stop, &state.supervisor);
        let service = super::service(state.clone(), Assets::default());
        tokio::spawn(listen::serve(listener, service, Limits::within(u64::MAX, Vec::new()), stop.clone()));
        Self { state, reached: Reached::default(), addr, folder, _stop: stop.drop_guard() }
    }

    /// What browsers call it.
    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The service without the port.
    pub fn service(&self) -> Front {
        super::service(self.state.clone(), Assets::default())
    }

    /// The files of uploads that lie there.
    pub fn uploads(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("uploads"));
        entries.map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
    }

    /// Registers somebody who is confirmed, logs them in, and returns them with their cookie.
    pub async fn somebody(&self, email: &str) -> (Actor, String) {
        let form = RegisterForm {
            name: "Olga".to_owned(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            ..RegisterForm::default()
        };
        let id = accounts::add(&self.state.db, &form, Role::User, Lang::En, made_at()).await.unwrap();
        let user = users::by_id(&self.state.db, id).await.unwrap().unwrap();
        (Actor::prove(&user, Permission::Own).unwrap(), self.log_in(email).await)
    }

    /// A new session's cookie.
    pub async fn log_in(&self, email: &str) -> String {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("form[email]", email)
            .append_pair("form[password]", PASSWORD)
            .finish();
        let answer = self.post("/api/login", "", &form).await;
        assert!(answer.status < 400, "{answer:?}");
        answer.session().split(';').next().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send("GET", path, &[("Cookie", cookie)], b"").await
    }

    pub async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, form.as_bytes()).await
    }

    /// Sends the file as the browser's form does.
    pub async fn upload(&self, cookie: &str, name: &str, bytes: &[u8]) -> Answer {
        let (kind, body) = multipart(name, bytes);
        self.send("POST", "/clients/upload", &[("Cookie", cookie), ("Content-Type", kind)], &body).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.open(method, path, headers, body.len()).await;
        let answer = async {
            stream.write_all(body).await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            bytes
        };
        parse(&tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("no answer to {method} {path}")))
    }

    /// Begins a request whose body has so many bytes.
    pub async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let Reached { version, host, headers: added } = self.reached;
        let host = host.map_or_else(|| self.addr.to_string(), ToOwned::to_owned);
        let mut head = format!("{method} {path} {version}\r\nHost: {host}\r\nConnection: close\r\n");
        // As browsers do, unless the test says where it comes from, or that it does not.
        let says = ["Origin", "Sec-Fetch-Site", "Referer"];
        if method == "POST" && !headers.iter().any(|(name, _)| says.contains(name)) {
            head.push_str(&format!("Origin: http://{host}\r\n"));
        }
        for (name, value) in headers.iter().chain(added).filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// The head of an answer that may have no end.
    pub async fn head(&self, path: &str, cookie: &str) -> Answer {
        let mut stream = self.open("GET", path, &[("Cookie", cookie)], 0).await;
        let head = async {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") {
                bytes.push(stream.read_u8().await.unwrap());
            }
            bytes
        };
        let bytes = tokio::time::timeout(PATIENCE, head).await.expect("a head comes");
        let headers = String::from_utf8(bytes).unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, headers, body: String::new() }
    }

    /// Follows a stream of events.
    pub async fn events(&self, path: &str, cookie: &str) -> Events {
        Events { stream: self.open("GET", path, &[("Cookie", cookie)], 0).await, heard: String::new() }
    }
}

/// The content type and the body of a form with one file.
pub fn multipart(name: &str, bytes: &[u8]) -> (&'static str, Vec<u8>) {
    multipart_with(&[], name, bytes)
}

/// The same with fields before the file.
pub fn multipart_with(fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> (&'static str, Vec<u8>) {
    let mut body = String::new();
    for (field, value) in fields {
        body += &format!("--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
    }
    body += &format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n"
    );
    let mut body = body.into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--edge--\r\n");
    ("multipart/form-data; boundary=edge", body)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut rest = &bytes[end + 4..];
    let mut body = Vec::new();
    if headers.to_lowercase().contains("transfer-encoding: chunked") {
        loop {
            let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            if size == 0 {
                break;
            }
            body.extend(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 2 + size + 2..];
        }
    } else {
        body.extend(rest);
    }
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// An open stream of events.
pub struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    /// The data of the next event that is no sign of life; none at the end of the stream.
    pub async fn next(&mut self) -> Option<String> {
        let next = async {
            loop {
                if let Some((event, rest)) = self.heard.split_once("\n\n") {
                    let data = event.split_once("data: ").filter(|_| !event.contains("event: beat"));
                    let data = data.map(|(_, data)| data.to_owned());
                    self.heard = rest.to_owned();
                    match data {
                        Some(data) => return Some(data),
                        None => continue,
                    }
                }
                let mut bytes = [0; 4096];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return None,
                    Ok(n) => self.heard.push_str(std::str::from_utf8(&bytes[..n]).unwrap()),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("an event or the end comes")
    }
}

/// Waits until something has come about.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("it comes about");
}
