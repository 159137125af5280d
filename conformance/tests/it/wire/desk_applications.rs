//! Applications through the interface (ND69 Art 10(2), 13): the page's rules and the page's act, by JSON.

use serde_json::{Value, json};

use super::activate::activated;
use super::desk::{account_of, call, code, desk, signed_in};
use super::guardian::confirmed;
use crate::support::ask::Ask;
use crate::support::family::born;
use crate::support::flow::redeemed;
use crate::support::holder::{Holder, record};
use crate::support::jwt;
use crate::support::sandbox::Sandbox;

fn tk01(holder: &Holder) -> Value {
    json!({
        "phone": holder.phone, "phone_own": true, "seen": true, "card_suffix": "0002", "card_expires": "2039-12-31",
        "face": "FM-2026-0001", "fingerprint": "VT-2026-0001", "form": "77/2026", "papers": ["vn_bhyt"],
    })
}

fn with(body: &Value, more: Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn key(holder: &Holder, n: u64) -> String {
    format!("two-{}-{n}", &holder.number[5..])
}

#[tokio::test]
async fn b2_an_upgrade_by_the_interface_keeps_the_subject_and_is_one_act_by_its_key() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.beginner());
    let client = idp.confidential();
    let said = async |acr: Option<&str>| {
        let mut ask = Ask::of(&client);
        if let Some(acr) = acr {
            ask = ask.with("acr_values", acr);
        }
        let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
        let claims = jwt::claims(redeemed(&client, ask, code).await.id_token());
        (claims["sub"].clone(), claims["acr"].clone())
    };
    let (sub, acr) = said(None).await;
    assert_eq!(acr, json!("urn:vn:eid:muc:1"), "control");
    let account = account_of(&desk.one, &holder).await;
    let (path, form) = (format!("/api/people/{account}/level-two"), tk01(&holder));
    let received = call(&desk.one, &path, &key(&holder, 1), &form).await;
    assert_eq!(received.status, 200, "{}", received.body);
    assert_eq!(call(&desk.one, &path, &key(&holder, 1), &form).await.json(), received.json(), "same key, same result");
    let other = with(&form, json!({"form": "78/2026"}));
    assert_eq!(code(&call(&desk.one, &path, &key(&holder, 1), &other).await), (422, "key_reused".to_owned()));
    assert_eq!(code(&call(&desk.two, &path, &key(&holder, 2), &form).await), (409, "already_open".to_owned()));
    assert_eq!(idp.trail_count(&holder, "level_two_submitted"), 1);

    let at = format!("/api/applications/{}", received.json()["application"].as_str().unwrap());
    let shown = desk.two.get(&at).await;
    assert!(!shown.body.contains(&holder.number) && !shown.body.contains(&holder.phone), "masked: {}", shown.body);
    let application = shown.json();
    assert_eq!((&application["state"], &application["needs_card"]), (&json!("checking"), &json!(false)));
    assert_eq!((&application["papers"], &application["clock"]["overdue"]), (&json!(["vn_bhyt"]), &json!(false)));
    let proofs = application["evidence"].as_array().unwrap();
    let reference = |proof: &str| proofs.iter().find(|one| one["proof"] == proof).map(|one| one["reference"].clone());
    assert_eq!(reference("face_match"), Some(json!("FM-2026-0001")));
    let listed = desk.two.get("/api/applications").await.json();
    assert!(
        listed["applications"].as_array().unwrap().iter().any(|one| one["application"] == application["application"])
    );

    let decision = format!("{at}/decision");
    for unclear in [
        json!({"decision": "refuse"}),
        json!({"decision": "refuse", "reason": "superseded"}),
        json!({"decision": "grant", "reason": "withdrawn"}),
        json!({"decision": "grant", "card_expires": "soon"}),
    ] {
        let refused = call(&desk.one, &decision, &key(&holder, 3), &unclear).await;
        assert_eq!(code(&refused), (400, "malformed".to_owned()), "{unclear}");
    }
    assert_eq!(said(None).await, (sub.clone(), acr), "nothing so far");
    let grant = json!({"decision": "grant"});
    let granted = call(&desk.one, &decision, &key(&holder, 4), &grant).await;
    assert_eq!((granted.status, &granted.json()["account"]), (200, &json!(account)), "{}", granted.body);
    assert_eq!(call(&desk.one, &decision, &key(&holder, 4), &grant).await.json(), granted.json());
    assert_eq!(code(&call(&desk.one, &decision, &key(&holder, 5), &grant).await), (409, "already_decided".to_owned()));
    assert_eq!(code(&call(&desk.one, &path, &key(&holder, 6), &form).await), (409, "already_level_two".to_owned()));
    assert_eq!(idp.trail_count(&holder, "level_two_granted"), 1);
    assert_eq!(said(Some("urn:vn:eid:muc:2")).await, (sub, json!("urn:vn:eid:muc:2")));
    assert_eq!(desk.two.get(&at).await.json()["state"], "activated");
}

