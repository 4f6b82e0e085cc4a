//! How whoever gets a letter of a mailing can leave: header fields that mail programs make a button of, and a visible link.

use super::delivery_token::DeliveryTokens;
use super::header;
use super::leave_link::Link;
use super::return_path::ReturnPath;

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
    returns: Option<ReturnPath>,
    /// The fields that all letters share.
    shared: String,
}

impl Leaving {
    /// `domain` is that of the sender, in A-labels.
    pub fn new(parts: &LeavingParts<'_>, domain: &str) -> Self {
        let LeavingParts { owner, mailing, topic, .. } = parts;
        let list = if *topic == 0 { format!("u{owner}.{domain}") } else { format!("t{topic}.u{owner}.{domain}") };
        // RFC 2919 2; and what Gmail counts complaints by: mailing, owner, kind, and who we are.
        let sender: String = domain.chars().filter(char::is_ascii_alphanumeric).take(15).collect();
        let mut shared = String::new();
        // A button of the mail program that asks nothing more (RFC 8058) needs https.
        if parts.site.starts_with("https:") {
            shared += "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
        }
        // As it stands, however long: programs read it, and know no encoded words there.
        shared += &format!("List-Id: <{list}>\r\n");
        let feedback = format!("m{mailing}:u{owner}:mailing:{sender}");
        header::push_unstructured(&mut shared, "Feedback-ID", &feedback);
        Self {
            tokens: parts.tokens.clone(),
            link: Link { page: format!("{}{PAGE}", parts.site), words: parts.words.to_owned() },
            returns: parts.returns.cloned(),
            shared,
        }
    }

    /// The token of a letter.
    pub fn token(&self, delivery: i64) -> String {
        self.tokens.token(delivery)
    }

    /// Adds the header fields (RFC 2369 3.2, RFC 8058 3.1). Some mail programs know the address to write to alone.
    pub(super) fn write_fields(&self, head: &mut String, token: &str) {
        head.push_str("List-Unsubscribe: <");
        head.push_str(&self.link.page);
        head.push_str(token);
        head.push('>');
        if let Some(returns) = &self.returns {
            head.push_str(",\r\n <mailto:");
            head.push_str(&returns.leave(token));
            head.push_str("?subject=unsubscribe>");
        }
        head.push_str("\r\n");
        head.push_str(&self.shared);
    }
}
