//! Transparency of the message body: takes the added dots out again and finds the end
//! (RFC 5321, section 4.5.2).

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    #[default]
    Start,
    /// Inside a line.
    Text,
    /// After a carriage return.
    Cr,
    /// After a dot at the start of a line; the dot is held back.
    Dot,
    /// After such a dot and a carriage return; both are held back.
    DotCr,
}

/// Reads a body piece by piece, wherever the network cuts it. Only CRLF ends a line: a lone LF before
/// a dot must not end the letter, or one letter could smuggle in another.
#[derive(Debug, Default)]
pub struct Unstuffer(State);

impl Unstuffer {
    /// Appends what `input` holds of the letter to `out`. Returns how many bytes of `input` belong to
    /// this body, and whether its final dot was among them.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.0, byte) {
                (State::Start, b'.') => self.0 = State::Dot,
                (State::Dot, b'\r') => self.0 = State::DotCr,
                (State::DotCr, b'\n') => return (at + 1, true),
                (State::DotCr, _) => {
                    // Not the end after all: the carriage return is text, and this byte is looked at anew.
                    out.push(b'\r');
                    self.0 = State::Cr;
                    continue;
                }
                (State::Cr, b'\n') => {
                    out.push(byte);
                    self.0 = State::Start;
                }
                _ => {
                    let rest = &input[at..];
                    let run = rest.iter().position(|&b| b == b'\r').map_or(rest.len(), |found| found + 1);
                    out.extend_from_slice(&rest[..run]);
                    self.0 = if rest[run - 1] == b'\r' { State::Cr } else { State::Text };
                    at += run;
                    continue;
                }
            }
            at += 1;
        }
        (at, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sending side of RFC 5321, section 4.5.2.
    fn stuff(letter: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, &byte) in letter.iter().enumerate() {
            if byte == b'.' && (at == 0 || letter[..at].ends_with(b"\r\n")) {
                out.push(b'.');
            }
            out.push(byte);
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    fn unstuff(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>, bool) {
        let (mut dots, mut out, mut left, mut done) = (Unstuffer::default(), Vec::new(), Vec::new(), false);
        for piece in pieces {
            let used = if done {
                0
            } else {
                let (used, end) = dots.feed(piece, &mut out);
                done = end;
                used
            };
            left.extend_from_slice(&piece[used..]);
        }
        (out, left, done)
    }

    #[test]
    fn dots_of_every_kind() {
        for (wire, letter) in [
            (&b".\r\n"[..], &b""[..]),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...\r\n.\r\n", b"..\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\r.\r\n.\r\n", b"a\r.\r\n"),
            (b".\rb\r\n.\r\n", b"\rb\r\n"),
            (b".\r\r\n.\r\n", b"\r\r\n"),
        ] {
            assert_eq!(unstuff(&[wire]), (letter.to_vec(), Vec::new(), true), "{}", wire.escape_ascii());
        }
    }

    #[test]
    fn what_follows_the_dot_is_left_alone() {
        assert_eq!(unstuff(&[b"a\r\n.\r\nQUIT\r\n"]), (b"a\r\n".to_vec(), b"QUIT\r\n".to_vec(), true));
    }

    proptest! {
        #[test]
        fn any_letter_survives_any_cutting(
            bytes in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
            cut in 1usize..20,
        ) {
            let mut letter = bytes;
            if !letter.is_empty() && !letter.ends_with(b"\r\n") {
                letter.extend_from_slice(b"\r\n");
            }
            let wire = stuff(&letter);
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            prop_assert_eq!(unstuff(&pieces), (letter, Vec::new(), true));
        }
    }
}
