//! The live trace (`product.md` journey 10): what was refused to a client can be looked up by its own team and by
//! operators, with the clause that was broken and without anything secret.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::register;
use crate::support::ask::Ask;
use crate::support::flow::Will;
use crate::support::relying_party::{Proof, REDIRECT, RelyingParty, basic};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, encode, pairs};

/// The reference an answer carries.
fn reference(answer: &Answer) -> String {
    let found = answer.header("x-request-id").unwrap_or_else(|| panic!("{} has no reference", answer.url));
    assert_eq!(found.len(), 10, "{found}");
    found.to_owned()
}

async fn asked(client: &RelyingParty, fields: &[(&str, &str)]) -> Vec<Value> {
    let answer = client.call("/trace", fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("cache-control").unwrap().contains("no-store"));
    answer.json()["refused_requests"].as_array().unwrap().clone()
}

/// Looks until there is something to see: refusals are written a moment after they are answered.
async fn comes_to<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it never came");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What the team of a client finds under the reference of an answer.
async fn found(client: &RelyingParty, answer: &Answer) -> Value {
    let reference = reference(answer);
    comes_to(async || {
        let found = asked(client, &[("reference", &reference)]).await;
        assert!(found.len() < 2, "recorded once: {found:?}");
        found.into_iter().next()
    })
    .await
}

fn is(found: &Value, (endpoint, error, clause): (&str, &str, &str)) {
    let text = |name: &str| found[name].as_str().unwrap_or_else(|| panic!("no {name} in {found}"));
    assert_eq!((text("endpoint"), text("error"), text("clause")), (endpoint, error, clause), "{found}");
    assert!(!text("error_description").is_empty() && found["at"].is_i64(), "{found}");
}

fn parameter<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["parameters"].as_array().unwrap();
    all.iter().find(|one| one["name"] == json!(name)).unwrap_or_else(|| panic!("no {name} in {found}"))
}

fn end_session(fields: &[(&str, &str)]) -> String {
    format!("/end-session?{}", encode(&pairs(fields)))
}

#[tokio::test]
async fn what_is_refused_at_the_authorization_endpoint_is_found_by_its_reference() {
    let idp = Sandbox::shared();
    let (client, visitor) = (idp.confidential(), idp.visitor());
    // On a page, which shows the same reference.
    let wrong = Ask::of(&client).with("redirect_uri", "https://rp.gov.vn/other?token=abc");
    let answer = visitor.get(&wrong.target()).await;
    verdict::page(&answer, 400);
    assert!(answer.page().text.contains(&reference(&answer)), "the page shows it");
    let refused = found(&client, &answer).await;
    is(&refused, ("authorize", "invalid_request", "RFC 9700 §4.1.3"));
    assert_eq!(parameter(&refused, "redirect_uri")["value"], json!("https://rp.gov.vn/other?token=..."));
    assert_eq!(parameter(&refused, "response_type")["value"], json!("code"));
    assert_eq!(parameter(&refused, "state").get("value"), None);
    // By redirect.
    let wrong = Ask::of(&client).with("code_challenge_method", "plain");
    let answer = visitor.get(&wrong.target()).await;
    verdict::redirect(&answer, &client, &wrong, "invalid_request");
    let refused = found(&client, &answer).await;
    is(&refused, ("authorize", "invalid_request", "RFC 7636 §4.4.1"));
    assert_eq!(parameter(&refused, "code_challenge_method")["value"], json!("plain"));
    let answer = visitor.get(&Ask::of(&client).with("prompt", "none").target()).await;
    is(&found(&client, &answer).await, ("authorize", "login_required", "OIDC Core §3.1.2.6"));
    // After a page of ours.
    let holder = idp.citizen();
    let at = visitor.open(&Ask::of(&client).scope("openid email").target()).await;
    let denied = idp.walk(&visitor, at, &holder, Will::Deny).await;
    assert_eq!(denied.returned().unwrap().get("error"), Some("access_denied"));
    is(&found(&client, &denied).await, ("authorize", "access_denied", "RFC 6749 §4.1.2.1"));
}

