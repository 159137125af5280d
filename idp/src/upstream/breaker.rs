//! The breaker: after failures in a row a provider is left alone for a while, then asked once (`security.md` UP-17).
//! What it does not answer costs nobody five seconds again and again.

use crate::domain::{Moment, Span};

const FAILURES: u32 = 5;
const REST: Span = Span::seconds(30);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    /// Until when nobody asks.
    rests_until: Option<Moment>,
}

impl Breaker {
    /// Whether a request may go out now. At the end of a rest one may; the others wait for what became of it.
    pub fn admits(&mut self, now: Moment) -> bool {
        match self.rests_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.rests_until = Some(now + REST);
                true
            }
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_unix(seconds)
    }

    #[test]
    fn up_17_rests_after_failures_in_a_row_and_then_asks_once() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(at(0));
        }
        assert!(breaker.admits(at(0)));
        breaker.succeeded();
        for _ in 0..5 {
            assert!(breaker.admits(at(1)));
            breaker.failed(at(1));
        }
        assert!(!breaker.admits(at(30)));
        assert!(breaker.admits(at(31)), "one probe");
        assert!(!breaker.admits(at(31)), "and no second beside it");
        breaker.failed(at(33));
        assert!(!breaker.admits(at(62)) && breaker.admits(at(63)));
        breaker.succeeded();
        assert!(breaker.admits(at(63)) && breaker.admits(at(63)));
    }

    proptest! {
        /// However long it fails, no more than one request in each rest goes out once it rests.
        #[test]
        fn up_17_an_hour_of_failures_costs_few_requests(steps in proptest::collection::vec(0_i64..20, 1..400)) {
            let (mut breaker, mut now, mut asked) = (Breaker::default(), 0, 0_i64);
            for step in steps {
                now += step;
                if breaker.admits(at(now)) {
                    asked += 1;
                    breaker.failed(at(now));
                }
            }
            prop_assert!(asked <= i64::from(FAILURES) + now / REST.as_seconds() + 1);
        }
    }
}
