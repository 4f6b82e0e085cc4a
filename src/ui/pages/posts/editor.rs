//! The form of a post beside its preview. What is typed is kept as a draft by itself.

use super::cover::{Cover, Named};
use crate::api::posts::{KeepPost, SavePost, preview_post};
use crate::domain::post::{ALT_MAX, AUTHOR_MAX, BODY_MAX, Editing, Fields, Picture, Rendered, SUMMARY_MAX, TITLE_MAX};
use crate::domain::slug::SLUG_MAX;
use crate::ui::browser::set_value;
use crate::ui::components::field::{RadioField, SelectField, TextArea, TextField};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::markdown_editor::{MarkdownEditor, Tools, Writing};
use crate::ui::components::pictures::{Describe, Upload, UploadStatus, picker};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, error_of, errors_of, use_form_keys};
use crate::ui::i18n::{t, t_with, tn};
use crate::ui::once::OnceField;
use crate::ui::refused::typed_for;
use leptos::form::FromFormData;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::wasm_bindgen::JsCast;
use std::time::Duration;

/// The ids that the kit gives to fields.
const BODY: &str = "field-form-body-";
const SLUG: &str = "field-form-slug-";
/// How long nothing must be typed before the preview is made.
const PREVIEW_PAUSE: Duration = Duration::from_millis(300);
/// How long nothing must be typed before it is kept.
const KEEP_PAUSE: Duration = Duration::from_millis(1_500);

/// The text as visitors would see it; nothing while there is none, or none of it can be shown.
type Shown = Option<Rendered>;

async fn show(body: String) -> Shown {
    if body.trim().is_empty() { None } else { preview_post(body).await.ok() }
}

/// What the form's field of this name begins with: as stored, or as it was typed before it was refused.
fn first(name: &str, stored: &str) -> String {
    typed_for(SavePost::PATH, name).unwrap_or_else(|| stored.to_owned())
}

/// The first preview, which a page loads beside what is edited.
pub(super) async fn first_shown(editing: &Editing) -> Shown {
    show(first("form[body]", &editing.fields.content.body)).await
}

/// The form and its preview. `shown` comes from [`first_shown`]; `pictures` are those that the cover is chosen from.
#[component]
pub(super) fn Editor(editing: Editing, shown: Shown, pictures: Vec<Named>) -> impl IntoView {
    let Editing { id, fields, zone, .. } = editing;
    let save = ServerAction::<SavePost>::new();
    let keep = ServerAction::<KeepPost>::new();
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    let error = Signal::derive(move || error_of(save.value().get().as_ref()));
    let errors = Signal::derive(move || errors_of(save.value().get().as_ref()));
    let version = RwSignal::new(fields.version);
    let body = RwSignal::new(first("form[body]", &fields.content.body));
    let cover = first("form[cover]", fields.content.cover.as_deref().unwrap_or_default());
    let (writing, covering) = (Writing::default(), RwSignal::new(Upload::Nothing));
    // What was stored is what the next change starts from.
    Effect::new(move |_| {
        if let Some(Ok(stored)) = save.value().get() {
            version.set(stored.version);
            set_value(SLUG, &stored.slug);
        }
    });
    let mut kept = debounce(KEEP_PAUSE, move |()| {
        let Some(form) = form.try_get_untracked().flatten().filter(|_| !save.pending().get_untracked()) else { return };
        let data = web_sys::FormData::new_with_form(&form).ok();
        if let Some(Ok(SavePost { form, .. })) = data.map(|data| SavePost::from_form_data(&data)) {
            keep.dispatch(KeepPost { form });
        }
    });
    let typed = move |event: web_sys::Event| {
        save.clear();
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.id() == BODY) {
            body.set(value_of(BODY));
        }
        kept(());
    };
    let Fields { content, publish, publish_at, .. } = fields;
    let langs = ["en", "ru"].map(|lang| (lang.to_owned(), t(&format!("posts.lang_{lang}")))).to_vec();
    let choices = ["draft", "now", "at"]
        .map(|choice| {
            (choice.to_owned(), t(&format!("posts.publish_{choice}")), t(&format!("posts.publish_{choice}_text")))
        })
        .to_vec();
    let status = move || {
        let words = match (save.value().get(), keep.pending().get(), keep.value().get()) {
            (Some(Ok(_)), _, _) => "posts.saved",
            (_, true, _) => "posts.keeping",
            (_, _, Some(Ok(()))) => "posts.kept",
            (_, _, Some(Err(_))) => "posts.not_kept",
            _ => return None,
        };
        Some(t(words))
    };
    view! {
        <div class="grid gap-8 lg:grid-cols-2">
            <div class="min-w-0" on:input=typed>
                <FormErrors error=error />
                <ActionForm action=save node_ref=form>
                    <OnceField />
                    <input type="hidden" name="form[id]" value=id />
                    <input type="hidden" name="form[version]" value=version.get_untracked() prop:value=move || version.get().to_string() />
                    <TextField name="form[title]" label=t("posts.field_title") value=content.title errors=errors maxlength=TITLE_MAX required=true />
                    <TextField name="form[summary]" label=t("posts.field_summary") hint=t("posts.summary_hint") value=content.summary errors=errors maxlength=SUMMARY_MAX />
                    <MarkdownEditor field=BODY tools=Tools::Post writing=writing>
                        <TextArea name="form[body]" label=t("posts.field_body") hint=t("posts.body_hint") value=content.body errors=errors rows=20 maxlength=BODY_MAX required=true />
                    </MarkdownEditor>
                    <div class="grid gap-x-4 sm:grid-cols-2">
                        <TextField name="form[tags]" label=t("posts.field_tags") hint=t("posts.tags_hint") value=content.tags errors=errors />
                        <SelectField name="form[lang]" label=t("posts.field_lang") options=langs value=content.lang.as_str() errors=errors />
                        <TextField name="form[author]" label=t("posts.field_author") value=content.author errors=errors maxlength=AUTHOR_MAX />
                        <TextField name="form[slug]" label=t("posts.field_slug") hint=t("posts.slug_hint") value=content.slug errors=errors maxlength=SLUG_MAX />
                        <div>
                            <Cover chosen=cover pictures=pictures upload=covering errors=errors />
                            <div class="mb-4 flex flex-wrap items-center gap-3">
                                {picker(t("posts.cover_upload"), covering)}
                                <UploadStatus state=covering />
                            </div>
                        </div>
                        <TextField name="form[cover_alt]" label=t("posts.field_cover_alt") hint=t("posts.cover_alt_hint") value=content.cover_alt errors=errors maxlength=ALT_MAX />
                        <RadioField name="form[publish]" label=t("posts.field_publish") options=choices value=publish errors=errors />
                        <TextField name="form[publish_at]" label=t("posts.field_publish_at") kind="datetime-local" hint=t_with("posts.zone_hint", &[("zone", &zone)]) value=publish_at errors=errors />
                    </div>
                    <div class="flex flex-wrap items-center gap-3">
                        <Submit label=t("posts.save") pending=save.pending() />
                        <span role="status" class="text-sm opacity-80">{status}</span>
                        <span class="text-xs opacity-80">{t("posts.keys")}</span>
                    </div>
                </ActionForm>
                <Describe state=writing.pictures field=BODY visited=writing.visited written=in_a_post />
            </div>
            <Preview body=body first=shown />
        </div>
    }
}

