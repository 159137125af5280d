//! What clients sign: `private_key_jwt` assertions. Signature and form only; what the claims must say is
//! `protocol`'s.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use josekit::jws::JwsVerifier;
use serde_json::{Map, Value};

use super::compact::Compact;
use super::jwk::Use;
use super::{jwk, sign};
use crate::domain::relying_party::SigningAlg;

/// `security.md` N-25.
const LONGEST: usize = 8 * 1024;

/// Clients whose keys are kept ready.
const REMEMBERED: usize = 1024;

/// A JWT whose signature was checked.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

struct ClientKey {
    kid: Option<String>,
    alg: SigningAlg,
    verifier: Arc<dyn JwsVerifier>,
}

/// Prepared verifiers by the text of the set, so that a changed registration is a different entry. Preparing one
/// costs about as much as using it.
static PREPARED: LazyLock<RwLock<HashMap<String, Arc<Vec<ClientKey>>>>> = LazyLock::new(RwLock::default);

/// The JWT, when one of the set's keys signed it with an allowed algorithm. The reason otherwise is for our log.
pub fn verify(jwt: &str, jwks_json: &str, allowed: &[SigningAlg]) -> Result<VerifiedJwt, String> {
    let compact = Compact::parse(jwt, LONGEST)?;
    let (alg, kid) = signed_with(&compact, allowed)?;
    let keys = prepared(jwks_json)?;
    let fits = |key: &&ClientKey| key.alg == alg && (kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid);
    let signed = |key: &ClientKey| key.verifier.verify(compact.parts.signed.as_bytes(), &compact.signature).is_ok();
    if !keys.iter().filter(fits).any(signed) {
        return Err("no registered key made the signature".to_owned());
    }
    let claims = compact.claims()?;
    Ok(VerifiedJwt { header: compact.header, claims })
}

/// RFC 8725 §3.1: decided before any key is looked at. `none` and HMAC are no SigningAlg.
fn signed_with<'a>(compact: &'a Compact<'_>, allowed: &[SigningAlg]) -> Result<(SigningAlg, Option<&'a str>), String> {
    let alg = compact.member("alg").and_then(SigningAlg::parse).filter(|alg| allowed.contains(alg));
    let alg = alg.ok_or("alg is not allowed")?;
    match compact.header.get("kid") {
        None => Ok((alg, None)),
        Some(kid) => Ok((alg, Some(kid.as_str().ok_or("kid is not text")?))),
    }
}

/// The `kid` of a JWT whose form and algorithm would do, before its keys are known.
pub fn kid(jwt: &str, allowed: &[SigningAlg]) -> Result<Option<String>, String> {
    let compact = Compact::parse(jwt, LONGEST)?;
    Ok(signed_with(&compact, allowed)?.1.map(str::to_owned))
}

/// Whether a set has a key that may be of this name: a key without one may be of any.
pub fn may_have(jwks_json: &str, kid: &str) -> bool {
    prepared(jwks_json).is_ok_and(|keys| keys.iter().any(|key| key.kid.as_deref().is_none_or(|own| own == kid)))
}

/// Whether a set has a key of exactly this name.
pub fn has(jwks_json: &str, kid: &str) -> bool {
    prepared(jwks_json).is_ok_and(|keys| keys.iter().any(|key| key.kid.as_deref() == Some(kid)))
}

/// Whether a set may be registered: well formed, public members only, strong keys, at least one of them usable.
pub fn admit(jwks_json: &str) -> Result<(), String> {
    if prepare(jwks_json)?.is_empty() { Err("has no usable signing key".to_owned()) } else { Ok(()) }
}

/// The RFC 7638 thumbprints of the keys of a set.
pub fn thumbprints(jwks_json: &str) -> Vec<String> {
    jwk::set(jwks_json, Use::Signature).unwrap_or_default().iter().filter_map(jwk::thumbprint).collect()
}

fn prepared(jwks_json: &str) -> Result<Arc<Vec<ClientKey>>, String> {
    if let Some(keys) = PREPARED.read().unwrap_or_else(PoisonError::into_inner).get(jwks_json) {
        return Ok(Arc::clone(keys));
    }
    let keys = Arc::new(prepare(jwks_json)?);
    let mut ready = PREPARED.write().unwrap_or_else(PoisonError::into_inner);
    if ready.len() >= REMEMBERED {
        // Starting over now and then is cheaper than remembering who was used last.
        ready.clear();
    }
    ready.insert(jwks_json.to_owned(), Arc::clone(&keys));
    Ok(keys)
}

