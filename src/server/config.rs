//! Settings: environment and flags become one checked struct, or a sentence that names the wrong one.

use crate::domain::email::EmailAddress;
use crate::server::mail::address::WireAddress;
use crate::server::mail::delivery_token::DeliveryTokens;
use crate::server::mail::dkim::{KeyError, Signer};
use crate::server::mail::return_path::ReturnPath;
use crate::server::web::hooks::sns::Topic;
use ipnet::IpNet;
use secrecy::ExposeSecret;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// Settings as clap reads them; a flag wins over its environment variable.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// sqlite: or postgres: address; the default is a file in the data directory
    #[arg(long, env = "VESTNIK_DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// How long serve and work wait for the database at the start
    #[arg(long, env = "VESTNIK_DATABASE_WAIT", default_value = "60s", global = true)]
    pub database_wait: String,
    /// Folder for the database file, uploads and the secret
    #[arg(long, env = "VESTNIK_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
    /// Address and port to listen on
    #[arg(long, env = "VESTNIK_ADDR", default_value = "127.0.0.1:3000", global = true)]
    pub addr: String,
    /// Address under which people reach the service, for links in letters
    #[arg(long, env = "VESTNIK_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// smtp:// or smtps:// address of the mail server; without it the built-in mail catcher is used
    #[arg(long, env = "VESTNIK_SMTP_URL", global = true, hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Name that mail servers are greeted with (EHLO), for example mail.example.org; the public address's, if others can know it
    #[arg(long, env = "VESTNIK_HELLO", global = true)]
    pub hello: Option<String>,
    /// Address that letters come from
    #[arg(long, env = "VESTNIK_FROM", default_value = "vestnik@localhost.localdomain", global = true)]
    pub from: String,
    /// PEM file with the private key that signs letters (DKIM); without it the mail server is left to sign
    #[arg(long, env = "VESTNIK_DKIM_KEY", global = true)]
    pub dkim_key: Option<PathBuf>,
    /// Name in the DNS, before ._domainkey, of the key's public half
    #[arg(long, env = "VESTNIK_DKIM_SELECTOR", default_value = "vestnik", global = true)]
    pub dkim_selector: String,
    /// Domain that bounces return to; its mail exchanger is this service, or passes them on to it
    #[arg(long, env = "VESTNIK_RETURN_DOMAIN", global = true)]
    pub return_domain: Option<String>,
    /// Address and port where what comes back is taken over SMTP, for example 0.0.0.0:25
    #[arg(long, env = "VESTNIK_RECEIVE", global = true)]
    pub receive: Option<String>,
    /// Signs what providers and mail servers elsewhere bring back over HTTPS; at least 32 characters
    #[arg(long, env = "VESTNIK_HOOK_SECRET", global = true, hide_env_values = true)]
    pub hook_secret: Option<String>,
    /// Amazon SNS topic (ARN) by which Amazon SES tells of bounces and complaints
    #[arg(long, env = "VESTNIK_SES_TOPIC", global = true)]
    pub ses_topic: Option<String>,
    /// Key for Message-IDs; made and kept in the data directory if absent
    #[arg(long, env = "VESTNIK_SECRET", global = true, hide_env_values = true)]
    pub secret: Option<String>,
    /// Secrets that were used before, so that links in older letters still work; with commas between them
    #[arg(long, env = "VESTNIK_FORMER_SECRETS", default_value = "", global = true, hide_env_values = true)]
    pub former_secrets: String,
    /// Log filter, for example info or vestnik=debug
    #[arg(long, env = "VESTNIK_LOG", default_value = "info", global = true)]
    pub log: String,
    /// Waits between tries, for example 5m,15m,30m,1h; the last one repeats
    #[arg(long, env = "VESTNIK_RETRY", default_value = "5m,15m,30m,1h,2h,4h", global = true)]
    pub retry: String,
    /// Deadlines of SMTP stages, for example connect=5s,dot=60s
    #[arg(long, env = "VESTNIK_SMTP_TIMEOUTS", default_value = "", global = true)]
    pub smtp_timeouts: String,
    /// Largest CSV file that can be uploaded, for example 200MB or 1GB
    #[arg(long, env = "VESTNIK_IMPORT_MAX", default_value = "1GB", global = true)]
    pub import_max: String,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, for example 127.0.0.1,10.0.0.0/8
    #[arg(long, env = "VESTNIK_TRUSTED_PROXIES", default_value = "", global = true)]
    pub trusted_proxies: String,
    /// Folder with the files for browsers, in place of those that are built into the program
    #[arg(long, env = "VESTNIK_SITE_DIR", global = true)]
    pub site_dir: Option<PathBuf>,
    /// How long letters under way may take after the signal to stop
    #[arg(long, env = "VESTNIK_GRACE", default_value = "30s", global = true)]
    pub grace: String,
    /// A process without a sign of life for so long is taken for dead, and others take over its work
    #[arg(long, env = "VESTNIK_TAKEOVER", default_value = "30s", global = true)]
    pub takeover: String,
    /// Lets who knows it read /metrics from another machine; at least 16 characters
    #[arg(long, env = "VESTNIK_METRICS_TOKEN", global = true, hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Address of the live-reload service of `make dev`
    #[arg(long, env = "VESTNIK_DEV_RELOAD", global = true, hide = true)]
    pub dev_reload: Option<String>,
}

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: String,
    pub data_dir: PathBuf,
    pub addr: SocketAddr,
    /// Without a trailing slash.
    pub public_url: String,
    pub relay: Option<crate::server::mail::relay::Relay>,
    /// Our name in EHLO; without one, mail servers see our address.
    pub hello: Option<String>,
    pub timeouts: crate::server::mail::timeouts::Timeouts,
    pub from: EmailAddress,
    /// Domain of the envelope's sender, by which bounces tell what they are about (VERP); in A-labels.
    pub return_domain: Option<String>,
    /// Where what comes back is taken over SMTP.
    pub receive: Option<SocketAddr>,
    /// Signs what is brought back over HTTPS.
    pub hook_secret: Option<secrecy::SecretString>,
    pub ses_topic: Option<Topic>,
    pub secret: secrecy::SecretString,
    /// Of the links in letters: made with the secret, and read with those that it had before, too.
    pub tokens: DeliveryTokens,
    /// Signs letters, where there is a key.
    pub dkim: Option<std::sync::Arc<Signer>>,
    /// Waits between tries; the last one repeats.
    pub retry: Vec<std::time::Duration>,
    /// Largest CSV file that can be uploaded, in bytes.
    pub import_max: u64,
    /// Their word on who is behind them counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The files for browsers, where they are not those that are built in.
    pub site_dir: Option<PathBuf>,
    pub dev_reload: Option<String>,
    pub running: Running,
}

