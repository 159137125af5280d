//! `security.md` 2.10: UserInfo.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::{redeemed, sign_in_form};
use crate::support::holder::record;
use crate::support::jwt::claims;
use crate::support::port;
use crate::support::provider::Provider;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, pairs};

fn challenged(answer: &Answer, error: Option<&str>) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    let challenge = answer.header("www-authenticate").expect("WWW-Authenticate");
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert_eq!(challenge.contains("error="), error.is_some(), "{challenge}");
    if let Some(error) = error {
        assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
    }
}

#[tokio::test]
async fn ui_00_get_and_post_give_the_released_claims_and_sub() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile phone email address vn_identity vn_eid_status");
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    let by_get = client.userinfo(tokens.access()).await;
    assert_eq!(by_get.status, 200);
    assert!(by_get.header("content-type").unwrap().starts_with("application/json"));
    assert!(by_get.header("cache-control").unwrap().contains("no-store"));
    let body = by_get.json();
    // UI-07: the pairwise sub of the ID token.
    assert_eq!(body["sub"], claims(tokens.id_token())["sub"]);
    assert_eq!(body["name"], json!(holder.name));
    assert_eq!(body["birthdate"], json!("1990-04-30"));
    assert_eq!(body["gender"], json!("female"));
    assert_eq!((&body["phone_number"], &body["phone_number_verified"]), (&json!(holder.phone), &json!(true)));
    assert_eq!(body["email_verified"], json!(true));
    assert_eq!(body["address"]["country"], json!("VN"));
    assert_eq!(body["vn_personal_id"], json!(holder.number));
    assert_eq!((&body["vn_account_level"], &body["vn_auth_level"]), (&json!(2), &json!(1)));
    for never in ["acr", "amr", "auth_time"] {
        assert_eq!(body.get(never), None);
    }
    assert!(body.as_object().unwrap().values().all(|value| !value.is_null()));

    let bearer = format!("bearer {}", tokens.access());
    let by_post = idp.visitor().post("/userinfo", &[], &[("authorization", &bearer)]).await;
    assert_eq!(by_post.json(), body);
    let by_body = idp.visitor().post("/userinfo", &pairs(&[("access_token", tokens.access())]), &[]).await;
    assert_eq!(by_body.json(), body);
}

#[tokio::test]
async fn ui_01_where_a_token_may_stand() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &idp.citizen()).await;
    let visitor = idp.visitor();
    challenged(&visitor.get("/userinfo").await, None);
    challenged(&visitor.get(&format!("/userinfo?access_token={}", tokens.access())).await, None);
    let form = format!("access_token={}", tokens.access()).into_bytes();
    let media = ("content-type", "application/x-www-form-urlencoded");
    challenged(&visitor.send("GET", "/userinfo", &[media], Some(form)).await, None);
    let bearer = format!("Bearer {}", tokens.access());
    let fields = pairs(&[("access_token", tokens.access())]);
    let both = visitor.post("/userinfo", &fields, &[("authorization", &bearer)]).await;
    assert_eq!(
        (both.status, both.header("www-authenticate").is_some_and(|w| w.contains("invalid_request"))),
        (400, true)
    );
}

#[tokio::test]
async fn ui_02_no_other_kind_of_token_opens_it() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    let code = idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await.code();
    let access = tokens.access();
    let spoilt = [access[..access.len() - 1].to_owned(), format!("{access}A"), access.to_uppercase(), "x".to_owned()];
    for token in [tokens.id_token().to_owned(), tokens.refresh().to_owned(), code].into_iter().chain(spoilt) {
        challenged(&client.userinfo(&token).await, Some("invalid_token"));
    }
    let machine = idp.client(json!({
        "grant_types": ["client_credentials"],
        "redirect_uris": null,
        "post_logout_redirect_uris": null,
        "scope": "reports:read",
    }));
    let body = machine.call("/token", &[("grant_type", "client_credentials")]).await.json();
    let answer = machine.userinfo(body["access_token"].as_str().unwrap()).await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.status);
    assert_eq!(client.userinfo(access).await.status, 200, "control");
}

