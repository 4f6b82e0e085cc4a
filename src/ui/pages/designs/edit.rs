//! A design's form beside a sample letter, which follows what is typed.

use super::above;
use crate::api::designs::{PreviewDesign, SaveDesign, begin_design, get_design, preview_design};
use crate::api::error::{AppError, FieldErrors};
use crate::domain::design::{ADDRESS_MAX, Design, FOOTER_MAX, Font, HEADER_MAX, Header, LOGO_WIDTHS, NAME_MAX};
use crate::forms::designs::DesignForm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::field::{SelectField, TextArea, TextField};
use crate::ui::components::letter_frame::LetterFrame;
use crate::ui::components::page::Page;
use crate::ui::components::pictures::{Upload, UploadStatus, picker};
use crate::ui::components::submit::Submit;
use crate::ui::form::{ActionForm, FormErrors, VersionField, error_of, errors_of, use_form_keys, use_unsaved_guard};
use crate::ui::i18n::{error_text, t, t_with};
use crate::ui::link::use_param;
use crate::ui::once::OnceField;
use crate::ui::refused::typed_for;
use leptos::form::FromFormData;
use leptos::html;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;
use std::time::Duration;

/// How long nothing must be typed before the sample is made anew.
const PAUSE: Duration = Duration::from_millis(300);
/// What a new design begins with, unless the address says something else.
const FIRST: &str = "bakery";

/// What the page begins with: the design, and its sample letter.
type Begin = Result<(Design, String), AppError>;

async fn sample(design: Result<Design, AppError>) -> Begin {
    let design = design?;
    // Where no sample can be made, the form says why once something is changed in it.
    let html = preview_design(DesignForm::of(&design)).await.unwrap_or_default();
    Ok((design, html))
}

/// `/designs/new?from=`.
#[component]
pub fn DesignNewPage() -> impl IntoView {
    let param = use_param("from");
    let from = move || Some(param.get()).filter(|from| !from.is_empty()).unwrap_or_else(|| FIRST.to_owned());
    let begin = Resource::new_blocking(from, |from| async move { sample(begin_design(from).await).await });
    view! {
        <Page title=t("designs.new") breadcrumb=above()>
            <Suspense>{move || begin.get().map(|begin| body(begin, format!("/designs/{}/page", from())))}</Suspense>
        </Page>
    }
    .into_any()
}

/// `/designs/:id`.
#[component]
pub fn DesignEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    let begin = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => sample(get_design(id).await).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    view! {
        <Suspense>
            {move || begin.get().map(|begin| {
                let title = begin.as_ref().map_or_else(|_| t("designs.one"), |(design, _)| design.name.clone());
                let src = format!("/designs/{}/page", id.get().unwrap_or_default());
                view! { <Page title=title breadcrumb=above()>{body(begin, src)}</Page> }
            })}
        </Suspense>
    }
    .into_any()
}

/// `src` is where the sample has an address, for readers without scripts.
fn body(begin: Begin, src: String) -> AnyView {
    match begin {
        Ok((design, html)) => view! { <Fields design=design first=html src=src /> }.into_any(),
        Err(error) => failed(&error),
    }
}

