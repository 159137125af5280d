use serde_json::json;

use super::super::{Admission, Unknown, admit, describe};
use super::*;
use crate::domain::relying_party::{AuthMethod, SubjectType};
use crate::protocol::error::ErrorCode;
use crate::protocol::fixtures::words;

const OPEN: Admission =
    Admission { http_loopback: false, unknown: Unknown::Ignored, certificates: false, client_ca: false };

fn purpose(claims: &[&str], required: &[&str]) -> Value {
    json!({"id": "p", "title": {"vi": "a", "en": "b"}, "claims": claims, "required": required})
}

fn policy() -> Policy {
    let file = json!({
        "scope": "openid email profile offline_access", "vn_min_account_level": 2, "vn_relying_party": "Bộ",
        "vn_purposes": [purpose(&["email", "name"], &["name"])], "vn_pkce": "optional",
        "vn_assertion_audience": "token_endpoint"
    });
    read(&file).unwrap()
}

fn registered(patch: Value) -> Result<Client, Error> {
    let mut request = json!({"redirect_uris": ["https://rp.gov.vn/cb"]});
    request.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    let file = fill(&request, &policy(), &Id::new("minted")).unwrap()?;
    admit(&file, &OPEN).map(|(client, secret)| {
        assert_eq!(secret, None);
        client
    })
}

#[test]
fn contract_4_the_policy_fills_what_a_request_omits() {
    let client = registered(json!({})).unwrap();
    assert_eq!(client.id.as_str(), "minted");
    assert_eq!(client.scope, words("openid email profile offline_access"));
    assert_eq!((client.min_account_level, client.pkce), (Some(2), PkcePolicy::Optional));
    assert_eq!(client.assertion_audience, AssertionAudience::TokenEndpoint);
    assert_eq!((client.relying_party.vi.as_str(), client.purposes.len()), ("Bộ", 1));
    assert_eq!(
        (client.grant_types.as_slice(), client.sector.as_str()),
        (&[GrantType::AuthorizationCode][..], "rp.gov.vn")
    );
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
}

#[test]
fn rg_05_what_was_not_offered_is_ignored() {
    let plain = registered(json!({})).unwrap();
    for privileged in [
        json!({"client_id": "console"}),
        json!({"client_secret": "a-secret-of-their-choice"}),
        json!({"subject_type": "public"}),
        json!({"scope": "openid email profile offline_access vn_identity vn_health_insurance reports.read"}),
        json!({"vn_sector": "ministry.gov.vn"}),
        json!({"vn_legal_basis": "law"}),
        json!({"vn_relying_party": "Bộ Công an"}),
        json!({"vn_purposes": [purpose(&["email", "name"], &["email", "name"])]}),
        json!({"vn_services": [{"code": "1", "title": {"vi": "a", "en": "b"}}]}),
        json!({"vn_security_level": 5}),
        json!({"vn_min_account_level": 1}),
        json!({"vn_pkce": "none"}),
        json!({"vn_profile": "unknown"}),
        json!({"vn_acr_demand": false}),
        json!({"vn_skip_consent": true, "service_account": true, "unknown": {"nested": [1]}}),
    ] {
        assert_eq!(registered(privileged.clone()).unwrap(), plain, "{privileged}");
    }
    assert_eq!(plain.subject_type, SubjectType::Pairwise);
}

#[test]
fn a_client_may_ask_for_less_and_hold_itself_to_more() {
    let less = json!({
        "scope": "openid email", "vn_pkce": "required", "vn_assertion_audience": "issuer", "vn_acr_demand": true,
        "vn_sso": false, "vn_min_auth_level": 2, "grant_types": ["authorization_code", "refresh_token"]
    });
    let client = registered(less).unwrap();
    assert_eq!(client.scope, words("openid email"));
    assert_eq!(client.purposes[0].claims.iter().map(|claim| claim.as_str()).collect::<Vec<_>>(), ["email"]);
    assert!(client.purposes[0].required.is_empty() && client.acr_demand && !client.sso);
    assert_eq!((client.min_auth_level, client.pkce), (Some(2), PkcePolicy::Required));
    assert_eq!(client.assertion_audience, AssertionAudience::Issuer);
    let public = registered(json!({"token_endpoint_auth_method": "none"})).unwrap();
    assert_eq!(public.pkce, PkcePolicy::Required, "RFC 9700 §2.1.1");
    assert!(registered(json!({"scope": "openid"})).unwrap().purposes.is_empty());
}

