//! ND69 Art 14(2), A5: a child's or ward's account is used with the guardian's word, each time anew, and every token names
//! both.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::family::{born, waiting};
use crate::support::flow::{Tokens, Will, back_to_client, redeemed, sign_in_form};
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::{Answer, Visitor};

const OFFLINE: &str = "openid profile offline_access vn_eid_status";

fn asks(client: &RelyingParty) -> Ask {
    Ask::of(client).scope(OFFLINE)
}

/// Looks again, as the waiting page does by itself.
async fn looks(visitor: &Visitor, waits: &Answer) -> Answer {
    visitor.open(waits.url.as_str()).await
}

/// The child asks, the guardian agrees elsewhere, the child's page goes on to the end.
pub(super) async fn confirmed(
    idp: &Sandbox,
    client: &RelyingParty,
    child: &Holder,
    guardian: &Holder,
) -> (Visitor, Tokens) {
    let (visitor, ask) = (idp.visitor(), asks(client));
    let waits = idp.child_waits(&visitor, &ask.target(), child).await;
    let said = idp.guardian_says(&idp.visitor(), guardian, "confirm").await;
    assert_eq!(said.page().name(), "identity");
    let at = looks(&visitor, &waits).await;
    let end = idp.walk(&visitor, at, child, Will::AllowAll).await;
    let code = end.returned().unwrap_or_else(|| panic!("{}: {}", end.page().name(), end.page().text)).code();
    (visitor, redeemed(client, ask, code).await)
}

#[tokio::test]
async fn a5_the_guardian_agrees_from_their_own_session_and_every_token_names_both() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let own = idp.offline_tokens(&client, &guardian).await;
    let sub = jwt::claims(own.id_token())["sub"].clone();
    let (_, tokens) = confirmed(idp, &client, &child, &guardian).await;
    let act = json!({"sub": sub});
    let id_token = jwt::claims(tokens.id_token());
    assert_eq!(id_token["act"], act, "{id_token}");
    assert_ne!(id_token["sub"], sub);
    assert_eq!(id_token["vn_account_level"], 2);
    let userinfo = client.userinfo(tokens.access()).await.json();
    assert_eq!((&userinfo["act"], &userinfo["sub"]), (&act, &id_token["sub"]));
    assert_eq!(userinfo["name"], json!(child.name));
    assert_eq!(client.introspect(tokens.access()).await["act"], act);
    // A later use names them, too; a grown-up's tokens name nobody.
    let refreshed = client.refresh(tokens.refresh()).await.json();
    assert_eq!(jwt::claims(refreshed["id_token"].as_str().unwrap())["act"], act);
    assert!(jwt::claims(own.id_token()).get("act").is_none());
    // The consent was the guardian's, and the trail says who agreed to what.
    let trail = idp.trail(&child);
    let of = |kind: &str| trail.iter().filter(|event| event["kind"] == kind).collect::<Vec<_>>();
    assert_eq!((of("guardian_asked").len(), of("guardian_allowed").len(), of("acted_for").len()), (1, 1, 1));
    let guardian_id = &of("guardian_asked")[0]["detail"]["guardian"];
    assert!(
        guardian_id.is_string() && of("consent_given").iter().all(|event| event["detail"]["actor"] == *guardian_id)
    );
    assert!(!of("consent_given").is_empty());
}

#[tokio::test]
async fn a5_the_guardian_is_told_that_somebody_waits_and_no_more_than_three_times_an_hour() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    for _ in 0..5 {
        idp.child_waits(&idp.visitor(), &Ask::of(&client).target(), &child).await;
    }
    assert_eq!(idp.trail_count(&child, "guardian_asked"), 5);
    let told = async || idp.messages(&guardian.phone).await;
    let begun = std::time::Instant::now();
    while told().await.len() < 3 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", told().await);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // Two rounds of the queue.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    let messages = told().await;
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages.iter().all(|text| text.contains("cho ban dong y") && !text.contains("://")), "{messages:?}");
    assert!(idp.messages(&child.phone).await.is_empty());
}

