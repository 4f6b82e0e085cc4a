//! Letters read back by another implementation of the mail format.

use super::compose::{Composer, Letter, Mailbox, RunParts, Which, system_letter};
use super::delivery_token::DeliveryTokens;
use super::leaving::LeavingParts;
use super::return_path::ReturnPath;
use super::template::{Recipient, Rendered};
use super::{encoding, header};
use crate::domain::lang::Lang;
use chrono::{DateTime, TimeZone, Utc};
use lettre::address::Envelope;
use lettre::message::MultiPart;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use mail_parser::{Message, MessageParser};
use proptest::prelude::*;
use std::sync::LazyLock;

const WHICH: Which = Which { client: 42, delivery: 4711 };

static TOKENS: LazyLock<DeliveryTokens> = LazyLock::new(|| DeliveryTokens::new(b"secret", []));

static PARTS: LazyLock<RunParts<'static>> = LazyLock::new(|| RunParts {
    from: Mailbox { name: "Анна Ким", address: "service@vestnik.example" },
    reply_to: "anna@example.org",
    subject: "Привет, {{ full_name }}! Новости этой недели и ещё кое-что очень длинное",
    body: "# Здравствуйте, {{ full_name }}\n\nЧитайте [новости](https://example.org/n?u={{ email }}).\n",
    preheader: "",
    look: None,
    lang: Lang::Ru,
    run_id: 7,
    secret: b"secret",
    dkim: None,
    leaving: LeavingParts {
        tokens: &TOKENS,
        site: "https://mail.example.org",
        returns: None,
        words: "Отписаться",
        owner: 3,
        mailing: 5,
        topic: 0,
    },
});

fn date() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 9, 4, 5, 6).unwrap()
}

fn compose(parts: &RunParts<'_>, email: &str, full_name: &str) -> Letter {
    let recipient = Recipient { email, full_name, comment: "" };
    Composer::new(parts).unwrap().compose(&recipient, WHICH, date()).unwrap()
}

fn parse(letter: &Letter) -> Message<'_> {
    MessageParser::default().parse(&letter.bytes).unwrap()
}

fn header_names(letter: &Letter) -> Vec<String> {
    let text = String::from_utf8(letter.bytes.clone()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap();
    head.split("\r\n")
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect()
}

const HEADERS: [&str; 12] = [
    "From",
    "Reply-To",
    "To",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Feedback-ID",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn a_cyrillic_letter_reads_back() {
    let letter = compose(&PARTS, "ivan@example.net", "Иван Петров");
    assert!(letter.bytes.is_ascii() && !letter.needs_smtputf8);
    assert_eq!(header_names(&letter), HEADERS);
    for line in letter.bytes.split(|b| *b == b'\n') {
        // An address in a field cannot be folded.
        assert!(line.len() <= 79 || line.starts_with(b"List-Unsubscribe: "));
        assert!(line.is_empty() || line.ends_with(b"\r"), "a bare line feed");
    }
    let message = parse(&letter);
    assert_eq!(message.subject().unwrap(), "Привет, Иван Петров! Новости этой недели и ещё кое-что очень длинное");
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name().unwrap(), from.address().unwrap()), ("Анна Ким", "service@vestnik.example"));
    let to = message.to().unwrap().first().unwrap();
    assert_eq!((to.name().unwrap(), to.address().unwrap()), ("Иван Петров", "ivan@example.net"));
    assert_eq!(message.reply_to().unwrap().first().unwrap().address().unwrap(), "anna@example.org");
    assert_eq!(message.date().unwrap().to_timestamp(), date().timestamp());
    assert_eq!(message.message_id().unwrap(), letter.message_id);
    assert_eq!(message.content_type_subtype(), "alternative");
    assert_eq!(
        message.body_text(0).unwrap().trim_end(),
        format!(
            "# Здравствуйте, Иван Петров\r\n\r\nЧитайте новости <https://example.org/n?u=ivan%40example.net>.\r\n\r\n\
             Отписаться <https://mail.example.org/u/{}>",
            TOKENS.token(4711)
        )
    );
    let html = message.body_html(0).unwrap();
    assert!(html.contains("<html lang=\"ru\">") && html.contains("Здравствуйте, Иван Петров</h1>"), "{html}");
}

