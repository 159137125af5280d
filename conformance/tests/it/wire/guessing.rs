//! Guessing passwords and one-time codes is bounded, and the bound cannot be aimed at the owner (LG, N-16 to N-20).

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::sign_in_form;
use crate::support::holder::{Holder, record};
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

async fn guess(idp: &Sandbox, visitor: &Visitor, ask: &Ask, number: &str, password: &str) -> Answer {
    let _ = idp;
    let at = visitor.open(&ask.target()).await;
    visitor.submit(&at, &sign_in_form(&at, number, password)).await
}

/// The seconds the page tells to wait; `None` when the guess was evaluated.
fn told_to_wait(answer: &Answer) -> Option<u64> {
    let text = answer.page().text;
    let (_, rest) = text.split_once("Mời đợi ")?;
    rest.split(' ').next()?.parse().ok()
}

/// Sends a wrong password until one is evaluated; when that one was sent.
async fn fail(visitor: &Visitor, at: &Answer, number: &str) -> Instant {
    loop {
        let sent = Instant::now();
        let answer = visitor.submit(at, &sign_in_form(at, number, "wrong password")).await;
        assert_eq!(answer.page().name(), "sign-in");
        let Some(seconds) = told_to_wait(&answer) else { return sent };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// The right password of `last`, sent right after three wrong ones of `stranger`s. They brake for three seconds,
/// counted in whole ones: an answer later than two proves nothing on a slow machine, so another holder is taken.
async fn right_within_the_brake(
    idp: &Sandbox,
    stranger: impl Fn() -> Visitor,
    last: impl Fn() -> Visitor,
) -> (Holder, Answer) {
    let client = idp.confidential();
    for _ in 0..20 {
        let (holder, ask) = (idp.citizen(), Ask::of(&client));
        let (strangers, last) = ([stranger(), stranger(), stranger()], last());
        let at_last = last.open(&ask.target()).await;
        let mut sent = Instant::now();
        for stranger in &strangers {
            let at = stranger.open(&ask.target()).await;
            sent = fail(stranger, &at, &holder.number).await;
        }
        let answer = last.submit(&at_last, &sign_in_form(&at_last, &holder.number, &holder.password)).await;
        if sent.elapsed() < Duration::from_secs(2) {
            return (holder, answer);
        }
    }
    panic!("no answer came within the brake");
}

/// What a page says, without what differs in every page.
fn essence(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut names: Vec<String> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    names.dedup();
    (answer.status, answer.page().text, names)
}

#[tokio::test]
async fn lg_01_an_unknown_number_and_a_wrong_password_are_answered_alike() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let unknown = guess(idp, &idp.visitor(), &Ask::of(&client), "099099999999", "wrong password").await;
    assert_eq!(unknown.page().name(), "sign-in");
    let barred = idp.holder(1, json!({"account": {"level": 1, "state": "granted", "password": "x y z 1234"}}));
    for holder in [idp.citizen(), idp.beginner(), barred] {
        let wrong = guess(idp, &idp.visitor(), &Ask::of(&client), &holder.number, "wrong password").await;
        assert_eq!(essence(&unknown), essence(&wrong));
        assert!(!wrong.body.contains("wrong password"), "a password is never sent back");
    }
    // Neither is there a difference in what has no form at all.
    let junk = guess(idp, &idp.visitor(), &Ask::of(&client), "12", "wrong password").await;
    assert_eq!(junk.page().name(), "sign-in");
}

#[tokio::test]
async fn n_16_failures_slow_guesses_and_the_right_password_is_not_evaluated_meanwhile() {
    let idp = Sandbox::shared();
    let (holder, early) = right_within_the_brake(idp, || idp.visitor(), || idp.visitor()).await;
    assert!(early.returned().is_none(), "within the delay nothing is evaluated");
    assert!(told_to_wait(&early).is_some(), "{}", early.page().text);
    tokio::time::sleep(Duration::from_millis(3300)).await;
    let client = idp.confidential();
    let later = guess(idp, &idp.visitor(), &Ask::of(&client), &holder.number, &holder.password).await;
    assert!(later.returned().is_some(), "{}", later.page().text);
    // Success clears the count.
    assert!(guess(idp, &idp.visitor(), &Ask::of(&client), &holder.number, &holder.password).await.returned().is_some());
}

/// Why this holder's guesses were refused, in order, as the trail tells it.
fn reasons(idp: &Sandbox, holder: &Holder, kind: &str) -> Vec<String> {
    let trail = idp.trail(holder);
    let refused = trail.iter().filter(|event| event["kind"] == json!(kind));
    refused.map(|event| event["detail"]["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn nse_the_trail_tells_of_the_first_stopped_guess_after_each_evaluated_one() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).target()).await;
    let (mut told, mut stops) = (Vec::new(), 0);
    while stops < 30 || told.iter().filter(|reason| **reason == "wrong").count() < 3 {
        let answer = visitor.submit(&at, &sign_in_form(&at, &holder.number, "wrong password")).await;
        let reason = if told_to_wait(&answer).is_some() { "throttled" } else { "wrong" };
        stops += u32::from(reason == "throttled");
        if reason == "wrong" || told.last() != Some(&reason) {
            told.push(reason);
        }
    }
    assert_eq!(reasons(idp, &holder, "sign_in_refused"), told);
    // A storm at one moment: everything it stops is one event at most.
    let form = sign_in_form(&at, &holder.number, &holder.password);
    let visitor = Arc::new(visitor);
    let mut storm = JoinSet::new();
    for _ in 0..20 {
        let (visitor, at, form) = (Arc::clone(&visitor), at.clone(), form.clone());
        storm.spawn(async move { visitor.submit(&at, &form).await });
    }
    storm.join_all().await;
    let after = reasons(idp, &holder, "sign_in_refused");
    assert!(after.windows(2).all(|pair| pair != ["throttled", "throttled"]), "{after:?}");
}

#[tokio::test]
async fn n_19_and_lg_04_the_owner_on_a_known_device_signs_in_during_the_attack() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let owner = idp.visitor();
    idp.authorize(&owner, &Ask::of(&client), &holder).await;
    super::logout::sign_out(&owner).await;
    for _ in 0..12 {
        let stranger = idp.visitor();
        guess(idp, &stranger, &Ask::of(&client), &holder.number, "wrong password").await;
        // The stranger is stopped, the owner is not: the same moment, the same right password.
        let answer =
            guess(idp, &owner, &Ask::of(&client).with("prompt", "login"), &holder.number, &holder.password).await;
        assert!(answer.returned().is_some(), "{}", answer.page().text);
    }
}

#[tokio::test]
async fn a_stolen_device_cookie_of_another_holder_helps_nobody() {
    let idp = Sandbox::shared();
    let (client, attacker) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&client), &attacker).await;
    super::logout::sign_out(&visitor).await;
    let stolen = visitor.cookies();
    assert!(stolen.keys().any(|name| name.contains("device")), "{:?}", stolen.keys());
    let come = || {
        let thief = idp.visitor();
        thief.set_cookies(stolen.clone());
        thief
    };
    let (_, answer) = right_within_the_brake(idp, || idp.visitor(), come).await;
    assert!(answer.returned().is_none(), "a device known to another holder is a stranger here");
}

