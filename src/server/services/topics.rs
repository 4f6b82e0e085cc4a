//! Topics of an owner's mailings, and who gets which of them.

use super::{Actor, Error, Result, checked, clients, still_as_opened};
use crate::domain::email::EmailAddress;
use crate::domain::suppression::{NO_TOPIC, Reason, Source, Suppression};
use crate::domain::topic::{TOPICS_MAX, Topic, Wish};
use crate::forms::topics::{TopicForm, WishForm};
use crate::server::db::suppressions::{self, NewEntry};
use crate::server::db::{Db, Tx, topics};
use chrono::{DateTime, Utc};

/// The actor's topics, by their names.
///
/// # Errors
/// Database errors.
pub async fn list(db: &Db, actor: &Actor) -> Result<Vec<Topic>> {
    Ok(topics::list(db, actor.id).await?)
}

/// One of the actor's topics.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &Db, actor: &Actor, id: i64) -> Result<Topic> {
    topics::get(db, actor.id, id).await?.ok_or(Error::NotFound)
}

/// Stores a topic, new while its id is 0.
///
/// # Errors
/// [`Error::Invalid`] for what the form's rules refuse, where the topic is not as it was when the form was opened, a name that the actor has already, one topic too many, and for another
/// choice of who gets it while a mailing is about it: that would write to those who never asked, or leave out all who did not;
/// [`Error::NotFound`].
pub async fn save(db: &Db, actor: &Actor, form: &TopicForm, now: DateTime<Utc>) -> Result<()> {
    checked(form)?;
    if form.id == 0 && topics::list(db, actor.id).await?.len() >= TOPICS_MAX {
        return Err(Error::field("name", "error.topic.many"));
    }
    let TopicForm { id, name, description, public, by_default, version } = form;
    let (name, description) = (name.trim().to_owned(), description.trim().to_owned());
    let topic = Topic { id: *id, name, description, public: *public, by_default: *by_default };
    let mut tx = db.begin().await?;
    if *id != NO_TOPIC {
        let before = topics::hold(&mut tx, actor.id, *id).await?.ok_or(Error::NotFound)?;
        still_as_opened(version, &before.version())?;
        if before.by_default != *by_default && topics::used(&mut tx, actor.id, *id).await? > 0 {
            return Err(Error::field("by_default", "error.topic.who"));
        }
    }
    match topics::save(&mut tx, actor.id, &topic, now).await {
        Ok(true) => Ok(tx.commit().await?),
        Ok(false) => Err(Error::NotFound),
        Err(error) if error.is_duplicate() => Err(Error::field("name", "error.topic.taken")),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a topic that no mailing is about that may run yet: who has left it would get those mailings again.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while a mailing is about it.
pub async fn delete(db: &Db, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    if topics::hold(&mut tx, actor.id, id).await?.is_none() {
        return Err(Error::NotFound);
    }
    if topics::used(&mut tx, actor.id, id).await? > 0 {
        return Err(Error::Conflict("error.topic.used"));
    }
    if !topics::delete(&mut tx, actor.id, id).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Which topics of an owner an address gets. `entries` are those of the ledger that hold for it.
///
/// # Errors
/// Database errors.
pub async fn wishes(db: &Db, owner: i64, email: &EmailAddress, entries: &[Suppression]) -> Result<Vec<Wish>> {
    let topics = topics::list(db, owner).await?;
    let asked = match topics.iter().any(|topic| !topic.by_default) {
        true => topics::wishes(db, owner, email).await?,
        false => Vec::new(),
    };
    let wish = |topic: Topic| {
        let left = || entries.iter().filter(|entry| entry.topic == topic.id);
        Wish {
            wanted: left().next().is_none() && (topic.by_default || asked.contains(&topic.id)),
            theirs: left().any(|entry| matches!(entry.reason, Reason::Unsubscribed | Reason::Complaint)),
            topic,
        }
    };
    Ok(topics.into_iter().map(wish).collect())
}

/// Who says whether an address gets a topic.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says<'a> {
    /// The reader, by a letter.
    Reader { delivery: i64 },
    /// Its owner, who lifts nothing that its reader has said.
    Owner { actor: &'a str },
}

/// Has an address get a topic, or get it no more, at once. A reader's No is kept also where they did not get it, whyever that
/// is: a pause that ends, or an owner who thinks otherwise, must not undo it. What they have asked for stays on record beside a
/// No, which is stronger, so that it counts again once the No is taken back.
///
/// # Errors
/// Database errors.
pub(super) async fn set(
    tx: &mut Tx,
    (owner, email): (i64, &EmailAddress),
    (wish, wanted): (&Wish, bool),
    says: Says<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Wish { topic, theirs, .. } = wish;
    let (reason, source, actor, delivery) = match says {
        Says::Reader { delivery } => (Reason::Unsubscribed, Source::Page, "", Some(delivery)),
        Says::Owner { .. } if *theirs => return Ok(()),
        Says::Owner { actor } => (Reason::ByHand, Source::Owner, actor, None),
    };
    let is_readers = matches!(says, Says::Reader { .. });
    if wish.wanted == wanted && (wanted || !is_readers) {
        return Ok(());
    }
    if wanted {
        for reason in [Reason::ByHand, Reason::Imported] {
            suppressions::undo(tx, owner, email, topic.id, reason).await?;
        }
        if is_readers {
            suppressions::undo(tx, owner, email, topic.id, Reason::Unsubscribed).await?;
        }
        if !topic.by_default {
            topics::ask(tx, topic.id, email, source, now).await?;
        }
        return Ok(());
    }
    let entry = NewEntry {
        owner,
        email,
        topic: topic.id,
        reason,
        source,
        since: now,
        until: None,
        evidence: "",
        actor,
        delivery,
    };
    suppressions::add(tx, &entry).await?;
    Ok(())
}

/// Which topics one of the actor's clients gets.
///
/// # Errors
/// [`Error::NotFound`] if the actor has no such client.
pub async fn of_client(db: &Db, actor: &Actor, client: i64, now: DateTime<Utc>) -> Result<Vec<Wish>> {
    let client = clients::get(db, actor, client).await?;
    let email = EmailAddress::parse(&client.email).map_err(|error| Error::Internal(error.to_string()))?;
    let entries = suppressions::of_address(db, actor.id, &email, now).await?;
    wishes(db, actor.id, &email, &entries).await
}

/// Has one of the actor's clients get the topics that are ticked, and no others of those that were shown.
///
/// # Errors
/// As [`of_client`].
pub async fn choose(db: &Db, actor: &Actor, form: &WishForm, now: DateTime<Utc>) -> Result<()> {
    let wishes = of_client(db, actor, form.client, now).await?;
    let client = clients::get(db, actor, form.client).await?;
    let email = EmailAddress::parse(&client.email).map_err(|error| Error::Internal(error.to_string()))?;
    let mut tx = db.begin().await?;
    for wish in wishes.iter().filter(|wish| form.shown.contains(&wish.topic.id)) {
        let wanted = form.topics.contains(&wish.topic.id);
        set(&mut tx, (actor.id, &email), (wish, wanted), Says::Owner { actor: &actor.email }, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The name of an owner's topic; none for [`NO_TOPIC`], and for one that is gone.
///
/// # Errors
/// Database errors.
pub async fn name(db: &Db, owner: i64, topic: i64) -> Result<Option<String>> {
    if topic == NO_TOPIC {
        return Ok(None);
    }
    Ok(topics::get(db, owner, topic).await?.map(|topic| topic.name))
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
