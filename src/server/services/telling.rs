//! What people are told by letter without asking, each once: a run is over, the service has paused a mailing, the letters of a
//! day are used up, a mail server does not send. Whoever does not want a kind is not written to. What happened is looked for in
//! the tables, so that nothing is forgotten while no process runs; the claim and the letter are one transaction.

use super::letters::{self, Origin, Own, Subject};
use super::overview::LATE;
use super::{Actor, Error, Result};
use crate::domain::account::Notice;
use crate::domain::lang::{Lang, group};
use crate::domain::mailing::Counts;
use crate::domain::relay::Fault;
use crate::domain::user::Permission;
use crate::forms::accounts::NoticesForm;
use crate::locales;
use crate::server::db::tellings::{self, Reader, What};
use crate::server::db::{Db, Tx, progress};
use crate::server::mail::markdown;
use chrono::{DateTime, TimeDelta, Utc};

/// Of each kind in one go.
const AT_ONCE: i64 = 20;
/// What happened longer ago is no news.
const NEWS_FOR: TimeDelta = TimeDelta::days(3);

/// Writes what is to be told.
///
/// # Errors
/// Database errors; what was not told until then is told the next time.
pub async fn tell(db: &Db, origin: Origin<'_>, now: DateTime<Utc>) -> Result<()> {
    let teller = Teller { db, origin, now };
    // What fails of one kind keeps no other from being told.
    let kinds = [
        teller.ended().await,
        teller.paused().await,
        teller.used_up().await,
        teller.relays().await,
        teller.late().await,
    ];
    kinds.into_iter().collect()
}

struct Teller<'a> {
    db: &'a Db,
    origin: Origin<'a>,
    now: DateTime<Utc>,
}

