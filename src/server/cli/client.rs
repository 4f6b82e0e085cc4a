//! `vestnik client`.

use super::output::out;
use super::user::actor;
use super::{Failure, Outcome, service};
use crate::domain::client::{Double, join_texts};
use crate::domain::import::{Duplicates, LineProblem};
use crate::domain::lang::Lang;
use crate::domain::page::Whole;
use crate::locales;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::log;
use crate::server::services::import::{self, Target};
use crate::server::services::{Actor, clients};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum ClientCommand {
    /// Take clients from a CSV file; its columns are known by their names, or by what stands in them
    Import {
        /// Email of the user whose clients they become
        #[arg(long)]
        owner: String,
        /// What to do with a line whose address the owner already has: skip or update
        #[arg(long, value_parser = parse_duplicates, default_value = "skip")]
        duplicates: Duplicates,
        /// A new file for the lines that are not taken, with all their columns: mend them there and import it
        #[arg(long, value_name = "FILE")]
        faulty: Option<PathBuf>,
        /// The file, in UTF-8, UTF-16, Windows-1251 or Windows-1252
        file: PathBuf,
    },
    /// Show clients whose address another one has in another spelling, and join them
    Doubles {
        /// Email of the user whose clients they are
        #[arg(long)]
        owner: String,
        /// Join each with the one that stays
        #[arg(long)]
        join: bool,
    },
}

fn parse_duplicates(text: &str) -> Result<Duplicates, String> {
    match text {
        "skip" => Ok(Duplicates::Skip),
        "update" => Ok(Duplicates::Update),
        _ => Err("one of skip, update".to_owned()),
    }
}

pub async fn run(config: &Config, clock: SharedClock, command: ClientCommand, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let done = match command {
        ClientCommand::Import { owner, duplicates, faulty, file } => {
            let target = Target { owner: actor(&db, &owner).await?.id, import: None, duplicates, faulty };
            let imported = take(&db, target, &file, clock.now()).await?;
            report(&imported, json, &mut out(), &mut log::lines())
        }
        ClientCommand::Doubles { owner, join } => {
            let owner = actor(&db, &owner).await?;
            doubles(&db, &owner, join, clock.now(), json, &mut out()).await
        }
    };
    db.close().await;
    done
}

/// Prints each double and what it is joined with, or is to be.
async fn doubles(db: &Db, owner: &Actor, join: bool, now: DateTime<Utc>, json: bool, out: &mut impl Write) -> Outcome {
    let mut after = String::new();
    let Whole { total, mark } = loop {
        let page = clients::doubles::list(db, owner, &after).await?;
        let told = page.whole();
        for Double { goes, stays } in page.rows {
            match json {
                true => writeln!(out, "{}", json!({ "goes": goes.email, "stays": stays.email }))?,
                false => {
                    write!(out, "{} stays, {} goes", stays.email, goes.email)?;
                    let joined = join_texts(&mut stays.clone(), &goes);
                    if joined.name_to_comment {
                        // Quoted as Rust quotes: what stands in a name must not steer the terminal.
                        write!(
                            out,
                            "; the name {:?} stays, {:?} goes into the comment",
                            stays.full_name, goes.full_name
                        )?;
                    }
                    writeln!(out, "{}", if joined.lost { "; the comment has no room for all of it" } else { "" })?;
                }
            }
        }
        match page.next {
            Some(next) => after = next,
            None => break told,
        }
    };
    let joined = if join { clients::doubles::join(db, owner, Whole { total, mark }, now).await? } else { 0 };
    match json {
        true => writeln!(out, "{}", json!({ "doubles": total, "joined": joined }))?,
        false => writeln!(out, "doubles {total}, joined {joined}")?,
    }
    Ok(())
}

async fn take(db: &Db, target: Target, path: &Path, now: DateTime<Utc>) -> Result<import::Outcome, Failure> {
    let file = File::open(path).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    if let Some(faulty) = target.faulty.as_ref().filter(|faulty| faulty.exists()) {
        return Err(Failure::Failed(format!("{} exists already", faulty.display())));
    }
    Ok(import::import_csv(db, target, file, None, now, |_| ()).await?)
}

