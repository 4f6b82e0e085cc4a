//! `vestnik audit`.

use super::output::out;
use super::{Failure, Outcome, service};
use crate::server::config::Config;
use crate::server::services::audit::{Verdict, verify};
use clap::Subcommand;
use std::io::Write;

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Walk the chain of hashes; fails if a line was changed, taken out or cut off
    Verify {
        /// A hash that an earlier run printed: it must still be in the log
        #[arg(long)]
        head: Option<String>,
    },
}

pub async fn run(config: &Config, command: AuditCommand, json: bool) -> Outcome {
    let AuditCommand::Verify { head } = command;
    let db = service::open(config).await?;
    let verdict = verify(&db, head.as_deref()).await?;
    db.close().await;
    match verdict {
        Verdict::Whole { lines, head } if json => {
            writeln!(out(), "{}", serde_json::json!({ "lines": lines, "head": head }))?;
            Ok(())
        }
        Verdict::Whole { lines, head } => {
            writeln!(out(), "The audit log is whole: {lines} lines, the newest has the hash {head}")?;
            Ok(())
        }
        Verdict::Broken { id } => Err(Failure::Failed(format!("line {id} of the audit log is not as it was written"))),
        Verdict::Cut { lines } => {
            Err(Failure::Failed(format!("the audit log was cut off: its {lines} lines do not hold the given hash")))
        }
    }
}
