//! An approval is good once: for one reference, for one spending, and not after its holder was locked or left.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::*;
use crate::support::wire::{encode, pairs};
use crate::wire::logout::sign_out;

const AT_ONCE: usize = 50;

fn inactive() -> Value {
    json!({"active": false})
}

/// A server that takes payments, and a client that may ask for tokens for it.
fn parties(idp: &Sandbox, form: &str) -> (String, RelyingParty, RelyingParty) {
    let resource = format!("https://pay-{}-{}.gov.vn", std::process::id(), next());
    let server = idp.client(json!({
        "grant_types": [], "redirect_uris": null, "post_logout_redirect_uris": null, "scope": "pay",
        "vn_serves": [resource], "vn_token_form": form,
    }));
    let client = payer(idp, json!({"vn_resources": [resource]}));
    (resource, server, client)
}

async fn attempt(server: &RelyingParty, token: &str, attempt: &str) -> Value {
    server.call("/introspect", &[("token", token), ("vn_attempt", attempt)]).await.json()
}

#[tokio::test]
async fn rfc9396_9_2_the_server_it_is_for_spends_it_once() {
    let idp = Sandbox::shared();
    let (resource, server, client) = parties(idp, "opaque");
    let (_, stranger, _) = parties(idp, "opaque");
    let holder = idp.citizen();
    let asked = details(&reference());
    let ask = asking(&client, &asked).with("resource", &resource);
    let tokens = approved(idp, &idp.visitor(), &client, ask, &holder).await;
    let token = tokens.access();
    // Neither a stranger nor the client, whose token it is but not whose business, spends it.
    assert_eq!(stranger.introspect(token).await, inactive());
    for _ in 0..2 {
        let seen = client.introspect(token).await;
        assert_eq!((&seen["active"], &seen["authorization_details"]), (&json!(true), &asked));
    }
    assert_eq!(idp.trail_count(&holder, "transaction_spent"), 0);
    let seen = server.introspect(token).await;
    assert_eq!((&seen["active"], &seen["authorization_details"]), (&json!(true), &asked));
    assert_eq!((&seen["aud"], &seen["client_id"]), (&json!(resource), &json!(client.id)));
    assert!(seen["acr"].is_string() && seen["auth_time"].is_i64(), "{seen}");
    // From here on it is worth nothing, whoever asks and however.
    for asker in [&server, &client, &server] {
        assert_eq!(asker.introspect(token).await, inactive());
    }
    assert_eq!(attempt(&server, token, "later").await, inactive());
    assert_eq!(idp.trail_count(&holder, "transaction_spent"), 1);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_to_the_attempt_that_lost_it() {
    let idp = Sandbox::shared();
    let (resource, server, client) = parties(idp, "opaque");
    let asked = details(&reference());
    let ask = asking(&client, &asked).with("resource", &resource);
    let tokens = approved(idp, &idp.visitor(), &client, ask, &idp.citizen()).await;
    let token = tokens.access();
    let too_long = "a".repeat(65);
    for bad in ["with space", "é", too_long.as_str()] {
        let answer = server.call("/introspect", &[("token", token), ("vn_attempt", bad)]).await;
        verdict::token_error(&answer, 400, "invalid_request");
    }
    let twice = server.call("/introspect", &[("token", token), ("vn_attempt", "a"), ("vn_attempt", "a")]).await;
    verdict::token_error(&twice, 400, "invalid_request");
    for _ in 0..3 {
        assert_eq!(attempt(&server, token, "order-7").await["authorization_details"], asked);
    }
    assert_eq!(attempt(&server, token, "order-8").await, inactive());
    assert_eq!(server.introspect(token).await, inactive(), "an attempt without a name is another one");
    assert_eq!(attempt(&client, token, "order-7").await, inactive(), "nor is it the client's");
    assert_eq!(attempt(&server, token, "order-7").await["active"], json!(true));
}

#[tokio::test]
async fn without_a_resource_the_client_spends_it_itself() {
    let idp = Sandbox::shared();
    let (client, visitor) = (payer(idp, json!({})), idp.visitor());
    let asked = details(&reference());
    let tokens = approved(idp, &visitor, &client, asking(&client, &asked), &idp.citizen()).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    assert_eq!(client.introspect(tokens.access()).await["authorization_details"], asked);
    assert_eq!(client.introspect(tokens.access()).await, inactive());
    assert_eq!(client.userinfo(tokens.access()).await.status, 401, "inactive is inactive everywhere");
    // Nor is it spent by nobody where it names us alone.
    let ask = asking(&client, &details(&reference())).with("resource", &idp.issuer);
    let tokens = approved(idp, &idp.visitor(), &client, ask, &idp.citizen()).await;
    assert_eq!(client.introspect(tokens.access()).await["active"], json!(true));
    assert_eq!(client.introspect(tokens.access()).await, inactive());
}

#[tokio::test]
async fn rfc9396_9_1_a_jwt_says_what_was_approved_and_is_spent_all_the_same() {
    let idp = Sandbox::shared();
    let (resource, server, client) = parties(idp, "jwt");
    let asked = details(&reference());
    // Level 2 is never stated in a JWT, so one is asked for below it.
    let ask = asking(&client, &asked).with("resource", &resource).with("acr_values", "urn:vn:eid:muc:1");
    let tokens = approved(idp, &idp.visitor(), &client, ask, &idp.citizen()).await;
    let (header, told) = jwt::read(tokens.access());
    assert_eq!((&header["typ"], &told["authorization_details"]), (&json!("at+jwt"), &asked));
    assert_eq!(tokens.body["authorization_details"], asked);
    assert_eq!(server.introspect(tokens.access()).await["authorization_details"], asked);
    assert_eq!(server.introspect(tokens.access()).await, inactive());
    // Asked for at its own level it is opaque, like every token that states level 2.
    let ask = asking(&client, &details(&reference())).with("resource", &resource);
    let tokens = approved(idp, &idp.visitor(), &client, ask, &idp.citizen()).await;
    assert!(!tokens.access().contains('.'));
}

#[tokio::test]
async fn what_ends_the_holders_sign_in_ends_what_was_not_spent() {
    let idp = Sandbox::shared();
    let (resource, server, client) = parties(idp, "opaque");
    for end in ["control", "lock", "sign-out", "withdrawal", "revocation", "suspension"] {
        let (holder, visitor) = (idp.citizen(), idp.visitor());
        let ask = asking(&client, &details(&reference())).with("resource", &resource).scope("openid profile");
        let tokens = approved(idp, &visitor, &client, ask, &holder).await;
        match end {
            "lock" => idp.lock(&holder),
            "sign-out" => sign_out(&visitor).await,
            "withdrawal" => {
                let at = visitor.open("/identity").await;
                visitor.submit(&at, &at.page().press(&format!("withdraw-{}", client.id), &[], &[])).await;
            }
            "revocation" => {
                assert_eq!(client.call("/revoke", &[("token", tokens.access())]).await.status, 200);
            }
            "suspension" => drop(idp.admin_ok(&["client", "suspend", &client.id])),
            _ => {}
        }
        let seen = attempt(&server, tokens.access(), end).await;
        assert_eq!(seen["active"], json!(end == "control"), "{end}");
        assert_eq!(idp.trail_count(&holder, "transaction_spent"), usize::from(end == "control"), "{end}");
    }
}

#[tokio::test]
async fn a_reference_is_approved_once_and_by_its_own_client() {
    let idp = Sandbox::shared();
    let (client, other) = (payer(idp, json!({})), payer(idp, json!({})));
    let asked = details(&reference());
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    // Pushed before and brought after: found out at the approval.
    let late = asking(&client, &asked);
    let waiting = client.pushed(&late).await;
    approved(idp, &visitor, &client, asking(&client, &asked), &holder).await;
    let ask = asking(&client, &asked);
    let answer = visitor.get(&ask.target()).await;
    let returned = verdict::redirect(&answer, &client, &ask, "invalid_authorization_details");
    assert_eq!(returned.get("error_description"), Some("authorization_details identifier was approved before"));
    verdict::token_error(&client.push(&ask).await, 400, "invalid_authorization_details");
    let (second, elsewhere) = (idp.citizen(), idp.visitor());
    let first = elsewhere.open(&client.bring(&waiting)).await;
    let at = idp.walk(&elsewhere, first, &second, Will::AllowAll).await;
    let answer = press(&elsewhere, &at, "allow").await;
    verdict::redirect(&answer, &client, &late, "invalid_authorization_details");
    assert_eq!(idp.trail_count(&second, "transaction_approved"), 0);
    // Another client's references are its own.
    approved(idp, &elsewhere, &other, asking(&other, &asked), &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reference_approved_fifty_times_at_once_has_one_winner() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    let asked = details(&reference());
    let gate = Arc::new(Barrier::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let (visitor, holder) = (Arc::new(idp.visitor()), idp.citizen());
        let at = at_page(idp, &visitor, &asking(&client, &asked), &holder).await;
        let form = at.page().press("allow", &[], &[]);
        for _ in 0..AT_ONCE / 5 {
            let (visitor, at, form, gate) = (Arc::clone(&visitor), at.clone(), form.clone(), Arc::clone(&gate));
            tasks.spawn(async move {
                gate.wait().await;
                let answer = visitor.submit_once(&at, &form, &[]).await;
                match answer.returned() {
                    Some(returned) if returned.get("code").is_some() => "code",
                    Some(_) => "refused",
                    None => "gone",
                }
            });
        }
    }
    let mut seen = BTreeMap::new();
    while let Some(answer) = tasks.join_next().await {
        *seen.entry(answer.unwrap()).or_insert(0) += 1;
    }
    // Each page answers its client once: one by a code, the others by the refusal.
    assert_eq!(seen, BTreeMap::from([("code", 1), ("refused", 4), ("gone", AT_ONCE - 5)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transaction_asked_about_fifty_times_at_once_is_spent_once() {
    let idp = Sandbox::shared();
    let (resource, server, client) = parties(idp, "opaque");
    for named in [false, true] {
        let holder = idp.citizen();
        let ask = asking(&client, &details(&reference())).with("resource", &resource);
        let tokens = approved(idp, &idp.visitor(), &client, ask, &holder).await;
        let (gate, mut tasks) = (Arc::new(Barrier::new(AT_ONCE)), JoinSet::new());
        for n in 0..AT_ONCE {
            let mut fields = pairs(&[("token", tokens.access())]);
            if named {
                fields.push(("vn_attempt".to_owned(), format!("attempt-{n}")));
            }
            let (_, header) = server.credentials();
            let (gate, visitor, body) = (Arc::clone(&gate), idp.visitor(), encode(&fields));
            tasks.spawn(async move {
                let headers = [
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("authorization", header.as_deref().unwrap()),
                ];
                gate.wait().await;
                let answer = visitor.send("POST", "/introspect", &headers, Some(body.into_bytes())).await;
                answer.json()["active"] == json!(true)
            });
        }
        let mut active = 0;
        while let Some(answer) = tasks.join_next().await {
            active += usize::from(answer.unwrap());
        }
        assert_eq!((active, idp.trail_count(&holder, "transaction_spent")), (1, 1));
    }
}
