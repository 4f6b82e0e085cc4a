//! Mass mail: what goes to so many that each of them must be able to leave by a page.

/// Most letters of a run that may leave without one.
pub const FEW: i64 = 50;

/// Whether mass mail may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MassMail {
    May,
    /// Readers elsewhere could not leave by the links in the letters: one click needs https (RFC 8058 3.1).
    NeedsAddress,
}

impl MassMail {
    /// `site` is the service's public address. What is caught here reaches nobody, so `catching` lets everything go.
    pub fn of(site: &str, catching: bool) -> Self {
        if catching || site.starts_with("https:") { Self::May } else { Self::NeedsAddress }
    }

    /// Whether so many letters may not leave.
    pub fn refuses(self, letters: i64) -> bool {
        self == Self::NeedsAddress && letters > FEW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_letters_need_a_page_to_leave_by() {
        for (site, catching, letters, refused) in [
            ("http://127.0.0.1:3000", false, FEW, false),
            ("http://127.0.0.1:3000", false, FEW + 1, true),
            ("http://127.0.0.1:3000", true, FEW + 1, false),
            ("https://mail.example.org", false, FEW + 1, false),
        ] {
            assert_eq!(MassMail::of(site, catching).refuses(letters), refused, "{site} {catching} {letters}");
        }
    }
}