/// How the process lives and ends.
#[derive(Clone, Debug)]
pub struct Running {
    /// For letters under way after the signal to stop.
    pub grace: std::time::Duration,
    /// After so long without a sign of life a process is taken for dead.
    pub takeover: std::time::Duration,
    /// How long the database is waited for at the start.
    pub database_wait: std::time::Duration,
    /// Who knows it may read `/metrics` from another machine.
    pub metrics_token: Option<secrecy::SecretString>,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            grace: std::time::Duration::from_secs(30),
            takeover: super::engine::TAKEOVER,
            database_wait: std::time::Duration::from_secs(60),
            metrics_token: None,
        }
    }
}

/// Shorter than this, a process that is merely busy would be taken for dead.
const TAKEOVER_MIN: std::time::Duration = std::time::Duration::from_millis(500);

/// Shortest token for `/metrics`.
const TOKEN_MIN: usize = 16;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {why}")]
pub struct ConfigError {
    pub name: &'static str,
    pub why: String,
}

fn wrong(name: &'static str, why: impl ToString) -> ConfigError {
    ConfigError { name, why: why.to_string() }
}

/// Reads a time as people write it: `300ms`, `5m`, `1h30m`.
fn duration(name: &'static str, text: &str) -> Result<std::time::Duration, ConfigError> {
    humantime::parse_duration(text.trim())
        .map_err(|error| wrong(name, format!("`{text}` is not a duration such as 300ms, 5m or 1h30m: {error}")))
}

/// Reads an address, or a network with the length of its prefix.
fn network(text: &str) -> Result<IpNet, ConfigError> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        let why = format!("{text:?} is no address or network such as 127.0.0.1 or 10.0.0.0/8");
        wrong("VESTNIK_TRUSTED_PROXIES", why)
    })
}

