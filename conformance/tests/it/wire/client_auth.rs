//! `security.md` 2.6: how a client proves who it is.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use josekit::jwk::Jwk;
use serde_json::{Value, json};

use crate::support::relying_party::{Proof, RelyingParty, assertion_fields, basic, key_pair, sign};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, encode, pairs};
use crate::support::{fresh, now, verdict};

/// Asks for a refresh with an unknown token: who is authenticated is told `invalid_grant`, nobody else.
const PROBE: [(&str, &str); 2] = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];

async fn post(idp: &Sandbox, authorization: Option<&str>, fields: Vec<(String, String)>) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let mut body = pairs(&PROBE);
    body.extend(fields);
    idp.visitor().send("POST", "/token", &headers, Some(encode(&body).into_bytes())).await
}

async fn asserted(idp: &Sandbox, assertion: &str) -> Answer {
    post(idp, None, assertion_fields(assertion)).await
}

fn secret(client: &RelyingParty) -> &str {
    match &client.proof {
        Proof::Basic(secret) | Proof::Post(secret) => secret,
        _ => panic!("{} has no secret", client.id),
    }
}

fn known(answer: &Answer) {
    verdict::token_error(answer, 400, "invalid_grant");
}

fn stranger(answer: &Answer) {
    verdict::token_error(answer, 401, "invalid_client");
}

#[tokio::test]
async fn ca_00_control_each_registered_method_works() {
    let idp = Sandbox::shared();
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] {
        let client = idp.client(json!({"token_endpoint_auth_method": method}));
        known(&client.call("/token", &PROBE).await);
    }
}

#[tokio::test]
async fn ca_01_one_method_at_a_time() {
    let idp = Sandbox::shared();
    let (client, signed) = (idp.confidential(), idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"})));
    let header = basic(&client.id, secret(&client));
    let body = pairs(&[("client_id", &client.id), ("client_secret", secret(&client))]);
    verdict::token_error(&post(idp, Some(&header), body.clone()).await, 400, "invalid_request");
    let assertion = assertion_fields(&signed.assertion(json!({})));
    verdict::token_error(&post(idp, Some(&header), assertion.clone()).await, 400, "invalid_request");
    let both = [assertion, body].concat();
    verdict::token_error(&post(idp, None, both).await, 400, "invalid_request");
}

#[tokio::test]
async fn ca_02_only_the_registered_method() {
    let idp = Sandbox::shared();
    let with_secret = fresh();
    for method in ["client_secret_basic", "client_secret_post", "none"] {
        let client = idp.client(json!({"token_endpoint_auth_method": method}));
        let own = match &client.proof {
            Proof::Basic(secret) | Proof::Post(secret) => secret.clone(),
            _ => with_secret.clone(),
        };
        let by_header = post(idp, Some(&basic(&client.id, &own)), Vec::new()).await;
        let by_body = post(idp, None, pairs(&[("client_id", &client.id), ("client_secret", &own)])).await;
        let bare = post(idp, None, pairs(&[("client_id", &client.id)])).await;
        let allowed = |name: &str, answer: &Answer| if name == method { known(answer) } else { stranger(answer) };
        allowed("client_secret_basic", &by_header);
        allowed("client_secret_post", &by_body);
        allowed("none", &bare);
    }
    let signed = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    stranger(&post(idp, Some(&basic(&signed.id, "x")), Vec::new()).await);
    stranger(&post(idp, None, pairs(&[("client_id", &signed.id)])).await);
}

#[tokio::test]
async fn ca_04_an_assertion_is_used_once_also_after_a_restart() {
    let idp = Sandbox::fresh();
    let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let assertion = client.assertion(json!({}));
    known(&asserted(&idp, &assertion).await);
    stranger(&asserted(&idp, &assertion).await);
    idp.kill();
    idp.start();
    stranger(&asserted(&idp, &assertion).await);
    known(&asserted(&idp, &client.assertion(json!({}))).await);
}

#[tokio::test]
async fn ca_05_to_ca_08_what_an_assertion_must_say() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let other = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    for right in [
        json!({"iat": now() + 10, "nbf": now() + 10}),
        json!({"iat": null}),
        json!({"exp": now() + 3600}),
        json!({"extra": {"nested": true}}),
    ] {
        known(&asserted(idp, &client.assertion(right)).await);
    }
    let endpoint = format!("{}/token", idp.issuer);
    for wrong in [
        // CA-05
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": "j".repeat(4096)}),
        json!({"jti": 7}),
        // CA-07 and the end of an assertion
        json!({"iat": now() + 75}),
        json!({"nbf": now() + 75}),
        json!({"exp": now() - 75}),
        json!({"exp": now() + 4000}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"exp": 1e300}),
        // CA-08
        json!({"iss": other.id}),
        json!({"sub": other.id}),
        json!({"iss": other.id, "sub": other.id}),
        json!({"iss": null}),
        json!({"sub": null}),
        // D14: the issuer as one plain string
        json!({"aud": endpoint}),
        json!({"aud": [idp.issuer]}),
        json!({"aud": [idp.issuer, "https://evil.vn"]}),
        json!({"aud": format!("{}/", idp.issuer)}),
        json!({"aud": null}),
        json!({"aud": 1}),
    ] {
        let answer = asserted(idp, &client.assertion(wrong.clone())).await;
        assert_eq!(answer.status, 401, "{wrong} was accepted");
        stranger(&answer);
    }
    let mut fields = assertion_fields(&client.assertion(json!({})));
    fields.extend(pairs(&[("client_id", &other.id)]));
    stranger(&post(idp, None, fields).await);
    let mut fields = assertion_fields(&client.assertion(json!({})));
    fields.extend(pairs(&[("client_id", &client.id)]));
    known(&post(idp, None, fields).await);
}

