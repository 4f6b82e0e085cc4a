//! Deliveries, attempts, the ledger and the audit log as CSV, streamed.

use super::guard;
use super::state::AppState;
use crate::domain::audit::Act;
use crate::domain::delivery::DeliveryState;
use crate::domain::user::Permission;
use crate::server::db::{attempts, audit, deliveries, returns, suppressions};
use crate::server::services::suppressions as ledger;
use crate::server::services::{Error, csv, mailings};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::DateTime;
use serde::Deserialize;
use std::collections::HashMap;
use std::future::Future;
use tower_sessions::Session;

/// Rows that are read and sent at a time.
const BATCH: i64 = 1000;

#[derive(Deserialize)]
struct Which {
    /// 0 for the current run.
    #[serde(default)]
    run: i64,
    /// As the list of deliveries is filtered: a [`DeliveryState`] word, or empty for all.
    #[serde(default)]
    state: String,
    #[serde(default)]
    q: String,
}

#[derive(Deserialize)]
struct Lines {
    /// As the log is filtered: an [`Act`] word, or empty for all.
    #[serde(default)]
    act: String,
    #[serde(default)]
    q: String,
}

#[derive(Deserialize)]
struct Entries {
    /// As the ledger is filtered: a [`crate::domain::suppression::Reason`] word, or empty for all.
    #[serde(default)]
    reason: String,
    #[serde(default)]
    q: String,
    /// `1` for those, too, that have ended.
    #[serde(default)]
    ended: String,
}

/// `GET /mailings/{id}/deliveries.csv?run=&state=&q=`, `/mailings/{id}/attempts.csv?run=&state=&q=`,
/// `/suppressions.csv?reason=&q=&ended=` and `/audit.csv?act=&q=`.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new()
        .route("/mailings/{id}/deliveries.csv", get(delivery_rows))
        .route("/mailings/{id}/attempts.csv", get(attempt_rows))
        .route("/suppressions.csv", get(ledger_rows))
        .route("/audit.csv", get(audit_rows))
}

/// The run that is asked for, if its mailing belongs to who asks.
async fn run_of(state: &AppState, session: &Session, id: i64, run: i64) -> Result<i64, Response> {
    let actor = guard::actor(session, state, Permission::Own).await.map_err(guard::refusal)?;
    let run = mailings::run_of(&state.db, &actor, id, run).await.and_then(|run| run.ok_or(Error::NotFound));
    run.map_err(guard::refusal)
}

async fn delivery_rows(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<i64>,
    Query(which): Query<Which>,
) -> Result<Response, Response> {
    let run = run_of(&state, &session, id, which.run).await?;
    let head = ["email", "full_name", "state", "reason", "attempts", "last_at", "last_code", "last_reply", "returned"];
    let db = state.db.clone();
    let state = DeliveryState::parse(&which.state);
    Ok(stream(&format!("mailing-{id}-run-{run}-deliveries.csv"), &head, 0, move |after| {
        let (db, search) = (db.clone(), which.q.clone());
        async move {
            let rows = deliveries::list(&db, run, state, &search, after, BATCH).await?;
            let next = rows.last().map(|row| row.id);
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let mut returned: HashMap<i64, Vec<String>> = HashMap::new();
            for (id, class) in returns::of_deliveries(&db, &ids).await? {
                returned.entry(id).or_default().push(class);
            }
            let records = rows.into_iter().map(|row| {
                vec![
                    row.email,
                    row.full_name,
                    row.state.as_str().to_owned(),
                    row.reason,
                    row.attempts.to_string(),
                    row.last_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
                    row.last_code.map(|code| code.to_string()).unwrap_or_default(),
                    row.last_reply,
                    returned.remove(&row.id).unwrap_or_default().join(" "),
                ]
            });
            Ok((next, csv::lines(records)?))
        }
    }))
}

