//! Signing keys as the store keeps them: the private half sealed, the public half in the open.

use super::moment::Moment;
use super::relying_party::SigningAlg;
use super::secret::Sealed;

#[derive(Clone, Debug)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    pub alg: SigningAlg,
    pub private: Sealed,
    /// The public JWK, as text.
    pub public: String,
    pub published_at: Moment,
    /// Signs from here on: published long enough before that every client has seen it.
    pub use_from: Moment,
    pub retired_at: Option<Moment>,
}
