//! The list of messages.

use crate::api::messages::{DeleteMessages, DuplicateMessage, list_messages};
use crate::domain::message::MessageRow;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::listing::{Words, listing};
use crate::ui::components::page::Page;
use crate::ui::components::search::Search;
use crate::ui::components::selection::{Selection, Ticked};
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::once::OnceField;
use crate::ui::time::Time;
use leptos::prelude::*;

const WORDS: Words = Words { area: "messages", symbol: Icon::Mail, path: "/messages" };

/// What the list can do; made once for the page.
#[derive(Clone, Copy)]
struct Actions {
    delete: ServerAction<DeleteMessages>,
    duplicate: ServerAction<DuplicateMessage>,
}

/// One's messages: search by `q`, order by `sort`, keyset pages by `after`.
#[component]
pub fn MessagesPage() -> impl IntoView {
    let (q, sort, after) = (use_param("q"), use_param("sort"), use_param("after"));
    let actions = Actions { delete: ServerAction::new(), duplicate: ServerAction::new() };
    let found = Resource::new_blocking(
        move || (q.get(), sort.get(), after.get(), actions.delete.version().get()),
        |(q, sort, after, _)| list_messages(q, sort, after),
    );
    let ticked = Ticked::new(move || (q.get(), actions.delete.version().get()));
    let error = Signal::derive(move || {
        let deleted = error_of(actions.delete.value().get().as_ref());
        deleted.or_else(|| error_of(actions.duplicate.value().get().as_ref()))
    });
    let new = view! {
        <a class="btn" href="/designs">{t("designs.title")}</a>
        <a class="btn btn-primary" href="/messages/starters">{icon(Icon::Plus, "size-4")}{t("messages.new")}</a>
    };
    view! {
        <Page title=t("messages.title") lead=t("messages.lead") actions=new.into_any()>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| {
                    let search = view! { <div class="mb-4"><Search label=t("messages.search") /></div> };
                    listing(found, &WORDS, !q.get_untracked().is_empty(), search.into_any(), |rows, whole| {
                        table(rows, Selection::new(whole, ticked), whole.total, actions)
                    })
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn table(rows: Vec<MessageRow>, selection: Selection, total: i64, actions: Actions) -> AnyView {
    let columns = vec![
        Column::new(t("common.select_column")).hidden(),
        Column::sorted(t("messages.subject"), "subject"),
        Column::new(t("messages.mailings")).right(),
        Column::sorted(t("messages.updated"), "updated"),
        Column::new(t("messages.actions")).hidden(),
    ];
    let delete = view! {
        <ActionForm action=actions.delete>
            {selection.fields()}
            <Submit label=t("messages.delete") pending=actions.delete.pending() class="btn-error" />
        </ActionForm>
    };
    let text = format!("{} {}", t("messages.delete_many_text"), t("messages.delete_text"));
    let delete = selection.action("delete", t("messages.delete"), "messages.delete_many", text, delete.into_any());
    let rows: Vec<AnyView> = rows.into_iter().map(|message| row(message, selection, actions)).collect();
    view! {
        {selection.bar(tn("messages.select_all", total), delete)}
        <Table label=t("messages.title") columns=columns>{rows}</Table>
    }
    .into_any()
}

fn row(message: MessageRow, selection: Selection, actions: Actions) -> AnyView {
    let MessageRow { id, subject, mailings, updated_at } = message;
    let (tick, copy) = (selection.tick(id, &subject), t_with("messages.duplicate_one", &[("subject", &subject)]));
    let send = t_with("messages.send_one", &[("subject", &subject)]);
    view! {
        <Row>
            <Cell>{tick}</Cell>
            <Cell><a class="link link-hover font-medium break-words" href=format!("/messages/{id}")>{subject}</a></Cell>
            <Cell label=t("messages.mailings") right=true>{number(mailings)}</Cell>
            <Cell label=t("messages.updated")><Time at=updated_at relative=true /></Cell>
            <Cell right=true>
                <div class="flex justify-end gap-1">
                    <a
                        class="btn btn-square btn-ghost btn-sm"
                        href=format!("/mailings/new?step=clients&message={id}")
                        title=t("messages.send")
                        aria-label=send
                    >
                        {icon(Icon::Mail, "size-4")}
                    </a>
                    <ActionForm action=actions.duplicate>
                        <OnceField />
                        <input type="hidden" name="id" value=id />
                        <button type="submit" class="btn btn-square btn-ghost btn-sm" title=t("messages.duplicate") aria-label=copy>
                            {icon(Icon::Copy, "size-4")}
                        </button>
                    </ActionForm>
                </div>
            </Cell>
        </Row>
    }
    .into_any()
}
