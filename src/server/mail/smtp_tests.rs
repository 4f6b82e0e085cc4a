//! Every row of the fault table, on a real socket: what one connection makes of it. What follows for
//! deliveries is `engine::decide`'s, and tried against the built-in mail server in `engine::tests`.
//!
//! | what happens | here | in `engine::tests` |
//! |---|---|---|
//! | refused, DNS failure | `sessions_that_do_not_come_about` | `an_unreachable_server_costs_nobody_a_try` |
//! | connect timeout | `a_full_server_meets_the_deadline_of_connect` | |
//! | silence at a stage | `silence_and_drops_at_every_stage`, `silence_while_a_session_is_opened` | |
//! | slow drip of bytes | `silence_and_slow_drips_meet_the_deadline` | |
//! | 421 anywhere, after N letters | `a_closing_server_gets_the_delivery_put_back` | `protect::faults_mixed_at_random…` |
//! | 4xx at RCPT | `a_refused_recipient_leaves_the_session_in_step` | `faults_of_one_leave_the_others_alone` |
//! | 552 at RCPT | `refusals_at_each_stage` | `protect::faults_mixed_at_random…` |
//! | 5xx at RCPT, 5.1.x and 5.7.x | `a_refused_recipient_leaves_the_session_in_step` | `protect::an_address_that_does_not_exist…` |
//! | 5xx at MAIL | `refusals_at_each_stage` | `a_refused_sender_pauses_the_mailing` |
//! | 4xx, 5xx after the dot | `refusals_at_each_stage` | `protect::many_refused_letters_in_a_row…` |
//! | drop before the dot | `silence_and_drops_at_every_stage` | `faults_of_one_leave_the_others_alone` |
//! | drop after the dot | `silence_and_drops_at_every_stage` | `a_letter_without_an_answer_follows_the_policy` |
//! | garbage, not UTF-8, mixed codes, endless | `garbage_ends_the_session` | `protect::faults_mixed_at_random…` |
//! | an unknown code | `an_unknown_code_counts_by_its_first_digit` | `protect::faults_mixed_at_random…` |
//! | STARTTLS missing, refused, injected, bad certificate | `encryption_is_never_given_up` | |
//! | 535, 454 at AUTH | `authentication` | |
//! | address not ASCII, no SMTPUTF8 | `what_the_server_cannot_take_is_refused_without_asking` | |

use super::classify::{Outcome, OutcomeKind};
use super::relay::Relay;
use super::script::{Script, Step, say};
use super::smtp::{Connection, Dialogue, Parcel, SmtpError, SmtpErrorKind};
use super::timeouts::Timeouts;
use crate::domain::delivery::Stage;
use Step::{Body, Drip, Endless, Expect, Nothing, Silence, Tls};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LETTER: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";
const PARCEL: Parcel<'static> =
    Parcel { sender: "s@x.org", recipient: "r@x.org", bytes: LETTER, needs_smtputf8: false };

fn timeouts() -> Timeouts {
    let long = Duration::from_secs(10);
    Timeouts { connect: long, greeting: long, ehlo: long, mail: long, rcpt: long, data: long, body: long, dot: long }
}

fn greeted(pipelining: bool) -> Vec<Step> {
    let ehlo = if pipelining { "250-x\r\n250-PIPELINING\r\n250 SIZE 1000" } else { "250 x" };
    vec![say("220 hi"), Expect("EHLO [127.0.0.1]"), say(ehlo)]
}

fn envelope() -> [Step; 3] {
    [Expect("MAIL FROM:<s@x.org>"), Expect("RCPT TO:<r@x.org>"), Expect("DATA")]
}

async fn open(script: &Script, query: &str, timeouts: &Timeouts) -> Result<Connection, SmtpError> {
    let relay = Relay::parse(&format!("smtp://localhost:{}{query}", script.port)).unwrap();
    Connection::open(&relay.with_root(script.certificate.clone()), timeouts).await
}

async fn send(connection: &mut Connection) -> Outcome {
    connection.send(PARCEL, None, async || Ok::<(), Infallible>(())).await
}

