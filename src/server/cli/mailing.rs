//! `vestnik mailing`.

use super::output::out;
use super::user::{actor, added, explain};
use super::{Failure, Outcome, service};
use crate::domain::delivery::{Attempt, DeliveryRow};
use crate::domain::schedule::NO_END;
use crate::forms::mailings::{MailingForm, NOW};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{self, Db, attempts, deliveries, runs};
use crate::server::services::mailings;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use std::io::Write;

#[derive(Subcommand)]
pub enum MailingCommand {
    /// Add a mailing
    Add(AddArgs),
    /// Status, next run, runs with counts per state
    Show { id: i64 },
    /// Stop sending until it is resumed
    Pause { id: i64 },
    /// Go on after a pause
    Resume { id: i64 },
    /// Each delivery with its state and attempts
    Deliveries { id: i64 },
}

#[derive(Args)]
pub struct AddArgs {
    /// Email of the user whose mailing it is
    #[arg(long)]
    owner: String,
    /// Number of the message
    #[arg(long)]
    message: i64,
    /// all, or search:TEXT; nobody is chosen by itself
    #[arg(long)]
    clients: String,
    /// now, a time in the zone (2026-11-23T10:00), or RFC 3339
    #[arg(long, default_value = NOW)]
    start: String,
    /// A time in the zone, or RFC 3339; if absent, what runs once is sent for three days, what repeats until it is stopped
    #[arg(long, default_value = "")]
    end: String,
    /// once, daily, weekly or monthly
    #[arg(long, default_value = "once")]
    period: String,
    /// IANA zone, such as Europe/Moscow
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Name of the mailing; the message's subject if absent
    #[arg(long, default_value = "")]
    title: String,
    /// What to do when it cannot be known whether a letter arrived: resend or hold
    #[arg(long, default_value = "resend")]
    policy: String,
}

/// Runs shown of one mailing.
const RUNS: i64 = 1_000;
/// Deliveries read at once.
const PAGE: i64 = 1_000;

pub async fn run(config: &Config, clock: SharedClock, command: MailingCommand, json: bool) -> Outcome {
    let db = service::open(config).await?;
    match command {
        MailingCommand::Add(args) => {
            add(&db, config, args, clock.now(), json).await?;
            service::ring(&db, config).await;
        }
        MailingCommand::Show { id } => show(&db, id, json).await?,
        MailingCommand::Deliveries { id } => list(&db, id, json).await?,
        MailingCommand::Pause { id } => set_paused(&db, id, Some(clock.now())).await?,
        MailingCommand::Resume { id } => {
            set_paused(&db, id, None).await?;
            service::ring(&db, config).await;
        }
    }
    db.close().await;
    Ok(())
}

async fn add(db: &Db, config: &Config, args: AddArgs, now: DateTime<Utc>, json: bool) -> Outcome {
    let (clients, search) = match args.clients.split_once(':') {
        Some(("search", text)) => ("search", text),
        None if args.clients == "all" => ("all", ""),
        _ => return Err(Failure::Failed("--clients: all, or search:TEXT".to_owned())),
    };
    let AddArgs { owner, message, start, end, period, zone, title, policy, .. } = &args;
    let actor = actor(db, owner).await?;
    let form = MailingForm {
        title: title.clone(),
        message: *message,
        clients: clients.to_owned(),
        search: search.to_owned(),
        start: start.clone(),
        end: end.clone(),
        zone: zone.clone(),
        period: period.clone(),
        policy: policy.clone(),
        ..MailingForm::default()
    };
    let mass = mailings::mass_mail(db, &config.public_url, config.relay.is_some()).await.map_err(explain)?;
    added(mailings::save(db, &actor, &form, "", mass, now).await.map_err(explain)?, json)?;
    Ok(())
}

async fn find(db: &Db, id: i64) -> Result<db::mailings::Mailing, Failure> {
    db::mailings::by_id(db, id).await?.ok_or_else(|| Failure::Failed(format!("there is no mailing {id}")))
}

async fn set_paused(db: &Db, id: i64, at: Option<DateTime<Utc>>) -> Outcome {
    let mailing = find(db, id).await?;
    let mut tx = db.begin().await?;
    db::mailings::set_paused(&mut tx, mailing.owner_id, id, at).await.map_err(|error| explain(error.into()))?;
    Ok(tx.commit().await?)
}

