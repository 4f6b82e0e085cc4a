//! Cells of a table that a spreadsheet would take for formulas: how they go out, and come in again.

use std::borrow::Cow;

/// A cell that no spreadsheet takes for a formula: an apostrophe goes before the characters that begin one
/// (OWASP, "CSV Injection"), and before apostrophes that stand there already, so that [`plain`] gives the cell back.
pub fn inert(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell of which [`inert`] made this one. Spreadsheets write text that looks like a formula in the same way.
pub fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_apostrophe_more_goes_out_and_one_less_comes_in() {
        for (cell, out) in [("+7 900", "'+7 900"), ("'=1", "''=1"), ("'Anna'", "'Anna'"), ("'", "'"), ("a=b", "a=b")] {
            assert_eq!((inert(cell).as_ref(), plain(out)), (out, cell));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_goes_out_comes_in_as_it_was(cell in "('{0,3}[=+@\t\r-]?)?\\PC{0,20}") {
            let out = inert(&cell);
            proptest::prop_assert_eq!(plain(&out), cell.as_str());
        }
    }
}