#[tokio::test]
async fn a5_a_word_is_for_one_interaction_and_one_use() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let (visitor, _) = confirmed(idp, &client, &child, &guardian).await;
    // The same browser with the same session asks again: another word is needed, silently none is given.
    let silent = Ask::of(&client).with("prompt", "none");
    let error = visitor.get(&silent.target()).await.returned().unwrap();
    assert_eq!(error.get("error"), Some("interaction_required"));
    assert!(error.get("error_description").unwrap().starts_with("guardian_required"));
    let again = visitor.open(&Ask::of(&client).target()).await;
    assert_eq!(again.page().name(), "guardian");
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in", "no page of ours without a word either");
    // One word each for two that wait at once: the other goes on waiting.
    let (one, two) = (idp.visitor(), idp.visitor());
    let first = idp.child_waits(&one, &Ask::of(&client).target(), &child).await;
    let second = idp.child_waits(&two, &Ask::of(&client).target(), &child).await;
    // The one of the signed-in browser was asked for first.
    let parent = idp.visitor();
    let at = parent.open("/identity").await;
    let at = idp.sign_in(&parent, &at, &guardian).await;
    let at = parent.submit(&at, &at.page().press(&waiting(&at, "refuse").unwrap(), &[], &[])).await;
    assert!(at.url.as_str().contains("done=guardian_refused"), "to refuse takes no second factor");
    let button = waiting(&at, "confirm").unwrap();
    let otp = parent.submit(&at, &at.page().press(&button, &[], &[])).await;
    assert_eq!(otp.page().name(), "otp", "to agree takes level 2");
    let at = idp.enter_otp(&parent, &otp, &guardian).await;
    let form = at.page().press(&button, &[], &[]);
    let done = parent.submit(&at, &form).await;
    assert!(done.url.as_str().contains("done=guardian_allowed"), "{}", done.url);
    // Said twice, it counts once.
    let twice = parent.submit(&at, &form).await;
    assert!(twice.url.as_str().contains("done=guardian_nothing"), "{}", twice.url);
    let refused = looks(&visitor, &again).await;
    assert_eq!(refused.page().name(), "guardian");
    assert!(refused.page().has("ask-again"));
    let end = back_to_client(&visitor, &refused).await.returned().unwrap();
    assert_eq!(end.get("error"), Some("unmet_authentication_requirements"));
    assert!(end.get("error_description").unwrap().starts_with("guardian_required"));
    let (a, b) = (looks(&one, &first).await, looks(&two, &second).await);
    let ended = [&a, &b].map(|at| at.returned().is_some_and(|back| back.get("code").is_some()));
    assert_eq!(ended, [true, false], "{} {}", a.url, b.url);
}

#[tokio::test]
async fn a5_fifty_words_at_once_are_one_and_fifty_looks_at_once_are_one_use() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let visitor = Arc::new(idp.visitor());
    let waits = idp.child_waits(&visitor, &Ask::of(&client).target(), &child).await;
    let parent = Arc::new(idp.visitor());
    // To level 2 first, by a request whose answer is the page again.
    let at = parent.open("/identity").await;
    let at = idp.sign_in(&parent, &at, &guardian).await;
    let button = waiting(&at, "confirm").unwrap();
    let otp = parent.submit(&at, &at.page().press(&button, &[], &[])).await;
    let at = idp.enter_otp(&parent, &otp, &guardian).await;
    let form = at.page().press(&button, &[], &[]);
    let mut storm = JoinSet::new();
    for _ in 0..50 {
        let (parent, at, form) = (Arc::clone(&parent), at.clone(), form.clone());
        storm.spawn(async move { parent.submit_once(&at, &form, &[]).await });
    }
    let said = storm.join_all().await;
    let counted =
        |done: &str| said.iter().filter(|at| at.header("location").unwrap_or_default().contains(done)).count();
    assert_eq!((counted("guardian_allowed"), counted("guardian_nothing")), (1, 49));
    let mut storm = JoinSet::new();
    for _ in 0..50 {
        let (visitor, target) = (Arc::clone(&visitor), waits.url.to_string());
        storm.spawn(async move { visitor.get(&target).await });
    }
    let looked = storm.join_all().await;
    let codes = looked.iter().filter(|at| at.returned().is_some_and(|back| back.get("code").is_some())).count();
    assert_eq!(codes, 1);
    assert_eq!((idp.trail_count(&child, "guardian_allowed"), idp.trail_count(&child, "acted_for")), (1, 1));
}

