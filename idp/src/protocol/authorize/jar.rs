//! Request objects (RFC 9101, OIDC Core §6): whether one may be sent, what it must say, and which request it makes.
//!
//! Where a client follows FAPI only the parameters inside count (RFC 9101 §6.3). For `vn_profile: oidc` those inside win and
//! absent ones are taken from outside (OIDC Core §6.1). Objects are signed by a key of the client; encrypted and unsigned ones
//! are not taken.

use serde_json::{Map, Value};

use crate::domain::relying_party::{Client, Profile, SigningAlg};
use crate::domain::{Moment, Span};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::jti;
use crate::protocol::params::Params;
use crate::protocol::profile;

/// Where the parameters of a request stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier<'a> {
    Plain,
    /// `request`: the object itself.
    Value(&'a str),
    /// `request_uri`: where the client keeps it, byte for byte as registered.
    Reference(&'a str),
}

/// Finds the object, if this client may send one this way. What is refused here is never fetched (`security.md` PJ-08).
pub fn carrier<'a>(params: &'a Params, client: &Client, pushed: bool) -> Result<Carrier<'a>, Error> {
    let has_keys = client.jwks.is_some() || client.jwks_uri.is_some();
    match (params.one("request")?, params.one("request_uri")?) {
        (None, None) => Ok(Carrier::Plain),
        // RFC 9126 §2.1.
        (_, Some(_)) if pushed => Err(Error::invalid_request("RFC 9126 §2.1", "request_uri may not be pushed")),
        // RFC 9101 §5.
        (Some(_), Some(_)) => Err(Error::invalid_request("RFC 9101 §5", "request and request_uri exclude each other")),
        (Some(object), None) if has_keys => Ok(Carrier::Value(object)),
        (Some(_), None) => {
            let told = "request is not supported for a client without registered keys";
            Err(Error::new(ErrorCode::RequestNotSupported, "OIDC Core §3.1.2.6", told))
        }
        (None, Some(uri)) => {
            // OIDC Core §6.2: the fragment belongs to the address, and only registered ones are fetched.
            let registered = client.requests.request_uris.iter().any(|known| known == uri);
            if client.profile == Profile::Oidc && has_keys && registered {
                return Ok(Carrier::Reference(uri));
            }
            let told = "request_uri is not supported unless it is registered for this client";
            Err(Error::new(ErrorCode::RequestUriNotSupported, "OIDC Core §3.1.2.6", told))
        }
    }
}

/// What an object of this client may be signed with (OIDC Registration §2, FAPI 2.0 SP §5.4.1).
pub fn algs(client: &Client) -> Vec<SigningAlg> {
    let lawful = profile::signing_algs(client.profile).iter().copied();
    lawful.filter(|alg| client.requests.request_object_signing_alg.is_none_or(|only| only == *alg)).collect()
}

/// A request object whose signature was verified with a key of the client.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedObject<'a> {
    pub header: &'a Map<String, Value>,
    pub claims: &'a Map<String, Value>,
}

/// The object's `jti`, made unique to its client, and how long it must be remembered: it may be used once.
pub type ObjectId = (String, Moment);

pub fn invalid(clause: &'static str, told: &str) -> Error {
    Error::new(ErrorCode::InvalidRequestObject, clause, format!("request object {told}"))
}

/// `security.md` PJ-13.
pub fn replayed() -> Error {
    invalid("RFC 9101 §10.2", "was used before")
}

/// Judges an object of `client`. `named` is the `client_id` beside it.
pub fn judge(
    object: &VerifiedObject<'_>,
    client: &Client,
    named: Option<&str>,
    issuer: &str,
    now: Moment,
) -> Result<Option<ObjectId>, Error> {
    typ(object)?;
    parties(object, client, named, issuer)?;
    contents(object)?;
    let expires = times(object, client.profile.is_fapi(), now)?;
    jti(object, client, expires.unwrap_or(now + UNDATED_KEPT))
}

/// RFC 8725 §3.11: a token made for another use is refused by its type (`security.md` PJ-14).
fn typ(object: &VerifiedObject<'_>) -> Result<(), Error> {
    let Some(typ) = object.header.get("typ") else { return Ok(()) };
    let typ = typ.as_str().unwrap_or_default().to_ascii_lowercase();
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    if matches!(short, "jwt" | "oauth-authz-req+jwt") {
        Ok(())
    } else {
        Err(invalid("RFC 9101 §10.8", "is of another type"))
    }
}

