//! Lists of tags as DKIM and DMARC write them: `v=DKIM1; p=…` (RFC 6376 3.2).

/// The tags in their order, names in lower case, white space within values left out. `None` if it is no such list.
pub fn read(text: &str) -> Option<Vec<(String, String)>> {
    let mut tags = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        tags.push((name.trim().to_ascii_lowercase(), value));
    }
    Some(tags)
}

/// The value of a tag.
pub fn get<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
}
