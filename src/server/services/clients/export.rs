//! Clients as CSV, a batch at a time.

use super::{Actor, Error, Result, cursor};
use crate::domain::client::{Client, ClientSort};
use crate::server::db::Db;
use crate::server::db::clients::{self, After};

/// Rows that are read at once.
const BATCH: i64 = 1000;

/// An export in progress, in the order of creation.
#[derive(Debug)]
pub struct Export {
    db: Db,
    owner: i64,
    search: String,
    after: Option<After>,
}

/// The beginning of the file: the mark by which Excel reads UTF-8, and the header.
pub fn csv_head() -> Vec<u8> {
    b"\xef\xbb\xbfemail,full_name,comment\r\n".to_vec()
}

/// A cell that no spreadsheet takes for a formula: an apostrophe goes before the characters that
/// begin one (OWASP, "CSV Injection").
fn safe(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn write(rows: &[Client]) -> Result<Vec<u8>> {
    let fail = |error: csv::Error| Error::Internal(error.to_string());
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        csv.write_record([safe(&row.email), safe(&row.full_name), safe(&row.comment)]).map_err(fail)?;
    }
    csv.into_inner().map_err(|error| Error::Internal(error.to_string()))
}

impl Export {
    /// An export of the actor's clients that the search finds.
    pub fn new(db: Db, actor: &Actor, search: String) -> Self {
        Self { db, owner: actor.id, search, after: None }
    }

    /// The next lines of the file, if there are any.
    ///
    /// # Errors
    /// Database errors.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let sort = ClientSort::Created;
        let rows = clients::list(&self.db, self.owner, &self.search, sort, false, self.after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(cursor(last, sort));
        write(&rows).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn no_cell_begins_a_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("+7", "'+7"), ("-a@b.co", "'-a@b.co"), ("@x", "'@x"), ("\tx", "'\tx"), ("a=b", "a=b")]
        {
            assert_eq!(safe(cell), written);
        }
    }
}
