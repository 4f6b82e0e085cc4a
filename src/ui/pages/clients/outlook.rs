//! What would become of the first lines of a file, and which lines are at fault.

use crate::domain::bidi::visible;
use crate::domain::import::{Duplicates, Fate, FirstLine, Goal, LineProblem, Outlook};
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::link::href;
use leptos::prelude::*;

/// One sentence on the first lines.
pub fn ahead(outlook: &Outlook, duplicates: Duplicates) -> String {
    let Outlook { lines, new, known, faulty, more, .. } = *outlook;
    if new + known + faulty == 0 {
        return t(if lines == 0 { "clients.ahead_empty" } else { "clients.ahead_open" });
    }
    let known_word = match duplicates {
        Duplicates::Skip => "clients.ahead_skip",
        Duplicates::Update => "clients.ahead_update",
    };
    let parts = [
        tn(if more { "clients.ahead_lines" } else { "clients.ahead_all" }, lines),
        t_with("clients.ahead_new", &[("n", &number(new))]),
        t_with(known_word, &[("n", &number(known))]),
        t_with("clients.ahead_faulty", &[("n", &number(faulty))]),
    ];
    parts.join(" ")
}

fn fate(fate: Fate, duplicates: Duplicates) -> AnyView {
    let (class, word) = match (fate, duplicates) {
        (Fate::New, _) => ("badge badge-sm badge-soft badge-success", "clients.fate_new"),
        (Fate::Known, Duplicates::Skip) => ("badge badge-sm badge-ghost", "clients.fate_skip"),
        (Fate::Known, Duplicates::Update) => ("badge badge-sm badge-soft badge-info", "clients.fate_update"),
        (Fate::Faulty, _) => ("badge badge-sm badge-soft badge-error", "clients.fate_faulty"),
        (Fate::Open, _) => return ().into_any(),
    };
    view! { <span class=class>{t(word)}</span> }.into_any()
}

/// The first lines as they stand in the file.
pub fn first_lines(columns: &[String], lines: Vec<FirstLine>, duplicates: Duplicates) -> AnyView {
    let title = |at: usize| t_with("clients.column", &[("n", &(at + 1))]);
    let mut heads = vec![Column::new(t("clients.fate"))];
    heads.extend((0..columns.len()).map(|at| Column::new(title(at))));
    let rows: Vec<AnyView> = lines
        .into_iter()
        .map(|line| {
            let cells: Vec<AnyView> = (0..columns.len())
                .map(|at| {
                    let text = visible(line.cells.get(at).map_or("", String::as_str));
                    view! { <Cell label=title(at)><span class="break-all">{text}</span></Cell> }.into_any()
                })
                .collect();
            view! { <Row><Cell label=t("clients.fate")>{fate(line.fate, duplicates)}</Cell>{cells}</Row> }.into_any()
        })
        .collect();
    view! { <Table label=t("clients.first_lines") columns=heads>{rows}</Table> }.into_any()
}

/// A link to the form of a new client that begins with what stands in a faulty line.
fn mend([email, full_name, comment]: [String; 3]) -> AnyView {
    let fields = [("email", email), ("full_name", full_name), ("comment", comment)];
    let href = href("/clients/new", &fields.map(|(name, value)| (name.to_owned(), value)));
    view! { <a class="link" href=href target="_blank">{t("clients.mend")}</a> }.into_any()
}

/// A link to the form for an address that is to be left out, in the same way.
fn mend_entry([email, ..]: [String; 3]) -> AnyView {
    let href = href("/suppressions/new", &[("email".to_owned(), email)]);
    view! { <a class="link" href=href target="_blank">{t("clients.mend")}</a> }.into_any()
}

/// Lines that were not, or will not be, taken, with all their columns; each can be mended.
pub fn problem_table(problems: Vec<LineProblem>, goal: Goal) -> AnyView {
    let mend = move |fields| match goal {
        Goal::Clients => mend(fields),
        Goal::Suppressions => mend_entry(fields),
    };
    let title = |at: usize| t_with("clients.column", &[("n", &(at + 1))]);
    // A fault of the file as a whole, or one that was noted by an older version, has no cells.
    let width = problems.iter().map(|problem| problem.cells.len()).max().unwrap_or(0).max(1);
    let mut columns = vec![Column::new(t("clients.line")), Column::new(t("clients.problem"))];
    columns.extend((0..width).map(|at| Column::new(title(at))));
    columns.push(Column::new(t("clients.mend")).hidden());
    let rows: Vec<AnyView> = problems
        .into_iter()
        .map(|LineProblem { line, key, value, cells, fields }| {
            let texts = if cells.is_empty() { vec![value] } else { cells };
            let cells: Vec<AnyView> = (0..width)
                .map(|at| {
                    let text = visible(texts.get(at).map_or("", String::as_str));
                    view! { <Cell label=title(at)><span class="break-all">{text}</span></Cell> }.into_any()
                })
                .collect();
            view! {
                <Row>
                    <Cell label=t("clients.line")>{line}</Cell>
                    <Cell label=t("clients.problem")>{t(&key)}</Cell>
                    {cells}
                    <Cell>{fields.map(|fields| mend(*fields))}</Cell>
                </Row>
            }
            .into_any()
        })
        .collect();
    view! { <div class="mt-2"><Table label=t("clients.problems") columns=columns>{rows}</Table></div> }.into_any()
}