#[test]
fn rfc7591_3_2_2_refusals() {
    use ErrorCode::{InvalidClientMetadata as Metadata, InvalidRedirectUri as Redirect};
    for (code, member, wrong) in [
        (Redirect, "redirect_uris", json!({"redirect_uris": ["http://rp.gov.vn/cb"]})),
        (Redirect, "redirect_uris", json!({"redirect_uris": ["JavaScript:alert(1)"]})),
        (Redirect, "redirect_uris", json!({"redirect_uris": ["https://*.gov.vn/cb"]})),
        (Redirect, "redirect_uris", json!({"redirect_uris": ["https://rp.gov.vn/cb#f"]})),
        (Redirect, "redirect_uris", json!({"redirect_uris": []})),
        (Metadata, "scope", json!({"scope": "vn_identity"})),
        (Metadata, "scope", json!({"scope": 1})),
        (Metadata, "grant_types", json!({"grant_types": ["client_credentials"]})),
        (Metadata, "grant_types", json!({"grant_types": ["authorization_code", "implicit"]})),
        (Metadata, "response_types", json!({"response_types": ["id_token"]})),
        (Metadata, "jwks", json!({"token_endpoint_auth_method": "private_key_jwt"})),
        (Metadata, "token_endpoint_auth_method", json!({"token_endpoint_auth_method": "client_secret_jwt"})),
        (Metadata, "initiate_login_uri", json!({"initiate_login_uri": "http://rp.gov.vn/go"})),
        (Metadata, "client_name", json!({"client_name": "a\r\nSet-Cookie: x"})),
        (Metadata, "client_name", json!({"client_name": "x".repeat(10_240)})),
        (Metadata, "client_name", json!({"client_name": "VNeID\u{202e}nv.vog"})),
        (Metadata, "client_name", json!({"client_name#en": "VNeID\u{200b}"})),
        (Metadata, "vn_min_auth_level", json!({"vn_min_auth_level": "2"})),
        (Metadata, "vn_min_auth_level", json!({"vn_min_auth_level": 9})),
    ] {
        let error = registered(wrong.clone()).unwrap_err();
        assert!(error.code == code && error.told.starts_with(member), "{wrong}: {error:?}");
    }
    assert!(fill(&json!([]), &policy(), &Id::new("x")).unwrap().is_err());
    let narrow = read(&json!({"scope": "openid email profile", "vn_purposes": [purpose(&["name"], &[])]})).unwrap();
    let file = json!({"redirect_uris": ["https://rp.gov.vn/cb"], "scope": "openid email"});
    assert!(fill(&file, &narrow, &Id::new("x")).unwrap().unwrap_err().told.starts_with("scope"));
}