/// A picture as Markdown has it; the page finds out its sizes.
fn in_a_post(picture: &Picture, words: &str) -> String {
    format!("![{words}](/images/{})", picture.id)
}

/// What a field holds now. Browser only.
fn value_of(id: &str) -> String {
    let field = document().get_element_by_id(id);
    let area = field.as_ref().and_then(|field| field.dyn_ref::<web_sys::HtmlTextAreaElement>());
    let input = field.as_ref().and_then(|field| field.dyn_ref::<web_sys::HtmlInputElement>());
    area.map(web_sys::HtmlTextAreaElement::value)
        .or_else(|| input.map(web_sys::HtmlInputElement::value))
        .unwrap_or_default()
}

/// The text as visitors would see it, a moment after it was typed. The page brings what it begins with: on the server
/// this is made inside a closure that may be rendered anew, and what was asked from here would lose its context.
#[component]
fn Preview(body: RwSignal<String>, first: Shown) -> impl IntoView {
    let begin = body.get_untracked();
    let settled = RwSignal::new(begin.clone());
    let mut settle = debounce(PREVIEW_PAUSE, move |now| settled.set(now));
    Effect::new(move |before: Option<()>| {
        let now = body.get();
        if before.is_some() {
            settle(now);
        }
    });
    let rendered = Resource::new(
        move || settled.get(),
        move |body| {
            let known = (body == begin).then(|| first.clone());
            async move {
                match known {
                    Some(shown) => shown,
                    None => show(body).await,
                }
            }
        },
    );
    let warning = move |n: i64| {
        (n > 0).then(|| {
            view! {
                <p class="mb-3 flex gap-2 rounded-box border border-warning/60 bg-warning/20 p-3 text-sm">
                    {icon(Icon::Alert, "size-5 shrink-0")}{tn("posts.undescribed", n)}
                </p>
            }
        })
    };
    view! {
        <section class="min-w-0" aria-labelledby="preview">
            <h2 id="preview" class="mb-3 text-lg font-semibold">{t("posts.preview")}</h2>
            <Transition>
                {move || rendered.get().map(|rendered| match rendered {
                    Some(Rendered { html, undescribed }) => view! {
                        {warning(undescribed)}
                        <div class="markdown rounded-box border border-base-300 bg-base-100 p-5" inner_html=html></div>
                    }
                    .into_any(),
                    None => view! { <p class="text-sm opacity-80">{t("posts.preview_wait")}</p> }.into_any(),
                })}
            </Transition>
        </section>
    }
}
