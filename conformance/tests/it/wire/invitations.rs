//! `security.md` 2.13 RG-01: who may register at all, and how often.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::register::{invite, metadata, register, registered, stranger, text};
use crate::support::sandbox::Sandbox;
use crate::support::wire::Visitor;

#[tokio::test]
async fn rg_01_only_by_a_token_that_stands() {
    let idp = Sandbox::shared();
    let body = metadata(json!({})).to_string().into_bytes();
    let json_body = [("content-type", "application/json")];
    stranger(&idp.visitor().send("POST", "/register", &json_body, Some(body.clone())).await);
    let taken_back = invite(idp, &[]);
    idp.admin_ok(&["client", "uninvite", &taken_back.id]);
    let once = invite(idp, &[]);
    let told = registered(idp, &once.token, json!({})).await;
    let holder = idp.citizen();
    let client = idp.confidential();
    let access = idp.offline_tokens(&client, &holder).await;
    for token in [
        "unknown",
        &taken_back.token,
        &once.token,
        text(&told, "registration_access_token"),
        access.access(),
        &once.token.to_lowercase(),
    ] {
        stranger(&register(idp, token, json!({})).await);
    }
    // A refused request spends nothing.
    let spared = invite(idp, &[]);
    assert_eq!(register(idp, &spared.token, json!({"redirect_uris": ["http://rp.gov.vn/"]})).await.status, 400);
    registered(idp, &spared.token, json!({})).await;
    let past = idp.admin(&["client", "invite", "--until", "2020-01-01"]);
    assert_eq!(past.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_asked_for_fifty_times_at_once_make_exactly_as_many_clients() {
    const AT_ONCE: usize = 50;
    let idp = Sandbox::fresh();
    let invitation = invite(&idp, &["--uses", "7"]);
    let clients = || idp.admin_ok(&["client", "list"]).lines().count();
    let before = clients();
    let gate = Arc::new(Barrier::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (visitor, gate) = (Visitor::new(&idp.issuer), Arc::clone(&gate));
        let (bearer, body) = (format!("Bearer {}", invitation.token), metadata(json!({})).to_string().into_bytes());
        tasks.spawn(async move {
            gate.wait().await;
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            visitor.send("POST", "/register", &headers, Some(body)).await.status
        });
    }
    let mut seen = BTreeMap::new();
    while let Some(status) = tasks.join_next().await {
        *seen.entry(status.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(seen, BTreeMap::from([(201, 7), (401, AT_ONCE - 7)]));
    assert_eq!(clients(), before + 7);
    let listed: Value = serde_json::from_str(&idp.admin_ok(&["client", "invitations", "--json"])).unwrap();
    assert_eq!((listed[0]["id"].as_str(), &listed[0]["uses_left"]), (Some(invitation.id.as_str()), &json!(0)));
    assert!(!listed.to_string().contains(&invitation.token));
}
