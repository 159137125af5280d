use super::super::account::SealedClaim;
use super::super::otp::Challenge;
use super::super::{case, device, eid, otp, register, throttle};
use super::*;
use crate::domain::Span;
use crate::domain::agent::Agent;
use crate::domain::case::{About, Step, Taken};
use crate::domain::claim::ClaimName;
use crate::domain::eid::LockOrder;
use crate::domain::failures::Failures;

fn one() -> Id<Account> {
    Id::new("account-1")
}

#[tokio::test]
async fn an_account_comes_back_as_it_was_put() {
    within(|db| {
        let import = locked(1, &[LockGround::HolderAsks, LockGround::AuthorityAsks]);
        assert_eq!(account::put(db, &import)?, one());
        for found in [account::find(db, &one())?, account::find_by_person(db, &import.person_index)?] {
            let found = found.expect("found");
            assert_eq!(format!("{found:?}"), format!("{:?}", import.account));
        }
        let credentials = account::credentials(db, &one())?.expect("found");
        assert_eq!(credentials.password_hash.as_deref(), Some("$argon2id$"));
        assert!(credentials.phone == import.phone && credentials.person == import.person);
        assert!(account::find(db, &Id::new("nobody"))?.is_none());
        assert!(account::credentials(db, &Id::new("nobody"))?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn putting_a_person_again_replaces_everything_but_the_id() {
    within(|db| {
        account::put(db, &locked(1, &[LockGround::HolderAsks]))?;
        let mut again = citizen(1);
        again.account.id = Id::new("another");
        again.account.level = Some(AccountLevel::One);
        again.account.guardian = None;
        again.phone = None;
        again.password_hash = None;
        assert_eq!(account::put(db, &again)?, one());
        let found = account::find(db, &one())?.expect("found");
        assert_eq!(found.level, Some(AccountLevel::One));
        assert!(!found.has_phone && !found.has_password);
        let eid = found.eid.expect("an e-ID");
        assert!(eid.is_active());
        assert_eq!(eid.version(), 1, "whoever held the old one cannot save over this");
        assert!(account::find(db, &Id::new("another"))?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn organisations_and_wards_come_back_too() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let mut ward = citizen(2);
        ward.account.guardian = Some(one());
        ward.account.eid = None;
        ward.account.card_expires = None;
        account::put(db, &ward)?;
        let mut body = citizen(3);
        body.account.holder = Holder::Organisation;
        body.account.level = None;
        body.account.eid = None;
        account::put(db, &body)?;
        let ward = account::find(db, &Id::new("account-2"))?.expect("found");
        assert_eq!((ward.guardian, ward.eid, ward.card_expires), (Some(one()), None, None));
        assert_eq!(account::find(db, &Id::new("account-3"))?.expect("found").level, None);
        let first = account::list(db, None, 2)?;
        assert_eq!(first.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), ["account-1", "account-2"]);
        assert_eq!(first.iter().map(|line| line.eid_active).collect::<Vec<_>>(), [Some(true), None]);
        let rest = account::list(db, first.last().map(|line| &line.id), 2)?;
        assert_eq!(rest.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), ["account-3"]);
        account::put(db, &locked(1, &[LockGround::CardWithdrawn]))?;
        assert_eq!(account::list(db, None, 1)?.first().and_then(|line| line.eid_active), Some(false));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_e_id_is_saved_only_over_the_version_it_was_read_at() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let order = |ground| LockOrder::official(ground, "C06").unwrap();
        let mut mine = account::find(db, &one())?.and_then(|account| account.eid).expect("an e-ID");
        let mut other = mine.clone();
        let asks = order(LockGround::AuthorityAsks);
        mine.lock(&asks);
        assert!(eid::open(db, &one(), mine.version(), &asks, t(50))?);
        let stale = mine.version();
        other.lock(&order(LockGround::HolderAsks));
        let late = "it was read before the other was saved";
        assert!(!eid::save(db, &one(), &other.locks, "C06", t(51))?, "{late}");
        assert!(!eid::open(db, &one(), stale, &order(LockGround::HolderAsks), t(51))?, "{late}");
        assert!(!eid::close(db, &one(), stale, LockGround::AuthorityAsks, t(51))?, "{late}");

        let mut again = account::find(db, &one())?.and_then(|account| account.eid).expect("an e-ID");
        assert_eq!(again.grounds().collect::<Vec<_>>(), [LockGround::AuthorityAsks]);
        again.lock(&order(LockGround::HolderAsks));
        assert!(eid::save(db, &one(), &again.locks, "Công an phường", t(60))?);
        let mut grounds = eid::grounds(db, &one())?;
        grounds.sort_by_key(|(_, _, at)| *at);
        assert_eq!(
            grounds,
            [
                (LockGround::AuthorityAsks, "C06".to_owned(), t(50)),
                (LockGround::HolderAsks, "Công an phường".to_owned(), t(60))
            ]
        );
        let mut last = account::find(db, &one())?.and_then(|account| account.eid).expect("an e-ID");
        last.unlock(&order(LockGround::AuthorityAsks));
        assert!(eid::close(db, &one(), last.version(), LockGround::AuthorityAsks, t(70))?);
        let left = account::find(db, &one())?.and_then(|account| account.eid).expect("an e-ID");
        assert_eq!(left.grounds().collect::<Vec<_>>(), [LockGround::HolderAsks], "its own ground and no other");
        last = left;
        last.unlock(&order(LockGround::HolderAsks));
        assert!(eid::save(db, &one(), &last.locks, "C06", t(80))?);
        assert!(account::find(db, &one())?.and_then(|account| account.eid).expect("an e-ID").is_active());
        let mut without = citizen(2);
        without.account.eid = None;
        account::put(db, &without)?;
        assert!(!eid::save(db, &Id::new("account-2"), &Grounds::new([], 9), "C06", t(2))?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn claims_are_replaced_as_a_whole() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let claim = |name: &str, value: &str| SealedClaim {
            claim: ClaimName::find(name).unwrap(),
            value: Sealed::from_text(value.to_owned()),
            source: "import".to_owned(),
            recorded_at: t(7),
        };
        assert!(account::claims(db, &one())?.is_empty());
        account::put_claims(db, &one(), &[claim("name", "1"), claim("email", "2"), claim("name", "3")])?;
        let kept = account::claims(db, &one())?;
        let values: Vec<_> = kept.iter().map(|kept| (kept.claim.as_str(), kept.value.as_str())).collect();
        assert_eq!(values, [("email", "2"), ("name", "3")]);
        assert_eq!(kept.first().map(|kept| (kept.source.as_str(), kept.recorded_at)), Some(("import", t(7))));
        account::put_claims(db, &one(), &[claim("vn_bhyt", "4")])?;
        let names: Vec<_> = account::claim_names(db, &one())?.into_iter().map(ClaimName::as_str).collect();
        assert_eq!(names, ["vn_bhyt"]);
        account::put_claims(db, &one(), &[])?;
        assert!(account::claim_names(db, &one())?.is_empty());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_code_is_open_per_interaction_and_purpose() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let challenge = |id: &str, sent| Challenge {
            id: Id::new(id),
            interaction: Id::new("interaction"),
            account: one(),
            purpose: "sign_in".to_owned(),
            code: Stored::of(id),
            sent_at: t(sent),
            expires_at: t(sent + 300),
        };
        otp::put(db, &challenge("a", 10))?;
        otp::put(db, &challenge("b", 20))?;
        let open = otp::find_open(db, &Id::new("interaction"), "sign_in")?.expect("open");
        assert_eq!((open.id.as_str(), open.sent_at, open.expires_at), ("b", t(20), t(320)));
        assert!(open.code == Stored::of("b") && open.account == one());
        assert!(otp::find_open(db, &Id::new("interaction"), "other")?.is_none());
        assert_eq!(otp::sent_since(db, &one(), t(10))?, 2);
        assert_eq!(otp::sent_since(db, &one(), t(11))?, 1);
        assert!(!otp::spend(db, &Id::new("a"), t(21))?, "it was replaced");
        assert!(otp::spend(db, &Id::new("b"), t(21))?);
        assert!(!otp::spend(db, &Id::new("b"), t(21))?);
        otp::put(db, &challenge("c", 30))?;
        assert_eq!(otp::cancel_all(db, &one())?, 1);
        assert!(otp::find_open(db, &Id::new("interaction"), "sign_in")?.is_none());
        assert!(!otp::spend(db, &Id::new("c"), t(31))?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn failures_are_counted_until_cleared() {
    within(|db| {
        assert_eq!(throttle::find(db, "key")?, None);
        assert_eq!(throttle::fail(db, "key", t(10))?, 1);
        assert_eq!(throttle::fail(db, "key", t(12))?, 2);
        assert_eq!(throttle::fail(db, "other", t(12))?, 1);
        assert_eq!(throttle::find(db, "key")?, Some(Failures { count: 2, first_at: t(10), last_at: t(12) }));
        assert_eq!(throttle::fail_within(db, "key", t(69), Span::seconds(60))?, 3);
        assert_eq!(throttle::fail_within(db, "key", t(70), Span::seconds(60))?, 1);
        assert_eq!(throttle::find(db, "key")?, Some(Failures { count: 1, first_at: t(70), last_at: t(70) }));
        throttle::clear(db, "key")?;
        assert_eq!(throttle::find(db, "key")?, None);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_device_is_known_per_account() {
    within(|db| {
        seed(db)?;
        let cookie = Stored::of("cookie");
        assert!(!device::knows(db, &cookie, &one())?);
        let agent = Agent::of_header("Firefox/140 Windows");
        device::remember(db, &cookie, &one(), None, t(1))?;
        device::remember(db, &cookie, &one(), Some(&agent), t(2))?;
        assert!(device::knows(db, &cookie, &one())?);
        assert!(!device::knows(db, &cookie, &Id::new("account-2"))?);
        assert!(!device::knows(db, &Stored::of("another"), &one())?);
        let known = device::of_account(db, &one())?;
        assert_eq!((known.len(), known[0].first_seen_at, known[0].seen_at), (1, Some(t(1)), t(2)));
        assert_eq!(known[0].agent.as_ref().map(Agent::as_str), Some("firefox/windows"));
        assert!(device::forget(db, &cookie, &one())? && !device::forget(db, &cookie, &one())?);
        assert!(!device::knows(db, &cookie, &one())?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn domain_6_2_an_account_without_an_e_id_is_locked_in_the_same_way() {
    within(|db| {
        let mut bare = citizen(1);
        bare.account.eid = None;
        account::put(db, &bare)?;
        let mut found = account::find(db, &one())?.expect("found");
        found.lock(&LockOrder::official(LockGround::CardWithdrawn, "C06").expect("named"));
        assert!(eid::save(db, &one(), found.locks(), "C06", t(3))?);
        assert!(account::find(db, &one())?.expect("found").is_locked());
        // A record that speaks of no e-ID opens nothing, and the upgrade inherits what is open.
        account::put(db, &bare)?;
        assert!(account::find(db, &one())?.expect("found").is_locked());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_case_is_open_once_per_thing_and_takes_each_step_once() {
    within(|db| {
        seed(db)?;
        let subject = (About::Session, "session-1");
        let taken = |step, at| Taken { step, at: t(at), by: None, note: None };
        let first = Id::new("HS-1");
        assert_eq!(case::open(db, &first, &one(), subject, t(1))?, (first.clone(), true));
        assert_eq!(case::open(db, &Id::new("HS-2"), &one(), subject, t(2))?, (first.clone(), false));
        assert!(case::take(db, &first, &taken(Step::Opened, 1))?);
        assert!(!case::take(db, &first, &taken(Step::Opened, 2))?);
        assert_eq!(case::list(db, false, 10)?.len(), 1);
        assert!(case::take(db, &first, &taken(Step::Closed, 3))?);
        assert_eq!((case::list(db, false, 10)?.len(), case::list(db, true, 10)?.len()), (0, 1));
        assert_eq!(case::open(db, &Id::new("HS-3"), &one(), subject, t(4))?, (Id::new("HS-3"), true));
        let steps: Vec<Step> = case::find(db, &first)?.expect("found").steps.iter().map(|taken| taken.step).collect();
        assert_eq!(steps, [Step::Opened, Step::Closed]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_event_of_a_register_counts_once_and_the_later_one_overtakes() {
    within(|db| {
        seed(db)?;
        let who = one();
        let event = |id, happened| register::Taken {
            id,
            kind: "card_held",
            account: Some(&who),
            happened_at: t(happened),
            applied_at: t(100),
            outcome: "applied",
        };
        assert!(register::once(db, &event("e2", 20))?);
        assert!(!register::once(db, &event("e2", 20))?);
        let overtaken = |db: &mut Db, id: &str, at| register::is_overtaken(db, &who, &["card_held"], (t(at), id));
        assert!(overtaken(db, "e1", 19)? && !overtaken(db, "e3", 21)?);
        assert!(overtaken(db, "e1", 20)? && !overtaken(db, "e3", 20)?, "names decide within a second");
        assert!(!overtaken(db, "e2", 20)?, "not by itself");
        Ok(())
    })
    .await;
}
