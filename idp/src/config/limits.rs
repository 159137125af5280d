//! Limits: how much of anything one caller may send or ask (`security.md` N-18, N-20, N-25, N-26).

use serde::{Deserialize, Serialize};

use super::{Invalid, Network};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of request line and headers together.
    pub header_bytes: usize,
    pub headers: usize,
    pub form_bytes: usize,
    pub json_bytes: usize,
    /// Parameters in one query or form.
    pub parameters: usize,
    /// Seconds until the headers, the body, the answer must be there.
    pub header_seconds: u64,
    pub body_seconds: u64,
    pub handler_seconds: u64,
    /// Sign-in attempts of one address in 60 seconds; over it the `busy` page, never a block.
    pub sign_ins_per_address: u64,
    /// Sign-in, OTP and session-less pages of one address in 300 seconds.
    pub pages_per_address: u64,
    /// OTP attempts and sends of one address in 300 seconds.
    pub otps_per_address: u64,
    /// Networks where many people share an address (CGNAT): their addresses get fifty times as much.
    pub shared_networks: Vec<Network>,
    /// How often one sign-in page may ask for news of its QR code, and one app may call, in 10 seconds; over it 429.
    pub app_calls_per_10_seconds: u64,
    /// OTP messages to one account in 10 seconds, in 15 minutes, and in a day.
    pub otp_sends_per_10_seconds: i64,
    pub otp_sends_per_quarter_hour: i64,
    pub otp_sends_per_day: i64,
    /// Standing sessions of one account; the oldest ends when one more opens.
    pub sessions_per_account: usize,
    /// Requests one client may push within one lifetime of a `request_uri`; over it 429 (RFC 9126 §2.3).
    pub pushed_requests_per_client: u64,
    /// Failed proofs of one client from one network in a minute; over it 503 there, for a minute.
    pub client_failures_per_network: u64,
    /// DPoP proofs one client may bring to the token endpoint in five minutes; over it 503.
    pub dpop_proofs_per_client: u64,
    /// Sign-ins and recoveries begun and not finished, of everybody together; over it `busy` (`security.md` RX-10).
    pub open_interactions: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 * 1024,
            headers: 100,
            form_bytes: 16 * 1024,
            json_bytes: 64 * 1024,
            parameters: 100,
            header_seconds: 5,
            body_seconds: 10,
            handler_seconds: 15,
            sign_ins_per_address: 20,
            pages_per_address: 300,
            otps_per_address: 25,
            shared_networks: Vec::new(),
            app_calls_per_10_seconds: 20,
            otp_sends_per_10_seconds: 2,
            otp_sends_per_quarter_hour: 3,
            otp_sends_per_day: 10,
            sessions_per_account: 50,
            pushed_requests_per_client: 9_000,
            client_failures_per_network: 100,
            dpop_proofs_per_client: 1_000_000,
            open_interactions: 2_000_000,
        }
    }
}

impl Limits {
    /// How many times the per-address limits an address gets.
    pub fn share(&self, address: std::net::IpAddr) -> u64 {
        if self.shared_networks.iter().any(|network| network.contains(address)) { 50 } else { 1 }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let rows = [
            ("header_bytes", self.header_bytes > 0),
            ("headers", self.headers > 0),
            ("form_bytes", self.form_bytes > 0),
            ("json_bytes", self.json_bytes > 0),
            ("parameters", self.parameters > 0),
            ("header_seconds", self.header_seconds > 0),
            ("body_seconds", self.body_seconds > 0),
            ("handler_seconds", self.handler_seconds > 0),
            ("sign_ins_per_address", self.sign_ins_per_address > 0),
            ("pages_per_address", self.pages_per_address > 0),
            ("otps_per_address", self.otps_per_address > 0),
            ("app_calls_per_10_seconds", self.app_calls_per_10_seconds > 0),
            ("otp_sends_per_10_seconds", self.otp_sends_per_10_seconds > 0),
            ("otp_sends_per_quarter_hour", self.otp_sends_per_quarter_hour > 0),
            ("otp_sends_per_day", self.otp_sends_per_day > 0),
            ("sessions_per_account", self.sessions_per_account > 0),
            ("pushed_requests_per_client", self.pushed_requests_per_client > 0),
            ("client_failures_per_network", self.client_failures_per_network > 0),
            ("dpop_proofs_per_client", self.dpop_proofs_per_client > 0),
            ("open_interactions", self.open_interactions > 0),
        ];
        match rows.iter().find(|(_, holds)| !holds) {
            Some((name, _)) => Err(Invalid::new(format!("limits.{name}"), "must be at least 1")),
            None => Ok(()),
        }
    }
}
