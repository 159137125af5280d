//! Tokens for resources (RFC 8707), by value or as JWTs (RFC 9068); `security.md` UI-02, IN-02, IN-04, RF-11, TK-11, N-03.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Tokens, redeemed};
use crate::support::jwt::{claims, read};
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor};
use crate::support::{next, verdict};

/// A resource nobody else has.
fn resource() -> String {
    format!("https://api-{}-{}.gov.vn", std::process::id(), next())
}

fn server(idp: &Sandbox, serves: &[&str], form: &str) -> RelyingParty {
    idp.client(json!({
        "grant_types": [], "redirect_uris": null, "post_logout_redirect_uris": null, "scope": "dossiers.read",
        "vn_serves": serves, "vn_token_form": form,
    }))
}

fn portal(idp: &Sandbox, resources: &[&str]) -> RelyingParty {
    idp.client(json!({
        "vn_resources": resources,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile offline_access dossiers.read",
    }))
}

async fn tokens(idp: &Sandbox, client: &RelyingParty, resources: &[&str], level: u8) -> Tokens {
    let ask = Ask::of(client).scope("openid profile offline_access dossiers.read");
    let ask = resources.iter().fold(ask, |ask, resource| ask.also("resource", resource));
    let (holder, visitor) = (idp.citizen(), idp.visitor());
    let ask = if level == 2 { ask.with("acr_values", "urn:vn:eid:muc:2") } else { ask };
    idp.tokens(&visitor, client, ask, &holder).await
}

async fn refresh(client: &RelyingParty, token: &str, resources: &[&str]) -> Answer {
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    fields.extend(resources.iter().map(|resource| ("resource", *resource)));
    client.call("/token", &fields).await
}

fn access(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn rfc8707_2_a_token_is_for_the_resource_it_was_asked_for() {
    let idp = Sandbox::shared();
    let (one, two) = (resource(), resource());
    let (api, other) = (server(idp, &[&one], "opaque"), server(idp, &[&two], "opaque"));
    let client = portal(idp, &[&one, &two]);
    let tokens = tokens(idp, &client, &[&one], 1).await;
    let access_token = tokens.access();
    assert!(!access_token.contains('.'), "opaque, as its server takes them");

    // IN-02, IN-04: the server it is for learns what it needs, another one nothing.
    let seen = api.introspect(access_token).await;
    assert_eq!((&seen["active"], &seen["aud"]), (&json!(true), &json!(one)));
    assert_eq!((&seen["client_id"], &seen["iss"]), (&json!(client.id), &json!(idp.issuer)));
    assert!(seen["acr"].is_string() && seen["auth_time"].is_i64() && seen["scope"].is_string(), "{seen}");
    for private in ["name", "birthdate", "phone_number", "vn_personal_id", "email"] {
        assert_eq!(seen.get(private), None);
    }
    assert_eq!(other.introspect(access_token).await, json!({"active": false}));
    assert_eq!(api.introspect(tokens.refresh()).await, json!({"active": false}), "not its business");
    assert_eq!(client.introspect(access_token).await["aud"], json!(one));

    // UI-02: it opens nothing of ours; one without a resource does.
    let refused = client.userinfo(access_token).await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (401, json!("invalid_token")));
    assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
    let plain = idp.offline_tokens(&client, &idp.citizen()).await;
    assert_eq!(client.userinfo(plain.access()).await.status, 200, "control");
    assert_eq!(api.introspect(plain.access()).await, json!({"active": false}), "IN-02: for nobody but its client");
    assert_eq!(client.introspect(plain.access()).await["aud"], json!(client.id));
}

