//! DMARC: whether the domain says what is to become of forged letters, and whether its own pass (RFC 7489). A policy of
//! a parent domain counts for those below it; it is found by going up name by name, so that no list of public suffixes
//! is needed.

use crate::{Check, Dns, DnsError, Finding, Level, Record, Sending, tags};

/// Most names that are asked on the way up.
const STEPS: usize = 8;

type Tags = Vec<(String, String)>;

pub async fn check(dns: &Dns, sending: &Sending) -> Finding {
    let name = format!("_dmarc.{}", sending.from);
    let wanted = || Record::new(&name, "TXT", format!("v=DMARC1; p=none; rua=mailto:postmaster@{}", sending.from));
    let find = |level, key| Finding::new(Check::Dmarc, level, key).with("name", &name);
    let (domain, policies) = match policies(dns, &sending.from).await {
        Ok(found) => found,
        Err(error) => return Finding::unanswered(Check::Dmarc, &error),
    };
    let policy = match policies.as_slice() {
        [] => return find(Level::Bad, "missing").paste(wanted()),
        [Some(policy)] => policy,
        [None] => return find(Level::Bad, "broken").paste(wanted()),
        _ => return find(Level::Bad, "several").paste(wanted()),
    };
    let action = tags::get(policy, "p").unwrap_or_default().to_ascii_lowercase();
    if !matches!(action.as_str(), "none" | "quarantine" | "reject") {
        return find(Level::Bad, "broken").paste(wanted());
    }
    let strict = tags::get(policy, "aspf").is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
    // Letters are signed for the domain they come from, so a signature is always aligned.
    let aligned = sending.dkim.is_some() || aligned(&sending.from, sending.envelope(), &domain, strict);
    let level = if action == "none" { Level::Note } else { Level::Good };
    match (aligned, action.as_str()) {
        (false, _) => find(Level::Bad, "not_aligned").with("from", &sending.from).with("envelope", sending.envelope()),
        (true, "none") => find(level, "none_policy"),
        (true, _) => find(level, "good").with("policy", action),
    }
}

/// The policies at the first name, from the domain upwards, that has any; and that name. What cannot be read is `None`.
async fn policies(dns: &Dns, from: &str) -> Result<(String, Vec<Option<Tags>>), DnsError> {
    let mut domain = from;
    for _ in 0..STEPS {
        let texts = dns.texts(&format!("_dmarc.{domain}")).await?;
        let is_policy = |text: &&String| {
            text.split(';').next().is_some_and(|v| v.replace(' ', "").eq_ignore_ascii_case("v=dmarc1"))
        };
        let found: Vec<_> = texts.iter().filter(is_policy).map(|text| tags::read(text)).collect();
        if !found.is_empty() {
            return Ok((domain.to_owned(), found));
        }
        match domain.split_once('.') {
            Some((_, parent)) if parent.contains('.') => domain = parent,
            _ => break,
        }
    }
    Ok((from.to_owned(), Vec::new()))
}

/// Whether the envelope's domain is aligned with the one that readers see: relaxed means below the same domain, which is
/// the one with the policy, or above or below each other.
fn aligned(from: &str, envelope: &str, policy: &str, strict: bool) -> bool {
    let below = |domain: &str, parent: &str| {
        domain == parent || domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
    };
    if strict { from == envelope } else { below(envelope, policy) || below(envelope, from) || below(from, envelope) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment() {
        for (from, envelope, policy, relaxed, strict) in [
            ("example.org", "example.org", "example.org", true, true),
            ("example.org", "bounces.example.org", "example.org", true, false),
            ("news.example.org", "bounces.example.org", "example.org", true, false),
            ("news.example.org", "bounces.example.org", "news.example.org", false, false),
            ("example.org", "badexample.org", "example.org", false, false),
            ("example.org", "provider.example", "example.org", false, false),
        ] {
            assert_eq!(aligned(from, envelope, policy, false), relaxed, "{from} {envelope} {policy}");
            assert_eq!(aligned(from, envelope, policy, true), strict, "{from} {envelope} {policy}");
        }
    }
}
