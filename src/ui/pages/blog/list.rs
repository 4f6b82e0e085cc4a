//! `/blog`: what has been published.

use super::card::PostCard;
use super::head::Head;
use crate::api::posts::blog_list;
use crate::domain::lang::Lang;
use crate::domain::post::{Listing, Question};
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::i18n::{t, t_with, use_lang};
use crate::ui::link::{href, use_param};
use leptos::prelude::*;
use leptos_meta::Link;
use leptos_router::components::Form;

/// The path with those parts of a question that are not empty.
fn address(question: &Question) -> String {
    let Question { lang, tag, search, after, before } = question;
    let pairs = [("lang", lang), ("tag", tag), ("q", search), ("after", after), ("before", before)];
    let pairs: Vec<(String, String)> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    href("/blog", &pairs)
}

/// The same question from the newest post on.
fn first(question: &Question) -> Question {
    Question { after: String::new(), before: String::new(), ..question.clone() }
}

/// The blog, by pages, language, tag and search.
#[component]
pub fn BlogPage() -> impl IntoView {
    let (lang, tag, q) = (use_param("lang"), use_param("tag"), use_param("q"));
    let (after, before) = (use_param("after"), use_param("before"));
    let question = Memo::new(move |_| Question {
        lang: lang.get(),
        tag: tag.get(),
        search: q.get(),
        after: after.get(),
        before: before.get(),
    });
    let found = Resource::new_blocking(move || question.get(), blog_list);
    view! {
        <Transition>
            {move || found.get().map(|found| match found {
                Ok(listing) => shown(listing, &question.get_untracked()),
                Err(error) => view! { <div class="mx-auto max-w-6xl px-5 py-12">
                    <h1 class="mb-4 text-2xl font-semibold">{t("blog.title")}</h1>
                    {failed(&error)}
                </div> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

fn shown(listing: Listing, question: &Question) -> AnyView {
    let Listing { cards, older, newer, tags, site } = listing;
    let title = match question.tag.as_str() {
        "" => t("blog.title"),
        tag => t_with("blog.tagged", &[("tag", &tag)]),
    };
    let whole = |question: &Question| format!("{site}{}", address(question));
    let step = |cursor: &String, back: bool| {
        let (after, before) = if back { (String::new(), cursor.clone()) } else { (cursor.clone(), String::new()) };
        Question { after, before, ..question.clone() }
    };
    let older = older.map(|cursor| address(&step(&cursor, false)));
    let newer = newer.map(|cursor| address(&step(&cursor, true)));
    let alternates: Vec<AnyView> = Lang::ALL
        .into_iter()
        .map(|lang| {
            let to = whole(&Question { lang: lang.as_str().to_owned(), ..first(question) });
            view! { <Link rel="alternate" hreflang=lang.as_str() href=to /> }.into_any()
        })
        .collect();
    let edge = [("prev", newer.clone()), ("next", older.clone())].into_iter().filter_map(|(rel, to)| {
        let to = format!("{site}{}", to?);
        Some(view! { <Link rel=rel href=to /> }.into_any())
    });
    let edge: Vec<AnyView> = edge.collect();
    let body = if cards.is_empty() {
        empty(question)
    } else {
        let cards: Vec<AnyView> = cards.into_iter().map(|card| view! { <PostCard card=card /> }.into_any()).collect();
        view! { <div class="grid gap-6 sm:grid-cols-2 lg:grid-cols-3">{cards}</div> }.into_any()
    };
    let feed = feed(question);
    view! {
        <Head
            title=format!("{title} · {}", t("common.app"))
            description=t("blog.lead")
            site=site.clone()
            path=address(question)
        />
        {alternates}
        {edge}
        <Link rel="alternate" type_="application/atom+xml" title=t("blog.feed_title") href=feed.clone() />
        <div class="mx-auto max-w-6xl px-5 py-12">
            <div class="flex flex-wrap items-end gap-4">
                <div class="mr-auto">
                    <h1 class="text-3xl font-semibold sm:text-4xl">{title}</h1>
                    <p class="mt-2 max-w-xl opacity-80">{t("blog.lead")}</p>
                </div>
                <a class="btn btn-sm btn-ghost" rel="external" href=feed>{t("blog.feed")}</a>
            </div>
            <div class="mt-8 mb-4 flex flex-wrap items-center gap-4">
                {languages(question)}
                <div class="sm:ml-auto">{search(question)}</div>
            </div>
            <div class="mb-6">{tag_links(tags, question)}</div>
            {body}
            <nav aria-label=t("common.pages") class="mt-8 flex flex-wrap gap-3 empty:hidden">
                {newer.map(|to| view! { <a class="btn" rel="prev" href=to>{t("blog.newer")}</a> })}
                {older.map(|to| view! { <a class="btn ml-auto" rel="next" href=to>{t("blog.older")}</a> })}
            </nav>
        </div>
    }
    .into_any()
}

fn feed(question: &Question) -> String {
    match question.lang.as_str() {
        "en" | "ru" => format!("/blog/feed.atom?lang={}", question.lang),
        _ => "/blog/feed.atom".to_owned(),
    }
}

fn languages(question: &Question) -> AnyView {
    let own = use_lang();
    let here = match question.lang.as_str() {
        "" => own.as_str(),
        lang => lang,
    };
    let links: Vec<AnyView> = ["en", "ru", "all"]
        .into_iter()
        .map(|lang| {
            let to = address(&Question { lang: lang.to_owned(), ..first(question) });
            let current = lang == here;
            let class = if current { "btn btn-sm" } else { "btn btn-sm btn-ghost" };
            let tag = (lang != "all").then_some(lang);
            view! {
                <a class=class href=to lang=tag aria-current=current.then_some("true")>{t(&format!("blog.lang_{lang}"))}</a>
            }
            .into_any()
        })
        .collect();
    view! { <nav aria-label=t("blog.langs") class="flex flex-wrap gap-1">{links}</nav> }.into_any()
}

fn search(question: &Question) -> AnyView {
    let typed = question.search.clone();
    let kept = [("lang", question.lang.clone()), ("tag", question.tag.clone())];
    let kept: Vec<AnyView> = kept
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect();
    view! {
        <Form method="GET" action="/blog">
            {kept}
            <div role="search" class="flex gap-2">
                <label class="input input-sm w-full sm:w-64">
                    {icon(Icon::Search, "size-4 opacity-60")}
                    <input type="search" name="q" aria-label=t("blog.search") placeholder=t("blog.search") value=typed />
                </label>
                <button type="submit" class="btn btn-sm">{t("common.search")}</button>
            </div>
        </Form>
    }
    .into_any()
}

fn tag_links(tags: Vec<(String, i64)>, question: &Question) -> Option<AnyView> {
    if tags.is_empty() {
        return None;
    }
    let here = question.tag.to_lowercase();
    let links: Vec<AnyView> = tags
        .into_iter()
        .map(|(tag, n)| {
            let current = tag == here;
            let to = Question { tag: if current { String::new() } else { tag.clone() }, ..first(question) };
            view! {
                <a class="btn btn-xs" href=address(&to) aria-current=current.then_some("true")>
                    {tag} <span class="tabular-nums opacity-80">{n}</span>
                </a>
            }
            .into_any()
        })
        .collect();
    Some(view! { <nav aria-label=t("blog.tags") class="flex flex-wrap gap-2">{links}</nav> }.into_any())
}

fn empty(question: &Question) -> AnyView {
    let narrowed = !question.search.is_empty() || !question.tag.is_empty();
    let (title, text) =
        if narrowed { ("blog.not_found", "blog.not_found_text") } else { ("blog.empty", "blog.empty_text") };
    let action = if narrowed {
        Some((t("blog.all"), "/blog".to_owned()))
    } else {
        (question.lang != "all").then(|| (t("blog.all_langs"), "/blog?lang=all".to_owned()))
    };
    match action {
        Some(action) => view! { <Empty symbol=Icon::Search title=t(title) text=t(text) action=action /> }.into_any(),
        None => view! { <Empty symbol=Icon::Edit title=t(title) text=t(text) /> }.into_any(),
    }
}
