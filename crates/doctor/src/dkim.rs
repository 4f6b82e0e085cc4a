//! The key in the DNS and the one that signs (RFC 6376 3.6).

use crate::{Check, Dns, Finding, Level, Record, Sending, tags};

pub async fn check(dns: &Dns, sending: &Sending) -> Finding {
    let Some(key) = &sending.dkim else { return Finding::new(Check::Dkim, Level::Note, "no_key") };
    let name = format!("{}._domainkey.{}", key.selector, sending.from);
    let wanted = Record::new(&name, "TXT", format!("v=DKIM1; k={}; p={}", key.algorithm, key.public));
    let find = |level, key| Finding::new(Check::Dkim, level, key).with("name", &name);
    let texts = match dns.texts(&name).await {
        Ok(texts) => texts,
        Err(error) => return Finding::unanswered(Check::Dkim, &error),
    };
    let keys: Vec<_> =
        texts.iter().filter_map(|text| tags::read(text)).filter(|tags| tags::get(tags, "p").is_some()).collect();
    let [found] = keys.as_slice() else {
        let key = if keys.is_empty() { "missing" } else { "several" };
        return find(Level::Bad, key).paste(wanted);
    };
    let public = tags::get(found, "p").unwrap_or_default();
    let kind = tags::get(found, "k").unwrap_or("rsa");
    if public.is_empty() {
        find(Level::Bad, "revoked").paste(wanted)
    } else if public != key.public || kind != key.algorithm {
        find(Level::Bad, "other_key").paste(wanted)
    } else if tags::get(found, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        find(Level::Warning, "testing").paste(wanted)
    } else {
        find(Level::Good, "good")
    }
}
