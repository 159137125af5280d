//! Our tokens as a relying party reads them: verified with the published keys by `kid` and `alg`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jws::{ES256, EdDSA, JwsVerifier, PS256, RS256, deserialize_compact};
use serde_json::Value;

use super::sandbox::Sandbox;

/// Header and claims without any check.
pub fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

pub fn claims(token: &str) -> Value {
    read(token).1
}

impl Sandbox {
    pub async fn jwks(&self) -> Value {
        self.visitor().get("/jwks").await.json()
    }

    /// The claims of a token whose signature holds under the published key it names.
    pub async fn verified(&self, token: &str) -> Value {
        let (header, claims) = read(token);
        let jwks = self.jwks().await;
        let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
        let key = key.unwrap_or_else(|| panic!("kid {} is not published", header["kid"]));
        let jwk = Jwk::from_map(key.as_object().unwrap().clone()).unwrap();
        assert_eq!(header["alg"], key["alg"], "the key is for one algorithm");
        let verifier: Box<dyn JwsVerifier> = match header["alg"].as_str().unwrap() {
            "ES256" => Box::new(ES256.verifier_from_jwk(&jwk).unwrap()),
            "RS256" => Box::new(RS256.verifier_from_jwk(&jwk).unwrap()),
            "PS256" => Box::new(PS256.verifier_from_jwk(&jwk).unwrap()),
            "EdDSA" => Box::new(EdDSA.verifier_from_jwk(&jwk).unwrap()),
            other => panic!("{other} is not offered"),
        };
        deserialize_compact(token, verifier.as_ref()).expect("the signature holds");
        claims
    }
}
