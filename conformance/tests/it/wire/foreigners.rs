//! ND69 Art 7(2), 9(3), 15: a foreigner's account, its number, its papers and its locks.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::family::foreigner;
use crate::support::flow::{Will, redeemed, sign_in_form};
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::sandbox::Sandbox;

fn demand(acr: &str) -> String {
    json!({"id_token": {"acr": {"essential": true, "value": acr}}}).to_string()
}

#[tokio::test]
async fn c3_a_foreigner_reaches_level_2_without_an_e_id_and_none_is_stated() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.foreigner(json!({})));
    let ask =
        Ask::of(&client).scope("openid profile vn_identity vn_eid_status").with("claims", &demand("urn:vn:eid:muc:2"));
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    let id_token = jwt::claims(tokens.id_token());
    assert_eq!((&id_token["acr"], &id_token["vn_account_level"]), (&json!("urn:vn:eid:muc:2"), &json!(2)));
    let userinfo = client.userinfo(tokens.access()).await.json();
    assert_eq!(userinfo["vn_personal_id"], json!(holder.number), "{userinfo}");
    for of_an_e_id in ["vn_eid_state", "vn_card_expiry", "act"] {
        assert!(userinfo.get(of_an_e_id).is_none(), "{of_an_e_id} in {userinfo}");
    }
    // Level 1 is a foreigner's as well, and is not enough for what needs 2.
    let (mut line, beginner) = foreigner(json!({}));
    line["account"]["level"] = json!(1);
    idp.import(&[line]);
    idp.authorize(&idp.visitor(), &Ask::of(&client), &beginner).await.code();
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).with("claims", &demand("urn:vn:eid:muc:2")).target()).await;
    assert_eq!(idp.walk(&visitor, at, &beginner, Will::AllowAll).await.page().name(), "level");
}

async fn ends_on(idp: &Sandbox, holder: &Holder) -> (String, String) {
    let (client, visitor) = (idp.confidential(), idp.visitor());
    let at = visitor.open(&Ask::of(&client).target()).await;
    let at = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    match at.returned() {
        Some(back) => ("answered".to_owned(), back.get("error").unwrap_or("code").to_owned()),
        None => (at.page().name().to_owned(), at.page().text),
    }
}

#[tokio::test]
async fn d10_an_expired_permit_or_passport_locks_and_a_new_one_opens() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for (paper, words) in [("permit", "Thẻ tạm trú"), ("passport", "Hộ chiếu")] {
        let (line, holder) = foreigner(json!({}));
        let expiring = |day: &str| {
            let mut line = line.clone();
            line[paper] = json!({"expires": day});
            line
        };
        idp.import(std::slice::from_ref(&line));
        let tokens = idp.offline_tokens(&client, &holder).await;
        assert_eq!(client.userinfo(tokens.access()).await.status, 200);
        idp.import(&[expiring("2020-01-31")]);
        let (page, text) = ends_on(idp, &holder).await;
        assert!(page == "card-expired" && text.contains(words), "{page}: {text}");
        assert_eq!(client.userinfo(tokens.access()).await.status, 401);
        idp.import(&[expiring("2042-01-31")]);
        assert_eq!(ends_on(idp, &holder).await.1, "code");
        assert_eq!(client.refresh(tokens.refresh()).await.status, 400, "nothing ended comes back");
    }
}

#[tokio::test]
async fn d10_own_request_breach_and_death_lock_by_the_same_order_and_an_import_unlocks_nothing() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (line, holder) = foreigner(json!({}));
    idp.import(std::slice::from_ref(&line));
    let order = |act: &str, ground: &str| {
        let output =
            idp.admin(&["eid", act, &holder.number, "--ground", ground, "--authority", "Cục Quản lý xuất nhập cảnh"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for ground in ["c", "đ"] {
        let (status, why) = order("lock", ground);
        assert!(status == Some(1) && why.contains("foreigner"), "{why}");
    }
    for ground in ["a", "b"] {
        let tokens = idp.offline_tokens(&client, &holder).await;
        assert_eq!(order("lock", ground).0, Some(0));
        assert_eq!(client.userinfo(tokens.access()).await.status, 401, "{ground}");
        idp.import(std::slice::from_ref(&line));
        assert_eq!(ends_on(idp, &holder).await.0, "locked", "{ground}");
        assert!(idp.admin_ok(&["account", "show", &holder.number]).contains(&format!("grounds: {ground}")));
        assert_eq!(order("unlock", ground).0, Some(0));
        assert_eq!(ends_on(idp, &holder).await.1, "code", "{ground}");
    }
    assert_eq!(order("lock", "d").0, Some(0));
    let (status, why) = order("unlock", "d");
    assert!(status == Some(1) && why.contains("death"), "{why}");
    idp.import(&[line]);
    assert_eq!(ends_on(idp, &holder).await.0, "locked");
}

#[tokio::test]
async fn a3_what_a_foreigners_line_must_say() {
    let idp = Sandbox::shared();
    let rows: [(Value, &str); 7] = [
        (json!({"nationality": null}), "nationality is required"),
        (json!({"nationality": "VNM"}), "nationality is a foreign country"),
        (json!({"permit": null}), "permit.expires is required"),
        (json!({"permit": {"expires": "soon"}}), "permit.expires is a date"),
        (json!({"person_number": "12 A"}), "person_number is 1 to 20 digits"),
        (json!({"eid": {"state": "active"}}), "unknown field \"eid\""),
        (json!({"holder": "stranger"}), "holder is citizen or foreigner or organisation"),
    ];
    for (patch, reason) in rows {
        let file = idp.file("foreigner.jsonl", &foreigner(patch).0.to_string());
        let output = idp.admin(&["account", "import", file.to_str().unwrap()]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && why.contains(reason), "{reason}: {why}");
    }
    // A number of any length up to twenty, and a citizen's keeps twelve digits.
    let (mut line, mut holder) = foreigner(json!({}));
    holder.number = format!("7{}", &holder.number[10..]);
    line["person_number"] = json!(holder.number);
    idp.import(&[line]);
    let client = idp.confidential();
    let ask = Ask::of(&client).scope("openid vn_identity");
    let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
    redeemed(&client, ask, code).await;
    let shown = idp.admin_ok(&["account", "show", &holder.number]);
    assert!(shown.contains("holder: foreigner") && shown.contains("permit_expires: "), "{shown}");
    assert!(!shown.contains(&holder.number), "masked");
}
