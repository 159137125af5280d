use serde_json::{Value, json};

use super::*;
use crate::domain::Client;
use crate::protocol::registration::{Unknown, admit};

const STRICT: Admission =
    Admission { http_loopback: false, unknown: Unknown::Refused, certificates: true, client_ca: true };

fn keys() -> Value {
    let number = "x".repeat(42) + "w";
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x": number, "y": number, "kid": "a"}]})
}

fn file(changes: Value) -> Value {
    let mut file = json!({
        "client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"], "jwks": keys(),
        "token_endpoint_auth_method": "private_key_jwt",
    });
    for (member, value) in changes.as_object().unwrap() {
        file[member] = value.clone();
    }
    file
}

fn admitted(changes: Value) -> Client {
    admit(&file(changes), &STRICT).unwrap().0
}

fn refused(changes: Value) -> String {
    admit(&file(changes), &STRICT).unwrap_err().told
}

#[test]
fn contract_4_what_a_profile_fills_in() {
    let oidc = admitted(json!({}));
    assert_eq!((oidc.requests, oidc.answers), Default::default());
    assert_eq!((oidc.id_token_signed_response_alg, oidc.acr_demand), (SigningAlg::RS256, false));
    for (name, profile) in [("fapi2", Profile::Fapi2), ("fapi2_message_signing", Profile::Fapi2MessageSigning)] {
        let client = admitted(json!({"vn_profile": name}));
        assert_eq!(client.profile, profile);
        assert_eq!((client.id_token_signed_response_alg, client.acr_demand), (SigningAlg::ES256, true));
        assert_eq!((client.pkce, client.assertion_audience), (PkcePolicy::Required, AssertionAudience::Issuer));
        assert!(client.requests.require_pushed_authorization_requests);
        assert_eq!(client.requests.require_signed_request_object, profile == Profile::Fapi2MessageSigning);
        assert!(!admitted(json!({"vn_profile": name, "vn_acr_demand": false})).acr_demand);
    }
}

#[test]
fn fapi2_sp_5_3_2_what_a_profile_refuses() {
    for profile in ["fapi2", "fapi2_message_signing"] {
        for (member, value) in [
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("token_endpoint_auth_method", json!("client_secret_post")),
            ("token_endpoint_auth_method", json!("none")),
            ("id_token_signed_response_alg", json!("RS256")),
            ("request_object_signing_alg", json!("RS256")),
            ("authorization_signed_response_alg", json!("RS256")),
            ("userinfo_signed_response_alg", json!("RS256")),
            ("introspection_signed_response_alg", json!("RS256")),
            ("vn_pkce", json!("optional")),
            ("vn_assertion_audience", json!("token_endpoint")),
            ("require_pushed_authorization_requests", json!(false)),
            ("request_uris", json!(["https://rp.gov.vn/object"])),
        ] {
            let told = refused(json!({"vn_profile": profile, member: value}));
            assert!(told.starts_with(member), "{told}");
            // The same is a matter of choice for others, but for a public client's PKCE and keys.
            admitted(json!({member: value}));
        }
    }
    let told = refused(json!({"vn_profile": "fapi2_message_signing", "require_signed_request_object": false}));
    assert!(told.starts_with("require_signed_request_object"));
    assert!(refused(json!({"vn_profile": "fapi1"})).starts_with("vn_profile"));
}

#[test]
fn oidc_registration_2_rules_of_asking_and_answering() {
    let client = admitted(json!({
        "require_pushed_authorization_requests": true, "require_signed_request_object": true,
        "request_object_signing_alg": "PS256", "authorization_signed_response_alg": "EdDSA",
        "request_uris": ["https://rp.gov.vn/object#abc-_=", "https://rp.gov.vn/object"],
    }));
    let rules = &client.requests;
    assert!(rules.require_pushed_authorization_requests && rules.require_signed_request_object);
    assert_eq!(rules.request_object_signing_alg, Some(SigningAlg::PS256));
    assert_eq!(rules.request_uris, ["https://rp.gov.vn/object#abc-_=", "https://rp.gov.vn/object"]);
    assert_eq!(client.answers.authorization_signed_response_alg, Some(SigningAlg::EdDSA));
    let stored = serde_json::to_string(&client).unwrap();
    assert_eq!(serde_json::from_str::<Client>(&stored).unwrap(), client);
}

#[test]
fn oidc_registration_2_request_uris_that_are_no_such_addresses() {
    let many: Vec<String> = (0..21).map(|n| format!("https://rp.gov.vn/{n}")).collect();
    for bad in [
        json!("https://rp.gov.vn/o"),
        json!(["http://rp.gov.vn/o"]),
        json!(["http://localhost:1/o"]),
        json!(["file:///etc/passwd"]),
        json!(["https://RP.gov.vn/o"]),
        json!(["https://a@rp.gov.vn/o"]),
        json!(["https://rp.gov.vn/o#a#b"]),
        json!(["https://rp.gov.vn/o#a b"]),
        json!([format!("https://rp.gov.vn/o#{}", "a".repeat(513))]),
        json!(many),
    ] {
        assert!(refused(json!({"request_uris": bad})).starts_with("request_uris"), "{bad}");
    }
    assert!(
        admit(
            &file(json!({"request_uris": ["http://localhost:1/o#x"]})),
            &Admission { http_loopback: true, unknown: Unknown::Refused, certificates: true, client_ca: true }
        )
        .is_ok()
    );
}

#[test]
fn rfc9101_6_2_rules_about_objects_need_keys() {
    for changes in [
        json!({"require_signed_request_object": true}),
        json!({"request_object_signing_alg": "ES256"}),
        json!({"request_uris": ["https://rp.gov.vn/o"]}),
    ] {
        let mut keyless = changes;
        keyless["jwks"] = Value::Null;
        keyless["token_endpoint_auth_method"] = json!("client_secret_basic");
        assert!(refused(keyless).starts_with("jwks"));
    }
    assert!(refused(json!({"request_object_signing_alg": "none"})).starts_with("request_object_signing_alg"));
    assert!(refused(json!({"authorization_signed_response_alg": "HS256"})).starts_with("authorization_signed"));
}