#[tokio::test]
async fn lg_05_forwarded_addresses_of_strangers_change_nothing() {
    let idp = Sandbox::shared();
    let count = Cell::new(0);
    let come = || {
        let n = count.replace(count.get() + 1);
        let junk = if n % 4 == 3 { ", not-an-address" } else { "" };
        idp.visitor().with_header("x-forwarded-for", &format!("203.0.113.{n}{junk}"))
    };
    let (_, answer) = right_within_the_brake(idp, come, come).await;
    assert!(answer.returned().is_none());
}

#[tokio::test]
async fn lg_07_passwords_are_exact_after_one_normalisation() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let composed = format!("Mật khẩu Việt 😀 {}", "x".repeat(48));
    let account = json!({"level": 1, "state": "activated", "password": composed});
    let holder = idp.holder(1, json!({"account": account}));
    let tries = |password: String| {
        let (client, holder) = (client.clone(), holder.clone());
        async move {
            let visitor = Sandbox::shared().visitor();
            let answer = guess(idp, &visitor, &Ask::of(&client), &holder.number, &password).await;
            tokio::time::sleep(Duration::from_millis(3100)).await;
            answer
        }
    };
    assert!(tries(composed.clone()).await.returned().is_some(), "64 characters work");
    let decomposed =
        composed.replace('ậ', "a\u{302}\u{323}").replace('ẩ', "a\u{302}\u{309}").replace('ệ', "e\u{302}\u{323}");
    assert_ne!(decomposed, composed);
    assert!(tries(decomposed).await.returned().is_some(), "NFD is the same password");
    assert!(tries(format!("{composed} ")).await.returned().is_none(), "a trailing space counts");
    for long in ["p".repeat(4097), "p".repeat(1_000_000)] {
        let visitor = idp.visitor();
        let at = visitor.open(&Ask::of(&client).target()).await;
        let answer = visitor.submit_once(&at, &sign_in_form(&at, &holder.number, &long), &[]).await;
        assert!(answer.returned().is_none() && matches!(answer.status, 200 | 303 | 400 | 413), "{}", answer.status);
    }
    assert_eq!(idp.trail_count(&holder, "sign_in_refused"), 1, "refused before it is hashed, not counted as a guess");
}

