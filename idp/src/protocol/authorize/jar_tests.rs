use serde_json::json;

use super::*;
use crate::protocol::fixtures::{self, ISSUER, at};

const NOW: i64 = 1_800_000_000;

fn client(profile: Profile) -> Client {
    Client { profile, jwks: Some("{}".to_owned()), ..fixtures::client("rp", "openid") }
}

/// An object in order, some members replaced or (null) removed.
fn object(changes: Value) -> Map<String, Value> {
    let good = json!({
        "iss": "rp", "client_id": "rp", "aud": ISSUER, "exp": NOW + 300, "nbf": NOW, "iat": NOW, "jti": "j",
        "response_type": "code", "redirect_uri": "https://rp.gov.vn/cb",
    });
    let mut object = good.as_object().unwrap().clone();
    for (member, value) in changes.as_object().unwrap() {
        if value.is_null() { drop(object.remove(member)) } else { drop(object.insert(member.clone(), value.clone())) }
    }
    object
}

fn judged(header: Value, changes: Value, profile: Profile) -> Result<Option<ObjectId>, Error> {
    let (claims, header) = (object(changes), header.as_object().unwrap().clone());
    judge(&VerifiedObject { header: &header, claims: &claims }, &client(profile), Some("rp"), ISSUER, at(NOW))
}

#[test]
fn rfc9101_4_pj_10_pj_11_pj_13_what_an_object_must_say() {
    use Profile::{Fapi2, Fapi2MessageSigning, Oidc};
    // Changes, then whether `oidc` and the FAPI profiles take it.
    let rows: [(Value, bool, bool); 40] = [
        (json!({}), true, true),
        // PJ-10: parties
        (json!({"iss": "other"}), false, false),
        (json!({"iss": 1}), false, false),
        (json!({"iss": null}), true, false),
        (json!({"aud": [ISSUER]}), true, true),
        (json!({"aud": ["https://other.vn", ISSUER]}), true, true),
        (json!({"aud": "https://other.vn"}), false, false),
        (json!({"aud": ["https://other.vn"]}), false, false),
        (json!({"aud": []}), false, false),
        (json!({"aud": format!("{ISSUER}/par")}), false, false),
        (json!({"aud": format!("{ISSUER}/")}), false, false),
        (json!({"aud": null}), true, false),
        // PJ-10: times
        (json!({"exp": NOW}), false, false),
        (json!({"exp": NOW - 1}), false, false),
        (json!({"exp": NOW + 31_536_000}), false, false),
        (json!({"exp": NOW + 3600}), true, true),
        (json!({"exp": NOW + 3620}), false, false),
        (json!({"exp": null}), true, false),
        (json!({"exp": "soon"}), false, false),
        (json!({"exp": 1.5}), false, false),
        (json!({"nbf": NOW + 10}), true, true),
        (json!({"nbf": NOW + 60}), true, true),
        (json!({"nbf": NOW + 61}), false, false),
        (json!({"iat": NOW + 61}), false, false),
        (json!({"nbf": null}), true, false),
        (json!({"nbf": "now"}), false, false),
        (json!({"nbf": NOW - 3000, "exp": NOW + 300}), true, true),
        (json!({"nbf": NOW - 3400, "exp": NOW + 300}), true, false),
        (json!({"nbf": NOW - 3700, "exp": NOW + 1}), true, false),
        (json!({"iat": null}), true, true),
        // PJ-11
        (json!({"client_id": "other"}), false, false),
        (json!({"client_id": null}), true, false),
        (json!({"sub": "rp"}), false, false),
        // PJ-13 and what an object may not hold
        (json!({"jti": ""}), false, false),
        (json!({"jti": 7}), false, false),
        (json!({"jti": "j".repeat(257)}), false, false),
        (json!({"jti": "j\0i"}), false, false),
        (json!({"jti": null}), true, true),
        (json!({"request": "a.b.c"}), false, false),
        (json!({"request_uri": "https://rp.gov.vn/o"}), false, false),
    ];
    for (changes, oidc, fapi) in rows {
        for (profile, good) in [(Oidc, oidc), (Fapi2, fapi), (Fapi2MessageSigning, fapi)] {
            let found = judged(json!({}), changes.clone(), profile);
            assert_eq!(found.is_ok(), good, "{profile:?} {changes}: {found:?}");
            assert!(found.map_or_else(|error| error.code == ErrorCode::InvalidRequestObject, |_| true));
        }
    }
}

#[test]
fn rfc9101_5_pj_11_the_client_id_outside_is_the_one_inside() {
    let (claims, header) = (object(json!({})), Map::new());
    let object = VerifiedObject { header: &header, claims: &claims };
    let judged = |named| judge(&object, &client(Profile::Oidc), named, ISSUER, at(NOW));
    assert!(judged(Some("rp")).is_ok() && judged(None).is_ok() && judged(Some("other")).is_err());
}

#[test]
fn rfc8725_3_11_pj_14_types() {
    for good in
        [json!({}), json!({"typ": "JWT"}), json!({"typ": "oauth-authz-req+jwt"}), json!({"typ": "OAuth-Authz-Req+JWT"})]
    {
        assert!(judged(good.clone(), json!({}), Profile::Fapi2).is_ok(), "{good}");
    }
    for typ in ["dpop+jwt", "client-authentication+jwt", "at+jwt", "logout+jwt", "secevent+jwt", ""] {
        assert!(judged(json!({"typ": typ}), json!({}), Profile::Oidc).is_err(), "{typ}");
    }
    assert!(judged(json!({"typ": 1}), json!({}), Profile::Oidc).is_err());
}

