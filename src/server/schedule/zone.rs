//! Wall time in a zone to instants and back, without a panic in any gap.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// Reads an IANA zone name such as `Europe/Berlin`; `None` if there is no such zone.
pub fn parse_zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The instant at which clocks in `zone` show `local`, and whether it had to be moved.
///
/// A time that exists twice is the first of the two. A time that a clock change skips is the first
/// valid instant after it, and `true` says so.
pub fn resolve(zone: Tz, local: NaiveDateTime) -> (DateTime<Utc>, bool) {
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return (at.with_timezone(&Utc), false);
    }
    // The gap's end as `GapInfo` gives it is looked up as a wall time again; its beginning carries
    // the offset before the change, which is the same instant without a second question.
    let change = GapInfo::new(&local, &zone)
        .and_then(|gap| gap.begin)
        .and_then(|(begin, before)| begin.checked_sub_offset(before.fix()));
    // No gap and yet no answer: the instant is beyond what chrono can count to (year 262 142).
    (change.unwrap_or(local).and_utc(), true)
}

/// What clocks in `zone` show at an instant; UTC where chrono cannot count that far.
pub fn wall_time(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    let utc = at.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
}
