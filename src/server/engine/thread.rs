//! A thread of its own for what goes to the disk again and again: nobody else waits for its turn.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Runs a future to its end on a thread and a runtime of its own; where the system gives none, on this
/// runtime. What comes back resolves when it is over, however it ended.
pub fn apart<F>(name: &str, future: F) -> oneshot::Receiver<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (done, over) = oneshot::channel();
    let whole = async move {
        future.await;
        // Nobody may be waiting.
        let _ = done.send(());
    };
    let slot = Arc::new(Mutex::new(Some(whole)));
    let take = |slot: &Mutex<Option<_>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let slot = slot.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(whole) = take(&slot) {
                runtime.block_on(whole);
            }
        })
    });
    if let Err(error) = started
        && let Some(whole) = take(&slot)
    {
        tracing::warn!(thread = name, %error, "the system gives no thread; others wait while it is on the disk");
        tokio::spawn(whole);
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runs_elsewhere_and_tells_when_it_is_over() {
        let here = std::thread::current().id();
        let (sender, receiver) = oneshot::channel();
        let over = apart("elsewhere", async move {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let _ = sender.send(std::thread::current().id());
        });
        assert_ne!(receiver.await.unwrap(), here);
        over.await.unwrap();
    }
}
