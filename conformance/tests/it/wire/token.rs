//! `security.md` 2.5: the token endpoint.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::redeemed;
use crate::support::holder::Holder;
use crate::support::relying_party::{RelyingParty, basic};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, encode, pairs};
use crate::support::{now, verdict};

async fn code(idp: &Sandbox, client: &RelyingParty, holder: &Holder) -> (Ask, String) {
    let ask = Ask::of(client).scope("openid profile offline_access");
    let code = idp.authorize(&idp.visitor(), &ask, holder).await.code();
    (ask, code)
}

#[tokio::test]
async fn tk_01_a_replayed_code_kills_what_it_yielded() {
    let idp = Sandbox::shared();
    for client in [idp.confidential(), idp.public()] {
        let (ask, code) = code(idp, &client, &idp.citizen()).await;
        let tokens = redeemed(&client, ask.clone(), code.clone()).await;
        assert_eq!(client.userinfo(tokens.access()).await.status, 200);
        verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
        verdict::family_is_dead(&client, &[tokens.access()], &[tokens.refresh()]).await;
    }
}

#[tokio::test]
async fn d11_a_replay_by_anybody_else_ends_nothing() {
    let idp = Sandbox::shared();
    let (client, other) = (idp.confidential(), idp.confidential());
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    let tokens = redeemed(&client, ask.clone(), code.clone()).await;
    verdict::token_error(&other.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
    verdict::token_error(&client.redeem(&code, &crate::support::fresh()).await, 400, "invalid_grant");
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn tk_04_another_client_cannot_redeem_and_the_owner_still_can() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for other in [idp.confidential(), idp.public()] {
        let (ask, code) = code(idp, &client, &idp.citizen()).await;
        verdict::token_error(&other.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
        redeemed(&client, ask, code).await;
    }
}

#[tokio::test]
async fn tk_05_a_code_lives_sixty_seconds() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    // Redeemed shortly before its end; an answer that came after it proves nothing, so another code is taken.
    for _ in 0..5 {
        let (early, late) = (Ask::of(&client), Ask::of(&client));
        let begun = Instant::now();
        let young = idp.authorize(&visitor, &early, &holder).await.code();
        let old = idp.authorize(&visitor, &late, &holder).await.code();
        let issued = Instant::now();
        tokio::time::sleep(Duration::from_secs(56).saturating_sub(begun.elapsed())).await;
        let answer = client.redeem(&young, &early.verifier).await;
        let in_time = begun.elapsed() < Duration::from_secs(59);
        tokio::time::sleep(Duration::from_secs(61).saturating_sub(issued.elapsed())).await;
        verdict::token_error(&client.redeem(&old, &late.verifier).await, 400, "invalid_grant");
        if in_time {
            assert_eq!(answer.status, 200, "before its end");
            return;
        }
    }
    panic!("no answer came before the code's end");
}

#[tokio::test]
async fn tk_07_a_spoilt_code_is_no_code() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    let flipped = |c: char| if c == 'A' { 'B' } else { 'A' };
    let last = code.chars().last().unwrap();
    for spoilt in [
        code[..code.len() - 1].to_owned(),
        format!("{code}A"),
        code.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect(),
        format!("{}{}", &code[..code.len() - 1], flipped(last)),
        format!(" {code}"),
        format!("{code}="),
        "' OR 1=1 --".to_owned(),
    ] {
        verdict::token_error(&client.redeem(&spoilt, &ask.verifier).await, 400, "invalid_grant");
    }
    redeemed(&client, ask, code).await;
}

#[tokio::test]
async fn tk_08_grant_types_beyond_ours() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "junk"] {
        let fields = [("grant_type", grant), ("username", "x"), ("password", "x"), ("assertion", "x")];
        verdict::token_error(&client.call("/token", &fields).await, 400, "unsupported_grant_type");
    }
    verdict::token_error(&client.call("/token", &[("code", "x")]).await, 400, "invalid_request");
    let twice = [("grant_type", "authorization_code"), ("grant_type", "authorization_code")];
    verdict::token_error(&client.call("/token", &twice).await, 400, "invalid_request");
    // A grant this client did not register.
    let plain = idp.client(json!({"grant_types": ["authorization_code"]}));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    verdict::token_error(&plain.call("/token", &refresh).await, 400, "unauthorized_client");
    verdict::token_error(
        &client.call("/token", &[("grant_type", "client_credentials")]).await,
        400,
        "unauthorized_client",
    );
}

