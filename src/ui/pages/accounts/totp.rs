//! The second factor, on the account's page of security.

use super::tabs::section;
use crate::api::profile::{BeginTotp, ConfirmTotp, EndTotp, get_second_factor};
use crate::domain::account::{SecondFactor, TotpSetup};
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::TextField;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of};
use crate::ui::i18n::{t, tn};
use crate::ui::time::Time;
use leptos::prelude::*;

#[derive(Clone, Copy)]
struct Actions {
    begin: ServerAction<BeginTotp>,
    confirm: ServerAction<ConfirmTotp>,
    end: ServerAction<EndTotp>,
}

/// What stands, and the form of what comes next.
#[component]
pub fn TotpSection() -> impl IntoView {
    let actions = Actions { begin: ServerAction::new(), confirm: ServerAction::new(), end: ServerAction::new() };
    let versions =
        move || (actions.begin.version().get(), actions.confirm.version().get(), actions.end.version().get());
    let factor = Resource::new_blocking(versions, |_| get_second_factor());
    let body = move || {
        factor.get().map(|factor| match factor {
            Ok(SecondFactor::Off) => off(actions.begin),
            Ok(SecondFactor::Draft(setup)) => {
                view! { {draft(setup, actions.confirm)} {end(actions.end, "account.totp_cancel")} }.into_any()
            }
            Ok(SecondFactor::On { since, recovery }) => view! {
                <p class="mb-4 text-sm">
                    {t("account.totp_since")} " " <Time at=since /> ". " {tn("account.recovery_left", recovery)}
                </p>
                {end(actions.end, "account.totp_end")}
            }
            .into_any(),
            Err(error) => failed(&error),
        })
    };
    section(t("account.totp"), t("account.totp_lead"), view! { <Transition>{body}</Transition> }.into_any())
}

fn off(action: ServerAction<BeginTotp>) -> AnyView {
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <FormErrors error=error />
        <ActionForm action=action>
            <TextField name="form[password]" label=t("account.own_password") kind="password" required=true autocomplete="current-password" errors=errors />
            <Submit label=t("account.totp_begin") pending=action.pending() class="" />
        </ActionForm>
    }
    .into_any()
}

fn draft(setup: TotpSetup, action: ServerAction<ConfirmTotp>) -> AnyView {
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    let TotpSetup { secret, uri, size, path, recovery } = setup;
    let codes: Vec<AnyView> = recovery.into_iter().map(|code| view! { <li>{code}</li> }.into_any()).collect();
    view! {
        <h3 class="font-medium">{t("account.totp_scan")}</h3>
        <div class="mt-2 flex flex-wrap items-start gap-4">
            <svg viewBox=format!("0 0 {size} {size}") class="size-48 rounded-box bg-white" role="img" aria-label=t("account.totp_qr") shape-rendering="crispEdges">
                <path d=path fill="#000000"></path>
            </svg>
            <div class="min-w-0 text-sm">
                <p>{t("account.totp_type")}</p>
                <p class="mt-1 font-mono break-all select-all">{secret}</p>
                <p class="mt-2"><a class="link" href=uri rel="external">{t("account.totp_open")}</a></p>
            </div>
        </div>
        <h3 class="mt-6 font-medium">{t("account.recovery")}</h3>
        <p class="mt-1 text-sm opacity-80">{t("account.recovery_lead")}</p>
        <ul class="mt-2 grid gap-1 font-mono text-sm sm:grid-cols-2">{codes}</ul>
        <div class="mt-6">
            <FormErrors error=error />
            <ActionForm action=action>
                <TextField name="form[code]" label=t("account.totp_first") required=true autocomplete="one-time-code" errors=errors />
                <Submit label=t("account.totp_confirm") pending=action.pending() />
            </ActionForm>
        </div>
    }
    .into_any()
}

fn end(action: ServerAction<EndTotp>, word: &'static str) -> AnyView {
    let errors = Signal::derive(move || errors_of(action.value().get().as_ref()));
    let error = Signal::derive(move || error_of(action.value().get().as_ref()));
    view! {
        <div class="mt-4 border-t border-base-300 pt-4">
            <FormErrors error=error />
            <ActionForm action=action>
                <TextField name="form[password]" label=t("account.own_password") kind="password" required=true autocomplete="current-password" errors=errors />
                <Submit label=t(word) pending=action.pending() class="btn-sm" />
            </ActionForm>
        </div>
    }
    .into_any()
}
