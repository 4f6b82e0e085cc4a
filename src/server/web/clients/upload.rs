//! An uploaded file goes to disk as it arrives.

use super::super::guard::{actor, refusal};
use super::super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::import::{self, FILE_MAX};
use crate::server::services::{Actor, Error};
use axum::extract::multipart::Field;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;
use tower_sessions::Session;

/// Longest file name that is kept, in characters.
const NAME_MAX: usize = 200;

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
pub async fn upload(State(state): State<AppState>, session: Session, form: Multipart) -> Response {
    let actor = match actor(&session, &state, Permission::Own).await {
        Ok(actor) => actor,
        Err(Error::Unauthenticated) => return Redirect::to("/login?next=/clients/import").into_response(),
        Err(error) => return refusal(error),
    };
    match receive(&state, &actor, form).await {
        Ok(id) => Redirect::to(&format!("/clients/import/{id}")).into_response(),
        Err(error) => refusal(error),
    }
}

async fn receive(state: &AppState, actor: &Actor, mut form: Multipart) -> Result<i64, Error> {
    let broken = |_| Error::field("file", "error.import.broken");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() != Some("file") {
            continue;
        }
        let name: String = field.file_name().unwrap_or_default().chars().take(NAME_MAX).collect();
        let folder = state.config.data_dir.join("uploads");
        tokio::fs::create_dir_all(&folder).await.map_err(disk)?;
        let path = folder.join(format!("{:016x}.csv", rand::random::<u64>()));
        let mut unfinished = Unfinished(Some(path.clone()));
        let (size, whole) = write(&path, field).await?;
        if !whole {
            return import::refuse(&state.db, actor, &name, size, "error.import.too_large", state.now()).await;
        }
        let id = import::add(&state.db, actor, &name, &path, size, state.now()).await?;
        unfinished.0 = None;
        return Ok(id);
    }
    import::refuse(&state.db, actor, "", 0, "error.import.empty", state.now()).await
}

fn disk(error: std::io::Error) -> Error {
    Error::Internal(format!("an upload could not be written: {error}"))
}

/// Writes the field to the file; returns its size in bytes, and whether it was taken whole.
async fn write(path: &Path, mut field: Field<'_>) -> Result<(i64, bool), Error> {
    let mut file = tokio::fs::File::create_new(path).await.map_err(disk)?;
    let mut size: u64 = 0;
    while let Some(chunk) = field.chunk().await.map_err(|_| Error::field("file", "error.import.broken"))? {
        size += chunk.len() as u64;
        if size > FILE_MAX {
            return Ok((i64::try_from(size).unwrap_or(i64::MAX), false));
        }
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    Ok((i64::try_from(size).unwrap_or(i64::MAX), true))
}
