//! The report as a CSV file: a line for each mailing and day.

use super::exports::stream;
use super::guard;
use super::state::AppState;
use crate::domain::user::Permission;
use crate::server::services::{csv, reports};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Deserialize)]
struct Days {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// `GET /reports.csv?from=&to=`.
pub fn routes() -> axum::Router<AppState> {
    axum::Router::new().route("/reports.csv", get(rows))
}

async fn rows(
    State(state): State<AppState>,
    session: Session,
    Query(Days { from, to }): Query<Days>,
) -> Result<Response, Response> {
    let actor = guard::actor(&session, &state, Permission::Own).await.map_err(guard::refusal)?;
    let days = reports::days(&state.db, &actor, &from, &to, state.now()).await.map_err(guard::refusal)?;
    let name = match (days.first(), days.last()) {
        (Some(first), Some(last)) => format!("report-{first}-{last}.csv"),
        _ => "report.csv".to_owned(),
    };
    let head =
        ["day", "mailing", "title", "attempts", "sent", "deferred", "failed", "unknown", "returned", "complained"];
    let (db, owner) = (state.db.clone(), actor.id);
    Ok(stream(&name, &head, 0_i64, move |at| {
        let day = usize::try_from(at).ok().and_then(|at| days.get(at)).copied();
        let db = db.clone();
        async move {
            let Some(day) = day else { return Ok((None, Vec::new())) };
            let (day, mailings) = reports::day_of(&db, owner, day).await?;
            let records = mailings.into_iter().map(|(id, title, tally)| {
                let tried = [id, tally.attempts(), tally.sent, tally.deferred, tally.failed, tally.unknown];
                let figures = tried.into_iter().chain([tally.returned, tally.complained]);
                let mut figures = figures.map(|n| n.to_string());
                let id = figures.next().unwrap_or_default();
                [day.to_string(), id, title].into_iter().chain(figures).collect()
            });
            Ok((Some(at + 1), csv::lines(records)?))
        }
    }))
}
