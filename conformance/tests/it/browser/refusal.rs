//! Journey 8: refusal is a real outcome.

use serde_json::json;

use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View, views};

const NATIONAL: u16 = 2;
const MINISTRY: u16 = 3;

async fn at_national_consent(idp: &Sandbox, screen: &Screen, holder: &Holder) {
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.sign_in(holder).await;
    screen.arrives_at("consent").await;
}

/// Ticks nothing and goes on; refuses everything and the portal is told so; a level out of reach is explained.
async fn refusals(view: View) {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let screen = Screen::open(view, "journey-8").await;
    at_national_consent(idp, &screen, &holder).await;
    screen.click("deny").await;
    screen.find("sign-in").await;
    assert!(screen.text().await.contains("access_denied"), "{}", screen.text().await);
    screen.shot("denied").await;

    screen.click("sign-in").await;
    screen.arrives_at("consent").await;
    screen.click("allow").await;
    let shown = screen.find("claims").await.text().await.unwrap();
    assert!(shown.contains(&holder.name) && !shown.contains("1990-04-30"), "only what the purpose requires: {shown}");
    screen.shot("nothing-ticked").await;
    screen.close().await;

    let screen = Screen::open(view, "journey-8-level").await;
    let beginner = idp.holder(1, json!({"claims": {"family_name": "Đoàn", "given_name": "Hương"}}));
    screen.goto(&idp.neighbour(MINISTRY)).await;
    screen.click("sign-in").await;
    screen.sign_in(&beginner).await;
    screen.arrives_at("level").await;
    let office = if view.language == "vi" { "công an" } else { "police" };
    let text = screen.text().await;
    assert!(text.to_lowercase().contains(office), "which office does what: {text}");
    screen.click("back-to-client").await;
    screen.find("sign-in").await;
    assert!(screen.text().await.contains("unmet_authentication_requirements"), "{}", screen.text().await);
    screen.shot("told").await;
    screen.close().await;
}

#[tokio::test]
async fn journey_8_in_vietnamese() {
    for view in views().into_iter().filter(|view| view.language == "vi") {
        refusals(view).await;
    }
}

#[tokio::test]
async fn journey_8_in_english() {
    for view in views().into_iter().filter(|view| view.language == "en") {
        refusals(view).await;
    }
}

#[tokio::test]
async fn the_seeded_locked_holder_gets_the_locked_page() {
    let idp = Sandbox::shared();
    let screen = Screen::open(View { language: "vi", script: true, width: 360 }, "locked").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.sign_in(&Holder::seeded(holder::CUONG)).await;
    screen.arrives_at("locked").await;
    screen.click("back-to-client").await;
    screen.find("sign-in").await;
    let text = screen.text().await;
    assert!(text.contains("access_denied") && !text.to_lowercase().contains("khóa"), "a portal learns nothing: {text}");
    screen.close().await;
}
