//! What must not stop the service: a log that cannot be written, a panic in any of its tasks, few files. And what must:
//! a task that ends again and again, another name of the database's file.

use crate::support::{Process, World, get, on_both, until};
use std::io::{PipeReader, Read, pipe};
use std::net::TcpStream;
use std::process::Stdio;

/// Everybody gets a letter, once, whatever becomes of the log, and a signal ends the process in order.
fn sends_all(world: &World, mailing: &str, mut worker: Process) {
    until("all have got it", || world.show(mailing).0 == "finished");
    assert_eq!((world.states(mailing)["sent"], world.ledger().len(), world.duplicates()), (200, 200, 0));
    worker.signal("TERM");
    assert_eq!(worker.end().code(), Some(0));
}

/// A process that says a lot, to a pipe of ours.
fn talks(world: &mut World) -> (String, Process, PipeReader) {
    world.set("VESTNIK_LOG", "trace");
    world.mail(5, "*@* dot delay 5ms");
    let mailing = world.mailing(200, "resend");
    let (reader, writer) = pipe().unwrap();
    let worker = world.start_quietly(&["work"], writer.into());
    (mailing, worker, reader)
}

fn a_log_whose_reader_goes_stops_nothing(mut world: World) {
    let (mailing, worker, mut reader) = talks(&mut world);
    let mut some = [0; 4096];
    while world.accepted() < 20 {
        reader.read_exact(&mut some).unwrap();
    }
    drop(reader);
    sends_all(&world, &mailing, worker);
}

fn a_log_that_nobody_reads_stops_nothing(mut world: World) {
    let (mailing, worker, _reader) = talks(&mut world);
    sends_all(&world, &mailing, worker);
}

fn a_log_on_a_full_disk_stops_nothing(mut world: World) {
    world.mail(5, "*@* dot delay 5ms");
    let mailing = world.mailing(200, "resend");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let worker = world.start_quietly(&["work"], full.into());
    sends_all(&world, &mailing, worker);
}

/// A command's reader who goes wants no more; a disk that is full is a failure.
#[test]
fn commands_bear_a_reader_who_goes() {
    let mut world = World::sqlite();
    world.mail(5, "");
    let mailing = world.mailing(3, "resend");
    for words in [&["send", "--json"][..], &["mailing", "deliveries", &mailing], &["relay", "list"]] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        assert!(world.run_to(words, writer.into()).success(), "{words:?}");
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        assert_eq!(world.run_to(words, Stdio::from(full)).code(), Some(1), "{words:?}");
    }
    assert_eq!((world.ledger().len(), world.duplicates()), (3, 0));
}

/// Each task ends by a panic once: it is started anew, nothing is lost or sent twice, and /readyz tells.
fn lives_on(mut world: World, panics: &[&str], failed: i64) {
    world.mail(5, "*@* dot delay 5ms");
    let mailing = world.mailing(200, "resend");
    world.set("VESTNIK_PANIC", &panics.join(","));
    let (mut service, addr) = world.serve();
    let mut down = Vec::new();
    until("all is done", || {
        if let Ok((503, reasons)) = get(&addr, "/readyz", &[]) {
            down.push(reasons);
        }
        world.show(&mailing).0 == "finished"
    });
    let states = world.states(&mailing);
    assert_eq!((states["sent"], states.get("failed").copied().unwrap_or_default()), (200 - failed, failed));
    assert_eq!((world.ledger().len() as i64, world.duplicates()), (200 - failed, 0));
    assert!(down.iter().any(|reasons| reasons.contains("it does not work at the moment")), "{down:#?}");
    until("it is ready again", || get(&addr, "/readyz", &[]).is_ok_and(|(status, _)| status == 200));
    service.signal("TERM");
    assert_eq!(service.end().code(), Some(0));
    let words = service.words();
    for place in panics {
        let place = place.split(':').next().unwrap();
        assert!(words.contains(&format!("a panic that was asked for: {place}")), "{place}: {words}");
    }
}

fn a_panic_in_the_middle_of_a_run_stops_nothing(world: World) {
    let places =
        ["feed:2:1", "claimed:1:1", "hand over:20:2", "write:10:1", "apply:2:1", "beat:1:1", "c7@example.org:0:1"];
    lives_on(world, &places, 1);
}

fn a_panic_between_two_steps_stops_nothing(world: World) {
    lives_on(world, &["written:10:1", "pass:0:2", "claimed:0:1", "hand over:0:1", "apply:0:2"], 0);
}