trait Subtype {
    fn content_type_subtype(&self) -> String;
}

impl Subtype for Message<'_> {
    fn content_type_subtype(&self) -> String {
        use mail_parser::MimeHeaders;
        self.content_type().and_then(|kind| kind.subtype()).unwrap_or_default().to_owned()
    }
}

#[test]
fn message_ids_repeat_for_the_same_client_only() {
    let composer = Composer::new(&PARTS).unwrap();
    assert_eq!(composer.message_id(42), compose(&PARTS, "a@b.co", "").message_id);
    assert_ne!(composer.message_id(42), composer.message_id(43));
    for other in [RunParts { run_id: 8, ..*PARTS }, RunParts { secret: b"other", ..*PARTS }] {
        assert_ne!(composer.message_id(42), Composer::new(&other).unwrap().message_id(42));
    }
    assert!(composer.message_id(1).ends_with("@vestnik.example"));
}

#[test]
fn international_addresses() {
    let letter = compose(&PARTS, "ivan@пример.рф", "Иван");
    assert_eq!(letter.recipient, "ivan@xn--e1afmkfd.xn--p1ai");
    assert!(letter.bytes.is_ascii() && !letter.needs_smtputf8);
    let letter = compose(&PARTS, "иван@пример.рф", "Иван");
    assert!(letter.needs_smtputf8);
    assert!(String::from_utf8(letter.bytes).unwrap().contains("<иван@пример.рф>"));
    let recipient = Recipient { email: "a@b.c>\r\nBcc: <x@y.z", full_name: "", comment: "" };
    assert!(Composer::new(&PARTS).unwrap().compose(&recipient, WHICH, date()).is_err());
}

#[test]
fn an_address_beyond_ascii_may_stand_anywhere() {
    let parts =
        RunParts {
            from: Mailbox { name: "Анна", address: "служба@почта.рф" }, reply_to: "анна@пример.рф", ..*PARTS
        };
    let source = String::from_utf8(compose(&parts, "иван@пример.рф", "Иван").bytes).unwrap();
    for line in ["<служба@почта.рф>\r\n", "Reply-To: анна@пример.рф\r\n", " <иван@пример.рф>\r\n"]
    {
        assert!(source.contains(line), "{source}");
    }
    // Identifiers are ASCII, and no encoded words.
    assert_eq!(field(&source, "List-Id"), "<u3.xn--80a1acny.xn--p1ai>");
    let id = field(&source, "Message-ID");
    assert!(id.starts_with('<') && id.ends_with("@xn--80a1acny.xn--p1ai>"), "{id}");
    let long = format!("news@{}.example", "a".repeat(60));
    let parts = RunParts { from: Mailbox { name: "", address: &long }, ..*PARTS };
    let source = String::from_utf8(compose(&parts, "a@b.co", "").bytes).unwrap();
    assert!(field(&source, "List-Id").starts_with("<u3.aaa"), "{source}");
}

#[test]
fn a_long_head_is_folded_and_reads_back() {
    let word = "=?utf-8?b?".repeat(12);
    for subject in [word.as_str(), "long ".repeat(60).trim(), &"x".repeat(200), "two  spaces"] {
        let parts = RunParts { subject, from: Mailbox { name: subject, ..PARTS.from }, ..*PARTS };
        let letter = compose(&parts, "ivan@example.net", subject);
        let message = parse(&letter);
        assert_eq!(message.subject().unwrap(), subject);
        assert_eq!(message.from().unwrap().first().unwrap().name().unwrap(), subject);
        assert_eq!(message.to().unwrap().first().unwrap().name().unwrap(), subject);
        let head = String::from_utf8(letter.bytes.clone()).unwrap().split("\r\n\r\n").next().unwrap().to_owned();
        assert!(head.lines().all(|line| line.len() <= 78 || line.starts_with("List-Unsubscribe: ")), "{head}");
    }
}

