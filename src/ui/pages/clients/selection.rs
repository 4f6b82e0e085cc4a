//! The ticked rows of the list, and what can be done with them.

use crate::api::clients::{DeleteClients, PickClients};
use crate::domain::page::Whole;
use crate::ui::components::dialog::Confirm;
use crate::ui::components::selection::Ticked;
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_with, tn, tn_with};
use leptos::prelude::*;
use std::collections::BTreeSet;

/// The form to which the boxes of the rows belong; it stands beside the table, since the questions
/// in dialogs are forms of their own.
const PICK: &str = "picked";
/// Clients whom a question names; of more it says how many.
const NAMED: usize = 5;

/// What is ticked in the list.
#[derive(Clone, Copy)]
pub struct Selection {
    ids: RwSignal<BTreeSet<i64>>,
    all: RwSignal<bool>,
    whole: Whole,
    /// The page's clients with their addresses.
    shown: StoredValue<Vec<(i64, String)>>,
}

impl Selection {
    pub fn new(whole: Whole, shown: Vec<(i64, String)>, Ticked { ids, all }: Ticked) -> Self {
        Self { ids, all, whole, shown: StoredValue::new(shown) }
    }

    /// Who is chosen, in words; `q` is the search of the list, `left_out` whether it has only those who get no letters.
    fn names(self, q: &str, left_out: bool) -> String {
        if self.all.get() {
            return if left_out && !q.is_empty() {
                t_with("clients.delete_left_out_found", &[("text", &q)])
            } else if left_out {
                t("clients.delete_left_out")
            } else if q.is_empty() {
                t("clients.delete_all")
            } else {
                t_with("clients.delete_found", &[("text", &q)])
            };
        }
        let ids = self.ids.get();
        let named: Vec<String> = self.shown.with_value(|shown| {
            shown.iter().filter(|(id, _)| ids.contains(id)).map(|(_, email)| email.clone()).take(NAMED).collect()
        });
        // Who stands on other pages only is counted; the title says how many.
        if named.is_empty() {
            return String::new();
        }
        let rest = i64::try_from(ids.len().saturating_sub(named.len())).unwrap_or(i64::MAX);
        let names = named.join(", ");
        if rest == 0 { format!("{names}.") } else { tn_with("clients.delete_more", rest, &[("names", &names)]) }
    }

    /// How many clients are chosen.
    fn count(self) -> i64 {
        if self.all.get() {
            self.whole.total
        } else {
            self.ids.with(|ids| i64::try_from(ids.len()).unwrap_or(i64::MAX))
        }
    }

    /// The box of a row.
    pub fn tick(self, id: i64, email: &str) -> AnyView {
        view! {
            <input
                type="checkbox"
                class="checkbox checkbox-sm"
                name="form[ids][]"
                value=id.to_string()
                form=PICK
                aria-label=t_with("clients.select", &[("email", &email)])
                prop:checked=move || self.all.get() || self.ids.with(|ids| ids.contains(&id))
                on:change=move |event| {
                    self.all.set(false);
                    let on = event_target_checked(&event);
                    self.ids.update(|ids| {
                        if on { ids.insert(id); } else { ids.remove(&id); }
                    });
                }
            />
        }
        .into_any()
    }

    /// The box that chooses all that the search finds.
    pub fn tick_all(self) -> AnyView {
        view! {
            <label class="flex items-center gap-2 text-sm">
                <input
                    type="checkbox"
                    class="checkbox checkbox-sm"
                    name="form[all]"
                    value="true"
                    form=PICK
                    prop:checked=move || self.all.get()
                    on:change=move |event| self.all.set(event_target_checked(&event))
                />
                {tn("clients.select_all", self.whole.total)}
            </label>
        }
        .into_any()
    }
}

/// A new mailing for the chosen, and their deletion.
#[component]
pub fn Chosen(
    selection: Selection,
    q: String,
    /// The list shows only those who get no letters.
    left_out: bool,
    delete: ServerAction<DeleteClients>,
    pick: ServerAction<PickClients>,
) -> impl IntoView {
    let error = Signal::derive(move || {
        error_of(pick.value().get().as_ref()).or_else(|| error_of(delete.value().get().as_ref()))
    });
    let title = Signal::derive(move || tn("clients.delete_title", selection.count()));
    let (search, named) = (q.clone(), q.clone());
    let hidden = move || {
        if selection.all.get() {
            return view! {
                <input type="hidden" name="form[all]" value="true" />
                <input type="hidden" name="form[n]" value=selection.whole.total.to_string() />
                <input type="hidden" name="form[mark]" value=selection.whole.mark.to_string() />
            }
            .into_any();
        }
        let ids: Vec<AnyView> = selection
            .ids
            .get()
            .into_iter()
            .enumerate()
            .map(|(at, id)| {
                view! { <input type="hidden" name=format!("form[ids][{at}]") value=id.to_string() /> }.into_any()
            })
            .collect();
        ids.into_any()
    };
    // Those whose boxes are not in sight; the boxes themselves belong to the form.
    let elsewhere = move || {
        let ids = if selection.all.get() { BTreeSet::new() } else { selection.ids.get() };
        let shown = |id: &i64| selection.shown.with_value(|shown| shown.iter().any(|(one, _)| one == id));
        let ids = ids.into_iter().filter(|id| !shown(id));
        ids.map(|id| view! { <input type="hidden" name="form[ids][]" value=id.to_string() /> }.into_any())
            .collect_view()
    };
    view! {
        <FormErrors error=error />
        <div class="mb-3 flex flex-wrap items-center gap-3">
            {selection.tick_all()}
            <span class="text-sm opacity-80 tabular-nums" aria-live="polite">
                {move || Some(selection.count()).filter(|n| *n > 0).map(|n| tn("clients.chosen", n))}
            </span>
            <ActionForm action=pick attr:id=PICK attr:class="ml-auto">
                <input type="hidden" name="form[q]" value=q />
                <input type="hidden" name="form[left_out]" value=left_out.to_string() />
                <input type="hidden" name="form[n]" value=selection.whole.total.to_string() />
                <input type="hidden" name="form[mark]" value=selection.whole.mark.to_string() />
                {elsewhere}
                <Submit label=t("clients.new_mailing") pending=pick.pending() class="btn-sm" />
            </ActionForm>
            <div class:hidden=move || selection.count() == 0>
                <Confirm
                    name="delete"
                    trigger=t("clients.delete")
                    class="btn btn-sm btn-ghost text-error"
                    title=title
                    text=Signal::derive(move || format!("{} {}", selection.names(&named, left_out), t("clients.delete_text")))
                >
                    <ActionForm action=delete>
                        <input type="hidden" name="form[q]" value=search />
                        <input type="hidden" name="form[left_out]" value=left_out.to_string() />
                        {hidden}
                        <Submit label=t("clients.delete") pending=delete.pending() class="btn-error" />
                    </ActionForm>
                </Confirm>
            </div>
        </div>
    }
    .into_any()
}
