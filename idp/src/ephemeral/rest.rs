//! Whether a Redis that fell silent is asked again: while it is gone, one caller now and then finds out, and nobody else
//! waits for what will not come.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One slow answer means little; so many in a row mean that it is gone.
const ENOUGH: u32 = 3;

/// Milliseconds until somebody tries again.
const REST: u64 = 1_000;

#[derive(Default)]
pub struct Rest {
    /// Failures since the last answer.
    failures: AtomicU32,
    /// When it may be tried again, in milliseconds as the caller counts them.
    until: AtomicU64,
}

impl Rest {
    /// Whether to ask at this moment. Of those who come when the rest is over, one is told yes.
    pub fn may_ask(&self, now: u64) -> bool {
        if self.failures.load(Ordering::Relaxed) < ENOUGH {
            return true;
        }
        let until = self.until.load(Ordering::Relaxed);
        let first = || self.until.compare_exchange(until, now + REST, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        now >= until && first()
    }

    /// What came of asking.
    pub fn told(&self, answered: bool, now: u64) {
        if answered {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1) == ENOUGH {
            self.until.store(now + REST, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_after_three_failures_in_a_row_one_a_second_asks_until_it_answers() {
        let rest = Rest::default();
        for (answered, now) in [(false, 0), (false, 1), (true, 2), (false, 3), (false, 4)] {
            assert!(rest.may_ask(now), "{now}");
            rest.told(answered, now);
        }
        assert!(rest.may_ask(5), "an answer in between began the count anew");
        rest.told(false, 5);
        assert!(!rest.may_ask(6) && !rest.may_ask(1_004));
        assert!(rest.may_ask(1_005));
        assert!(!rest.may_ask(1_005) && !rest.may_ask(2_004), "somebody else is finding out");
        rest.told(false, 1_205);
        assert!(rest.may_ask(2_005));
        rest.told(true, 2_006);
        for now in 2_006..2_010 {
            assert!(rest.may_ask(now));
        }
    }
}
