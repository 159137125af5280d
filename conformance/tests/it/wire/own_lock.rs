//! `security.md` 2.17 from the holder's side: «Khóa ngay» and opening again, by whoever proved to be the holder and by
//! nobody else.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::back_channel::{SOON, good, listening, sound};
use crate::support::ask::Ask;
use crate::support::flow::sign_in_form;
use crate::support::holder::Holder;
use crate::support::page::Submission;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

/// Signs in at `/identity` and opens the page that locks.
async fn at_lock(idp: &Sandbox, visitor: &Visitor, holder: &Holder) -> Answer {
    let at = visitor.open("/identity").await;
    let at = if at.page().name() == "sign-in" { idp.sign_in(visitor, &at, holder).await } else { at };
    assert_eq!(at.page().name(), "identity");
    let lock = at.page().by_id("lock").expect("#lock").attribute("href").unwrap().to_owned();
    let at = visitor.open(&lock).await;
    assert_eq!(at.page().name(), "lock", "{}", at.body);
    at
}

fn confirm(at: &Answer) -> Submission {
    at.page().press("confirm", &[], &[])
}

/// A message to this phone with these words, waited for.
async fn told(idp: &Sandbox, phone: &str, words: &str) -> String {
    for _ in 0..200 {
        if let Some(text) = idp.messages(phone).await.into_iter().find(|text| text.contains(words)) {
            return text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no message says {words}");
}

/// Number and password on the page that opens, up to the page for the code.
async fn at_unlock(visitor: &Visitor, holder: &Holder) -> Answer {
    let at = visitor.open("/unlock").await;
    assert_eq!(at.page().name(), "unlock");
    let filled = [("person_number", holder.number.as_str()), ("password", holder.password.as_str())];
    visitor.submit(&at, &at.page().press("submit", &filled, &[])).await
}

async fn unlocked(idp: &Sandbox, visitor: &Visitor, holder: &Holder) -> Answer {
    let at = at_unlock(visitor, holder).await;
    assert!(at.page().has("otp"), "{}", at.body);
    let code = idp.otp(&holder.phone).await;
    visitor.submit(&at, &at.page().press("submit", &[("otp", &code)], &[])).await
}

#[tokio::test]
async fn lk_the_holder_locks_at_once_and_opens_again_with_two_proofs() {
    let idp = Sandbox::shared();
    let (door, holder) = (good(), idp.citizen());
    let client = listening(idp, &door, json!({}));
    let (desk, phone) = (idp.visitor(), idp.visitor());
    let scope = "openid profile offline_access";
    let tokens = idp.tokens(&phone, &client, Ask::of(&client).scope(scope), &holder).await;
    let at = at_lock(idp, &desk, &holder).await;
    assert!(!at.page().has("password"), "the password was proved a moment ago");
    assert!(at.page().text.contains(client.metadata["client_name"]["vi"].as_str().unwrap()), "{}", at.body);
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    let done = desk.submit(&at, &confirm(&at)).await;
    assert_eq!((done.page().name(), done.page().has("unlock")), ("lock-done", true));

    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    verdict::token_error(&client.refresh(tokens.refresh()).await, 400, "invalid_grant");
    assert_eq!(client.introspect(tokens.access()).await, json!({"active": false}));
    for visitor in [&desk, &phone] {
        let silent = Ask::of(&client).with("prompt", "none");
        verdict::redirect(&visitor.get(&silent.target()).await, &client, &silent, "login_required");
    }
    let claims = sound(idp, &client, &door.hears(1, SOON).await[0].body).await;
    assert!(claims.get("sid").is_none(), "every session of the account");
    told(idp, &holder.phone, "da bi khoa: theo yeu cau cua ban").await;
    let trail = idp.trail(&holder);
    let locked = trail.iter().find(|event| event["kind"] == "eid_locked").unwrap();
    assert_eq!((&locked["detail"]["cause"]["by"], &locked["detail"]["ground"]), (&json!("holder"), &json!("a")));
    // Signing in, at a portal or here, says why not and what to do.
    for target in [Ask::of(&client).target(), "/identity".to_owned()] {
        let visitor = idp.visitor();
        let at = visitor.open(&target).await;
        let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
        assert_eq!((at.page().name(), at.page().has("unlock")), ("locked", true), "{target}");
    }

    let opener = idp.visitor();
    let opened = unlocked(idp, &opener, &holder).await;
    assert!(opened.page().has("sign-in"), "{}", opened.body);
    told(idp, &holder.phone, "da duoc mo khoa").await;
    let silent = Ask::of(&client).with("prompt", "none");
    verdict::redirect(&opener.get(&silent.target()).await, &client, &silent, "login_required");
    verdict::token_error(&client.refresh(tokens.refresh()).await, 400, "invalid_grant");
    assert_eq!(client.userinfo(tokens.access()).await.status, 401, "LK-14");
    idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await;
    let unlocked = idp.trail(&holder).into_iter().find(|event| event["kind"] == "eid_unlocked").unwrap();
    assert_eq!(unlocked["detail"]["cause"]["factors"], json!(["password", "sms_otp"]), "LK-20");
}

#[tokio::test]
async fn lk_17_neither_a_stranger_nor_a_forged_form_locks_anybody() {
    let idp = Sandbox::shared();
    let (client, victim, other) = (idp.confidential(), idp.citizen(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &victim).await;
    // A stranger with the number only.
    let stranger = idp.visitor();
    assert_eq!(stranger.open("/lock").await.page().name(), "sign-in");
    let fields = [("person_number", victim.number.as_str()), ("lock", "1")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(stranger.post("/lock", &fields, &[]).await.status, 403);
    // Another holder's own form, with the victim's number in it: it locks whoever is signed in, and that is them.
    let thief = idp.visitor();
    let at = at_lock(idp, &thief, &other).await;
    let mut form = confirm(&at);
    form.remove("form_token");
    assert_eq!(thief.submit_once(&at, &form, &[]).await.status, 403);
    let cross = [("origin", "https://evil.vn"), ("sec-fetch-site", "cross-site")];
    assert_eq!(thief.submit_once(&at, &confirm(&at), &cross).await.status, 403);
    let mut named = confirm(&at);
    named.fields.push(("person_number".to_owned(), victim.number.clone()));
    assert_eq!(thief.submit(&at, &named).await.page().name(), "lock-done");
    assert_eq!((idp.trail_count(&victim, "eid_locked"), idp.trail_count(&other, "eid_locked")), (0, 1));
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    // Nor is it done by GET.
    let visitor = idp.visitor();
    at_lock(idp, &visitor, &victim).await;
    visitor.get("/lock?lock=1").await;
    assert_eq!(idp.trail_count(&victim, "eid_locked"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_27_one_press_sent_fifty_times_locks_once_and_answers_alike() {
    let idp = Sandbox::shared();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let at = Arc::new(at_lock(idp, &visitor, &holder).await);
    let (form, cookies) = (Arc::new(confirm(&at)), visitor.cookies());
    let mut presses = JoinSet::new();
    for _ in 0..50 {
        let (at, form, again) = (Arc::clone(&at), Arc::clone(&form), idp.visitor());
        again.set_cookies(cookies.clone());
        presses.spawn(async move { again.submit_once(&at, &form, &[]).await });
    }
    while let Some(answer) = presses.join_next().await {
        let answer = answer.unwrap();
        let to = answer.location().unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
        assert_eq!((answer.status, to.path()), (303, "/lock-done"));
    }
    assert_eq!(idp.trail_count(&holder, "eid_locked"), 1);
    told(idp, &holder.phone, "da bi khoa").await;
    let messages = idp.messages(&holder.phone).await;
    assert_eq!(messages.iter().filter(|text| text.contains("da bi khoa")).count(), 1);
}

#[tokio::test]
async fn domain_6_2_an_account_of_level_1_locks_and_opens_the_same() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.beginner(), idp.visitor());
    let tokens = idp.offline_tokens(&client, &holder).await;
    let at = at_lock(idp, &visitor, &holder).await;
    visitor.submit(&at, &confirm(&at)).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    let portal = idp.visitor();
    let at = portal.open(&Ask::of(&client).target()).await;
    assert_eq!(idp.sign_in(&portal, &at, &holder).await.page().name(), "locked");
    // Every other official ground holds it too, and importing the record again opens nothing.
    idp.admin_ok(&["eid", "lock", &holder.number, "--ground", "c", "--authority", "Công an phường Thử Nghiệm"]);
    let opened = unlocked(idp, &idp.visitor(), &holder).await;
    assert!(!opened.page().has("sign-in"), "a ground remains: {}", opened.body);
    let at = portal.open(&Ask::of(&client).target()).await;
    assert_eq!(idp.sign_in(&portal, &at, &holder).await.page().name(), "locked");
    idp.admin_ok(&["eid", "unlock", &holder.number, "--ground", "c", "--authority", "Công an phường Thử Nghiệm"]);
    idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await;
}

#[tokio::test]
async fn lg_13_the_code_that_opens_opens_nothing_else_and_no_other_code_opens() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    idp.lock(&holder);
    told(idp, &holder.phone, "da bi khoa").await;
    let visitor = idp.visitor();
    let at = at_unlock(&visitor, &holder).await;
    let sent = idp.messages(&holder.phone).await;
    assert!(sent[0].contains("mo khoa tai khoan"), "LG-16: the message names what it is for: {}", sent[0]);
    let wrong = visitor.submit(&at, &at.page().press("submit", &[("otp", "000000")], &[])).await;
    assert!(wrong.page().has("problem"), "{}", wrong.body);
    // The browser that gave the right password is signed in nowhere.
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in");
    let ask = Ask::of(&client);
    assert_eq!(visitor.open(&ask.target()).await.page().name(), "sign-in");
    assert!(!visitor.cookies().keys().any(|name| name.contains("session")), "{:?}", visitor.cookies().keys());
    // Another browser with the code alone has nothing to type it into.
    let code = idp.otp(&holder.phone).await;
    let thief = idp.visitor();
    assert!(thief.open(at.url.as_str()).await.page().has("person_number"), "the interaction is another browser's");
    // A second code takes the place of the first.
    let resent = visitor.submit(&at, &at.page().press("resend", &[], &[])).await;
    assert!(resent.page().has("otp"));
    if idp.otp(&holder.phone).await != code {
        let old = visitor.submit(&resent, &resent.page().press("submit", &[("otp", &code)], &[])).await;
        assert!(old.page().has("problem"));
    }
    assert_eq!(idp.trail_count(&holder, "eid_unlocked"), 0);
    let code = idp.otp(&holder.phone).await;
    let opened = visitor.submit(&resent, &resent.page().press("submit", &[("otp", &code)], &[])).await;
    assert!(opened.page().has("sign-in"), "control: {}", opened.body);
    // Once: the same code again opens nothing.
    idp.lock(&holder);
    let again = visitor.submit(&resent, &resent.page().press("submit", &[("otp", &code)], &[])).await;
    assert!(!again.page().has("sign-in"));
    assert_eq!(idp.trail_count(&holder, "eid_unlocked"), 1);
}

#[tokio::test]
async fn d2_what_others_closed_the_holder_does_not_open() {
    let idp = Sandbox::shared();
    for ground in ["b", "c", "d", "đ"] {
        let holder = idp.citizen();
        idp.admin_ok(&["eid", "lock", &holder.number, "--ground", ground, "--authority", "C06"]);
        let before = idp.messages(&holder.phone).await.iter().filter(|text| text.contains("Ma xac thuc")).count();
        let at = at_unlock(&idp.visitor(), &holder).await;
        assert!(!at.page().has("otp") && !at.page().has("sign-in"), "{ground}: {}", at.body);
        let after = idp.messages(&holder.phone).await.iter().filter(|text| text.contains("Ma xac thuc")).count();
        assert_eq!(before, after, "no code is sent for nothing");
        assert_eq!(idp.trail_count(&holder, "lock_refused"), 1);
        assert_eq!(idp.trail_count(&holder, "eid_unlocked"), 0);
        let heard = idp.messages(&holder.phone).await.iter().any(|text| text.contains("da bi khoa"));
        assert!(ground != "d" || !heard, "LCC Art 34(3): not for death");
    }
    // Nothing to open: said so, and to nobody who lacks the password.
    let holder = idp.citizen();
    assert!(at_unlock(&idp.visitor(), &holder).await.page().has("sign-in"));
    let visitor = idp.visitor();
    let at = visitor.open("/unlock").await;
    let wrong = |number: &str| [("person_number", number.to_owned()), ("password", "sai hết cả rồi".to_owned())];
    let press = |number: &str| {
        let filled = wrong(number);
        let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
        at.page().press("submit", &filled, &[])
    };
    let known = visitor.submit(&at, &press(&holder.number)).await.page().text;
    let unknown = visitor.submit(&at, &press("099090999999")).await.page().text;
    assert_eq!(known, unknown, "LG-01");
}
