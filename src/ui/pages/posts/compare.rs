//! Two versions beside each other, line by line.

use crate::domain::post::{Change, FieldDiff};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// The name of a field of the form.
pub fn field_name(field: &str) -> String {
    t(&format!("posts.field_{field}"))
}

/// What differs; lines are told apart by a sign and a word, not by colour alone.
pub fn compared(fields: Vec<FieldDiff>) -> AnyView {
    if fields.is_empty() {
        return view! { <p class="text-sm opacity-80">{t("posts.no_difference")}</p> }.into_any();
    }
    let fields: Vec<AnyView> = fields
        .into_iter()
        .map(|FieldDiff { field, lines }| {
            let lines: Vec<AnyView> = lines.into_iter().map(|(change, text)| line(change, text)).collect();
            let name = field_name(&field);
            view! {
                <div class="mb-4">
                    <h3 class="mb-1 text-sm font-medium">{name.clone()}</h3>
                    <div
                        role="group"
                        aria-label=name
                        tabindex="0"
                        class="overflow-x-auto rounded-box border border-base-300 bg-base-100 py-1 font-mono text-sm"
                    >
                        {lines}
                    </div>
                </div>
            }
            .into_any()
        })
        .collect();
    view! { <div>{fields}</div> }.into_any()
}

fn line(change: Change, text: String) -> AnyView {
    let (sign, class, word) = match change {
        Change::Same => (" ", "px-3 whitespace-pre-wrap", None),
        Change::Removed => ("−", "px-3 whitespace-pre-wrap bg-error/10", Some(t("posts.removed"))),
        Change::Added => ("+", "px-3 whitespace-pre-wrap bg-success/10", Some(t("posts.added"))),
        Change::Gap => {
            return view! { <p class="px-3 py-1 text-xs opacity-80">{format!("⋯ {}", t("posts.left_out"))}</p> }
                .into_any();
        }
    };
    view! {
        <div class=class>
            <span aria-hidden="true" class="select-none">{format!("{sign} ")}</span>
            {word.map(|word| view! { <span class="sr-only">{word}": "</span> })}
            {text}
        </div>
    }
    .into_any()
}
