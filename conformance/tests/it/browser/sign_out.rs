//! Signing out in a real browser: the other portal shows it, frames are loaded and left, and a portal's page that asks
//! our frame hears of it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::door::{Reply, door};
use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};
use crate::support::wire::{encode, pairs};

const WITHIN: Duration = Duration::from_secs(20);

async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let end = Instant::now() + WITHIN;
    while !done().await {
        assert!(Instant::now() < end, "{what} never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn signing_out_at_one_portal_shows_at_the_other() {
    let idp = Sandbox::shared();
    let papers = json!({"claims": {
        "address": {"formatted": "Số 7 phố Thử Nghiệm, Hà Nội", "country": "VN"}, "vn_bhxh": "0123456789",
    }});
    for script in [true, false] {
        let holder = idp.holder(2, papers.clone());
        let screen = Screen::open(View { language: "vi", script, width: 360 }, "sign-out").await;
        screen.goto(&idp.neighbour(2)).await;
        screen.click("sign-in").await;
        screen.sign_in(&holder).await;
        screen.arrives_at("consent").await;
        screen.click("allow").await;
        screen.find("claims").await;
        screen.goto(&idp.neighbour(3)).await;
        screen.click("sign-in").await;
        screen.enter_otp(idp, &holder).await;
        screen.arrives_at("consent").await;
        screen.click("allow").await;
        screen.find("claims").await;
        screen.goto(&idp.neighbour(2)).await;
        screen.click("sign-out").await;
        screen.arrives_at("signed-out").await;
        until("the notice", async || {
            screen.goto(&idp.neighbour(3)).await;
            screen.has("signed-out-elsewhere").await
        })
        .await;
        screen.manners().await;
        screen.shot("told").await;
        screen.close().await;
    }
}

/// A portal's page that keeps our frame, asks it again and again, and writes down what it hears.
fn asking(issuer: &str, client: &str, session_state: &str) -> String {
    format!(
        r#"<!doctype html><html lang="vi"><title>x</title><body><p id="heard"></p>
<iframe id="op" src="{issuer}/check-session"></iframe><script>
window.addEventListener("message", function (event) {{
  if (event.origin === "{issuer}") {{ document.getElementById("heard").textContent = event.data; }}
}}, false);
function ask(text) {{ document.getElementById("op").contentWindow.postMessage(text, "{issuer}"); }}
window.asks = "{client} {session_state}";
setInterval(function () {{ ask(window.asks); }}, 50);
</script></body></html>"#
    )
}

#[tokio::test]
async fn a_portals_page_hears_from_our_frame_and_the_signed_out_page_loads_and_leaves_its_frames() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let pages = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let served = std::sync::Arc::clone(&pages);
    let portal = door(move |target, _| match target.split('?').next() {
        Some("/asking") => Reply::Page(served.lock().unwrap().clone()),
        _ => Reply::Page("<!doctype html><html lang=\"vi\"><title>x</title><p>ok</p></html>".to_owned()),
    });
    let client = idp.client(json!({
        "redirect_uris": [portal.at("/cb")],
        "post_logout_redirect_uris": [portal.at("/bye")],
        "frontchannel_logout_uri": portal.at("/out"),
        "frontchannel_logout_session_required": true,
    }));
    let screen = Screen::open(View { language: "vi", script: true, width: 1280 }, "frames").await;
    let ask = Ask::of(&client);
    screen.goto(&format!("{}{}", idp.issuer, ask.target())).await;
    screen.sign_in(&holder).await;
    let at = |name: &'static str| {
        let heard = portal.heard();
        heard.into_iter().find(|heard| heard.target.starts_with(name)).map(|heard| heard.target)
    };
    until("the answer", async || at("/cb?").is_some()).await;
    let answer = url::Url::parse(&portal.at(&at("/cb?").unwrap())).unwrap();
    let field = |name: &str| answer.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    *pages.lock().unwrap() = asking(&idp.issuer, &client.id, &field("session_state"));
    screen.goto(&portal.at("/asking")).await;
    let says = async |expected: &str| {
        until(expected, async || screen.find("heard").await.text().await.unwrap() == expected).await;
    };
    says("unchanged").await;
    let asks = async |script: &str| screen.driver.execute(script, Vec::new()).await.unwrap();
    asks("window.kept = window.asks; window.asks = 'nonsense';").await;
    says("error").await;
    asks("window.asks = 'another ' + window.kept.split(' ')[1];").await;
    says("changed").await;
    asks("window.asks = window.kept;").await;
    says("unchanged").await;

    let tokens = crate::support::flow::redeemed(&client, ask, field("code")).await;
    let fields = pairs(&[("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", &portal.at("/bye"))]);
    screen.goto(&format!("{}/end-session?{}", idp.issuer, encode(&fields))).await;
    until("the way on", async || at("/bye").is_some()).await;
    let sid = crate::support::jwt::claims(tokens.id_token())["sid"].as_str().unwrap().to_owned();
    let out = at("/out?").expect("the frame was loaded before the page went on");
    assert!(out.contains(&format!("sid={sid}")) && out.contains("iss=http"), "{out}");
    screen.goto(&portal.at("/asking")).await;
    says("changed").await;
    screen.close().await;
}
