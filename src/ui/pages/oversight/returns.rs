//! Reports that name no letter of this service.

use crate::api::error::AppError;
use crate::api::returns::list_unmatched;
use crate::domain::bidi::visible;
use crate::domain::page;
use crate::domain::returned::Unmatched;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::Icon;
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// `/returns`: for whoever runs the service; they count for nobody.
#[component]
pub fn ReturnsPage() -> impl IntoView {
    let after = use_param("after");
    let found = Resource::new_blocking(move || after.get(), list_unmatched);
    view! {
        <Page title=t("returns.title") lead=t("returns.lead")>
            <Transition>{move || found.get().map(shown)}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<Unmatched>, AppError>) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.rows.is_empty() {
        return view! { <Empty symbol=Icon::Inbox title=t("returns.empty") text=t("returns.empty_text") /> }.into_any();
    }
    let columns = vec![
        Column::new(t("returns.at")),
        Column::new(t("returns.class")),
        Column::new(t("returns.recipient")),
        Column::new(t("returns.said")),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    view! {
        <Table label=t("returns.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("returns.count", page.total) />
    }
    .into_any()
}

fn row(Unmatched { at, class, recipient, status, diagnostic, .. }: Unmatched) -> AnyView {
    let said = format!("{status} {}", visible(&diagnostic));
    view! {
        <Row>
            <Cell><Time at=at with_zone=true /></Cell>
            <Cell label=t("returns.class")>{t(&format!("mailings.returned_{class}"))}</Cell>
            <Cell label=t("returns.recipient")><span class="break-all">{visible(&recipient)}</span></Cell>
            <Cell label=t("returns.said")><span class="font-mono text-xs break-words">{said}</span></Cell>
        </Row>
    }
    .into_any()
}
