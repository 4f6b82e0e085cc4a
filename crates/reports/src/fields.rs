//! Blocks of header fields (RFC 5322 2.2): of a letter, of a part, and of the reports, which have the same form.

/// Most bytes of one block that are read.
pub const BLOCK_MAX: usize = 64 * 1024;
/// Most fields of one block.
const COUNT_MAX: usize = 500;
/// Most bytes of one value.
const VALUE_MAX: usize = 8 * 1024;

/// The fields of one block, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads fields until the block's end. Bytes that are not UTF-8 become replacement characters, folded lines one line;
    /// a line that is no field is left out.
    pub fn read(block: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&block[..block.len().min(BLOCK_MAX)]);
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut()
                    && value.len() + line.len() < VALUE_MAX
                {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let name = name.trim();
            if name.is_empty()
                || name.len() > 100
                || !name.bytes().all(|b| b.is_ascii_graphic())
                || fields.len() == COUNT_MAX
            {
                continue;
            }
            let value = value.trim();
            let end = value.floor_char_boundary(VALUE_MAX);
            fields.push((name.to_ascii_lowercase(), value[..end].to_owned()));
        }
        Self(fields)
    }

    /// The value of the first field with a name, which is given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// The block of fields at the start of some bytes, and what follows after the empty line.
pub fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |found| at + found + 1);
        if matches!(&bytes[at..end], b"\n" | b"\r\n") {
            return (&bytes[..at], &bytes[end..]);
        }
        at = end;
    }
    (bytes, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_value_and_other_lines_none() {
        let fields = Fields::read(b"A: one\r\n\ttwo\r\nnonsense\r\na: three\r\nB:\xff\r\n");
        assert_eq!(fields.0[0], ("a".to_owned(), "one two".to_owned()));
        assert_eq!(fields.0[1], ("a".to_owned(), "three".to_owned()));
        assert_eq!(fields.get("b"), Some("\u{fffd}"));
        assert_eq!(fields.get("nonsense"), None);
    }

    #[test]
    fn a_block_ends_at_an_empty_line_of_either_kind() {
        assert_eq!(split(b"a: b\r\n\r\nbody"), (&b"a: b\r\n"[..], &b"body"[..]));
        assert_eq!(split(b"a: b\n\nbody"), (&b"a: b\n"[..], &b"body"[..]));
        assert_eq!(split(b"\nbody"), (&b""[..], &b"body"[..]));
        assert_eq!(split(b"a: b"), (&b"a: b"[..], &b""[..]));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many = b"a: b\n".repeat(2 * COUNT_MAX);
        assert_eq!(Fields::read(&many).0.len(), COUNT_MAX);
        let long = [b"a: ".as_slice(), &b"x".repeat(2 * VALUE_MAX), b"\n", &b" y\n".repeat(5)].concat();
        assert!(Fields::read(&long).get("a").unwrap().len() <= VALUE_MAX);
    }
}
