use super::*;
use crate::server::db::testing;

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

#[test]
fn waits_double_up_to_the_longest_and_are_forgotten_after_a_day() {
    let rule = Act::LogIn.rule();
    let mut known = Throttle { tries: 0, blocked_until: noon(), updated_at: noon() };
    let mut now = noon();
    let mut waits = Vec::new();
    for _ in 0..16 {
        known = judge(&known, rule, now).unwrap();
        waits.push((known.blocked_until - now).num_seconds());
        if known.blocked_until > now {
            assert_eq!(judge(&known, rule, known.blocked_until - TimeDelta::seconds(1)), Err(known.blocked_until));
        }
        now = known.blocked_until;
    }
    assert_eq!(waits, [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]);
    let long = Throttle { tries: 1_000_000, ..known };
    assert_eq!(judge(&long, rule, now).unwrap().blocked_until - now, TimeDelta::minutes(15));
    assert_eq!(judge(&long, rule, now + REMEMBER + TimeDelta::seconds(1)).unwrap().tries, 1);
}

#[test]
fn addresses_count_by_network() {
    let key = |peer: &str| Key::peer(Act::LogInFrom, peer.parse().unwrap());
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2:ffff::1"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
}

#[test]
fn tries_are_those_of_one_network_or_one_browser() {
    let of = |peer: &str, device| tries(Act::LogIn, "anna@example.org", peer.parse().unwrap(), device);
    let (one, other) = (of("192.0.2.1", None), of("192.0.2.2", None));
    assert!(one[0] != other[0] && one[1] == other[1], "each network for itself, and all together");
    assert_eq!(of("2001:db8:1:2::1", None), of("2001:db8:1:2:ffff::1", None));
    assert_eq!(of("192.0.2.1", Some("a")), of("192.0.2.2", Some("a")));
    assert_eq!(of("192.0.2.1", Some("a")).len(), 1, "what others try elsewhere makes it wait for nothing");
    assert_ne!(of("192.0.2.1", Some("a")), of("192.0.2.1", Some("b")));
}

async fn counts_in_the_database(db: Db) {
    let account = || Key::pair(Act::LogIn, "anna@example.org", "a network");
    let peer = |n: u8| Key::peer(Act::LogInFrom, IpAddr::from([192, 0, 2, n]));
    // Fifty guesses at once, each from an address of its own: five get through.
    let guesses = (0..50).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { take(&db, &[account(), peer(n)], noon()).await })
    });
    let mut passed = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            Ok(()) => passed += 1,
            Err(Error::RateLimited) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(passed, 6, "five are free, the sixth blocks those after it");
    // Who has waited may try again; success makes all as new.
    let later = noon() + TimeDelta::seconds(6);
    take(&db, &[account()], later).await.unwrap();
    assert!(matches!(take(&db, &[account()], later).await, Err(Error::RateLimited)));
    let mut tx = db.begin().await.unwrap();
    succeeded(&mut tx, &[account()]).await.unwrap();
    tx.commit().await.unwrap();
    take(&db, &[account()], later).await.unwrap();
    // An address gets its try back.
    for _ in 0..100 {
        take(&db, &[peer(200)], noon()).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        succeeded(&mut tx, &[peer(200)]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = db.begin().await.unwrap();
    throttles::forget_old(&mut tx, noon() + TimeDelta::days(2)).await.unwrap();
    tx.commit().await.unwrap();
}

testing::on_both!(counts_in_the_database);
