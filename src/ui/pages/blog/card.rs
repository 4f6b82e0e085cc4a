//! A post in a list.

use crate::domain::post::{Card, Picture};
use crate::ui::i18n::{tn, use_lang};
use crate::ui::time::format_date;
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// A card whose whole face leads to the post. `level` is that of its heading.
#[component]
pub fn PostCard(card: Card, #[prop(default = 2)] level: u8) -> impl IntoView {
    let Card { slug, title, summary, lang, published_at, views, cover, .. } = card;
    let class = "text-lg leading-snug font-semibold";
    let link = view! { <a class="after:absolute after:inset-0 link-hover" href=format!("/blog/{slug}")>{title}</a> };
    let heading = if level == 3 {
        view! { <h3 class=class>{link}</h3> }.into_any()
    } else {
        view! { <h2 class=class>{link}</h2> }.into_any()
    };
    view! {
        <article
            lang=lang.as_str()
            class="relative flex flex-col overflow-hidden rounded-box border border-base-300 bg-base-100 transition-shadow hover:shadow-lg"
        >
            {cover.map(|cover| picture(&cover, "aspect-[2/1] w-full object-cover", "(min-width: 48rem) 24rem, 100vw", false))}
            <div class="flex flex-1 flex-col gap-2 p-5">
                <p class="text-xs opacity-80" lang=use_lang().as_str()>
                    {date(published_at)} " · " {tn("blog.views", views)}
                </p>
                {heading}
                {(!summary.is_empty()).then(|| view! { <p class="text-sm opacity-80">{summary}</p> })}
            </div>
        </article>
    }
    .into_any()
}

/// A date without its time, which is there on hover.
pub fn date(at: DateTime<Utc>) -> AnyView {
    let text = format_date(use_lang(), at.date_naive());
    let exact = at.format("%Y-%m-%d %H:%M UTC").to_string();
    view! { <time class="tabular-nums" datetime=at.to_rfc3339() title=exact>{text}</time> }.into_any()
}

/// A picture in all its sizes. `eager` for the one that is seen first.
pub fn picture(picture: &Picture, class: &'static str, sizes: &'static str, eager: bool) -> AnyView {
    view! {
        <img
            class=class
            src=picture.src()
            srcset=picture.srcset()
            sizes=sizes
            width=picture.width.to_string()
            height=picture.height.to_string()
            alt=picture.alt.clone()
            loading=if eager { "eager" } else { "lazy" }
            fetchpriority=eager.then_some("high")
            decoding="async"
        />
    }
    .into_any()
}
