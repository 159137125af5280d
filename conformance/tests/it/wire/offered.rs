//! Metadata is true, value by value: each one listed is driven as a client would drive it, and what is not listed is
//! refused. The lists are read from the document itself, so that a value added there must work here.

use josekit::jwk::Jwk;
use josekit::jws::{ES256, EdDSA, JwsHeader, JwsSigner, PS256};
use serde_json::{Map, Value, json};

use crate::support::ask::Ask;
use crate::support::equipped::at_qr;
use crate::support::flow::{Will, redeemed};
use crate::support::holder::{self, Holder};
use crate::support::jwt::{claims, read};
use crate::support::pushed::{key_of_kind, sign_with};
use crate::support::relying_party::{Proof, RelyingParty, assertion_fields, key_pair, sign};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode, pairs};
use crate::support::{fresh, next, now, verdict};

async fn listed(idp: &Sandbox, name: &str) -> Vec<String> {
    let metadata = idp.visitor().get("/.well-known/openid-configuration").await.json();
    let values = metadata[name].as_array().unwrap_or_else(|| panic!("{name} is not stated"));
    assert!(!values.is_empty(), "{name} is empty");
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// A key for an algorithm, and the set to register it in.
fn key_for(alg: &str) -> (Jwk, Value) {
    let kind = match alg {
        "ES256" => return key_pair(),
        "EdDSA" => "OKP",
        _ => "RSA",
    };
    let (key, public) = key_of_kind(kind);
    (key, json!({"keys": [public]}))
}

fn signed(alg: &str, key: &Jwk, claims: &Value) -> String {
    if alg == "ES256" { sign(key, &[], claims) } else { sign_with(alg, key, claims) }
}

/// Members that list what works, each driven by a test of this file or by the one named.
#[tokio::test]
async fn every_list_is_driven_somewhere() {
    let idp = Sandbox::shared();
    let metadata = idp.visitor().get("/.well-known/openid-configuration").await.json();
    let here = [
        "acr_values_supported",
        "authorization_signing_alg_values_supported",
        "claims_supported",
        "dpop_signing_alg_values_supported",
        "grant_types_supported",
        "id_token_signing_alg_values_supported",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "prompt_values_supported",
        "request_object_signing_alg_values_supported",
        "response_modes_supported",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "scopes_supported",
        "subject_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "ui_locales_supported",
    ];
    let elsewhere = [
        // `answers`: the exact lists, and each value of them.
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "introspection_signing_alg_values_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
        "userinfo_signing_alg_values_supported",
        // `transactions`: its one type, and every other refused.
        "authorization_details_types_supported",
        // `metadata`: one value each, which everything else here uses.
        "claim_types_supported",
        "code_challenge_methods_supported",
        "response_types_supported",
    ];
    let mut driven = [here.as_slice(), elsewhere.as_slice()].concat();
    driven.sort_unstable();
    let stated = metadata.as_object().unwrap().iter().filter(|(_, value)| value.is_array());
    let mut stated: Vec<&str> = stated.map(|(name, _)| name.as_str()).collect();
    stated.sort_unstable();
    assert_eq!(stated, driven);
}

/// An endpoint clients prove themselves at, and what tells there that one was believed.
struct Place {
    name: &'static str,
    path: &'static str,
    fields: [(&'static str, &'static str); 2],
    believed: u16,
}

const PLACES: [Place; 3] = [
    Place {
        name: "token",
        path: "/token",
        fields: [("grant_type", "refresh_token"), ("refresh_token", "unknown")],
        believed: 400,
    },
    Place {
        name: "introspection",
        path: "/introspect",
        fields: [("token", "unknown"), ("token_type_hint", "access_token")],
        believed: 200,
    },
    Place {
        name: "revocation",
        path: "/revoke",
        fields: [("token", "unknown"), ("token_type_hint", "access_token")],
        believed: 200,
    },
];

#[tokio::test]
async fn each_authentication_method_works_where_it_is_listed() {
    let idp = Sandbox::shared();
    let everywhere = listed(idp, "token_endpoint_auth_methods_supported").await;
    for Place { name, path, fields, believed } in PLACES {
        let here = listed(idp, &format!("{name}_endpoint_auth_methods_supported")).await;
        for method in &everywhere {
            let answer = idp.client(json!({"token_endpoint_auth_method": method})).call(path, &fields).await;
            match here.contains(method) {
                true => assert_eq!(answer.status, believed, "{method} at {path}: {}", answer.body),
                false => verdict::token_error(&answer, 401, "invalid_client"),
            }
        }
        assert!(here.iter().all(|method| everywhere.contains(method)), "nothing is for {path} alone");
    }
    for method in ["client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth", "attest_jwt_client_auth"] {
        assert!(!everywhere.iter().any(|listed| listed == method));
        let (_, jwks) = key_pair();
        let metadata = json!({
            "client_id": format!("rp-{}-{}", std::process::id(), next()), "redirect_uris": ["https://rp.gov.vn/cb"],
            "token_endpoint_auth_method": method, "jwks": jwks,
        });
        assert!(idp.refuses_client(&metadata).is_some(), "{method}");
    }
}

#[tokio::test]
async fn each_algorithm_of_assertions_works_where_it_is_listed() {
    let idp = Sandbox::shared();
    for Place { name, path, fields, believed } in PLACES {
        for alg in listed(idp, &format!("{name}_endpoint_auth_signing_alg_values_supported")).await {
            let (key, jwks) = key_for(&alg);
            let client = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}));
            let mut body = assertion_fields(&signed(&alg, &key, &client.assertion_claims()));
            body.extend(pairs(&fields));
            let answer = idp.visitor().post(path, &body, &[]).await;
            assert_eq!(answer.status, believed, "{alg} at {path}: {}", answer.body);
        }
    }
    for alg in ["none", "HS256", "ES384", "RS512"] {
        let mut metadata = idp.signing(json!({})).metadata;
        metadata["token_endpoint_auth_signing_alg"] = json!(alg);
        assert!(idp.refuses_client(&metadata).is_some(), "{alg}");
    }
}