#[tokio::test]
async fn b2_what_the_page_refuses_the_interface_refuses_and_names_the_field() {
    let desk = desk().await;
    let (idp, holder) = (&desk.idp, desk.idp.beginner());
    let account = account_of(&desk.one, &holder).await;
    let (path, form) = (format!("/api/people/{account}/level-two"), tk01(&holder));
    let citizen = signed_in(idp, &idp.citizen()).await;
    assert_eq!(code(&call(&citizen, &path, &key(&holder, 0), &form).await), (403, "without_role".to_owned()));
    let nobody = call(&desk.one, "/api/people/nobody/level-two", &key(&holder, 0), &form).await;
    assert_eq!(code(&nobody), (404, "no_account".to_owned()));
    for (field, more) in [
        ("seen", json!({"seen": false})),
        ("phone_own", json!({"phone_own": false})),
        ("face", json!({"face": "data:image/png;base64,iV"})),
        ("fingerprint", json!({"fingerprint": ""})),
        ("form", json!({"form": holder.number})),
        ("card_suffix", json!({"card_suffix": "22"})),
        ("card_expires", json!({"card_expires": ""})),
        ("no_card", json!({"no_card": true})),
        ("dependants", json!({"dependants": ["12"]})),
        ("guardian", json!({"guardian": holder.number})),
        ("papers", json!({"papers": ["name"]})),
        ("name", json!({"name": "Somebody Else"})),
    ] {
        let refused = call(&desk.one, &path, &key(&holder, 1), &with(&form, more)).await;
        assert_eq!(code(&refused), (400, "malformed".to_owned()), "{field}");
        assert_eq!(refused.json()["field"], field);
    }
    let picture = with(&form, json!({"picture": "iVBORw0KGgo="}));
    assert_eq!(code(&call(&desk.one, &path, &key(&holder, 1), &picture).await), (400, "not_json".to_owned()));
    assert_eq!(code(&call(&desk.one, &path, "short", &form).await), (400, "no_idempotency_key".to_owned()));
    let unknown =
        call(&desk.one, "/api/applications/nobody/decision", &key(&holder, 2), &json!({"decision": "grant"})).await;
    assert_eq!(code(&unknown), (404, "no_request".to_owned()));
    assert_eq!(idp.trail_count(&holder, "level_two_submitted"), 0);
    let taken = call(&desk.one, &path, &key(&holder, 1), &form).await;
    assert_eq!(taken.status, 200, "control: {}", taken.body);
    let at = format!("/api/applications/{}/decision", taken.json()["application"].as_str().unwrap());
    let refuse = json!({"decision": "refuse", "reason": "phone_not_own"});
    let refused = call(&desk.two, &at, &key(&holder, 3), &refuse).await;
    assert_eq!((refused.status, &refused.json()["account"]), (200, &Value::Null), "{}", refused.body);
    assert_eq!(idp.trail_count(&holder, "level_two_refused"), 1);
}

#[tokio::test]
async fn b4_somebody_without_an_account_or_a_card_gets_both_at_the_end() {
    let desk = desk().await;
    let (_, holder) = record(2, json!({}));
    let (idp, mut form) = (&desk.idp, tk01(&holder));
    for name in ["card_suffix", "card_expires"] {
        form.as_object_mut().unwrap().remove(name);
    }
    let form = with(&form, json!({"no_card": true}));
    let unnamed = call(&desk.one, "/api/applications", &key(&holder, 0), &form).await;
    assert_eq!((code(&unnamed).0, &unnamed.json()["field"]), (400, &json!("person_number")));
    let who = json!({
        "person_number": holder.number, "name": "Ngô Thị Mai", "birthdate": "1998-03-12", "gender": "female",
    });
    let child = with(&with(&form, who.clone()), json!({"birthdate": "2016-03-12"}));
    assert_eq!(
        code(&call(&desk.one, "/api/applications", &key(&holder, 1), &child).await),
        (409, "under_age".to_owned())
    );
    let received = call(&desk.one, "/api/applications", &key(&holder, 2), &with(&form, who)).await;
    assert_eq!(received.status, 200, "{}", received.body);
    let at = format!("/api/applications/{}", received.json()["application"].as_str().unwrap());
    assert_eq!(desk.one.get(&at).await.json()["needs_card"], true);
    let decision = format!("{at}/decision");
    let without = call(&desk.one, &decision, &key(&holder, 3), &json!({"decision": "grant"})).await;
    assert_eq!(code(&without), (409, "card_missing".to_owned()));
    let grant = json!({"decision": "grant", "card_expires": "2051-11-30"});
    let granted = call(&desk.one, &decision, &key(&holder, 4), &grant).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert_eq!(desk.one.get(&at).await.json()["state"], "notified");
    let done = activated(idp, &holder.number, &holder.phone, "mật khẩu mới của Mai").await;
    assert!(done.page().has("activated"), "{}", done.body);
}

