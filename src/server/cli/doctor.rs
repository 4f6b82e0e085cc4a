//! `vestnik doctor`.

use super::output::out;
use super::{Failure, Outcome, service};
use crate::domain::lang::Lang;
use crate::locales;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::seal::Sealer;
use crate::server::services::doctor::{Patient, examine};
use crate::server::services::relays::{Keeper, Means};
use std::io::Write;
use vestnik_doctor::{Dns, Finding, Level, TimeServer};

/// Examines how email leaves and prints what was found. Warnings end it with exit code 3, problems with 1.
pub async fn run(config: &Config, clock: SharedClock, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let sealer = Sealer::new(&config.secret);
    let patient = Patient {
        from: &config.from,
        return_domain: config.return_domain.as_deref(),
        relay: config.relay.as_ref(),
        public_url: &config.public_url,
        dkim: config.dkim.as_deref(),
        means: Means { sealer: &sealer, hello: config.hello.as_deref() },
    };
    let found = examine(&db, Keeper::command_line(), &patient, &Dns::system()?, &TimeServer::default(), &clock).await;
    let found = found.map_err(|error| Failure::Failed(error.to_string()))?;
    let mut out = out();
    if json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        for finding in &found {
            print(&mut out, finding)?;
        }
    }
    service::close(&db).await;
    let worst = found.iter().map(|finding| finding.level).max();
    let count = |level| found.iter().filter(|finding| finding.level == level).count();
    match worst {
        Some(Level::Bad) => Err(Failure::Failed(format!("{} problems", count(Level::Bad)))),
        Some(Level::Warning) => Err(Failure::Partly(format!("{} warnings", count(Level::Warning)))),
        _ => Ok(()),
    }
}

fn print(out: &mut impl Write, finding: &Finding) -> std::io::Result<()> {
    let text = |key: &str| locales::text(Lang::En, &format!("doctor.{key}"));
    let level = match finding.level {
        Level::Good => "level_good",
        Level::Note => "level_note",
        Level::Warning => "level_warning",
        Level::Bad => "level_bad",
    };
    let args: Vec<(String, String)> =
        finding.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let check = finding.check.as_str();
    let said = locales::text_args(Lang::En, &format!("doctor.{check}_{}", finding.key), &args);
    writeln!(out, "{:<8} {}: {said}", text(level), text(&format!("check_{check}")))?;
    if let Some(record) = &finding.record {
        writeln!(out, "         {}\n             {}", text("paste"), record.zone_line())?;
    }
    Ok(())
}
