//! Events of the registers on a fresh SQLite file: once each, in any order, and never back from death.

use std::sync::Arc;

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::standing::Refusal;
use crate::domain::{AccountLevel, PersonNumber, Span};
use crate::flow::{account, eid_lock, facts};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

const AN: &str = "099090000001";
const START: i64 = 1_800_000_000;

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

async fn bench(level: u8) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(START)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    let bench = Bench { idp, clock, _directory: directory };
    bench.import(level).await;
    bench
}

fn person() -> PersonNumber {
    PersonNumber::parse(AN).unwrap()
}

fn event(id: &str, at: i64, kind: What) -> RegistryEvent {
    let source = "Cơ sở dữ liệu quốc gia về dân cư".to_owned();
    RegistryEvent { id: id.to_owned(), person_number: person(), at: Moment::from_unix(START + at), kind, source }
}

impl Bench {
    async fn import(&self, level: u8) {
        let line = json!({
            "person_number": AN, "name": "Nguyễn Văn An",
            "account": {"level": level, "state": "activated", "password": "VNeID#2026", "phone": "+84912000001"},
            "card": {"expires": "2040-01-01"},
        });
        assert!(matches!(account::import(&line.to_string(), &self.idp).await.unwrap(), Verdict::Done(_)));
    }

    async fn account(&self) -> Account {
        let index = sealed::person_index(&person(), &self.idp.vault);
        self.idp.store.read(move |db| store::account::find_by_person(db, &index)).await.unwrap().unwrap()
    }

    async fn standing(&self) -> Result<Option<AccountLevel>, Refusal> {
        let account = self.account().await;
        facts::standing(Some(&account), None, self.idp.clock.now()).map(|standing| standing.account_level())
    }

    async fn apply(&self, event: RegistryEvent) -> Outcome {
        apply(event, &self.idp).await.unwrap()
    }

    async fn trail(&self) -> Vec<Event> {
        let id = self.account().await.id;
        self.idp.store.read(move |db| store::trail::of_account(db, &id)).await.unwrap()
    }

    async fn notices(&self) -> Vec<&'static str> {
        let far = self.idp.clock.now() + Span::days(2);
        let due = self.idp.store.read(move |db| store::holder_notice::due(db, far, 100)).await.unwrap();
        due.iter().map(|notice| notice.news.kept().0).collect()
    }
}

#[tokio::test]
async fn lk_20_a_card_taken_and_given_back_locks_and_opens_and_the_trail_shows_the_cause() {
    for level in [1, 2] {
        let bench = bench(level).await;
        assert_eq!(bench.apply(event("e1", 0, What::CardRevoked)).await, Outcome::Applied);
        assert_eq!(bench.standing().await, Err(Refusal::Locked), "level {level}");
        assert_eq!(bench.apply(event("e1", 0, What::CardRevoked)).await, Outcome::Known);
        bench.clock.advance(Span::seconds(5));
        assert_eq!(bench.apply(event("e2", 3, What::CardReturned)).await, Outcome::Applied);
        assert!(bench.standing().await.is_ok());
        let trail = bench.trail().await;
        let unlocked = trail.iter().find(|event| event.kind == Kind::EidUnlocked).unwrap();
        assert_eq!(unlocked.detail["cause"]["event"], json!("e2"));
        assert_eq!(unlocked.detail["cause"]["kind"], json!("card_returned"));
        assert_eq!(unlocked.detail["grounds"], json!([]));
        assert_eq!(trail.iter().filter(|event| event.kind == Kind::EidLocked).count(), 1, "applied once");
        assert_eq!(bench.notices().await, ["locked", "unlocked"], "D3");
    }
}

#[tokio::test]
async fn d2_a_register_opens_its_own_ground_and_no_other() {
    let bench = bench(2).await;
    let order = LockOrder::official(LockGround::AuthorityAsks, "Tòa án").unwrap();
    eid_lock::lock(&person(), order, &bench.idp).await.unwrap();
    bench.apply(event("e1", 0, What::CardHeld)).await;
    bench.apply(event("e2", 1, What::CardReturned)).await;
    assert_eq!(bench.standing().await, Err(Refusal::Locked));
    assert_eq!(bench.account().await.locks().iter().collect::<Vec<_>>(), [LockGround::AuthorityAsks]);
}