/// Prints the counts, and the faulty lines apart from them; the outcome says how much went in.
pub fn report(imported: &import::Outcome, json: bool, out: &mut impl Write, errors: &mut impl Write) -> Outcome {
    let import::Outcome { counts, problems, failure, unused } = imported;
    let sentence = |key: &str| locales::text(Lang::En, key);
    for LineProblem { line, key, value, .. } in problems {
        // Quoted as Rust quotes: what stands in a file must not steer the terminal.
        writeln!(errors, "line {line}: {} {value:?}", sentence(key))?;
    }
    // The line at which the file became unreadable is shown, but was never counted.
    let shown = problems.len() - usize::from(stopped_at_line(imported));
    let hidden = counts.faulty - i64::try_from(shown).unwrap_or(i64::MAX);
    if hidden > 0 {
        writeln!(errors, "and {hidden} more faulty lines, which are not shown")?;
    }
    if !unused.is_empty() && !json {
        // Quoted as above.
        writeln!(errors, "columns that were not used: {unused:?}")?;
    }
    if json {
        let problems: Vec<_> = problems
            .iter()
            .map(|problem| json!({ "line": problem.line, "reason": sentence(&problem.key), "value": problem.value }))
            .collect();
        let summary = json!({
            "lines": counts.lines, "added": counts.added, "updated": counts.updated, "skipped": counts.skipped,
            "faulty": counts.faulty, "suppressed": counts.suppressed, "suppressed_first": counts.suppressed_first,
            "failure": failure.map(sentence), "problems": problems, "unused": unused,
        });
        writeln!(out, "{summary}")?;
    } else {
        writeln!(
            out,
            "lines {}, added {}, updated {}, skipped {}, faulty {}",
            counts.lines, counts.added, counts.updated, counts.skipped, counts.faulty
        )?;
    }
    if counts.suppressed > 0 && !json {
        let names = counts.suppressed_first.join(", ");
        writeln!(errors, "lines whose address is left out of mailings, and stays so: {} ({names})", counts.suppressed)?;
    }
    match failure {
        Some(key) if counts.lines == 0 => Err(Failure::Failed(sentence(key))),
        Some(key) => Err(Failure::Partly(format!("{} What came before is stored.", sentence(key)))),
        None if counts.faulty > 0 => Err(Failure::Partly(format!("lines that were not taken: {}", counts.faulty))),
        None => Ok(()),
    }
}

