//! DPoP proofs (RFC 9449): does this proof speak for this request, and with which key was it made? `keys` verifies the
//! signature with the key in the header; everything the proof says is judged here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use crate::domain::relying_party::SigningAlg;
use crate::domain::{Moment, Span};

use super::error::{Error, ErrorCode};
use super::jti;

/// RFC 9449 §11.6, FAPI 2.0 SP §5.4.1: asymmetric, and no RSA with PKCS#1 v1.5 padding.
pub const ALGS: [SigningAlg; 3] = [SigningAlg::ES256, SigningAlg::PS256, SigningAlg::EdDSA];

/// RFC 9449 §11.1: how old a proof may be; as long its identifier is remembered.
pub const OLDEST: Span = Span::seconds(300);
/// FAPI 2.0 SP §5.3.2.1: clocks ahead by up to this are accepted.
const CLOCK_AHEAD: Span = Span::seconds(60);

/// A proof whose signature was verified with the key its header holds.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedProof<'a> {
    pub header: &'a Map<String, Value>,
    pub claims: &'a Map<String, Value>,
    /// The RFC 7638 thumbprint of that key.
    pub jkt: &'a str,
}

/// The request a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Every address this endpoint is published at.
    pub addresses: &'a [String],
    /// The access token beside the proof, at a resource.
    pub access_token: Option<&'a str>,
}

/// A proof that speaks for its request. It counts once it was spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub jkt: String,
    pub nonce: Option<String>,
    jti: String,
    made_at: Moment,
}

impl Proof {
    /// What must be spent exactly once, and how long it must be remembered (RFC 9449 §11.1).
    pub fn identifier(&self) -> (String, Moment) {
        (format!("{} {}", self.jkt, self.jti), self.made_at + OLDEST + Span::seconds(1))
    }
}

pub fn invalid(clause: &'static str, told: &str) -> Error {
    Error::new(ErrorCode::InvalidDpopProof, clause, told)
}

/// RFC 9449 §8: the request is repeated with the nonce that stands beside this answer.
pub fn use_nonce() -> Error {
    Error::new(ErrorCode::UseDpopNonce, "RFC 9449 §8", "DPoP proof needs the nonce of this answer")
}

pub fn replayed() -> Error {
    invalid("RFC 9449 §11.1", "DPoP proof was used before")
}

/// RFC 9449 §4.3 #1: at most one header with one JWT in it.
pub fn single<'a>(headers: &[&'a str]) -> Result<Option<&'a str>, Error> {
    match headers {
        [] => Ok(None),
        [one] if one.bytes().filter(|byte| *byte == b'.').count() == 2 && !one.contains([',', ' ']) => Ok(Some(one)),
        [_] => Err(invalid("RFC 9449 §4.3", "DPoP header is not one JWT")),
        _ => Err(invalid("RFC 9449 §4.3", "DPoP header is repeated")),
    }
}

/// RFC 9449 §4.3, all but the signature, the nonce and the single use.
pub fn judge(proof: &VerifiedProof<'_>, request: &Request<'_>, now: Moment) -> Result<Proof, Error> {
    let refused = |told| Err(invalid("RFC 9449 §4.3", told));
    let text = |name: &str| proof.claims.get(name).and_then(Value::as_str);
    if proof.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return refused("DPoP proof typ is not dpop+jwt");
    }
    let Some(jti) = jti::of(proof.claims) else {
        return refused("DPoP proof jti is missing, empty, too long or has a NUL");
    };
    // RFC 9110 §9.1: methods are case-sensitive.
    if text("htm") != Some(request.method) {
        return refused("DPoP proof htm is not the method of this request");
    }
    let htu = text("htu").unwrap_or_default();
    // Most clients write the address as it is published.
    if !request.addresses.iter().any(|known| known == htu) {
        let Some(htu) = address(htu) else { return refused("DPoP proof htu is not an address") };
        if !request.addresses.iter().filter_map(|known| address(known)).any(|known| known == htu) {
            return refused("DPoP proof htu is not the address of this request");
        }
    }
    let Some(made_at) = proof.claims.get("iat").and_then(moment) else {
        return refused("DPoP proof iat is not a time");
    };
    if now.since(made_at) > OLDEST {
        return refused("DPoP proof iat is too long ago");
    }
    if made_at.since(now) > CLOCK_AHEAD {
        return refused("DPoP proof iat is in the future");
    }
    if request.access_token.is_some_and(|token| text("ath") != Some(&hash(token))) {
        return refused("DPoP proof ath is not the hash of this access token");
    }
    let nonce = match proof.claims.get("nonce") {
        None => None,
        Some(nonce) => Some(nonce.as_str().ok_or_else(use_nonce)?.to_owned()),
    };
    Ok(Proof { jkt: proof.jkt.to_owned(), nonce, jti: jti.to_owned(), made_at })
}

/// RFC 9449 §4.2: base64url of SHA-256 of the token's ASCII characters.
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// RFC 9449 §4.3 #9: an address without query and fragment, scheme and host in lower case, a default port left out
/// (RFC 3986 §6.2.2, §6.2.3). Nothing else is forgiven: what the parser would mend is no address.
fn address(text: &str) -> Option<Url> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return None;
    }
    let mut url = Url::parse(text).ok().filter(Url::has_host)?;
    // A parser takes away `..`, double slashes before a host and an empty user, and undoes escapes in a host; the address
    // must hold its host and path as written.
    let rest = text.split_once("://")?.1.split(['?', '#']).next()?;
    let (authority, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
    let authority = authority.to_ascii_lowercase();
    let port = authority.strip_prefix(url.host_str()?)?;
    let is_its_port =
        port.is_empty() || port.strip_prefix(':') == url.port_or_known_default().map(|n| n.to_string()).as_deref();
    if !is_its_port || url.path() != path {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// RFC 7519 §2: a NumericDate may have a fraction; the whole seconds count.
fn moment(value: &Value) -> Option<Moment> {
    let number = value.as_number()?;
    let whole = number.as_i64().or_else(|| number.to_string().split('.').next()?.parse().ok())?;
    (whole >= 0).then(|| Moment::from_unix(whole))
}

#[cfg(test)]
#[path = "dpop_tests.rs"]
mod tests;
