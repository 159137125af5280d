use serde_json::json;
use url::form_urlencoded;

use super::*;
use crate::domain::consent::Bilingual;
use crate::domain::relying_party::{AuthMethod, PkcePolicy, Service};
use crate::domain::transaction::DetailsType;
use crate::protocol::fixtures::{self, CHALLENGE, at, claim, words};

fn hints() -> Hints {
    Hints {
        way: Way::default(),
        id_token_hint: HintState::Absent,
        login_hint: LoginHint::Absent,
        now: at(1000),
        post: false,
    }
}

fn client() -> Client {
    let mut client = fixtures::client("rp", "openid profile email offline_access vn_identity reports.read");
    let title = Bilingual { vi: "s".into(), en: "s".into() };
    let (min_account_level, min_auth_level) = (Some(2), Some(2));
    client.services =
        vec![Service { code: "1.004222".into(), title, min_account_level, min_auth_level, claims: vec![] }];
    client
}

/// The parameters of a request that is in order, with some replaced (`None` removes, the rest are added).
fn asked(changes: &[(&str, Option<&str>)]) -> Params {
    let base = [
        ("client_id", "rp"),
        ("redirect_uri", "https://rp.gov.vn/cb"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "st"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)).copied();
    let added = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    Params::parse(&form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(added)).finish()).unwrap()
}

fn ask(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, Error> {
    validate(&asked(changes), &client(), &hints())
}

#[test]
fn a_request_in_order_is_understood_whole() {
    let request = ask(&[
        ("scope", Some("profile unknown openid  profile offline_access reports.read")),
        ("response_mode", Some("form_post")),
        ("prompt", Some("login consent login")),
        ("max_age", Some("0")),
        ("acr_values", Some("urn:vn:eid:muc:2 junk URN:VN:EID:MUC:1 urn:vn:eid:muc:1 urn:vn:eid:muc:2")),
        ("service", Some("1.004222")),
        ("ui_locales", Some("se EN-us vi-VN en")),
        ("display", Some("junk")),
        ("claims_locales", Some("junk")),
        ("x_unknown", Some("1")),
    ])
    .unwrap();
    assert_eq!(request.redirect_uri, "https://rp.gov.vn/cb");
    assert_eq!(request.response_mode, ResponseMode::FormPost);
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("st"), Some("n")));
    assert_eq!(request.scope, words("profile openid offline_access reports.read"));
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent]);
    assert_eq!(request.max_age, Some(0));
    assert_eq!(request.acr_values, words("urn:vn:eid:muc:2 urn:vn:eid:muc:1"));
    assert_eq!(request.service.as_deref(), Some("1.004222"));
    assert_eq!(request.ui_locales, ["en", "vi"]);
    assert_eq!(request.asked_at, at(1000));
}