impl Settings {
    /// Checks every setting, makes the data directory and the secret.
    ///
    /// # Errors
    /// Names the first setting that cannot be used, and why.
    pub fn check(&self) -> Result<Config, ConfigError> {
        use crate::server::mail::{hello, relay, timeouts::Timeouts};
        let addr = self.addr()?;
        let from = EmailAddress::parse(&self.from).map_err(|error| wrong("VESTNIK_FROM", error))?;
        let public_url = public_url(self.public_url.as_deref(), addr)?;
        let hello = match self.hello.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Some(hello::parse(name).map_err(|why| wrong("VESTNIK_HELLO", format!("{name:?} {why}")))?),
            None => hello::of_address(&public_url),
        };
        let relay = match self.smtp_url.as_deref() {
            // Perhaps a variable that was to hold it is missing: letters must not be caught by mistake.
            Some(url) if url.trim().is_empty() => {
                return Err(wrong("VESTNIK_SMTP_URL", "is empty; leave it out to have letters caught on this machine"));
            }
            Some(url) => {
                let relay = relay::Relay::parse(url).map_err(|error| wrong("VESTNIK_SMTP_URL", error))?;
                Some(relay.with_hello(hello.as_deref()))
            }
            None => None,
        };
        let dkim = self.signer(&from)?;
        let timeouts = Timeouts::parse(&self.smtp_timeouts).map_err(|error| wrong("VESTNIK_SMTP_TIMEOUTS", error))?;
        let retry = self.retry.split(',').map(|wait| duration("VESTNIK_RETRY", wait)).collect::<Result<Vec<_>, _>>()?;
        if retry.iter().any(std::time::Duration::is_zero) {
            return Err(wrong("VESTNIK_RETRY", "a wait of 0 would try without end"));
        }
        let return_domain = self.return_domain.as_deref().map(str::trim).filter(|domain| !domain.is_empty());
        let return_domain = return_domain.map(return_domain_of).transpose()?;
        let hook_secret = self.hook_secret.clone().filter(|secret| !secret.is_empty());
        if hook_secret.as_ref().is_some_and(|secret| secret.len() < SECRET_MIN) {
            return Err(wrong("VESTNIK_HOOK_SECRET", format!("must have at least {SECRET_MIN} characters")));
        }
        let ses_topic = self.ses_topic.as_deref().map(str::trim).filter(|arn| !arn.is_empty());
        let ses_topic = ses_topic.map(|arn| {
            let why = || format!("{arn:?} is no topic such as arn:aws:sns:eu-west-1:123456789012:bounces");
            Topic::parse(arn).ok_or_else(|| wrong("VESTNIK_SES_TOPIC", why()))
        });
        let ses_topic = ses_topic.transpose()?;
        let receive = self.receive.as_deref().map(str::trim).filter(|address| !address.is_empty());
        let receive = receive.map(|address| {
            let why = || format!("{address:?} is not an address and port such as 0.0.0.0:25");
            address.parse::<SocketAddr>().map_err(|_| wrong("VESTNIK_RECEIVE", why()))
        });
        let receive = receive.transpose()?;
        if receive.is_some() && return_domain.is_none() {
            return Err(wrong("VESTNIK_RECEIVE", "needs VESTNIK_RETURN_DOMAIN, whose letters are to be taken"));
        }
        let grace = duration("VESTNIK_GRACE", &self.grace)?;
        let database_wait = duration("VESTNIK_DATABASE_WAIT", &self.database_wait)?;
        let takeover = duration("VESTNIK_TAKEOVER", &self.takeover)?;
        if takeover < TAKEOVER_MIN {
            return Err(wrong("VESTNIK_TAKEOVER", "must be at least 500ms"));
        }
        let metrics_token = self.metrics_token.clone().filter(|token| !token.is_empty());
        if metrics_token.as_ref().is_some_and(|token| token.len() < TOKEN_MIN) {
            return Err(wrong("VESTNIK_METRICS_TOKEN", format!("must have at least {TOKEN_MIN} characters")));
        }
        // Nobody could send it: it comes in a header, whose ends are trimmed.
        let sendable = |token: &str| token.trim() == token && token.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if metrics_token.as_deref().is_some_and(|token| !sendable(token)) {
            return Err(wrong("VESTNIK_METRICS_TOKEN", "must be printable ASCII without white space at its ends"));
        }
        let import_max = parse_size(&self.import_max).ok_or_else(|| {
            wrong("VESTNIK_IMPORT_MAX", format!("{:?} is not a size such as 200MB or 1GB", self.import_max))
        })?;
        let proxies = self.trusted_proxies.split(',').map(str::trim).filter(|proxy| !proxy.is_empty());
        let trusted_proxies = proxies.map(network).collect::<Result<Vec<_>, _>>()?;
        std::fs::create_dir_all(&self.data_dir)
            .map_err(|error| wrong("VESTNIK_DATA_DIR", format!("{}: {error}", self.data_dir.display())))?;
        let database_url = match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data_dir.join("vestnik.db").display()),
        };
        super::db::check_address(&database_url).map_err(|error| wrong("VESTNIK_DATABASE_URL", error))?;
        let secret = secret(self.secret.as_deref(), &self.data_dir)?;
        let former: Vec<&[u8]> = self
            .former_secrets
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(str::as_bytes)
            .collect();
        if former.iter().any(|secret| secret.len() < SECRET_MIN) {
            return Err(wrong("VESTNIK_FORMER_SECRETS", format!("each must have at least {SECRET_MIN} characters")));
        }
        Ok(Config {
            tokens: DeliveryTokens::new(secret.expose_secret().as_bytes(), former),
            database_url,
            data_dir: self.data_dir.clone(),
            addr,
            public_url,
            relay,
            hello,
            timeouts,
            from,
            dkim,
            return_domain,
            receive,
            hook_secret: hook_secret.map(Into::into),
            ses_topic,
            secret,
            retry,
            import_max,
            trusted_proxies,
            site_dir: self.site_dir.clone().filter(|path| !path.as_os_str().is_empty()),
            dev_reload: self.dev_reload.clone(),
            running: Running { grace, takeover, database_wait, metrics_token: metrics_token.map(Into::into) },
        })
    }
}

