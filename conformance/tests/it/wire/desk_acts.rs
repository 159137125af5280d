//! Acts at the desk: the hotline's activation (ND69 Art 14(1)), an authority's lock of an account without an e-ID, and what
//! an operator without the officer's role is told.

use serde_json::{Value, json};

use super::activate::{activated, waiting};
use super::desk::{account_of, call, code, desk, found, one_place, signed_in, storm};
use crate::support::holder::{EM, Holder};
use crate::support::page::Submission;
use crate::support::wire::{Answer, Visitor};

fn hotline_form(at: &Answer, ticked: &[&str]) -> Submission {
    at.page().press("activate", &[("case", "TD-2026/0117")], ticked)
}

fn hotline_events(events: Vec<Value>) -> Vec<Value> {
    events.into_iter().filter(|event| event["kind"] == "account_activated").collect()
}

#[tokio::test]
async fn b8_the_hotlines_call_sent_fifty_times_is_one_activation_and_the_officers() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, waiting(&desk.idp));
    let person = found(&desk.one, &holder).await;
    let at = desk.one.get(person.page().by_id("hotline").unwrap().attribute("href").unwrap()).await;
    assert_eq!(at.page().name(), "desk-activation", "{}", at.body);
    assert!(!at.body.contains(&holder.number) && !at.url.as_str().contains(&holder.number), "masked");
    // Too little checked, a case that names somebody, no case: nothing happens.
    let number = at.page().press("activate", &[("case", &holder.number)], &["check-phone", "check-card"]);
    for (form, expected) in [
        (hotline_form(&at, &["check-phone"]), "not_checked"),
        (hotline_form(&at, &[]), "not_checked"),
        (number, "malformed"),
        (at.page().press("activate", &[], &["check-phone", "check-card"]), "malformed"),
    ] {
        let refused = desk.one.submit_once(&at, &form, &[]).await;
        assert_eq!((refused.status, refused.page().name()), (400, "desk-refused"));
        assert!(refused.body.contains(&format!("data-code=\"{expected}\"")), "{}", refused.body);
    }
    assert!(hotline_events(idp.trail(&holder)).is_empty());
    let good = hotline_form(&at, &["check-phone", "check-particulars"]);
    let place = one_place(&storm(&desk.one, &at, &good).await);
    let done = desk.one.get(&place).await;
    assert!(done.page().has("done") && !done.page().has("hotline"), "{}", done.body);
    let events = hotline_events(idp.trail(&holder));
    assert_eq!(events.len(), 1);
    let detail = &events[0]["detail"];
    assert_eq!((&detail["case"], &detail["checked"]), (&json!("TD-2026/0117"), &json!(["phone", "particulars"])));
    assert_eq!(detail["officer"], json!(account_of(&desk.two, &Holder::seeded(EM)).await), "whose act it was");
    let told = idp.messages(&holder.phone).await;
    assert_eq!(told.iter().filter(|text| text.contains("Tong dai")).count(), 1, "told once");
    // Pressed once more on a page opened afterwards, and from the old one with a fresh key.
    let late = desk.one.get(at.url.as_str()).await;
    assert_eq!((late.status, late.page().name()), (409, "desk-refused"));
    let mut fresh = good;
    fresh.set("key", "another-key");
    let again = desk.one.submit_once(&at, &fresh, &[]).await;
    assert!(again.status == 409 && again.body.contains("data-code=\"not_waiting\""), "{}", again.body);
    let chosen = activated(idp, &holder.number, &holder.phone, "mật khẩu sau tổng đài").await;
    assert!(chosen.page().has("activated"), "the holder goes on: {}", chosen.body);
}

