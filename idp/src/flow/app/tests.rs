//! The app's journeys with the clock in hand, on a fresh SQLite file each.

mod bench;

use bench::{NUMBERS, bench, signed_in};

use super::device::{View as Page, Wish};
use super::qr::{Shown, Stage, Viewer};
use super::*;
use crate::domain::app::{Ending, Place};
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::{Factor, PersonNumber};
use crate::flow::operator::Verdict;
use crate::flow::{Browser, Outcome, eid_lock};

#[tokio::test]
async fn lg_31_an_approval_signs_in_the_browser_that_began_and_no_other() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let (visitor, thief) = (bench.visitor().await, bench.visitor().await);
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&phone, &view).await.unwrap();
    assert_eq!((scanned.browser.as_str(), scanned.place.country.as_deref()), ("Firefox · Linux", Some("VN")));
    assert_eq!(bench.page(&visitor).await.stage, Stage::Scanned);
    bench.approve(&phone, &view, &scanned).await.unwrap();
    // Another browser that knows the interaction gets nothing of it.
    let Shown::Elsewhere(answer) = bench.show(&(thief.0.clone(), visitor.1.clone()), false).await else {
        panic!("a page")
    };
    assert!(matches!(answer.outcome, Outcome::Shown(_)) && answer.cookies.session.is_none());
    let answer = signed_in(bench.show(&visitor, false).await);
    let cookie = answer.cookies.session.unwrap().stored();
    let session = bench.idp.store.read(move |db| store::session::find_by_cookie(db, &cookie)).await.unwrap().unwrap();
    assert_eq!(session.acquaintance.factors(), [Factor::AppPasscode]);
    // Once.
    let Shown::Elsewhere(again) = bench.show(&visitor, false).await else { panic!("a page") };
    assert!(again.cookies.session.is_none());
}

#[tokio::test]
async fn n_04_a_code_lives_a_minute_an_answer_two_and_an_approval_one() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let first = bench.page(&visitor).await;
    bench.later(59);
    assert_eq!(bench.page(&visitor).await.payload, first.payload);
    bench.later(1);
    assert_eq!(bench.scan(&phone, &first).await.err(), Some(Refused::Expired));
    let second = bench.page(&visitor).await;
    assert_ne!(second.payload, first.payload, "it rotates by itself");
    bench.later(59);
    let scanned = bench.scan(&phone, &second).await.unwrap();
    bench.later(120);
    assert_eq!(bench.approve(&phone, &second, &scanned).await, Err(Refused::Expired));
    assert_eq!(bench.page(&visitor).await.stage, Stage::Late, "what a phone had is not replaced unasked");
    let Shown::Page(_, third) = bench.show(&visitor, true).await else { panic!("gone") };
    let scanned = bench.scan(&phone, &third).await.unwrap();
    bench.later(119);
    bench.approve(&phone, &third, &scanned).await.unwrap();
    bench.later(60);
    assert_eq!(bench.page(&visitor).await.stage, Stage::Late);
    let Shown::Page(_, fourth) = bench.show(&visitor, true).await else { panic!("gone") };
    let scanned = bench.scan(&phone, &fourth).await.unwrap();
    bench.approve(&phone, &fourth, &scanned).await.unwrap();
    bench.later(59);
    signed_in(bench.show(&visitor, false).await);
}

#[tokio::test]
async fn lg_37_only_the_newest_ticket_of_an_interaction_counts() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let old = bench.page(&visitor).await;
    let scanned = bench.scan(&phone, &old).await.unwrap();
    let Shown::Page(_, new) = bench.show(&visitor, true).await else { panic!("gone") };
    let superseded = Refused::Ended(Ending::Superseded);
    assert_eq!(bench.approve(&phone, &old, &scanned).await, Err(superseded));
    assert_eq!(bench.scan(&phone, &old).await.err(), Some(superseded));
    let of_new = bench.scan(&phone, &new).await.unwrap();
    // The number of the old screen, the challenge of the old scan: neither will do.
    let mixed = bench.approve(&phone, &new, &scanned).await;
    assert_eq!(mixed, Err(Refused::NotScanned));
    bench.approve(&phone, &new, &of_new).await.unwrap();
    signed_in(bench.show(&visitor, false).await);
}

#[tokio::test]
async fn lg_34_a_screen_in_another_country_is_refused() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    assert_eq!(bench.scan_from(&phone, &view, Some("KH")).await.err(), Some(Refused::Abroad));
    assert!(bench.scan_from(&phone, &view, Some("VN")).await.is_ok());
    assert!(bench.scan_from(&phone, &view, None).await.is_ok());
}

