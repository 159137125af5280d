//! What is signed: JWTs, key sets, DPoP proofs, request objects.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::domain::Client;
use idp::domain::relying_party::{Profile, SigningAlg};
use idp::keys::{client, proof};
use idp::protocol::Params;
use idp::protocol::authorize::jar;
use idp::protocol::dpop;
use serde_json::Value;

use crate::made::{ISSUER, JWK, NOW, service, text, two_objects, well_told};

static JWKS: LazyLock<String> = LazyLock::new(|| format!("{{\"keys\":[{JWK}]}}"));
/// The one thing the key ever signed.
const SIGNED: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImxvYWQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJzdmMiLCJzdWIiOiJzdmMiLCJhdWQiOiJodHRwczovL2lkLmdvdi52biIsImp0aSI6IjE4ZWEzN2VmNzhlN2NjMzUtMCIsImlhdCI6MTc5NTMwODkwMywiZXhwIjoxNzk1MzA5MTQzfQ";

/// Only what the key signed is accepted, in the one spelling base64url has.
pub fn jwt(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if client::kid(text, &SigningAlg::ALL).is_ok() {
        canonical(text);
    }
    if let Ok(verified) = client::verify(text, &JWKS, &SigningAlg::ALL) {
        canonical(text);
        assert!(text.starts_with(SIGNED), "a signature nobody made");
        assert!(verified.claims.contains_key("jti") && !verified.header.contains_key("jwk"));
        assert!(client::verify(text, &JWKS, &[SigningAlg::PS256]).is_err(), "by another algorithm");
        assert!(client::verify(text, "{\"keys\":[]}", &SigningAlg::ALL).is_err(), "by no key");
        assert!(proof::verify(text, &dpop::ALGS).is_err(), "as a proof");
    }
}

fn canonical(jwt: &str) {
    let parts: Vec<&str> = jwt.split('.').collect();
    assert!(parts.len() == 3 && jwt.len() <= 8192);
    for part in [parts.first(), parts.last()].into_iter().flatten() {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), *part);
    }
}

/// A set that may be registered has no private member in it and is read the same way twice.
pub fn jwks(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let prints = client::thumbprints(text);
    assert!(prints.iter().all(|print| print.len() == 43));
    if client::admit(text).is_ok() {
        let set: Value = serde_json::from_str(text).unwrap_or_default();
        let keys = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
        assert!(!keys.is_empty() && !prints.is_empty());
        for key in keys {
            let secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| key.get(name).is_some());
            assert!(!secret, "a secret in {key}");
            if let Some(kid) = key.get("kid").and_then(Value::as_str) {
                assert!(!client::has(text, kid) || client::may_have(text, kid));
            }
        }
        assert_eq!(client::thumbprints(text), prints);
    }
}

/// Only what the key in its own header signed; a proof is never a JWT of a client.
pub fn dpop_proof(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let lines: Vec<&str> = text.split('\n').collect();
    match dpop::single(&lines) {
        Err(error) => well_told(&error),
        Ok(found) => assert!(found.is_none_or(|found| lines == [found])),
    }
    if let Ok(verified) = proof::verify(text, &dpop::ALGS) {
        canonical(text);
        assert!(text.len() <= 4096 && verified.header.jkt.len() == 43);
        let jwk = verified.header.members.get("jwk").and_then(Value::as_object);
        assert!(jwk.is_some_and(|jwk| !jwk.contains_key("d") && !jwk.contains_key("k")));
        assert!(client::verify(text, &JWKS, &SigningAlg::ALL).is_err(), "as a JWT of a client");
        assert!(client::kid(text, &SigningAlg::ALL).is_err());
    }
}

/// RFC 9449 §4.3, said once more.
pub fn dpop_claims(input: &[u8]) {
    let Some((header, claims)) = two_objects(input) else { return };
    let address = [format!("{ISSUER}/token")];
    let proof = dpop::VerifiedProof { header: &header, claims: &claims, jkt: "key" };
    for access_token in [None, Some("token")] {
        let request = dpop::Request { method: "POST", addresses: &address, access_token };
        let judged = match dpop::judge(&proof, &request, NOW) {
            Ok(judged) => judged,
            Err(error) => {
                well_told(&error);
                continue;
            }
        };
        let said = |name: &str| claims.get(name).and_then(Value::as_str);
        let htu = said("htu").and_then(|htu| htu.split(['?', '#']).next()).unwrap_or_default().to_ascii_lowercase();
        assert!(htu.replace(":443/", "/") == format!("{ISSUER}/token"), "{htu}");
        assert_eq!((said("htm"), header.get("typ").and_then(Value::as_str)), (Some("POST"), Some("dpop+jwt")));
        assert!(access_token.is_none() || said("ath").is_some_and(|ath| ath.len() == 43));
        let (identifier, until) = judged.identifier();
        assert!(said("jti").is_some_and(|jti| !jti.is_empty() && identifier.ends_with(jti)));
        assert!(until > NOW && until.since(NOW).as_seconds() <= 361, "remembered while it counts");
    }
}

static SERVICE: LazyLock<Client> = LazyLock::new(service);

/// An object speaks for its own client, never carries another, and its own members never become parameters.
pub fn request_object(input: &[u8]) {
    let Some((header, claims)) = two_objects(input) else { return };
    let object = jar::VerifiedObject { header: &header, claims: &claims };
    for profile in [Profile::Oidc, Profile::Fapi2MessageSigning] {
        let client = Client { profile, ..SERVICE.clone() };
        let id = match jar::judge(&object, &client, Some("svc"), ISSUER, NOW) {
            Ok(id) => id,
            Err(error) => {
                well_told(&error);
                continue;
            }
        };
        let fields = |name: &str| claims.get(name).and_then(Value::as_str);
        assert!(claims.get("iss").is_none() || fields("iss") == Some("svc"));
        assert!(!claims.contains_key("request") && !claims.contains_key("request_uri"));
        assert!(
            !profile.is_fapi()
                || (claims.contains_key("exp") && claims.contains_key("nbf") && claims.contains_key("aud"))
        );
        assert!(id.is_none_or(|(id, until)| id.starts_with("svc ")
            && until > NOW
            && until.since(NOW).as_seconds() <= 86_400));
        let outside =
            Params::of(vec![("nonce".to_owned(), "outside".to_owned()), ("request".to_owned(), "x".to_owned())]);
        let made = jar::effective(&outside, &claims, profile);
        assert!(
            ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "request"]
                .iter()
                .all(|name| made.all(name).next().is_none())
        );
        if let Some(nonce) = fields("nonce") {
            assert_eq!(made.all("nonce").collect::<Vec<_>>(), [nonce], "what is signed wins");
        } else if profile.is_fapi() {
            assert!(made.first("nonce") != Some("outside"), "only what is signed counts");
        }
    }
}
