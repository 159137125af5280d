//! Spent: the proofs that counted already. Kept here as long as they could count again, and lost with the process, for it
//! is one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use idp::domain::Moment;

/// How many are kept at once.
const ROOM: usize = 100_000;

#[derive(Default)]
pub struct Spent(Mutex<HashMap<String, Moment>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Counts,
    Again,
    /// Whether it counted before could not be remembered, so it does not count now.
    Full,
}

impl Spent {
    pub fn once(&self, (identifier, until): (String, Moment), now: Moment) -> Outcome {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains_key(&identifier) {
            return Outcome::Again;
        }
        if known.len() >= ROOM {
            known.retain(|_, until| *until >= now);
        }
        if known.len() >= ROOM {
            return Outcome::Full;
        }
        known.insert(identifier, until);
        Outcome::Counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dp_07_a_proof_counts_once_and_the_oldest_that_could_count_again_is_never_forgotten() {
        let (spent, at) = (Spent::default(), Moment::from_unix);
        let once = |name: &str, until, now| spent.once((name.to_owned(), at(until)), at(now));
        assert_eq!(once("first", 100, 50), Outcome::Counts);
        assert_eq!(once("first", 100, 50), Outcome::Again);
        for n in 1..ROOM {
            assert_eq!(once(&n.to_string(), 200, 50), Outcome::Counts);
        }
        assert_eq!((once("more", 200, 100), once("first", 100, 100)), (Outcome::Full, Outcome::Again));
        assert_eq!((once("more", 200, 101), once("1", 200, 101)), (Outcome::Counts, Outcome::Again));
    }
}
