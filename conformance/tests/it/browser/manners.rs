//! `product.md` Manners: readable at 320 px, in both languages, with the keyboard alone.

use thirtyfour::Key;

use crate::support::ask::Ask;
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

#[tokio::test]
async fn pages_fit_320_pixels_in_both_languages() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for language in ["vi", "en"] {
        let holder = idp.citizen();
        let screen = Screen::open(View { language, script: false, width: 320 }, "narrow").await;
        let ask = Ask::of(&client)
            .scope("openid profile email phone address vn_identity")
            .with("acr_values", "urn:vn:eid:muc:2");
        screen.goto(&format!("{}{}", idp.issuer, ask.target())).await;
        screen.sign_in(&holder).await;
        screen.enter_otp(idp, &holder).await;
        screen.arrives_at("consent").await;
        screen.goto(&format!("{}/authorize?client_id=nobody", idp.issuer)).await;
        screen.arrives_at("error").await;
        for page in ["/", "/end-session"] {
            screen.goto(&format!("{}{page}", idp.issuer)).await;
            screen.manners().await;
            screen.shot("page").await;
        }
        screen.close().await;
    }
}

#[tokio::test]
async fn sign_in_needs_the_keyboard_only() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let screen = Screen::open(View { language: "vi", script: true, width: 1280 }, "keyboard").await;
    screen.goto(&format!("{}{}", idp.issuer, Ask::of(&client).scope("openid profile").target())).await;
    screen.arrives_at("sign-in").await;
    screen.fill("person_number", &holder.number).await;
    let password = screen.find("password").await;
    password.send_keys(holder.password.as_str()).await.unwrap();
    password.send_keys(Key::Enter + "").await.unwrap();
    screen.arrives_at("consent").await;
    screen.close().await;
}

#[tokio::test]
async fn the_holders_own_pages_fit_a_phone_in_both_languages() {
    let idp = Sandbox::shared();
    for (language, width) in [("vi", 320), ("vi", 360), ("en", 320), ("en", 360), ("en", 1280)] {
        let holder = idp.citizen();
        let screen = Screen::open(View { language, script: false, width }, "own-pages").await;
        // Two portals, so that there is something to withdraw, to read about and to sign out of.
        for portal in [2, 3] {
            screen.goto(&idp.neighbour(portal)).await;
            screen.click("sign-in").await;
            if portal == 2 {
                screen.sign_in(&holder).await;
            } else {
                screen.enter_otp(idp, &holder).await;
            }
            screen.arrives_at("consent").await;
            screen.click("allow").await;
            screen.find("claims").await;
        }
        screen.goto(&format!("{}/identity", idp.issuer)).await;
        screen.arrives_at("identity").await;
        screen.click("sign-out").await;
        screen.arrives_at("sign-out").await;
        screen.goto(&format!("{}/identity", idp.issuer)).await;
        screen.click("withdraw-national-portal").await;
        screen.gone("withdraw-national-portal").await;
        screen.find("withdraw-social-security").await;
        screen.manners().await;
        screen.shot("withdrawn").await;
        screen.goto(&format!("{}/end-session", idp.issuer)).await;
        screen.click("confirm").await;
        screen.arrives_at("signed-out").await;
        screen.close().await;
    }
}
