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
use crate::ui::components::segmented::Segmented;
use crate::ui::components::selection::Ticked;
use crate::ui::components::table::{Column, CompactRow, Piece, Place, Table};
use crate::ui::i18n::{t, tn};
use crate::ui::link::{href, use_param};
use crate::ui::pages::suppressions::reason_badge;
use crate::ui::time::Time;
use leptos::prelude::*;

/// What `show` says for those who get no letters.
const LEFT_OUT: &str = "left_out";

/// `/clients`: search by `q`, those who get no letters by `show`, order by `sort`, keyset pages by `after`.
#[component]
pub fn ClientsPage() -> impl IntoView {
    let (q, sort, after) = (use_param("q"), use_param("sort"), use_param("after"));
    let show = use_param("show");
    let left_out = Memo::new(move |_| show.with(|show| show == LEFT_OUT));
    let (delete, pick) = (ServerAction::<DeleteClients>::new(), ServerAction::<PickClients>::new());
    // What was refused because the list has changed is shown with the list as it is.
    let done = move || delete.version().get() + pick.version().get();
    let ticked = Ticked::new(move || (q.get(), left_out.get(), done()));
    let found = Resource::new_blocking(
        move || (q.get(), sort.get(), after.get(), left_out.get(), done()),
        |(q, sort, after, left_out, _)| list_clients(q, sort, after, left_out),
    );
    let export = move || {
        let of = [("search".to_owned(), q.get()), ("left_out".to_owned(), left_out.get().to_string())];
        href("/clients/export", &of)
    };
    let actions = view! {
        <a class="btn btn-ghost" rel="external" download="clients.csv" href=export>{icon(Icon::Download, "size-4")}{t("clients.export")}</a>
        <a class="btn btn-ghost" href="/topics">{t("topics.title")}</a>
        <a class="btn" href="/clients/import">{icon(Icon::Upload, "size-4")}{t("clients.import")}</a>
        <a class="btn btn-primary" href="/clients/new">{icon(Icon::Plus, "size-4")}{t("clients.new")}</a>
    };
    view! {
        <Page title=t("clients.title") lead=t("clients.lead") actions=actions.into_any()>
            <DoublesNote />
            <Transition>
                {move || found.get().map(|found| shown(found, (q.get_untracked(), left_out.get_untracked()), ticked, (delete, pick)))}
            </Transition>
        </Page>
    }
    .into_any()
}

/// A client, and why mailings leave it out.
type Listed = (Client, Option<Reason>);
type Actions = (ServerAction<DeleteClients>, ServerAction<PickClients>);

fn shown(
    found: Result<page::Page<Listed>, AppError>,
    (q, left_out): (String, bool),
    ticked: Ticked,
    (delete, pick): Actions,
) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && q.is_empty() && !left_out {
        let first = (t("clients.import"), "/clients/import".to_owned());
        return view! {
            <Empty symbol=Icon::Users title=t("clients.empty") text=t("clients.empty_text") action=first />
        }
        .into_any();
    }
    let kinds = vec![(String::new(), t("clients.show_all")), (LEFT_OUT.to_owned(), t("clients.show_left_out"))];
    let search = view! {
        <div class="mb-4 flex flex-wrap items-center gap-3">
            <Search label=t("clients.search") />
            <Segmented param="show" label=t("clients.show") options=kinds />
        </div>
    };
    if page.rows.is_empty() {
        let all = (t("clients.all"), "/clients".to_owned());
        let (title, text) = match q.is_empty() {
            true => (t("clients.none_left_out"), t("clients.none_left_out_text")),
            false => (t("clients.not_found"), t("clients.not_found_text")),
        };
        return view! {
            {search}
            <Empty symbol=Icon::Search title=title text=text action=all />
        }
        .into_any();
    }
    let shown = page.rows.iter().map(|(client, _)| (client.id, client.email.clone())).collect();
    let selection = Selection::new(page.whole(), shown, ticked);
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
        <Chosen selection=selection q=q left_out=left_out delete=delete pick=pick />
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
        <CompactRow>
            <Piece place=Place::Side>{tick}</Piece>
            <Piece place=Place::Line><a class="link link-hover font-medium break-all" href=format!("/clients/{id}")>{email}</a>{left_out}</Piece>
            <Piece place=Place::Begin><span class="max-sm:line-clamp-1">{visible(&full_name)}</span></Piece>
            <Piece place=Place::Extra><span class="line-clamp-2 max-sm:line-clamp-1">{visible(&comment)}</span></Piece>
            <Piece place=Place::End><Time at=created_at relative=true /></Piece>
        </CompactRow>
    }
    .into_any()
}
