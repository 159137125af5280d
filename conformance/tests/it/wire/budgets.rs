//! What one client may make us remember, or guess, is bounded (`security.md` DP-07, CA-14), and what is over it is refused,
//! never let through.

use serde_json::json;

use super::dpop::token;
use crate::support::port;
use crate::support::proof::Key;
use crate::support::provider::Provider;
use crate::support::verdict;
use crate::support::wire::pairs;

#[tokio::test]
async fn dp_07_over_the_budget_of_proofs_a_client_is_refused_and_others_are_not() {
    let idp = Provider::plain(port::one(), "[limits]\ndpop_proofs_per_client = 3\n");
    let client = || idp.public(json!({"grant_types": ["authorization_code", "refresh_token"]}));
    let (flooding, other) = (client(), client());
    let junk = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];
    let htu = format!("{}/token", idp.issuer);
    let fresh = || Key::new().proof("POST", &htu, json!({}));
    let first = fresh();
    verdict::token_error(&token(&flooding, &junk, &[&first]).await, 400, "invalid_grant");
    for _ in 0..2 {
        verdict::token_error(&token(&flooding, &junk, &[&fresh()]).await, 400, "invalid_grant");
    }
    for proof in [fresh(), first] {
        let over = token(&flooding, &junk, &[&proof]).await;
        assert_eq!((over.status, over.header("retry-after").is_some()), (503, true), "{}", over.body);
    }
    verdict::token_error(&token(&flooding, &junk, &[]).await, 400, "invalid_grant");
    verdict::token_error(&token(&other, &junk, &[&fresh()]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn ca_14_guessing_the_secret_of_a_client_is_slowed_where_it_happens() {
    let proxies = "[limits]\nclient_failures_per_network = 30\n[web]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let idp = Provider::plain(port::one(), proxies);
    let secret = "a-secret-of-enough-characters";
    for id in ["guessed", "other"] {
        idp.put_client(&json!({
            "client_id": id, "grant_types": ["client_credentials"], "scope": "reports:read",
            "token_endpoint_auth_method": "client_secret_post", "client_secret": secret,
        }));
    }
    let ask = async |id: &str, secret: &str, from: &str| {
        let fields = pairs(&[("client_id", id), ("client_secret", secret), ("grant_type", "client_credentials")]);
        idp.visitor().with_header("x-forwarded-for", from).post("/token", &fields, &[]).await
    };
    let (thief, portal) = ("203.0.113.7", "198.51.100.9");
    assert_eq!(ask("guessed", secret, thief).await.status, 200, "control");
    for id in ["guessed", "unheard-of"] {
        let mut seen = Vec::new();
        for n in 0..100 {
            seen.push(ask(id, &format!("guess-number-{n}-of-many"), thief).await.status);
        }
        // Nobody's clock is asserted: a slow machine may begin a second minute, and evaluate a second lot.
        assert!(seen[..30].iter().all(|status| *status == 401), "{id}: {seen:?}");
        assert!(seen.contains(&503), "{id}: {seen:?}");
    }
    let right = ask("guessed", secret, "203.0.113.200").await;
    assert_eq!(
        (right.status, right.header("retry-after").is_some()),
        (503, true),
        "its network, and nothing evaluated"
    );
    assert_eq!(ask("guessed", secret, portal).await.status, 200, "the portal itself is not locked out");
    assert_eq!(ask("other", secret, thief).await.status, 200, "nor is another client of that network");
}
