//! Clock: where the present comes from. Everything below `flow` takes a `Moment` instead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::{Moment, Span};

pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;

    /// Unix milliseconds: to order events, never to decide anything.
    fn milliseconds(&self) -> u64 {
        u64::try_from(self.now().unix()).unwrap_or(0).saturating_mul(1000)
    }
}

/// Milliseconds that never repeat and never go back within one process, each with a count of twelve bits behind it:
/// what identifiers that sort by time are made of.
#[derive(Default)]
pub struct Ticks(Mutex<(u64, u16)>);

impl Ticks {
    pub fn next(&self, clock: &dyn Clock) -> (u64, u16) {
        let now = clock.milliseconds();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = match *last {
            (before, _) if before < now => (now, 0),
            // Within a millisecond, or when the clock was set back, the count goes on, and then the millisecond.
            (before, count) if count < 0x0fff => (before, count + 1),
            (before, _) => (before + 1, 0),
        };
        *last
    }
}

/// The machine's UTC clock.
pub struct SystemClock;

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn since_epoch() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::from_unix(i64::try_from(Self::since_epoch().as_secs()).unwrap_or(0))
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(Self::since_epoch().as_millis()).unwrap_or(0)
    }
}

/// A clock that stands until a test moves it.
pub struct FixedClock(AtomicI64);

impl FixedClock {
    pub fn at(moment: Moment) -> Self {
        Self(AtomicI64::new(moment.unix()))
    }

    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_seconds(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Moment {
        Moment::from_unix(self.0.load(Ordering::SeqCst))
    }
}
