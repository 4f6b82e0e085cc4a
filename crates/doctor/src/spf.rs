//! Which addresses may send for the envelope's domain (RFC 7208), and whether the relay's are among them.

use crate::{Check, Dns, DnsError, Finding, Level, Record, Sending};
use std::net::IpAddr;

/// Most terms with a look-up (RFC 7208 4.6.4).
const LOOKUPS: usize = 10;
/// Most mail exchangers of one `mx` (RFC 7208 4.6.4).
const EXCHANGERS: usize = 10;

/// How an address fares (RFC 7208 2.6). Those that say the domain's policy is unsure are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    /// Fail, softfail or neutral: it is not named.
    NotNamed,
    /// There is no policy.
    None,
    Permanent(Fault),
}

/// Why a policy cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Several,
    Syntax,
    ManyLookups,
}

pub async fn check(dns: &Dns, sending: &Sending, addresses: &[IpAddr]) -> Finding {
    let domain = sending.envelope();
    let find = |level, key| Finding::new(Check::Spf, level, key).with("domain", domain);
    let policies = match policies(dns, domain).await {
        Ok(policies) => policies,
        Err(error) => return Finding::unanswered(Check::Spf, &error),
    };
    let host = sending.relay.as_deref().filter(|relay| names_public(relay)).or(sending.public_host.as_deref());
    let wanted = |finding: Finding| match (policies.as_slice(), host) {
        ([policy], Some(host)) => finding.paste(Record::new(domain, "TXT", extended(policy, host))),
        (_, Some(host)) => finding.paste(Record::new(domain, "TXT", format!("v=spf1 {} ~all", mechanism(host)))),
        (_, None) => finding,
    };
    if policies.is_empty() {
        return wanted(find(Level::Bad, "missing"));
    }
    // Without an address the policy is read all the same, for one that nobody has (RFC 5737).
    let unknown = [IpAddr::from([192, 0, 2, 1])];
    let mut outside = Vec::new();
    for address in if addresses.is_empty() { &unknown } else { addresses } {
        let mut lookups = 0;
        match verdict(dns, domain, *address, &mut lookups).await {
            Err(error) => return Finding::unanswered(Check::Spf, &error),
            Ok(Verdict::Permanent(Fault::Several)) => {
                // A record to paste would leave out whoever else they name.
                return find(Level::Bad, "several");
            }
            Ok(Verdict::Permanent(Fault::Syntax)) => return find(Level::Bad, "broken").with("record", &policies[0]),
            Ok(Verdict::Permanent(Fault::ManyLookups)) => return find(Level::Bad, "many_lookups"),
            Ok(Verdict::Pass) => {}
            Ok(Verdict::NotNamed | Verdict::None) => outside.push(address.to_string()),
        }
    }
    if addresses.is_empty() {
        find(Level::Note, "no_address")
    } else if outside.is_empty() {
        find(Level::Good, "good")
    } else {
        wanted(find(Level::Warning, "relay_not_named").with("addresses", outside.join(", ")))
    }
}

/// Whether a relay's name means something to others.
fn names_public(relay: &str) -> bool {
    relay.parse::<IpAddr>().map_or(relay.contains('.'), crate::dns::is_public)
}

fn mechanism(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => format!("ip4:{host}"),
        Ok(IpAddr::V6(_)) => format!("ip6:{host}"),
        Err(_) => format!("a:{host}"),
    }
}

/// A policy that also names a host: before what stands at its end for all others.
fn extended(policy: &str, host: &str) -> String {
    let mut terms: Vec<&str> = policy.split_whitespace().collect();
    let ends = |term: &&str| {
        let term = term.trim_start_matches(['+', '-', '~', '?']);
        term.eq_ignore_ascii_case("all") || term.to_ascii_lowercase().starts_with("redirect=")
    };
    let at = terms.iter().position(ends).unwrap_or(terms.len());
    let added = mechanism(host);
    terms.insert(at, &added);
    terms.join(" ")
}

async fn policies(dns: &Dns, domain: &str) -> Result<Vec<String>, DnsError> {
    let is_policy = |text: &String| text.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"));
    Ok(dns.texts(domain).await?.into_iter().filter(is_policy).collect())
}

/// Judges an address by a domain's policy. `lookups` counts over all that it includes.
fn verdict<'a>(
    dns: &'a Dns,
    domain: &'a str,
    address: IpAddr,
    lookups: &'a mut usize,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Verdict, DnsError>> + Send + 'a>> {
    Box::pin(async move {
        let policies = policies(dns, domain).await?;
        let [policy] = policies.as_slice() else {
            return Ok(if policies.is_empty() { Verdict::None } else { Verdict::Permanent(Fault::Several) });
        };
        let mut redirect = None;
        for term in policy.split_whitespace().skip(1) {
            if let Some((name, value)) =
                term.split_once('=').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()))
            {
                if name.eq_ignore_ascii_case("redirect") {
                    redirect = Some(value.to_owned());
                }
                continue;
            }
            let pass = !term.starts_with(['-', '~', '?']);
            let term = term.trim_start_matches(['+', '-', '~', '?']);
            match matches(dns, domain, term, address, lookups).await? {
                Match::Yes => return Ok(if pass { Verdict::Pass } else { Verdict::NotNamed }),
                Match::No => {}
                Match::Fault(fault) => return Ok(Verdict::Permanent(fault)),
            }
        }
        let Some(redirect) = redirect else { return Ok(Verdict::NotNamed) };
        *lookups += 1;
        if *lookups > LOOKUPS {
            return Ok(Verdict::Permanent(Fault::ManyLookups));
        }
        match verdict(dns, &redirect, address, lookups).await? {
            Verdict::None => Ok(Verdict::Permanent(Fault::Syntax)),
            verdict => Ok(verdict),
        }
    })
}

