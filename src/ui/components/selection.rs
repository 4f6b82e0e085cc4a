//! The ticked rows of a list, and what can be done with them. Without scripts the boxes belong to a
//! GET form, whose buttons lead to this page again with the question open.

use super::dialog::Confirm;
use crate::domain::page::Whole;
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::link::kept;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use std::collections::BTreeSet;

/// The form that the boxes belong to; it stands beside the table, for the rows hold forms of their own.
const FORM: &str = "chosen";

/// What is ticked on any page of a list; made once for the list.
#[derive(Clone, Copy)]
pub struct Ticked {
    pub ids: RwSignal<BTreeSet<i64>>,
    pub all: RwSignal<bool>,
}

impl Ticked {
    /// Nothing is ticked, or what the address says; nothing any more once `list` is another: another search, or one whose
    /// rows something was done to.
    pub fn new<T: PartialEq + Send + Sync + 'static>(list: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let (ids, all) = use_query_map().with_untracked(|query| {
            let ids = query.get_all("pick").unwrap_or_default();
            (ids.iter().filter_map(|id| id.parse().ok()).collect(), query.get_str("all").is_some())
        });
        let ticked = Self { ids: RwSignal::new(ids), all: RwSignal::new(all) };
        let list = Memo::new(move |_| list());
        Effect::new(move |before: Option<()>| {
            // To read it is what makes it follow.
            list.with(|_| ());
            if before.is_some() {
                ticked.ids.update(BTreeSet::clear);
                ticked.all.set(false);
            }
        });
        ticked
    }
}

/// The ticked rows of a list that is shown.
#[derive(Clone, Copy)]
pub struct Selection {
    ids: RwSignal<BTreeSet<i64>>,
    all: RwSignal<bool>,
    /// All rows that the list finds.
    whole: Whole,
    /// The page is alive: buttons without effect can be told so.
    alive: RwSignal<bool>,
}

impl Selection {
    /// What is ticked of a list with those rows.
    pub fn new(whole: Whole, Ticked { ids, all }: Ticked) -> Self {
        let alive = RwSignal::new(false);
        Effect::new(move |_| alive.set(true));
        Self { ids, all, whole, alive }
    }

    /// How many rows are chosen.
    pub fn count(self) -> i64 {
        if self.all.get() {
            self.whole.total
        } else {
            self.ids.with(|ids| i64::try_from(ids.len()).unwrap_or(i64::MAX))
        }
    }

    fn some(self) -> bool {
        !self.all.get() && self.count() > 0
    }

    /// Nothing is chosen, and the page would know it.
    fn idle(self) -> bool {
        self.alive.get() && self.count() == 0
    }

    /// The box of a row, which `name` names.
    pub fn tick(self, id: i64, name: &str) -> AnyView {
        let ticked = move || self.all.get() || self.ids.with(|ids| ids.contains(&id));
        view! {
            <input
                type="checkbox"
                class="checkbox checkbox-sm"
                name="pick"
                value=id.to_string()
                form=FORM
                aria-label=t_with("common.select_row", &[("name", &name)])
                checked=ticked
                prop:checked=ticked
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

    /// The chosen rows as fields of a `forms::chosen::Chosen`, with the list as it stands.
    pub fn fields(self) -> AnyView {
        let query = use_query_map();
        let list = [("q", "q"), ("status", "state"), ("sort", "sort")].map(|(param, field)| {
            let value = move || query.with(|query| query.get_str(param).unwrap_or_default().to_owned());
            view! { <input type="hidden" name=format!("form[{field}]") value=value /> }.into_any()
        });
        let rows = move || {
            if self.all.get() {
                return view! {
                    <input type="hidden" name="form[all]" value="true" />
                    <input type="hidden" name="form[n]" value=self.whole.total.to_string() />
                    <input type="hidden" name="form[mark]" value=self.whole.mark.to_string() />
                }
                .into_any();
            }
            let field = |(at, id): (usize, i64)| {
                view! { <input type="hidden" name=format!("form[ids][{at}]") value=id.to_string() /> }.into_any()
            };
            self.ids.get().into_iter().enumerate().map(field).collect::<Vec<AnyView>>().into_any()
        };
        view! { {list.into_iter().collect::<Vec<_>>()} {rows} }.into_any()
    }

    /// The bar above the table: the box for all rows, how many are chosen, and `actions`.
    pub fn bar(self, all: String, actions: AnyView) -> AnyView {
        let path = use_location().pathname;
        let carried = move || {
            let field = |(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any();
            kept(&[]).into_iter().map(field).collect::<Vec<AnyView>>()
        };
        let asked = use_query_map().with_untracked(|query| query.get_str("confirm").is_some());
        view! {
            <form id=FORM method="get" action=move || path.get()>{carried}</form>
            <div class="mb-3 flex min-h-8 flex-wrap items-center gap-3">
                <label class="flex items-center gap-2 pl-4 text-sm">
                    <input
                        type="checkbox"
                        class="checkbox checkbox-sm"
                        name="all"
                        value="true"
                        form=FORM
                        checked=move || self.all.get()
                        prop:checked=move || self.all.get()
                        prop:indeterminate=move || self.some()
                        on:change=move |event| {
                            self.ids.update(BTreeSet::clear);
                            self.all.set(event_target_checked(&event));
                        }
                    />
                    {all}
                </label>
                <span class="text-sm tabular-nums opacity-80" aria-live="polite">
                    {move || Some(self.count()).filter(|n| *n > 0).map(|n| tn("common.chosen", n))}
                </span>
                <div class="flex flex-wrap gap-2" class:hidden=move || self.idle()>{actions}</div>
                {(asked && self.count() == 0).then(|| view! {
                    <p role="alert" class="text-sm text-error">{t("error.none_chosen")}</p>
                })}
            </div>
        }
        .into_any()
    }

    /// A button of the bar that asks first; `form` is what does it, with [`Selection::fields`] inside.
    /// `ask` is the key of the question, which names the count.
    pub fn action(self, name: &'static str, word: String, ask: &'static str, text: String, form: AnyView) -> AnyView {
        view! {
            <Confirm
                name=name
                trigger=word
                title=Signal::derive(move || tn(ask, self.count()))
                text=text
                form=FORM
                ready=Signal::derive(move || self.count() > 0)
            >
                {form}
            </Confirm>
        }
        .into_any()
    }
}
