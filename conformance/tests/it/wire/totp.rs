//! Codes of an authenticator app (LG-10, LG-11, LG-14, RFC 6238) at the step-up and while one is set up.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::app::text_of;
use crate::support::ask::Ask;
use crate::support::flow::redeemed;
use crate::support::holder::Holder;
use crate::support::jwt::claims;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::totp::{App, step, step_with_time_left};
use crate::support::wire::{Answer, Visitor};

/// Sets an app up; its first code is of the step before this one, so that this one's is still to be used.
pub async fn with_app(idp: &Sandbox, holder: &Holder) -> (Visitor, App) {
    let visitor = idp.visitor();
    let at = visitor.open("/new-totp").await;
    let at = idp.sign_in(&visitor, &at, holder).await;
    let at = idp.enter_otp(&visitor, &at, holder).await;
    assert_eq!(at.page().name(), "new-totp", "{}", at.page().text);
    let app = App::shown(&at);
    let before = step_with_time_left().await - 1;
    let done = visitor.submit(&at, &at.page().press("submit", &[("otp", &app.code_at(before))], &[])).await;
    assert_eq!(done.page().name(), "identity", "{}", done.page().text);
    (visitor, app)
}

fn demanding(idp: &Sandbox) -> RelyingParty {
    idp.client(json!({"scope": "openid", "vn_min_auth_level": 2}))
}

/// Signed in by password and asked for the second factor.
async fn at_code(idp: &Sandbox, client: &RelyingParty, holder: &Holder) -> (Visitor, Ask, Answer) {
    let (visitor, ask) = (idp.visitor(), Ask::of(client));
    let at = visitor.open(&ask.target()).await;
    let at = idp.sign_in(&visitor, &at, holder).await;
    assert_eq!(at.page().name(), "otp", "{}", at.page().text);
    (visitor, ask, at)
}

async fn enter(visitor: &Visitor, at: &Answer, code: &str) -> Answer {
    visitor.submit(at, &at.page().press("submit", &[("otp", code)], &[])).await
}

#[tokio::test]
async fn an_app_is_asked_first_and_no_message_goes_out_unasked() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let (_, app) = with_app(idp, &holder).await;
    let before = idp.messages(&holder.phone).await.len();
    let (visitor, ask, at) = at_code(idp, &client, &holder).await;
    assert!(at.page().has("use-sms") && !at.page().has("resend"));
    let at = visitor.open(&format!("/otp?{}&way=sms", at.url.query().unwrap())).await;
    assert!(at.page().has("use-sms"), "an address alone sends nothing");
    assert_eq!(idp.messages(&holder.phone).await.len(), before);
    let end = enter(&visitor, &at, &app.code_at(step())).await;
    let code = end.returned().unwrap_or_else(|| panic!("{}", end.page().text)).code();
    let token = claims(redeemed(&client, ask, code).await.id_token());
    let mut amr: Vec<&str> = token["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    amr.sort_unstable();
    assert_eq!(amr, ["mfa", "otp", "pwd"], "not by SMS");
    assert_eq!(token["acr"], json!("urn:vn:eid:muc:2"));
    // The other way, and back again.
    let (visitor, _, at) = at_code(idp, &client, &holder).await;
    let sms = visitor.submit(&at, &at.page().press("use-sms", &[], &[])).await;
    assert!(sms.page().has("use-app") && sms.page().has("resend"), "{}", sms.page().text);
    assert_eq!(idp.messages(&holder.phone).await.len(), before + 1);
    let back = sms.page().by_id("use-app").unwrap().attribute("href").unwrap().to_owned();
    assert!(visitor.open(&back).await.page().has("use-sms"));
    // LG-13: neither code is the other.
    let otp = idp.otp(&holder.phone).await;
    assert!(enter(&visitor, &at, &otp).await.returned().is_none());
    assert!(enter(&visitor, &sms, &app.code_at(step() + 1)).await.returned().is_none());
    assert!(enter(&visitor, &sms, &otp).await.returned().is_some());
}

