//! A page that the link of a letter opens: its form, or why the link does not work and how to get another.

use crate::api::accounts::check_link;
use crate::api::error::AppError;
use crate::ui::components::error_panel::{ErrorPanel, describe};
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::status::set_status;
use leptos::prelude::*;

/// `kind` is the link's; `again` leads to a new one (address and word); `form` makes the form of a token.
#[component]
pub fn LinkPage<F>(
    kind: &'static str,
    title: String,
    lead: String,
    again: (&'static str, &'static str),
    form: F,
) -> impl IntoView
where
    F: Fn(String) -> AnyView + Clone + Send + Sync + 'static,
{
    let token = use_param("token");
    let state = Resource::new_blocking(
        move || token.get(),
        move |token| async move {
            if token.is_empty() {
                return Err(AppError::Conflict("accounts.no_link".to_owned()));
            }
            check_link(kind.to_owned(), token).await
        },
    );
    let body = move || {
        let form = form.clone();
        state.get().map(move |state| match state {
            Ok(()) => form(token.get_untracked()),
            Err(error) => {
                set_status(error.status());
                let (title, detail) = describe(&error);
                view! {
                    <ErrorPanel title=title detail=detail>
                        <a class="btn btn-sm" href=again.0>{t(again.1)}</a>
                        <a class="btn btn-sm btn-ghost" href="/login">{t("accounts.login")}</a>
                    </ErrorPanel>
                }
                .into_any()
            }
        })
    };
    view! {
        <div class="mx-auto max-w-md">
            <Page title=title lead=lead>
                <Suspense>{body}</Suspense>
            </Page>
        </div>
    }
    .into_any()
}

/// What the form of such a page holds where one click does it: mail scanners follow links by themselves, and
/// do not submit forms.
pub fn click(token: String, label: String, pending: Signal<bool>) -> AnyView {
    view! {
        <input type="hidden" name="token" value=token />
        <Submit label=label pending=pending class="btn-primary" />
    }
    .into_any()
}
