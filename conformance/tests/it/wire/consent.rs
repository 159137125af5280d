//! `contract.md` 6 Consent and `security.md` 2.16: released is what was asked, registered, consented and allowed.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Will, consent_form, redeemed};
use crate::support::holder::Holder;
use crate::support::jwt::claims;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};
use crate::support::{next, verdict};

const SCOPE: &str = "openid profile email phone address vn_civil vn_eid_status offline_access";

fn purposes() -> Value {
    json!([
        {
            "id": "residence",
            "title": {"vi": "Đăng ký cư trú", "en": "Residence registration"},
            "claims": ["name", "birthdate", "address"],
            "required": ["name"],
        },
        {
            "id": "contact",
            "title": {"vi": "Liên hệ", "en": "Contact"},
            "claims": ["email", "phone_number", "vn_ethnicity"],
            "sensitive_reason": {"vi": "Thống kê dân tộc", "en": "Statistics"},
        },
    ])
}

fn portal(idp: &Sandbox) -> RelyingParty {
    idp.client(json!({"scope": SCOPE, "vn_purposes": purposes()}))
}

async fn at_consent(idp: &Sandbox, visitor: &Visitor, ask: &Ask, holder: &Holder) -> Answer {
    let at = visitor.open(&ask.target()).await;
    let at = if at.page().name() == "sign-in" { idp.sign_in(visitor, &at, holder).await } else { at };
    assert_eq!(at.page().name(), "consent", "{}", at.page().text);
    at
}

async fn userinfo(client: &RelyingParty, ask: Ask, answer: &Answer) -> Value {
    let tokens = redeemed(client, ask, answer.returned().unwrap().code()).await;
    client.userinfo(tokens.access()).await.json()
}

fn names(body: &Value) -> Vec<&str> {
    body.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with("vn_") && *name != "sub")
        .collect()
}

#[tokio::test]
async fn rfc8707_the_page_names_the_servers_a_token_is_asked_for() {
    let idp = Sandbox::shared();
    let resource = format!("https://kho-{}.gov.vn/dossiers", next());
    idp.client(json!({
        "client_id": format!("server-{}", next()), "client_name": {"vi": "Kho hồ sơ", "en": "Dossier registry"},
        "grant_types": [], "redirect_uris": null, "post_logout_redirect_uris": null, "scope": "dossiers.read",
        "vn_serves": [resource],
    }));
    let client = idp.client(json!({"scope": SCOPE, "vn_resources": [resource]}));
    let ask = Ask::of(&client).scope("openid profile").with("resource", &resource).also("resource", &idp.issuer);
    for (language, lead, name) in [("vi", "thay bạn truy cập", "Kho hồ sơ"), ("en", "in your name", "Dossier registry")]
    {
        let visitor = idp.visitor().speaking(language);
        let at = at_consent(idp, &visitor, &ask, &idp.citizen()).await;
        assert!(at.page().has("servers"));
        let text = at.page().text;
        assert!([lead, name, &resource].iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains(&idp.issuer), "our own userinfo needs no telling");
        assert!(
            visitor.submit(&at, &consent_form(&at, Will::AllowAll)).await.returned().unwrap().get("code").is_some()
        );
    }
    let plain = at_consent(idp, &idp.visitor(), &Ask::of(&client).scope("openid profile"), &idp.citizen()).await;
    assert!(!plain.page().has("servers"), "control");
}

#[tokio::test]
async fn the_page_previews_values_by_purpose_and_ticks_nothing() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let holder = idp.citizen();
    for (language, title, badge) in [("vi", "Đăng ký cư trú", "nhạy cảm"), ("en", "Residence registration", "ensitive")]
    {
        let visitor = idp.visitor().speaking(language);
        let ask = Ask::of(&client).scope("openid profile email phone address vn_civil");
        let page = at_consent(idp, &visitor, &ask, &holder).await.page();
        assert_eq!(page.language(), language);
        let mut boxes = page.boxes();
        boxes.sort_unstable();
        assert_eq!(
            boxes,
            ["address", "birthdate", "email", "phone_number", "vn_ethnicity"],
            "only claims of a purpose"
        );
        assert!(page.all("input").all(|input| input.attribute("checked").is_none()), "nothing is ticked");
        for seen in [title, holder.name.as_str(), "30/04/1990", badge] {
            assert!(page.text.contains(seen), "{seen:?} is not on the page: {}", page.text);
        }
        assert!(page.all("form").count() >= 1 && page.has("allow") && page.has("deny"));
    }
}

