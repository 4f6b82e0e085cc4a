//! Addresses under the return domain: those that bounces return to (VERP), those that mail programs write to for their
//! users to leave, and those that are there for everybody.

use super::delivery_token::DeliveryTokens;
use mail_parser::MessageParser;

/// Before a token in an address that bounces return to.
const BOUNCE: &str = "b-";
/// Before a token in an address to leave by.
const LEAVE: &str = "u-";
/// Names before the @ that are there for everybody (RFC 2142), and the one for providers' complaints.
const OFFICE: [&str; 3] = ["postmaster", "abuse", "complaints"];
/// Fields that name whom a letter reached.
const REACHED: [&str; 8] =
    ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "Resent-To", "To", "Cc"];
/// Most bytes of a header in which addresses are looked for.
const HEADER_MAX: usize = 64 * 1024;

/// What an address of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnAddress {
    /// Bounces of a delivery.
    Bounce(i64),
    /// Its reader leaves.
    Leave(i64),
    /// People and providers.
    Office,
}

/// Makes and reads the addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReturnPath {
    tokens: DeliveryTokens,
    domain: String,
}

impl ReturnPath {
    /// `domain` is in lower case and A-labels.
    pub fn new(tokens: DeliveryTokens, domain: String) -> Self {
        Self { tokens, domain }
    }

    /// The tokens in the addresses.
    pub fn tokens(&self) -> &DeliveryTokens {
        &self.tokens
    }

    /// Where bounces of a delivery return to: the envelope's sender.
    pub fn bounce(&self, delivery: i64) -> String {
        format!("{BOUNCE}{}@{}", self.tokens.token(delivery), self.domain)
    }

    /// Where a mail program writes to for the reader of the delivery with this token to leave.
    pub fn leave(&self, token: &str) -> String {
        format!("{LEAVE}{token}@{}", self.domain)
    }

    /// What an address is for; none if it is not ours. Asks no database.
    pub fn read(&self, address: &str) -> Option<ReturnAddress> {
        let (local, domain) = address.rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return None;
        }
        // Some systems change the case of what they return.
        let local = local.to_ascii_lowercase();
        if OFFICE.contains(&local.as_str()) {
            return Some(ReturnAddress::Office);
        }
        let token = |prefix| local.strip_prefix(prefix).and_then(|token| self.tokens.read(token));
        token(BOUNCE).map(ReturnAddress::Bounce).or_else(|| token(LEAVE).map(ReturnAddress::Leave))
    }

    /// The addresses of ours that a letter's header names as those it reached, where its envelope is not known.
    pub fn find(&self, letter: &[u8]) -> Vec<ReturnAddress> {
        let head = &letter[..letter.len().min(HEADER_MAX)];
        let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '(' | ')');
        let mut found = Vec::new();
        let Some(message) = MessageParser::new().parse_headers(head) else { return found };
        for field in message.headers() {
            let is = |name: &&str| field.name().eq_ignore_ascii_case(name);
            let value = head.get(field.offset_start() as usize..field.offset_end() as usize).unwrap_or_default();
            let value = String::from_utf8_lossy(value);
            let words: Box<dyn Iterator<Item = &str>> = if REACHED.iter().any(is) {
                Box::new(value.split(ends))
            } else if is(&"Received") {
                // Only this clause says whom it reached (RFC 5321 4.4); not all write brackets there.
                Box::new(
                    value.split(ends).skip_while(|word| *word != "for").filter(|word| !word.is_empty()).skip(1).take(1),
                )
            } else {
                continue;
            };
            for word in words {
                found.extend(self.read(word).filter(|address| !found.contains(address)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> ReturnPath {
        let tokens = DeliveryTokens::new(b"0123456789abcdef0123456789abcdef", []);
        ReturnPath::new(tokens, "bounces.example.org".into())
    }

    #[test]
    fn addresses_of_ours_and_others() {
        let token = ours().tokens.token(7);
        let domain = "bounces.example.org";
        assert_eq!(ours().bounce(7), format!("b-{token}@{domain}"));
        assert!(ours().bounce(7).split_once('@').unwrap().0.len() <= 64, "RFC 5321 4.5.3.1.1");
        for (address, read) in [
            (ours().bounce(7), Some(ReturnAddress::Bounce(7))),
            (ours().leave(&token), Some(ReturnAddress::Leave(7))),
            (ours().bounce(7).to_ascii_uppercase(), Some(ReturnAddress::Bounce(7))),
            (format!("Postmaster@{domain}"), Some(ReturnAddress::Office)),
            (format!("abuse@{domain}"), Some(ReturnAddress::Office)),
            (format!("b-{token}@example.org"), None),
            (format!("b-{}@{domain}", &token[1..]), None),
            (format!("b-{}@{domain}", "a".repeat(40)), None),
            (format!("{token}@{domain}"), None),
            (format!("anna@{domain}"), None),
            ("postmaster".to_owned(), None),
        ] {
            assert_eq!(ours().read(&address), read, "{address}");
        }
    }

    #[test]
    fn a_header_names_whom_it_reached() {
        let letter = |field: &str| {
            format!(
                "From: a@example.net\r\n{field}\r\nSubject: x\r\n\r\nTo: {}\r\n",
                ours().leave(&ours().tokens.token(9))
            )
        };
        for field in [
            "Delivered-To: {}",
            "To: \"Bounces\" <{}>",
            "X-Original-To:\r\n {}",
            "Received: by x for <{}>; now",
            "Received: from mx by me (envelope-from <>)\r\n\tid 1\r\n\tfor {}; now",
        ] {
            let letter = letter(&field.replace("{}", &ours().bounce(7)));
            assert_eq!(ours().find(letter.as_bytes()), [ReturnAddress::Bounce(7)], "{field}");
        }
        // What merely quotes one has reached nobody by it.
        for field in
            ["To: b@example.net", "References: <{}>", "Received: from x (envelope-from <{}>) by y", "Reply-To: {}"]
        {
            let letter = letter(&field.replace("{}", &ours().bounce(7)));
            assert!(ours().find(letter.as_bytes()).is_empty(), "{field}");
        }
    }
}
