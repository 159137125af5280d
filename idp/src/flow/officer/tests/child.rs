//! A child or a ward at the desk (ND69 Art 7(1), 10(2)đ): with the guardian, on the guardian's phone, bound to the guardian.

use super::super::enrol;
use super::super::enrol::Verdict as Decided;
use super::level_two::{MAI, application};
use super::*;
use crate::domain::AccountLevel;
use crate::domain::account::AccountState;
use crate::domain::application::{Application, Wanted};
use crate::domain::enrolment::Proof;
use crate::domain::registration::{Reason, State};
use crate::domain::standing::needs_guardian;

/// Of An, as imported.
const PHONE: &str = "+84912000001";

fn child(born: &str, guardian: Option<&str>) -> Application {
    let mut child = application(MAI);
    child.stated.as_mut().unwrap().birthdate = born.parse().unwrap();
    child.dependants.clear();
    Application { phone: PHONE.to_owned(), guardian: guardian.map(person), ..child }
}

/// As most small children come: without a card.
fn small(born: &str, guardian: Option<&str>) -> Application {
    let mut small = child(born, guardian);
    small.checked.card = None;
    Application { wanted: Wanted::LevelOne, ..small }
}

async fn found(bench: &Bench, id: &Id<Account>) -> Account {
    let id = id.clone();
    bench.idp.store.read(move |db| store::account::find(db, &id)).await.unwrap().unwrap()
}