#[tokio::test]
async fn b8_the_interface_activates_by_the_same_rules() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, waiting(&desk.idp));
    let account = account_of(&desk.one, &holder).await;
    let path = format!("/api/people/{account}/activation");
    let called = json!({"case": "TD-2026/0118", "checked": ["particulars", "card"]});
    let key = |n: u64| format!("call-{}-{n}", &holder.number[5..]);
    let (citizen, active) = (signed_in(idp, &idp.citizen()).await, idp.citizen());
    let stranger = Visitor::new(&idp.neighbour(1));
    assert_eq!(code(&call(&citizen, &path, &key(0), &called).await), (403, "without_role".to_owned()));
    assert_eq!(code(&call(&stranger, &path, &key(0), &called).await), (401, "no_token".to_owned()));
    for (body, expected) in [
        (json!({"case": "TD-2026/0118", "checked": ["card", "card"]}), "not_checked"),
        (json!({"case": "TD-2026/0118", "checked": ["card", "voice"]}), "malformed"),
        (json!({"case": holder.number, "checked": ["card", "phone"]}), "malformed"),
        (json!({"case": "TD-2026/0118"}), "not_json"),
    ] {
        assert_eq!(code(&call(&desk.one, &path, &key(1), &body).await), (400, expected.to_owned()), "{body}");
    }
    let theirs = format!("/api/people/{}/activation", account_of(&desk.one, &active).await);
    assert_eq!(code(&call(&desk.one, &theirs, &key(2), &called).await), (409, "not_waiting".to_owned()));
    let dossier = format!("/api/people/{account}");
    assert_eq!(desk.one.get(&dossier).await.json()["activation"], json!({"until": null, "overdue": false}));
    assert!(hotline_events(idp.trail(&holder)).is_empty());

    let done = call(&desk.one, &path, &key(3), &called).await;
    assert_eq!((done.status, &done.json()["account"]), (200, &json!(account)), "{}", done.body);
    assert_eq!(call(&desk.one, &path, &key(3), &called).await.json(), done.json(), "same key, same result");
    assert_eq!(code(&call(&desk.one, &path, &key(4), &called).await), (409, "not_waiting".to_owned()));
    let other = json!({"case": "TD-2026/0119", "checked": ["particulars", "card"]});
    assert_eq!(code(&call(&desk.one, &path, &key(3), &other).await), (422, "key_reused".to_owned()));
    let after = desk.one.get(&dossier).await.json();
    assert_eq!((&after["state"], &after["activation"]), (&json!("activated"), &Value::Null));
    assert_eq!(hotline_events(idp.trail(&holder)).len(), 1);
}

#[tokio::test]
async fn d8_an_authority_locks_an_account_without_an_eid_and_what_stood_ends() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.beginner());
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &holder).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    let person = found(&desk.one, &holder).await;
    assert!(person.body.contains("data-eid=\"none\"") && !person.body.contains("data-locked"), "control");
    let filled = [("authority", "Viện kiểm sát nhân dân"), ("authority-paper", "12/2026/QĐ")];
    let mut form = person.page().press("receive", &filled, &[]);
    form.set("wish", "lock");
    let received = desk.one.submit(&person, &form).await;
    assert_eq!(received.page().name(), "desk-request", "{}", received.body);
    let forwarded = desk.one.submit(&received, &received.page().press("forward", &[], &[])).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "nothing so far");
    let theirs = desk.two.get(forwarded.url.as_str()).await;
    desk.two.submit(&theirs, &theirs.page().press("accept", &[], &[])).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    let person = found(&desk.one, &holder).await;
    assert!(person.body.contains("data-locked") && person.body.contains("data-ground=\"đ\""), "{}", person.body);
    let dossier = desk.one.get(&format!("/api/people/{}", account_of(&desk.one, &holder).await)).await.json();
    assert_eq!((&dossier["locked"], &dossier["grounds"][0]["ground"]), (&json!(true), &json!("đ")));
    assert!(dossier["eid"].is_null());
    // The holder's own form opens nothing of it, though it is taken.
    let form = person.page().press("unlock", &[("unlock-paper", "16/2026")], &["unlock-seen"]);
    desk.one.submit(&person, &form).await;
    assert!(found(&desk.one, &holder).await.body.contains("data-locked"));
}

#[tokio::test]
async fn an_operator_who_is_no_officer_is_told_which_role_is_missing_and_who_grants_it() {
    let desk = desk().await;
    let beside = desk.idp.console_beside(&[("IDP_ADMIN__OFFICERS", "nobody")]).await;
    for (language, heading) in [("vi", "không có vai trò cán bộ"), ("en", "do not have the officer's role")] {
        let operator =
            Visitor::new(&beside.address).with_header("connection", "close").with_header("accept-language", language);
        operator.set_cookies(desk.one.cookies());
        assert_eq!(operator.get("/").await.page().name(), "console", "control: an operator");
        for path in ["/desk", "/desk/people/x", "/desk/people/x/activation"] {
            let told = operator.get(path).await;
            assert_eq!((told.status, told.page().name()), (403, "desk-without-role"), "{path}");
            assert!(told.page().text.contains(heading) && told.body.contains("admin.officers"), "{}", told.body);
            assert!(told.page().has("to-start") && told.page().has("sign-out"), "a way on and a way out");
        }
        let refused = operator.get("/api/authority-requests").await;
        assert_eq!(code(&refused), (403, "without_role".to_owned()));
        assert!(refused.json()["detail"].as_str().unwrap().contains("admin.officers"));
    }
    assert_eq!(desk.one.get("/desk").await.page().name(), "desk", "control: where the role is granted");
}