impl Teller<'_> {
    async fn ended(&self) -> Result<()> {
        for ended in tellings::ended(self.db, AT_ONCE).await? {
            let is_news = ended.finished_at.is_some_and(|at| self.now - at < NEWS_FOR) && ended.counts.total() > 0;
            let link = format!("{}/mailings/{}?run={}", self.origin.site, ended.mailing, ended.run);
            let outcome = outcome(ended.owner.lang, &ended.counts);
            let title = markdown::escape(&ended.title);
            let args = [("title", title.as_str()), ("outcome", &outcome), ("link", &link)];
            let mut tx = self.db.begin().await?;
            if tellings::claim(&mut tx, What::Ended { run: ended.run }).await? {
                if is_news {
                    self.write(&mut tx, &ended.owner, Notice::RunEnded, Subject::RunEnded, &args).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn paused(&self) -> Result<()> {
        for paused in tellings::paused(self.db, AT_ONCE).await? {
            let link = format!("{}/mailings/{}", self.origin.site, paused.mailing);
            let reason = locales::text(paused.owner.lang, &format!("mailings.paused_{}", paused.reason));
            let title = markdown::escape(&paused.title);
            let args = [("title", title.as_str()), ("reason", &reason), ("link", &link)];
            let mut tx = self.db.begin().await?;
            if tellings::claim(&mut tx, What::Paused { mailing: paused.mailing }).await? {
                self.write(&mut tx, &paused.owner, Notice::Paused, Subject::Paused, &args).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn used_up(&self) -> Result<()> {
        for (owner, limit) in tellings::used_up(self.db, self.now, AT_ONCE).await? {
            let (limit, link) = (group(owner.lang, limit), format!("{}/overview", self.origin.site));
            let mut tx = self.db.begin().await?;
            if tellings::claim(&mut tx, What::UsedUp { owner: owner.id, day: self.now }).await? {
                let args = [("limit", limit.as_str()), ("link", &link)];
                self.write(&mut tx, &owner, Notice::Limit, Subject::Limit, &args).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn relays(&self) -> Result<()> {
        for (id, name, fault) in tellings::relays(self.db).await? {
            let name = if name.is_empty() { "VESTNIK_SMTP_URL".to_owned() } else { name };
            let fault: Option<Fault> = serde_json::from_str(&fault).ok();
            let link = format!("{}/relays", self.origin.site);
            let mut tx = self.db.begin().await?;
            if !tellings::claim(&mut tx, What::Relay { id }).await? {
                continue;
            }
            for admin in tellings::administrators(&mut tx).await? {
                let reason = fault.as_ref().map(|fault| {
                    let args = [("stage", &fault.stage_word() as &dyn std::fmt::Display), ("detail", &fault.detail)];
                    locales::text_with(admin.lang, &fault.key(), &args)
                });
                let (name, reason) = (markdown::escape(&name), markdown::escape(&reason.unwrap_or_default()));
                let args = [("name", name.as_str()), ("reason", &reason), ("link", &link)];
                self.write(&mut tx, &admin, Notice::Relay, Subject::Relay, &args).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Once for each time that letters become late.
    async fn late(&self) -> Result<()> {
        let oldest = progress::oldest_due(self.db, self.now).await?;
        let late = oldest.is_some_and(|since| self.now - since > LATE);
        if late == tellings::is_late(self.db).await? {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        if !late {
            tellings::end_late(&mut tx).await?;
        } else if tellings::begin_late(&mut tx).await? {
            let link = format!("{}/relays", self.origin.site);
            for admin in tellings::administrators(&mut tx).await? {
                self.write(&mut tx, &admin, Notice::Relay, Subject::Late, &[("link", &link)]).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn write(
        &self,
        tx: &mut Tx,
        to: &Reader,
        notice: Notice,
        subject: Subject,
        args: &[(&str, &str)],
    ) -> Result<()> {
        // Whoever is blocked knows that nothing of theirs is sent.
        if to.blocked || !wants(&to.quiet, notice) {
            return Ok(());
        }
        let Reader { email, name, lang, .. } = to;
        let own = Own { subject, name, email, lang: *lang, args, expires_at: self.now + NEWS_FOR };
        match letters::enqueue(tx, self.origin, &own, self.now).await {
            // It could not be made the next time either, and all others would wait behind it.
            Err(Error::Internal(error)) => {
                tracing::error!(user = to.id, notice = notice.as_str(), error, "a notice could not be written");
                Ok(())
            }
            done => done,
        }
    }
}

/// What a run came to, in words.
fn outcome(lang: Lang, counts: &Counts) -> String {
    let (sent, total) = (group(lang, counts.sent), group(lang, counts.total()));
    let sent = locales::text_with(lang, "mailings.outcome", &[("sent", &sent), ("total", &total)]);
    let rest = [
        ("mailings.outcome_failed", counts.failed),
        ("mailings.outcome_unknown", counts.unknown),
        ("mailings.outcome_not_sent", counts.not_sent),
    ];
    let rest = rest.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| locales::count(lang, key, n, &[]));
    std::iter::once(sent).chain(rest).collect::<Vec<_>>().join(", ")
}

fn wants(quiet: &str, notice: Notice) -> bool {
    !quiet.split(' ').any(|word| word == notice.as_str())
}

/// What the actor is told, and what not: each that there is for them.
///
/// # Errors
/// Database errors.
pub async fn notices(db: &Db, actor: &Actor) -> Result<Vec<(Notice, bool)>> {
    let quiet = tellings::quiet(db, actor.id).await?;
    let theirs = Notice::ALL.into_iter().filter(|notice| is_for(actor, *notice));
    Ok(theirs.map(|notice| (notice, wants(&quiet, notice))).collect())
}

/// Of mail servers those are told who may do something about it.
fn is_for(actor: &Actor, notice: Notice) -> bool {
    notice != Notice::Relay || actor.role.may(Permission::Settings)
}

/// Stores what the actor wants to be told; of what they were not asked it stays as it was.
///
/// # Errors
/// Database errors.
pub async fn save(db: &Db, actor: &Actor, form: &NoticesForm) -> Result<()> {
    let before = tellings::quiet(db, actor.id).await?;
    let wanted = |notice| if is_for(actor, notice) { form.wants(notice) } else { wants(&before, notice) };
    let quiet: Vec<&str> = Notice::ALL.into_iter().filter(|notice| !wanted(*notice)).map(Notice::as_str).collect();
    let mut tx = db.begin().await?;
    tellings::set_quiet(&mut tx, actor.id, &quiet.join(" ")).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
#[path = "telling_tests.rs"]
mod tests;
