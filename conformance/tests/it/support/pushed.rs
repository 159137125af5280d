//! Requests that reach the provider otherwise than as plain parameters: pushed, or in a signed object.

use josekit::jwk::Jwk;
use josekit::jws::{EdDSA, JwsHeader, JwsSigner, PS256, RS256};
use serde_json::{Value, json};

use super::ask::Ask;
use super::relying_party::{Proof, RelyingParty, merge, sign};
use super::wire::{Answer, encode, pairs};
use super::{fresh, now, sandbox::Sandbox};

impl Sandbox {
    /// A client that signs: `private_key_jwt`, so that its key is registered.
    pub fn signing(&self, patch: Value) -> RelyingParty {
        let mut metadata = json!({"token_endpoint_auth_method": "private_key_jwt"});
        merge(&mut metadata, patch);
        self.client(metadata)
    }
}

impl RelyingParty {
    pub fn key(&self) -> &Jwk {
        match &self.proof {
            Proof::Assertion(key) => key,
            _ => panic!("{} has no key", self.id),
        }
    }

    /// Pushes a request as it is; the answer as it came.
    pub async fn push(&self, ask: &Ask) -> Answer {
        // Some credentials name the client already, and nothing may stand twice.
        let named = matches!(self.proof, Proof::None | Proof::Post(_));
        let fields = ask.fields.iter().filter(|(name, _)| !(named && name == "client_id"));
        let fields: Vec<(&str, &str)> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.call("/par", &fields).await
    }

    /// Pushes a request that must be taken: its `request_uri`.
    pub async fn pushed(&self, ask: &Ask) -> String {
        let answer = self.push(ask).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["request_uri"].as_str().unwrap().to_owned()
    }

    /// Where the browser goes with a `request_uri`.
    pub fn bring(&self, request_uri: &str) -> String {
        format!("/authorize?{}", encode(&pairs(&[("client_id", &self.id), ("request_uri", request_uri)])))
    }

    /// What a request object of this request says.
    pub fn object_claims(&self, ask: &Ask, patch: Value) -> Value {
        let mut claims = json!({"iss": self.id, "aud": self.issuer, "exp": now() + 60, "nbf": now(), "jti": fresh()});
        for (name, value) in &ask.fields {
            claims[name] = json!(value);
        }
        merge(&mut claims, patch);
        claims
    }

    /// The request as an object this client signed.
    pub fn object(&self, ask: &Ask, patch: Value) -> String {
        sign(self.key(), &[("typ", json!("oauth-authz-req+jwt"))], &self.object_claims(ask, patch))
    }

    /// What stands outside when everything is in an object.
    pub fn enclosed(&self, ask: &Ask, object: &str) -> Ask {
        Ask { fields: pairs(&[("client_id", &self.id), ("request", object)]), ..ask.clone() }
    }
}

/// As `sign`, with a key of another kind.
pub fn sign_with(alg: &str, key: &Jwk, claims: &Value) -> String {
    let signer: Box<dyn JwsSigner> = match alg {
        "RS256" => Box::new(RS256.signer_from_jwk(key).unwrap()),
        "PS256" => Box::new(PS256.signer_from_jwk(key).unwrap()),
        "EdDSA" => Box::new(EdDSA.signer_from_jwk(key).unwrap()),
        other => panic!("{other} is not signed with here"),
    };
    let mut header = JwsHeader::new();
    header.set_algorithm(alg);
    josekit::jws::serialize_compact(claims.to_string().as_bytes(), &header, &*signer).unwrap()
}

/// A key without an algorithm of its own, and its public half as registered beside others.
pub fn key_of_kind(kind: &str) -> (Jwk, Value) {
    let key = match kind {
        "RSA" => Jwk::generate_rsa_key(2048).unwrap(),
        _ => Jwk::generate_ed_key(josekit::jwk::alg::ed::EdCurve::Ed25519).unwrap(),
    };
    let public = serde_json::to_value(key.to_public_key().unwrap()).unwrap();
    (key, public)
}
