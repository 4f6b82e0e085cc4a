//! One caught letter.

use super::list::{sender, subject};
use crate::api::error::AppError;
use crate::api::outbox::get_letter;
use crate::domain::letter::Letter;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::t;
use crate::ui::link::use_param;
use crate::ui::markup::preformatted;
use crate::ui::time::Time;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// A letter as a page, as text, as it came, and its headers.
#[component]
pub fn LetterPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").and_then(|id| id.parse::<i64>().ok())));
    let letter =
        Resource::new_blocking(move || id.get(), |id| async move { get_letter(id.ok_or(AppError::NotFound)?).await });
    let view = use_param("view");
    view! {
        <Suspense>
            {move || letter.get().map(|letter| {
                let (title, body) = match letter {
                    Ok(letter) => (subject(&letter.row), shown(letter, view)),
                    Err(error) => (t("outbox.title"), failed(&error)),
                };
                view! { <Page title=title breadcrumb=vec![(t("outbox.title"), "/outbox".to_owned())]>{body}</Page> }
            })}
        </Suspense>
    }
    .into_any()
}

fn shown(letter: Letter, view: Memo<String>) -> AnyView {
    let Letter { row, headers, text, has_html, links, source } = letter;
    let facts = [(t("outbox.from"), sender(&row)), (t("outbox.to"), row.to.clone())];
    let facts = facts.map(|(name, value)| {
        view! {
            <dt class="opacity-80">{name}</dt>
            <dd class="min-w-0 break-words">{value}</dd>
        }
    });
    let views = ["", "text", "source", "headers"].map(|value| {
        let word = if value.is_empty() { "html" } else { value };
        (value.to_owned(), t(&format!("outbox.view_{word}")))
    });
    let body = move || match view.get().as_str() {
        "text" => plain(&text),
        "source" => plain(&source),
        "headers" => table(headers.clone()),
        _ => frame(row.id, has_html),
    };
    view! {
        <dl class="mb-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
            {facts.into_iter().collect_view()}
            <dt class="opacity-80">{t("outbox.at")}</dt>
            <dd><Time at=row.at with_zone=true /></dd>
        </dl>
        <div class="mb-3 flex flex-wrap items-center gap-2">
            <Segmented param="view" label=t("outbox.view") options=views.to_vec() />
            <a class="btn btn-sm ml-auto" rel="external" download="" href=format!("/outbox/{}/source", row.id)>
                {icon(Icon::Download, "size-4")}{t("outbox.download")}
            </a>
        </div>
        <div class="rounded-box border border-base-300 bg-base-100 p-4">{body}</div>
        {link_list(links)}
    }
    .into_any()
}

fn plain(text: &str) -> AnyView {
    let text = preformatted(text);
    view! { <pre class="text-sm break-words whitespace-pre-wrap">{text}</pre> }.into_any()
}

/// The letter as a mail program shows it, at an address whose own policy lets nothing run and nothing be fetched; its links
/// open beside this page only.
fn frame(id: i64, has_html: bool) -> AnyView {
    if !has_html {
        return view! { <p class="text-sm opacity-80">{t("outbox.no_html")}</p> }.into_any();
    }
    view! {
        <iframe
            class="h-[36rem] w-full rounded-field bg-white scheme-light"
            title=t("outbox.frame")
            sandbox="allow-popups allow-popups-to-escape-sandbox"
            src=format!("/outbox/{id}/page")
        ></iframe>
    }
    .into_any()
}

fn table(headers: Vec<(String, String)>) -> AnyView {
    let rows: Vec<AnyView> = headers
        .into_iter()
        .map(|(name, value)| {
            view! { <Row><Cell><strong>{name}</strong></Cell><Cell><span class="break-all">{value}</span></Cell></Row> }
                .into_any()
        })
        .collect();
    let columns = vec![Column::new(t("outbox.header")), Column::new(t("outbox.value"))];
    view! { <Table label=t("outbox.view_headers") columns=columns>{rows}</Table> }.into_any()
}

/// The links once more, outside the frame, for whoever cannot or would not click inside it.
fn link_list(links: Vec<String>) -> Option<AnyView> {
    if links.is_empty() {
        return None;
    }
    let links: Vec<AnyView> = links
        .into_iter()
        .map(|link| {
            let href = link.clone();
            view! {
                <li class="py-1">
                    <a class="link break-all" target="_blank" rel="noopener noreferrer" href=href>{link}</a>
                </li>
            }
            .into_any()
        })
        .collect();
    Some(
        view! {
            <h2 class="mt-6 mb-2 font-semibold">{t("outbox.links")}</h2>
            <ul class="list-disc pl-5 text-sm">{links}</ul>
        }
        .into_any(),
    )
}