#[tokio::test]
async fn d14_the_token_endpoint_as_audience_where_the_operator_allowed_it() {
    let idp = Sandbox::shared();
    let old = json!({"token_endpoint_auth_method": "private_key_jwt", "vn_assertion_audience": "token_endpoint"});
    let client = idp.client(old);
    let endpoint = format!("{}/token", idp.issuer);
    known(&asserted(idp, &client.assertion(json!({"aud": endpoint}))).await);
    known(&asserted(idp, &client.assertion(json!({"aud": idp.issuer}))).await);
    stranger(&asserted(idp, &client.assertion(json!({"aud": [endpoint]}))).await);
    stranger(&asserted(idp, &client.assertion(json!({"aud": format!("{}/revoke", idp.issuer)}))).await);
}

#[tokio::test]
async fn ca_10_and_ca_17_headers_and_other_tokens_prove_nothing() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let Proof::Assertion(key) = &client.proof else { unreachable!() };
    let (attacker, _) = key_pair();
    let public = serde_json::to_value(attacker.to_public_key().unwrap()).unwrap();
    let claims = || client.assertion_claims();
    for typ in [json!("JWT"), json!("client-authentication+jwt"), Value::Null] {
        known(&asserted(idp, &sign(key, &[("typ", typ)], &claims())).await);
    }
    for typ in ["dpop+jwt", "logout+jwt", "at+jwt", "oauth-authz-req+jwt"] {
        stranger(&asserted(idp, &sign(key, &[("typ", json!(typ))], &claims())).await);
    }
    for (name, value) in [
        ("jwk", public.clone()),
        ("jku", json!("http://127.0.0.1:1/jwks")),
        ("x5u", json!("http://127.0.0.1:1/x5u")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(10_240))),
    ] {
        stranger(&asserted(idp, &sign(&attacker, &[(name, value)], &claims())).await);
    }
    stranger(&asserted(idp, &sign(key, &[("crit", json!(["x"])), ("x", json!(1))], &claims())).await);
    let body = crate::support::base64url(claims().to_string().as_bytes());
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"nOnE"}"#, r#"{"alg":""}"#, "{}", r#"{"alg":"HS256"}"#, "[]"] {
        let head = crate::support::base64url(header.as_bytes());
        stranger(&asserted(idp, &format!("{head}.{body}.")).await);
        stranger(&asserted(idp, &format!("{head}.{body}.AAAA")).await);
    }
    let right = client.assertion(json!({}));
    for spoilt in [format!("{right}="), format!(" {right}"), right[..right.len() - 1].to_owned(), format!("{right}A")] {
        stranger(&asserted(idp, &spoilt).await);
    }
    known(&asserted(idp, &right).await);
}

