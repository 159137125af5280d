//! Passkeys (LG-13, LG-22 to LG-29, LK-07, N-04, N-24): every step of WebAuthn §7.1 and §7.2 with an answer that breaks
//! it, beside one that does not.

mod changes;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::authenticator::{self, Authenticator, BACKED_UP, PRESENT, Parts, SYNCED, Said, VERIFIED, posted};
use crate::support::flow::{redeemed, sign_in_form};
use crate::support::holder::{Holder, record};
use crate::support::jwt::claims;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

/// The page for a new passkey, with whatever must be proved on the way.
pub async fn new_passkey_page(idp: &Sandbox, visitor: &Visitor, holder: &Holder) -> Answer {
    let mut at = visitor.open("/new-passkey").await;
    if at.page().name() == "sign-in" {
        at = idp.sign_in(visitor, &at, holder).await;
    }
    if at.page().name() == "otp" {
        at = idp.enter_otp(visitor, &at, holder).await;
    }
    assert_eq!(at.page().name(), "new-passkey", "{}", at.page().text);
    at
}

/// Makes a passkey of this holder.
pub async fn enrolled(idp: &Sandbox, holder: &Holder, mut device: Authenticator) -> Authenticator {
    let visitor = idp.visitor();
    let at = new_passkey_page(idp, &visitor, holder).await;
    let made = device.make(&authenticator::options(&at.page()), |_| {});
    let after = visitor.submit(&at, &posted(&at.page(), &made.json())).await;
    assert_eq!(after.page().name(), "identity", "{}", after.page().text);
    device
}

async fn holder_with_passkey(idp: &Sandbox) -> (Holder, Authenticator) {
    let holder = idp.citizen();
    let device = enrolled(idp, &holder, Authenticator::new(&idp.issuer)).await;
    (holder, device)
}

/// Answers a sign-in page's challenge.
async fn sign_in(idp: &Sandbox, client: &RelyingParty, answer: impl FnOnce(&Value) -> Value) -> Answer {
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(client).target()).await;
    let answer = answer(&authenticator::options(&at.page()));
    visitor.submit(&at, &posted(&at.page(), &answer)).await
}

fn is_refused(answer: &Answer) -> bool {
    let page = answer.page();
    answer.returned().is_none() && page.name() == "sign-in" && page.has("passkey-problem")
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_number_at_level_two() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"scope": "openid", "vn_min_auth_level": 2, "vn_min_account_level": 2}));
    for (device, key) in [(Authenticator::new(&idp.issuer), "hwk"), (Authenticator::new(&idp.issuer).synced(), "swk")] {
        let holder = idp.citizen();
        let device = enrolled(idp, &holder, device).await;
        let (visitor, ask) = (idp.visitor(), Ask::of(&client));
        let at = visitor.open(&ask.target()).await;
        let options = authenticator::options(&at.page());
        assert_eq!(options["userVerification"], json!("required"));
        assert_eq!(options["allowCredentials"], json!([]), "nobody is named before somebody is known");
        let sms = idp.messages(&holder.phone).await.len();
        let end = visitor.submit(&at, &posted(&at.page(), &device.prove(&options, |_| {}).json())).await;
        let code = end.returned().unwrap_or_else(|| panic!("{}", end.page().text)).code();
        let token = claims(redeemed(&client, ask, code).await.id_token());
        assert_eq!(token["acr"], json!("urn:vn:eid:muc:2"));
        let mut amr: Vec<&str> = token["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        amr.sort_unstable();
        let mut expected = vec![key, "mfa", "pop", "user"];
        expected.sort_unstable();
        assert_eq!(amr, expected);
        assert_eq!(idp.messages(&holder.phone).await.len(), sms, "no code was sent");
    }
}

