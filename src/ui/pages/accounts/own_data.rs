//! `/account/data`: what is the reader's own, to take away and to delete.

use super::tabs::{section, tabbed};
use crate::api::profile::{DeleteAccount, get_own_counts};
use crate::domain::account::OwnCounts;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, tn};
use leptos::prelude::*;

/// `/account/data`.
#[component]
pub fn OwnDataPage() -> impl IntoView {
    let counts = Resource::new_blocking(|| (), |()| get_own_counts());
    let body = move || {
        counts.get().map(|counts| match counts {
            Ok(counts) => view! { {take_away()} <Delete counts=counts /> }.into_any(),
            Err(error) => failed(&error),
        })
    };
    tabbed("/account/data", view! { <Suspense>{body}</Suspense> }.into_any())
}

fn take_away() -> AnyView {
    let link = view! {
        <a class="btn" rel="external" download="" href="/account/data.json">
            {icon(Icon::Download, "size-4")}{t("account.data_fetch")}
        </a>
    };
    section(t("account.data"), t("account.data_lead"), link.into_any())
}

#[component]
fn Delete(counts: OwnCounts) -> impl IntoView {
    let action = ServerAction::<DeleteAccount>::new();
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    // The whole document says who reads it.
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            // Refused only for an address that is none.
            let _ = window().location().set_href("/?done=account.deleted");
        }
    });
    let OwnCounts { clients, messages, mailings, deliveries } = counts;
    let form = view! {
        <ul class="mb-4 list-disc pl-5 text-sm">
            <li>{tn("account.delete_clients", clients)}</li>
            <li>{tn("account.delete_messages", messages)}</li>
            <li>{tn("account.delete_mailings", mailings)}</li>
            <li>{tn("account.delete_deliveries", deliveries)}</li>
        </ul>
        <p class="mb-4 text-sm">{t("account.delete_stays")}</p>
        <FormErrors error=error />
        <ActionForm action=action>
            <TextField name="form[password]" label=t("account.own_password") kind="password" required=true autocomplete="current-password" errors=errors />
            <Submit label=t("account.delete_do") pending=action.pending() class="btn-error" />
        </ActionForm>
    };
    section(t("account.delete"), t("account.delete_lead"), form.into_any())
}