enum Match {
    Yes,
    No,
    Fault(Fault),
}

impl From<bool> for Match {
    fn from(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }
}

/// Whether one mechanism names the address. Macros (RFC 7208 7) are asked of whoever receives; here they name nobody.
async fn matches(dns: &Dns, domain: &str, term: &str, address: IpAddr, lookups: &mut usize) -> Result<Match, DnsError> {
    let end = term.find([':', '/']).unwrap_or(term.len());
    let (name, rest) = term.split_at(end);
    let name = name.to_ascii_lowercase();
    let is_address = matches!(name.as_str(), "ip4" | "ip6");
    let (value, prefix) = match rest.strip_prefix(':') {
        Some(value) => value.split_once('/').map_or((value, ""), |(value, prefix)| (value, prefix)),
        None => ("", rest.strip_prefix('/').unwrap_or(rest)),
    };
    if matches!(name.as_str(), "a" | "mx" | "include" | "exists" | "ptr") {
        *lookups += 1;
        if *lookups > LOOKUPS {
            return Ok(Match::Fault(Fault::ManyLookups));
        }
    }
    let target = if value.is_empty() { domain } else { value };
    if target.contains('%') {
        return Ok(Match::No);
    }
    match name.as_str() {
        "all" => Ok(Match::Yes),
        _ if is_address => {
            let Ok(network) = value.parse::<IpAddr>() else { return Ok(Match::Fault(Fault::Syntax)) };
            Ok(within(address, network, prefix).map_or(Match::Fault(Fault::Syntax), Match::from))
        }
        "a" => {
            let hosts = dns.addresses(target).await?;
            Ok(any_within(address, &hosts, prefix))
        }
        "mx" => {
            for host in dns.exchangers(target).await?.into_iter().filter(|host| !host.is_empty()).take(EXCHANGERS) {
                if let Match::Yes = any_within(address, &dns.addresses(&host).await?, prefix) {
                    return Ok(Match::Yes);
                }
            }
            Ok(Match::No)
        }
        "include" => match verdict(dns, target, address, lookups).await? {
            Verdict::Pass => Ok(Match::Yes),
            Verdict::NotNamed => Ok(Match::No),
            Verdict::None => Ok(Match::Fault(Fault::Syntax)),
            Verdict::Permanent(fault) => Ok(Match::Fault(fault)),
        },
        "exists" => Ok(Match::from(dns.addresses(target).await?.iter().any(IpAddr::is_ipv4))),
        // Slow and not to be used (RFC 7208 5.5).
        "ptr" => Ok(Match::No),
        _ => Ok(Match::Fault(Fault::Syntax)),
    }
}

fn any_within(address: IpAddr, hosts: &[IpAddr], prefix: &str) -> Match {
    // `a/24//64`: one length for each kind of address (RFC 7208 5.3).
    let (four, six) = prefix.split_once("//").unwrap_or((prefix.trim_start_matches('/'), ""));
    let (four, six) = if prefix.starts_with('/') { ("", prefix.trim_start_matches('/')) } else { (four, six) };
    let prefix = if address.is_ipv4() { four } else { six };
    let mut any = false;
    for host in hosts {
        match within(address, *host, prefix) {
            Some(found) => any |= found,
            None => return Match::Fault(Fault::Syntax),
        }
    }
    Match::from(any)
}

/// Whether an address lies in a network; `None` if the length of its prefix is none.
fn within(address: IpAddr, network: IpAddr, prefix: &str) -> Option<bool> {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return Some(false),
    };
    let length: u32 = if prefix.is_empty() { width } else { prefix.parse().ok().filter(|length| *length <= width)? };
    let shift = width - length;
    Some(shift == 128 || address >> shift == network >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (address, network, prefix, found) in [
            ("192.0.2.7", "192.0.2.0", "24", Some(true)),
            ("192.0.3.7", "192.0.2.0", "24", Some(false)),
            ("192.0.2.7", "192.0.2.7", "", Some(true)),
            ("192.0.2.7", "198.51.100.1", "0", Some(true)),
            ("2001:db8::1", "2001:db8::", "32", Some(true)),
            ("2001:db8::1", "::", "0", Some(true)),
            ("2001:db8::1", "192.0.2.0", "24", Some(false)),
            ("192.0.2.7", "192.0.2.0", "33", None),
            ("192.0.2.7", "192.0.2.0", "x", None),
        ] {
            assert_eq!(
                within(address.parse().unwrap(), network.parse().unwrap(), prefix),
                found,
                "{address} {network}/{prefix}"
            );
        }
    }

    #[test]
    fn a_policy_is_extended_before_its_end() {
        for (policy, extended_policy) in [
            ("v=spf1 mx ~all", "v=spf1 mx a:mail.example ~all"),
            ("v=spf1", "v=spf1 a:mail.example"),
            ("v=spf1 a redirect=_spf.example", "v=spf1 a a:mail.example redirect=_spf.example"),
        ] {
            assert_eq!(extended(policy, "mail.example"), extended_policy);
        }
        assert_eq!(extended("v=spf1 -all", "192.0.2.1"), "v=spf1 ip4:192.0.2.1 -all");
        assert_eq!(extended("v=spf1 -ALL", "2001:db8::1"), "v=spf1 ip6:2001:db8::1 -ALL");
    }
}
