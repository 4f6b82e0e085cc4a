//! `vestnik message`.

use super::user::{actor, added, explain};
use super::{Failure, Outcome, service};
use crate::forms::messages::MessageForm;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::services::messages;
use clap::Subcommand;
use std::path::PathBuf;

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
}

pub async fn run(config: &Config, clock: SharedClock, command: MessageCommand, json: bool) -> Outcome {
    let MessageCommand::Add { owner, subject, body_file } = command;
    let body = std::fs::read_to_string(&body_file)
        .map_err(|error| Failure::Failed(format!("{}: {error}", body_file.display())))?;
    let db = service::open(config).await?;
    let actor = actor(&db, &owner).await?;
    let form = MessageForm { subject, body, ..MessageForm::default() };
    let id = messages::create(&db, &actor, &form, clock.now()).await.map_err(explain)?;
    added(id, json)?;
    db.close().await;
    Ok(())
}
