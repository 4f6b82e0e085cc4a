//! The names of the addresses that send: receivers want one that leads back to the address (RFC 1912 2.1).

use crate::{Check, Dns, Finding, Level};
use std::net::IpAddr;

/// Most addresses that are looked at.
const ADDRESSES: usize = 4;

pub async fn check(dns: &Dns, addresses: &[IpAddr]) -> Vec<Finding> {
    if addresses.is_empty() {
        return vec![Finding::new(Check::Ptr, Level::Note, "no_address")];
    }
    let mut found = Vec::new();
    for address in addresses.iter().take(ADDRESSES) {
        found.push(one(dns, *address).await.with("address", address));
    }
    found
}

async fn one(dns: &Dns, address: IpAddr) -> Finding {
    let names = match dns.names(address).await {
        Ok(names) => names,
        Err(error) => return Finding::unanswered(Check::Ptr, &error),
    };
    let Some(first) = names.first() else { return Finding::new(Check::Ptr, Level::Warning, "missing") };
    for name in &names {
        match dns.addresses(name).await {
            Ok(back) if back.contains(&address) => {
                return Finding::new(Check::Ptr, Level::Good, "good").with("name", name);
            }
            Ok(_) => {}
            Err(error) => return Finding::unanswered(Check::Ptr, &error),
        }
    }
    Finding::new(Check::Ptr, Level::Warning, "other_address").with("name", first)
}
