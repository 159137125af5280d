use serde_json::json;

use super::*;
use crate::domain::relying_party::AssertionAudience;
use crate::domain::secret::Stored;
use crate::protocol::ErrorCode;
use crate::protocol::fixtures::{self, ISSUER, SECRET, at};

fn basic_header(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn jwt(claims: &Value) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn assertion_body(claims: &Value) -> String {
    format!("client_assertion_type={}&client_assertion={}", JWT_BEARER.replace(':', "%3A"), jwt(claims))
}

fn rp(method: AuthMethod) -> Registered {
    let mut client = fixtures::client("rp", "openid");
    client.token_endpoint_auth_method = method;
    let secret = matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
    let mut registered = fixtures::registered(client);
    registered.secret = registered.secret.filter(|_| secret);
    registered
}

fn read(body: &str, header: Option<&str>) -> Result<Credentials, Error> {
    credentials(&Params::parse(body).unwrap(), header)
}

#[test]
fn rfc6749_2_3_ca_01_exactly_one_method() {
    let header = basic_header(&format!("rp:{SECRET}"));
    let assertion = assertion_body(&json!({"sub": "rp"}));
    let rows = [
        (format!("client_id=rp&client_secret={SECRET}"), Some(&header)),
        (assertion.clone(), Some(&header)),
        (format!("{assertion}&client_id=rp&client_secret={SECRET}"), None),
        ("client_assertion_type=x".to_owned(), Some(&header)),
        ("client_id=rp&client_id=rp".to_owned(), None),
        (format!("client_id=rp&client_secret={SECRET}&client_secret={SECRET}"), None),
    ];
    for (body, header) in rows {
        assert_eq!(read(&body, header.map(String::as_str)).unwrap_err().code, ErrorCode::InvalidRequest, "{body}");
    }
    assert!(read("client_id=rp", Some(&header)).is_ok(), "naming oneself is no second method");
}

#[test]
fn rfc6749_2_3_1_ca_13_basic_headers() {
    let bad = [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Bearer x",
        &basic_header("nocolon"),
        &basic_header("rp:"),
        &basic_header(":s"),
        &basic_header("rp:%zz"),
        &format!("Basic {}", STANDARD.encode([b'r', b':', 0xff])),
    ];
    for header in bad {
        assert_eq!(read("", Some(header)).unwrap_err().code, ErrorCode::InvalidClient, "{header}");
    }
    let mut registered = rp(AuthMethod::ClientSecretBasic);
    registered.secret = Some(Stored::of("s:e+c r%t\u{e9}-and-more"));
    for scheme in ["Basic", "basic", "BASIC"] {
        let header = basic_header("rp:s%3Ae%2Bc+r%25t%C3%A9-and-more").replacen("Basic", scheme, 1);
        let credentials = read("", Some(&header)).unwrap();
        assert!(prove(&credentials, Some(&registered), &Verified::default(), ISSUER, at(0)).is_ok());
    }
}

#[test]
fn rfc6749_5_2_unreadable_or_absent_credentials_are_invalid_client() {
    let good = assertion_body(&json!({"sub": "rp"}));
    let bodies = [
        "",
        "client_secret=x",
        "client_assertion=a.b.c",
        "client_assertion_type=x&client_assertion=a.b.c",
        &format!("client_assertion_type={JWT_BEARER}"),
        &format!("client_assertion_type={JWT_BEARER}&client_assertion=a"),
        &format!("client_assertion_type={JWT_BEARER}&client_assertion=a.!.c"),
        &format!("{good}&client_id=other"),
        &assertion_body(&json!({"iss": "rp"})),
        &assertion_body(&json!({"sub": 1})),
        &assertion_body(&json!([])),
    ];
    for body in bodies {
        assert_eq!(read(body, None).unwrap_err().code, ErrorCode::InvalidClient, "{body}");
    }
    assert_eq!(read(&good, None).unwrap().client_id().as_str(), "rp");
}

#[test]
fn ca_02_ca_16_everything_wrong_is_told_alike() {
    let secret_basic = read("", Some(&basic_header(&format!("rp:{SECRET}")))).unwrap();
    let secret_post = read(&format!("client_id=rp&client_secret={SECRET}"), None).unwrap();
    let wrong = read("", Some(&basic_header("rp:wrong"))).unwrap();
    let nothing = read("client_id=rp", None).unwrap();
    let assertion = read(&assertion_body(&json!({"sub": "rp"})), None).unwrap();
    use AuthMethod::{ClientSecretBasic, ClientSecretPost, PrivateKeyJwt};
    let gone = |status| Registered { status, ..rp(ClientSecretBasic) };
    let unset = Registered { secret: None, ..rp(ClientSecretBasic) };
    let another = fixtures::registered(fixtures::client("other", "openid"));
    let rows = [
        (&wrong, Some(rp(ClientSecretBasic))),
        (&secret_basic, None),
        (&secret_basic, Some(another)),
        (&secret_basic, Some(unset)),
        (&secret_basic, Some(rp(ClientSecretPost))),
        (&secret_basic, Some(rp(PrivateKeyJwt))),
        (&secret_basic, Some(rp(AuthMethod::None))),
        (&secret_basic, Some(gone(ClientStatus::Suspended))),
        (&secret_basic, Some(gone(ClientStatus::Closed))),
        (&secret_post, Some(rp(ClientSecretBasic))),
        (&nothing, Some(rp(ClientSecretBasic))),
        (&nothing, Some(rp(PrivateKeyJwt))),
        (&assertion, Some(rp(PrivateKeyJwt))),
        (&assertion, Some(rp(ClientSecretBasic))),
        (&assertion, Some(rp(AuthMethod::None))),
    ];
    for (credentials, registered) in rows {
        let error = prove(credentials, registered.as_ref(), &Verified::default(), ISSUER, at(0)).unwrap_err();
        assert_eq!((error.code, error.told.as_str()), (ErrorCode::InvalidClient, "client authentication failed"));
    }
    let good = [(&secret_basic, ClientSecretBasic), (&secret_post, ClientSecretPost), (&nothing, AuthMethod::None)];
    for (credentials, method) in good {
        let proved = prove(credentials, Some(&rp(method)), &Verified::default(), ISSUER, at(0)).unwrap();
        assert_eq!((proved.client().id.as_str(), proved.jti()), ("rp", None));
    }
}

fn good_claims() -> Value {
    json!({"iss": "rp", "sub": "rp", "aud": ISSUER, "exp": 1300, "iat": 1000, "nbf": 1000, "jti": "j"})
}

/// Proves an assertion with some claims replaced (null removes) at 1000 s.
fn assert_with(changes: Value, header: Value, audience: AssertionAudience) -> Result<Authenticated, Error> {
    let mut claims = good_claims().as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.remove(name)
        } else {
            claims.insert(name.clone(), value.clone())
        };
    }
    let mut client = fixtures::client("rp", "openid");
    client.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
    client.assertion_audience = audience;
    let credentials = read(&assertion_body(&good_claims()), None).unwrap();
    let verified = VerifiedAssertion { header: header.as_object().unwrap(), claims: &claims };
    prove(
        &credentials,
        Some(&fixtures::registered(client)),
        &Verified { assertion: Some(&verified), keys: &[] },
        ISSUER,
        at(1000),
    )
}

