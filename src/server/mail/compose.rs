//! Letters as the mail server gets them: RFC 5322 headers, a multipart/alternative body (RFC 2046).
//!
//! lettre builds the service's own letters. Of a mailing, what all letters share is made once, and each is put together here, to
//! the byte as lettre would: it reads every address again that it has just been given, which a million letters need not pay for.

use super::address::{WireAddress, WireAddressError};
use super::dkim::Signer;
use super::leaving::{Leaving, LeavingParts};
use super::smtp::Parcel;
use super::template::{Recipient, Rendered, Template, TemplateError};
use super::{encoding, header, markdown, plain};
use crate::domain::design::Look;
use crate::domain::lang::Lang;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Message, MessageBuilder, MultiPart};
use sha2::Sha256;
use std::fmt::Write;
use std::sync::Arc;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A name and an address for a header.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox<'a> {
    pub name: &'a str,
    pub address: &'a str,
}

/// What all letters of a run share.
#[derive(Clone, Copy, Debug)]
pub struct RunParts<'a> {
    /// The service's address under the owner's name.
    pub from: Mailbox<'a>,
    /// The owner's address.
    pub reply_to: &'a str,
    pub subject: &'a str,
    /// What mail programs show beside the subject; empty for none.
    pub preheader: &'a str,
    pub body: &'a str,
    /// How it looks; without one, like a letter that somebody typed.
    pub look: Option<&'a Look>,
    pub lang: Lang,
    pub run_id: i64,
    /// Makes Message-IDs that can be repeated but not guessed.
    pub secret: &'a [u8],
    /// Signs every letter, where there is a key.
    pub dkim: Option<&'a Arc<Signer>>,
    /// How whoever gets one can leave.
    pub leaving: LeavingParts<'a>,
}

/// Which letter of its run is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    pub client: i64,
    /// What its token names.
    pub delivery: i64,
}

/// A letter that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Without the angle brackets.
    pub message_id: String,
    /// The recipient for RCPT TO; its domain is in A-labels where that is possible.
    pub recipient: String,
    /// The whole text, CRLF line ends, before dot-stuffing; ASCII unless `needs_smtputf8`.
    pub bytes: Vec<u8>,
    /// Whether an address in it has no ASCII form (RFC 6531).
    pub needs_smtputf8: bool,
}

impl Letter {
    /// As a connection takes it.
    pub fn parcel<'a>(&'a self, sender: &'a str) -> Parcel<'a> {
        Parcel { sender, recipient: &self.recipient, bytes: &self.bytes, needs_smtputf8: self.needs_smtputf8 }
    }
}

/// Why a letter cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("{role}: {error}")]
    Address { role: &'static str, error: WireAddressError },
    /// What the library that builds letters will not have.
    #[error("the letter cannot be built: {0}")]
    Build(String),
}

fn wire(role: &'static str, address: &str) -> Result<WireAddress, ComposeError> {
    WireAddress::new(address).map_err(|error| ComposeError::Address { role, error })
}

/// Makes the letters of one run. It is built once and shared by all connections.
pub struct Composer {
    template: Template,
    /// From and Reply-To as they stand in every letter.
    head: String,
    sender: WireAddress,
    /// Of the sender, as A-labels.
    domain: String,
    needs_smtputf8: bool,
    /// Keyed with the secret, already fed with the run.
    mac: Hmac<Sha256>,
    dkim: Option<Arc<Signer>>,
    leaving: Leaving,
}