async fn show(db: &Db, id: i64, json: bool) -> Outcome {
    let mailing = find(db, id).await?;
    let runs = runs::of_mailing(db, id, RUNS).await?;
    if json {
        let runs: Vec<_> = runs
            .iter()
            .map(|run| {
                json!({
                    "id": run.id, "occurrence": run.occurrence, "state": run.state, "reason": run.reason,
                    "opened_at": run.opened_at, "finished_at": run.finished_at, "total": run.counts.total(),
                    "counts": run.counts,
                })
            })
            .collect();
        let mailing = json!({
            "id": id, "title": mailing.title, "status": mailing.status, "paused": mailing.paused_at.is_some(),
            "paused_reason": mailing.paused_reason, "paused_reply": mailing.paused_reply,
            "disabled": mailing.disabled_at.is_some(), "period": mailing.period, "zone": mailing.zone,
            "next_at": mailing.next_at, "end_at": (mailing.end_at != NO_END).then_some(mailing.end_at), "runs": runs,
        });
        writeln!(out(), "{mailing}")?;
        return Ok(());
    }
    let beside = if mailing.is_stopped() { ", stopped" } else { "" };
    let mut out = out();
    writeln!(out, "{id} {}: {}{beside}, {}", mailing.title, mailing.status.as_str(), mailing.period.as_str())?;
    if !mailing.paused_reason.is_empty() {
        writeln!(out, "paused by the service ({}): {}", mailing.paused_reason, mailing.paused_reply)?;
    }
    writeln!(out, "next: {}", mailing.next_at.map_or("none".to_owned(), |at| at.to_rfc3339()))?;
    for run in runs {
        let c = run.counts;
        writeln!(
            out,
            "run {} of {}: {} {} sent {}, waiting {}, deferred {}, failed {}, unknown {}, not sent {}",
            run.id,
            run.occurrence.to_rfc3339(),
            run.state.as_str(),
            run.reason,
            c.sent,
            c.waiting,
            c.deferred,
            c.failed,
            c.unknown,
            c.not_sent
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Line<'a> {
    run: i64,
    email: &'a str,
    state: crate::domain::delivery::DeliveryState,
    reason: &'a str,
    attempts: Vec<Attempt>,
}

/// Prints row by row, so that 1 000 000 deliveries need no memory.
async fn list(db: &Db, id: i64, json: bool) -> Outcome {
    find(db, id).await?;
    let mut out = out();
    let mut first = true;
    if json {
        write!(out, "[")?;
    }
    for run in runs::of_mailing(db, id, RUNS).await? {
        let mut after = 0;
        loop {
            let page = deliveries::list(db, run.id, None, "", after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let ids: Vec<i64> = page.iter().map(|delivery| delivery.id).collect();
            let mut all = attempts::of_deliveries(db, &ids).await?;
            for delivery in &page {
                let attempts = all.remove(&delivery.id).unwrap_or_default();
                if json {
                    let line = Line {
                        run: run.id,
                        email: &delivery.email,
                        state: delivery.state,
                        reason: &delivery.reason,
                        attempts,
                    };
                    write!(out, "{}{}", if first { "" } else { ",\n" }, serde_json::to_string(&line)?)?;
                } else {
                    print(&mut out, delivery, &attempts)?;
                }
                first = false;
            }
        }
    }
    if json {
        writeln!(out, "]")?;
    }
    Ok(())
}

fn print(out: &mut impl Write, delivery: &DeliveryRow, attempts: &[Attempt]) -> std::io::Result<()> {
    writeln!(out, "{} {} {}", delivery.email, delivery.state.as_str(), delivery.reason)?;
    for attempt in attempts {
        let code = attempt.code.map_or("-".to_owned(), |code| code.to_string());
        let Attempt { number, at, ms, stage, status, reply, .. } = attempt;
        let (stage, status) = (stage.as_str(), status.as_str());
        writeln!(out, "  {number} {} {ms} ms {stage} {status} {code} {reply}", at.to_rfc3339())?;
    }
    Ok(())
}