#[test]
fn rfc7523_3_and_d14_assertion_rules() {
    let (long, longest) = ("j".repeat(257), "j".repeat(256));
    let rows = [
        (json!({}), true),
        (json!({"iat": null, "nbf": null}), true),
        (json!({"iss": "other"}), false),
        (json!({"sub": "other"}), false),
        (json!({"iss": null}), false),
        (json!({"sub": null}), false),
        // audience: one plain string, byte for byte
        (json!({"aud": [ISSUER]}), false),
        (json!({"aud": format!("{ISSUER}/")}), false),
        (json!({"aud": "https://id.gov.vn/token"}), false),
        (json!({"aud": ""}), false),
        (json!({"aud": 1}), false),
        (json!({"aud": null}), false),
        // JO-11
        (json!({"exp": null}), false),
        (json!({"exp": "1300"}), false),
        (json!({"exp": 1300.5}), false),
        (json!({"exp": 1e30}), false),
        (json!({"exp": -1}), false),
        (json!({"exp": 1000}), false),
        (json!({"exp": 1001}), true),
        (json!({"exp": 4610}), true),
        (json!({"exp": 4611}), false),
        // CA-07
        (json!({"iat": 1010, "nbf": 1010}), true),
        (json!({"iat": 1060}), true),
        (json!({"iat": 1061}), false),
        (json!({"nbf": 1061}), false),
        (json!({"iat": "1000"}), false),
        // CA-05
        (json!({"jti": null}), false),
        (json!({"jti": ""}), false),
        (json!({"jti": "j\0i"}), false),
        (json!({"jti": 1}), false),
        (json!({"jti": longest}), true),
        (json!({"jti": long}), false),
    ];
    for (changes, good) in rows {
        let found = assert_with(changes.clone(), json!({"alg": "ES256"}), AssertionAudience::Issuer);
        assert_eq!(found.is_ok(), good, "{changes}: {found:?}");
        assert!(found.is_ok() || found.unwrap_err().code == ErrorCode::InvalidClient);
    }
    let proved = assert_with(json!({}), json!({}), AssertionAudience::Issuer).unwrap();
    assert_eq!(proved.jti(), Some(("rp j", at(1300))));
}