#[test]
fn a_policy_is_read_as_strictly_as_a_client_file() {
    for wrong in [
        json!({"scope": "openid vn_helth"}),
        json!({"grant_types": ["implicit"]}),
        json!({"grant_types": []}),
        json!({"vn_min_account_level": 3}),
        json!({"vn_profile": "unknown"}),
        json!({"vn_purposes": [purpose(&["name"], &[])]}),
        json!({"client_name": "x"}),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn rfc7591_3_2_1_all_registered_metadata_are_told() {
    let asked = json!({
        "client_name": "Portal", "client_name#vi": "Cổng", "logo_uri": "https://rp.gov.vn/l.png",
        "policy_uri": "https://rp.gov.vn/p", "tos_uri": "https://rp.gov.vn/t", "contacts": ["a@rp.gov.vn"],
        "initiate_login_uri": "https://rp.gov.vn/go", "default_max_age": 60, "require_auth_time": true,
        "application_type": "web", "software_id": "s", "software_version": "1", "response_types": ["code"],
        "jwks_uri": "https://rp.gov.vn/jwks", "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "redirect_uris": ["https://rp.gov.vn/cb"],
        "grant_types": ["authorization_code"], "scope": "openid email"
    });
    let told = describe(&registered(asked.clone()).unwrap()).unwrap();
    for (name, value) in asked.as_object().unwrap() {
        let expected = if name == "client_name" { &json!("Cổng") } else { value };
        assert_eq!(told.get(name), Some(expected), "{name}");
    }
    assert_eq!((told["client_name#en"].as_str(), told.get("jwks")), (Some("Portal"), None));
    assert!(told.values().all(|value| !value.is_null()));
    let key: Value = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    }]});
    let by_value = registered(json!({"jwks": key, "token_endpoint_auth_method": "private_key_jwt"})).unwrap();
    assert_eq!(describe(&by_value).unwrap()["jwks"], key);
}

#[test]
fn rfc7592_2_2_what_is_told_may_be_sent_back() {
    let admission = Admission { http_loopback: false, unknown: Unknown::Refused, certificates: true, client_ca: true };
    for file in [
        json!({"client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"], "scope": "openid"}),
        json!({"client_id": "svc", "grant_types": ["client_credentials"], "scope": "api"}),
        json!({"client_id": "Svc_1", "grant_types": ["client_credentials"], "scope": "api"}),
        json!({"client_id": "api", "grant_types": [], "scope": "api", "vn_serves": ["https://api.gov.vn"], "vn_token_form": "jwt"}),
    ] {
        let (client, _) = admit(&file, &admission).unwrap();
        let told = Value::Object(describe(&client).unwrap());
        assert_eq!(admit(&told, &admission).unwrap().0, client, "{told}");
    }
}

#[test]
fn rfc9396_10_types_of_details_only_as_far_as_the_policy_names_them() {
    let types = |policy: &Policy, asked: Value| {
        let request = json!({"redirect_uris": ["https://rp.gov.vn/cb"], "authorization_details_types": asked});
        let file = fill(&request, policy, &Id::new("minted")).unwrap()?;
        admit(&file, &OPEN).map(|(client, _)| client.requests.authorization_details_types.len())
    };
    let closed = policy();
    let open = read(&json!({"scope": "openid", "authorization_details_types": ["vn_transaction"]})).unwrap();
    let wish = || json!(["vn_transaction"]);
    assert_eq!(types(&closed, Value::Null), Ok(0));
    assert_eq!(types(&closed, wish()).unwrap_err().code, ErrorCode::InvalidClientMetadata);
    assert_eq!((types(&open, Value::Null), types(&open, wish()), types(&open, json!([]))), (Ok(1), Ok(1), Ok(0)));
    for wrong in [json!(["payment"]), json!("vn_transaction"), json!([1])] {
        assert!(types(&open, wrong.clone()).is_err(), "{wrong}");
    }
    assert!(read(&json!({"scope": "openid", "authorization_details_types": ["payment"]})).is_err());
    // A policy written before there was such a member allows none.
    let mut old = serde_json::to_value(&closed).unwrap();
    old.as_object_mut().unwrap().remove("authorization_details_types");
    assert_eq!(serde_json::from_value::<Policy>(old).unwrap(), closed);
}

#[test]
fn rfc6749_5_2_a_refusal_quotes_no_more_than_fits_an_answer() {
    let member = "é".repeat(5_000);
    let file = json!({"client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"], (member.as_str()): "x"});
    let admission = Admission { http_loopback: false, unknown: Unknown::Refused, certificates: true, client_ca: true };
    let error = admit(&file, &admission).unwrap_err();
    assert_eq!(error.told.len(), 400);
    assert!(error.told.bytes().all(|byte| byte == b'?'), "{}", error.told);
}
