//! `prompt`, `max_age` and hints: AZ-10, AZ-13, AZ-14 and `protocol.md` 1.1.

use std::time::Duration;

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::jwt::claims;
use crate::support::relying_party::{RelyingParty, key_pair, sign};
use crate::support::sandbox::Sandbox;
use crate::support::wire::Visitor;
use crate::support::{fresh, now, verdict};

const WISH_TWO: &str = r#"{"id_token":{"acr":{"essential":true,"value":"urn:vn:eid:muc:2"}}}"#;

async fn silent(visitor: &Visitor, client: &RelyingParty, ask: Ask, error: &str) {
    let ask = ask.with("prompt", "none");
    verdict::redirect(&visitor.get(&ask.target()).await, client, &ask, error);
}

#[tokio::test]
async fn az_10_prompt_none_answers_each_lack_by_its_own_error() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let visitor = idp.visitor();
    let citizen = idp.citizen();
    silent(&visitor, &client, Ask::of(&client), "login_required").await;
    idp.authorize(&visitor, &Ask::of(&client), &citizen).await;
    // Control: with a session and nothing to consent to, silence succeeds.
    let answer = visitor.get(&Ask::of(&client).with("prompt", "none").target()).await;
    assert!(answer.returned().unwrap().get("code").is_some());
    silent(&visitor, &client, Ask::of(&client).scope("openid profile"), "consent_required").await;
    silent(&visitor, &client, Ask::of(&client).with("claims", WISH_TWO), "interaction_required").await;

    let beginner = idp.beginner();
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&client), &beginner).await;
    let never = Ask::of(&client).with("claims", WISH_TWO);
    silent(&visitor, &client, never, "unmet_authentication_requirements").await;
    // A wish never fails.
    let wish = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2").with("prompt", "none");
    assert!(visitor.get(&wish.target()).await.returned().unwrap().get("code").is_some());
}

#[tokio::test]
async fn oidc_core_3_1_2_1_prompt_none_stands_alone_and_unknown_prompts_are_refused() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for prompt in ["none login", "login none", "none consent"] {
        let ask = Ask::of(&client).with("prompt", prompt);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn prompt_none_keeps_sub_and_auth_time() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let first = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = idp.tokens(&visitor, &client, Ask::of(&client).with("prompt", "none"), &holder).await;
    let (first, second) = (claims(first.id_token()), claims(second.id_token()));
    for same in ["sub", "auth_time", "sid", "acr"] {
        assert_eq!(first[same], second[same], "{same}");
    }
}

#[tokio::test]
async fn prompt_login_and_max_age_really_authenticate_again() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let first = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let began = claims(first.id_token())["auth_time"].as_i64().unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for (name, value) in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
        let ask = Ask::of(&client).with(name, value);
        let at = visitor.open(&ask.target()).await;
        assert_eq!(at.page().name(), "sign-in", "{name}={value}");
        assert!(at.page().has("person_number"), "present and editable at re-authentication too");
        let end = idp.walk(&visitor, at, &holder, Will::AllowAll).await;
        let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
        assert!(claims(tokens.id_token())["auth_time"].as_i64().unwrap() >= began + 2, "{name}={value}");
        tokio::time::sleep(Duration::from_millis(2100)).await;
    }
    // Young enough: nobody is asked, and auth_time is there.
    let ask = Ask::of(&client).with("max_age", "10000");
    let answer = visitor.open(&ask.target()).await;
    let tokens = redeemed(&client, ask, answer.returned().expect("silent").code()).await;
    assert!(claims(tokens.id_token())["auth_time"].is_i64());
    silent(&visitor, &client, Ask::of(&client).with("max_age", "0"), "login_required").await;
}

#[tokio::test]
async fn prompt_select_account_and_consent_show_their_pages() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile");
    idp.authorize(&visitor, &ask, &holder).await;
    let again = visitor.open(&Ask::of(&client).scope("openid profile").target()).await;
    assert!(again.returned().is_some(), "remembered");
    let consent = visitor.open(&Ask::of(&client).scope("openid profile").with("prompt", "consent").target()).await;
    assert_eq!(consent.page().name(), "consent");
    let select = visitor.open(&Ask::of(&client).with("prompt", "select_account").target()).await;
    assert_eq!(select.page().name(), "sign-in");
}

