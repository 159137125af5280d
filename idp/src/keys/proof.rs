//! What a stranger signs with a key of its own choosing: DPoP proofs. Signature and form only; what the claims must say
//! is `protocol`'s.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use josekit::jws::JwsVerifier;
use serde_json::{Map, Value};

use super::compact::{self, Parts};
use super::{jwk, sign};
use crate::domain::relying_party::SigningAlg;

/// A proof holds one key and a few short claims.
const LONGEST: usize = 4 * 1024;

/// Headers that are kept read. A client proves itself with one key, and so with one header, many times.
const REMEMBERED: usize = 2048;

/// Longer ones are read anew each time, so that what is kept is bounded in bytes too.
const LONGEST_REMEMBERED: usize = 1024;

static KNOWN: LazyLock<RwLock<HashMap<String, Arc<Header>>>> = LazyLock::new(RwLock::default);

/// What the header of a proof says, and its key made ready.
#[derive(Debug)]
pub struct Header {
    pub members: Map<String, Value>,
    /// The RFC 7638 thumbprint of that key.
    pub jkt: String,
    alg: SigningAlg,
    verifier: Arc<dyn JwsVerifier>,
}

/// A JWT that the key in its own header signed.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    pub header: Arc<Header>,
    pub claims: Map<String, Value>,
}

/// RFC 9449 §4.3 #4 to #7: the JWT, when its embedded public key signed it with an allowed algorithm. The reason
/// otherwise is for our log.
pub fn verify(jwt: &str, allowed: &[SigningAlg]) -> Result<SelfSigned, String> {
    let parts = Parts::of(jwt, LONGEST)?;
    let header = header(parts.header, allowed)?;
    if header.verifier.verify(parts.signed.as_bytes(), &parts.signature()?).is_err() {
        return Err("jwk did not make the signature".to_owned());
    }
    Ok(SelfSigned { header, claims: parts.claims()? })
}

/// The same text says the same thing, so it is read once.
fn header(part: &str, allowed: &[SigningAlg]) -> Result<Arc<Header>, String> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(part).cloned();
    if let Some(known) = known {
        return if allowed.contains(&known.alg) { Ok(known) } else { Err(not_allowed()) };
    }
    let fresh = Arc::new(Header::read(part, allowed)?);
    if part.len() <= LONGEST_REMEMBERED {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            // Starting over now and then is cheaper than remembering who was used last.
            known.clear();
        }
        known.insert(part.to_owned(), Arc::clone(&fresh));
    }
    Ok(fresh)
}

impl Header {
    fn read(part: &str, allowed: &[SigningAlg]) -> Result<Header, String> {
        let members = compact::header_holding_key(part)?;
        // RFC 8725 §3.1: decided before the key is looked at. `none` and HMAC are no SigningAlg.
        let alg = members.get("alg").and_then(Value::as_str).and_then(SigningAlg::parse);
        let alg = alg.filter(|alg| allowed.contains(alg)).ok_or_else(not_allowed)?;
        let Some(Value::Object(key)) = members.get("jwk") else { return Err("jwk is missing".to_owned()) };
        let key = jwk::public(key.clone())?;
        if !jwk::algs(&key).contains(&alg) {
            return Err("jwk is not for this alg".to_owned());
        }
        let jkt = jwk::thumbprint(&key).ok_or("jwk lacks a member")?;
        let verifier = sign::verifier(alg, &key).map_err(|_| "jwk is no proper key".to_owned())?;
        Ok(Header { members, alg, jkt, verifier })
    }
}

fn not_allowed() -> String {
    "alg is not allowed".to_owned()
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
                assert_eq!(verified.header.jkt.len(), 43);
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
        let jkt = |header: &Value| verify(&signed(&one, header), &PROOFS).unwrap().header.jkt.clone();
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
        let by_es256 = json!({"alg": "ES256", "jwk": one.jwk});
        assert!(verify(&signed(&one, &by_es256), &PROOFS).is_ok(), "remembered");
        assert!(verify(&signed(&one, &by_es256), &[SigningAlg::EdDSA]).is_err(), "and not allowed for somebody else");
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
