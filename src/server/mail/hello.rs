//! The name that mail servers are greeted with in EHLO (RFC 5321 4.1.1.1): some refuse an address literal, and many judge
//! letters by it.

use url::{Host, Url};

/// Reads a name that was given, such as `mail.example.org`; an international one in A-labels.
///
/// # Errors
/// If it is no host name with a dot.
pub fn parse(text: &str) -> Result<String, &'static str> {
    let name = idna::domain_to_ascii_strict(text.trim()).map_err(|_| "is not a host name such as mail.example.org")?;
    if public(&name) { Ok(name) } else { Err("is not a full host name such as mail.example.org") }
}

/// The host of the public address, where it is a name that others can know.
pub fn of_address(public_url: &str) -> Option<String> {
    match Url::parse(public_url).ok()?.host()? {
        Host::Domain(name) if public(name) => Some(name.to_owned()),
        _ => None,
    }
}

/// A name without a dot is this machine's or this network's alone, and so are some with one (RFC 6761, RFC 6762).
fn public(name: &str) -> bool {
    let last = name.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| !["", "localhost", "local", "localdomain"].contains(&last) && last.parse::<u8>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_can_know_is_taken() {
        for (given, name) in [("mail.example.org", "mail.example.org"), (" Почта.рф ", "xn--80a1acny.xn--p1ai")]
        {
            assert_eq!(parse(given).as_deref(), Ok(name));
        }
        for wrong in [
            "",
            "localhost",
            "mail",
            "host.localdomain",
            "a b.org",
            "127.0.0.1",
            "[::1]",
            "x.org\r\nMAIL",
            "a..org",
            "x_y.org",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_public_address_gives_its_name() {
        assert_eq!(of_address("https://mail.example.org").as_deref(), Some("mail.example.org"));
        for none in [
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost:3000",
            "http://box.local",
            "http://intranet:8080",
        ] {
            assert_eq!(of_address(none), None, "{none}");
        }
    }
}