fn prepare(jwks_json: &str) -> Result<Vec<ClientKey>, String> {
    let mut keys = Vec::new();
    for jwk in jwk::set(jwks_json, jwk::Use::Signature)? {
        for alg in jwk::algs(&jwk) {
            let verifier = sign::verifier(alg, &jwk).map_err(|_| format!("has a bad {} key", alg.name()))?;
            keys.push(ClientKey { kid: jwk.key_id().map(str::to_owned), alg, verifier });
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, Mac};
    use josekit::jws::JwsSigner;
    use proptest::prelude::*;
    use serde_json::json;
    use sha2::Sha256;

    use super::*;

    struct Client {
        signer: Arc<dyn JwsSigner>,
        jwk: Value,
    }

    impl Client {
        fn new(alg: SigningAlg, kid: Option<&str>) -> Self {
            let (private, public) = sign::generate(alg).unwrap();
            let mut jwk: Value = serde_json::from_str(&jwk::publish(&public, alg, "x").unwrap()).unwrap();
            match kid {
                Some(kid) => jwk["kid"] = kid.into(),
                None => drop(jwk.as_object_mut().unwrap().remove("kid")),
            }
            Self { signer: sign::signer(alg, &private).unwrap(), jwk }
        }

        fn sign(&self, header: &str, payload: &str) -> String {
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            let signature = self.signer.sign(signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn set(keys: &[&Value]) -> String {
        json!({ "keys": keys }).to_string()
    }

    const CLAIMS: &str = r#"{"iss":"portal","exp":1800000000}"#;
    const ES256: &str = r#"{"alg":"ES256","kid":"a"}"#;

    #[test]
    fn accepts_what_a_registered_key_signed() {
        for alg in SigningAlg::ALL {
            let client = Client::new(alg, Some("a"));
            let jwks = set(&[&Client::new(SigningAlg::ES256, Some("b")).jwk, &client.jwk]);
            for header in [json!({"alg": alg.name(), "kid": "a"}), json!({"alg": alg.name(), "typ": "JWT"})] {
                let verified = verify(&client.sign(&header.to_string(), CLAIMS), &jwks, &SigningAlg::ALL).unwrap();
                assert_eq!(verified.claims["iss"], "portal");
                assert_eq!(Value::Object(verified.header), header);
            }
        }
    }

    #[test]
    fn ca_11_only_the_keys_registered_now() {
        let (one, two) = (Client::new(SigningAlg::ES256, Some("a")), Client::new(SigningAlg::ES256, Some("a")));
        let jwt = one.sign(ES256, CLAIMS);
        assert!(verify(&jwt, &set(&[&one.jwk]), &SigningAlg::ALL).is_ok());
        assert!(verify(&jwt, &set(&[&two.jwk]), &SigningAlg::ALL).is_err());
        assert!(verify(&jwt, &set(&[]), &SigningAlg::ALL).is_err());
        let nameless = Client::new(SigningAlg::ES256, None);
        assert!(verify(&nameless.sign(ES256, CLAIMS), &set(&[&nameless.jwk]), &SigningAlg::ALL).is_ok());
        assert!(
            verify(&one.sign(r#"{"alg":"ES256","kid":"b"}"#, CLAIMS), &set(&[&one.jwk]), &SigningAlg::ALL).is_err()
        );
    }

    #[test]
    fn jo_01_and_02_only_an_allowed_algorithm() {
        let client = Client::new(SigningAlg::ES256, Some("a"));
        let rsa = Client::new(SigningAlg::RS256, Some("a"));
        let jwks = set(&[&client.jwk]);
        for alg in
            ["none", "None", "nOnE", "", "es256", "HS256", "ES384", "RS256", "PS256", "EdDSA", "PBES2-HS256+A128KW"]
        {
            let header = json!({"alg": alg, "kid": "a"}).to_string();
            assert!(verify(&client.sign(&header, CLAIMS), &jwks, &SigningAlg::ALL).is_err(), "{alg}");
        }
        for header in [r#"{"kid":"a"}"#, r#"{"alg":null}"#, r#"{"alg":["ES256"]}"#, "[]", "1", ""] {
            assert!(verify(&client.sign(header, CLAIMS), &jwks, &SigningAlg::ALL).is_err(), "{header}");
        }
        let good = client.sign(ES256, CLAIMS);
        assert!(verify(&good, &jwks, &[SigningAlg::PS256]).is_err(), "not this client's alg");
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(CLAIMS));
        assert!(verify(&unsigned, &jwks, &SigningAlg::ALL).is_err());

        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(CLAIMS));
        for secret in [set(&[&rsa.jwk]), rsa.jwk.to_string(), rsa.jwk["n"].as_str().unwrap().to_owned()] {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(signed.as_bytes());
            let jwt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
            assert!(verify(&jwt, &set(&[&rsa.jwk]), &SigningAlg::ALL).is_err());
        }
    }

    #[test]
    fn ca_10_and_jo_08_headers_that_ask_for_more() {
        let client = Client::new(SigningAlg::ES256, Some("a"));
        let jwks = set(&[&client.jwk]);
        for member in [
            r#""jku":"https://evil.vn""#,
            r#""x5u":"https://evil.vn""#,
            r#""x5c":[]"#,
            r#""jwk":{}"#,
            r#""zip":"DEF""#,
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""b64":false"#,
            r#""alg":"ES256""#,
            r#""kid":"a""#,
        ] {
            let header = format!(r#"{{"alg":"ES256","kid":"a",{member}}}"#);
            assert!(verify(&client.sign(&header, CLAIMS), &jwks, &SigningAlg::ALL).is_err(), "{member}");
        }
        for payload in [r#"{"iss":"a","iss":"b"}"#, "[]", "", "{}{}", &client.sign(ES256, CLAIMS)] {
            assert!(verify(&client.sign(ES256, payload), &jwks, &SigningAlg::ALL).is_err(), "{payload}");
        }
        for kid in ["../../x", "' OR 1=1 --"] {
            let header = json!({"alg": "ES256", "kid": kid}).to_string();
            assert!(verify(&client.sign(&header, CLAIMS), &jwks, &SigningAlg::ALL).is_err(), "{kid}");
        }
        let long = json!({"iss": "x".repeat(LONGEST)}).to_string();
        assert!(verify(&client.sign(ES256, &long), &jwks, &SigningAlg::ALL).unwrap_err().contains("longer"));
    }

    #[test]
    fn jo_10_only_the_canonical_spelling() {
        let client = Client::new(SigningAlg::ES256, Some("a"));
        let jwks = set(&[&client.jwk]);
        let good = client.sign(ES256, CLAIMS);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        // 64 bytes leave four bits unused in the last character.
        let twin = |last: char| char::from_u32(u32::from(last) + 1).unwrap();
        let last = signature.chars().last().unwrap();
        for bad in [
            format!("{good}="),
            format!("{good}A"),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}."),
            format!("{signed}."),
            format!("{signed}.{}{}", &signature[..signature.len() - 1], twin(last)),
            good[..good.len() - 1].to_owned(),
            signed.to_owned(),
            good.replace('.', ".."),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(verify(&bad, &jwks, &SigningAlg::ALL).is_err(), "{bad}");
        }
        assert!(verify(&good, &jwks, &SigningAlg::ALL).is_ok());
    }

    #[test]
    fn jo_16_only_strong_public_keys_are_admitted() {
        let ec = Client::new(SigningAlg::ES256, Some("a")).jwk;
        let rsa = Client::new(SigningAlg::PS256, Some("b")).jwk;
        let changed = |key: &Value, name: &str, value: Value| {
            let mut key = key.clone();
            key[name] = value;
            key
        };
        let number = |bytes: usize, last: u8| {
            let mut number = vec![0xff; bytes];
            number[bytes - 1] = last;
            Value::from(URL_SAFE_NO_PAD.encode(number))
        };
        assert_eq!(admit(&set(&[&ec, &rsa])), Ok(()));
        for bad in [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            set(&[]),
            set(&[&json!({"kty": "oct", "k": "AAAA"})]),
            set(&[&json!({"crv": "P-256"})]),
            set(&[&changed(&ec, "d", "AAAA".into())]),
            set(&[&ec, &changed(&rsa, "d", "AAAA".into())]),
            set(&[&changed(&ec, "use", "enc".into())]),
            set(&[&changed(&ec, "alg", "ES512".into())]),
            set(&[&changed(&ec, "crv", "P-521".into())]),
            set(&[&changed(&ec, "y", ec["x"].clone())]),
            set(&[&changed(&rsa, "n", number(128, 0xff))]),
            set(&[&changed(&rsa, "n", number(256, 0xfe))]),
            set(&[&changed(&rsa, "n", number(2048, 0xff))]),
            set(&[&changed(&rsa, "e", "AQ".into())]),
            set(&[&changed(&rsa, "e", "Aw".into())]),
            set(&[&changed(&rsa, "e", "AQAA".into())]),
            set(&[&ec, &changed(&rsa, "kid", "a".into())]),
            set(&[&ec; 21]),
            r#"{"keys":[],"keys":[]}"#.to_owned(),
        ] {
            assert!(admit(&bad).is_err(), "{bad}");
        }
        assert_eq!(admit(&set(&[&ec, &json!({"kty": "EC", "crv": "secp256k1"})])), Ok(()), "a key of no use to us");
    }

    proptest! {
        #[test]
        fn nothing_a_stranger_sends_is_believed(jwt in "[A-Za-z0-9_.=-]{0,200}", any in ".{0,60}") {
            let jwks = r#"{"keys":[]}"#;
            prop_assert!(verify(&jwt, jwks, &SigningAlg::ALL).is_err());
            prop_assert!(verify(&any, &any, &SigningAlg::ALL).is_err());
        }
    }
}
