//! `/posts/:id/history`: who changed a post, and what.

use super::compare::compared;
use super::{breadcrumb, use_id};
use crate::api::error::AppError;
use crate::api::posts::{RestorePost, post_history};
use crate::domain::post::{History, Version};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::error_panel::failed;
use crate::ui::components::page::Page;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{t, t_with};
use crate::ui::link::{use_link, use_param};
use crate::ui::time::Time;
use leptos::prelude::*;

/// All versions; one of them compared with what is stored now (`?version=`).
#[component]
pub fn HistoryPage() -> impl IntoView {
    let (id, version) = (use_id(), use_param("version"));
    let restore = ServerAction::<RestorePost>::new();
    let loaded = Resource::new_blocking(
        move || (id.get(), version.get(), restore.version().get()),
        |(id, version, _)| async move { post_history(id.ok_or(AppError::NotFound)?, version.parse().ok()).await },
    );
    let error = Signal::derive(move || error_of(restore.value().get().as_ref()));
    view! {
        <Transition>
            {move || loaded.get().map(|loaded| match (loaded, id.get_untracked()) {
                (Ok(history), Some(id)) => {
                    let mut above = breadcrumb();
                    above.push((history.title.clone(), format!("/posts/{id}")));
                    let title = t_with("posts.history_title", &[("title", &history.title)]);
                    view! {
                        <Page title=title breadcrumb=above>
                            <FormErrors error=error />
                            {shown(id, history, restore)}
                        </Page>
                    }
                    .into_any()
                }
                (Err(error), _) => view! { <Page title=t("posts.history") breadcrumb=breadcrumb()>{failed(&error)}</Page> }.into_any(),
                (Ok(_), None) => ().into_any(),
            })}
        </Transition>
    }
    .into_any()
}

fn shown(id: i64, history: History, restore: ServerAction<RestorePost>) -> AnyView {
    let History { current, versions, compared: chosen, .. } = history;
    let chosen = chosen.map(|(version, fields)| {
        view! {
            <section class="mb-8" aria-labelledby="compared">
                <h2 id="compared" class="mb-3 text-lg font-semibold">{t_with("posts.compared", &[("n", &version)])}</h2>
                {compared(fields)}
            </section>
        }
    });
    let columns = vec![
        Column::new(t("posts.history")),
        Column::new(t("posts.field_author")),
        Column::new(t("posts.when")),
        Column::new(t("posts.actions")).right(),
    ];
    let rows: Vec<AnyView> = versions.into_iter().map(|version| row(id, version, current, restore)).collect();
    view! {
        {chosen}
        <Table label=t("posts.history") columns=columns>{rows}</Table>
    }
    .into_any()
}

fn row(id: i64, version: Version, current: i64, restore: ServerAction<RestorePost>) -> AnyView {
    let Version { version, name, at } = version;
    let link = use_link();
    let n = version.to_string();
    let actions = if version == current {
        view! { <span class="text-sm opacity-80">{t("posts.version_current")}</span> }.into_any()
    } else {
        view! {
            <div class="flex flex-wrap justify-end gap-1">
                <a class="btn btn-sm btn-ghost" href=move || link(&[("version", Some(n.as_str()))])>{t("posts.compare")}</a>
                <Confirm
                    name=format!("restore-{version}")
                    trigger=t("posts.restore")
                    class="btn btn-sm btn-ghost"
                    title=t_with("posts.restore_ask", &[("n", &version)])
                    text=t("posts.restore_text")
                >
                    <ActionForm action=restore>
                        <input type="hidden" name="id" value=id />
                        <input type="hidden" name="version" value=version />
                        <input type="hidden" name="current" value=current />
                        <Submit label=t("posts.restore") pending=restore.pending() />
                    </ActionForm>
                </Confirm>
            </div>
        }
        .into_any()
    };
    view! {
        <Row>
            <Cell>{t_with("posts.version", &[("n", &version)])}</Cell>
            <Cell label=t("posts.field_author")>{name}</Cell>
            <Cell label=t("posts.when")><Time at=at /></Cell>
            <Cell right=true>{actions}</Cell>
        </Row>
    }
    .into_any()
}