#[tokio::test]
async fn ca_11_a_key_taken_from_the_registration_signs_nothing_any_more() {
    let idp = Sandbox::shared();
    let mut client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    known(&asserted(idp, &client.assertion(json!({}))).await);
    let (new, set) = key_pair();
    client.metadata["jwks"] = set;
    idp.put_client(&client.metadata);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    stranger(&asserted(idp, &client.assertion(json!({}))).await);
    client.proof = Proof::Assertion(Box::new(new));
    known(&asserted(idp, &client.assertion(json!({}))).await);
}

#[tokio::test]
async fn oidc_registration_2_a_registered_algorithm_is_the_only_one_for_assertions() {
    let idp = Sandbox::shared();
    let mut client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let rsa = Jwk::generate_rsa_key(2048).unwrap().to_public_key().unwrap();
    client.metadata["jwks"]["keys"].as_array_mut().unwrap().push(serde_json::to_value(rsa).unwrap());
    for alg in ["ES256", "RS256"] {
        client.metadata["token_endpoint_auth_signing_alg"] = json!(alg);
        idp.put_client(&client.metadata);
        let answer = asserted(idp, &client.assertion(json!({}))).await;
        if alg == "ES256" { known(&answer) } else { stranger(&answer) }
    }
}

#[tokio::test]
async fn ca_13_the_basic_header_is_read_as_rfc6749_2_3_1_says() {
    let idp = Sandbox::shared();
    let odd = "a:b+c%/ &=1234567890123456789012345678901";
    let client = idp.client(json!({"client_secret": odd}));
    known(&post(idp, Some(&basic(&client.id, odd)), Vec::new()).await);
    let scheme = basic(&client.id, odd).replace("Basic ", "bAsIc ");
    known(&post(idp, Some(&scheme), Vec::new()).await);
    for header in [
        format!("Basic {}", STANDARD.encode(&client.id)),
        "Basic !!!".to_owned(),
        "Basic".to_owned(),
        format!("Basic {}", STANDARD.encode(format!("{}:", client.id))),
        format!("Basic {}", STANDARD.encode(format!("{}:%zz", client.id))),
        basic(&client.id, "wrong"),
        "Basic /////w==".to_owned(),
    ] {
        let answer = post(idp, Some(&header), Vec::new()).await;
        stranger(&answer);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.to_ascii_lowercase().starts_with("basic"), "{header}: {challenge}");
    }
}

#[tokio::test]
async fn ca_16_an_unknown_client_and_a_wrong_secret_are_answered_alike() {
    let idp = Sandbox::shared();
    let (client, suspended) = (idp.confidential(), idp.confidential());
    idp.admin_ok(&["client", "suspend", &suspended.id]);
    let unknown = post(idp, Some(&basic("nobody-here", "wrong")), Vec::new()).await;
    let wrong = post(idp, Some(&basic(&client.id, "wrong")), Vec::new()).await;
    let barred = post(idp, Some(&basic(&suspended.id, secret(&suspended))), Vec::new()).await;
    stranger(&unknown);
    for other in [wrong, barred] {
        assert_eq!((unknown.status, &unknown.body), (other.status, &other.body));
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(names(&unknown), names(&other));
    }
}

#[tokio::test]
async fn a_secret_beside_method_none_is_refused_and_a_minted_one_is_printed_once() {
    let idp = Sandbox::shared();
    let right = idp.public();
    let mut metadata = right.metadata.clone();
    metadata["client_secret"] = json!(fresh());
    assert!(idp.refuses_client(&metadata).is_some());
    let id = format!("minted-{}", fresh().replace(['-', '_'], "x").get(..20).unwrap());
    let confidential = json!({"client_id": id, "redirect_uris": [right.redirect], "scope": "openid"});
    let printed = idp.put_client(&confidential);
    let mut minted = printed.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let minted = minted.rfind(|word| word.len() == 43).expect("the minted secret is printed").to_owned();
    let header = basic(&id, &minted);
    // Whether this client may refresh or not: it is known.
    assert_eq!(post(idp, Some(&header), Vec::new()).await.status, 400);
    assert!(!idp.put_client(&confidential).contains(&minted), "once");
    assert_eq!(post(idp, Some(&header), Vec::new()).await.status, 400, "and kept");
}
