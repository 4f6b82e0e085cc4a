//! How a PostgreSQL server is reached: its address, with TLS as libpq names it, and what is said when it cannot be.

use super::{DbError, DbResult};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// How long a connection may take, all of its log-in included.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
/// In place of a file: the machine's own authorities.
const SYSTEM: &str = "system";

/// Reads a `postgres:` address.
///
/// As libpq does, and sqlx does not, it takes `sslrootcert=system`, which needs `sslmode=verify-full`, and checks the
/// certificate where an authority is named, also with `sslmode=require`.
///
/// # Errors
/// [`DbError::Address`] if it is none, or a file that it names cannot be read.
pub fn options(url: &str) -> DbResult<PgConnectOptions> {
    let mut address = Url::parse(url).map_err(|error| DbError::Address(error.to_string()))?;
    let words: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let find = |names: &[&str]| words.iter().rev().find(|(name, _)| names.contains(&&**name)).map(|(_, value)| value);
    let root =
        find(&["sslrootcert", "ssl-root-cert", "ssl-ca"]).cloned().or_else(|| std::env::var("PGSSLROOTCERT").ok());
    let is_system = root.as_deref() == Some(SYSTEM);
    for (name, file) in [
        ("sslrootcert", root.as_ref().filter(|_| !is_system)),
        ("sslcert", find(&["sslcert", "ssl-cert"])),
        ("sslkey", find(&["sslkey", "ssl-key"])),
    ] {
        if let Some(file) = file {
            std::fs::File::open(Path::new(file))
                .map_err(|error| DbError::Address(format!("{name}: {file}: {error}")))?;
        }
    }
    if is_system {
        let others = words.iter().filter(|(_, value)| value != SYSTEM);
        address.query_pairs_mut().clear().extend_pairs(others);
        if find(&["sslmode", "ssl-mode"]).is_none() {
            address.query_pairs_mut().append_pair("sslmode", "verify-full");
        }
    }
    let options = PgConnectOptions::from_str(address.as_str()).map_err(|error| DbError::Address(cause(&error)))?;
    match options.get_ssl_mode() {
        mode if is_system && !matches!(mode, PgSslMode::VerifyFull) => {
            Err(DbError::Address("sslrootcert=system needs sslmode=verify-full".to_owned()))
        }
        PgSslMode::Require if root.is_some() => Ok(options.ssl_mode(PgSslMode::VerifyCa)),
        _ => Ok(options),
    }
}

/// Connects once, so that what is wrong is known by its reason: a pool would try again and again, and then say that no
/// connection came free.
///
/// # Errors
/// [`DbError::Connect`] names the server and the cause, within five seconds.
pub async fn probe(options: &PgConnectOptions) -> DbResult<()> {
    let connect = async { PgConnection::connect_with(options).await?.close().await };
    let error = match tokio::time::timeout(CONNECT_WITHIN, connect).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(_) => std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time").into(),
    };
    let server = match options.get_socket() {
        Some(socket) => format!("{}, port {}", socket.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    Err(DbError::Connect { server, error })
}

/// What was wrong, without what sqlx says around it.
pub fn cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) | sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;

    fn mode(words: &str) -> Result<PgSslMode, String> {
        options(&format!("postgres://anna@db.example.org/vestnik{words}"))
            .map(|options| options.get_ssl_mode())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn tls_is_what_libpq_calls_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        std::fs::write(&root, "").unwrap();
        let root = root.display();
        assert!(matches!(mode("?sslmode=require"), Ok(PgSslMode::Require)));
        assert!(matches!(mode("?sslmode=verify-full"), Ok(PgSslMode::VerifyFull)));
        assert!(matches!(mode(&format!("?sslmode=require&sslrootcert={root}")), Ok(PgSslMode::VerifyCa)));
        assert!(matches!(mode(&format!("?sslmode=verify-full&sslrootcert={root}")), Ok(PgSslMode::VerifyFull)));
        assert!(matches!(mode("?sslrootcert=system"), Ok(PgSslMode::VerifyFull)));
        assert!(mode("?sslrootcert=system&sslmode=require").unwrap_err().contains("verify-full"));
        for name in ["sslrootcert", "sslcert", "sslkey"] {
            let error = mode(&format!("?{name}={root}.gone")).unwrap_err();
            assert!(error.contains(name) && error.contains("No such file"), "{error}");
        }
        assert!(mode("?sslmode=quite").unwrap_err().contains("quite"));
    }

    #[tokio::test]
    async fn who_cannot_be_reached_is_named_with_the_cause() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = options(&format!("postgres://anna:secret@{free}/vestnik")).unwrap();
        let error = probe(&options).await.unwrap_err();
        assert!(error.is_away());
        let text = error.to_string();
        assert!(text.contains(&free.to_string()) && text.contains("refused") && !text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        // It accepts, and that is all.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = options(&format!("postgres://anna@{}/vestnik", silent.local_addr().unwrap())).unwrap();
        let began = Instant::now();
        let error = probe(&options).await.unwrap_err();
        assert!(error.is_away() && error.to_string().contains("no answer in time"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn who_is_refused_need_not_wait() {
        let url = std::env::var("VESTNIK_TEST_POSTGRES_URL").expect("a server for tests");
        let mut address = Url::parse(&url).unwrap();
        address.set_path("nowhere");
        let error = probe(&options(address.as_str()).unwrap()).await.unwrap_err();
        assert!(!error.is_away() && error.to_string().contains("\"nowhere\" does not exist"), "{error}");
        let mut address = Url::parse(&url).unwrap();
        address.set_password(Some("not this one")).unwrap();
        let error = probe(&options(address.as_str()).unwrap()).await.unwrap_err();
        assert!(!error.is_away() && error.to_string().contains("password authentication failed"), "{error}");
    }
}