#[tokio::test]
async fn lg_32_the_second_phone_is_refused_and_all_are_told() {
    let bench = bench().await;
    let (one, two) = (bench.phone(NUMBERS[0]).await, bench.phone(NUMBERS[1]).await);
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&one, &view).await.unwrap();
    assert_eq!(bench.scan(&two, &view).await.err(), Some(Refused::TakenByAnother));
    assert!(bench.page(&visitor).await.contested, "the screen is told");
    assert_eq!(bench.approve(&one, &view, &scanned).await, Err(Refused::Contested), "the first phone is told");
    assert_eq!(bench.approve(&two, &view, &scanned).await, Err(Refused::TakenByAnother));
    let aware = json!({"ticket": view.payload.split_once('#').unwrap().1, "challenge": scanned.challenge.reveal(),
        "number": view.number, "unlocked_by": ["face"], "contested": true});
    assert_eq!(ticket::approve(&bench.statement(&one, "approve", aware), &bench.idp).await.unwrap(), Ok(()));
    signed_in(bench.show(&visitor, false).await);
    assert_eq!(bench.scan(&one, &view).await.err(), Some(Refused::Unknown), "nothing is left to be replayed");
}

#[tokio::test]
async fn p13_three_wrong_numbers_and_the_ticket_is_dead() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&phone, &view).await.unwrap();
    let wrong = if view.number == "00" { "01" } else { "00" };
    for (typed, expected) in [
        ("", Refused::WrongNumber),
        (wrong, Refused::WrongNumber),
        (wrong, Refused::Ended(Ending::Guessed)),
        (view.number.as_str(), Refused::Ended(Ending::Guessed)),
    ] {
        let jws = bench.approval(&phone, &view, &scanned, typed);
        assert_eq!(ticket::approve(&jws, &bench.idp).await.unwrap(), Err(expected));
    }
    assert_eq!(bench.page(&visitor).await.stage, Stage::Over(Ending::Guessed));
}

#[tokio::test]
async fn lk_07_nothing_pending_survives_a_lock() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let (before, after) = (bench.visitor().await, bench.visitor().await);
    let (scanned_only, approved) = (bench.page(&before).await, bench.page(&after).await);
    let held = bench.scan(&phone, &scanned_only).await.unwrap();
    let done = bench.scan(&phone, &approved).await.unwrap();
    bench.approve(&phone, &approved, &done).await.unwrap();
    let number = PersonNumber::parse(NUMBERS[0]).unwrap();
    let order = || LockOrder::official(LockGround::HolderAsks, "Công an phường Cầu Giấy").unwrap();
    assert!(matches!(eid_lock::lock(&number, order(), &bench.idp).await.unwrap(), Verdict::Done(_)));
    assert_eq!(bench.approve(&phone, &scanned_only, &held).await, Err(Refused::Barred));
    assert_eq!(bench.scan(&phone, &scanned_only).await.err(), Some(Refused::Barred));
    assert!(
        matches!(bench.show(&after, false).await, Shown::Page(_, view) if view.stage == Stage::Over(Ending::Cancelled))
    );
    assert!(matches!(eid_lock::unlock(&number, order(), &bench.idp).await.unwrap(), Verdict::Done(_)));
    assert_eq!(bench.approve(&phone, &scanned_only, &held).await, Err(Refused::Ended(Ending::Cancelled)));
    assert!(matches!(bench.show(&after, false).await, Shown::Page(..)), "an unlock revives nothing");
    // Control: the app itself works again.
    let fresh = bench.visitor().await;
    let view = bench.page(&fresh).await;
    let scanned = bench.scan(&phone, &view).await.unwrap();
    bench.approve(&phone, &view, &scanned).await.unwrap();
    signed_in(bench.show(&fresh, false).await);
}

#[tokio::test]
async fn a_new_phone_takes_the_place_of_the_old_and_a_code_binds_once() {
    let bench = bench().await;
    let old = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&old, &view).await.unwrap();
    bench.approve(&old, &view, &scanned).await.unwrap();
    let (account, this) = (bench.account(NUMBERS[0]).await, Arc::clone(&bench.idp));
    let code = bench.idp.store.transact(move |db| device::open_binding(db, &account, &this)).await.unwrap();
    assert_eq!(bench.bind("ZZZZ-ZZZZ-ZZZZ").await.1.err(), Some(Refused::Code));
    let (mut new, bound) = bench.bind(&code.to_ascii_lowercase()).await;
    let bound = bound.unwrap();
    assert!(bound.notice.is_some_and(|sms| sms.to == "+84912000001" && !sms.text.contains("099")));
    new.device = bound.device;
    assert_eq!(bench.bind(&code).await.1.err(), Some(Refused::Code));
    assert!(matches!(bench.show(&visitor, false).await, Shown::Page(..)), "the old phone's approval died");
    assert_eq!(bench.scan(&old, &view).await.err(), Some(Refused::Statement));
    let Shown::Page(_, view) = bench.show(&visitor, true).await else { panic!("gone") };
    let scanned = bench.scan(&new, &view).await.unwrap();
    bench.approve(&new, &view, &scanned).await.unwrap();
    signed_in(bench.show(&visitor, false).await);
    // An old code is no code.
    let (account, this) = (bench.account(NUMBERS[0]).await, Arc::clone(&bench.idp));
    let code = bench.idp.store.transact(move |db| device::open_binding(db, &account, &this)).await.unwrap();
    bench.later(600);
    assert_eq!(bench.bind(&code).await.1.err(), Some(Refused::Code));
}

