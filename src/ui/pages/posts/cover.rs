//! The choice of a post's cover among one's pictures. Works without scripts.

use crate::api::error::{AppError, FieldErrors};
use crate::api::posts::list_images;
use crate::domain::post::is_image_id;
use crate::domain::post::{Picture, widths};
use crate::ui::components::pictures::Upload;
use crate::ui::i18n::{error_text, t};
use leptos::prelude::*;

/// A picture with its name, which says it to those who cannot see it.
pub(super) type Named = (Picture, String);

/// One's newest pictures.
pub(super) async fn newest() -> Result<Vec<Named>, AppError> {
    let pictures = list_images(String::new()).await?.pictures.rows;
    Ok(pictures.into_iter().map(|stored| (stored.picture, stored.name)).collect())
}

/// The newest pictures and none, `chosen` among them; whatever `upload` brings joins them, and is chosen.
#[component]
pub(super) fn Cover(
    chosen: String,
    pictures: Vec<Named>,
    upload: RwSignal<Upload>,
    #[prop(into)] errors: Signal<FieldErrors>,
) -> impl IntoView {
    let mut first = pictures;
    if is_image_id(&chosen) && !first.iter().any(|(picture, _)| picture.id == chosen) {
        // An older one, of which the page knows the address alone.
        let picture = Picture { id: chosen.clone(), alt: String::new(), width: 0, height: 0 };
        first.insert(0, (picture, t("posts.cover_chosen")));
    }
    let (pictures, chosen) = (RwSignal::new(first), RwSignal::new(chosen));
    Effect::new(move |_| {
        if let Upload::Done(picture) = upload.get() {
            chosen.set(picture.id.clone());
            pictures.update(|pictures| {
                pictures.retain(|(known, _)| known.id != picture.id);
                pictures.insert(0, (picture, t("posts.cover_new")));
            });
            upload.set(Upload::Nothing);
        }
    });
    let error = move || errors.with(|errors| errors.get("cover").map(error_text));
    view! {
        <fieldset
            class="mb-3"
            aria-describedby=move || if error().is_some() { "cover-error cover-hint" } else { "cover-hint" }
        >
            <legend class="mb-1 text-sm font-medium">{t("posts.field_cover")}</legend>
            <div class="grid max-h-72 grid-cols-2 gap-2 overflow-y-auto sm:grid-cols-3">
                {radio(chosen, String::new(), view! { <span class="text-sm">{t("posts.no_cover")}</span> }.into_any())}
                {move || pictures.get().into_iter().map(|named| option(chosen, named)).collect::<Vec<AnyView>>()}
            </div>
            <p id="cover-hint" class="mt-1 text-xs opacity-80">{t("posts.cover_hint")}</p>
            {move || error().map(|text| view! { <p id="cover-error" class="mt-1 text-sm text-error">{text}</p> })}
        </fieldset>
    }
}

fn option(chosen: RwSignal<String>, (picture, name): Named) -> AnyView {
    let src = match picture.width {
        0 => picture.src(),
        width => format!("{}/{}", picture.src(), widths(width)[0]),
    };
    let alt = if picture.alt.is_empty() { name } else { picture.alt };
    let image = view! { <img class="aspect-[3/2] w-full rounded-field object-cover" src=src alt=alt loading="lazy" /> };
    radio(chosen, picture.id, image.into_any())
}

fn radio(chosen: RwSignal<String>, id: String, face: AnyView) -> AnyView {
    let (value, own) = (id.clone(), StoredValue::new(id));
    let is_chosen = move || chosen.with(|chosen| own.with_value(|own| own == chosen));
    view! {
        <label class="flex cursor-pointer items-center gap-2 rounded-field border border-base-300 p-2">
            <input
                type="radio"
                class="radio radio-sm shrink-0"
                name="form[cover]"
                value=value
                checked=is_chosen
                prop:checked=is_chosen
                on:change=move |_| chosen.set(own.get_value())
            />
            <span class="min-w-0 flex-1">{face}</span>
        </label>
    }
    .into_any()
}
