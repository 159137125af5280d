//! `security.md` 2.7: DPoP.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::port;
use crate::support::proof::{Key, ath};
use crate::support::provider::Provider;
use crate::support::relying_party::{Proof, RelyingParty, key_pair, merge};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode, pairs};
use crate::support::{fresh, now, verdict};

/// A token request with these `DPoP` headers.
pub(super) async fn token(client: &RelyingParty, fields: &[(&str, &str)], proofs: &[&str]) -> Answer {
    let (mut body, header) = client.credentials();
    body.extend(pairs(fields));
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(header.as_deref().map(|value| ("authorization", value)));
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    Visitor::new(&client.issuer).send("POST", "/token", &headers, Some(encode(&body).into_bytes())).await
}

async fn userinfo(issuer: &str, scheme: &str, access: &str, proofs: &[&str]) -> Answer {
    let authorization = format!("{scheme} {access}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    Visitor::new(issuer).send("GET", "/userinfo", &headers, None).await
}

fn challenged(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("algs=\"ES256 PS256 EdDSA\""), "{challenge}");
    assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
}

fn at_token(idp: &Sandbox) -> String {
    format!("{}/token", idp.issuer)
}

fn at_userinfo(idp: &Sandbox) -> String {
    format!("{}/userinfo", idp.issuer)
}

/// Tokens of a new holder, bound to the key.
async fn bound(idp: &Sandbox, client: &RelyingParty, key: &Key) -> Value {
    let ask = Ask::of(client).scope("openid profile offline_access");
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let proof = key.proof("POST", &at_token(idp), json!({}));
    let answer = token(client, &client.redemption(&code, &ask.verifier), &[&proof]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn dp_00_control_a_bound_token_its_introspection_and_its_use() {
    let idp = Sandbox::shared();
    let (client, key) = (idp.client(json!({"dpop_bound_access_tokens": true})), Key::new());
    let tokens = bound(idp, &client, &key).await;
    assert_eq!(tokens["token_type"], json!("DPoP"));
    let access = tokens["access_token"].as_str().unwrap();
    let told = client.introspect(access).await;
    assert_eq!((&told["token_type"], &told["cnf"]), (&json!("DPoP"), &json!({"jkt": key.jkt()})));
    let htu = at_userinfo(idp);
    for (scheme, htu) in
        [("DPoP", htu.clone()), ("dpop", htu.replace("http://localhost", "HTTP://LOCALHOST") + "?a=b#c")]
    {
        let answer = userinfo(&idp.issuer, scheme, access, &[&key.proof("GET", &htu, ath(access))]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json()["sub"].is_string());
    }
    // A confidential client's refresh token is protected by its own proof; the new token is bound to the key shown now.
    let (other, refresh) = (Key::new(), tokens["refresh_token"].as_str().unwrap());
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let answer = token(&client, &fields, &[&other.proof("POST", &at_token(idp), json!({}))]).await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.introspect(&access).await["cnf"]["jkt"], json!(other.jkt()));
}

#[tokio::test]
async fn dp_00_control_bearer_tokens_stay_what_they_were() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &idp.citizen()).await;
    assert_eq!(tokens.body["token_type"], json!("Bearer"));
    assert_eq!(client.introspect(tokens.access()).await.get("cnf"), None);
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    // DP-11: an unbound token is no DPoP token.
    let proof = Key::new().proof("GET", &at_userinfo(idp), ath(tokens.access()));
    challenged(&userinfo(&idp.issuer, "DPoP", tokens.access(), &[&proof]).await, "invalid_token");
}