#[tokio::test]
async fn each_algorithm_of_ours_and_of_request_objects_works() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for alg in listed(idp, "id_token_signing_alg_values_supported").await {
        let client = idp.client(json!({"id_token_signed_response_alg": alg}));
        let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
        assert_eq!(read(tokens.id_token()).0["alg"], json!(alg));
        assert_eq!(idp.verified(tokens.id_token()).await["aud"], json!(client.id));
    }
    for alg in listed(idp, "authorization_signing_alg_values_supported").await {
        let client = idp.client(json!({"authorization_signed_response_alg": alg}));
        let ask = Ask::of(&client).with("response_mode", "jwt");
        let answer = idp.authorize(&idp.visitor(), &ask, &holder).await;
        let response = answer.get("response").unwrap();
        assert_eq!(read(response).0["alg"], json!(alg));
        assert!(idp.verified(response).await["code"].is_string());
    }
    for alg in listed(idp, "request_object_signing_alg_values_supported").await {
        let (key, jwks) = key_for(&alg);
        let client = idp.client(json!({"jwks": jwks}));
        let ask = Ask::of(&client).with("prompt", "none");
        let object = signed(&alg, &key, &client.object_claims(&ask, json!({})));
        let answer = idp.visitor().get(&client.enclosed(&ask, &object).target()).await;
        verdict::redirect(&answer, &client, &ask, "login_required");
    }
    let client = idp.signing(json!({}));
    let ask = Ask::of(&client).with("prompt", "none");
    let part = |value: &Value| crate::support::base64url(value.to_string().as_bytes());
    for alg in ["none", "HS256", "ES384"] {
        let object = format!("{}.{}.", part(&json!({"alg": alg})), part(&client.object_claims(&ask, json!({}))));
        let answer = idp.visitor().get(&client.enclosed(&ask, &object).target()).await;
        assert!(answer.body.contains("invalid_request_object") || answer.status >= 400, "{alg}: {}", answer.body);
        assert!(answer.returned().is_none_or(|returned| returned.get("error") != Some("login_required")), "{alg}");
    }
}

