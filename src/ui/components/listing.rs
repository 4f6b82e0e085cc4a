//! What list pages have in common: nothing there yet, nothing found, or the table with its count.

use super::empty::Empty;
use super::error_panel::failed;
use super::icon::Icon;
use super::pagination::Pagination;
use crate::api::error::AppError;
use crate::domain::page::{Page, Whole};
use crate::ui::i18n::{t, tn};
use leptos::prelude::*;

/// How a list speaks of its rows. The keys name texts of the locale files.
pub struct Words {
    /// Begins the keys `empty`, `empty_text`, `not_found`, `not_found_text`, `all`, `new`.
    pub area: &'static str,
    pub symbol: Icon,
    /// Where the list stands; a new row is made at `new` below it.
    pub path: &'static str,
}

/// A page of rows. `narrowed` says whether a search or filter is on, `tools` is what narrows, and
/// `table` shows the rows with what can be done to them.
pub fn listing<T>(
    found: Result<Page<T>, AppError>,
    words: &Words,
    narrowed: bool,
    tools: AnyView,
    table: impl FnOnce(Vec<T>, Whole) -> AnyView,
) -> AnyView {
    let Page { rows, next, total, mark } = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    let text = |name: &str| t(&format!("{}.{name}", words.area));
    if total == 0 && !narrowed {
        let first = (text("new"), format!("{}/new", words.path));
        return view! { <Empty symbol=words.symbol title=text("empty") text=text("empty_text") action=first /> }
            .into_any();
    }
    if rows.is_empty() {
        let all = (text("all"), words.path.to_owned());
        return view! {
            {tools}
            <Empty symbol=Icon::Search title=text("not_found") text=text("not_found_text") action=all />
        }
        .into_any();
    }
    let count = tn(&format!("{}.count", words.area), total);
    view! {
        {tools}
        {table(rows, Whole { total, mark })}
        <Pagination next=next count=count />
    }
    .into_any()
}
