//! How a file is read, and what would become of its first lines. Each change is looked at by the server;
//! without scripts a button does it.

use super::outlook::{ahead, first_lines, problem_table};
use crate::api::clients::{StartImport, get_import};
use crate::domain::bidi::visible;
use crate::domain::import::{Duplicates, Encoding, Goal, ImportPreview};
use crate::forms::Check;
use crate::forms::clients::{ImportStart, NO_COLUMN};
use crate::ui::components::field::{CheckField, RadioField, SelectField};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{number, t, t_with, tn_with};
use leptos::form::FromFormData;
use leptos::html;
use leptos::prelude::*;

/// A column by its number and what stands in its first cell.
fn title(cell: &str, at: usize) -> String {
    let column = t_with("clients.column", &[("n", &(at + 1))]);
    if cell.is_empty() { column } else { format!("{column}: {cell}") }
}

/// The columns of a file to choose from, after one that is none of them.
pub fn column_options(columns: &[String], none: (&str, String)) -> Vec<(String, String)> {
    let each = columns.iter().enumerate().map(|(at, cell)| (at.to_string(), title(cell, at)));
    std::iter::once((none.0.to_owned(), none.1)).chain(each).collect()
}

/// The encodings to choose from, the present one first.
pub fn encodings(current: Encoding) -> Vec<(String, String)> {
    let word = |encoding: Encoding| match encoding {
        Encoding::Utf8 => "UTF-8".to_owned(),
        Encoding::Utf16Le => "UTF-16 LE".to_owned(),
        Encoding::Utf16Be => "UTF-16 BE".to_owned(),
        Encoding::Windows1251 => t("clients.encoding_1251"),
        Encoding::Windows1252 => t("clients.encoding_1252"),
    };
    let mut all = Encoding::ALL;
    all.sort_by_key(|encoding| *encoding != current);
    all.into_iter().map(|encoding| (encoding.as_str().to_owned(), word(encoding))).collect()
}

/// The form that starts the import. `chosen` is what the page's address says.
#[component]
pub fn MappingForm(
    preview: ImportPreview,
    chosen: Option<ImportStart>,
    action: ServerAction<StartImport>,
) -> impl IntoView {
    let id = preview.import.id;
    let look = Action::new(move |form: &ImportStart| get_import(id, Some(form.clone())));
    let asked = RwSignal::new(chosen.clone());
    let errors = Signal::derive(move || {
        // What is wrong with a look ahead is known here; a start is answered by the server.
        match action.value().get() {
            Some(answer) => errors_of(Some(&answer)),
            None => asked.get().map(|form| form.check()).unwrap_or_default(),
        }
    });
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let form = NodeRef::<html::Form>::new();
    let refresh = move || {
        let Some(form) = form.get_untracked() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        if let Ok(StartImport { form }) = StartImport::from_form_data(&data) {
            action.value().set(None);
            asked.set(Some(form.clone()));
            look.dispatch(form);
        }
    };
    let layout = preview.layout;
    let addresses = column_options(&preview.columns, ("", t("clients.choose_column")));
    let others = column_options(&preview.columns, (NO_COLUMN, t("clients.no_column")));
    let value = |column: Option<usize>, none: &str| column.map_or(none.to_owned(), |at| at.to_string());
    let (full_name, comment) = (value(layout.full_name, NO_COLUMN), value(layout.comment, NO_COLUMN));
    let (middle_name, last_name) = (value(layout.middle_name, NO_COLUMN), value(layout.last_name, NO_COLUMN));
    let duplicates = vec![
        ("skip".to_owned(), t("clients.skip"), t("clients.skip_text")),
        ("update".to_owned(), t("clients.update"), t("clients.update_text")),
    ];
    let update = chosen.as_ref().is_some_and(|form| form.duplicates == Duplicates::Update);
    let shown = move || match look.value().get() {
        Some(Ok(preview)) => preview,
        _ => preview.clone(),
    };
    let rule = move || asked.with(|form| form.as_ref().map(|form| form.duplicates).unwrap_or_default());
    let email = match &chosen {
        Some(form) => form.email.clone(),
        None => value(layout.email, ""),
    };
    view! {
        <FormErrors error=error />
        {layout.email.is_none().then(|| view! { <p class="mb-4 text-sm">{t("clients.no_email_column")}</p> })}
        <ActionForm
            action=action
            node_ref=form
            attr:class="rounded-box border border-base-300 bg-base-100 p-6"
            on:change=move |_| refresh()
        >
            <input type="hidden" name="form[id]" value=id.to_string() />
            <div class="grid gap-x-4 sm:grid-cols-3">
                <SelectField name="form[email]" label=t("clients.email") options=addresses value=email errors=errors required=true />
                <SelectField name="form[full_name]" label=t("clients.full_name") options=others.clone() value=full_name errors=errors />
                <SelectField name="form[middle_name]" label=t("clients.middle_name") options=others.clone() value=middle_name errors=errors />
                <SelectField name="form[last_name]" label=t("clients.last_name") options=others.clone() value=last_name hint=t("clients.names_hint") errors=errors />
                <SelectField name="form[comment]" label=t("clients.comment") options=others value=comment errors=errors />
            </div>
            <div class="grid gap-x-4 sm:grid-cols-3">
                <SelectField name="form[encoding]" label=t("clients.encoding") options=encodings(layout.encoding) value=layout.encoding.as_str() hint=t("clients.encoding_hint") errors=errors />
            </div>
            <CheckField name="form[first_is_data]" label=t("clients.first_is_data") checked=!layout.header errors=errors />
            <RadioField name="form[duplicates]" label=t("clients.duplicates") options=duplicates value=if update { "update" } else { "skip" } errors=errors required=true />
            <div class="flex flex-wrap gap-2">
                <Submit label=t("clients.start") pending=action.pending() />
                <button
                    class="btn btn-ghost"
                    formmethod="get"
                    formaction=format!("/clients/import/{id}")
                    formnovalidate=true
                    on:click=move |event| {
                        event.prevent_default();
                        refresh();
                    }
                >
                    {t("clients.check_again")}
                </button>
            </div>
        </ActionForm>
        {move || {
            let ImportPreview { columns, layout, lines, outlook, problems, .. } = shown();
            let unused = layout.unused(&columns);
            view! {
                <div aria-live="polite" class="mt-6 text-sm">{ahead(&outlook, rule())}</div>
                {(!unused.is_empty()).then(|| view! {
                    <p class="mt-2 text-sm">{t_with("clients.unused_columns", &[("names", &visible(&unused.join(", ")))])}</p>
                })}
                {(!problems.is_empty()).then(|| {
                    let n = i64::try_from(problems.len()).unwrap_or(i64::MAX);
                    let key = if outlook.more { "clients.problems_ahead" } else { "clients.problems_all" };
                    let title = tn_with(key, n, &[("lines", &number(outlook.lines))]);
                    view! { <h2 class="mt-6 font-semibold">{title}</h2> {problem_table(problems, Goal::Clients)} }
                })}
                <h2 class="mt-8 mb-2 font-semibold">{t("clients.first_lines")}</h2>
                {first_lines(&columns, lines, rule())}
            }
        }}
    }
    .into_any()
}
