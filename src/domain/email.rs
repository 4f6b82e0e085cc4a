//! Email addresses: checked once, here, for forms, imports and the command line.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An address that may be stored and sent to. Local parts are dot-atoms (RFC 5322 3.2.3) that may
/// hold non-ASCII letters (RFC 6531 3.3). A quoted local part is written without quotes where it can be: that is the same address
/// (RFC 5321 4.1.2). Others, and address literals, are refused, because hardly any receiver has them and hardly any form survives
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is not an address. Its `key` names a sentence in the locale files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("the address is empty")]
    Empty,
    #[error("the address has no @ or more than one")]
    At,
    #[error("the part before the @ is not valid")]
    Local,
    #[error("the part before the @ needs quotes")]
    Quoted,
    #[error("the part after the @ is not a domain")]
    Domain,
    #[error("the address is too long")]
    TooLong,
}

impl EmailError {
    /// The locale key of the sentence that explains this error.
    pub fn key(self) -> &'static str {
        match self {
            Self::Empty => "error.email.empty",
            Self::At => "error.email.at",
            Self::Local => "error.email.local",
            Self::Quoted => "error.email.quoted",
            Self::Domain => "error.email.domain",
            Self::TooLong => "error.email.too_long",
        }
    }
}

/// RFC 5321 4.5.3.1.3: a path holds at most 256 octets, brackets included.
const MAX_OCTETS: usize = 254;
/// RFC 5321 4.5.3.1.1.
const MAX_LOCAL_OCTETS: usize = 64;
/// RFC 1035 2.3.4.
const MAX_LABEL_OCTETS: usize = 63;

impl EmailAddress {
    /// Reads an address. What stands around one in a link, a mail program or a table is dropped: white space and signs
    /// that nobody sees, `<…>`, `mailto:` with its subject.
    ///
    /// # Errors
    /// Says which part of the address is wrong.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = bare(text);
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let unquoted = unquoted(text)?;
        let text = unquoted.as_deref().unwrap_or(text);
        let Some((local, domain)) = text.split_once('@') else {
            return Err(EmailError::At);
        };
        if domain.contains('@') {
            return Err(EmailError::At);
        }
        if text.len() > MAX_OCTETS || local.len() > MAX_LOCAL_OCTETS {
            return Err(EmailError::TooLong);
        }
        if !is_dot_atom(local) {
            return Err(EmailError::Local);
        }
        if !is_domain(domain) {
            return Err(EmailError::Domain);
        }
        Ok(Self { at: local.len(), text: text.to_owned() })
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, as it was written.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// What makes two addresses the same: the local part to the letter, the domain without case
    /// (RFC 5321 2.4).
    pub fn key(&self) -> String {
        format!("{}@{}", self.local(), self.domain().to_lowercase())
    }

    /// Whether a server must announce SMTPUTF8 to take it (RFC 6531); the domain could be sent as
    /// A-labels, the local part could not.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local().is_ascii()
    }
}

/// Name and address of a mailbox as mail programs write it (RFC 5322 3.4): `"John Smith" <john@example.org>`. The name is
/// empty where there is none.
pub fn mailbox(text: &str) -> (String, &str) {
    let text = trim(text);
    let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) else {
        return (String::new(), text);
    };
    let name = trim(name);
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    (name.replace("\\\"", "\"").replace("\\\\", "\\"), trim(address))
}

/// An address with a quoted local part, written without quotes; none if it has no such part.
fn unquoted(text: &str) -> Result<Option<String>, EmailError> {
    let Some((quoted, domain)) = text.strip_prefix('"').and_then(|text| text.rsplit_once("\"@")) else {
        return Ok(None);
    };
    let mut local = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Err(EmailError::Local),
            '\\' => local.push(chars.next().ok_or(EmailError::Local)?),
            c => local.push(c),
        }
    }
    if is_dot_atom(&local) { Ok(Some(format!("{local}@{domain}"))) } else { Err(EmailError::Quoted) }
}

fn is_dot_atom(local: &str) -> bool {
    !local.is_empty() && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn bare(text: &str) -> &str {
    let text = trim(text);
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).map_or(text, trim);
    const MAILTO: &str = "mailto:";
    match text.get(..MAILTO.len()) {
        // RFC 6068 2: what follows a question mark is the letter, not its receiver.
        Some(scheme) if scheme.eq_ignore_ascii_case(MAILTO) => {
            trim(text[MAILTO.len()..].split('?').next().unwrap_or_default())
        }
        _ => text,
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c) || c == '\u{ad}')
}

