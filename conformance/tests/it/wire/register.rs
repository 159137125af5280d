//! `security.md` 2.13 RG-02 to RG-08, RG-13, RG-14, and `protocol.md` 1.2: clients that register themselves.

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::relying_party::{Proof, REDIRECT, RelyingParty, key_pair, merge};
use crate::support::sandbox::Sandbox;
use crate::support::server::Server;
use crate::support::verdict;
use crate::support::wire::Answer;

const SCOPE: &str = "openid profile email offline_access";

pub(super) struct Invitation {
    pub(super) id: String,
    pub(super) token: String,
}

pub(super) fn invite(idp: &Sandbox, arguments: &[&str]) -> Invitation {
    let all = [&["client", "invite", "--json", "--scope", SCOPE][..], arguments].concat();
    let invited: Value = serde_json::from_str(&idp.admin_ok(&all)).unwrap();
    let text = |name: &str| invited[name].as_str().unwrap().to_owned();
    Invitation { id: text("id"), token: text("initial_access_token") }
}

fn open(idp: &Sandbox) -> Invitation {
    invite(idp, &["--uses", "1000"])
}

async fn send(idp: &Sandbox, method: &str, target: &str, token: &str, body: Option<&Value>) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    idp.visitor().send(method, target, &headers, body.map(|body| body.to_string().into_bytes())).await
}

pub(super) fn metadata(patch: Value) -> Value {
    let mut metadata = json!({"redirect_uris": [REDIRECT], "client_name": "Portal"});
    merge(&mut metadata, patch);
    metadata
}

pub(super) async fn register(idp: &Sandbox, token: &str, patch: Value) -> Answer {
    send(idp, "POST", "/register", token, Some(&metadata(patch))).await
}

/// A registration that must succeed, as told.
pub(super) async fn registered(idp: &Sandbox, token: &str, patch: Value) -> Value {
    let answer = register(idp, token, patch).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.header("cache-control").unwrap().contains("no-store"));
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    answer.json()
}

pub(super) fn text<'a>(told: &'a Value, name: &str) -> &'a str {
    told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}"))
}

/// The path of `registration_client_uri` and the token that opens it.
fn manager(told: &Value) -> (String, String) {
    let uri = url::Url::parse(text(told, "registration_client_uri")).unwrap();
    (uri.path().to_owned(), text(told, "registration_access_token").to_owned())
}

fn party(idp: &Sandbox, told: &Value) -> RelyingParty {
    RelyingParty {
        id: text(told, "client_id").to_owned(),
        redirect: REDIRECT.to_owned(),
        proof: told["client_secret"].as_str().map_or(Proof::None, |secret| Proof::Basic(secret.to_owned())),
        metadata: told.clone(),
        issuer: idp.issuer.clone(),
    }
}

pub(super) fn stranger(answer: &Answer) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("invalid_token")), "{}", answer.body);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    assert!(answer.header("cache-control").unwrap().contains("no-store"));
}

#[tokio::test]
async fn control_a_client_registers_signs_a_citizen_in_and_ends_itself() {
    let idp = Sandbox::shared();
    let told = registered(
        idp,
        &open(idp).token,
        json!({
            "client_name#vi": "Cổng", "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "contacts": ["a@rp.gov.vn"], "initiate_login_uri": "https://rp.gov.vn/go", "default_max_age": 3600,
            "require_auth_time": true, "software_id": "s", "tos_uri": "https://rp.gov.vn/t", "unknown": {"x": [1]},
        }),
    )
    .await;
    for (name, value) in [
        ("redirect_uris", json!([REDIRECT])),
        ("client_name", json!("Cổng")),
        ("client_name#en", json!("Portal")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("subject_type", json!("pairwise")),
        ("scope", json!(SCOPE)),
        ("client_secret_expires_at", json!(0)),
        ("initiate_login_uri", json!("https://rp.gov.vn/go")),
        ("contacts", json!(["a@rp.gov.vn"])),
        ("default_max_age", json!(3600)),
        ("require_auth_time", json!(true)),
        ("software_id", json!("s")),
        ("tos_uri", json!("https://rp.gov.vn/t")),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    assert_eq!(told.get("unknown"), None);
    assert_eq!(text(&told, "client_secret").len(), 43);
    assert!(told["client_id_issued_at"].as_i64().unwrap() > 0);
    let client = party(idp, &told);
    assert_eq!(text(&told, "registration_client_uri"), format!("{}/register/{}", idp.issuer, client.id));
    let holder = idp.citizen();
    let tokens = idp.offline_tokens(&client, &holder).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);

    let (path, token) = manager(&told);
    let shown = send(idp, "GET", &path, &token, None).await;
    assert_eq!(shown.status, 200);
    let mut expected = told.clone();
    for secret in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(secret);
    }
    assert_eq!(shown.json(), expected, "all but the secret, which nobody can show again");
    let ended = send(idp, "DELETE", &path, &token, None).await;
    assert_eq!((ended.status, ended.body.as_str()), (204, ""));
    assert_eq!(client.userinfo(tokens.access()).await.status, 401, "its tokens end with it");
    verdict::token_error(&client.refresh(tokens.refresh()).await, 401, "invalid_client");
    stranger(&send(idp, "GET", &path, &token, None).await);
}

