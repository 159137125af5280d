use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(name: &str, value: &str) -> String {
    parameters(&Params::of(vec![(name.to_owned(), value.to_owned())])).iter().map(Parameter::line).collect()
}

fn jwt(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
}

#[test]
fn what_helps_and_harms_nobody_is_shown() {
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid vn_eid_status offline_access"),
        ("prompt", "none"),
        ("acr_values", "urn:vn:eid:muc:2:xac-thuc:3"),
        ("code_challenge_method", "S256"),
        ("grant_type", "authorization_code"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("max_age", "3600"),
        ("service", "1.004222"),
        ("client_id", "my-portal"),
        ("redirect_uri", "https://portal.example.vn:8443/dang-nhap/callback/"),
        ("redirect_uri", "http://127.0.0.1:51004/cb"),
        ("redirect_uri", "vn.gov.app:/callback"),
        ("request_uri", "https://rp.gov.vn/request.jwt"),
    ] {
        assert_eq!(of(name, value), format!("{name} = {value}"));
    }
}

#[test]
fn what_may_be_secret_or_personal_is_told_by_its_shape() {
    let token = jwt(&json!({"alg": "ES256", "kid": "k"}), &json!({"sub": "Nguyen Van An", "aud": "x"}));
    let jwt_shape = format!("JWT, {} characters", token.len());
    for name in ["state", "nonce", "code", "code_verifier", "client_secret", "refresh_token", "token", "login_hint"] {
        assert_eq!(of(name, "abc"), format!("{name} (letters of base64url, 3 characters)"));
        assert_eq!(of(name, &token), format!("{name} ({jwt_shape})"));
    }
    for (name, value, shape) in [
        ("id_token_hint", token.as_str(), jwt_shape.as_str()),
        ("login_hint", "099090000001", "digits, 12 characters"),
        ("claims", "{\"userinfo\":{}}", "text, 15 characters"),
        ("state", "", "empty"),
        ("frobnicate", "hello", "letters of base64url, 5 characters"),
        ("scope", "openid 099090000001", "text, 19 characters"),
        ("scope", "openid \u{1b}[2J", "text, 11 characters"),
        ("max_age", "0912-345-678", "letters of base64url, 12 characters"),
        ("redirect_uri", "https://user:pass@rp.gov.vn/", "text, 28 characters"),
        ("redirect_uri", "not an address", "text, 14 characters"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:abc", "text, 37 characters"),
    ] {
        assert_eq!(of(name, value), format!("{name} ({shape})"));
    }
}

#[test]
fn an_address_is_shown_as_sent_but_for_what_it_carries() {
    for (sent, shown) in [
        ("https://rp.gov.vn/cb?a=1&b&c=", "https://rp.gov.vn/cb?a=...&b&c"),
        ("https://rp.gov.vn/cb#x", "https://rp.gov.vn/cb#..."),
        ("https://rp.gov.vn/cb?x=1#y", "https://rp.gov.vn/cb?x=...#..."),
        ("https://RP.gov.vn:443/cb/", "https://RP.gov.vn:443/cb/"),
        ("https://rp.gov.vn/u/099090000001/cb", "https://rp.gov.vn/u/.../cb"),
        ("https://rp.gov.vn/%30%39%39/cb", "https://rp.gov.vn/.../cb"),
        ("https://rp.gov.vn/cb?099090000001", "https://rp.gov.vn/cb?(name of 12 characters)"),
    ] {
        assert_eq!(of("redirect_uri", sent), format!("redirect_uri = {shown}"));
    }
}

#[test]
fn an_assertion_tells_its_algorithm_type_and_audience() {
    let claims = json!({"iss": "rp", "sub": "rp", "aud": "https://id.gov.vn/token", "jti": "secret-jti"});
    let assertion = jwt(&json!({"alg": "none", "typ": "JWT", "kid": "key-1"}), &claims);
    let line = of("client_assertion", &assertion);
    let length = assertion.len();
    let told = format!("JWT, {length} characters; alg none; typ JWT; aud https://id.gov.vn/token");
    assert_eq!(line, format!("client_assertion ({told})"));
    assert_eq!(proof(&assertion).line(), format!("DPoP ({told})"));
    let listed = jwt(&json!({"alg": 1}), &json!({"aud": ["a", "b"]}));
    assert!(of("request", &listed).ends_with("alg is no text; aud is a list of 2)"));
    assert_eq!(of("request", "a.b.c"), "request (JWT, 5 characters)");
    assert_eq!(authorization("Basic cnA6c2VjcmV0").line(), "Authorization (Basic, 18 characters)");
    assert_eq!(authorization("hunter2").line(), "Authorization (letters of base64url, 7 characters)");
}

#[test]
fn a_document_is_told_by_its_members() {
    let text = r#"{"client_name":"Portal","scope":"openid","redirect_uris":["a"],"jwks":{"keys":[]},"x":1,"y":true}"#;
    let lines: Vec<String> = members(text).iter().map(Parameter::line).collect();
    let expected = [
        "client_name (letters of base64url, 6 characters)",
        "jwks (object of 1)",
        "redirect_uris (list of 1)",
        "scope = openid",
        "x (number)",
        "y = true",
    ];
    assert_eq!(sorted(lines), expected);
    assert_eq!(
        members("[]").iter().map(Parameter::line).collect::<String>(),
        "document (not a JSON object, 2 characters)"
    );
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn there_is_an_end_to_it() {
    let many = (0..90).map(|n| (format!("p{n}"), "1".to_owned())).collect();
    let shown = parameters(&Params::of(many));
    assert_eq!(shown.len(), MOST + 1);
    assert_eq!(shown.last().map(Parameter::line).as_deref(), Some("and more (50 parameters)"));
    assert!(told(&"word ".repeat(1_000)).len() <= LONGEST_VALUE);
    assert_eq!(told("scope 099090000001 is not registered"), "scope ... is not registered");
}

/// Names a secret may be sent under: those we show, those we do not, and those nobody knows.
fn anywhere() -> impl Strategy<Value = String> {
    let known: Vec<&'static str> =
        [&WORDS[..], &ADDRESSES, &SIGNED, &["state", "code", "client_secret", "login_hint", "id_token_hint"]].concat();
    prop_oneof![prop::sample::select(known).prop_map(str::to_owned), "[a-z_]{1,12}"]
}

/// What must never be kept: minted values, person numbers, phones.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9_-]{32,90}", "0[0-9]{11}", "84[0-9]{9}"]
}

/// The ways a secret gets into a value.
fn places(secret: &str) -> Vec<String> {
    let claims = json!({"aud": secret, "sub": secret, "jti": secret});
    vec![
        secret.to_owned(),
        format!("openid {secret}"),
        format!("https://rp.gov.vn/{secret}/cb"),
        format!("https://rp.gov.vn/cb?code={secret}&{secret}=1#{secret}"),
        format!("https://{secret}.rp.gov.vn/"),
        format!("https://{secret}@rp.gov.vn/"),
        format!("urn:ietf:params:oauth:request_uri:{secret}"),
        jwt(&json!({"alg": secret, "typ": secret, "kid": secret}), &claims),
        jwt(&json!({"alg": "ES256"}), &json!({"aud": format!("https://rp.gov.vn/{secret}?x={secret}")})),
        format!("{{\"x\":\"{secret}\"}}"),
    ]
}

proptest! {
    #[test]
    fn no_secret_gets_into_a_record(name in anywhere(), secret in secret()) {
        for value in places(&secret) {
            let fields = vec![(name.clone(), value.clone()), (secret.clone(), value.clone())];
            let mut kept = parameters(&Params::of(fields));
            kept.push(authorization(&value));
            kept.push(authorization(&format!("Bearer {value}")));
            kept.push(proof(&value));
            kept.extend(members(&json!({&name: value, &secret: [&secret]}).to_string()));
            let text = format!("{} {}", serde_json::to_string(&kept).unwrap(), told(&format!("scope {value} is unknown")));
            prop_assert!(!text.contains(&secret), "{} in {}", secret, text);
        }
    }

    #[test]
    fn whatever_is_sent_the_record_is_printable_and_short(name in ".{0,80}", value in ".{0,600}") {
        for parameter in parameters(&Params::of(vec![(name, value)])) {
            let line = parameter.line();
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", line);
            prop_assert!(line.len() < 1_400, "{}", line);
        }
    }
}