impl Composer {
    /// Compiles the message and writes the headers that all letters share.
    ///
    /// # Errors
    /// A template problem, or an address that cannot stand in a header.
    pub fn new(parts: &RunParts<'_>) -> Result<Self, ComposeError> {
        let sender = wire("From", parts.from.address)?;
        let domain = sender.domain();
        let leaving = Leaving::new(&parts.leaving, &domain);
        let template = Template::new(parts.subject, parts.body, parts.lang.as_str())?
            .with_preheader(parts.preheader)?
            .with_look(parts.look, parts.leaving.site)
            .with_link(leaving.link.clone());
        let reply_to = wire("Reply-To", parts.reply_to)?;
        let letter = Message::builder()
            .raw_header(header::mailbox("From", parts.from.name, &sender.text))
            .raw_header(header::mailbox("Reply-To", "", &reply_to.text));
        // What the library refuses of these is refused here, once.
        let ends = Ends { from: &sender, to: &sender };
        finish(letter, ends, "", DateTime::UNIX_EPOCH, "", ("", ""))?;
        let mut head = String::new();
        header::push_mailbox(&mut head, "From", parts.from.name, &sender.text);
        header::push_mailbox(&mut head, "Reply-To", "", &reply_to.text);
        let mut mac = keyed(parts.secret);
        mac.update(b"message-id\0");
        mac.update(&parts.run_id.to_be_bytes());
        let needs_smtputf8 = sender.needs_smtputf8 || reply_to.needs_smtputf8;
        Ok(Self { template, head, sender, domain, needs_smtputf8, mac, dkim: parts.dkim.cloned(), leaving })
    }

    /// The address for MAIL FROM.
    pub fn sender(&self) -> &str {
        &self.sender.text
    }

    /// The Message-ID of a client's letter: the same each time it is asked for, so that a repeated
    /// letter can be recognised by its receiver.
    pub fn message_id(&self, client_key: i64) -> String {
        let mut mac = self.mac.clone();
        mac.update(&client_key.to_be_bytes());
        let mut id = String::with_capacity(33 + self.domain.len());
        for b in &mac.finalize().into_bytes()[..16] {
            id.extend([b >> 4, b & 15].map(|half| char::from(HEX[usize::from(half)])));
        }
        id.push('@');
        id.push_str(&self.domain);
        id
    }

    /// Makes the letter for one client.
    ///
    /// # Errors
    /// If the template fails for this client's data or the address cannot stand in a header.
    pub fn compose(
        &self,
        recipient: &Recipient<'_>,
        which: Which,
        date: DateTime<Utc>,
    ) -> Result<Letter, ComposeError> {
        let to = wire("To", recipient.email)?;
        let token = self.leaving.token(which.delivery);
        let rendered = self.template.render_with(recipient, &token)?;
        let message_id = self.message_id(which.client);
        let mut out = self.put_together(recipient, &to.text, &token, date, &message_id, &rendered);
        if let Some(signer) = &self.dkim {
            out = signer.signed(out, date);
        }
        Ok(Letter {
            message_id,
            recipient: to.text,
            bytes: out,
            needs_smtputf8: self.needs_smtputf8 || to.needs_smtputf8,
        })
    }

    /// The letter for somebody, before it is signed. `to` is the recipient's address as it goes over the wire.
    pub(super) fn put_together(
        &self,
        recipient: &Recipient<'_>,
        to: &str,
        token: &str,
        date: DateTime<Utc>,
        message_id: &str,
        rendered: &Rendered,
    ) -> Vec<u8> {
        // Many letters are at hand at once: each has the room that it needs, and little more.
        let texts = [&rendered.text, &rendered.html];
        let room: usize = texts.iter().map(|text| encoding::room(text)).sum();
        let mut head = String::with_capacity(self.head.len() + 900 + room);
        head.push_str(&self.head);
        header::push_mailbox(&mut head, "To", recipient.full_name, to);
        self.leaving.write_fields(&mut head, token);
        header::push_unstructured(&mut head, "Subject", &rendered.subject);
        // RFC 5322 3.3.
        let date = date.format("%a, %d %b %Y %H:%M:%S +0000");
        let boundary = boundary(message_id);
        // A String takes everything.
        let _ = write!(
            head,
            "Date: {date}\r\nMessage-ID: <{message_id}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n",
        );
        let mut letter = head.into_bytes();
        encoding::push_part(&mut letter, "text/plain; charset=utf-8", &rendered.text);
        letter.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        encoding::push_part(&mut letter, "text/html; charset=utf-8", &rendered.html);
        letter.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        letter
    }
}

