//! Journey 6: a forgotten password and a new phone, each step proved, in both languages, from phone to desktop.

use std::time::{Duration, Instant};

use crate::support::holder::{Holder, first_six_digits};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const NEW: &str = "bốn con trâu gặm cỏ";

/// The code of the newest message of this phone that has one, once there are so many messages.
async fn code(idp: &Sandbox, phone: &str, messages: usize) -> String {
    let start = Instant::now();
    loop {
        let told = idp.messages(phone).await;
        if told.len() >= messages
            && let Some(text) = told.iter().find(|text| text.contains('#'))
        {
            return first_six_digits(text);
        }
        assert!(start.elapsed() < Duration::from_secs(15), "no code to {phone}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn forgotten(view: View) {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let screen = Screen::open(view, "recover").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("sign-in").await;
    screen.click("recover").await;
    screen.arrives_at("recover").await;
    screen.fill("person_number", &holder.number).await;
    screen.click("submit").await;
    screen.find("otp").await;
    screen.shot("code").await;
    screen.fill("otp", &code(idp, &holder.phone, 1).await).await;
    screen.click("submit").await;
    // A browser nobody signed in from: the card, and the cooling-off.
    screen.find("card_expires").await;
    screen.manners().await;
    screen.shot("card").await;
    screen.fill("card_expires", "01/01/2041").await;
    screen.click("submit").await;
    screen.find("problem").await;
    screen.shot("wrong-card").await;
    screen.fill("card_expires", "30/04/2040").await;
    screen.click("submit").await;
    screen.find("ready-at").await;
    screen.manners().await;
    screen.shot("waiting").await;
    tokio::time::sleep(Duration::from_secs(21)).await;
    screen.click("look-again").await;
    screen.find("password").await;
    screen.fill("password", "matkhau123").await;
    screen.fill("password_again", "matkhau123").await;
    screen.click("submit").await;
    screen.find("problem").await;
    screen.manners().await;
    screen.shot("weak").await;
    screen.fill("password", NEW).await;
    screen.fill("password_again", NEW).await;
    screen.click("submit").await;
    screen.find("sign-in").await;
    screen.manners().await;
    screen.shot("done").await;
    let holder = Holder { password: NEW.to_owned(), ..holder };
    screen.click("sign-in").await;
    screen.sign_in(&holder).await;
    screen.arrives_at("identity").await;
    assert!(screen.has("recovered").await && screen.has("phone-counts-from").await);
    screen.close().await;
}

/// Both changes; the summary that opens each form works without script.
async fn changed(view: View) {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let phone = format!("+84981{:06}", crate::support::next());
    let screen = Screen::open(view, "changes").await;
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.sign_in(&holder).await;
    screen.arrives_at("identity").await;
    screen.click("open-phone").await;
    screen.fill("new_phone", &phone.replace("+84", "0")).await;
    screen.shot("phone-form").await;
    screen.click("change-phone").await;
    screen.fill("otp", &code(idp, &holder.phone, 1).await).await;
    screen.shot("old-phone").await;
    screen.click("submit-code").await;
    let of_new = code(idp, &phone, 1).await;
    screen.find("otp").await;
    screen.fill("otp", &of_new).await;
    screen.click("submit-code").await;
    screen.find("phone-counts-from").await;
    screen.manners().await;
    screen.shot("phone-changed").await;
    screen.click("open-password").await;
    screen.fill("old_password", &holder.password).await;
    screen.fill("new_password", NEW).await;
    screen.fill("new_password_again", NEW).await;
    screen.shot("password-form").await;
    screen.click("change-password").await;
    screen.find("submit-code").await;
    let before = idp.messages(&phone).await.len();
    screen.fill("otp", &code(idp, &phone, before.max(3)).await).await;
    screen.click("submit-code").await;
    screen.gone("submit-code").await;
    screen.find("credential-note").await;
    screen.manners().await;
    screen.shot("password-changed").await;
    screen.close().await;
}

#[tokio::test]
async fn journey_6_in_vietnamese() {
    forgotten(View { language: "vi", script: false, width: 320 }).await;
    changed(View { language: "vi", script: false, width: 1280 }).await;
}

#[tokio::test]
async fn journey_6_in_english() {
    forgotten(View { language: "en", script: false, width: 1280 }).await;
    changed(View { language: "en", script: true, width: 320 }).await;
}
