//! Answers encrypted to a client (RFC 7516), with a public key of its set. Content is never compressed: its length would
//! tell of it, and whoever reads it would have to inflate what a stranger sent.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use josekit::JoseError;
use josekit::jwe::{self, JweEncrypter, JweHeader};
use josekit::jwk::Jwk;

use super::{ROOM, jwk};
use crate::domain::Fault;
use crate::domain::arrangement::{Encryption, KeyAlg};

/// Sets whose encrypters are kept ready.
const REMEMBERED: usize = 1024;

/// One key of a client's, ready to encrypt in one way.
struct Recipient {
    alg: KeyAlg,
    /// Named for encryption, so that it goes before a key that says nothing of its use.
    marked: bool,
    kid: Option<String>,
    encrypter: Box<dyn JweEncrypter>,
}

type Recipients = Arc<Vec<Recipient>>;

/// By the text of the set, so that a changed registration is a different entry.
static PREPARED: LazyLock<RwLock<HashMap<String, Recipients>>> = LazyLock::new(RwLock::default);

/// A compact JWE of the content. `cty` says that the content is a JWT (RFC 7519 §5.2).
pub fn encrypt(content: &[u8], nested: bool, encryption: Encryption, jwks_json: &str) -> Result<String, Fault> {
    let broken = |why: String| Fault::broken(ROOM, format!("encryption by {}: {why}", encryption.alg.name()));
    let recipients = prepared(jwks_json).map_err(broken)?;
    let fits = |recipient: &&Recipient| recipient.alg == encryption.alg;
    let recipient = recipients.iter().filter(fits).max_by_key(|recipient| recipient.marked);
    let recipient = recipient.ok_or_else(|| broken("no key of the client fits".to_owned()))?;
    let mut header = JweHeader::new();
    header.set_content_encryption(encryption.enc.name());
    if nested {
        header.set_content_type("JWT");
    }
    // RFC 7516 §4.1.6: which of its keys the client shall take.
    if let Some(kid) = &recipient.kid {
        header.set_key_id(kid);
    }
    jwe::serialize_compact(content, &header, &*recipient.encrypter).map_err(|error| broken(error.to_string()))
}

/// Whether a set has any key that answers can be encrypted to.
pub fn admit(jwks_json: &str) -> Result<(), String> {
    if prepared(jwks_json)?.is_empty() { Err("has no usable encryption key".to_owned()) } else { Ok(()) }
}

/// Whether a set has a key that the algorithm can encrypt to.
pub fn fits(jwks_json: &str, alg: KeyAlg) -> Result<(), String> {
    let recipients = prepared(jwks_json)?;
    if recipients.iter().any(|recipient| recipient.alg == alg) {
        return Ok(());
    }
    Err(format!("has no key to encrypt to by {}", alg.name()))
}

fn prepared(jwks_json: &str) -> Result<Recipients, String> {
    if let Some(recipients) = PREPARED.read().unwrap_or_else(PoisonError::into_inner).get(jwks_json) {
        return Ok(Arc::clone(recipients));
    }
    let recipients = Arc::new(prepare(jwks_json)?);
    let mut ready = PREPARED.write().unwrap_or_else(PoisonError::into_inner);
    if ready.len() >= REMEMBERED {
        ready.clear();
    }
    ready.insert(jwks_json.to_owned(), Arc::clone(&recipients));
    Ok(recipients)
}

fn prepare(jwks_json: &str) -> Result<Vec<Recipient>, String> {
    let mut recipients = Vec::new();
    for jwk in jwk::set(jwks_json, jwk::Use::Encryption)? {
        for alg in jwk::key_algs(&jwk) {
            let encrypter = encrypter(alg, &jwk).map_err(|_| format!("has a bad {} key", alg.name()))?;
            let kid = jwk.key_id().map(str::to_owned);
            recipients.push(Recipient { alg, marked: jwk.key_use().is_some(), kid, encrypter });
        }
    }
    Ok(recipients)
}

