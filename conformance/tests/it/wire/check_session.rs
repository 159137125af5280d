//! OpenID Connect Session Management 1.0: `session_state` in every answer, and the frame that compares it.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::ask::Ask;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Returned, Visitor, encode, pairs};

const STATE: &str = "idp_state";

fn browser_state(visitor: &Visitor) -> String {
    visitor.cookies().get(STATE).cloned().unwrap_or_default()
}

/// What the frame would answer this client's page.
fn compare(visitor: &Visitor, client: &RelyingParty, origin: &str, session_state: &str) -> &'static str {
    let (hash, salt) = session_state.split_once('.').unwrap();
    let now = Sha256::digest(format!("{} {origin} {} {salt}", client.id, browser_state(visitor)));
    let now: String = now.iter().map(|byte| format!("{byte:02x}")).collect();
    if now == hash { "unchanged" } else { "changed" }
}

fn stated(returned: &Returned) -> String {
    let state = returned.get("session_state").unwrap_or_else(|| panic!("no session_state: {returned:?}")).to_owned();
    assert!(!state.contains(' '));
    state
}

#[tokio::test]
async fn session_management_3_every_answer_states_the_session_as_it_is() {
    let idp = Sandbox::shared();
    let (client, other, holder, visitor) = (idp.confidential(), idp.confidential(), idp.citizen(), idp.visitor());
    let origin = "https://rp.gov.vn";
    // Before anybody signed in, errors state that too.
    let silent = Ask::of(&client).with("prompt", "none");
    let nobody = stated(&visitor.get(&silent.target()).await.returned().unwrap());
    assert_eq!(compare(&visitor, &client, origin, &nobody), "unchanged");
    let first = stated(&idp.authorize(&visitor, &Ask::of(&client), &holder).await);
    assert_eq!(compare(&visitor, &client, origin, &first), "unchanged", "the answer knows the cookie it came with");
    assert_eq!(compare(&visitor, &client, origin, &nobody), "changed");
    assert_eq!(compare(&visitor, &client, "https://other.gov.vn", &first), "changed");
    assert_eq!(compare(&visitor, &other, origin, &first), "changed");
    // A silent answer, an error of another kind and one by form are stated alike, each under a salt of its own.
    let again = stated(&visitor.get(&silent.target()).await.returned().unwrap());
    assert!(again != first && compare(&visitor, &client, origin, &again) == "unchanged");
    for ask in [
        Ask::of(&client).with("response_type", "token"),
        Ask::of(&client).scope("openid vn_marital"),
        Ask::of(&client).with("response_mode", "form_post"),
        Ask::of(&client).with("prompt", "none").with("response_mode", "form_post"),
    ] {
        let returned = visitor.get(&ask.target()).await.returned().unwrap();
        assert_eq!(compare(&visitor, &client, origin, &stated(&returned)), "unchanged", "{returned:?}");
    }
    // Another portal's sign-in in the same session, with another factor, changes nothing.
    let demand = json!({"id_token": {"acr": {"essential": true, "value": "urn:vn:eid:muc:2"}}}).to_string();
    idp.authorize(&visitor, &Ask::of(&other).with("claims", &demand), &holder).await;
    assert_eq!(compare(&visitor, &client, origin, &first), "unchanged");
    super::logout::sign_out(&visitor).await;
    assert_eq!(compare(&visitor, &client, origin, &first), "changed", "sign-out");
    // The next sign-in is another one, the same person's too.
    let second = stated(&idp.authorize(&visitor, &Ask::of(&client), &holder).await);
    assert_eq!(compare(&visitor, &client, origin, &first), "changed");
    assert_eq!(compare(&visitor, &client, origin, &second), "unchanged");
    let newcomer = Ask::of(&client).with("prompt", "login");
    idp.authorize(&visitor, &newcomer, &idp.citizen()).await;
    assert_eq!(compare(&visitor, &client, origin, &second), "changed", "another person");
}

#[tokio::test]
async fn a_plain_oauth_client_is_told_no_session_state() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"scope": "reports.read"}));
    let returned = idp.authorize(&idp.visitor(), &Ask::of(&client).scope("reports.read"), &idp.citizen()).await;
    assert_eq!(returned.get("session_state"), None, "{returned:?}");
}

#[tokio::test]
async fn session_management_3_2_the_cookie_is_for_scripts_and_gives_no_right() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let at = visitor.open(&Ask::of(&client).target()).await;
    assert!(at.cookies_named(STATE).is_empty(), "who has not signed in gets none");
    let form = crate::support::flow::sign_in_form(&at, &holder.number, &holder.password);
    let answer = visitor.submit_once(&at, &form, &[]).await;
    let [cookie] = answer.cookies_named(STATE).try_into().unwrap();
    for attribute in ["Secure", "SameSite=None", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("HttpOnly") && !cookie.contains("Max-Age"), "{cookie}");
    // Alone it is nobody's session; and a strange one harms none.
    let thief = idp.visitor();
    thief.set_cookies([(STATE.to_owned(), browser_state(&visitor))].into());
    let silent = Ask::of(&client).with("prompt", "none");
    assert_eq!(thief.get(&silent.target()).await.returned().unwrap().get("error"), Some("login_required"));
    let mut cookies = visitor.cookies();
    cookies.insert(STATE.to_owned(), "\"><script>".to_owned());
    visitor.set_cookies(cookies);
    assert!(visitor.get(&silent.target()).await.returned().unwrap().get("code").is_some());
    let dropped = visitor.post("/end-session", &[], &[]).await;
    assert!(dropped.cookies_named(STATE).is_empty(), "not before it is confirmed");
}

#[tokio::test]
async fn session_management_3_3_the_frame_may_be_framed_and_runs_in_old_browsers() {
    let idp = Sandbox::shared();
    let visitor = idp.visitor();
    let metadata = visitor.get("/.well-known/openid-configuration").await.json();
    let frame = visitor.get(metadata["check_session_iframe"].as_str().unwrap()).await;
    assert_eq!(frame.status, 200);
    assert!(frame.header("content-type").unwrap().starts_with("text/html"));
    assert!(frame.header("x-frame-options").is_none());
    let policy = frame.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors *") && policy.contains("default-src 'none'"), "{policy}");
    assert!(frame.header("set-cookie").is_none());
    let script = frame.page().all("script").find_map(|script| script.attribute("src")).unwrap().to_owned();
    let script = visitor.get(&script).await;
    assert_eq!(script.status, 200);
    for newer in ["=>", "const ", "let ", "await", "crypto.subtle", "`"] {
        assert!(!script.body.contains(newer), "{newer}");
    }
    assert_eq!(visitor.post("/check-session", &[], &[]).await.status, 405);
}

#[tokio::test]
async fn ui_locales_and_logout_hint_go_through_the_pages() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    let fields = [("ui_locales", "en"), ("logout_hint", "whoever"), ("client_id", client.id.as_str()), ("state", "s")];
    let at = visitor.open(&format!("/end-session?{}", encode(&pairs(&fields)))).await;
    assert_eq!((at.page().name(), at.page().language()), ("sign-out", "en"));
    let done = visitor.submit(&at, &at.page().press("confirm", &[], &[])).await;
    assert_eq!((done.page().name(), done.page().language()), ("signed-out", "en"));
    assert!(!done.page().has("continue"));
    let twice = "/end-session?logout_hint=a&logout_hint=b";
    crate::support::verdict::page(&visitor.get(twice).await, 400);
}
