//! The forms in which answers leave: signed, encrypted, nested; `security.md` UI-08, IN-08, JO-05, JO-07.

use josekit::jwe::{self, ECDH_ES, ECDH_ES_A256KW, JweDecrypter, RSA_OAEP_256};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::Tokens;
use crate::support::jwt::{claims, read};
use crate::support::relying_party::{RelyingParty, key_pair, merge};
use crate::support::sandbox::Sandbox;
use crate::support::server::Server;
use crate::support::wire::{Answer, Visitor, encode, pairs};

/// A key to encrypt to: the client keeps it, the set is registered.
fn recipient(alg: &str) -> (Jwk, Value) {
    let mut key = match alg {
        "RSA-OAEP-256" => Jwk::generate_rsa_key(2048).unwrap(),
        _ => Jwk::generate_ec_key(EcCurve::P256).unwrap(),
    };
    key.set_key_id(format!("enc-{alg}"));
    let mut public = serde_json::to_value(key.to_public_key().unwrap()).unwrap();
    merge(&mut public, json!({"kid": format!("enc-{alg}"), "use": "enc", "alg": alg}));
    (key, json!({"keys": [public]}))
}

/// Opens a compact JWE and answers its header and content.
fn opened(jwe: &str, alg: &str, key: &Jwk) -> (Value, String) {
    let decrypter: Box<dyn JweDecrypter> = match alg {
        "RSA-OAEP-256" => Box::new(RSA_OAEP_256.decrypter_from_jwk(key).unwrap()),
        "ECDH-ES" => Box::new(ECDH_ES.decrypter_from_jwk(key).unwrap()),
        _ => Box::new(ECDH_ES_A256KW.decrypter_from_jwk(key).unwrap()),
    };
    let (content, header) = jwe::deserialize_compact(jwe, decrypter.as_ref()).expect("the client can read it");
    (Value::Object(header.into()), String::from_utf8(content).unwrap())
}

async fn tokens(idp: &Sandbox, client: &RelyingParty) -> Tokens {
    let ask = Ask::of(client).scope("openid profile offline_access");
    idp.tokens(&idp.visitor(), client, ask, &idp.citizen()).await
}

async fn userinfo(client: &RelyingParty, token: &str, accept: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("accept", accept)];
    Visitor::new(&client.issuer).send("GET", "/userinfo", &headers, None).await
}

#[tokio::test]
async fn ui_08_signed_userinfo_is_signed_whatever_is_accepted() {
    let idp = Sandbox::shared();
    for alg in ["RS256", "ES256", "PS256", "EdDSA"] {
        let client = idp.client(json!({"userinfo_signed_response_alg": alg}));
        let tokens = tokens(idp, &client).await;
        for accept in ["application/json", "*/*", "application/jwt", "application/json;q=1, application/jwt;q=0"] {
            let answer = userinfo(&client, tokens.access(), accept).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")), "{accept}");
            assert!(answer.header("cache-control").unwrap().contains("no-store"));
            let told = idp.verified(&answer.body).await;
            assert_eq!(read(&answer.body).0["alg"], json!(alg));
            assert_eq!((&told["iss"], &told["aud"]), (&json!(idp.issuer), &json!(client.id)));
            assert_eq!(told["sub"], claims(tokens.id_token())["sub"]);
            assert!(told["name"].is_string(), "the claims are in it: {told}");
            for never in ["nonce", "exp", "acr", "amr", "auth_time"] {
                assert_eq!(told.get(never), None, "{never}");
            }
        }
        // What says who somebody is does not say that somebody signed in.
        let hinted = Ask::of(&client).with("id_token_hint", &userinfo(&client, tokens.access(), "*/*").await.body);
        let refused = idp.visitor().get(&hinted.target()).await.returned().unwrap();
        assert_eq!(refused.get("error"), Some("invalid_request"));
        let errors = userinfo(&client, "x", "application/jwt").await;
        assert_eq!(errors.status, 401, "errors stay as they are");
    }
    let plain = idp.confidential();
    let tokens = tokens(idp, &plain).await;
    let answer = userinfo(&plain, tokens.access(), "application/jwt").await;
    assert!(answer.header("content-type").unwrap().starts_with("application/json"), "control: only as registered");
}

