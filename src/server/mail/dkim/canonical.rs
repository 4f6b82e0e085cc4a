//! The form in which a letter is signed: "relaxed" (RFC 6376 3.4.2 and 3.4.4).

use sha2::{Digest, Sha256};

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// Writes text with each run of white space as one space, and none at its end; folds are undone.
fn squeeze(out: &mut Vec<u8>, text: &[u8]) {
    let mut space = false;
    for &b in text {
        if is_space(b) {
            space = true;
        } else if !matches!(b, b'\r' | b'\n') {
            if std::mem::take(&mut space) {
                out.push(b' ');
            }
            out.push(b);
        }
    }
}

/// Appends one header field in its canonical form, line end included.
pub fn field(out: &mut Vec<u8>, field: &[u8]) {
    let colon = field.iter().position(|b| *b == b':').unwrap_or(field.len());
    let (name, value) = field.split_at(colon);
    out.extend(name.iter().filter(|b| !is_space(**b)).map(u8::to_ascii_lowercase));
    out.push(b':');
    let value = value.get(1..).unwrap_or_default();
    let start = value.iter().position(|b| !is_space(*b) && !matches!(b, b'\r' | b'\n')).unwrap_or(value.len());
    squeeze(out, &value[start..]);
    out.extend_from_slice(b"\r\n");
}

/// The canonical form of the named fields of a header. A name that is
/// listed again takes the occurrence before (RFC 6376 5.4.2), or nothing where there is none.
pub fn fields(header: &[u8], names: &[&str]) -> Vec<u8> {
    let mut found: Vec<Option<&[u8]>> = split(header).map(Some).collect();
    let mut out = Vec::with_capacity(header.len());
    for name in names {
        let is_it = |raw: &Option<&[u8]>| {
            raw.is_some_and(|raw| {
                raw.len() > name.len()
                    && raw[name.len()] == b':'
                    && raw[..name.len()].eq_ignore_ascii_case(name.as_bytes())
            })
        };
        if let Some(raw) = found.iter().rposition(is_it).and_then(|at| found[at].take()) {
            field(&mut out, raw);
        }
    }
    out
}

/// The names of fields as `h=` lists them, folded behind colons (RFC 6376 3.5) where a line would have more than `width`
/// characters.
pub fn list(names: &[&str], width: usize) -> String {
    let (mut list, mut line) = (String::new(), "h=".len());
    for (n, name) in names.iter().enumerate() {
        if n > 0 {
            list.push(':');
            line += 1;
        }
        if line + name.len() > width {
            list.push_str("\r\n ");
            line = 0;
        }
        list.push_str(name);
        line += name.len();
    }
    list
}

/// Header fields with their continuation lines.
fn split(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        let end = loop {
            match rest[from..].iter().position(|b| *b == b'\n') {
                Some(at) if rest.get(from + at + 1).copied().is_some_and(is_space) => from += at + 1,
                Some(at) => break from + at + 1,
                None => break rest.len(),
            }
        };
        let (field, tail) = rest.split_at(end);
        rest = tail;
        Some(field)
    })
}

/// SHA-256 of a body in its canonical form: white space at line ends and empty lines at the end are left out.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut line = Vec::with_capacity(128);
    let mut empty = 0;
    for raw in body.split_inclusive(|b| *b == b'\n') {
        line.clear();
        squeeze(&mut line, raw);
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            hash.update(b"\r\n");
        }
        line.extend_from_slice(b"\r\n");
        hash.update(&line);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376 3.4.5.
    #[test]
    fn as_the_rfc_has_it() {
        let (header, names) = (fields(b"A: X\r\nB : Y\t\r\n\tZ  \r\n", &["a"]), list(&["a"], 72));
        assert_eq!((header.as_slice(), names.as_str()), (&b"a:X\r\n"[..], "a"));
        let mut out = Vec::new();
        field(&mut out, b"B : Y\t\r\n\tZ  \r\n");
        assert_eq!(out, b"b:Y Z\r\n");
        assert_eq!(body_hash(b" C \r\nD \t E\r\n\r\n\r\n"), <[u8; 32]>::from(Sha256::digest(b" C\r\nD E\r\n")));
    }

    #[test]
    fn empty_bodies_have_the_hash_of_nothing() {
        for body in [&b""[..], b"\r\n", b" \r\n\t\r\n"] {
            assert_eq!(body_hash(body), <[u8; 32]>::from(Sha256::digest(b"")));
        }
    }

    #[test]
    fn a_name_listed_again_takes_the_occurrence_before() {
        let header = b"To: a\r\nTo: b\r\nX: c\r\n";
        assert_eq!(fields(header, &["to", "to", "to", "from"]), b"to:b\r\nto:a\r\n");
    }
}
