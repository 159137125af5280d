//! What is used once is used once, however many ask at the same moment (TK-02, RF-02, CA-04). `LONG=1` does a
//! thousand codes instead of a hundred.

mod lock;
mod withdrawal;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::Tokens;
use crate::support::relying_party::{RelyingParty, assertion_fields};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Visitor, encode, pairs};

const AT_ONCE: usize = 50;

fn rounds() -> usize {
    if std::env::var_os("LONG").is_some() { 1000 } else { 100 }
}

/// Ten connections kept open, as ten machines of one portal would.
fn connections(issuer: &str) -> Vec<Arc<Visitor>> {
    (0..10).map(|_| Arc::new(Visitor::new(issuer))).collect()
}

/// As `connections`, every second one to another process.
fn at_both(one: &str, other: &str) -> Vec<Arc<Visitor>> {
    let pairs = connections(one).into_iter().zip(connections(other)).enumerate();
    pairs.map(|(n, (one, other))| if n % 2 == 0 { one } else { other }).collect()
}

/// Who waits two seconds for another, on a disk that stands still, is told to come back (`security.md` N-26).
/// Nothing else went wrong: no deadlock, and no row that was there already.
fn only_waited(log: &str) {
    let others = log.lines().filter(|line| line.contains("request.fault") && !line.contains("timeout"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Sends one request fifty times at one moment; how often each answer came, and the bodies of the successes.
async fn storm(
    through: &[Arc<Visitor>],
    client: &RelyingParty,
    fields: &[(&str, &str)],
) -> (BTreeMap<String, usize>, Vec<serde_json::Value>) {
    let (mut body, header) = client.credentials();
    body.extend(pairs(fields));
    let (body, gate) = (encode(&body), Arc::new(Barrier::new(AT_ONCE)));
    let mut tasks = JoinSet::new();
    for n in 0..AT_ONCE {
        let (visitor, body, header, gate) =
            (Arc::clone(&through[n % through.len()]), body.clone(), header.clone(), Arc::clone(&gate));
        tasks.spawn(async move {
            let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
            headers.extend(header.iter().map(|value| ("authorization", value.as_str())));
            gate.wait().await;
            visitor.send_again("POST", "/token", &headers, body.as_bytes()).await
        });
    }
    let (mut seen, mut won) = (BTreeMap::new(), Vec::new());
    while let Some(answer) = tasks.join_next().await {
        let answer = answer.unwrap();
        let body = answer.json();
        *seen.entry(format!("{} {}", answer.status, body["error"].as_str().unwrap_or("-"))).or_insert(0) += 1;
        if answer.status == 200 {
            won.push(body);
        }
    }
    (seen, won)
}

/// As `storm`, of what is used once: one wins, and by the replays what it won is dead wherever it is asked about, as is
/// what it came from.
async fn one_wins(through: &[Arc<Visitor>], asked: &[&RelyingParty], fields: &[(&str, &str)], from: Option<&Tokens>) {
    let (seen, won) = storm(through, asked[0], fields).await;
    let expected = BTreeMap::from([("200 -".to_owned(), 1), ("400 invalid_grant".to_owned(), AT_ONCE - 1)]);
    assert_eq!(seen, expected);
    let text = |name: &str| won[0][name].as_str().unwrap();
    let mut access = vec![text("access_token")];
    let mut refresh = vec![text("refresh_token")];
    access.extend(from.map(Tokens::access));
    refresh.extend(from.map(Tokens::refresh));
    for client in asked {
        verdict::family_is_dead(client, &access, &refresh).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk_02_one_code_redeemed_fifty_times_at_once_has_one_winner_and_no_survivor() {
    let idp = Sandbox::fresh();
    let through = connections(&idp.issuer);
    let holder = idp.citizen();
    for client in [idp.confidential(), idp.public()] {
        let visitor = idp.visitor();
        for _ in 0..rounds() / 2 {
            let ask = Ask::of(&client).scope("openid profile offline_access");
            let code = idp.authorize(&visitor, &ask, &holder).await.code();
            one_wins(&through, &[&client], &client.redemption(&code, &ask.verifier), None).await;
        }
    }
    only_waited(&idp.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk_02_one_code_redeemed_at_once_at_two_processes_has_one_winner_and_no_survivor() {
    let idp = Sandbox::fresh();
    // F-20: an embedded store has one server.
    let Some(beside) = idp.beside().await else { return };
    let through = at_both(&idp.issuer, &beside.address);
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    for client in [idp.confidential(), idp.public()] {
        let there = RelyingParty { issuer: beside.address.clone(), ..client.clone() };
        for _ in 0..rounds() / 2 {
            let ask = Ask::of(&client).scope("openid profile offline_access");
            let code = idp.authorize(&visitor, &ask, &holder).await.code();
            one_wins(&through, &[&client, &there], &client.redemption(&code, &ask.verifier), None).await;
        }
    }
    only_waited(&idp.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_02_one_refresh_token_of_a_public_client_turns_once_and_the_family_dies() {
    let idp = Sandbox::fresh();
    let through = connections(&idp.issuer);
    let (client, holder, visitor) = (idp.public(), idp.citizen(), idp.visitor());
    for _ in 0..rounds() {
        let ask = Ask::of(&client).scope("openid profile offline_access");
        let tokens = idp.tokens(&visitor, &client, ask, &holder).await;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
        one_wins(&through, &[&client], &fields, Some(&tokens)).await;
    }
    only_waited(&idp.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_04_one_refresh_token_of_a_confidential_client_serves_all_fifty() {
    let idp = Sandbox::fresh();
    let through = connections(&idp.issuer);
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    let (seen, won) = storm(&through, &client, &fields).await;
    assert_eq!(seen, BTreeMap::from([("200 -".to_owned(), AT_ONCE)]));
    assert!(won.iter().all(|body| body["refresh_token"] == tokens.body["refresh_token"]));
}

/// Fifty uses of each of some assertions, of which one is accepted.
async fn assertions_count_once(through: &[Arc<Visitor>], client: &RelyingParty, rounds: usize) {
    for round in 0..rounds {
        let assertion = assertion_fields(&client.assertion(json!({})));
        let mut fields: Vec<(&str, &str)> = assertion.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend([("grant_type", "refresh_token"), ("refresh_token", "unknown")]);
        let bare = RelyingParty { proof: crate::support::relying_party::Proof::None, ..client.clone() };
        let (seen, _) = storm(through, &bare, &fields).await;
        // The winner is known, and told that its grant is none.
        let expected =
            BTreeMap::from([("400 invalid_grant".to_owned(), 1), ("401 invalid_client".to_owned(), AT_ONCE - 1)]);
        assert_eq!(seen, expected, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ca_04_one_assertion_sent_fifty_times_at_once_is_accepted_once() {
    let idp = Sandbox::fresh();
    let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    assertions_count_once(&connections(&idp.issuer), &client, rounds() / 10).await;
    // F-20: an embedded store has one server.
    if let Some(beside) = idp.beside().await {
        assertions_count_once(&at_both(&idp.issuer, &beside.address), &client, rounds() / 10).await;
    }
    only_waited(&idp.log());
}