/// A token for a client itself, asked for with a proof by this algorithm.
async fn proved(client: &RelyingParty, alg: &str) -> Answer {
    let (key, jwks) = key_for(alg);
    let mut jwk: Map<String, Value> = jwks["keys"][0].as_object().unwrap().clone();
    jwk.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    let mut header = JwsHeader::new();
    header.set_algorithm(alg);
    for (name, value) in [("typ", json!("dpop+jwt")), ("jwk", Value::Object(jwk))] {
        header.set_claim(name, Some(value)).unwrap();
    }
    let signer: Box<dyn JwsSigner> = match alg {
        "ES256" => Box::new(ES256.signer_from_jwk(&key).unwrap()),
        "PS256" => Box::new(PS256.signer_from_jwk(&key).unwrap()),
        "RS256" => Box::new(josekit::jws::RS256.signer_from_jwk(&key).unwrap()),
        _ => Box::new(EdDSA.signer_from_jwk(&key).unwrap()),
    };
    let body = json!({"jti": fresh(), "htm": "POST", "htu": format!("{}/token", client.issuer), "iat": now()});
    let proof = josekit::jws::serialize_compact(body.to_string().as_bytes(), &header, &*signer).unwrap();
    let (mut fields, authorization) = client.credentials();
    fields.extend(pairs(&[("grant_type", "client_credentials")]));
    let authorization = authorization.unwrap();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", authorization.as_str()),
        ("dpop", proof.as_str()),
    ];
    Visitor::new(&client.issuer).send("POST", "/token", &headers, Some(encode(&fields).into_bytes())).await
}

#[tokio::test]
async fn each_algorithm_of_proofs_and_each_grant_works() {
    let idp = Sandbox::shared();
    let machine = idp.client(json!({"grant_types": ["client_credentials"], "scope": "reports:read"}));
    for alg in listed(idp, "dpop_signing_alg_values_supported").await {
        let answer = proved(&machine, &alg).await;
        assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{alg}: {}", answer.body);
    }
    verdict::token_error(&proved(&machine, "RS256").await, 400, "invalid_dpop_proof");

    let client = idp.client(json!({"grant_types": listed(idp, "grant_types_supported").await, "scope": "openid profile offline_access reports:read"}));
    let tokens = idp.offline_tokens(&client, &idp.citizen()).await;
    let mut granted = vec!["authorization_code"];
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
    granted.push("refresh_token");
    let own = client.call("/token", &[("grant_type", "client_credentials"), ("scope", "reports:read")]).await;
    assert_eq!(own.status, 200, "{}", own.body);
    granted.push("client_credentials");
    let mut stated = listed(idp, "grant_types_supported").await;
    stated.sort();
    granted.sort_unstable();
    assert_eq!(stated, granted);
    for grant in
        ["implicit", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:openid:params:grant-type:ciba"]
    {
        verdict::token_error(&client.call("/token", &[("grant_type", grant)]).await, 400, "unsupported_grant_type");
        let mut metadata = client.metadata.clone();
        metadata["grant_types"] = json!(["authorization_code", grant]);
        assert!(idp.refuses_client(&metadata).is_some(), "{grant}");
    }
}

#[tokio::test]
async fn each_response_mode_prompt_and_language_works() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let client = idp.client(json!({"authorization_signed_response_alg": "ES256"}));
    for mode in listed(idp, "response_modes_supported").await {
        let ask = Ask::of(&client).with("response_mode", &mode);
        let answer = idp.authorize(&idp.visitor(), &ask, &holder).await;
        assert_eq!(answer.by_form, mode.starts_with("form_post"), "{mode}");
        assert_eq!(answer.get("response").is_some(), mode.contains("jwt"), "{mode}");
    }
    let visitor = idp.visitor();
    let ask = Ask::of(&client).scope("openid profile");
    idp.authorize(&visitor, &ask, &holder).await;
    for prompt in listed(idp, "prompt_values_supported").await {
        let ask = ask.clone().with("prompt", &prompt);
        let at = visitor.open(&ask.target()).await;
        let seen = if at.returned().is_some_and(|returned| returned.get("code").is_some()) {
            "code".to_owned()
        } else {
            at.page().name().to_owned()
        };
        let wanted = match prompt.as_str() {
            "none" => "code",
            "login" | "select_account" => "sign-in",
            "consent" => "consent",
            other => panic!("{other} is driven nowhere"),
        };
        assert_eq!(seen, wanted, "{prompt}");
    }
    let create = ask.clone().with("prompt", "create");
    verdict::redirect(&idp.visitor().get(&create.target()).await, &client, &create, "invalid_request");
    for language in listed(idp, "ui_locales_supported").await {
        let at = idp.visitor().open(&ask.clone().with("ui_locales", &language).target()).await;
        assert_eq!(at.page().language(), language);
    }
    assert_eq!(idp.visitor().open(&ask.with("ui_locales", "se").target()).await.page().language(), "vi");
}

