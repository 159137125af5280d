//! DPoP: whether proofs need a nonce of ours.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DpopConfig {
    /// Every proof must hold a nonce we handed out (RFC 9449 §8). A nonce that is sent is checked in any case.
    pub require_nonce: bool,
}