#[tokio::test]
async fn rfc8707_2_2_and_tk_11_what_was_granted_only_shrinks() {
    let idp = Sandbox::shared();
    let (one, two, third) = (resource(), resource(), resource());
    let (_one, _two, _third) =
        (server(idp, &[&one], "opaque"), server(idp, &[&two], "opaque"), server(idp, &[&third], "opaque"));
    let client = portal(idp, &[&one, &two, &third]);
    let ask = Ask::of(&client).scope("openid offline_access dossiers.read");
    let ask = ask.also("resource", &one).also("resource", &two).also("resource", &idp.issuer);
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    let mut fields = client.redemption(&code, &ask.verifier).to_vec();
    fields.push(("resource", &third));
    verdict::token_error(&client.call("/token", &fields).await, 400, "invalid_target");
    // A refusal spends nothing.
    let mut fields = client.redemption(&code, &ask.verifier).to_vec();
    fields.extend([("resource", one.as_str()), ("resource", two.as_str()), ("scope", "openid dossiers.read profile")]);
    let answer = client.call("/token", &fields).await;
    let both = access(&answer);
    assert!(!answer.json()["scope"].as_str().unwrap().contains("profile"), "TK-11: {}", answer.body);
    assert_eq!(client.introspect(&both).await["aud"], json!([one, two]));
    let refresh_token = answer.json()["refresh_token"].as_str().unwrap().to_owned();

    verdict::token_error(&refresh(&client, &refresh_token, &[&third]).await, 400, "invalid_target");
    verdict::token_error(&refresh(&client, &refresh_token, &[&one, &third]).await, 400, "invalid_target");
    let narrow = access(&refresh(&client, &refresh_token, &[&two]).await);
    assert_eq!(client.introspect(&narrow).await["aud"], json!(two));
    let all = access(&refresh(&client, &refresh_token, &[]).await);
    assert_eq!(client.introspect(&all).await["aud"], json!([one, two, idp.issuer]));
    // Ourselves among them: that token reads userinfo, the others do not.
    let ours = access(&refresh(&client, &refresh_token, &[&idp.issuer]).await);
    assert_eq!(client.userinfo(&ours).await.status, 200);
    assert_eq!(client.userinfo(&narrow).await.status, 401);

    // A grant without resources yields none later.
    let plain = idp.offline_tokens(&client, &idp.citizen()).await;
    verdict::token_error(&refresh(&client, plain.refresh(), &[&one]).await, 400, "invalid_target");
}

#[tokio::test]
async fn rfc8707_2_what_may_not_be_named_is_invalid_target() {
    let idp = Sandbox::shared();
    let (known, foreign) = (resource(), resource());
    let (_known, _foreign) = (server(idp, &[&known], "opaque"), server(idp, &[&foreign], "opaque"));
    let unserved = resource();
    let client = portal(idp, &[&known, &unserved]);
    let bare = |suffix: &str| format!("{known}{suffix}");
    for bad in [&foreign, &unserved, &bare("/"), &bare("#x"), "api", "a b", &format!("{}/x", idp.issuer)] {
        let ask = Ask::of(&client).with("resource", bad);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_target");
        let answer = client.call("/token", &[("grant_type", "client_credentials"), ("resource", bad)]).await;
        verdict::token_error(&answer, 400, "invalid_target");
    }
    let answer = client.call("/token", &[("grant_type", "client_credentials"), ("resource", &known)]).await;
    assert_eq!(client.introspect(&access(&answer)).await["aud"], json!(known), "control");
}

#[tokio::test]
async fn rf_11_a_server_that_is_gone_gets_no_tokens() {
    let idp = Sandbox::shared();
    for form in ["opaque", "jwt"] {
        let name = resource();
        let (api, client) = (server(idp, &[&name], form), portal(idp, &[&name]));
        let tokens = tokens(idp, &client, &[&name], 1).await;
        assert_eq!(api.introspect(tokens.access()).await["active"], json!(true), "control");
        assert_eq!(refresh(&client, tokens.refresh(), &[]).await.status, 200, "control");
        idp.admin_ok(&["client", "suspend", &api.id]);
        verdict::token_error(&refresh(&client, tokens.refresh(), &[]).await, 400, "invalid_target");
        assert_eq!(client.introspect(tokens.access()).await, json!({"active": false}));
        let answer = api.call("/introspect", &[("token", tokens.access())]).await;
        verdict::token_error(&answer, 401, "invalid_client");
        idp.admin_ok(&["client", "resume", &api.id]);
        assert_eq!(refresh(&client, tokens.refresh(), &[]).await.status, 200, "the grant was not harmed");
        // It no longer answers for it: nobody does.
        let mut moved = api.metadata.clone();
        moved["vn_serves"] = json!([resource()]);
        idp.put_client(&moved);
        assert_eq!(api.introspect(tokens.access()).await, json!({"active": false}));
        verdict::token_error(&refresh(&client, tokens.refresh(), &[]).await, 400, "invalid_target");
        // Nor may the client name what it is no longer registered for.
        idp.put_client(&api.metadata);
        let mut less = client.metadata.clone();
        less["vn_resources"] = json!([]);
        idp.put_client(&less);
        verdict::token_error(&refresh(&client, tokens.refresh(), &[]).await, 400, "invalid_target");
    }
}

#[tokio::test]
async fn rfc8707_one_server_for_a_resource_and_never_ourselves() {
    let idp = Sandbox::shared();
    let name = resource();
    let first = server(idp, &[&name], "opaque");
    let mut second = first.metadata.clone();
    second["client_id"] = json!("second-server");
    for taken in [name.clone(), idp.issuer.clone(), format!("{}/userinfo", idp.issuer)] {
        second["vn_serves"] = json!([taken]);
        let why = idp.refuses_client(&second);
        assert!(why.as_ref().is_some_and(|why| why.contains("vn_serves")), "{taken}: {why:?}");
    }
    idp.admin_ok(&["client", "close", &first.id]);
    second["vn_serves"] = json!([name]);
    assert_eq!(idp.refuses_client(&second), None, "free again");
}