#[tokio::test]
async fn dp_01_to_dp_05_what_a_proof_must_be_at_the_token_endpoint() {
    let idp = Sandbox::shared();
    let (client, key, htu) = (idp.confidential(), Key::new(), at_token(idp));
    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let fields = client.redemption(&code, &ask.verifier);
    let good = || key.proof("POST", &htu, json!({}));
    let mut private = key.public();
    private["d"] = serde_json::to_value(&key.0).unwrap()["d"].clone();
    let header = |header: Value| key.spoilt("POST", &htu, header, json!({}));
    let claims = |claims: Value| key.proof("POST", &htu, claims);
    let rows: Vec<(&str, Vec<String>)> = vec![
        ("DP-01 two headers", vec![good(), good()]),
        ("DP-01 two JWTs", vec![format!("{}, {}", good(), good())]),
        ("empty", vec![String::new()]),
        ("no JWT", vec!["x".to_owned()]),
        ("DP-02 typ", vec![header(json!({"typ": "JWT"}))]),
        ("DP-02 no typ", vec![header(json!({"typ": null}))]),
        ("DP-02 no jwk", vec![header(json!({"jwk": null}))]),
        ("DP-02 private jwk", vec![header(json!({"jwk": private}))]),
        ("DP-02 symmetric jwk", vec![header(json!({"jwk": {"kty": "oct", "k": "AAAA"}}))]),
        ("another's jwk", vec![header(json!({"jwk": Key::new().public()}))]),
        ("DP-04 no jti", vec![claims(json!({"jti": null}))]),
        ("DP-04 jti", vec![claims(json!({"jti": 1}))]),
        ("DP-04 htu", vec![claims(json!({"htu": [htu]}))]),
        ("wrong htu", vec![claims(json!({"htu": at_userinfo(idp)}))]),
        ("wrong htm", vec![claims(json!({"htm": "GET"}))]),
        ("DP-04 iat text", vec![claims(json!({"iat": now().to_string()}))]),
        ("DP-04 iat huge", vec![claims(json!({"iat": 1e308}))]),
        ("DP-04 iat negative", vec![claims(json!({"iat": -1}))]),
        ("DP-05 old", vec![claims(json!({"iat": now() - 310}))]),
        ("DP-05 ahead", vec![claims(json!({"iat": now() + 75}))]),
    ];
    for (name, proofs) in rows {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let answer = token(&client, &fields, &proofs).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        verdict::token_error(&answer, 400, "invalid_dpop_proof");
    }
    for alg in ["none", "HS256", "ES384"] {
        let head = json!({"typ": "dpop+jwt", "alg": alg, "jwk": key.public()}).to_string();
        let body = json!({"jti": fresh(), "htm": "POST", "htu": htu, "iat": now()}).to_string();
        let encoded = |text: &str| crate::support::base64url(text.as_bytes());
        let unsigned = format!("{}.{}.AAAA", encoded(&head), encoded(&body));
        verdict::token_error(&token(&client, &fields, &[&unsigned]).await, 400, "invalid_dpop_proof");
    }
    // None of it cost the code anything.
    let ahead = key.proof("POST", &htu, json!({"iat": now() + 10, "nbf": now(), "extra": [1]}));
    assert_eq!(token(&client, &fields, &[&ahead]).await.status, 200);
}

