//! Where the short memory is.

use serde::{Deserialize, Serialize};

use super::Invalid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EphemeralConfig {
    /// `memory:`, `redis://…` or `rediss://…`.
    pub url: String,
}

impl Default for EphemeralConfig {
    fn default() -> Self {
        Self { url: "memory:".to_owned() }
    }
}

impl EphemeralConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let known = self.url == "memory:" || self.url.starts_with("redis://") || self.url.starts_with("rediss://");
        if known { Ok(()) } else { Err(Invalid::new("ephemeral.url", "must be memory:, redis://… or rediss://…")) }
    }
}
