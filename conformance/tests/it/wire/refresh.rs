//! `security.md` 2.9: refresh tokens, kept or rotated by the kind of client.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::Will;
use crate::support::holder::record;
use crate::support::jwt::claims;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;

#[tokio::test]
async fn rf_00_issued_exactly_when_offline_access_was_granted() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    let plain = idp.tokens(&visitor, &client, Ask::of(&client).scope("openid profile"), &holder).await;
    assert_eq!(plain.body.get("refresh_token"), None);
    let offline = Ask::of(&client).scope("openid profile offline_access");
    let with = idp.tokens(&visitor, &client, offline.clone(), &holder).await;
    assert!(with.body["refresh_token"].is_string());
    // Recorded consent is enough: no prompt=consent is needed.
    let again = visitor.open(&offline.clone().with("prompt", "none").target()).await;
    assert!(again.returned().unwrap().get("code").is_some());
    // A client without the grant gets none.
    let without = idp.client(json!({"grant_types": ["authorization_code"]}));
    let ask = Ask::of(&without).scope("openid offline_access");
    let tokens = idp.tokens(&visitor, &without, ask, &holder).await;
    assert_eq!(tokens.body.get("refresh_token"), None);
}

#[tokio::test]
async fn oidc_core_12_2_a_refreshed_id_token_keeps_who_and_when() {
    let idp = Sandbox::shared();
    for client in [idp.confidential(), idp.public()] {
        let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
        let answer = client.refresh(tokens.refresh()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = answer.json();
        assert!(body["refresh_token"].is_string(), "every refresh answer carries one");
        assert_ne!(body["access_token"], tokens.body["access_token"]);
        let (before, after) = (claims(tokens.id_token()), claims(body["id_token"].as_str().unwrap()));
        for same in ["iss", "sub", "aud", "auth_time", "sid", "acr"] {
            assert_eq!(before[same], after[same], "{same}");
        }
        assert!(after["iat"].as_i64() >= before["iat"].as_i64());
    }
}

#[tokio::test]
async fn rf_01_and_rf_05_a_public_client_rotates_and_reuse_ends_the_family() {
    let idp = Sandbox::shared();
    let client = idp.public();
    for replayed in [0, 1] {
        let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
        let mut chain = vec![tokens.refresh().to_owned()];
        let mut access = vec![tokens.access().to_owned()];
        for _ in 0..2 {
            let body = client.refresh(chain.last().unwrap()).await.json();
            chain.push(body["refresh_token"].as_str().unwrap().to_owned());
            access.push(body["access_token"].as_str().unwrap().to_owned());
        }
        assert!(chain[0] != chain[1] && chain[1] != chain[2], "rotated");
        assert_eq!(client.userinfo(&access[2]).await.status, 200);
        verdict::token_error(&client.refresh(&chain[replayed]).await, 400, "invalid_grant");
        let (access, chain): (Vec<&str>, Vec<&str>) =
            (access.iter().map(String::as_str).collect(), chain.iter().map(String::as_str).collect());
        verdict::family_is_dead(&client, &access, &chain).await;
    }
}

#[tokio::test]
async fn rf_04_a_confidential_client_keeps_its_token() {
    let idp = Sandbox::shared();
    for method in ["client_secret_basic", "private_key_jwt"] {
        let client = idp.client(json!({"token_endpoint_auth_method": method}));
        let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
        for _ in 0..5 {
            let answer = client.refresh(tokens.refresh()).await;
            assert_eq!((answer.status, &answer.json()["refresh_token"]), (200, &tokens.body["refresh_token"]));
        }
        assert_eq!(client.userinfo(tokens.access()).await.status, 200, "earlier access tokens live on");
    }
}

#[tokio::test]
async fn rf_07_a_token_of_another_client_is_refused_and_unharmed() {
    let idp = Sandbox::shared();
    let (owner, public) = (idp.confidential(), idp.public());
    let tokens = idp.offline_tokens(&owner, &idp.citizen()).await;
    for other in [&idp.confidential(), &public] {
        verdict::token_error(&other.refresh(tokens.refresh()).await, 400, "invalid_grant");
    }
    assert_eq!(owner.refresh(tokens.refresh()).await.status, 200);
    let tokens = idp.offline_tokens(&public, &idp.citizen()).await;
    verdict::token_error(&idp.public().refresh(tokens.refresh()).await, 400, "invalid_grant");
    assert_eq!(public.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn rf_08_scope_narrows_for_the_access_token_only() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let ask = async |scope: &str| {
        let token = tokens.refresh();
        client.call("/token", &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]).await
    };
    verdict::token_error(&ask("openid profile email").await, 400, "invalid_scope");
    let narrow = ask("openid").await.json();
    assert_eq!(narrow["scope"], json!("openid"));
    let userinfo = client.userinfo(narrow["access_token"].as_str().unwrap()).await.json();
    assert_eq!(userinfo.get("name"), None);
    let whole = ask("openid profile").await.json();
    let userinfo = client.userinfo(whole["access_token"].as_str().unwrap()).await.json();
    assert!(userinfo["name"].is_string(), "the grant is unchanged");
}

#[tokio::test]
async fn rf_10_lock_and_client_disable_end_it_and_sign_out_does_not() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile offline_access");
    let tokens = idp.tokens(&visitor, &client, ask, &holder).await;
    // Offline grants outlive the browser session.
    super::logout::sign_out(&visitor).await;
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
    idp.lock(&holder);
    verdict::family_is_dead(&client, &[tokens.access()], &[tokens.refresh()]).await;

    let suspended = idp.confidential();
    let tokens = idp.offline_tokens(&suspended, &idp.citizen()).await;
    idp.admin_ok(&["client", "suspend", &suspended.id]);
    verdict::token_error(&suspended.refresh(tokens.refresh()).await, 401, "invalid_client");
    assert_eq!(suspended.userinfo(tokens.access()).await.status, 401);
}

