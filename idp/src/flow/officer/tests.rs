//! The desk's acts on a fresh store each: SQLite, and PostgreSQL where `IDP_TEST_DATABASE` names one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::authority;
use super::holder_lock::{self, Order};
use super::*;
use crate::clock::{Clock, FixedClock};
use crate::config::Config;
use crate::domain::authority_request::{Decision, Letter, Stage, Wish};
use crate::domain::eid::LockGround;
use crate::domain::holder_notice::News;
use crate::domain::statement::Statement;
use crate::domain::{Moment, PersonNumber, Span};
use crate::flow::operator::Verdict;
use crate::flow::{account, trail};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

pub(super) const ONE: &str = "099080000007";
pub(super) const TWO: &str = "099080000008";
pub(super) const AN: &str = "099090000001";
pub(super) const BINH: &str = "099192000002";

/// Monday 23/11/2026, 09:00 in Vietnam.
const MONDAY: i64 = 1_795_399_200;

pub(super) struct Bench {
    pub idp: Arc<Idp>,
    pub clock: Arc<FixedClock>,
    pub one: Officer,
    pub two: Officer,
    pub an: Id<Account>,
    pub binh: Id<Account>,
    _directory: tempfile::TempDir,
}

fn line(number: &str, level: u8) -> String {
    json!({
        "person_number": number, "name": "Nguyễn Văn An", "birthdate": "1990-01-01", "gender": "male",
        "account": {"level": level, "state": "activated", "password": "VNeID#2026",
            "phone": format!("+849120000{}", &number[10..])},
        "card": {"expires": "2040-01-01"},
    })
    .to_string()
}

pub(super) fn person(number: &str) -> PersonNumber {
    PersonNumber::parse(number).unwrap()
}

async fn id_of(number: &str, idp: &Idp) -> Id<Account> {
    match account::show(&person(number), false, idp).await.unwrap() {
        Verdict::Done(shown) => shown.id,
        Verdict::Refused(reason) => panic!("{reason}"),
    }
}

/// Runs a test once per database.
pub(super) async fn each<F: Future<Output = ()>>(test: impl Fn(Bench) -> F) {
    test(bench(None).await).await;
    if let Some(url) = crate::store::fresh_schema() {
        test(bench(Some(url)).await).await;
    }
}

async fn bench(url: Option<String>) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = url.unwrap_or_else(|| format!("sqlite:{}", directory.path().join("idp.db").display()));
    config.database.migrate = Some(crate::config::Migrate::Auto);
    config.danger_http_loopback = true;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(MONDAY)));
    let open = async |config: &Config| {
        let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
        Idp::open_with(config.clone(), surroundings).await.unwrap()
    };
    let first = open(&config).await;
    let lines = [line(ONE, 2), line(TWO, 2), line(AN, 2), line(BINH, 1)].join("\n");
    assert!(matches!(account::import(&lines, &first).await.unwrap(), Verdict::Done(_)));
    let (one, two) = (id_of(ONE, &first).await, id_of(TWO, &first).await);
    config.admin.officers = vec![one.to_string(), two.to_string()];
    drop(first);
    let idp = open(&config).await;
    let officer = |account| Officer::of(&Visitor::Officer(account), &idp).unwrap();
    let (an, binh) = (id_of(AN, &idp).await, id_of(BINH, &idp).await);
    Bench { one: officer(one), two: officer(two), an, binh, clock, idp, _directory: directory }
}

impl Bench {
    pub fn filed(&self, officer: &Officer) -> Filed {
        self.clock.advance(Span::seconds(1));
        Filed { officer: officer.clone(), key: Key::fresh(&self.idp).unwrap() }
    }

    pub async fn trail(&self, number: &str) -> Vec<Value> {
        let Verdict::Done(events) = trail::export(&person(number), &self.idp).await.unwrap() else {
            panic!("no trail")
        };
        events.into_iter().filter(|event| event["kind"] != "trail_exported").collect()
    }