#[tokio::test]
async fn lg_22_to_26_an_assertion_with_one_thing_wrong_is_refused() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (_, device) = holder_with_passkey(idp).await;
    let port = idp.issuer.rsplit(':').next().unwrap().to_owned();
    type Before = fn(&mut Parts, &str);
    let before: [(&str, Before); 17] = [
        ("another origin", |p, _| p.client["origin"] = json!("https://evil.vn")),
        ("a sub-domain", |p, port| p.client["origin"] = json!(format!("http://id.localhost:{port}"))),
        ("another scheme", |p, port| p.client["origin"] = json!(format!("https://localhost:{port}"))),
        ("another port", |p, _| p.client["origin"] = json!("http://localhost:1")),
        ("no port", |p, _| p.client["origin"] = json!("http://localhost")),
        ("in another's frame", |p, _| p.client["crossOrigin"] = json!(true)),
        ("below another's page", |p, _| p.client["topOrigin"] = json!("https://evil.vn")),
        ("a registration's type", |p, _| p.client["type"] = json!("webauthn.create")),
        ("another challenge", |p, _| p.client["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("for another relying party", |p, _| p.rp = "evil.vn".to_owned()),
        ("nobody present", |p, _| p.flags &= !PRESENT),
        ("LG-23 nobody verified", |p, _| p.flags &= !VERIFIED),
        ("suddenly synced", |p, _| p.flags |= SYNCED),
        ("backed up and bound", |p, _| p.flags |= BACKED_UP),
        ("with a key", |p, _| p.flags |= 0x40),
        ("bytes behind", |p, _| p.tail = vec![0]),
        ("a key nobody has", |p, _| p.id = vec![7; 32]),
    ];
    for (name, change) in before {
        let answer = sign_in(idp, &client, |options| device.prove(options, |parts| change(parts, &port)).json()).await;
        assert!(is_refused(&answer), "{name}: {}", answer.page().text);
    }
    type After = fn(&mut Said);
    let after: [(&str, After); 9] = [
        ("LG-25 no user handle", |s| s.handle = None),
        ("LG-25 another user handle", |s| s.handle = Some(vec![9; 16])),
        ("a user handle of another form", |s| s.handle = Some(b"099090000001".to_vec())),
        ("LG-26 altered authenticator data", |s| s.data[36] ^= 1),
        ("LG-26 altered client data", |s| s.client.push(b' ')),
        ("LG-26 an altered signature", |s| *s.signature.last_mut().unwrap() ^= 1),
        ("LG-26 bytes behind the signature", |s| s.signature.push(0)),
        ("no signature to speak of", |s| s.signature = vec![0x30, 0]),
        ("cut short", |s| s.data.truncate(36)),
    ];
    for (name, change) in after {
        let answer = sign_in(idp, &client, |options| {
            let mut said = device.prove(options, |_| {});
            change(&mut said);
            said.json()
        });
        assert!(is_refused(&answer.await), "{name}");
    }
    type Json = fn(&mut Value);
    let json: [(&str, Json); 6] = [
        ("two ids", |a| a["id"] = json!("AAAAAAAAAAAAAAAAAAAAAAAA")),
        ("another type", |a| a["type"] = json!("password")),
        ("no object", |a| *a = json!([1])),
        ("nothing", |a| *a = Value::Null),
        ("no response", |a| a["response"] = json!({})),
        ("padding", |a| a["response"]["signature"] = json!("AAAA====")),
    ];
    for (name, change) in json {
        let answer = sign_in(idp, &client, |options| {
            let mut answer = device.prove(options, |_| {}).json();
            change(&mut answer);
            answer
        });
        assert!(is_refused(&answer.await), "{name}");
    }
    // Another's key, the same words.
    let stranger =
        Authenticator { id: device.id.clone(), handle: device.handle.clone(), ..Authenticator::new(&idp.issuer) };
    assert!(is_refused(&sign_in(idp, &client, |options| stranger.prove(options, |_| {}).json()).await));
    // LG-26: either way of writing a signature is one; a challenge is answered once all the same.
    for turn in 0..2 {
        let good = sign_in(idp, &client, |options| {
            let mut said = device.prove(options, |_| {});
            if turn == 1 {
                said.signature = authenticator::other_s(&said.signature);
            }
            said.json()
        });
        assert!(good.await.returned().is_some(), "the same passkey, nothing wrong");
    }
}

#[tokio::test]
async fn a_count_that_does_not_grow_is_refused() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (_, device) = holder_with_passkey(idp).await;
    for (count, good) in [(0, true), (5, true), (5, false), (4, false), (0, false), (6, true), (7, true)] {
        let answer = sign_in(idp, &client, |options| device.prove(options, |parts| parts.count = count).json()).await;
        assert_eq!(answer.returned().is_some(), good, "{count}");
    }
}

