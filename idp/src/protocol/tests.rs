//! What holds for the whole room.

mod about_tokens;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use url::form_urlencoded;

use super::authorize::{self, AddressPolicy, HintState, Hints, LoginHint, Shortfall, Way};
use super::fixtures::{self, CHALLENGE, ISSUER, at};
use super::*;
use crate::domain::grant::{Grant, Party};
use crate::domain::level::Acr;
use crate::domain::relying_party::{Floor, GrantType, SubjectType};
use crate::domain::standing::Refusal;
use crate::domain::{AuthenticationLevel, Client, Id};

fn params(text: &str) -> Params {
    Params::parse(text).unwrap()
}

fn rp() -> Client {
    fixtures::client("rp", "openid profile")
}

fn validated(text: &str, client: &Client) -> Result<(), Error> {
    let hints = Hints {
        way: Way::default(),
        id_token_hint: HintState::Absent,
        login_hint: LoginHint::Absent,
        now: at(0),
        post: false,
    };
    authorize::validate(&params(text), client, &hints).map(|_| ())
}

/// `prompt=none` for a request in order, with or without a session, a phone proof demanded, or a claim to ask about.
fn silent(signed_in: bool, demand: Option<u8>, scope: &str) -> Error {
    let client = Client { min_auth_level: demand, ..rp() };
    let mut request = fixtures::request(&client, scope);
    request.prompt = vec![crate::domain::request::Prompt::None];
    let session = fixtures::session(&[(crate::domain::Factor::Password, 900)]);
    let account = fixtures::account(Some(crate::domain::AccountLevel::One));
    let facts = authorize::Facts {
        session: signed_in.then_some(&session),
        account: signed_in.then_some(&account),
        prover: None,
        choice: authorize::next::Choice::Own,
        standing: Some(fixtures::standing(&account, at(1000))),
        sub: None,
        available: &fixtures::claims("name"),
        consents: &[],
        arriving: true,
        confirmed: false,
        approved: false,
    };
    match authorize::next(&request, &client, &facts, at(1000)) {
        authorize::Next::Refuse(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_error_code_is_produced_by_a_rule_or_is_the_doors() {
    let no_code = Client { grant_types: vec![GrantType::ClientCredentials], ..rp() };
    let shortfall = Shortfall { kind: authorize::next::ShortfallKind::Account, needed: Floor::default() };
    let own = Grant { party: Party::ClientItself, ..fixtures::grant("rp", "openid") };
    let id_token = "token=eyJhbGciOiJFUzI1NiJ9.e30.c2ln";
    let produced: Vec<Error> = vec![
        Params::parse("%").unwrap_err(),
        validated("response_type=code", &no_code).unwrap_err(),
        authorize::denied(),
        authorize::barred_error(Refusal::Locked),
        validated("response_type=token", &rp()).unwrap_err(),
        scope::granted("address", &rp()).unwrap_err(),
        token::credentials(&params(""), None).unwrap_err(),
        token::code::spent(),
        token::parse(&params("grant_type=password")).unwrap_err(),
        silent(false, None, "openid"),
        silent(true, Some(2), "openid"),
        silent(true, None, "openid profile"),
        authorize::jar::carrier(&params("request=x"), &rp(), false).unwrap_err(),
        authorize::jar::carrier(&params("request_uri=x"), &rp(), false).unwrap_err(),
        authorize::jar::replayed(),
        authorize::par::spent(),
        validated("registration=x", &rp()).unwrap_err(),
        shortfall.error(),
        userinfo::admit(&own, &[]).unwrap_err(),
        userinfo::admit(&fixtures::grant("rp", "profile"), &[]).unwrap_err(),
        revoke::token(&params(id_token)).unwrap_err(),
        registration::sector::unfetched("x"),
        registration::refuse("redirect_uris", "is missing"),
        step_up::refusal(None),
        resource::asked(&params("resource=a%20b")).unwrap_err(),
        authorization_details::approved_before(),
        dpop::single(&["", ""]).unwrap_err(),
        dpop::use_nonce(),
    ];
    // Ours to blame, and known only at the door: `web::reply` makes them of a `Fault`.
    let the_doors = [ErrorCode::ServerError, ErrorCode::TemporarilyUnavailable];
    for code in ErrorCode::ALL {
        let by_rule = produced.iter().any(|error| error.code == code);
        assert_ne!(by_rule, the_doors.contains(&code), "{}", code.as_str());
    }
    assert!(produced.iter().all(|error| !error.clause.is_empty() && error.told.is_ascii()));
}

#[test]
fn rfc6749_5_2_a_description_has_only_the_characters_it_may_have() {
    let error = Error::invalid_request("c", "a \"b\" \\ \r\n\t \u{1b} é \u{7f} ~");
    assert_eq!(error.told, "a ?b? ? ??? ? ? ? ~");
}

#[test]
fn discovery_is_true_and_complete() {
    let published = discovery::Published {
        issuer: ISSUER,
        certificates: None,
        acr: &Acr::ALL,
        service_documentation: Some("https://docs.gov.vn"),
        op_policy_uri: None,
        op_tos_uri: None,
    };
    let document = discovery::metadata(&published);
    for (member, value) in document.as_object().unwrap() {
        if member.ends_with("_endpoint") || member == "jwks_uri" {
            assert!(value.as_str().is_some_and(|url| url.starts_with("https://id.gov.vn/")), "{member}");
        }
        assert!(!value.is_null() && *value != json!([]), "{member}");
        let duplicates = |list: &Vec<serde_json::Value>| {
            list.len() != list.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len()
        };
        assert!(!value.as_array().is_some_and(duplicates), "{member}");
    }
    let exact = [
        ("issuer", json!(ISSUER)),
        ("end_session_endpoint", json!("https://id.gov.vn/end-session")),
        ("check_session_iframe", json!("https://id.gov.vn/check-session")),
        ("backchannel_logout_supported", json!(true)),
        ("backchannel_logout_session_supported", json!(true)),
        ("frontchannel_logout_supported", json!(true)),
        ("frontchannel_logout_session_supported", json!(true)),
        ("registration_endpoint", json!("https://id.gov.vn/register")),
        ("vn_trace_endpoint", json!("https://id.gov.vn/trace")),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post", "jwt", "query.jwt", "form_post.jwt"])),
        ("pushed_authorization_request_endpoint", json!("https://id.gov.vn/par")),
        ("require_pushed_authorization_requests", json!(false)),
        ("authorization_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        ("request_object_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        ("request_uri_parameter_supported", json!(true)),
        ("require_request_uri_registration", json!(true)),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("dpop_signing_alg_values_supported", json!(["ES256", "PS256", "EdDSA"])),
        ("subject_types_supported", json!(["pairwise", "public"])),
        ("id_token_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        ("id_token_encryption_alg_values_supported", json!(["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])),
        ("id_token_encryption_enc_values_supported", json!(["A128CBC-HS256", "A256GCM"])),
        ("userinfo_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        ("userinfo_encryption_alg_values_supported", json!(["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])),
        ("userinfo_encryption_enc_values_supported", json!(["A128CBC-HS256", "A256GCM"])),
        ("introspection_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ),
        ("request_parameter_supported", json!(true)),
        ("claims_parameter_supported", json!(true)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("ui_locales_supported", json!(["vi", "en"])),
        ("service_documentation", json!("https://docs.gov.vn")),
        (
            "acr_values_supported",
            json!([
                "urn:vn:eid:muc:1",
                "urn:vn:eid:muc:2",
                "urn:vn:eid:muc:2:xac-thuc:3",
                "urn:vn:eid:muc:2:xac-thuc:4",
                "urn:vn:eid:xac-thuc:1",
                "urn:vn:eid:xac-thuc:2",
                "urn:vn:eid:xac-thuc:3",
                "urn:vn:eid:xac-thuc:4"
            ]),
        ),
    ];
    for (member, value) in exact {
        assert_eq!(document[member], value, "{member}");
    }
    assert_eq!(document["scopes_supported"][0], "openid");
    assert!(document["claims_supported"].as_array().unwrap().contains(&json!("vn_bhyt")));
    // RFC 8414 §2: what is not there yet is absent, not announced.
    for absent in [
        "op_policy_uri",
        "mtls_endpoint_aliases",
        "introspection_encryption_alg_values_supported",
        "request_object_encryption_alg_values_supported",
    ] {
        assert!(document.get(absent).is_none(), "{absent}");
    }
    let offered = |has_authority| {
        let certificates = Some(discovery::Certificates { alias: "https://mtls.id.gov.vn", has_authority });
        discovery::metadata(&discovery::Published { certificates, ..published })
    };
    let document_with = offered(true);
    assert_eq!(document_with["mtls_endpoint_aliases"]["token_endpoint"], "https://mtls.id.gov.vn/token");
    assert_eq!(document_with["tls_client_certificate_bound_access_tokens"], true);
    let methods = |document: &serde_json::Value| document["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods(&document_with).contains("\"tls_client_auth\",\"self_signed_tls_client_auth\",\"none\""));
    assert!(!methods(&offered(false)).contains("\"tls_client_auth\""));
    assert!(methods(&offered(false)).contains("self_signed_tls_client_auth"));
    for prompt in document["prompt_values_supported"].as_array().unwrap() {
        let text = format!(
            "response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256&prompt={}",
            prompt.as_str().unwrap()
        );
        assert!(validated(&text, &rp()).is_ok(), "{prompt}");
    }
}

#[test]
fn oidc_core_8_1_public_clients_share_one_sector_no_pairwise_one_can_have() {
    let public = Client { subject_type: SubjectType::Public, ..rp() };
    assert_eq!((subject::sector(&rp()), subject::sector(&public)), ("rp.gov.vn", "*"));
}

#[test]
fn the_reasons_of_a_shortfall_never_change_their_leading_word() {
    use authorize::next::ShortfallKind;
    let needed = Floor { account: None, authentication: Some(AuthenticationLevel::Two) };
    let error = Shortfall { kind: ShortfallKind::Authentication, needed }.error();
    assert!(error.told.starts_with("authentication_level 2 "));
    assert!(authorize::barred_error(Refusal::GuardianRequired).told.starts_with("guardian_required"));
}

fn some_value() -> impl Strategy<Value = String> {
    let known = vec![
        "code",
        "token",
        "openid",
        "openid profile",
        "S256",
        "plain",
        CHALLENGE,
        "none",
        "login",
        "none login",
        "0",
        "-1",
        "form_post",
        "fragment",
        "rp",
        "https://rp.gov.vn/cb",
        "https://evil.vn/cb",
        "urn:vn:eid:muc:2",
        "{}",
        "{",
        "",
    ];
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => ".{0,30}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn each_request_is_exactly_one_of_page_redirect_or_accepted(
        pairs in prop::collection::vec((
            prop::sample::select(vec![
                "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age",
                "claims", "acr_values", "response_mode", "request", "ui_locales", "client_id", "redirect_uri", "x",
            ]),
            some_value(),
        ), 0..8),
        in_order in any::<bool>(),
    ) {
        let client = rp();
        let registered = fixtures::registered(client.clone());
        let mut all: Vec<(&str, &str)> = vec![];
        if in_order {
            all.extend([("client_id", "rp"), ("redirect_uri", "https://rp.gov.vn/cb"), ("response_type", "code"), ("scope", "openid"),
                ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
        }
        all.extend(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        let params = params(&form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish());
        let hints = Hints { way: Way::default(), id_token_hint: HintState::Absent, login_hint: LoginHint::Absent, now: at(0), post: false };
        let policy = AddressPolicy { issuer: ISSUER, http_loopback: false };
        let Ok(address) = authorize::named(&params, Some(&registered)).and_then(|rp| authorize::address(&params, rp, &policy)) else { return Ok(()) };
        match authorize::validate(&params, &client, &hints) {
            Ok(request) => {
                prop_assert_eq!(&request.client_id, &Id::new("rp"));
                prop_assert_eq!(request.redirect_uri.as_str(), address.uri());
                // What is kept leads to the same place as what was asked.
                let kept = authorize::ReturnAddress::of(&request, &client, &policy);
                prop_assert_eq!(kept.ok(), Some(address));
                prop_assert!(!request.scope.is_empty() && request.code_challenge.is_some());
            }
            Err(error) => {
                let sent = address.refuse(&error);
                let state = params.first("state");
                prop_assert!(sent.uri.starts_with("https://rp.gov.vn/cb"));
                let told = if sent.fields.is_empty() {
                    url::Url::parse(&sent.uri).unwrap().query_pairs().into_owned().collect()
                } else {
                    sent.fields
                };
                let value = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
                prop_assert_eq!(value("iss"), Some(ISSUER));
                prop_assert_eq!(value("error"), Some(error.code.as_str()));
                prop_assert!(value("code").is_none());
                prop_assert!(value("state").is_none() || value("state") == state);
            }
        }
    }
}
