//! Recovery: how long a password that was forgotten, or a phone that was changed, waits before it counts in full.

use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::domain::Span;

/// `security.md` LG-38: long enough to hear of it and stop it.
const COOLING_OFF: Span = Span::hours(24);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecoveryConfig {
    /// Between the proofs of a recovery by card and the new password, and until a changed phone is a second factor.
    pub cooling_off: Span,
    /// Lets `cooling_off` be shorter than a day, for a sandbox.
    pub danger_short_cooling_off: bool,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self { cooling_off: COOLING_OFF, danger_short_cooling_off: false }
    }
}

impl RecoveryConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let least = if self.danger_short_cooling_off { Span::seconds(1) } else { COOLING_OFF };
        if self.cooling_off < least || self.cooling_off > Span::days(30) {
            let reason = format!("must be {} to 2592000 seconds", least.as_seconds());
            return Err(Invalid::new("recovery.cooling_off", reason));
        }
        Ok(())
    }
}
