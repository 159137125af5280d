//! Journeys 1 and 2: sign in at one portal, then at another, asked only for what is missing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View, views};

const NATIONAL: u16 = 2;
const MINISTRY: u16 = 3;

/// A citizen with the papers both portals ask for.
fn citizen(idp: &Sandbox) -> Holder {
    idp.holder(
        2,
        json!({"claims": {
            "family_name": "Đoàn",
            "given_name": "Hương",
            "address": {"formatted": "Số 7 phố Thử Nghiệm, Hà Nội", "country": "VN"},
            "vn_current_address": {"formatted": "Số 9 phố Thử Nghiệm, Hà Nội", "country": "VN"},
            "vn_bhxh": "0123456789",
        }}),
    )
}

/// The JSON the portal shows as received.
async fn received(screen: &Screen) -> Value {
    let shown = screen.find("claims").await.text().await.unwrap();
    let start = shown.find('{').unwrap_or_else(|| panic!("no JSON in #claims: {shown}"));
    let mut values = serde_json::Deserializer::from_str(&shown[start..]).into_iter::<Value>();
    values.next().expect("JSON in #claims").unwrap_or_else(|error| panic!("{error}: {shown}"))
}

/// Every `sub` in what a portal received.
fn subs(received: &Value) -> BTreeSet<String> {
    match received {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(sub) if name == "sub" => BTreeSet::from([sub.clone()]),
                other => subs(other),
            })
            .collect(),
        _ => BTreeSet::new(),
    }
}

fn holds(received: &Value, text: &str) -> bool {
    received.to_string().contains(text)
}

async fn tick_all(screen: &Screen) {
    for claim in screen.driver.find_all(By::Css("input[type=checkbox][name=claim]")).await.unwrap() {
        claim.scroll_into_view().await.ok();
        claim.click().await.unwrap();
    }
}

async fn both_portals(idp: &Sandbox, view: View, holder: &Holder) {
    let screen = Screen::open(view, "journey-1-2").await;
    // Journey 1: portal, number and password, consent, pre-filled form.
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.find("sign-in").await;
    screen.manners().await;
    screen.shot("portal").await;
    screen.click("sign-in").await;
    screen.sign_in(holder).await;
    screen.arrives_at("consent").await;
    assert!(screen.text().await.contains(&holder.name), "values are previewed");
    tick_all(&screen).await;
    screen.click("allow").await;
    let seen = received(&screen).await;
    assert!(holds(&seen, &holder.name) && holds(&seen, &holder.number), "{seen}");
    screen.manners().await;
    screen.shot("portal-form").await;

    // Journey 2: the second portal asks for no password, only for the second factor and for what is new.
    screen.goto(&idp.neighbour(MINISTRY)).await;
    screen.click("sign-in").await;
    screen.enter_otp(idp, holder).await;
    screen.arrives_at("consent").await;
    screen.click("allow").await;
    let other = received(&screen).await;
    assert!(holds(&other, &holder.name), "{other}");
    screen.shot("second-portal").await;
    let (one, two) = (subs(&seen), subs(&other));
    assert!(!one.is_empty() && one.is_disjoint(&two), "two portals cannot join a citizen: {one:?} {two:?}");

    // The level-2 service of the first portal: the session has the level now, only new claims are asked.
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("dossier").await;
    screen.arrives_at("consent").await;
    assert!(!screen.has("claim-birthdate").await, "what was answered is not asked again");
    tick_all(&screen).await;
    screen.click("allow").await;
    let dossier = received(&screen).await;
    assert!(holds(&dossier, "vn_current_address"), "{dossier}");
    screen.shot("dossier").await;
    screen.close().await;
}

#[tokio::test]
async fn journeys_1_and_2_in_vietnamese() {
    for view in views().into_iter().filter(|view| view.language == "vi") {
        both_portals(Sandbox::shared(), view, &citizen(Sandbox::shared())).await;
    }
}

#[tokio::test]
async fn journeys_1_and_2_in_english() {
    for view in views().into_iter().filter(|view| view.language == "en") {
        both_portals(Sandbox::shared(), view, &citizen(Sandbox::shared())).await;
    }
}

#[tokio::test]
async fn the_first_seeded_holder_signs_in_at_both_portals() {
    let view = View { language: "vi", script: true, width: 1280 };
    // A sandbox of its own: what other journeys had this holder allow is not asked again.
    both_portals(&Sandbox::fresh(), view, &Holder::seeded(holder::AN)).await;
}

#[tokio::test]
async fn a_level_two_service_steps_up_without_a_second_password() {
    let idp = Sandbox::shared();
    let holder = citizen(idp);
    let screen = Screen::open(View { language: "vi", script: false, width: 360 }, "journey-2-step-up").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.sign_in(&holder).await;
    screen.arrives_at("consent").await;
    screen.click("allow").await;
    screen.find("claims").await;
    screen.click("dossier").await;
    screen.enter_otp(idp, &holder).await;
    screen.arrives_at("consent").await;
    screen.click("allow").await;
    screen.find("claims").await;
    screen.close().await;
}

#[tokio::test]
async fn the_console_opens_for_an_operator_and_shows_clients_and_accounts() {
    let idp = Sandbox::shared();
    let officer = Holder::seeded(holder::EM);
    let screen = Screen::open(View { language: "vi", script: true, width: 1280 }, "console").await;
    screen.goto(&idp.neighbour(1)).await;
    if screen.has("sign-in").await {
        screen.click("sign-in").await;
    }
    screen.sign_in(&officer).await;
    screen.enter_otp(idp, &officer).await;
    screen.arrives_at("console").await;
    let text = screen.text().await;
    screen.shot("first-screen").await;
    assert!(
        text.contains("national-portal") || screen.driver.source().await.unwrap().contains("national-portal"),
        "{text}"
    );
    screen.close().await;
}
