//! kill -9 in the middle of 200 mixed flows, 20 rounds: what was acknowledged stands in the trail, what was not is
//! whole or absent, and nothing is redeemed twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::sign_in_form;
use crate::support::holder::Holder;
use crate::support::now;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const ROUNDS: usize = 20;
const FLOWS: usize = 200;
const AT_ONCE: usize = 12;
const HOLDERS: usize = 4;

/// What the server said, by holder, and what it left unsaid.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<(usize, &'static str), usize>,
    /// Redemptions that got no answer, to be tried once more.
    unanswered: Vec<Unanswered>,
    /// Redemptions answered with tokens: spent for good.
    spent: Vec<(usize, RelyingParty, String, String)>,
    /// Access tokens that were given out and never taken back.
    living: Vec<(RelyingParty, String)>,
    finished: usize,
}

type Shared = Arc<Mutex<Ledger>>;

struct Unanswered {
    who: usize,
    client: RelyingParty,
    code: String,
    verifier: String,
    /// Unix seconds, before the code was asked for.
    since: i64,
}

/// How long a code is good for (`lifetimes.code`). Where a restart takes longer, nobody can say whether an unanswered
/// code was redeemed or ran out.
const CODE: i64 = 60;
const LATE: &str = "refused late";

struct House {
    holders: Vec<Holder>,
    visitors: Vec<Visitor>,
    confidential: RelyingParty,
    public: RelyingParty,
}

fn acknowledge(ledger: &Shared, holder: usize, kind: &'static str) {
    *ledger.lock().unwrap().acknowledged.entry((holder, kind)).or_insert(0) += 1;
}

/// One flow; `None` when the server died under it.
async fn flow(n: usize, house: &House, ledger: &Shared) -> Option<()> {
    let who = n % HOLDERS;
    if n % 20 == 19 {
        return fresh_sign_in(who, house, ledger).await;
    }
    let client = if n.is_multiple_of(2) { &house.confidential } else { &house.public };
    let ask = Ask::of(client).scope("openid profile offline_access");
    let since = now();
    let answer = house.visitors[who].attempt("GET", &ask.target(), &[], None).await.ok()?;
    let code = answer.returned().and_then(|returned| returned.get("code").map(str::to_owned));
    let code = code.unwrap_or_else(|| panic!("no code: {} {}", answer.status, answer.body));
    acknowledge(ledger, who, "authorization_issued");
    if n % 10 == 7 {
        return Some(()); // A code nobody redeems.
    }
    let Ok(answer) = client.attempt("/token", &client.redemption(&code, &ask.verifier)).await else {
        let (client, verifier) = (client.clone(), ask.verifier);
        ledger.lock().unwrap().unanswered.push(Unanswered { who, client, code, verifier, since });
        return None;
    };
    let tokens = succeeded(&answer);
    acknowledge(ledger, who, "token_issued");
    ledger.lock().unwrap().spent.push((who, client.clone(), code, ask.verifier));
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    match n % 4 {
        0 | 1 => {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
            succeeded(&client.attempt("/token", &fields).await.ok()?);
            acknowledge(ledger, who, "token_refreshed");
        }
        2 => {
            succeeded_empty(&client.attempt("/revoke", &[("token", refresh.as_str())]).await.ok()?);
            acknowledge(ledger, who, "token_revoked");
            return Some(());
        }
        _ => {}
    }
    ledger.lock().unwrap().living.push((client.clone(), access));
    Some(())
}

async fn fresh_sign_in(who: usize, house: &House, ledger: &Shared) -> Option<()> {
    let (holder, visitor) = (&house.holders[who], Visitor::new(&house.confidential.issuer));
    let ask = Ask::of(&house.confidential);
    let mut at = visitor.attempt("GET", &ask.target(), &[], None).await.ok()?;
    for _ in 0..6 {
        if at.returned().is_some() {
            acknowledge(ledger, who, "sign_in");
            acknowledge(ledger, who, "authorization_issued");
            return Some(());
        }
        at = match at.location() {
            Some(to) => visitor.attempt("GET", to.as_str(), &[], None).await.ok()?,
            None => {
                let form = sign_in_form(&at, &holder.number, &holder.password);
                let body = crate::support::wire::encode(&form.fields).into_bytes();
                let media = [("content-type", "application/x-www-form-urlencoded")];
                let to = at.url.join(&form.action).unwrap();
                visitor.attempt("POST", to.as_str(), &media, Some(body)).await.ok()?
            }
        };
    }
    panic!("sign-in does not end: {}", at.body);
}

