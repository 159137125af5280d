//! Sign-in through another provider and linking, in a real browser: the pages a person meets on the way.

use serde_json::json;

use crate::support::abroad::Abroad;
use crate::support::holder::{AN, Holder};
use crate::support::op::Manner;
use crate::support::webdriver::{Screen, View, views};

const NATIONAL: u16 = 2;

/// To the other provider, which sends the browser straight back: whoever it expects is the next to come, so no other
/// test may use it meanwhile.
async fn there_and_back(abroad: &Abroad, screen: &Screen, sub: &str) {
    abroad.one.expect(Manner { claims: json!({"acr": "two"}), ..Manner::of(sub) });
    screen.click("upstream-one").await;
}

async fn journey(abroad: &Abroad, view: View) {
    let idp = &abroad.sandbox;
    let (holder, sub) = (idp.citizen(), crate::support::fresh());
    let screen = Screen::open(view, "upstream").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("sign-in").await;
    screen.manners().await;
    screen.shot("sign-in").await;
    screen.click("upstream-old-portal").await;
    screen.arrives_at("upstream").await;
    screen.manners().await;
    screen.shot("ended").await;
    screen.click("other-way").await;
    screen.arrives_at("sign-in").await;
    there_and_back(abroad, &screen, &sub).await;
    screen.arrives_at("link").await;
    screen.manners().await;
    screen.shot("prove").await;
    screen.fill("person_number", &holder.number).await;
    screen.fill("password", &holder.password).await;
    screen.click("submit").await;
    screen.find("otp").await;
    screen.manners().await;
    screen.shot("code").await;
    screen.fill("otp", &idp.otp(&holder.phone).await).await;
    screen.click("submit").await;
    screen.arrives_at("identity").await;
    screen.find("links").await;
    screen.manners().await;
    screen.shot("linked").await;
    screen.close().await;

    // Another browser: no password any more.
    let screen = Screen::open(view, "upstream-again").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("sign-in").await;
    there_and_back(abroad, &screen, &sub).await;
    screen.arrives_at("identity").await;
    assert!(screen.text().await.contains(&holder.name));
    screen.close().await;
}

/// The national portal's own old accounts (`domain.md` 2.5).
async fn old_account(view: View, number: (&str, &str), state: &str) {
    let idp = &Abroad::shared().sandbox;
    let screen = Screen::open(view, "portal-account").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.sign_in(&Holder::seeded(number)).await;
    if screen.either(&["allow", "my-account"]).await == "allow" {
        screen.click("allow").await;
    }
    screen.click("my-account").await;
    let shown = screen.find("link-state").await.attr("data-state").await.unwrap().unwrap_or_default();
    assert_eq!(shown, state);
    screen.manners().await;
    screen.shot(state).await;
    if state == "linkable_verified_match" {
        screen.fill("old_password", "CongCu#2020").await;
        screen.click("link-account").await;
        screen.find("dossiers").await;
        screen.shot("linked").await;
    }
    screen.close().await;
}

#[tokio::test]
async fn linking_in_vietnamese() {
    let abroad = Abroad::open();
    for view in views().into_iter().filter(|view| view.language == "vi") {
        journey(&abroad, view).await;
    }
}

#[tokio::test]
async fn linking_in_english() {
    let abroad = Abroad::open();
    for view in views().into_iter().filter(|view| view.language == "en") {
        journey(&abroad, view).await;
    }
}

#[tokio::test]
async fn the_portals_own_old_account_is_linked_once() {
    let view = |index: usize| views().into_iter().nth(index).unwrap();
    old_account(view(0), AN, "linkable_verified_match").await;
    old_account(view(1), AN, "linked").await;
}