#[tokio::test]
async fn each_acr_scope_and_subject_type_can_be_had() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let client = idp.client(json!({"vn_acr_demand": true}));
    let phone = idp.phone(&holder).await;
    for acr in listed(idp, "acr_values_supported").await {
        let (visitor, ask) = (idp.visitor(), Ask::of(&client).with("acr_values", &acr));
        // Levels 3 and 4 take the app.
        let unlock: &[&str] = match acr.rsplit_once(":xac-thuc:") {
            Some((_, "3")) => &["face"],
            Some((_, "4")) => &["passcode", "face"],
            _ => &[],
        };
        let tokens = if unlock.is_empty() {
            idp.tokens(&visitor, &client, ask, &holder).await
        } else {
            let (at, code) = at_qr(&visitor, &ask).await;
            phone.confirm(&code, unlock).await;
            let code = visitor.open(at.url.as_str()).await.returned().unwrap().code();
            redeemed(&client, ask, code).await
        };
        assert_eq!(claims(tokens.id_token())["acr"], json!(acr));
        // A session is worth what was proved in it and nothing above.
        if unlock.is_empty() {
            let above = Ask::of(&client).with("acr_values", "urn:vn:eid:muc:2:xac-thuc:3").with("prompt", "none");
            let refused = visitor.get(&above.target()).await.returned().unwrap();
            assert!(refused.get("code").is_none(), "{acr}: {refused:?}");
        }
    }

    let scopes = listed(idp, "scopes_supported").await;
    let whole = idp.client(json!({"scope": scopes.join(" ")}));
    for scope in &scopes {
        let ask = Ask::of(&whole).scope(&format!("openid {scope}"));
        let tokens = idp.tokens(&idp.visitor(), &whole, ask, &holder).await;
        assert!(tokens.text("scope").split(' ').any(|granted| granted == scope), "{scope}: {}", tokens.body);
    }
    assert!(
        idp.refuses_client(&{
            let mut other = client.metadata.clone();
            other["scope"] = json!("openid vn_unknown");
            other
        })
        .is_some()
    );

    for kind in listed(idp, "subject_types_supported").await {
        let mut subs = Vec::new();
        for _ in 0..2 {
            let client = idp.client(json!({"subject_type": kind}));
            let tokens = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
            subs.push(claims(tokens.id_token())["sub"].clone());
        }
        assert_eq!(subs[0] == subs[1], kind == "public", "{kind}");
    }
}

#[tokio::test]
async fn each_claim_listed_can_be_delivered() {
    let idp = Sandbox::shared();
    let (scopes, wanted) = (listed(idp, "scopes_supported").await, listed(idp, "claims_supported").await);
    let client = idp.client(json!({"scope": scopes.join(" ")}));
    let an = Holder::seeded(holder::AN);
    let each: Map<String, Value> = wanted.iter().map(|name| (name.clone(), Value::Null)).collect();
    let request = json!({"userinfo": each}).to_string();
    let ask = Ask::of(&client).scope(&scopes.join(" ")).with("acr_values", "urn:vn:eid:muc:2").with("claims", &request);
    let visitor = idp.visitor();
    let at = visitor.open(&ask.target()).await;
    let end = idp.walk(&visitor, at, &an, Will::AllowAll).await;
    let tokens = redeemed(&client, ask, end.returned().unwrap().code()).await;
    let told = client.userinfo(tokens.access()).await.json();
    let stated = claims(tokens.id_token());
    let missing: Vec<&String> =
        wanted.iter().filter(|name| told.get(name.as_str()).or(stated.get(name.as_str())).is_none()).collect();
    assert!(missing.is_empty(), "listed and not delivered: {missing:?}");
    let known = |name: &String| wanted.contains(name);
    let unlisted: Vec<&String> = told
        .as_object()
        .unwrap()
        .keys()
        .chain(stated.as_object().unwrap().keys())
        .filter(|name| !known(name))
        .collect();
    assert!(unlisted.is_empty(), "delivered and not listed: {unlisted:?}");
    assert!(matches!(client.proof, Proof::Basic(_)), "a client like any other");
}
