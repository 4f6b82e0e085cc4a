//! Whether the service is alive and well: `/healthz`, `/readyz`, `/metrics`.

use super::loopback;
use super::state::AppState;
use crate::server::db::{facts, progress, returns};
use crate::server::engine::BEATS;
use crate::server::metrics::Page;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::TimeDelta;
use rustix::fs::statvfs;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes that must be free on a disk, so that the journal of a run, and what the database writes beside it, has room.
const LEAST_FREE: u64 = 16 << 20;
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub fn routes() -> Router<AppState> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready)).route("/metrics", get(measured))
}

/// An answer within the patience, or a sentence.
async fn patient<T, E: std::fmt::Display>(ask: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, ask).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer");
            Err("the database does not answer".to_owned())
        }
        Err(_) => Err("the database does not answer in time".to_owned()),
    }
}

async fn healthy(State(state): State<AppState>) -> Response {
    match patient(facts::get(&state.db, "boot")).await {
        Ok(_) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    }
}

/// Ready: the database answers and has this version's shape, and the engine lives and writes.
async fn ready(State(state): State<AppState>) -> Response {
    let mut reasons = Vec::new();
    match patient(state.db.is_current()).await {
        Ok(true) => {}
        Ok(false) => reasons.push("the database has not this version's shape".to_owned()),
        Err(why) => reasons.push(why),
    }
    let pulse = state.wake.pulse();
    if !pulse.running {
        reasons.push("the engine does not run".to_owned());
    }
    // One missed beat is a hiccup.
    let late = TimeDelta::from_std(state.config.running.takeover * 2 / BEATS).unwrap_or(TimeDelta::MAX);
    if pulse.beat.is_none_or(|beat| state.now() - beat > late) {
        reasons.push("the engine has written no sign of life to the database lately".to_owned());
    }
    if pulse.trouble.is_some() {
        reasons.push("the engine cannot work with the database; the log tells why".to_owned());
    }
    for task in state.supervisor.down() {
        reasons.push(format!("it does not work at the moment, and the log tells why: {task}"));
    }
    reasons.extend(no_room(&state, LEAST_FREE));
    if state.stop.is_cancelled() {
        reasons.push("the service is stopping".to_owned());
    }
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

/// The folders on whose disks less than this is free, in bytes.
fn no_room(state: &AppState, least: u64) -> Vec<String> {
    let database = state.db.file().and_then(|file| file.parent().map(Path::to_owned));
    let folders = std::iter::once(state.config.data_dir.clone()).chain(database);
    // Where nobody can say how much is free, what is written there tells.
    let full = |folder: &PathBuf| statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < least);
    folders.filter(full).map(|folder| format!("the disk is full: {}", folder.display())).collect()
}

async fn measured(State(state): State<AppState>, request: Request) -> Response {
    if !may_measure(&state, &request) {
        return (StatusCode::FORBIDDEN, "for this machine, or with VESTNIK_METRICS_TOKEN\n").into_response();
    }
    let states = match patient(progress::states(&state.db)).await {
        Ok(states) => states,
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    };
    let oldest = match patient(progress::oldest_due(&state.db, state.now())).await {
        Ok(oldest) => oldest.map_or(0, |due| (state.now() - due).num_seconds().max(0)),
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    };
    let mut page = Page::default();
    page.gauges("vestnik_deliveries", "Deliveries by state, of all processes", "state", states.by_state());
    page.gauge("vestnik_oldest_due_seconds", "Age of the oldest delivery that is due", oldest);
    let returned = match patient(returns::totals(&state.db)).await {
        Ok(counts) => [("returned", counts.returned), ("complained", counts.complained)],
        Err(why) => return (StatusCode::SERVICE_UNAVAILABLE, why + "\n").into_response(),
    };
    page.gauges("vestnik_returned", "Letters that came back or were complained of", "kind", returned);
    let breakers = state.relays.breakers();
    let breakers = breakers.iter().map(|(relay, open)| (relay.as_str(), i64::from(*open)));
    page.gauges("vestnik_breaker_open", "1 while a mail server rests after failures", "relay", breakers);
    let trouble = i64::from(state.wake.pulse().relay_trouble.is_some());
    page.gauge("vestnik_relay_trouble", "1 while no mail server can be used", trouble);
    count_caches(&state, &mut page);
    ([(CONTENT_TYPE, Page::MEDIA_TYPE)], page.finish()).into_response()
}

fn count_caches(state: &AppState, page: &mut Page) {
    let (pages, data) = (state.blog.pages.counts(), state.blog.kept.counts());
    let counted = |name: &'static str, counter: &AtomicU64| (name, counter.load(Ordering::Relaxed));
    let answers = [counted("hit", &pages.hits), counted("stale", &pages.stale), counted("miss", &pages.misses)];
    page.counters("vestnik_page_cache", "Pages for visitors, by where they came from", "result", answers);
    page.counter("vestnik_page_renders", "Pages rendered to be kept", pages.renders.load(Ordering::Relaxed));
    let bytes = i64::try_from(state.blog.pages.weight()).unwrap_or(i64::MAX);
    page.gauge("vestnik_page_cache_bytes", "Bytes of the pages that are kept", bytes);
    let answers = [counted("hit", &data.hits), counted("miss", &data.misses)];
    page.counters("vestnik_data_cache", "What public pages are made of: kept, or asked for", "result", answers);
}

/// Who is at this machine, or knows the token.
fn may_measure(state: &AppState, request: &Request) -> bool {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let (Some(token), Some(given)) = (&state.config.running.metrics_token, given)
        && let Some(given) = given.strip_prefix("Bearer ")
    {
        // Hashes are compared, so that the time it takes tells nothing of the token.
        return Sha256::digest(given.trim()) == Sha256::digest(token.expose_secret());
    }
    loopback::asks(state, request.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::db::testing;
    use crate::server::web::testing::Served;

    #[tokio::test]
    async fn a_full_disk_is_no_readiness() {
        let (db, _folder) = testing::sqlite().await;
        let app = Served::start(db).await;
        assert_eq!(no_room(&app.state, 0), Vec::<String>::new());
        // That of the data, and that of the database.
        let full = no_room(&app.state, u64::MAX);
        assert!(full.len() == 2 && full[0].contains(&app.folder().display().to_string()), "{full:?}");
    }
}
