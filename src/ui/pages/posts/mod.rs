//! Writing the blog.

mod chart;
mod compare;
mod cover;
mod edit;
mod editor;
mod history;
mod images;
mod list;
mod merge;

pub use edit::{PostEditPage, PostNewPage};
pub use history::HistoryPage;
pub use images::ImagesPage;
pub use list::PostsPage;
pub use merge::MergePage;

use crate::domain::post::PostState;
use crate::ui::components::badge::badge;
use crate::ui::components::icon::Icon;
use crate::ui::i18n::t;
use leptos::prelude::AnyView;

/// Whether visitors see a post.
fn state_badge(state: PostState) -> AnyView {
    let (symbol, colour) = match state {
        PostState::Draft => (Icon::Edit, "border-base-300 text-base-content/80 bg-base-200"),
        PostState::Scheduled => (Icon::Clock, "border-warning/60 bg-warning/20"),
        PostState::Published => (Icon::Check, "border-success/40 text-success bg-success/10"),
    };
    badge(t(&format!("posts.{}", state.as_str())), symbol, colour)
}

fn breadcrumb() -> Vec<(String, String)> {
    vec![(t("posts.title"), "/posts".to_owned())]
}

/// The number in the page's path.
fn use_id() -> leptos::prelude::Memo<Option<i64>> {
    use leptos::prelude::*;
    let params = leptos_router::hooks::use_params_map();
    Memo::new(move |_| params.with(|params| params.get_str("id").and_then(|id| id.parse::<i64>().ok())))
}
