//! Metadata is true: what is listed works, what works is listed (`contract.md` 4 and 8).

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;

async fn discovery(idp: &Sandbox) -> Value {
    let answer = idp.visitor().get("/.well-known/openid-configuration").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    assert!(answer.header("cache-control").unwrap().contains("max-age=900"));
    answer.json()
}

fn list(metadata: &Value, name: &str) -> Vec<String> {
    let values = metadata[name].as_array().unwrap_or_else(|| panic!("{name} is no array: {metadata}"));
    let mut values: Vec<String> = values.iter().map(|value| value.as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

#[tokio::test]
async fn what_is_stated_is_exact() {
    let idp = Sandbox::shared();
    let metadata = discovery(idp).await;
    assert_eq!(metadata["issuer"], json!(idp.issuer));
    for (name, values) in [
        ("response_types_supported", &["code"][..]),
        ("response_modes_supported", &["form_post", "form_post.jwt", "jwt", "query", "query.jwt"]),
        ("grant_types_supported", &["authorization_code", "client_credentials", "refresh_token"]),
        (
            "token_endpoint_auth_methods_supported",
            &["client_secret_basic", "client_secret_post", "none", "private_key_jwt"],
        ),
        ("dpop_signing_alg_values_supported", &["ES256", "EdDSA", "PS256"]),
        ("subject_types_supported", &["pairwise"]),
        ("id_token_signing_alg_values_supported", &["ES256", "EdDSA", "PS256", "RS256"]),
        ("authorization_signing_alg_values_supported", &["ES256", "EdDSA", "PS256", "RS256"]),
        ("request_object_signing_alg_values_supported", &["ES256", "EdDSA", "PS256", "RS256"]),
        ("code_challenge_methods_supported", &["S256"]),
        ("ui_locales_supported", &["en", "vi"]),
        ("claim_types_supported", &["normal"]),
    ] {
        let stated = list(&metadata, name);
        let stated: Vec<&str> = stated.iter().map(String::as_str).filter(|value| *value != "public").collect();
        assert_eq!(stated, values, "{name}");
    }
    // In this order, and only what the running configuration reaches.
    assert_eq!(
        metadata["acr_values_supported"],
        json!([
            "urn:vn:eid:muc:1",
            "urn:vn:eid:muc:2",
            "urn:vn:eid:muc:2:xac-thuc:3",
            "urn:vn:eid:muc:2:xac-thuc:4",
            "urn:vn:eid:xac-thuc:1",
            "urn:vn:eid:xac-thuc:2",
            "urn:vn:eid:xac-thuc:3",
            "urn:vn:eid:xac-thuc:4"
        ])
    );
    for (name, value) in [
        ("claims_parameter_supported", true),
        ("request_parameter_supported", true),
        ("request_uri_parameter_supported", true),
        ("require_request_uri_registration", true),
        ("require_pushed_authorization_requests", false),
        ("authorization_response_iss_parameter_supported", true),
        ("backchannel_logout_supported", true),
        ("backchannel_logout_session_supported", true),
        ("frontchannel_logout_supported", true),
        ("frontchannel_logout_session_supported", true),
    ] {
        assert_eq!(metadata[name], json!(value), "{name}");
    }
    for absent in ["device_authorization_endpoint", "backchannel_authentication_endpoint", "mtls_endpoint_aliases"] {
        assert!(matches!(metadata.get(absent), None | Some(Value::Bool(false))), "{absent} is not there yet");
    }
    let scopes = list(&metadata, "scopes_supported");
    for scope in ["openid", "offline_access", "profile", "email", "phone", "address", "vn_identity", "vn_eid_status"] {
        assert!(scopes.iter().any(|known| known == scope), "{scope}");
    }
    let claims = list(&metadata, "claims_supported");
    for claim in ["sub", "name", "birthdate", "vn_personal_id", "vn_account_level", "vn_auth_level", "acr", "auth_time"]
    {
        assert!(claims.iter().any(|known| known == claim), "{claim}");
    }
}

#[tokio::test]
async fn rfc8414_the_other_document_says_the_same() {
    let idp = Sandbox::shared();
    let other = idp.visitor().get("/.well-known/oauth-authorization-server").await.json();
    let metadata = discovery(idp).await;
    for (name, value) in other.as_object().unwrap() {
        assert_eq!(metadata.get(name), Some(value), "{name}");
    }
    assert_eq!(other["issuer"], metadata["issuer"]);
}

#[tokio::test]
async fn every_endpoint_named_answers_and_paths_are_the_contracts() {
    let idp = Sandbox::shared();
    let metadata = discovery(idp).await;
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("pushed_authorization_request_endpoint", "/par"),
        ("token_endpoint", "/token"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks"),
        ("introspection_endpoint", "/introspect"),
        ("revocation_endpoint", "/revoke"),
        ("end_session_endpoint", "/end-session"),
        ("check_session_iframe", "/check-session"),
        ("registration_endpoint", "/register"),
        ("vn_trace_endpoint", "/trace"),
    ] {
        assert_eq!(metadata[name], json!(format!("{}{path}", idp.issuer)), "{name}");
        assert_ne!(idp.visitor().get(path).await.status, 404, "{path}");
    }
    for later in ["/bc-authorize"] {
        assert_eq!(idp.visitor().get(later).await.status, 404, "{later} comes later");
    }
}

#[tokio::test]
async fn jo_17_a_forged_host_changes_nothing() {
    let idp = Sandbox::shared();
    let headers =
        [("x-forwarded-host", "evil.vn"), ("x-forwarded-proto", "https"), ("forwarded", "host=evil.vn;proto=https")];
    let answer = idp.visitor().send("GET", "/.well-known/openid-configuration", &headers, None).await;
    assert_eq!(answer.json(), discovery(idp).await);
    let forged = idp.visitor().attempt("GET", "/.well-known/openid-configuration", &[("host", "evil.vn")], None).await;
    if let Ok(answer) = forged {
        assert!(answer.status >= 400 || answer.json()["issuer"] == json!(idp.issuer));
        assert!(!answer.body.contains("evil.vn"));
    }
}

#[tokio::test]
async fn jo_13_the_key_set_holds_public_members_only() {
    let idp = Sandbox::shared();
    let answer = idp.visitor().get("/jwks").await;
    assert!(answer.header("cache-control").unwrap().contains("max-age=900"));
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let mut kids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    kids.sort_unstable();
    kids.dedup();
    assert_eq!(kids.len(), keys.len(), "every kid once");
    for alg in ["ES256", "RS256", "PS256", "EdDSA"] {
        assert!(keys.iter().any(|key| key["alg"] == json!(alg)), "{alg}");
    }
    for key in &keys {
        assert_eq!(key["use"], json!("sig"));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None);
        }
        let thumbprint = match key["kty"].as_str().unwrap() {
            "EC" => json!({"crv": key["crv"], "kty": "EC", "x": key["x"], "y": key["y"]}),
            "RSA" => json!({"e": key["e"], "kty": "RSA", "n": key["n"]}),
            _ => json!({"crv": key["crv"], "kty": "OKP", "x": key["x"]}),
        };
        // RFC 7638: members in lexicographic order, no whitespace.
        assert_eq!(key["kid"], json!(crate::support::sha256_base64url(&thumbprint.to_string())));
    }
    let moduli: Vec<&Value> = keys.iter().filter_map(|key| key.get("n")).collect();
    assert!(moduli.windows(2).all(|pair| pair[0] != pair[1]), "RS256 and PS256 have keys of their own");
}