#[component]
fn Fields(design: Design, first: String, src: String) -> impl IntoView {
    let save = ServerAction::<SaveDesign>::new();
    let preview = ServerAction::<PreviewDesign>::new();
    let form = NodeRef::<html::Form>::new();
    use_form_keys(form);
    use_unsaved_guard(form);
    let error = Signal::derive(move || error_of(save.value().get().as_ref()));
    // What cannot be read is said while it is tried out.
    let errors: Signal<FieldErrors> = Signal::derive(move || match save.value().get() {
        Some(Err(_)) => errors_of(save.value().get().as_ref()),
        _ => errors_of(preview.value().get().as_ref()),
    });
    let html = RwSignal::new(first);
    Effect::new(move |_| {
        if let Some(Ok(made)) = preview.value().get() {
            html.set(made);
        }
    });
    let request = move |()| {
        let Some(form) = form.try_get_untracked().flatten() else { return };
        let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
        if let Ok(SaveDesign { form, .. }) = SaveDesign::from_form_data(&data) {
            preview.dispatch(PreviewDesign { form });
        }
    };
    let mut ask = debounce(PAUSE, request);
    let logo = RwSignal::new(Upload::Nothing);
    let stored = DesignForm::of(&design);
    let chosen = RwSignal::new(typed_for(SaveDesign::PATH, "form[logo]").unwrap_or_else(|| stored.logo.clone()));
    let mut ask_again = debounce(PAUSE, request);
    Effect::new(move |before: Option<()>| {
        chosen.track();
        if before.is_some() {
            ask_again(());
        }
    });
    Effect::new(move |_| {
        if let Upload::Done(picture) = logo.get() {
            chosen.set(picture.id);
        }
    });
    let opened = if design.id == 0 { String::new() } else { stored.version.clone() };
    let fonts = Font::ALL.map(|font| (font.as_str().to_owned(), t(&format!("designs.font_{}", font.as_str()))));
    let headers =
        Header::ALL.map(|header| (header.as_str().to_owned(), t(&format!("designs.header_{}", header.as_str()))));
    let widths = t_with("designs.logo_width_hint", &[("from", LOGO_WIDTHS.start()), ("to", LOGO_WIDTHS.end())]);
    view! {
        <div class="grid gap-8 lg:grid-cols-2">
            <div class="min-w-0" on:input=move |_| { save.clear(); ask(()) }>
                <FormErrors error=error />
                <ActionForm action=save node_ref=form>
                    <OnceField />
                    <input type="hidden" name="form[id]" value=design.id />
                    <VersionField opened=opened errors=errors />
                    <TextField name="form[name]" label=t("designs.name") hint=t("designs.name_hint") value=stored.name errors=errors maxlength=NAME_MAX required=true autocomplete="off" />
                    <div class="grid grid-cols-2 gap-x-4 sm:grid-cols-4">
                        <TextField name="form[accent]" label=t("designs.accent") kind="color" value=stored.accent errors=errors required=true />
                        <TextField name="form[text]" label=t("designs.text") kind="color" value=stored.text errors=errors required=true />
                        <TextField name="form[paper]" label=t("designs.paper") kind="color" value=stored.paper errors=errors required=true />
                        <TextField name="form[background]" label=t("designs.background") kind="color" value=stored.background errors=errors required=true />
                    </div>
                    <div class="grid gap-x-4 sm:grid-cols-3">
                        <SelectField name="form[font]" label=t("designs.font") options=fonts.to_vec() value=stored.font errors=errors />
                        <SelectField name="form[header]" label=t("designs.header") options=headers.to_vec() value=stored.header errors=errors />
                        <TextField name="form[radius]" label=t("designs.radius") hint=t("designs.radius_hint") value=stored.radius errors=errors required=true autocomplete="off" />
                    </div>
                    <TextField name="form[header_text]" label=t("designs.header_text") hint=t("designs.header_text_hint") value=stored.header_text errors=errors maxlength=HEADER_MAX autocomplete="off" />
                    <div class="grid gap-x-4 sm:grid-cols-[2fr_1fr]">
                        {logo_field(chosen, logo, errors)}
                        <TextField name="form[logo_width]" label=t("designs.logo_width") hint=widths value=stored.logo_width errors=errors autocomplete="off" />
                    </div>
                    <TextArea name="form[footer]" label=t("designs.footer") hint=t("designs.footer_hint") value=stored.footer errors=errors rows=3 maxlength=FOOTER_MAX />
                    <TextArea name="form[address]" label=t("designs.address") hint=t("designs.address_hint") value=stored.address errors=errors rows=3 maxlength=ADDRESS_MAX />
                    <TextArea name="form[social]" label=t("designs.social") hint=t("designs.social_hint") value=stored.social errors=errors rows=3 />
                    <div class="flex flex-wrap items-center gap-3">
                        <Submit label=t("common.save") pending=save.pending() />
                        <a class="btn btn-ghost" href="/designs">{t("common.cancel")}</a>
                    </div>
                </ActionForm>
            </div>
            <section class="min-w-0 lg:sticky lg:top-4 lg:self-start" aria-labelledby="sample">
                <h2 id="sample" class="mb-3 text-lg font-semibold">{t("designs.sample")}</h2>
                <LetterFrame html=html src=src title=t("designs.sample_frame") />
            </section>
        </div>
    }
}

/// The logo that is chosen, and the ways to have another or none.
fn logo_field(chosen: RwSignal<String>, state: RwSignal<Upload>, errors: Signal<FieldErrors>) -> AnyView {
    let has_one = move || chosen.with(|id| !id.is_empty());
    view! {
        <div class="mb-4" role="group" aria-labelledby="logo">
            <p id="logo" class="mb-1 text-sm font-medium">{t("designs.logo")}</p>
            <input type="hidden" name="form[logo]" value=chosen.get_untracked() prop:value=move || chosen.get() />
            {move || has_one().then(|| view! {
                <img class="mb-2 max-h-16 rounded-field border border-base-300 bg-white p-1" src=format!("/images/{}", chosen.get()) alt=t("designs.logo") />
            })}
            <div class="flex flex-wrap items-center gap-2">
                {picker(t("designs.logo_upload"), state)}
                {move || has_one().then(|| view! {
                    <button type="button" class="btn btn-ghost btn-sm" on:click=move |_| { state.set(Upload::Nothing); chosen.set(String::new()) }>
                        {t("designs.logo_remove")}
                    </button>
                })}
            </div>
            <p class="mt-1 text-xs opacity-80">{t("designs.logo_hint")}</p>
            <UploadStatus state=state />
            <p role="alert" class="mt-1 text-sm text-error empty:hidden">
                {move || errors.with(|errors| errors.get("logo").map(error_text))}
            </p>
        </div>
    }
    .into_any()
}
