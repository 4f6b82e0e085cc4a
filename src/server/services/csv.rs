//! Lines of CSV files that are handed out.

use super::{Error, Result};
use crate::domain::formula::inert;
use csv::ByteRecord;

/// Spreadsheets take a file for UTF-8 only if it begins so.
pub const BOM: &str = "\u{feff}";

/// Lines, each with CRLF at its end (RFC 4180).
///
/// # Errors
/// Only if the machine cannot (no memory).
pub fn lines(records: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    raw_lines(records.map(|record| record.iter().map(|cell| inert(cell).into_owned()).collect()))
}

/// The same of cells as they are.
///
/// # Errors
/// The same.
pub fn raw_lines(records: impl Iterator<Item = ByteRecord>) -> Result<Vec<u8>> {
    let fail = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
    let mut writer = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for record in records {
        writer.write_byte_record(&record).map_err(|error| fail(&error))?;
    }
    writer.into_inner().map_err(|error| fail(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let record = ["=1+1", "+7", "-5", "@x", "\tx", "a,\"b\"", "a=b", "250 ok"].map(str::to_owned).to_vec();
        let text = String::from_utf8(lines([record].into_iter()).unwrap()).unwrap();
        assert_eq!(text, "'=1+1,'+7,'-5,'@x,'\tx,\"a,\"\"b\"\"\",a=b,250 ok\r\n");
    }
}
