//! Journey 4: a passkey made after sign-in, then a sign-in without number and password; an authenticator app set up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::By;

use crate::support::holder::Holder;
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const NATIONAL: u16 = 2;

/// A device of the browser's own that unlocks itself when asked.
async fn device(screen: &Screen, presence: bool) -> String {
    let browser = screen.driver.cdp();
    browser.send_raw("WebAuthn.enable", json!({"enableUI": false})).await.unwrap();
    let options = json!({
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": presence,
    });
    let made = browser.send_raw("WebAuthn.addVirtualAuthenticator", json!({"options": options})).await.unwrap();
    made["authenticatorId"].as_str().unwrap().to_owned()
}

async fn credentials(screen: &Screen, device: &str) -> Vec<Value> {
    let asked = json!({"authenticatorId": device});
    let kept = screen.driver.cdp().send_raw("WebAuthn.getCredentials", asked).await.unwrap();
    kept["credentials"].as_array().unwrap().clone()
}

async fn journey_4(view: View) {
    let idp = Sandbox::shared();
    let holder: Holder = idp.citizen();
    let screen = Screen::open(view, "journey-4").await;
    let device = device(&screen, true).await;
    let lang = if view.language == "en" { "?lang=en" } else { "" };
    screen.goto(&format!("{}/identity{lang}", idp.issuer)).await;
    screen.sign_in(&holder).await;
    screen.arrives_at("identity").await;
    screen.click("add-passkey").await;
    // A password alone makes no second factor of one's own.
    screen.enter_otp(idp, &holder).await;
    screen.arrives_at("new-passkey").await;
    screen.fill("label", "Máy của Hương").await;
    screen.click("create-passkey").await;
    screen.arrives_at("identity").await;
    assert!(screen.text().await.contains("Máy của Hương"), "{}", screen.text().await);
    let kept = credentials(&screen, &device).await;
    assert_eq!((kept.len(), &kept[0]["isResidentCredential"]), (1, &json!(true)));
    // The same device again: it says itself that it has one.
    screen.click("add-passkey").await;
    screen.arrives_at("new-passkey").await;
    screen.click("create-passkey").await;
    let known = screen.find("passkey-known").await;
    let end = Instant::now() + Duration::from_secs(20);
    while !known.is_displayed().await.unwrap() {
        assert!(Instant::now() < end, "{}", screen.text().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    screen.shot("known").await;
    screen.click("back").await;
    screen.arrives_at("identity").await;
    screen.click("add-totp").await;
    screen.arrives_at("new-totp").await;
    screen.click("back").await;
    screen.arrives_at("identity").await;
    screen.click("sign-out").await;
    screen.arrives_at("sign-out").await;
    screen.click("confirm").await;
    screen.arrives_at("signed-out").await;

    // Without number and password: chosen in the number's field, or by the button.
    let before = idp.messages(&holder.phone).await.len();
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("dossier").await;
    let (begun, mut pressed) = (Instant::now(), false);
    while screen.page_name().await != "consent" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", screen.text().await);
        if !pressed && begun.elapsed() > Duration::from_secs(3) && screen.has("use-passkey").await {
            let button = screen.driver.find(By::Id("use-passkey")).await;
            pressed = async { button?.click().await }.await.is_ok();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("conditional UI answered by itself: {}", !pressed);
    screen.arrives_at("consent").await;
    assert!(screen.text().await.contains(&holder.name));
    assert_eq!(idp.messages(&holder.phone).await.len(), before, "level 2 took no message");
    screen.close().await;
}

#[tokio::test]
async fn journey_4_in_vietnamese() {
    for width in [320, 1280] {
        journey_4(View { language: "vi", script: true, width }).await;
    }
}

#[tokio::test]
async fn journey_4_in_english() {
    for width in [320, 1280] {
        journey_4(View { language: "en", script: true, width }).await;
    }
}

#[tokio::test]
async fn a_browser_without_passkeys_shows_a_whole_page() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let screen = Screen::open(View { language: "vi", script: false, width: 320 }, "journey-4-without").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("sign-in").await;
    assert!(!screen.find("use-passkey").await.is_displayed().await.unwrap());
    screen.sign_in(&holder).await;
    screen.arrives_at("identity").await;
    screen.click("add-passkey").await;
    screen.enter_otp(idp, &holder).await;
    screen.arrives_at("new-passkey").await;
    assert!(screen.find("passkey-missing").await.is_displayed().await.unwrap(), "it says why there is no button");
    screen.close().await;
}

/// A challenge waits in the number's field until the holder does something.
#[tokio::test]
async fn a_challenge_that_waits_does_not_hinder_a_password() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let screen = Screen::open(View { language: "vi", script: true, width: 1280 }, "journey-4-password").await;
    device(&screen, false).await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.sign_in(&holder).await;
    screen.arrives_at("identity").await;
    screen.close().await;
}
