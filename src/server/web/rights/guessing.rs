//! Guessing passwords, and what log-ins cost.

use super::rule::Who;
use super::try_out::encoded;
use super::world::{PASSWORD, World};
use crate::server::db::Db;
use crate::server::db::testing::on_both;
use crate::server::web::testing::Answer;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// A log-in as it comes through a proxy, from that address, with the browser's cookie.
async fn enter(world: &World, email: &str, password: &str, from: &str, cookie: &str) -> Answer {
    let form = encoded(&format!("form[email]={email}&form[password]={password}&form[next]="));
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "application/json"),
        ("X-Forwarded-For", from),
        ("Cookie", cookie),
    ];
    world.served.send("POST", "/api/login", &headers, form.as_bytes()).await
}

async fn log_in(world: &World, email: &str, password: &str, from: &str) -> u16 {
    enter(world, email, password, from, "").await.status
}

/// Makes 1000 guesses, one a second, from so many addresses; returns how many passwords were looked at.
async fn guess(world: &World, email: &str, addresses: usize) -> usize {
    let mut looked_at = 0;
    for n in 0..1000 {
        let from = format!("192.0.2.{}", n % addresses);
        match log_in(world, email, "not the password", &from).await {
            422 => looked_at += 1,
            status => assert_eq!(status, 429),
        }
        world.clock.advance(TimeDelta::seconds(1));
    }
    looked_at
}

async fn guesses_are_slowed_down_and_the_owner_gets_in(db: Db) {
    let world = World::behind_a_proxy(db).await;
    for addresses in [1, 100] {
        let owner = world.person(Who::User, "{reset}").await;
        let email = &owner.things["email"];
        let before = enter(&world, email, PASSWORD, "198.51.100.1", "").await;
        let device = before.cookies().into_iter().find(|cookie| cookie.starts_with("vestnik-device=")).unwrap();
        let device = device.split(';').next().unwrap();
        let looked_at = guess(&world, email, addresses).await;
        println!("1000 guesses in 1000 s from {addresses} addresses: {looked_at} passwords were looked at");
        // Of one network five are free, and eight waits that double from 5 s fit into the time; of all together 200.
        assert!(looked_at <= if addresses == 1 { 13 } else { 208 }, "{looked_at}");
        assert_eq!(log_in(&world, email, PASSWORD, "192.0.2.0").await, 429, "there even the right one has to wait");
        assert_eq!(enter(&world, email, PASSWORD, "192.0.2.0", device).await.status, 200, "but for a known browser");
        let elsewhere = log_in(&world, email, PASSWORD, "198.51.100.7").await;
        assert_eq!(elsewhere, if addresses == 1 { 200 } else { 429 }, "an unknown browser elsewhere");
        // A letter lets the owner in at once, whoever guesses.
        let form = encoded(&format!("form[token]={}&form[password]=a new long password", owner.things["reset"]));
        assert_eq!(world.served.post("/api/reset", "", &form).await.status, 200);
        assert_eq!(log_in(&world, email, "a new long password", "198.51.100.7").await, 200);
    }
}

on_both!(guesses_are_slowed_down_and_the_owner_gets_in);

/// What the process holds at the most since the last reset, and now, in MiB (proc(5)).
fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    };
    (of("VmHWM:"), of("VmRSS:"))
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

/// Prints how long a log-in takes for an address that has an account and for one that has none, and how often
/// the first takes longer: half of the time, where nobody can tell them apart. Then 100 at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, for a quiet machine: make measure"]
async fn what_a_log_in_tells_and_costs() {
    const TIMES: usize = 300;
    let (db, _folder) = crate::server::db::testing::sqlite().await;
    let world = World::behind_a_proxy(db).await;
    let known = world.person(Who::User, "").await.things["email"].clone();
    let mut times: [Vec<Duration>; 2] = Default::default();
    for n in 0..TIMES {
        for (kind, email) in [&known, "nobody@example.org"].into_iter().enumerate() {
            world.forget_tries().await;
            let begin = Instant::now();
            let status = log_in(&world, email, "not the password", "192.0.2.1").await;
            // The first ones also make the decoy and warm everything up.
            if n > 5 {
                times[kind].push(begin.elapsed());
            }
            assert_eq!(status, 422);
        }
    }
    let longer = times[0].iter().zip(&times[1]).filter(|(known, unknown)| known > unknown).count();
    let share = longer * 100 / times[0].len();
    for (name, times) in ["known", "unknown"].iter().zip(&mut times) {
        times.sort();
        let [p5, p50, p95] = [5, 50, 95].map(|percent| percentile(times, percent));
        println!("log-in, {name} address, ms: 5 % {p5:.1}, median {p50:.1}, 95 % {p95:.1}");
    }
    println!("the known one took longer in {share} % of {} pairs", times[0].len());

    world.forget_tries().await;
    let email = &known;
    // Peaks are counted from here on (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory().1;
    let froms: Vec<String> = (0..100).map(|n| format!("198.51.100.{n}")).collect();
    let begin = Instant::now();
    let all = futures::future::join_all(froms.iter().enumerate().map(async |(n, from)| {
        let unknown = format!("nobody{n}@example.org");
        log_in(&world, if n == 0 { email } else { &unknown }, PASSWORD, from).await
    }));
    let answers = all.await;
    let took = begin.elapsed();
    assert_eq!(answers.iter().filter(|status| **status < 500).count(), 100, "{answers:?}");
    let peak = memory().0 - before;
    println!("100 log-ins at once: {took:.1?}, {peak:.0} MiB more at the peak (a hash holds 19 MiB)");
    assert!(peak < 200.0, "hashes are made a few at a time: {peak} MiB");
}
