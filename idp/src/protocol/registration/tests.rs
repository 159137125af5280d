use serde_json::json;

use super::*;
use crate::domain::claim::ClaimName;
use crate::domain::consent::Bilingual;
use crate::domain::relying_party::{AssertionAudience, PkcePolicy, Profile, SigningAlg};
use crate::protocol::fixtures::words;

const STRICT: Admission =
    Admission { http_loopback: false, unknown: Unknown::Refused, certificates: true, client_ca: true };
const SANDBOX: Admission =
    Admission { http_loopback: true, unknown: Unknown::Refused, certificates: false, client_ca: false };

mod keys;

fn minimal() -> Value {
    json!({"client_id": "rp", "redirect_uris": ["https://rp.gov.vn/cb"]})
}

/// The minimal file with some members replaced or added.
fn with(changes: Value) -> Value {
    let mut file = minimal();
    file.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    file
}

fn client(changes: Value) -> Client {
    admit(&with(changes), &STRICT).unwrap().0
}

fn refused(changes: Value) -> String {
    admit(&with(changes), &STRICT).unwrap_err().told
}

#[test]
fn contract_4_defaults_of_a_minimal_file() {
    let (client, secret) = admit(&minimal(), &STRICT).unwrap();
    assert_eq!(secret, None);
    assert_eq!(client.client_name, Bilingual { vi: "rp".into(), en: "rp".into() });
    assert_eq!(client.relying_party, client.client_name);
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!((client.scope.as_slice(), client.purposes.len()), (words("openid").as_slice(), 0));
    assert_eq!(client.id_token_signed_response_alg, SigningAlg::RS256);
    assert_eq!((client.subject_type, client.sector.as_str()), (SubjectType::Pairwise, "rp.gov.vn"));
    assert_eq!(
        (client.legal_basis, client.profile, client.pkce),
        (LegalBasis::Consent, Profile::Oidc, PkcePolicy::Required)
    );
    assert_eq!(client.assertion_audience, AssertionAudience::Issuer);
    assert!(client.sso && !client.acr_demand && client.services.is_empty());
}

#[test]
fn a_whole_file_is_understood_and_survives_storage() {
    let file = json!({
        "client_id": "ministry_1.a-b", "client_name": {"vi": "Bộ", "en": "Ministry"}, "vn_relying_party": "BHXH",
        "redirect_uris": ["https://a.gov.vn/cb", "https://b.gov.vn/cb?x=1"], "vn_sector": "gov.vn",
        "post_logout_redirect_uris": ["https://a.gov.vn/bye"], "response_types": ["code"], "application_type": "web",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "require_auth_time": true,
        "token_endpoint_auth_method": "client_secret_post", "client_secret": "a-long-enough-secret",
        "scope": "openid profile vn_health_insurance offline_access reports.read profile",
        "id_token_signed_response_alg": "EdDSA", "subject_type": "public", "default_acr_values": ["urn:vn:eid:muc:2"],
        "default_max_age": 3600, "logo_uri": "https://a.gov.vn/logo.png", "client_uri": "https://a.gov.vn",
        "policy_uri": "https://a.gov.vn/p", "tos_uri": "https://a.gov.vn/t", "contacts": ["a@a.gov.vn"],
        "vn_min_account_level": 2, "vn_min_auth_level": 2, "vn_acr_demand": true, "vn_legal_basis": "law",
        "vn_purposes": [{
            "id": "insurance", "title": {"vi": "Bảo hiểm", "en": "Insurance"}, "claims": ["name", "vn_bhyt"],
            "required": ["vn_bhyt"], "sensitive_reason": {"vi": "l", "en": "r"}
        }],
        "vn_services": [{"code": "1.004222", "title": {"vi": "x", "en": "y"}, "min_auth_level": 2, "claims": ["vn_bhyt"]}],
        "vn_security_level": 3, "vn_profile": "oidc", "vn_assertion_audience": "token_endpoint", "vn_sso": false,
        "vn_pkce": "optional", "jwks": null
    });
    let (client, secret) = admit(&file, &STRICT).unwrap();
    assert_eq!(secret.as_deref(), Some("a-long-enough-secret"));
    assert_eq!(client.scope, words("openid profile vn_health_insurance offline_access reports.read"));
    assert_eq!((client.sector.as_str(), client.default_max_age, client.sso), ("gov.vn", Some(3600), false));
    assert_eq!(client.purposes[0].required, [ClaimName::find("vn_bhyt").unwrap()]);
    let stored = serde_json::to_string(&client).unwrap();
    assert!(!stored.contains("a-long-enough-secret"));
    assert_eq!(serde_json::from_str::<Client>(&stored).unwrap(), client);
}

