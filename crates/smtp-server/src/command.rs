//! Reading of SMTP commands (RFC 5321, section 4.1) and of AUTH credentials (RFC 4616).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest mailbox in octets: 64 for the local part, 255 for the domain (RFC 5321, section 4.5.3.1).
const MAILBOX: usize = 320;

/// A refusal, ready to be sent.
pub type Refusal = &'static str;

#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Ehlo,
    Helo,
    StartTls,
    Auth { mechanism: &'a str, initial: Option<&'a str> },
    Mail(Path<'a>),
    Rcpt(&'a str),
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
}

/// A reverse path and what the client says about the letter.
#[derive(Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// Empty for a bounce.
    pub sender: &'a str,
    /// In bytes.
    pub size: Option<u64>,
    pub utf8: bool,
}

const SYNTAX: Refusal = "501 5.5.4 Syntax error in parameters";
const PARAMETER: Refusal = "555 5.5.4 Parameter not recognized";

/// Reads one command line.
pub fn parse(line: &[u8]) -> Result<Command<'_>, Refusal> {
    let line = std::str::from_utf8(line).map_err(|_| "500 5.5.2 Command is not UTF-8")?.trim_end();
    if line.chars().any(char::is_control) {
        return Err("500 5.5.2 Control character in command");
    }
    let (verb, rest) = line.split_once(' ').map_or((line, ""), |(verb, rest)| (verb, rest.trim()));
    let alone = |command| if rest.is_empty() { Ok(command) } else { Err(SYNTAX) };
    let named = |command| if rest.is_empty() { Err("501 5.5.4 A name is needed") } else { Ok(command) };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => named(Command::Ehlo),
        "HELO" => named(Command::Helo),
        "STARTTLS" => alone(Command::StartTls),
        "AUTH" => {
            let (mechanism, initial) =
                rest.split_once(' ').map_or((rest, None), |(name, text)| (name, Some(text.trim())));
            if mechanism.is_empty() { Err(SYNTAX) } else { Ok(Command::Auth { mechanism, initial }) }
        }
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => alone(Command::Data),
        "RSET" => alone(Command::Rset),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => named(Command::Vrfy),
        "QUIT" => alone(Command::Quit),
        "EXPN" | "HELP" => Err("502 5.5.1 Command not implemented"),
        _ => Err("500 5.5.1 Command unknown"),
    }
}

fn mail(rest: &str) -> Result<Command<'_>, Refusal> {
    let (sender, parameters) = path(rest, "FROM:")?;
    if !(sender.is_empty() || mailbox(sender)) {
        return Err("501 5.1.7 Bad sender address");
    }
    let mut path = Path { sender, size: None, utf8: false };
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => path.size = Some(value.parse().map_err(|_| SYNTAX)?),
            "BODY" if ["7BIT", "8BITMIME"].iter().any(|kind| value.eq_ignore_ascii_case(kind)) => {}
            "BODY" => return Err(SYNTAX),
            "SMTPUTF8" if value.is_empty() => path.utf8 = true,
            // RFC 4954, section 5: who sent it first; a server may ignore it.
            "AUTH" => {}
            _ => return Err(PARAMETER),
        }
    }
    if !sender.is_ascii() && !path.utf8 {
        return Err("553 5.6.7 Address needs SMTPUTF8");
    }
    Ok(Command::Mail(path))
}

fn rcpt(rest: &str) -> Result<Command<'_>, Refusal> {
    let (recipient, parameters) = path(rest, "TO:")?;
    if !(mailbox(recipient) || recipient.eq_ignore_ascii_case("postmaster")) {
        return Err("501 5.1.3 Bad recipient address");
    }
    if parameters.trim().is_empty() { Ok(Command::Rcpt(recipient)) } else { Err(PARAMETER) }
}

