//! Clock: where the present comes from. Everything below `flow` takes a `Moment` instead.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::{Moment, Span};

pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;
}

/// The machine's UTC clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Moment {
        let seconds = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .unwrap_or(0);
        Moment::from_unix(seconds)
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
