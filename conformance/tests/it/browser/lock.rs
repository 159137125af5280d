//! Journey 7: the holder locks from «Danh tính của tôi», the portal hears of it, sign-in explains, and the holder opens
//! again; and what was not them is reported. With and without JavaScript, in both languages, on a phone and a desk.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const WITHIN: Duration = Duration::from_secs(20);

fn views() -> [View; 4] {
    [("vi", true, 320), ("vi", false, 1280), ("en", false, 320), ("en", true, 1280)]
        .map(|(language, script, width)| View { language, script, width })
}

#[tokio::test]
async fn a_lock_from_the_page_is_seen_at_the_portal_and_opened_again() {
    let idp = Sandbox::shared();
    for view in views() {
        let holder = idp.citizen();
        let screen = Screen::open(view, "lock").await;
        screen.goto(&idp.neighbour(2)).await;
        screen.click("sign-in").await;
        screen.sign_in(&holder).await;
        screen.arrives_at("consent").await;
        screen.click("allow").await;
        screen.find("claims").await;
        screen.goto(&format!("{}/identity", idp.issuer)).await;
        screen.arrives_at("identity").await;
        screen.click("lock").await;
        screen.arrives_at("lock").await;
        screen.click("confirm").await;
        screen.arrives_at("lock-done").await;
        let end = Instant::now() + WITHIN;
        loop {
            screen.goto(&idp.neighbour(2)).await;
            if screen.has("signed-out-elsewhere").await {
                break;
            }
            assert!(Instant::now() < end, "the portal never heard of it");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        screen.click("sign-in").await;
        screen.sign_in(&holder).await;
        screen.arrives_at("locked").await;
        screen.click("unlock").await;
        screen.arrives_at("unlock").await;
        screen.fill("person_number", &holder.number).await;
        screen.fill("password", &holder.password).await;
        screen.click("submit").await;
        screen.find("otp").await;
        screen.manners().await;
        screen.shot("unlock-code").await;
        screen.fill("otp", &idp.otp(&holder.phone).await).await;
        screen.click("submit").await;
        screen.find("told").await;
        screen.manners().await;
        screen.shot("unlocked").await;
        screen.click("sign-in").await;
        screen.sign_in(&holder).await;
        screen.arrives_at("identity").await;
        screen.close().await;
    }
}

#[tokio::test]
async fn what_was_not_me_is_reported_and_its_case_is_seen() {
    let idp = Sandbox::shared();
    for view in views() {
        let (client, holder) = (idp.client(json!({})), idp.citizen());
        let stolen = idp.offline_tokens(&client, &holder).await;
        let screen = Screen::open(view, "not-me").await;
        screen.goto(&format!("{}/identity", idp.issuer)).await;
        screen.sign_in(&holder).await;
        screen.arrives_at("identity").await;
        screen.click("not-me-device-2").await;
        screen.find("cases").await;
        screen.manners().await;
        screen.shot("reported").await;
        assert_eq!(client.userinfo(stolen.access()).await.status, 401);
        let silent = Ask::of(&client).with("prompt", "none");
        assert!(idp.visitor().get(&silent.target()).await.returned().is_some());
        screen.close().await;
    }
}
