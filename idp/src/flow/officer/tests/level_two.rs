//! Level 2 at the desk: clocks, evidence, an upgrade that keeps the subject, a new account that waits for its holder.

use super::super::enrol::{self, Verdict};
use super::*;
use crate::domain::account::AccountState;
use crate::domain::application::{Application, CardShown, Checked, Matched, Reference, Stated, Wanted};
use crate::domain::registration::{Reason, State};
use crate::domain::{AccountLevel, Moment};
use crate::store::change::Recovered;

pub(super) const MAI: &str = "099198000009";

pub(super) fn application(number: &str) -> Application {
    let reference = |text| Reference::parse(text).unwrap();
    Application {
        wanted: Wanted::LevelTwo(Matched { face: reference("FM-2026-0001"), fingerprint: reference("VT-2026-0001") }),
        number: person(number),
        stated: Some(Stated {
            name: "Ngô Thị Mai".to_owned(),
            birthdate: "1998-03-12".parse().unwrap(),
            gender: "female".to_owned(),
        }),
        phone: "+84912000009".to_owned(),
        email: Some("mai@example.com".to_owned()),
        dependants: vec![person("099314000012")],
        guardian: None,
        papers: Vec::new(),
        checked: Checked { card: CardShown::parse("0009", Some("2039-12-31".parse().unwrap())), form: said("77/TK01") },
    }
}

fn upgrade() -> Application {
    Application { stated: None, phone: "+8491200000002".to_owned(), ..application(BINH) }
}

async fn account(bench: &Bench, id: &Id<Account>) -> Account {
    let id = id.clone();
    bench.idp.store.read(move |db| store::account::find(db, &id)).await.unwrap().unwrap()
}

async fn state(bench: &Bench, id: &Id<crate::domain::enrolment::Enrolment>) -> State {
    enrol::find(id.clone(), &bench.one, &bench.idp).await.unwrap().unwrap().enrolment.progress.state
}

