//! The public keys of a client (RFC 7517): those that check what it signs, and those that answers to it are encrypted to.
//! Checked when registered, so that a weak or private one is never kept (`security.md` JO-16).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::domain::arrangement::KeyAlg;
use crate::domain::relying_party::{AuthMethod, SigningAlg};
use crate::protocol::error::Error;

use super::members::Members;
use super::{Admission, page, refuse};

const MOST_KEYS: usize = 20;
/// RSA keys below 2048 bits are refused, above 8192 too slow to verify with (in bytes of the modulus).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Members only a private or symmetric key has (RFC 7518 §6).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Takes `jwks` or `jwks_uri`: RFC 7591 §2 forbids both. `alg` is the one assertions are signed with, when given; the
/// keys may sign other things by others (OIDC Registration §2: `request_object_signing_alg`).
pub(super) fn admit(
    members: &mut Members,
    method: AuthMethod,
    alg: Option<SigningAlg>,
    admission: &Admission,
) -> Result<(Option<String>, Option<String>), Error> {
    let by_reference = page(members, "jwks_uri", admission)?;
    match (members.take("jwks"), by_reference) {
        (Some(_), Some(_)) => Err(refuse("jwks_uri", "stands beside jwks, and only one of them may")),
        (Some(set), None) => Ok((Some(by_value(set, method, alg)?), None)),
        (None, Some(uri)) => Ok((None, Some(uri))),
        (None, None) if matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth) => {
            Err(refuse("jwks", "is missing, as is jwks_uri, and this token_endpoint_auth_method needs one"))
        }
        (None, None) => Ok((None, None)),
    }
}

fn by_value(set: Value, method: AuthMethod, alg: Option<SigningAlg>) -> Result<String, Error> {
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MOST_KEYS).contains(&keys.len()));
    let keys = keys.ok_or_else(|| refuse("jwks", "is not an object with 1 to 20 keys"))?;
    let mut kids: Vec<String> = Vec::new();
    let mut one_signs = false;
    for key in keys {
        let key = key.as_object().ok_or_else(|| refuse("jwks", "has a key that is not an object"))?;
        one_signs |= check(key, alg).map_err(|why| refuse("jwks", format!("has a key that {why}")))?;
        if let Some(kid) = key.get("kid") {
            let kid =
                kid.as_str().filter(|kid| (1..=200).contains(&kid.len()) && !kids.iter().any(|known| known == kid));
            kids.push(kid.ok_or_else(|| refuse("jwks", "has a kid twice, or not of 1 to 200 characters"))?.to_owned());
        }
    }
    if method == AuthMethod::PrivateKeyJwt && !one_signs {
        return Err(refuse("jwks", "has no key to sign with, and private_key_jwt needs one"));
    }
    Ok(set.to_string())
}

/// Whether a set, checked before, has a key that an answer can be encrypted to in this way.
pub(super) fn encrypts_by(jwks: &str, alg: KeyAlg) -> bool {
    let set: Value = serde_json::from_str(jwks).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut members = keys.iter().filter_map(Value::as_object);
    members.any(|key| kind(key).is_ok_and(|kind| kind.encrypts(key).any(|by| by == alg)))
}

/// What keys of a type and curve can do.
struct Kind {
    signs: &'static [SigningAlg],
    encrypts: &'static [KeyAlg],
}

impl Kind {
    /// The signatures a key of this kind may make, by its own `use` and `alg` (RFC 7517 §4.2, §4.4).
    fn signs(&self, key: &Map<String, Value>) -> impl Iterator<Item = SigningAlg> {
        let (fits, named) = (is_for(key, "sig"), key.get("alg").cloned());
        self.signs.iter().copied().filter(move |alg| fits && named.as_ref().is_none_or(|named| named == alg.name()))
    }

    fn encrypts(&self, key: &Map<String, Value>) -> impl Iterator<Item = KeyAlg> {
        let (fits, named) = (is_for(key, "enc"), key.get("alg").cloned());
        self.encrypts.iter().copied().filter(move |alg| fits && named.as_ref().is_none_or(|named| named == alg.name()))
    }
}

fn is_for(key: &Map<String, Value>, usage: &str) -> bool {
    key.get("use").is_none_or(|named| named == usage)
}

/// Whether the key may sign assertions; one that neither signs nor is encrypted to is refused.
fn check(key: &Map<String, Value>, alg: Option<SigningAlg>) -> Result<bool, &'static str> {
    if PRIVATE.iter().any(|member| key.contains_key(*member)) {
        return Err("is private or symmetric");
    }
    let kind = kind(key)?;
    if kind.signs(key).next().is_some() || kind.encrypts(key).next().is_some() {
        return Ok(kind.signs(key).any(|by| alg.is_none_or(|wanted| wanted == by)));
    }
    Err("can neither sign nor be encrypted to with the use and algorithm named")
}

fn kind(key: &Map<String, Value>) -> Result<Kind, &'static str> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            for coordinate in ["x", "y"] {
                number(key, coordinate)
                    .filter(|bytes| bytes.len() == 32)
                    .ok_or("has coordinates that are not 32 bytes")?;
            }
            Ok(Kind { signs: &[SigningAlg::ES256], encrypts: &[KeyAlg::EcdhEs, KeyAlg::EcdhEsA256Kw] })
        }
        (Some("OKP"), Some("Ed25519")) => {
            number(key, "x").filter(|bytes| bytes.len() == 32).ok_or("has a point that is not 32 bytes")?;
            Ok(Kind { signs: &[SigningAlg::EdDSA], encrypts: &[] })
        }
        (Some("RSA"), _) => {
            rsa(key)?;
            Ok(Kind { signs: &[SigningAlg::PS256, SigningAlg::RS256], encrypts: &[KeyAlg::RsaOaep256] })
        }
        _ => Err("is of a kind no supported algorithm uses"),
    }
}

fn rsa(key: &Map<String, Value>) -> Result<(), &'static str> {
    let modulus = number(key, "n").ok_or("has no proper modulus")?;
    let top = modulus.first().copied().unwrap_or_default();
    // 256 bytes make 2048 bits only when the topmost bit is set.
    let long_enough = RSA_BYTES.contains(&modulus.len()) && (modulus.len() > *RSA_BYTES.start() || top >= 0x80);
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    if !long_enough || top == 0 || !odd(&modulus) {
        return Err("has a modulus that is weak or not of 2048 to 8192 bits");
    }
    let exponent = number(key, "e").filter(|bytes| bytes.len() <= 4).ok_or("has no proper exponent")?;
    let exponent_value = exponent.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if exponent_value < 65_537 || !odd(&exponent) {
        return Err("has a weak exponent");
    }
    Ok(())
}

/// A base64url number, in canonical form.
fn number(key: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(key.get(member)?.as_str()?).ok()
}
