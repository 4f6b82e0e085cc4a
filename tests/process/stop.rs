//! SIGTERM: letters under way may end, nothing is sent twice, nothing is lost.

use crate::support::{World, on_both, until};

fn a_stop_in_mid_send_loses_and_repeats_nothing(world: World) {
    loses_and_repeats_nothing(world, "TERM");
}

fn so_does_a_terminal_that_is_closed(world: World) {
    loses_and_repeats_nothing(world, "HUP");
}

fn loses_and_repeats_nothing(mut world: World, signal: &str) {
    world.mail(5, "*@* dot delay 100ms");
    let mailing = world.mailing(100, "resend");
    let mut worker = world.work();
    until("some letters are out", || world.ledger().len() >= 10);
    worker.signal(signal);
    assert_eq!(worker.end().code(), Some(0));
    let states = world.states(&mailing);
    let sent = states.get("sent").copied().unwrap_or_default();
    // Every letter that the mail server took is recorded as sent, and nothing is left in hand.
    assert_eq!(sent, i64::try_from(world.ledger().len()).unwrap(), "{states:?}");
    assert_eq!(states.values().sum::<i64>() - sent, states.get("pending").copied().unwrap_or_default(), "{states:?}");
    assert!(sent < 100, "the stop came too late to show anything");
    world.finish(&mailing);
    assert_eq!((world.ledger().len(), world.duplicates()), (100, 0));
}

fn what_gets_no_answer_within_the_grace_is_left_in_doubt(mut world: World) {
    world.set("VESTNIK_GRACE", "500ms");
    world.mail(1, "c0@* dot silence times=1");
    let mailing = world.mailing(5, "hold");
    let mut worker = world.work();
    until("a letter is under way", || world.rows(&mailing).contains_key("armed"));
    worker.signal("TERM");
    assert_eq!(worker.end().code(), Some(0));
    let states = world.states(&mailing);
    assert_eq!((states["armed"], states["pending"], states.len()), (1, 4, 2), "the rest is given back");
    world.finish(&mailing);
    assert_eq!((world.states(&mailing)["unknown"], world.ledger().len(), world.duplicates()), (1, 4, 0));
}

fn a_second_signal_ends_at_once(mut world: World) {
    world.mail(1, "c0@* dot silence times=1");
    let mailing = world.mailing(1, "resend");
    let mut worker = world.work();
    until("a letter is under way", || world.rows(&mailing).contains_key("armed"));
    worker.signal("INT");
    worker.says("stopping");
    assert!(worker.is_running());
    worker.signal("TERM");
    assert_eq!(worker.end().code(), Some(143));
}

/// Who starts it with nohup wants it to outlive the terminal.
#[test]
fn what_is_to_outlive_its_terminal_does() {
    let mut world = World::sqlite();
    world.mail(1, "");
    let mailing = world.mailing(1, "resend");
    let mut worker = world.under(&["nohup"], &["work"]);
    until("it works", || world.show(&mailing).0 == "finished");
    worker.signal("HUP");
    let next = world.json(&["mailing", "show", &mailing]);
    assert_eq!(next["status"], "finished");
    assert!(worker.is_running());
    worker.signal("TERM");
    assert_eq!(worker.end().code(), Some(0));
}

#[test]
fn the_mail_server_and_the_service_end_in_order_when_their_terminal_is_closed() {
    let mut world = World::sqlite();
    let mut sink = world.start(&["sink", "--listen", "127.0.0.1:0"]);
    sink.says("listening on ");
    let (mut service, _addr) = world.serve();
    for process in [&mut sink, &mut service] {
        process.signal("HUP");
        assert_eq!(process.end().code(), Some(0));
    }
}

on_both!(
    so_does_a_terminal_that_is_closed,
    a_stop_in_mid_send_loses_and_repeats_nothing,
    what_gets_no_answer_within_the_grace_is_left_in_doubt,
    a_second_signal_ends_at_once,
);
