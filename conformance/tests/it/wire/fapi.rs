//! FAPI 2.0 Security Profile and Message Signing as `vn_profile`: what each demands, and that nothing escapes it by leaving
//! something out.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::Will;
use crate::support::pushed::{key_of_kind, sign_with};
use crate::support::relying_party::{RelyingParty, assertion_fields, key_pair, merge};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, encode, pairs};
use crate::support::{jwt, next, now, verdict};

fn profiled(idp: &Sandbox, profile: &str, patch: Value) -> RelyingParty {
    let mut metadata = json!({"vn_profile": profile, "id_token_signed_response_alg": null});
    crate::support::relying_party::merge(&mut metadata, patch);
    idp.signing(metadata)
}

/// The request as its profile wants it pushed.
fn proper(client: &RelyingParty, ask: &Ask) -> Ask {
    match client.metadata["vn_profile"].as_str() {
        Some("fapi2_message_signing") => client.enclosed(ask, &client.object(ask, json!({}))),
        _ => ask.clone(),
    }
}

#[tokio::test]
async fn fapi2_sp_5_3_2_2_control_and_only_by_par() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for profile in ["fapi2", "fapi2_message_signing"] {
        let client = profiled(idp, profile, json!({}));
        let ask = Ask::of(&client);
        let visitor = idp.visitor();
        let page = visitor.open(&client.bring(&client.pushed(&proper(&client, &ask)).await)).await;
        let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
        assert_eq!((returned.get("iss"), returned.get("state")), (Some(&*idp.issuer), Some(&*ask.state)), "{profile}");
        assert!(returned.get("code").is_some());
        // Directly, plain or in a signed object: refused, at the registered address.
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
        let direct = ask.clone().with("request", &client.object(&ask, json!({})));
        verdict::redirect(&idp.visitor().get(&direct.target()).await, &client, &ask, "invalid_request");
        let posted = idp.visitor().post("/authorize", &ask.fields, &[]).await;
        verdict::redirect(&posted, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn fapi_two_clients_never_share_a_key() {
    let idp = Sandbox::shared();
    let one = profiled(idp, "fapi2", json!({}));
    let another = |patch: Value| {
        let mut metadata = one.metadata.clone();
        merge(&mut metadata, json!({"client_id": format!("rp-twin-{}", next())}));
        merge(&mut metadata, patch);
        metadata
    };
    // The same key by any other name, among keys of its own, or marked for something else.
    let mut renamed = one.metadata["jwks"].clone();
    renamed["keys"][0]["kid"] = json!("another name");
    let (_, fresh) = key_pair();
    let mut among = fresh.clone();
    among["keys"].as_array_mut().unwrap().push(renamed["keys"][0].clone());
    for patch in
        [json!({}), json!({"jwks": renamed}), json!({"jwks": among}), json!({"vn_profile": "fapi2_message_signing"})]
    {
        let why = idp.refuses_client(&another(patch.clone()));
        assert!(why.as_ref().is_some_and(|why| why.contains("jwks has a key another")), "{patch}: {why:?}");
    }
    let fetched = |n: u64| json!({"jwks": null, "jwks_uri": format!("https://rp.gov.vn/jwks/{n}")});
    let (shared, other) = (next(), next());
    assert_eq!(idp.refuses_client(&another(fetched(shared))), None, "control");
    assert!(idp.refuses_client(&another(fetched(shared))).is_some_and(|why| why.contains("jwks_uri")));
    // Its own keys are no obstacle to a client, nor is another's to one of the plain profile.
    assert_eq!(idp.refuses_client(&one.metadata), None);
    assert_eq!(idp.refuses_client(&another(json!({"jwks": fresh}))), None, "control");
    assert_eq!(idp.refuses_client(&another(fetched(other))), None, "control");
    assert_eq!(idp.refuses_client(&another(json!({"vn_profile": "oidc"}))), None);
    // Who is closed for good frees what was its own.
    idp.admin_ok(&["client", "close", &one.id]);
    assert_eq!(idp.refuses_client(&another(json!({}))), None);
}

#[tokio::test]
async fn fapi2_sp_5_3_2_2_what_a_pushed_request_must_hold() {
    let idp = Sandbox::shared();
    for profile in ["fapi2", "fapi2_message_signing"] {
        let client = profiled(idp, profile, json!({}));
        let good = || Ask::of(&client);
        for (ask, error) in [
            (good().without("code_challenge").without("code_challenge_method"), "invalid_request"),
            (good().with("code_challenge_method", "plain"), "invalid_request"),
            (good().without("code_challenge_method"), "invalid_request"),
            (good().without("redirect_uri"), "invalid_request"),
            (good().with("redirect_uri", "https://rp.gov.vn/other"), "invalid_request"),
            (good().with("response_type", "code id_token"), "unsupported_response_type"),
            (good().with("response_type", "token"), "unsupported_response_type"),
            (good().without("response_type"), "invalid_request"),
            (good().with("response_mode", "fragment"), "invalid_request"),
        ] {
            verdict::token_error(&client.push(&proper(&client, &ask)).await, 400, error);
        }
        assert_eq!(client.push(&proper(&client, &good())).await.status, 201);
    }
}

#[tokio::test]
async fn fapi2_ms_5_3_1_signed_and_what_is_outside_does_not_count() {
    let idp = Sandbox::shared();
    let client = profiled(idp, "fapi2_message_signing", json!({}));
    let ask = Ask::of(&client);
    verdict::token_error(&client.push(&ask).await, 400, "invalid_request");
    for wrong in [
        json!({"exp": null}),
        json!({"nbf": null}),
        json!({"aud": null}),
        json!({"iss": null}),
        json!({"client_id": null}),
        json!({"nbf": now() - 3400, "exp": now() + 300}),
        json!({"nbf": now() - 3700}),
        json!({"nbf": now() + 75}),
        json!({"exp": now() - 10}),
        json!({"aud": format!("{}/par", idp.issuer)}),
    ] {
        let object = client.object(&ask, wrong.clone());
        let answer = client.push(&client.enclosed(&ask, &object)).await;
        assert_eq!(answer.json()["error"], json!("invalid_request_object"), "{wrong}: {}", answer.body);
        verdict::token_error(&answer, 400, "invalid_request_object");
    }
    for right in [json!({"nbf": now() + 8}), json!({"aud": [idp.issuer, "https://other.vn"]}), json!({"jti": null})] {
        assert_eq!(
            client.push(&client.enclosed(&ask, &client.object(&ask, right.clone()))).await.status,
            201,
            "{right}"
        );
    }
    // Nothing outside stands in for what is missing inside, and nothing outside is heard.
    let without = client.object(&ask, json!({"code_challenge": null, "code_challenge_method": null}));
    verdict::token_error(&client.push(&ask.clone().with("request", &without)).await, 400, "invalid_request");
    let inside = client.object(&ask, json!({"state": null, "scope": "openid"}));
    let outside = ask.clone().with("request", &inside).with("scope", "openid profile").with("prompt", "none");
    let visitor = idp.visitor();
    let page = visitor.open(&client.bring(&client.pushed(&outside).await)).await;
    assert_eq!(page.page().name(), "sign-in");
    let returned = idp.walk(&visitor, page, &idp.citizen(), Will::AllowAll).await.returned().unwrap();
    assert!(returned.get("state").is_none() && returned.get("code").is_some());
}

#[tokio::test]
async fn fapi2_sp_5_4_1_no_rs256_for_assertions_or_objects() {
    let idp = Sandbox::shared();
    for (profile, taken) in [("oidc", true), ("fapi2", false), ("fapi2_message_signing", false)] {
        let (rsa, public) = key_of_kind("RSA");
        let client = profiled(idp, profile, json!({"jwks": {"keys": [public]}}));
        let probe = |alg: &'static str| {
            let mut fields = assertion_fields(&sign_with(alg, &rsa, &client.assertion_claims()));
            let ask = Ask::of(&client);
            let object = sign_with("PS256", &rsa, &client.object_claims(&ask, json!({})));
            fields.extend(client.enclosed(&ask, &object).fields);
            fields
        };
        let by_ps256 = idp.visitor().post("/par", &probe("PS256"), &[]).await;
        assert_eq!(by_ps256.status, 201, "{profile}: {}", by_ps256.body);
        let by_rs256 = idp.visitor().post("/par", &probe("RS256"), &[]).await;
        if taken {
            assert_eq!(by_rs256.status, 201);
        } else {
            verdict::token_error(&by_rs256, 401, "invalid_client");
        }
        let ask = Ask::of(&client);
        let mut fields = assertion_fields(&sign_with("PS256", &rsa, &client.assertion_claims()));
        let object = sign_with("RS256", &rsa, &client.object_claims(&ask, json!({})));
        fields.extend(client.enclosed(&ask, &object).fields);
        let answer = idp.visitor().post("/par", &fields, &[]).await;
        if taken {
            assert_eq!(answer.status, 201)
        } else {
            verdict::token_error(&answer, 400, "invalid_request_object")
        }
    }
}

#[tokio::test]
async fn d14_assertions_of_a_fapi_client() {
    let idp = Sandbox::shared();
    let client = profiled(idp, "fapi2", json!({}));
    let post = |patch: Value| {
        let mut fields = assertion_fields(&client.assertion(patch));
        fields.extend(Ask::of(&client).fields);
        async move { idp.visitor().post("/par", &fields, &[]).await }
    };
    for right in [json!({}), json!({"exp": now() + 290}), json!({"nbf": now() + 8, "iat": now() + 8})] {
        assert_eq!(post(right.clone()).await.status, 201, "{right}");
    }
    for wrong in [
        json!({"exp": now() + 360}),
        json!({"exp": now() - 300}),
        json!({"aud": format!("{}/par", idp.issuer)}),
        json!({"aud": format!("{}/token", idp.issuer)}),
        json!({"aud": [idp.issuer]}),
        json!({"jti": null}),
        json!({"sub": null}),
    ] {
        let answer: Answer = post(wrong.clone()).await;
        assert_eq!(answer.status, 401, "{wrong}");
        verdict::token_error(&answer, 401, "invalid_client");
    }
    // Another way of authenticating is none, at any endpoint.
    let bare = encode(&pairs(&[("client_id", &client.id), ("client_secret", "guessed-secret-of-it")]));
    for path in ["/par", "/token", "/introspect", "/revoke"] {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = idp.visitor().send("POST", path, &headers, Some(bare.clone().into_bytes())).await;
        verdict::token_error(&answer, 401, "invalid_client");
    }
}

#[tokio::test]
async fn fapi2_ms_5_4_signed_answers_once_registered_whatever_is_left_out() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    let client = profiled(idp, "fapi2_message_signing", json!({"authorization_signed_response_alg": "ES256"}));
    for mode in ["query", "form_post"] {
        let ask = Ask::of(&client).with("response_mode", mode);
        verdict::token_error(&client.push(&proper(&client, &ask)).await, 400, "invalid_request");
    }
    for ask in [Ask::of(&client), Ask::of(&client).with("response_mode", "jwt")] {
        let visitor = idp.visitor();
        let page = visitor.open(&client.bring(&client.pushed(&proper(&client, &ask)).await)).await;
        let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
        assert_eq!(returned.fields.len(), 1, "{returned:?}");
        let claims = idp.verified(returned.get("response").unwrap()).await;
        assert!(claims["code"].is_string() && claims["state"] == json!(ask.state));
    }
    // Refused before anything is known of the mode: signed all the same.
    let direct = idp.visitor().get(&Ask::of(&client).target()).await.returned().unwrap();
    assert_eq!(direct.fields.len(), 1);
    assert_eq!(jwt::claims(direct.get("response").unwrap())["error"], json!("invalid_request"));
}

#[tokio::test]
async fn contract_4_registration_fills_in_and_refuses_by_profile() {
    let idp = Sandbox::shared();
    let client = profiled(idp, "fapi2", json!({}));
    let shown: Value = serde_json::from_str(&idp.admin_ok(&["client", "show", &client.id, "--json"])).unwrap();
    for (member, value) in [
        ("id_token_signed_response_alg", json!("ES256")),
        ("vn_acr_demand", json!(true)),
        ("require_pushed_authorization_requests", json!(true)),
        ("vn_assertion_audience", json!("issuer")),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    for (member, value) in [
        ("id_token_signed_response_alg", json!("RS256")),
        ("authorization_signed_response_alg", json!("RS256")),
        ("request_object_signing_alg", json!("RS256")),
        ("vn_pkce", json!("optional")),
        ("vn_assertion_audience", json!("token_endpoint")),
        ("require_pushed_authorization_requests", json!(false)),
        ("request_uris", json!(["https://rp.gov.vn/object"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        let mut metadata = client.metadata.clone();
        metadata[member] = value;
        let why = idp.refuses_client(&metadata).unwrap_or_else(|| panic!("{member} was taken"));
        assert!(why.contains(member), "{why}");
    }
}