#[test]
fn rfc9101_10_2_an_identifier_is_its_clients_and_kept_until_the_end() {
    let kept = |changes| judged(json!({}), changes, Profile::Oidc).unwrap();
    assert_eq!(kept(json!({})), Some(("rp j".to_owned(), at(NOW + 300))));
    assert_eq!(kept(json!({"exp": null})), Some(("rp j".to_owned(), at(NOW + 86_400))));
    assert_eq!(kept(json!({"jti": null})), None);
}

#[test]
fn rfc9101_5_oidc_core_6_pj_02_pj_08_who_may_send_an_object_which_way() {
    let mut registered = client(Profile::Oidc);
    registered.requests.request_uris = vec!["https://rp.gov.vn/object#v1".to_owned()];
    let keyless = Client { jwks: None, ..registered.clone() };
    let fapi = Client { profile: Profile::Fapi2, ..registered.clone() };
    let good = "request_uri=https%3A%2F%2Frp.gov.vn%2Fobject%23v1";
    let rows: [(&str, &Client, bool, Result<Carrier<'_>, ErrorCode>); 16] = [
        ("scope=openid", &keyless, false, Ok(Carrier::Plain)),
        ("request=a.b.c", &registered, false, Ok(Carrier::Value("a.b.c"))),
        ("request=a.b.c", &fapi, true, Ok(Carrier::Value("a.b.c"))),
        ("request=a.b.c", &keyless, false, Err(ErrorCode::RequestNotSupported)),
        ("request=a.b.c&request=a.b.c", &registered, false, Err(ErrorCode::InvalidRequest)),
        (good, &registered, false, Ok(Carrier::Reference("https://rp.gov.vn/object#v1"))),
        (good, &fapi, false, Err(ErrorCode::RequestUriNotSupported)),
        (good, &keyless, false, Err(ErrorCode::RequestUriNotSupported)),
        ("request_uri=https%3A%2F%2Frp.gov.vn%2Fobject", &registered, false, Err(ErrorCode::RequestUriNotSupported)),
        (
            "request_uri=https%3A%2F%2Frp.gov.vn%2Fobject%23v2",
            &registered,
            false,
            Err(ErrorCode::RequestUriNotSupported),
        ),
        ("request_uri=https%3A%2F%2Fevil.vn%2F", &registered, false, Err(ErrorCode::RequestUriNotSupported)),
        ("request_uri=http%3A%2F%2F127.0.0.1%3A6379%2F", &registered, false, Err(ErrorCode::RequestUriNotSupported)),
        ("request_uri=file%3A%2F%2F%2Fetc%2Fpasswd", &registered, false, Err(ErrorCode::RequestUriNotSupported)),
        ("request=a.b.c&request_uri=x", &registered, false, Err(ErrorCode::InvalidRequest)),
        (good, &registered, true, Err(ErrorCode::InvalidRequest)),
        (
            "request=a.b.c&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax",
            &fapi,
            true,
            Err(ErrorCode::InvalidRequest),
        ),
    ];
    for (text, client, pushed, expected) in rows {
        let params = Params::parse(text).unwrap();
        assert_eq!(carrier(&params, client, pushed).map_err(|error| error.code), expected, "{text} {pushed}");
    }
}

#[test]
fn rfc9101_6_3_pk_10_what_counts_of_inside_and_outside() {
    let outside = Params::parse("client_id=rp&request=a.b.c&state=outside&nonce=outside&scope=openid").unwrap();
    let claims = object(json!({"nonce": "inside", "max_age": 300, "claims": {"id_token": {"acr": null}},
        "resource": ["https://a.vn", "https://b.vn"], "prompt": null, "ui_locales": "vi",
        "authorization_details": [{"type": "x"}]}));
    let oidc = effective(&outside, &claims, Profile::Oidc);
    let fapi = effective(&outside, &claims, Profile::Fapi2);
    for params in [&oidc, &fapi] {
        let one = |name| params.one(name).unwrap();
        assert_eq!((one("nonce"), one("max_age"), one("client_id")), (Some("inside"), Some("300"), Some("rp")));
        assert_eq!(one("claims"), Some(r#"{"id_token":{"acr":null}}"#));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["https://a.vn", "https://b.vn"]);
        // RFC 9101 §4, RFC 9396 §2: a JSON array, which a form has as text.
        assert_eq!(params.all("authorization_details").collect::<Vec<_>>(), [r#"[{"type":"x"}]"#]);
        for gone in ["request", "iss", "aud", "exp", "jti", "prompt"] {
            assert!(!params.has(gone), "{gone}");
        }
    }
    assert_eq!((oidc.first("state"), oidc.first("scope")), (Some("outside"), Some("openid")));
    assert!(!fapi.has("state") && !fapi.has("scope"));
}

#[test]
fn fapi2_sp_5_4_1_what_an_object_may_be_signed_with() {
    let mut one = client(Profile::Oidc);
    assert_eq!(algs(&one), SigningAlg::ALL);
    one.requests.request_object_signing_alg = Some(SigningAlg::PS256);
    assert_eq!(algs(&one), [SigningAlg::PS256]);
    assert!(!algs(&client(Profile::Fapi2)).contains(&SigningAlg::RS256));
    // Registered before the profile was: the profile decides.
    let mut changed = client(Profile::Fapi2MessageSigning);
    changed.requests.request_object_signing_alg = Some(SigningAlg::RS256);
    assert!(algs(&changed).is_empty());
}