fn at_jwt(token: &str, expected: Value) -> Value {
    let (header, told) = read(token);
    assert_eq!(header["typ"], json!("at+jwt"));
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 300);
    for private in ["name", "birthdate", "phone_number", "vn_personal_id", "email", "sid", "nonce", "vn_account_level"]
    {
        assert_eq!(told.get(private), None, "{private}");
    }
    told
}

#[tokio::test]
async fn rfc9068_2_a_jwt_for_a_server_that_takes_them() {
    let idp = Sandbox::shared();
    let name = resource();
    let (api, client) = (server(idp, &[&name], "jwt"), portal(idp, &[&name]));
    let tokens = tokens(idp, &client, &[&name], 1).await;
    let id_token = claims(tokens.id_token());
    assert_eq!(tokens.body["expires_in"], json!(300));
    idp.verified(tokens.access()).await;
    assert_eq!(read(tokens.access()).0["alg"], json!("ES256"));
    let told = at_jwt(
        tokens.access(),
        json!({
            "iss": idp.issuer, "aud": name, "sub": id_token["sub"], "client_id": client.id,
            "auth_time": id_token["auth_time"], "acr": id_token["acr"], "scope": tokens.body["scope"],
        }),
    );
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let half = &Sha256::digest(tokens.access())[..16];
    let at_hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(half);
    assert_eq!(id_token["at_hash"], json!(at_hash), "of the token as it was sent");

    // Recorded like any other: introspected, revoked, refused at userinfo.
    for caller in [&api, &client] {
        let seen = caller.introspect(tokens.access()).await;
        assert_eq!((&seen["active"], &seen["aud"], &seen["exp"]), (&json!(true), &json!(name), &told["exp"]));
    }
    let jti = told["jti"].as_str().unwrap();
    let (signed, signature) = tokens.access().rsplit_once('.').unwrap();
    let broken = format!("{signed}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    for forged in [jti, signed, &broken, tokens.id_token()] {
        assert_eq!(client.introspect(forged).await, json!({"active": false}), "{forged}");
        assert_eq!(client.userinfo(forged).await.status, 401);
    }
    assert_eq!(client.userinfo(tokens.access()).await.json()["error"], json!("invalid_token"));
    assert_eq!(client.call("/revoke", &[("token", tokens.access())]).await.status, 200);
    for caller in [&api, &client] {
        assert_eq!(caller.introspect(tokens.access()).await, json!({"active": false}));
    }
    let fresh = access(&refresh(&client, tokens.refresh(), &[]).await);
    assert_ne!(claims(&fresh)["jti"], told["jti"]);
    assert_eq!(api.introspect(&fresh).await["active"], json!(true));
}

#[tokio::test]
async fn rfc9068_2_2_a_client_of_its_own_is_its_own_subject() {
    let idp = Sandbox::shared();
    let name = resource();
    let mut api = server(idp, &[&name], "jwt");
    api.metadata["vn_token_signed_alg"] = json!("RS256");
    idp.put_client(&api.metadata);
    let client = portal(idp, &[&name]);
    let answer = client.call("/token", &[("grant_type", "client_credentials"), ("resource", &name)]).await;
    let token = access(&answer);
    assert_eq!(read(&token).0["alg"], json!("RS256"), "as its server chose");
    idp.verified(&token).await;
    let told = at_jwt(&token, json!({"sub": client.id, "client_id": client.id, "aud": name, "scope": "dossiers.read"}));
    for never in ["acr", "auth_time"] {
        assert_eq!(told.get(never), None);
    }
    assert_eq!(api.introspect(&token).await["sub"], json!(client.id));
}

#[tokio::test]
async fn in_05_a_lock_reaches_tokens_that_are_jwts() {
    let idp = Sandbox::shared();
    let name = resource();
    let (api, client) = (server(idp, &[&name], "jwt"), portal(idp, &[&name]));
    let holder = idp.citizen();
    let ask = Ask::of(&client).scope("openid dossiers.read").with("resource", &name);
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    assert_eq!(api.introspect(tokens.access()).await["active"], json!(true));
    idp.lock(&holder);
    assert_eq!(api.introspect(tokens.access()).await, json!({"active": false}));
}

