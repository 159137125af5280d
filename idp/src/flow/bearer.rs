//! Access tokens as they are presented to us, by opaque value or as a JWT.

use crate::domain::secret::{AccessToken, Stored};
use crate::idp::Idp;
use crate::protocol::access_token;

/// What the record of a presented token goes by. A JWT is found by its `jti`, once its signature is known to be ours; whether
/// it still holds is the record's to say, so that revocation and locks reach it like any other.
pub fn record(presented: &str, idp: &Idp) -> Stored<AccessToken> {
    // Opaque tokens have no dot (`contract.md` 8).
    let claims = presented.contains('.').then(|| idp.ring.verify_access(presented)).flatten();
    claims.as_ref().and_then(access_token::jti).map_or_else(|| Stored::of(presented), Stored::of_jwt)
}
