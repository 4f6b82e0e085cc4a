//! Writing Markdown: buttons that put its signs into the field, and pictures that are chosen, dropped or pasted.

use super::icon::{Icon, icon};
use super::pictures::{Upload, UploadStatus, first_file, pasted_file, picker, upload};
use crate::ui::browser::{Place, cursor, insert_text, prefix_lines, wrap_text};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// What is written, and what is uploaded into it. [`super::pictures::Describe`] takes it up; it stands outside the form.
#[derive(Clone, Copy)]
pub struct Writing {
    pub pictures: RwSignal<Upload>,
    /// Browsers put the cursor of a field that nobody has been in at its start.
    pub visited: StoredValue<bool>,
}

impl Default for Writing {
    fn default() -> Self {
        Self { pictures: RwSignal::new(Upload::Nothing), visited: StoredValue::new(false) }
    }
}

/// Which buttons there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// Those of any Markdown.
    Post,
    /// And the blocks that letters have.
    Letter,
}

/// What a button does to the field.
#[derive(Clone, Copy)]
enum Act {
    /// Around what is selected.
    Wrap(&'static str, &'static str),
    /// Before each line.
    Lines(&'static str),
    /// A text of its own; the word in it is a text's key.
    Block(&'static str),
}

const COMMON: [(Icon, &str, Option<&str>, Act); 6] = [
    (Icon::Bold, "editor.bold", Some("b"), Act::Wrap("**", "**")),
    (Icon::Italic, "editor.italic", Some("i"), Act::Wrap("*", "*")),
    (Icon::Link, "editor.link", Some("k"), Act::Wrap("[", "](https://)")),
    (Icon::Heading, "editor.heading", None, Act::Lines("## ")),
    (Icon::List, "editor.list", None, Act::Lines("- ")),
    (Icon::Divider, "editor.divider", None, Act::Block("---")),
];
const BLOCKS: [(Icon, &str, Option<&str>, Act); 3] = [
    (Icon::Button, "editor.button", None, Act::Block("::button[editor.words](https://)")),
    (Icon::Card, "editor.card", None, Act::Block(":::card\neditor.words\n:::")),
    (Icon::Columns, "editor.columns", None, Act::Block(":::columns\neditor.words\n:::next\neditor.words\n:::")),
];

/// The buttons above a field, which is `children`; `field` is its id.
#[component]
pub fn MarkdownEditor(field: &'static str, tools: Tools, writing: Writing, children: Children) -> impl IntoView {
    let Writing { pictures, visited } = writing;
    let words = StoredValue::new(t("editor.words"));
    let act = move |act: Act| {
        let words = words.get_value();
        match act {
            Act::Wrap(before, after) => wrap_text(field, before, after, &words),
            Act::Lines(sign) => prefix_lines(field, sign),
            Act::Block(block) => {
                let place = visited.get_value().then(|| cursor(field)).flatten();
                insert_text(field, &block.replace("editor.words", &words), Place::Paragraph(place));
            }
        }
        visited.set_value(true);
    };
    let blocks: &[_] = if tools == Tools::Letter { &BLOCKS } else { &[] };
    let tools = COMMON.iter().chain(blocks);
    let keys: Vec<(&str, Act)> = COMMON.iter().filter_map(|(_, _, key, act)| key.map(|key| (key, *act))).collect();
    let buttons: Vec<AnyView> = tools
        .map(|(symbol, word, key, what)| {
            let (symbol, what, name) = (*symbol, *what, t(word));
            let title = key.map_or_else(|| name.clone(), |key| format!("{name} (Ctrl+{})", key.to_uppercase()));
            view! {
                <button
                    type="button"
                    class="btn btn-square btn-ghost btn-sm"
                    title=title
                    aria-label=name
                    aria-controls=field
                    on:click=move |_| act(what)
                >
                    {icon(symbol, "size-4")}
                </button>
            }
            .into_any()
        })
        .collect();
    let pressed = move |event: web_sys::KeyboardEvent| {
        if !(event.ctrl_key() || event.meta_key()) || event.alt_key() || event.shift_key() {
            return;
        }
        let key = event.key().to_lowercase();
        if let Some((_, what)) = keys.iter().find(|(known, _)| *known == key) {
            event.prevent_default();
            act(*what);
        }
    };
    let take = move |event: &web_sys::Event, file: Option<web_sys::File>| {
        if let Some(file) = file {
            event.prevent_default();
            upload(&file, pictures);
        }
    };
    view! {
        <div class="mb-2 flex flex-wrap items-center gap-1">
            <div class="flex flex-wrap items-center gap-1" role="group" aria-label=t("editor.tools")>{buttons}</div>
            {picker(t("posts.image_add"), pictures)}
            <UploadStatus state=pictures />
        </div>
        <div
            on:focusin=move |_| visited.set_value(true)
            on:keydown=pressed
            on:drop=move |event| take(&event, first_file(event.data_transfer()))
            on:dragover=|event| event.prevent_default()
            on:paste=move |event| take(&event, pasted_file(event.clipboard_data()))
        >
            {children()}
        </div>
    }
}