    pub async fn kinds(&self, number: &str) -> Vec<String> {
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        self.trail(number).await.iter().map(kind).filter(|kind| kind != "account_imported").collect()
    }

    async fn grounds(&self, account: &Id<Account>) -> Vec<&'static str> {
        let id = account.clone();
        let found = self.idp.store.read(move |db| store::account::find(db, &id)).await.unwrap().unwrap();
        found.locks().iter().map(|ground| ground.letter()).collect()
    }

    /// What is kept to be told to a holder, in the order it came up.
    async fn kept_notices(&self, account: &Id<Account>) -> Vec<News> {
        let now = self.clock.now();
        let due = self.idp.store.read(move |db| store::holder_notice::due(db, now, 32)).await.unwrap();
        due.into_iter().filter(|notice| notice.account == *account).map(|notice| notice.news).collect()
    }

    fn order(&self, wish: Wish) -> Order {
        Order { account: self.an.clone(), wish, paper: said("15/TK03") }
    }

    async fn received(&self, wish: Wish) -> Id<authority_request::AuthorityRequest> {
        self.received_about(&self.an, wish).await
    }

    async fn received_about(&self, account: &Id<Account>, wish: Wish) -> Id<authority_request::AuthorityRequest> {
        let letter = Letter { wish, authority: said("Viện kiểm sát"), paper: said("12/QĐ") };
        authority::receive(account.clone(), letter, &self.filed(&self.one), &self.idp).await.unwrap().unwrap()
    }
}

pub(super) fn said(text: &str) -> Statement {
    Statement::parse(text).unwrap()
}

