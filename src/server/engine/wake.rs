//! Tells the engine's loop that there is something new to do.

use std::sync::Arc;
use tokio::sync::Notify;

/// A bell that anybody may ring; a ring while nobody listens is kept.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits for the next ring.
    pub async fn heard(&self) {
        self.0.notified().await;
    }
}
