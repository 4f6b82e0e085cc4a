//! Letters that are made to cost time or memory.

use proptest::prelude::*;
use std::time::{Duration, Instant};
use vestnik_reports::{LETTER_MAX, read};

/// Far more than any takes here without optimisation, and far less than one that takes quadratic time.
const LONG: Duration = Duration::from_secs(5);

fn filled(head: &str, piece: &str) -> Vec<u8> {
    let mut letter = head.as_bytes().to_vec();
    while letter.len() + piece.len() <= LETTER_MAX {
        letter.extend_from_slice(piece.as_bytes());
    }
    letter
}

#[test]
fn large_letters_of_every_kind_take_their_time_and_no_more() {
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\
        Content-Type: message/delivery-status\n\n";
    let daemon = "From: mailer-daemon@a.example\nSubject: failure notice\n";
    for (name, letter) in [
        ("nested letters", filled("", "Content-Type: message/rfc822\n\n")),
        ("nested digests", filled("", "Content-Type: multipart/digest; boundary=b\n\n--b\n\n")),
        ("nested multiparts", filled("", "Content-Type: multipart/mixed; boundary=b\n\n--b\n")),
        ("parts", filled("Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n")),
        ("boundaries that are none", filled("Content-Type: multipart/mixed; boundary=b\n\n", "--bx\n")),
        ("fields", filled("", "a: b\n")),
        ("one folded field", filled("Subject: a\n", " b\n")),
        ("recipients", filled(report, "Final-Recipient: rfc822; a@b\nAction: delayed\n\n")),
        ("fields of a report", filled(report, "Action: failed\n")),
        ("one line", filled(daemon, "5.1.1 a@b ")),
        ("addresses", filled(&format!("{daemon}\n"), "<a@b>:\n")),
        ("open tags", filled(&format!("{daemon}Content-Type: text/html\n\n"), "<b<!--")),
        ("entities", filled(&format!("{daemon}Content-Type: text/html\n\n"), "&#9999;&&amp")),
        ("encoded words", filled(&format!("{daemon}Subject: "), "=?utf-8?q?=3D?= ")),
        ("parameters", filled("Content-Type: multipart/report", "; a*0*=utf-8''x")),
        ("comments", filled("Content-Type: text/plain ", "(")),
        ("base64", filled(&format!("{daemon}Content-Transfer-Encoding: base64\n\n"), "NS4xLjEg\n")),
        (
            "shifted charset",
            filled(&format!("{daemon}Content-Type: text/plain; charset=iso-2022-jp\n\n"), "\u{1b}$B\u{1b}(B"),
        ),
        ("seven bits", filled(&format!("{daemon}Content-Type: text/plain; charset=utf-7\n\n"), "+AOE-")),
        ("no end of line", vec![b':'; LETTER_MAX]),
        ("nothing", vec![0; LETTER_MAX]),
    ] {
        let start = Instant::now();
        let _ = read(&letter);
        let took = start.elapsed();
        assert!(took < LONG, "{name}: {took:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(letter in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&letter);
    }

    #[test]
    fn any_pieces_of_reports_are_read(pieces in proptest::collection::vec(prop_oneof![
        Just("Content-Type: multipart/report; boundary=b; charset=utf-7\n"),
        Just("Content-Type: message/delivery-status\n"),
        Just("Content-Type: message/feedback-report\n"),
        Just("Content-Transfer-Encoding: base64\n"),
        Just("Content-Transfer-Encoding: quoted-printable\n"),
        Just("From: mailer-daemon@x\n"),
        Just("Subject: failure notice\n"),
        Just("\n"), Just("--b\n"), Just("--b--\n"), Just("=\n"), Just("=e2=80=ae"), Just("<a@b>: "), Just("5.1.1 "), Just("550"), Just("я"),
        Just("Final-Recipient: rfc822; "), Just("Action: failed\n"), Just("Message-ID: <"), Just(">"), Just("@"), Just("\r"),
    ], 0..40)) {
        let report = read(pieces.concat().as_bytes());
        prop_assert!(!report.diagnostic.contains(char::is_control));
    }
}