async fn attempt_rows(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<i64>,
    Query(which): Query<Which>,
) -> Result<Response, Response> {
    let run = run_of(&state, &session, id, which.run).await?;
    let head = ["email", "number", "at", "ms", "stage", "status", "relay", "code", "enhanced", "reply"];
    let db = state.db.clone();
    let state = DeliveryState::parse(&which.state);
    Ok(stream(&format!("mailing-{id}-run-{run}-attempts.csv"), &head, (DateTime::UNIX_EPOCH, 0), move |after| {
        let (db, search) = (db.clone(), which.q.clone());
        async move {
            let rows = attempts::of_run(&db, run, (state, &search), after, BATCH).await?;
            let next = rows.last().map(|row| (row.attempt.at, row.id));
            let records = rows.into_iter().map(|row| {
                let attempt = row.attempt;
                vec![
                    row.email,
                    attempt.number.to_string(),
                    attempt.at.to_rfc3339(),
                    attempt.ms.to_string(),
                    attempt.stage.as_str().to_owned(),
                    attempt.status.as_str().to_owned(),
                    attempt.relay,
                    attempt.code.map(|code| code.to_string()).unwrap_or_default(),
                    attempt.enhanced.unwrap_or_default(),
                    attempt.reply,
                ]
            });
            Ok((next, csv::lines(records)?))
        }
    }))
}

async fn ledger_rows(
    State(state): State<AppState>,
    session: Session,
    Query(entries): Query<Entries>,
) -> Result<Response, Response> {
    let owner = guard::actor(&session, &state, Permission::Own).await.map_err(guard::refusal)?.id;
    let db = state.db.clone();
    let (now, ended) = (state.now(), entries.ended == "1");
    Ok(stream("suppressions.csv", &ledger::HEAD, i64::MAX, move |before| {
        let (db, search, reason) = (db.clone(), entries.q.clone(), entries.reason.clone());
        async move {
            let filter = ledger::Listing { search: &search, reason: &reason, ended }.filter(now);
            let rows = suppressions::list(&db, owner, &filter, before, BATCH).await?;
            Ok((rows.last().map(|row| row.id), csv::lines(rows.into_iter().map(ledger::record))?))
        }
    }))
}

async fn audit_rows(
    State(state): State<AppState>,
    session: Session,
    Query(lines): Query<Lines>,
) -> Result<Response, Response> {
    guard::actor(&session, &state, Permission::Oversee).await.map_err(guard::refusal)?;
    let head =
        ["id", "at", "actor_id", "actor", "act", "target_id", "target", "reason", "before", "after", "address", "hash"];
    let db = state.db.clone();
    let act = Act::parse(&lines.act);
    Ok(stream("audit.csv", &head, 0, move |after| {
        let (db, search) = (db.clone(), lines.q.clone());
        async move {
            let rows = audit::all(&db, (act, &search), after, BATCH).await?;
            let next = rows.last().map(|(row, _)| row.id);
            let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
            let records = rows.into_iter().map(|(row, hash)| {
                vec![
                    row.id.to_string(),
                    row.at.to_rfc3339(),
                    number(row.actor_id),
                    row.actor,
                    row.act.as_str().to_owned(),
                    number(row.target_id),
                    row.target,
                    row.reason,
                    row.before,
                    row.after,
                    row.address,
                    hash,
                ]
            });
            Ok((next, csv::lines(records)?))
        }
    }))
}

/// A file whose rows come in batches; `batch` takes the last key of the batch before, at first `begin`, and
/// returns that of its own, or none at the end.
pub(super) fn stream<K, F, R>(name: &str, head: &[&str], begin: K, batch: F) -> Response
where
    K: Send + 'static,
    F: Fn(K) -> R + Send + 'static,
    R: Future<Output = Result<(Option<K>, Vec<u8>), Error>> + Send,
{
    let head = format!("{}{}\r\n", csv::BOM, head.join(",")).into_bytes();
    let begin = (Some(head), Some(begin), batch);
    let body = futures::stream::try_unfold(begin, |(head, after, batch)| async move {
        if let Some(head) = head {
            return Ok(Some((head, (None, after, batch))));
        }
        let Some(after) = after else { return Ok(None) };
        match batch(after).await {
            Ok((None, _)) => Ok(None),
            Ok((next, bytes)) => Ok(Some((bytes, (None, next, batch)))),
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, Body::from_stream(body)).into_response()
}
