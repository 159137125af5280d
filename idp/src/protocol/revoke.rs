//! Token revocation (RFC 7009): what is revoked for whom.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::domain::grant::Grant;

use super::error::{Error, ErrorCode};
use super::introspect::Kind;
use super::params::Params;
use super::token::Authenticated;

/// The token to revoke. An unknown `token_type_hint` is ignored (RFC 7009 §2.2). An ID token is `unsupported_token_type`
/// (§2.2.1): it states what happened and cannot be taken back.
pub fn token(params: &Params) -> Result<&str, Error> {
    params.one("token_type_hint")?;
    let token = params.one("token")?.ok_or_else(|| Error::invalid_request("RFC 7009 §2.1", "token is missing"))?;
    if is_no_access_token(token) {
        let told = "token is a JWT, and only access and refresh tokens can be revoked";
        return Err(Error::new(ErrorCode::UnsupportedTokenType, "RFC 7009 §2.2.1", told));
    }
    Ok(token)
}

/// Three parts, the first an object that names an algorithm. Of our JWTs only an access token can be revoked (RFC 9068).
fn is_no_access_token(token: &str) -> bool {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let header = URL_SAFE_NO_PAD.decode(header).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    header.is_some_and(|header| {
        header.get("alg").is_some_and(Value::is_string) && header.get("typ").is_none_or(|typ| typ != "at+jwt")
    })
}

/// What falls with a token that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Falls {
    /// This access token; the refresh token beside it stays (RFC 7009 §2.1).
    Token,
    /// The whole grant with every token of it.
    Grant,
}

/// What to revoke of a token found in the store. Another client's is refused and lives on: `invalid_grant` (RFC 7009
/// §2.1). A token that is not found is answered like one that was revoked (§2.2).
pub fn decide(caller: &Authenticated, grant: &Grant, kind: Kind) -> Result<Falls, Error> {
    if caller.client().id != grant.client {
        return Err(Error::invalid_grant("RFC 7009 §2.1", "the token was issued to another client"));
    }
    Ok(match kind {
        Kind::Access => Falls::Token,
        Kind::Refresh => Falls::Grant,
    })
}
