//! OpenID Connect Front-Channel Logout 1.0 (`security.md` LO-11): the signed-out page frames what it must and goes on.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, encode, pairs};

const BYE: &str = "https://rp.gov.vn/bye";

fn framed(idp: &Sandbox, origin: &str, path: &str) -> RelyingParty {
    idp.client(json!({
        "redirect_uris": [format!("{origin}/cb")],
        "frontchannel_logout_uri": format!("{origin}{path}"),
        "frontchannel_logout_session_required": true,
    }))
}

fn frames(answer: &Answer) -> Vec<String> {
    let mut frames: Vec<String> =
        answer.page().all("iframe").map(|frame| frame.attribute("src").unwrap().to_owned()).collect();
    frames.sort();
    frames
}

fn frame_src(answer: &Answer) -> Option<String> {
    let policy = answer.header("content-security-policy").unwrap().to_owned();
    policy.split(';').find_map(|part| part.trim().strip_prefix("frame-src ").map(str::to_owned))
}

fn address(idp: &Sandbox, base: &str, claims: &Value) -> String {
    format!("{base}{}", encode(&pairs(&[("iss", &idp.issuer), ("sid", claims["sid"].as_str().unwrap())])))
}

#[tokio::test]
async fn lo_11_the_page_frames_exactly_the_sessions_clients_and_goes_on() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let one = framed(idp, "https://rp.gov.vn", "/out");
    let two = framed(idp, "https://rp.gov.vn:8443", "/out?tenant=1");
    let (deaf, elsewhere) = (idp.confidential(), framed(idp, "https://other.gov.vn", "/out"));
    let first = idp.tokens(&visitor, &one, Ask::of(&one), &holder).await;
    let second = idp.tokens(&visitor, &two, Ask::of(&two), &holder).await;
    idp.tokens(&visitor, &deaf, Ask::of(&deaf), &holder).await;
    idp.tokens(&idp.visitor(), &elsewhere, Ask::of(&elsewhere), &holder).await;
    let fields = [
        ("id_token_hint", first.id_token()),
        ("post_logout_redirect_uri", BYE),
        ("state", "s 1"),
        ("ui_locales", "en"),
    ];
    let at = visitor.open(&format!("/end-session?{}", encode(&pairs(&fields)))).await;
    let page = at.page();
    assert_eq!((page.name(), at.url.path(), page.language()), ("signed-out", "/signed-out", "en"));
    let expected = vec![
        address(idp, "https://rp.gov.vn/out?", &jwt::claims(first.id_token())),
        address(idp, "https://rp.gov.vn:8443/out?tenant=1&", &jwt::claims(second.id_token())),
    ];
    let mut sorted = expected.clone();
    sorted.sort();
    assert_eq!(frames(&at), sorted);
    assert_eq!(frame_src(&at).as_deref(), Some("https://rp.gov.vn https://rp.gov.vn:8443"));
    assert_eq!(at.header("x-frame-options"), Some("DENY"));
    // Without scripts there is the link; with them one of our own goes on.
    assert_eq!(page.by_id("continue").unwrap().attribute("href"), Some("https://rp.gov.vn/bye?state=s+1"));
    let script = page.all("script").find_map(|script| script.attribute("src")).unwrap().to_owned();
    assert!(visitor.get(&script).await.body.contains("location.replace"));
    // Opened again, it does the same again; the session is gone all the same.
    assert_eq!(frames(&visitor.get(at.url.as_str()).await), sorted);
    let probe = Ask::of(&deaf).with("prompt", "none");
    assert_eq!(visitor.get(&probe.target()).await.returned().unwrap().get("error"), Some("login_required"));
}

#[tokio::test]
async fn without_an_address_to_return_to_the_page_stays() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let client = framed(idp, "https://rp.gov.vn", "/out");
    idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let asked = visitor.open("/end-session").await;
    assert!(frames(&asked).is_empty(), "nobody is told before the holder confirmed");
    let done = visitor.submit(&asked, &asked.page().press("confirm", &[], &[])).await;
    assert_eq!((done.page().name(), frames(&done).len()), ("signed-out", 1));
    assert!(!done.page().has("continue") && done.page().all("script").next().is_none());
}

#[tokio::test]
async fn without_such_clients_sign_out_is_direct_and_a_strangers_page_is_plain() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let client = idp.confidential();
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let fields = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", BYE)];
    let answer = visitor.get(&format!("/end-session?{}", encode(&pairs(&fields)))).await;
    assert_eq!(answer.returned().map(|returned| returned.address).as_deref(), Some(BYE));
    for target in ["/signed-out", "/signed-out?sign_out=", "/signed-out?sign_out=unknown", "/signed-out?sign_out=%00"] {
        let plain = visitor.get(target).await;
        assert_eq!((plain.status, plain.page().name(), frames(&plain).len()), (200, "signed-out", 0), "{target}");
        assert_eq!(frame_src(&plain), None);
    }
}
