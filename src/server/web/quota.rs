//! How much of something one user may hold at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts what each user holds. Clones share the count.
#[derive(Clone, Debug)]
pub struct Quota {
    max: usize,
    held: Arc<Mutex<HashMap<i64, usize>>>,
}

/// One that a user holds; given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    user: i64,
    held: Arc<Mutex<HashMap<i64, usize>>>,
}

impl Quota {
    pub fn new(max: usize) -> Self {
        Self { max, held: Arc::default() }
    }

    /// One more for the user, unless there are too many.
    pub fn take(&self, user: i64) -> Option<Slot> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&user).copied().unwrap_or_default();
        if count >= self.max {
            return None;
        }
        held.insert(user, count + 1);
        Some(Slot { user, held: Arc::clone(&self.held) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                held.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_so_many_and_gets_them_back() {
        let quota = Quota::new(2);
        let (first, _second) = (quota.take(1).unwrap(), quota.take(1).unwrap());
        assert!(quota.take(1).is_none());
        assert!(quota.take(2).is_some());
        drop(first);
        assert!(quota.take(1).is_some());
        assert_eq!(quota.held.lock().unwrap().len(), 1, "who holds nothing is forgotten");
    }
}
