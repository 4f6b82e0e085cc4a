//! The few browser calls that several components share. Call them from effects and handlers only.

use leptos::prelude::*;

/// Remembers a choice for a year, as the server does under `/theme` and `/language`.
pub fn set_cookie(name: &str, value: &str) {
    use leptos::wasm_bindgen::JsCast;
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let secure = if location().protocol().is_ok_and(|protocol| protocol == "https:") { "; Secure" } else { "" };
        // A browser that refuses cookies keeps the choice for this page only.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}"));
    }
}

/// Where a text goes into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where the cursor stands, instead of what is selected there.
    Cursor,
    /// A paragraph of its own at such a place (see [`cursor`]), or at the end.
    Paragraph(Option<u32>),
}

fn textarea(id: &str) -> Option<web_sys::HtmlTextAreaElement> {
    use leptos::wasm_bindgen::JsCast;
    document().get_element_by_id(id).and_then(|field| field.dyn_into().ok())
}

/// Writes into the line with this id, if there is one.
pub fn set_value(id: &str, value: &str) {
    use leptos::wasm_bindgen::JsCast;
    let field = document().get_element_by_id(id).and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field {
        field.set_value(value);
    }
}

/// Where the cursor stands in the field with this id, in units of UTF-16. Ask before a dialog is closed: the focus that comes
/// back from it puts the cursor at the beginning.
pub fn cursor(id: &str) -> Option<u32> {
    textarea(id)?.selection_end().ok().flatten()
}

/// Puts a text into the field with this id.
pub fn insert_text(id: &str, text: &str, place: Place) {
    let Some(field) = textarea(id) else { return };
    // Browsers count in UTF-16.
    let value: Vec<u16> = field.value().encode_utf16().collect();
    let end = u32::try_from(value.len()).unwrap_or(u32::MAX);
    let at = |place: Option<u32>| place.unwrap_or(end).min(end);
    let (from, to) = match place {
        Place::Cursor => (at(field.selection_start().ok().flatten()), at(field.selection_end().ok().flatten())),
        Place::Paragraph(place) => (at(place), at(place)),
    };
    let text = match place {
        Place::Cursor => text.to_owned(),
        _ => {
            let (before, after) = value.split_at(from as usize);
            paragraph(&String::from_utf16_lossy(before), text, &String::from_utf16_lossy(after))
        }
    };
    replace(&field, &text, from, to);
}

/// Types a text over a range of a field: the browser's undo takes it back, and whoever listens for typing hears of it.
fn replace(field: &web_sys::HtmlTextAreaElement, text: &str, from: u32, to: u32) {
    use leptos::wasm_bindgen::JsCast;
    let _ = field.focus();
    let _ = field.set_selection_range(from, to);
    let typed = document()
        .dyn_into::<web_sys::HtmlDocument>()
        .is_ok_and(|document| document.exec_command_with_show_ui_and_value("insertText", false, text).unwrap_or(false));
    if typed {
        return;
    }
    // Refused only for a range that is not in the field; these come from the field itself.
    let _ = field.set_range_text_with_start_and_end(text, from, to);
    let behind = from.saturating_add(units(text));
    let _ = field.set_selection_range(behind, behind);
    let options = web_sys::EventInit::new();
    options.set_bubbles(true);
    if let Ok(event) = web_sys::Event::new_with_event_init_dict("input", &options) {
        let _ = field.dispatch_event(&event);
    }
}

/// How long a text is as browsers count.
fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// What is selected in the field with this id, and where it begins and ends.
fn selection(field: &web_sys::HtmlTextAreaElement) -> (String, u32, u32) {
    let value: Vec<u16> = field.value().encode_utf16().collect();
    let end = u32::try_from(value.len()).unwrap_or(u32::MAX);
    let from = field.selection_start().ok().flatten().unwrap_or(end).min(end);
    let to = field.selection_end().ok().flatten().unwrap_or(end).clamp(from, end);
    (String::from_utf16_lossy(&value[from as usize..to as usize]), from, to)
}

/// Puts signs around what is selected in the field with this id, or around words that stand for it; these are then selected.
pub fn wrap_text(id: &str, before: &str, after: &str, words: &str) {
    let Some(field) = textarea(id) else { return };
    let (selected, from, to) = selection(&field);
    let inside = if selected.is_empty() { words } else { &selected };
    replace(&field, &format!("{before}{inside}{after}"), from, to);
    let begin = from.saturating_add(units(before));
    let _ = field.set_selection_range(begin, begin.saturating_add(units(inside)));
}

/// Puts a sign before each line of the field with this id that is selected or has the cursor.
pub fn prefix_lines(id: &str, sign: &str) {
    let Some(field) = textarea(id) else { return };
    let value: Vec<u16> = field.value().encode_utf16().collect();
    let (_, from, to) = selection(&field);
    let line_end = u16::from(b'\n');
    let begin = value[..from as usize].iter().rposition(|unit| *unit == line_end).map_or(0, |at| at + 1);
    let end = value[to as usize..].iter().position(|unit| *unit == line_end).map_or(value.len(), |at| to as usize + at);
    let lines = String::from_utf16_lossy(&value[begin..end]);
    let begin = u32::try_from(begin).unwrap_or(u32::MAX);
    replace(&field, &prefixed(&lines, sign), begin, u32::try_from(end).unwrap_or(u32::MAX));
}

fn prefixed(lines: &str, sign: &str) -> String {
    lines.split('\n').map(|line| format!("{sign}{line}")).collect::<Vec<_>>().join("\n")
}

/// A text with the line ends that make it a paragraph between what stands before and after it.
fn paragraph(before: &str, text: &str, after: &str) -> String {
    let missing = |has: usize| "\n".repeat(2_usize.saturating_sub(has));
    let ends = before.len() - before.trim_end_matches('\n').len();
    let begins = after.len() - after.trim_start_matches('\n').len();
    let lead = if before.trim().is_empty() { String::new() } else { missing(ends) };
    let trail = if after.trim().is_empty() { String::new() } else { missing(begins) };
    format!("{lead}{text}{trail}")
}

#[cfg(test)]
mod tests {
    use super::{paragraph, prefixed};

    #[test]
    fn each_line_gets_its_sign() {
        assert_eq!(prefixed("one\ntwo", "- "), "- one\n- two");
        assert_eq!(prefixed("", "## "), "## ");
    }

    #[test]
    fn a_paragraph_is_glued_to_nothing() {
        for (before, after, whole) in [
            ("", "", "x"),
            ("", "One", "x\n\nOne"),
            ("One", "", "One\n\nx"),
            ("One\n", "Two", "One\n\nx\n\nTwo"),
            ("One\n\n", "\nTwo", "One\n\nx\n\nTwo"),
            ("Начало 🙂", "\n\n\nTwo", "Начало 🙂\n\nx\n\n\nTwo"),
        ] {
            assert_eq!(format!("{before}{}{after}", paragraph(before, "x", after)), whole);
        }
    }
}