#[tokio::test]
async fn oidc_core_10_2_answers_only_the_client_can_read() {
    let idp = Sandbox::shared();
    for alg in ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"] {
        for enc in ["A256GCM", "A128CBC-HS256"] {
            let (key, jwks) = recipient(alg);
            let client = idp.client(json!({
                "jwks": jwks, "id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": enc,
                "userinfo_signed_response_alg": "ES256",
                "userinfo_encrypted_response_alg": alg, "userinfo_encrypted_response_enc": enc,
            }));
            let tokens = tokens(idp, &client).await;
            let refreshed = client.refresh(tokens.refresh()).await.json();
            let answer = userinfo(&client, tokens.access(), "application/json").await;
            assert_eq!(answer.header("content-type"), Some("application/jwt"));
            for jwe in [tokens.id_token(), refreshed["id_token"].as_str().unwrap(), &answer.body] {
                let (header, jws) = opened(jwe, alg, &key);
                assert_eq!((&header["alg"], &header["enc"]), (&json!(alg), &json!(enc)));
                assert_eq!((&header["cty"], &header["kid"]), (&json!("JWT"), &json!(format!("enc-{alg}"))));
                assert_eq!(header.get("zip"), None);
                let told = idp.verified(&jws).await;
                assert_eq!((&told["iss"], &told["aud"]), (&json!(idp.issuer), &json!(client.id)));
            }
            let id_token = idp.verified(&opened(tokens.id_token(), alg, &key).1).await;
            assert_eq!(id_token["nonce"], json!(tokens.ask.nonce));
            assert_eq!(id_token["at_hash"].as_str().map(str::len), Some(22));
            // The inner token, and only that, is a hint.
            let hint = opened(tokens.id_token(), alg, &key).1;
            let ask = Ask::of(&client).with("prompt", "none").with("id_token_hint", &hint);
            let silent = idp.visitor().get(&ask.target()).await.returned().unwrap();
            assert_eq!(silent.get("error"), Some("login_required"), "the hint was understood");
        }
    }
}

#[tokio::test]
async fn oidc_core_5_3_2_encrypted_without_a_signature() {
    let idp = Sandbox::shared();
    let (key, jwks) = recipient("ECDH-ES");
    let client = idp.client(json!({"jwks": jwks, "userinfo_encrypted_response_alg": "ECDH-ES"}));
    let tokens = tokens(idp, &client).await;
    idp.verified(tokens.id_token()).await;
    let answer = userinfo(&client, tokens.access(), "*/*").await;
    let (header, content) = opened(&answer.body, "ECDH-ES", &key);
    assert_eq!((header.get("cty"), &header["enc"]), (None, &json!("A128CBC-HS256")));
    let told: Value = serde_json::from_str(&content).unwrap();
    assert_eq!((&told["iss"], &told["aud"]), (&json!(idp.issuer), &json!(client.id)));
    assert_eq!(told["sub"], claims(tokens.id_token())["sub"]);
}

#[tokio::test]
async fn an_assertion_key_and_an_encryption_key_stand_in_one_set() {
    let idp = Sandbox::shared();
    let (encryption, set) = recipient("ECDH-ES+A256KW");
    let (signing, mut jwks) = key_pair();
    jwks["keys"].as_array_mut().unwrap().push(set["keys"][0].clone());
    let mut client = idp.client(json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks,
        "token_endpoint_auth_signing_alg": "ES256", "id_token_encrypted_response_alg": "ECDH-ES+A256KW",
    }));
    client.proof = crate::support::relying_party::Proof::Assertion(Box::new(signing));
    let tokens = tokens(idp, &client).await;
    idp.verified(&opened(tokens.id_token(), "ECDH-ES+A256KW", &encryption).1).await;
    // The key that reads answers proves nothing.
    let mut thief = encryption;
    thief.set_algorithm("ES256");
    client.proof = crate::support::relying_party::Proof::Assertion(Box::new(thief));
    assert_eq!(client.refresh(tokens.refresh()).await.json()["error"], json!("invalid_client"));
}

