//! How whoever gets a letter of a mailing can leave: header fields that mail programs make a button of, and a visible link.

use super::delivery_token::DeliveryTokens;
use super::header;
use super::leave_link::Link;
use super::return_path::ReturnPath;
use lettre::message::MessageBuilder;
use lettre::message::header::HeaderValue;

/// What a mailing's letters say of leaving.
#[derive(Clone, Copy, Debug)]
pub struct LeavingParts<'a> {
    pub tokens: &'a DeliveryTokens,
    /// Where the service is reached, without a trailing slash.
    pub site: &'a str,
    /// Addresses to write to instead, where letters to them are read.
    pub returns: Option<&'a ReturnPath>,
    /// The words of the visible link, in the letter's language.
    pub words: &'a str,
    pub owner: i64,
    /// 0 for a test letter, which is of none.
    pub mailing: i64,
    /// 0 for none.
    pub topic: i64,
}

/// The path of the page behind a letter's link.
pub const PAGE: &str = "/u/";

/// Says it in every letter of a run.
#[derive(Clone, Debug)]
pub struct Leaving {
    tokens: DeliveryTokens,
    pub link: Link,
    /// A button of the mail program that asks nothing more (RFC 8058) needs https.
    one_click: bool,
    returns: Option<ReturnPath>,
    /// The fields that all letters share.
    list: HeaderValue,
    feedback: HeaderValue,
}

impl Leaving {
    /// `domain` is that of the sender, in A-labels.
    pub fn new(parts: &LeavingParts<'_>, domain: &str) -> Self {
        let LeavingParts { owner, mailing, topic, .. } = parts;
        let list = if *topic == 0 { format!("u{owner}.{domain}") } else { format!("t{topic}.u{owner}.{domain}") };
        // RFC 2919 2; and what Gmail counts complaints by: mailing, owner, kind, and who we are.
        let sender: String = domain.chars().filter(char::is_ascii_alphanumeric).take(15).collect();
        Self {
            tokens: parts.tokens.clone(),
            link: Link { page: format!("{}{PAGE}", parts.site), words: parts.words.to_owned() },
            one_click: parts.site.starts_with("https:"),
            returns: parts.returns.cloned(),
            list: header::verbatim("List-Id", format!("<{list}>")),
            feedback: header::unstructured("Feedback-ID", &format!("m{mailing}:u{owner}:mailing:{sender}")),
        }
    }

    /// The token of a letter.
    pub fn token(&self, delivery: i64) -> String {
        self.tokens.token(delivery)
    }

    /// Adds the header fields (RFC 2369 3.2, RFC 8058 3.1). Some mail programs know the address to write to alone.
    pub(super) fn fields(&self, letter: MessageBuilder, token: &str) -> MessageBuilder {
        let mut ways = format!("<{}{token}>", self.link.page);
        if let Some(returns) = &self.returns {
            ways += &format!(",\r\n <mailto:{}?subject=unsubscribe>", returns.leave(token));
        }
        let mut letter = letter.raw_header(header::verbatim("List-Unsubscribe", ways));
        if self.one_click {
            letter = letter.raw_header(header::unstructured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        letter.raw_header(self.list.clone()).raw_header(self.feedback.clone())
    }
}
