//! `vestnik receive`.

use super::{Failure, Outcome, service};
use crate::domain::suppression::Source;
use crate::server::clock::SharedClock;
use crate::server::config::Config;
use crate::server::services::returns::{Came, Taken, take};
use clap::Args;
use tokio::io::AsyncReadExt;

/// Largest letter that is read, in bytes; of a larger one nobody would know what it says.
const LETTER_MAX: u64 = 32 * 1024 * 1024;
/// What a mail server takes for 'there is no such address' and for 'try again later' (sysexits.h).
const NO_USER: u8 = 67;
const TRY_LATER: u8 = 75;

#[derive(Args)]
pub struct ReceiveArgs {
    /// The address that the letter came to; without it, whom its header names
    #[arg(long)]
    to: Option<String>,
}

/// A mail server keeps the letter, until what is wrong has been put right: it would send any other failure back to nobody.
pub fn later(why: String) -> Failure {
    Failure::Code(TRY_LATER, why)
}

/// Takes a raw letter from standard input, as a pipe of a mail server gives it.
pub async fn run(config: &Config, clock: SharedClock, args: ReceiveArgs) -> Outcome {
    let Some(paths) = config.return_path() else {
        return Err(later("VESTNIK_RETURN_DOMAIN: is not set: which addresses are ours?".to_owned()));
    };
    let mut raw = Vec::new();
    tokio::io::stdin().take(LETTER_MAX + 1).read_to_end(&mut raw).await?;
    if raw.len() as u64 > LETTER_MAX {
        return Err(Failure::Failed("the letter is larger than 32 MB".to_owned()));
    }
    let to = match &args.to {
        Some(address) => match paths.read(address.trim()) {
            Some(address) => vec![address],
            None => return Err(Failure::Code(NO_USER, format!("{address:?} is no address of ours"))),
        },
        None => paths.find(&raw),
    };
    let db = match service::open(config).await {
        Ok(db) => db,
        Err(Failure::Failed(why)) => return Err(later(why)),
        Err(failure) => return Err(failure),
    };
    let came = Came { raw: &raw, to: &to, source: Source::Report };
    let taken = take(&db, paths.tokens(), &came, clock.now()).await.map_err(|error| later(error.to_string()))?;
    match taken {
        Taken::Entered { class, delivery } => tracing::info!(class = class.as_str(), delivery, "entered"),
        Taken::Known => tracing::info!("known already"),
        Taken::Left => tracing::info!("the reader has left"),
    }
    service::close(&db).await;
    Ok(())
}
