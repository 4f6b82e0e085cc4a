//! The long forms, behind `make soak`; docs/soak.md has their results.

use crate::support::{Process, World, get, until};
use std::process::Command;
use std::time::{Duration, Instant};

const CONNECTIONS: u32 = 5;

/// What must hold when all is over, for each address.
fn agrees(world: &World, mailing: &str, policy: &str, killed: usize, what: &str) {
    let (states, ledger) = (world.states(mailing), world.ledger());
    let (arrived, twice) = (ledger.len(), world.duplicates());
    println!(
        "{what}, {policy}, sqlite: {}: {killed} kills, {arrived} arrived, {twice} twice, {states:?}",
        world.is_sqlite()
    );
    for delivery in world.json(&["mailing", "deliveries", mailing]).as_array().unwrap() {
        match delivery["state"].as_str().unwrap() {
            "sent" => assert!(ledger.contains_key(delivery["email"].as_str().unwrap()), "missing: {delivery}"),
            // A letter that was in doubt three times waits for somebody's word whatever the policy.
            "unknown" => assert!(policy == "hold" || delivery["attempts"].as_array().unwrap().len() >= 3, "{delivery}"),
            _ => panic!("it is neither sent nor in doubt: {delivery}"),
        }
    }
    assert!(twice <= if policy == "hold" { 0 } else { killed * CONNECTIONS as usize });
}

/// Kills at the n-th of these system calls, for n = 1, 1 + step and so on, until all is sent.
fn killed_at_each(mut world: World, calls: &str, policy: &str, step: usize) {
    world.mail(CONNECTIONS, "");
    let mailing = world.mailing(300, policy);
    let mut killed = 0;
    for n in (1..).step_by(step) {
        let inject = format!("inject={calls}:signal=KILL:when={n}");
        let trace = format!("trace={calls}");
        let mut worker =
            world.under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject], &["work"]);
        until("it is done or dead", || !worker.is_running() || world.show(&mailing).0 == "finished");
        killed += usize::from(!worker.is_running());
        if world.show(&mailing).0 == "finished" {
            break;
        }
    }
    agrees(&world, &mailing, policy, killed, &format!("killed at each {calls}"));
}

#[test]
#[ignore = "long: make soak"]
fn at_each_commit_and_socket_write() {
    for policy in ["resend", "hold"] {
        killed_at_each(World::sqlite(), "fdatasync,fsync", policy, 1);
        killed_at_each(World::sqlite(), "sendto,writev", policy, 1);
        // Frames of the journal, notes, and the tables.
        killed_at_each(World::sqlite(), "pwrite64", policy, 3);
        // Hundreds of writes to the database come before a life's first letter.
        killed_at_each(World::postgres(), "sendto,writev", policy, 10);
    }
}

#[test]
#[ignore = "long: make soak"]
fn two_hundred_times_at_random() {
    for policy in ["resend", "hold"] {
        for mut world in [World::sqlite(), World::postgres()] {
            world.mail(CONNECTIONS, "*@* dot delay 5ms");
            let mailing = world.mailing(20_000, policy);
            let mut killed = 0;
            while killed < 100 && world.show(&mailing).0 != "finished" {
                let mut worker = world.work();
                let before = world.accepted();
                until("it sends", || world.accepted() > before || world.show(&mailing).0 == "finished");
                std::thread::sleep(Duration::from_millis(rand::random_range(0..400)));
                worker.signal("KILL");
                worker.end();
                killed += 1;
            }
            let _worker = world.work();
            until("all is done", || world.show(&mailing).0 == "finished");
            agrees(&world, &mailing, policy, killed, "at random");
        }
    }
}

#[test]
#[ignore = "long: make soak"]
fn three_processes_one_killed_every_ten_seconds() {
    let mut world = World::postgres();
    world.set("VESTNIK_TAKEOVER", "5s");
    world.mail(CONNECTIONS, "*@* dot delay 5ms");
    let mailing = world.mailing(100_000, "resend");
    let mut workers: Vec<Process> = (0..3).map(|_| world.work()).collect();
    let (mut killed, mut last) = (0, Instant::now());
    until("all is done", || {
        if last.elapsed() > Duration::from_secs(10) {
            let mut worker = workers.remove(0);
            worker.signal("KILL");
            worker.end();
            workers.push(world.work());
            killed += 1;
            last = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(500));
        world.show(&mailing).0 == "finished"
    });
    agrees(&world, &mailing, "resend", killed, "three processes");
}