#[test]
fn contract_4_without_purposes_there_is_one_over_all_claims_of_the_scopes() {
    let client = client(json!({"scope": "openid email vn_identity"}));
    let names: Vec<_> = client.purposes[0].claims.iter().map(|claim| claim.as_str()).collect();
    assert_eq!((client.purposes.len(), client.purposes[0].id.as_str()), (1, "default"));
    assert_eq!(names, ["email", "email_verified", "vn_personal_id"]);
    assert!(client.purposes[0].required.is_empty());
}

#[test]
fn every_refusal_names_its_member() {
    let purpose = |changes: Value| {
        let mut purpose = json!({"id": "p", "title": {"vi": "a", "en": "b"}, "claims": ["email"]});
        purpose.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({"scope": "openid email profile", "vn_purposes": [purpose]})
    };
    let service = |service: Value| json!({"scope": "openid email", "vn_services": [service]});
    let title = json!({"vi": "a", "en": "b"});
    let rows = [
        ("client_id", json!({"client_id": null})),
        ("client_id", json!({"client_id": "a".repeat(65)})),
        ("client_id", json!({"client_id": "a b"})),
        ("client_id", json!({"client_id": 1})),
        ("client_name", json!({"client_name": {"vi": "x"}})),
        ("client_name", json!({"client_name": "a\nb"})),
        ("redirect_uris", json!({"redirect_uris": null})),
        ("redirect_uris", json!({"redirect_uris": []})),
        ("redirect_uris", json!({"redirect_uris": "https://rp.gov.vn/cb"})),
        ("grant_types", json!({"grant_types": []})),
        ("grant_types", json!({"grant_types": ["implicit"]})),
        ("grant_types", json!({"grant_types": ["refresh_token"]})),
        ("grant_types", json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"})),
        ("response_types", json!({"response_types": ["code", "id_token"]})),
        ("token_endpoint_auth_method", json!({"token_endpoint_auth_method": "client_secret_jwt"})),
        ("client_secret", json!({"client_secret": "short"})),
        ("client_secret", json!({"client_secret": "a-long-enough-secret", "token_endpoint_auth_method": "none"})),
        ("jwks", json!({"token_endpoint_auth_method": "private_key_jwt"})),
        ("scope", json!({"scope": "openid vn_helth"})),
        ("scope", json!({"scope": "openid \"x\""})),
        ("scope", json!({"scope": " "})),
        ("id_token_signed_response_alg", json!({"id_token_signed_response_alg": "none"})),
        ("subject_type", json!({"subject_type": "other"})),
        ("default_max_age", json!({"default_max_age": -1})),
        ("logo_uri", json!({"logo_uri": "http://rp.gov.vn/logo.png"})),
        ("policy_uri", json!({"policy_uri": "javascript:alert(1)"})),
        ("application_type", json!({"application_type": "x"})),
        ("vn_min_account_level", json!({"vn_min_account_level": 3})),
        ("vn_min_auth_level", json!({"vn_min_auth_level": 0})),
        ("vn_acr_demand", json!({"vn_acr_demand": "yes"})),
        ("vn_legal_basis", json!({"vn_legal_basis": "interest"})),
        ("vn_security_level", json!({"vn_security_level": 6})),
        ("vn_profile", json!({"vn_profile": "fapi1"})),
        ("vn_assertion_audience", json!({"vn_assertion_audience": "any"})),
        ("vn_sector", json!({"vn_sector": "*"})),
        ("vn_sector", json!({"vn_sector": "RP.gov.vn"})),
        ("vn_pkce", json!({"vn_pkce": "optional", "token_endpoint_auth_method": "none"})),
        ("vn_purposes", purpose(json!({"id": "offline_access"}))),
        ("vn_purposes", purpose(json!({"id": "a b"}))),
        ("vn_purposes", purpose(json!({"claims": []}))),
        ("vn_purposes", purpose(json!({"claims": ["unknown"]}))),
        ("vn_purposes", purpose(json!({"claims": ["address"]}))),
        ("vn_purposes", purpose(json!({"claims": ["email_verified"]}))),
        ("vn_purposes", purpose(json!({"required": ["name"]}))),
        ("vn_purposes", purpose(json!({"titel": 1}))),
        ("vn_services", service(json!({"code": "a b", "title": title}))),
        ("vn_services", service(json!({"code": "1", "title": title, "min_auth_level": 5}))),
        ("vn_services", service(json!({"code": "1", "title": title, "claims": ["name"]}))),
        ("jwks_uri", json!({"jwks_uri": "http://rp.gov.vn/jwks"})),
        ("jwks_uri", json!({"jwks_uri": "https://rp.gov.vn/jwks", "jwks": {"keys": []}})),
        ("initiate_login_uri", json!({"initiate_login_uri": "http://rp.gov.vn/go"})),
        ("software_id", json!({"software_id": ["x"]})),
        ("userinfo_signed_response_alg", json!({"userinfo_signed_response_alg": "none"})),
        ("introspection_signed_response_alg", json!({"introspection_signed_response_alg": "HS256"})),
        ("id_token_encrypted_response_alg", json!({"id_token_encrypted_response_alg": "RSA1_5"})),
        ("id_token_encrypted_response_alg", json!({"id_token_encrypted_response_alg": "PBES2-HS256+A128KW"})),
        ("id_token_encrypted_response_alg", json!({"id_token_encrypted_response_alg": "ECDH-ES"})),
        ("userinfo_encrypted_response_enc", json!({"userinfo_encrypted_response_enc": "A256GCM"})),
        ("vn_serves", json!({"vn_serves": ["https://api.gov.vn#x"]})),
        ("vn_serves", json!({"vn_serves": ["http://api.gov.vn"]})),
        ("vn_serves", json!({"vn_serves": ["api"]})),
        ("vn_serves", json!({"vn_serves": ["https://api.gov.vn"], "token_endpoint_auth_method": "none"})),
        ("vn_token_form", json!({"vn_token_form": "jwt"})),
        ("vn_token_form", json!({"vn_serves": ["https://api.gov.vn"], "vn_token_form": "saml"})),
        ("vn_token_signed_alg", json!({"vn_serves": ["https://api.gov.vn"], "vn_token_signed_alg": "ES256"})),
        ("vn_resources", json!({"vn_resources": "https://api.gov.vn"})),
        ("vn_resources", json!({"vn_resources": ["https://api.gov.vn/../x"]})),
        ("grant_types", json!({"grant_types": [], "vn_resources": ["https://api.gov.vn"]})),
        ("unknown_member", json!({"unknown_member": 1})),
    ];
    for (member, changes) in rows {
        let told = refused(changes.clone());
        assert!(told.starts_with(member), "{changes}: {told}");
    }
    assert!(admit(&json!([]), &STRICT).is_err());
}

#[test]
fn rfc9700_4_1_3_ru_11_ru_13_addresses_that_are_never_registered() {
    for uri in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///x",
        "intent://x",
        "app:/cb",
        "https://*.gov.vn/cb",
        "https://rp.gov.vn/*",
        "https://rp.gov.vn/cb#f",
        "http://rp.gov.vn/cb",
        "https://a@rp.gov.vn/cb",
        "https://RP.gov.vn/cb",
        "https://rp.gov.vn/../cb",
        "/cb",
        "",
    ] {
        for admission in [STRICT, SANDBOX] {
            assert!(admit(&with(json!({"redirect_uris": [uri]})), &admission).is_err(), "{uri}");
            assert!(admit(&with(json!({"post_logout_redirect_uris": [uri]})), &admission).is_err(), "{uri}");
        }
    }
}