#[tokio::test]
async fn co_02_only_ticked_and_required_claims_leave() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    for (ticked, expected) in [
        (&[][..], vec!["name"]),
        (&["email"][..], vec!["email", "email_verified", "name"]),
        (&["birthdate", "address"][..], vec!["address", "birthdate", "name"]),
    ] {
        let (visitor, holder) = (idp.visitor(), idp.citizen());
        let ask = Ask::of(&client).scope("openid profile email phone address vn_civil");
        let at = at_consent(idp, &visitor, &ask, &holder).await;
        let answer = visitor.submit(&at, &consent_form(&at, Will::Allow(ticked))).await;
        let body = userinfo(&client, ask.clone(), &answer).await;
        assert_eq!(names(&body), expected);
        // Remembered, refusals included: silent now, and the same claims.
        let silent = Ask::of(&client).scope("openid profile email phone address vn_civil").with("prompt", "none");
        let again = visitor.get(&silent.target()).await;
        assert_eq!(names(&userinfo(&client, silent, &again).await), expected);
    }
}

#[tokio::test]
async fn deny_is_access_denied_and_nothing_is_remembered_as_given() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile");
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    let answer = visitor.submit(&at, &consent_form(&at, Will::Deny)).await;
    verdict::redirect(&answer, &client, &ask, "access_denied");
    at_consent(idp, &visitor, &Ask::of(&client).scope("openid profile"), &holder).await;
}

#[tokio::test]
async fn co_01_only_what_is_new_is_asked() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile");
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    assert_eq!(at.page().boxes(), ["birthdate"]);
    visitor.submit(&at, &consent_form(&at, Will::Allow(&["birthdate"]))).await;
    let wider = Ask::of(&client).scope("openid profile email");
    let at = at_consent(idp, &visitor, &wider, &holder).await;
    assert_eq!(at.page().boxes(), ["email"], "exactly the difference");
    let answer = visitor.submit(&at, &consent_form(&at, Will::AllowAll)).await;
    let body = userinfo(&client, wider, &answer).await;
    assert_eq!(names(&body), ["birthdate", "email", "email_verified", "name"]);
    // offline_access is a decision of its own.
    let offline = Ask::of(&client).scope("openid profile offline_access");
    at_consent(idp, &visitor, &offline, &holder).await;
}

#[tokio::test]
async fn no_page_when_there_is_nothing_to_release() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let at = visitor.open(&Ask::of(&client).scope("openid vn_eid_status").target()).await;
    let at = idp.sign_in(&visitor, &at, &holder).await;
    assert!(at.returned().is_some(), "{}", at.page().name());
}

#[tokio::test]
async fn essential_claims_stand_without_a_box_and_the_claims_parameter_says_where() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let wished = json!({
        "userinfo": {"birthdate": {"essential": true}, "email": null},
        "id_token": {"name": {"essential": true}},
    });
    let ask = Ask::of(&client).with("claims", &wished.to_string());
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    assert_eq!(at.page().boxes(), ["email"]);
    let answer = visitor.submit(&at, &consent_form(&at, Will::Allow(&[]))).await;
    let tokens = redeemed(&client, ask, answer.returned().unwrap().code()).await;
    let (token, body) = (claims(tokens.id_token()), client.userinfo(tokens.access()).await.json());
    assert_eq!((&token["name"], token.get("birthdate")), (&json!(holder.name), None));
    assert_eq!((&body["birthdate"], body.get("name"), body.get("email")), (&json!("1990-04-30"), None, None));
}

#[tokio::test]
async fn level_two_claims_never_leave_for_a_level_one_account() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) =
        (idp.visitor(), idp.holder(1, json!({"claims": {"family_name": "Đoàn", "given_name": "Hương"}})));
    let ask = Ask::of(&client).scope("openid profile address vn_civil");
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    assert_eq!(at.page().boxes(), ["birthdate"]);
    let answer = visitor.submit(&at, &consent_form(&at, Will::AllowAll)).await;
    assert_eq!(names(&userinfo(&client, ask, &answer).await), ["birthdate", "name"]);
}

#[tokio::test]
async fn co_04_consent_is_for_one_client() {
    let idp = Sandbox::shared();
    let (one, holder, visitor) = (portal(idp), idp.citizen(), idp.visitor());
    let two = idp.client(json!({"vn_sector": one.metadata["vn_sector"]}));
    idp.authorize(&visitor, &Ask::of(&one).scope("openid profile"), &holder).await;
    at_consent(idp, &visitor, &Ask::of(&two).scope("openid profile"), &holder).await;
}