/// Sends over a pipelining session whose script continues so; gives the outcome and the bodies.
async fn run(steps: Vec<Step>, timeouts: Timeouts) -> (Outcome, Vec<Vec<u8>>) {
    let script = Script::start([greeted(true), steps].concat()).await;
    let mut connection = open(&script, "", &timeouts).await.unwrap();
    let outcome = send(&mut connection).await;
    assert_eq!(outcome.connection_usable, connection.is_usable());
    drop(connection);
    (outcome, script.end().await)
}

/// The same with replies to MAIL, RCPT and DATA given.
async fn replies(lines: &str, then: Vec<Step>) -> (Outcome, Vec<Vec<u8>>) {
    run([envelope().to_vec(), vec![say(lines)], then].concat(), timeouts()).await
}

const TAKEN: &str = "250 ok\r\n250 ok\r\n354 go";

fn rset() -> Vec<Step> {
    vec![Expect("RSET"), say("250 ok")]
}

fn is(outcome: &Outcome, stage: Stage, kind: OutcomeKind, usable: bool) {
    assert_eq!((outcome.stage, outcome.kind, outcome.connection_usable), (stage, kind, usable), "{outcome:?}");
}

#[tokio::test]
async fn letters_go_out_with_and_without_pipelining() {
    let (outcome, bodies) = replies(TAKEN, vec![Body, say("250 2.0.0 queued")]).await;
    is(&outcome, Stage::Dot, OutcomeKind::Sent, true);
    assert_eq!(outcome.reply.unwrap().enhanced.as_deref(), Some("2.0.0"));
    assert_eq!(bodies, [b"Subject: x\r\n\r\n..dot\r\n".to_vec()]);

    let [mail, rcpt, data] = envelope();
    let one = vec![mail, say("250 ok"), rcpt, say("250 ok"), data, say("354 go"), Body, say("250 ok")];
    let quit = vec![Expect("QUIT"), say("221 bye")];
    let script = Script::start([greeted(false), one.clone(), one, quit].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    for _ in 0..2 {
        is(&send(&mut connection).await, Stage::Dot, OutcomeKind::Sent, true);
    }
    connection.quit().await;
    assert_eq!(script.end().await.len(), 2);
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_session_in_step() {
    for (data, answer) in [("354 go", true), ("503 no recipients", false)] {
        for (rcpt, kind) in [("550 5.1.1 who", OutcomeKind::Refused), ("451 later", OutcomeKind::TryLater)] {
            let lone_dot = if answer { vec![Body, say("554 no recipients")] } else { vec![] };
            let next = [envelope().to_vec(), vec![say(TAKEN), Body, say("250 ok")]].concat();
            let lines = say(&format!("250 ok\r\n{rcpt}\r\n{data}"));
            let script =
                Script::start([greeted(true), envelope().to_vec(), vec![lines], lone_dot, rset(), next].concat()).await;
            let mut connection = open(&script, "", &timeouts()).await.unwrap();
            is(&send(&mut connection).await, Stage::Rcpt, kind, true);
            is(&send(&mut connection).await, Stage::Dot, OutcomeKind::Sent, true);
            drop(connection);
            let bodies = script.end().await;
            assert_eq!(bodies.len(), 1 + usize::from(answer));
            assert!(!answer || bodies[0].is_empty(), "the refused letter went out");
        }
    }
}

#[tokio::test]
async fn refusals_at_each_stage() {
    let (outcome, _) = replies("550 5.7.1 no\r\n503 x\r\n503 x", rset()).await;
    is(&outcome, Stage::Mail, OutcomeKind::SenderRefused, true);
    let (outcome, _) = replies("250 ok\r\n552 full\r\n503 x", rset()).await;
    is(&outcome, Stage::Rcpt, OutcomeKind::TryLater, true);
    let (outcome, _) = replies("250 ok\r\n250 ok\r\n451 busy", rset()).await;
    is(&outcome, Stage::Data, OutcomeKind::TryLater, true);
    for (line, kind) in [("452 full", OutcomeKind::TryLater), ("554 spam", OutcomeKind::Refused)] {
        is(&replies(TAKEN, vec![Body, say(line)]).await.0, Stage::Dot, kind, true);
    }
}

#[tokio::test]
async fn a_closing_server_gets_the_delivery_put_back() {
    is(&replies("421 4.3.2 enough", vec![]).await.0, Stage::Mail, OutcomeKind::PutBack, false);
    is(&replies("250 ok\r\n421 enough", vec![]).await.0, Stage::Rcpt, OutcomeKind::PutBack, false);
    is(&replies("250 ok\r\n250 ok\r\n421 enough", vec![]).await.0, Stage::Data, OutcomeKind::PutBack, false);
    is(&replies(TAKEN, vec![Body, say("421 enough")]).await.0, Stage::Dot, OutcomeKind::PutBack, false);
    // The letter is taken and the session is over.
    is(&replies(TAKEN, vec![Body, say("250 ok\r\n421 enough")]).await.0, Stage::Dot, OutcomeKind::Sent, false);
}

#[tokio::test]
async fn drops_are_safe_before_the_dot_and_in_doubt_after() {
    is(&run(vec![Expect("MAIL")], timeouts()).await.0, Stage::Mail, OutcomeKind::ConnectionLost, false);
    let (outcome, _) = run([envelope().to_vec(), vec![say("250 ok\r\n250 ok")]].concat(), timeouts()).await;
    is(&outcome, Stage::Data, OutcomeKind::ConnectionLost, false);
    is(&replies(TAKEN, vec![Body]).await.0, Stage::Dot, OutcomeKind::InDoubt, false);
}

#[tokio::test]
async fn garbage_ends_the_session() {
    for lines in ["HTTP/1.1 400 Bad", "\u{fffd}\u{fffd}", "250-a\r\n550 b", "354 go"] {
        is(&replies(lines, vec![]).await.0, Stage::Mail, OutcomeKind::ConnectionLost, false);
        is(&replies(TAKEN, vec![Body, say(lines)]).await.0, Stage::Dot, OutcomeKind::InDoubt, false);
    }
    is(&replies("250 ok\r\n250 ok\r\n250 ok", vec![Nothing]).await.0, Stage::Data, OutcomeKind::ConnectionLost, false);
    for endless in ["250-more\r\n", "250 without end"] {
        let (outcome, _) = run(vec![Expect("MAIL"), Endless(endless)], timeouts()).await;
        is(&outcome, Stage::Mail, OutcomeKind::ConnectionLost, false);
        is(&replies(TAKEN, vec![Body, Endless(endless)]).await.0, Stage::Dot, OutcomeKind::InDoubt, false);
    }
    let steps = [envelope().to_vec(), vec![Step::Say(b"550 5.0.0 \xff\x07\r\n503 x\r\n503 x\r\n".to_vec())], rset()];
    let (outcome, _) = run(steps.concat(), timeouts()).await;
    assert_eq!(outcome.reply.unwrap().text, "5.0.0 \u{fffd}\\u{7}");
}

#[tokio::test]
async fn silence_and_slow_drips_meet_the_deadline() {
    let short = Duration::from_millis(300);
    let mail = Timeouts { mail: short, ..timeouts() };
    is(&run(vec![Silence], mail.clone()).await.0, Stage::Mail, OutcomeKind::ConnectionLost, false);
    // Each byte comes well within the deadline, the reply as a whole does not.
    let drip = Drip("250-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Duration::from_millis(100));
    is(&run(vec![drip.clone()], mail).await.0, Stage::Mail, OutcomeKind::ConnectionLost, false);
    let dot = Timeouts { dot: short, ..timeouts() };
    for last in [Silence, drip] {
        let steps = [envelope().to_vec(), vec![say(TAKEN), Body, last]].concat();
        let (outcome, _) = run(steps, dot.clone()).await;
        is(&outcome, Stage::Dot, OutcomeKind::InDoubt, false);
        assert!(outcome.note.contains("dot within 300ms"), "{}", outcome.note);
    }
}

#[tokio::test]
async fn silence_and_drops_at_every_stage() {
    let short = Duration::from_millis(300);
    let [mail, rcpt, data] = envelope();
    // Without pipelining each command waits for its own answer.
    let to_the_end = [mail, say("250 ok"), rcpt, say("250 ok"), data, say("354 go"), Body];
    for (stage, steps) in [(Stage::Mail, 1), (Stage::Rcpt, 3), (Stage::Data, 5), (Stage::Dot, 7)] {
        let kind = if stage == Stage::Dot { OutcomeKind::InDoubt } else { OutcomeKind::ConnectionLost };
        for last in [vec![Silence], vec![]] {
            let script = Script::start([greeted(false), to_the_end[..steps].to_vec(), last].concat()).await;
            let mut limits = timeouts();
            match stage {
                Stage::Mail => limits.mail = short,
                Stage::Rcpt => limits.rcpt = short,
                Stage::Data => limits.data = short,
                _ => limits.dot = short,
            }
            let mut connection = open(&script, "", &limits).await.unwrap();
            is(&send(&mut connection).await, stage, kind, false);
            drop(connection);
            script.end().await;
        }
    }
}

#[tokio::test]
async fn silence_while_a_session_is_opened() {
    let limits = Timeouts { ehlo: Duration::from_millis(300), ..timeouts() };
    let hello = vec![say("220 hi"), Expect("EHLO")];
    let starttls = [hello.clone(), vec![say("250-x\r\n250 STARTTLS"), Expect("STARTTLS")]].concat();
    for (stage, steps) in [(Stage::Ehlo, hello), (Stage::Starttls, starttls)] {
        let script = Script::start([steps, vec![Silence]].concat()).await;
        let error = open(&script, "?tls=starttls", &limits).await.unwrap_err();
        assert_eq!((error.stage, error.kind), (stage, SmtpErrorKind::Timeout));
        script.end().await;
    }
}

/// A server that accepts nobody: its queue is full, and the next connection gets no answer at all.
#[tokio::test]
async fn a_full_server_meets_the_deadline_of_connect() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let relay = Relay::parse(&format!("smtp://{}?tls=none", listener.local_addr().unwrap())).unwrap();
    let limits = Timeouts { connect: Duration::from_millis(300), greeting: Duration::from_millis(300), ..timeouts() };
    let mut waiting = Vec::new();
    for _ in 0..10 {
        match tokio::time::timeout(limits.connect, tokio::net::TcpStream::connect(listener.local_addr().unwrap())).await
        {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => break,
        }
    }
    let error = Connection::open(&relay, &limits).await.unwrap_err();
    assert_eq!((error.stage, error.kind), (Stage::Connect, SmtpErrorKind::Timeout));
    drop(waiting);
}

#[tokio::test]
async fn an_unknown_code_counts_by_its_first_digit() {
    is(&replies(TAKEN, vec![Body, say("299 fine")]).await.0, Stage::Dot, OutcomeKind::Sent, true);
    is(&replies(TAKEN, vec![Body, say("499 later")]).await.0, Stage::Dot, OutcomeKind::TryLater, true);
    is(&replies(TAKEN, vec![Body, say("599 never")]).await.0, Stage::Dot, OutcomeKind::Refused, true);
    is(&replies("250 ok\r\n598 never\r\n503 x", rset()).await.0, Stage::Rcpt, OutcomeKind::Refused, true);
    is(&replies(TAKEN, vec![Body, say("354 what")]).await.0, Stage::Dot, OutcomeKind::InDoubt, false);
}

#[tokio::test]
async fn long_letters_have_a_deadline_for_each_block() {
    let script = |last: Step| {
        let [mail, rcpt, data] = envelope();
        let taken = vec![mail, say("250 ok"), rcpt, say("250 ok"), data, say("354 go"), last];
        [greeted(false), taken].concat()
    };
    let letter = b".line\r\n".repeat(50_000);
    let go = async || Ok::<(), Infallible>(());
    let server = Script::start([script(Body), vec![say("250 ok")]].concat()).await;
    let mut connection = open(&server, "", &timeouts()).await.unwrap();
    let outcome = connection.send(Parcel { bytes: &letter, ..PARCEL }, None, go).await;
    is(&outcome, Stage::Dot, OutcomeKind::Sent, true);
    assert!(server.end().await[0] == b"..line\r\n".repeat(50_000));
    // A server that reads no more fills the socket's buffers; the dot is not out.
    let server = Script::start(script(Step::Deaf)).await;
    let short = Timeouts { body: Duration::from_millis(300), ..timeouts() };
    let mut connection = open(&server, "", &short).await.unwrap();
    let outcome = connection.send(Parcel { bytes: &b"x".repeat(64_000_000), ..PARCEL }, None, go).await;
    is(&outcome, Stage::Body, OutcomeKind::ConnectionLost, false);
}

#[tokio::test]
async fn the_body_waits_for_the_commit() {
    // The server has accepted DATA; the commit fails; not a byte of the letter may follow.
    let script = Script::start([greeted(true), envelope().to_vec(), vec![say(TAKEN), Nothing]].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    let outcome = connection.send(PARCEL, None, async || Err("disk full")).await;
    is(&outcome, Stage::Data, OutcomeKind::PutBack, false);
    assert_eq!(outcome.note, "disk full");
    drop(connection);
    script.end().await;
    // While the commit is under way the envelope already is.
    let (seen, envelope_seen) = tokio::sync::oneshot::channel();
    let script = Script::start([greeted(true), envelope().to_vec()].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    let task = tokio::spawn(async move {
        connection.send(PARCEL, None, async || envelope_seen.await.map_err(|error| error.to_string())).await
    });
    script.end().await;
    seen.send(()).unwrap();
    is(&task.await.unwrap(), Stage::Mail, OutcomeKind::ConnectionLost, false);
}

#[tokio::test]
async fn a_cancelled_send_spoils_the_connection() {
    let script = Script::start([greeted(true), vec![Silence]].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), send(&mut connection)).await.is_err());
    assert!(!connection.is_usable());
    let outcome = send(&mut connection).await;
    is(&outcome, Stage::Mail, OutcomeKind::ConnectionLost, false);
}

#[tokio::test]
async fn what_the_server_cannot_take_is_refused_without_asking() {
    let script = Script::start([greeted(true), vec![Nothing]].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    let asked = AtomicUsize::new(0);
    let go = async || {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok::<(), Infallible>(())
    };
    let outcome = connection.send(Parcel { recipient: "анна@x.org", needs_smtputf8: true, ..PARCEL }, None, go).await;
    is(&outcome, Stage::Mail, OutcomeKind::Refused, true);
    let outcome = connection.send(Parcel { bytes: &[b'x'; 1001], ..PARCEL }, None, go).await;
    is(&outcome, Stage::Mail, OutcomeKind::Refused, true);
    let outcome = connection.send(Parcel { recipient: "r@x.org>\r\nRSET", ..PARCEL }, None, go).await;
    is(&outcome, Stage::Compose, OutcomeKind::Refused, true);
    assert_eq!(asked.load(Ordering::Relaxed), 3, "whoever paces the letters by it paces these, too");
    drop(connection);
    script.end().await;
}

async fn refused(query: &str, steps: Vec<Step>) -> (Stage, SmtpErrorKind) {
    let script = Script::start(steps).await;
    let limits = Timeouts { greeting: Duration::from_millis(300), ..timeouts() };
    let error = open(&script, query, &limits).await.unwrap_err();
    script.end().await;
    (error.stage, error.kind)
}

#[tokio::test]
async fn sessions_that_do_not_come_about() {
    use SmtpErrorKind as K;
    assert_eq!(refused("", vec![say("421 busy")]).await, (Stage::Greeting, K::Busy));
    assert_eq!(refused("", vec![say("554 go away")]).await, (Stage::Greeting, K::Rejected));
    assert_eq!(refused("", vec![say("SSH-2.0")]).await, (Stage::Greeting, K::Protocol));
    assert_eq!(refused("", vec![]).await, (Stage::Greeting, K::Closed));
    assert_eq!(refused("", vec![Silence]).await, (Stage::Greeting, K::Timeout));
    let ehlo = vec![say("220 hi"), Expect("EHLO"), say("550 no")];
    assert_eq!(refused("", ehlo).await, (Stage::Ehlo, K::Rejected));
    let relay = Relay::parse("smtp://no-such-host.invalid").unwrap();
    assert_eq!(Connection::open(&relay, &timeouts()).await.unwrap_err().kind, K::Dns);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let relay = Relay::parse(&format!("smtp://127.0.0.1:{port}")).unwrap();
    assert_eq!(Connection::open(&relay, &timeouts()).await.unwrap_err().kind, K::Unreachable);
}

fn starttls(reply: Step) -> Vec<Step> {
    vec![say("220 hi"), Expect("EHLO"), say("250-x\r\n250 STARTTLS"), Expect("STARTTLS"), reply]
}

#[tokio::test]
async fn encryption_is_never_given_up() {
    use SmtpErrorKind as K;
    assert_eq!(refused("?tls=required", greeted(true)).await, (Stage::Starttls, K::Tls));
    for query in ["?tls=required", "?tls=starttls"] {
        let no = [starttls(say("502 no")), vec![Nothing]].concat();
        assert_eq!(refused(query, no).await, (Stage::Starttls, K::Tls));
        let injected = [starttls(say("220 go\r\n250 injected")), vec![Nothing]].concat();
        assert_eq!(refused(query, injected).await, (Stage::Starttls, K::Tls));
    }
    // A certificate that nobody vouches for.
    let script = Script::start([starttls(say("220 go")), vec![Tls]].concat()).await;
    let relay = Relay::parse(&format!("smtp://localhost:{}?tls=starttls", script.port)).unwrap();
    assert_eq!(Connection::open(&relay, &timeouts()).await.unwrap_err().kind, K::Tls);
    script.end().await;
}

#[tokio::test]
async fn sessions_over_tls() {
    let session = |ehlo| [vec![Tls], vec![Expect("EHLO"), say(ehlo)], envelope().to_vec()].concat();
    let taken = vec![say(TAKEN), Body, say("250 ok")];
    let steps = [starttls(say("220 go")), session("250-x\r\n250 PIPELINING"), taken.clone()].concat();
    let script = Script::start(steps).await;
    let mut connection = open(&script, "?tls=required", &timeouts()).await.unwrap();
    assert!(connection.is_encrypted() && connection.capabilities().pipelining);
    assert!(!connection.capabilities().starttls, "what was said in the clear is forgotten");
    is(&send(&mut connection).await, Stage::Dot, OutcomeKind::Sent, true);
    drop(connection);
    script.end().await;

    let steps = [vec![Tls], greeted(true), envelope().to_vec(), taken].concat();
    let script = Script::start(steps).await;
    let relay = Relay::parse(&format!("smtps://localhost:{}", script.port)).unwrap();
    let mut connection = Connection::open(&relay.with_root(script.certificate.clone()), &timeouts()).await.unwrap();
    is(&send(&mut connection).await, Stage::Dot, OutcomeKind::Sent, true);
    drop(connection);
    script.end().await;
}

#[tokio::test]
async fn authentication() {
    async fn auth(offer: &str, steps: Vec<Step>) -> Result<(), SmtpErrorKind> {
        let hello = vec![say("220 hi"), Expect("EHLO"), say(&format!("250-x\r\n250 {offer}"))];
        let script = Script::start([hello, steps].concat()).await;
        let relay = Relay::parse(&format!("smtp://anna:geheim@127.0.0.1:{}", script.port)).unwrap();
        let result = Connection::open(&relay, &timeouts()).await;
        script.end().await;
        result.map(|_| ()).map_err(|error| {
            assert!(!error.to_string().contains("geheim"));
            error.kind
        })
    }
    let plain = || Expect("AUTH PLAIN AGFubmEAZ2VoZWlt\r\n");
    let login = || {
        vec![
            Expect("AUTH LOGIN"),
            say("334 VXNlcm5hbWU6"),
            Expect("YW5uYQ=="),
            say("334 UGFzc3dvcmQ6"),
            Expect("Z2VoZWlt"),
            say("235 ok"),
        ]
    };
    assert_eq!(auth("AUTH LOGIN PLAIN", vec![plain(), say("235 ok")]).await, Ok(()));
    assert_eq!(auth("AUTH=LOGIN", login()).await, Ok(()));
    // It offers what it does not know (RFC 4954 4); what it refuses for another reason is not said twice.
    let unknown = || vec![plain(), say("504 5.5.4 Unrecognized authentication type")];
    for reply in ["502 5.5.1 Not implemented", "534 5.7.9 Mechanism is too weak"] {
        assert_eq!(auth("AUTH PLAIN LOGIN", [vec![plain(), say(reply)], login()].concat()).await, Ok(()));
    }
    assert_eq!(auth("AUTH PLAIN LOGIN", [unknown(), login()].concat()).await, Ok(()));
    assert_eq!(auth("AUTH PLAIN", unknown()).await, Err(SmtpErrorKind::Auth));
    assert_eq!(auth("AUTH PLAIN LOGIN", vec![plain(), say("535 no")]).await, Err(SmtpErrorKind::Auth));
    assert_eq!(auth("AUTH PLAIN", vec![plain(), say("535 no")]).await, Err(SmtpErrorKind::Auth));
    assert_eq!(auth("AUTH PLAIN", vec![plain(), say("454 later")]).await, Err(SmtpErrorKind::Busy));
    assert_eq!(auth("AUTH CRAM-MD5", vec![]).await, Err(SmtpErrorKind::Auth));
}

/// At every stage: what is kept of a reply is its text, and what people are shown of a session is its dialogue.
#[tokio::test]
async fn a_password_that_the_server_repeats_is_kept_nowhere() {
    const ECHO: &str = "no geheim, Z2VoZWlt and AGFubmEAZ2VoZWlt";
    const FORMS: [&str; 3] = ["geheim", "Z2VoZWlt", "AGFubmEAZ2VoZWlt"];
    let say_all = |code: u16| say(&format!("{code}-{ECHO}\r\n{code} {ECHO}"));
    let hello = |offer: &str| vec![say("220 hi"), Expect("EHLO"), say(&format!("250-x\r\n250 AUTH {offer}"))];
    let login =
        || vec![Expect("AUTH LOGIN"), say("334 VXNlcm5hbWU6"), Expect("YW5uYQ=="), say_all(334), Expect("Z2Vo")];
    for steps in [
        vec![say_all(554)],
        vec![say_all(220), Expect("EHLO"), say_all(550)],
        [hello("PLAIN"), vec![Expect("AUTH PLAIN"), say_all(535)]].concat(),
        [hello("LOGIN"), login(), vec![say_all(454)]].concat(),
    ] {
        let script = Script::start(steps).await;
        let relay = Relay::parse(&format!("smtp://anna:geheim@127.0.0.1:{}", script.port)).unwrap();
        let mut dialogue = Dialogue::aloud();
        let error = Connection::open_aloud(&relay, &timeouts(), &mut dialogue).await.err().unwrap();
        let text = error.reply.as_ref().unwrap().text.clone();
        let shown = format!("{error} {:?} {text} {:?}", error.fault(), dialogue.into_lines());
        assert!(!FORMS.iter().any(|form| shown.contains(form)) && shown.contains("no ********, "), "{shown}");
        script.end().await;
    }
    let authenticated = [hello("PLAIN"), vec![Expect("AUTH PLAIN"), say_all(235)]].concat();
    let refused = |upto: usize| {
        let mut steps = authenticated.clone();
        for step in envelope().into_iter().take(upto + 1) {
            steps.extend([step, say("250 ok")]);
        }
        steps.pop();
        [steps, vec![say_all(550), Expect("RSET"), say("250 ok")]].concat()
    };
    for stage in 0..3 {
        let script = Script::start(refused(stage)).await;
        let relay = Relay::parse(&format!("smtp://anna:geheim@127.0.0.1:{}", script.port)).unwrap();
        let mut connection = Connection::open(&relay, &timeouts()).await.unwrap();
        let text = send(&mut connection).await.reply.unwrap().text;
        assert!(!FORMS.iter().any(|form| text.contains(form)) && text.contains("no ********, "), "{stage}: {text}");
    }
}

const SECOND: Parcel<'static> = Parcel { recipient: "q@x.org", ..PARCEL };

fn second() -> [Step; 3] {
    [Expect("MAIL FROM:<s@x.org>"), Expect("RCPT TO:<q@x.org>"), Expect("DATA")]
}

async fn arm() -> Result<(), Infallible> {
    Ok(())
}

/// Two letters, the second one's envelope behind the first one's dot, on a session whose script continues so.
async fn two(steps: Vec<Step>) -> (Outcome, Outcome, Connection) {
    let script = Script::start([greeted(true), envelope().to_vec(), vec![say(TAKEN), Body], steps].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    let first = connection.send(PARCEL, Some(SECOND), arm).await;
    assert!(connection.is_ahead());
    let second = connection.send(SECOND, None, arm).await;
    assert!(!connection.is_ahead());
    (first, second, connection)
}

#[tokio::test]
async fn the_next_envelope_goes_out_behind_the_dot() {
    let answers = say(&format!("250 ok\r\n{TAKEN}"));
    let (first, last, connection) = two([second().to_vec(), vec![answers, Body, say("250 ok")]].concat()).await;
    is(&first, Stage::Dot, OutcomeKind::Sent, true);
    is(&last, Stage::Dot, OutcomeKind::Sent, true);
    assert!(!connection.refuses_ahead());
}

#[tokio::test]
async fn a_refused_recipient_ahead_is_that_letters_own() {
    let answers = say("451 later\r\n250 ok\r\n550 5.1.1 who\r\n503 nobody");
    let (first, last, _) = two([second().to_vec(), vec![answers], rset()].concat()).await;
    is(&first, Stage::Dot, OutcomeKind::TryLater, true);
    is(&last, Stage::Rcpt, OutcomeKind::Refused, true);
}

#[tokio::test]
async fn whoever_takes_no_envelope_behind_a_dot_gets_none_again() {
    for (answer, refuses) in [("554 out of step", true), ("nonsense", true), ("421 enough", false)] {
        let answers = say(&format!("250 ok\r\n{answer}"));
        let (first, last, connection) = two([second().to_vec(), vec![answers]].concat()).await;
        is(&first, Stage::Dot, OutcomeKind::Sent, true);
        is(&last, Stage::Mail, OutcomeKind::PutBack, false);
        assert_eq!(connection.refuses_ahead(), refuses, "{answer}");
    }
}

#[tokio::test]
async fn another_letter_than_the_one_ahead_is_put_back() {
    let script = [greeted(true), envelope().to_vec(), vec![say(TAKEN), Body], second().to_vec(), vec![say("250 ok")]];
    let script = Script::start(script.concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    is(&connection.send(PARCEL, Some(SECOND), arm).await, Stage::Dot, OutcomeKind::Sent, true);
    is(&connection.send(PARCEL, None, arm).await, Stage::Mail, OutcomeKind::PutBack, false);
}

#[tokio::test]
async fn nothing_goes_ahead_without_pipelining_or_of_what_cannot_be_sent() {
    let [mail, rcpt, data] = envelope();
    let one = vec![mail, say("250 ok"), rcpt, say("250 ok"), data, say("354 go"), Body, say("250 ok")];
    let script = Script::start([greeted(false), one].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    is(&connection.send(PARCEL, Some(SECOND), arm).await, Stage::Dot, OutcomeKind::Sent, true);
    assert!(!connection.is_ahead());

    let script =
        Script::start([greeted(true), envelope().to_vec(), vec![say(TAKEN), Body, say("250 ok")]].concat()).await;
    let mut connection = open(&script, "", &timeouts()).await.unwrap();
    let wide = Parcel { recipient: "анна@x.org", needs_smtputf8: true, ..PARCEL };
    is(&connection.send(PARCEL, Some(wide), arm).await, Stage::Dot, OutcomeKind::Sent, true);
    assert!(!connection.is_ahead());
}
