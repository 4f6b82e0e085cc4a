//! When mailings run: period, zone and window give instants. Pure: no database, no clock.
//!
//! Every occurrence is computed from the anchor (the wall time of the first one), never from the
//! previous occurrence, so that a short month or a clock change leaves no trace in later ones.

mod due;
mod occurrences;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod zone;

pub use due::{Due, FirstRun, due, first_run, grace};
pub use occurrences::Schedule;
pub use zone::{parse_zone, resolve, wall_time};
