//! `vestnik bench`: how fast the engine is, on a temporary database and with the durability of a real one.

mod letter;
mod meter;

use super::output::out;
use super::user::{actor, explain};
use super::{Failure, Outcome, service};
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::RegisterForm;
use crate::forms::mailings::{MailingForm, NOW};
use crate::forms::messages::MessageForm;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, bench};
use crate::server::engine::relays::Source;
use crate::server::mail::relay::Relay;
use crate::server::services::{accounts, mailings, messages};
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use meter::Meter;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const OWNER: &str = "bench@example.org";

#[derive(Subcommand)]
pub enum BenchCommand {
    /// Send one mailing of invented clients to a mail server that throws letters away, and measure
    Send(SendArgs),
}

#[derive(Args)]
pub struct SendArgs {
    /// Clients to write to
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    recipients: u32,
    /// Further clients who have left, and get nothing
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    left_out: u32,
    /// Connections to the mail server
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// Bytes of each letter, headers included
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    size: u32,
    /// smtp:// address of the mail server; it gets real letters to invented addresses
    #[arg(long)]
    smtp: String,
    /// postgres: address of a server where a database may be made and dropped; otherwise SQLite
    #[arg(long)]
    database: Option<String>,
    /// Sign each letter with the key of VESTNIK_DKIM_KEY
    #[arg(long)]
    dkim: bool,
    /// Folder for the temporary SQLite database; should be on the disk that is to be measured
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

/// What was measured.
#[derive(Debug, serde::Serialize)]
struct Figures {
    database: &'static str,
    recipients: u32,
    left_out: u32,
    connections: u16,
    /// Of one whole letter.
    letter_bytes: usize,
    sent: u64,
    /// From the first claim to the last record on disk.
    seconds: f64,
    msgs_per_s: f64,
    /// Processor time of this process, user and system, for 1000 letters.
    cpu_s_per_1000: f64,
    peak_rss_mb: f64,
    /// Durable commits of records.
    commits: u64,
    /// The opening of the run: one row for each client.
    open_run_s: f64,
    /// Speed of the last tenth of the letters over that of the first.
    last_tenth_ratio: f64,
}

/// A database and what must go with it in the end.
enum Place {
    Folder(PathBuf),
    Server(Box<bench::Scratch>),
}

pub async fn run(config: Config, clock: SharedClock, command: BenchCommand, json: bool) -> Outcome {
    let BenchCommand::Send(args) = command;
    let (place, db) = match &args.database {
        Some(url) if url.starts_with("postgres") => {
            let (scratch, db) = bench::Scratch::create(url).await?;
            (Place::Server(Box::new(scratch)), db)
        }
        Some(_) => return Err(Failure::Failed("--database: must begin with postgres:".to_owned())),
        None => {
            let folder = args.dir.join(format!("vestnik-bench-{:016x}", rand::random::<u64>()));
            std::fs::create_dir(&folder)?;
            let db = Db::open(&format!("sqlite:{}", folder.join("bench.db").display())).await;
            (Place::Folder(folder), db?)
        }
    };
    let measured = measure(&db, &config, clock, &args).await;
    db.close().await;
    match place {
        Place::Folder(folder) => std::fs::remove_dir_all(folder)?,
        Place::Server(scratch) => scratch.remove().await?,
    }
    let figures = measured?;
    if json {
        writeln!(out(), "{}", serde_json::to_string(&figures)?)?;
    } else {
        writeln!(
            out(),
            "{:.0} letters/s, {:.3} s of processor time for 1000, {:.1} MB at most, {} commits, run opened in {:.2} s, \
             last tenth at {:.2} of the first's speed",
            figures.msgs_per_s,
            figures.cpu_s_per_1000,
            figures.peak_rss_mb,
            figures.commits,
            figures.open_run_s,
            figures.last_tenth_ratio
        )?;
    }
    if figures.sent == u64::from(figures.recipients) {
        return Ok(());
    }
    Err(Failure::Partly(format!("the mail server took {} of {} letters", figures.sent, figures.recipients)))
}

async fn measure(db: &Db, config: &Config, clock: SharedClock, args: &SendArgs) -> Result<Figures, Failure> {
    db.migrate().await?;
    let now = clock.now();
    let form = RegisterForm {
        name: "Bench".to_owned(),
        email: OWNER.to_owned(),
        password: format!("{:032x}", rand::random::<u128>()),
        ..RegisterForm::default()
    };
    accounts::add(db, &form, Role::User, Lang::En, now).await.map_err(explain)?;
    let actor = actor(db, OWNER).await?;
    let (recipients, left_out) = (i64::from(args.recipients), i64::from(args.left_out));
    bench::add_clients(db, actor.id, recipients + left_out, now).await?;
    bench::leave_out(db, actor.id, left_out, now).await?;
    let size = usize::try_from(args.size).unwrap_or(usize::MAX);
    let (body, letter_bytes) = letter::body_of(config.from.as_str(), size, now)?;
    let message = MessageForm { subject: letter::SUBJECT.to_owned(), body, ..MessageForm::default() };
    let message = messages::create(db, &actor, &message, now).await.map_err(explain)?;
    let form = MailingForm {
        message,
        clients: "all".to_owned(),
        start: NOW.to_owned(),
        end: (now + TimeDelta::days(7)).to_rfc3339(),
        zone: "UTC".to_owned(),
        period: "once".to_owned(),
        policy: "resend".to_owned(),
        ..MailingForm::default()
    };
    mailings::create(db, &actor, &form, now).await.map_err(explain)?;
    let mut config = config.clone();
    if !args.dkim {
        config.dkim = None;
    } else if config.dkim.is_none() {
        return Err(Failure::Failed("--dkim: VESTNIK_DKIM_KEY must name the key to sign with".to_owned()));
    }
    // Mass mail needs a page to leave by; nobody reads these letters.
    "https://mail.example.org".clone_into(&mut config.public_url);
    let config = &config;
    let mut relay = Relay::parse(&args.smtp)?;
    relay.connections = usize::from(args.connections);
    let relays = service::relays(db, config, &clock, Source::Settings(relay)).await?;
    let engine = service::engine(db, config, &relays, &clock, CancellationToken::new());
    let began = Instant::now();
    engine.open_due(None).await?;
    let open_run_s = began.elapsed().as_secs_f64();
    let meter = Meter::start(engine.clone(), u64::from(args.recipients))?;
    let began = Instant::now();
    engine.deliver_all(None).await?;
    let took = began.elapsed();
    let summary = engine.summary();
    let measured = meter.stop(summary.sent, took).await?;
    if let Some(trouble) = summary.relay_trouble {
        return Err(Failure::Failed(format!("the mail server cannot be used: {trouble}")));
    }
    let sent = summary.sent as f64;
    Ok(Figures {
        database: match db {
            Db::Sqlite { .. } => "sqlite",
            Db::Postgres(_) => "postgres",
        },
        recipients: args.recipients,
        left_out: args.left_out,
        connections: args.connections,
        letter_bytes,
        sent: summary.sent,
        seconds: took.as_secs_f64(),
        msgs_per_s: sent / took.as_secs_f64(),
        cpu_s_per_1000: measured.cpu_s / (sent / 1000.0),
        peak_rss_mb: measured.peak_rss_mb,
        commits: engine.commits(),
        open_run_s,
        last_tenth_ratio: measured.last_tenth_ratio,
    })
}
