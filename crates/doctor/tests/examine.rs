//! Each finding, against an authoritative name server of the test's own.

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use vestnik_doctor::{Check, DkimKey, Dns, Finding, KEYS, Level, Sending, TimeServer, examine, examine_clock};

/// Reads a line such as `example.org MX 10 mail.example.org`.
fn record(line: &str) -> Record {
    let (name, rest) = line.split_once(' ').unwrap();
    let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let name_of = |text: &str| Name::from_ascii(format!("{text}.")).unwrap();
    let name = match name.parse::<IpAddr>() {
        Ok(address) => Name::from(address),
        Err(_) => name_of(name),
    };
    let data = match kind {
        "A" => RData::A(A(value.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(value.parse().unwrap())),
        "MX" => {
            let (preference, host) = value.split_once(' ').unwrap();
            let host = if host == "." { Name::root() } else { name_of(host) };
            RData::MX(MX::new(preference.parse().unwrap(), host))
        }
        "PTR" => RData::PTR(PTR(name_of(value))),
        // Cut as long keys are.
        "TXT" => {
            let pieces: Vec<&[u8]> = if value.is_empty() { vec![b""] } else { value.as_bytes().chunks(100).collect() };
            RData::TXT(TXT::from_bytes(pieces))
        }
        _ => panic!("{line}"),
    };
    Record::from_rdata(name, 60, data)
}

/// Answers for a zone until the test ends. Names below `fails.example` are answered with SERVFAIL.
async fn serve(zone: &[&str]) -> Dns {
    serve_after(zone, Duration::ZERO).await
}

/// The same, each answer after a while.
async fn serve_after(zone: &[&str], delay: Duration) -> Dns {
    let zone: Vec<Record> = zone.iter().map(|line| record(line)).collect();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
            let Ok(asked) = Message::from_vec(&buffer[..length]) else { continue };
            let mut answer = Message::response(asked.metadata.id, OpCode::Query);
            answer.metadata.authoritative = true;
            answer.metadata.recursion_available = true;
            let query = asked.queries[0].clone();
            let name = query.name().to_ascii().to_ascii_lowercase();
            let found = zone
                .iter()
                .filter(|record| record.name.to_ascii() == name && record.record_type() == query.query_type());
            answer.add_answers(found.cloned());
            if name.ends_with("fails.example.") {
                answer.metadata.response_code = ResponseCode::ServFail;
            } else if !zone.iter().any(|record| record.name.to_ascii() == name) {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            answer.add_query(query);
            tokio::time::sleep(delay).await;
            socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
        }
    });
    Dns::at(address).unwrap()
}

fn key() -> DkimKey {
    DkimKey { selector: "vestnik".into(), algorithm: "rsa", public: "MIIB".repeat(100) }
}

fn sending() -> Sending {
    Sending {
        from: "example.org".into(),
        return_domain: Some("bounces.example.org".into()),
        relay: Some("mail.example.org".into()),
        public_host: Some("news.example.org".into()),
        dkim: Some(key()),
    }
}

