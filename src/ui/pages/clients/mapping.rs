//! Which column holds what, and the file's first lines.

use crate::api::clients::StartImport;
use crate::domain::import::{ImportPreview, LineProblem};
use crate::forms::clients::NO_COLUMN;
use crate::ui::components::field::{RadioField, SelectField};
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, t_with, tn};
use leptos::prelude::*;

fn title(header: &[String], at: usize) -> String {
    match header.get(at).filter(|name| !name.is_empty()) {
        Some(name) => name.clone(),
        None => t_with("clients.column", &[("n", &(at + 1))]),
    }
}

/// The form that starts the import.
#[component]
pub fn MappingForm(preview: ImportPreview, action: ServerAction<StartImport>) -> impl IntoView {
    let ImportPreview { import, header, mapping, lines, problems } = preview;
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let columns: Vec<(String, String)> = (0..header.len()).map(|at| (at.to_string(), title(&header, at))).collect();
    let mut optional = vec![(NO_COLUMN.to_owned(), t("clients.no_column"))];
    optional.extend(columns.iter().cloned());
    let value = |column: Option<usize>| column.map_or(NO_COLUMN.to_owned(), |at| at.to_string());
    let duplicates = vec![
        ("skip".to_owned(), t("clients.skip"), t("clients.skip_text")),
        ("update".to_owned(), t("clients.update"), t("clients.update_text")),
    ];
    view! {
        <FormErrors error=error />
        <ActionForm action=action attr:class="rounded-box border border-base-300 bg-base-100 p-6">
            <input type="hidden" name="form[id]" value=import.id.to_string() />
            <div class="grid gap-x-4 sm:grid-cols-3">
                <SelectField name="form[email]" label=t("clients.email") options=columns value=mapping.email.to_string() errors=errors required=true />
                <SelectField name="form[full_name]" label=t("clients.full_name") options=optional.clone() value=value(mapping.full_name) errors=errors />
                <SelectField name="form[comment]" label=t("clients.comment") options=optional value=value(mapping.comment) errors=errors />
            </div>
            <RadioField name="form[duplicates]" label=t("clients.duplicates") options=duplicates value="skip" errors=errors required=true />
            <Submit label=t("clients.start") pending=action.pending() />
        </ActionForm>
        {(!problems.is_empty()).then(|| view! {
            <p class="mt-6 text-sm">{tn("clients.problems_ahead", i64::try_from(problems.len()).unwrap_or(i64::MAX))}</p>
            {problem_table(problems)}
        })}
        <h2 class="mt-8 mb-2 font-semibold">{t("clients.first_lines")}</h2>
        {first_lines(&header, lines)}
    }
    .into_any()
}

fn first_lines(header: &[String], lines: Vec<Vec<String>>) -> AnyView {
    let columns = (0..header.len()).map(|at| Column::new(title(header, at))).collect();
    let rows: Vec<AnyView> = lines
        .into_iter()
        .map(|line| {
            let cells: Vec<AnyView> = (0..header.len())
                .map(|at| {
                    let text = line.get(at).cloned().unwrap_or_default();
                    view! { <Cell label=title(header, at)>{text}</Cell> }.into_any()
                })
                .collect();
            view! { <Row>{cells}</Row> }.into_any()
        })
        .collect();
    view! { <Table label=t("clients.first_lines") columns=columns>{rows}</Table> }.into_any()
}

/// Lines that were not, or will not be, taken.
pub fn problem_table(problems: Vec<LineProblem>) -> AnyView {
    let columns =
        vec![Column::new(t("clients.line")), Column::new(t("clients.problem")), Column::new(t("clients.value"))];
    let rows: Vec<AnyView> = problems
        .into_iter()
        .map(|LineProblem { line, key, value }| {
            view! {
                <Row>
                    <Cell label=t("clients.line")>{line}</Cell>
                    <Cell label=t("clients.problem")>{t(&key)}</Cell>
                    <Cell label=t("clients.value")><span class="break-all">{value}</span></Cell>
                </Row>
            }
            .into_any()
        })
        .collect();
    view! { <div class="mt-2"><Table label=t("clients.problems") columns=columns>{rows}</Table></div> }.into_any()
}
