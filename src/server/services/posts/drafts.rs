//! What an editor page starts with, what is kept of it while somebody types, and how two versions
//! become one.

use super::diff::{self, merge3};
use super::publication_of;
use crate::domain::post::{Content, Editing, Fields, Merge, PostState};
use crate::forms::posts::PostForm;
use crate::server::db::Db;
use crate::server::db::posts::{self, Post, versions};
use crate::server::services::{Actor, Error, Result, rendering};
use chrono::{DateTime, Utc};

/// Largest form that is kept, in bytes: the longest body and then some.
const FORM_MAX: usize = 1_000_000;

/// Keeps what the actor has typed, checked or not.
///
/// # Errors
/// [`Error::NotFound`] if the post is gone; [`Error::Invalid`] if it is far too long.
pub async fn keep(db: &Db, actor: &Actor, form: &PostForm, now: DateTime<Utc>) -> Result<()> {
    if form.id != 0 {
        let post = posts::get(db, form.id).await?.ok_or(Error::NotFound)?;
        // It may be on its way while the same is saved, and arrive later.
        if post.content == form.clone().fields().content {
            return Ok(());
        }
    }
    let json = serde_json::to_string(form).map_err(|error| Error::Internal(error.to_string()))?;
    if json.len() > FORM_MAX {
        return Err(Error::field("body", "error.too_long"));
    }
    let mut tx = db.begin().await?;
    posts::drafts::put(&mut tx, actor.id, form.id, &json, now).await?;
    Ok(tx.commit().await?)
}

/// Drops what the actor has typed and not saved.
///
/// # Errors
/// Database errors.
pub async fn discard(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    posts::drafts::delete(&mut tx, actor.id, id).await?;
    Ok(tx.commit().await?)
}

async fn kept(db: &Db, actor: &Actor, id: i64) -> Result<Option<(Fields, DateTime<Utc>)>> {
    let Some((json, at)) = posts::drafts::get(db, actor.id, id).await? else { return Ok(None) };
    // One that an older version of the program wrote, and that cannot be read now, is as good as none.
    Ok(serde_json::from_str::<PostForm>(&json).ok().map(|form| (form.fields(), at)))
}

/// What the editor page of a post starts with (0: a new one): the actor's draft, if there is one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post.
pub async fn editing(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<Editing> {
    let (state, stored) = match id {
        0 => (PostState::Draft, blank(actor)),
        id => {
            let post = posts::get(db, id).await?.ok_or(Error::NotFound)?;
            (PostState::at(post.published_at, now), fields(actor, post))
        }
    };
    let (fields, draft_at) = match kept(db, actor, id).await? {
        Some((fields, at)) => (fields, Some(at)),
        None => (stored, None),
    };
    Ok(Editing { id, state, fields, draft_at, zone: actor.zone.clone() })
}

fn blank(actor: &Actor) -> Fields {
    Fields {
        content: Content { lang: actor.lang, author: actor.name.clone(), ..Content::default() },
        publish: "draft".to_owned(),
        ..Fields::default()
    }
}

fn fields(actor: &Actor, post: Post) -> Fields {
    let (publish, publish_at) = publication_of(actor, &post);
    Fields { version: post.version, content: post.content, publish, publish_at }
}

/// What the actor typed and what somebody else stored meanwhile, compared and joined.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post, or nothing of the actor's to join with it.
pub async fn merge(db: &Db, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<Merge> {
    let post = posts::get(db, id).await?.ok_or(Error::NotFound)?;
    let (mine, at) = kept(db, actor, id).await?.ok_or(Error::NotFound)?;
    let theirs = versions::list(db, id).await?.into_iter().next().ok_or(Error::NotFound)?;
    let base = versions::get(db, id, mine.version).await?;
    let state = PostState::at(post.published_at, now);
    let stored = fields(actor, post);
    let (ours, others) = (mine.content, stored.content);
    let (diff, (content, mut clashes)) =
        rendering::apart(move || (diff::contents(&others, &ours), join(base.as_ref(), &ours, &others))).await?;
    if (&mine.publish, &mine.publish_at) != (&stored.publish, &stored.publish_at) {
        clashes.push("publish".to_owned());
    }
    let fields = Fields { version: stored.version, content, publish: mine.publish, publish_at: mine.publish_at };
    let editing = Editing { id, state, fields, draft_at: Some(at), zone: actor.zone.clone() };
    Ok(Merge { theirs, diff, clashes, editing })
}

/// Joins two changes of the same version. Where both changed the same, mine stands and the field is
/// named; without the version that both began with, every difference is such a field.
fn join(base: Option<&Content>, mine: &Content, theirs: &Content) -> (Content, Vec<String>) {
    let mut clashes = Vec::new();
    let mut pick = |field: &str, base: Option<&str>, mine: &str, theirs: &str| -> String {
        if mine == theirs || base == Some(theirs) {
            return mine.to_owned();
        }
        if base == Some(mine) {
            return theirs.to_owned();
        }
        if field == "body"
            && let Some(joined) = base.and_then(|base| merge3(base, mine, theirs))
        {
            return joined;
        }
        clashes.push(field.to_owned());
        mine.to_owned()
    };
    let texts = |content: &Content| diff::texts(content);
    let (first, ours, others) = (base.map(texts), texts(mine), texts(theirs));
    let mut picked = Vec::new();
    for (n, ((field, mine), (_, theirs))) in ours.iter().zip(&others).enumerate() {
        let base = first.as_ref().and_then(|first| first.get(n)).map(|(_, text)| text.as_str());
        picked.push(pick(field, base, mine, theirs));
    }
    (diff::from_texts(picked), clashes)
}
