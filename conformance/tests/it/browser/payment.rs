//! A payment is approved on a page of its own (RFC 9396): refused and approved, in both languages, from phone to desktop.

use crate::support::sandbox::Sandbox;
use crate::support::webdriver::{Screen, View};

const MINISTRY: u16 = 3;

async fn paying(view: View) {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let screen = Screen::open(view, "payment").await;
    screen.goto(&idp.neighbour(MINISTRY)).await;
    screen.click("pay").await;
    screen.sign_in(&holder).await;
    screen.enter_otp(idp, &holder).await;
    screen.arrives_at("consent").await;
    screen.click("allow").await;
    screen.arrives_at("transaction").await;
    let (amount, text) = match view.language {
        "vi" => ("1.263.600 đồng", "cho người thứ nhất.\nThời hạn: 12 tháng"),
        _ => ("VND 1,263,600", "for the first member.\nTerm: 12 months"),
    };
    assert_eq!(screen.find("amount").await.text().await.unwrap(), amount);
    let shown = screen.find("text").await.text().await.unwrap();
    assert!(shown.contains(text), "whole, with its line breaks: {shown:?}");
    assert!(screen.text().await.contains(&holder.name));
    screen.click("deny").await;
    screen.find("outcome").await;
    assert!(screen.text().await.contains("access_denied") && !screen.has("paid").await);

    // Neither the sign-in nor the answer is remembered for it: another code, the page again.
    screen.click("pay").await;
    screen.enter_otp(idp, &holder).await;
    screen.arrives_at("transaction").await;
    screen.click("allow").await;
    let paid = screen.find("paid").await.text().await.unwrap();
    assert!(paid.contains("1263600"), "{paid}");
    screen.manners().await;
    screen.shot("paid").await;
    assert_eq!(idp.trail_count(&holder, "transaction_spent"), 1, "the portal asked before it booked");
    screen.goto(&format!("{}/identity", idp.issuer)).await;
    screen.arrives_at("identity").await;
    assert!(screen.find("transactions").await.text().await.unwrap().contains(amount));
    screen.close().await;
}

#[tokio::test]
async fn a_payment_is_refused_and_approved_in_vietnamese() {
    for (width, script) in [(320, false), (1280, true)] {
        paying(View { language: "vi", script, width }).await;
    }
}

#[tokio::test]
async fn a_payment_is_refused_and_approved_in_english() {
    for (width, script) in [(320, true), (1280, false)] {
        paying(View { language: "en", script, width }).await;
    }
}