/// What parts a letter: `=_` cannot come out of quoted-printable or base64 (RFC 2045 6.7); the rest is hard to guess.
fn boundary(message_id: &str) -> String {
    let local = message_id.split('@').next().unwrap_or_default();
    format!("=_{}", local.get(..24).unwrap_or(local))
}

impl std::fmt::Debug for Composer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composer").field("sender", &self.sender.text).finish_non_exhaustive()
    }
}

/// A letter of the service itself, such as a confirmation. `markdown_body` is trusted Markdown: pass
/// what people typed through [`markdown::escape`]. `id` is what stands before the @ of its Message-ID.
///
/// # Errors
/// If an address cannot stand in a header.
pub fn system_letter(
    from: Mailbox<'_>,
    to: Mailbox<'_>,
    subject: &str,
    markdown_body: &str,
    lang: Lang,
    date: DateTime<Utc>,
    id: &str,
) -> Result<Letter, ComposeError> {
    let (sender, recipient) = (wire("From", from.address)?, wire("To", to.address)?);
    let subject = header::clean(subject);
    let fragment = markdown::to_html(markdown_body);
    let mut title = String::new();
    super::fill::escape_html(&mut title, &subject);
    let html = markdown::document(&fragment, lang.as_str(), &title);
    let letter = Message::builder()
        .raw_header(header::mailbox("From", from.name, &sender.text))
        .raw_header(header::mailbox("To", to.name, &recipient.text))
        // RFC 3834 5: keeps vacation responders from answering.
        .raw_header(header::unstructured("Auto-Submitted", "auto-generated"));
    let message_id = format!("{id}@{}", sender.domain());
    let ends = Ends { from: &sender, to: &recipient };
    let bytes = finish(letter, ends, &subject, date, &message_id, (&plain::to_text(&fragment), &html))?;
    Ok(Letter {
        message_id,
        recipient: recipient.text,
        bytes,
        needs_smtputf8: sender.needs_smtputf8 || recipient.needs_smtputf8,
    })
}

/// Whom a letter is from and to, for its envelope.
struct Ends<'a> {
    from: &'a WireAddress,
    to: &'a WireAddress,
}

/// Adds the remaining headers and the body, as text and as HTML.
fn finish(
    letter: MessageBuilder,
    ends: Ends<'_>,
    subject: &str,
    date: DateTime<Utc>,
    message_id: &str,
    (text, html): (&str, &str),
) -> Result<Vec<u8>, ComposeError> {
    let build = |error: &dyn std::fmt::Display| ComposeError::Build(error.to_string());
    let boundary = boundary(message_id);
    let kind = ContentType::parse(&format!("multipart/alternative; boundary=\"{boundary}\"")).map_err(|e| build(&e))?;
    let body = MultiPart::builder()
        .header(kind)
        .singlepart(encoding::part(ContentType::TEXT_PLAIN, text))
        .singlepart(encoding::part(ContentType::TEXT_HTML, html));
    let letter = letter
        .envelope(Envelope::new(Some(ends.from.to_lettre()), vec![ends.to.to_lettre()]).map_err(|e| build(&e))?)
        .raw_header(header::unstructured("Subject", subject))
        .date(date.into())
        .message_id(Some(format!("<{message_id}>")))
        .multipart(body)
        .map_err(|e| build(&e))?;
    Ok(letter.formatted())
}

/// HMAC takes a key of any length (RFC 2104 2), so an empty start and an update would do as well; a
/// hashed key has exactly the block's size and cannot be refused.
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    use sha2::Digest;
    let mut key = [0u8; 64];
    key[..32].copy_from_slice(&Sha256::digest(secret));
    Hmac::new(&key.into())
}