#[tokio::test]
async fn oidc_core_10_2_the_key_to_encrypt_to_is_the_one_at_the_jwks_uri() {
    let idp = Sandbox::shared();
    let server = Server::open();
    let serve = |set: &Value| drop(server.serve("/jwks", "application/json", set.to_string()));
    let (key, set) = recipient("ECDH-ES");
    let client = idp.client(json!({
        "jwks_uri": format!("{}/jwks", server.origin), "id_token_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_alg": "ECDH-ES",
    }));
    let ask = Ask::of(&client).scope("openid profile offline_access");
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let code = idp.authorize(&visitor, &ask, &holder).await.code();
    // Nothing to encrypt to: nothing is said, least of all plainly, and nothing is spent.
    for set in [None, Some(&key_pair().1)] {
        set.inspect(|set| serve(set));
        let answer = client.redeem(&code, &ask.verifier).await;
        assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.body);
    }
    assert_eq!(server.asked("/jwks"), 1, "a door that does not answer is not knocked at again and again");
    let patient = idp.client(json!({
        "jwks_uri": format!("{}/later", server.origin), "id_token_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_alg": "ECDH-ES",
    }));
    drop(server.serve("/later", "application/json", set.to_string()));
    let tokens = tokens(idp, &patient).await;
    let refreshed = patient.refresh(tokens.refresh()).await.json();
    let answer = userinfo(&patient, tokens.access(), "*/*").await;
    for jwe in [tokens.id_token(), refreshed["id_token"].as_str().unwrap()] {
        let (header, jws) = opened(jwe, "ECDH-ES", &key);
        assert_eq!(header["kid"], json!("enc-ECDH-ES"));
        assert_eq!(idp.verified(&jws).await["aud"], json!(patient.id));
    }
    let told: Value = serde_json::from_str(&opened(&answer.body, "ECDH-ES", &key).1).unwrap();
    assert_eq!(told["sub"], claims(&opened(tokens.id_token(), "ECDH-ES", &key).1)["sub"]);
    assert_eq!(server.asked("/later"), 1, "fetched once");
}

#[tokio::test]
async fn jo_07_what_cannot_be_encrypted_is_not_registered() {
    let idp = Sandbox::shared();
    let (_, jwks) = recipient("ECDH-ES");
    let mut off = jwks.clone();
    off["keys"][0]["y"] = off["keys"][0]["x"].clone();
    let with = |patch: Value| {
        let mut metadata = json!({
            "client_id": "never", "redirect_uris": ["https://rp.gov.vn/cb"], "client_secret": "a-long-enough-secret"
        });
        merge(&mut metadata, patch);
        metadata
    };
    for (member, patch) in [
        ("id_token_encrypted_response_alg", json!({"id_token_encrypted_response_alg": "ECDH-ES"})),
        ("id_token_encrypted_response_alg", json!({"jwks": jwks, "id_token_encrypted_response_alg": "RSA-OAEP-256"})),
        ("id_token_encrypted_response_alg", json!({"jwks": jwks, "id_token_encrypted_response_alg": "RSA1_5"})),
        ("id_token_encrypted_response_alg", json!({"jwks": jwks, "id_token_encrypted_response_alg": "RSA-OAEP"})),
        ("id_token_encrypted_response_alg", json!({"jwks": jwks, "id_token_encrypted_response_alg": "dir"})),
        ("userinfo_encrypted_response_enc", json!({"jwks": jwks, "userinfo_encrypted_response_enc": "A256GCM"})),
        (
            "userinfo_encrypted_response_enc",
            json!({
                "jwks": jwks, "userinfo_encrypted_response_alg": "ECDH-ES",
                "userinfo_encrypted_response_enc": "A128GCM"
            }),
        ),
        ("jwks", json!({"jwks": off, "userinfo_encrypted_response_alg": "ECDH-ES"})),
    ] {
        let why = idp.refuses_client(&with(patch.clone()));
        assert!(why.as_ref().is_some_and(|why| why.contains(member)), "{patch}: {why:?}");
    }
    let good = with(json!({"client_id": "encrypts", "jwks": jwks, "userinfo_encrypted_response_alg": "ECDH-ES"}));
    assert_eq!(idp.refuses_client(&good), None, "control");
}