/// All as it should be.
fn good() -> Vec<String> {
    [
        "example.org MX 10 mail.example.org",
        "bounces.example.org TXT v=spf1 a:mail.example.org -all",
        "bounces.example.org MX 10 news.example.org",
        "_dmarc.example.org TXT v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org",
        "mail.example.org A 198.51.100.1",
        "news.example.org A 198.51.100.2",
        "198.51.100.1 PTR mail.example.org",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([format!("vestnik._domainkey.example.org TXT v=DKIM1; k=rsa; p={}", key().public)])
    .collect()
}

/// The good zone without the records of some names, and with others in their place.
fn with(without: &[&str], others: &[&str]) -> Vec<String> {
    let mut zone = good();
    zone.retain(|line| !without.iter().any(|start| line.starts_with(start)));
    zone.extend(others.iter().map(|line| (*line).to_owned()));
    zone
}

async fn find(zone: &[String], sending: &Sending, check: Check) -> Finding {
    let lines: Vec<&str> = zone.iter().map(String::as_str).collect();
    let dns = serve(&lines).await;
    let found = examine(&dns, sending).await;
    for finding in &found {
        let keys = KEYS.iter().find(|(check, _)| *check == finding.check).unwrap().1;
        assert!(keys.contains(&finding.key), "{finding:?}");
    }
    found.into_iter().find(|finding| finding.check == check).unwrap()
}

async fn expect(check: Check, cases: &[(&[&str], &[&str], Level, &str)]) {
    for (without, others, level, key) in cases {
        let found = find(&with(without, others), &sending(), check).await;
        assert_eq!((found.level, found.key), (*level, *key), "{without:?} {others:?}: {found:?}");
    }
}

#[tokio::test]
async fn all_is_good() {
    let zone = good();
    let lines: Vec<&str> = zone.iter().map(String::as_str).collect();
    let found = examine(&serve(&lines).await, &sending()).await;
    assert!(found.iter().all(|finding| finding.level == Level::Good), "{found:#?}");
    assert_eq!(found.len(), 5);
}

/// Each answer comes just in time, and there are many of them.
#[tokio::test]
async fn slow_name_servers_end_a_check() {
    let lines: Vec<String> =
        (1..10).map(|n| format!("spf{n}.example TXT v=spf1 include:spf{}.example -all", n + 1)).collect();
    let zone = with(&["bounces.example.org TXT"], &["bounces.example.org TXT v=spf1 include:spf1.example -all"]);
    let zone: Vec<&str> = zone.iter().chain(&lines).map(String::as_str).collect();
    let dns = serve_after(&zone, Duration::from_millis(2500)).await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let found = examine(&dns, &sending()).await;
    assert!(began.elapsed() < Duration::from_secs(65), "{:?}", began.elapsed());
    for check in [Check::Spf, Check::Dkim, Check::Dmarc, Check::Mx, Check::Ptr] {
        assert!(found.iter().any(|finding| finding.check == check), "{check:?}");
    }
    let late: Vec<_> = found.iter().filter(|finding| finding.key == "unanswered").collect();
    assert!(late.iter().any(|finding| finding.check == Check::Spf), "{found:#?}");
}

#[tokio::test]
async fn spf() {
    let own = "bounces.example.org TXT";
    expect(
        Check::Spf,
        &[
            (&[own], &[], Level::Bad, "missing"),
            (&[], &["bounces.example.org TXT v=spf1 -all"], Level::Bad, "several"),
            (&[], &["bounces.example.org TXT google-site-verification=x"], Level::Good, "good"),
            (&[own], &["bounces.example.org TXT v=spf1 -all"], Level::Warning, "relay_not_named"),
            (&[own], &["bounces.example.org TXT v=spf1 +all"], Level::Good, "good"),
            (&[own], &["bounces.example.org TXT v=spf1 ip4:198.51.100.0/24 -all"], Level::Good, "good"),
            (&[own], &["bounces.example.org TXT v=spf1 ip4:198.51.100.0/33 -all"], Level::Bad, "broken"),
            (&[own], &["bounces.example.org TXT v=spf1 nonsense -all"], Level::Bad, "broken"),
            (&[own], &["bounces.example.org TXT v=spf1 -a:mail.example.org +all"], Level::Warning, "relay_not_named"),
            (
                &[own, "example.org MX"],
                &["bounces.example.org TXT v=spf1 mx:example.org -all", "example.org MX 10 mail.example.org"],
                Level::Good,
                "good",
            ),
            (
                &[own],
                &[
                    "bounces.example.org TXT v=spf1 include:_spf.example.net -all",
                    "_spf.example.net TXT v=spf1 ip4:198.51.100.1 ~all",
                ],
                Level::Good,
                "good",
            ),
            (&[own], &["bounces.example.org TXT v=spf1 include:_spf.example.net -all"], Level::Bad, "broken"),
            (
                &[own],
                &[
                    "bounces.example.org TXT v=spf1 redirect=_spf.example.net",
                    "_spf.example.net TXT v=spf1 ip4:198.51.100.1 ~all",
                ],
                Level::Good,
                "good",
            ),
            (&[own], &["bounces.example.org TXT v=spf1 include:bounces.example.org -all"], Level::Bad, "many_lookups"),
            (&[own], &["bounces.example.org TXT v=spf1 a:x.fails.example -all"], Level::Warning, "unanswered"),
        ],
    )
    .await;
    let found = find(&with(&[own], &["bounces.example.org TXT v=spf1 mx -all"]), &sending(), Check::Spf).await;
    let record = found.record.unwrap();
    assert_eq!(
        (record.name.as_str(), record.value.as_str()),
        ("bounces.example.org", "v=spf1 mx a:mail.example.org -all")
    );
}

#[tokio::test]
async fn spf_without_an_address_that_others_see() {
    let here = Sending { relay: Some("127.0.0.1".into()), public_host: None, ..sending() };
    let found = find(&good(), &here, Check::Spf).await;
    assert_eq!((found.level, found.key), (Level::Note, "no_address"));
    assert_eq!(find(&good(), &here, Check::Ptr).await.key, "no_address");
    let behind = Sending { relay: Some("127.0.0.1".into()), ..sending() };
    assert_eq!(find(&good(), &behind, Check::Spf).await.key, "relay_not_named");
}

#[tokio::test]
async fn dkim() {
    let own = "vestnik._domainkey";
    let revoked = "vestnik._domainkey.example.org TXT v=DKIM1; p=";
    let testing = format!("vestnik._domainkey.example.org TXT v=DKIM1; t=y; p={}", key().public);
    let spaced = format!(
        "vestnik._domainkey.example.org TXT v=DKIM1; k = rsa; p= {} {}",
        &key().public[..50],
        &key().public[50..]
    );
    expect(
        Check::Dkim,
        &[
            (&[own], &[], Level::Bad, "missing"),
            (&[own], &["vestnik._domainkey.example.org TXT v=DKIM1; k=rsa; p=MIIC"], Level::Bad, "other_key"),
            (&[own], &["vestnik._domainkey.example.org TXT v=DKIM1; k=ed25519; p=MIIB"], Level::Bad, "other_key"),
            (&[own], &[revoked], Level::Bad, "revoked"),
            (&[], &[revoked], Level::Bad, "several"),
            (&[own], &[&testing], Level::Warning, "testing"),
            (&[own], &[&spaced], Level::Good, "good"),
        ],
    )
    .await;
    let found = find(&with(&[own], &[]), &sending(), Check::Dkim).await;
    let record = found.record.unwrap();
    assert_eq!(record.value, format!("v=DKIM1; k=rsa; p={}", key().public));
    assert!(record.zone_line().starts_with("vestnik._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p=MIIB"));
    let unsigned = Sending { dkim: None, ..sending() };
    assert_eq!(find(&good(), &unsigned, Check::Dkim).await.key, "no_key");
}

#[tokio::test]
async fn dmarc() {
    let own = "_dmarc.example.org";
    expect(
        Check::Dmarc,
        &[
            (&[own], &[], Level::Bad, "missing"),
            (&[own], &["_dmarc.example.org TXT v=DMARC1; p=none"], Level::Note, "none_policy"),
            (&[own], &["_dmarc.example.org TXT v=DMARC1; p=everything"], Level::Bad, "broken"),
            (&[own], &["_dmarc.example.org TXT v=DMARC1; nonsense"], Level::Bad, "broken"),
            (&[], &["_dmarc.example.org TXT v=DMARC1; p=none"], Level::Bad, "several"),
        ],
    )
    .await;
    let below = Sending { from: "news.example.org".into(), dkim: None, ..sending() };
    assert_eq!(find(&good(), &below, Check::Dmarc).await.key, "good");
    let unsigned = Sending { dkim: None, return_domain: Some("bounces.provider.example".into()), ..sending() };
    let found = find(&good(), &unsigned, Check::Dmarc).await;
    assert_eq!((found.level, found.key), (Level::Bad, "not_aligned"));
    let strict = with(&[own], &["_dmarc.example.org TXT v=DMARC1; p=reject; aspf=s"]);
    let unsigned = Sending { dkim: None, ..sending() };
    assert_eq!(find(&strict, &unsigned, Check::Dmarc).await.key, "not_aligned");
    assert_eq!(find(&strict, &sending(), Check::Dmarc).await.key, "good");
}

#[tokio::test]
async fn mx() {
    let own = "bounces.example.org MX";
    expect(
        Check::Mx,
        &[
            (&[own], &[], Level::Bad, "missing"),
            (&[own], &["bounces.example.org MX 0 ."], Level::Bad, "null"),
            (&[own], &["bounces.example.org MX 10 nowhere.example"], Level::Bad, "no_address"),
            (&[own], &["bounces.example.org MX 10 mail.example.org"], Level::Note, "elsewhere"),
            (
                &[own],
                &["bounces.example.org MX 20 mail.example.org", "bounces.example.org MX 10 news.example.org"],
                Level::Good,
                "good",
            ),
        ],
    )
    .await;
    let found = find(&with(&[own], &[]), &sending(), Check::Mx).await;
    assert_eq!(found.record.unwrap().zone_line(), "bounces.example.org. IN MX 10 news.example.org.");
    let lines = with(&["example.org MX"], &[]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = examine(&serve(&lines).await, &sending()).await;
    assert!(found.iter().any(|finding| finding.key == "from_unreachable"), "{found:#?}");
    let without = Sending { return_domain: None, ..sending() };
    assert_eq!(find(&good(), &without, Check::Mx).await.key, "no_domain");
}

#[tokio::test]
async fn ptr() {
    let own = "198.51.100.1 PTR";
    expect(
        Check::Ptr,
        &[
            (&[own], &[], Level::Warning, "missing"),
            (&[own], &["198.51.100.1 PTR news.example.org"], Level::Warning, "other_address"),
            (&[own], &["198.51.100.1 PTR news.example.org", "198.51.100.1 PTR mail.example.org"], Level::Good, "good"),
        ],
    )
    .await;
}

/// A time server that is so many milliseconds ahead of `now`, and whose answers are bent by `bend`.
async fn time_server(now: i64, bend: fn(&mut [u8])) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 48];
        let (_, peer) = socket.recv_from(&mut buffer).await.unwrap();
        let mut answer = [0_u8; 48];
        answer[0] = 0b00_100_100;
        answer[1] = 2;
        answer[24..32].copy_from_slice(&buffer[40..48]);
        let seconds = u32::try_from(now / 1000 + 2_208_988_800).unwrap();
        for at in [32, 40] {
            answer[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
        }
        bend(&mut answer);
        socket.send_to(&answer, peer).await.unwrap();
    });
    address
}