#[tokio::test]
async fn az_13_a_hint_for_somebody_else_never_yields_the_session_s_code() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (one, two) = (idp.citizen(), idp.citizen());
    let (visitor, elsewhere) = (idp.visitor(), idp.visitor());
    let own = idp.tokens(&visitor, &client, Ask::of(&client), &one).await;
    let other = idp.tokens(&elsewhere, &client, Ask::of(&client), &two).await;
    silent(&visitor, &client, Ask::of(&client).with("id_token_hint", other.id_token()), "login_required").await;
    let at = visitor.open(&Ask::of(&client).with("id_token_hint", other.id_token()).target()).await;
    assert_eq!(at.page().name(), "sign-in");
    // Control: the own hint is silent.
    let ask = Ask::of(&client).with("id_token_hint", own.id_token()).with("prompt", "none");
    assert!(visitor.get(&ask.target()).await.returned().unwrap().get("code").is_some());
    let sub = claims(own.id_token())["sub"].as_str().unwrap().to_owned();
    let by_claim = |sub: &str| json!({"id_token": {"sub": {"essential": true, "value": sub}}}).to_string();
    let ask = Ask::of(&client).with("claims", &by_claim(&sub)).with("prompt", "none");
    assert!(visitor.get(&ask.target()).await.returned().unwrap().get("code").is_some());
    let foreign = claims(other.id_token())["sub"].as_str().unwrap().to_owned();
    silent(&visitor, &client, Ask::of(&client).with("claims", &by_claim(&foreign)), "login_required").await;
}

#[tokio::test]
async fn az_14_hints_not_ours_or_not_this_clients_are_invalid() {
    let idp = Sandbox::shared();
    let (client, other, holder, visitor) = (idp.confidential(), idp.confidential(), idp.citizen(), idp.visitor());
    let own = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let others = idp.tokens(&visitor, &other, Ask::of(&other), &holder).await;
    let (key, _) = key_pair();
    let mut foreign = claims(own.id_token());
    let forged = sign(&key, &[("typ", json!("JWT"))], &foreign);
    foreign["iss"] = json!("https://evil.vn");
    let elsewhere = sign(&key, &[], &foreign);
    let part = |index: usize| own.id_token().split('.').nth(index).unwrap().to_owned();
    let unsigned = format!("{}.{}.", crate::support::base64url(br#"{"alg":"none"}"#), part(1));
    let changed = format!("{}.{}.{}", part(0), crate::support::base64url(b"{\"sub\":\"x\"}"), part(2));
    for hint in [forged, elsewhere, unsigned, changed, others.id_token().to_owned(), "junk".to_owned()] {
        let ask = Ask::of(&client).with("id_token_hint", &hint);
        verdict::redirect(&visitor.get(&ask.target()).await, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn login_hint_suggests_and_never_reveals() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
    let sub = claims(tokens.id_token())["sub"].as_str().unwrap().to_owned();
    for hint in [sub.as_str(), &fresh(), "099000000000"] {
        let visitor = idp.visitor();
        let posted = visitor.post("/authorize", &Ask::of(&client).with("login_hint", hint).fields, &[]).await;
        let at = visitor.follow(posted).await;
        assert_eq!(at.page().name(), "sign-in", "{hint}");
        assert!(!at.body.contains(&holder.name) && !at.url.as_str().contains(hint), "no personal number in an address");
    }
    // A personal number in an address would be logged by every proxy: by GET it is no hint.
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).with("login_hint", &holder.number).target()).await;
    assert!(!at.body.contains(&holder.number) && !at.url.as_str().contains(&holder.number));
}

#[tokio::test]
async fn auth_time_is_never_in_the_future_and_sso_can_be_refused_by_a_client() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    assert!(claims(tokens.id_token())["auth_time"].as_i64().unwrap() <= now());
    let alone = idp.client(json!({"vn_sso": false}));
    assert_eq!(visitor.open(&Ask::of(&alone).target()).await.page().name(), "sign-in");
}
