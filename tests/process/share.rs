//! Several processes on one database.

use crate::support::{World, on_both, until};

#[test]
fn one_engine_on_an_sqlite_file_whatever_the_data_folder() {
    let mut world = World::sqlite();
    world.mail(1, "*@* dot delay 100ms");
    let mailing = world.mailing(20, "resend");
    let mut first = world.work();
    until("the mailing is finished", || world.show(&mailing).0 == "finished");
    world.set("VESTNIK_DATA_DIR", &world.path("elsewhere").display().to_string());
    let second = world.run(&["work"]);
    assert_eq!(second.status.code(), Some(1));
    let sentence = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(sentence.contains("another Vestnik is sending from") && sentence.contains("test.db"), "{sentence}");
    // `send` needs no mail server of its own then: the running process has one.
    world.unset("VESTNIK_SMTP_URL");
    let mailing = world.another_mailing("1", "resend");
    let summary = world.json(&["send", "--mailing", &mailing]);
    // The running process was woken when the mailing was added, and may have begun before.
    let sent = summary["sent"].as_i64().unwrap();
    assert!((1..=20).contains(&sent) && summary["deferred"] == 0, "{summary}");
    assert_eq!(world.states(&mailing)["sent"], 20, "it has waited for the end");
    first.signal("TERM");
    assert!(first.end().success());
    let alone = world.run(&["send"]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("VESTNIK_SMTP_URL"), "nobody is there to do the work");
}

fn a_killed_process_is_taken_over(mut world: World) {
    // The first connection stays silent after a letter; later ones do not.
    world.mail(1, "connection=1 dot silence");
    let mailing = world.mailing(30, "resend");
    let mut first = world.work();
    until("a letter is under way", || world.rows(&mailing).contains_key("armed"));
    // On SQLite the second has to wait for the first one's end.
    let mut second = (!world.is_sqlite()).then(|| world.work());
    first.signal("KILL");
    first.end();
    if world.is_sqlite() {
        second = Some(world.work());
    }
    until("all have got it", || world.show(&mailing).0 == "finished");
    assert_eq!((world.ledger().len(), world.duplicates()), (30, 0), "the silent letter was not accepted");
    let mut second = second.unwrap();
    second.signal("TERM");
    assert!(second.end().success());
    assert_eq!(world.states(&mailing)["sent"], 30);
}

#[test]
fn two_processes_share_the_work_and_are_woken() {
    let mut world = World::postgres();
    world.mail(2, "*@* dot delay 20ms");
    // So that a process that still lives is not taken for dead on a busy machine.
    world.set("VESTNIK_TAKEOVER", "30s");
    let mailing = world.mailing(200, "resend");
    let mut workers = [world.work(), world.work()];
    until("all have got it", || world.show(&mailing).0 == "finished");
    assert_eq!((world.ledger().len(), world.duplicates()), (200, 0));
    for worker in &mut workers {
        worker.signal("TERM");
        assert!(worker.end().success());
    }
    let connections: std::collections::BTreeSet<String> = std::fs::read_to_string(world.path("ledger"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["connection"].to_string())
        .collect();
    assert!(connections.len() > 2, "one process alone has two connections: {connections:?}");
}

on_both!(a_killed_process_is_taken_over);
