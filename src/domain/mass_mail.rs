//! Mass mail: what goes to so many that each of them must be able to leave by a page.

use std::net::IpAddr;

/// Most letters of a run that may leave without one.
pub const FEW: i64 = 50;

/// Domains that nobody finds from elsewhere.
const PRIVATE: [&str; 6] = ["internal", "invalid", "lan", "local", "localhost", "test"];

/// Whether readers elsewhere reach this address, and securely: an https address of a host with a public name or number.
fn is_public(site: &str) -> bool {
    let Some(rest) = site.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match host.parse().map(|ip: IpAddr| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => {
            // The last is shared by customers of one provider (RFC 6598).
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() || shared)
        }
        Ok(IpAddr::V6(ip)) => {
            !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified())
        }
        // A name of one word is known in its own network alone, and so are those below some others (RFC 6761, 6762, 8375). One
        // that ends with a number is an address in an odd spelling.
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let last = host.rsplit('.').next().unwrap_or_default();
            let odd = last.starts_with(|c: char| c.is_ascii_digit());
            host.contains('.') && !odd && !host.ends_with(".home.arpa") && !PRIVATE.contains(&last)
        }
    }
}

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
        if catching || is_public(site) { Self::May } else { Self::NeedsAddress }
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
            ("http://mail.example.org", false, FEW + 1, true),
            ("https://mail.example.org", false, FEW + 1, false),
            ("https://mail.example.org:8443/news", false, FEW + 1, false),
            ("https://198.51.100.7", false, FEW + 1, false),
            ("https://[2001:db8::7]:8443", false, FEW + 1, false),
            ("https://localhost", false, FEW + 1, true),
            ("https://localhost:3000", false, FEW + 1, true),
            ("https://news.localhost.", false, FEW + 1, true),
            ("https://mailer", false, FEW + 1, true),
            ("https://mailer.LAN", false, FEW + 1, true),
            ("https://mailer.home.arpa", false, FEW + 1, true),
            ("https://127.1", false, FEW + 1, true),
            ("https://0x7f.0.0.1", false, FEW + 1, true),
            ("https://100.64.0.1", false, FEW + 1, true),
            ("https://[::ffff:127.0.0.1]", false, FEW + 1, true),
            ("https://127.0.0.1", false, FEW + 1, true),
            ("https://192.168.1.5", false, FEW + 1, true),
            ("https://[::1]:3000", false, FEW + 1, true),
            ("https://[fd00::1]", false, FEW + 1, true),
        ] {
            assert_eq!(MassMail::of(site, catching).refuses(letters), refused, "{site} {catching} {letters}");
        }
    }
}
