//! The form of a mail server.

use super::test::result;
use crate::api::relays::{SaveRelay, TryRelay};
use crate::domain::relay::{CONNECTIONS, HOST_MAX, Limits, NAME_MAX, RelaySettings, TlsMode, USER_MAX};
use crate::ui::components::field::{CheckField, SelectField, TextField};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::t;
use leptos::form::FromFormData;
use leptos::html;
use leptos::prelude::*;

fn fresh() -> RelaySettings {
    RelaySettings {
        id: 0,
        name: String::new(),
        host: String::new(),
        port: 0,
        tls: TlsMode::Required,
        user: String::new(),
        has_password: false,
        connections: CONNECTIONS,
        limits: Limits::default(),
        priority: 0,
        enabled: true,
    }
}

/// The form; `relay` is none for a new one.
#[component]
pub(super) fn RelayFields(relay: Option<RelaySettings>) -> impl IntoView {
    let save = ServerAction::<SaveRelay>::new();
    let test = ServerAction::<TryRelay>::new();
    let error =
        Signal::derive(move || error_of(save.value().get().as_ref()).or_else(|| error_of(test.value().get().as_ref())));
    let errors = Signal::derive(move || match save.value().get() {
        Some(Err(_)) => errors_of(save.value().get().as_ref()),
        _ => errors_of(test.value().get().as_ref()),
    });
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    // Whichever was asked last has answered last: the other's answer is cleared before it is asked.
    let try_out = move |_| {
        let Some(form) = form.get_untracked() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        if let Ok(typed) = SaveRelay::from_form_data(&data) {
            save.clear();
            test.dispatch(TryRelay { form: typed.form });
        }
    };
    let opened = relay.as_ref().map(RelaySettings::version).unwrap_or_default();
    let relay = relay.unwrap_or_else(fresh);
    let of = |limit: Option<i64>| limit.map(|n| n.to_string()).unwrap_or_default();
    let port = if relay.port == 0 { String::new() } else { relay.port.to_string() };
    let password_hint = t(if relay.has_password { "relays.password_keep" } else { "relays.password_hint" });
    let modes = TlsMode::ALL
        .into_iter()
        .map(|mode| (mode.as_str().to_owned(), t(&format!("relays.tls_{}", mode.as_str()))))
        .collect();
    view! {
        <FormErrors error=error />
        <div on:submit:capture=move |_| test.clear()>
            <ActionForm action=save node_ref=form attr:class="max-w-2xl rounded-box border border-base-300 bg-base-100 p-6">
                <input type="hidden" name="form[id]" value=relay.id.to_string() />
                <VersionField opened=opened errors=errors />
                <TextField name="form[name]" label=t("relays.name") hint=t("relays.name_hint") value=relay.name errors=errors maxlength=NAME_MAX required=true autocomplete="off" />
                <div class="grid gap-x-4 sm:grid-cols-[2fr_1fr]">
                    <TextField name="form[host]" label=t("relays.host") hint=t("relays.host_hint") value=relay.host errors=errors maxlength=HOST_MAX required=true autocomplete="off" />
                    <TextField name="form[port]" label=t("relays.port") hint=t("relays.port_hint") value=port errors=errors autocomplete="off" />
                </div>
                <SelectField name="form[tls]" label=t("relays.tls") hint=t("relays.tls_hint") options=modes value=relay.tls.as_str() errors=errors />
                <div class="grid gap-x-4 sm:grid-cols-2">
                    <TextField name="form[user]" label=t("relays.user") hint=t("relays.user_hint") value=relay.user errors=errors maxlength=USER_MAX autocomplete="off" />
                    <TextField name="form[password]" label=t("relays.password") kind="password" hint=password_hint errors=errors maxlength=USER_MAX autocomplete="new-password" />
                    <TextField name="form[connections]" label=t("relays.most") hint=t("relays.most_hint") value=relay.connections.to_string() errors=errors autocomplete="off" />
                    <TextField name="form[priority]" label=t("relays.priority") hint=t("relays.priority_hint") value=relay.priority.to_string() errors=errors autocomplete="off" />
                </div>
                <div class="grid gap-x-4 sm:grid-cols-3">
                    <TextField name="form[second]" label=t("relays.second") hint=t("relays.limit_hint") value=of(relay.limits.second) errors=errors autocomplete="off" />
                    <TextField name="form[hour]" label=t("relays.hour") hint=t("relays.limit_hint") value=of(relay.limits.hour) errors=errors autocomplete="off" />
                    <TextField name="form[day]" label=t("relays.day") hint=t("relays.limit_hint") value=of(relay.limits.day) errors=errors autocomplete="off" />
                </div>
                <CheckField name="form[enabled]" label=t("relays.enabled") hint=t("relays.enabled_hint") checked=relay.enabled errors=errors />
                <div class="flex flex-wrap gap-2">
                    <Submit label=t("common.save") pending=save.pending() />
                    <button type="button" class="btn" disabled=move || test.pending().get() on:click=try_out>
                        {icon(Icon::Mail, "size-4")}
                        {move || t(if test.pending().get() { "common.working" } else { "relays.test" })}
                    </button>
                    <a class="btn btn-ghost" href="/relays">{t("common.cancel")}</a>
                </div>
            </ActionForm>
        </div>
        {move || match test.value().get() {
            Some(Ok(test)) => Some(view! { <div class="mt-6 max-w-2xl">{result(test)}</div> }),
            _ => None,
        }}
    }
    .into_any()
}
