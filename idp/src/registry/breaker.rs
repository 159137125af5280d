//! Breaker: when a register that fails is left alone. Pure: the present is an argument.
//!
//! Closed, it lets every question through. After so many failures in a row it opens; while it is open nothing is asked and
//! the caller is told at once. Then one question is let through, whose outcome closes it or opens it again.

use crate::domain::{Moment, Span};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Moment>,
}

/// The bounds of a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) failures: u32,
    pub(super) pause: Span,
}

impl Breaker {
    /// Whether a question may be asked now. The one that tries an open breaker keeps others away for a pause.
    pub(super) fn admit(&mut self, bounds: Bounds, now: Moment) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(now + bounds.pause);
                true
            }
        }
    }

    pub(super) fn succeed(&mut self) {
        *self = Breaker::default();
    }

    pub(super) fn fail(&mut self, bounds: Bounds, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= bounds.failures {
            self.open_until = Some(now + bounds.pause);
        }
    }

    pub(super) fn is_open(&self, now: Moment) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { failures: 3, pause: Span::seconds(10) };

    #[test]
    fn opens_after_failures_in_a_row_and_lets_one_try() {
        let t = Moment::from_unix;
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            assert!(breaker.admit(BOUNDS, t(0)));
            breaker.fail(BOUNDS, t(0));
        }
        assert!(breaker.admit(BOUNDS, t(1)));
        breaker.succeed();
        for _ in 0..3 {
            assert!(breaker.admit(BOUNDS, t(2)));
            breaker.fail(BOUNDS, t(2));
        }
        assert!(breaker.is_open(t(11)) && !breaker.admit(BOUNDS, t(11)));
        // One tries; the others wait for what becomes of it.
        assert!(breaker.admit(BOUNDS, t(12)));
        assert!(!breaker.admit(BOUNDS, t(12)));
        breaker.fail(BOUNDS, t(12));
        assert!(!breaker.admit(BOUNDS, t(21)));
        assert!(breaker.admit(BOUNDS, t(22)));
        breaker.succeed();
        assert!(breaker.admit(BOUNDS, t(22)) && !breaker.is_open(t(22)));
    }

    proptest! {
        #[test]
        fn asks_at_most_the_bound_and_one_a_pause_of_a_register_that_is_down(steps in prop::collection::vec(0_i64..5, 1..200)) {
            let mut breaker = Breaker::default();
            let (mut now, mut asked) = (Moment::from_unix(0), 0_i64);
            for passed in steps {
                now = now + Span::seconds(passed);
                if breaker.admit(BOUNDS, now) {
                    asked += 1;
                    breaker.fail(BOUNDS, now);
                }
            }
            prop_assert!(asked <= 3 + now.unix() / 10);
        }
    }
}
