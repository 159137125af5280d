//! Scope values (RFC 6749 §3.3): which are known, which are registered, and what a request is granted of them.

use serde::Serializer;

use crate::domain::Client;
use crate::domain::claim::{CATALOGUE, PLAIN_SCOPES};
use crate::domain::relying_party::GrantType;

use super::error::{Error, ErrorCode};

pub const OPENID: &str = "openid";
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The scope on which userinfo states both levels (`contract.md` 4).
pub const EID_STATUS: &str = "vn_eid_status";

/// The values of a space-delimited list, empty ones dropped.
pub fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|value| !value.is_empty())
}

/// The same list as an answer or a token says it.
pub fn spaced<S: Serializer>(values: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [one] => serializer.serialize_str(one),
        several => serializer.serialize_str(&several.join(" ")),
    }
}

/// Whether a scope is one of ours: `openid`, `offline_access`, or one that carries claims.
pub fn is_catalogued(scope: &str) -> bool {
    PLAIN_SCOPES.contains(&scope) || CATALOGUE.iter().any(|entry| entry.scope == scope)
}

/// RFC 6749 §3.3: `1*( %x21 / %x23-5B / %x5D-7E )`.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// What an authorization request is granted of the `scope` it sent: registered values in the order asked, without
/// repeats. Unknown values are ignored; a known one that is not registered, or none left, is `invalid_scope`
/// (`contract.md` 4).
pub fn granted(asked: &str, client: &Client) -> Result<Vec<String>, Error> {
    let refused = |told: &str| Error::new(ErrorCode::InvalidScope, "RFC 6749 §3.3", told);
    let mut granted: Vec<String> = Vec::new();
    for scope in values(asked) {
        if client.has_scope(scope) {
            if granted.iter().any(|known| known == scope) {
                continue;
            }
            // OIDC Core §11: offline access is ignored where no refresh token could be issued.
            if scope != OFFLINE_ACCESS || client.may_use(GrantType::RefreshToken) {
                granted.push(scope.to_owned());
            }
        } else if is_catalogued(scope) {
            return Err(refused(&format!("scope {scope} is not registered for this client")));
        }
    }
    if granted.is_empty() { Err(refused("scope names nothing this client may ask for")) } else { Ok(granted) }
}