#[tokio::test]
async fn n_04_a_challenge_is_answered_once_and_where_it_was_put() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (_, device) = holder_with_passkey(idp).await;
    let (one, two, ask) = (idp.visitor(), idp.visitor(), Ask::of(&client));
    let (at, elsewhere) = (one.open(&ask.target()).await, two.open(&ask.target()).await);
    let answer = device.prove(&authenticator::options(&at.page()), |_| {}).json();
    // In another browser, and under the challenge of another page.
    let mut carried = posted(&elsewhere.page(), &answer);
    assert!(is_refused(&two.submit(&elsewhere, &carried).await));
    let form = posted(&at.page(), &answer);
    carried.set("ceremony", &form.fields.iter().find(|(name, _)| name == "ceremony").unwrap().1);
    assert!(is_refused(&two.submit(&elsewhere, &carried).await), "another browser's challenge");
    // In another interaction of the same browser.
    let third = one.open(&Ask::of(&client).target()).await;
    let mut moved = posted(&third.page(), &answer);
    moved.set("ceremony", &form.fields.iter().find(|(name, _)| name == "ceremony").unwrap().1);
    assert!(is_refused(&one.submit(&third, &moved).await), "another interaction's challenge");
    assert!(one.submit(&at, &form).await.returned().is_some());
    // The interaction is over; and a wrong answer spends a challenge as well as a right one.
    let at = one.open(&Ask::of(&client).with("prompt", "login").target()).await;
    let options = authenticator::options(&at.page());
    let wrong = device.prove(&options, |parts| parts.flags &= !VERIFIED).json();
    assert!(is_refused(&one.submit(&at, &posted(&at.page(), &wrong)).await));
    let right = device.prove(&options, |_| {}).json();
    assert!(is_refused(&one.submit(&at, &posted(&at.page(), &right)).await), "spent");
}

#[tokio::test]
async fn d1_of_fifty_with_one_assertion_one_signs_in() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (holder, device) = holder_with_passkey(idp).await;
    let visitor = Arc::new(idp.visitor());
    let at = visitor.open(&Ask::of(&client).target()).await;
    let form = posted(&at.page(), &device.prove(&authenticator::options(&at.page()), |_| {}).json());
    let before = idp.trail_count(&holder, "sign_in");
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let (visitor, at, form) = (Arc::clone(&visitor), at.clone(), form.clone());
        all.spawn(async move { visitor.submit_once(&at, &form, &[]).await.returned().is_some() });
    }
    assert_eq!(all.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(idp.trail_count(&holder, "sign_in"), before + 1);
}