async fn introspection(caller: &RelyingParty, token: &str, accept: &str) -> Answer {
    let (mut body, header) = caller.credentials();
    body.extend(pairs(&[("token", token)]));
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("accept", accept)];
    if let Some(header) = &header {
        headers.push(("authorization", header));
    }
    Visitor::new(&caller.issuer).send("POST", "/introspect", &headers, Some(encode(&body).into_bytes())).await
}

const SIGNED: &str = "application/token-introspection+jwt";

#[tokio::test]
async fn in_08_introspection_by_jwt_is_for_the_caller_alone() {
    let idp = Sandbox::shared();
    for (registered, alg) in [(Value::Null, "RS256"), (json!("ES256"), "ES256"), (json!("EdDSA"), "EdDSA")] {
        let client = idp.client(json!({"introspection_signed_response_alg": registered}));
        let other = idp.client(json!({"introspection_signed_response_alg": registered}));
        let tokens = tokens(idp, &client).await;
        let plain = client.introspect(tokens.access()).await;
        let answer = introspection(&client, tokens.access(), SIGNED).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(SIGNED)));
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        let (header, _) = read(&answer.body);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("token-introspection+jwt"), &json!(alg)));
        let told = idp.verified(&answer.body).await;
        let mut members: Vec<&String> = told.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["aud", "iat", "iss", "token_introspection"]);
        assert_eq!((&told["iss"], &told["aud"]), (&json!(idp.issuer), &json!(client.id)));
        assert_eq!(told["token_introspection"], plain);
        let told = idp.verified(&introspection(&other, tokens.access(), SIGNED).await.body).await;
        assert_eq!((&told["aud"], &told["token_introspection"]), (&json!(other.id), &json!({"active": false})));
        // It is no token: neither here nor as a hint.
        assert_eq!(client.userinfo(&answer.body).await.status, 401);
        assert_eq!(client.introspect(&answer.body).await, json!({"active": false}));
        for accept in ["application/json", "*/*", "application/token-introspection+jwt;q=0"] {
            let answer = introspection(&client, tokens.access(), accept).await;
            assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{accept}");
            assert_eq!(answer.json()["active"], json!(true));
        }
        let stranger = Visitor::new(&idp.issuer);
        let refused = stranger.post("/introspect", &pairs(&[("token", "x")]), &[("accept", SIGNED)]).await;
        assert_eq!((refused.status, refused.json()["error"].clone()), (401, json!("invalid_client")));
    }
}

#[tokio::test]
async fn rfc9470_3_userinfo_asks_for_more_when_the_floor_was_raised() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let holder = idp.citizen();
    let visitor = idp.visitor();
    let weak = idp.tokens(&visitor, &client, Ask::of(&client), &holder).await;
    assert_eq!(client.userinfo(weak.access()).await.status, 200, "control");
    let mut raised = client.metadata.clone();
    raised["vn_min_account_level"] = json!(2);
    raised["vn_min_auth_level"] = json!(2);
    idp.put_client(&raised);
    let answer = client.userinfo(weak.access()).await;
    assert_eq!((answer.status, answer.json()["error"].clone()), (401, json!("insufficient_user_authentication")));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer ") && challenge.contains("error=\"insufficient_user_authentication\""));
    assert!(challenge.contains("acr_values=\"urn:vn:eid:muc:2\""), "{challenge}");
    // What the challenge asks for is enough.
    let ask = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2");
    let strong = idp.tokens(&visitor, &client, ask, &holder).await;
    assert_eq!(client.userinfo(strong.access()).await.status, 200);
}

#[tokio::test]
async fn metadata_of_answers_is_exact() {
    let idp = Sandbox::shared();
    let metadata = idp.visitor().get("/.well-known/openid-configuration").await.json();
    for (name, values) in [
        ("id_token_encryption_alg_values_supported", json!(["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])),
        ("id_token_encryption_enc_values_supported", json!(["A128CBC-HS256", "A256GCM"])),
        ("userinfo_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
        ("userinfo_encryption_alg_values_supported", json!(["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])),
        ("userinfo_encryption_enc_values_supported", json!(["A128CBC-HS256", "A256GCM"])),
        ("introspection_signing_alg_values_supported", json!(["RS256", "ES256", "PS256", "EdDSA"])),
    ] {
        assert_eq!(metadata[name], values, "{name}");
    }
    assert_eq!(metadata.get("request_object_encryption_alg_values_supported"), None);
}
