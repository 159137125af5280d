//! `contract.md` 4, acr: wishes and demands on both axes, and what a portal learns when they cannot be met.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Will, back_to_client, redeemed};
use crate::support::holder::Holder;
use crate::support::jwt::claims;
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::Visitor;

const MUC_1: &str = "urn:vn:eid:muc:1";
const MUC_2: &str = "urn:vn:eid:muc:2";
const MUC_2_3: &str = "urn:vn:eid:muc:2:xac-thuc:3";
const XT_1: &str = "urn:vn:eid:xac-thuc:1";
const XT_2: &str = "urn:vn:eid:xac-thuc:2";
const XT_3: &str = "urn:vn:eid:xac-thuc:3";

fn essential(value: Value) -> String {
    json!({"id_token": {"acr": value}}).to_string()
}

/// The pages walked and the ID token's claims.
async fn journey(
    idp: &Sandbox,
    visitor: &Visitor,
    client: &RelyingParty,
    ask: Ask,
    holder: &Holder,
) -> (Vec<String>, Value) {
    let (mut at, mut pages) = (visitor.open(&ask.target()).await, Vec::new());
    while at.returned().is_none() {
        let name = at.page().name().to_owned();
        assert!(pages.len() < 4, "no end: {pages:?}");
        at = match name.as_str() {
            "sign-in" => idp.sign_in(visitor, &at, holder).await,
            "otp" => idp.enter_otp(visitor, &at, holder).await,
            other => panic!("{other}: {}", at.page().text),
        };
        pages.push(name);
    }
    let code = at.returned().unwrap().code();
    (pages, claims(redeemed(client, ask, code).await.id_token()))
}

#[tokio::test]
async fn acr_wishes_first_reachable_value_is_the_target_and_the_first_held_the_answer() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let asked_otp = ["sign-in", "otp"].map(str::to_owned).to_vec();
    let password_only = ["sign-in"].map(str::to_owned).to_vec();
    for (wish, level, pages, acr) in [
        ("", 2, &password_only, MUC_1),
        (MUC_1, 2, &password_only, MUC_1),
        (MUC_2, 2, &asked_otp, MUC_2),
        ("urn:vn:eid:muc:2 urn:vn:eid:muc:1", 2, &asked_otp, MUC_2),
        ("urn:vn:eid:muc:1 urn:vn:eid:muc:2", 2, &password_only, MUC_1),
        (XT_1, 2, &password_only, XT_1),
        (XT_2, 2, &asked_otp, XT_2),
        // CO-08: unknown, upper case, not reachable by this configuration: never an error.
        ("x URN:VN:EID:MUC:2 urn:vn:eid:muc:1", 2, &password_only, MUC_1),
        ("urn:vn:eid:muc:2:xac-thuc:3 urn:vn:eid:muc:2", 2, &asked_otp, MUC_2),
        (XT_3, 2, &password_only, MUC_1),
        // A level-1 holder: muc:2 is out of reach, an authentication level is not.
        (MUC_2, 1, &password_only, MUC_1),
        ("urn:vn:eid:muc:2 urn:vn:eid:xac-thuc:2", 1, &asked_otp, XT_2),
        (XT_2, 1, &asked_otp, XT_2),
    ] {
        // A holder of its own for each row: codes sent to one phone are bounded.
        let holder = idp.holder(level, json!({}));
        let ask = if wish.is_empty() { Ask::of(&client) } else { Ask::of(&client).with("acr_values", wish) };
        let (walked, token) = journey(idp, &idp.visitor(), &client, ask, &holder).await;
        assert_eq!((&walked, &token["acr"]), (pages, &json!(acr)), "acr_values={wish:?}");
        let amr = if pages.len() == 2 { json!(["mfa", "otp", "pwd", "sms"]) } else { json!(["pwd"]) };
        let mut seen: Vec<&str> = token["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        seen.sort_unstable();
        assert_eq!(json!(seen), amr);
        assert_eq!(token["vn_auth_level"], json!(pages.len()));
    }
}

#[tokio::test]
async fn default_acr_values_are_a_wish_and_vn_acr_demand_makes_a_demand() {
    let idp = Sandbox::shared();
    let (one, two) = (idp.beginner(), idp.citizen());
    let wishing = idp.client(json!({"default_acr_values": [MUC_2]}));
    let (pages, token) = journey(idp, &idp.visitor(), &wishing, Ask::of(&wishing), &two).await;
    assert_eq!((pages.len(), &token["acr"]), (2, &json!(MUC_2)));
    let (_, token) = journey(idp, &idp.visitor(), &wishing, Ask::of(&wishing), &one).await;
    assert_eq!(token["acr"], json!(MUC_1));

    let demanding = idp.client(json!({"vn_acr_demand": true}));
    let ask = Ask::of(&demanding).with("acr_values", MUC_2);
    unmet(idp, &demanding, ask, &one, "account_level").await;
    // RFC 9470: one of the values is enough.
    let either = Ask::of(&demanding).with("acr_values", "urn:vn:eid:muc:2 urn:vn:eid:muc:1");
    let (_, token) = journey(idp, &idp.visitor(), &demanding, either, &one).await;
    assert_eq!(token["acr"], json!(MUC_1));
}

/// The `level` page, what to do, and the exact refusal at the client.
async fn unmet(idp: &Sandbox, client: &RelyingParty, ask: Ask, holder: &Holder, reason: &str) {
    let visitor = idp.visitor();
    let at = visitor.open(&ask.target()).await;
    let at = idp.walk(&visitor, at, holder, Will::AllowAll).await;
    assert_eq!(at.page().name(), "level", "{}", at.page().text);
    let answer = back_to_client(&visitor, &at).await;
    let returned = verdict::redirect(&answer, client, &ask, "unmet_authentication_requirements");
    let described = returned.get("error_description").unwrap();
    assert!(described.starts_with(reason), "{described}");
    let silent = ask.clone().with("prompt", "none");
    let answer = visitor.get(&silent.target()).await;
    verdict::redirect(&answer, client, &silent, "unmet_authentication_requirements");
}