async fn granted(bench: &Bench, application: Application) -> Account {
    let idp = &bench.idp;
    let id = enrol::receive(application, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
    let filed = bench.filed(&bench.two);
    let id = enrol::decide(id, Decided::Grant(None), &filed, idp).await.unwrap().unwrap().unwrap();
    found(bench, &id).await
}

#[tokio::test]
async fn a2_a_child_of_six_to_thirteen_gets_level_two_bound_to_the_guardian() {
    for born in ["2020-11-23", "2012-11-24"] {
        each(async |bench| {
            let made = granted(&bench, child(born, Some(AN))).await;
            assert_eq!((made.level, made.state), (Some(AccountLevel::Two), AccountState::Granted));
            assert_eq!(made.guardian.as_ref(), Some(&bench.an));
            assert!(made.eid.is_some() && needs_guardian(&made, bench.clock.now()), "{born}");
            assert!(!made.circumstances.ward, "a child comes of age");
            let told = crate::flow::inbox::list(Some(PHONE), 10, &bench.idp).await.unwrap();
            assert!(told.len() == 1 && told[0].text.contains("/activate"), "A6: the guardian's phone");
            let trail = bench.trail(MAI).await;
            assert!(trail.iter().any(|event| event["detail"]["guardian"] == json!(bench.an)), "{trail:?}");
            assert!(!json!(trail).to_string().contains(AN));
        })
        .await;
    }
}

#[tokio::test]
async fn a2_a_child_under_fourteen_gets_level_one_without_a_card_and_no_eid() {
    // Born today; a day short of six; a day short of fourteen.
    for born in ["2026-11-23", "2020-11-24", "2012-11-24"] {
        each(async |bench| {
            let idp = &bench.idp;
            let id = enrol::receive(small(born, Some(AN)), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
            let shown = enrol::find(id.clone(), &bench.one, idp).await.unwrap().unwrap();
            assert!(!shown.needs_card(bench.clock.now()) && shown.level == AccountLevel::One);
            let proofs: Vec<Proof> = shown.evidence.iter().map(|(proof, ..)| *proof).collect();
            assert!(!proofs.contains(&Proof::FaceMatch) && !proofs.contains(&Proof::FingerprintMatch), "{proofs:?}");
            assert!(proofs.contains(&Proof::GuardianPresent) && proofs.contains(&Proof::Form));
            let filed = bench.filed(&bench.two);
            let account = enrol::decide(id.clone(), Decided::Grant(None), &filed, idp).await.unwrap().unwrap();
            let made = found(&bench, &account.unwrap()).await;
            assert_eq!((made.level, made.state), (Some(AccountLevel::One), AccountState::Granted));
            assert_eq!((made.guardian.as_ref(), made.card_expires), (Some(&bench.an), None));
            assert!(made.eid.is_none() && needs_guardian(&made, bench.clock.now()), "{born}");
            assert_eq!(bench.kinds(MAI).await, ["enrolment_granted"]);
            let told = crate::flow::inbox::list(Some(PHONE), 10, idp).await.unwrap();
            assert!(told[0].text.contains("muc do 1 cua nguoi ban dai dien"), "{}", told[0].text);
            let state = enrol::find(id, &bench.one, idp).await.unwrap().unwrap().enrolment.progress.state;
            assert_eq!(state, State::Notified, "the seven days run");
            let claims = idp.store.read(move |db| store::account::claims(db, &made.id)).await.unwrap();
            assert!(!claims.is_empty() && claims.iter().all(|held| held.claim.entry().level <= AccountLevel::One));
            assert!(claims.iter().all(|held| held.claim.as_str() != "vn_eid_state"));
        })
        .await;
    }
}

#[tokio::test]
async fn level_one_at_the_desk_is_for_those_who_cannot_ask_alone() {
    each(async |bench| {
        let mut over = small("2022-03-12", Some(AN));
        over.checked.card = crate::domain::application::CardShown::parse("0009", Some("2026-11-22".parse().unwrap()));
        for (application, refusal) in [
            (small("2022-03-12", None), Refusal::UnderAge),
            (small("2012-11-22", None), Refusal::LevelOneOnline),
            (small("2026-11-24", Some(AN)), Refusal::Malformed),
            (small("2022-03-12", Some(BINH)), Refusal::GuardianUnfit),
            (Application { phone: "+84912000077".to_owned(), ..small("2022-03-12", Some(AN)) }, Refusal::GuardianUnfit),
            (
                Application { number: person(BINH), stated: None, ..small("2022-03-12", Some(AN)) },
                Refusal::AlreadyRegistered,
            ),
        ] {
            let refused = enrol::receive(application, &bench.filed(&bench.one), &bench.idp).await.unwrap();
            assert_eq!(refused, Err(refusal));
        }
        assert!(enrol::open(&bench.one, &bench.idp).await.unwrap().is_empty());
        // A card that ran out would lock the account as soon as it is made.
        let id = enrol::receive(over, &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
        let refused =
            enrol::decide(id.clone(), Decided::Grant(None), &bench.filed(&bench.two), &bench.idp).await.unwrap();
        assert_eq!(refused, Err(Refusal::CardMissing));
        let ended = Decided::Refuse(Reason::DossierIncomplete);
        assert_eq!(enrol::decide(id, ended, &bench.filed(&bench.two), &bench.idp).await.unwrap(), Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a_child_of_level_one_is_raised_when_old_enough_and_stays_bound() {
    each(async |bench| {
        let made = granted(&bench, small("2022-03-12", Some(AN))).await;
        let upgrade = || Application { stated: None, ..child("2022-03-12", Some(AN)) };
        let refused = enrol::receive(upgrade(), &bench.filed(&bench.one), &bench.idp).await.unwrap();
        assert_eq!(refused, Err(Refusal::UnderSix));
        bench.clock.advance(Span::days(2 * 366));
        let raised = granted(&bench, upgrade()).await;
        assert_eq!(
            (raised.id, raised.level, raised.guardian),
            (made.id, Some(AccountLevel::Two), Some(bench.an.clone()))
        );
        assert!(raised.eid.is_some());
    })
    .await;
}

#[tokio::test]
async fn a5_somebody_of_age_who_comes_with_a_guardian_is_a_ward() {
    each(async |bench| {
        let made = granted(&bench, child("1950-01-31", Some(AN))).await;
        assert!(made.circumstances.ward && needs_guardian(&made, bench.clock.now()));
        assert_eq!(made.guardian.as_ref(), Some(&bench.an));
    })
    .await;
}

#[tokio::test]
async fn a1_from_fourteen_on_nobody_else_is_needed() {
    each(async |bench| {
        let made = granted(&bench, child("2012-11-22", None)).await;
        assert!(made.guardian.is_none() && !needs_guardian(&made, bench.clock.now()));
    })
    .await;
}

#[tokio::test]
async fn a_child_without_a_fit_guardian_is_refused_and_nothing_is_kept() {
    each(async |bench| {
        let other_phone = Application { phone: "+84912000077".to_owned(), ..child("2016-03-12", Some(AN)) };
        for (application, refusal) in [
            (child("2016-03-12", None), Refusal::UnderAge),
            (child("2020-11-24", Some(AN)), Refusal::UnderSix),
            (child("2020-11-24", None), Refusal::UnderSix),
            // Level 1; nobody; another phone than the guardian's.
            (child("2016-03-12", Some(BINH)), Refusal::GuardianUnfit),
            (child("2016-03-12", Some("099080000099")), Refusal::GuardianUnfit),
            (other_phone, Refusal::GuardianUnfit),
        ] {
            let refused = enrol::receive(application, &bench.filed(&bench.one), &bench.idp).await.unwrap();
            assert_eq!(refused, Err(refusal));
        }
        assert!(enrol::open(&bench.one, &bench.idp).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_guardian_is_asked_for_again_when_it_is_granted() {
    each(async |bench| {
        let idp = &bench.idp;
        let id = enrol::receive(child("2016-03-12", Some(AN)), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let shown = enrol::find(id.clone(), &bench.one, idp).await.unwrap().unwrap();
        assert_eq!(shown.guardian.as_deref(), Some("099••••••001"));
        assert!(shown.evidence.iter().any(|(proof, ..)| *proof == Proof::GuardianPresent));
        holder_lock::carry_out(bench.order(Wish::Lock), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let refused = enrol::decide(id.clone(), Decided::Grant(None), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(refused, Err(Refusal::GuardianUnfit));
        // It can still be refused for good.
        let ended = Decided::Refuse(Reason::DossierIncomplete);
        assert_eq!(enrol::decide(id, ended, &bench.filed(&bench.two), idp).await.unwrap(), Ok(None));
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_of_a_child_takes_the_guardian_on_record_and_no_other() {
    each(async |bench| {
        let idp = &bench.idp;
        let line = json!({
            "person_number": MAI, "name": "Ngô Thị Mai", "birthdate": "2016-03-12", "gender": "female", "guardian": AN,
            "account": {"level": 1, "state": "activated", "password": "VNeID#2026", "phone": PHONE},
        });
        assert!(matches!(account::import(&line.to_string(), idp).await.unwrap(), Verdict::Done(_)));
        let upgrade = |guardian: Option<&str>, phone: &str| Application {
            stated: None,
            phone: phone.to_owned(),
            ..child("2016-03-12", guardian)
        };
        for (guardian, phone, refusal) in [
            (None, PHONE, Refusal::UnderAge),
            (Some(ONE), "+84912000007", Refusal::GuardianUnfit),
            (Some(AN), "+84912000007", Refusal::GuardianUnfit),
        ] {
            let refused = enrol::receive(upgrade(guardian, phone), &bench.filed(&bench.one), idp).await.unwrap();
            assert_eq!(refused, Err(refusal), "{guardian:?} {phone}");
        }
        let raised = granted(&bench, upgrade(Some(AN), PHONE)).await;
        assert_eq!((raised.level, raised.state), (Some(AccountLevel::Two), AccountState::Activated));
        assert_eq!(raised.guardian.as_ref(), Some(&bench.an));
        assert!(raised.eid.is_some());
    })
    .await;
}
