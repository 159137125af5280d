//! Rich authorization requests (RFC 9396) for `vn_transaction`: asked for, shown, approved with a fresh factor, carried.
//! What becomes of an approval is in `spending`.

mod asking;
mod spending;

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Tokens, Will, redeemed};
use crate::support::holder::{Holder, first_six_digits};
use crate::support::relying_party::{RelyingParty, merge};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};
use crate::support::{jwt, next, verdict};

pub(super) fn payer(idp: &Sandbox, patch: Value) -> RelyingParty {
    let mut metadata = json!({"authorization_details_types": ["vn_transaction"]});
    merge(&mut metadata, patch);
    idp.client(metadata)
}

/// A reference nobody else has.
pub(super) fn reference() -> String {
    format!("LP-{}-{}", std::process::id(), next())
}

pub(super) fn details(identifier: &str) -> Value {
    json!([{
        "type": "vn_transaction", "identifier": identifier,
        "text": {"vi": "Nộp lệ phí <b>hộ chiếu</b>.\nHồ sơ & số 12.", "en": "Pay the <b>passport</b> fee.\nDossier & 12."},
        "amount": {"currency": "VND", "value": "1200000"}, "payee": "Cục Quản lý xuất nhập cảnh",
    }])
}

pub(super) fn asking(client: &RelyingParty, details: &Value) -> Ask {
    Ask::of(client).with("authorization_details", &details.to_string())
}

/// Goes to the page on which the transaction is approved.
async fn at_page(idp: &Sandbox, visitor: &Visitor, ask: &Ask, holder: &Holder) -> Answer {
    let first = visitor.open(&ask.target()).await;
    let at = idp.walk(visitor, first, holder, Will::AllowAll).await;
    assert_eq!(at.page().name(), "transaction", "{}", at.body);
    at
}

async fn press(visitor: &Visitor, at: &Answer, button: &str) -> Answer {
    visitor.submit(at, &at.page().press(button, &[], &[])).await
}

async fn approved(idp: &Sandbox, visitor: &Visitor, client: &RelyingParty, ask: Ask, holder: &Holder) -> Tokens {
    let at = at_page(idp, visitor, &ask, holder).await;
    let code = press(visitor, &at, "allow").await.returned().unwrap().code();
    redeemed(client, ask, code).await
}

#[tokio::test]
async fn rfc9396_7_control_what_was_approved_is_carried_and_nothing_is_refreshed() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (payer(idp, json!({})), idp.citizen(), idp.visitor());
    let details = details(&reference());
    let ask = asking(&client, &details).scope("openid profile offline_access");
    let tokens = approved(idp, &visitor, &client, ask, &holder).await;
    assert_eq!(tokens.body["authorization_details"], details, "RFC 9396 section 7: as granted");
    assert_eq!(tokens.body.get("refresh_token"), None, "approved once, so nothing is refreshed");
    assert_eq!(tokens.text("scope"), "openid profile");
    let told = jwt::claims(tokens.id_token());
    assert!(told["amr"].as_array().unwrap().contains(&json!("otp")), "{told}");
    assert_eq!(told.get("authorization_details"), None);
    for (kind, times) in [("transaction_shown", 1), ("transaction_approved", 1), ("authorization_issued", 1)] {
        assert_eq!(idp.trail_count(&holder, kind), times, "{kind}");
    }
    let trail = json!(idp.trail(&holder)).to_string();
    for word in ["hộ chiếu", "1200000", "Cục", details[0]["identifier"].as_str().unwrap()] {
        assert!(!trail.contains(word), "{word} in the trail");
    }
    // A request without one is as it always was.
    let plain = idp.tokens(&visitor, &client, Ask::of(&client).scope("openid offline_access"), &holder).await;
    assert_eq!(plain.body.get("authorization_details"), None);
    assert!(plain.body["refresh_token"].is_string());
}

#[tokio::test]
async fn the_page_shows_it_whole_in_the_holders_language() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    for (language, text, amount) in [
        ("vi", "Nộp lệ phí <b>hộ chiếu</b>. Hồ sơ & số 12.", "1.200.000 đồng"),
        ("en", "Pay the <b>passport</b> fee. Dossier & 12.", "VND 1,200,000"),
    ] {
        let (holder, visitor) = (idp.citizen(), idp.visitor().speaking(language));
        let identifier = reference();
        let at = at_page(idp, &visitor, &asking(&client, &details(&identifier)), &holder).await;
        let page = at.page();
        assert_eq!(page.language(), language);
        for seen in [text, amount, "Cục Quản lý xuất nhập cảnh", identifier.as_str(), holder.name.as_str()] {
            assert!(page.text.contains(seen), "{seen:?} is not on the page: {}", page.text);
        }
        assert!(at.body.contains(".\nHồ sơ &#38; số 12.") || at.body.contains(".\nDossier &#38; 12."), "{}", at.body);
        assert!(page.all("b").next().is_none(), "what the client wrote is text");
        assert!(page.has("allow") && page.has("deny") && page.boxes().is_empty());
    }
    // Where the client wrote Vietnamese only, that is what an English page shows, and says so.
    let mut only = details(&reference());
    only[0]["text"].as_object_mut().unwrap().remove("en");
    let page = at_page(idp, &idp.visitor().speaking("en"), &asking(&client, &only), &idp.citizen()).await.page();
    assert_eq!((page.language(), page.by_id("text").unwrap().attribute("lang")), ("en", Some("vi")));
}

