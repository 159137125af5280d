//! Signing keys as they are kept: the private half sealed, the public half as a JWK.

use super::moment::Moment;
use super::relying_party::SigningAlg;
use super::secret::Sealed;

/// One signing key. It is published before it is used, and known after it is retired (`contract.md` 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// RFC 7638 thumbprint of the public half.
    pub kid: String,
    pub alg: SigningAlg,
    /// PKCS#8, sealed to its `kid`.
    pub private: Sealed,
    /// JWK with `kid`, `use` and `alg`, as JSON text.
    pub public: String,
    pub published_at: Moment,
    pub use_from: Moment,
    /// From here on the key neither signs nor is published; it still checks an `id_token_hint`.
    pub retired_at: Option<Moment>,
}
