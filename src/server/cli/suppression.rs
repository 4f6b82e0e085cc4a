//! `vestnik suppression`.

use super::output::out;
use super::user::{actor, explain};
use super::{Failure, Outcome, client, service};
use crate::domain::suppression::{Reason, Source, Suppression};
use crate::forms::suppressions::{AddForm, LiftForm};
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::db::suppressions::{self, Filter};
use crate::server::log;
use crate::server::services::suppressions::{self as ledger, Destination};
use crate::server::services::{Actor, csv};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum SuppressionCommand {
    /// Addresses that a user's mailings leave out, the newest first
    List(Which),
    /// Leave an address out from now on, in open runs too
    Add {
        #[command(flatten)]
        why: Why,
        email: String,
    },
    /// Send to an address again, from the next run on; one entry at a time
    Lift {
        #[command(flatten)]
        why: Why,
        /// Number of the entry, as the list shows it
        id: i64,
    },
    /// Send again to all addresses that one import has added
    LiftImport {
        #[command(flatten)]
        why: Why,
        /// Number of the import, as it was printed
        id: i64,
    },
    /// Add the addresses of a CSV file, or what export has written, as it was; nothing is ever taken out
    Import {
        #[command(flatten)]
        why: Why,
        /// A new file for the lines that are not taken, with all their columns
        #[arg(long, value_name = "FILE")]
        faulty: Option<PathBuf>,
        /// The file, in UTF-8, UTF-16, Windows-1251 or Windows-1252
        file: PathBuf,
    },
    /// Print the entries as CSV
    Export(Which),
}

#[derive(Args)]
pub struct Which {
    /// Email of the user whose mailings they are
    #[arg(long)]
    owner: String,
    /// Part of the address
    #[arg(long, default_value = "")]
    search: String,
    /// unsubscribed, complaint, hard_bounce, soft_bounces, by_hand or imported
    #[arg(long, value_parser = parse_reason)]
    reason: Option<Reason>,
    /// Also entries that have ended by themselves
    #[arg(long)]
    ended: bool,
}

#[derive(Args)]
pub struct Why {
    /// Email of the user whose mailings they are
    #[arg(long)]
    owner: String,
    /// Why; kept with the entry and in the audit log
    #[arg(long)]
    reason: String,
}

/// Entries read at once.
const PAGE: i64 = 1_000;

fn parse_reason(text: &str) -> Result<Reason, String> {
    Reason::parse(text).ok_or_else(|| {
        let words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("one of {}", words.join(", "))
    })
}

pub async fn run(config: &Config, clock: SharedClock, command: SuppressionCommand, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let outcome = act(&db, &clock, command, json, &mut out()).await;
    db.close().await;
    outcome
}

async fn act(db: &Db, clock: &SharedClock, command: SuppressionCommand, json: bool, out: &mut impl Write) -> Outcome {
    const SOURCE: Source = Source::CommandLine;
    match command {
        SuppressionCommand::List(which) => list(db, &which, clock.now(), json, out).await,
        SuppressionCommand::Export(which) => export(db, &which, clock.now(), out).await,
        SuppressionCommand::Add { why, email } => {
            let form = AddForm { email, reason: why.reason };
            ledger::add(db, &actor(db, &why.owner).await?, SOURCE, &form, clock.now()).await.map_err(explain)
        }
        SuppressionCommand::Lift { why, id } => {
            let form = LiftForm { id, reason: why.reason, client: 0 };
            ledger::lift(db, &actor(db, &why.owner).await?, SOURCE, &form, clock.now()).await.map_err(explain)
        }
        SuppressionCommand::LiftImport { why, id } => {
            let form = LiftForm { id, reason: why.reason, client: 0 };
            let actor = actor(db, &why.owner).await?;
            let n = ledger::lift_import(db, &actor, SOURCE, &form, clock.now()).await.map_err(explain)?;
            match json {
                true => writeln!(out, "{}", serde_json::json!({ "lifted": n }))?,
                false => writeln!(out, "lifted {n}")?,
            }
            Ok(())
        }
        SuppressionCommand::Import { why, faulty, file } => {
            let actor = actor(db, &why.owner).await?;
            import(db, clock, (&actor, &why.reason), &file, faulty, json, out).await
        }
    }
}

async fn import(
    db: &Db,
    clock: &SharedClock,
    (actor, reason): (&Actor, &str),
    path: &Path,
    faulty: Option<PathBuf>,
    json: bool,
    out: &mut impl Write,
) -> Outcome {
    let fail = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(fail)?;
    if let Some(faulty) = faulty.as_ref().filter(|faulty| faulty.exists()) {
        return Err(Failure::Failed(format!("{} exists already", faulty.display())));
    }
    let size = i64::try_from(file.metadata().map_err(fail)?.len()).unwrap_or(i64::MAX);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (layout, source) = (None, Source::CommandLine);
    let id = ledger::note(db, actor, &name, reason, size, clock.now()).await.map_err(explain)?;
    let into = Destination { actor, source, file: &name, reason, import: id, faulty };
    let imported = ledger::import(db, &into, file, layout, clock).await;
    ledger::end(db, actor, id, imported.as_ref().ok()).await.map_err(explain)?;
    if !json {
        writeln!(out, "import {id}")?;
    }
    client::report(&imported.map_err(explain)?, json, out, &mut log::lines())
}

/// Reads entries page by page, so that 1 000 000 of them need no memory.
struct Entries<'a> {
    db: &'a Db,
    owner: Actor,
    filter: Filter<'a>,
    before: i64,
}