#[tokio::test]
async fn dp_07_a_proof_counts_once_also_at_userinfo() {
    let idp = Sandbox::shared();
    let (client, key) = (idp.confidential(), Key::new());
    let tokens = bound(idp, &client, &key).await;
    let access = tokens["access_token"].as_str().unwrap();
    let proof = key.proof("GET", &at_userinfo(idp), ath(access));
    assert_eq!(userinfo(&idp.issuer, "DPoP", access, &[&proof]).await.status, 200);
    challenged(&userinfo(&idp.issuer, "DPoP", access, &[&proof]).await, "invalid_dpop_proof");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let proof = key.proof("POST", &at_token(idp), json!({}));
    assert_eq!(token(&client, &fields, &[&proof]).await.status, 200);
    verdict::token_error(&token(&client, &fields, &[&proof]).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn dp_10_a_bound_token_without_its_key_opens_nothing() {
    let idp = Sandbox::shared();
    let (client, key, htu) = (idp.confidential(), Key::new(), at_userinfo(idp));
    let tokens = bound(idp, &client, &key).await;
    let access = tokens["access_token"].as_str().unwrap();
    for (name, scheme, proof, error) in [
        ("another key", "DPoP", Some(Key::new().proof("GET", &htu, ath(access))), "invalid_token"),
        ("no ath", "DPoP", Some(key.proof("GET", &htu, json!({}))), "invalid_dpop_proof"),
        ("wrong ath", "DPoP", Some(key.proof("GET", &htu, ath("another"))), "invalid_dpop_proof"),
        ("wrong method", "DPoP", Some(key.proof("POST", &htu, ath(access))), "invalid_dpop_proof"),
        ("wrong address", "DPoP", Some(key.proof("GET", &at_token(idp), ath(access))), "invalid_dpop_proof"),
        ("no proof", "DPoP", None, "invalid_dpop_proof"),
        ("as bearer", "Bearer", None, "invalid_token"),
        ("as bearer, with a proof", "Bearer", Some(key.proof("GET", &htu, ath(access))), "invalid_token"),
    ] {
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let answer = userinfo(&idp.issuer, scheme, access, &proofs).await;
        assert_eq!(answer.status, 401, "{name}");
        challenged(&answer, error);
    }
    let fields = pairs(&[("access_token", access)]);
    challenged(&idp.visitor().post("/userinfo", &fields, &[]).await, "invalid_token");
    let (one, two) = (key.proof("GET", &htu, ath(access)), key.proof("GET", &htu, ath(access)));
    challenged(&userinfo(&idp.issuer, "DPoP", access, &[&one, &two]).await, "invalid_dpop_proof");
    assert_eq!(userinfo(&idp.issuer, "DPoP", access, &[&one]).await.status, 200, "control: nothing was spent");
}

#[tokio::test]
async fn dp_13_a_code_asked_for_with_a_key() {
    let idp = Sandbox::shared();
    let (client, key, htu) = (idp.confidential(), Key::new(), at_token(idp));
    let ask = Ask::of(&client).with("dpop_jkt", &key.jkt());
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let fields = client.redemption(&code, &ask.verifier);
    let other = Key::new().proof("POST", &htu, json!({}));
    verdict::token_error(&token(&client, &fields, &[&other]).await, 400, "invalid_grant");
    verdict::token_error(&token(&client, &fields, &[]).await, 400, "invalid_dpop_proof");
    let right = key.proof("POST", &htu, json!({}));
    assert_eq!(token(&client, &fields, &[&right]).await.status, 200, "control: the code is still good");
    for bad in ["short", "+/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let ask = Ask::of(&client).with("dpop_jkt", bad);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
    let ask = Ask::of(&client).with("dpop_jkt", &key.jkt()).also("dpop_jkt", &key.jkt());
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
}

#[tokio::test]
async fn dp_14_a_client_that_registered_gets_no_token_without_a_proof() {
    let idp = Sandbox::shared();
    let (client, key, htu) = (idp.client(json!({"dpop_bound_access_tokens": true})), Key::new(), at_token(idp));
    let ask = Ask::of(&client).scope("openid offline_access");
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let fields = client.redemption(&code, &ask.verifier);
    verdict::token_error(&token(&client, &fields, &[]).await, 400, "invalid_dpop_proof");
    let answer = token(&client, &fields, &[&key.proof("POST", &htu, json!({}))]).await;
    assert_eq!(answer.status, 200, "control: the code is still good");
    let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    verdict::token_error(&client.refresh(&refresh).await, 400, "invalid_dpop_proof");
    let machine = idp.client(json!({
        "grant_types": ["client_credentials"],
        "redirect_uris": null,
        "post_logout_redirect_uris": null,
        "scope": "reports:read",
        "dpop_bound_access_tokens": true,
    }));
    let own = [("grant_type", "client_credentials")];
    verdict::token_error(&token(&machine, &own, &[]).await, 400, "invalid_dpop_proof");
    let answer = token(&machine, &own, &[&key.proof("POST", &htu, json!({}))]).await;
    assert_eq!(answer.json()["token_type"], json!("DPoP"));
}

#[tokio::test]
async fn rfc9449_5_the_refresh_token_of_a_public_client_is_bound() {
    let idp = Sandbox::shared();
    let (client, key, htu) = (idp.public(), Key::new(), at_token(idp));
    let first = bound(idp, &client, &key).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    verdict::token_error(&token(&client, &fields, &[]).await, 400, "invalid_dpop_proof");
    let other = Key::new().proof("POST", &htu, json!({}));
    verdict::token_error(&token(&client, &fields, &[&other]).await, 400, "invalid_grant");
    let right = || key.proof("POST", &htu, json!({}));
    let answer = token(&client, &fields, &[&right()]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let next = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(next, refresh);
    // A thief with the rotated token and without the key ends nothing; with the key it is a replay.
    let other = Key::new().proof("POST", &htu, json!({}));
    verdict::token_error(&token(&client, &fields, &[&other]).await, 400, "invalid_grant");
    let successor = [("grant_type", "refresh_token"), ("refresh_token", next.as_str())];
    let answer = token(&client, &successor, &[&right()]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The nonce of an answer.
fn nonce(answer: &Answer) -> String {
    answer.header("dpop-nonce").unwrap_or_else(|| panic!("no DPoP-Nonce: {}", answer.body)).to_owned()
}

#[tokio::test]
async fn dp_08_where_a_nonce_is_required_and_what_asking_for_it_costs() {
    let idp = Provider::plain(port::one(), "[dpop]\nrequire_nonce = true\n");
    let (assertion_key, set) = key_pair();
    let metadata = json!({
        "client_id": "machine", "grant_types": ["client_credentials"], "scope": "reports:read",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": set,
    });
    idp.put_client(&metadata);
    let client = RelyingParty {
        id: "machine".to_owned(),
        redirect: String::new(),
        proof: Proof::Assertion(Box::new(assertion_key)),
        metadata,
        issuer: idp.issuer.clone(),
    };
    let (key, htu) = (Key::new(), format!("{}/token", idp.issuer));
    let assertion = client.assertion(json!({}));
    let mut fields = crate::support::relying_party::assertion_fields(&assertion);
    fields.extend(pairs(&[("grant_type", "client_credentials")]));
    let jti = fresh();
    let ask = async |claims: Value| {
        let proof = key.proof("POST", &htu, claims);
        idp.visitor().post("/token", &fields, &[("dpop", &proof)]).await
    };
    let first = ask(json!({"jti": jti})).await;
    verdict::token_error(&first, 400, "use_dpop_nonce");
    let good = nonce(&first);
    let flipped = if good.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{flipped}", &good[..good.len() - 1]);
    let (window, code) = good.split_once('-').unwrap();
    let stale = format!("{}-{code}", window.parse::<i64>().unwrap() - 1);
    for bad in [json!(forged), json!(stale), json!("x"), json!("-"), json!(""), json!(1)] {
        let answer = ask(json!({"jti": jti, "nonce": bad})).await;
        verdict::token_error(&answer, 400, "use_dpop_nonce");
        nonce(&answer);
    }
    // Neither the assertion nor the proof's identifier was used up on the way.
    let answer = ask(json!({"jti": jti, "nonce": good})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    nonce(&answer);
    // Now the assertion is, and that is said before anything about nonces.
    verdict::token_error(&ask(json!({})).await, 401, "invalid_client");
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let htu = format!("{}/userinfo", idp.issuer);
    let answer = userinfo(&idp.issuer, "DPoP", &access, &[&key.proof("GET", &htu, ath(&access))]).await;
    challenged(&answer, "use_dpop_nonce");
    let mut claims = ath(&access);
    merge(&mut claims, json!({"nonce": nonce(&answer)}));
    let answer = userinfo(&idp.issuer, "DPoP", &access, &[&key.proof("GET", &htu, claims)]).await;
    challenged(&answer, "invalid_token");
}

#[tokio::test]
async fn dp_08_where_no_nonce_is_required_one_that_is_sent_is_checked() {
    let idp = Sandbox::shared();
    let machine = idp.client(json!({
        "grant_types": ["client_credentials"],
        "redirect_uris": null,
        "post_logout_redirect_uris": null,
        "scope": "reports:read",
    }));
    let (key, htu, own) = (Key::new(), at_token(idp), [("grant_type", "client_credentials")]);
    let answer = token(&machine, &own, &[&key.proof("POST", &htu, json!({"nonce": "made-up"}))]).await;
    verdict::token_error(&answer, 400, "use_dpop_nonce");
    let right = key.proof("POST", &htu, json!({"nonce": nonce(&answer)}));
    let answer = token(&machine, &own, &[&right]).await;
    assert_eq!((answer.status, answer.header("dpop-nonce")), (200, None));
}

#[tokio::test]
async fn ca_17_a_proof_is_no_client_assertion() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let Proof::Assertion(key) = &client.proof else { panic!("registered so") };
    let key = Key(key.as_ref().clone());
    let as_assertion = key.proof("POST", &at_token(idp), client.assertion_claims());
    let mut fields = crate::support::relying_party::assertion_fields(&as_assertion);
    fields.extend(pairs(&[("grant_type", "refresh_token"), ("refresh_token", "x")]));
    verdict::token_error(&idp.visitor().post("/token", &fields, &[]).await, 401, "invalid_client");
    // And an assertion is no proof.
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let answer = token(&client, &fields, &[&client.assertion(json!({}))]).await;
    verdict::token_error(&answer, 400, "invalid_dpop_proof");
}
