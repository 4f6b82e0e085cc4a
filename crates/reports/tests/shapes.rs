//! Letters that came back, in the shapes that mail servers and providers give them: written after the published formats,
//! with addresses that belong to nobody. Each stands in `shapes/` as a file.

use std::path::Path;
use vestnik_reports::{Class, DIAGNOSTIC_MAX, LETTER_MAX, Report, read};

/// The Message-ID of the letter that was sent.
const ORIGINAL: &str = "1f0c77.42@news.example.org";

struct Shape {
    file: &'static str,
    class: Class,
    recipient: Option<&'static str>,
    status: Option<&'static str>,
    /// Stands in the diagnostic text.
    said: &'static str,
    message_id: Option<&'static str>,
}

const fn shape(
    file: &'static str,
    class: Class,
    recipient: Option<&'static str>,
    status: Option<&'static str>,
    said: &'static str,
    message_id: Option<&'static str>,
) -> Shape {
    Shape { file, class, recipient, status, said, message_id }
}

#[rustfmt::skip] // one line for each shape
const SHAPES: &[Shape] = &[
    shape("postfix_no_such_user", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "User unknown in virtual mailbox table", Some(ORIGINAL)),
    shape("postfix_mailbox_full", Class::Full, Some("anna@example.net"), Some("5.2.2"), "over quota", Some(ORIGINAL)),
    shape("postfix_delayed", Class::UnderWay, Some("anna@example.net"), Some("4.4.1"), "Connection timed out", Some(ORIGINAL)),
    shape("postfix_expired", Class::Passing, Some("anna@example.net"), Some("4.4.1"), "Connection timed out", Some(ORIGINAL)),
    shape("postfix_no_such_domain", Class::NoAddress, Some("anna@exmaple.net"), Some("5.4.4"), "Host not found", Some(ORIGINAL)),
    shape("postfix_forward_fails", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "No such person", Some(ORIGINAL)),
    shape("postfix_spamhaus", Class::Policy, Some("anna@example.net"), Some("5.1.1"), "zen.spamhaus.org", Some(ORIGINAL)),
    shape("postfix_too_big", Class::Letter, Some("anna@example.net"), Some("5.3.4"), "exceeds fixed limit", Some(ORIGINAL)),
    shape("postfix_relayed", Class::UnderWay, Some("anna@example.net"), Some("2.0.0"), "250 2.0.0 OK", Some(ORIGINAL)),
    shape("postfix_smtputf8", Class::NoAddress, Some("анна@пример.рф"), Some("5.1.1"), "unknown user", Some(ORIGINAL)),
    shape("postfix_one_of_two_fails", Class::Full, Some("anna@example.net"), Some("5.2.2"), "Mailbox full", Some(ORIGINAL)),
    shape("sendmail_user_unknown", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "User unknown", Some(ORIGINAL)),
    shape("sendmail_warning", Class::UnderWay, Some("anna@example.net"), Some("4.4.1"), "", Some(ORIGINAL)),
    shape("sendmail_vague_status", Class::NoAddress, Some("anna@example.net"), Some("5.0.0"), "no mailbox here", Some(ORIGINAL)),
    shape("exim_report", Class::NoAddress, Some("anna@example.net"), Some("5.0.0"), "No such recipient here", Some(ORIGINAL)),
    shape("exim_plain_unrouteable", Class::NoAddress, Some("anna@example.net"), None, "Unrouteable address", Some(ORIGINAL)),
    shape("exim_plain_retry_timeout", Class::Passing, Some("anna@example.net"), None, "retry timeout exceeded", Some(ORIGINAL)),
    shape("exim_plain_delayed", Class::UnderWay, Some("anna@example.net"), None, "Connection refused", None),
    shape("qmail_no_mailbox", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "no mailbox here", Some(ORIGINAL)),
    shape("qmail_remote_reply", Class::NoAddress, Some("anna@example.net"), None, "550 unknown user", Some(ORIGINAL)),
    shape("qmail_expired", Class::Passing, Some("anna@example.net"), Some("4.4.1"), "establish an SMTP connection", Some(ORIGINAL)),
    shape("qmail_over_quota", Class::Full, Some("anna@example.net"), Some("5.2.2"), "allowed quota", Some(ORIGINAL)),
    shape("exchange_2016", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "RecipNotFound", Some(ORIGINAL)),
    shape("office365_5_1_10", Class::NoAddress, Some("anna@example.net"), Some("5.1.10"), "RecipientNotFound", Some(ORIGINAL)),
    shape("office365_edge_blocks_unknown", Class::NoAddress, Some("anna@example.net"), Some("5.4.1"), "Access denied", Some(ORIGINAL)),
    shape("office365_mailbox_full", Class::Full, Some("anna@example.net"), Some("5.2.2"), "QuotaExceededException", Some(ORIGINAL)),
    shape("outlook_unauthenticated_sender", Class::Policy, Some("anna@outlook.example"), Some("5.7.515"), "authentication level", Some(ORIGINAL)),
    shape("hotmail_mailbox_unavailable", Class::NoAddress, Some("anna@hotmail.example"), Some("5.5.0"), "mailbox unavailable", Some(ORIGINAL)),
    shape("exchange_5_5_plain", Class::NoAddress, Some("anna@example.net"), None, "", None),
    shape("gmail_no_such_user", Class::NoAddress, Some("anna@gmail.example"), Some("5.1.1"), "does not exist", Some(ORIGINAL)),
    shape("gmail_over_quota", Class::Full, Some("anna@gmail.example"), Some("4.2.2"), "out of storage", Some(ORIGINAL)),
    shape("gmail_account_disabled", Class::NoAddress, Some("anna@gmail.example"), Some("5.2.1"), "is disabled", Some(ORIGINAL)),
    shape("gmail_unsolicited", Class::Policy, Some("anna@gmail.example"), Some("5.7.1"), "unsolicited", Some(ORIGINAL)),
    shape("yahoo_no_account", Class::NoAddress, Some("anna@yahoo.example"), Some("5.0.0"), "doesn't have a yahoo", Some(ORIGINAL)),
    shape("yahoo_user_complaints", Class::Passing, Some("anna@yahoo.example"), Some("4.7.0"), "TSS04", Some(ORIGINAL)),
    shape("yandex_no_such_user", Class::NoAddress, Some("anna@yandex.example"), Some("5.7.1"), "No such user", Some(ORIGINAL)),
    shape("yandex_spam", Class::Policy, Some("anna@yandex.example"), Some("5.7.1"), "suspicion of SPAM", Some(ORIGINAL)),
    shape("mailru_no_such_user", Class::NoAddress, Some("anna@mail.example"), Some("5.0.0"), "user not found", Some(ORIGINAL)),
    shape("mailru_blocked_account", Class::NoAddress, Some("anna@mail.example"), Some("5.0.0"), "account is disabled", Some(ORIGINAL)),
    shape("russian_full_koi8", Class::Full, Some("anna@mail.example"), None, "ящик переполнен", Some(ORIGINAL)),
    shape("ses_report", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "user unknown", Some(ORIGINAL)),
    shape("domino", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "not listed in", Some(ORIGINAL)),
    shape("notes_plain", Class::Full, Some("anna@example.net"), None, "550 Mailbox quota exceeded", Some(ORIGINAL)),
    shape("groupwise", Class::NoAddress, Some("anna@example.net"), None, "user not found", Some(ORIGINAL)),
    shape("mdaemon", Class::NoAddress, Some("anna@example.net"), Some("5.1.1"), "", Some(ORIGINAL)),
    shape("zimbra_base64_free", Class::Full, Some("anna@example.net"), Some("4.2.2"), "Over quota", Some(ORIGINAL)),
    shape("german_plain", Class::NoAddress, Some("anna@example.net"), None, "existiert nicht", Some(ORIGINAL)),
    shape("french_html_only", Class::NoAddress, Some("anna@example.net"), None, "introuvable", None),
    shape("chinese_gb2312", Class::NoAddress, Some("anna@qq.example"), None, "用户不存在", None),
    shape("japanese_iso2022", Class::NoAddress, Some("anna@docomo.example"), None, "", None),
    shape("spanish_full", Class::Full, Some("anna@correo.example"), None, "buzón está lleno", None),
    shape("arf_abuse", Class::Complaint, Some("anna@provider.example"), None, "abuse SomeGenerator", Some(ORIGINAL)),
    shape("arf_yahoo", Class::Complaint, Some("anna@yahoo.example"), None, "Yahoo!-Mail-Feedback", Some(ORIGINAL)),
    shape("arf_comcast_redacted", Class::Complaint, None, None, "ReturnPathFBL", Some(ORIGINAL)),
    shape("arf_headers_only", Class::Complaint, Some("anna@mail.example"), None, "Mail.Ru-FBL", Some(ORIGINAL)),
    shape("arf_not_spam", Class::Unknown, Some("anna@provider.example"), None, "not-spam", Some(ORIGINAL)),
    shape("outlook_complaint", Class::Complaint, Some("anna@hotmail.example"), None, "complaint about message", Some(ORIGINAL)),
    shape("vacation_rfc3834", Class::AutoReply, Some("anna@example.net"), None, "Auto: What is new", Some(ORIGINAL)),
    shape("vacation_exchange", Class::AutoReply, Some("anna@example.net"), None, "Automatic reply", Some(ORIGINAL)),
    shape("vacation_old_mark", Class::AutoReply, Some("anna@example.net"), None, "Re: What", None),
    shape("read_receipt", Class::AutoReply, None, None, "", Some(ORIGINAL)),
    shape("a_persons_answer", Class::Unknown, None, None, "", Some(ORIGINAL)),
    shape("challenge_response", Class::Unknown, None, None, "", None),
    shape("delivery_status_without_recipient", Class::Unknown, None, None, "", None),
    shape("without_header", Class::Unknown, None, None, "", None),
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes")
}

