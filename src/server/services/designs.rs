//! Designs of letters: an owner's own, and what one looks like.

use super::once::{Made, Once};
use super::{Actor, Error, Result, checked, rendering, still_as_opened};
use crate::api::error::FieldErrors;
use crate::domain::design::{BuiltIn, Choice, DESIGNS_MAX, Design, Look};
use crate::domain::lang::Lang;
use crate::forms::designs::DesignForm;
use crate::locales;
use crate::server::db::{Db, designs, images};
use crate::server::mail::leave_link::Link;
use crate::server::mail::markdown;
use crate::server::mail::template::{Recipient, Template};
use chrono::{DateTime, Utc};

/// The actor's designs by name.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor) -> Result<Vec<Design>> {
    Ok(designs::list(db, actor.id).await?)
}

/// One of the actor's designs.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such design.
pub async fn get(db: &Db, actor: &Actor, id: i64) -> Result<Design> {
    designs::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// A design to begin with: one that everybody has, under the actor's name and in their language.
///
/// # Errors
/// [`Error::NotFound`] if there is no such design.
pub fn begin(actor: &Actor, word: &str) -> Result<Design> {
    let design = BuiltIn::parse(word).ok_or(Error::NotFound)?;
    let look = design.look(&actor.name).ok_or(Error::NotFound)?;
    Ok(Design { id: 0, name: locales::text(actor.lang, &format!("designs.built_in_{word}")), look, messages: 0 })
}

/// Stores the form: as a new design while its id is 0, once for each key (`once`). Returns the id.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, a footer that no letter can hold, and a logo that is none of the
/// actor's pictures; [`Error::Conflict`] if there are too many; [`Error::NotFound`] if the actor has no such design; as
/// [`still_as_opened`].
pub async fn save(db: &Db, actor: &Actor, form: &DesignForm, once: &str, now: DateTime<Utc>) -> Result<i64> {
    let look = usable(form).await?;
    let mut tx = db.begin().await?;
    if let Some(logo) = &look.logo
        && !images::is_owned(&mut tx, actor.id, &logo.id).await?
    {
        return Err(Error::field("logo", "error.design.logo"));
    }
    let id = if form.id == 0 {
        let once = Once::new(actor, Made::Design, once, form);
        if let Some(id) = once.before(&mut tx, now).await? {
            return Ok(id);
        }
        if designs::count(&mut tx, actor.id).await? >= DESIGNS_MAX {
            return Err(Error::Conflict("error.design.many"));
        }
        let id = designs::insert(&mut tx, actor.id, form.name.trim(), &look, now).await?;
        once.made(&mut tx, id).await?;
        id
    } else {
        let stored = designs::lock(&mut tx, actor.id, form.id).await?.ok_or(Error::NotFound)?;
        still_as_opened(&form.version, &stored.version())?;
        if !designs::update(&mut tx, actor.id, form.id, form.name.trim(), &look, now).await? {
            return Err(Error::NotFound);
        }
        form.id
    };
    tx.commit().await?;
    Ok(id)
}

/// Deletes a design.
///
/// # Errors
/// [`Error::Conflict`] if a message has it; [`Error::NotFound`] if the actor has no such design.
pub async fn delete(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    match designs::delete(&mut tx, actor.id, id).await {
        Err(error) if error.is_in_use() => Err(Error::Conflict("error.design.in_use")),
        Err(error) => Err(error.into()),
        Ok(false) => Err(Error::NotFound),
        Ok(true) => Ok(tx.commit().await?),
    }
}

/// A sample letter in the design that is being written. `site` is where stored pictures are found, without a trailing slash.
///
/// # Errors
/// [`Error::Invalid`] for what [`save`] would refuse of the form.
pub async fn preview(actor: &Actor, form: &DesignForm, site: &str) -> Result<String> {
    // While somebody tries colours out, a design needs no name.
    let name = if form.name.trim().is_empty() { "-".to_owned() } else { form.name.clone() };
    let look = usable(&DesignForm { name, ..form.clone() }).await?;
    sample(actor.lang, Some(look), site).await
}

/// A sample letter in a stored design or in one that everybody has; `word` is a [`Choice`].
///
/// # Errors
/// [`Error::NotFound`] if there is no such design, or it is not the actor's.
pub async fn sample_of(db: &Db, actor: &Actor, word: &str, site: &str) -> Result<String> {
    let look = match Choice::parse(word).ok_or(Error::NotFound)? {
        Choice::BuiltIn(design) => design.look(&actor.name),
        Choice::Own(id) => Some(get(db, actor, id).await?.look),
    };
    sample(actor.lang, look, site).await
}

async fn sample(lang: Lang, look: Option<Look>, site: &str) -> Result<String> {
    let site = site.to_owned();
    let rendered = rendering::apart(move || {
        let text = |key: &str| locales::text(lang, key);
        let link = Link { page: super::messages::LEAVING_PAGE.to_owned(), words: text("leaving.link") };
        let recipient = Recipient { email: "anna@example.org", full_name: "Anna", comment: "" };
        let template = Template::new(&text("designs.sample_subject"), &text("designs.sample_body"), lang.as_str())?;
        template.with_look(look.as_ref(), &site).with_link(link).render(&recipient)
    });
    Ok(rendered.await?.map_err(super::messages::refused)?.html)
}

/// The look of a form that can be used.
async fn usable(form: &DesignForm) -> Result<Look> {
    checked(form)?;
    let look = form.look().map_err(Error::Invalid)?;
    let footer = look.footer.clone();
    let lost = rendering::apart(move || markdown::check(&footer)).await?;
    let mut errors = FieldErrors::default();
    match lost {
        Ok(None) => return Ok(look),
        Ok(Some(lost)) => {
            let line = lost.line.to_string();
            errors.push_with("footer", lost.key(), &[("name", &lost.address), ("line", &line)]);
        }
        Err(error) => errors.push_with("footer", error.key(), &[("line", &error.line.to_string())]),
    }
    Err(errors.into())
}

#[cfg(test)]
#[path = "designs_tests.rs"]
mod tests;
