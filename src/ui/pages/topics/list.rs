//! All of one's topics: they are few.

use crate::api::error::AppError;
use crate::api::topics::list_topics;
use crate::domain::bidi::visible;
use crate::domain::topic::Topic;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::t;
use leptos::prelude::*;

/// `/topics`.
#[component]
pub fn TopicsPage() -> impl IntoView {
    let found = Resource::new_blocking(|| (), |()| list_topics());
    let new = view! { <a class="btn btn-primary" href="/topics/new">{icon(Icon::Plus, "size-4")}{t("topics.new")}</a> };
    view! {
        <Page title=t("topics.title") lead=t("topics.lead") actions=new.into_any()>
            <Suspense>{move || found.get().map(shown)}</Suspense>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<Vec<Topic>, AppError>) -> AnyView {
    let topics = match found {
        Ok(topics) => topics,
        Err(error) => return failed(&error),
    };
    if topics.is_empty() {
        let first = (t("topics.new"), "/topics/new".to_owned());
        return view! {
            <Empty symbol=Icon::Inbox title=t("topics.empty") text=t("topics.empty_text") action=first />
        }
        .into_any();
    }
    let columns = ["name", "description", "who", "public"];
    let columns = columns.into_iter().map(|name| Column::new(t(&format!("topics.{name}")))).collect();
    let rows: Vec<AnyView> = topics.into_iter().map(row).collect();
    view! { <Table label=t("topics.title") columns=columns>{rows}</Table> }.into_any()
}

fn row(Topic { id, name, description, public, by_default }: Topic) -> AnyView {
    let who = t(if by_default { "topics.who_all" } else { "topics.who_asked" });
    let public = t(if public { "topics.public_yes" } else { "topics.public_no" });
    view! {
        <Row>
            <Cell><a class="link link-hover font-medium break-words" href=format!("/topics/{id}")>{visible(&name)}</a></Cell>
            <Cell label=t("topics.description")><span class="break-words">{visible(&description)}</span></Cell>
            <Cell label=t("topics.who")>{who}</Cell>
            <Cell label=t("topics.public")>{public}</Cell>
        </Row>
    }
    .into_any()
}
