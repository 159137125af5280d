//! DPoP proofs of the tests, right ones and spoilt ones.

use josekit::jwk::Jwk;
use josekit::jws::{ES256, JwsHeader};
use serde_json::{Value, json};

use super::relying_party::{key_pair, merge};
use super::{fresh, now, sha256_base64url};

/// A key a client proves itself with.
#[derive(Clone)]
pub struct Key(pub Jwk);

impl Key {
    pub fn new() -> Key {
        Key(key_pair().0)
    }

    pub fn public(&self) -> Value {
        let all = serde_json::to_value(self.0.to_public_key().unwrap()).unwrap();
        json!({"kty": all["kty"], "crv": all["crv"], "x": all["x"], "y": all["y"]})
    }

    pub fn jkt(&self) -> String {
        let public = self.public();
        sha256_base64url(&json!({"crv": public["crv"], "kty": "EC", "x": public["x"], "y": public["y"]}).to_string())
    }

    /// A proof with members of header and claims replaced, or (null) left out.
    pub fn spoilt(&self, htm: &str, htu: &str, header: Value, claims: Value) -> String {
        let mut head = json!({"typ": "dpop+jwt", "jwk": self.public()});
        let mut body = json!({"jti": fresh(), "htm": htm, "htu": htu, "iat": now()});
        merge(&mut head, header);
        merge(&mut body, claims);
        let mut jws = JwsHeader::new();
        jws.set_algorithm("ES256");
        for (name, value) in head.as_object().unwrap() {
            jws.set_claim(name, Some(value.clone())).unwrap();
        }
        let signer = ES256.signer_from_jwk(&self.0).unwrap();
        josekit::jws::serialize_compact(body.to_string().as_bytes(), &jws, &signer).unwrap()
    }

    pub fn proof(&self, htm: &str, htu: &str, claims: Value) -> String {
        self.spoilt(htm, htu, json!({}), claims)
    }
}

/// What binds a proof to an access token.
pub fn ath(access: &str) -> Value {
    json!({"ath": sha256_base64url(access)})
}
