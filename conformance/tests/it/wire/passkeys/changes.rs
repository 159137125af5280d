//! What a passkey takes and brings about: a fresh proof, a notice, the end of other sessions; and what it counts for.

use serde_json::{Value, json};

use super::{enrolled, holder_with_passkey, sign_in};
use crate::support::ask::Ask;
use crate::support::authenticator::{self, Authenticator, posted};
use crate::support::door::{Reply, door};
use crate::support::flow::{Will, sign_in_form};
use crate::support::holder::{Holder, first_six_digits, record};
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::sandbox::Sandbox;

#[tokio::test]
async fn n_24_a_password_alone_adds_and_removes_nothing() {
    let idp = Sandbox::shared();
    let (holder, _) = holder_with_passkey(idp).await;
    let visitor = idp.visitor();
    let at = visitor.open("/identity").await;
    let at = idp.sign_in(&visitor, &at, &holder).await;
    assert_eq!(at.page().name(), "identity");
    for page in ["/new-passkey", "/new-totp"] {
        assert_eq!(visitor.open(page).await.page().name(), "otp", "{page} asks for the second factor");
    }
    let page = at.page();
    let remove = page.all("button").find(|button| button.attribute("name") == Some("remove_passkey")).unwrap();
    let remove = remove.attribute("id").unwrap().to_owned();
    let asked = visitor.submit(&at, &at.page().press(&remove, &[], &[])).await;
    assert_eq!(asked.page().name(), "otp");
    assert_eq!(idp.trail_count(&holder, "passkey_removed"), 0);
    // Confirmed, and asked for once more.
    let confirmed = idp.enter_otp(&visitor, &asked, &holder).await;
    assert_eq!(confirmed.page().name(), "identity");
    let gone = visitor.submit(&confirmed, &confirmed.page().press(&remove, &[], &[])).await;
    assert!(!gone.page().has(&remove), "{}", gone.page().text);
    assert_eq!(idp.trail_count(&holder, "passkey_removed"), 1);
    // One who has nothing but a password is told so.
    let bare = idp.holder(
        2,
        json!({"account": {"level": 2, "state": "activated", "password": "một mật khẩu dài", "phone": null}}),
    );
    let bare = Holder { password: "một mật khẩu dài".to_owned(), ..bare };
    let visitor = idp.visitor();
    let at = visitor.open("/new-passkey").await;
    let at = idp.sign_in(&visitor, &at, &bare).await;
    assert_eq!(at.page().name(), "identity");
    assert!(at.url.query().unwrap_or_default().contains("out_of_reach"), "{}", at.url);
}