#[test]
fn every_clause_has_its_refusal() {
    use ErrorCode as E;
    let (long, plenty) = ("n".repeat(513), format!("[{}]", vec!["1"; 51].join(",")));
    let many = format!(r#"{{"userinfo":{{"name":{{"values":{plenty}}}}}}}"#);
    let deep = format!(r#"{{"userinfo":{{"name":{{"value":{}1{}}}}}}}"#, "[".repeat(9), "]".repeat(9));
    let rows: Vec<(&str, Option<&str>, E)> = vec![
        // OIDC Core §3.1.2.6: a way of asking that is not offered
        ("registration", Some("{}"), E::RegistrationNotSupported),
        // RFC 6749 §3.1.1, AZ-05
        ("response_type", None, E::InvalidRequest),
        ("response_type", Some(""), E::InvalidRequest),
        ("response_type", Some("token"), E::UnsupportedResponseType),
        ("response_type", Some("id_token"), E::UnsupportedResponseType),
        ("response_type", Some("id_token token"), E::UnsupportedResponseType),
        ("response_type", Some("code token"), E::UnsupportedResponseType),
        ("response_type", Some("none"), E::UnsupportedResponseType),
        // AZ-07
        ("response_mode", Some("fragment"), E::InvalidRequest),
        ("response_mode", Some("web_message"), E::InvalidRequest),
        ("response_mode", Some("jwt"), E::InvalidRequest),
        // RFC 7636 §4.3-4.4, PK-01, PK-02
        ("code_challenge", None, E::InvalidRequest),
        ("code_challenge", Some("short"), E::InvalidRequest),
        ("code_challenge_method", None, E::InvalidRequest),
        ("code_challenge_method", Some("plain"), E::InvalidRequest),
        ("code_challenge_method", Some("s256"), E::InvalidRequest),
        ("code_challenge_method", Some("S512"), E::InvalidRequest),
        // RFC 6749 §3.3, AZ-08
        ("scope", None, E::InvalidScope),
        ("scope", Some(" "), E::InvalidScope),
        ("scope", Some("unknown"), E::InvalidScope),
        ("scope", Some("openid address"), E::InvalidScope),
        ("scope", Some("openid vn_health_record"), E::InvalidScope),
        // OIDC Core §3.1.2.1
        ("nonce", Some(&long), E::InvalidRequest),
        ("prompt", Some("none login"), E::InvalidRequest),
        ("prompt", Some("create"), E::InvalidRequest),
        ("max_age", Some("-1"), E::InvalidRequest),
        ("max_age", Some("+1"), E::InvalidRequest),
        ("max_age", Some("abc"), E::InvalidRequest),
        ("max_age", Some("1.5"), E::InvalidRequest),
        ("max_age", Some("99999999999999999999"), E::InvalidRequest),
        // AZ-16
        ("state", Some("a\0b"), E::InvalidRequest),
        // contract 4
        ("service", Some("9.9"), E::InvalidRequest),
        // OIDC Core §5.5
        ("claims", Some("{"), E::InvalidRequest),
        ("claims", Some("[]"), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":1}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"name":true}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"name":{"essential":"true"}}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"name":{"values":"a"}}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"name":{"purpose":"ab"}}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"name":null,"name":null}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"sub":{"value":1}}}"#), E::InvalidRequest),
        ("claims", Some(r#"{"userinfo":{"sub":{"value":"a"}},"id_token":{"sub":{"value":"b"}}}"#), E::InvalidRequest),
        ("claims", Some(&many), E::InvalidRequest),
        ("claims", Some(&deep), E::InvalidRequest),
    ];
    for (name, value, code) in rows {
        let error = ask(&[(name, value)]).unwrap_err();
        assert_eq!(error.code, code, "{name}={value:?}: {error:?}");
        assert!(error.told.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'));
    }
}

#[test]
fn rfc6749_3_1_az_04_no_parameter_twice() {
    for name in SINGLE {
        let twice = [(*name, Some("openid")), (*name, Some("openid"))];
        assert_eq!(ask(&twice).unwrap_err().code, ErrorCode::InvalidRequest, "{name}");
    }
    assert!(ask(&[("x_unknown", Some("1")), ("x_unknown", Some("2"))]).is_ok());
}

#[test]
fn ways_we_do_not_offer_are_refused_before_anything_else() {
    let row = [("registration", Some("{}")), ("scope", None), ("response_type", Some("token"))];
    assert_eq!(ask(&row).unwrap_err().code, ErrorCode::RegistrationNotSupported);
    assert!(ask(&[("registration", Some(""))]).is_ok());
}

#[test]
fn rfc9126_6_rfc9101_10_5_fapi2_sp_5_3_2_2_only_the_ways_a_client_may_ask() {
    use crate::domain::relying_party::Profile::{Fapi2, Fapi2MessageSigning, Oidc};
    let of = |profile| Client { profile, pkce: PkcePolicy::Optional, ..client() };
    let (mut pushes, mut signs) = (of(Oidc), of(Oidc));
    pushes.requests.require_pushed_authorization_requests = true;
    signs.requests.require_signed_request_object = true;
    // Client, then whether plain, pushed, signed, and pushed and signed requests are in order.
    let rows = [
        (of(Oidc), [true, true, true, true]),
        (pushes, [false, true, false, true]),
        (signs, [false, false, true, true]),
        (of(Fapi2), [false, true, false, true]),
        (of(Fapi2MessageSigning), [false, false, false, true]),
    ];
    for (client, expected) in rows {
        let ways = [(false, false), (true, false), (false, true), (true, true)];
        for ((pushed, signed), good) in ways.into_iter().zip(expected) {
            let hints = Hints { way: Way { pushed, signed }, ..hints() };
            let found = validate(&asked(&[]), &client, &hints).map_err(|error| error.code);
            assert_eq!(found.is_ok(), good, "{:?} {pushed} {signed}", client.profile);
            assert!(good || found == Err(ErrorCode::InvalidRequest));
        }
        // `security.md` 2.7: nothing registered makes PKCE optional under FAPI.
        let hints = Hints { way: Way { pushed: true, signed: true }, ..hints() };
        let without = asked(&[("code_challenge", None), ("code_challenge_method", None)]);
        assert_eq!(validate(&without, &client, &hints).is_ok(), client.profile == Oidc);
    }
}

#[test]
fn contract_4_signed_modes_are_open_to_who_pushed() {
    let jwt = asked(&[("response_mode", Some("jwt"))]);
    let pushed = Hints { way: Way { pushed: true, signed: false }, ..hints() };
    assert_eq!(validate(&jwt, &client(), &pushed).unwrap().response_mode, ResponseMode::QueryJwt);
    assert_eq!(validate(&jwt, &client(), &hints()).unwrap_err().code, ErrorCode::InvalidRequest);
}

#[test]
fn rfc6749_4_1_2_1_a_client_without_the_grant_is_unauthorized() {
    let client = Client { grant_types: vec![GrantType::ClientCredentials], ..client() };
    assert_eq!(validate(&asked(&[]), &client, &hints()).unwrap_err().code, ErrorCode::UnauthorizedClient);
}

#[test]
fn pk_01_pkce_optional_is_for_confidential_clients_and_never_a_downgrade() {
    let without = asked(&[("code_challenge", None), ("code_challenge_method", None)]);
    let optional = Client { pkce: PkcePolicy::Optional, ..client() };
    assert_eq!(validate(&without, &optional, &hints()).unwrap().code_challenge, None);
    let public = Client { token_endpoint_auth_method: AuthMethod::None, ..optional.clone() };
    for (params, client) in
        [(&without, &client()), (&without, &public), (&asked(&[("code_challenge_method", None)]), &optional)]
    {
        assert_eq!(validate(params, client, &hints()).unwrap_err().code, ErrorCode::InvalidRequest);
    }
}

#[test]
fn oidc_core_11_offline_access_is_dropped_where_no_refresh_token_could_come_of_it() {
    let client = Client { grant_types: vec![GrantType::AuthorizationCode], ..client() };
    let request = validate(&asked(&[("scope", Some("openid offline_access"))]), &client, &hints()).unwrap();
    assert_eq!(request.scope, ["openid"]);
}

#[test]
fn a_nonce_of_384_characters_and_more_is_kept() {
    for length in [384, 512] {
        let nonce = "é".repeat(length);
        assert_eq!(ask(&[("nonce", Some(&nonce))]).unwrap().nonce.as_deref(), Some(nonce.as_str()));
    }
}

#[test]
fn oidc_core_5_5_the_claims_parameter_reduced_to_the_catalogue() {
    let text = json!({
        "userinfo": {"name": null, "email": {"essential": true, "x": 1}, "unknown": null, "acr": {"essential": true}},
        "id_token": {
            "acr": {"essential": true, "values": ["urn:vn:eid:muc:2", "junk"]}, "auth_time": {"essential": true},
            "birthdate": {"value": "1990-01-01", "purpose": "age check"}, "sub": {"value": "sub-1"}
        },
        "other": 1
    });
    let claims = ask(&[("claims", Some(&text.to_string()))]).unwrap().claims;
    let names: Vec<_> = claims.userinfo.keys().copied().collect();
    assert_eq!(names, [claim("email"), claim("name")]);
    assert!(claims.userinfo[&claim("email")].essential && !claims.userinfo[&claim("name")].essential);
    let birthdate = &claims.id_token[&claim("birthdate")];
    assert_eq!(
        (birthdate.values.as_slice(), birthdate.purpose.as_deref()),
        ([json!("1990-01-01")].as_slice(), Some("age check"))
    );
    let acr = claims.acr.unwrap();
    assert!(acr.essential && acr.values == [json!("urn:vn:eid:muc:2"), json!("junk")]);
    assert_eq!(claims.sub.as_deref(), Some("sub-1"));
    assert_eq!(ask(&[("claims", Some(r#"{"userinfo":null}"#))]).unwrap().claims, ClaimsRequest::default());
}

#[test]
fn oidc_core_3_1_2_1_az_14_hints() {
    let with = |id_token_hint, login_hint, post| {
        validate(&asked(&[]), &client(), &Hints { id_token_hint, login_hint, post, ..hints() })
    };
    let (sub, account) = (|| "s".to_owned(), || LoginHint::Account(Id::new("a")));
    assert_eq!(with(HintState::Invalid("is bad"), LoginHint::Absent, false).unwrap_err().told, "id_token_hint is bad");
    let rows = [
        (HintState::Subject(sub()), LoginHint::Absent, false, Some(Expected::Subject(sub()))),
        (HintState::Subject(sub()), LoginHint::Subject("t".into()), false, Some(Expected::Subject(sub()))),
        (HintState::Absent, LoginHint::Subject(sub()), false, Some(Expected::Subject(sub()))),
        (HintState::Absent, account(), true, Some(Expected::Hint(Id::new("a")))),
        (HintState::Absent, account(), false, None),
        (HintState::Absent, LoginHint::Unknown, true, None),
        (HintState::Absent, LoginHint::Absent, true, None),
    ];
    for (hint, login, post, expected) in rows {
        assert_eq!(with(hint, login, post).unwrap().expected, expected);
    }
}

#[test]
fn az_14_an_expired_hint_of_ours_will_do_and_no_other() {
    let claims = json!({"iss": "i", "aud": "rp", "sub": "s", "exp": 1, "auth_time": 1});
    let (claims, other) = (claims.as_object().unwrap(), fixtures::client("other", "openid"));
    assert_eq!(HintState::of(Some(claims), "i", &client()), HintState::Subject("s".into()));
    for state in [
        HintState::of(Some(claims), "j", &client()),
        HintState::of(Some(claims), "i", &other),
        HintState::of(None, "i", &other),
    ] {
        assert!(matches!(state, HintState::Invalid(_)));
    }
}

#[test]
fn rfc9396_a_transaction_is_read_and_nothing_is_granted_for_later_beside_it() {
    let details = r#"[{"type":"vn_transaction","identifier":"a","text":{"vi":"x"}}]"#;
    let mut paying = client();
    paying.requests.authorization_details_types = vec![DetailsType::VnTransaction];
    let ask = |client: &Client| {
        let changes = [("authorization_details", Some(details)), ("scope", Some("openid offline_access"))];
        validate(&asked(&changes), client, &hints())
    };
    let request = ask(&paying).unwrap();
    assert_eq!(request.scope, words("openid"));
    assert!(matches!(&request.transaction, Some(Proposal::Read(read)) if read.identifier == "a"));
    assert_eq!(ask(&client()).unwrap_err().code, ErrorCode::InvalidAuthorizationDetails);
    let twice = [("authorization_details", Some(details)), ("authorization_details", Some(details))];
    assert_eq!(validate(&asked(&twice), &paying, &hints()).unwrap_err().code, ErrorCode::InvalidRequest);
    assert_eq!(super::validate(&asked(&[]), &paying, &hints()).unwrap().transaction, None);
}
