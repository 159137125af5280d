//! `security.md` 2.11: introspection and revocation.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::pairs;

#[tokio::test]
async fn in_00_and_in_04_the_owner_learns_what_its_token_is_worth() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let seen = client.introspect(tokens.access()).await;
    assert_eq!(seen["active"], json!(true));
    assert_eq!(seen["client_id"], json!(client.id));
    assert_eq!(seen["iss"], json!(idp.issuer));
    assert_eq!(seen["token_type"].as_str().map(str::to_ascii_lowercase).as_deref(), Some("bearer"));
    assert_eq!(seen["sub"], crate::support::jwt::claims(tokens.id_token())["sub"]);
    assert!(seen["exp"].as_i64() > seen["iat"].as_i64());
    assert!(seen["acr"].is_string() && seen["auth_time"].is_i64(), "RFC 9470 section 6.2: {seen}");
    for private in ["name", "birthdate", "phone_number", "vn_personal_id", "email"] {
        assert_eq!(seen.get(private), None);
    }
    // IN-07: a wrong hint is only a hint.
    for token in [tokens.access(), tokens.refresh()] {
        for hint in ["access_token", "refresh_token", "junk"] {
            let answer = client.call("/introspect", &[("token", token), ("token_type_hint", hint)]).await;
            assert_eq!(answer.json()["active"], json!(true), "{hint}");
        }
    }
}

#[tokio::test]
async fn in_01_and_in_02_strangers_learn_nothing() {
    let idp = Sandbox::shared();
    let (client, other) = (idp.confidential(), idp.confidential());
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    for path in ["/introspect", "/revoke"] {
        let fields = pairs(&[("token", tokens.access())]);
        verdict::token_error(&idp.visitor().post(path, &fields, &[]).await, 401, "invalid_client");
        verdict::token_error(&client.call(path, &[]).await, 400, "invalid_request");
    }
    for token in [tokens.access(), tokens.refresh(), tokens.id_token(), tokens.code.as_str(), "x"] {
        assert_eq!(other.introspect(token).await, json!({"active": false}));
    }
    for token in [tokens.code.as_str(), "x", ""] {
        let answer = client.call("/introspect", &[("token", token)]).await;
        assert!(answer.status == 400 || answer.json() == json!({"active": false}), "{}", answer.body);
    }
    // Nor can they end it: RFC 7009 section 2.1, the request is refused.
    verdict::token_error(&other.call("/revoke", &[("token", tokens.refresh())]).await, 400, "invalid_grant");
    assert_eq!(client.introspect(tokens.access()).await["active"], json!(true));
}

#[tokio::test]
async fn rv_01_revoking_a_refresh_token_ends_its_family() {
    let idp = Sandbox::shared();
    for client in [idp.confidential(), idp.public()] {
        let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
        let answer = client.call("/revoke", &[("token", tokens.refresh())]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        verdict::family_is_dead(&client, &[tokens.access()], &[tokens.refresh()]).await;
    }
}

#[tokio::test]
async fn rv_02_revoking_an_access_token_leaves_the_refresh_token() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let fields = [("token", tokens.access()), ("token_type_hint", "refresh_token")];
    assert_eq!(client.call("/revoke", &fields).await.status, 200);
    assert_eq!(client.introspect(tokens.access()).await, json!({"active": false}));
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn rv_04_unknown_and_repeated_is_200() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    for token in ["unknown", tokens.refresh(), tokens.refresh()] {
        assert_eq!(client.call("/revoke", &[("token", token)]).await.status, 200);
    }
    // RFC 7009 section 2.2.1: what can never be taken back is said to be so.
    let answer = client.call("/revoke", &[("token", tokens.id_token())]).await;
    verdict::token_error(&answer, 400, "unsupported_token_type");
}

#[tokio::test]
async fn rv_08_two_grants_of_one_holder_end_one_by_one() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let one = idp.offline_tokens(&client, &holder).await;
    let two = idp.offline_tokens(&client, &holder).await;
    assert_eq!(client.call("/revoke", &[("token", one.refresh())]).await.status, 200);
    assert_eq!(client.userinfo(two.access()).await.status, 200);
    assert_eq!(client.refresh(two.refresh()).await.status, 200);
}

#[tokio::test]
async fn in_05_a_locked_holders_tokens_are_inactive() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client).scope("openid offline_access");
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    idp.lock(&holder);
    for token in [tokens.access(), tokens.refresh()] {
        assert_eq!(client.introspect(token).await, json!({"active": false}));
    }
}
