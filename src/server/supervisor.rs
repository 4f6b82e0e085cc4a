//! Tasks that must not end before the service does. One that ends, by a panic too, is started anew, and the service is
//! not ready meanwhile; one that ends again and again takes the whole process along, in order and with a sentence.

use super::failpoint;
use futures::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often a task is started anew within [`WITHIN`].
const RESTARTS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60 * 60);
/// Before a task is started anew: what is wrong with it may be over by then.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches over tasks. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    stop: CancellationToken,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When tasks of this name ended that should not have.
    ends: HashMap<&'static str, Vec<Instant>>,
    /// How many of each name do not work.
    down: BTreeMap<&'static str, usize>,
    given_up: Option<String>,
}

impl Supervisor {
    /// `stop` is cancelled when a task is given up; once it is cancelled, tasks may end.
    pub fn new(stop: CancellationToken) -> Self {
        Self(Arc::new(Inner { stop, pause: PAUSE, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a task until the service stops, making it anew whenever it ends before. Whatever the task needs beyond its
    /// end is not its own.
    pub async fn keep<F>(&self, name: &'static str, mut make: impl FnMut() -> F)
    where
        F: Future<Output = ()>,
    {
        loop {
            let run = async {
                failpoint::panic(name);
                make().await;
            };
            // What a panic left half done is made anew, or is as it would be after an error.
            let _ = AssertUnwindSafe(run).catch_unwind().await;
            if self.0.stop.is_cancelled() || !self.ended(name).await {
                return;
            }
        }
    }

    /// [`keep`](Self::keep) as a task of its own.
    pub fn spawn<F>(&self, name: &'static str, mut make: impl FnMut() -> F + Send + 'static) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let supervisor = self.clone();
        tokio::spawn(async move { supervisor.keep(name, &mut make).await })
    }

    /// Notes that a task has ended that should not have. True, after a pause, if it is to be started anew; false if
    /// it is given up, and the process is about to stop.
    pub async fn ended(&self, name: &'static str) -> bool {
        let now = Instant::now();
        let ends = {
            let mut state = self.state();
            let ends = state.ends.entry(name).or_default();
            ends.retain(|end| now - *end < WITHIN);
            ends.push(now);
            ends.len()
        };
        if ends > RESTARTS {
            self.give_up(format!("{name} ended unexpectedly {ends} times within an hour; the log tells why"));
            return false;
        }
        tracing::error!(task = name, "a task ended unexpectedly; it is started anew");
        let _down = self.mark_down(name);
        tokio::time::sleep(self.0.pause).await;
        true
    }

    /// Says that something of this name does not work, for as long as what is given back lives.
    pub fn mark_down(&self, name: &'static str) -> Down {
        *self.state().down.entry(name).or_default() += 1;
        Down { supervisor: self.clone(), name }
    }

    /// Has the process stop for good, with a sentence that says why.
    pub fn give_up(&self, why: String) {
        tracing::error!("{why}; the process stops");
        self.state().given_up.get_or_insert(why);
        self.0.stop.cancel();
    }

    /// What does not work at the moment: tasks that are about to be started anew, and what is [marked](Self::mark_down).
    pub fn down(&self) -> Vec<&'static str> {
        self.state().down.keys().copied().collect()
    }

    /// Why the process had to stop, if it had to.
    pub fn given_up(&self) -> Option<String> {
        self.state().given_up.clone()
    }
}

/// Something of this name is down for as long as this lives.
pub struct Down {
    supervisor: Supervisor,
    name: &'static str,
}

impl Drop for Down {
    fn drop(&mut self) {
        let mut state = self.supervisor.state();
        if let Some(count) = state.down.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                state.down.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    fn supervisor(pause: Duration) -> Supervisor {
        Supervisor(Arc::new(Inner { stop: CancellationToken::new(), pause, state: Mutex::default() }))
    }

    #[tokio::test]
    async fn what_ends_is_started_anew_three_times_and_then_ends_the_process() {
        let supervisor = supervisor(Duration::ZERO);
        let started = AtomicUsize::new(0);
        supervisor
            .keep("a task of the test", || async {
                // By a panic and without one.
                assert!(started.fetch_add(1, Ordering::Relaxed).is_multiple_of(2), "the test's panic");
            })
            .await;
        assert_eq!(started.into_inner(), 1 + RESTARTS);
        assert!(supervisor.0.stop.is_cancelled() && supervisor.down().is_empty());
        assert!(supervisor.given_up().unwrap().starts_with("a task of the test ended unexpectedly 4 times"));
    }

    #[tokio::test]
    async fn it_is_down_until_it_is_started_anew() {
        let supervisor = supervisor(Duration::from_secs(3600));
        let task = supervisor.spawn("a task of the test", || async { panic!("the test's panic") });
        while supervisor.down() != ["a task of the test"] {
            tokio::task::yield_now().await;
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(supervisor.down().is_empty() && supervisor.given_up().is_none());
    }

    #[tokio::test]
    async fn tasks_may_end_once_the_service_stops() {
        let supervisor = supervisor(Duration::ZERO);
        let go = Arc::new(Semaphore::new(0));
        let waits = go.clone();
        let task = supervisor.spawn("a task of the test", move || {
            let waits = waits.clone();
            async move { drop(waits.acquire().await) }
        });
        supervisor.0.stop.cancel();
        go.add_permits(1);
        task.await.unwrap();
        assert!(supervisor.given_up().is_none());
    }
}
