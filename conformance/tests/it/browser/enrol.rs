//! Journey 5, its first half: a person of the registers registers, activates the account and signs in.

use std::time::{Duration, Instant};

use crate::support::holder::{Holder, first_six_digits};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

/// Whom the sample population register holds and no account has.
const MAI: [&str; 3] = ["099198000009", "Ngô Thị Mai", "12/03/1998"];
/// Whom it holds, too young to ask alone.
const CHILD: [&str; 3] = ["099314000012", "Đỗ Gia Hân", "02/09/2014"];
const PHONE: &str = "+84912000009";
const PASSWORD: &str = "bốn con trâu gặm cỏ";

/// The code of the newest message about this.
async fn code(idp: &Sandbox, phone: &str, about: &str) -> String {
    let start = Instant::now();
    loop {
        let told = idp.messages(phone).await;
        if let Some(text) = told.iter().find(|text| text.contains('#') && text.contains(about)) {
            return first_six_digits(text);
        }
        assert!(start.elapsed() < Duration::from_secs(15), "no code about {about}: {told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn registered(view: View) {
    let idp = Sandbox::fresh();
    let [number, name, birthdate] = MAI;
    let screen = Screen::open(view, "enrol").await;
    screen.goto(&format!("{}/enrol", idp.issuer)).await;
    screen.arrives_at("enrol").await;
    screen.manners().await;
    screen.shot("form").await;
    screen.fill("person_number", number).await;
    screen.fill("name", name).await;
    screen.fill("birthdate", "31/02/1998").await;
    screen.click("gender-female").await;
    screen.fill("phone", &PHONE.replace("+84", "0")).await;
    screen.click("submit").await;
    screen.find("problem").await;
    screen.manners().await;
    screen.shot("wrong-date").await;
    screen.fill("birthdate", birthdate).await;
    screen.click("submit").await;
    screen.find("otp").await;
    screen.manners().await;
    screen.shot("code").await;
    screen.fill("otp", &code(&idp, PHONE, "").await).await;
    screen.click("submit").await;
    screen.gone("otp").await;
    screen.manners().await;
    screen.shot("submitted").await;
    let start = Instant::now();
    // The seven days begin with the notice, a moment after the decision.
    while !screen.has("activate-by").await {
        assert!(start.elapsed() < Duration::from_secs(30), "no decision");
        tokio::time::sleep(Duration::from_millis(250)).await;
        screen.goto(&format!("{}/enrol", idp.issuer)).await;
    }
    screen.manners().await;
    screen.shot("granted").await;
    screen.click("activate").await;
    screen.arrives_at("activate").await;
    screen.fill("person_number", number).await;
    screen.shot("number").await;
    screen.click("submit").await;
    screen.find("otp").await;
    let right = code(&idp, PHONE, "kich hoat tai khoan").await;
    screen.fill("otp", &right).await;
    screen.fill("password", "Ngô Thị Mai 1998").await;
    screen.fill("repeat", "Ngô Thị Mai 1998").await;
    screen.click("submit").await;
    screen.find("problem").await;
    screen.manners().await;
    screen.shot("weak").await;
    screen.fill("otp", &right).await;
    screen.fill("password", PASSWORD).await;
    screen.fill("repeat", PASSWORD).await;
    screen.click("submit").await;
    screen.find("activated").await;
    screen.manners().await;
    screen.shot("activated").await;
    screen.click("sign-in").await;
    screen.arrives_at("sign-in").await;
    let mai = Holder {
        number: number.to_owned(),
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
        phone: PHONE.to_owned(),
    };
    screen.sign_in(&mai).await;
    screen.arrives_at("identity").await;
    screen.shot("identity").await;
    screen.close().await;
}

/// A child of the register is sent to the desk, with the guardian and by the age.
async fn child_refused(view: View) {
    let (idp, phone) = (Sandbox::fresh(), "+84912000012");
    let screen = Screen::open(view, "enrol-child").await;
    screen.goto(&format!("{}/enrol", idp.issuer)).await;
    screen.arrives_at("enrol").await;
    for (field, text) in [
        ("person_number", CHILD[0]),
        ("name", CHILD[1]),
        ("birthdate", CHILD[2]),
        ("phone", &phone.replace("+84", "0")),
    ] {
        screen.fill(field, text).await;
    }
    screen.click("gender-female").await;
    screen.click("submit").await;
    screen.find("otp").await;
    screen.fill("otp", &code(&idp, phone, "").await).await;
    screen.click("submit").await;
    screen.gone("otp").await;
    let (start, told) = (Instant::now(), if view.language == "vi" { "dưới 6 tuổi" } else { "under 6" });
    while !screen.text().await.contains(told) {
        assert!(start.elapsed() < Duration::from_secs(30), "no decision: {}", screen.text().await);
        tokio::time::sleep(Duration::from_millis(250)).await;
        screen.goto(&format!("{}/enrol", idp.issuer)).await;
    }
    screen.manners().await;
    screen.shot("refused").await;
    screen.close().await;
}

#[tokio::test]
async fn a_child_is_sent_to_the_desk_in_vietnamese() {
    child_refused(View { language: "vi", script: false, width: 360 }).await;
}

#[tokio::test]
async fn a_child_is_sent_to_the_desk_in_english() {
    child_refused(View { language: "en", script: false, width: 360 }).await;
}

#[tokio::test]
async fn journey_5_in_vietnamese() {
    registered(View { language: "vi", script: false, width: 320 }).await;
}

#[tokio::test]
async fn journey_5_in_english() {
    registered(View { language: "en", script: true, width: 320 }).await;
}
