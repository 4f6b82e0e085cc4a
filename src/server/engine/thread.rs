//! A thread of its own for what goes to the disk again and again: nobody else waits for its turn.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Handle};
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

/// Threads with a runtime each, for tasks that wake each other often: on one thread none of them has to be woken from
/// another, and what becomes ready together is done together. They end when this is dropped.
pub struct Lanes {
    lanes: Vec<(Handle, oneshot::Sender<()>)>,
    /// Stands in where the system gives no thread.
    home: Handle,
}

impl Lanes {
    /// Starts so many threads.
    pub fn start(name: &str, count: usize) -> Self {
        let lane = |_| {
            let (end, over) = oneshot::channel();
            let (give, take) = std::sync::mpsc::channel();
            let whole = move || match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => {
                    // Who takes it waits for it; and it ends with its sender.
                    let _ = give.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(over);
                }
                Err(error) => drop(give.send(Err(error))),
            };
            std::thread::Builder::new().name(name.to_owned()).spawn(whole)?;
            let handle = take.recv().unwrap_or_else(|gone| Err(std::io::Error::other(gone)))?;
            Ok((handle, end))
        };
        let lanes = (0..count).map(lane).collect::<std::io::Result<_>>().unwrap_or_else(|error| {
            tracing::warn!(thread = name, %error, "the system gives no thread; connections share one with others");
            Vec::new()
        });
        Self { lanes, home: Handle::current() }
    }

    /// Where the task of this number belongs.
    pub fn of(&self, number: usize) -> &Handle {
        let lane = number.checked_rem(self.lanes.len()).and_then(|lane| self.lanes.get(lane));
        lane.map_or(&self.home, |(handle, _)| handle)
    }

    /// The runtime on which they were started.
    pub fn home(&self) -> &Handle {
        &self.home
    }
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

    #[tokio::test]
    async fn lanes_are_threads_of_their_own_and_share_the_work() {
        let lanes = Lanes::start("lane", 2);
        let of = async |number| lanes.of(number).spawn(async { std::thread::current().id() }).await.unwrap();
        let (first, second) = (of(0).await, of(1).await);
        assert!(first != second && first != std::thread::current().id());
        assert_eq!((of(2).await, of(3).await), (first, second));
        let none = Lanes::start("lane", 0);
        assert_eq!(none.of(7).id(), lanes.home().id());
    }
}
