//! `/blog/:slug`: a post.

use super::card::{PostCard, date, picture};
use super::head::Head;
use crate::api::error::AppError;
use crate::api::posts::blog_post;
use crate::domain::post::{Article, Found, Neighbour};
use crate::domain::user::Permission;
use crate::ui::components::error_panel::{ErrorPanel, failed};
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::title::Title;
use crate::ui::i18n::{t, t_with, tn, use_lang};
use crate::ui::link::href;
use crate::ui::session::use_session;
use crate::ui::status::set_status;
use leptos::prelude::*;
use leptos_meta::Link;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

/// A post, or the way to where it is now.
#[component]
pub fn BlogPostPage() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()));
    let found = Resource::new_blocking(move || slug.get(), blog_post);
    view! {
        <Transition>
            {move || found.get().map(|found| match found {
                Ok(Found::Here(article)) => shown(*article),
                Ok(Found::Moved(slug)) => moved(&slug),
                Err(AppError::NotFound) => missing(),
                Err(error) => view! { <div class="mx-auto max-w-3xl px-5 py-12">
                    <h1 class="mb-4 text-2xl font-semibold">{t("blog.title")}</h1>
                    {failed(&error)}
                </div> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// Goes to where the post is now. The server has redirected already; this is for links followed here.
fn moved(slug: &str) -> AnyView {
    let (to, navigate) = (format!("/blog/{slug}"), use_navigate());
    let href = to.clone();
    Effect::new(move |_| navigate(&to, NavigateOptions { replace: true, ..NavigateOptions::default() }));
    view! { <p class="px-5 py-12"><a class="link" href=href.clone()>{href.clone()}</a></p> }.into_any()
}

/// Says that there is no such post, with 404 and a way on.
fn missing() -> AnyView {
    set_status(404);
    view! {
        <Title text=format!("{} · {}", t("blog.missing"), t("common.app")) />
        <div class="mx-auto max-w-3xl px-5 py-12">
            <h1 class="mb-6 text-2xl font-semibold">{t("blog.missing")}</h1>
            <ErrorPanel title=t("errors.not_found") detail=t("blog.missing_text")>
                <a class="btn btn-sm" href="/blog">{t("blog.all")}</a>
                <a class="btn btn-sm" href="/">{t("common.home_link")}</a>
            </ErrorPanel>
        </div>
    }
    .into_any()
}

fn shown(article: Article) -> AnyView {
    let data = json_ld(&article);
    let Article { card, html, updated_at, older, newer, related, site } = article;
    let path = format!("/blog/{}", card.slug);
    let image = card
        .cover
        .as_ref()
        .map(|cover| (format!("{site}{}", cover.src()), cover.width, cover.height, cover.alt.clone()));
    let tags: Vec<AnyView> = card
        .tags
        .iter()
        .map(|tag| {
            let to = href("/blog", &[("tag".to_owned(), tag.to_lowercase())]);
            view! { <li><a class="btn btn-xs" rel="tag" href=to>{tag.clone()}</a></li> }.into_any()
        })
        .collect();
    let updated = (updated_at.date_naive() > card.published_at.date_naive())
        .then(|| view! { <span>" · " {t("blog.updated")} " " {date(updated_at)}</span> });
    let cover = card.cover.as_ref().map(|cover| {
        picture(cover, "mt-8 h-auto w-full rounded-box", "(min-width: 48rem) 44rem, calc(100vw - 2.5rem)", true)
    });
    let neighbours =
        [(older, "blog.older_post", "prev", ""), (newer, "blog.newer_post", "next", "sm:text-right sm:col-start-2")];
    let around: Vec<AnyView> = neighbours
        .into_iter()
        .filter_map(|(post, word, rel, class)| post.map(|post| neighbour(post, word, rel, class)))
        .collect();
    let related: Vec<AnyView> =
        related.into_iter().map(|card| view! { <PostCard card=card level=3 /> }.into_any()).collect();
    view! {
        <Head
            title=format!("{} · {}", card.title, t("common.app"))
            description=card.summary.clone()
            site=site
            path=path
            kind="article"
            image=image
        />
        <Link rel="alternate" type_="application/atom+xml" title=t("blog.feed_title") href="/blog/feed.atom" />
        // Data, which browsers do not run: the page's policy on scripts does not concern it.
        <script type="application/ld+json" inner_html=data></script>
        <div class="mx-auto max-w-[46.5rem] px-5 py-10">
            <nav aria-label=t("common.breadcrumb") class="mb-6 flex items-center gap-3 text-sm">
                <a class="link link-hover opacity-80" href="/blog">{t("blog.title")}</a>
                {edit(card.id)}
            </nav>
            <article lang=card.lang.as_str() class="article">
                <h1 class="text-3xl leading-tight font-semibold break-words sm:text-4xl">{card.title.clone()}</h1>
                {(!card.summary.is_empty()).then(|| view! { <p class="mt-4 text-lg opacity-80">{card.summary.clone()}</p> })}
                <p class="mt-4 text-sm opacity-80" lang=use_lang().as_str()>
                    {date(card.published_at)} " · " {t_with("blog.by", &[("author", &card.author)])} " · "
                    {tn("blog.views", card.views)} {updated}
                </p>
                {cover}
                <div class="markdown mt-8 text-[1.0625rem]" inner_html=html></div>
            </article>
            <ul aria-label=t("blog.tags") class="mt-10 flex flex-wrap gap-2 empty:hidden print:hidden">{tags}</ul>
            {(!around.is_empty()).then(|| view! {
                <nav aria-label=t("blog.around") class="mt-10 grid gap-3 border-t border-base-300 pt-6 sm:grid-cols-2">{around}</nav>
            })}
        </div>
        {(!related.is_empty()).then(|| view! {
            <section aria-labelledby="related" class="border-t border-base-300 print:hidden">
                <div class="mx-auto max-w-6xl px-5 py-10">
                    <h2 id="related" class="text-2xl font-semibold">{t("blog.related")}</h2>
                    <div class="mt-6 grid gap-6 sm:grid-cols-2 lg:grid-cols-3">{related}</div>
                </div>
            </section>
        })}
    }
    .into_any()
}

fn neighbour(post: Neighbour, word: &str, rel: &'static str, class: &'static str) -> AnyView {
    view! {
        <a rel=rel href=format!("/blog/{}", post.slug) class=format!("block rounded-box p-3 hover:bg-base-100 {class}")>
            <span class="block text-xs opacity-80">{t(word)}</span>
            <span class="font-medium">{post.title}</span>
        </a>
    }
    .into_any()
}

/// A link for those who may change the post.
fn edit(id: i64) -> AnyView {
    let session = use_session();
    let link = move || {
        let may = session.get().and_then(Result::ok).and_then(|s| s.me).is_some_and(|me| me.role.may(Permission::Blog));
        may.then(|| view! {
            <a class="btn btn-ghost btn-xs" href=format!("/posts/{id}")>{icon(Icon::Edit, "size-4")}{t("blog.edit")}</a>
        })
    };
    view! { <Suspense>{link}</Suspense> }.into_any()
}

/// The post as schema.org's BlogPosting. No text in it can end the element that holds it.
fn json_ld(article: &Article) -> String {
    let Article { card, updated_at, site, .. } = article;
    let mut data = serde_json::json!({
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": card.title,
        "description": card.summary,
        "inLanguage": card.lang.as_str(),
        "keywords": card.tags,
        "datePublished": card.published_at.to_rfc3339(),
        "dateModified": updated_at.max(&card.published_at).to_rfc3339(),
        "author": { "@type": "Person", "name": card.author },
        "publisher": { "@type": "Organization", "name": t("common.app"), "url": site },
        "mainEntityOfPage": format!("{site}/blog/{}", card.slug),
    });
    if let (Some(cover), Some(object)) = (&card.cover, data.as_object_mut()) {
        object.insert("image".to_owned(), format!("{site}{}", cover.src()).into());
    }
    data.to_string().replace('<', "\\u003c")
}