#[tokio::test]
async fn lg_14_a_code_works_once_and_none_before_it_afterwards() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let (_, app) = with_app(idp, &holder).await;
    let here = step();
    let (first, _, at) = at_code(idp, &client, &holder).await;
    assert!(enter(&first, &at, &app.code_at(here)).await.returned().is_some());
    let (second, _, at) = at_code(idp, &client, &holder).await;
    for (name, code) in [("the same", app.code_at(here)), ("the one before", app.code_at(here - 1))] {
        let answer = enter(&second, &at, &code).await;
        assert!(answer.returned().is_none() && answer.page().has("problem"), "{name}");
    }
    assert!(enter(&second, &at, &app.code_at(here + 1)).await.returned().is_some(), "the next one counts");
    assert!(idp.trail_count(&holder, "otp_refused") >= 2);
}

#[tokio::test]
async fn d1_of_twenty_with_one_code_one_steps_up() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let (_, app) = with_app(idp, &holder).await;
    let code = app.code_at(step());
    let mut all = JoinSet::new();
    for _ in 0..6 {
        let (visitor, _, at) = at_code(idp, &client, &holder).await;
        let (visitor, code) = (Arc::new(visitor), code.clone());
        all.spawn(async move { enter(&visitor, &at, &code).await.returned().is_some() });
    }
    assert_eq!(all.join_all().await.into_iter().filter(|won| *won).count(), 1);
}

#[tokio::test]
async fn lg_10_and_11_ten_wrong_codes_of_either_kind_and_the_right_one_waits() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let (_, app) = with_app(idp, &holder).await;
    let (visitor, _, at) = at_code(idp, &client, &holder).await;
    let sms = visitor.submit(&at, &at.page().press("use-sms", &[], &[])).await;
    for guess in 0..10 {
        let page = if guess % 2 == 0 { &at } else { &sms };
        assert!(enter(&visitor, page, "000000").await.returned().is_none());
    }
    let right = enter(&visitor, &at, &app.code_at(step())).await;
    assert!(right.returned().is_none() && right.page().text.contains("10 phút"), "{}", right.page().text);
    let right = enter(&visitor, &sms, &idp.otp(&holder.phone).await).await;
    assert!(right.returned().is_none(), "one budget for both");
    // Another session, another code, the same counter.
    let (other, _, at) = at_code(idp, &client, &holder).await;
    assert!(enter(&other, &at, &app.code_at(step() + 1)).await.returned().is_none());
}

#[tokio::test]
async fn an_app_counts_after_its_first_right_code_and_not_after_it_is_removed() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let visitor = idp.visitor();
    let at = visitor.open("/new-totp").await;
    let at = idp.sign_in(&visitor, &at, &holder).await;
    let at = idp.enter_otp(&visitor, &at, &holder).await;
    let shown = text_of(&at, "secret");
    assert!(at.page().has("qr"));
    let wrong = enter(&visitor, &at, "000000").await;
    assert_eq!(
        (wrong.page().name(), text_of(&wrong, "secret")),
        ("new-totp", shown.clone()),
        "a wrong code changes nothing"
    );
    assert_eq!(text_of(&visitor.open("/new-totp").await, "secret"), shown, "nor does a reload");
    let (_, _, elsewhere) = at_code(idp, &client, &holder).await;
    assert!(!elsewhere.page().has("use-sms"), "nothing counts yet");
    assert_eq!(idp.trail_count(&holder, "totp_added"), 0);
    let done = enter(&visitor, &wrong, &App::typed(&shown).code_at(step())).await;
    assert_eq!(done.page().name(), "identity", "{}", done.page().text);
    assert!(idp.messages(&holder.phone).await[0].contains("ung dung xac thuc"), "LG-38");
    assert_eq!(idp.trail_count(&holder, "totp_added"), 1);
    assert!(!done.body.contains(&shown), "the secret is shown once");
    let gone = visitor.submit(&done, &done.page().press("remove-totp", &[], &[])).await;
    assert!(!gone.page().has("remove-totp"), "{}", gone.page().text);
    assert_eq!(idp.trail_count(&holder, "totp_removed"), 1);
    let (_, _, at) = at_code(idp, &client, &holder).await;
    assert!(at.page().has("resend") && !at.page().has("use-app"));
}

#[tokio::test]
async fn lk_07_a_lock_ends_the_step_up() {
    let idp = Sandbox::shared();
    let (client, holder) = (demanding(idp), idp.citizen());
    let (_, app) = with_app(idp, &holder).await;
    let (visitor, _, at) = at_code(idp, &client, &holder).await;
    idp.lock(&holder);
    assert!(enter(&visitor, &at, &app.code_at(step())).await.returned().is_none());
    assert_eq!(idp.trail_count(&holder, "step_up"), 1, "only the one of the setting up");
}
