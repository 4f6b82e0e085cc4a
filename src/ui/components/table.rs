//! Tables that collapse into cards on narrow screens. Roles are written out, for a table that is
//! laid out as blocks loses its own.

use super::icon::{Icon, icon};
use crate::ui::i18n::{t, t_with};
use crate::ui::link::{use_link, use_param};
use leptos::prelude::*;

/// A column's head: its word, and the value of the query parameter `sort` if it can be sorted by.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub word: String,
    pub sort: Option<&'static str>,
    /// Numbers stand right.
    pub right: bool,
    /// The word is for screen readers alone.
    pub hidden: bool,
}

impl Column {
    pub fn new(word: String) -> Self {
        Self { word, ..Self::default() }
    }

    /// A column with a link that sorts by it: `sort=email`, and `sort=-email` downwards.
    pub fn sorted(word: String, sort: &'static str) -> Self {
        Self { word, sort: Some(sort), ..Self::default() }
    }

    /// A column whose word nobody needs to see: boxes, buttons.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// The table; put [`Row`]s of [`Cell`]s inside. `label` names it for screen readers.
#[component]
pub fn Table(#[prop(into)] label: String, columns: Vec<Column>, children: Children) -> impl IntoView {
    let head: Vec<AnyView> = columns.into_iter().map(head).collect();
    view! {
        <div class="overflow-x-auto rounded-box border border-base-300 bg-base-100">
            <table role="table" aria-label=label class="table max-sm:block">
                <thead role="rowgroup" class="max-sm:sr-only">
                    <tr role="row">{head}</tr>
                </thead>
                <tbody role="rowgroup" class="max-sm:block">{children()}</tbody>
            </table>
        </div>
    }
}

fn head(column: Column) -> AnyView {
    let align = if column.right { "text-right" } else { "" };
    let Some(sort) = column.sort else {
        let class = if column.hidden { "sr-only" } else { "" };
        let word = view! { <span class=class>{column.word}</span> };
        return view! { <th role="columnheader" scope="col" class=align>{word}</th> }.into_any();
    };
    let (current, link) = (use_param("sort"), use_link());
    let direction = move || {
        current.with(|current| match current.strip_prefix('-') {
            Some(name) if name == sort => Some(false),
            None if current == sort => Some(true),
            _ => None,
        })
    };
    let to = move || {
        let down = format!("-{sort}");
        link(&[("sort", Some(if direction() == Some(true) { down.as_str() } else { sort })), ("after", None)])
    };
    let label = t_with("common.sort_by", &[("column", &column.word)]);
    view! {
        <th
            role="columnheader"
            scope="col"
            class=align
            aria-sort=move || direction().map(|up| if up { "ascending" } else { "descending" })
        >
            <a class="link link-hover inline-flex items-center gap-1" href=to title=label>
                {column.word}
                {move || direction().map(|up| view! {
                    {icon(if up { Icon::SortUp } else { Icon::SortDown }, "size-3")}
                    <span class="sr-only">{t(if up { "common.sorted_up" } else { "common.sorted_down" })}</span>
                })}
            </a>
        </th>
    }
    .into_any()
}

/// A row, or a card.
#[component]
pub fn Row(children: Children) -> impl IntoView {
    view! { <tr role="row" class="hover:bg-base-200/60 max-sm:block max-sm:p-4 max-sm:border-b max-sm:border-base-300">{children()}</tr> }
}

/// A row that is a card of two or three lines on a narrow screen: put [`Piece`]s inside. The first is beside the others.
#[component]
pub fn CompactRow(children: Children) -> impl IntoView {
    view! {
        <tr
            role="row"
            class="hover:bg-base-200/60 max-sm:grid max-sm:grid-cols-[auto_minmax(0,1fr)_auto] max-sm:items-baseline max-sm:gap-x-3 max-sm:px-4 max-sm:py-3 max-sm:border-b max-sm:border-base-300"
        >
            {children()}
        </tr>
    }
}

/// Where a piece stands in its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Beside all others: a box to tick.
    Side,
    /// A line of its own.
    Line,
    /// The same, and no line if it is empty.
    Extra,
    /// What a line begins with; [`Place::End`] follows.
    Begin,
    End,
}

/// A cell of a [`CompactRow`].
#[component]
pub fn Piece(place: Place, children: Children) -> impl IntoView {
    let class = match place {
        Place::Side => "max-sm:p-0 max-sm:row-span-3 max-sm:self-start",
        Place::Line => "max-sm:p-0 max-sm:col-start-2 max-sm:col-span-2",
        Place::Extra => {
            "max-sm:p-0 max-sm:col-start-2 max-sm:col-span-2 max-sm:row-start-3 max-sm:text-xs max-sm:opacity-80"
        }
        Place::Begin => "max-sm:p-0 max-sm:col-start-2 max-sm:row-start-2",
        Place::End => "max-sm:p-0 max-sm:col-start-3 max-sm:row-start-2 max-sm:text-xs",
    };
    view! { <td role="cell" class=class><div class="min-w-0 wrap-anywhere sm:max-w-lg">{children()}</div></td> }
}

/// A cell. In a card, `label` stands before the value. One long word breaks, and pushes no other column away.
#[component]
pub fn Cell(#[prop(optional, into)] label: String, #[prop(optional)] right: bool, children: Children) -> impl IntoView {
    let class = if right {
        "sm:text-right tabular-nums max-sm:flex max-sm:justify-between max-sm:gap-3 max-sm:p-0 max-sm:py-1"
    } else {
        "max-sm:flex max-sm:justify-between max-sm:gap-3 max-sm:p-0 max-sm:py-1"
    };
    let caption = (!label.is_empty())
        .then(|| view! { <span aria-hidden="true" class="text-xs opacity-80 sm:hidden">{label}</span> });
    view! {
        <td role="cell" class=class>
            {caption}
            <div class="min-w-0 wrap-anywhere sm:max-w-lg">{children()}</div>
        </td>
    }
}
