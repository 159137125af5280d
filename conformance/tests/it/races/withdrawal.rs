//! CO-07: a consent is withdrawn while its grant is being used. Nothing begun after the withdrawal was acknowledged
//! succeeds, and nothing that was issued until then outlives it.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Barrier;

use crate::support::ask::Ask;
use crate::support::flow::Tokens;
use crate::support::holder::Holder;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

fn rounds() -> usize {
    if std::env::var_os("LONG").is_some() { 1000 } else { 50 }
}

/// Everybody starts at the gate; when the withdrawal's answer was there is known to all.
#[derive(Clone)]
struct Race {
    client: RelyingParty,
    gate: Arc<Barrier>,
    acknowledged: Arc<OnceLock<Instant>>,
}

impl Race {
    /// Whether a request begun at this moment comes too late. One that succeeded and did is what must not happen.
    fn is_over(&self, begun: Instant, answer: &Answer) -> bool {
        let over = self.acknowledged.get().is_some_and(|end| begun > *end);
        assert!(!over || answer.status >= 400, "begun after the acknowledgement: {} {}", answer.status, answer.body);
        over
    }

    async fn read(self, access: String) {
        self.gate.wait().await;
        loop {
            let begun = Instant::now();
            let answer = self.client.userinfo(&access).await;
            if self.is_over(begun, &answer) {
                return;
            }
        }
    }

    /// The access tokens it was given, and the newest refresh token.
    async fn refresh(self, mut refresh: String) -> (Vec<String>, String) {
        let mut given = Vec::new();
        self.gate.wait().await;
        loop {
            let begun = Instant::now();
            let answer = self.client.refresh(&refresh).await;
            if answer.status == 200 {
                let body = answer.json();
                given.push(body["access_token"].as_str().unwrap().to_owned());
                body["refresh_token"].as_str().unwrap().clone_into(&mut refresh);
            } else {
                verdict::token_error(&answer, 400, "invalid_grant");
            }
            if self.is_over(begun, &answer) {
                return (given, refresh);
            }
        }
    }

    /// What the code yielded, if it came in time.
    async fn redeem(self, (ask, code): (Ask, String), after: Duration) -> Option<Tokens> {
        self.gate.wait().await;
        tokio::time::sleep(after).await;
        let begun = Instant::now();
        let answer = self.client.redeem(&code, &ask.verifier).await;
        self.is_over(begun, &answer);
        if answer.status == 200 {
            return Some(Tokens { body: answer.json(), code, ask });
        }
        verdict::token_error(&answer, 400, "invalid_grant");
        None
    }
}

/// One of forty moments within twenty milliseconds; neighbouring rounds and salts are far apart.
fn offset(round: usize, salt: usize) -> Duration {
    Duration::from_micros(u64::try_from((round * 17 + salt * 23) % 40 * 500).unwrap())
}

async fn one_round(idp: &Sandbox, round: usize, client: &RelyingParty, (holder, visitor): (&Holder, &Visitor)) {
    let ask = || Ask::of(client).scope("openid profile offline_access");
    let tokens = idp.tokens(visitor, client, ask(), holder).await;
    let unspent = ask();
    let code = idp.authorize(visitor, &unspent, holder).await.code();
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    let page = visitor.open("/identity").await;
    let withdrawal = page.page().press(&format!("withdraw-{}", client.id), &[], &[]);

    let race = Race { client: client.clone(), gate: Arc::new(Barrier::new(4)), acknowledged: Arc::default() };
    let reading = tokio::spawn(race.clone().read(tokens.access().to_owned()));
    let refreshing = tokio::spawn(race.clone().refresh(tokens.refresh().to_owned()));
    let redeeming = tokio::spawn(race.clone().redeem((unspent.clone(), code.clone()), offset(round, 1)));
    race.gate.wait().await;
    tokio::time::sleep(offset(round, 2)).await;
    let told = visitor.submit_once(&page, &withdrawal, &[]).await;
    race.acknowledged.set(Instant::now()).unwrap();
    assert!(told.header("location").is_some_and(|to| to.contains("done=withdrawn")), "{} {}", told.status, told.body);

    reading.await.unwrap();
    let (given, newest) = refreshing.await.unwrap();
    let mut access: Vec<&str> = given.iter().map(String::as_str).chain([tokens.access()]).collect();
    let mut refresh = vec![newest.as_str(), tokens.refresh()];
    let redeemed = redeeming.await.unwrap();
    if let Some(tokens) = &redeemed {
        access.push(tokens.access());
        refresh.push(tokens.refresh());
    }
    verdict::family_is_dead(client, &access, &refresh).await;
    verdict::token_error(&client.redeem(&code, &unspent.verifier).await, 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn co_07_nothing_succeeds_after_a_withdrawal_was_acknowledged() {
    let idp = Sandbox::fresh();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let clients = [idp.confidential(), idp.public()];
    for round in 0..rounds() {
        one_round(&idp, round, &clients[round % 2], (&holder, &visitor)).await;
    }
}
