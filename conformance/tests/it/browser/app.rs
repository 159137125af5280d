//! Journey 3: signing in by QR code across two browsers, the screen and the phone; and binding the app to a phone.

use thirtyfour::prelude::*;

use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const NATIONAL: u16 = 2;
const PHONE: u16 = 4;

async fn payload(screen: &Screen, id: &str) -> String {
    loop {
        if let Ok(Some(payload)) = screen.find(id).await.attr("data-payload").await {
            return payload;
        }
    }
}

/// The number on the screen. Without scripts the page reloads now and then: what was found may be gone already.
async fn number(screen: &Screen) -> String {
    loop {
        if let Ok(number) = screen.find("qr-number").await.text().await {
            return number;
        }
    }
}

/// The page opens itself anew when it hears that the code was scanned, and stays from then on.
async fn told_of_the_scan(screen: &Screen) {
    loop {
        let news = screen.find("news").await;
        if news.attr("data-stage").await.is_ok_and(|stage| stage.as_deref() == Some("scanned")) {
            return;
        }
    }
}

/// The app of a seeded holder, open on the phone.
async fn app_of(phone: &Screen, idp: &Sandbox, holder: &Holder) {
    phone.goto(&format!("{}/app?of={}", idp.neighbour(PHONE), holder.phone.replace('+', "%2B"))).await;
    phone.find("of").await;
}

async fn scan(phone: &Screen, idp: &Sandbox, holder: &Holder, payload: &str) {
    app_of(phone, idp, holder).await;
    phone.fill("payload", payload).await;
    phone.click("scan").await;
    phone.find("asked").await;
    phone.manners().await;
}

/// Portal, QR code, number, approval, and the form fills itself in the browser that began.
async fn by_qr(language: &'static str, script: bool) {
    let (idp, an) = (Sandbox::shared(), Holder::seeded(holder::AN));
    let screen = Screen::open(View { language, script, width: 1280 }, "journey-3-screen").await;
    let phone = Screen::open(View { language, script, width: 360 }, "journey-3-phone").await;
    screen.goto(&idp.neighbour(NATIONAL)).await;
    screen.click("sign-in").await;
    screen.arrives_at("sign-in").await;
    screen.click("use-qr").await;
    // A page that reloads by itself does not sit still for a picture.
    if script {
        screen.arrives_at("qr").await;
    }
    screen.find("qr").await;

    // Declined on the phone: the screen says so and offers another code.
    scan(&phone, idp, &an, &payload(&screen, "qr").await).await;
    phone.shot("asked").await;
    let asked = phone.find("asked").await.text().await.unwrap();
    let portal = if language == "vi" { "Cổng Dịch vụ công" } else { "Portal" };
    assert!(asked.contains(portal) && asked.contains("Chrome"), "{asked}");
    phone.click("decline").await;
    phone.find("done").await;
    screen.find("over").await;
    screen.shot("declined").await;
    screen.click("reload").await;
    screen.find("qr").await;

    // A wrong number first, then the one on the screen.
    scan(&phone, idp, &an, &payload(&screen, "qr").await).await;
    told_of_the_scan(&screen).await;
    if script {
        screen.shot("scanned").await;
    }
    let number = number(&screen).await;
    phone.fill("number", if number == "00" { "01" } else { "00" }).await;
    phone.click("passcode").await;
    phone.click("approve").await;
    phone.find("problem").await;
    phone.shot("wrong-number").await;
    phone.fill("number", &number).await;
    phone.click("passcode").await;
    phone.click("face").await;
    phone.click("approve").await;
    phone.find("done").await;
    phone.manners().await;
    phone.shot("approved").await;
    // The screen goes on by itself, with scripts or without, and nothing was typed on it.
    if screen.either(&["allow", "claims"]).await == "allow" {
        screen.click("allow").await;
    }
    screen.find("claims").await;
    screen.shot("signed-in").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("identity").await;
    assert!(screen.text().await.contains("VNeID"), "the session says how it was opened");
    phone.close().await;
    screen.close().await;
}

#[tokio::test]
async fn journey_3_across_two_browsers_in_both_languages_with_and_without_scripts() {
    for (language, script) in [("vi", true), ("vi", false), ("en", true), ("en", false)] {
        by_qr(language, script).await;
    }
}

#[tokio::test]
async fn the_app_is_bound_to_a_phone_by_its_holder() {
    let (idp, binh) = (Sandbox::shared(), Holder::seeded(holder::BINH));
    for (language, width) in [("vi", 320), ("en", 1280)] {
        let screen = Screen::open(View { language, script: false, width }, "app-binding").await;
        let phone = Screen::open(View { language, script: false, width: 360 }, "app-binding-phone").await;
        screen.goto(&format!("{}/app", idp.issuer)).await;
        screen.sign_in(&binh).await;
        screen.arrives_at("app").await;
        if screen.has("replace").await {
            screen.click("replace").await;
        }
        screen.click("bind").await;
        screen.find("otp").await;
        screen.manners().await;
        screen.shot("otp").await;
        screen.fill("otp", &idp.otp(&binh.phone).await).await;
        screen.click("submit").await;
        let code = payload(&screen, "binding").await;
        screen.manners().await;
        screen.shot("code").await;
        app_of(&phone, idp, &binh).await;
        if !phone.find("code").await.is_displayed().await.unwrap() {
            phone.driver.find(By::Tag("summary")).await.unwrap().click().await.unwrap();
        }
        phone.shot("bind").await;
        phone.fill("code", &code).await;
        phone.click("bind").await;
        phone.find("done").await;
        phone.manners().await;
        phone.shot("bound").await;
        screen.click("back").await;
        screen.arrives_at("identity").await;
        screen.click("manage-app").await;
        screen.find("remove").await;
        screen.arrives_at("app").await;
        screen.goto(&format!("{}/end-session", idp.issuer)).await;
        phone.close().await;
        screen.close().await;
    }
}

#[tokio::test]
async fn the_page_with_the_code_fits_320_pixels_in_both_languages() {
    let idp = Sandbox::shared();
    for language in ["vi", "en"] {
        let screen = Screen::open(View { language, script: true, width: 320 }, "qr-narrow").await;
        screen.goto(&format!("{}/identity", idp.issuer)).await;
        screen.arrives_at("sign-in").await;
        screen.click("use-qr").await;
        screen.arrives_at("qr").await;
        screen.close().await;
    }
}