fn succeeded(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn succeeded_empty(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn text(value: &serde_json::Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_in_the_middle_of_200_mixed_flows_20_rounds() {
    let idp = Arc::new(Sandbox::fresh());
    let (confidential, public) = (idp.confidential(), idp.public());
    let ledger: Shared = Arc::default();
    let mut house = House { holders: Vec::new(), visitors: Vec::new(), confidential, public };
    for who in 0..HOLDERS {
        let (holder, visitor) = (idp.citizen(), idp.visitor());
        for client in [&house.confidential, &house.public] {
            let ask = Ask::of(client).scope("openid profile offline_access");
            idp.tokens(&visitor, client, ask, &holder).await;
            acknowledge(&ledger, who, "authorization_issued");
            acknowledge(&ledger, who, "token_issued");
        }
        acknowledge(&ledger, who, "sign_in");
        house.holders.push(holder);
        house.visitors.push(visitor);
    }
    let house = Arc::new(house);
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        interrupted += one_round(round, &idp, &house, &ledger).await;
        idp.start();
        check(round, &idp, &house, &ledger).await;
    }
    assert!(interrupted > ROUNDS, "the kills hit flows in the middle: {interrupted}");
}

/// Runs the flows and kills the server when part of them is through; how many were cut short.
async fn one_round(round: usize, idp: &Arc<Sandbox>, house: &Arc<House>, ledger: &Shared) -> usize {
    ledger.lock().unwrap().finished = 0;
    let (gate, cut) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(AtomicUsize::new(0)));
    let mut flows = JoinSet::new();
    for n in 0..FLOWS {
        let (house, ledger, gate, cut) = (Arc::clone(house), Arc::clone(ledger), Arc::clone(&gate), Arc::clone(&cut));
        flows.spawn(async move {
            let _permit = gate.acquire_owned().await.unwrap();
            match flow(n, &house, &ledger).await {
                Some(()) => ledger.lock().unwrap().finished += 1,
                None => drop(cut.fetch_add(1, Ordering::Relaxed)),
            }
        });
    }
    let enough = 30 + (round * 37) % 120;
    while ledger.lock().unwrap().finished < enough {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if let Some(failed) = flows.try_join_next() {
            failed.unwrap();
        }
    }
    tokio::task::block_in_place(|| idp.kill());
    while let Some(ended) = flows.join_next().await {
        ended.unwrap();
    }
    cut.load(Ordering::Relaxed)
}

/// Whole or absent: an unanswered redemption is either still open, or was done, and then this one is a replay.
async fn settle(round: usize, one: Unanswered, ledger: &Shared) {
    let answer = one.client.redeem(&one.code, &one.verifier).await;
    match answer.status {
        200 => acknowledge(ledger, one.who, "token_issued"),
        400 if now() >= one.since + CODE => acknowledge(ledger, one.who, LATE),
        400 => {
            acknowledge(ledger, one.who, "token_issued");
            acknowledge(ledger, one.who, "token_replayed");
        }
        other => panic!("round {round}: {other} {}", answer.body),
    }
}

async fn check(round: usize, idp: &Sandbox, house: &House, ledger: &Shared) {
    let unanswered = std::mem::take(&mut ledger.lock().unwrap().unanswered);
    for one in unanswered {
        settle(round, one, ledger).await;
    }
    let spent = std::mem::take(&mut ledger.lock().unwrap().spent);
    let living = std::mem::take(&mut ledger.lock().unwrap().living);
    for (client, token) in living.iter().take(12) {
        assert_eq!(client.userinfo(token).await.status, 200, "round {round}: an acknowledged token works");
    }
    for (who, client, code, verifier) in spent.iter().take(12) {
        assert_eq!(client.redeem(code, verifier).await.status, 400, "round {round}: redeemed twice");
        acknowledge(ledger, *who, "token_replayed");
    }
    let acknowledged = ledger.lock().unwrap().acknowledged.clone();
    for (who, holder) in house.holders.iter().enumerate() {
        let trail = idp.trail(holder);
        let count = |kind: &str| trail.iter().filter(|event| event["kind"] == serde_json::json!(kind)).count();
        let told = |kind| acknowledged.get(&(who, kind)).copied().unwrap_or(0);
        for kind in ["sign_in", "authorization_issued", "token_refreshed", "token_revoked"] {
            let (told, count) = (told(kind), count(kind));
            assert!(count >= told, "round {round}: {told} {kind} acknowledged, {count} in the trail");
        }
        // Every redemption is answered by now, one way or the other: as many as there are, no more, no fewer.
        for kind in ["token_issued", "token_replayed"] {
            let (least, count) = (told(kind), count(kind));
            let most = least + told(LATE);
            assert!((least..=most).contains(&count), "round {round}: {kind} {count} times, not {least} to {most}");
        }
        assert!(count("token_issued") <= count("authorization_issued"));
    }
}