#[tokio::test]
async fn a5_nobody_elses_browser_child_or_guardian_gets_anywhere() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let (stranger, brother) = (idp.citizen(), idp.child_of(&guardian, 9));
    let visitor = idp.visitor();
    let waits = idp.child_waits(&visitor, &Ask::of(&client).target(), &child).await;
    // Nobody else sees it, and whoever knows its name changes nothing.
    let other = idp.visitor();
    let at = other.open("/identity").await;
    let at = idp.sign_in(&other, &at, &stranger).await;
    assert_eq!(waiting(&at, "confirm"), None);
    let parent = idp.visitor();
    let page = parent.open("/identity").await;
    let page = idp.sign_in(&parent, &page, &guardian).await;
    let button = waiting(&page, "confirm").unwrap();
    let id = button.strip_prefix("confirm-").unwrap();
    let mut forged = at.page().press("sign-out-everywhere", &[], &[]);
    forged.remove("everywhere");
    forged.set("confirmation", id);
    forged.set("word", "refuse");
    let answered = other.submit(&at, &forged).await;
    assert!(answered.url.as_str().contains("done=guardian_nothing"), "{}", answered.url);
    idp.guardian_says(&parent, &guardian, "confirm").await;
    // Another browser with the address of the page.
    assert_eq!(other.open(waits.url.as_str()).await.page().name(), "error");
    // The brother's own interaction is not the one agreed to.
    let his = idp.visitor();
    let waits_too = idp.child_waits(&his, &Ask::of(&client).target(), &brother).await;
    assert_eq!(looks(&his, &waits_too).await.page().name(), "guardian");
    // And in the child's own browser the word is not the brother's.
    let again = visitor.open(&waits.url.as_str().replace("/guardian", "/sign-in")).await;
    let at = visitor.submit(&again, &sign_in_form(&again, &brother.number, &brother.password)).await;
    assert_eq!(at.page().name(), "guardian", "{}", at.page().text);
    assert_eq!(looks(&visitor, &at).await.page().name(), "guardian");
}

#[tokio::test]
async fn a5_a_guardian_who_may_not_act_or_is_none_any_more_confirms_nothing() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    // Locked between the word and its use.
    let (guardian, child) = idp.family();
    let (visitor, ask) = (idp.visitor(), Ask::of(&client));
    let waits = idp.child_waits(&visitor, &ask.target(), &child).await;
    idp.guardian_says(&idp.visitor(), &guardian, "confirm").await;
    idp.lock(&guardian);
    assert_eq!(looks(&visitor, &waits).await.page().name(), "guardian");
    idp.unlock(&guardian);
    assert_eq!(looks(&visitor, &waits).await.page().name(), "guardian", "what a lock ended stays ended");
    // Another guardian is recorded between the word and its use.
    let (guardian, child) = idp.family();
    let visitor = idp.visitor();
    let waits = idp.child_waits(&visitor, &Ask::of(&client).target(), &child).await;
    idp.guardian_says(&idp.visitor(), &guardian, "confirm").await;
    let new = idp.citizen();
    let line = json!({"person_number": child.number, "name": child.name, "birthdate": born(10), "guardian": new.number,
                      "account": {"level": 2, "state": "activated", "password": child.password, "phone": child.phone}});
    idp.import(&[line]);
    let at = looks(&visitor, &waits).await;
    assert!(at.returned().is_none() && at.page().name() != "consent", "{}", at.page().name());
    // A guardian of level 1 agrees to nothing.
    let weak = idp.beginner();
    let child = idp.child_of(&weak, 8);
    let visitor = idp.visitor();
    let waits = idp.child_waits(&visitor, &Ask::of(&client).target(), &child).await;
    let at = idp.guardian_says_once(&weak).await;
    assert!(at.url.as_str().contains("done=guardian_nothing"), "{}", at.url);
    assert_eq!(looks(&visitor, &waits).await.page().name(), "guardian");
}

#[tokio::test]
async fn a5_a_lock_of_the_guardian_ends_what_the_guardian_began_for_the_child() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let (visitor, tokens) = confirmed(idp, &client, &child, &guardian).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    idp.lock(&guardian);
    for _ in ["locked", "unlocked"] {
        assert_eq!(client.userinfo(tokens.access()).await.status, 401);
        assert_eq!(client.introspect(tokens.access()).await, json!({"active": false}));
        verdict::token_error(&client.refresh(tokens.refresh()).await, 400, "invalid_grant");
        assert_eq!(visitor.open(&Ask::of(&client).target()).await.page().name(), "sign-in");
        idp.unlock(&guardian);
    }
    // And it works anew.
    let (_, tokens) = confirmed(idp, &client, &child, &guardian).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
}

