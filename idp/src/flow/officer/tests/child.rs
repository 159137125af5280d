//! A child or a ward at the desk (ND69 Art 7(1), 10(2)đ): with the guardian, on the guardian's phone, bound to the guardian.

use super::super::enrol;
use super::super::enrol::Verdict as Decided;
use super::level_two::{MAI, application};
use super::*;
use crate::domain::AccountLevel;
use crate::domain::account::AccountState;
use crate::domain::application::Application;
use crate::domain::enrolment::Proof;
use crate::domain::registration::Reason;
use crate::domain::standing::needs_guardian;

/// Of An, as imported.
const PHONE: &str = "+84912000001";

fn child(born: &str, guardian: Option<&str>) -> Application {
    let mut child = application(MAI);
    child.stated.as_mut().unwrap().birthdate = born.parse().unwrap();
    child.dependants.clear();
    Application { phone: PHONE.to_owned(), guardian: guardian.map(person), ..child }
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
