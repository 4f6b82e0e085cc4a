//! `vestnik relay`.

use super::output::out;
use super::user::{added, explain};
use super::{Failure, Outcome, service};
use crate::domain::lang::Lang;
use crate::domain::relay::{FROM_SETTINGS, RelayTest, Speaker, TlsMode};
use crate::forms::relays::RelayForm;
use crate::locales;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::{Db, relays};
use crate::server::engine::relays::Source;
use crate::server::seal::Sealer;
use crate::server::services::relays::{self as service_relays, Keeper, Means};
use clap::{Args, Subcommand};
use std::io::Write;

#[derive(Subcommand)]
pub enum RelayCommand {
    /// Add a mail server; with --user, the password is read from standard input
    Add(AddArgs),
    /// All mail servers with their state
    List,
    /// Try a mail server and print the dialogue; without a name, the one in VESTNIK_SMTP_URL
    Test { name: Option<String> },
    /// Remove a mail server
    Remove { name: String },
}

#[derive(Args)]
pub struct AddArgs {
    #[arg(long)]
    name: String,
    #[arg(long)]
    host: String,
    /// 587 with a user, 25 without, 465 for TLS from the first byte
    #[arg(long, default_value = "")]
    port: String,
    /// required, implicit, offered or none
    #[arg(long, value_parser = parse_tls, default_value = "required")]
    tls: TlsMode,
    #[arg(long, default_value = "")]
    user: String,
    /// Most connections at a time
    #[arg(long, default_value = "")]
    connections: String,
    /// Most letters in any second
    #[arg(long, default_value = "")]
    second: String,
    /// Most letters in any hour
    #[arg(long, default_value = "")]
    hour: String,
    /// Most letters in any day
    #[arg(long, default_value = "")]
    day: String,
    /// The smallest number goes first
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    priority: String,
    /// Store it switched off, without a try
    #[arg(long)]
    off: bool,
}

fn parse_tls(text: &str) -> Result<TlsMode, String> {
    TlsMode::parse(text).ok_or_else(|| "one of required, implicit, offered, none".to_owned())
}

pub async fn run(config: &Config, clock: SharedClock, command: RelayCommand, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let sealer = Sealer::new(&config.secret);
    let means = Means { sealer: &sealer, hello: config.hello.as_deref() };
    match command {
        RelayCommand::Add(args) => {
            let form = form(args)?;
            let id = service_relays::save(&db, Keeper::command_line(), means, &form, clock.now()).await;
            added(id.map_err(explain)?, json)?;
        }
        RelayCommand::List => list(&db, config, &clock, json).await?,
        RelayCommand::Test { name } => {
            let test = match name {
                Some(name) => {
                    let id = find(&db, &name).await?;
                    service_relays::test_stored(&db, Keeper::command_line(), means, id).await.map_err(explain)?
                }
                None => {
                    let relay = config.relay.as_ref();
                    let relay = relay.ok_or_else(|| Failure::Failed("VESTNIK_SMTP_URL is not set".to_owned()))?;
                    service_relays::test_given(Keeper::command_line(), relay).await
                }
            };
            print_test(&test, json)?;
        }
        RelayCommand::Remove { name } => {
            let id = find(&db, &name).await?;
            service_relays::remove(&db, Keeper::command_line(), id, clock.now()).await.map_err(explain)?;
        }
    }
    db.close().await;
    Ok(())
}

fn form(args: AddArgs) -> Result<RelayForm, Failure> {
    let mut password = String::new();
    if !args.user.is_empty() {
        std::io::stdin().read_line(&mut password)?;
    }
    Ok(RelayForm {
        id: 0,
        name: args.name,
        host: args.host,
        port: args.port,
        tls: args.tls.as_str().to_owned(),
        user: args.user,
        password: password.trim_end_matches(['\r', '\n']).to_owned(),
        connections: args.connections,
        second: args.second,
        hour: args.hour,
        day: args.day,
        priority: args.priority,
        enabled: !args.off,
        version: String::new(),
    })
}

async fn find(db: &Db, name: &str) -> Result<i64, Failure> {
    let found = relays::by_name(db, name).await?;
    found
        .map(|stored| stored.settings.id)
        .ok_or_else(|| Failure::Failed(format!("there is no mail server named {name}")))
}

/// The settings, and what engines at work say of them.
async fn list(db: &Db, config: &Config, clock: &SharedClock, json: bool) -> Outcome {
    let source = config.relay.clone().map_or(Source::Nothing, Source::Settings);
    let report = service::relays(db, config, clock, source).await?.overview().await?;
    if json {
        writeln!(out(), "{}", serde_json::to_string(&report.relays)?)?;
        return Ok(());
    }
    let mut out = out();
    for row in report.relays {
        let (settings, live) = (row.settings, row.live);
        let from = if settings.id == FROM_SETTINGS { " (VESTNIK_SMTP_URL)" } else { "" };
        writeln!(
            out,
            "{}{from}: {}:{} tls {}, {}, {} of {} connections, priority {}",
            settings.name,
            settings.host,
            settings.port,
            settings.tls.as_str(),
            live.state.as_str(),
            live.open,
            settings.connections,
            if settings.id == FROM_SETTINGS { "first".to_owned() } else { settings.priority.to_string() }
        )?;
        for limit in live.limits {
            writeln!(out, "  {} of {} letters a {}", limit.used, limit.limit, limit.span.as_str())?;
        }
        if let Some(trouble) = live.trouble {
            let fault = trouble.fault;
            writeln!(out, "  last error at {}: {}: {}", trouble.at.to_rfc3339(), fault.stage_word(), fault.detail)?;
        }
    }
    Ok(())
}

fn print_test(test: &RelayTest, json: bool) -> Outcome {
    if json {
        writeln!(out(), "{}", serde_json::to_string(test)?)?;
    } else {
        for line in &test.dialogue {
            let who = match line.speaker {
                Speaker::Us => "> ",
                Speaker::Server => "< ",
                Speaker::Tls => "= ",
            };
            writeln!(out(), "{who}{}", line.text)?;
        }
    }
    match &test.fault {
        None => Ok(()),
        Some(fault) => {
            let args = [("stage", &fault.stage_word() as &dyn std::fmt::Display), ("detail", &fault.detail)];
            Err(Failure::Failed(format!("{}: {}", test.address, locales::text_with(Lang::En, &fault.key(), &args))))
        }
    }
}
