//! A letter in a frame, as a mail program shows it: wide or narrow, in the light or in the dark, with its pictures or without.
//! The frame has a page and a policy of its own ([`crate::ui`] knows no style of letters), which lets no script run.

use crate::ui::i18n::t;
use crate::ui::markup::preformatted;
use leptos::html;
use leptos::prelude::*;

/// What letters ask about the reader's colours.
const ASKS_FOR_DARK: &str = "@media (prefers-color-scheme:dark)";

/// How the letter is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Wide,
    Phone,
    Text,
}

/// Shows the letter `html`, which may change, with its plain text. `src` is what the frame shows without any script.
#[component]
pub fn LetterFrame(
    #[prop(into)] html: Signal<String>,
    /// Empty where there is none to look at.
    #[prop(optional, into)]
    text: Signal<String>,
    #[prop(into)] src: String,
    #[prop(into)] title: String,
) -> impl IntoView {
    let view = RwSignal::new(View::Wide);
    let named = title.clone();
    let (dark, bare) = (RwSignal::new(false), RwSignal::new(false));
    let frame = NodeRef::<html::Iframe>::new();
    let shown = Memo::new(move |_| seen(&html.get(), dark.get(), bare.get()));
    let write = move || {
        if let Some(frame) = frame.get_untracked() {
            fill(&frame, &shown.get_untracked(), dark.get_untracked());
        }
    };
    Effect::new(move |_| {
        shown.track();
        dark.track();
        if frame.get().is_some() {
            write();
        }
    });
    let tab = move |which: View, word: &'static str| {
        view! {
            <button
                type="button"
                class="btn btn-sm"
                class:btn-ghost=move || view.get() != which
                aria-pressed=move || (view.get() == which).to_string()
                on:click=move |_| view.set(which)
            >
                {t(word)}
            </button>
        }
    };
    let switch = move |signal: RwSignal<bool>, word: &'static str| {
        view! {
            <button
                type="button"
                class="btn btn-sm"
                class:btn-ghost=move || !signal.get()
                aria-pressed=move || signal.get().to_string()
                disabled=move || view.get() == View::Text
                on:click=move |_| signal.update(|on| *on = !*on)
            >
                {t(word)}
            </button>
        }
    };
    let with_text = move || text.with(|text| !text.is_empty());
    view! {
        <div class="mb-3 flex flex-wrap items-center gap-1" role="group" aria-label=t("letter.view")>
            {tab(View::Wide, "letter.wide")}
            {tab(View::Phone, "letter.phone")}
            {move || with_text().then(|| tab(View::Text, "letter.text"))}
            <span class="mx-1 h-5 border-l border-base-300" aria-hidden="true"></span>
            {switch(dark, "letter.dark")}
            {switch(bare, "letter.bare")}
        </div>
        <div
            class="overflow-x-auto rounded-field border border-base-300 bg-base-200"
            class:hidden=move || view.get() == View::Text
            // Whoever has no mouse scrolls it by the arrow keys.
            tabindex="0"
            role="region"
            aria-label=named
        >
            <iframe
                node_ref=frame
                class=move || match view.get() {
                    View::Phone => "mx-auto block h-[40rem] w-[22.5rem] max-w-none bg-white",
                    _ => "block h-[40rem] w-full min-w-[43.75rem] bg-white",
                }
                title=title
                sandbox="allow-same-origin"
                src=src
                on:load=move |_| write()
            ></iframe>
        </div>
        <pre
            class="overflow-x-auto rounded-field border border-base-300 bg-base-100 p-4 text-sm whitespace-pre-wrap"
            class:hidden=move || view.get() != View::Text
        >
            {move || preformatted(&text.get())}
        </pre>
    }
}

/// The letter in the colours that were chosen, whatever the reader's own are, and with its pictures or without. Its words stay
/// what they are.
fn seen(html: &str, dark: bool, bare: bool) -> String {
    let body = html.find("<body").unwrap_or(0);
    let text = body + html[body..].find('>').map_or(0, |end| end + 1);
    let (head, text) = html.split_at(text);
    let head = head.replace(ASKS_FOR_DARK, if dark { "@media all" } else { "@media not all" });
    let head = head.replace("color-scheme:light dark", if dark { "color-scheme:dark" } else { "color-scheme:light" });
    if !bare {
        return head + text;
    }
    let mut out = head;
    for (at, piece) in text.split("<img ").enumerate() {
        if at > 0 {
            out.push_str("<img ");
        }
        match piece.split_once('>') {
            Some((tag, rest)) if at > 0 => {
                out.push_str(&format!(" {tag}").replace(" src=\"", " data-src=\"")[1..]);
                out.push('>');
                out.push_str(rest);
            }
            _ => out.push_str(piece),
        }
    }
    out
}

/// The value of an attribute of the letter's root.
fn of_root<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let root = html.split_once("<html ")?.1.split_once('>')?.0;
    root.split_once(&format!("{name}=\""))?.1.split_once('"').map(|(value, _)| value)
}

fn fill(frame: &web_sys::HtmlIFrameElement, html: &str, dark: bool) {
    // The empty document before the frame's own page has our policy, which knows no style of letters.
    let page = frame.content_document().filter(|document| document.url().is_ok_and(|url| url != "about:blank"));
    let Some(root) = page.and_then(|document| document.document_element()) else { return };
    if html.is_empty() {
        return;
    }
    root.set_inner_html(html);
    let scheme = if dark { "color-scheme:dark" } else { "color-scheme:light" };
    // A letter without a design follows it.
    let _ = root.set_attribute("style", scheme);
    for name in ["lang", "dir"] {
        let _ = root.set_attribute(name, of_root(html, name).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{of_root, seen};

    #[test]
    fn a_letter_is_seen_as_chosen_and_its_words_stay() {
        let letter = |scheme: &str, media: &str, src: &str| {
            format!(
                "<html lang=\"ar\" dir=\"rtl\"><style>:root{{color-scheme:{scheme}}}{media}{{a{{}}}}</style><body x>\
                 <img {src}=\"https://a.b/c\" alt=\"\"> color-scheme:light dark, src=\"x\""
            )
        };
        let asked = letter("light dark", "@media (prefers-color-scheme:dark)", "src");
        assert_eq!(seen(&asked, false, false), letter("light", "@media not all", "src"));
        assert_eq!(seen(&asked, true, true), letter("dark", "@media all", "data-src"));
        assert_eq!((of_root(&asked, "lang"), of_root(&asked, "dir")), (Some("ar"), Some("rtl")));
        assert_eq!(of_root("<title></title>", "dir"), None);
    }
}