#[tokio::test]
async fn tk_10_only_a_form_is_read() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    let (_, header) = client.credentials();
    let header = header.unwrap();
    let fields = client.redemption(&code, &ask.verifier);
    let form = encode(&pairs(&fields));
    let object: serde_json::Map<String, Value> = fields.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    for (media, body) in [
        (Some("application/json"), Value::Object(object).to_string()),
        (Some("multipart/form-data; boundary=x"), form.clone()),
        (Some("application/x-www-form-urlencoded;charset=utf-16"), form.clone()),
        (Some("text/plain"), form.clone()),
        (None, form.clone()),
    ] {
        let mut headers = vec![("authorization", header.as_str())];
        headers.extend(media.map(|media| ("content-type", media)));
        let answer = idp.visitor().send("POST", "/token", &headers, Some(body.into_bytes())).await;
        assert!(matches!(answer.status, 400 | 415), "{media:?}: {}", answer.status);
    }
    let answer = idp.visitor().send("GET", &format!("/token?{form}"), &[("authorization", &header)], None).await;
    assert_eq!(answer.status, 405);
    redeemed(&client, ask, code).await;
}

#[tokio::test]
async fn tk_11_scope_is_never_widened_at_the_token_endpoint() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let mut fields = client.redemption(&code, &ask.verifier).to_vec();
    fields.push(("scope", "openid profile email"));
    let answer = client.call("/token", &fields).await;
    if answer.status == 200 {
        assert_eq!(answer.json()["scope"].as_str().unwrap_or("openid"), "openid");
        let userinfo = client.userinfo(answer.json()["access_token"].as_str().unwrap()).await.json();
        assert_eq!(userinfo.get("name"), None);
    } else {
        verdict::token_error(&answer, 400, "invalid_scope");
    }
}

#[tokio::test]
async fn tk_13_what_ended_between_authorize_and_token_yields_nothing() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (ask, dead) = code(idp, &client, &holder).await;
    idp.lock(&holder);
    verdict::token_error(&client.redeem(&dead, &ask.verifier).await, 400, "invalid_grant");

    let suspended = idp.confidential();
    let (ask, dead) = code(idp, &suspended, &idp.citizen()).await;
    idp.admin_ok(&["client", "suspend", &suspended.id]);
    verdict::token_error(&suspended.redeem(&dead, &ask.verifier).await, 401, "invalid_client");

    // The session ended.
    let (holder, visitor, ask) = (idp.citizen(), idp.visitor(), Ask::of(&client));
    let dead = idp.authorize(&visitor, &ask, &holder).await.code();
    super::logout::sign_out(&visitor).await;
    verdict::token_error(&client.redeem(&dead, &ask.verifier).await, 400, "invalid_grant");
}

#[tokio::test]
async fn tk_14_every_answer_is_json_and_never_cached() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    let uncached = |answer: &Answer| {
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
    };
    let answer = client.redeem(&code, &ask.verifier).await;
    uncached(&answer);
    let body = answer.json();
    assert_eq!(body["token_type"].as_str().map(str::to_ascii_lowercase).as_deref(), Some("bearer"));
    assert_eq!(body["expires_in"], json!(600));
    uncached(&client.redeem(&code, &ask.verifier).await);
    uncached(&client.call("/token", &[]).await);
}