#[tokio::test]
async fn rg_02_rg_04_rg_13_rg_14_what_is_refused() {
    let idp = Sandbox::shared();
    let invitation = open(idp);
    let (key, mut set) = key_pair();
    set["keys"][0]["kid"] = json!("a");
    let private = json!({"keys": [serde_json::to_value(&key).unwrap()]});
    let one = &set["keys"][0];
    let beside = json!({"kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43), "use": "enc"});
    let keyed = |set: Value| json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": set});
    registered(idp, &invitation.token, keyed(set.clone())).await;
    let mut both = keyed(set.clone());
    both["jwks_uri"] = json!("https://rp.gov.vn/jwks");
    let uris = |uri: &str| json!({"redirect_uris": [REDIRECT, uri]});
    let mut rows = vec![
        ("invalid_client_metadata", both),
        ("invalid_client_metadata", keyed(private)),
        ("invalid_client_metadata", keyed(json!({"keys": [one, one]}))),
        ("invalid_client_metadata", keyed(json!({"keys": vec![one; 1000]}))),
        ("invalid_client_metadata", keyed(json!({"keys": []}))),
        // A point beside its curve: nothing could be encrypted to it.
        ("invalid_client_metadata", json!({"jwks": {"keys": [beside]}, "id_token_encrypted_response_alg": "ECDH-ES"})),
        ("invalid_client_metadata", json!({"response_types": ["id_token"]})),
        ("invalid_client_metadata", json!({"response_types": ["code id_token"]})),
        ("invalid_client_metadata", json!({"grant_types": ["implicit"]})),
        ("invalid_client_metadata", json!({"grant_types": ["client_credentials"]})),
        ("invalid_client_metadata", json!({"scope": "vn_identity"})),
        ("invalid_client_metadata", json!({"token_endpoint_auth_method": "client_secret_jwt"})),
        ("invalid_client_metadata", json!({"initiate_login_uri": "http://rp.gov.vn/go"})),
        ("invalid_client_metadata", json!({"logo_uri": "javascript:alert(1)"})),
        ("invalid_client_metadata", json!({"client_name": "a\r\nSet-Cookie: x=y"})),
        ("invalid_client_metadata", json!({"client_name": "n".repeat(10 * 1024)})),
        ("invalid_client_metadata", json!({"client_name": "VNeID\u{202e}nv.vog"})),
        ("invalid_redirect_uri", json!({"redirect_uris": []})),
    ];
    for uri in [
        "http://rp.gov.vn/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "intent://x",
        "https://*.gov.vn/cb",
        "https://rp.gov.vn/cb#f",
    ] {
        rows.push(("invalid_redirect_uri", uris(uri)));
    }
    for (error, wrong) in rows {
        let answer = register(idp, &invitation.token, wrong.clone()).await;
        assert!(answer.status == 400 || answer.status == 413, "{wrong}: {}", answer.body);
        if answer.status == 400 {
            verdict::token_error(&answer, 400, error);
        }
    }
    for (status, kind, body) in [
        (415, "application/x-www-form-urlencoded", "redirect_uris=x"),
        (400, "application/json", "["),
        (400, "application/json", "[]"),
        (400, "application/json", r#"{"client_name":"a","client_name":"b"}"#),
    ] {
        let bearer = format!("Bearer {}", invitation.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = idp.visitor().send("POST", "/register", &headers, Some(body.as_bytes().to_vec())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn rg_05_nothing_beyond_the_invitation_is_stored() {
    let idp = Sandbox::shared();
    let invitation = invite(idp, &["--min-auth-level", "2", "--relying-party", "Bộ Thử Nghiệm", "--pkce", "optional"]);
    let told = registered(
        idp,
        &invitation.token,
        json!({
            "client_id": "console", "client_secret": "a-secret-of-my-own-choice", "subject_type": "public",
            "scope": "openid email vn_identity reports.read", "vn_min_auth_level": 1, "vn_legal_basis": "law",
            "vn_sector": "dichvucong.gov.vn", "vn_relying_party": "Bộ Công an", "vn_skip_consent": true,
            "vn_services": [{"code": "1.1", "title": {"vi": "a", "en": "b"}}], "service_account": true,
        }),
    )
    .await;
    let id = text(&told, "client_id");
    assert_ne!(id, "console");
    assert_ne!(told["client_secret"], json!("a-secret-of-my-own-choice"));
    let stored: Value = serde_json::from_str(&idp.admin_ok(&["client", "show", id])).unwrap();
    for (name, value) in [
        ("subject_type", json!("pairwise")),
        ("scope", json!(["openid", "email"])),
        ("vn_min_auth_level", json!(2)),
        ("vn_legal_basis", json!("consent")),
        ("vn_sector", json!("rp.gov.vn")),
        ("vn_pkce", json!("optional")),
        ("vn_services", json!([])),
        ("vn_relying_party", json!({"vi": "Bộ Thử Nghiệm", "en": "Bộ Thử Nghiệm"})),
    ] {
        assert_eq!(stored[name], value, "{name}");
    }
    assert!(!stored.to_string().contains("skip_consent") && !stored.to_string().contains("service_account"));
}

#[tokio::test]
async fn rg_07_a_registration_is_managed_by_its_own_token_only() {
    let idp = Sandbox::shared();
    let invitation = open(idp);
    let (mine, other) =
        (registered(idp, &invitation.token, json!({})).await, registered(idp, &invitation.token, json!({})).await);
    let ((path, token), (_, others)) = (manager(&mine), manager(&other));
    let id = text(&mine, "client_id");
    let wish = metadata(json!({"client_id": id, "client_name": "Renamed"}));
    for wrong in [others.as_str(), invitation.token.as_str(), text(&mine, "client_secret"), "x", ""] {
        for method in ["GET", "PUT", "DELETE"] {
            stranger(&send(idp, method, &path, wrong, (method == "PUT").then_some(&wish)).await);
        }
    }
    stranger(&send(idp, "GET", "/register/unknown", &token, None).await);
    let replaced = send(idp, "PUT", &path, &token, Some(&wish)).await;
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    let replaced = replaced.json();
    assert_eq!(
        (text(&replaced, "client_name"), text(&replaced, "registration_access_token")),
        ("Renamed", token.as_str())
    );
    assert_eq!(replaced.get("client_secret"), None, "the secret stays");
    for (error, patch) in [
        ("invalid_client_metadata", json!({"client_id": "another"})),
        ("invalid_client_metadata", json!({"client_id": null})),
        ("invalid_client_metadata", json!({"client_secret": "another-secret-of-mine"})),
        ("invalid_client_metadata", json!({"registration_access_token": token})),
        ("invalid_client_metadata", json!({"scope": "vn_identity"})),
        ("invalid_redirect_uri", json!({"redirect_uris": ["http://rp.gov.vn/cb"]})),
        // A sector that stays while the addresses move would tell this client another host's citizens.
        ("invalid_redirect_uri", json!({"redirect_uris": ["https://evil.vn/cb"]})),
    ] {
        let mut wish = wish.clone();
        merge(&mut wish, patch.clone());
        verdict::token_error(&send(idp, "PUT", &path, &token, Some(&wish)).await, 400, error);
    }
    assert_eq!(send(idp, "GET", &path, &token, None).await.json()["client_name"], json!("Renamed"));
    // With its own secret the request is right, and another method needs none.
    let keyed = metadata(json!({
        "client_id": id, "client_secret": mine["client_secret"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key_pair().1,
    }));
    assert_eq!(send(idp, "PUT", &path, &token, Some(&keyed)).await.status, 200);
    let back = send(idp, "PUT", &path, &token, Some(&wish)).await.json();
    assert!(back["client_secret"].is_string() && back["client_secret"] != mine["client_secret"]);

    idp.admin_ok(&["client", "suspend", id]);
    assert_eq!(send(idp, "GET", &path, &token, None).await.status, 403);
    assert_eq!(send(idp, "PUT", &path, &token, Some(&wish)).await.status, 403);
    idp.admin_ok(&["client", "resume", id]);
    assert_eq!(send(idp, "GET", &path, &token, None).await.status, 200);
    // What the operator put is the operator's.
    idp.put_client(&json!({"client_id": id, "redirect_uris": [REDIRECT]}));
    stranger(&send(idp, "PUT", &path, &token, Some(&wish)).await);
}

#[tokio::test]
async fn rg_08_a_sector_identifier_lists_every_redirect_uri() {
    let idp = Sandbox::shared();
    let (invitation, server) = (open(idp), Server::open());
    let uris = json!(["https://a.vn/cb", "https://b.vn/cb"]);
    let at = |document: &str| server.serve("/sector.json", "application/json", document);
    let wish = |uri: &str| json!({"redirect_uris": uris, "sector_identifier_uri": uri, "subject_type": "pairwise"});
    let told = registered(idp, &invitation.token, wish(&at(&uris.to_string()))).await;
    assert_eq!(format!("http://{}", text(&told, "vn_sector")), server.origin);
    let (path, token) = manager(&told);
    let mut more = wish(&at(&uris.to_string()));
    more["client_id"] = told["client_id"].clone();
    more["redirect_uris"] = json!(["https://a.vn/cb", "https://evil.vn/cb"]);
    verdict::token_error(&send(idp, "PUT", &path, &token, Some(&more)).await, 400, "invalid_client_metadata");
    let long = format!("[{}]", "\"https://a.vn/cb\",".repeat(5000));
    for document in [r#"["https://a.vn/cb"]"#, "{}", "[", "", &long] {
        let answer = register(idp, &invitation.token, wish(&at(document))).await;
        verdict::token_error(&answer, 400, "invalid_client_metadata");
    }
    server.remove("/sector.json");
    for uri in [format!("{}/sector.json", server.origin), "https://10.0.0.1/s".to_owned(), "http://a.vn/s".to_owned()] {
        let answer = register(idp, &invitation.token, wish(&uri)).await;
        verdict::token_error(&answer, 400, "invalid_client_metadata");
    }
    // The operator's file is held to the same list.
    let mut file = wish(&at(r#"["https://a.vn/cb"]"#));
    file["client_id"] = json!("sector-of-one");
    assert!(idp.refuses_client(&file).is_some_and(|why| why.contains("sector_identifier_uri does not list")));
    at(&uris.to_string());
    idp.put_client(&file);
}

#[tokio::test]
async fn the_first_page_shows_name_logo_policy_and_terms() {
    let idp = Sandbox::shared();
    let server = Server::open();
    let told = registered(
        idp,
        &open(idp).token,
        json!({
            "client_name": "A & <b>B</b>", "logo_uri": server.serve("/logo.png", "image/png", &b"\x89PNG"[..]),
            "policy_uri": "https://rp.gov.vn/policy", "tos_uri": "https://rp.gov.vn/terms",
        }),
    )
    .await;
    let client = party(idp, &told);
    let first = idp.visitor().open(&Ask::of(&client).target()).await;
    assert_eq!(first.page().name(), "sign-in");
    assert!(!first.body.contains("<b>B</b>"), "escaped");
    for shown in ["https://rp.gov.vn/policy", "https://rp.gov.vn/terms", &format!("/logo/{}", client.id)] {
        assert!(first.body.contains(shown), "{shown}");
    }
    let logo = idp.visitor().get(&format!("/logo/{}", client.id)).await;
    assert_eq!((logo.status, logo.header("content-type")), (200, Some("image/png")));
}