#[tokio::test]
async fn rf_10_a_changed_factor_a_withdrawn_account_and_death_end_it() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let change = |field: &'static str, value: serde_json::Value| {
        let (mut record, holder) = record(2, json!({}));
        idp.import(std::slice::from_ref(&record));
        record["account"][field] = value;
        (record, holder)
    };
    for (record, holder) in [
        change("password", json!("Một mật khẩu khác hẳn #1")),
        change("phone", json!("+84912345678")),
        change("state", json!("granted")),
    ] {
        let tokens = idp.offline_tokens(&client, &holder).await;
        let (ask, visitor) = (Ask::of(&client), idp.visitor());
        let code = idp.authorize(&visitor, &ask, &holder).await.code();
        assert_eq!(client.refresh(tokens.refresh()).await.status, 200, "control");
        idp.import(&[record]);
        verdict::family_is_dead(&client, &[tokens.access()], &[tokens.refresh()]).await;
        // TK-13: nor does a code that was on its way yield anything.
        verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
    }
    let holder = idp.citizen();
    let tokens = idp.offline_tokens(&client, &holder).await;
    idp.admin_ok(&["eid", "lock", &holder.number, "--ground", "d", "--authority", "Công an phường Thử Nghiệm"]);
    verdict::family_is_dead(&client, &[tokens.access()], &[tokens.refresh()]).await;
}

#[tokio::test]
async fn tk_13_a_consent_withdrawn_meanwhile_ends_the_code() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile offline_access");
    let code = idp.authorize(&visitor, &ask, &holder).await.code();
    let identity = visitor.open("/identity").await;
    visitor.submit(&identity, &identity.page().press(&format!("withdraw-{}", client.id), &[], &[])).await;
    verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
}

#[tokio::test]
async fn rf_10_a_scope_taken_from_the_client_is_not_refreshed() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let mut metadata = client.metadata.clone();
    metadata["scope"] = json!("openid offline_access");
    idp.put_client(&metadata);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let answer = client.refresh(tokens.refresh()).await;
    if answer.status == 200 {
        let userinfo = client.userinfo(answer.json()["access_token"].as_str().unwrap()).await;
        assert_eq!(userinfo.json().get("name"), None, "the claims of the scope are gone");
    } else {
        verdict::token_error(&answer, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn contract_4_a_minimum_raised_since_the_sign_in_is_demanded_of_a_refresh() {
    let idp = Sandbox::shared();
    let (client, beginner) = (idp.confidential(), idp.beginner());
    let tokens = idp.offline_tokens(&client, &beginner).await;
    for (member, reason) in [("vn_min_account_level", "account_level"), ("vn_min_auth_level", "authentication_level")] {
        let mut raised = client.metadata.clone();
        raised[member] = json!(2);
        idp.put_client(&raised);
        let answer = client.refresh(tokens.refresh()).await;
        verdict::token_error(&answer, 400, "invalid_grant");
        assert!(answer.json()["error_description"].as_str().unwrap().starts_with(reason), "{}", answer.body);
    }
    // Nothing was taken away: who lowers it again is served again.
    idp.put_client(&client.metadata);
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
    // And a code that was on its way is judged by the same minimum.
    let (ask, visitor) = (Ask::of(&client), idp.visitor());
    let code = idp.authorize(&visitor, &ask, &beginner).await.code();
    let mut raised = client.metadata.clone();
    raised["vn_min_account_level"] = json!(2);
    idp.put_client(&raised);
    verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
    idp.put_client(&client.metadata);
    assert_eq!(client.redeem(&code, &ask.verifier).await.status, 200, "refused before it was spent");
}

#[tokio::test]
async fn co_02_what_was_unticked_stays_away_after_a_refresh() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).scope("openid profile offline_access");
    let at = visitor.open(&ask.target()).await;
    let end = idp.walk(&visitor, at, &holder, Will::Allow(&["name"])).await;
    let tokens = crate::support::flow::redeemed(&client, ask, end.returned().unwrap().code()).await;
    let refreshed = client.refresh(tokens.refresh()).await.json();
    let userinfo = client.userinfo(refreshed["access_token"].as_str().unwrap()).await.json();
    assert_eq!(userinfo["name"], json!(holder.name));
    assert_eq!(userinfo.get("birthdate"), None);
}
