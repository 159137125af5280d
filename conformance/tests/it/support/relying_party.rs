//! A relying party of the tests: registered through `admin client put`, authenticated as registered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jws::{ES256, JwsHeader};
use serde_json::{Map, Value, json};

use super::wire::{Answer, Visitor, encode, pairs};
use super::{fresh, next, now, sandbox::Sandbox};

pub const REDIRECT: &str = "https://rp.gov.vn/cb";

#[derive(Clone, Debug)]
pub enum Proof {
    None,
    Basic(String),
    Post(String),
    Assertion(Box<Jwk>),
}

#[derive(Clone, Debug)]
pub struct RelyingParty {
    pub id: String,
    pub redirect: String,
    pub proof: Proof,
    /// What was registered, for a later `put` of the same client.
    pub metadata: Value,
    pub issuer: String,
}

impl Sandbox {
    /// A confidential client (`client_secret_basic`) with refresh tokens and the usual scopes.
    pub fn confidential(&self) -> RelyingParty {
        self.client(json!({}))
    }

    pub fn public(&self) -> RelyingParty {
        self.client(json!({"token_endpoint_auth_method": "none"}))
    }

    /// Registers a client; members of `patch` replace or (null) remove the defaults.
    pub fn client(&self, patch: Value) -> RelyingParty {
        let id = format!("rp-{}-{}", std::process::id(), next());
        let mut metadata = json!({
            "client_id": id,
            "client_name": {"vi": "Cổng thử nghiệm", "en": "Test portal"},
            "redirect_uris": [REDIRECT],
            "post_logout_redirect_uris": ["https://rp.gov.vn/bye"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "openid profile email phone address offline_access vn_identity vn_eid_status",
            "id_token_signed_response_alg": "ES256",
            "vn_sector": format!("{id}.rp.gov.vn"),
        });
        merge(&mut metadata, patch);
        let method = metadata["token_endpoint_auth_method"].as_str().unwrap_or("client_secret_basic").to_owned();
        let proof = match method.as_str() {
            "none" => Proof::None,
            "private_key_jwt" => {
                let (key, set) = key_pair();
                if metadata.get("jwks").is_none() && metadata.get("jwks_uri").is_none() {
                    metadata["jwks"] = set;
                }
                Proof::Assertion(Box::new(key))
            }
            other => {
                let secret = metadata.get("client_secret").and_then(Value::as_str).map_or_else(fresh, str::to_owned);
                metadata["client_secret"] = json!(secret);
                if other == "client_secret_post" { Proof::Post(secret) } else { Proof::Basic(secret) }
            }
        };
        let client = RelyingParty {
            id: metadata["client_id"].as_str().unwrap().to_owned(),
            redirect: metadata["redirect_uris"][0].as_str().unwrap_or_default().to_owned(),
            proof,
            metadata,
            issuer: self.issuer.clone(),
        };
        self.put_client(&client.metadata);
        client
    }

    pub fn put_client(&self, metadata: &Value) -> String {
        let file = self.file("client.json", &metadata.to_string());
        self.admin_ok(&["client", "put", file.to_str().unwrap()])
    }

    /// Whether the operator's command refuses this registration, with one line why on stderr.
    pub fn refuses_client(&self, metadata: &Value) -> Option<String> {
        let file = self.file("client.json", &metadata.to_string());
        let output = self.admin(&["client", "put", file.to_str().unwrap()]);
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        (output.status.code() == Some(1)).then_some(why)
    }
}

/// A P-256 key for assertions and the public set to register.
pub fn key_pair() -> (Jwk, Value) {
    let mut key = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    key.set_key_id(fresh());
    key.set_algorithm("ES256");
    key.set_key_use("sig");
    let public = serde_json::to_value(key.to_public_key().unwrap()).unwrap();
    (key, json!({"keys": [public]}))
}

pub fn sign(key: &Jwk, header: &[(&str, Value)], claims: &Value) -> String {
    let mut head = JwsHeader::new();
    head.set_algorithm("ES256");
    if let Some(kid) = key.key_id() {
        head.set_key_id(kid);
    }
    for (name, value) in header {
        head.set_claim(name, (!value.is_null()).then(|| value.clone())).unwrap();
    }
    let signer = ES256.signer_from_jwk(key).unwrap();
    josekit::jws::serialize_compact(claims.to_string().as_bytes(), &head, &signer).unwrap()
}

impl RelyingParty {
    pub fn assertion_claims(&self) -> Value {
        json!({"iss": self.id, "sub": self.id, "aud": self.issuer, "jti": fresh(), "iat": now(), "exp": now() + 60})
    }

    pub fn assertion(&self, patch: Value) -> String {
        let Proof::Assertion(key) = &self.proof else { panic!("{} has no key", self.id) };
        let mut claims = self.assertion_claims();
        merge(&mut claims, patch);
        sign(key, &[("typ", json!("JWT"))], &claims)
    }

    /// Fields and header that authenticate this client.
    pub fn credentials(&self) -> (Vec<(String, String)>, Option<String>) {
        match &self.proof {
            Proof::None => (pairs(&[("client_id", &self.id)]), None),
            Proof::Post(secret) => (pairs(&[("client_id", &self.id), ("client_secret", secret)]), None),
            Proof::Basic(secret) => (Vec::new(), Some(basic(&self.id, secret))),
            Proof::Assertion(_) => (assertion_fields(&self.assertion(json!({}))), None),
        }
    }

    /// A POST with this client's credentials.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.attempt(path, fields).await.unwrap()
    }

    pub async fn attempt(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        let (mut body, header) = self.credentials();
        body.extend(pairs(fields));
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        if let Some(header) = &header {
            headers.push(("authorization", header));
        }
        Visitor::new(&self.issuer).attempt("POST", path, &headers, Some(encode(&body).into_bytes())).await
    }

    pub async fn redeem(&self, code: &str, verifier: &str) -> Answer {
        self.call("/token", &self.redemption(code, verifier)).await
    }

    pub fn redemption<'a>(&'a self, code: &'a str, verifier: &'a str) -> [(&'a str, &'a str); 4] {
        let redirect = self.redirect.as_str();
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect), ("code_verifier", verifier)]
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.call("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn introspect(&self, token: &str) -> Value {
        let answer = self.call("/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        Visitor::new(&self.issuer).send("GET", "/userinfo", &[("authorization", &bearer)], None).await
    }
}

pub fn assertion_fields(assertion: &str) -> Vec<(String, String)> {
    pairs(&[
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ])
}

pub fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

/// Members of `patch` replace those of `into`; null removes.
pub fn merge(into: &mut Value, patch: Value) {
    let (Value::Object(into), Value::Object(patch)) = (into, patch) else { panic!("objects merge") };
    let merged: &mut Map<String, Value> = into;
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(&name);
        } else {
            merged.insert(name, value);
        }
    }
}
