//! Server functions of the blog: for visitors, and for those who write it.

use super::error::AppError;
use crate::domain::page::Page;
use crate::domain::post::{Editing, Found, Gallery, History, Home, Listing, Merge, PostRow, Question, Rendered};
use crate::forms::posts::PostForm;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A post as it has just been stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub version: i64,
    pub slug: String,
}

/// A page of the blog.
#[server(prefix = "/api", endpoint = "blog/list")]
pub async fn blog_list(question: Question) -> Result<Listing, AppError> {
    use crate::server::web::request;
    let state = request::state()?;
    request::answer(state.blog.kept.listing(&state.db, &question, request::lang(), &state.config.public_url).await)
}

/// What stands at a post's address. An old address leads to the new one.
#[server(prefix = "/api", endpoint = "blog/post")]
pub async fn blog_post(slug: String) -> Result<Found, AppError> {
    use crate::server::web::{readers, request};
    let state = request::state()?;
    let found = state.blog.kept.article(&state.db, &slug, &state.config.public_url).await;
    let (found, author) = request::answer(found)?;
    match &found {
        Found::Here(article) => readers::count(article.card.id, author).await,
        Found::Moved(slug) => request::moved(&format!("/blog/{slug}")),
    }
    Ok(found)
}

/// What the home page shows.
#[server(prefix = "/api", endpoint = "home")]
pub async fn load_home() -> Result<Home, AppError> {
    use crate::server::web::request;
    let state = request::state()?;
    let loaded = async {
        let figures = state.blog.figures.get(&state.db).await?;
        let posts = state.blog.kept.random(&state.db, request::lang(), 3).await?;
        Ok(Home { figures, posts, site: state.config.public_url.clone() })
    };
    request::answer(loaded.await)
}

/// A page of all posts, for editors.
#[server(prefix = "/api", endpoint = "posts/list")]
pub async fn list_posts(search: String, state: String, after: String) -> Result<Page<PostRow>, AppError> {
    use crate::domain::post::PostState;
    use crate::server::{services::posts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let app = request::state()?;
    let after = Some(after.as_str()).filter(|after| !after.is_empty());
    request::answer(posts::list(&app.db, &actor, &search, PostState::parse(&state), after, app.now()).await)
}

/// What the editor page of a post starts with; 0 is a new one.
#[server(prefix = "/api", endpoint = "posts/edit")]
pub async fn edit_post(id: i64) -> Result<Editing, AppError> {
    use crate::server::{services::posts::drafts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    request::answer(drafts::editing(&state.db, &actor, id, state.now()).await)
}

/// Stores a post. A new one leads to its page; where somebody else was first, both are compared.
#[server(prefix = "/api", endpoint = "posts/save")]
pub async fn save_post(form: PostForm, #[server(default)] once: String) -> Result<Stored, AppError> {
    use crate::server::services::posts::{self, Saved};
    use crate::server::web::request;
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    let now = state.now();
    let saved = posts::save(&state.db, state.blog.kept.changes(), &actor, &form, &once, now).await;
    match request::answer(saved)? {
        Saved::Clash(id) => request::go(&format!("/posts/{id}/merge?at={}", now.timestamp_micros())),
        Saved::Stored(id) if form.id == 0 || request::sent_by_form() => {
            request::go(&format!("/posts/{id}?done=posts.saved"));
        }
        Saved::Stored(id) => {
            let (version, slug) = request::answer(posts::stored(&state.db, id).await)?;
            return Ok(Stored { version, slug });
        }
    }
    // The page that comes next has them.
    Ok(Stored { version: form.version, slug: form.slug })
}

/// Keeps what is typed as a draft.
#[server(prefix = "/api", endpoint = "posts/keep")]
pub async fn keep_post(form: PostForm) -> Result<(), AppError> {
    use crate::server::{services::posts::drafts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    request::answer(drafts::keep(&state.db, &actor, &form, state.now()).await)
}

/// Drops what was typed and not saved.
#[server(prefix = "/api", endpoint = "posts/discard")]
pub async fn discard_post(id: i64) -> Result<(), AppError> {
    use crate::server::{services::posts::drafts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    request::answer(drafts::discard(&request::state()?.db, &actor, id).await)?;
    let page = if id == 0 { "new".to_owned() } else { id.to_string() };
    request::go(&format!("/posts/{page}?done=posts.discarded"));
    Ok(())
}

/// What is being written, as visitors would see it.
#[server(prefix = "/api", endpoint = "posts/preview")]
pub async fn preview_post(body: String) -> Result<Rendered, AppError> {
    use crate::server::{services::posts, web::request};
    request::require(crate::domain::user::Permission::Blog).await?;
    request::answer(posts::preview(&request::state()?.db, &body).await)
}

/// Deletes a post and goes to the list.
#[server(prefix = "/api", endpoint = "posts/delete")]
pub async fn delete_post(id: i64) -> Result<(), AppError> {
    use crate::server::{services::posts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    request::answer(posts::delete(&state.db, state.blog.kept.changes(), &actor, id).await)?;
    request::go("/posts?done=posts.deleted");
    Ok(())
}

/// Makes a message of one's own out of a post, and goes to it.
#[server(prefix = "/api", endpoint = "posts/message")]
pub async fn post_to_message(id: i64, #[server(default)] once: String) -> Result<(), AppError> {
    use crate::server::{services::posts::letter, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    let made = letter::to_message(&state.db, &actor, id, &state.config.public_url, &once, state.now()).await;
    let message = request::answer(made)?;
    request::go(&format!("/messages/{message}?done=posts.made_message"));
    Ok(())
}

/// The versions of a post, one of them compared with what is stored.
#[server(prefix = "/api", endpoint = "posts/history")]
pub async fn post_history(id: i64, version: Option<i64>) -> Result<History, AppError> {
    use crate::server::{services::posts::history, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    request::answer(history::history(&request::state()?.db, &actor, id, version).await)
}

/// Makes an old version the newest one.
#[server(prefix = "/api", endpoint = "posts/restore")]
pub async fn restore_post(id: i64, version: i64, current: i64) -> Result<(), AppError> {
    use crate::server::{services::posts::history, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    let changes = state.blog.kept.changes();
    request::answer(history::restore(&state.db, changes, &actor, id, (version, current), state.now()).await)?;
    request::go(&format!("/posts/{id}?done=posts.restored"));
    Ok(())
}

/// What one typed and what somebody else stored meanwhile.
#[server(prefix = "/api", endpoint = "posts/merge")]
pub async fn merge_post(id: i64) -> Result<Merge, AppError> {
    use crate::server::{services::posts::drafts, web::request};
    let actor = request::require(crate::domain::user::Permission::Blog).await?;
    let state = request::state()?;
    request::answer(drafts::merge(&state.db, &actor, id, state.now()).await)
}

/// A page of one's pictures.
#[server(prefix = "/api", endpoint = "posts/images")]
pub async fn list_images(after: String) -> Result<Gallery, AppError> {
    use crate::server::{services::images, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    request::answer(images::gallery(&request::state()?.db, &actor, &after).await)
}

/// Deletes one of one's pictures that nothing shows.
#[server(prefix = "/api", endpoint = "posts/images/delete")]
pub async fn delete_image(id: String) -> Result<(), AppError> {
    use crate::server::{services::images, web::request};
    let actor = request::require(crate::domain::user::Permission::Own).await?;
    let state = request::state()?;
    request::answer(images::delete(&state.db, &actor, &id, state.now()).await)?;
    request::go("/posts/images?done=posts.image_deleted");
    Ok(())
}
