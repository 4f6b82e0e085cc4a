//! How a file's text is written as bytes: found out, and read.

use crate::domain::import::Encoding;
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::io::{self, Read};

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// Pictures, archives and the like: they hold NUL bytes, which no text but UTF-16 does, or begin as such
/// files do.
pub fn is_binary(start: &[u8]) -> bool {
    let known: [&[u8]; 6] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"%PDF-", b"\x1f\x8b"];
    known.iter().any(|magic| start.starts_with(magic)) || marked(start).is_none() && start.contains(&0)
}

/// The encoding that a byte order mark names.
fn marked(start: &[u8]) -> Option<Encoding> {
    let marks: [(&[u8], Encoding); 3] =
        [(b"\xef\xbb\xbf", Encoding::Utf8), (b"\xff\xfe", Encoding::Utf16Le), (b"\xfe\xff", Encoding::Utf16Be)];
    marks.into_iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, encoding)| encoding)
}

/// Finds out by the whole text. What is mostly UTF-8 is UTF-8 with damaged lines. Of what is not, Cyrillic
/// words are runs of high bytes, while in Western languages such letters mostly stand alone.
pub fn detect(mut reader: impl Read) -> io::Result<Encoding> {
    let mut buffer = vec![0; CHUNK];
    let (mut filled, mut begun) = (0, false);
    let (mut valid, mut invalid, mut high, mut pairs) = (0_u64, 0_u64, 0_u64, 0_u64);
    loop {
        let n = reader.read(&mut buffer[filled..])?;
        let text = &buffer[..filled + n];
        if !begun && let Some(encoding) = marked(text) {
            return Ok(encoding);
        }
        begun = true;
        high += text.iter().filter(|byte| **byte >= 0xc0).count() as u64;
        pairs += text.windows(2).filter(|pair| pair[0] >= 0xc0 && pair[1] >= 0xc0).count() as u64;
        let mut rest = text;
        // A letter that the end of the chunk cuts through waits for the next one.
        let cut = loop {
            match std::str::from_utf8(rest) {
                Ok(good) => {
                    valid += good.bytes().filter(|byte| *byte >= 0xc0).count() as u64;
                    break 0;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    valid += good.iter().filter(|byte| **byte >= 0xc0).count() as u64;
                    match error.error_len() {
                        Some(len) => {
                            invalid += 1;
                            rest = &bad[len..];
                        }
                        None => break bad.len(),
                    }
                }
            }
        };
        if n == 0 {
            invalid += u64::from(cut > 0);
            break;
        }
        let end = filled + n;
        buffer.copy_within(end - cut..end, 0);
        filled = cut;
    }
    Ok(match (valid >= invalid, 2 * pairs > high) {
        (true, _) => Encoding::Utf8,
        (false, true) => Encoding::Windows1251,
        (false, false) => Encoding::Windows1252,
    })
}

/// A reader of UTF-8, whatever the file is in. UTF-8 itself passes as it is: a damaged line is for the
/// reader of lines to name.
pub fn decoded<R: Read>(inner: R, encoding: Encoding) -> DecodeReaderBytes<R, Vec<u8>> {
    let from = match encoding {
        Encoding::Utf8 => None,
        Encoding::Utf16Le => Some(UTF_16LE),
        Encoding::Utf16Be => Some(UTF_16BE),
        Encoding::Windows1251 => Some(WINDOWS_1251),
        Encoding::Windows1252 => Some(WINDOWS_1252),
    };
    DecodeReaderBytesBuilder::new().encoding(from).bom_sniffing(false).build(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = std::iter::once('\u{feff}').chain(text.chars()).collect::<String>();
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        units.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_is_told_and_read() {
        let russian = "email;имя\nanna@example.org;Анна Ёлкина\n";
        let cp1251 = encoding_rs::WINDOWS_1251.encode(russian).0.into_owned();
        let french = "email;nom\nanna@example.org;André Béart\n";
        let cp1252 = encoding_rs::WINDOWS_1252.encode(french).0.into_owned();
        for (bytes, encoding, text) in [
            (russian.as_bytes().to_vec(), Encoding::Utf8, russian.to_owned()),
            (utf16(russian, false), Encoding::Utf16Le, russian.to_owned()),
            (utf16(russian, true), Encoding::Utf16Be, russian.to_owned()),
            (cp1251, Encoding::Windows1251, russian.to_owned()),
            (cp1252, Encoding::Windows1252, french.to_owned()),
        ] {
            assert!(!is_binary(&bytes));
            assert_eq!(detect(bytes.as_slice()).unwrap(), encoding);
            let mut read = String::new();
            decoded(bytes.as_slice(), encoding).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_damaged_line_does_not_make_another_encoding() {
        let mut bytes = "имя\n".repeat(3 * CHUNK / 7).into_bytes();
        bytes.extend(b"\xff\xfe\n");
        assert_eq!(detect(bytes.as_slice()).unwrap(), Encoding::Utf8);
        assert_eq!(detect(&b"plain"[..]).unwrap(), Encoding::Utf8);
    }

    #[test]
    fn pictures_are_no_text() {
        assert!(is_binary(b"\x89PNG\r\n\x1a\n") && is_binary(b"a\0b"));
        assert!(!is_binary(b"\xff\xfea\0"));
    }
}
