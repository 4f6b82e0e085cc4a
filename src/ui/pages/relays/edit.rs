//! A new mail server, and a stored one.

use super::above;
use super::form::RelayFields;
use crate::api::error::AppError;
use crate::api::relays::get_relay;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::i18n::t;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// `/relays/new`.
#[component]
pub fn RelayNewPage() -> impl IntoView {
    // Asked for the permission alone: without it, there is no form to fill in for nothing.
    let may = Resource::new_blocking(|| (), |()| crate::api::relays::list_relays());
    view! {
        <Page title=t("relays.new") breadcrumb=above()>
            <Suspense>
                {move || may.get().map(|may| match may {
                    Ok(_) => view! { <RelayFields relay=None /> }.into_any(),
                    Err(error) => failed(&error),
                })}
            </Suspense>
        </Page>
    }
    .into_any()
}

/// `/relays/:id`.
#[component]
pub fn RelayEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let relay = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_relay(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    view! {
        <Suspense>
            {move || relay.get().map(|relay| match relay {
                Ok(relay) => {
                    view! { <Page title=relay.name.clone() breadcrumb=above()><RelayFields relay=Some(relay) /></Page> }
                        .into_any()
                }
                Err(error) => view! { <Page title=t("relays.one") breadcrumb=above()>{failed(&error)}</Page> }.into_any(),
            })}
        </Suspense>
    }
    .into_any()
}
