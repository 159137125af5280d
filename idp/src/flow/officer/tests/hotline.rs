//! The hotline at the desk: what it takes, what it leaves in the trail, and that it is one act.

use super::super::enrol::{self, Verdict as Decision};
use super::super::hotline::{self, Waiting};
use super::level_two::{MAI, application};
use super::*;
use crate::domain::account::AccountState;
use crate::domain::application::Application;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::hotline::{Call, Case, Check};
use crate::domain::registration::State;
use crate::flow::eid_lock;

const LAN: &str = "099195000010";
const HER_PHONE: &str = "+84912000009";

fn call() -> Call {
    Call::of(Case::parse("TD-2026/0117").unwrap(), [Check::Phone, Check::Card]).unwrap()
}

/// A new account whose holder lets the seven days pass; its request.
async fn overdue(bench: &Bench) -> (Id<Account>, Id<crate::domain::enrolment::Enrolment>) {
    let id = enrol::receive(application(MAI), &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
    let grant = Decision::Grant(None);
    let account = enrol::decide(id.clone(), grant, &bench.filed(&bench.one), &bench.idp).await.unwrap().unwrap();
    bench.clock.advance(Span::days(8));
    (account.unwrap(), id)
}

async fn state(bench: &Bench, id: &Id<Account>) -> (AccountState, bool) {
    let id = id.clone();
    let found = bench.idp.store.read(move |db| store::account::find(db, &id)).await.unwrap().unwrap();
    (found.state, found.has_password)
}

async fn waiting(bench: &Bench, id: &Id<Account>) -> Option<Waiting> {
    dossier::open(id.clone(), &bench.one, &bench.idp).await.unwrap().unwrap().waiting
}

#[tokio::test]
async fn b8_a_call_activates_what_waits_once_and_names_the_officer_and_what_was_checked() {
    each(async |bench| {
        let idp = &bench.idp;
        let (mai, request) = overdue(&bench).await;
        let until = waiting(&bench, &mai).await.unwrap().until.unwrap();
        assert!(until <= idp.clock.now(), "the seven days are over");
        let before = crate::flow::inbox::list(Some(HER_PHONE), 10, idp).await.unwrap().len();
        let filed = bench.filed(&bench.one);
        let done = hotline::activate(mai.clone(), call(), &filed, idp).await.unwrap().unwrap();
        assert_eq!((&done.account, done.choose_by > idp.clock.now()), (&mai, true));
        assert_eq!(state(&bench, &mai).await, (AccountState::Activated, false), "a password is the holder's to choose");
        let now = enrol::find(request, &bench.one, idp).await.unwrap().unwrap().enrolment.progress;
        assert_eq!((now.state, now.activate_by), (State::ActivatedViaHotline, Some(done.choose_by)));
        // Pressed again: the same key is the same result, another key finds nothing that waits.
        assert_eq!(hotline::activate(mai.clone(), call(), &filed, idp).await.unwrap(), Ok(done));
        let again = hotline::activate(mai.clone(), call(), &bench.filed(&bench.two), idp).await.unwrap();
        assert_eq!(again, Err(Refusal::NotWaiting));
        assert_eq!(waiting(&bench, &mai).await, None);
        let told = crate::flow::inbox::list(Some(HER_PHONE), 10, idp).await.unwrap();
        assert_eq!(told.len(), before + 1, "told once");
        let events: Vec<Value> =
            bench.trail(MAI).await.into_iter().filter(|event| event["kind"] == "account_activated").collect();
        assert_eq!(events.len(), 1);
        let expected = json!({
            "via": "hotline", "case": "TD-2026/0117", "officer": bench.one.account(), "checked": ["phone", "card"],
        });
        assert_eq!(events[0]["detail"], expected);
    })
    .await;
}

#[tokio::test]
async fn who_lets_the_days_after_the_call_pass_too_calls_again() {
    each(async |bench| {
        let idp = &bench.idp;
        let (mai, _) = overdue(&bench).await;
        let first = hotline::activate(mai.clone(), call(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        bench.clock.advance(Span::days(8));
        assert_eq!(waiting(&bench, &mai).await, Some(Waiting { until: Some(first.choose_by) }));
        let again = hotline::activate(mai.clone(), call(), &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert!(again.choose_by > idp.clock.now());
        assert_eq!(state(&bench, &mai).await, (AccountState::Activated, false));
    })
    .await;
}

#[tokio::test]
async fn what_does_not_wait_and_who_is_no_officer_is_refused_and_nothing_is_written() {
    each(async |bench| {
        let idp = &bench.idp;
        let activate = async |id: &Id<Account>, officer: &Officer| {
            hotline::activate(id.clone(), call(), &bench.filed(officer), idp).await.unwrap()
        };
        assert_eq!(activate(&bench.an, &bench.one).await, Err(Refusal::NotWaiting), "activated by its holder");
        assert_eq!(activate(&Id::new("nobody"), &bench.one).await, Err(Refusal::NoAccount));
        let (mai, _) = overdue(&bench).await;
        // A key is for what it was used for.
        let filed = bench.filed(&bench.one);
        hotline::activate(bench.an.clone(), call(), &filed, idp).await.unwrap().unwrap_err();
        assert_eq!(hotline::activate(mai.clone(), call(), &filed, idp).await.unwrap(), Err(Refusal::KeyReused));
        // An officer who was locked meanwhile.
        let order = Order { account: bench.two.account().clone(), ..bench.order(Wish::Lock) };
        holder_lock::carry_out(order, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        assert_eq!(activate(&mai, &bench.two).await, Err(Refusal::OfficerGone));
        // Whoever calls for the dead is not the holder.
        let order = LockOrder::official(LockGround::Death, "Sở Tư pháp").unwrap();
        assert!(matches!(eid_lock::lock(&person(MAI), order, idp).await.unwrap(), Verdict::Done(_)));
        assert_eq!(activate(&mai, &bench.one).await, Err(Refusal::Death));
        assert_eq!(state(&bench, &mai).await.0, AccountState::Granted);
        assert!(!bench.kinds(MAI).await.contains(&"account_activated".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_later_application_does_not_hide_the_one_that_waits_for_its_holder() {
    each(async |bench| {
        let idp = &bench.idp;
        let line = line(LAN, 1).replace("activated", "granted");
        assert!(matches!(crate::flow::account::import(&line, idp).await.unwrap(), Verdict::Done(_)));
        let lan = id_of(LAN, idp).await;
        let upgrade = Application { stated: None, ..application(LAN) };
        let id = enrol::receive(upgrade, &bench.filed(&bench.one), idp).await.unwrap().unwrap();
        let done = hotline::activate(lan.clone(), call(), &bench.filed(&bench.one), idp).await.unwrap();
        assert!(done.is_ok(), "{done:?}");
        // The application goes on as it was.
        let still = enrol::find(id, &bench.one, idp).await.unwrap().unwrap().enrolment.progress;
        assert_eq!((still.state, still.activate_by), (State::Checking, None));
    })
    .await;
}

#[tokio::test]
async fn fifty_presses_are_one_call() {
    each(async |bench| {
        let (mai, _) = overdue(&bench).await;
        let bench = Arc::new(bench);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (bench, mai, filed) = (Arc::clone(&bench), mai.clone(), bench.filed(&bench.one));
            tasks.spawn(async move { hotline::activate(mai, call(), &filed, &bench.idp).await });
        }
        let ended = tasks.join_all().await;
        let (done, refused): (Vec<_>, Vec<_>) = ended.into_iter().map(Result::unwrap).partition(Result::is_ok);
        assert_eq!((done.len(), refused.len()), (1, 49), "each with a key of its own");
        assert!(refused.iter().all(|ended| *ended == Err(Refusal::NotWaiting)));
    })
    .await;
}
