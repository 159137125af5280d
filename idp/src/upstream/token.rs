//! What must be true of the claims in a provider's tokens, once their signature was checked. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Failure, Identified};
use crate::domain::{Moment, Span};

/// How far the provider's clock may be from ours.
const SKEW: Span = Span::seconds(60);
/// An ID token is redeemed at once; an old one was kept by somebody.
const OLDEST: Span = Span::minutes(10);
/// Back-Channel Logout §2.4: such a token is short-lived.
const OLDEST_LOGOUT: Span = Span::minutes(5);
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// OIDC Core §2: a subject is no longer than this.
const LONGEST_SUB: usize = 255;

/// What an ID token must be about.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub begun_at: Moment,
    pub now: Moment,
}

/// OIDC Core §3.1.3.7, steps 2 to 5 and 9 to 13.
pub(super) fn id_token(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<Identified, Failure> {
    addressed(claims, expected.issuer, expected.client_id)?;
    let now = expected.now;
    if moment(claims, "exp").is_none_or(|expires| now >= expires + SKEW) {
        return Err(Failure::Untrusted("exp"));
    }
    if moment(claims, "iat").is_none_or(|issued| issued > now + SKEW || now.since(issued) > OLDEST) {
        return Err(Failure::Untrusted("iat"));
    }
    if claims.contains_key("nbf") && moment(claims, "nbf").is_none_or(|from| from > now + SKEW) {
        return Err(Failure::Untrusted("nbf"));
    }
    if text(claims, "nonce") != Some(expected.nonce) {
        return Err(Failure::Untrusted("nonce"));
    }
    // OIDC Core §3.1.2.1: we asked for a fresh sign-in, and an older one says that we were not heard.
    if claims.contains_key("auth_time") && moment(claims, "auth_time").is_none_or(|at| at + SKEW < expected.begun_at) {
        return Err(Failure::Untrusted("auth_time"));
    }
    let sub = subject(claims).ok_or(Failure::Untrusted("sub"))?;
    Ok(Identified {
        sub: sub.to_owned(),
        sid: text(claims, "sid").filter(|sid| sid.len() <= LONGEST_SUB).map(str::to_owned),
        acr: text(claims, "acr").map(str::to_owned),
    })
}

/// OIDC Core §3.1.3.6: binds the access token to the ID token, where it is stated.
pub(super) fn access_token(claims: &Map<String, Value>, alg: &str, access_token: &str) -> Result<(), Failure> {
    let Some(stated) = claims.get("at_hash") else { return Ok(()) };
    let digest = match alg.get(2..) {
        Some("256") => Sha256::digest(access_token).to_vec(),
        Some("384") => Sha384::digest(access_token).to_vec(),
        _ => Sha512::digest(access_token).to_vec(),
    };
    let half = digest.get(..digest.len() / 2).unwrap_or_default();
    if stated.as_str() == Some(&URL_SAFE_NO_PAD.encode(half)) { Ok(()) } else { Err(Failure::Untrusted("at_hash")) }
}

/// OIDC Core §5.3.2: userinfo about somebody else is another account's.
pub(super) fn userinfo(claims: &Map<String, Value>, sub: &str) -> Result<(), Failure> {
    if subject(claims) == Some(sub) { Ok(()) } else { Err(Failure::Untrusted("userinfo sub")) }
}

/// Whose session ended there: the one named by `sid`, or every one of `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    pub sub: Option<String>,
    pub sid: Option<String>,
    /// Counts once.
    pub jti: String,
    pub expires_at: Moment,
}

/// Back-Channel Logout 1.0 §2.6.
pub(super) fn logout_token(
    claims: &Map<String, Value>,
    (issuer, client_id): (&str, &str),
    now: Moment,
) -> Result<LoggedOut, Failure> {
    addressed(claims, issuer, client_id)?;
    let issued = moment(claims, "iat").ok_or(Failure::Untrusted("iat"))?;
    if issued > now + SKEW || now.since(issued) > OLDEST_LOGOUT {
        return Err(Failure::Untrusted("iat"));
    }
    let expires = moment(claims, "exp").ok_or(Failure::Untrusted("exp"))?;
    if now >= expires + SKEW {
        return Err(Failure::Untrusted("exp"));
    }
    if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
        return Err(Failure::Untrusted("events"));
    }
    // An ID token has a nonce: one must never pass for the other.
    if claims.contains_key("nonce") {
        return Err(Failure::Untrusted("nonce"));
    }
    let jti = text(claims, "jti").filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_SUB);
    let told = |name: &str| text(claims, name).filter(|told| !told.is_empty() && told.len() <= LONGEST_SUB);
    let (sub, sid) = (told("sub").map(str::to_owned), told("sid").map(str::to_owned));
    if sub.is_none() && sid.is_none() {
        return Err(Failure::Untrusted("sub"));
    }
    let jti = jti.ok_or(Failure::Untrusted("jti"))?.to_owned();
    Ok(LoggedOut { sub, sid, jti, expires_at: issued + OLDEST_LOGOUT + SKEW })
}

/// Issued by this provider, for us and nobody else.
fn addressed(claims: &Map<String, Value>, issuer: &str, client_id: &str) -> Result<(), Failure> {
    if text(claims, "iss") != Some(issuer) {
        return Err(Failure::Untrusted("iss"));
    }
    let ours = match claims.get("aud") {
        Some(Value::String(audience)) => audience == client_id,
        // Another audience could send its copy of the token to us.
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(|one| one.as_str() == Some(client_id)),
        _ => false,
    };
    if !ours {
        return Err(Failure::Untrusted("aud"));
    }
    if claims.contains_key("azp") && text(claims, "azp") != Some(client_id) {
        return Err(Failure::Untrusted("azp"));
    }
    Ok(())
}

fn subject(claims: &Map<String, Value>) -> Option<&str> {
    text(claims, "sub").filter(|sub| !sub.is_empty() && sub.len() <= LONGEST_SUB)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

fn moment(claims: &Map<String, Value>, name: &str) -> Option<Moment> {
    claims.get(name).and_then(Value::as_i64).map(Moment::from_unix)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