#[tokio::test]
async fn co_05_a_tampered_consent_stores_nothing() {
    let idp = Sandbox::shared();
    let client = portal(idp);
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile");
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    let mut tampered = consent_form(&at, Will::Allow(&[]));
    for extra in ["address", "vn_personal_id", "email", "acr"] {
        tampered.fields.push(("claim".to_owned(), extra.to_owned()));
    }
    let answer = visitor.submit(&at, &tampered).await;
    match answer.returned() {
        // Shrinking is the only thing an answer can do: what was not displayed is not granted.
        Some(_) => assert_eq!(names(&userinfo(&client, ask, &answer).await), ["name"]),
        None => assert_eq!(answer.status, 409, "{}", answer.body),
    }
}

#[tokio::test]
async fn law_as_basis_is_a_notice_without_boxes() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"vn_legal_basis": "law", "scope": SCOPE, "vn_purposes": purposes()}));
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile");
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    assert!(at.page().boxes().is_empty());
    let denied = idp.visitor();
    let refused = at_consent(idp, &denied, &ask, &idp.citizen()).await;
    let refused = denied.submit(&refused, &consent_form(&refused, Will::Deny)).await;
    verdict::redirect(&refused, &client, &ask, "access_denied");
    let answer = visitor.submit(&at, &consent_form(&at, Will::Allow(&[]))).await;
    assert_eq!(names(&userinfo(&client, ask, &answer).await), ["birthdate", "name"]);
    let silent = Ask::of(&client).scope("openid profile").with("prompt", "none");
    assert!(visitor.get(&silent.target()).await.returned().unwrap().get("code").is_some(), "remembered");
}

#[tokio::test]
async fn co_13_two_portals_cannot_join_a_citizen() {
    let idp = Sandbox::shared();
    let (one, two) = (idp.confidential(), idp.confidential());
    let shared_sector = idp.client(json!({"vn_sector": one.metadata["vn_sector"]}));
    let holder = idp.citizen();
    let visitor = idp.visitor();
    let mut seen = Vec::new();
    for client in [&one, &two, &shared_sector] {
        let tokens = idp.tokens(&visitor, client, Ask::of(client), &holder).await;
        let token = claims(tokens.id_token());
        seen.push((token["sub"].clone(), token["sid"].clone()));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1 && seen[0].1 != seen[2].1);
    assert_eq!(seen[0].0, seen[2].0, "one sector, one sub");
    let later = idp.tokens(&idp.visitor(), &one, Ask::of(&one), &holder).await;
    assert_eq!(claims(later.id_token())["sub"], seen[0].0, "stable");
}

#[tokio::test]
async fn co_14_and_se_17_hostile_values_stay_values() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({
        "client_name": {"vi": "<b>Cổng</b> & \"x\"", "en": "<b>Portal</b>"},
        "scope": SCOPE,
        "vn_purposes": purposes(),
    }));
    let nickname = "\"><script>alert(1)</script>\",\"acr\":\"2";
    let (visitor, holder) = (idp.visitor(), idp.holder(2, json!({"name": nickname})));
    let ask = Ask::of(&client).scope("openid profile");
    let at = visitor.open(&ask.target()).await;
    assert!(!at.body.contains("<b>C"));
    let at = at_consent(idp, &visitor, &ask, &holder).await;
    assert!(!at.body.contains("<script>alert") && at.page().text.contains("alert(1)"));
    let answer = visitor.submit(&at, &consent_form(&at, Will::AllowAll)).await;
    let body = userinfo(&client, ask, &answer).await;
    assert_eq!((&body["name"], body.get("acr")), (&json!(nickname), None));
}

#[tokio::test]
async fn every_decision_and_release_stands_in_the_trail() {
    let idp = Sandbox::shared();
    let (client, holder) = (portal(idp), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile");
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    client.userinfo(tokens.access()).await;
    for kind in ["sign_in", "consent_given", "authorization_issued", "token_issued", "released"] {
        assert!(idp.trail_count(&holder, kind) >= 1, "{kind} is missing");
    }
    let exported = idp.admin_ok(&["trail", "export", &holder.number]);
    for private in [holder.name.as_str(), &holder.phone, &holder.number, tokens.access(), &tokens.code] {
        assert!(!exported.contains(private), "the trail names no value");
    }
}