#[tokio::test]
async fn deny_is_access_denied_and_nothing_is_remembered() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (payer(idp, json!({})), idp.citizen(), idp.visitor());
    let details = details(&reference());
    let ask = asking(&client, &details);
    let at = at_page(idp, &visitor, &ask, &holder).await;
    verdict::redirect(&press(&visitor, &at, "deny").await, &client, &ask, "access_denied");
    assert_eq!(
        (idp.trail_count(&holder, "transaction_refused"), idp.trail_count(&holder, "transaction_approved")),
        (1, 0)
    );
    // Pressed again, the other way: that interaction is over.
    verdict::page(&visitor.submit_once(&at, &at.page().press("allow", &[], &[]), &[]).await, 400);
    // A refused reference was not used up.
    approved(idp, &visitor, &client, asking(&client, &details), &holder).await;
}

#[tokio::test]
async fn every_transaction_takes_a_code_of_its_own() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    // Two factors a moment ago count for everything else, and for no transaction.
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let strong = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2");
    idp.tokens(&visitor, &client, strong, &holder).await;
    let silent = asking(&client, &details(&reference())).with("prompt", "none");
    verdict::redirect(&visitor.get(&silent.target()).await, &client, &silent, "interaction_required");
    let nobody = idp.visitor().get(&silent.target()).await;
    verdict::redirect(&nobody, &client, &silent, "login_required");
    let ask = asking(&client, &details(&reference()));
    let at = visitor.open(&ask.target()).await;
    assert_eq!(at.page().name(), "otp", "no password again, but a code");
    // Out of turn the pages lead to the one whose turn it is, and an answer out of turn decides nothing.
    let early = visitor.open(&at.url.as_str().replace("/otp?", "/transaction?")).await;
    assert_eq!(early.page().name(), "otp");
    let at = idp.enter_otp(&visitor, &at, &holder).await;
    assert_eq!(at.page().name(), "transaction");
    assert!(press(&visitor, &at, "allow").await.returned().unwrap().get("code").is_some());
}

#[tokio::test]
async fn a_code_entered_for_something_else_confirms_no_transaction() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    let ask = asking(&client, &details(&reference()));
    let waiting = visitor.open(&ask.target()).await;
    assert_eq!(waiting.page().name(), "otp");
    let own = first_six_digits(&idp.messages(&holder.phone).await[0]);
    // Meanwhile a sign-in begun later, in the same browser, is completed with both factors.
    idp.tokens(&visitor, &client, Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2"), &holder).await;
    let page = visitor.open(waiting.url.as_str()).await;
    assert_eq!(page.page().name(), "otp", "younger than the request, and still not for its sake");
    let at = visitor.submit(&page, &page.page().press("submit", &[("otp", &own)], &[])).await;
    assert_eq!(at.page().name(), "transaction");
    // Nor does it confirm for somebody else who signs in here meanwhile.
    let other = idp.citizen();
    let switch = Ask::of(&client).with("prompt", "login").with("acr_values", "urn:vn:eid:muc:2");
    let first = visitor.open(&switch.target()).await;
    idp.walk(&visitor, first, &other, Will::AllowAll).await.returned().unwrap();
    let stolen = press(&visitor, &at, "allow").await;
    assert_eq!(stolen.page().name(), "otp", "{}", stolen.body);
    assert_eq!(idp.trail_count(&other, "transaction_approved"), 0);
}

#[tokio::test]
async fn who_has_no_second_factor_approves_nothing() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    let holder =
        idp.holder(2, json!({"account": {"level": 2, "state": "activated", "password": "Mật khẩu không điện thoại"}}));
    let holder = Holder { password: "Mật khẩu không điện thoại".to_owned(), ..holder };
    let visitor = idp.visitor();
    let ask = asking(&client, &details(&reference()));
    let first = visitor.open(&ask.target()).await;
    let at = idp.walk(&visitor, first, &holder, Will::AllowAll).await;
    assert_eq!(at.page().name(), "level");
    let answer = crate::support::flow::back_to_client(&visitor, &at).await;
    let returned = verdict::redirect(&answer, &client, &ask, "unmet_authentication_requirements");
    assert!(returned.get("error_description").unwrap().starts_with("authentication_level"), "{returned:?}");
}