impl Settings {
    /// Where the service listens.
    ///
    /// # Errors
    /// If that is no address and port.
    pub fn addr(&self) -> Result<SocketAddr, ConfigError> {
        self.addr.parse().map_err(|_| {
            wrong("VESTNIK_ADDR", format!("{:?} is not an address and port such as 127.0.0.1:3000", self.addr))
        })
    }

    /// The key signs for the domain that letters come from.
    fn signer(&self, from: &EmailAddress) -> Result<Option<std::sync::Arc<Signer>>, ConfigError> {
        let Some(path) = self.dkim_key.as_deref().filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
        let address = WireAddress::new(from.as_str()).map_err(|error| wrong("VESTNIK_FROM", error))?;
        let signer = Signer::load(path, &self.dkim_selector, &address.domain());
        let signer = signer.map_err(|error| match error {
            KeyError::Selector(_) => wrong("VESTNIK_DKIM_SELECTOR", error),
            _ => wrong("VESTNIK_DKIM_KEY", error),
        })?;
        Ok(Some(std::sync::Arc::new(signer)))
    }
}

impl Config {
    /// The addresses that bounces return to, where there is a domain for them.
    pub fn return_path(&self) -> Option<ReturnPath> {
        self.return_domain.clone().map(|domain| ReturnPath::new(self.tokens.clone(), domain))
    }

    /// Where uploaded files wait.
    pub fn uploads(&self) -> PathBuf {
        self.data_dir.join("uploads")
    }
}

/// A domain that addresses can be made of, in lower case and A-labels.
fn return_domain_of(text: &str) -> Result<String, ConfigError> {
    let address = EmailAddress::parse(&format!("postmaster@{text}")).ok();
    let address = address.and_then(|address| WireAddress::new(address.as_str()).ok());
    let domain = address.map(|address| address.domain().to_ascii_lowercase());
    domain
        .ok_or_else(|| wrong("VESTNIK_RETURN_DOMAIN", format!("{text:?} is not a domain such as bounces.example.org")))
}

/// Bytes, or as many KB, MB or GB of 1024.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|size| *size > 0)
}

fn public_url(given: Option<&str>, addr: SocketAddr) -> Result<String, ConfigError> {
    let Some(given) = given else {
        return Ok(format!("http://{addr}"));
    };
    let url = Url::parse(given).map_err(|error| wrong("VESTNIK_PUBLIC_URL", error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("VESTNIK_PUBLIC_URL", "must be an http:// or https:// address"));
    }
    // Links are made of it by adding paths, and cookies and checks of foreign requests know hosts alone.
    let part = match &url {
        url if !url.username().is_empty() || url.password().is_some() => "a user or password",
        url if url.path() != "/" => "a path",
        url if url.query().is_some() => "a query (?)",
        url if url.fragment().is_some() => "a fragment (#)",
        url if url.port() == Some(0) => "the port 0",
        _ => return Ok(url.as_str().trim_end_matches('/').to_owned()),
    };
    Err(wrong("VESTNIK_PUBLIC_URL", format!("must not have {part}: people reach the service at the top of a host")))
}

/// Shortest secret that is taken: 128 bits in hexadecimal.
const SECRET_MIN: usize = 32;

