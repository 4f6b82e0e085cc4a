//! kill -9 in mid-send: nobody is forgotten, and twice gets a letter at most who was past the final dot.

use crate::support::{World, on_both, until};
use std::time::Duration;

/// Connections of each process.
const CONNECTIONS: u32 = 5;

/// Kills the sending process again and again, then lets it finish. Returns how often it was killed.
fn kills(world: &World, mailing: &str, times: usize) -> usize {
    for n in 0..times {
        let mut worker = world.work();
        let before = world.ledger().len();
        // From the first letter on, at any moment.
        until("it sends", || world.ledger().len() > before || !worker.is_running());
        std::thread::sleep(Duration::from_millis(rand::random_range(0..120)));
        if world.show(mailing).0 == "finished" {
            return n;
        }
        worker.signal("KILL");
        worker.end();
    }
    let mut worker = world.work();
    until("all is done", || world.show(mailing).0 == "finished");
    worker.signal("TERM");
    assert!(worker.end().success());
    times
}

fn nobody_is_forgotten(mut world: World) {
    world.mail(CONNECTIONS, "*@* dot delay 10ms");
    let mailing = world.mailing(400, "resend");
    let killed = kills(&world, &mailing, 6);
    assert_eq!(world.states(&mailing)["sent"], 400);
    assert_eq!(world.ledger().len(), 400, "missing");
    let (twice, most) = (world.duplicates(), killed * CONNECTIONS as usize);
    assert!(twice <= most, "{twice} letters twice after {killed} kills");
}

fn nobody_gets_two_where_doubts_are_held(mut world: World) {
    world.mail(CONNECTIONS, "*@* dot delay 10ms");
    let mailing = world.mailing(400, "hold");
    let killed = kills(&world, &mailing, 6);
    assert_eq!(world.duplicates(), 0);
    let states = world.states(&mailing);
    let unknown = states.get("unknown").copied().unwrap_or_default();
    assert_eq!(states["sent"] + unknown, 400, "{states:?}");
    assert!(unknown <= i64::from(CONNECTIONS) * killed as i64, "{states:?} after {killed} kills");
    let arrived = world.ledger();
    for delivery in world.json(&["mailing", "deliveries", &mailing]).as_array().unwrap() {
        let email = delivery["email"].as_str().unwrap();
        assert!(delivery["state"] != "sent" || arrived.contains_key(email), "{email} is recorded as sent and was not");
    }
}

fn a_letter_that_kills_is_given_up(mut world: World) {
    world.mail(1, "");
    let mailing = world.mailing(6, "resend");
    world.set("VESTNIK_FAILPOINT", "compose:c3@example.org");
    let mut deaths = 0;
    until("all is done", || {
        let mut worker = world.work();
        until("it is done or dead", || !worker.is_running() || world.show(&mailing).0 == "finished");
        deaths += usize::from(!worker.is_running());
        world.show(&mailing).0 == "finished"
    });
    let states = world.states(&mailing);
    // Claimed, in hand beside others, and three times alone.
    assert_eq!((deaths, states["failed"], states["sent"], world.ledger().len()), (5, 1, 5, 5));
}

on_both!(nobody_is_forgotten, nobody_gets_two_where_doubts_are_held, a_letter_that_kills_is_given_up);
