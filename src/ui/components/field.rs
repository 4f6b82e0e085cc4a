//! Fields: label, control, hint and error, tied together for screen readers. A name such as
//! `form[email]` belongs to the error of `email`. Events (`on:input`) on a component bubble up from
//! its control.

use crate::api::error::FieldErrors;
use crate::ui::i18n::{error_text, t};
use crate::ui::markup::written;
use crate::ui::refused::{ticked, typed};
use leptos::prelude::*;

/// The field of an error that goes with an input's name.
pub fn field_of(name: &str) -> &str {
    name.rsplit_once('[').map_or(name, |(_, field)| field.trim_end_matches(']'))
}

/// What a control needs to know of its frame.
#[derive(Clone, Copy)]
struct Frame {
    error: Memo<Option<String>>,
    hint: bool,
    id: StoredValue<String>,
}

impl Frame {
    fn new(name: &str, errors: Signal<FieldErrors>, hint: &str) -> Self {
        let field = field_of(name).to_owned();
        let id = format!("field-{}", name.replace(['[', ']'], "-"));
        let error = Memo::new(move |_| errors.with(|errors| errors.get(&field).map(error_text)));
        Self { error, hint: !hint.is_empty(), id: StoredValue::new(id) }
    }

    fn id(self) -> String {
        self.id.get_value()
    }

    fn invalid(self) -> Option<&'static str> {
        self.error.with(Option::is_some).then_some("true")
    }

    fn described_by(self) -> Option<String> {
        let id = self.id();
        match (self.error.with(Option::is_some), self.hint) {
            (true, true) => Some(format!("{id}-error {id}-hint")),
            (true, false) => Some(format!("{id}-error")),
            (false, true) => Some(format!("{id}-hint")),
            (false, false) => None,
        }
    }

    fn notes(self, hint: String) -> AnyView {
        let id = self.id();
        view! {
            {(!hint.is_empty()).then(|| view! { <p id=format!("{id}-hint") class="mt-1 text-xs opacity-80">{hint}</p> })}
            {move || self.error.get().map(|text| view! {
                <p id=format!("{}-error", self.id()) class="mt-1 text-sm text-error">{text}</p>
            })}
        }
        .into_any()
    }

    fn wrap(self, label: String, hint: String, required: bool, control: AnyView) -> AnyView {
        view! {
            <div class="mb-4">
                <label for=self.id() class="mb-1 block text-sm font-medium">{label}{mark(required)}</label>
                {control}
                {self.notes(hint)}
            </div>
        }
        .into_any()
    }
}

fn mark(required: bool) -> Option<AnyView> {
    required.then(|| {
        view! { <span class="ml-1 text-xs font-normal opacity-80">{format!("({})", t("common.required"))}</span> }
            .into_any()
    })
}

/// What an input of a kind asks the browser for: its type, the keyboard, and that no word is corrected. A browser's own kind
/// `email` refuses letters beyond ASCII before the @ (RFC 6531), and writes a domain anew while it is typed.
fn typing(kind: &'static str) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match kind {
        "email" => ("text", Some("email"), Some("false")),
        kind => (kind, None, None),
    }
}

/// A line of text. `kind` is the input's type, or email: text, password, number, datetime-local, color, file.
#[component]
pub fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] required: bool,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] maxlength: Option<usize>,
    /// What is typed is left out of what the form sends.
    #[prop(optional, into)]
    unsent: Signal<bool>,
) -> impl IntoView {
    // A password is typed again.
    let value = if kind == "password" { value } else { typed(&name).unwrap_or(value) };
    let frame = Frame::new(&name, errors, &hint);
    let (kind, keyboard, spelling) = typing(kind);
    let control = view! {
        <input
            id=frame.id()
            name=move || (!unsent.get()).then(|| name.clone())
            type=kind
            inputmode=keyboard
            autocapitalize=keyboard.map(|_| "none")
            spellcheck=spelling
            value=value
            class=match kind {
                "file" => "file-input w-full",
                "color" => "input w-full cursor-pointer p-1",
                _ => "input w-full",
            }
            class:input-error=move || frame.error.with(Option::is_some)
            required=required
            autocomplete=autocomplete
            maxlength=maxlength.map(|n| n.to_string())
            aria-invalid=move || frame.invalid()
            aria-describedby=move || frame.described_by()
        />
    };
    frame.wrap(label, hint, required, control.into_any())
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] required: bool,
    #[prop(default = 4)] rows: u32,
    #[prop(optional)] maxlength: Option<usize>,
) -> impl IntoView {
    let value = typed(&name).unwrap_or(value);
    let frame = Frame::new(&name, errors, &hint);
    let control = view! {
        <textarea
            id=frame.id()
            name=name
            rows=rows.to_string()
            class="textarea w-full"
            class:textarea-error=move || frame.error.with(Option::is_some)
            required=required
            maxlength=maxlength.map(|n| n.to_string())
            aria-invalid=move || frame.invalid()
            aria-describedby=move || frame.described_by()
        >
            {between_tags(&value)}
        </textarea>
    };
    frame.wrap(label, hint, required, control.into_any())
}

