//! A database on another machine: it may come later than Vestnik, and talk TLS alone.

use crate::outage::Way;
use crate::support::{World, get, until};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use url::Url;

/// A parameter of a database's address, and its value.
type Parameter<'a> = (&'a str, &'a str);

/// Changes the database's address.
fn readdress(world: &mut World, change: impl FnOnce(&mut Url)) {
    let mut url = Url::parse(&world.setting("VESTNIK_DATABASE_URL")).unwrap();
    change(&mut url);
    world.set("VESTNIK_DATABASE_URL", url.as_str());
}

/// What `migrate` says when it fails, which it must do at once.
fn refused(world: &World) -> String {
    let began = Instant::now();
    let output = world.run(&["migrate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(began.elapsed() < Duration::from_secs(5), "{said}");
    assert!(said.contains("VESTNIK_DATABASE_URL"), "{said}");
    said
}

#[test]
fn what_starts_before_its_database_waits_for_it() {
    let mut world = World::postgres();
    world.mail(1, "");
    let server = Url::parse(&world.setting("VESTNIK_DATABASE_URL")).unwrap();
    let server = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    readdress(&mut world, |url| {
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
    });
    let said = refused(&world);
    assert!(said.contains(&format!("127.0.0.1:{port}: Connection refused")), "{said}");
    let mut worker = world.work();
    let mut service = world.start_service();
    for process in [&mut worker, &mut service] {
        for _ in 0..2 {
            process.says(&format!("waiting for the database: PostgreSQL at 127.0.0.1:{port}: Connection refused"));
        }
    }
    // Whoever waits can be stopped.
    worker.signal("TERM");
    assert!(worker.end().success());
    let _way = Way::from(TcpListener::bind(("127.0.0.1", port)).unwrap(), server);
    let line = service.says("listens on http://");
    let addr = line.rsplit("http://").next().unwrap().trim().to_owned();
    until("it is ready", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 200));
    service.signal("TERM");
    assert!(service.end().success());
}

#[test]
fn what_does_not_come_is_given_up() {
    let mut world = World::postgres();
    world.set("VESTNIK_DATABASE_WAIT", "1s");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    readdress(&mut world, |url| url.set_port(Some(port)).unwrap());
    let mut service = world.start_service();
    assert_eq!(service.end().code(), Some(1));
    assert!(service.words().contains("VESTNIK_DATABASE_URL: PostgreSQL at "));
}

#[test]
fn who_is_not_let_in_need_not_wait() {
    for (what, said) in [("password", "password authentication failed"), ("name", "does not exist")] {
        let mut world = World::postgres();
        readdress(&mut world, |url| match what {
            "password" => url.set_password(Some("not this one")).unwrap(),
            _ => url.set_path("nowhere"),
        });
        let mut service = world.start_service();
        assert_eq!(service.end().code(), Some(1));
        let words = service.words();
        assert!(words.contains("VESTNIK_DATABASE_URL: PostgreSQL at ") && words.contains(said), "{words}");
        assert!(!words.contains("waiting for the database"), "{words}");
    }
}

/// Signs certificates, and is known by a file of its own.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(file: PathBuf) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, file.file_stem().unwrap().to_str().unwrap());
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// Writes certificate and key of somebody into a folder, as `NAME.crt` and `NAME.key`.
    fn certify(&self, folder: &Path, name: &str, addresses: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = addresses.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
        let file = folder.join(format!("{name}.key"));
        std::fs::write(&file, key.serialize_pem()).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_server_that_takes_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path().join("ours.pem"));
    let another = Authority::new(folder.path().join("another.pem"));
    ours.certify(folder.path(), "anna", &[]);
    let (mut world, ctl) = World::own_postgres_with(|data| {
        ours.certify(data, "server", &["127.0.0.1"]);
        std::fs::copy(&ours.file, data.join("clients.crt")).unwrap();
        let conf = "ssl = on\nssl_ca_file = 'clients.crt'\n";
        let conf = std::fs::read_to_string(data.join("postgresql.conf")).unwrap() + conf;
        std::fs::write(data.join("postgresql.conf"), conf).unwrap();
        let rules = "hostssl all vestnik 127.0.0.1/32 trust\nhostssl all anna 127.0.0.1/32 cert\n";
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
    });
    let (root, stranger) = (ours.file.display().to_string(), another.file.display().to_string());
    let address = Url::parse(&world.setting("VESTNIK_DATABASE_URL")).unwrap();
    let mut with = |words: &[(&str, &str)], change: &dyn Fn(&mut Url)| {
        let mut url = address.clone();
        if !words.is_empty() {
            url.query_pairs_mut().extend_pairs(words);
        }
        change(&mut url);
        world.set("VESTNIK_DATABASE_URL", url.as_str());
        let output = world.run(&["migrate"]);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let works: [&[Parameter<'_>]; 5] = [
        &[],
        &[("sslmode", "require")],
        &[("sslmode", "require"), ("sslrootcert", &root)],
        &[("sslmode", "verify-ca"), ("sslrootcert", &root)],
        &[("sslmode", "verify-full"), ("sslrootcert", &root)],
    ];
    for words in works {
        let (done, said) = with(words, &|_| {});
        assert!(done, "{words:?}: {said}");
    }
    let fails: [(&[Parameter<'_>], &str, &str); 5] = [
        (&[("sslmode", "disable")], "127.0.0.1", "no encryption"),
        (&[("sslmode", "require"), ("sslrootcert", &stranger)], "127.0.0.1", "certificate"),
        (&[("sslmode", "verify-full"), ("sslrootcert", &stranger)], "127.0.0.1", "certificate"),
        (&[("sslmode", "verify-full")], "127.0.0.1", "certificate"),
        (&[("sslmode", "verify-full"), ("sslrootcert", &root)], "localhost", "not valid for name"),
    ];
    for (words, host, reason) in fails {
        let (done, said) = with(words, &|url| url.set_host(Some(host)).unwrap());
        assert!(!done && said.contains("VESTNIK_DATABASE_URL: ") && said.contains(reason), "{words:?}: {said}");
    }
    // Who is known by a certificate.
    let anna = |url: &mut Url| url.set_username("anna").unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (crt, key) = (file("anna.crt"), file("anna.key"));
    let (done, said) = with(&[("sslmode", "require")], &anna);
    assert!(!done && said.contains("client certificate"), "{said}");
    let (done, said) = with(&[("sslmode", "verify-full"), ("sslrootcert", &root), ("sslcert", &crt)], &anna);
    assert!(!done && said.contains("together"), "{said}");
    // PostgreSQL knows no such role, and says so to who got through TLS.
    let (done, said) =
        with(&[("sslmode", "verify-full"), ("sslrootcert", &root), ("sslcert", &crt), ("sslkey", &key)], &anna);
    assert!(!done && said.contains("role \"anna\" does not exist"), "{said}");
    // A wrong certificate is no outage to be waited for.
    let mut url = address.clone();
    url.query_pairs_mut().extend_pairs([("sslmode", "verify-full"), ("sslrootcert", &stranger)]);
    world.set("VESTNIK_DATABASE_URL", url.as_str());
    let mut service = world.start_service();
    assert_eq!(service.end().code(), Some(1));
    let words = service.words();
    assert!(words.contains("certificate") && !words.contains("waiting for the database"), "{words}");
    ctl(&["stop"]);
}
