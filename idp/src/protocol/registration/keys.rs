//! The public keys of a client that proves itself by key (RFC 7517), checked when registered so that a weak or private one is
//! never kept (`security.md` JO-16).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::domain::relying_party::{AuthMethod, SigningAlg};
use crate::protocol::error::Error;

use super::members::Members;
use super::refuse;

const MOST_KEYS: usize = 20;
/// RSA keys below 2048 bits are refused, above 8192 too slow to verify with (in bytes of the modulus).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Members only a private or symmetric key has (RFC 7518 §6).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Takes `jwks` and `token_endpoint_auth_signing_alg`. The algorithm, when given, is written into every key, so that no
/// other one is accepted from it.
pub(super) fn admit(members: &mut Members, method: AuthMethod) -> Result<Option<String>, Error> {
    let alg = members.choice::<SigningAlg>("token_endpoint_auth_signing_alg")?;
    let Some(mut set) = members.take("jwks") else {
        return if matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth) {
            Err(refuse("jwks", "is missing, and this token_endpoint_auth_method needs it"))
        } else {
            Ok(None)
        };
    };
    let keys = set.get_mut("keys").and_then(Value::as_array_mut);
    let keys = keys.filter(|keys| (1..=MOST_KEYS).contains(&keys.len()));
    let keys = keys.ok_or_else(|| refuse("jwks", "is not an object with 1 to 20 keys"))?;
    let mut kids: Vec<String> = Vec::new();
    for key in keys {
        let key = key.as_object_mut().ok_or_else(|| refuse("jwks", "has a key that is not an object"))?;
        check(key, alg).map_err(|why| refuse("jwks", format!("has a key that {why}")))?;
        if let Some(alg) = alg {
            key.insert("alg".to_owned(), alg.name().into());
        }
        if let Some(kid) = key.get("kid") {
            let kid =
                kid.as_str().filter(|kid| (1..=200).contains(&kid.len()) && !kids.iter().any(|known| known == kid));
            kids.push(kid.ok_or_else(|| refuse("jwks", "has a kid twice, or not of 1 to 200 characters"))?.to_owned());
        }
    }
    Ok(Some(set.to_string()))
}

fn check(key: &Map<String, Value>, alg: Option<SigningAlg>) -> Result<(), &'static str> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if PRIVATE.iter().any(|member| key.contains_key(*member)) {
        return Err("is private or symmetric");
    }
    if text("use").is_some_and(|usage| usage != "sig") {
        return Err("is not for signatures");
    }
    let signs_with: &[SigningAlg] = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            for coordinate in ["x", "y"] {
                number(key, coordinate)
                    .filter(|bytes| bytes.len() == 32)
                    .ok_or("has coordinates that are not 32 bytes")?;
            }
            &[SigningAlg::ES256]
        }
        (Some("OKP"), Some("Ed25519")) => {
            number(key, "x").filter(|bytes| bytes.len() == 32).ok_or("has a point that is not 32 bytes")?;
            &[SigningAlg::EdDSA]
        }
        (Some("RSA"), _) => {
            rsa(key)?;
            &[SigningAlg::PS256, SigningAlg::RS256]
        }
        _ => return Err("is of a kind no supported algorithm uses"),
    };
    let named = match key.get("alg") {
        None => None,
        Some(named) => {
            Some(named.as_str().and_then(SigningAlg::parse).ok_or("names an algorithm that is not supported")?)
        }
    };
    let contradicts = |wanted: Option<SigningAlg>| wanted.is_some_and(|wanted| !signs_with.contains(&wanted));
    if contradicts(named) || contradicts(alg) || (alg.is_some() && named.is_some() && alg != named) {
        return Err("cannot sign with the algorithm named");
    }
    Ok(())
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
