//! Choosing clients one by one. Each tick is kept at once where scripts run; without them a button keeps
//! those of the page.

use super::query::{self, Step};
use super::review::fields;
use crate::api::mailings::{ChangePicks, StartPicking};
use crate::domain::bidi::visible;
use crate::domain::client::Client;
use crate::domain::page;
use crate::forms::mailings::MailingForm;
use crate::forms::picks::Picks;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of, use_save_keys};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::use_param;
use leptos::prelude::*;
use std::collections::BTreeSet;

/// The form that the boxes belong to.
const FORM: &str = "picks";

/// The way here from the step before.
pub fn offer(form: &MailingForm) -> AnyView {
    let start = ServerAction::<StartPicking>::new();
    let error = Signal::derive(move || error_of(start.value().get().as_ref()));
    let hidden: Vec<AnyView> = fields(form)
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> }.into_any())
        .collect();
    let word = if form.selection == 0 { "mailings.pick" } else { "mailings.pick_again" };
    view! {
        <section class="mt-8 border-t border-base-300 pt-4">
            <FormErrors error=error />
            <p class="mb-2 text-sm opacity-80">{t("mailings.pick_hint")}</p>
            <ActionForm action=start>
                {hidden}
                <Submit label=t(word) pending=start.pending() class="btn-sm" />
            </ActionForm>
        </section>
    }
    .into_any()
}

/// Search, the page of clients with their boxes, and the way on.
pub fn page(form: &MailingForm, clients: page::Page<(Client, bool)>, chosen: i64) -> AnyView {
    let change = ServerAction::<ChangePicks>::new();
    let error = Signal::derive(move || error_of(change.value().get().as_ref()));
    let (selection, total) = (form.selection, clients.total);
    let q = use_param("q");
    let shown: Vec<i64> = clients.rows.iter().map(|(client, _)| client.id).collect();
    let first = clients.rows.iter().filter(|(_, held)| *held).map(|(client, _)| client.id).collect::<BTreeSet<_>>();
    let held = RwSignal::new(first);
    let count = Signal::derive(move || match change.value().get() {
        Some(Ok(n)) => n,
        _ => chosen,
    });
    let keep = {
        let shown = StoredValue::new(shown.clone());
        move || {
            let ids = held.get_untracked().into_iter().collect();
            let form = Picks { selection, shown: shown.get_value(), ids, ..Picks::default() };
            change.dispatch(ChangePicks { form });
        }
    };
    // What is kept at once needs no button; it stays for pages without scripts.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    use_save_keys(super::steps::FORM, |form| drop(form.request_submit()));
    let rows: Vec<AnyView> = clients.rows.into_iter().map(|(client, _)| row(client, held, keep)).collect();
    let hidden: Vec<AnyView> = shown
        .iter()
        .enumerate()
        .map(|(at, id)| {
            view! { <input type="hidden" name=format!("form[shown][{at}]") value=id.to_string() /> }.into_any()
        })
        .collect();
    let columns = vec![
        Column::new(t("common.select_column")).hidden(),
        Column::new(t("clients.email")),
        Column::new(t("clients.full_name")),
        Column::new(t("clients.comment")),
    ];
    // All that the search finds: the rows of this page are among them.
    let rows_here = StoredValue::new(shown.clone());
    let whole = move |all: &'static str, word: &'static str| {
        let tick = move |_| {
            held.update(|held| match all {
                "put" => held.extend(rows_here.get_value()),
                _ => held.clear(),
            });
        };
        view! {
            <div on:submit=tick>
                <ActionForm action=change>
                    <input type="hidden" name="form[selection]" value=selection.to_string() />
                    <input type="hidden" name="form[all]" value=all />
                    <input type="hidden" name="form[q]" value=move || q.get() />
                    <button type="submit" class="btn btn-sm">{tn(word, total)}</button>
                </ActionForm>
            </div>
        }
        .into_any()
    };
    let on = query::pairs(form, &[])
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect::<Vec<AnyView>>();
    // Without scripts the count does not follow the boxes.
    let go =
        Signal::derive(
            move || {
                if alive.get() { tn("mailings.continue_with", count.get()) } else { t("mailings.continue") }
            },
        );
    view! {
        <FormErrors error=error />
        <div class="mb-3 flex flex-wrap items-center gap-3">
            <Search label=t("clients.search") />
            <span class="text-sm font-medium tabular-nums" role="status">{move || tn("mailings.picked_count", count.get())}</span>
        </div>
        <div class="mb-3 flex flex-wrap gap-2">
            {whole("put", "mailings.pick_put")}
            {whole("take", "mailings.pick_take")}
        </div>
        <Table label=t("clients.title") columns=columns>{rows}</Table>
        <Pagination next=clients.next count=tn("clients.count", total) />
        <div class:hidden=move || alive.get() class="mt-3">
            <ActionForm action=change attr:id=FORM>
                <input type="hidden" name="form[selection]" value=selection.to_string() />
                {hidden}
                <button type="submit" class="btn btn-sm">{t("mailings.pick_keep")}</button>
            </ActionForm>
        </div>
        <form method="get" action=form.path() id=super::steps::FORM class="mt-6 flex gap-2">
            {on}
            <input type="hidden" name="step" value=Step::Window.as_str() />
            <a class="btn" href=query::link(form, Step::Clients)>{t("mailings.back")}</a>
            <Submit label=go />
        </form>
    }
    .into_any()
}

fn row(client: Client, held: RwSignal<BTreeSet<i64>>, keep: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let Client { id, email, full_name, comment, .. } = client;
    let ticked = move || held.with(|held| held.contains(&id));
    let label = t_with("common.select_row", &[("name", &email)]);
    view! {
        <Row>
            <Cell>
                <input
                    type="checkbox"
                    class="checkbox checkbox-sm"
                    name="form[ids][]"
                    value=id.to_string()
                    form=FORM
                    aria-label=label
                    checked=ticked
                    prop:checked=ticked
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        held.update(|held| {
                            if on { held.insert(id); } else { held.remove(&id); }
                        });
                        keep();
                    }
                />
            </Cell>
            <Cell label=t("clients.email")><span class="break-all">{email}</span></Cell>
            <Cell label=t("clients.full_name")>{visible(&full_name)}</Cell>
            <Cell label=t("clients.comment")><span class="line-clamp-2">{visible(&comment)}</span></Cell>
        </Row>
    }
    .into_any()
}
