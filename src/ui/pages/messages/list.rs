//! The list of messages.

use crate::api::error::AppError;
use crate::api::messages::{DeleteMessage, DuplicateMessage, list_messages};
use crate::domain::message::Message;
use crate::domain::page;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// What the rows can do; made once for the page.
#[derive(Clone, Copy)]
struct Actions {
    delete: ServerAction<DeleteMessage>,
    duplicate: ServerAction<DuplicateMessage>,
}

/// One's messages, newest first.
#[component]
pub fn MessagesPage() -> impl IntoView {
    let (q, after) = (use_param("q"), use_param("after"));
    let actions = Actions { delete: ServerAction::new(), duplicate: ServerAction::new() };
    let found = Resource::new_blocking(
        move || (q.get(), after.get(), actions.delete.version().get()),
        |(q, after, _)| list_messages(q, Some(after).filter(|after| !after.is_empty())),
    );
    let error = Signal::derive(move || {
        let deleted = error_of(actions.delete.value().get().as_ref());
        deleted.or_else(|| error_of(actions.duplicate.value().get().as_ref()))
    });
    let new = view! {
        <a class="btn btn-primary" href="/messages/new">{icon(Icon::Plus, "size-4")}{t("messages.new")}</a>
    };
    view! {
        <Page title=t("messages.title") lead=t("messages.lead") actions=new.into_any()>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| shown(found, q.get_untracked(), actions))}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<Message>, AppError>, q: String, actions: Actions) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && q.is_empty() {
        let first = (t("messages.new"), "/messages/new".to_owned());
        return view! {
            <Empty symbol=Icon::Mail title=t("messages.empty") text=t("messages.empty_text") action=first />
        }
        .into_any();
    }
    let search = view! { <div class="mb-4"><Search label=t("messages.search") /></div> };
    if page.rows.is_empty() {
        let all = (t("messages.all"), "/messages".to_owned());
        return view! {
            {search}
            <Empty symbol=Icon::Search title=t("messages.not_found") text=t("messages.not_found_text") action=all />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("messages.subject")),
        Column::new(t("messages.mailings")).right(),
        Column::new(t("messages.updated")),
        Column::new(t("messages.actions")).right(),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|message| row(message, actions)).collect();
    view! {
        {search}
        <Table label=t("messages.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("messages.count", page.total) />
    }
    .into_any()
}

fn row(message: Message, actions: Actions) -> AnyView {
    let Message { id, subject, mailings, updated_at, .. } = message;
    let ask = t_with("messages.delete_ask", &[("subject", &subject)]);
    view! {
        <Row>
            <Cell><a class="link link-hover font-medium" href=format!("/messages/{id}")>{subject}</a></Cell>
            <Cell label=t("messages.mailings") right=true>{number(mailings)}</Cell>
            <Cell label=t("messages.updated")><Time at=updated_at relative=true /></Cell>
            <Cell right=true>
                <div class="flex flex-wrap justify-end gap-1">
                    <a class="btn btn-sm btn-ghost" href=format!("/messages/{id}")>
                        {icon(Icon::Edit, "size-4")}{t("messages.edit")}
                    </a>
                    <ActionForm action=actions.duplicate>
                        <input type="hidden" name="id" value=id />
                        <button type="submit" class="btn btn-sm btn-ghost">
                            {icon(Icon::Copy, "size-4")}{t("messages.duplicate")}
                        </button>
                    </ActionForm>
                    <Confirm
                        name=format!("delete-{id}")
                        trigger=t("messages.delete")
                        class="btn btn-sm btn-ghost"
                        title=ask
                        text=t("messages.delete_text")
                    >
                        <ActionForm action=actions.delete>
                            <input type="hidden" name="id" value=id />
                            <Submit label=t("messages.delete") pending=actions.delete.pending() class="btn-error" />
                        </ActionForm>
                    </Confirm>
                </div>
            </Cell>
        </Row>
    }
    .into_any()
}