#[test]
fn contract_3_and_rfc8252_7_3_loopback() {
    let at = |uri, method, admission| {
        let file = with(json!({"redirect_uris": [uri], "token_endpoint_auth_method": method}));
        admit(&file, &admission).map(|(client, _)| client.sector).ok()
    };
    let basic = "client_secret_basic";
    assert_eq!(at("http://localhost:8082/cb", basic, SANDBOX).as_deref(), Some("localhost:8082"));
    assert_eq!(at("http://localhost:8082/cb", basic, STRICT), None);
    assert_eq!(at("http://127.0.0.1/cb", "none", STRICT).as_deref(), Some("127.0.0.1"));
    assert_eq!(at("http://127.0.0.1/cb", basic, STRICT), None);
    assert_eq!(at("http://127.0.0.1:8000/cb", "none", STRICT), None);
    assert_eq!(at("http://localhost/cb", "none", STRICT), None);
}

#[test]
fn oidc_core_8_1_sectors() {
    let uris = |list: &[&str]| json!({"redirect_uris": list});
    assert_eq!(client(uris(&["https://a.vn/1", "https://a.vn:8443/2"])).sector, "a.vn");
    assert!(refused(uris(&["https://a.vn/1", "https://b.vn/2"])).starts_with("vn_sector"));
    let mut several = uris(&["https://a.vn/1", "https://b.vn/2"]);
    several["sector_identifier_uri"] = json!("https://c.vn/sector.json");
    assert_eq!(client(several.clone()).sector, "c.vn");
    several["vn_sector"] = json!("d.vn");
    assert_eq!(client(several).sector, "d.vn");
    let service = json!({"redirect_uris": null, "grant_types": ["client_credentials"], "scope": "reports.read"});
    assert_eq!(client(service).sector, "rp");
}

