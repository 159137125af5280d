//! F-30, N-01: a lock is acknowledged while every path of one holder is under way. No success starts after the
//! acknowledgement, and nothing that was issued until then outlives it. The figures printed are those of N-02.
//!
//! The attackers: `/authorize` with the standing session, the same silently, a code redeemed, a refresh token, `/userinfo`,
//! introspection, the consent form, the code of a step-up, a pushed request brought to `/authorize`, `/identity` shown and
//! posted. A way in that is added adds its attacker to `attackers`.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::backing::Backing;
use crate::support::flow::{Tokens, Will, consent_form};
use crate::support::holder::{Holder, record};
use crate::support::page::Submission;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

fn rounds() -> usize {
    if std::env::var_os("LONG").is_some() { 1000 } else { 50 }
}

/// What may succeed before the lock and never after.
enum Way {
    Authorize(Ask),
    Redeem(Ask, String),
    Refresh(Mutex<String>),
    Read(String),
    Introspect(String),
    Submit(Box<Answer>, Submission),
    Bring(String),
    Identity,
}

/// What an attempt that succeeded brought home, to be found dead afterwards.
enum Won {
    Nothing,
    Code(Ask, String),
    Tokens(Tokens),
    Refused,
}

struct Attack {
    name: &'static str,
    way: Way,
    /// Again and again until it comes too late, or once.
    again: bool,
    after: Duration,
}

#[derive(Clone)]
struct Race {
    client: RelyingParty,
    /// The browser the holder is signed in with, as it was before.
    issuer: String,
    cookies: std::collections::BTreeMap<String, String>,
    gate: Arc<Barrier>,
    acknowledged: Arc<OnceLock<Instant>>,
}

fn returned_code(answer: &Answer) -> Option<String> {
    answer.returned().and_then(|returned| returned.get("code").map(str::to_owned))
}

impl Race {
    async fn once(&self, way: &Way, browser: &Visitor) -> Won {
        match way {
            Way::Authorize(ask) => match returned_code(&browser.get(&ask.target()).await) {
                Some(code) => Won::Code(ask.clone(), code),
                None => Won::Refused,
            },
            Way::Bring(target) => match returned_code(&browser.get(target).await) {
                Some(_) => Won::Nothing,
                None => Won::Refused,
            },
            Way::Redeem(ask, code) => {
                let answer = self.client.redeem(code, &ask.verifier).await;
                if answer.status == 200 {
                    return Won::Tokens(Tokens { body: answer.json(), code: code.clone(), ask: ask.clone() });
                }
                verdict::token_error(&answer, 400, "invalid_grant");
                Won::Refused
            }
            Way::Refresh(newest) => {
                let token = newest.lock().unwrap().clone();
                let answer = self.client.refresh(&token).await;
                if answer.status != 200 {
                    verdict::token_error(&answer, 400, "invalid_grant");
                    return Won::Refused;
                }
                let body = answer.json();
                body["refresh_token"].as_str().unwrap().clone_into(&mut newest.lock().unwrap());
                Won::Tokens(Tokens { body, code: String::new(), ask: Ask::of(&self.client) })
            }
            Way::Read(token) => match self.client.userinfo(token).await.status {
                200 => Won::Nothing,
                status => {
                    assert_eq!(status, 401);
                    Won::Refused
                }
            },
            Way::Introspect(token) => match self.client.introspect(token).await["active"] == json!(true) {
                true => Won::Nothing,
                false => Won::Refused,
            },
            Way::Submit(page, form) => {
                let answer = browser.submit_once(page, form, &[]).await;
                assert!(answer.status < 500, "{} {}", answer.status, answer.body);
                let session = answer.cookies_named("__Host-idp_session");
                let raised = session.iter().any(|cookie| !cookie.contains("Max-Age=0"));
                let done = answer.location().is_some_and(|to| to.query().unwrap_or_default().contains("done="));
                if returned_code(&answer).is_some() || raised || done { Won::Nothing } else { Won::Refused }
            }
            Way::Identity => match browser.get("/identity").await.page().name() == "identity" {
                true => Won::Nothing,
                false => Won::Refused,
            },
        }
    }

    async fn attack(self, attack: Attack) -> Vec<Won> {
        let browser = Visitor::new(&self.issuer);
        browser.set_cookies(self.cookies.clone());
        let mut won = Vec::new();
        self.gate.wait().await;
        tokio::time::sleep(attack.after).await;
        loop {
            let begun = Instant::now();
            let end = self.once(&attack.way, &browser).await;
            let over = self.acknowledged.get().is_some_and(|end| begun > *end);
            let refused = matches!(end, Won::Refused);
            assert!(!over || refused, "{} begun after the acknowledgement succeeded", attack.name);
            won.push(end);
            if over || !attack.again {
                return won;
            }
        }
    }
}

/// One of sixty moments within thirty milliseconds; neighbouring rounds and salts are far apart.
fn offset(round: usize, salt: usize) -> Duration {
    Duration::from_micros(u64::try_from((round * 17 + salt * 23) % 60 * 500).unwrap())
}

/// Everything that is under way for one holder, ready to be let loose.
struct Field {
    holder: Holder,
    visitor: Visitor,
    tokens: Tokens,
    attacks: Vec<Attack>,
}