/// Their time, what is done to the answer, and what is found.
type Case = (i64, fn(&mut [u8]), Level, &'static str);

#[tokio::test]
async fn the_clock() {
    const NOW: i64 = 1_796_000_000_000;
    let cases: [Case; 6] = [
        (NOW, |_| {}, Level::Good, "good"),
        (NOW + 10_000, |_| {}, Level::Warning, "off"),
        (NOW - 3_600_000, |_| {}, Level::Bad, "off"),
        (NOW, |answer| answer[24] ^= 1, Level::Note, "unanswered"),
        (NOW, |answer| answer[1] = 0, Level::Note, "unanswered"),
        (NOW, |answer| answer[0] = 0b00_100_011, Level::Note, "unanswered"),
    ];
    for (theirs, bend, level, key) in cases {
        let dns = serve(&["time.example A 127.0.0.1"]).await;
        let server = TimeServer { host: "time.example".into(), port: time_server(theirs, bend).await.port() };
        let found = examine_clock(&dns, &server, || NOW).await;
        assert_eq!((found.level, found.key), (level, key), "{theirs}: {found:?}");
    }
    let dns = serve(&[]).await;
    let server = TimeServer { host: "nowhere.example".into(), port: 1 };
    assert_eq!(examine_clock(&dns, &server, || NOW).await.key, "unanswered");
}