/// What a portal learns of a child whose account the guardian activated and whose use the guardian confirmed.
async fn used(idp: &Sandbox, child: Holder, guardian: &Holder) -> Value {
    let password = "con diều đỏ bay rất cao";
    let done = activated(idp, &child.number, &guardian.phone, password).await;
    assert!(done.page().has("activated"), "{}", done.body);
    let child = Holder { password: password.to_owned(), phone: guardian.phone.clone(), ..child };
    let (_, tokens) = confirmed(idp, &idp.confidential(), &child, guardian).await;
    jwt::claims(tokens.id_token())
}

#[tokio::test]
async fn a2_a_child_comes_with_the_guardian_and_each_use_waits_for_them() {
    let desk = desk().await;
    let (_, child) = record(2, json!({}));
    let (idp, guardian, form) = (&desk.idp, desk.idp.citizen(), tk01(&child));
    let who = json!({
        "person_number": child.number, "name": "Ngô Minh Khôi", "birthdate": born(9), "gender": "male",
        "phone": guardian.phone, "guardian": guardian.number,
    });
    let form = with(&form, who);
    let refused = async |n: u64, more: Value, status: u16, why: &str| {
        let refused = call(&desk.one, "/api/applications", &key(&child, n), &with(&form, more)).await;
        assert_eq!(code(&refused), (status, why.to_owned()));
    };
    refused(0, json!({"guardian": ""}), 409, "under_age").await;
    refused(1, json!({"guardian": idp.beginner().number}), 409, "guardian_unfit").await;
    refused(2, json!({"phone": child.phone}), 409, "guardian_unfit").await;
    refused(3, json!({"birthdate": born(5)}), 409, "under_six").await;
    let received = call(&desk.one, "/api/applications", &key(&child, 4), &form).await;
    assert_eq!(received.status, 200, "{}", received.body);
    let at = format!("/api/applications/{}", received.json()["application"].as_str().unwrap());
    let shown = desk.one.get(&at).await;
    assert!(shown.json()["guardian"].is_string() && !shown.body.contains(&guardian.number), "masked: {}", shown.body);
    let grant = json!({"decision": "grant"});
    let granted = call(&desk.two, &format!("{at}/decision"), &key(&child, 5), &grant).await;
    assert_eq!(granted.status, 200, "{}", granted.body);

    let claims = used(idp, child, &guardian).await;
    assert!(claims["act"]["sub"].is_string(), "{claims}");
}

#[tokio::test]
async fn a2_a_child_under_six_gets_level_one_and_each_use_waits_for_the_guardian() {
    let desk = desk().await;
    let (_, child) = record(2, json!({}));
    let (idp, guardian) = (&desk.idp, desk.idp.citizen());
    let form = json!({
        "level": 1, "person_number": child.number, "name": "Ngô Minh Khôi", "birthdate": born(4), "gender": "male",
        "guardian": guardian.number, "phone": guardian.phone, "phone_own": true, "seen": true, "no_card": true,
        "form": "79/2026",
    });
    for (n, more, status, why) in [
        (0, json!({"guardian": ""}), 409, "under_age"),
        (1, json!({"birthdate": born(14), "guardian": ""}), 409, "level_one_online"),
        (2, json!({"face": "FM-2026-0001"}), 400, "malformed"),
        (3, json!({"level": 3}), 400, "malformed"),
    ] {
        let refused = call(&desk.one, "/api/applications", &key(&child, n), &with(&form, more)).await;
        assert_eq!(code(&refused), (status, why.to_owned()), "{}", refused.body);
    }
    let received = call(&desk.one, "/api/applications", &key(&child, 4), &form).await;
    assert_eq!(received.status, 200, "{}", received.body);
    let at = format!("/api/applications/{}", received.json()["application"].as_str().unwrap());
    let shown = desk.one.get(&at).await.json();
    assert_eq!((&shown["level"], &shown["needs_card"], &shown["card"]), (&json!(1), &json!(false), &Value::Null));
    let grant = json!({"decision": "grant"});
    let granted = call(&desk.two, &format!("{at}/decision"), &key(&child, 5), &grant).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let again = call(&desk.one, "/api/applications", &key(&child, 6), &with(&form, json!({"form": "80/2026"}))).await;
    assert_eq!(code(&again), (409, "already_registered".to_owned()));
    assert_eq!(idp.trail_count(&child, "enrolment_granted"), 1);

    let claims = used(idp, child, &guardian).await;
    assert!(claims["act"]["sub"].is_string() && claims["acr"] == "urn:vn:eid:muc:1", "{claims}");
}
