//! F-30, N-01: a lock is acknowledged while every path of one holder is under way. No success starts after the
//! acknowledgement, and nothing that was issued until then outlives it. The figures printed are those of N-02.
//!
//! The attackers: `/authorize` with the standing session, the same silently, a code redeemed, a refresh token, `/userinfo`,
//! introspection, the consent form, a pushed request brought to `/authorize`, `/identity` shown and posted; a sign-in by
//! password, by passkey, by another provider and by the app, approving and approved; the step-up by message and by
//! authenticator app; a recovery at its code and at its new password; a new app and a new link. A way in that is added adds
//! its attacker to `field`, and `each_of_them_wins_while_nothing_is_locked` sees that it can win.

mod attacks;
mod field;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use attacks::{Attack, Tally};
use field::{Field, field};

use crate::support::abroad::Abroad;
use crate::support::attempt::{Way, Won};
use crate::support::backing::Backing;
use crate::support::holder::{Holder, record};
use crate::support::relying_party::RelyingParty;
use crate::support::verdict;

fn rounds() -> usize {
    if std::env::var_os("LONG").is_some() { 1000 } else { 50 }
}

/// Every fifth time an officer's command, otherwise the holder's own button.
const fn by_command(round: usize) -> bool {
    round.is_multiple_of(5)
}

/// Where all rounds are fought.
pub struct Ground {
    abroad: Abroad,
    clients: [RelyingParty; 3],
}

impl Ground {
    fn on(backing: Backing) -> Arc<Ground> {
        let abroad = Abroad::on(backing);
        let clients = [(); 3].map(|()| abroad.sandbox.confidential());
        Arc::new(Ground { abroad, clients })
    }

    fn holders(&self, count: usize) -> Vec<Holder> {
        let (records, holders): (Vec<_>, Vec<Holder>) = (0..count).map(|_| record(2, json!({}))).unzip();
        self.abroad.sandbox.import(&records);
        holders
    }
}

#[derive(Clone)]
struct Race {
    ground: Arc<Ground>,
    gate: Arc<Barrier>,
    acknowledged: Arc<OnceLock<Instant>>,
}

impl Race {
    async fn run(self, attack: Attack) -> (Attack, Vec<Won>) {
        let mut won = Vec::new();
        self.gate.wait().await;
        tokio::time::sleep(attack.after).await;
        loop {
            let begun = Instant::now();
            let end = attack.attempt.once(&self.ground.abroad.sandbox).await;
            let over = self.acknowledged.get().is_some_and(|end| begun > *end);
            assert!(!over || end.is_refused(), "{} begun after the acknowledgement succeeded", attack.name);
            won.push(end);
            if over || !attack.again {
                return (attack, won);
            }
        }
    }
}

/// One of sixty moments within thirty milliseconds; neighbouring rounds and salts are far apart.
fn offset(round: usize, salt: usize) -> Duration {
    Duration::from_micros(u64::try_from((round * 17 + salt * 23) % 60 * 500).unwrap())
}

async fn one_round(ground: &Arc<Ground>, round: usize, holder: Holder, tally: &mut Tally) -> Duration {
    let Field { holder, own, tokens, attacks } = field(ground, round, holder).await;
    let lock = own.open("/lock").await;
    let press = lock.page().press("confirm", &[], &[]);
    let gate = Arc::new(Barrier::new(attacks.len() + 1));
    let race = Race { ground: Arc::clone(ground), gate, acknowledged: Arc::default() };
    let mut running = JoinSet::new();
    for attack in attacks {
        running.spawn(race.clone().run(attack));
    }
    race.gate.wait().await;
    // Sometimes long enough for whoever must be hashed a password first.
    tokio::time::sleep(offset(round, 2) * u32::try_from(1 + round % 4).unwrap()).await;
    let begun = Instant::now();
    if by_command(round) {
        tokio::task::block_in_place(|| ground.abroad.sandbox.lock(&holder));
    } else {
        let told = own.submit_once(&lock, &press, &[]).await;
        assert_eq!(told.location().map(|to| to.path().to_owned()).as_deref(), Some("/lock-done"), "{}", told.body);
    }
    race.acknowledged.set(Instant::now()).unwrap();
    let took = begun.elapsed();
    let (mut access, mut refresh) = (vec![tokens.access().to_owned()], vec![tokens.refresh().to_owned()]);
    while let Some(ended) = running.join_next().await {
        let (attack, won) = ended.unwrap();
        tally.count(&attack, &won);
        attack.is_dead(&won, ground, &holder).await;
        for one in won {
            if let Won::Tokens(tokens) = one {
                access.push(tokens.access().to_owned());
                refresh.push(tokens.refresh().to_owned());
            }
        }
    }
    // The last of many tell for all: they are of one grant.
    let access: Vec<&str> = access.iter().rev().take(3).map(String::as_str).collect();
    let refresh: Vec<&str> = refresh.iter().rev().take(3).map(String::as_str).collect();
    verdict::family_is_dead(&ground.clients[0], &access, &refresh).await;
    took
}

async fn all_rounds(ground: &Arc<Ground>, rounds: usize, what: &str) {
    let (mut by_page, mut of_officers, mut tally) = (Vec::new(), Vec::new(), Tally::default());
    for (round, holder) in ground.holders(rounds).into_iter().enumerate() {
        let took = one_round(ground, round, holder, &mut tally).await;
        if by_command(round) { of_officers.push(took) } else { by_page.push(took) }
    }
    println!("F-30 {what}, {rounds} rounds, won before the lock: {}", tally.told());
    for (by, mut took) in [("page", by_page), ("command", of_officers)] {
        took.sort_unstable();
        let at = |part: usize| took.get((took.len() * part / 100).min(took.len().saturating_sub(1))).copied();
        println!("N-02 lock acknowledged by {by}, {what}: p50 {:?} p99 {:?} of {}", at(50), at(99), took.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_30_nothing_succeeds_after_a_lock_was_acknowledged() {
    let ground = Ground::on(Backing::fresh());
    all_rounds(&ground, rounds(), "all in order").await;
}

/// F-31: the short memory and its announcements are gone; SQL alone decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_30_nor_with_the_short_memory_cut_off() {
    let Some((mut redis, backing)) = Backing::with_own_redis() else { return };
    let ground = Ground::on(backing);
    all_rounds(&ground, 1, "before the cut").await;
    drop(redis.0.kill());
    drop(redis.0.wait());
    all_rounds(&ground, rounds(), "short memory cut off").await;
}

/// The control: an attack that could not win would prove nothing by losing. One after the other, in an order in which
/// none takes from another what it needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_30_each_of_them_wins_while_nothing_is_locked() {
    let ground = Ground::on(Backing::fresh());
    // By their thirds, with a recovery at its code and at its new password.
    let rounds = [1, 3, 5];
    let mut seen = BTreeSet::new();
    for (round, holder) in rounds.into_iter().zip(ground.holders(rounds.len())) {
        let mut attacks = field(&ground, round, holder).await.attacks;
        attacks.sort_by_key(|attack| match (&attack.attempt.way, attack.name) {
            (Way::Recover(_, _, "done"), _) => 3,
            (_, "identity posted") => 2,
            (Way::Bind(..), _) => 1,
            _ => 0,
        });
        for attack in attacks {
            let won = attack.attempt.once(&ground.abroad.sandbox).await;
            assert!(!won.is_refused(), "{} loses by itself in round {round}", attack.name);
            seen.insert(attack.name);
        }
    }
    assert_eq!(seen.len(), 21, "{seen:?}");
}