#[tokio::test]
async fn a5_the_guardian_confirms_on_the_same_browser_and_signs_in_for_the_child_alone() {
    let idp = Sandbox::shared();
    let (client, (guardian, child)) = (idp.confidential(), idp.family());
    let own = idp.offline_tokens(&client, &guardian).await;
    let act = json!({"sub": jwt::claims(own.id_token())["sub"]});
    // Over the child's shoulder.
    let (visitor, ask) = (idp.visitor(), asks(&client));
    let waits = idp.child_waits(&visitor, &ask.target(), &child).await;
    let here = waits.page().by_id("guardian-here").unwrap().attribute("href").unwrap().to_owned();
    let at = visitor.open(&here).await;
    let at = idp.sign_in(&visitor, &at, &guardian).await;
    assert_eq!(at.page().name(), "represent", "{}", at.page().text);
    assert!(at.page().text.contains(&child.name) && at.page().has("for-self"));
    let otp = visitor.submit(&at, &at.page().press("for-1", &[], &[])).await;
    assert_eq!(otp.page().name(), "otp", "the guardian's own second factor");
    let at = idp.enter_otp(&visitor, &otp, &guardian).await;
    let end = idp.walk(&visitor, at, &guardian, Will::AllowAll).await;
    let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
    let id_token = jwt::claims(tokens.id_token());
    assert_eq!((&id_token["act"], &id_token["amr"]), (&act, &json!(["otp", "pwd", "sms", "mfa"])));
    assert_eq!(client.userinfo(tokens.access()).await.json()["name"], json!(child.name));
    // The guardian's session became the child's, for this once: nothing of it opens anything else.
    assert_eq!(visitor.open(&Ask::of(&client).target()).await.page().name(), "sign-in");
    assert_eq!(visitor.open("/identity").await.page().name(), "sign-in");

    // Without the child: the guardian says so on the sign-in page.
    let (visitor, ask) = (idp.visitor(), asks(&client));
    let at = visitor.open(&ask.target()).await;
    let form = at.page().press(
        "submit",
        &[("person_number", &guardian.number), ("password", &guardian.password)],
        &["for_other"],
    );
    let at = visitor.submit(&at, &form).await;
    assert_eq!(at.page().name(), "represent");
    // Nobody but those offered can be chosen.
    let mut forged = at.page().press("for-1", &[], &[]);
    forged.set("for", "somebody-else");
    assert_eq!(visitor.submit(&at, &forged).await.page().name(), "represent");
    let otp = visitor.submit(&at, &at.page().press("for-1", &[], &[])).await;
    let at = idp.enter_otp(&visitor, &otp, &guardian).await;
    let end = idp.walk(&visitor, at, &guardian, Will::AllowAll).await;
    let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
    assert_eq!(jwt::claims(tokens.id_token())["act"], act);
    // And for themself, the choice named nobody.
    let (visitor, ask) = (idp.visitor(), Ask::of(&client));
    let at = visitor.open(&ask.target()).await;
    let form = at.page().press(
        "submit",
        &[("person_number", &guardian.number), ("password", &guardian.password)],
        &["for_other"],
    );
    let at = visitor.submit(&at, &form).await;
    let end = visitor.submit(&at, &at.page().press("for-self", &[], &[])).await;
    let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
    assert!(jwt::claims(tokens.id_token()).get("act").is_none());
}

#[tokio::test]
async fn a2_ages_decide_at_import_and_at_sign_in() {
    let idp = Sandbox::shared();
    let (client, guardian) = (idp.confidential(), idp.citizen());
    let refused = |patch: Value| {
        let (line, _) = crate::support::holder::record(2, patch);
        let file = idp.file("child.jsonl", &line.to_string());
        let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, why) = refused(json!({"birthdate": born(5), "guardian": guardian.number}));
    assert!(status == Some(1) && why.contains("under six"), "{why}");
    // A year alone may still be five years of age.
    let year = born(6)[..4].to_owned();
    let (status, why) = refused(json!({"birthdate": year, "guardian": guardian.number}));
    assert!(status == Some(1) && why.contains("under six"), "{why}");
    // Under fourteen without a guardian on record: nobody can agree, and nobody signs in.
    let orphan = idp.holder(1, json!({"birthdate": born(13)}));
    let visitor = idp.visitor();
    let at = idp.child_waits(&visitor, &Ask::of(&client).target(), &orphan).await;
    assert!(!at.page().has("guardian-here") && at.page().has("back-to-client"));
    // At fourteen they sign in alone; a ward does at no age.
    let grown = idp.holder(1, json!({"birthdate": born(14)}));
    idp.authorize(&idp.visitor(), &Ask::of(&client), &grown).await.code();
    let ward = idp.holder(2, json!({"birthdate": born(40), "guardian": guardian.number}));
    idp.child_waits(&idp.visitor(), &Ask::of(&client).target(), &ward).await;
    let shown = idp.admin_ok(&["account", "show", &ward.number]);
    assert!(shown.contains("ward: yes") && !shown.contains(&guardian.number), "{shown}");
}