async fn field(idp: &Sandbox, round: usize, clients: &[RelyingParty; 3], holder: Holder) -> Field {
    let [client, other, high] = clients;
    let visitor = idp.visitor();
    let ask = || Ask::of(client).scope("openid profile offline_access");
    let tokens = idp.tokens(&visitor, client, ask(), &holder).await;
    let (unspent, silent) = (ask(), ask().with("prompt", "none"));
    let code = idp.authorize(&visitor, &unspent, &holder).await.code();
    let consent = visitor.open(&Ask::of(other).scope("openid profile").target()).await;
    assert_eq!(consent.page().name(), "consent");
    let demand = json!({"id_token": {"acr": {"essential": true, "value": "urn:vn:eid:muc:2"}}}).to_string();
    let otp = visitor.open(&Ask::of(high).scope("openid").with("claims", &demand).target()).await;
    assert_eq!(otp.page().name(), "otp");
    let digits = idp.otp(&holder.phone).await;
    let pushed = client.bring(&client.pushed(&ask()).await);
    let identity = visitor.open("/identity").await;
    let withdraw = identity.page().press(&format!("withdraw-{}", client.id), &[], &[]);
    let allow = consent_form(&consent, Will::AllowAll);
    let enter = otp.page().press("submit", &[("otp", &digits)], &[]);
    let access = || tokens.access().to_owned();
    let mut salt = 2;
    let mut make = |name, way, again| {
        salt += 1;
        Attack { name, way, again, after: if again { Duration::ZERO } else { offset(round, salt) } }
    };
    let attacks = vec![
        make("authorize", Way::Authorize(ask()), true),
        make("authorize silently", Way::Authorize(silent), true),
        make("redeem", Way::Redeem(unspent, code), false),
        make("refresh", Way::Refresh(Mutex::new(tokens.refresh().to_owned())), true),
        make("userinfo", Way::Read(access()), true),
        make("introspect", Way::Introspect(access()), true),
        make("consent", Way::Submit(Box::new(consent), allow), false),
        make("otp", Way::Submit(Box::new(otp), enter), false),
        make("pushed request", Way::Bring(pushed), false),
        make("identity shown", Way::Identity, true),
        // Every third round: a withdrawal ends half of the others by itself.
        make("identity posted", Way::Submit(Box::new(identity), withdraw), false),
    ];
    let attacks = attacks.into_iter().filter(|one| one.name != "identity posted" || round.is_multiple_of(3)).collect();
    Field { holder, visitor, tokens, attacks }
}

async fn one_round(idp: &Sandbox, round: usize, clients: &[RelyingParty; 3], holder: Holder) -> Duration {
    let Field { holder, visitor, tokens, attacks } = field(idp, round, clients, holder).await;
    let lock = visitor.open("/lock").await;
    let press = lock.page().press("confirm", &[], &[]);
    let race = Race {
        client: clients[0].clone(),
        issuer: idp.issuer.clone(),
        cookies: visitor.cookies(),
        gate: Arc::new(Barrier::new(attacks.len() + 1)),
        acknowledged: Arc::default(),
    };
    let mut running = JoinSet::new();
    for attack in attacks {
        running.spawn(race.clone().attack(attack));
    }
    race.gate.wait().await;
    tokio::time::sleep(offset(round, 2)).await;
    let begun = Instant::now();
    // Every fifth time an officer's command, otherwise the holder's own button.
    if round.is_multiple_of(5) {
        tokio::task::block_in_place(|| idp.lock(&holder));
    } else {
        let told = visitor.submit_once(&lock, &press, &[]).await;
        assert_eq!(told.location().map(|to| to.path().to_owned()).as_deref(), Some("/lock-done"), "{}", told.body);
    }
    race.acknowledged.set(Instant::now()).unwrap();
    let took = begun.elapsed();

    let client = &clients[0];
    let (mut access, mut refresh) = (vec![tokens.access().to_owned()], vec![tokens.refresh().to_owned()]);
    while let Some(won) = running.join_next().await {
        for one in won.unwrap() {
            match one {
                Won::Tokens(tokens) => {
                    access.push(tokens.access().to_owned());
                    refresh.push(tokens.refresh().to_owned());
                }
                Won::Code(ask, code) => {
                    verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
                }
                Won::Nothing | Won::Refused => {}
            }
        }
    }
    // The last of many tell for all: they are of one grant.
    let access: Vec<&str> = access.iter().rev().take(3).map(String::as_str).collect();
    let refresh: Vec<&str> = refresh.iter().rev().take(3).map(String::as_str).collect();
    verdict::family_is_dead(client, &access, &refresh).await;
    took
}

async fn all_rounds(idp: &Sandbox, rounds: usize, what: &str) {
    let clients = [idp.confidential(), idp.confidential(), idp.confidential()];
    let (records, holders): (Vec<_>, Vec<Holder>) = (0..rounds).map(|_| record(2, json!({}))).unzip();
    idp.import(&records);
    let (mut by_page, mut by_command) = (Vec::new(), Vec::new());
    for (round, holder) in holders.into_iter().enumerate() {
        let took = one_round(idp, round, &clients, holder).await;
        if round.is_multiple_of(5) { by_command.push(took) } else { by_page.push(took) }
    }
    for (by, mut took) in [("page", by_page), ("command", by_command)] {
        took.sort_unstable();
        let at = |part: usize| took.get((took.len() * part / 100).min(took.len().saturating_sub(1))).copied();
        println!("N-02 lock acknowledged by {by}, {what}: p50 {:?} p99 {:?} of {}", at(50), at(99), took.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_30_nothing_succeeds_after_a_lock_was_acknowledged() {
    let idp = Sandbox::fresh();
    all_rounds(&idp, rounds(), "all in order").await;
}

/// F-31: the short memory and its announcements are gone; SQL alone decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_30_nor_with_the_short_memory_cut_off() {
    let Some((mut redis, backing)) = Backing::with_own_redis() else { return };
    let idp = Sandbox::on(backing, &[]);
    all_rounds(&idp, 1, "before the cut").await;
    drop(redis.0.kill());
    drop(redis.0.wait());
    all_rounds(&idp, rounds(), "short memory cut off").await;
}
