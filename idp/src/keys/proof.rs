//! What a stranger signs with a key of its own choosing: DPoP proofs. Signature and form only; what the claims must say
//! is `protocol`'s.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use josekit::jws::JwsVerifier;
use serde_json::{Map, Value};

use super::compact::Compact;
use super::{jwk, sign};
use crate::domain::relying_party::SigningAlg;

/// A proof holds one key and a few short claims.
const LONGEST: usize = 4 * 1024;

/// Keys whose verifiers are kept ready. A client proves itself with one key many times.
const REMEMBERED: usize = 4096;

type Prepared = HashMap<(SigningAlg, String), Arc<dyn JwsVerifier>>;

static PREPARED: LazyLock<RwLock<Prepared>> = LazyLock::new(RwLock::default);

/// A JWT that the key in its own header signed.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// The RFC 7638 thumbprint of that key.
    pub jkt: String,
}

/// RFC 9449 §4.3 #4 to #7: the JWT, when its embedded public key signed it with an allowed algorithm. The reason
/// otherwise is for our log.
pub fn verify(jwt: &str, allowed: &[SigningAlg]) -> Result<SelfSigned, String> {
    let compact = Compact::parse_holding_key(jwt, LONGEST)?;
    // RFC 8725 §3.1: decided before the key is looked at. `none` and HMAC are no SigningAlg.
    let alg = compact.member("alg").and_then(SigningAlg::parse).filter(|alg| allowed.contains(alg));
    let alg = alg.ok_or("alg is not allowed")?;
    let Some(Value::Object(members)) = compact.header.get("jwk") else { return Err("jwk is missing".to_owned()) };
    let key = jwk::public(members.clone())?;
    if !jwk::algs(&key).contains(&alg) {
        return Err("jwk is not for this alg".to_owned());
    }
    let jkt = jwk::thumbprint(&key).ok_or("jwk lacks a member")?;
    let verifier = verifier(alg, &jkt, &key)?;
    if verifier.verify(compact.signed.as_bytes(), &compact.signature).is_err() {
        return Err("jwk did not make the signature".to_owned());
    }
    let claims = compact.claims()?;
    Ok(SelfSigned { header: compact.header, claims, jkt })
}

fn verifier(alg: SigningAlg, jkt: &str, key: &josekit::jwk::Jwk) -> Result<Arc<dyn JwsVerifier>, String> {
    let place = (alg, jkt.to_owned());
    if let Some(ready) = PREPARED.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
        return Ok(Arc::clone(ready));
    }
    let fresh = sign::verifier(alg, key).map_err(|_| "jwk is no proper key".to_owned())?;
    let mut ready = PREPARED.write().unwrap_or_else(PoisonError::into_inner);
    if ready.len() >= REMEMBERED {
        // Starting over now and then is cheaper than remembering who was used last.
        ready.clear();
    }
    ready.insert(place, Arc::clone(&fresh));
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use josekit::jws::JwsSigner;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PROOFS: [SigningAlg; 3] = [SigningAlg::ES256, SigningAlg::PS256, SigningAlg::EdDSA];

    struct Holder {
        signer: Arc<dyn JwsSigner>,
        jwk: Value,
    }

    fn holder(alg: SigningAlg) -> Holder {
        let (private, public) = sign::generate(alg).unwrap();
        let mut jwk: Value = serde_json::from_str(&jwk::publish(&public, alg, "x").unwrap()).unwrap();
        for name in ["kid", "use", "alg"] {
            jwk.as_object_mut().unwrap().remove(name);
        }
        Holder { signer: sign::signer(alg, &private).unwrap(), jwk }
    }

    fn signed(holder: &Holder, header: &Value) -> String {
        let payload = r#"{"jti":"a"}"#;
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload));
        let signature = holder.signer.sign(text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn the_embedded_key_is_the_one_that_signed() {
        for alg in PROOFS {
            let (one, other) = (holder(alg), holder(alg));
            let header = json!({"typ": "dpop+jwt", "alg": alg.name(), "jwk": one.jwk});
            // Twice: prepared afresh, and remembered.
            for _ in 0..2 {
                let verified = verify(&signed(&one, &header), &PROOFS).unwrap();
                assert_eq!(verified.claims["jti"], "a");
                assert_eq!(verified.jkt.len(), 43);
                assert!(verify(&signed(&other, &header), &PROOFS).is_err());
            }
        }
    }

    #[test]
    fn rfc7638_3_1_the_thumbprint_is_the_keys_alone() {
        let one = holder(SigningAlg::ES256);
        let plain = json!({"alg": "ES256", "jwk": one.jwk});
        let mut decorated = plain.clone();
        decorated["jwk"]["kid"] = "some name".into();
        decorated["jwk"]["alg"] = "ES256".into();
        let jkt = |header: &Value| verify(&signed(&one, header), &PROOFS).unwrap().jkt;
        assert_eq!(jkt(&plain), jkt(&decorated));
    }

    #[test]
    fn dp_02_algorithms_and_keys_that_prove_nothing() {
        let one = holder(SigningAlg::ES256);
        let rsa = holder(SigningAlg::RS256);
        let with = |name: &str, value: Value| {
            let mut jwk = one.jwk.clone();
            jwk[name] = value;
            json!({"alg": "ES256", "jwk": jwk})
        };
        assert!(verify(&signed(&one, &with("kid", "a".into())), &PROOFS).is_ok());
        for header in [
            json!({"alg": "ES256"}),
            json!({"alg": "ES256", "jwk": null}),
            json!({"alg": "ES256", "jwk": "text"}),
            json!({"alg": "ES256", "jwk": {}}),
            json!({"alg": "ES256", "jwk": {"kty": "oct", "k": "AAAA"}}),
            json!({"alg": "none", "jwk": one.jwk}),
            json!({"alg": "HS256", "jwk": one.jwk}),
            json!({"alg": "ES384", "jwk": one.jwk}),
            json!({"alg": "EdDSA", "jwk": one.jwk}),
            json!({"jwk": one.jwk}),
            with("d", "AAAA".into()),
            with("k", "AAAA".into()),
            with("use", "enc".into()),
            with("alg", "PS256".into()),
            with("crv", "P-521".into()),
            with("y", one.jwk["x"].clone()),
            json!({"alg": "ES256", "jwk": one.jwk, "crit": ["x"]}),
            json!({"alg": "ES256", "jwk": one.jwk, "x5c": []}),
            json!({"alg": "ES256", "jwk": one.jwk, "jku": "https://evil.vn"}),
        ] {
            assert!(verify(&signed(&one, &header), &PROOFS).is_err(), "{header}");
        }
        let by_rs256 = json!({"alg": "RS256", "jwk": rsa.jwk});
        assert!(verify(&signed(&rsa, &by_rs256), &PROOFS).is_err(), "RSA with PKCS#1 v1.5 is not allowed");
        assert!(verify(&signed(&rsa, &by_rs256), &SigningAlg::ALL).is_ok(), "control");
        let long = json!({"alg": "ES256", "jwk": one.jwk, "x": "x".repeat(LONGEST)});
        assert!(verify(&signed(&one, &long), &PROOFS).unwrap_err().contains("longer"));
    }

    proptest! {
        #[test]
        fn nothing_a_stranger_sends_is_believed(jwt in "[A-Za-z0-9_.=-]{0,200}", any in ".{0,60}") {
            prop_assert!(verify(&jwt, &PROOFS).is_err());
            prop_assert!(verify(&any, &PROOFS).is_err());
        }
    }
}
