//! What a connection knows to be secret, and does not show, whoever repeats it.

use super::relay::Credentials;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;

/// Stands in the place of a secret.
pub const HIDDEN: &str = "********";

/// A password, in every form in which it goes over the wire.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Those of a relay; none without a password.
    pub fn of(credentials: Option<&Credentials>) -> Self {
        let Some(Credentials { user, password }) = credentials else { return Self::default() };
        let password = password.expose_secret();
        let plain = format!("\0{user}\0{password}");
        let mut forms = vec![
            STANDARD.encode(&plain),
            STANDARD_NO_PAD.encode(&plain),
            STANDARD.encode(password),
            STANDARD_NO_PAD.encode(password),
            password.to_owned(),
        ];
        forms.retain(|form| !form.is_empty());
        // One that holds another goes first, or a part of it would be left over.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms.into_iter().map(SecretString::from).collect())
    }

    /// A text without them.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| {
            let secret = secret.expose_secret();
            if text.contains(secret) { Cow::Owned(text.replace(secret, HIDDEN)) } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_password_is_hidden() {
        let credentials = Credentials { user: "anna".to_owned(), password: "geheim".to_owned().into() };
        let secrets = Secrets::of(Some(&credentials));
        for (text, shown) in [
            ("no geheim, geheim", "no ********, ********"),
            ("AGFubmEAZ2VoZWlt Z2VoZWlt", "******** ********"),
            ("2.1.5 Ok", "2.1.5 Ok"),
        ] {
            assert_eq!(secrets.hide(text), shown);
        }
        let padded = Credentials { user: "anna".to_owned(), password: "geheime".to_owned().into() };
        let secrets = Secrets::of(Some(&padded));
        assert_eq!(secrets.hide("Z2VoZWltZQ== and Z2VoZWltZQ"), "******** and ********");
        assert_eq!(Secrets::of(None).hide("geheim"), "geheim");
    }
}