#[tokio::test]
async fn it_is_asked_every_time_and_after_consent() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (payer(idp, json!({})), idp.citizen(), idp.visitor());
    let ask = asking(&client, &details(&reference())).scope("openid profile");
    let at = idp.sign_in(&visitor, &visitor.open(&ask.target()).await, &holder).await;
    let at = idp.enter_otp(&visitor, &at, &holder).await;
    assert_eq!(at.page().name(), "consent", "what it may know first");
    let at = press(&visitor, &at, "allow").await;
    assert_eq!(at.page().name(), "transaction", "then the act");
    let first = at.body.clone();
    let code = press(&visitor, &at, "allow").await.returned().unwrap().code();
    redeemed(&client, ask, code).await;
    // The claims are remembered, the act is not; nor does an answer to one page do for another.
    let again = asking(&client, &details(&reference())).scope("openid profile");
    let at = idp.enter_otp(&visitor, &visitor.open(&again.target()).await, &holder).await;
    assert_eq!(at.page().name(), "transaction");
    let mut form = at.page().press("allow", &[], &[]);
    form.set("form_token", crate::support::page::Page::parse(&first).press("allow", &[], &[]).fields[0].1.as_str());
    let refused = visitor.submit_once(&at, &form, &[]).await;
    assert_eq!((refused.status, refused.page().name()), (403, "transaction"));
    assert_eq!(idp.trail_count(&holder, "transaction_approved"), 1);
}

#[tokio::test]
async fn every_prompt_that_shows_pages_ends_with_an_approval() {
    let idp = Sandbox::shared();
    let client = payer(idp, json!({}));
    for prompt in ["login", "consent", "login consent", "select_account"] {
        let (holder, visitor) = (idp.citizen(), idp.visitor());
        idp.tokens(&visitor, &client, Ask::of(&client).scope("openid profile"), &holder).await;
        let ask = asking(&client, &details(&reference())).scope("openid profile").with("prompt", prompt);
        let tokens = approved(idp, &visitor, &client, ask.with("max_age", "0"), &holder).await;
        assert!(tokens.body["authorization_details"].is_array(), "{prompt}");
    }
}

#[tokio::test]
async fn az_20_only_the_browser_and_the_page_that_showed_it_approve() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (payer(idp, json!({})), idp.citizen(), idp.visitor());
    let ask = asking(&client, &details(&reference()));
    let at = at_page(idp, &visitor, &ask, &holder).await;
    let allow = at.page().press("allow", &[], &[]);
    // Another browser, another site, no token, a page in the other language than the token was made for.
    verdict::page(&idp.visitor().submit_once(&at, &allow, &[]).await, 400);
    let foreign =
        visitor.submit_once(&at, &allow, &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]);
    verdict::page(&foreign.await, 403);
    let mut bare = allow.clone();
    bare.remove("form_token");
    assert_eq!(visitor.submit_once(&at, &bare, &[]).await.status, 403);
    let mut other = allow.clone();
    let (token, shown) = allow.fields[0].1.split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    other.set("form_token", &format!("{token}.{}", shown.chars().rev().collect::<String>()));
    assert_eq!(visitor.submit_once(&at, &other, &[]).await.status, 403);
    assert_eq!(idp.trail_count(&holder, "transaction_approved"), 0);
    // Silence is no approval, and what a form says besides changes nothing of what was shown.
    let mut wider = allow;
    wider.set("amount", "9999999");
    wider.set("text", "Khác");
    let code = visitor.submit(&at, &wider).await.returned().unwrap().code();
    let tokens = redeemed(&client, ask, code).await;
    assert_eq!(tokens.body["authorization_details"][0]["amount"]["value"], json!("1200000"));
    let ask = asking(&client, &details(&reference()));
    let at = at_page(idp, &visitor, &ask, &holder).await;
    let mut silent = at.page().press("allow", &[], &[]);
    silent.remove("decision");
    verdict::redirect(&visitor.submit(&at, &silent).await, &client, &ask, "access_denied");
}

#[tokio::test]
async fn the_holder_sees_what_they_approved() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (payer(idp, json!({})), idp.citizen(), idp.visitor());
    let identifier = reference();
    let tokens = approved(idp, &visitor, &client, asking(&client, &details(&identifier)), &holder).await;
    let page = visitor.open("/identity").await.page();
    assert!(page.has("transactions"));
    for seen in ["Nộp lệ phí <b>hộ chiếu</b>. Hồ sơ & số 12.", "1.200.000 đồng", &identifier, "Chưa được sử dụng"]
    {
        assert!(page.text.contains(seen), "{seen}: {}", page.text);
    }
    client.introspect(tokens.access()).await;
    assert!(visitor.open("/identity").await.page().text.contains("Đã được sử dụng lúc"));
    let stranger = idp.visitor();
    idp.tokens(&stranger, &client, Ask::of(&client), &idp.citizen()).await;
    assert!(!stranger.open("/identity").await.page().text.contains(&identifier));
}
