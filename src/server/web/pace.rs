//! How many requests one address may make that do something: forms, server functions, files in and out.
//! Log-ins and letters have rules of their own (`services::throttle`); this one keeps a single address from
//! taking the whole service.

use super::peer;
use super::state::AppState;
use crate::api::error::AppError;
use crate::server::services::Error;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests a second of one address, and how many may come at once: many people may sit behind it.
const SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(2_000).unwrap();
/// Requests between two times that quiet addresses are forgotten.
const FORGET_EVERY: usize = 10_000;

/// Counts requests by address. Clones share the count.
#[derive(Clone)]
pub struct Pace {
    limiter: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(SECOND, BURST)
    }
}

impl Pace {
    pub fn new(second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(second).allow_burst(burst);
        Self { limiter: Arc::new(DefaultKeyedRateLimiter::keyed(quota)), asked: Arc::default() }
    }

    /// Whether this address may ask once more. IPv6 counts by /64, which is what one household gets.
    fn allows(&self, peer: IpAddr) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let network = match peer.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            address => address,
        };
        self.limiter.check_key(&network).is_ok()
    }
}

/// Refuses what comes too fast. Pages are looked at freely.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if looks || state.pace.allows(peer::of(&state, request.extensions(), request.headers())) {
        return next.run(request).await;
    }
    // As a server function says it, so that a page says it in its reader's language.
    (StatusCode::TOO_MANY_REQUESTS, Json(AppError::from(Error::RateLimited))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_household() {
        let pace = Pace::new(NonZeroU32::MIN, NonZeroU32::new(2).unwrap());
        let asks = |peer: &str| pace.allows(peer.parse().unwrap());
        assert!(asks("192.0.2.1") && asks("::ffff:192.0.2.1") && !asks("192.0.2.1"));
        assert!(asks("192.0.2.2"));
        assert!(asks("2001:db8:1:2::1") && asks("2001:db8:1:2:ffff::1") && !asks("2001:db8:1:2::3"));
        assert!(asks("2001:db8:1:3::1"));
    }
}