#[tokio::test]
async fn what_is_refused_at_the_endpoints_for_programs_is_found_by_its_reference() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let wrong = Ask::of(&client).with("response_type", "token");
    let answer = client.push(&wrong).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    is(&found(&client, &answer).await, ("par", "unsupported_response_type", "RFC 6749 §4.1.2.1"));

    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
    let answer = client.redeem(&code, &"x".repeat(43)).await;
    verdict::token_error(&answer, 400, "invalid_grant");
    let refused = found(&client, &answer).await;
    is(&refused, ("token", "invalid_grant", "RFC 7636 §4.6"));
    assert_eq!(refused["reason"], json!("wrong verifier"));
    assert_eq!(parameter(&refused, "grant_type")["value"], json!("authorization_code"));
    let shape = format!("letters of base64url, {} characters", code.len());
    assert_eq!(parameter(&refused, "code"), &json!({"name": "code", "shape": shape}));
    assert!(parameter(&refused, "Authorization")["shape"].as_str().unwrap().starts_with("Basic, "));
    let tokens = crate::support::flow::redeemed(&client, ask, code).await;

    let wrong = RelyingParty { proof: Proof::Basic("not-the-secret-of-it".to_owned()), ..client.clone() };
    let answer = wrong.call("/token", &[("grant_type", "client_credentials")]).await;
    verdict::token_error(&answer, 401, "invalid_client");
    let refused = found(&client, &answer).await;
    is(&refused, ("token", "invalid_client", "RFC 6749 §5.2"));
    assert_eq!(refused["reason"], json!("secret is wrong"));

    for (path, endpoint, clause) in
        [("/introspect", "introspect", "RFC 7662 §2.1"), ("/revoke", "revoke", "RFC 7009 §2.1")]
    {
        is(&found(&client, &client.call(path, &[]).await).await, (endpoint, "invalid_request", clause));
    }

    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    assert_eq!(client.call("/revoke", &[("token", tokens.access())]).await.status, 200);
    let answer = client.userinfo(tokens.access()).await;
    assert_eq!(answer.status, 401);
    is(&found(&client, &answer).await, ("userinfo", "invalid_token", "RFC 6750 §3.1"));

    let answer = idp.visitor().get(&end_session(&[("client_id", &client.id), ("id_token_hint", "a.b.c")])).await;
    verdict::page(&answer, 400);
    let refused = found(&client, &answer).await;
    is(&refused, ("end_session", "invalid_request", "RP-Initiated Logout §2"));
    assert_eq!(parameter(&refused, "id_token_hint")["shape"], json!("JWT, 5 characters"));
}

