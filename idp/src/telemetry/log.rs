//! The log: one line per outcome, on stderr.

use std::io::{BufWriter, Result as Written, Stderr, Write};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, TelemetryConfig};
use crate::domain::Fault;

/// More lines waiting than this are lost.
const LINES: usize = 8192;

/// How long the log rests after it wrote. Lines gather meanwhile, so that a busy server wakes it two hundred times a second
/// and not for every request.
const REST: Duration = Duration::from_millis(5);

/// Where lines go, and the rest after each handful: the thread of the log flushes when nothing is left to write.
struct Unhurried(BufWriter<Stderr>);

impl Write for Unhurried {
    fn write(&mut self, bytes: &[u8]) -> Written<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Written<()> {
        let flushed = self.0.flush();
        thread::sleep(REST);
        flushed
    }
}

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
        .finish(Unhurried(BufWriter::with_capacity(32 * 1024, std::io::stderr())));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines);
    let begun = match config.format {
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => log.with_ansi(false).try_init(),
    };
    begun.map_err(|error| broken(error.to_string()))?;
    Ok(Log(guard))
}
