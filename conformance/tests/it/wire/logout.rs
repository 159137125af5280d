//! `security.md` 2.12: end of session.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::Will;
use crate::support::relying_party::{key_pair, sign};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor, encode, pairs};

const BYE: &str = "https://rp.gov.vn/bye";

/// Signs a visitor out through the confirmation page, without any client's help.
pub async fn sign_out(visitor: &Visitor) {
    let at = visitor.open("/end-session").await;
    assert_eq!(at.page().name(), "sign-out", "{}", at.body);
    let done = visitor.submit(&at, &at.page().press("confirm", &[], &[])).await;
    assert_eq!(done.page().name(), "signed-out");
}

fn end_session(fields: &[(&str, &str)]) -> String {
    format!("/end-session?{}", encode(&pairs(fields)))
}

/// Whether the visitor is still signed in, as a client sees it.
async fn signed_in(idp: &Sandbox, visitor: &Visitor) -> bool {
    let probe = idp.confidential();
    let answer = visitor.get(&Ask::of(&probe).with("prompt", "none").target()).await;
    answer.returned().unwrap().get("error") != Some("login_required")
}

fn left_for_bye(answer: &Answer, state: Option<&str>) {
    let returned = answer.returned().unwrap_or_else(|| panic!("{}: {}", answer.status, answer.body));
    assert_eq!((returned.address.as_str(), returned.get("state")), (BYE, state));
    assert!(returned.fields.iter().all(|(name, _)| name == "state"));
}

#[tokio::test]
async fn rp_initiated_logout_with_the_sessions_own_hint_is_direct() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client).scope("openid profile"), &holder).await;
    let old = visitor.cookies();
    let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BYE), ("state", "s t&1")];
    let answer = visitor.open(&end_session(&fields)).await;
    left_for_bye(&answer, Some("s t&1"));
    assert!(!signed_in(idp, &visitor).await);
    // LO-05: the old cookie and the session's tokens are dead.
    visitor.set_cookies(old);
    assert!(!signed_in(idp, &visitor).await);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    assert_eq!(client.introspect(tokens.access()).await, json!({"active": false}));
}

#[tokio::test]
async fn logout_by_post_works_as_by_get() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let fields = pairs(&[("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BYE)]);
    let answer = visitor.post("/end-session", &fields, &[("origin", "https://rp.gov.vn")]).await;
    left_for_bye(&visitor.follow(answer).await, None);
    assert!(!signed_in(idp, &visitor).await);
}

#[tokio::test]
async fn lo_01_without_a_hint_the_holder_is_asked() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    for target in [
        "/end-session".to_owned(),
        end_session(&[("client_id", &client.id)]),
        end_session(&[("client_id", &client.id), ("post_logout_redirect_uri", BYE)]),
    ] {
        let at = visitor.open(&target).await;
        assert_eq!(at.page().name(), "sign-out", "{target}");
        assert!(signed_in(idp, &visitor).await, "alive until confirmed");
    }
    let at = visitor.open(&end_session(&[("client_id", &client.id), ("post_logout_redirect_uri", BYE)])).await;
    let mut forged = at.page().press("confirm", &[], &[]);
    forged.remove("form_token");
    let refused = visitor.submit_once(&at, &forged, &[("origin", "https://evil.vn")]).await;
    assert_eq!(refused.status, 403);
    assert!(signed_in(idp, &visitor).await);
    let done = visitor.submit(&at, &at.page().press("confirm", &[], &[])).await;
    // Without a hint the address is not trusted, whoever is named.
    assert_eq!(done.page().name(), "signed-out");
    assert!(!signed_in(idp, &visitor).await);
}

#[tokio::test]
async fn lo_02_an_unregistered_address_is_a_page() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    for address in [
        "https://evil.vn/",
        "javascript:alert(1)",
        "https://rp.gov.vn/bye/",
        "https://rp.gov.vn/bye?x=1",
        "https://rp.gov.vn/bye#f",
        "https://RP.gov.vn/bye",
        "https://rp.gov.vn/cb",
        "https://rp.gov.vn@evil.vn/bye",
        "//evil.vn/bye",
        "http://rp.gov.vn/bye",
    ] {
        let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", address)];
        verdict::page(&visitor.get(&end_session(&fields)).await, 400);
    }
    let twice =
        [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BYE), ("post_logout_redirect_uri", BYE)];
    verdict::page(&visitor.get(&end_session(&twice)).await, 400);
    let bare = visitor.open(&end_session(&[("post_logout_redirect_uri", BYE)])).await;
    assert!(bare.returned().is_none() && signed_in(idp, &visitor).await, "nobody vouches for the address");
}

#[tokio::test]
async fn rp_initiated_logout_2_hints_that_do_not_fit() {
    let idp = Sandbox::shared();
    let (client, other, holder, visitor) = (idp.confidential(), idp.confidential(), idp.citizen(), idp.visitor());
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    // client_id must be the hint's audience.
    let fields = [("id_token_hint", tokens.id_token()), ("client_id", other.id.as_str())];
    verdict::page(&visitor.get(&end_session(&fields)).await, 400);
    let (key, _) = key_pair();
    let forged = sign(&key, &[], &crate::support::jwt::claims(tokens.id_token()));
    let (header, claims) =
        (r#"{"alg":"none","typ":"JWT"}"#, crate::support::jwt::claims(tokens.id_token()).to_string());
    let encoded = |text: &str| crate::support::base64url(text.as_bytes());
    let unsigned = format!("{}.{}.", encoded(header), encoded(&claims));
    for hint in [forged.as_str(), unsigned.as_str(), "junk"] {
        let answer = visitor.open(&end_session(&[("id_token_hint", hint)])).await;
        assert!(matches!(answer.page().name(), "error" | "sign-out"), "{}", answer.page().name());
    }
    assert!(signed_in(idp, &visitor).await);
    // A hint of another session is no proof about this one.
    let elsewhere = idp.visitor();
    let others = idp.tokens(&elsewhere, &client, Ask::of(&client), &idp.citizen()).await;
    let answer = visitor.open(&end_session(&[("id_token_hint", others.id_token())])).await;
    assert_eq!(answer.page().name(), "sign-out");
    assert!(signed_in(idp, &visitor).await && signed_in(idp, &elsewhere).await);
}

#[tokio::test]
async fn sign_out_ends_this_browser_at_every_portal_and_no_other_device() {
    let idp = Sandbox::shared();
    let (one, two, holder) = (idp.confidential(), idp.confidential(), idp.citizen());
    let (laptop, phone) = (idp.visitor(), idp.visitor());
    let first = idp.tokens(&laptop, &one, Ask::of(&one), &holder).await;
    let second = idp.tokens(&laptop, &two, Ask::of(&two), &holder).await;
    let other = idp.tokens(&phone, &one, Ask::of(&one), &holder).await;
    sign_out(&laptop).await;
    assert_eq!(one.userinfo(first.access()).await.status, 401);
    assert_eq!(two.userinfo(second.access()).await.status, 401);
    assert_eq!(one.userinfo(other.access()).await.status, 200);
    assert!(signed_in(idp, &phone).await);
}

#[tokio::test]
async fn lo_05_a_page_left_open_before_sign_out_decides_nothing() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile");
    let at = visitor.open(&ask.target()).await;
    let consent = idp.sign_in(&visitor, &at, &holder).await;
    assert_eq!(consent.page().name(), "consent");
    sign_out(&visitor).await;
    let form = crate::support::flow::consent_form(&consent, Will::AllowAll);
    let after = visitor.submit(&consent, &form).await;
    assert!(after.returned().is_none_or(|returned| returned.get("code").is_none()));
}