#[test]
fn rfc8707_2_what_a_client_answers_for_and_may_ask() {
    let server = client(json!({
        "grant_types": [], "redirect_uris": null, "scope": "dossiers.read", "vn_token_form": "jwt",
        "vn_token_signed_alg": "RS256", "vn_serves": ["https://api.gov.vn", "https://api.gov.vn/v2", "https://api.gov.vn"]
    }));
    assert_eq!(server.resources.serves, ["https://api.gov.vn", "https://api.gov.vn/v2"]);
    assert_eq!(server.resources.token_signed_alg, Some(SigningAlg::RS256));
    let portal = client(json!({"vn_resources": ["https://api.gov.vn"]}));
    assert_eq!((portal.resources.may_ask.len(), portal.resources.serves.len()), (1, 0));
    let loopback = with(json!({"vn_serves": ["http://localhost:8086"]}));
    assert!(admit(&loopback, &SANDBOX).is_ok() && admit(&loopback, &STRICT).is_err());
}

#[test]
fn rfc8705_2_1_2_one_way_of_naming_the_subject_of_a_certificate() {
    let dn = json!({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a,C=VN"});
    assert_eq!(client(dn.clone()).binding.tls_client_auth_subject_dn.as_deref(), Some("CN=a,C=VN"));
    assert!(client(json!({"dpop_bound_access_tokens": true})).binding.dpop_bound_access_tokens);
    let by = |name: &str, value: &str| json!({"token_endpoint_auth_method": "tls_client_auth", name: value});
    assert!(client(by("tls_client_auth_san_ip", "2001:db8::1")).binding.tls_client_auth_san_ip.is_some());
    let twice = |mut file: Value| {
        file["tls_client_auth_san_dns"] = json!("a.vn");
        file
    };
    for (file, member) in [
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), "tls_client_auth_subject_dn"),
        (twice(dn), "tls_client_auth_san_dns"),
        (by("tls_client_auth_subject_dn", "nobody"), "tls_client_auth_subject_dn"),
        (by("tls_client_auth_san_ip", "a.vn"), "tls_client_auth_san_ip"),
        (json!({"tls_client_auth_san_dns": "a.vn"}), "tls_client_auth_san_dns"),
        (json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"}), "jwks"),
    ] {
        let told = refused(file.clone());
        assert!(told.starts_with(member), "{file}: {told}");
    }
    // What is not offered is not registered.
    let offered = |changes: Value, certificates, client_ca| {
        admit(&with(changes), &Admission { certificates, client_ca, ..STRICT }).is_ok()
    };
    let dn = || by("tls_client_auth_subject_dn", "CN=a");
    let bound = || json!({"tls_client_certificate_bound_access_tokens": true});
    assert_eq!(
        [offered(dn(), true, true), offered(dn(), true, false), offered(dn(), false, false)],
        [true, false, false]
    );
    assert_eq!([offered(bound(), true, false), offered(bound(), false, false)], [true, false]);
}