#[tokio::test]
async fn demands_by_claim_registration_and_service_must_all_hold() {
    let idp = Sandbox::shared();
    let one = idp.beginner();
    let plain = idp.confidential();
    for claim in [json!({"essential": true, "value": MUC_2}), json!({"essential": true, "values": [MUC_2, MUC_2_3]})] {
        let ask = Ask::of(&plain).with("claims", &essential(claim));
        unmet(idp, &plain, ask, &one, "account_level").await;
    }
    let out_of_reach = Ask::of(&plain).with("claims", &essential(json!({"essential": true, "value": XT_3})));
    unmet(idp, &plain, out_of_reach, &one, "authentication_level").await;
    // A voluntary acr claim is a wish; an essential one with a value that holds is met.
    for claim in
        [json!({"value": MUC_2}), json!({"essential": true, "values": [MUC_2, MUC_1]}), json!({"essential": true})]
    {
        let ask = Ask::of(&plain).with("claims", &essential(claim));
        let (_, token) = journey(idp, &idp.visitor(), &plain, ask, &one).await;
        assert_eq!(token["acr"], json!(MUC_1));
    }
    let strict = idp.client(json!({"vn_min_account_level": 2}));
    unmet(idp, &strict, Ask::of(&strict), &one, "account_level").await;
    let strong = idp.client(json!({"vn_min_auth_level": 2}));
    let (pages, token) = journey(idp, &idp.visitor(), &strong, Ask::of(&strong), &one).await;
    assert_eq!((pages.len(), &token["vn_account_level"], &token["vn_auth_level"]), (2, &json!(1), &json!(2)));
}

#[tokio::test]
async fn a_service_code_sets_its_own_minimum_and_claims() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"vn_services": [{
        "code": "1.004222",
        "title": {"vi": "Đăng ký thường trú", "en": "Permanent residence registration"},
        "min_account_level": 2,
        "min_auth_level": 2,
        "claims": ["name"],
    }]}));
    let visitor = idp.visitor();
    let two = idp.citizen();
    let (pages, token) = journey(idp, &visitor, &client, Ask::of(&client), &two).await;
    assert_eq!((pages.len(), &token["acr"]), (1, &json!(MUC_1)));
    // Step-up keeps the session and asks only for the missing factor.
    let ask = Ask::of(&client).with("service", "1.004222");
    let at = visitor.open(&ask.target()).await;
    assert_eq!(at.page().name(), "otp");
    let at = idp.enter_otp(&visitor, &at, &two).await;
    let end = idp.walk(&visitor, at, &two, Will::AllowAll).await;
    let stepped = redeemed(&client, ask, end.returned().unwrap().code()).await;
    let stepped_claims = claims(stepped.id_token());
    assert_eq!((&stepped_claims["acr"], &stepped_claims["sid"]), (&json!(MUC_2), &token["sid"]));
    assert!(stepped_claims["auth_time"].as_i64() >= token["auth_time"].as_i64());
    // And the higher level is there for the next request without any page.
    let silent = Ask::of(&client).with("service", "1.004222").with("prompt", "none");
    assert!(visitor.get(&silent.target()).await.returned().unwrap().get("code").is_some());
    unmet(idp, &client, Ask::of(&client).with("service", "1.004222"), &idp.beginner(), "account_level").await;
}

#[tokio::test]
async fn a_level_one_session_under_prompt_none_is_told_what_is_reachable() {
    let idp = Sandbox::shared();
    let (client, visitor, two) = (idp.confidential(), idp.visitor(), idp.citizen());
    journey(idp, &visitor, &client, Ask::of(&client), &two).await;
    let demand =
        Ask::of(&client).with("claims", &essential(json!({"essential": true, "value": MUC_2}))).with("prompt", "none");
    let returned = verdict::redirect(&visitor.get(&demand.target()).await, &client, &demand, "interaction_required");
    assert!(returned.get("error_description").unwrap_or_default().starts_with("authentication_level"), "{returned:?}");
    let never =
        Ask::of(&client).with("claims", &essential(json!({"essential": true, "value": XT_3}))).with("prompt", "none");
    verdict::redirect(&visitor.get(&never.target()).await, &client, &never, "unmet_authentication_requirements");
}

#[tokio::test]
async fn max_age_asks_for_every_factor_the_answer_rests_on() {
    let idp = Sandbox::shared();
    let (client, visitor, two) = (idp.confidential(), idp.visitor(), idp.citizen());
    let demand = || Ask::of(&client).with("claims", &essential(json!({"essential": true, "value": MUC_2})));
    journey(idp, &visitor, &client, demand(), &two).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let (pages, token) = journey(idp, &visitor, &client, demand().with("max_age", "1"), &two).await;
    assert_eq!(pages, ["sign-in", "otp"]);
    assert_eq!(token["acr"], json!(MUC_2));
}

#[tokio::test]
async fn a_refreshed_token_claims_a_level_only_while_it_holds() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let ask = Ask::of(&client).scope("openid offline_access").with("acr_values", MUC_2);
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &idp.citizen()).await;
    assert_eq!(claims(tokens.id_token())["acr"], json!(MUC_2));
    let refreshed = client.refresh(tokens.refresh()).await.json();
    let refreshed = claims(refreshed["id_token"].as_str().unwrap());
    assert_eq!(refreshed["acr"], json!(MUC_2));
    assert_eq!(refreshed["auth_time"], claims(tokens.id_token())["auth_time"]);
}
