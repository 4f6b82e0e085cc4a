//! Durations as people write them in settings: `300ms`, `5m`, `1h30m`.

use std::fmt;
use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write for example 300ms, 30s, 5m, 1h30m or 2d")]
pub struct DurationError(String);

/// Milliseconds of each unit, the largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads one or more whole numbers with a unit (`d`, `h`, `m`, `s`, `ms`), without spaces between.
///
/// # Errors
/// A missing or unknown unit, an empty text, or a value past what fits.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError(text.chars().take(40).collect());
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = &rest[..end];
        let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        total = number.checked_mul(factor).and_then(|ms| total.checked_add(ms)).ok_or_else(wrong)?;
        rest = &rest[end..];
    }
    Ok(Duration::from_millis(total))
}

/// A duration that prints the way [`parse_duration`] reads it, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if left == 0 {
            return f.write_str("0s");
        }
        for (name, factor) in UNITS {
            if left >= factor {
                write!(f, "{}{name}", left / factor)?;
                left %= factor;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in
            [("300ms", 300), ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn names_what_it_cannot_read() {
        for text in ["", "5", "m", "5 m", "-5m", "5x", "1.5h", "99999999999999999999d", "9999999999999999d", "5mm"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("5x").unwrap_err().to_string().contains("`5x`"));
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(ms in any::<u64>()) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&HumanDuration(duration).to_string()), Ok(duration));
        }

        #[test]
        fn never_panics(text in ".{0,30}") {
            let _ = parse_duration(&text);
        }
    }
}