impl<'a> Entries<'a> {
    async fn new(db: &'a Db, which: &'a Which, now: DateTime<Utc>) -> Result<Self, Failure> {
        let at = (!which.ended).then_some(now);
        let filter = Filter { search: &which.search, reason: which.reason, at };
        Ok(Self { db, owner: actor(db, &which.owner).await?, filter, before: i64::MAX })
    }

    /// The next page; empty at the end.
    async fn next(&mut self) -> Result<Vec<Suppression>, Failure> {
        let page = suppressions::list(self.db, self.owner.id, &self.filter, self.before, PAGE).await?;
        self.before = page.last().map_or(self.before, |last| last.id);
        Ok(page)
    }
}

async fn list(db: &Db, which: &Which, now: DateTime<Utc>, json: bool, out: &mut impl Write) -> Outcome {
    let mut entries = Entries::new(db, which, now).await?;
    let mut between = if json { "[" } else { "" };
    loop {
        let page = entries.next().await?;
        if page.is_empty() {
            break;
        }
        for entry in page.into_iter().map(|entry| entry.at(now)) {
            if json {
                write!(out, "{between}{}", serde_json::to_string(&entry)?)?;
                between = ",\n";
                continue;
            }
            let ended = if entry.ended { " (ended)" } else { "" };
            let until = entry.until.map(|until| format!(" until {}{ended}", until.to_rfc3339())).unwrap_or_default();
            let (reason, source, since) = (entry.reason.as_str(), entry.source.as_str(), entry.since.to_rfc3339());
            // Quoted as Rust quotes: what a stranger wrote must not steer the terminal.
            writeln!(out, "{} {} {reason} {source} {since}{until} {:?}", entry.id, entry.email, entry.evidence)?;
        }
    }
    match (json, between) {
        (true, "[") => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "]")?,
        (false, _) => {}
    }
    Ok(())
}

async fn export(db: &Db, which: &Which, now: DateTime<Utc>, out: &mut impl Write) -> Outcome {
    let mut entries = Entries::new(db, which, now).await?;
    write!(out, "{}{}\r\n", csv::BOM, ledger::HEAD.join(","))?;
    loop {
        let page = entries.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        out.write_all(&csv::lines(page.into_iter().map(ledger::record)).map_err(explain)?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;
    use crate::server::clock::ManualClock;
    use crate::server::db::testing::{self, made_at};
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(subcommand)]
        command: SuppressionCommand,
    }

    /// What a command prints, as it was typed.
    async fn typed(db: &Db, json: bool, words: &[&str]) -> (String, Outcome) {
        let command = Cli::parse_from(["suppression"].iter().chain(words)).command;
        let clock: SharedClock = ManualClock::new(made_at());
        let mut out = Vec::new();
        let outcome = act(db, &clock, command, json, &mut out).await;
        (String::from_utf8(out).unwrap(), outcome)
    }

    #[tokio::test]
    async fn the_ledger_is_kept_from_the_command_line() {
        let (db, _folder) = testing::sqlite().await;
        testing::user(&db, "anna@example.org", Role::User).await;
        let owner = ["--owner", "anna@example.org"];
        let with = |first: &'static str, rest: &[&'static str]| [&[first][..], &owner, rest].concat();
        assert_eq!(typed(&db, true, &with("list", &[])).await.0, "[]\n");
        let add = with("add", &["--reason", "asked\u{1b}[2J", "reader@example.org"]);
        assert!(matches!(typed(&db, false, &add).await.1, Err(Failure::Failed(why)) if why.starts_with("reason: ")));
        let add = with("add", &["--reason", "asked", "reader@example.org"]);
        typed(&db, false, &add).await.1.unwrap();
        assert!(matches!(typed(&db, false, &add).await.1, Err(Failure::Failed(why)) if why.starts_with("email: ")));

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Email\nleft@example.org\nnobody\nLeft@example.org\n").unwrap();
        let path = file.path().to_str().unwrap();
        let import = ["import", "--owner", "anna@example.org", "--reason", "left elsewhere", path];
        let (said, outcome) = typed(&db, false, &import).await;
        assert_eq!(said, "import 1\nlines 3, added 1, updated 0, skipped 1, faulty 1\n");
        assert!(matches!(outcome, Err(Failure::Partly(_))), "{outcome:?}");

        let (text, _) = typed(&db, false, &with("list", &["--reason", "imported"])).await;
        let since = made_at().to_rfc3339();
        assert_eq!(text, format!("2 left@example.org imported file {since} \"left elsewhere\"\n"));
        let (json, _) = typed(&db, true, &with("list", &[])).await;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((json[0]["email"].as_str(), json[1]["id"].as_i64()), (Some("left@example.org"), Some(1)));
        let (csv, _) = typed(&db, false, &with("export", &["--search", "reader"])).await;
        let line = format!("reader@example.org,by_hand,command_line,{since},,asked,command line,\r\n");
        assert_eq!(csv, format!("\u{feff}email,reason,source,since,until,evidence,actor,topic\r\n{line}"));

        let back = with("lift-import", &["--reason", "the wrong file", "1"]);
        assert_eq!(typed(&db, false, &back).await.0, "lifted 1\n");
        assert!(typed(&db, false, &back).await.1.is_err(), "nothing of it is there");
        typed(&db, false, &with("lift", &["--reason", "asked again", "1"])).await.1.unwrap();
        assert!(typed(&db, false, &with("lift", &["--reason", "asked again", "1"])).await.1.is_err());
        assert_eq!(typed(&db, false, &with("list", &["--search", "reader"])).await.0, "");
    }
}