#[test]
fn d14_the_token_endpoint_as_audience_only_where_registered() {
    let header = json!({"alg": "ES256"});
    for (aud, good) in [
        (json!(ISSUER), true),
        (json!("https://id.gov.vn/token"), true),
        (json!(["https://id.gov.vn/token"]), false),
        (json!("https://id.gov.vn/par"), false),
    ] {
        let found = assert_with(json!({"aud": aud}), header.clone(), AssertionAudience::TokenEndpoint);
        assert_eq!(found.is_ok(), good, "{aud}");
    }
}

#[test]
fn fapi2_sp_5_3_2_1_d14_an_assertion_of_a_fapi_client() {
    use crate::domain::relying_party::Profile;
    for (changes, good) in [
        (json!({}), true),
        (json!({"exp": 1301}), false),
        (json!({"aud": "https://id.gov.vn/token"}), false),
        (json!({"aud": "https://id.gov.vn/par"}), false),
        (json!({"aud": [ISSUER]}), false),
    ] {
        let mut claims = good_claims();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let (claims, header) = (claims.as_object().unwrap(), serde_json::Map::new());
        // What was registered before the profile was does not soften it.
        let client = Client {
            profile: Profile::Fapi2,
            token_endpoint_auth_method: AuthMethod::PrivateKeyJwt,
            assertion_audience: AssertionAudience::TokenEndpoint,
            ..fixtures::client("rp", "openid")
        };
        let credentials = read(&assertion_body(&good_claims()), None).unwrap();
        let verified = VerifiedAssertion { header: &header, claims };
        let found = prove(
            &credentials,
            Some(&fixtures::registered(client)),
            &Verified { assertion: Some(&verified), keys: &[] },
            ISSUER,
            at(1000),
        );
        assert_eq!(found.is_ok(), good, "{changes}");
    }
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::None] {
        let credentials = match method {
            AuthMethod::ClientSecretBasic => read("", Some(&basic_header(&format!("rp:{SECRET}")))),
            AuthMethod::ClientSecretPost => read(&format!("client_id=rp&client_secret={SECRET}"), None),
            _ => read("client_id=rp", None),
        };
        let credentials = credentials.unwrap();
        for (profile, good) in [(Profile::Oidc, true), (Profile::Fapi2, false), (Profile::Fapi2MessageSigning, false)] {
            let client = Client { profile, ..(*rp(method).client).clone() };
            let found = prove(&credentials, Some(&fixtures::registered(client)), &Verified::default(), ISSUER, at(0));
            assert_eq!(found.is_ok(), good, "{method:?} {profile:?}");
        }
    }
}

#[test]
fn rfc8725_3_11_ca_17_other_types_are_refused() {
    for (typ, good) in [
        ("JWT", true),
        ("jwt", true),
        ("client-authentication+jwt", true),
        ("at+jwt", false),
        ("dpop+jwt", false),
        ("logout+jwt", false),
        ("oauth-authz-req+jwt", false),
        ("", false),
    ] {
        assert_eq!(assert_with(json!({}), json!({"typ": typ}), AssertionAudience::Issuer).is_ok(), good, "{typ}");
    }
    assert!(assert_with(json!({}), json!({"typ": 1}), AssertionAudience::Issuer).is_err());
}

#[test]
fn no_secret_shows_in_debug() {
    let shown = format!("{:?}", read(&format!("client_id=rp&client_secret={SECRET}"), None));
    assert!(shown.contains("rp") && !shown.contains(SECRET));
}
