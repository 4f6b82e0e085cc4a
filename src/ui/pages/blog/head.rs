//! What search engines and others who share links read in the head of a public page.

use crate::ui::components::title::Title;
use crate::ui::i18n::{t, use_lang};
use leptos::prelude::*;
use leptos_meta::{Link, Meta};

/// Title, description, canonical address and Open Graph of a public page. `site` is the service's own
/// address, `path` the page's; `image` is a whole address with width, height and description.
#[component]
pub fn Head(
    #[prop(into)] title: String,
    #[prop(into)] description: String,
    site: String,
    #[prop(into)] path: String,
    #[prop(default = "website")] kind: &'static str,
    #[prop(default = None)] image: Option<(String, u32, u32, String)>,
) -> impl IntoView {
    let address = format!("{site}{path}");
    let lang = use_lang().as_str();
    let image = image.map(|(src, width, height, alt)| {
        view! {
            <Meta property="og:image" content=src />
            <Meta property="og:image:width" content=width.to_string() />
            <Meta property="og:image:height" content=height.to_string() />
            {(!alt.is_empty()).then(|| view! { <Meta property="og:image:alt" content=alt /> })}
            <Meta name="twitter:card" content="summary_large_image" />
        }
    });
    view! {
        <Title text=title.clone() />
        {(!description.is_empty()).then(|| view! {
            <Meta name="description" content=description.clone() />
            <Meta property="og:description" content=description.clone() />
        })}
        <Link rel="canonical" href=address.clone() />
        <Meta property="og:title" content=title />
        <Meta property="og:type" content=kind />
        <Meta property="og:url" content=address />
        <Meta property="og:site_name" content=t("common.app") />
        <Meta property="og:locale" content=lang />
        {image}
    }
}
