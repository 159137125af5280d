//! Guessing over a day, on the real store with a clock of our own (LG-02, LG-04, N-16 to N-19).

use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt;

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::Moment;
use crate::domain::fault::Cause;
use crate::domain::interaction::Destination;
use crate::domain::secret::{BrowserCookie, DeviceCookie, Minted, Stored};
use crate::flow::authorize::open_interaction;
use crate::flow::{Cookies, account, operator::Verdict as Told};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

const NUMBER: &str = "099090000001";
const PASSWORD: &str = "bốn con trâu gặm cỏ";

struct Bench {
    idp: Arc<Idp>,
    clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:8080", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let idp = Idp::open_with(config, surroundings).await.unwrap();
    let line = json!({
        "person_number": NUMBER, "name": "Nguyễn Văn An",
        "account": {"level": 2, "state": "activated", "password": PASSWORD, "phone": "+84912000001"},
    });
    assert!(matches!(account::import(&line.to_string(), &idp).await.unwrap(), Told::Done(_)));
    Bench { idp, clock, _directory: directory }
}

fn stranger(n: u32) -> Browser {
    let address = Ipv4Addr::from(0x0a00_0000 + n * 256);
    let cookie: Minted<BrowserCookie> = Minted::from_text(format!("browser-{n}"));
    Browser { browser: Some(cookie.stored()), address: Some(IpAddr::V4(address)), language: "vi", ..Browser::default() }
}

async fn at_sign_in(browser: &Browser, idp: &Arc<Idp>) -> Id<Interaction> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let own = || Destination::OwnPage("/identity".to_owned());
    idp.store.transact(move |db| Ok(open_interaction(db, own(), &who, &this)?.0)).await.unwrap()
}

async fn attempt(browser: &Browser, password: &str, idp: &Arc<Idp>) -> SignedIn {
    let id = at_sign_in(browser, idp).await;
    attempt_at(id, browser, password, idp).await
}

async fn attempt_at(id: Id<Interaction>, browser: &Browser, password: &str, idp: &Arc<Idp>) -> SignedIn {
    let form =
        Form { person_number: NUMBER.to_owned(), password: Zeroizing::new(password.to_owned()), for_other: false };
    super::password(id, form, browser, idp).await.unwrap()
}

fn cookies(signed: SignedIn) -> Option<Cookies> {
    match signed {
        SignedIn::Done(Answer { outcome: Outcome::OwnPage(_), cookies }) => Some(cookies),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lg_02_ten_thousand_guesses_from_a_thousand_addresses_in_a_day() {
    let bench = bench().await;
    let (mut evaluated, mut told) = (0, 0);
    let strangers: Vec<Browser> = (0..1_000).map(stranger).collect();
    let mut pages = Vec::new();
    for stranger in &strangers {
        pages.push(at_sign_in(stranger, &bench.idp).await);
    }
    // 8.64 seconds apart: a whole day.
    for n in 0..10_000_usize {
        bench.clock.advance(Span::seconds(if n % 25 < 16 { 9 } else { 8 }));
        let (browser, at) = (&strangers[n % 1_000], n % 1_000);
        if n % 150 == 0 {
            // Pages last half an hour.
            pages[at] = at_sign_in(browser, &bench.idp).await;
        }
        match attempt_at(pages[at].clone(), browser, "đoán mò", &bench.idp).await {
            SignedIn::Again(Complaint::Wrong) => evaluated += 1,
            SignedIn::Again(Complaint::Wait(_)) => told += 1,
            // A page that expired evaluates nothing either: begin another.
            SignedIn::Done(_) => pages[at] = at_sign_in(browser, &bench.idp).await,
            SignedIn::Again(Complaint::Malformed) => panic!("malformed"),
        }
    }
    assert!((1..=100).contains(&evaluated), "{evaluated} evaluated, {told} told to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_19_the_owner_on_a_known_device_signs_in_a_hundred_times_of_a_hundred() {
    let bench = bench().await;
    let owner = stranger(7_000);
    let cookies = cookies(attempt(&owner, PASSWORD, &bench.idp).await).unwrap();
    let device: Stored<DeviceCookie> = cookies.device.unwrap().stored();
    let known = Browser { device: Some(device), ..owner };
    // The attack is never quiet: it reached the hard stop before, and goes on.
    let mut stopped = 0;
    for n in 0..260 {
        bench.clock.advance(Span::seconds(11));
        if matches!(attempt(&stranger(n), "đoán mò", &bench.idp).await, SignedIn::Again(Complaint::Wait(_))) {
            stopped += 1;
        }
    }
    assert!(stopped > 100, "{stopped}: the strangers' brake is on");
    let mut succeeded = 0;
    for n in 0..100 {
        bench.clock.advance(Span::seconds(1));
        attempt(&stranger(n), "đoán mò", &bench.idp).await;
        if self::cookies(attempt(&known, PASSWORD, &bench.idp).await).is_some() {
            succeeded += 1;
        }
    }
    assert_eq!(succeeded, 100);
    // The control: the same right password from a device nobody knows waits.
    assert!(matches!(attempt(&stranger(9_000), PASSWORD, &bench.idp).await, SignedIn::Again(Complaint::Wait(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn rx_05_a_password_too_many_is_turned_away_before_the_store_is_asked() {
    let bench = bench().await;
    let form =
        || Form { person_number: NUMBER.to_owned(), password: Zeroizing::new(PASSWORD.to_owned()), for_other: false };
    let (nowhere, browser) = (Id::new("nowhere"), stranger(1));
    // The control: the store says that the interaction is over.
    assert!(matches!(super::password(nowhere.clone(), form(), &browser, &bench.idp).await, Ok(SignedIn::Done(_))));
    let mut crowd: Vec<_> = (0..2_000).map(|_| Box::pin(bench.idp.hasher.verify("đoán mò", None))).collect();
    for one in &mut crowd {
        assert!(one.now_or_never().is_none_or(|told| told.is_err()));
    }
    let turned_away = super::password(nowhere, form(), &browser, &bench.idp).await.err().unwrap();
    assert_eq!((turned_away.cause, turned_away.room), (Cause::Overloaded, "factor"));
    drop(crowd);
    assert!(cookies(attempt(&browser, PASSWORD, &bench.idp).await).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn lg_01_a_guess_at_a_number_nobody_has_is_remembered_like_any_other() {
    let bench = bench().await;
    let mut told = Vec::new();
    for (n, number) in (1_u32..).zip([NUMBER, "099090000002"]) {
        let (before, browser) = (bench.idp.store.read(store::trail::count).await.unwrap(), stranger(n));
        let mut answers = Vec::new();
        for _ in 0..12 {
            let id = at_sign_in(&browser, &bench.idp).await;
            let guess = Zeroizing::new("đoán mò".to_owned());
            let form = Form { person_number: number.to_owned(), password: guess, for_other: false };
            answers.push(match super::password(id, form, &browser, &bench.idp).await.unwrap() {
                SignedIn::Again(Complaint::Wrong) => "wrong",
                SignedIn::Again(Complaint::Wait(_)) => "wait",
                _ => panic!("a wrong password was neither wrong nor too much"),
            });
        }
        told.push((answers, bench.idp.store.read(store::trail::count).await.unwrap() - before));
    }
    let [(known, kept), (unknown, also)] = &told[..] else { panic!() };
    let wrong = i64::try_from(known.iter().filter(|answer| **answer == "wrong").count()).unwrap();
    assert!(known == unknown && known.contains(&"wait"));
    assert_eq!((kept, also), (&(wrong + 1), &(wrong + 1)), "each that counted, and the first that was stopped");
}