#[test]
fn system_letters_say_so() {
    let from = Mailbox { name: "Vestnik", address: "service@vestnik.example" };
    let to = Mailbox { name: "Анна", address: "anna@example.org" };
    let letter = system_letter(from, to, "Confirm", "Open <https://x.org/c?t=1&u=2>", Lang::En, date(), "1").unwrap();
    let message = parse(&letter);
    assert_eq!(message.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    assert_eq!(message.body_text(0).unwrap().trim_end(), "Open https://x.org/c?t=1&u=2");
    assert_eq!(message.message_id().unwrap(), "1@vestnik.example");
}

proptest! {
    #[test]
    fn no_name_or_subject_adds_a_header(
        name in "(\\PC|[\r\n\0:\u{2028}]|Bcc: x@y.z){0,40}",
        subject in "(\\PC|[\r\n\0:\u{2028}]|\r\n\r\nBcc: x@y.z){0,40}",
    ) {
        let subject = subject.replace(['{', '}'], "");
        let parts = RunParts {
            from: Mailbox { name: &name, ..PARTS.from },
            subject: &format!("{subject} {{{{ full_name }}}}"),
            ..*PARTS
        };
        let letter = compose(&parts, "ivan@example.net", &name);
        prop_assert_eq!(header_names(&letter), HEADERS);
        prop_assert!(letter.bytes.is_ascii() && !letter.bytes.contains(&0));
    }
}

/// The same letter, built by the library.
fn by_the_library(
    parts: &RunParts<'_>,
    (name, to): (&str, &str),
    token: &str,
    id: &str,
    rendered: &Rendered,
) -> Vec<u8> {
    let as_it_is = |name: &'static str, value: String| {
        HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
    };
    let address = |text: &str| text.parse::<lettre::Address>().unwrap();
    let envelope = Envelope::new(Some(address(parts.from.address)), vec![address(to)]).unwrap();
    let kind = format!("multipart/alternative; boundary=\"=_{}\"", &id[..24]);
    let body = MultiPart::builder()
        .header(ContentType::parse(&kind).unwrap())
        .singlepart(encoding::part(ContentType::TEXT_PLAIN, &rendered.text))
        .singlepart(encoding::part(ContentType::TEXT_HTML, &rendered.html));
    lettre::Message::builder()
        .raw_header(header::mailbox("From", parts.from.name, parts.from.address))
        .raw_header(header::mailbox("Reply-To", "", parts.reply_to))
        .raw_header(header::mailbox("To", name, to))
        .raw_header(as_it_is("List-Unsubscribe", format!("<{}/u/{token}>", parts.leaving.site)))
        .raw_header(as_it_is("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
        .raw_header(as_it_is("List-Id", "<u3.vestnik.example>".to_owned()))
        .raw_header(as_it_is("Feedback-ID", "m5:u3:mailing:vestnikexample".to_owned()))
        .envelope(envelope)
        .raw_header(header::unstructured("Subject", &rendered.subject))
        .date(date().into())
        .message_id(Some(format!("<{id}>")))
        .multipart(body)
        .unwrap()
        .formatted()
}

proptest! {
    #[test]
    fn each_letter_is_what_the_library_would_build(
        name in "\\PC{0,60}",
        subject in "\\PC{0,120}",
        text in "[ -~\t\n\u{a0}-\u{4ff}=.]{0,400}",
        html in "[ -~\n\u{a0}-\u{bf}]{0,400}",
    ) {
        let composer = Composer::new(&PARTS).unwrap();
        let (to, token, id) = ("ivan@example.net", TOKENS.token(4711), composer.message_id(42));
        let recipient = Recipient { email: to, full_name: &name, comment: "" };
        let rendered = Rendered { subject, preheader: String::new(), text, html };
        let ours = composer.put_together(&recipient, to, &token, date(), &id, &rendered);
        let theirs = by_the_library(&PARTS, (&name, to), &token, &id, &rendered);
        prop_assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(theirs).unwrap());
    }
}

/// Line ends of every kind and a NUL, each with a header and a body behind it.
const BREAKS: [&str; 7] = ["\r\n", "\n", "\r", "\0", "\u{85}", "\u{2028}", "\r\n\r\n"];

/// The letters that a field makes with such a text in it; none where it is refused.
fn with(text: &str, field: &str) -> Option<Letter> {
    let filled = "{{ full_name }} {{ comment }} {{ email }}";
    let mut parts = RunParts { subject: filled, body: filled, ..*PARTS };
    let mut recipient = Recipient { email: "ivan@example.net", full_name: "Иван", comment: "c" };
    let (mut from, mut to, mut title) = ("Vestnik", "Анна", "Confirm");
    let mut body = "Open <https://x.org/c?t=1>";
    let (mut sender, mut address) = ("service@vestnik.example", "anna@example.org");
    match field {
        "owner's name" => parts.from.name = text,
        "owner's address" => parts.reply_to = text,
        "service's address" => (parts.from.address, sender) = (text, text),
        "subject" => parts.subject = text,
        "body" => parts.body = text,
        "client's address" => recipient.email = text,
        "client's name" => recipient.full_name = text,
        "client's comment" => recipient.comment = text,
        // The service's own letters: who they are to, and what they tell of.
        "service's name" => from = text,
        "user's name" => to = text,
        "user's address" => address = text,
        "title" => title = text,
        "reason" => body = text,
        _ => unreachable!("no such field"),
    }
    if ["service's name", "user's name", "user's address", "title", "reason"].contains(&field) {
        let (from, to) = (Mailbox { name: from, address: sender }, Mailbox { name: to, address });
        return system_letter(from, to, title, body, Lang::En, date(), "1").ok();
    }
    Composer::new(&parts).ok()?.compose(&recipient, WHICH, date()).ok()
}

#[test]
fn no_field_of_a_letter_adds_a_header() {
    let fields = [
        "owner's name",
        "owner's address",
        "service's address",
        "subject",
        "body",
        "client's address",
        "client's name",
        "client's comment",
        "service's name",
        "user's name",
        "user's address",
        "title",
        "reason",
    ];
    let mut made = 0;
    for field in fields {
        let plain = if field.contains("address") { "a@example.org" } else { "plain" };
        let expected = header_names(&with(plain, field).expect(field));
        for line_end in BREAKS {
            for text in [
                format!("{plain}{line_end}Bcc: x@y.z{line_end}{line_end}body"),
                format!("{line_end}Bcc: x@y.z"),
                format!("{plain}{line_end}"),
                format!("{plain}>{line_end}Bcc: <x@y.z"),
            ] {
                let Some(letter) = with(&text, field) else { continue };
                made += 1;
                assert_eq!(header_names(&letter), expected, "{field}: {text:?}");
                assert!(!letter.bytes.contains(&0), "{field}: {text:?}");
                let head = String::from_utf8_lossy(&letter.bytes).split("\r\n\r\n").next().unwrap().to_owned();
                let bare = head.replace("\r\n", "").contains(['\r', '\n']);
                assert!(!bare && !head.contains("\r\nBcc"), "{field}: {text:?} in {head:?}");
            }
        }
        if field.contains("address") {
            assert!(with("a@example.org\r\nBcc: x@y.z", field).is_none(), "{field}");
        }
    }
    assert!(made > 200, "{made}");
}

/// Run with `cargo test --release --features ssr --lib composing_is_fast -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn composing_is_fast() {
    let body = format!("{}\n\n{}", PARTS.body, "Ещё один абзац **текста** для письма, подлиннее. ".repeat(40));
    let composer = Composer::new(&RunParts { body: &body, ..*PARTS }).unwrap();
    let started = std::time::Instant::now();
    let (count, mut bytes) = (20_000, 0);
    for client in 0..count {
        let email = format!("client{client}@example.org");
        let recipient = Recipient { email: &email, full_name: "Иван Петров", comment: "" };
        bytes += composer.compose(&recipient, Which { client, ..WHICH }, date()).unwrap().bytes.len();
    }
    let each = started.elapsed() / u32::try_from(count).unwrap();
    println!("{each:?} and {} bytes a letter", bytes / usize::try_from(count).unwrap());
}

