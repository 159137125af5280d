//! Changing the password and the phone while signed in (LG-13, LG-38, N-24, `contract.md` 4).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::{Will, sign_in_form};
use crate::support::holder::{Holder, first_six_digits};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};

const NEW: &str = "bốn con trâu gặm cỏ";

/// Signed in by password alone, at one's own page.
async fn at_home(idp: &Sandbox, holder: &Holder) -> (Visitor, Answer) {
    let visitor = idp.visitor();
    let at = visitor.open("/identity").await;
    let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    assert_eq!(at.page().name(), "identity", "{}", at.page().text);
    (visitor, at)
}

fn new_phone() -> String {
    format!("+84980{:06}", crate::support::next())
}

async fn code(idp: &Sandbox, phone: &str, messages: usize) -> String {
    let start = Instant::now();
    loop {
        let told = idp.messages(phone).await;
        if told.len() >= messages
            && let Some(text) = told.iter().find(|text| text.contains('#'))
        {
            return first_six_digits(text);
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no code to {phone}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told(idp: &Sandbox, phone: &str, what: &str) {
    let start = Instant::now();
    while !idp.messages(phone).await.iter().any(|text| text.contains(what)) {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing told of {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ask_password(visitor: &Visitor, at: &Answer, old: &str, new: &str) -> Answer {
    let typed = [("old_password", old), ("new_password", new), ("new_password_again", new)];
    visitor.submit(at, &at.page().press("change-password", &typed, &[])).await
}

async fn ask_phone(visitor: &Visitor, at: &Answer, phone: &str) -> Answer {
    visitor.submit(at, &at.page().press("change-phone", &[("new_phone", phone)], &[])).await
}

async fn enter(visitor: &Visitor, at: &Answer, otp: &str) -> Answer {
    visitor.submit(at, &at.page().press("submit-code", &[("otp", otp)], &[])).await
}

#[tokio::test]
async fn lg_38_a_password_is_changed_with_the_old_one_and_a_fresh_code_and_ends_the_rest() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let client = idp.client(json!({"grant_types": ["authorization_code", "refresh_token"]}));
    let tokens = idp.offline_tokens(&client, &holder).await;
    let (other, _) = at_home(idp, &holder).await;
    let (visitor, at) = at_home(idp, &holder).await;
    let session_before = visitor.cookies();
    let at = ask_password(&visitor, &at, &holder.password, NEW).await;
    assert!(at.page().has("submit-code"), "the old password alone does not do it: {}", at.page().text);
    let otp = code(idp, &holder.phone, 1).await;
    let at = enter(&visitor, &at, &otp).await;
    assert!(at.page().text.contains("Đã đổi mật khẩu"), "{}", at.page().text);
    told(idp, &holder.phone, "mat khau vua duoc doi").await;
    assert_ne!(visitor.cookies(), session_before, "the session has a new cookie");
    assert_eq!(other.open("/identity").await.page().name(), "sign-in", "other sessions end");
    assert_eq!(client.refresh(tokens.refresh()).await.status, 400, "offline grants end (contract 4)");
    assert_eq!(visitor.open("/identity").await.page().name(), "identity", "this one goes on");
    let late = idp.visitor();
    let at = late.open("/identity").await;
    let at = late.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    assert_eq!(at.page().name(), "sign-in", "the old password is none any more");
    // The level is untouched: nothing was recovered.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let holder = Holder { password: NEW.to_owned(), ..holder };
    let two = idp.client(json!({"vn_min_account_level": 2}));
    idp.tokens(&idp.visitor(), &two, Ask::of(&two), &holder).await;
}

#[tokio::test]
async fn lg_08_wrong_weak_and_repeated_passwords_change_nothing() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, at) = at_home(idp, &holder).await;
    for (old, new, word) in [
        (holder.password.as_str(), "matkhau123", "nhiều người dùng"),
        (holder.password.as_str(), "ngắn", "ngắn quá"),
        ("không phải nó đâu", NEW, "chưa đúng"),
    ] {
        let again = ask_password(&visitor, &at, old, new).await;
        assert!(again.page().text.contains(word), "{}", again.page().text);
        assert!(!again.page().has("submit-code"));
    }
    assert_eq!(idp.trail_count(&holder, "credential_change_refused"), 1);
    assert_eq!(idp.trail_count(&holder, "password_changed"), 0);
    assert_eq!(idp.messages(&holder.phone).await.len(), 0, "no code for what goes no further");
}

#[tokio::test]
async fn lg_38_a_phone_is_changed_by_both_phones_and_waits_before_it_counts() {
    let idp = Sandbox::shared();
    let (holder, phone) = (idp.citizen(), new_phone());
    let (visitor, at) = at_home(idp, &holder).await;
    let typed = phone.replace("+84", "0");
    let at = ask_phone(&visitor, &at, &typed).await;
    let of_old = code(idp, &holder.phone, 1).await;
    assert!(idp.messages(&phone).await.is_empty(), "the new phone is not written to before the owner is proved");
    let at = enter(&visitor, &at, &of_old).await;
    let of_new = code(idp, &phone, 1).await;
    // LG-13: the code of one phone is none of the other.
    if of_old != of_new {
        let again = enter(&visitor, &at, &of_old).await;
        assert!(again.page().has("submit-code"));
    }
    let at = enter(&visitor, &at, &of_new).await;
    assert!(at.page().text.contains("Đã đổi số điện thoại"), "{}", at.page().text);
    assert!(at.page().has("phone-counts-from"), "told from when it counts");
    told(idp, &holder.phone, "vua doi sang so khac").await;
    told(idp, &phone, "so dien thoai moi cua tai khoan").await;
    // For the cooling-off it is no second factor; then it is.
    let strong = idp.client(json!({"vn_min_auth_level": 2}));
    let moved = Holder { phone: phone.clone(), ..holder.clone() };
    let at = visitor.open(&Ask::of(&strong).target()).await;
    assert_eq!(idp.walk(&visitor, at, &moved, Will::AllowAll).await.page().name(), "level");
    tokio::time::sleep(Duration::from_secs(21)).await;
    idp.tokens(&idp.visitor(), &strong, Ask::of(&strong), &moved).await;
    // And the claim is the new number.
    let reader = idp.client(json!({"scope": "openid phone"}));
    let tokens = idp.tokens(&idp.visitor(), &reader, Ask::of(&reader).scope("openid phone"), &moved).await;
    assert_eq!(reader.userinfo(tokens.access()).await.json()["phone_number"], json!(phone));
}

#[tokio::test]
async fn n_24_two_fresh_factors_stand_for_the_old_phone() {
    let idp = Sandbox::shared();
    let (holder, phone) = (idp.citizen(), new_phone());
    let strong = idp.client(json!({"vn_min_auth_level": 2}));
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&strong), &holder).await;
    let before = idp.messages(&holder.phone).await.len();
    let at = visitor.open("/identity").await;
    let at = ask_phone(&visitor, &at, &phone).await;
    let of_new = code(idp, &phone, 1).await;
    assert_eq!(idp.messages(&holder.phone).await.len(), before);
    let at = enter(&visitor, &at, &of_new).await;
    assert!(at.page().text.contains("Đã đổi số điện thoại"), "{}", at.page().text);
}

#[tokio::test]
async fn lg_13_a_code_of_a_sign_in_changes_nothing() {
    let idp = Sandbox::shared();
    let (holder, phone) = (idp.citizen(), new_phone());
    let strong = idp.client(json!({"vn_min_auth_level": 2}));
    let signing = idp.visitor();
    let there = signing.open(&Ask::of(&strong).target()).await;
    let there = idp.sign_in(&signing, &there, &holder).await;
    assert_eq!(there.page().name(), "otp");
    let of_sign_in = idp.otp(&holder.phone).await;
    let (visitor, at) = at_home(idp, &holder).await;
    let at = ask_phone(&visitor, &at, &phone).await;
    let of_change = code(idp, &holder.phone, 2).await;
    if of_sign_in != of_change {
        let again = enter(&visitor, &at, &of_sign_in).await;
        assert!(again.page().has("submit-code"));
        let there = signing.submit(&there, &there.page().press("submit", &[("otp", &of_change)], &[])).await;
        assert!(there.returned().is_none(), "nor does a code of a change sign in");
    }
    assert!(idp.messages(&phone).await.is_empty());
}

#[tokio::test]
async fn lg_19_a_change_dies_with_a_lock_and_is_another_sessions_to_no_one() {
    let idp = Sandbox::shared();
    let (holder, phone) = (idp.citizen(), new_phone());
    let (visitor, at) = at_home(idp, &holder).await;
    let at = ask_phone(&visitor, &at, &phone).await;
    let otp = code(idp, &holder.phone, 1).await;
    let (other, there) = at_home(idp, &holder).await;
    assert!(!there.page().has("submit-code"), "the change belongs to the session that began it");
    idp.lock(&holder);
    idp.unlock(&holder);
    let after = enter(&visitor, &at, &otp).await;
    assert_eq!(after.page().name(), "sign-in");
    assert_eq!(other.open("/identity").await.page().name(), "sign-in");
    assert_eq!(idp.trail_count(&holder, "phone_changed"), 0);
}

#[tokio::test]
async fn bad_numbers_are_told_and_sent_nothing() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let (visitor, at) = at_home(idp, &holder).await;
    for (typed, word) in [
        ("1234", "chưa đúng"),
        ("+1 202 555 0100", "chưa đúng"),
        ("không có", "chưa đúng"),
        (holder.phone.as_str(), "số đang dùng"),
    ] {
        let again = ask_phone(&visitor, &at, typed).await;
        assert!(again.page().text.contains(word), "{typed}: {}", again.page().text);
    }
    assert!(idp.messages(&holder.phone).await.is_empty());
    let at = ask_phone(&visitor, &at, &new_phone()).await;
    let at = visitor.submit(&at, &at.page().press("cancel-change", &[], &[])).await;
    assert!(at.page().has("change-phone") && at.page().text.contains("Không có gì thay đổi"));
}
