//! A service of its own for each test: folder, database, mail server, processes.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// A step that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(600);
pub const OWNER: &str = "owner@example.org";
pub const PASSWORD: &str = "a long enough phrase";

/// Tests on both databases, each given a new [`World`].
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(crate::support::World::sqlite());
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                super::$name(crate::support::World::postgres());
            })*
        }
    };
}
pub(crate) use on_both;

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process of ours, killed at the end at the latest.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Process {
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "the process has gone before the signal");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        let mut status = None;
        until("the process ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// All that it has said on standard error, once it has ended.
    pub fn words(&mut self) -> String {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.heard.push(line);
        }
        self.heard.join("\n")
    }

    /// Waits for a line on standard error that holds the text.
    pub fn says(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {text:?} in {:#?}", self.heard));
            self.heard.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it runs under another program goes with it.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// `pg_ctl` of a server: does what these words say.
pub type Ctl = Box<dyn Fn(&[&str])>;

pub struct World {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
    sink: Option<Process>,
}

impl World {
    fn new(database: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database(folder.path());
        let mut world = Self { folder, env: BTreeMap::new(), sink: None };
        world.set("VESTNIK_DATABASE_URL", &url);
        world.set("VESTNIK_DATA_DIR", &world.path("data").display().to_string());
        world.set("VESTNIK_SECRET", "0123456789abcdef0123456789abcdef");
        world.set("VESTNIK_RETRY", "100ms");
        world.set("VESTNIK_TAKEOVER", "1s");
        world
    }

    pub fn sqlite() -> Self {
        Self::new(|folder| format!("sqlite:{}", folder.join("test.db").display()))
    }

    pub fn postgres() -> Self {
        let url = std::env::var("VESTNIK_TEST_POSTGRES_URL").expect("VESTNIK_TEST_POSTGRES_URL names a server");
        let name = format!("vestnik_test_{:016x}", rand::random::<u64>());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use sqlx::{Connection, Executor};
            let mut admin = sqlx::PgConnection::connect(&url).await.unwrap();
            admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
            admin.close().await.unwrap();
        });
        let mut parsed = url::Url::parse(&url).unwrap();
        parsed.set_path(&name);
        Self::new(|_| parsed.to_string())
    }

    /// On a PostgreSQL server of its own; `pg_ctl` tells it what to do.
    pub fn own_postgres() -> (Self, Ctl) {
        Self::own_postgres_with(|_| {})
    }

    /// The same, whose folder is settled before its first start.
    pub fn own_postgres_with(settle: impl FnOnce(&Path)) -> (Self, Ctl) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let world = Self::new(|_| format!("postgres://vestnik@127.0.0.1:{port}/postgres"));
        let data = world.path("postgres");
        let folder = world.folder.path().to_owned();
        let found = Command::new(".ci/postgres.sh").arg("--find").output().unwrap();
        let bin = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
        let root = std::fs::metadata(world.folder.path()).unwrap().uid() == 0;
        let run = move |program: &str, words: &[&str]| {
            let program = bin.join(program);
            // PostgreSQL refuses to run as root.
            let mut command = Command::new(if root { "runuser".as_ref() } else { program.as_os_str() });
            if root {
                command.args(["-u", "postgres", "--"]).arg(&program);
            }
            command.args(words).current_dir(&folder);
            let done = command.stdout(Stdio::null()).status().unwrap();
            assert!(done.success(), "{words:?}");
        };
        let own = |path: &Path| {
            let owned = !root || Command::new("chown").args(["-R", "postgres"]).arg(path).status().unwrap().success();
            assert!(owned, "a server of its own, started by root, needs the user postgres");
        };
        own(world.folder.path());
        let path = data.display().to_string();
        run("initdb", &["-D", &path, "-U", "vestnik", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        settle(&data);
        own(&data);
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={path}");
        let log = format!("{path}/log");
        let ctl = move |words: &[&str]| {
            let settings = ["-D", &path, "-w", "-l", &log, "-o", &options];
            run("pg_ctl", &[&settings[..], words].concat());
        };
        ctl(&["start"]);
        (world, Box::new(ctl))
    }

    /// On PostgreSQL, with a way to it that can be cut.
    pub fn behind_a_way() -> (Self, crate::outage::Way) {
        let mut world = Self::postgres();
        let mut url = url::Url::parse(&world.env["VESTNIK_DATABASE_URL"]).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let way = crate::outage::Way::to(server);
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(way.port)).unwrap();
        world.set("VESTNIK_DATABASE_URL", url.as_str());
        (world, way)
    }

    /// What a variable is set to.
    pub fn setting(&self, name: &str) -> String {
        self.env[name].clone()
    }

    pub fn is_sqlite(&self) -> bool {
        self.env["VESTNIK_DATABASE_URL"].starts_with("sqlite:")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a variable for all processes that start from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub fn unset(&mut self, name: &str) {
        self.env.remove(name);
    }

    fn command(&self, words: &[&str]) -> Command {
        self.settle(Command::new(env!("CARGO_BIN_EXE_vestnik")), words)
    }

    fn settle(&self, mut command: Command, words: &[&str]) -> Command {
        // Settings of whoever runs the tests must not get in.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VESTNIK_")) {
            command.env_remove(name);
        }
        command.args(words).envs(&self.env).stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command that must succeed, and gives its JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.command(words).arg("--json").output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn start(&self, words: &[&str]) -> Process {
        Self::spawn(self.command(words))
    }

    /// Starts a process whose log goes elsewhere.
    pub fn start_quietly(&self, words: &[&str], log: Stdio) -> Process {
        let child = self.command(words).process_group(0).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Process { child, lines: mpsc::channel().1, heard: Vec::new() }
    }

    /// Runs a command whose standard output goes elsewhere.
    pub fn run_to(&self, words: &[&str], out: Stdio) -> ExitStatus {
        self.command(words).stdout(out).stderr(Stdio::null()).status().unwrap()
    }

    /// Starts a process of ours under another program, such as strace.
    pub fn under(&self, program: &[&str], words: &[&str]) -> Process {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(env!("CARGO_BIN_EXE_vestnik"));
        Self::spawn(self.settle(command, words))
    }

    fn spawn(mut command: Command) -> Process {
        let mut child = command.process_group(0).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            // The pipe is read to its end, whether anybody listens or not.
            for line in errors.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Process { child, lines, heard: Vec::new() }
    }

    /// A process that sends and nothing else, when it has begun.
    pub fn work(&self) -> Process {
        self.start(&["work"])
    }

    /// Starts the mail server with these faults and with connections of so many at most.
    pub fn mail(&mut self, connections: u32, faults: &str) {
        std::fs::write(self.path("faults"), faults).unwrap();
        let addr = self.sink("127.0.0.1:0");
        self.set("VESTNIK_SMTP_URL", &format!("smtp://{addr}?tls=none&connections={connections}"));
        // Mass mail needs it.
        self.set("VESTNIK_PUBLIC_URL", "https://vestnik.example");
    }

    /// Ends the mail server in the middle of whatever it does, and starts it again at the same address after a while.
    pub fn mail_away(&mut self, time: Duration) {
        let url = url::Url::parse(&self.env["VESTNIK_SMTP_URL"]).unwrap();
        self.sink = None;
        std::thread::sleep(time);
        self.sink(&format!("127.0.0.1:{}", url.port().unwrap()));
    }

    /// Starts the mail server and tells where it listens.
    fn sink(&mut self, listen: &str) -> String {
        let (faults, ledger) = (self.path("faults"), self.path("ledger"));
        let (faults, ledger) = (faults.to_str().unwrap(), ledger.to_str().unwrap());
        let mut sink = self.start(&["sink", "--listen", listen, "--faults", faults, "--ledger", ledger]);
        let line = sink.says("listening on ");
        self.sink = Some(sink);
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// Adds a user named Anna.
    pub fn add_user(&self, email: &str, role: &str, password: &str) {
        let mut add = self.command(&["user", "add", "--email", email, "--name", "Anna", "--role", role]);
        let mut add = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        assert!(add.wait().unwrap().success());
    }

    /// The number that a query finds in the database.
    pub fn number(&self, sql: &'static str) -> i64 {
        use sqlx::Connection;
        let url = self.env["VESTNIK_DATABASE_URL"].clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            if self.is_sqlite() {
                let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
            } else {
                let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
            }
        })
    }

    /// Every file of this world, with what is in it.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    let bytes = std::fs::read(&path).unwrap();
                    files.push((path, bytes));
                }
            }
        }
        files
    }

    /// A user with clients `c0@example.org` and so on, and a mailing to all of them that starts now.
    pub fn mailing(&self, clients: usize, policy: &str) -> String {
        self.mailing_to((0..clients).map(|n| format!("c{n}@example.org")), policy)
    }

    /// The same with clients of these addresses.
    pub fn mailing_to(&self, clients: impl Iterator<Item = String>, policy: &str) -> String {
        self.add_user(OWNER, "user", PASSWORD);
        let csv = self.path("clients.csv");
        let lines: String = clients.enumerate().map(|(n, email)| format!("{email};Client {n}\n")).collect();
        std::fs::write(&csv, format!("email;name\n{lines}")).unwrap();
        self.json(&["client", "import", "--owner", OWNER, csv.to_str().unwrap()]);
        let body = self.path("body.md");
        std::fs::write(&body, "Hello **{{ full_name }}**").unwrap();
        let message = ["message", "add", "--owner", OWNER, "--subject", "Hello", "--body-file", body.to_str().unwrap()];
        let message = self.json(&message)["id"].to_string();
        self.another_mailing(&message, policy)
    }

    pub fn another_mailing(&self, message: &str, policy: &str) -> String {
        let words = ["mailing", "add", "--owner", OWNER, "--message", message, "--clients", "all"];
        self.json(&[&words[..], &["--end", "2099-01-01T00:00:00Z", "--policy", policy]].concat())["id"].to_string()
    }

    /// How often each client's address got a letter, by the mail server's own ledger; what the owner is told is no matter here.
    pub fn ledger(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for line in std::fs::read_to_string(self.path("ledger")).unwrap_or_default().lines() {
            let letter: Value = serde_json::from_str(line).unwrap();
            let recipient = letter["recipient"].as_str().unwrap();
            if recipient != OWNER {
                *times.entry(recipient.to_owned()).or_default() += 1;
            }
        }
        times
    }

    /// Letters accepted so far; cheap, where there are many.
    pub fn accepted(&self) -> usize {
        std::fs::read(self.path("ledger")).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
    }

    /// Letters that somebody got beyond the first.
    pub fn duplicates(&self) -> usize {
        self.ledger().values().map(|times| times - 1).sum()
    }

    /// Status of a mailing and counters of its newest run.
    pub fn show(&self, mailing: &str) -> (String, Value) {
        let shown = self.json(&["mailing", "show", mailing]);
        (shown["status"].as_str().unwrap().to_owned(), shown["runs"][0]["counts"].clone())
    }

    /// How many deliveries are in each state.
    pub fn rows(&self, mailing: &str) -> BTreeMap<String, i64> {
        let mut states = BTreeMap::<String, i64>::new();
        for delivery in self.json(&["mailing", "deliveries", mailing]).as_array().unwrap() {
            *states.entry(delivery["state"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        states
    }

    /// The same while nobody sends; fails where the run's counters say anything else.
    pub fn states(&self, mailing: &str) -> BTreeMap<String, i64> {
        let states = self.rows(mailing);
        let counts = self.show(mailing).1;
        for (counter, words) in [
            ("waiting", &["pending", "claimed", "armed"][..]),
            ("deferred", &["deferred"]),
            ("sent", &["sent"]),
            ("failed", &["failed"]),
            ("unknown", &["unknown"]),
            ("not_sent", &["not_sent"]),
        ] {
            let rows: i64 = words.iter().filter_map(|word| states.get(*word)).sum();
            assert_eq!(counts[counter], rows, "counter {counter}, rows {states:?}");
        }
        states
    }

    /// Runs `vestnik send` until the mailing is finished.
    pub fn finish(&self, mailing: &str) {
        until("the mailing is finished", || {
            self.run(&["send", "--mailing", mailing]);
            self.show(mailing).0 == "finished"
        });
    }

    /// `vestnik serve` on a free port, with its address.
    pub fn serve(&mut self) -> (Process, String) {
        self.serve_under(&["env"])
    }

    /// The same under another program.
    pub fn serve_under(&mut self, program: &[&str]) -> (Process, String) {
        let mut process = self.start_service_under(program);
        let line = process.says("listens on http://");
        let addr = line.rsplit("http://").next().unwrap().trim().to_owned();
        (process, addr)
    }

    /// The same before it listens.
    pub fn start_service(&mut self) -> Process {
        self.start_service_under(&["env"])
    }

    fn start_service_under(&mut self, program: &[&str]) -> Process {
        let site = self.path("site");
        std::fs::create_dir_all(&site).unwrap();
        std::fs::write(site.join("assets.json"), r#"{"start":"","js":"","wasm":"","texts":{},"css":"","fonts":[]}"#)
            .unwrap();
        self.set("VESTNIK_SITE_DIR", &site.display().to_string());
        self.set("VESTNIK_ADDR", "127.0.0.1:0");
        self.under(program, &["serve"])
    }
}

/// What the service answered.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A request with these header lines, or the time-out's error.
pub fn ask(addr: &str, method: &str, path: &str, headers: &[String], body: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let host =
        if headers.iter().any(|line| line.starts_with("Host:")) { String::new() } else { format!("Host: {addr}\r\n") };
    // As browsers do.
    let origin = if method == "POST" { format!("Origin: http://{addr}\r\n") } else { String::new() };
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\n{host}{origin}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let parts = answer.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned()));
    let (status, (head, body)) = status.zip(parts).ok_or_else(|| std::io::Error::other(answer))?;
    Ok(Answer { status, head, body })
}

/// The cookies that an answer sets, as a browser sends them back.
pub fn cookies(head: &str) -> String {
    let set = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// A GET with these header lines: the status and the body, or the time-out's error.
pub fn get(addr: &str, path: &str, headers: &[&str]) -> std::io::Result<(u16, String)> {
    let headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
    ask(addr, "GET", path, &headers, "").map(|answer| (answer.status, answer.body))
}