#[tokio::test]
async fn lg_38_a_phone_is_bound_by_whoever_just_proved_level_two() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&phone, &view).await.unwrap();
    bench.approve(&phone, &view, &scanned).await.unwrap();
    let answer = signed_in(bench.show(&visitor, false).await);
    let session = answer.cookies.session.map(|cookie| cookie.stored());
    let browser = Browser { session, ..visitor.0.clone() };
    let wished = async |wish| match device::answer(wish, &browser, &bench.idp).await.unwrap() {
        device::Shown::Page(_, view, _) => Some(view),
        device::Shown::SignInFirst(_) => None,
    };
    assert!(matches!(wished(Wish::Bind { replace: false }).await, Some(Page::Confirm)));
    assert!(matches!(wished(Wish::Bind { replace: true }).await, Some(Page::Binding(_))));
    bench.later(601);
    assert!(matches!(wished(Wish::Look).await, Some(Page::Device)));
    assert!(wished(Wish::Bind { replace: true }).await.is_none(), "too long ago: sign in first");
    wished(Wish::Remove).await.unwrap();
    assert_eq!(bench.scan(&phone, &view).await.err(), Some(Refused::Statement));
}

#[tokio::test]
async fn rfc8725_statements_of_nobody_are_believed() {
    let bench = bench().await;
    let (phone, other) = (bench.phone(NUMBERS[0]).await, bench.phone(NUMBERS[1]).await);
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let ticket = view.payload.split_once('#').unwrap().1.to_owned();
    let said = || bench.claims("scan", json!({"ticket": ticket}));
    let header = |kid: &Id<Device>| json!({"alg": "ES256", "typ": "vneid-app+jwt", "kid": kid});
    let good = phone.signed(header(&phone.device), said());
    let mut unsigned = good.split('.').map(str::to_owned).collect::<Vec<_>>();
    use base64::Engine;
    let none = json!({"alg": "none", "typ": "vneid-app+jwt", "kid": phone.device}).to_string();
    unsigned[0] = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(none);
    unsigned[2] = String::new();
    let mut aimed_elsewhere = said();
    aimed_elsewhere["aud"] = "https://evil.vn".into();
    let mut stale = said();
    (stale["iat"], stale["exp"]) = (1_799_999_000.into(), 1_799_999_060.into());
    let mut another_act = said();
    another_act["act"] = "approve".into();
    for bad in [
        String::new(),
        unsigned.join("."),
        other.signed(header(&phone.device), said()),
        phone.signed(header(&Id::new("nobody")), said()),
        phone.signed(json!({"alg": "ES256", "typ": "vneid-app+jwt"}), said()),
        phone.signed(json!({"alg": "ES256", "typ": "JWT", "kid": phone.device}), said()),
        phone.signed(header(&phone.device), aimed_elsewhere),
        phone.signed(header(&phone.device), stale),
        phone.signed(header(&phone.device), another_act),
    ] {
        let refused = ticket::scan(&bad, Place::default(), &bench.idp).await.unwrap();
        assert_eq!(refused.err(), Some(Refused::Statement), "{bad}");
    }
    assert!(ticket::scan(&good, Place::default(), &bench.idp).await.unwrap().is_ok(), "control");
    let again = ticket::scan(&good, Place::default(), &bench.idp).await.unwrap();
    assert_eq!(again.err(), Some(Refused::Statement), "said before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_approvals_at_once_are_one() {
    let bench = bench().await;
    let phone = bench.phone(NUMBERS[0]).await;
    let visitor = bench.visitor().await;
    let view = bench.page(&visitor).await;
    let scanned = bench.scan(&phone, &view).await.unwrap();
    let statements: Vec<String> = (0..50).map(|_| bench.approval(&phone, &view, &scanned, &view.number)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for statement in statements {
        let idp = Arc::clone(&bench.idp);
        tasks.spawn(async move { ticket::approve(&statement, &idp).await.unwrap().is_ok() });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (idp, browser, id) = (Arc::clone(&bench.idp), visitor.0.clone(), visitor.1.clone());
        tasks.spawn(async move {
            let viewer = Viewer { browser: &browser, place: Place::default(), agent: String::new() };
            match qr::show(id, viewer, false, &idp).await.unwrap() {
                Shown::Elsewhere(answer) => answer.cookies.session.is_some(),
                Shown::Page(..) => false,
            }
        });
    }
    let entered = tasks.join_all().await.into_iter().filter(|entered| *entered).count();
    assert_eq!(entered, 1, "and one sign-in comes of it");
}
