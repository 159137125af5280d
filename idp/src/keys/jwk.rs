//! JWK: thumbprints, the public members of our own keys, and which of a client's keys are fit for use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::json;
use crate::domain::arrangement::KeyAlg;
use crate::domain::relying_party::SigningAlg;

/// More keys than any client needs at once.
const MOST_KEYS: usize = 20;

/// Members that only a private or shared key has (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RFC 7638 §3.2: the required members in their order, hashed. The values are base64url and names of curves, so
/// that nothing needs escaping.
pub(super) fn thumbprint(jwk: &Jwk) -> Option<String> {
    let member = |name| jwk.parameter(name).and_then(Value::as_str);
    let canonical = match jwk.key_type() {
        "EC" => {
            format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, member("crv")?, member("x")?, member("y")?)
        }
        "OKP" => format!(r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#, member("crv")?, member("x")?),
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member("e")?, member("n")?),
        _ => return None,
    };
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
}

/// The thumbprints of all keys of a client's set, whatever they are for.
pub fn thumbprints(text: &str) -> Vec<String> {
    let keys = [Use::Signature, Use::Encryption].into_iter().filter_map(|wanted| set(text, wanted).ok()).flatten();
    keys.filter_map(|key| thumbprint(&key)).collect()
}

/// Our own public key as it is published: josekit drops `kid` and `alg` from a public half, and has more members
/// than we want to state.
pub(super) fn publish(jwk: &Jwk, alg: SigningAlg, kid: &str) -> Option<String> {
    let mut members = Map::new();
    for name in ["kty", "crv", "x", "y", "n", "e"] {
        if let Some(value) = jwk.parameter(name).and_then(Value::as_str) {
            members.insert(name.to_owned(), value.into());
        }
    }
    members.insert("kty".to_owned(), jwk.key_type().into());
    members.insert("kid".to_owned(), kid.into());
    members.insert("use".to_owned(), "sig".into());
    members.insert("alg".to_owned(), alg.name().into());
    serde_json::to_string(&members).ok()
}

/// What a key of a client's is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Signature,
    Encryption,
}

/// The keys of a client's set that are for one use, each checked for form and strength. Others are passed over.
pub(super) fn set(text: &str, wanted: Use) -> Result<Vec<Jwk>, String> {
    let mut set = json::object(text.as_bytes())?;
    let Some(Value::Array(keys)) = set.remove("keys") else { return Err("has no list of keys".to_owned()) };
    if keys.len() > MOST_KEYS {
        return Err(format!("has more than {MOST_KEYS} keys"));
    }
    let mut admitted = Vec::new();
    for key in keys {
        let Value::Object(members) = key else { return Err("has a key that is not an object".to_owned()) };
        if let Some(name) = PRIVATE.iter().find(|name| members.contains_key(**name)) {
            return Err(format!("holds a private member ({name})"));
        }
        let jwk = Jwk::from_map(members).map_err(|_| "has a key without a type".to_owned())?;
        let (named, fits) = match wanted {
            Use::Signature => ("sig", !algs(&jwk).is_empty()),
            Use::Encryption => ("enc", !key_algs(&jwk).is_empty()),
        };
        if jwk.key_use().is_some_and(|used| used != named) || !fits {
            continue;
        }
        if jwk.key_type() == "RSA" {
            strong_rsa(&jwk)?;
        }
        let twin = |other: &Jwk| jwk.key_id().is_some() && jwk.key_id() == other.key_id();
        if admitted.iter().any(twin) {
            return Err("has two keys with one kid".to_owned());
        }
        admitted.push(jwk);
    }
    Ok(admitted)
}

/// One public key for signatures, checked for form and strength.
pub(super) fn public(members: Map<String, Value>) -> Result<Jwk, String> {
    let jwk = shareable(members)?;
    if !is_useful(&jwk) {
        return Err("is of a kind or for a use that verifies nothing here".to_owned());
    }
    if jwk.key_type() == "RSA" {
        strong_rsa(&jwk)?;
    }
    Ok(jwk)
}

fn shareable(members: Map<String, Value>) -> Result<Jwk, String> {
    if let Some(name) = PRIVATE.iter().find(|name| members.contains_key(**name)) {
        return Err(format!("holds a private member ({name})"));
    }
    Jwk::from_map(members).map_err(|_| "has a key without a type".to_owned())
}

fn is_useful(jwk: &Jwk) -> bool {
    jwk.key_use().is_none_or(|used| used == "sig") && !algs(jwk).is_empty()
}

/// The algorithms a public key may verify: by type and curve, narrowed by its own `alg`.
pub(super) fn algs(jwk: &Jwk) -> Vec<SigningAlg> {
    let curve = jwk.parameter("crv").and_then(Value::as_str);
    let by_type: &[SigningAlg] = match (jwk.key_type(), curve) {
        ("EC", Some("P-256")) => &[SigningAlg::ES256],
        ("OKP", Some("Ed25519")) => &[SigningAlg::EdDSA],
        ("RSA", _) => &[SigningAlg::PS256, SigningAlg::RS256],
        _ => &[],
    };
    by_type.iter().copied().filter(|alg| jwk.algorithm().is_none_or(|own| own == alg.name())).collect()
}

/// The algorithms that may encrypt to a public key: by type and curve, narrowed by its own `alg`.
pub(super) fn key_algs(jwk: &Jwk) -> Vec<KeyAlg> {
    let curve = jwk.parameter("crv").and_then(Value::as_str);
    let by_type: &[KeyAlg] = match (jwk.key_type(), curve) {
        ("EC", Some("P-256")) => &[KeyAlg::EcdhEs, KeyAlg::EcdhEsA256Kw],
        ("RSA", _) => &[KeyAlg::RsaOaep256],
        _ => &[],
    };
    by_type.iter().copied().filter(|alg| jwk.algorithm().is_none_or(|own| own == alg.name())).collect()
}

/// `security.md` JO-16: 2,048 bits or more, odd modulus, exponent 65537 or more and odd. Above 8,192 bits a
/// signature costs us more than it proves.
fn strong_rsa(jwk: &Jwk) -> Result<(), String> {
    let number = |name| {
        let text = jwk.parameter(name).and_then(Value::as_str)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let start = bytes.iter().position(|byte| *byte != 0)?;
        bytes.get(start..).map(<[u8]>::to_vec)
    };
    let modulus = number("n").ok_or("has an RSA key without a modulus")?;
    let exponent = number("e").ok_or("has an RSA key without an exponent")?;
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
    if !(256..=1024).contains(&modulus.len()) || !odd(&modulus) {
        return Err("has an RSA key that is not of 2048 to 8192 bits".to_owned());
    }
    if !(3..=8).contains(&exponent.len()) || !odd(&exponent) {
        return Err("has an RSA key with a weak exponent".to_owned());
    }
    Ok(())
}
