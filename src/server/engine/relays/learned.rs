//! How many letters a relay takes on one connection. Some close with 421 after so many; a letter
//! that meets it must be started again, so the connection is closed before. Pure.

/// Connections that must end in peace at the learned number before it is tried with more.
const PEACEFUL: u32 = 10;
/// A number as large as this is as good as none.
const FORGOTTEN: u64 = 10_000;

/// What has been learned so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    most: Option<u64>,
    peaceful: u32,
}

impl Learned {
    /// After so many letters a connection is to be closed; none if nothing is known.
    pub fn most(&self) -> Option<u64> {
        self.most
    }

    /// The server closed a connection with 421 after it had taken so many letters.
    pub fn closed_after(&mut self, letters: u64) {
        if letters > 0 {
            *self = Self { most: Some(letters), peaceful: 0 };
        }
    }

    /// We closed a connection at the learned number. From time to time more is tried, since servers
    /// change, and a 421 of a restart taught too small a number.
    pub fn ended_in_peace(&mut self) {
        self.peaceful += 1;
        if let Some(most) = self.most
            && self.peaceful >= PEACEFUL
        {
            let more = most + (most / 4).max(1);
            *self = Self { most: (more < FORGOTTEN).then_some(more), peaceful: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_and_forgets_slowly() {
        let mut learned = Learned::default();
        assert_eq!(learned.most(), None);
        learned.closed_after(0);
        assert_eq!(learned.most(), None, "a server that took nothing teaches nothing");
        learned.closed_after(100);
        for _ in 1..PEACEFUL {
            learned.ended_in_peace();
            assert_eq!(learned.most(), Some(100));
        }
        learned.ended_in_peace();
        assert_eq!(learned.most(), Some(125), "more is tried");
        learned.closed_after(100);
        assert_eq!(learned.most(), Some(100), "and taken back at once");
        learned.closed_after(1);
        for _ in 0..PEACEFUL {
            learned.ended_in_peace();
        }
        assert_eq!(learned.most(), Some(2));
        for _ in 0..PEACEFUL * 100 {
            learned.ended_in_peace();
        }
        assert_eq!(learned.most(), None, "in the end it is forgotten");
    }
}
