//! Which state of something a form was opened on, so that of two windows the later save does not win unsaid.

/// A mark of what is stored: equal for equal texts, and different for others but by a chance of 1 in 2^64 (FNV-1a). It
/// keeps nothing secret and proves nothing; it is compared with what its own writer has sent.
pub fn version(fields: &[&str]) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = OFFSET;
    let mut take = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    for field in fields {
        field.bytes().for_each(&mut take);
        // No UTF-8 holds it, so no two fields flow into one another.
        take(0xff);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn every_field_counts_at_its_place() {
        // The published value of FNV-1a for no bytes at all.
        assert_eq!(version(&[]), "cbf29ce484222325");
        let all = [&["a", "b"][..], &["b", "a"], &["ab"], &["ab", ""], &["", "ab"], &["a", "B"]].map(version);
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{one}");
        }
    }
}
