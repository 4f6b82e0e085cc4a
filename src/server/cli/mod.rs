//! The command line: one file per subcommand. README.md documents the exit codes.

mod audit;
mod bench;
mod client;
mod deliver;
mod demo;
mod demo_messages;
mod demo_people;
mod demo_pictures;
mod demo_posts;
mod doctor;
mod files;
mod handoff;
mod health;
mod mailing;
mod message;
mod output;
mod receive;
mod relay;
mod serve;
mod service;
mod signals;
pub mod sink;
mod suppression;
mod user;

use crate::server::clock::{SharedClock, SystemClock};
use crate::server::config::Settings;
use crate::server::log;
use crate::server::private;
use clap::{Parser, Subcommand};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

/// A self-hosted mailing service.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// Print JSON where a machine may read it
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the web pages and send mailings
    Serve,
    /// Ask the service on this machine whether it is ready
    Health,
    /// Take a letter that came back from standard input, as a pipe of a mail server gives it
    Receive(receive::ReceiveArgs),
    /// Look at what receivers see of this service: DNS, mail servers, public address, clock
    Doctor,
    /// Send mailings without serving web pages
    Work,
    /// Open what is due, deliver until nothing is left to do now, print a summary
    Send {
        /// This mailing only
        #[arg(long)]
        mailing: Option<i64>,
    },
    /// Bring the database to this version's shape
    Migrate,
    /// Fill an empty database with users, clients, messages, mailings and posts to try the service out
    Demo,
    /// Users
    #[command(subcommand)]
    User(user::UserCommand),
    /// Clients
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Addresses that mailings leave out
    #[command(subcommand)]
    Suppression(suppression::SuppressionCommand),
    /// Messages
    #[command(subcommand)]
    Message(message::MessageCommand),
    /// Mailings
    #[command(subcommand)]
    Mailing(mailing::MailingCommand),
    /// Mail servers that letters are handed to
    #[command(subcommand)]
    Relay(relay::RelayCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Measure how fast this machine sends
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Run the built-in mail server alone: it catches letters and can inject faults
    Sink(sink::SinkArgs),
}

/// How a command ended without success.
#[derive(Debug)]
pub enum Failure {
    /// It could not be done: exit code 1.
    Failed(String),
    /// Some of it was done: exit code 3.
    Partly(String),
    /// It could not be done, with an exit code that whoever called knows.
    Code(u8, String),
    /// A part of it failed again and again, and the process ended in order: exit code 4.
    GaveUp(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

type Outcome = Result<(), Failure>;

/// Parses the command line and runs it. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done,
/// 4 ended by a fault of its own.
pub fn main() -> ExitCode {
    private::begin();
    let cli = Cli::parse();
    files::raise();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(1, &format!("no async runtime: {error}"));
        }
    };
    let code = match catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(cli)))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(Failure::Failed(why))) => fail(1, &why),
        Ok(Err(Failure::Code(code, why))) => fail(code, &why),
        Ok(Err(Failure::Partly(why))) => fail(3, &why),
        Ok(Err(Failure::GaveUp(why))) => fail(4, &why),
        Err(_) => fail(4, "a fault of its own ended it; the log tells more"),
    };
    log::flush();
    code
}

fn fail(code: u8, why: &str) -> ExitCode {
    log::say(&format!("vestnik: {why}"));
    log::flush();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> Outcome {
    let clock: SharedClock = Arc::new(SystemClock);
    let Cli { settings, json, command } = cli;
    log::start(&settings.log).map_err(Failure::Failed)?;
    match command {
        Command::Sink(args) => Ok(sink::run(args, clock).await?),
        Command::Serve => serve::run(settings.check()?, clock).await,
        Command::Health => health::run(settings.addr()?).await,
        Command::Receive(args) => {
            let config = settings.check().map_err(|error| receive::later(error.to_string()))?;
            receive::run(&config, clock, args).await
        }
        Command::Doctor => doctor::run(&settings.check()?, clock, json).await,
        Command::Work => deliver::work(settings.check()?, clock).await,
        Command::Send { mailing } => deliver::send(settings.check()?, clock, mailing, json).await,
        Command::Migrate => service::open(&settings.check()?).await.map(drop),
        Command::Demo => demo::run(&settings.check()?, clock, json).await,
        Command::User(command) => user::run(&settings.check()?, clock, command, json).await,
        Command::Client(command) => client::run(&settings.check()?, clock, command, json).await,
        Command::Suppression(command) => suppression::run(&settings.check()?, clock, command, json).await,
        Command::Message(command) => message::run(&settings.check()?, clock, command, json).await,
        Command::Relay(command) => relay::run(&settings.check()?, clock, command, json).await,
        Command::Audit(command) => audit::run(&settings.check()?, command, json).await,
        Command::Bench(command) => bench::run(settings.check()?, clock, command, json).await,
        Command::Mailing(command) => mailing::run(&settings.check()?, clock, command, json).await,
    }
}