#[tokio::test]
async fn an_upgrade_keeps_the_subject_and_the_password_and_brings_the_eid() {
    each(async |bench| {
        let idp = &bench.idp;
        let binh = bench.binh.clone();
        let before = idp
            .store
            .transact(move |db| {
                let sub = store::subject::find_or_put(db, &binh, "portal.example", "sub-before")?;
                Ok((sub, store::account::credentials(db, &binh)?.unwrap().password_hash))
            })
            .await
            .unwrap();
        let id = enrol::receive(upgrade(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let twice = enrol::receive(upgrade(), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(twice, Err(Refusal::AlreadyOpen));
        assert_eq!(account(&bench, &bench.binh).await.level, Some(AccountLevel::One), "nothing yet");
        // B4: three working days with a valid card.
        let shown = enrol::find(id.clone(), &bench.one, idp).await.unwrap().unwrap();
        assert_eq!(shown.clock.unwrap().until, Moment::from_unix(MONDAY - 9 * 3600 + 4 * 86_400));
        assert_eq!(shown.person_number, "099••••••002");
        let granted = enrol::decide(id.clone(), Verdict::Grant(None), &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(granted, Ok(Some(bench.binh.clone())));
        let raised = account(&bench, &bench.binh).await;
        assert!(raised.eid.as_ref().is_some_and(|eid| eid.is_active()), "B9: the e-ID comes with it");
        assert_eq!((raised.level, raised.state), (Some(AccountLevel::Two), AccountState::Activated));
        assert_eq!(state(&bench, &id).await, State::Activated);
        let binh = bench.binh.clone();
        let after = idp.store.read(move |db| {
            let sub = store::subject::find(db, &binh, "portal.example")?.unwrap();
            Ok((sub, store::account::credentials(db, &binh)?.unwrap().password_hash))
        });
        assert_eq!(after.await.unwrap(), before, "contract 8: sub survives a change of level");
        let again = enrol::receive(upgrade(), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(again, Err(Refusal::AlreadyLevelTwo));
        assert_eq!(bench.kinds(BINH).await, ["level_two_submitted", "level_two_granted"]);
        let told = crate::flow::inbox::list(Some("+8491200000002"), 10, idp).await.unwrap();
        assert_eq!(told.len(), 1, "B7: the result by message");
    })
    .await;
}

#[tokio::test]
async fn a_new_person_waits_to_activate_and_nothing_personal_stands_in_clear() {
    each(async |bench| {
        let idp = &bench.idp;
        let id = enrol::receive(application(MAI), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let filed = bench.filed(&bench.one);
        let granted = enrol::decide(id.clone(), Verdict::Grant(None), &filed, idp).await.unwrap().unwrap().unwrap();
        let again = enrol::decide(id.clone(), Verdict::Grant(None), &filed, idp).await.unwrap();
        assert_eq!(again, Ok(Some(granted.clone())), "the same key, the same result");
        let made = account(&bench, &granted).await;
        assert_eq!((made.level, made.state), (Some(AccountLevel::Two), AccountState::Granted));
        assert!(made.eid.is_some() && !made.has_password);
        // B8: seven days from the message.
        assert_eq!(state(&bench, &id).await, State::Notified);
        let told = crate::flow::inbox::list(Some("+84912000009"), 10, idp).await.unwrap();
        assert!(told.len() == 1 && told[0].text.contains("/activate"));
        for event in bench.trail(MAI).await {
            let text = event.to_string();
            assert!(!text.contains(MAI) && !text.contains("912000009") && !text.contains("Mai"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_valid_card_it_takes_seven_days_and_a_new_card() {
    each(async |bench| {
        let idp = &bench.idp;
        let mut cardless = application(MAI);
        cardless.checked.card = None;
        let id = enrol::receive(cardless, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let shown = enrol::find(id.clone(), &bench.one, idp).await.unwrap().unwrap();
        // Monday and seven working days: the end of Wednesday of the week after.
        assert_eq!(shown.clock.unwrap().until, Moment::from_unix(MONDAY - 9 * 3600 + 10 * 86_400));
        assert!(shown.needs_card(idp.clock.now()));
        let grant = |last: Option<&str>| Verdict::Grant(last.map(|day| day.parse().unwrap()));
        for last in [None, Some("2020-01-01")] {
            let refused = enrol::decide(id.clone(), grant(last), &bench.filed(&bench.one), idp).await.unwrap();
            assert_eq!(refused, Err(Refusal::CardMissing), "{last:?}");
        }
        let granted = enrol::decide(id, grant(Some("2051-11-30")), &bench.filed(&bench.one), idp).await.unwrap();
        let made = account(&bench, &granted.unwrap().unwrap()).await;
        assert!(made.card_expires.is_some_and(|expires| expires > Moment::from_unix(2_500_000_000)));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_changes_nothing_but_the_request_and_children_need_a_guardian() {
    each(async |bench| {
        let idp = &bench.idp;
        let id = enrol::receive(upgrade(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let refuse = Verdict::Refuse(Reason::IdentityNotProved);
        assert_eq!(enrol::decide(id.clone(), refuse, &bench.filed(&bench.one), idp).await.unwrap(), Ok(None));
        let late = enrol::decide(id, Verdict::Grant(None), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(late, Err(Refusal::AlreadyDecided));
        let same = account(&bench, &bench.binh).await;
        assert!(same.level == Some(AccountLevel::One) && same.eid.is_none());
        assert_eq!(bench.kinds(BINH).await, ["level_two_submitted", "level_two_refused"]);
        // Refused once, one may apply again.
        assert!(enrol::receive(upgrade(), &bench.filed(&bench.one), idp).await.unwrap().is_ok());
        let mut child = application(MAI);
        child.stated.as_mut().unwrap().birthdate = "2014-09-02".parse().unwrap();
        let refused = enrol::receive(child, &bench.filed(&bench.one), idp).await.unwrap();
        assert_eq!(refused, Err(Refusal::UnderAge));
    })
    .await;
}

#[tokio::test]
async fn another_phone_ends_what_stood_and_the_same_one_does_not() {
    each(async |bench| {
        let idp = &bench.idp;
        let (number, phone, ends) = (BINH, "+84912000099", true);
        {
            let other = Application { phone: phone.to_owned(), ..upgrade() };
            let id = enrol::receive(other, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
            let binh = bench.binh.clone();
            idp.store
                .transact(move |db| {
                    let now = Moment::from_unix(MONDAY);
                    let session = crate::domain::session::Session {
                        acting: None,
                        id: Id::new("session"),
                        account: binh,
                        acquaintance: Default::default(),
                        opened_at: now,
                        seen_at: now,
                        ended_at: None,
                    };
                    store::session::open(db, &session, &crate::domain::secret::Stored::of("cookie"))
                })
                .await
                .unwrap();
            enrol::decide(id, Verdict::Grant(None), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
            let session = idp.store.read(|db| store::session::find(db, &Id::new("session"))).await.unwrap().unwrap();
            assert_eq!(session.ended_at.is_some(), ends, "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn lg_20_an_identity_check_at_the_desk_lifts_what_a_recovery_left_in_doubt() {
    each(async |bench| {
        let idp = &bench.idp;
        let recover = async |at: Moment| {
            let binh = bench.binh.clone();
            let done = idp.store.transact(move |db| {
                let recovered = Recovered { hash: "hash", at, phone_counts_from: at + Span::days(3) };
                store::change::recover(db, &binh, &recovered)
            });
            done.await.unwrap();
        };
        let seen = async || {
            let (now, binh) = (idp.clock.now(), account(&bench, &bench.binh).await);
            let level = crate::flow::facts::standing(Some(&binh), None, now).unwrap().account_level();
            (level, binh.doubts.caps_level(), binh.doubts.phone_counts(now))
        };
        recover(idp.clock.now()).await;
        assert_eq!(seen().await, (Some(AccountLevel::One), true, false), "control: in doubt");
        let id = enrol::receive(upgrade(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert_eq!(seen().await, (Some(AccountLevel::One), true, false), "an application proves nothing yet");
        enrol::decide(id, Verdict::Grant(None), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert_eq!(seen().await, (Some(AccountLevel::Two), false, true));
        // It settles what was, not what comes.
        bench.clock.advance(Span::seconds(1));
        recover(idp.clock.now()).await;
        assert_eq!(seen().await, (Some(AccountLevel::One), true, false));
    })
    .await;
}