/// A visitor at the `otp` page.
async fn at_otp(idp: &Sandbox, holder: &Holder) -> (Visitor, Answer) {
    let client = idp.client(json!({"vn_min_auth_level": 2}));
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).target()).await;
    let at = idp.sign_in(&visitor, &at, holder).await;
    assert_eq!(at.page().name(), "otp", "{}", at.page().text);
    (visitor, at)
}

async fn enter(visitor: &Visitor, at: &Answer, otp: &str) -> Answer {
    visitor.submit(at, &at.page().press("submit", &[("otp", otp)], &[])).await
}

fn other_than(otp: &str, n: u32) -> String {
    let number = (otp.parse::<u32>().unwrap() + 1 + n) % 1_000_000;
    format!("{number:06}")
}

#[tokio::test]
async fn otp_00_control_once_and_only_once() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, at) = at_otp(idp, &holder).await;
    let otp = idp.otp(&holder.phone).await;
    assert!(enter(&visitor, &at, &otp).await.returned().is_some());
    let again = enter(&visitor, &at, &otp).await;
    assert!(again.returned().is_none_or(|returned| returned.get("code").is_none()), "spent");
}

#[tokio::test]
async fn lg_10_the_eleventh_guess_is_never_evaluated() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, at) = at_otp(idp, &holder).await;
    let otp = idp.otp(&holder.phone).await;
    for n in 0..10 {
        assert!(enter(&visitor, &at, &other_than(&otp, n)).await.returned().is_none());
    }
    for _ in 0..5 {
        assert!(enter(&visitor, &at, &otp).await.returned().is_none(), "the code is dead");
    }
    let told = reasons(idp, &holder, "otp_refused");
    assert_eq!(told.len(), 11, "ten evaluated, one event for all that were stopped: {told:?}");
    assert_eq!(told.last().map(String::as_str), Some("throttled"));
    // LG-11: the count belongs to account and purpose, so a new code resets nothing.
    let (visitor, at) = {
        let client = idp.client(json!({"vn_min_auth_level": 2}));
        let visitor = idp.visitor();
        let at = visitor.open(&Ask::of(&client).target()).await;
        let at = idp.sign_in(&visitor, &at, &holder).await;
        (visitor, at)
    };
    if at.page().name() == "otp" {
        let newest = idp.otp(&holder.phone).await;
        assert!(enter(&visitor, &at, &newest).await.returned().is_none(), "ten minutes' wait");
    }
}

#[tokio::test]
async fn lg_13_a_code_is_bound_to_its_interaction_and_holder() {
    let idp = Sandbox::shared();
    let (one, two) = (idp.citizen(), idp.citizen());
    let (first, at_first) = at_otp(idp, &one).await;
    let of_first = idp.otp(&one.phone).await;
    let (second, at_second) = at_otp(idp, &one).await;
    let of_second = idp.otp(&one.phone).await;
    let (other, at_other) = at_otp(idp, &two).await;
    if of_first != of_second {
        assert!(enter(&second, &at_second, &of_first).await.returned().is_none());
        assert!(enter(&other, &at_other, &of_second).await.returned().is_none());
    }
    assert!(enter(&first, &at_first, &of_first).await.returned().is_some());
    assert!(enter(&second, &at_second, &of_second).await.returned().is_some());
}

