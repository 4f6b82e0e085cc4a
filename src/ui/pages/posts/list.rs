//! `/posts`: all posts, for those who write them.

use super::chart::chart;
use super::state_badge;
use crate::api::error::AppError;
use crate::api::posts::{DeletePost, PostToMessage, list_posts};
use crate::domain::page;
use crate::domain::post::{PostRow, PostState};
use crate::ui::components::dialog::Confirm;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::{Icon, icon};
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::submit::Submit;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::form::{ActionForm, FormErrors, error_of};
use crate::ui::i18n::{number, t, t_with, tn};
use crate::ui::link::use_param;
use crate::ui::once::OnceField;
use crate::ui::time::Time;
use leptos::prelude::*;

/// What the rows can do; made once for the page.
#[derive(Clone, Copy)]
struct Actions {
    delete: ServerAction<DeletePost>,
    message: ServerAction<PostToMessage>,
}

/// All posts, the newest first.
#[component]
pub fn PostsPage() -> impl IntoView {
    let (q, state, after) = (use_param("q"), use_param("state"), use_param("after"));
    let actions = Actions { delete: ServerAction::new(), message: ServerAction::new() };
    let found = Resource::new_blocking(
        move || (q.get(), state.get(), after.get(), actions.delete.version().get()),
        |(q, state, after, _)| list_posts(q, state, after),
    );
    let error = Signal::derive(move || {
        error_of(actions.delete.value().get().as_ref()).or_else(|| error_of(actions.message.value().get().as_ref()))
    });
    let buttons = view! {
        <a class="btn" href="/posts/images">{t("posts.images")}</a>
        <a class="btn btn-primary" href="/posts/new">{icon(Icon::Plus, "size-4")}{t("posts.new")}</a>
    };
    view! {
        <Page title=t("posts.title") lead=t("posts.lead") actions=buttons.into_any()>
            <FormErrors error=error />
            <Transition>
                {move || found.get().map(|found| {
                    let narrowed = !q.get_untracked().is_empty() || !state.get_untracked().is_empty();
                    shown(found, narrowed, actions)
                })}
            </Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<PostRow>, AppError>, narrowed: bool, actions: Actions) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if page.total == 0 && !narrowed {
        let first = (t("posts.new"), "/posts/new".to_owned());
        return view! {
            <Empty symbol=Icon::Edit title=t("posts.empty") text=t("posts.empty_text") action=first />
        }
        .into_any();
    }
    let mut states = vec![(String::new(), t("posts.all"))];
    states.extend(
        PostState::ALL.iter().map(|state| (state.as_str().to_owned(), t(&format!("posts.{}", state.as_str())))),
    );
    let head = view! {
        <div class="mb-4 flex flex-wrap items-center gap-3">
            <Segmented param="state" label=t("posts.states") options=states />
            <div class="sm:ml-auto"><Search label=t("posts.search") /></div>
        </div>
    };
    if page.total == 0 {
        let all = (t("posts.show_all"), "/posts".to_owned());
        return view! {
            {head}
            <Empty symbol=Icon::Search title=t("posts.not_found") text=t("posts.not_found_text") action=all />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("posts.post")),
        Column::new(t("posts.state")),
        Column::new(t("posts.when")),
        Column::new(t("posts.views")).right(),
        Column::new(t("posts.actions")).right(),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(|post| row(post, actions)).collect();
    view! {
        {head}
        <Table label=t("posts.title") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("posts.count", page.total) />
    }
    .into_any()
}

fn row(post: PostRow, actions: Actions) -> AnyView {
    let PostRow { id, title, slug, lang, author, state, published_at, views, chart: days, .. } = post;
    let ask = t_with("posts.delete_ask", &[("title", &title)]);
    let read = (state == PostState::Published).then(|| {
        view! { <a class="btn btn-sm btn-ghost" href=format!("/blog/{slug}")>{t("posts.read")}</a> }
    });
    view! {
        <Row>
            <Cell>
                <a class="link link-hover font-medium" lang=lang.as_str() href=format!("/posts/{id}")>{title}</a>
                <p class="text-xs opacity-80">{author} " · " {t(&format!("posts.lang_{}", lang.as_str()))}</p>
            </Cell>
            <Cell label=t("posts.state")>{state_badge(state)}</Cell>
            <Cell label=t("posts.when")>
                {match published_at {
                    Some(at) => view! { <Time at=at /> }.into_any(),
                    None => t("common.nothing").into_any(),
                }}
            </Cell>
            <Cell label=t("posts.views") right=true>
                <div class="flex items-center justify-end gap-2">{chart(&days)}{number(views)}</div>
            </Cell>
            <Cell right=true>
                <div class="flex flex-wrap justify-end gap-1">
                    {read}
                    <a class="btn btn-sm btn-ghost" href=format!("/posts/{id}/history")>{t("posts.history")}</a>
                    <ActionForm action=actions.message>
                        <OnceField />
                        <input type="hidden" name="id" value=id />
                        <button type="submit" class="btn btn-sm btn-ghost">
                            {icon(Icon::Mail, "size-4")}{t("posts.to_message")}
                        </button>
                    </ActionForm>
                    <Confirm
                        name=format!("delete-{id}")
                        trigger=t("posts.delete")
                        class="btn btn-sm btn-ghost"
                        title=ask
                        text=t("posts.delete_text")
                    >
                        <ActionForm action=actions.delete>
                            <input type="hidden" name="id" value=id />
                            <Submit label=t("posts.delete") pending=actions.delete.pending() class="btn-error" />
                        </ActionForm>
                    </Confirm>
                </div>
            </Cell>
        </Row>
    }
    .into_any()
}
