//! Clients as CSV, a batch at a time.

use super::super::csv;
use super::{Actor, Result, cursor};
use crate::domain::client::ClientSort;
use crate::server::db::Db;
use crate::server::db::clients::{self, After, Found};
use chrono::{DateTime, Utc};

/// Rows that are read at once.
const BATCH: i64 = 1000;

/// An export in progress, in the order of creation.
#[derive(Debug)]
pub struct Export {
    db: Db,
    owner: i64,
    search: String,
    /// Only those who get no letters at this instant.
    left_out_at: Option<DateTime<Utc>>,
    after: Option<After>,
}

/// The beginning of the file.
pub fn csv_head() -> Vec<u8> {
    format!("{}email,full_name,comment\r\n", csv::BOM).into_bytes()
}

impl Export {
    /// An export of the actor's clients that the search finds; with an instant, of those who get no letters then.
    pub fn new(db: Db, actor: &Actor, search: String, left_out_at: Option<DateTime<Utc>>) -> Self {
        Self { db, owner: actor.id, search, left_out_at, after: None }
    }

    /// The next lines of the file, if there are any.
    ///
    /// # Errors
    /// Database errors.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let sort = ClientSort::Created;
        let found = Found { search: &self.search, left_out_at: self.left_out_at };
        let rows = clients::list(&self.db, self.owner, found, sort, false, self.after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(cursor(last, sort));
        csv::lines(rows.into_iter().map(|row| vec![row.email, row.full_name, row.comment])).map(Some)
    }
}
