use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://op.example.vn",
        client_id: "idp",
        nonce: "n-1",
        begun_at: Moment::from_unix(NOW - 30),
        now: Moment::from_unix(NOW),
    }
}

fn good() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://op.example.vn", "sub": "248289761001", "aud": "idp", "exp": NOW + 300, "iat": NOW,
        "nonce": "n-1", "acr": "urn:a", "sid": "s-1", "auth_time": NOW - 5,
    });
    claims.as_object().unwrap().clone()
}

fn changed(name: &str, value: Option<Value>) -> Map<String, Value> {
    let mut claims = good();
    match value {
        Some(value) => claims.insert(name.to_owned(), value),
        None => claims.remove(name),
    };
    claims
}

#[test]
fn up_05_each_claim_of_an_id_token_is_checked() {
    let identified = Identified { sub: "248289761001".into(), sid: Some("s-1".into()), acr: Some("urn:a".into()) };
    assert_eq!(id_token(&good(), &expected()), Ok(identified));
    for (name, value) in [
        ("aud", Some(json!(["idp"]))),
        ("azp", Some(json!("idp"))),
        ("auth_time", None),
        ("acr", None),
        ("acr", Some(json!(2))),
        ("exp", Some(json!(NOW - 59))),
        ("iat", Some(json!(NOW + 60))),
        // UP-08: what it says of mail and phone is not looked at, whatever its type.
        ("email_verified", Some(json!("true"))),
        ("email_verified", Some(json!([true]))),
        ("phone_number", Some(json!({"a": 1}))),
    ] {
        assert!(id_token(&changed(name, value.clone()), &expected()).is_ok(), "{name} {value:?}");
    }
    for (name, value) in [
        ("iss", None),
        ("iss", Some(json!("https://op.example.vn/"))),
        ("iss", Some(json!(["https://op.example.vn"]))),
        ("aud", None),
        ("aud", Some(json!("other"))),
        ("aud", Some(json!([]))),
        ("aud", Some(json!(["idp", "other"]))),
        ("aud", Some(json!({"0": "idp"}))),
        ("azp", Some(json!("other"))),
        ("azp", Some(Value::Null)),
        ("exp", None),
        ("exp", Some(json!(NOW - 60))),
        ("exp", Some(json!("9999999999"))),
        ("iat", None),
        ("iat", Some(json!(NOW + 61))),
        ("iat", Some(json!(NOW - 601))),
        ("nbf", Some(json!(NOW + 61))),
        ("nonce", None),
        ("nonce", Some(json!("n-2"))),
        ("nonce", Some(json!(["n-1"]))),
        ("auth_time", Some(json!(NOW - 91))),
        ("auth_time", Some(json!("now"))),
        ("sub", None),
        ("sub", Some(json!(""))),
        ("sub", Some(json!(7))),
        ("sub", Some(json!("x".repeat(256)))),
    ] {
        assert!(id_token(&changed(name, value.clone()), &expected()).is_err(), "{name} {value:?}");
    }
}

#[test]
fn oidc_core_3_1_3_6_at_hash_binds_the_access_token() {
    // The example of OIDC Core A.3.
    let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let claims = changed("at_hash", Some(json!("77QmUPtjPfzWtF2AnpK9RQ")));
    assert_eq!(access_token(&claims, "RS256", token), Ok(()));
    assert_eq!(access_token(&good(), "RS256", token), Ok(()), "it is optional");
    for (alg, token) in [("RS256", "another"), ("RS384", token), ("EdDSA", token)] {
        assert!(access_token(&claims, alg, token).is_err(), "{alg}");
    }
    assert!(access_token(&changed("at_hash", Some(json!(["77QmUPtjPfzWtF2AnpK9RQ"]))), "RS256", token).is_err());
}

#[test]
fn oidc_core_5_3_2_userinfo_is_about_the_same_person() {
    assert!(userinfo(&good(), "248289761001").is_ok());
    for claims in
        [changed("sub", None), changed("sub", Some(json!("other"))), changed("sub", Some(json!(["248289761001"])))]
    {
        assert!(userinfo(&claims, "248289761001").is_err());
    }
}

fn logout() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://op.example.vn", "aud": "idp", "iat": NOW, "exp": NOW + 120, "jti": "j-1", "sub": "s",
        "events": {EVENT: {}},
    });
    claims.as_object().unwrap().clone()
}

fn told(name: &str, value: Option<Value>) -> Result<LoggedOut, Failure> {
    let mut claims = logout();
    match value {
        Some(value) => claims.insert(name.to_owned(), value),
        None => claims.remove(name),
    };
    logout_token(&claims, ("https://op.example.vn", "idp"), Moment::from_unix(NOW))
}

#[test]
fn lo_09_each_claim_of_a_logout_token_is_checked() {
    assert!(told("sid", Some(json!("1"))).is_ok_and(|out| out.sid.as_deref() == Some("1")));
    for (name, value) in [
        ("iss", Some(json!("https://evil.example"))),
        ("aud", Some(json!("other"))),
        ("iat", None),
        ("iat", Some(json!(NOW + 61))),
        ("iat", Some(json!(NOW - 301))),
        ("exp", None),
        ("exp", Some(json!(NOW - 60))),
        ("jti", None),
        ("jti", Some(json!(""))),
        ("sub", None),
        ("events", None),
        ("events", Some(json!({EVENT: true}))),
        ("events", Some(json!({"other": {}}))),
        ("events", Some(json!([EVENT]))),
        ("nonce", Some(json!("n"))),
        ("nonce", Some(Value::Null)),
    ] {
        assert!(told(name, value.clone()).is_err(), "{name} {value:?}");
    }
}

proptest! {
    /// Any one member replaced by anything else is either still the same person or refused: never another's.
    #[test]
    fn up_05_no_mutation_of_one_member_signs_in_somebody_else(
        member in proptest::sample::select(vec!["iss", "aud", "azp", "exp", "iat", "nonce", "auth_time", "nbf"]),
        value in prop_oneof![
            any::<i64>().prop_map(|n| json!(n)), ".{0,12}".prop_map(|s| json!(s)), Just(Value::Null), Just(json!([])),
        ],
    ) {
        if let Ok(identified) = id_token(&changed(member, Some(value)), &expected()) {
            prop_assert_eq!(identified.sub, "248289761001");
            prop_assert!(member != "iss" && member != "nonce" && member != "aud");
        }
    }
}
