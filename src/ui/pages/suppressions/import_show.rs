//! An import into the ledger: what its file looks like and how many addresses it has, before somebody confirms that; and the way
//! back, once it is over.

use crate::api::suppressions::{LiftSuppressionsImport, StartSuppressionsImport, get_suppressions_import};
use crate::domain::bidi::visible;
use crate::domain::import::{Duplicates, Goal, ImportPreview};
use crate::forms::clients::ImportStart;
use crate::forms::suppressions::REASON_MAX;
use crate::ui::components::dialog::{Confirm, cancel};
use crate::ui::components::field::{CheckField, SelectField, TextField};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{number, t, t_with, tn, tn_with};
use crate::ui::pages::clients::{
    Ends, Place, ahead, column_options, encodings, first_lines, import_page, problem_table,
};
use leptos::prelude::*;
use leptos_router::components::Form;

const SUPPRESSIONS: Place = Place {
    goal: Goal::Suppressions,
    title: "suppressions.import_title",
    list: "/suppressions",
    list_title: "suppressions.title",
    to_list: "suppressions.all",
    upload: "/suppressions/import",
    upload_title: "suppressions.import",
    counts: &[
        ("clients.n_lines", |counts| counts.lines),
        ("clients.n_added", |counts| counts.added),
        ("suppressions.n_known", |counts| counts.skipped),
        ("clients.n_faulty", |counts| counts.faulty),
    ],
};

/// `/suppressions/import/:id`.
#[component]
pub fn SuppressionsImportShowPage() -> impl IntoView {
    let start = ServerAction::<StartSuppressionsImport>::new();
    let lift = ServerAction::<LiftSuppressionsImport>::new();
    let ends = Ends {
        version: Signal::derive(move || start.version().get() + lift.version().get()),
        before: Box::new(move |preview, chosen| look(preview, chosen, start)),
        after: Box::new(move |preview| way_back(preview, lift)),
    };
    import_page(&SUPPRESSIONS, |id, chosen| Box::pin(get_suppressions_import(id, chosen)), ends)
}

/// How the file is read, what would become of its first lines, and the question with the count. All of it works without scripts.
fn look(preview: ImportPreview, chosen: Option<ImportStart>, start: ServerAction<StartSuppressionsImport>) -> AnyView {
    let ImportPreview { import, columns, layout, lines, outlook, problems, is_ledger, .. } = preview;
    let error = Signal::derive(move || error_of(start.value().get().as_ref()));
    let email = match chosen {
        Some(form) => form.email,
        None => layout.email.map(|at| at.to_string()).unwrap_or_default(),
    };
    let options = column_options(&columns, ("", t("clients.choose_column")));
    let fields = [
        ("form[id]", import.id.to_string()),
        ("form[email]", email.clone()),
        ("form[first_is_data]", (!layout.header).to_string()),
        ("form[encoding]", layout.encoding.as_str().to_owned()),
    ];
    let fields = fields.map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let n = outlook.takeable.unwrap_or_default();
    let ask = (layout.email.is_some() && n > 0).then(|| {
        view! {
            <Confirm
                name="start"
                trigger=tn("suppressions.import_n", n)
                class="btn btn-primary"
                title=tn("suppressions.import_ask", n)
                text=t_with("suppressions.import_ask_text", &[("reason", &visible(&import.why))])
            >
                <ActionForm action=start>
                    {fields}
                    <Submit label=tn("suppressions.import_n", n) pending=start.pending() />
                </ActionForm>
            </Confirm>
        }
    });
    let faulty = i64::try_from(problems.len()).unwrap_or(i64::MAX);
    let problems = (!problems.is_empty()).then(|| {
        let key = if outlook.more { "clients.problems_ahead" } else { "clients.problems_all" };
        let title = tn_with(key, faulty, &[("lines", &number(outlook.lines))]);
        view! { <h2 class="mt-6 font-semibold">{title}</h2> {problem_table(problems, Goal::Suppressions)} }
    });
    view! {
        <FormErrors error=error />
        <p class="mb-4 text-sm break-words">{t("suppressions.evidence")} ": " {visible(&import.why)}</p>
        {layout.email.is_none().then(|| view! { <p class="mb-4 text-sm">{t("clients.no_email_column")}</p> })}
        {is_ledger.then(|| view! { <p class="mb-4 text-sm">{t("suppressions.is_ledger")}</p> })}
        <Form
            method="GET"
            action=format!("/suppressions/import/{}", import.id)
            attr:class="rounded-box border border-base-300 bg-base-100 p-6"
        >
            <div class="grid gap-x-4 sm:grid-cols-2">
                <SelectField name="form[email]" label=t("suppressions.email") options=options value=email />
                <SelectField name="form[encoding]" label=t("clients.encoding") options=encodings(layout.encoding) value=layout.encoding.as_str() hint=t("clients.encoding_hint") />
            </div>
            <CheckField name="form[first_is_data]" label=t("clients.first_is_data") checked=!layout.header />
            <button class="btn btn-sm">{t("clients.check_again")}</button>
        </Form>
        <p class="mt-6 text-sm">{ahead(&outlook, Duplicates::Skip)}</p>
        <div class="mt-4 flex flex-wrap gap-2">
            {ask}
            <a class="btn btn-ghost" href="/suppressions">{t("common.cancel")}</a>
        </div>
        {problems}
        <h2 class="mt-8 mb-2 font-semibold">{t("clients.first_lines")}</h2>
        {first_lines(&columns, lines, Duplicates::Skip)}
    }
    .into_any()
}

/// Where a wrong file was taken: all of it off the list again, for a reason.
fn way_back(preview: &ImportPreview, lift: ServerAction<LiftSuppressionsImport>) -> AnyView {
    let (id, n) = (preview.import.id, preview.entries);
    if n == 0 {
        return ().into_any();
    }
    let errors = Signal::derive(move || errors_of(lift.value().get().as_ref()));
    let error = Signal::derive(move || error_of(lift.value().get().as_ref()));
    view! {
        <section class="mt-8 max-w-xl">
            <h2 class="font-semibold">{t("suppressions.import_wrong")}</h2>
            <p class="mt-1 mb-3 text-sm">{tn("suppressions.import_entries", n)}</p>
            <FormErrors error=error />
            <Confirm
                name="lift"
                trigger=tn("suppressions.import_lift", n)
                class="btn btn-sm"
                title=tn("suppressions.import_lift_ask", n)
                text=t("suppressions.import_lift_text")
                fields=true
            >
                <ActionForm action=lift>
                    <input type="hidden" name="form[id]" value=id.to_string() />
                    <TextField name="form[reason]" label=t("suppressions.lift_reason") errors=errors required=true maxlength=REASON_MAX autocomplete="off" hint=t("suppressions.lift_reason_hint") />
                    <div class="modal-action">
                        {cancel("lift")}
                        <Submit label=tn("suppressions.import_lift", n) pending=lift.pending() />
                    </div>
                </ActionForm>
            </Confirm>
        </section>
    }
    .into_any()
}