/// Whether the last problem is the one that ended the import, rather than one line left out.
fn stopped_at_line(imported: &import::Outcome) -> bool {
    let last = imported.problems.last();
    last.is_some_and(|problem| imported.failure == Some(problem.key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::ClientSort;
    use crate::domain::user::Role;
    use crate::server::db::{clients, testing};
    use crate::server::services::import::PROBLEMS_KEPT;
    use chrono::TimeZone;

    const OWNER: &str = "anna@example.org";

    struct Printed {
        out: String,
        errors: String,
        outcome: Outcome,
    }

    fn print(imported: &import::Outcome, json: bool) -> Printed {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let outcome = report(imported, json, &mut out, &mut errors);
        Printed { out: String::from_utf8(out).unwrap(), errors: String::from_utf8(errors).unwrap(), outcome }
    }

    async fn import_bytes(db: &Db, duplicates: Duplicates, bytes: &[u8]) -> Result<import::Outcome, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let target = Target { owner: actor(db, OWNER).await?.id, import: None, duplicates, faulty: None };
        take(db, target, file.path(), Utc.with_ymd_and_hms(2026, 3, 1, 9, 0, 0).unwrap()).await
    }

    async fn with_owner() -> (Db, tempfile::TempDir, i64) {
        let (db, folder) = testing::sqlite().await;
        let id = testing::user(&db, OWNER, Role::User).await.id;
        (db, folder, id)
    }

    #[tokio::test]
    async fn faulty_lines_are_reported_and_the_rest_goes_in() {
        let (db, _folder, owner) = with_owner().await;
        let file = "ФИО;Почта\nАнна Ёлкина;a@example.org\nБорис;никто\u{1b}[2J\nВера;v@example.org\n";
        let imported = import_bytes(&db, Duplicates::Skip, file.as_bytes()).await.unwrap();
        let printed = print(&imported, false);
        assert_eq!(printed.out, "lines 3, added 2, updated 0, skipped 0, faulty 1\n");
        assert_eq!(printed.errors, "line 3: An email address has exactly one @. \"никто\\u{1b}[2J\"\n");
        assert!(matches!(printed.outcome, Err(Failure::Partly(_))), "{:?}", printed.outcome);
        let json: serde_json::Value = serde_json::from_str(&print(&imported, true).out).unwrap();
        assert_eq!((json["added"].as_i64(), json["faulty"].as_i64()), (Some(2), Some(1)));
        assert_eq!(json["problems"][0]["line"], 3);
        assert_eq!(clients::count(&db, owner, "").await.unwrap(), 2);
    }

    #[tokio::test]
    async fn columns_that_were_not_used_are_named() {
        let (db, _folder, owner) = with_owner().await;
        let file = "\"Email Address\",\"First Name\",\"Last Name\",\"Pho\u{1b}ne\"\nj@example.org,John,Smith,1\n";
        let imported = import_bytes(&db, Duplicates::Skip, file.as_bytes()).await.unwrap();
        assert_eq!(print(&imported, false).errors, "columns that were not used: [\"Pho\\u{1b}ne\"]\n");
        let json: serde_json::Value = serde_json::from_str(&print(&imported, true).out).unwrap();
        assert_eq!(json["unused"][0], "Pho\u{1b}ne");
        let found = clients::list(&db, owner, "", ClientSort::Email, false, None, 10).await.unwrap();
        assert_eq!(found[0].full_name, "John Smith");
    }

    #[tokio::test]
    async fn known_addresses_are_skipped_or_updated_as_asked() {
        let (db, _folder, owner) = with_owner().await;
        import_bytes(&db, Duplicates::Skip, b"email,name\na@example.org,Old\n").await.unwrap();
        for (duplicates, counts, name) in [
            (Duplicates::Skip, "lines 1, added 0, updated 0, skipped 1, faulty 0\n", "Old"),
            (Duplicates::Update, "lines 1, added 0, updated 1, skipped 0, faulty 0\n", "New"),
        ] {
            let imported = import_bytes(&db, duplicates, b"email,name\na@example.org,New\n").await.unwrap();
            let printed = print(&imported, false);
            assert_eq!((printed.out.as_str(), printed.errors.as_str()), (counts, ""));
            assert!(printed.outcome.is_ok());
            let found = clients::list(&db, owner, "", ClientSort::Email, false, None, 10).await.unwrap();
            assert_eq!(found[0].full_name, name);
        }
    }

    #[tokio::test]
    async fn doubles_are_listed_and_joined() {
        let (db, _folder, id) = with_owner().await;
        testing::client(&db, id, "ann.lee@example.com", "Ann", "").await;
        testing::double(&db, id, "Ann.Lee@Example.com", "A. L.", "").await;
        let owner = actor(&db, OWNER).await.unwrap();
        for (join, json, printed) in [
            (
                false,
                false,
                "ann.lee@example.com stays, Ann.Lee@Example.com goes; the name \"Ann\" stays, \"A. L.\" goes into the comment\n\
                 doubles 1, joined 0\n",
            ),
            (
                true,
                true,
                "{\"goes\":\"Ann.Lee@Example.com\",\"stays\":\"ann.lee@example.com\"}\n{\"doubles\":1,\"joined\":1}\n",
            ),
            (true, false, "doubles 0, joined 0\n"),
        ] {
            let mut out = Vec::new();
            super::doubles(&db, &owner, join, DateTime::UNIX_EPOCH, json, &mut out).await.unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), printed);
        }
        assert_eq!(clients::count(&db, id, "").await.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_unreadable_file_fails_and_one_unreadable_midway_is_partly_done() {
        let (db, _folder, _) = with_owner().await;
        let printed = print(&import_bytes(&db, Duplicates::Skip, b"phone\n1\n").await.unwrap(), false);
        assert!(matches!(printed.outcome, Err(Failure::Failed(_))), "{:?}", printed.outcome);
        let midway = import_bytes(
            &db,
            Duplicates::Skip,
            &[b"email\na@example.org\nnobody\n\"".as_slice(), &[b'x'; 3 << 20]].concat(),
        )
        .await
        .unwrap();
        let printed = print(&midway, false);
        assert_eq!(printed.out, "lines 2, added 1, updated 0, skipped 0, faulty 1\n");
        let starts: Vec<_> = printed.errors.lines().map(|line| &line[..7]).collect();
        assert_eq!(starts, ["line 3:"]);
        assert!(matches!(printed.outcome, Err(Failure::Partly(_))), "{:?}", printed.outcome);
        let target = Target { owner: 1, import: None, duplicates: Duplicates::Skip, faulty: None };
        let error = take(&db, target, Path::new("/no/such/file.csv"), DateTime::UNIX_EPOCH).await;
        assert!(matches!(error, Err(Failure::Failed(why)) if why.starts_with("/no/such/file.csv: ")));
    }

    #[tokio::test]
    async fn says_how_many_faulty_lines_it_does_not_show() {
        let (db, _folder, _) = with_owner().await;
        let file = format!("email\n{}", "nobody\n".repeat(PROBLEMS_KEPT + 7));
        let imported = import_bytes(&db, Duplicates::Skip, file.as_bytes()).await.unwrap();
        let printed = print(&imported, false);
        assert!(printed.errors.ends_with("\nand 7 more faulty lines, which are not shown\n"));
    }
}
