//! The list of clients.

use super::doubles::DoublesNote;
use super::selection::{Chosen, Selection};
use crate::api::clients::{DeleteClients, PickClients, list_clients};
use crate::api::error::AppError;
use crate::domain::bidi::visible;
use crate::domain::client::Client;
use crate::domain::page;
use crate::domain::suppression::Reason;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::selection::Ticked;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::{href, use_param};
use crate::ui::pages::suppressions::reason_badge;
use crate::ui::time::Time;
use leptos::prelude::*;

/// `/clients`: search by `q`, order by `sort`, keyset pages by `after`.
#[component]
pub fn ClientsPage() -> impl IntoView {
    let (q, sort, after) = (use_param("q"), use_param("sort"), use_param("after"));
    let (delete, pick) = (ServerAction::<DeleteClients>::new(), ServerAction::<PickClients>::new());
    // What was refused because the list has changed is shown with the list as it is.
    let done = move || delete.version().get() + pick.version().get();
    let ticked = Ticked::new(move || (q.get(), done()));
    let found = Resource::new_blocking(
        move || (q.get(), sort.get(), after.get(), done()),
        |(q, sort, after, _)| list_clients(q, sort, after),
    );
    let export = move || href("/clients/export", &[("search".to_owned(), q.get())]);
    let actions = view! {
        <a class="btn btn-ghost" rel="external" download="clients.csv" href=export>{icon(Icon::Download, "size-4")}{t("clients.export")}</a>
        <a class="btn" href="/clients/import">{icon(Icon::Upload, "size-4")}{t("clients.import")}</a>
        <a class="btn btn-primary" href="/clients/new">{icon(Icon::Plus, "size-4")}{t("clients.new")}</a>
    };
    view! {
        <Page title=t("clients.title") lead=t("clients.lead") actions=actions.into_any()>
            <DoublesNote />
            <Transition>
                {move || found.get().map(|found| shown(found, q.get_untracked(), ticked, (delete, pick)))}
            </Transition>
        </Page>
    }
    .into_any()
}

/// A client, and why mailings leave it out.
type Listed = (Client, Option<Reason>);
type Actions = (ServerAction<DeleteClients>, ServerAction<PickClients>);

fn shown(found: Result<page::Page<Listed>, AppError>, q: String, ticked: Ticked, (delete, pick): Actions) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && q.is_empty() {
        let first = (t("clients.import"), "/clients/import".to_owned());
        return view! {
            <Empty symbol=Icon::Users title=t("clients.empty") text=t("clients.empty_text") action=first />
        }
        .into_any();
    }
    let search = view! { <div class="mb-4"><Search label=t("clients.search") /></div> };
    if page.rows.is_empty() {
        let all = (t("clients.all"), "/clients".to_owned());
        return view! {
            {search}
            <Empty symbol=Icon::Search title=t("clients.not_found") text=t("clients.not_found_text") action=all />
        }
        .into_any();
    }
    let shown = page.rows.iter().map(|(client, _)| (client.id, client.email.clone())).collect();
    let selection = Selection::new(page.total, shown, ticked);
    let columns = vec![
        Column::new(t("clients.chosen_column")),
        Column::sorted(t("clients.email"), "email"),
        Column::sorted(t("clients.full_name"), "name"),
        Column::new(t("clients.comment")),
        Column::sorted(t("clients.created"), "created"),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|client| row(client, selection)).collect();
    view! {
        {search}
        <Chosen selection=selection q=q delete=delete pick=pick />
        <Table label=t("clients.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("clients.count", page.total) />
    }
    .into_any()
}

fn row((client, left_out): Listed, selection: Selection) -> AnyView {
    let Client { id, email, full_name, comment, created_at, .. } = client;
    let tick = selection.tick(id, &email);
    let left_out = left_out.map(|reason| view! { <span class="ml-2">{reason_badge(reason)}</span> });
    view! {
        <Row>
            <Cell>{tick}</Cell>
            <Cell label=t("clients.email")><a class="link link-hover font-medium break-all" href=format!("/clients/{id}")>{email}</a>{left_out}</Cell>
            <Cell label=t("clients.full_name")>{visible(&full_name)}</Cell>
            <Cell label=t("clients.comment")><span class="line-clamp-2">{visible(&comment)}</span></Cell>
            <Cell label=t("clients.created")><Time at=created_at relative=true /></Cell>
        </Row>
    }
    .into_any()
}
