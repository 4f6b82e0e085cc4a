//! Threads that make HTML of what people write, and nothing else.
//!
//! Limits (`mail::syntax`, `mail::bounded`) keep each piece of work below a second, which is still far too long for a thread
//! that answers requests. So few of these threads exist, few pieces wait for one, and whoever comes when no more may wait is told so
//! at once: pages that render nothing stay as quick as they are.

use super::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Pieces of work in hand or waiting.
const PLACES: usize = 32;
/// Stack of each thread in bytes, many times what the deepest template takes that is allowed.
const STACK: usize = 16 * 1024 * 1024;
/// How long somebody waits for an answer.
const DEADLINE: Duration = Duration::from_secs(10);

static PLACES_LEFT: Semaphore = Semaphore::const_new(PLACES);

/// Half of the cores, so that the others go on answering.
static RENDERERS: LazyLock<std::result::Result<ThreadPool, String>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(cores.div_ceil(2)).stack_size(STACK);
    let pool = pool.thread_name(|n| format!("renderer {n}"));
    // Whoever waits for the answer is told; without this the process would abort.
    let pool = pool.panic_handler(|_| tracing::error!("a text could not be rendered"));
    pool.build().map_err(|error| error.to_string())
});

/// Does the work on a thread for rendering.
///
/// # Errors
/// [`Error::Invalid`] for the form as a whole if too much waits already, or if it took too long; [`Error::Internal`] if it
/// panicked.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    apart_from(&PLACES_LEFT, work).await
}

async fn apart_from<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let busy = || Error::field("", "error.busy");
    let place = places.try_acquire().map_err(|_| busy())?;
    let pool = RENDERERS.as_ref().map_err(|error| Error::Internal(error.clone()))?;
    let (done, answer) = oneshot::channel();
    pool.spawn_fifo(move || {
        let _place = place;
        // Whoever has left meanwhile costs nothing more.
        if !done.is_closed() {
            let _ = done.send(work());
        }
    });
    let answer = tokio::time::timeout(DEADLINE, answer).await.map_err(|_| busy())?;
    answer.map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn whoever_finds_no_place_is_told_at_once() {
        static TWO: Semaphore = Semaphore::const_new(2);
        let [(go, wait), (go_too, wait_too)] = [mpsc::channel::<()>(), mpsc::channel::<()>()];
        let first = tokio::spawn(apart_from(&TWO, move || wait.recv().is_ok()));
        let second = tokio::spawn(apart_from(&TWO, move || wait_too.recv().is_ok()));
        while TWO.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let Err(Error::Invalid(errors)) = apart_from(&TWO, || true).await else { panic!() };
        assert_eq!((errors.0[0].field.as_str(), errors.0[0].key.as_str()), ("", "error.busy"));
        go.send(()).unwrap();
        go_too.send(()).unwrap();
        assert!(first.await.unwrap().unwrap() && second.await.unwrap().unwrap());
        let _both = TWO.acquire_many(2).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_costs_no_place() {
        static ONE: Semaphore = Semaphore::const_new(1);
        for _ in 0..3 {
            let panicked = apart_from(&ONE, || -> u8 { std::panic::resume_unwind(Box::new("on purpose")) }).await;
            assert!(matches!(panicked, Err(Error::Internal(_))));
            // Its place is given back while the thread unwinds.
            let _free = ONE.acquire().await.unwrap();
        }
        assert_eq!(apart_from(&ONE, || 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_done() {
        static ALL: Semaphore = Semaphore::const_new(100);
        let threads = RENDERERS.as_ref().unwrap().current_num_threads();
        let gates: Vec<_> = (0..threads).map(|_| mpsc::channel::<()>()).collect();
        let (open, gates): (Vec<_>, Vec<_>) = gates.into_iter().unzip();
        let held: Vec<_> =
            gates.into_iter().map(|gate| tokio::spawn(apart_from(&ALL, move || gate.recv().is_ok()))).collect();
        while ALL.available_permits() > 100 - threads {
            tokio::task::yield_now().await;
        }
        let (did, done) = mpsc::channel();
        let left = tokio::spawn(apart_from(&ALL, move || did.send(())));
        while ALL.available_permits() > 99 - threads {
            tokio::task::yield_now().await;
        }
        left.abort();
        let _ = left.await;
        open.iter().for_each(|gate| gate.send(()).unwrap());
        for held in held {
            held.await.unwrap().unwrap();
        }
        let _all = ALL.acquire_many(100).await.unwrap();
        assert!(done.recv().is_err(), "it was dropped undone");
    }
}
