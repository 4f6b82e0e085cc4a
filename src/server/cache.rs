//! Answers of the database that are kept in memory: so many of a kind, for so long, and until what they tell
//! of changes. Of all who want the same one at once, one asks.

use cached::{Cached, LruCache};
use chrono::{DateTime, Utc};
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// When somebody wants an answer: the instant, and the generation of what it tells of.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: DateTime<Utc>,
    pub generation: u64,
}

/// How long an answer holds.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// Then it is to be asked again; who comes meanwhile still gets the old one.
    pub fresh: DateTime<Utc>,
    /// Then it is wrong.
    pub ends: Option<DateTime<Utc>>,
}

/// What has been asked of an [`Answers`] since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub hits: AtomicU64,
    pub misses: AtomicU64,
}

/// Kept answers to one kind of question.
pub struct Answers<K, V> {
    slots: Mutex<LruCache<K, Arc<Slot<V>>>>,
    counts: Arc<Counts>,
}

struct Slot<V> {
    kept: RwLock<Option<Kept<V>>>,
    /// Held by the one who asks.
    turn: tokio::sync::Mutex<()>,
    failures: AtomicU64,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    at: Moment,
    life: Life,
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        Self { kept: RwLock::default(), turn: tokio::sync::Mutex::default(), failures: AtomicU64::default() }
    }
}

impl<V: Clone> Slot<V> {
    /// What is kept and not wrong, and whether it is fresh.
    fn look(&self, at: Moment) -> Option<(V, bool)> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| kept.at.generation == at.generation)?;
        let holds = kept.life.ends.is_none_or(|end| at.now < end);
        // A clock that was set back must not make it live longer.
        holds.then(|| (kept.value.clone(), kept.at.now <= at.now && at.now < kept.life.fresh))
    }

    fn keep(&self, value: V, at: Moment, life: Life) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Kept { value, at, life });
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Answers<K, V> {
    /// Keeps so many answers, and counts in `counts`.
    pub fn new(most: usize, counts: Arc<Counts>) -> Self {
        Self { slots: Mutex::new(LruCache::new(most)), counts }
    }

    /// The answer that is kept, or what `ask` says. When `ask` fails, what is kept and not wrong stands.
    ///
    /// # Errors
    /// Those of `ask`.
    pub async fn get<E: std::fmt::Display>(
        &self,
        key: K,
        at: Moment,
        ask: impl AsyncFnOnce() -> Result<(V, Life), E>,
    ) -> Result<V, E> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.cache_get_or_set_with(key, Arc::default))
        };
        let failures = slot.failures.load(Ordering::Relaxed);
        let (old, turn) = match slot.look(at) {
            Some((value, true)) => return Ok(self.hit(value)),
            Some((value, false)) => match slot.turn.try_lock() {
                Ok(turn) => (Some(value), Some(turn)),
                Err(_) => return Ok(self.hit(value)),
            },
            None => (None, Some(slot.turn.lock().await)),
        };
        // Somebody else may have asked meanwhile.
        if let Some((value, true)) = slot.look(at) {
            return Ok(self.hit(value));
        }
        // Where that failed, all who have waited ask by themselves, rather than one after the other.
        let _turn = turn.filter(|_| slot.failures.load(Ordering::Relaxed) == failures);
        self.counts.misses.fetch_add(1, Ordering::Relaxed);
        match (ask().await, old) {
            (Ok((value, life)), _) => {
                slot.keep(value.clone(), at, life);
                Ok(value)
            }
            (Err(error), old) => {
                slot.failures.fetch_add(1, Ordering::Relaxed);
                let Some(old) = old else { return Err(error) };
                tracing::warn!(%error, "what is kept stands, for it could not be asked again");
                Ok(old)
            }
        }
    }

    fn hit(&self, value: V) -> V {
        self.counts.hits.fetch_add(1, Ordering::Relaxed);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::sync::atomic::AtomicUsize;

    fn at(seconds: i64, generation: u64) -> Moment {
        Moment { now: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds), generation }
    }

    fn life(fresh: i64, ends: Option<i64>) -> Life {
        Life { fresh: at(fresh, 0).now, ends: ends.map(|ends| at(ends, 0).now) }
    }

    fn answers(most: usize) -> Answers<u8, i32> {
        Answers::new(most, Arc::default())
    }

    async fn ask(
        answers: &Answers<u8, i32>,
        key: u8,
        at: Moment,
        says: Result<i32, &'static str>,
    ) -> Result<i32, &'static str> {
        answers.get(key, at, async || says.map(|value| (value, life(10, Some(20))))).await
    }

    #[tokio::test]
    async fn an_answer_stands_until_its_time_or_a_change() {
        let kept = answers(2);
        assert_eq!(ask(&kept, 1, at(0, 0), Ok(1)).await, Ok(1));
        assert_eq!(ask(&kept, 1, at(9, 0), Ok(2)).await, Ok(1), "it is fresh");
        assert_eq!(ask(&kept, 1, at(9, 1), Ok(3)).await, Ok(3), "what it tells of has changed");
        assert_eq!(ask(&kept, 1, at(10, 1), Ok(4)).await, Ok(4), "its time is over");
        assert_eq!(ask(&kept, 1, at(10, 1), Err("away")).await, Ok(4), "an old one is better than none");
        assert_eq!(ask(&kept, 1, at(20, 1), Err("away")).await, Err("away"), "a wrong one is not");
        assert_eq!(ask(&kept, 1, at(10, 2), Err("away")).await, Err("away"), "nor is one of before a change");
        let counts = &kept.counts;
        assert_eq!((counts.hits.load(Ordering::Relaxed), counts.misses.load(Ordering::Relaxed)), (1, 6));
    }

    #[tokio::test]
    async fn so_many_are_kept() {
        let kept = answers(2);
        for key in [1, 2, 3] {
            assert_eq!(ask(&kept, key, at(0, 0), Ok(1)).await, Ok(1));
        }
        assert_eq!(ask(&kept, 3, at(0, 0), Ok(2)).await, Ok(1));
        assert_eq!(ask(&kept, 1, at(0, 0), Ok(2)).await, Ok(2), "the one that was used least recently has gone");
    }

    #[tokio::test]
    async fn one_asks_for_all() {
        let kept = Arc::new(answers(2));
        let (asked, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
        let all: Vec<_> = (0..100)
            .map(|_| {
                let (kept, asked, go) = (kept.clone(), asked.clone(), go.clone());
                tokio::spawn(async move {
                    let answer = kept.get(1, at(0, 0), async || {
                        asked.fetch_add(1, Ordering::Relaxed);
                        go.acquire().await.unwrap().forget();
                        Ok::<_, &str>((7, life(10, None)))
                    });
                    answer.await.unwrap()
                })
            })
            .collect();
        while asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        go.add_permits(100);
        for one in all {
            assert_eq!(one.await.unwrap(), 7);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn while_one_asks_again_all_others_get_the_old_one() {
        let kept = answers(2);
        ask(&kept, 1, at(0, 0), Ok(1)).await.unwrap();
        let slow = kept.get(1, at(11, 0), async || {
            assert_eq!(ask(&kept, 1, at(11, 0), Ok(3)).await, Ok(1));
            Ok::<_, &str>((2, life(30, None)))
        });
        assert_eq!(slow.await, Ok(2));
    }
}