/// The address between angle brackets, without a source route, and the text behind it.
fn path<'a>(rest: &'a str, keyword: &str) -> Result<(&'a str, &'a str), Refusal> {
    let (word, rest) = rest.split_at_checked(keyword.len()).ok_or(SYNTAX)?;
    if !word.eq_ignore_ascii_case(keyword) {
        return Err(SYNTAX);
    }
    let inner = rest.trim_start().strip_prefix('<').ok_or(SYNTAX)?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let parameters = &inner[at + 1..];
                if !(parameters.is_empty() || parameters.starts_with(' ')) {
                    return Err(SYNTAX);
                }
                let address = &inner[..at];
                let routed = address.starts_with('@').then(|| address.split_once(':')).flatten();
                return Ok((routed.map_or(address, |(_, mailbox)| mailbox), parameters));
            }
            _ => {}
        }
    }
    Err(SYNTAX)
}

/// Whether the text can be a mailbox at all. The server catches letters, so it is no stricter.
fn mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    !local.is_empty()
        && !domain.is_empty()
        && text.len() <= MAILBOX
        && !domain.contains([' ', '<', '>'])
        && (quoted || !local.contains([' ', '<', '>', '@', '"']))
}

/// User and password of AUTH PLAIN; `None` if the text is not that.
pub fn plain(text: &str) -> Option<(String, String)> {
    let text = decode(text)?;
    let mut parts = text.splitn(3, '\0');
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    Some((user.into(), password.into()))
}

/// One answer of AUTH; a lone `=` is an empty one (RFC 4954, section 4).
pub fn decode(text: &str) -> Option<String> {
    let bytes = if text == "=" { Vec::new() } else { STANDARD.decode(text).ok()? };
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_kind() {
        for (line, sender) in [
            ("MAIL FROM:<a@b>", "a@b"),
            ("mail from: <a@b>", "a@b"),
            ("MAIL FROM:<>", ""),
            ("MAIL FROM:<@relay,@other:a@b>", "a@b"),
            (r#"MAIL FROM:<"a>b\" c"@d>"#, r#""a>b\" c"@d"#),
            ("MAIL FROM:<a@b> BODY=8BITMIME AUTH=<>", "a@b"),
        ] {
            assert_eq!(parse(line.as_bytes()), Ok(Command::Mail(Path { sender, size: None, utf8: false })), "{line}");
        }
        assert_eq!(
            parse("MAIL FROM:<я@b> SIZE=7 smtputf8".as_bytes()),
            Ok(Command::Mail(Path { sender: "я@b", size: Some(7), utf8: true }))
        );
        assert_eq!(parse(b"RCPT TO:<Postmaster>"), Ok(Command::Rcpt("Postmaster")));
    }

    #[test]
    fn refusals() {
        let long = format!("RCPT TO:<{}@b>", "a".repeat(MAILBOX));
        for (line, code) in [
            ("", "500 5.5.1"),
            ("NONSENSE", "500 5.5.1"),
            ("HELP", "502"),
            ("EHLO", "501"),
            ("QUIT now", "501"),
            ("AUTH", "501"),
            ("RCPT", "501"),
            ("MAIL FROM:a@b", "501"),
            ("MAIL FROM:<a@b", "501"),
            ("MAIL FROM:<a@b>x", "501"),
            ("MAIL FROM:<a>", "501 5.1.7"),
            ("MAIL TO:<a@b>", "501"),
            ("MAIL FRO\u{44f}:<a@b>", "501"),
            ("MAIL FROM:<a@b> SIZE=x", "501"),
            ("MAIL FROM:<a@b> RET=FULL", "555"),
            ("MAIL FROM:<я@b>", "553 5.6.7"),
            ("RCPT TO:<>", "501 5.1.3"),
            ("RCPT TO:<@b>", "501 5.1.3"),
            ("RCPT TO:<a b@c>", "501 5.1.3"),
            ("RCPT TO:<a@b> NOTIFY=NEVER", "555"),
            ("NOOP \u{0}", "500 5.5.2"),
            (&long, "501 5.1.3"),
        ] {
            assert!(parse(line.as_bytes()).unwrap_err().starts_with(code), "{line}");
        }
        assert!(parse(b"NOOP \xff").unwrap_err().starts_with("500 5.5.2"));
    }

    #[test]
    fn credentials() {
        assert_eq!(plain("AHVzZXIAcGFzcw=="), Some(("user".into(), "pass".into())));
        assert_eq!(plain("dXNlcg=="), None);
        assert_eq!(plain("!"), None);
        assert_eq!(decode("="), Some(String::new()));
    }
}