#[tokio::test]
async fn what_is_refused_to_a_client_that_manages_itself_is_found_too() {
    let idp = Sandbox::shared();
    let invitation = register::invite(idp, &["--uses", "5"]);
    let told = register::registered(idp, &invitation.token, json!({})).await;
    let id = register::text(&told, "client_id").to_owned();
    let secret = register::text(&told, "client_secret").to_owned();
    let client = RelyingParty {
        id: id.clone(),
        redirect: REDIRECT.to_owned(),
        proof: Proof::Basic(secret),
        metadata: told.clone(),
        issuer: idp.issuer.clone(),
    };
    let path = format!("/register/{id}");
    let bearer = format!("Bearer {}", register::text(&told, "registration_access_token"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let control = idp.visitor().send("GET", &path, &headers, None).await;
    assert_eq!(control.status, 200, "{}", control.body);
    let body = json!({"client_id": id, "redirect_uris": [REDIRECT], "response_types": ["token"], "scope": "openid"});
    let answer = idp.visitor().send("PUT", &path, &headers, Some(body.to_string().into_bytes())).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    let refused = found(&client, &answer).await;
    is(&refused, ("register", "invalid_client_metadata", "RFC 7591 §3.2.2"));
    assert_eq!(parameter(&refused, "response_types")["shape"], json!("list of 1"));
    let answer = idp.visitor().send("GET", &path, &[("authorization", "Bearer wrong")], None).await;
    register::stranger(&answer);
    is(&found(&client, &answer).await, ("register", "invalid_token", "RFC 7592 §2"));
    assert_eq!(asked(&client, &[("reference", &reference(&control))]).await, Vec::<Value>::new());
}

#[tokio::test]
async fn success_leaves_nothing_and_nobody_sees_anothers() {
    let idp = Sandbox::shared();
    let (client, other, holder) = (idp.confidential(), idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
    client.introspect(tokens.access()).await;
    assert_eq!(client.call("/revoke", &[("token", tokens.refresh())]).await.status, 200);
    // Once this one can be seen, what came before it could be.
    let control = client.call("/introspect", &[]).await;
    found(&client, &control).await;
    assert_eq!(asked(&client, &[]).await.len(), 1, "of everything only the control was refused");
    assert_eq!(asked(&other, &[]).await, Vec::<Value>::new());
    assert_eq!(asked(&other, &[("reference", &reference(&control))]).await, Vec::<Value>::new());
    assert_eq!(asked(&other, &[("reference", "ABCDEFGHJK")]).await, Vec::<Value>::new());
    // A code of another client is like one nobody knows.
    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
    let seen = async |code: &str| {
        let answer = other.redeem(code, &ask.verifier).await;
        let mut refused = found(&other, &answer).await;
        for differs in ["reference", "at", "parameters"] {
            refused[differs] = Value::Null;
        }
        refused
    };
    assert_eq!(seen(&code).await, seen(&"x".repeat(code.len())).await);
}

#[tokio::test]
async fn only_a_client_that_proves_itself_is_told() {
    let idp = Sandbox::shared();
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let client = idp.client(json!({"token_endpoint_auth_method": method}));
        let refused = client.call("/introspect", &[]).await;
        found(&client, &refused).await;
    }
    let public = idp.public();
    verdict::token_error(&public.call("/trace", &[]).await, 401, "invalid_client");
    verdict::token_error(&idp.visitor().post("/trace", &[], &[]).await, 401, "invalid_client");
    let client = idp.signing(json!({}));
    verdict::token_error(&client.call("/trace", &[("before", "a"), ("before", "b")]).await, 400, "invalid_request");
    let fields = crate::support::relying_party::assertion_fields(&client.assertion(json!({})));
    assert_eq!(idp.visitor().post("/trace", &fields, &[]).await.status, 200);
    verdict::token_error(&idp.visitor().post("/trace", &fields, &[]).await, 401, "invalid_client");
    idp.admin_ok(&["client", "suspend", &client.id]);
    verdict::token_error(&client.call("/trace", &[]).await, 401, "invalid_client");
    // What a public client did wrong its operator looks up.
    let answer = public.refresh("unknown").await;
    let reference = reference(&answer);
    let shown = comes_to(async || {
        let shown = idp.admin_ok(&["client", "trace", &public.id, "--json", "--reference", &reference]);
        serde_json::from_str::<Value>(&shown).unwrap().get(0).cloned()
    })
    .await;
    is(&shown, ("token", "invalid_grant", "RFC 6749 §5.2"));
    let listed = idp.admin_ok(&["client", "trace", &public.id]);
    assert!(listed.contains(&reference) && listed.contains("grant_type = refresh_token"), "{listed}");
    assert!(!idp.admin_ok(&["client", "trace", &client.id]).contains(&reference));
}

#[tokio::test]
async fn a_flood_is_counted_and_hides_nothing_else() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for _ in 0..45 {
        assert_eq!(client.call("/revoke", &[]).await.status, 400);
    }
    let sums = async || {
        let all = asked(&client, &[]).await;
        let repeated: i64 = all.iter().filter_map(|one| one["repeated"].as_i64()).sum();
        (all.len(), repeated)
    };
    comes_to(async || (sums().await == (30, 15)).then_some(())).await;
    let other = client.call("/introspect", &[]).await;
    assert_eq!(other.status, 400, "a refusal answers the same when the budget is spent");
    found(&client, &other).await;
    // Pages: what is shown is bounded, and the rest is behind `before`.
    for path in ["/token", "/par"] {
        for _ in 0..25 {
            client.call(path, &[("grant_type", "x"), ("response_type", "x")]).await;
        }
    }
    comes_to(async || (asked(&client, &[]).await.len() == 50).then_some(())).await;
    let mut all = Vec::new();
    let mut before = String::new();
    comes_to(async || {
        (all, before) = (Vec::new(), String::new());
        loop {
            let body = client.call("/trace", &[("before", &before)]).await.json();
            all.extend(body["refused_requests"].as_array().unwrap().clone());
            match body["before"].as_str() {
                Some(next) => before = next.to_owned(),
                None => break,
            }
        }
        (all.len() == 81).then_some(())
    })
    .await;
    let mut references: Vec<String> = all.iter().map(|one| one["reference"].to_string()).collect();
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), 81, "each on one page");
}

#[tokio::test]
async fn nothing_secret_is_in_a_record_wherever_it_was_sent() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    let Proof::Basic(secret) = &client.proof else { panic!("Basic") };
    let secrets = [secret.as_str(), tokens.access(), tokens.refresh(), tokens.id_token(), &tokens.code, &holder.number];
    for value in secrets {
        let places = [
            "scope",
            "state",
            "nonce",
            "login_hint",
            "id_token_hint",
            "redirect_uri",
            "request",
            "claims",
            "unknown",
            "client_secret",
            "code",
            "code_verifier",
            "resource",
            "acr_values",
            "service",
            value,
        ];
        let fields: Vec<(&str, &str)> = places.iter().map(|name| (*name, value)).collect();
        let sent = encode(&pairs(&[&[("client_id", client.id.as_str())][..], &fields].concat()));
        idp.visitor().get(&format!("/authorize?{sent}")).await;
        let address = format!("https://rp.gov.vn/{value}?x={value}#{value}");
        idp.visitor().get(&Ask::of(&client).with("redirect_uri", &address).target()).await;
        client.call("/par", &fields).await;
        client.call("/token", &fields).await;
        let header = basic(&client.id, &format!("{value}."));
        idp.visitor().post("/revoke", &pairs(&fields), &[("authorization", &header), ("dpop", value)]).await;
    }
    let last = client.call("/introspect", &[]).await;
    found(&client, &last).await;
    let all = Value::from(asked(&client, &[]).await).to_string();
    assert!(all.contains("redirect_uri") && all.contains("login_hint"), "there is something to search: {all}");
    for value in secrets {
        assert!(!all.contains(value), "{value} in {all}");
    }
}
