//! Whether bounces arrive: the mail exchanger of the domain that they return to, and of the one that people answer to.

use crate::{Check, Dns, Finding, Level, Record, Sending};

pub async fn check(dns: &Dns, sending: &Sending) -> Vec<Finding> {
    let mut found = Vec::new();
    match &sending.return_domain {
        Some(domain) => found.push(returns(dns, sending, domain).await),
        None => found.push(Finding::new(Check::Mx, Level::Note, "no_domain")),
    }
    found.extend(answers(dns, sending).await);
    found
}

/// The domain of bounces.
async fn returns(dns: &Dns, sending: &Sending, domain: &str) -> Finding {
    let find = |level, key| Finding::new(Check::Mx, level, key).with("domain", domain);
    let wanted = |found: Finding| match &sending.public_host {
        // An exchanger is a name, never an address (RFC 5321 5.1).
        Some(host) if host.parse::<std::net::IpAddr>().is_err() => {
            found.paste(Record::new(domain, "MX", format!("10 {host}.")))
        }
        _ => found,
    };
    let exchangers = match dns.exchangers(domain).await {
        Ok(exchangers) => exchangers,
        Err(error) => return Finding::unanswered(Check::Mx, &error),
    };
    let Some(first) = exchangers.first() else { return wanted(find(Level::Bad, "missing")) };
    if first.is_empty() {
        return wanted(find(Level::Bad, "null"));
    }
    let addresses = match dns.addresses(first).await {
        Ok(addresses) => addresses,
        Err(error) => return Finding::unanswered(Check::Mx, &error),
    };
    if addresses.is_empty() {
        return wanted(find(Level::Bad, "no_address").with("host", first));
    }
    let ours = match &sending.public_host {
        Some(host) => dns.addresses(host).await.unwrap_or_default(),
        None => Vec::new(),
    };
    // Another mail server may take them and pass them on, so this need not be wrong.
    let level = if ours.is_empty() || ours.iter().any(|address| addresses.contains(address)) {
        (Level::Good, "good")
    } else {
        (Level::Note, "elsewhere")
    };
    find(level.0, level.1).with("host", first)
}

/// The domain that letters come from: many servers refuse one to which nobody can answer.
async fn answers(dns: &Dns, sending: &Sending) -> Option<Finding> {
    let exchangers = dns.exchangers(&sending.from).await.ok()?;
    let reachable = match exchangers.first() {
        Some(first) => !first.is_empty(),
        None => !dns.addresses(&sending.from).await.ok()?.is_empty(),
    };
    (!reachable).then(|| Finding::new(Check::Mx, Level::Warning, "from_unreachable").with("domain", &sending.from))
}