/// From whom, for whom (`security.md` PJ-10, PJ-11). FAPI 2.0 MS §5.3.1 demands what RFC 9101 §4 only recommends.
fn parties(object: &VerifiedObject<'_>, client: &Client, named: Option<&str>, issuer: &str) -> Result<(), Error> {
    let strict = client.profile.is_fapi();
    let id = client.id.as_str();
    for member in ["iss", "client_id"] {
        match object.claims.get(member) {
            Some(value) if value.as_str() == Some(id) => {}
            None if !strict => {}
            None => return Err(invalid("FAPI 2.0 MS §5.3.1", &format!("has no {member}"))),
            Some(_) => return Err(invalid("RFC 9101 §5", &format!("has an {member} that is not the client"))),
        }
    }
    // RFC 9101 §5: the client_id outside must be the one inside.
    if named.is_some_and(|named| named != id) {
        return Err(invalid("RFC 9101 §5", "is of another client than client_id"));
    }
    // RFC 9101 §10.8: with `sub` it could pass for a client assertion.
    if object.claims.get("sub").is_some_and(|sub| sub.as_str() == Some(id)) {
        return Err(invalid("RFC 9101 §10.8", "has the client as sub"));
    }
    let is_us = |value: &Value| value.as_str() == Some(issuer);
    match object.claims.get("aud") {
        Some(Value::Array(several)) if several.iter().any(is_us) => Ok(()),
        Some(one) if is_us(one) => Ok(()),
        None if !strict => Ok(()),
        _ => Err(invalid("RFC 9101 §4", "has an aud without the issuer")),
    }
}

/// RFC 9101 §4: an object holds no further object.
fn contents(object: &VerifiedObject<'_>) -> Result<(), Error> {
    if object.claims.contains_key("request") || object.claims.contains_key("request_uri") {
        return Err(invalid("RFC 9101 §4", "holds request or request_uri"));
    }
    if object.claims.len() > MOST_MEMBERS {
        return Err(invalid("RFC 6749 §3.1", "has too many members"));
    }
    Ok(())
}

/// As many as a form may have fields.
const MOST_MEMBERS: usize = 100;
/// FAPI 2.0 MS §5.3.1: between `nbf` and `exp`; against our own clock ten seconds more.
const LONGEST_LIFE: Span = Span::seconds(3600);
const FURTHEST: Span = Span::seconds(3610);
const CLOCK_AHEAD: Span = Span::seconds(60);
/// How long the identifier of an object without an end is remembered.
const UNDATED_KEPT: Span = Span::days(1);

/// `security.md` PJ-10. Returns when the object ends, if it says so.
fn times(object: &VerifiedObject<'_>, strict: bool, now: Moment) -> Result<Option<Moment>, Error> {
    let at = |member: &'static str| match object.claims.get(member) {
        None if strict && member != "iat" => Err(invalid("FAPI 2.0 MS §5.3.1", &format!("has no {member}"))),
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(|seconds| Some(Moment::from_unix(seconds)))
            .ok_or_else(|| invalid("RFC 7519 §2", &format!("has an {member} that is no whole number"))),
    };
    let (exp, nbf, iat) = (at("exp")?, at("nbf")?, at("iat")?);
    if let Some(exp) = exp {
        if now >= exp {
            return Err(invalid("RFC 7519 §4.1.4", "has expired"));
        }
        if exp.since(now) > FURTHEST {
            return Err(invalid("FAPI 2.0 MS §5.3.1", "expires too late"));
        }
    }
    if [nbf, iat].into_iter().flatten().any(|moment| moment.since(now) > CLOCK_AHEAD) {
        return Err(invalid("RFC 7519 §4.1.5", "is from the future"));
    }
    let lives_too_long = exp.zip(nbf).is_some_and(|(exp, nbf)| exp.since(nbf) > LONGEST_LIFE);
    let is_old = nbf.is_some_and(|nbf| now.since(nbf) > FURTHEST);
    if strict && (lives_too_long || is_old) {
        return Err(invalid("FAPI 2.0 MS §5.3.1", "has an nbf more than 60 minutes back or before exp"));
    }
    Ok(exp)
}

fn jti(object: &VerifiedObject<'_>, client: &Client, until: Moment) -> Result<Option<ObjectId>, Error> {
    if !object.claims.contains_key("jti") {
        return Ok(None);
    }
    let flawed = || invalid("RFC 7519 §4.1.7", "has a jti that is empty, too long, no text or has a NUL");
    let jti = jti::of(object.claims).ok_or_else(flawed)?;
    Ok(Some((format!("{} {jti}", client.id), until)))
}

/// Members that speak of the object itself.
const OF_THE_OBJECT: &[&str] = &["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// The request an object makes together with the parameters beside it.
pub fn effective(outside: &Params, claims: &Map<String, Value>, profile: Profile) -> Params {
    let inside = Params::of(
        claims.iter().filter(|(name, _)| !OF_THE_OBJECT.contains(&name.as_str())).flat_map(fields).collect(),
    );
    match profile {
        Profile::Oidc => inside.over(&outside.without(&["request", "request_uri"])),
        Profile::Fapi2 | Profile::Fapi2MessageSigning => inside,
    }
}

/// RFC 9101 §4: numbers and objects stand as JSON where a form has text. A list of resources is a repeated parameter
/// (RFC 8707 §2).
fn fields((name, value): (&String, &Value)) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => Vec::new(),
        Value::Array(several) if name == "resource" => {
            several.iter().map(|value| (name.clone(), text(value))).collect()
        }
        one => vec![(name.clone(), text(one))],
    }
}

#[cfg(test)]
#[path = "jar_tests.rs"]
mod tests;
