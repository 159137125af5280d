//! Factors: how much each way to sign in counts, where that is a matter of policy.

use serde::{Deserialize, Serialize};

/// What a passkey that is synced between devices counts for (`security.md` LG-29).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncedPasskeys {
    /// As much as one that cannot leave its device: it was unlocked by the holder all the same.
    #[default]
    #[serde(rename = "level-2")]
    Two,
    /// One factor only, as whoever reaches the account it is synced through has it too.
    #[serde(rename = "level-1")]
    One,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactorsConfig {
    pub synced_passkeys: SyncedPasskeys,
}
