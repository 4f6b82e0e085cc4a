//! The list of all users.

use super::{role_badge, role_word, state_badge, state_word};
use crate::api::error::AppError;
use crate::api::oversight::{UserFilter, list_users};
use crate::domain::bidi::visible;
use crate::domain::oversight::{UserRow, UserState};
use crate::domain::page;
use crate::domain::user::Role;
use crate::ui::components::empty::Empty;
use crate::ui::components::error_panel::failed;
use crate::ui::components::icon::Icon;
use crate::ui::components::page::Page;
use crate::ui::components::pagination::Pagination;
use crate::ui::components::search::Search;
use crate::ui::components::segmented::Segmented;
use crate::ui::components::table::{Cell, Column, Row, Table};
use crate::ui::i18n::{number, t, tn};
use crate::ui::link::use_param;
use crate::ui::time::Time;
use leptos::prelude::*;

/// All users, newest first.
#[component]
pub fn UsersPage() -> impl IntoView {
    let (q, role, state, after) = (use_param("q"), use_param("role"), use_param("state"), use_param("after"));
    let found = Resource::new_blocking(
        move || UserFilter { search: q.get(), role: role.get(), state: state.get(), after: after.get() },
        list_users,
    );
    view! {
        <Page title=t("oversight.users") lead=t("oversight.users_lead")>
            <Transition>{move || found.get().map(shown)}</Transition>
        </Page>
    }
    .into_any()
}

fn shown(found: Result<page::Page<UserRow>, AppError>) -> AnyView {
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    let any = || [(String::new(), t("oversight.any"))].into_iter();
    let roles = any().chain(Role::ALL.map(|role| (role.as_str().to_owned(), role_word(role)))).collect();
    let states = any().chain(UserState::ALL.map(|state| (state.as_str().to_owned(), state_word(state)))).collect();
    let filter = view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <Search label=t("oversight.search_users") />
            <Segmented param="role" label=t("oversight.role") options=roles />
            <Segmented param="state" label=t("oversight.state") options=states />
        </div>
    };
    if page.rows.is_empty() {
        let back = (t("oversight.all_users"), "/users".to_owned());
        return view! {
            {filter}
            <Empty symbol=Icon::Search title=t("oversight.nobody") text=t("oversight.nobody_text") action=back />
        }
        .into_any();
    }
    let columns = vec![
        Column::new(t("oversight.user")),
        Column::new(t("oversight.role")),
        Column::new(t("oversight.state")),
        Column::new(t("oversight.clients")).right(),
        Column::new(t("oversight.mailings")).right(),
        Column::new(t("oversight.active")).right(),
        Column::new(t("oversight.since")),
    ];
    let rows: Vec<AnyView> = page.rows.into_iter().map(row).collect();
    view! {
        {filter}
        <Table label=t("oversight.users") columns=columns>{rows}</Table>
        <Pagination next=page.next count=tn("oversight.users_count", page.total) />
    }
    .into_any()
}

fn row(user: UserRow) -> AnyView {
    let state = user.state();
    view! {
        <Row>
            <Cell>
                <a class="link link-hover font-medium" href=format!("/users/{}", user.id)>{user.email}</a>
                <span class="block text-xs opacity-80">{visible(&user.name)}</span>
            </Cell>
            <Cell label=t("oversight.role")>{role_badge(user.role)}</Cell>
            <Cell label=t("oversight.state")>{state_badge(state)}</Cell>
            <Cell label=t("oversight.clients") right=true>{number(user.clients)}</Cell>
            <Cell label=t("oversight.mailings") right=true>{number(user.mailings)}</Cell>
            <Cell label=t("oversight.active") right=true>{number(user.active)}</Cell>
            <Cell label=t("oversight.since")><Time at=user.created_at relative=true /></Cell>
        </Row>
    }
    .into_any()
}
