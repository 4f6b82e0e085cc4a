//! `vestnik message`.

use super::output::out;
use super::user::{actor, added, explain};
use super::{Failure, Outcome, service};
use crate::domain::check::{Finding, Level};
use crate::domain::lang::Lang;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::services::{checks, messages};
use clap::Subcommand;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum MessageCommand {
    /// Add a message; its body is Markdown, with {{ full_name }}, {{ email }} and {{ comment }}
    Add {
        /// Email of the user whose message it is
        #[arg(long)]
        owner: String,
        #[arg(long)]
        subject: String,
        #[arg(long)]
        body_file: PathBuf,
    },
    /// Look for mistakes in a message as if it went to all clients of its owner; fails where one must be mended
    Check {
        /// Number of the message, as its page's address has it
        id: i64,
    },
}

pub async fn run(config: &Config, clock: SharedClock, command: MessageCommand, json: bool) -> Outcome {
    match command {
        MessageCommand::Add { owner, subject, body_file } => {
            add(config, &clock, (&owner, subject, &body_file), json).await
        }
        MessageCommand::Check { id } => check(config, id, json).await,
    }
}

async fn add(
    config: &Config,
    clock: &SharedClock,
    (owner, subject, body_file): (&str, String, &Path),
    json: bool,
) -> Outcome {
    let body = std::fs::read_to_string(body_file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", body_file.display())))?;
    let db = service::open(config).await?;
    let actor = actor(&db, owner).await?;
    let form = MessageForm { subject, body, ..MessageForm::default() };
    let id = messages::create(&db, &actor, &form, clock.now()).await.map_err(explain)?;
    added(id, json)?;
    db.close().await;
    Ok(())
}

async fn check(config: &Config, id: i64, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let found = checks::by_id(&db, id).await.map_err(explain)?;
    db.close().await;
    if json {
        writeln!(out(), "{}", serde_json::to_string(&found)?)?;
    } else {
        for Finding { level, key, line, detail } in &found {
            let text = locales::text_with(Lang::En, key, &[("line", line), ("name", detail)]);
            let level = if *level == Level::Red { "red" } else { "yellow" };
            writeln!(out(), "{level}: {text}")?;
        }
    }
    match found.iter().filter(|finding| finding.level == Level::Red).count() {
        0 => Ok(()),
        count => Err(Failure::Failed(format!("{count} to mend before it is sent"))),
    }
}
