//! Rows that were chosen in a list, one by one or all that it finds.

use super::{Error, Result};
use crate::domain::page::Whole;
use crate::forms::chosen::Chosen;
use std::future::Future;

/// Rows that one statement names.
pub const AT_ONCE: usize = 500;

/// The ids that are chosen; `all` finds those of the whole list.
///
/// # Errors
/// [`Error::Invalid`] if none is chosen; [`Error::Conflict`] if the list has other rows by now than
/// the reader was told, so that nobody deletes what they have not seen.
pub async fn ids<F, R>(chosen: &Chosen, all: F) -> Result<Vec<i64>>
where
    F: FnOnce() -> R,
    R: Future<Output = Result<Vec<i64>>>,
{
    let ids = if chosen.all { all().await? } else { chosen.ids.clone() };
    if ids.is_empty() {
        return Err(Error::field("", "error.none_chosen"));
    }
    let told = Whole { total: chosen.n, mark: chosen.mark };
    if chosen.all && ids.iter().copied().collect::<Whole>() != told {
        return Err(Error::Conflict("error.list_changed"));
    }
    Ok(ids)
}