#[tokio::test]
async fn tk_16_the_id_token_says_what_happened() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for alg in ["ES256", "PS256", "RS256", "EdDSA"] {
        let client = idp.client(json!({"id_token_signed_response_alg": alg}));
        let ask = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2:xac-thuc:4 urn:vn:eid:muc:1");
        let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
        let (header, _) = crate::support::jwt::read(tokens.id_token());
        assert_eq!(header["alg"], json!(alg));
        let claims = idp.verified(tokens.id_token()).await;
        assert_eq!(claims["iss"], json!(idp.issuer));
        assert!(claims["aud"] == json!(client.id) || claims["aud"] == json!([client.id]));
        assert_eq!(claims["nonce"], json!(tokens.ask.nonce));
        let half = half_hash(alg, tokens.access());
        assert_eq!(claims.get("at_hash").unwrap_or(&json!(half)), &json!(half));
        assert_eq!(claims["acr"], json!("urn:vn:eid:muc:1"), "as authenticated, not as requested");
        assert_eq!(claims["amr"], json!(["pwd"]));
        let (issued, ends) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert!((now() - issued).abs() <= 60 && ends - issued == 600);
        assert!(claims["auth_time"].as_i64().unwrap() <= issued);
        assert_eq!(claims["sub"].as_str().unwrap().len(), 43);
        assert!(claims["sid"].is_string());
        assert_eq!((&claims["vn_account_level"], &claims["vn_auth_level"]), (&json!(2), &json!(1)));
        assert!(claims.as_object().unwrap().values().all(|value| !value.is_null()));
        for unasked in ["name", "birthdate", "phone_number", "email", "vn_personal_id"] {
            assert_eq!(claims.get(unasked), None, "{unasked} was not asked for in the ID token");
        }
    }
    // Nothing registered means RS256; no nonce sent means none returned; no vn_ scope means no levels.
    let client = idp.client(json!({"id_token_signed_response_alg": null, "scope": "openid profile"}));
    let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client).without("nonce"), &holder).await;
    assert_eq!(crate::support::jwt::read(tokens.id_token()).0["alg"], json!("RS256"));
    let claims = idp.verified(tokens.id_token()).await;
    assert!(["nonce", "vn_account_level", "vn_auth_level"].iter().all(|absent| claims.get(absent).is_none()));
}

/// OIDC Core 3.1.3.6: the left half of the hash the signature algorithm uses; Ed25519 uses SHA-512.
fn half_hash(alg: &str, token: &str) -> String {
    use sha2::{Digest, Sha256, Sha512};
    match alg {
        "EdDSA" => crate::support::base64url(&Sha512::digest(token.as_bytes())[..32]),
        _ => crate::support::base64url(&Sha256::digest(token.as_bytes())[..16]),
    }
}

#[tokio::test]
async fn tk_17_a_doubled_field_is_invalid_request() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    for doubled in ["code", "redirect_uri", "code_verifier", "grant_type"] {
        let mut fields = client.redemption(&code, &ask.verifier).to_vec();
        fields.push((doubled, "bad"));
        verdict::token_error(&client.call("/token", &fields).await, 400, "invalid_request");
    }
    redeemed(&client, ask, code).await;
}

#[tokio::test]
async fn rfc6749_4_1_3_the_redirect_uri_is_repeated_exactly() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"redirect_uris": ["https://rp.gov.vn/cb", "https://rp.gov.vn/other"]}));
    let (ask, code) = code(idp, &client, &idp.citizen()).await;
    let verifier = ask.verifier.as_str();
    let right = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", verifier)];
    let mut wrong = right.to_vec();
    wrong.push(("redirect_uri", "https://rp.gov.vn/other"));
    verdict::token_error(&client.call("/token", &wrong).await, 400, "invalid_grant");
    redeemed(&client, ask.clone(), code.clone()).await;
}

#[tokio::test]
async fn client_credentials_give_registered_resource_scopes_and_no_holder() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({
        "grant_types": ["client_credentials"],
        "redirect_uris": null,
        "post_logout_redirect_uris": null,
        "scope": "reports:read reports:write",
    }));
    let ask = [("grant_type", "client_credentials"), ("scope", "reports:read")];
    let answer = client.call("/token", &ask).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    assert_eq!((&body["scope"], body.get("refresh_token"), body.get("id_token")), (&json!("reports:read"), None, None));
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(client.introspect(token).await["active"], json!(true));
    assert!(matches!(client.userinfo(token).await.status, 401 | 403));
    for scope in ["reports:delete", "openid"] {
        let ask = [("grant_type", "client_credentials"), ("scope", scope)];
        verdict::token_error(&client.call("/token", &ask).await, 400, "invalid_scope");
    }
    let wrong = basic(&client.id, "wrong");
    let body = encode(&pairs(&ask)).into_bytes();
    let headers = [("authorization", wrong.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    verdict::token_error(&idp.visitor().send("POST", "/token", &headers, Some(body)).await, 401, "invalid_client");
}