/// The text of a textarea as it is written between its tags. In a page the first line break there is not part of it
/// (HTML, 13.1.2.5).
fn between_tags(text: &str) -> String {
    let begin = if cfg!(target_arch = "wasm32") { "" } else { "\n" };
    begin.to_owned() + &written(text)
}

/// One of several; `options` are (value, word).
#[component]
pub fn SelectField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let value = typed(&name).unwrap_or(value);
    let frame = Frame::new(&name, errors, &hint);
    let options: Vec<AnyView> = options
        .into_iter()
        .map(|(option, word)| {
            let selected = option == value;
            view! { <option value=option selected=selected>{word}</option> }.into_any()
        })
        .collect();
    let control = view! {
        <select
            id=frame.id()
            name=name
            class="select w-full"
            class:select-error=move || frame.error.with(Option::is_some)
            required=required
            aria-invalid=move || frame.invalid()
            aria-describedby=move || frame.described_by()
        >
            {options}
        </select>
    };
    frame.wrap(label, hint, required, control.into_any())
}

/// Yes or no. An unchecked box sends nothing: give the server's field `#[serde(default)]`; a checked
/// one sends `true`.
#[component]
pub fn CheckField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(optional)] checked: bool,
    #[prop(optional, into)] hint: String,
) -> impl IntoView {
    let checked = ticked(&name).unwrap_or(checked);
    let frame = Frame::new(&name, errors, &hint);
    view! {
        <div class="mb-4">
            <label class="flex items-start gap-2 text-sm">
                <input
                    id=frame.id()
                    type="checkbox"
                    class="checkbox checkbox-sm"
                    name=name
                    value="true"
                    checked=checked
                    aria-invalid=move || frame.invalid()
                    aria-describedby=move || frame.described_by()
                />
                {label}
            </label>
            {frame.notes(hint)}
        </div>
    }
}

/// One of few, all of them in sight; `options` are (value, word, explanation or empty).
#[component]
pub fn RadioField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    options: Vec<(String, String, String)>,
    #[prop(optional, into)] errors: Signal<FieldErrors>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let value = typed(&name).unwrap_or(value);
    let frame = Frame::new(&name, errors, &hint);
    let options: Vec<AnyView> = options
        .into_iter()
        .map(|(option, word, explanation)| {
            let (checked, name) = (option == value, name.clone());
            view! {
                <label class="flex items-start gap-2 py-1 text-sm">
                    <input type="radio" class="radio radio-sm" name=name value=option checked=checked required=required />
                    <span>
                        {word}
                        {(!explanation.is_empty()).then(|| view! { <span class="block text-xs opacity-80">{explanation}</span> })}
                    </span>
                </label>
            }
            .into_any()
        })
        .collect();
    view! {
        <fieldset class="mb-4" id=frame.id() aria-describedby=move || frame.described_by()>
            <legend class="mb-1 text-sm font-medium">{label}{mark(required)}</legend>
            {options}
            {frame.notes(hint)}
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::{between_tags, field_of, typing};
    use leptos::prelude::*;

    #[test]
    fn no_text_ends_its_textarea() {
        let html = view! { <textarea>{between_tags("\n</textarea><script>&lt;")}</textarea> }.to_html();
        assert_eq!(html, "<textarea>\n\n&lt;/textarea>&lt;script>&amp;lt;</textarea>");
    }

    #[test]
    fn no_browser_judges_an_address() {
        assert_eq!(typing("email"), ("text", Some("email"), Some("false")));
        assert_eq!(typing("password"), ("password", None, None));
    }

    #[test]
    fn the_last_bracket_names_the_field() {
        for (name, field) in [("form[email]", "email"), ("email", "email"), ("a[b][c]", "c")] {
            assert_eq!(field_of(name), field);
        }
    }
}