#[tokio::test]
async fn a_rotated_key_is_published_soon_and_the_old_one_stays() {
    let idp = Sandbox::fresh();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let before = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
    let known = idp.jwks().await["keys"].as_array().unwrap().len();
    // Keys of one second have no order of age.
    while crate::support::now() <= crate::support::jwt::claims(before.id_token())["iat"].as_i64().unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let program = crate::support::sandbox::program("idp");
    let run = |arguments: &[&str]| {
        let config = idp.data().join("idp.toml");
        let mut command = std::process::Command::new(&program);
        command.arg("--config").arg(config).args(arguments).current_dir(idp.data()).output().unwrap()
    };
    let rotated = run(&["keys", "rotate", "--now"]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let rotated = std::time::Instant::now();
    while idp.jwks().await["keys"].as_array().unwrap().len() <= known {
        assert!(rotated.elapsed() < std::time::Duration::from_secs(30), "the new keys are not published");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let after = idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
    let kid = |token: &str| crate::support::jwt::read(token).0["kid"].clone();
    assert_ne!(kid(before.id_token()), kid(after.id_token()));
    idp.verified(after.id_token()).await;
    idp.verified(before.id_token()).await;
    // The old token is still a hint.
    let ask = Ask::of(&client).with("id_token_hint", before.id_token());
    let answer = idp.visitor().get(&ask.target()).await;
    assert!(answer.returned().is_none_or(|returned| returned.get("error").is_none()));
    assert!(run(&["keys", "list"]).status.success());
    assert!(run(&["check-config"]).status.success());
}

#[tokio::test]
async fn what_is_not_listed_does_not_work() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let metadata = discovery(idp).await;
    for mode in ["fragment", "fragment.jwt", "web_message"] {
        assert!(!list(&metadata, "response_modes_supported").contains(&mode.to_owned()));
        let ask = Ask::of(&client).with("response_mode", mode);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
    // Every algorithm listed can be registered, no other.
    for alg in ["none", "HS256", "ES384", "RS512"] {
        let mut other = client.metadata.clone();
        other["client_id"] = json!("unlisted-alg");
        other["id_token_signed_response_alg"] = json!(alg);
        assert!(idp.refuses_client(&other).is_some(), "{alg}");
    }
}