#[tokio::test]
async fn ui_04_a_revoked_token_is_dead() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    assert_eq!(client.call("/revoke", &[("token", tokens.access())]).await.status, 200);
    challenged(&client.userinfo(tokens.access()).await, Some("invalid_token"));
}

#[tokio::test]
async fn ui_04_a_token_dies_with_its_time_and_with_its_family() {
    let idp = Provider::plain(port::one(), "[lifetimes]\naccess_token = 6\n");
    let (client, visitor) = (idp.public(json!({})), idp.visitor());
    let (record, holder) = record(1, json!({}));
    idp.import(&record);
    let ask = Ask::of(&client);
    let at = visitor.open(&ask.target()).await;
    let end = visitor.submit(&at, &sign_in_form(&at, &holder.number, &holder.password)).await;
    let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    challenged(&client.userinfo(tokens.access()).await, Some("invalid_token"));

    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200, "control");
    assert_eq!(client.redeem(&tokens.code, &tokens.ask.verifier).await.status, 400);
    challenged(&client.userinfo(tokens.access()).await, Some("invalid_token"));
}

#[tokio::test]
async fn ui_scope_openid_is_what_opens_it() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"scope": "profile offline_access"}));
    let ask = Ask::of(&client).scope("profile");
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &idp.citizen()).await;
    assert_eq!(tokens.body.get("id_token"), None, "plain OAuth gets no ID token");
    let answer = client.userinfo(tokens.access()).await;
    assert!(matches!(answer.status, 200 | 403), "{}", answer.status);
}

#[tokio::test]
async fn ui_10_cross_origin_reading_is_for_registered_public_origins_only() {
    let idp = Sandbox::shared();
    let client = idp.public();
    let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &idp.citizen()).await;
    let bearer = format!("Bearer {}", tokens.access());
    let ask = async |origin: &str| {
        idp.visitor().send("GET", "/userinfo", &[("authorization", &bearer), ("origin", origin)], None).await
    };
    assert_eq!(ask("https://evil.vn").await.header("access-control-allow-origin"), None);
    assert_eq!(ask("https://rp.gov.vn").await.header("access-control-allow-origin"), Some("https://rp.gov.vn"));
    assert_eq!(ask("https://rp.gov.vn").await.header("access-control-allow-credentials"), None);
    for open in ["/jwks", "/.well-known/openid-configuration"] {
        let answer = idp.visitor().send("GET", open, &[("origin", "https://evil.vn")], None).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{open}");
    }
}

#[tokio::test]
async fn ui_05_rf_10_a_withdrawal_by_the_holder_holds_at_once() {
    let idp = Sandbox::shared();
    let (client, other, holder) = (idp.confidential(), idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let scope = "openid profile offline_access";
    let tokens = idp.tokens(&visitor, &client, Ask::of(&client).scope(scope), &holder).await;
    let kept = idp.tokens(&visitor, &other, Ask::of(&other).scope(scope), &holder).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);

    let identity = visitor.open("/identity").await;
    let button = format!("withdraw-{}", client.id);
    let after = visitor.submit(&identity, &identity.page().press(&button, &[], &[])).await;
    assert_eq!(after.page().name(), "identity");
    assert!(!after.page().has(&button), "nothing is left to withdraw");

    challenged(&client.userinfo(tokens.access()).await, Some("invalid_token"));
    assert_eq!(client.introspect(tokens.access()).await["active"], json!(false));
    assert_eq!(client.refresh(tokens.refresh()).await.json()["error"], json!("invalid_grant"));
    // The other portal keeps what it was given, and this one must ask again.
    assert_eq!(other.userinfo(kept.access()).await.status, 200);
    assert_eq!(visitor.open(&Ask::of(&client).scope(scope).target()).await.page().name(), "consent");
}