fn field<'a>(letter: &'a str, name: &str) -> &'a str {
    let at = letter.find(&format!("\r\n{name}: ")).unwrap() + name.len() + 4;
    letter[at..].split("\r\n").next().unwrap()
}

#[test]
fn a_letter_says_how_to_leave_by_button_and_by_link() {
    let letter = compose(&PARTS, "ivan@example.net", "Иван");
    let source = String::from_utf8(letter.bytes.clone()).unwrap();
    let page = format!("https://mail.example.org/u/{}", TOKENS.token(4711));
    assert_eq!(field(&source, "List-Unsubscribe"), format!("<{page}>"));
    assert_eq!(field(&source, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(field(&source, "List-Id"), "<u3.vestnik.example>");
    assert_eq!(field(&source, "Feedback-ID"), "m5:u3:mailing:vestnikexample");
    let message = parse(&letter);
    let (html, text) = (message.body_html(0).unwrap(), message.body_text(0).unwrap());
    assert!(html.contains(&format!("<a href=\"{page}\"")) && html.contains(">Отписаться</a>"), "{html}");
    assert!(text.contains("Отписаться") && text.contains(&page), "{text}");
    // Without https there is a page, and no button.
    let leaving = LeavingParts { site: "http://127.0.0.1:3000", topic: 9, ..PARTS.leaving };
    let plain = compose(&RunParts { leaving, ..*PARTS }, "ivan@example.net", "");
    let source = String::from_utf8(plain.bytes).unwrap();
    assert!(source.contains("\r\nList-Unsubscribe: <http://127.0.0.1:3000/u/") && !source.contains("One-Click"));
    assert_eq!(field(&source, "List-Id"), "<t9.u3.vestnik.example>");
    // With a return domain there is also an address to write to; the signature covers a field that is folded.
    let returns = ReturnPath::new(TOKENS.clone(), "bounces.example.org".into());
    let leaving = LeavingParts { returns: Some(&returns), ..PARTS.leaving };
    let source = compose(&RunParts { leaving, ..*PARTS }, "ivan@example.net", "").bytes;
    let source = String::from_utf8(source).unwrap();
    let both = format!("<{page}>,\r\n <mailto:u-{}@bounces.example.org?subject=unsubscribe>", TOKENS.token(4711));
    assert!(source.contains(&format!("\r\nList-Unsubscribe: {both}\r\nList-Unsubscribe-Post: ")), "{source}");
}

#[test]
fn a_message_that_says_the_link_has_it_once() {
    let said = "[Out]({{ unsubscribe_url }}) or <{{ unsubscribe_url }}>";
    let letter = compose(&RunParts { body: said, subject: "s {{ unsubscribe_url }}", ..*PARTS }, "a@b.co", "");
    let page = format!("https://mail.example.org/u/{}", TOKENS.token(4711));
    let message = parse(&letter);
    let (html, text) = (message.body_html(0).unwrap(), message.body_text(0).unwrap());
    assert_eq!(html.matches(&format!("href=\"{page}\"")).count(), 2, "{html}");
    assert!(!html.contains("Отписаться") && text.matches(&*page).count() == 2, "{text}");
    assert_eq!(message.subject().unwrap(), format!("s {page}"));
    // Where a condition leaves it out, the end has it.
    let branched = "{% if full_name %}[Out]({{ unsubscribe_url }}){% endif %} x";
    for (name, footer) in [("Anna", false), ("", true)] {
        let letter = compose(&RunParts { body: branched, ..*PARTS }, "a@b.co", name);
        let html = parse(&letter).body_html(0).unwrap().into_owned();
        assert_eq!((html.contains("Отписаться"), html.matches(&page).count()), (footer, 1), "{html}");
    }
}

#[test]
fn the_services_own_letters_have_none_of_it() {
    let mailbox = Mailbox { name: "", address: "a@example.org" };
    let letter = system_letter(mailbox, mailbox, "s", "b", Lang::En, date(), "1").unwrap();
    assert!(!String::from_utf8(letter.bytes).unwrap().contains("List-"));
}