fn secret(given: Option<&str>, data_dir: &Path) -> Result<secrecy::SecretString, ConfigError> {
    if let Some(given) = given {
        if given.len() < SECRET_MIN {
            return Err(wrong("VESTNIK_SECRET", format!("must have at least {SECRET_MIN} characters")));
        }
        return Ok(given.to_owned().into());
    }
    let path = data_dir.join("secret");
    let fail = |error: std::io::Error| wrong("VESTNIK_DATA_DIR", format!("{}: {error}", path.display()));
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= SECRET_MIN => Ok(text.trim().to_owned().into()),
        Ok(_) => Err(wrong(
            "VESTNIK_DATA_DIR",
            format!("{} is not a secret of ours; remove it to make a new one", path.display()),
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (text, _) = super::services::tokens::link();
            write_private(&path, &text).map_err(fail)?;
            Ok(text.into())
        }
        Err(error) => Err(fail(error)),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    /// What is said of settings, given as flags; the data folder is a new one.
    fn check(flags: &[&str]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        let line = ["vestnik", "--data-dir", folder].into_iter().chain(flags.iter().copied());
        Line::try_parse_from(line).unwrap().settings.check().map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_mail_server_is_none_that_letters_are_caught_for() {
        for empty in ["", " "] {
            assert!(check(&["--smtp-url", empty]).unwrap_err().starts_with("VESTNIK_SMTP_URL: is empty"));
        }
        assert!(check(&["--smtp-url", "smtp://127.0.0.1"]).is_ok());
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_their_name() {
        for (flag, name, values) in [
            (
                "--public-url",
                "VESTNIK_PUBLIC_URL",
                &[
                    "https://anna:secret@mail.example.org",
                    "https://anna@mail.example.org",
                    "https://mail.example.org/vestnik",
                    "https://mail.example.org/?a=b",
                    "https://mail.example.org#top",
                    "https://mail.example.org:0",
                    "ftp://mail.example.org",
                    "mail.example.org",
                    "",
                ][..],
            ),
            ("--retry", "VESTNIK_RETRY", &["0s", "5m,0s", "5m,0ms,1h", "", "5m,"]),
            ("--smtp-timeouts", "VESTNIK_SMTP_TIMEOUTS", &["connect=0s", "dot"]),
            ("--hello", "VESTNIK_HELLO", &["mail", "127.0.0.1", "mail.example.org\r\nQUIT"]),
            ("--return-domain", "VESTNIK_RETURN_DOMAIN", &["a b", "bounces@example.org", "-", "a>b.example"]),
            ("--hook-secret", "VESTNIK_HOOK_SECRET", &["short secret"]),
            ("--ses-topic", "VESTNIK_SES_TOPIC", &["bounces", "arn:aws:sqs:eu-west-1:123456789012:q"]),
            ("--receive", "VESTNIK_RECEIVE", &["25", "mail.example.org:25", "127.0.0.1:2525"]),
            ("--metrics-token", "VESTNIK_METRICS_TOKEN", &["short", "sixteen letters и ещё", " sixteen characters"]),
            (
                "--database-url",
                "VESTNIK_DATABASE_URL",
                &[
                    "sqlite::memory:",
                    "sqlite://:memory:",
                    "sqlite:test.db?mode=memory",
                    "sqlite:file::memory:",
                    "sqlite:test.db?mode=ro",
                    "sqlite:test.db?immutable=true",
                    "sqlite:test.db?quite=so",
                    "sqlite:",
                    "sqlite:/tmp",
                    "sqlite:/nowhere/at/all/test.db",
                    "postgres://host/db?sslmode=quite",
                    "postgres://host/db?sslrootcert=/nowhere/root.pem",
                    "mysql://host/db",
                    "",
                ],
            ),
        ] {
            for value in values {
                let error = check(&[flag, value]).expect_err(value);
                assert!(error.starts_with(&format!("{name}: ")), "{value}: {error}");
                assert!(!error.contains("secret"), "{error}");
            }
        }
    }

    #[test]
    fn a_public_address_is_kept_as_links_need_it() {
        for (given, kept) in [
            ("https://mail.example.org/", "https://mail.example.org"),
            ("HTTPS://Mail.Example.Org", "https://mail.example.org"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(check(&["--public-url", given]).map(|config| config.public_url), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, size) in [
            ("1GB", Some(1 << 30)),
            ("200 mb", Some(200 << 20)),
            ("12KB", Some(12 << 10)),
            ("7", Some(7)),
            ("0", None),
            ("GB", None),
            ("1.5GB", None),
            ("-1", None),
            ("99999999999GB", None),
        ] {
            assert_eq!(parse_size(text), size, "{text}");
        }
    }
}
