//! Journey 9: a child of ten signs in, the guardian confirms, the portal learns of both.

use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const NATIONAL: u16 = 2;

async fn journey_9(view: View) {
    let idp = Sandbox::shared();
    let (guardian, child) = idp.family();
    let screen = Screen::open(view, "journey-9").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.manners().await;
    screen.shot("sign-in").await;
    screen.sign_in(&child).await;
    screen.arrives_at("guardian").await;
    // The guardian on a device of their own.
    let parent = Screen::open(view, "journey-9").await;
    parent.goto(&format!("{}/identity", idp.issuer)).await;
    parent.sign_in(&guardian).await;
    parent.arrives_at("identity").await;
    assert!(parent.find("confirmations").await.text().await.unwrap().contains(&child.name));
    parent.manners().await;
    parent.shot("asked").await;
    let button = request(&parent).await;
    parent.click(&button).await;
    parent.enter_otp(idp, &guardian).await;
    parent.arrives_at("identity").await;
    parent.click(&button).await;
    parent.gone(&button).await;
    parent.manners().await;
    parent.shot("agreed").await;
    parent.close().await;
    // The waiting page goes on by itself, without a script.
    screen.arrives_at("consent").await;
    assert!(screen.text().await.contains(&child.name));
    screen.shot("consent").await;
    screen.click("allow").await;
    let claims = screen.find("claims").await.text().await.unwrap();
    assert!(claims.contains(&child.name) && claims.contains("\"act\""), "{claims}");
    screen.shot("portal").await;
    screen.close().await;

    // The same on one browser.
    let screen = Screen::open(view, "journey-9").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.sign_in(&child).await;
    screen.arrives_at("guardian").await;
    screen.click("guardian-here").await;
    screen.arrives_at("sign-in").await;
    screen.sign_in(&guardian).await;
    screen.arrives_at("represent").await;
    screen.manners().await;
    screen.shot("represent").await;
    screen.click("for-1").await;
    screen.enter_otp(idp, &guardian).await;
    let claims = screen.find("claims").await.text().await.unwrap();
    assert!(claims.contains(&child.name) && claims.contains("\"act\""), "{claims}");
    screen.close().await;
}

/// The button of the request that waits.
async fn request(screen: &Screen) -> String {
    let source = screen.driver.source().await.unwrap();
    let page = crate::support::page::Page::parse(&source);
    let ids = page.elements.iter().filter_map(|element| element.attribute("id"));
    let found = ids.filter(|id| id.starts_with("confirm-")).map(str::to_owned).next();
    found.expect("a request waits")
}

#[tokio::test]
async fn journey_9_a_child_and_its_guardian_in_vietnamese() {
    for (width, script) in [(320, false), (1280, true)] {
        journey_9(View { language: "vi", script, width }).await;
    }
}

#[tokio::test]
async fn journey_9_a_child_and_its_guardian_in_english() {
    for (width, script) in [(320, true), (1280, false)] {
        journey_9(View { language: "en", script, width }).await;
    }
}