fn letter(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{file}.eml"))).unwrap()
}

/// With CRLF, as letters come over the network.
fn on_the_wire(letter: &[u8]) -> Vec<u8> {
    letter.split(|&b| b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

#[test]
fn every_shape_is_read() {
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let file = letter(shape.file);
        for (ends, letter) in [("LF", file.clone()), ("CRLF", on_the_wire(&file))] {
            let Report { class, recipient, status, diagnostic, message_id } = read(&letter);
            let found = (class, recipient.as_deref(), status.map(|s| s.to_string()), message_id.as_deref());
            let expected = (shape.class, shape.recipient, shape.status.map(str::to_owned), shape.message_id);
            if found != expected || !diagnostic.contains(shape.said) {
                wrong.push(format!("{} ({ends}): {found:?}, {diagnostic:?}", shape.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_has_its_row() {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    let mut rows: Vec<_> = SHAPES.iter().map(|shape| std::ffi::OsString::from(format!("{}.eml", shape.file))).collect();
    rows.sort();
    assert_eq!(files, rows);
}

#[test]
fn a_cut_letter_is_read_as_far_as_it_goes() {
    for shape in SHAPES {
        let letter = letter(shape.file);
        for end in (0..letter.len()).step_by(97) {
            let _ = read(&letter[..end]);
        }
    }
}

#[test]
fn what_is_too_long_is_not_read() {
    let mut letter = letter("qmail_no_mailbox");
    assert_eq!(read(&letter).class, Class::NoAddress);
    letter.resize(LETTER_MAX + 1, b'x');
    assert_eq!(read(&letter).class, Class::Unknown);
}

#[test]
fn a_diagnostic_is_one_bounded_line() {
    let text = String::from_utf8(letter("postfix_no_such_user")).unwrap();
    let long = text.replace("User unknown", &format!("User unknown \u{1b}[31m\u{202e}{}", "x".repeat(5000)));
    let diagnostic = read(long.as_bytes()).diagnostic;
    assert!(diagnostic.chars().count() <= DIAGNOSTIC_MAX && !diagnostic.contains(char::is_control));
    assert!(diagnostic.contains("User unknown [31mxxx"));
    // What is left out takes no place, and leaves none.
    let words = format!("User \u{1b}\u{1} unknown {}", "\u{18} x ".repeat(600));
    let diagnostic = read(text.replace("User unknown", &words).as_bytes()).diagnostic;
    assert!(diagnostic.chars().count() <= DIAGNOSTIC_MAX && diagnostic.contains("User unknown x x"), "{diagnostic}");
}