#[tokio::test]
async fn n_03_level_2_is_never_told_by_a_token_nobody_asks_us_about() {
    let idp = Sandbox::shared();
    let name = resource();
    let (api, client) = (server(idp, &[&name], "jwt"), portal(idp, &[&name]));
    let tokens = tokens(idp, &client, &[&name], 2).await;
    assert_eq!(claims(tokens.id_token())["acr"], json!("urn:vn:eid:muc:2"));
    assert!(!tokens.access().contains('.'), "opaque: its server must ask");
    assert_eq!(api.introspect(tokens.access()).await["acr"], json!("urn:vn:eid:muc:2"));
    assert!(!access(&refresh(&client, tokens.refresh(), &[]).await).contains('.'));
}

#[tokio::test]
async fn rfc9068_3_servers_of_different_forms_are_asked_for_one_by_one() {
    let idp = Sandbox::shared();
    let (one, two) = (resource(), resource());
    let (_jwt, _opaque) = (server(idp, &[&one], "jwt"), server(idp, &[&two], "opaque"));
    let client = portal(idp, &[&one, &two]);
    let ask = Ask::of(&client).scope("openid offline_access dossiers.read");
    let ask = ask.also("resource", &one).also("resource", &two);
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_target");
    let mut fields = client.redemption(&code, &ask.verifier).to_vec();
    fields.push(("resource", &one));
    let answer = client.call("/token", &fields).await;
    assert!(access(&answer).contains('.'));
    let refresh_token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(!access(&refresh(&client, &refresh_token, &[&two]).await).contains('.'));
    // Without a resource everything is as ever.
    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await.code();
    assert!(!redeemed(&client, ask, code).await.access().contains('.'));
}

async fn dossiers(idp: &Sandbox, path: &str, token: Option<&str>) -> Answer {
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let headers = [("authorization", bearer.as_str())];
    let headers = if token.is_some() { &headers[..] } else { &[] };
    Visitor::new(&idp.neighbour(6)).send("GET", path, headers, None).await
}

fn refused(answer: &Answer, status: u16, parts: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer ") && parts.iter().all(|part| challenge.contains(part)), "{challenge}");
    assert_eq!(challenge.contains("error="), !parts.is_empty(), "{challenge}");
}

#[tokio::test]
async fn the_sample_server_answers_tokens_that_are_for_it() {
    let idp = Sandbox::shared();
    let (name, elsewhere) = (idp.neighbour(6), resource());
    let _elsewhere = server(idp, &[&elsewhere], "opaque");
    let client = portal(idp, &[&name, &elsewhere]);
    refused(&dossiers(idp, "/dossiers", None).await, 401, &[]);
    let by_query = Visitor::new(&name).get("/dossiers?access_token=x").await;
    refused(&by_query, 401, &[]);
    refused(&dossiers(idp, "/dossiers", Some("x")).await, 401, &["invalid_token"]);
    let foreign = tokens(idp, &client, &[&elsewhere], 1).await;
    refused(&dossiers(idp, "/dossiers", Some(foreign.access())).await, 401, &["invalid_token"]);
    let plain = idp.offline_tokens(&client, &idp.citizen()).await;
    refused(&dossiers(idp, "/dossiers", Some(plain.access())).await, 401, &["invalid_token"]);

    let weak = tokens(idp, &client, &[&name], 1).await;
    let seen = dossiers(idp, "/dossiers", Some(weak.access())).await;
    assert_eq!((seen.status, &seen.json()["sub"]), (200, &claims(weak.id_token())["sub"]));
    let whole = dossiers(idp, "/dossiers/1.004222", Some(weak.access())).await;
    refused(&whole, 401, &["insufficient_user_authentication", "acr_values=\"urn:vn:eid:muc:2\""]);
    let strong = tokens(idp, &client, &[&name], 2).await;
    assert_eq!(dossiers(idp, "/dossiers/1.004222", Some(strong.access())).await.status, 200);

    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", weak.refresh())];
    fields.push(("scope", "openid"));
    let narrow = access(&client.call("/token", &fields).await);
    refused(&dossiers(idp, "/dossiers", Some(&narrow)).await, 403, &["insufficient_scope", "scope=\"dossiers.read\""]);
    // A plain OAuth client, without any holder.
    let own = client.call("/token", &[("grant_type", "client_credentials"), ("resource", &name)]).await;
    let seen = dossiers(idp, "/dossiers", Some(&access(&own))).await;
    assert_eq!((seen.status, &seen.json()["sub"]), (200, &json!(client.id)));
    assert_eq!(client.call("/revoke", &[("token", weak.access())]).await.status, 200);
    refused(&dossiers(idp, "/dossiers", Some(weak.access())).await, 401, &["invalid_token"]);
}
