//! Telemetry: figures and log lines for operators.
//!
//! Owns: the names of metrics, the form of the log, and the measuring of durations. Labels come from fixed sets,
//! never from a caller; nothing here holds personal data. Must not know: what a journey does, or who asked.

pub mod log;
mod metrics;

use std::time::{Duration, Instant};

pub use metrics::Metrics;

/// Measures how long something took. It decides nothing.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one place that measures durations")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