#[tokio::test]
async fn d5_a_tk03_locks_at_once_and_names_the_officer() {
    each(async |bench| {
        let (idp, filed) = (&bench.idp, bench.filed(&bench.one));
        let settled = holder_lock::carry_out(bench.order(Wish::Lock), &filed, idp).await.unwrap().unwrap();
        assert!(settled.changed && settled.grounds == ["a"]);
        let event = bench.trail(AN).await.pop().unwrap();
        assert_eq!(event["kind"], "eid_locked");
        assert_eq!(event["detail"]["cause"]["officer"], json!(bench.one.account()));
        assert_eq!(event["detail"]["authority"], "TK03 15/TK03");
        // The same form again, by the same key: the same result, nothing more.
        let again = holder_lock::carry_out(bench.order(Wish::Lock), &filed, idp).await.unwrap();
        assert_eq!(again, Ok(settled));
        // The key for something else, and the same act under a new key.
        let other = holder_lock::carry_out(bench.order(Wish::Unlock), &filed, idp).await.unwrap();
        assert_eq!(other, Err(Refusal::KeyReused));
        assert_eq!(bench.kinds(AN).await, ["eid_locked"]);
        let unlocked = holder_lock::carry_out(bench.order(Wish::Unlock), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(unlocked.unwrap().grounds, Vec::<String>::new());
        let told = [News::Locked(LockGround::HolderAsks), News::Unlocked];
        assert_eq!(bench.kept_notices(&bench.an).await, told, "D3: the holder is told, once for each change");
    })
    .await;
}

#[tokio::test]
async fn d8_a_request_is_forwarded_then_decided_by_other_eyes_and_locks_there_and_then() {
    each(async |bench| {
        let idp = &bench.idp;
        let id = bench.received(Wish::Lock).await;
        let shown = authority::find(id.clone(), &bench.one, idp).await.unwrap().unwrap();
        // Monday morning: forward by the end of Tuesday, decided by the end of Thursday.
        assert_eq!(shown.request.forward_by.unix(), MONDAY - 9 * 3600 + 2 * 86_400);
        assert_eq!(shown.request.decide_by.unix(), MONDAY - 9 * 3600 + 4 * 86_400);
        let early = authority::decide(id.clone(), Decision::Accept, &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(early, Err(Refusal::NotForwarded));
        authority::forward(id.clone(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let twice = authority::forward(id.clone(), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(twice, Err(Refusal::AlreadyForwarded));
        let same = authority::decide(id.clone(), Decision::Accept, &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(same, Err(Refusal::SameEyes));
        assert_eq!(bench.grounds(&bench.an).await, [""; 0], "nothing so far");
        let settled = authority::decide(id.clone(), Decision::Accept, &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(settled.unwrap().unwrap().grounds, ["đ"]);
        let late = Decision::Refuse(said("muộn"));
        let late = authority::decide(id.clone(), late, &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(late, Err(Refusal::AlreadyDecided));
        let expected =
            ["authority_request_received", "authority_request_forwarded", "authority_request_accepted", "eid_locked"];
        assert_eq!(bench.kinds(AN).await, expected);
        assert!(authority::open(&bench.one, idp).await.unwrap().is_empty());

        // D2: the holder's own unlock does not touch ground (đ); a request to unlock does.
        holder_lock::carry_out(bench.order(Wish::Unlock), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert_eq!(bench.grounds(&bench.an).await, ["đ"]);
        let id = bench.received(Wish::Unlock).await;
        authority::forward(id.clone(), &bench.filed(&bench.two), idp).await.unwrap().unwrap();
        authority::decide(id, Decision::Accept, &bench.filed(&bench.two), idp).await.unwrap().unwrap();
        assert_eq!(bench.grounds(&bench.an).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn d8_an_authority_locks_an_account_without_an_eid_by_the_same_steps() {
    each(async |bench| {
        let (idp, binh) = (&bench.idp, &bench.binh);
        let accepted = async |wish| {
            let id = bench.received_about(binh, wish).await;
            authority::forward(id.clone(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
            authority::decide(id, Decision::Accept, &bench.filed(&bench.two), idp).await.unwrap().unwrap().unwrap()
        };
        let usable = async || {
            let id = binh.clone();
            let found = idp.store.read(move |db| store::account::find(db, &id)).await.unwrap();
            crate::flow::facts::standing(found.as_ref(), None, idp.clock.now()).is_ok()
        };
        assert!(usable().await, "control");
        assert_eq!(accepted(Wish::Lock).await.grounds, ["đ"]);
        assert!(!usable().await);
        // D2: what the holder asks for by TK03 does not open it, and theirs stays when the authority opens.
        let order = |wish| Order { account: binh.clone(), ..bench.order(wish) };
        let own = holder_lock::carry_out(order(Wish::Unlock), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert!(!own.changed && own.grounds == ["đ"]);
        holder_lock::carry_out(order(Wish::Lock), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert_eq!(accepted(Wish::Unlock).await.grounds, ["a"]);
        holder_lock::carry_out(order(Wish::Unlock), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert!(usable().await);
        let letter = Letter { wish: Wish::Lock, authority: said("Tòa án"), paper: said("13/QĐ") };
        let nobody = authority::receive(Id::new("nobody"), letter, &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(nobody, Err(Refusal::NoAccount));
    })
    .await;
}

#[tokio::test]
async fn d8_a_refusal_keeps_its_reason_and_locks_nothing() {
    each(async |bench| {
        let id = bench.received(Wish::Lock).await;
        authority::forward(id.clone(), &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
        let refusal = Decision::Refuse(said("thiếu quyết định phê chuẩn"));
        let settled = authority::decide(id.clone(), refusal.clone(), &bench.filed(&bench.two), &bench.idp).await;
        assert_eq!(settled.unwrap(), Ok(None));
        let shown = authority::find(id, &bench.one, &bench.idp).await.unwrap().unwrap();
        assert_eq!((shown.request.stage(), shown.request.decided.unwrap().1), (Stage::Refused, refusal));
        assert_eq!(bench.grounds(&bench.an).await, [""; 0]);
        let event = bench.trail(AN).await.pop().unwrap();
        assert_eq!(event["detail"]["reason"], "thiếu quyết định phê chuẩn");
    })
    .await;
}

#[tokio::test]
async fn the_row_itself_refuses_the_same_eyes() {
    each(async |bench| {
        let id = bench.received(Wish::Lock).await;
        authority::forward(id.clone(), &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
        let by =
            |officer: &Officer| authority_request::Signed { by: officer.account().clone(), at: bench.idp.clock.now() };
        let (same, other) = (by(&bench.one), by(&bench.two));
        let decided = bench.idp.store.transact(move |db| {
            let same = store::authority::decide(db, &id, &same, &Decision::Accept)?;
            Ok((same, store::authority::decide(db, &id, &other, &Decision::Accept)?))
        });
        assert_eq!(decided.await.unwrap(), (false, true));
    })
    .await;
}

#[tokio::test]
async fn an_account_without_an_eid_locks_too_and_who_is_no_officer_does_nothing() {
    each(async |bench| {
        let idp = &bench.idp;
        let order = Order { account: bench.binh.clone(), ..bench.order(Wish::Lock) };
        let locked = holder_lock::carry_out(order, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert!(locked.changed && locked.grounds == ["a"]);
        let nobody = Order { account: Id::new("nobody"), ..bench.order(Wish::Lock) };
        let refused = holder_lock::carry_out(nobody, &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(refused, Err(Refusal::NoAccount));
        let an = Visitor::Officer(bench.an.clone());
        assert!(Officer::of(&an, idp).is_none() && Officer::of(&Visitor::WithoutRole, idp).is_none());
        // An officer who was locked meanwhile acts no more.
        let order = Order { account: bench.one.account().clone(), ..bench.order(Wish::Lock) };
        holder_lock::carry_out(order, &bench.filed(&bench.two), idp).await.unwrap().unwrap();
        let gone = holder_lock::carry_out(bench.order(Wish::Lock), &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(gone, Err(Refusal::OfficerGone));
        assert!(bench.kinds(AN).await.is_empty() && bench.kinds(BINH).await == ["eid_locked"]);
    })
    .await;
}

#[tokio::test]
async fn fifty_at_once_are_one_act() {
    each(async |bench| {
        let bench = Arc::new(bench);
        let id = bench.received(Wish::Lock).await;
        authority::forward(id.clone(), &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
        let filed = bench.filed(&bench.two);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (bench, id, filed) = (Arc::clone(&bench), id.clone(), filed.clone());
            tasks.spawn(async move { authority::decide(id, Decision::Accept, &filed, &bench.idp).await });
        }
        while let Some(ended) = tasks.join_next().await {
            assert_eq!(ended.unwrap().unwrap().unwrap().unwrap().grounds, ["đ"]);
        }
        let kinds = bench.kinds(AN).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "eid_locked").count(), 1, "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn a_look_is_remembered_and_shows_no_number_in_clear() {
    each(async |bench| {
        let found = dossier::find(&person(AN), &bench.one, &bench.idp).await.unwrap();
        assert_eq!(found, Ok(bench.an.clone()));
        bench.clock.advance(Span::seconds(1));
        let seen = dossier::open(bench.an.clone(), &bench.one, &bench.idp).await.unwrap().unwrap();
        assert_eq!(seen.person_number, "099••••••001");
        assert_eq!(seen.name.as_deref(), Some("Nguyễn Văn An"));
        assert!(!format!("{seen:?}").contains(AN) && !format!("{seen:?}").contains("+84912000001"));
        let event = bench.trail(AN).await.pop().unwrap();
        assert_eq!(
            (&event["kind"], &event["detail"]["officer"]),
            (&json!("account_looked_up"), &json!(bench.one.account()))
        );
        assert_eq!(
            dossier::find(&person("099000000099"), &bench.one, &bench.idp).await.unwrap(),
            Err(Refusal::NoAccount)
        );
    })
    .await;
}

mod child;
mod hotline;
mod level_two;