#[tokio::test]
async fn nd69_15_the_account_stops_with_the_card_and_goes_on_with_the_next() {
    let bench = bench(2).await;
    assert_eq!(bench.apply(event("e1", -10, What::CardExpired)).await, Outcome::Applied);
    assert_eq!(bench.standing().await, Err(Refusal::CardExpired));
    let renewed = What::CardRenewed { expires: NaiveDate::from_ymd_opt(2045, 1, 1) };
    assert_eq!(bench.apply(event("e3", 20, renewed)).await, Outcome::Applied);
    assert_eq!(bench.standing().await, Ok(Some(AccountLevel::Two)));
    // Late news of the old card change nothing.
    assert_eq!(bench.apply(event("e2", 10, What::CardExpired)).await, Outcome::Overtaken);
    assert!(bench.standing().await.is_ok());
    let changed = bench.trail().await.into_iter().filter(|event| event.kind == Kind::CardExpiryChanged);
    assert!(changed.map(|event| event.detail["ended_all"].clone()).all(|ended| ended == json!(true)));
}

#[tokio::test]
async fn d4_a_death_is_final_closes_consents_and_tells_nobody() {
    for level in [1, 2] {
        let bench = bench(level).await;
        assert_eq!(bench.apply(event("e1", 0, What::Death)).await, Outcome::Applied);
        assert_eq!(bench.notices().await, [""; 0], "no notice to the dead");
        bench.apply(event("e2", 1, What::CardReturned)).await;
        bench.apply(event("e3", 2, What::CardRenewed { expires: None })).await;
        let order = LockOrder::official(LockGround::Death, "C06").unwrap();
        assert!(matches!(eid_lock::unlock(&person(), order, &bench.idp).await.unwrap(), Verdict::Refused(_)));
        assert_eq!(bench.standing().await, Err(Refusal::Locked), "level {level}");
    }
}

#[tokio::test]
async fn nobody_here_is_taken_in_once_too() {
    let bench = bench(2).await;
    let other =
        RegistryEvent { person_number: PersonNumber::parse("099090000009").unwrap(), ..event("e1", 0, What::Death) };
    assert_eq!(bench.apply(other.clone()).await, Outcome::Nobody);
    assert_eq!(bench.apply(other).await, Outcome::Known);
    assert!(bench.standing().await.is_ok());
}

/// Any order and any repetition of the same events ends the same way.
#[test]
fn any_order_and_any_repetition_come_to_the_same() {
    let what = [
        What::CardRevoked,
        What::CardReturned,
        What::CardHeld,
        What::CardReturned,
        What::CardExpired,
        What::CardRenewed { expires: NaiveDate::from_ymd_opt(2045, 1, 1) },
    ];
    let events: Vec<RegistryEvent> = (0..).zip(what).map(|(n, kind)| event(&format!("e{n}"), n, kind)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 12, ..ProptestConfig::default() });
    let orders = prop::collection::vec(0..events.len(), 0..6).prop_flat_map({
        let count = events.len();
        move |more| {
            let mut all: Vec<usize> = (0..count).collect();
            all.extend(more);
            Just(all).prop_shuffle()
        }
    });
    let tried = runner.run(&orders, |order| {
        runtime.block_on(async {
            let bench = bench(2).await;
            bench.clock.advance(Span::seconds(60));
            for n in order {
                bench.apply(events[n].clone()).await;
            }
            let account = bench.account().await;
            prop_assert!(!account.is_locked(), "the card was given back last");
            prop_assert_eq!(account.card_expires, Some(end_of(NaiveDate::from_ymd_opt(2045, 1, 1).unwrap())));
            Ok(())
        })
    });
    tried.unwrap();
}