#[tokio::test]
async fn one_code_is_sent_when_the_page_first_shows_and_again_only_by_resend() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, at) = at_otp(idp, &holder).await;
    visitor.get(at.url.as_str()).await;
    visitor.get(at.url.as_str()).await;
    assert_eq!(idp.messages(&holder.phone).await.len(), 1, "reloading sends nothing");
    let old = idp.otp(&holder.phone).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let at = visitor.submit(&at, &at.page().press("resend", &[], &[])).await;
    assert_eq!((at.page().name(), idp.messages(&holder.phone).await.len()), ("otp", 2));
    let new = idp.otp(&holder.phone).await;
    if old != new {
        assert!(enter(&visitor, &at, &old).await.returned().is_none(), "the earlier code is replaced");
    }
    assert!(enter(&visitor, &at, &new).await.returned().is_some());
}

#[tokio::test]
async fn the_phone_lists_messages_of_one_second_newest_first() {
    let idp = Sandbox::shared();
    for _ in 0..5 {
        let holder = idp.citizen();
        at_otp(idp, &holder).await;
        let (visitor, at) = at_otp(idp, &holder).await;
        let newest = idp.otp(&holder.phone).await;
        assert!(enter(&visitor, &at, &newest).await.returned().is_some(), "the first in the list is the newest");
    }
}

#[tokio::test]
async fn contract_2_each_interaction_sends_its_code_however_soon_the_next_one_comes() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for sent in 1..=5 {
        let (visitor, at) = at_otp(idp, &holder).await;
        assert_eq!(idp.messages(&holder.phone).await.len(), sent);
        let newest = idp.otp(&holder.phone).await;
        assert!(enter(&visitor, &at, &newest).await.returned().is_some());
    }
}

#[tokio::test]
async fn n_20_sends_are_bounded() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, mut at) = at_otp(idp, &holder).await;
    for _ in 0..40 {
        if !at.page().has("resend") {
            break;
        }
        at = visitor.submit(&at, &at.page().press("resend", &[], &[])).await;
    }
    let sent = idp.messages(&holder.phone).await.len();
    assert!(sent < 40, "{sent} messages to one phone");
}

/// A provider with such limits, and the `otp` page of a citizen of it after each of three presses of «send again».
async fn pressed_thrice(limits: &str) -> Vec<Answer> {
    let idp = Provider::plain(port::one(), &format!("[limits]\n{limits}\notp_sends_per_quarter_hour = 50\n"));
    let client = idp.public(json!({"vn_min_auth_level": 2}));
    let (record, holder) = record(1, json!({}));
    idp.import(&record);
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).target()).await;
    let mut at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    let mut pages = Vec::new();
    for _ in 0..3 {
        at = visitor.submit(&at, &at.page().press("resend", &[], &[])).await;
        pages.push(at.clone());
    }
    pages
}

#[tokio::test]
async fn n_20_the_burst_is_what_the_configuration_says() {
    let refused = |pages: Vec<Answer>| pages.iter().filter(|at| at.page().text.contains("Đã gửi nhiều mã")).count();
    assert_eq!(refused(pressed_thrice("otp_sends_per_10_seconds = 9").await), 0);
    assert!(refused(pressed_thrice("otp_sends_per_10_seconds = 1").await) > 0);
}

#[tokio::test]
async fn lg_16_the_text_names_service_and_purpose_without_a_link() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    at_otp(idp, &holder).await;
    let text = idp.messages(&holder.phone).await.remove(0);
    let otp = idp.otp(&holder.phone).await;
    assert!(text.is_ascii(), "unaccented, one encoding on every phone: {text}");
    assert!(!text.contains("http") && !text.contains("www."), "{text}");
    assert!(
        text.lines().last().unwrap().ends_with(&format!("#{otp}")) && text.lines().last().unwrap().starts_with('@')
    );
    assert!(!text.contains(&holder.number) && !text.contains(&holder.name));
}