#[tokio::test]
async fn lg_28_a_registration_with_one_thing_wrong_is_refused() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let visitor = idp.visitor();
    type Before = fn(&mut Parts);
    let rows: [(&str, Before); 15] = [
        ("another origin", |p| p.client["origin"] = json!("https://evil.vn")),
        ("in another's frame", |p| p.client["crossOrigin"] = json!(true)),
        ("below another's page", |p| p.client["topOrigin"] = json!("https://evil.vn")),
        ("an assertion's type", |p| p.client["type"] = json!("webauthn.get")),
        ("another challenge", |p| p.client["challenge"] = json!("AAAA")),
        ("for another relying party", |p| p.rp = "evil.vn".to_owned()),
        ("nobody present", |p| p.flags &= !PRESENT),
        ("nobody verified", |p| p.flags &= !VERIFIED),
        ("backed up and bound", |p| p.flags |= BACKED_UP),
        ("an id too long", |p| p.id = vec![1; 1024]),
        ("an id too short", |p| p.id = vec![1; 8]),
        ("an algorithm not offered", |p| p.alg = vec![0x27]),
        ("an unknown format", |p| p.fmt = "other".to_owned()),
        ("a format not taken", |p| p.fmt = "tpm".to_owned()),
        ("bytes behind", |p| p.tail = vec![0]),
    ];
    let mut at = new_passkey_page(idp, &visitor, &holder).await;
    for (name, change) in rows {
        let mut device = Authenticator::new(&idp.issuer);
        let made = device.make(&authenticator::options(&at.page()), change);
        at = visitor.submit(&at, &posted(&at.page(), &made.json())).await;
        assert!(at.page().name() == "new-passkey" && at.page().has("problem"), "{name}: {}", at.page().text);
    }
    type After = fn(&mut Said);
    let deep: After = |s| s.data = [vec![0x81; 7_000], vec![1]].concat();
    let rows: [(&str, After); 5] = [
        ("a CBOR bomb by depth", deep),
        ("a CBOR bomb by length", |s| s.data = vec![0xa3, 0x63, b'f', b'm', b't', 0x9a, 0xff, 0xff, 0xff, 0xff]),
        ("a byte string of four gigabytes", |s| s.data = vec![0x5a, 0xff, 0xff, 0xff, 0xff]),
        ("bytes behind the object", |s| s.data.push(0)),
        ("another id outside", |s| s.id = vec![3; 32]),
    ];
    for (name, change) in rows {
        let mut made = Authenticator::new(&idp.issuer).make(&authenticator::options(&at.page()), |_| {});
        change(&mut made);
        let began = std::time::Instant::now();
        at = visitor.submit(&at, &posted(&at.page(), &made.json())).await;
        assert!(at.page().name() == "new-passkey" && at.page().has("problem"), "{name}: {}", at.page().text);
        assert!(began.elapsed().as_secs() < 5, "{name}");
    }
    assert_eq!(idp.trail_count(&holder, "passkey_added"), 0);
    // The longest id there may be, and nothing wrong.
    let mut device = Authenticator::new(&idp.issuer);
    device.id = vec![5; 1023];
    let made = device.make(&authenticator::options(&at.page()), |_| {});
    let done = visitor.submit(&at, &posted(&at.page(), &made.json())).await;
    assert_eq!(done.page().name(), "identity", "{}", done.page().text);
    assert_eq!(idp.trail_count(&holder, "passkey_added"), 1);
    // Registered to this holder: the browser is told to leave it out, and it is refused all the same; to another, too.
    let at = new_passkey_page(idp, &visitor, &holder).await;
    let options = authenticator::options(&at.page());
    assert_eq!(options["excludeCredentials"].as_array().map(Vec::len), Some(1));
    let again = device.clone().make(&options, |_| {});
    let at = visitor.submit(&at, &posted(&at.page(), &again.json())).await;
    assert!(at.page().has("problem"));
    let (other, elsewhere) = (idp.citizen(), idp.visitor());
    let at = new_passkey_page(idp, &elsewhere, &other).await;
    let taken = device.clone().make(&authenticator::options(&at.page()), |_| {});
    let at = elsewhere.submit(&at, &posted(&at.page(), &taken.json())).await;
    assert!(at.page().has("problem"), "{}", at.page().text);
    assert_eq!(idp.trail_count(&other, "passkey_added"), 0);
}

