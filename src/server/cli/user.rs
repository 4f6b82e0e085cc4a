//! `vestnik user`.

use super::output::out;
use super::{Failure, Outcome, service};
use crate::domain::lang::Lang;
use crate::domain::user::Role;
use crate::forms::accounts::RegisterForm;
use crate::locales;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::db::Db;
use crate::server::services::{Actor, Error, accounts};
use clap::Subcommand;
use std::io::Write;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a confirmed user; the password is read from standard input
    Add {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        #[arg(long, value_parser = parse_role, default_value = "user")]
        role: Role,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "one of user, manager, editor, admin".to_owned())
}

pub async fn run(config: &Config, clock: SharedClock, command: UserCommand, json: bool) -> Outcome {
    let db = service::open(config).await?;
    let UserCommand::Add { email, name, role } = command;
    let mut password = String::new();
    std::io::stdin().read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let form = RegisterForm { name, email, password, ..RegisterForm::default() };
    let id = accounts::add(&db, &form, role, Lang::En, clock.now()).await.map_err(explain)?;
    added(id, json)?;
    db.close().await;
    Ok(())
}

/// Prints what an `add` made.
pub fn added(id: i64, json: bool) -> Outcome {
    if json {
        writeln!(out(), "{}", serde_json::json!({ "id": id }))?;
    } else {
        writeln!(out(), "{id}")?;
    }
    Ok(())
}

/// The user with this address, as an actor.
pub async fn actor(db: &Db, email: &str) -> Result<Actor, Failure> {
    let address = crate::domain::email::EmailAddress::parse(email)?;
    let user = accounts::find(db, &address).await.map_err(explain)?;
    let user = user.ok_or_else(|| Failure::Failed(format!("there is no user {email}")))?;
    Actor::prove(&user, crate::domain::user::Permission::Own).map_err(explain)
}

/// A service's error in words, as the command line says them.
pub fn explain(error: Error) -> Failure {
    let Error::Invalid(errors) = error else { return Failure::Failed(error.to_string()) };
    let lines = errors.0.iter().map(|error| {
        let text = locales::text_args(Lang::En, &error.key, &error.args);
        if error.field.is_empty() { text } else { format!("{}: {text}", error.field) }
    });
    Failure::Failed(lines.collect::<Vec<_>>().join("\n"))
}
