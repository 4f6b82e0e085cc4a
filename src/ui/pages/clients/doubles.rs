//! Clients under two spellings of one address: what stays, what goes, and the button that joins them.

use crate::api::clients::{JoinDoubles, count_doubles, list_doubles};
use crate::api::error::AppError;
use crate::domain::bidi::visible;
use crate::domain::client::{Client, Double, join_texts};
use crate::domain::page;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// In the list of clients: that some are there twice, and where to join them. Nothing where none are.
#[component]
pub fn DoublesNote() -> impl IntoView {
    let count = Resource::new_blocking(|| (), |()| count_doubles());
    let note = |n: i64| {
        view! {
            <p class="mb-6 flex flex-wrap items-center gap-3 rounded-box border border-warning/60 bg-warning/20 p-4 text-sm">
                {icon(Icon::Alert, "size-5")}
                <span>{tn("clients.doubles_note", n)}</span>
                <a class="btn btn-sm" href="/clients/doubles">{t("clients.doubles_look")}</a>
            </p>
        }
    };
    // Without a count there is no note; what is wrong the list says.
    view! { <Transition>{move || count.get().and_then(Result::ok).filter(|n| *n > 0).map(note)}</Transition> }
}

/// `/clients/doubles`: keyset pages by `after`.
#[component]
pub fn DoublesPage() -> impl IntoView {
    let after = use_param("after");
    let join = ServerAction::<JoinDoubles>::new();
    let found = Resource::new_blocking(move || (after.get(), join.version().get()), |(after, _)| list_doubles(after));
    view! {
        <Page
            title=t("clients.doubles")
            lead=t("clients.doubles_lead")
            breadcrumb=vec![(t("clients.title"), "/clients".to_owned())]
        >
            <Transition>{move || found.get().map(|found| shown(found, join))}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<Double>, AppError>, join: ServerAction<JoinDoubles>) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.rows.is_empty() {
        let back = (t("clients.to_list"), "/clients".to_owned());
        return view! {
            <Empty symbol=Icon::Users title=t("clients.doubles_none") text=t("clients.doubles_none_text") action=back />
        }
        .into_any();
    }
    let columns = vec![Column::new(t("clients.stays")), Column::new(t("clients.goes"))];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    let error = Signal::derive(move || error_of(join.value().get().as_ref()));
    view! {
        <FormErrors error=error />
        <p class="mb-4 max-w-prose">{t("clients.doubles_text")}</p>
        <div class="mb-4">
            <Confirm
                name="join"
                trigger=tn("clients.join", page.total)
                class="btn btn-primary"
                title=tn("clients.join_ask", page.total)
                text=t("clients.join_text")
            >
                <ActionForm action=join>
                    <input type="hidden" name="form[n]" value=page.total.to_string() />
                    <input type="hidden" name="form[mark]" value=page.mark.to_string() />
                    <Submit label=tn("clients.join", page.total) pending=join.pending() />
                </ActionForm>
            </Confirm>
        </div>
        <Table label=t("clients.doubles") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("clients.doubles_count", page.total) />
    }
    .into_any()
}

fn row(Double { goes, stays }: Double) -> AnyView {
    let joined = join_texts(&mut stays.clone(), &goes);
    let told = match (joined.lost, joined.name_to_comment) {
        (true, _) => Some(("text-warning-content bg-warning/40 rounded px-1", t("clients.join_lost"))),
        (false, true) => {
            let (kept, other) = (visible(&stays.full_name), visible(&goes.full_name));
            Some(("opacity-80", t_with("clients.join_names", &[("kept", &kept), ("other", &other)])))
        }
        (false, false) => None,
    };
    let told = told.map(|(class, text)| view! { <p class="mt-1 text-sm"><span class=class>{text}</span></p> });
    view! {
        <Row>
            <Cell label=t("clients.stays")>{client(stays)}{told}</Cell>
            <Cell label=t("clients.goes")>{client(goes)}</Cell>
        </Row>
    }
    .into_any()
}

fn client(client: Client) -> AnyView {
    let Client { id, email, full_name, comment, created_at, .. } = client;
    view! {
        <a class="link link-hover font-medium break-all" href=format!("/clients/{id}")>{email}</a>
        <div>{visible(&full_name)}</div>
        <div class="line-clamp-2 text-sm opacity-80">{visible(&comment)}</div>
        <div class="text-sm opacity-80">{t("clients.created")} " " <Time at=created_at /></div>
    }
    .into_any()
}
