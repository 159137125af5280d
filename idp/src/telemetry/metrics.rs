//! The figures at `/metrics`.

use std::time::Duration;

use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::domain::relying_party::GrantType;
use crate::domain::{Factor, Fault};

const ROOM: &str = "telemetry";

/// Seconds. The steps follow the targets of `security.md` N-15.
const STEPS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    sign_ins: IntCounterVec,
    tokens: IntCounterVec,
    logout_notices: IntCounterVec,
    traced: IntCounterVec,
    upstreams: IntCounterVec,
    password_waiting: IntGauge,
    password_running: IntGauge,
    pool: IntGaugeVec,
    registers: IntGaugeVec,
}

impl Metrics {
    pub fn new() -> Result<Metrics, Fault> {
        build().map_err(|error| Fault::broken(ROOM, error))
    }

    /// A request answered. Both names are literals of ours, so that no caller can make a series.
    pub fn request(&self, endpoint: &'static str, outcome: &'static str, took: Duration) {
        self.requests.with_label_values(&[endpoint, outcome]).inc();
        self.durations.with_label_values(&[endpoint]).observe(took.as_secs_f64());
    }

    /// A factor presented: `result` is `right`, `wrong`, `throttled` or a refusal's name.
    pub fn sign_in(&self, factor: Factor, result: &'static str) {
        self.sign_ins.with_label_values(&[factor.name(), result]).inc();
    }

    /// Tokens issued.
    pub fn token(&self, grant: GrantType) {
        let grant = match grant {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
        };
        self.tokens.with_label_values(&[grant]).inc();
    }

    /// A back-channel logout: `told`, `again`, or why it was given up.
    pub fn logout_notice(&self, outcome: &'static str) {
        self.logout_notices.with_label_values(&[outcome]).inc();
    }

    /// Refusals noted for the teams of their clients: `kept`, `counted` where the budget was spent, `unknown_client`, or
    /// `dropped` where there was no room or they could not be written.
    pub fn refusals_traced(&self, outcome: &'static str, count: u64) {
        if count > 0 {
            self.traced.with_label_values(&[outcome]).inc_by(count);
        }
    }

    /// A visit to another provider, under the short name of its configuration: how it ended.
    pub fn upstream(&self, name: &str, outcome: &'static str) {
        self.upstreams.with_label_values(&[name, outcome]).inc();
    }

    pub fn password_queue(&self, waiting: usize, running: usize) {
        self.password_waiting.set(whole(waiting));
        self.password_running.set(whole(running));
    }

    /// Connections to the store: `in_use`, `idle`, `queued` and the like.
    pub fn pool(&self, state: &'static str, connections: usize) {
        self.pool.with_label_values(&[state]).set(whole(connections));
    }

    /// A register of the state: questions answered, questions failed, and whether it is left alone.
    pub fn register(&self, name: &'static str, figures: [u64; 3]) {
        for (figure, value) in ["answered", "failed", "circuit_open"].into_iter().zip(figures) {
            self.registers.with_label_values(&[name, figure]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// How long ago a register's feed of events was read to its end.
    pub fn feed_age(&self, name: &'static str, seconds: i64) {
        self.registers.with_label_values(&[name, "feed_age_seconds"]).set(seconds);
    }

    /// The text exposition format.
    pub fn render(&self) -> Result<String, Fault> {
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        encoded.map_err(|error| Fault::broken(ROOM, error))?;
        String::from_utf8(text).map_err(|error| Fault::broken(ROOM, error))
    }
}

fn build() -> prometheus::Result<Metrics> {
    let metrics = Metrics {
        registry: Registry::new(),
        requests: IntCounterVec::new(Opts::new("idp_requests_total", "Requests answered"), &["endpoint", "outcome"])?,
        durations: HistogramVec::new(
            HistogramOpts::new("idp_request_seconds", "Time from request to answer").buckets(STEPS.to_vec()),
            &["endpoint"],
        )?,
        sign_ins: IntCounterVec::new(Opts::new("idp_sign_ins_total", "Factors presented"), &["factor", "result"])?,
        tokens: IntCounterVec::new(Opts::new("idp_tokens_total", "Token answers issued"), &["grant"])?,
        logout_notices: IntCounterVec::new(
            Opts::new("idp_logout_notices_total", "Back-channel logouts by outcome"),
            &["outcome"],
        )?,
        traced: IntCounterVec::new(
            Opts::new("idp_refusals_traced_total", "Refusals noted for the teams of their clients, by outcome"),
            &["outcome"],
        )?,
        upstreams: IntCounterVec::new(
            Opts::new("idp_upstream_total", "Sign-ins through other providers, by outcome"),
            &["upstream", "outcome"],
        )?,
        password_waiting: IntGauge::new("idp_password_hashes_waiting", "Password hashes waiting for a thread")?,
        password_running: IntGauge::new("idp_password_hashes_running", "Password hashes being computed")?,
        pool: IntGaugeVec::new(Opts::new("idp_store_connections", "Connections to the store"), &["state"])?,
        registers: IntGaugeVec::new(
            Opts::new("idp_registry", "Questions to each register since the start, and whether it is left alone"),
            &["register", "figure"],
        )?,
    };
    let registry = &metrics.registry;
    registry.register(Box::new(metrics.requests.clone()))?;
    registry.register(Box::new(metrics.durations.clone()))?;
    registry.register(Box::new(metrics.sign_ins.clone()))?;
    registry.register(Box::new(metrics.tokens.clone()))?;
    registry.register(Box::new(metrics.logout_notices.clone()))?;
    registry.register(Box::new(metrics.traced.clone()))?;
    registry.register(Box::new(metrics.upstreams.clone()))?;
    registry.register(Box::new(metrics.password_waiting.clone()))?;
    registry.register(Box::new(metrics.password_running.clone()))?;
    registry.register(Box::new(metrics.pool.clone()))?;
    registry.register(Box::new(metrics.registers.clone()))?;
    registry.register(Box::new(ProcessCollector::for_self()))?;
    Ok(metrics)
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_counted() {
        let metrics = Metrics::new().unwrap();
        metrics.request("token", "ok", Duration::from_millis(3));
        metrics.sign_in(Factor::SmsOtp, "wrong");
        metrics.token(GrantType::RefreshToken);
        metrics.logout_notice("told");
        metrics.refusals_traced("dropped", 2);
        metrics.refusals_traced("kept", 0);
        metrics.password_queue(2, 1);
        metrics.pool("idle", 7);
        metrics.register("tax-register", [3, 2, 1]);
        let text = metrics.render().unwrap();
        for line in [
            r#"idp_requests_total{endpoint="token",outcome="ok"} 1"#,
            r#"idp_request_seconds_bucket{endpoint="token",le="0.005"} 1"#,
            r#"idp_sign_ins_total{factor="sms_otp",result="wrong"} 1"#,
            r#"idp_tokens_total{grant="refresh_token"} 1"#,
            r#"idp_logout_notices_total{outcome="told"} 1"#,
            r#"idp_refusals_traced_total{outcome="dropped"} 2"#,
            "idp_password_hashes_waiting 2",
            "idp_password_hashes_running 1",
            r#"idp_store_connections{state="idle"} 7"#,
            r#"idp_registry{figure="circuit_open",register="tax-register"} 1"#,
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
