//! One way to show what went wrong, with a way on.

use super::icon::{Icon, icon};
use crate::api::error::AppError;
use crate::ui::i18n::{t, t_with};
use crate::ui::status::set_status;
use leptos::prelude::*;

/// Title and sentence of an error, in the reader's language.
pub fn describe(error: &AppError) -> (String, String) {
    let name = match error {
        AppError::Conflict(key) => return (t("errors.conflict"), t(key)),
        AppError::Internal { reference } => {
            return (t("errors.internal"), t_with("errors.internal_detail", &[("reference", reference)]));
        }
        AppError::Validation(_) => "validation",
        AppError::Unauthenticated => "unauthenticated",
        AppError::Forbidden => "forbidden",
        AppError::NotFound => "not_found",
        AppError::RateLimited => "rate_limited",
        AppError::Unavailable => "unavailable",
        AppError::Network(_) => "network",
    };
    (t(&format!("errors.{name}")), t(&format!("errors.{name}_detail")))
}

/// An error as a panel; children are the way on (links, buttons).
#[component]
pub fn ErrorPanel(
    #[prop(into)] title: String,
    #[prop(into)] detail: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="flex gap-3 rounded-box border border-error/40 bg-error/10 p-4">
            <span class="text-error">{icon(Icon::Alert, "size-6")}</span>
            <div class="min-w-0">
                <p class="font-semibold">{title}</p>
                <p class="mt-1 text-sm break-words">{detail}</p>
                {children.map(|children| view! { <div class="mt-3 flex flex-wrap gap-2">{children()}</div> })}
            </div>
        </div>
    }
}

/// A page or a part of it that could not be loaded: the panel, the way on, and the HTTP status.
pub fn failed(error: &AppError) -> AnyView {
    set_status(error.status());
    let (title, detail) = describe(error);
    let (name, href) = match error {
        AppError::Unauthenticated => (t("common.log_in"), "/login"),
        AppError::NotFound | AppError::Forbidden => (t("common.home_link"), "/"),
        // An empty address is this page again.
        _ => (t("errors.retry"), ""),
    };
    view! {
        <ErrorPanel title=title detail=detail>
            <a class="btn btn-sm" rel="external" href=href>{name}</a>
        </ErrorPanel>
    }
    .into_any()
}
