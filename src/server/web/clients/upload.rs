//! An uploaded file goes to disk as it arrives. One that will not be taken is read to its end and thrown
//! away, up to a point: a browser that is still sending shows no answer.

use super::super::guard::{actor, refusal};
use super::super::state::AppState;
use crate::domain::import::Goal;
use crate::domain::user::Permission;
use crate::forms::Check;
use crate::forms::suppressions::ImportForm;
use crate::server::services::import::{self, Upload, encoding::is_binary};
use crate::server::services::{Actor, Error};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;
use tower_sessions::Session;

/// How much of a file that is too large is read on, in allowed sizes.
const READ_ON: u64 = 4;
/// Longest file name that is kept, in characters.
const NAME_MAX: usize = 200;
/// Most bytes of a line of text beside the file.
const TEXT_MAX: usize = 4096;

/// Removes an unfinished file when its request goes away.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "an unfinished upload stays behind");
        }
    }
}

/// Stores the form's `file` and goes to the page of its import.
pub async fn clients(State(state): State<AppState>, session: Session, form: Multipart) -> Response {
    upload(&state, &session, form, Goal::Clients, "/clients/import").await
}

/// The same for the ledger; the form's `reason` comes before the file.
pub async fn suppressions(State(state): State<AppState>, session: Session, form: Multipart) -> Response {
    upload(&state, &session, form, Goal::Suppressions, "/suppressions/import").await
}

async fn upload(state: &AppState, session: &Session, form: Multipart, goal: Goal, page: &str) -> Response {
    let actor = match actor(session, state, Permission::Own).await {
        Ok(actor) => actor,
        Err(Error::Unauthenticated) => return Redirect::to(&format!("/login?next={page}")).into_response(),
        Err(error) => return refusal(error),
    };
    match receive(state, &actor, form, goal).await {
        Ok(id) => Redirect::to(&format!("{page}/{id}")).into_response(),
        Err(Refused::Reason { typed, key }) => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("problem", &key)
                .append_pair("reason", &typed)
                .finish();
            Redirect::to(&format!("{page}?{query}")).into_response()
        }
        Err(Refused::Otherwise(error)) => refusal(error),
    }
}

/// Why a file is not taken.
enum Refused {
    /// The reason beside it, as it was typed; a locale key says what is wrong with it.
    Reason {
        typed: String,
        key: String,
    },
    Otherwise(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Otherwise(error)
    }
}

/// What is wrong with the reason for a file of addresses: a locale key.
fn wrong(reason: &str) -> Option<String> {
    let errors = ImportForm { reason: reason.to_owned() }.check();
    errors.0.into_iter().next().map(|error| error.key)
}

async fn receive(state: &AppState, actor: &Actor, mut form: Multipart, goal: Goal) -> Result<i64, Refused> {
    let busy = || Error::Conflict("error.import.busy");
    let _slot = state.uploads.take(actor.id).ok_or_else(busy)?;
    let mut reason = String::new();
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        if field.name() == Some("reason") {
            reason = text(field).await?;
            continue;
        }
        if field.name() != Some("file") {
            continue;
        }
        if let Some(key) = wrong(&reason).filter(|_| goal == Goal::Suppressions) {
            read_on(&mut field, state.config.import_max).await?;
            return Err(Refused::Reason { typed: reason, key });
        }
        let name: String = field.file_name().unwrap_or_default().chars().take(NAME_MAX).collect();
        let folder = state.config.uploads();
        tokio::fs::create_dir_all(&folder).await.map_err(disk)?;
        let path = folder.join(format!("{:016x}.csv", rand::random::<u64>()));
        let mut unfinished = Unfinished(Some(path.clone()));
        return match write(&path, field, state.config.import_max).await? {
            Written::Whole(size) => {
                let upload = Upload { goal, why: reason.trim(), name: &name, path: &path, size };
                let id = import::add(&state.db, actor, &upload, state.now()).await?;
                unfinished.0 = None;
                Ok(id)
            }
            Written::Refused(size, key) => {
                drop(unfinished);
                let upload = Upload { goal, why: reason.trim(), name: &name, path: &path, size };
                Ok(import::refuse(&state.db, actor, &upload, key, state.now()).await?)
            }
        };
    }
    let upload = Upload { goal, why: reason.trim(), name: "", path: Path::new(""), size: 0 };
    Ok(import::refuse(&state.db, actor, &upload, "error.import.empty", state.now()).await?)
}

/// A field of the form that is a line of text; of one that is too long for any the beginning.
async fn text(mut field: Field<'_>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        let room = TEXT_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a file that will not be taken, up to a point.
async fn read_on(field: &mut Field<'_>, max: u64) -> Result<(), Error> {
    let mut size: u64 = 0;
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        size += chunk.len() as u64;
        if size > max.saturating_mul(READ_ON) {
            break;
        }
    }
    Ok(())
}

fn broken(error: &MultipartError) -> Error {
    tracing::debug!(%error, "an upload broke off");
    Error::field("file", "error.import.broken")
}

/// The disk is full, or not there: nothing that the request could mend.
fn disk(error: std::io::Error) -> Error {
    Error::Away(format!("an upload could not be written: {error}"))
}

/// What became of an upload, with its size in bytes.
enum Written {
    Whole(i64),
    /// A locale key says why.
    Refused(i64, &'static str),
}

async fn write(path: &Path, mut field: Field<'_>, max: u64) -> Result<Written, Error> {
    let mut file = Some(tokio::fs::File::create_new(path).await.map_err(disk)?);
    let mut refused = None;
    let mut size: u64 = 0;
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if refused.is_none() && size == 0 && is_binary(&chunk) {
            refused = Some("error.import.not_text");
        }
        size += chunk.len() as u64;
        if refused.is_none() && size > max {
            refused = Some("error.import.too_large");
        }
        if size > max.saturating_mul(READ_ON) {
            return Err(Error::field("file", "error.import.too_large"));
        }
        match (&mut file, refused) {
            (Some(file), None) => file.write_all(&chunk).await.map_err(disk)?,
            (Some(_), Some(_)) => {
                file = None;
                // Its room is given back now; the rest is only read.
                tokio::fs::File::create(path).await.map_err(disk)?;
            }
            (None, _) => {}
        }
    }
    if let Some(mut file) = file {
        file.flush().await.map_err(disk)?;
    }
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    Ok(refused.map_or(Written::Whole(size), |key| Written::Refused(size, key)))
}
