//! The log: one line per outcome, on stderr.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, TelemetryConfig};
use crate::domain::Fault;

/// Once per process.
pub fn init(config: &TelemetryConfig) -> Result<(), Fault> {
    let broken = |reason: String| Fault::broken("telemetry", reason);
    let filter = EnvFilter::try_new(&config.log).map_err(|error| broken(format!("telemetry.log: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match config.format {
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => log.with_ansi(false).try_init(),
    };
    begun.map_err(|error| broken(error.to_string()))
}
