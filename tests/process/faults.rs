//! Every kind of trouble that a mail server makes, mixed at random: every delivery comes to an end with a reason, and
//! the record agrees with the mail server's own ledger.

use crate::support::{World, until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What can happen to a letter, each now and then; addresses with a word in them meet their fate for sure.
const FAULTS: &str = "seed 11
connection close-after 100
nobody*@* rcpt reply 550 5.1.1 No such user
grey*@* rcpt reply 451 4.7.1 Try again later times=1
spam*@* dot reply 554 5.7.1 Refused\\nfor good
lost*@* dot drop-after times=1
torn*@* body drop times=1
full*@* rcpt reply 552 5.2.2 Mailbox full times=1
odd*@* rcpt reply 577 What is this times=1
rate=0.5% rcpt reply 450 4.2.0 Not now
rate=0.2% rcpt reply 421 4.3.2 Shutting down
rate=0.2% rcpt garbage
rate=0.1% rcpt endless
rate=0.1% rcpt silence
rate=0.2% rcpt drip 4b/5ms
rate=0.2% data drop
rate=0.1% data reply 250 Ok
rate=0.2% body drop
rate=0.3% dot reply 451 4.3.0 Later
rate=0.1% dot reply 299 Odd but good
rate=0.2% dot drop
rate=0.2% dot drop-after
rate=0.1% dot garbage
rate=0.05% dot silence
rate=0.1% mail reply 451 4.3.0 Sender later
rate=2% greeting reply 421 Too many
rate=1% greeting garbage
rate=1% greeting drop
rate=1% ehlo silence
";
const WORDS: [&str; 7] = ["nobody", "grey", "spam", "lost", "torn", "full", "odd"];

/// Sends to so many through all of it, the mail server being away for a while in the middle.
pub fn mixed(mut world: World, recipients: usize, policy: &str) {
    world.set("VESTNIK_SMTP_TIMEOUTS", "connect=2s,greeting=1s,ehlo=1s,mail=1s,rcpt=1s,data=1s,body=1s,dot=1s");
    world.mail(10, FAULTS);
    let client = |n: usize| match n % 50 {
        n if n < WORDS.len() => format!("{}{n}", WORDS[n]),
        _ => "c".to_owned(),
    };
    let mailing = world.mailing_to((0..recipients).map(|n| format!("{}-{n}@example.org", client(n))), policy);
    let mut worker = world.work();
    until("a third is out", || world.accepted() > recipients / 3);
    world.mail_away(Duration::from_secs(2));
    until("all is done", || world.show(&mailing).0 == "finished");
    worker.signal("TERM");
    assert!(worker.end().success());
    let states = world.states(&mailing);
    agrees(&world, &mailing, policy == "hold");
    println!("every fault at random, {policy}, {recipients} recipients: {states:?}, {} twice", world.duplicates());
}

/// Each delivery is final and has its reason; who is recorded as sent has it, and nobody has more letters than the
/// record leaves room for.
fn agrees(world: &World, mailing: &str, hold: bool) {
    let ledger = world.ledger();
    let mut seen = BTreeMap::new();
    for delivery in world.json(&["mailing", "deliveries", mailing]).as_array().unwrap() {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default();
        let (email, state) = (text("email"), text("state"));
        let attempts = delivery["attempts"].as_array().unwrap();
        let with = |status: &str| attempts.iter().filter(|attempt| attempt["status"] == status).count();
        let copies = ledger.get(email).copied().unwrap_or_default();
        match state {
            "sent" => assert!((1..=1 + with("unknown")).contains(&copies), "{copies} letters: {delivery}"),
            "failed" => {
                let last = attempts.last().and_then(|last| last["reply"].as_str()).unwrap_or_default();
                let told = !last.is_empty() || !text("reason").is_empty();
                assert!(copies <= with("unknown") && told, "{copies} letters: {delivery}");
            }
            "unknown" if hold => assert!(copies <= 1, "{copies} letters: {delivery}"),
            "unknown" => assert!(with("unknown") == 3 && copies <= 3, "{copies} letters: {delivery}"),
            _ => panic!("not final: {delivery}"),
        }
        assert!(!hold || copies <= 1, "twice with hold: {delivery}");
        let fate = email.trim_start_matches(char::is_alphabetic).len();
        let word = &email[..email.len() - fate];
        if matches!(word, "nobody" | "spam") {
            // Unless a doubt came first.
            assert!(state == "failed" || with("unknown") > 0, "{delivery}");
        }
        let numbers: Vec<&Value> = attempts.iter().map(|attempt| &attempt["number"]).collect();
        assert!(numbers.iter().enumerate().all(|(n, number)| **number == n + 1), "{delivery}");
        *seen.entry(state.to_owned()).or_insert(0) += 1;
    }
    assert!(seen.contains_key("sent") && seen.contains_key("failed"), "{seen:?}");
}

#[test]
fn every_fault_at_random() {
    mixed(World::sqlite(), 600, "resend");
    mixed(World::postgres(), 600, "hold");
}
