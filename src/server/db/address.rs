//! What makes two addresses the same person's.

use crate::domain::email::EmailAddress;

/// An address without case, its domain as A-labels (RFC 5891 5.5): nobody is somebody else for a capital letter, nor for
/// the form in which a domain is written. Accounts, clients and suppressions go by it; [`EmailAddress::key`] tells more apart.
pub fn address_key(email: &EmailAddress) -> String {
    let domain = email.domain();
    // What has no such form is told apart by its letters.
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
    format!("{}@{domain}", email.local().to_lowercase())
}

/// The same for a text of the database, which held an address when it was stored.
pub fn key_of(email: &str) -> String {
    EmailAddress::parse(email).map_or_else(|_| email.to_lowercase(), |email| address_key(&email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_the_form_of_the_domain_make_no_difference() {
        for (one, other) in [
            ("Anna@Example.org", "anna@example.ORG"),
            ("почта@пример.рф", "ПОЧТА@xn--e1afmkfd.xn--p1ai"),
            ("Anna@Пример.рф", "anna@пример.РФ"),
        ] {
            assert_eq!(key_of(one), key_of(other));
        }
        assert_ne!(key_of("anna@example.org"), key_of("anna+news@example.org"));
        // The tables fold what is ASCII by themselves.
        for ascii in ["A.b@X-y.ORG", "a@XN--E1AFMKFD.xn--p1ai", "a@xn--a.org", "O'Neil+1@ex.co"] {
            assert_eq!(key_of(ascii), ascii.to_ascii_lowercase());
        }
    }
}