/// `atext` of RFC 5322 3.2.3, widened by RFC 6531 3.3 to non-ASCII; control and space characters of
/// any script stay out.
fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control() && !c.is_whitespace() && !is_invisible(c)
    }
}

/// Characters that change how an address looks without being seen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && label.len() <= MAX_LABEL_OCTETS
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| {
                    c == '-' || if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() || is_mark(c) }
                })
        })
        && !labels[labels.len() - 1].chars().all(|c| c.is_ascii_digit())
}

/// Vowel signs and joiners that words of Indic and Arabic scripts need (RFC 5892 A.1, A.2).
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{0900}'..='\u{0dff}' | '\u{200c}' | '\u{200d}')
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.text
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_people_have() {
        for good in [
            "a@b.co",
            "anna.ivanova+list@example.org",
            "o'neil@example.com",
            "почта@пример.рф",
            "user@xn--e1afmkfd.xn--p1ai",
            "用户@例子.公司",
            "  spaced@example.org \n",
            "<a@example.org>",
        ] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn says_which_part_is_wrong() {
        use EmailError::*;
        for (bad, why) in [
            ("", Empty),
            ("  ", Empty),
            ("anna", At),
            ("a@b@c.org", At),
            ("@example.org", Local),
            ("a..b@example.org", Local),
            (".a@example.org", Local),
            ("a b@example.org", Local),
            ("a\r\nRCPT@example.org", Local),
            ("\"john smith\"@example.org", Quoted),
            ("\"a@b\"@example.org", Quoted),
            ("\"\"@example.org", Quoted),
            ("\"a\"b\"@example.org", Local),
            ("\"a@example.org", Local),
            ("a@localhost", Domain),
            ("a@-x.org", Domain),
            ("a@[127.0.0.1]", Domain),
            ("a@1.2.3.4", Domain),
            ("a@x..org", Domain),
            ("a@ex\u{202e}ample.org", Domain),
            ("a\u{200b}@example.org", Local),
            ("<a@example.org", Local),
            ("John <a@example.org>", Local),
            ("mailto:", Empty),
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(why), "{bad:?}");
        }
        assert_eq!(EmailAddress::parse(&format!("{}@example.org", "a".repeat(65))), Err(TooLong));
    }

    #[test]
    fn what_stands_around_an_address_is_dropped() {
        for written in [
            "a@example.org\u{200b}",
            "\u{feff}a@example.org\u{a0}",
            "\u{ad}a@example.org\u{200e}",
            "<a@example.org>",
            "< a@example.org\u{200b} >",
            "mailto:a@example.org",
            "MailTo:a@example.org?subject=Hello%20you",
            "<mailto:a@example.org>",
        ] {
            assert_eq!(
                EmailAddress::parse(written).map(|email| email.text),
                Ok("a@example.org".to_owned()),
                "{written:?}"
            );
        }
    }

    #[test]
    fn needless_quotes_are_no_other_address() {
        for (written, plain) in [
            ("\"john.smith\"@Example.org", "john.smith@Example.org"),
            ("<\"o'neil\"@example.org>", "o'neil@example.org"),
            ("mailto:\"j\\ohn\"@example.org", "john@example.org"),
        ] {
            let parsed = EmailAddress::parse(written).map(|email| (email.local().len(), email.text));
            assert_eq!(parsed, Ok((plain.find('@').unwrap(), plain.to_owned())), "{written:?}");
        }
    }

    #[test]
    fn a_mailbox_is_a_name_and_an_address() {
        for (text, name, address) in [
            ("\"John Smith\" <j@example.org>", "John Smith", "j@example.org"),
            ("Ёлкина, Анна <a@example.org>\u{200b}", "Ёлкина, Анна", "a@example.org"),
            ("\"A \\\"B\\\" C\" <a@example.org>", "A \"B\" C", "a@example.org"),
            ("<a@example.org>", "", "a@example.org"),
            ("a@example.org", "", "a@example.org"),
            ("nobody <at all", "", "nobody <at all"),
        ] {
            assert_eq!(mailbox(text), (name.to_owned(), address), "{text}");
        }
    }

    #[test]
    fn key_folds_the_domain_only() {
        let address = EmailAddress::parse("Anna@EXAMPLE.Org").unwrap();
        assert_eq!(address.key(), "Anna@example.org");
        assert_eq!(EmailAddress::parse("a@ПРИМЕР.рф").unwrap().key(), "a@пример.рф");
        assert_eq!(address.as_str(), "Anna@EXAMPLE.Org");
    }
}