fn encrypter(alg: KeyAlg, jwk: &Jwk) -> Result<Box<dyn JweEncrypter>, JoseError> {
    Ok(match alg {
        KeyAlg::RsaOaep256 => Box::new(jwe::RSA_OAEP_256.encrypter_from_jwk(jwk)?),
        KeyAlg::EcdhEs => Box::new(jwe::ECDH_ES.encrypter_from_jwk(jwk)?),
        KeyAlg::EcdhEsA256Kw => Box::new(jwe::ECDH_ES_A256KW.encrypter_from_jwk(jwk)?),
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use josekit::jwe::JweDecrypter;
    use josekit::jwk::alg::ec::EcCurve;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::arrangement::ContentAlg;

    fn public(pair: &Jwk, patch: Value) -> Value {
        let mut key = serde_json::to_value(pair.to_public_key().unwrap()).unwrap();
        key.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        key
    }

    fn set(keys: &[Value]) -> String {
        json!({ "keys": keys }).to_string()
    }

    fn decrypter(alg: KeyAlg, pair: &Jwk) -> Box<dyn JweDecrypter> {
        match alg {
            KeyAlg::RsaOaep256 => Box::new(jwe::RSA_OAEP_256.decrypter_from_jwk(pair).unwrap()),
            KeyAlg::EcdhEs => Box::new(jwe::ECDH_ES.decrypter_from_jwk(pair).unwrap()),
            KeyAlg::EcdhEsA256Kw => Box::new(jwe::ECDH_ES_A256KW.decrypter_from_jwk(pair).unwrap()),
        }
    }

    fn header(jwe: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwe.split('.').next().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn rfc7516_jo_05_jo_07_only_the_owner_of_the_key_reads_it_and_nothing_is_compressed() {
        let (rsa, ec) = (Jwk::generate_rsa_key(2048).unwrap(), Jwk::generate_ec_key(EcCurve::P256).unwrap());
        let keys = set(&[public(&rsa, json!({"kid": "r", "use": "enc"})), public(&ec, json!({"kid": "e"}))]);
        let content = "x".repeat(3000);
        for alg in KeyAlg::ALL {
            let (pair, kid) = if alg == KeyAlg::RsaOaep256 { (&rsa, "r") } else { (&ec, "e") };
            for enc in ContentAlg::ALL {
                let jwe = encrypt(content.as_bytes(), true, Encryption { alg, enc }, &keys).unwrap();
                let told = header(&jwe);
                assert_eq!(
                    (&told["alg"], &told["enc"], &told["kid"], &told["cty"]),
                    (&json!(alg.name()), &json!(enc.name()), &json!(kid), &json!("JWT"))
                );
                assert!(told.get("zip").is_none() && jwe.len() > content.len());
                let (plain, _) = jwe::deserialize_compact(&jwe, &*decrypter(alg, pair)).unwrap();
                assert_eq!(plain, content.as_bytes());
                let stranger = if alg == KeyAlg::RsaOaep256 {
                    Jwk::generate_rsa_key(2048).unwrap()
                } else {
                    Jwk::generate_ec_key(EcCurve::P256).unwrap()
                };
                assert!(jwe::deserialize_compact(&jwe, &*decrypter(alg, &stranger)).is_err());
            }
        }
        let plain = encrypt(b"{}", false, Encryption { alg: KeyAlg::EcdhEs, enc: ContentAlg::A256Gcm }, &keys).unwrap();
        assert_eq!(header(&plain).get("cty"), None);
    }

    #[test]
    fn oidc_core_10_2_the_key_is_one_for_encryption_and_this_algorithm() {
        let pair = || Jwk::generate_ec_key(EcCurve::P256).unwrap();
        let both = public(&pair(), json!({"kid": "both"}));
        let marked = public(&pair(), json!({"kid": "marked", "use": "enc", "alg": "ECDH-ES"}));
        let signing = public(&pair(), json!({"kid": "sig", "use": "sig"}));
        let kid = |keys: &[Value], alg| {
            let encryption = Encryption { alg, enc: ContentAlg::A256Gcm };
            encrypt(b"{}", false, encryption, &set(keys)).ok().map(|jwe| header(&jwe)["kid"].clone())
        };
        let all = [signing.clone(), both, marked.clone()];
        assert_eq!(kid(&all, KeyAlg::EcdhEs), Some(json!("marked")));
        assert_eq!(kid(&all, KeyAlg::EcdhEsA256Kw), Some(json!("both")));
        assert_eq!(kid(&all, KeyAlg::RsaOaep256), None);
        assert_eq!(kid(std::slice::from_ref(&signing), KeyAlg::EcdhEs), None);
        assert_eq!(fits(&set(std::slice::from_ref(&marked)), KeyAlg::EcdhEs), Ok(()));
        assert!(fits(&set(std::slice::from_ref(&marked)), KeyAlg::EcdhEsA256Kw).is_err());
        assert!(fits(&set(&[signing]), KeyAlg::EcdhEs).is_err());
        // A point that is on no curve must never meet a key of ours, however short-lived.
        let mut off = marked;
        off["y"] = off["x"].clone();
        assert!(fits(&set(&[off]), KeyAlg::EcdhEs).is_err());
        let nameless = public(&pair(), json!({}));
        assert_eq!(kid(&[nameless], KeyAlg::EcdhEs), Some(Value::Null));
    }
}
