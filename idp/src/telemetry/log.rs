//! The log: one line per outcome, on stderr.

use std::io::BufWriter;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, TelemetryConfig};
use crate::domain::Fault;

/// More lines waiting than this are lost.
const LINES: usize = 8192;

/// The open log. What is still waiting is written when it is dropped.
#[must_use = "the log ends with it"]
pub struct Log(#[expect(dead_code, reason = "held for its drop")] WorkerGuard);

/// Once per process. Lines are written by a thread of their own, as many at a time as wait; when whoever reads stderr
/// stalls, lines are lost rather than citizens kept waiting.
pub fn init(config: &TelemetryConfig) -> Result<Log, Fault> {
    let broken = |reason: String| Fault::broken("telemetry", reason);
    let filter = EnvFilter::try_new(&config.log).map_err(|error| broken(format!("telemetry.log: {error}")))?;
    let (lines, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES)
        .thread_name("log")
        .finish(BufWriter::with_capacity(32 * 1024, std::io::stderr()));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines);
    let begun = match config.format {
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => log.with_ansi(false).try_init(),
    };
    begun.map_err(|error| broken(error.to_string()))?;
    Ok(Log(guard))
}