fn every_task_is_started_anew(world: World) {
    const TASKS: [&str; 10] = [
        "engine",
        "heartbeat",
        "own letters",
        "wake-ups from other processes",
        "audit log",
        "deleted accounts",
        "old uploads",
        "views of posts",
        "figures of the home page",
        "changes of the blog",
    ];
    let once = TASKS.map(|task| format!("{task}:0:1"));
    lives_on(world, &once.each_ref().map(String::as_str), 0);
}

/// Each with a mailing of its own: what one has carried out, the next would not come to.
fn ends_the_process(mut world: World, place: &str, task: &str) {
    world.mail(5, "");
    let mailing = world.mailing(5, "resend");
    world.set("VESTNIK_PANIC", &format!("{place}:0:1000000"));
    let mut worker = world.work();
    assert_eq!(worker.end().code(), Some(4), "{place}");
    let words = worker.words();
    assert!(words.contains(&format!("vestnik: {task} ended unexpectedly 4 times")), "{words}");
    world.set("VESTNIK_PANIC", "");
    // Long enough at work to see that the one before is dead, which could not give back what it had in hand.
    let mut worker = world.work();
    until("all is done", || world.show(&mailing).0 == "finished");
    worker.signal("TERM");
    assert!(worker.end().success());
    // Those that were in doubt three times wait for somebody's word.
    let states = world.states(&mailing);
    assert_eq!(states["sent"] + states.get("unknown").copied().unwrap_or_default(), 5, "{states:?}");
    assert_eq!(world.duplicates(), 0);
}

fn an_engine_that_ends_again_and_again_ends_the_process(world: World) {
    ends_the_process(world, "pass", "engine");
}

fn a_record_that_ends_again_and_again_ends_the_process(world: World) {
    ends_the_process(world, "write", "record");
}

fn tables_that_end_again_and_again_end_the_process(world: World) {
    ends_the_process(world, "apply", "tables");
}

fn connections_that_end_again_and_again_end_the_process(world: World) {
    ends_the_process(world, "hand over", "connection");
}

fn send_tells_that_a_mailing_was_paused(mut world: World) {
    world.mail(1, "connection mail reply 550 5.7.1 Not from you");
    let mailing = world.mailing(3, "resend");
    let paused = |world: &World| {
        let done = world.run(&["send"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(3) && said.contains("mailings that were paused"), "{said}");
    };
    paused(&world);
    let shown = world.json(&["mailing", "show", &mailing]);
    assert!(shown["paused_reply"].as_str().unwrap().contains("Not from you"), "{shown}");
    // Nothing is sent, and nothing new is paused.
    assert!(world.run(&["send"]).status.success());
    let message = world.number("SELECT id FROM messages").to_string();
    world.another_mailing(&message, "resend");
    paused(&world);
}

#[test]
fn a_database_has_one_name() {
    let mut world = World::sqlite();
    world.mail(1, "");
    let mailing = world.mailing(3, "resend");
    let (mut service, _addr) = world.serve();
    let (file, link) = (world.path("test.db"), world.path("data").join("link.db"));
    std::fs::hard_link(&file, &link).unwrap();
    world.set("VESTNIK_DATABASE_URL", &format!("sqlite:{}", link.display()));
    for words in [&["work"][..], &["send"], &["mailing", "show", &mailing], &["serve"]] {
        let done = world.run(words);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(1) && said.contains("under another name"), "{words:?}: {said}");
    }
    world.set("VESTNIK_DATABASE_URL", &format!("sqlite:{}", file.display()));
    until("all have got it", || world.show(&mailing).0 == "finished");
    service.signal("TERM");
    assert!(service.end().success());
}

#[test]
fn the_limit_of_open_files_is_raised() {
    let mut world = World::sqlite();
    world.mail(1, "");
    let (mut service, addr) = world.serve_under(&["sh", "-c", "ulimit -Sn 64; exec \"$0\" \"$@\""]);
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&addr).unwrap()).collect();
    assert_eq!(get(&addr, "/healthz", &[]).unwrap().0, 200);
    drop(idle);
    service.signal("TERM");
    assert!(service.end().success());
}

on_both!(
    a_log_whose_reader_goes_stops_nothing,
    a_log_that_nobody_reads_stops_nothing,
    a_log_on_a_full_disk_stops_nothing,
    a_panic_in_the_middle_of_a_run_stops_nothing,
    a_panic_between_two_steps_stops_nothing,
    every_task_is_started_anew,
    an_engine_that_ends_again_and_again_ends_the_process,
    a_record_that_ends_again_and_again_ends_the_process,
    tables_that_end_again_and_again_end_the_process,
    connections_that_end_again_and_again_end_the_process,
    send_tells_that_a_mailing_was_paused,
);