#[test]
#[ignore = "long: make soak"]
fn locked_for_a_minute() {
    let mut world = World::sqlite();
    world.set("VESTNIK_TAKEOVER", "6s");
    world.mail(CONNECTIONS, "*@* dot delay 5ms");
    let mailing = world.mailing(20_000, "resend");
    let (_service, addr) = world.serve();
    until("some letters are out", || world.accepted() > 100);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", world.path("test.db").display());
    runtime.block_on(async {
        use sqlx::{Connection, Executor};
        let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
        other.execute("BEGIN EXCLUSIVE").await.unwrap();
        let (since, mut said) = (Instant::now(), false);
        while since.elapsed() < Duration::from_secs(60) {
            said |= get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 503);
            std::thread::sleep(Duration::from_secs(1));
        }
        assert!(said, "/readyz says nothing");
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
    });
    until("all is done", || world.show(&mailing).0 == "finished");
    agrees(&world, &mailing, "resend", 0, "locked for a minute");
}

#[test]
#[ignore = "long: make soak"]
fn every_fault_at_random_to_fifty_thousand() {
    crate::faults::mixed(World::sqlite(), 50_000, "resend");
    crate::faults::mixed(World::postgres(), 50_000, "hold");
}

/// PostgreSQL dies in mid-send and comes back without what nobody had waited for; the process goes on.
#[test]
#[ignore = "long, needs root: make soak"]
fn postgres_killed_ten_times() {
    for policy in ["resend", "hold"] {
        let (mut world, ctl) = World::own_postgres();
        world.mail(CONNECTIONS, "*@* dot delay 5ms");
        let mailing = world.mailing(10_000, policy);
        let mut worker = world.work();
        for n in 1..=10 {
            until("more letters are out", || world.accepted() > n * 900);
            ctl(&["-m", "immediate", "stop"]);
            worker.says("the record cannot be written");
            ctl(&["start"]);
        }
        until("all is done", || world.show(&mailing).0 == "finished");
        worker.signal("TERM");
        assert!(worker.end().success());
        agrees(&world, &mailing, policy, 0, "PostgreSQL killed");
        ctl(&["stop"]);
    }
}

/// The disk gives errors for some time, whatever is to be made durable.
#[test]
#[ignore = "long: make soak"]
fn errors_of_the_disk() {
    let mut world = World::sqlite();
    world.mail(CONNECTIONS, "*@* dot delay 5ms");
    let mailing = world.mailing(1000, "resend");
    let calls = "fdatasync,fsync,pwrite64";
    // Calls are counted by thread, and a connection that is replaced has a new one: what opens the run has to need
    // fewer. Each try costs one call, and five seconds in the end.
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:error=EIO:when=300..308"));
    let mut worker = world.under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject], &["work"]);
    worker.says("cannot be");
    until("all is done", || world.show(&mailing).0 == "finished");
    agrees(&world, &mailing, "resend", 0, "errors of the disk");
}

/// The database on a small disk of its own that something else fills.
#[test]
#[ignore = "long, needs root: make soak"]
fn disk_full_for_a_while() {
    let mut world = World::sqlite();
    let disk = world.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(&disk).status().unwrap();
    assert!(mounted.success(), "a small disk needs the right to mount it");
    let _disk = Mounted(disk.clone());
    world.set("VESTNIK_DATABASE_URL", &format!("sqlite:{}", disk.join("test.db").display()));
    world.mail(CONNECTIONS, "*@* dot delay 5ms");
    let mailing = world.mailing(20_000, "resend");
    let (mut worker, addr) = world.serve();
    until("some letters are out", || world.accepted() > 100);
    let filler = disk.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    worker.says("cannot");
    until("it is not ready", || {
        get(&addr, "/readyz", &[]).is_ok_and(|(status, why)| status == 503 && why.contains("the disk is full"))
    });
    std::thread::sleep(Duration::from_secs(10));
    drop(file);
    std::fs::remove_file(filler).unwrap();
    until("it is ready again", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 200));
    until("all is done", || world.show(&mailing).0 == "finished");
    worker.signal("TERM");
    assert!(worker.end().success());
    agrees(&world, &mailing, "resend", 0, "disk full");
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
