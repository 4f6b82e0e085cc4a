//! Addresses as they go over the wire.

/// An address for the envelope and for headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireAddress {
    pub text: String,
    /// Whether the server must announce SMTPUTF8 (RFC 6531) to take it.
    pub needs_smtputf8: bool,
}

/// Why an address cannot go over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireAddressError {
    #[error("the address holds characters that cannot stand in a command or header")]
    Characters,
    #[error("the domain has no ASCII form (IDNA)")]
    Domain,
}

impl WireAddress {
    /// With an ASCII local part the domain becomes A-labels (RFC 5890), so that any server takes the
    /// address. A local part that is not ASCII has no such form: the address stays as written and
    /// needs SMTPUTF8.
    ///
    /// # Errors
    /// If the address could end a command or header early, or its domain has no A-label form.
    pub fn new(address: &str) -> Result<Self, WireAddressError> {
        let (local, domain) = address.rsplit_once('@').ok_or(WireAddressError::Characters)?;
        let breaks = |c: char| c.is_control() || c.is_whitespace() || "<>\"(),:;@[\\]".contains(c);
        if local.is_empty() || domain.is_empty() || local.contains(breaks) || domain.contains(breaks) {
            return Err(WireAddressError::Characters);
        }
        if !local.is_ascii() {
            return Ok(Self { text: address.to_owned(), needs_smtputf8: true });
        }
        let domain = idna::domain_to_ascii(domain).map_err(|_| WireAddressError::Domain)?;
        if domain.is_empty() {
            return Err(WireAddressError::Domain);
        }
        Ok(Self { text: format!("{local}@{domain}"), needs_smtputf8: false })
    }

    /// For the library that builds letters. It has checks of its own, which know no local part beyond ASCII as it is allowed
    /// here.
    pub fn to_lettre(&self) -> lettre::Address {
        let (local, domain) = self.text.rsplit_once('@').unwrap_or_default();
        lettre::Address::new_dangerous(local, domain)
    }

    /// The part after the `@`, as A-labels where it has that form: for identifiers, which are ASCII.
    pub fn domain(&self) -> String {
        let domain = self.text.rsplit_once('@').map_or("", |(_, domain)| domain);
        idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn international_domains_become_ascii() {
        let address = WireAddress::new("anna@пример.рф").unwrap();
        assert_eq!(address.text, "anna@xn--e1afmkfd.xn--p1ai");
        assert!(!address.needs_smtputf8);
        let address = WireAddress::new("анна@пример.рф").unwrap();
        assert_eq!(address.text, "анна@пример.рф");
        assert!(address.needs_smtputf8);
    }

    #[test]
    fn refuses_what_would_end_a_command() {
        for bad in ["a@b.c>\r\nRCPT TO:<x@y.z", "a\n@b.c", "a b@c.d", "a@b@c.d", "a", "@b.c", "a@", "a@b.c\0"] {
            assert!(WireAddress::new(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_one_word(text in "\\PC{0,20}@?[\\PC\r\n<>]{0,20}") {
            if let Ok(address) = WireAddress::new(&text) {
                prop_assert!(!address.text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>'));
                prop_assert!(address.needs_smtputf8 || address.text.is_ascii());
            }
        }
    }
}
