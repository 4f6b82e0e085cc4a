//! What is looked at before a message is sent: mistakes that its readers would notice, and those that keep it from them.

use super::{Actor, Error, Result, messages, rendering};
use crate::domain::audience::Audience;
use crate::domain::check::{Finding, is_loud};
use crate::domain::lang::group;
use crate::domain::message::{CLIPPED_FROM, Message};
use crate::server::db::{self, Db};
use crate::server::mail::blocks;
use crate::server::mail::template::{self, Field};

/// Addresses that stand in examples alone (RFC 2606 3).
const SAMPLE_HOSTS: [&str; 3] = ["://example.org", "://example.com", "://example.net"];

/// What is found in one of the actor's messages that would go to these clients, the worst first.
///
/// # Errors
/// Database errors; [`Error::Invalid`] if too much is being rendered.
pub async fn of_message(db: &Db, actor: &Actor, message: &Message, audience: &Audience) -> Result<Vec<Finding>> {
    let form = messages::form_of(message);
    let problems = {
        let form = form.clone();
        rendering::apart(move || template::check_with(&form.subject, &form.preheader, &form.body)).await?
    };
    if let Err(problems) = problems {
        let finding = |(field, problem): (Field, crate::domain::message::TemplateProblem)| Finding {
            line: if field == Field::Body { problem.line } else { 0 },
            ..Finding::red(&problem.key, 0, &problem.detail)
        };
        return Ok(problems.into_iter().map(finding).collect());
    }
    let look = messages::look(db, actor, &form.design).await?;
    let shown = messages::preview(db, actor, form.clone(), None, messages::SAMPLE_SITE).await?;
    let mut found = Vec::new();
    if !shown.html.contains(messages::LEAVING_PAGE) {
        found.push(Finding::red("checks.leaving", 0, ""));
    }
    match &look {
        Some(look) if look.address.is_empty() => found.push(Finding::red("checks.address", 0, "")),
        // A letter that looks typed has no place for one but its text.
        None => found.push(Finding::yellow("checks.address_plain", 0, "")),
        Some(_) => {}
    }
    if shown.html.len() > CLIPPED_FROM {
        found.push(Finding::red("checks.size", 0, shown.html.len() / 1024));
    }
    for line in blocks::undescribed(&form.body) {
        found.push(Finding::yellow("checks.alt", line, ""));
    }
    for (at, line) in form.body.lines().enumerate() {
        if has_sample(line) {
            found.push(Finding::yellow("checks.sample", u32::try_from(at + 1).unwrap_or(u32::MAX), ""));
        }
    }
    if is_loud(&shown.subject) {
        found.push(Finding::yellow("checks.capitals", 0, &shown.subject));
    }
    let gaps = rendering::apart(move || template::gaps(&form.subject, &form.preheader, &form.body)).await?;
    if !gaps.is_empty() {
        let (names, comments) = db::runs::audience_without(db, actor.id, audience).await?;
        for (name, missing) in [("full_name", names), ("comment", comments)] {
            if gaps.contains(&name) && missing > 0 {
                found.push(Finding::yellow(&format!("checks.missing_{name}"), 0, group(actor.lang, missing)));
            }
        }
    }
    found.sort_by_key(|finding| finding.level);
    Ok(found)
}

/// Whether a line has an address of an example.
fn has_sample(line: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.'));
    SAMPLE_HOSTS.iter().any(|host| line.match_indices(host).any(|(at, _)| ends(&line[at + host.len()..])))
}

/// The same for the command line, where a message is named by its id alone.
///
/// # Errors
/// [`Error::NotFound`] if there is no such message, or its owner may send nothing.
pub async fn by_id(db: &Db, id: i64) -> Result<Vec<Finding>> {
    let owner = db::messages::owner(db, id).await?.ok_or(Error::NotFound)?;
    let user = db::users::by_id(db, owner).await?.ok_or(Error::NotFound)?;
    let actor = Actor::prove(&user, crate::domain::user::Permission::Own)?;
    let message = messages::get(db, &actor, id).await?;
    of_message(db, &actor, &message, &Audience::All).await
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