#[tokio::test]
async fn lg_38_a_change_is_told_at_once_and_ends_other_sessions_and_offline_access() {
    let idp = Sandbox::shared();
    let client = idp.client(
        json!({"scope": "openid profile offline_access", "grant_types": ["authorization_code", "refresh_token"]}),
    );
    let (holder, elsewhere) = (idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile offline_access");
    let tokens = idp.tokens(&elsewhere, &client, ask, &holder).await;
    let refreshed = client.refresh(tokens.refresh()).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let refresh = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(elsewhere.open("/identity").await.page().name(), "identity");
    let device = enrolled(idp, &holder, Authenticator::new(&idp.issuer)).await;
    assert_eq!(client.refresh(&refresh).await.status, 400, "what went on while away has ended");
    assert_eq!(elsewhere.open("/identity").await.page().name(), "sign-in", "the other session has ended");
    let told = idp.messages(&holder.phone).await;
    assert!(told[0].contains("passkey") && told[0].contains("Neu khong phai ban"), "{}", told[0]);
    let good = sign_in(idp, &client, |options| device.prove(options, |_| {}).json()).await;
    assert!(good.returned().is_some() || good.page().name() == "consent");
}

#[tokio::test]
async fn a_passkey_has_a_name_of_its_holders() {
    let idp = Sandbox::shared();
    let (holder, _) = holder_with_passkey(idp).await;
    let visitor = idp.visitor();
    let at = visitor.open("/identity").await;
    let at = idp.sign_in(&visitor, &at, &holder).await;
    let page = at.page();
    let rename = page.all("button").find(|button| button.attribute("name") == Some("rename_passkey")).unwrap();
    let (button, id) = (rename.attribute("id").unwrap(), rename.attribute("value").unwrap());
    let form = page.press(button, &[(&format!("label-{id}"), "Máy <của> tôi")], &[]);
    let after = visitor.submit(&at, &form).await;
    assert!(after.page().text.contains("Máy <của> tôi") && !after.body.contains("Máy <của>"), "{}", after.page().text);
    assert_eq!(idp.trail_count(&holder, "passkey_renamed"), 1);
    // Another's passkey is nobody's business.
    let (_, stranger) = (idp.citizen(), idp.citizen());
    let other = idp.visitor();
    let at = other.open("/identity").await;
    let at = idp.sign_in(&other, &at, &stranger).await;
    let mut form = at.page().press("sign-out-everywhere", &[], &[]);
    form.remove("everywhere");
    form.set("rename_passkey", id);
    form.set("label", "gone");
    other.submit(&at, &form).await;
    assert_eq!(idp.trail_count(&holder, "passkey_renamed"), 1);
    assert_eq!(idp.trail_count(&stranger, "passkey_renamed"), 0);
}

#[tokio::test]
async fn lg_29_where_policy_says_so_a_synced_passkey_counts_for_one() {
    let gateway = door(|_, _| Reply::Status(200));
    let port = port::one();
    let config =
        format!("[factors]\nsynced_passkeys = \"level-1\"\n[sms]\nkind = \"http\"\nurl = \"{}\"\n", gateway.at("/sms"));
    let idp = Provider::plain(port, &config);
    let (record, holder) = record(2, json!({}));
    idp.import(&record);
    let client = idp.public(json!({"vn_min_auth_level": 2}));
    let low = idp.public(json!({}));
    let visitor = idp.visitor();
    let at = visitor.open("/new-passkey").await;
    let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    let sent = gateway.hears(1, std::time::Duration::from_secs(30)).await;
    let text: Value = serde_json::from_str(&sent.last().unwrap().body).unwrap();
    let code = first_six_digits(text["text"].as_str().unwrap());
    let at = visitor.submit(&at, &at.page().press("submit", &[("otp", &code)], &[])).await;
    let mut devices = [Authenticator::new(&idp.issuer).synced(), Authenticator::new(&idp.issuer)];
    for device in &mut devices {
        let at = visitor.open("/new-passkey").await;
        let made = device.make(&authenticator::options(&at.page()), |_| {});
        let done = visitor.submit(&at, &posted(&at.page(), &made.json())).await;
        assert_eq!(done.page().name(), "identity", "{}", done.page().text);
    }
    drop(at);
    for (device, client, expected) in
        [(&devices[0], &low, ""), (&devices[0], &client, "sign-in"), (&devices[1], &client, "")]
    {
        let visitor = idp.visitor();
        let at = visitor.open(&Ask::of(client).target()).await;
        let answer = device.prove(&authenticator::options(&at.page()), |_| {}).json();
        let end = visitor.submit(&at, &posted(&at.page(), &answer)).await;
        let page = if end.returned().is_some() { String::new() } else { end.page().name().to_owned() };
        assert_eq!(page, expected, "{}", end.page().text);
        if page == "sign-in" {
            // The password beside it makes two.
            let end = visitor.submit(&end, &sign_in_form(&end, &holder.number, &holder.password)).await;
            assert!(end.returned().is_some(), "{}", end.page().text);
        }
    }
}

#[tokio::test]
async fn a_transaction_is_approved_with_a_passkey_of_its_own_sign_in() {
    let idp = Sandbox::shared();
    let (holder, device) = holder_with_passkey(idp).await;
    let client = idp.client(json!({"authorization_details_types": ["vn_transaction"]}));
    let details = json!([{"type": "vn_transaction", "identifier": format!("T-{}", crate::support::next()), "text": {"vi": "Nộp lệ phí"}}]);
    let ask = || Ask::of(&client).with("authorization_details", &details.to_string());
    let visitor = idp.visitor();
    let at = visitor.open(&ask().target()).await;
    let answer = device.prove(&authenticator::options(&at.page()), |_| {}).json();
    let at = visitor.submit(&at, &posted(&at.page(), &answer)).await;
    assert_eq!(at.page().name(), "transaction", "{}", at.page().text);
    // The next one asks again, though the session stands at level 2.
    let again = visitor.open(&ask().target()).await;
    assert_eq!(again.page().name(), "sign-in", "{}", again.page().text);
    let end = idp.walk(&visitor, again, &holder, Will::AllowAll).await;
    assert_eq!(end.page().name(), "transaction", "{}", end.page().text);
}