#[tokio::test]
async fn lg_13_the_user_handle_is_random_and_no_challenge_serves_another_purpose() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (holder, device) = holder_with_passkey(idp).await;
    let handle = device.handle.clone().unwrap();
    assert_eq!(handle.len(), 16);
    assert!(!holder.number.as_bytes().windows(12).any(|number| handle.windows(12).any(|part| part == number)));
    // A registration's challenge, signed as a sign-in.
    let (visitor, other) = (idp.visitor(), idp.visitor());
    let page = new_passkey_page(idp, &visitor, &holder).await;
    let options = authenticator::options(&page.page());
    assert_eq!(options["authenticatorSelection"]["residentKey"], json!("required"));
    assert_eq!(options["authenticatorSelection"]["userVerification"], json!("required"));
    assert_eq!(options["attestation"], json!("none"));
    assert!(!options.to_string().contains(&holder.number), "the number is masked on the device");
    let mut for_sign_in = options.clone();
    for_sign_in["rpId"] = options["rp"]["id"].clone();
    let answer = device.prove(&for_sign_in, |_| {}).json();
    let at = other.open(&Ask::of(&client).target()).await;
    let ceremony = posted(&page.page(), &json!({})).fields.into_iter().find(|(name, _)| name == "ceremony").unwrap().1;
    let mut form = posted(&at.page(), &answer);
    form.set("ceremony", &ceremony);
    assert!(is_refused(&other.submit(&at, &form).await));
}

#[tokio::test]
async fn lk_07_a_locked_holder_is_told_as_with_a_password() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (holder, device) = holder_with_passkey(idp).await;
    let good = sign_in(idp, &client, |options| device.prove(options, |_| {}).json()).await;
    assert!(good.returned().is_some());
    idp.lock(&holder);
    let locked = sign_in(idp, &client, |options| device.prove(options, |_| {}).json()).await;
    assert_eq!((locked.page().name(), locked.returned().is_some()), ("locked", false), "{}", locked.page().text);
    idp.unlock(&holder);
    let back = sign_in(idp, &client, |options| device.prove(options, |_| {}).json()).await;
    assert!(back.returned().is_some());
}

/// The holder's record without a phone.
fn without_phone(idp: &Sandbox, holder: &Holder) {
    let (mut record, _) = record(2, json!({}));
    record["person_number"] = json!(holder.number);
    record["account"] = json!({"level": 2, "state": "activated", "password": holder.password});
    idp.import(&[record]);
}

#[tokio::test]
async fn a_passkey_is_the_second_factor_of_one_without_a_phone() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"scope": "openid", "vn_min_auth_level": 2}));
    let (holder, device) = holder_with_passkey(idp).await;
    let (other, strange) = holder_with_passkey(idp).await;
    without_phone(idp, &holder);
    let (visitor, ask) = (idp.visitor(), Ask::of(&client));
    let at = visitor.open(&ask.target()).await;
    let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    assert_eq!(at.page().name(), "passkey", "{}", at.page().text);
    let options = authenticator::options(&at.page());
    assert_eq!(options["allowCredentials"].as_array().map(Vec::len), Some(1));
    // LG-25: another holder's passkey in this holder's session, whatever it says of itself.
    for handle in [strange.handle.clone(), device.handle.clone(), None] {
        let at = visitor.open(&format!("/passkey?{}", at.url.query().unwrap())).await;
        let options = authenticator::options(&at.page());
        let borrowed = Authenticator { handle, ..strange.clone() };
        let refused = visitor.submit(&at, &posted(&at.page(), &borrowed.prove(&options, |_| {}).json())).await;
        assert!(refused.returned().is_none() && refused.page().has("problem"), "{}", refused.page().text);
    }
    let at = visitor.open(&format!("/passkey?{}", at.url.query().unwrap())).await;
    // The user handle may be left out where the holder is known (§7.2 step 6).
    let own = Authenticator { handle: None, ..device.clone() };
    let done =
        visitor.submit(&at, &posted(&at.page(), &own.prove(&authenticator::options(&at.page()), |_| {}).json())).await;
    let code = done.returned().unwrap_or_else(|| panic!("{}", done.page().text)).code();
    let token = claims(redeemed(&client, ask, code).await.id_token());
    assert_eq!(token["vn_auth_level"].as_i64().unwrap_or(2), 2);
    assert!(
        token["amr"].as_array().unwrap().contains(&json!("hwk"))
            && token["amr"].as_array().unwrap().contains(&json!("pwd"))
    );
    assert_eq!(idp.trail_count(&other, "step_up"), 1, "only what its own registration took");
}
