//! A provider that can lie, to see what a portal believes.

use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use josekit::jwk::Jwk;
use josekit::jws::{ES256, HS256, JwsHeader, JwsSigner};
use josekit::jwt::{self, JwtPayload};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use admin::web::relying_party::LARGEST_BODY;

const SECRET: &str = "0123456789012345678901234567890123456789012";

/// What the stub says, and where it lies.
#[derive(Clone)]
struct Script {
    claims: Map<String, Value>,
    signed: Signed,
    userinfo: Value,
    redirects: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Signed {
    Rightly,
    ByAnother,
    WithTheSecret,
    NotAtAll,
}

struct Stub {
    issuer: String,
    key: Mutex<Jwk>,
    challenge: Mutex<String>,
    script: Mutex<Script>,
}

async fn metadata(stub: web::Data<Stub>) -> HttpResponse {
    let issuer = &stub.issuer;
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end-session"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
    }))
}

async fn jwks(stub: web::Data<Stub>) -> HttpResponse {
    let public = stub.key.lock().unwrap().to_public_key().unwrap();
    let mut public = serde_json::to_value(public.as_ref()).unwrap();
    public["kid"] = json!(stub.key.lock().unwrap().key_id());
    public["alg"] = json!("ES256");
    public["use"] = json!("sig");
    HttpResponse::Ok().json(json!({"keys": [public]}))
}

async fn token(stub: web::Data<Stub>, request: HttpRequest, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let script = stub.script.lock().unwrap().clone();
    if script.redirects {
        return HttpResponse::Found().insert_header(("Location", format!("{}/elsewhere", stub.issuer))).finish();
    }
    assert!(request.headers().get("Authorization").unwrap().to_str().unwrap().starts_with("Basic "));
    let sent =
        |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    assert_eq!((sent("grant_type").as_str(), sent("code").as_str()), ("authorization_code", "a-code"));
    // RFC 7636 §4.6.
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(sent("code_verifier"))), *stub.challenge.lock().unwrap());
    HttpResponse::Ok().json(json!({
        "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 600,
        "id_token": sign(&script, &stub.key.lock().unwrap()),
    }))
}

async fn userinfo(stub: web::Data<Stub>, request: HttpRequest) -> HttpResponse {
    assert_eq!(request.headers().get("Authorization").unwrap(), "Bearer an-access-token");
    HttpResponse::Ok().json(&stub.script.lock().unwrap().userinfo)
}

async fn elsewhere() -> HttpResponse {
    panic!("a redirect was followed")
}

fn fresh_key(kid: &str) -> Jwk {
    let mut key = Jwk::generate_ec_key(josekit::jwk::alg::ec::EcCurve::P256).unwrap();
    key.set_key_id(kid);
    key
}

fn sign(script: &Script, key: &Jwk) -> String {
    let mut payload = JwtPayload::new();
    for (name, value) in &script.claims {
        payload.set_claim(name, Some(value.clone())).unwrap();
    }
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    let with = |signer: &dyn JwsSigner| jwt::encode_with_signer(&payload, &header, signer).unwrap();
    match script.signed {
        Signed::Rightly => with(&ES256.signer_from_jwk(key).unwrap()),
        Signed::ByAnother => with(&ES256.signer_from_jwk(&fresh_key("one")).unwrap()),
        Signed::WithTheSecret => with(&HS256.signer_from_bytes(SECRET).unwrap()),
        Signed::NotAtAll => {
            let payload = Value::Object(script.claims.clone()).to_string();
            format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"), URL_SAFE_NO_PAD.encode(payload))
        }
    }
}

struct Scene {
    stub: Arc<Stub>,
    party: RelyingParty,
    server: ServerHandle,
}

fn scene() -> Scene {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let script = Script { claims: Map::new(), signed: Signed::Rightly, userinfo: json!({}), redirects: false };
    let stub = Arc::new(Stub {
        issuer: issuer.clone(),
        key: Mutex::new(fresh_key("one")),
        challenge: Mutex::default(),
        script: Mutex::new(script),
    });
    let data = web::Data::from(Arc::clone(&stub));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route("/.well-known/openid-configuration", web::get().to(metadata))
            .route("/jwks", web::get().to(jwks))
            .route("/token", web::post().to(token))
            .route("/userinfo", web::get().to(userinfo))
            .route("/elsewhere", web::to(elsewhere))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    let handle = server.handle();
    rt::spawn(server);
    let registration = Registration {
        issuer,
        client_id: "portal".to_owned(),
        client_secret: SECRET.to_owned(),
        redirect_uri: "http://localhost:1/callback".to_owned(),
        signing: CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    };
    Scene { stub, party: RelyingParty::new(registration).unwrap(), server: handle }
}

/// One sign-in in which the provider departs from the truth by `lie`.
async fn sign_in(scene: &Scene, lie: impl FnOnce(&mut Script)) -> Result<SignedIn, Failure> {
    let ask =
        Ask { scopes: vec!["openid".to_owned(), "profile".to_owned()], language: "vi".to_owned(), ..Ask::default() };
    let begun = scene.party.begin(&ask).await.unwrap();
    let url = Url::parse(&begun.url).unwrap();
    let asked =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap();
    assert_eq!((asked("code_challenge_method").as_str(), asked("response_type").as_str()), ("S256", "code"));
    assert_eq!((asked("scope").as_str(), asked("ui_locales").as_str()), ("openid profile", "vi"));
    *scene.stub.challenge.lock().unwrap() = asked("code_challenge");

    let now = chrono::Utc::now().timestamp();
    let half = Sha256::digest("an-access-token")[..16].to_vec();
    let mut script = Script {
        claims: serde_json::from_value(json!({
            "iss": scene.stub.issuer, "aud": "portal", "sub": "someone", "iat": now, "exp": now + 600,
            "nonce": asked("nonce"), "at_hash": URL_SAFE_NO_PAD.encode(half), "vn_account_level": 2,
        }))
        .unwrap(),
        signed: Signed::Rightly,
        userinfo: json!({"sub": "someone", "name": "Nguyễn Văn An", "address": {"vn_code": "00166"}}),
        redirects: false,
    };
    lie(&mut script);
    *scene.stub.script.lock().unwrap() = script;
    let answer = Answer { code: Some("a-code".to_owned()), iss: Some(scene.stub.issuer.clone()), ..Answer::default() };
    scene.party.finish(begun, &answer).await
}

#[actix_web::test]
async fn an_honest_provider_is_believed_and_quoted_whole() {
    let scene = scene();
    let signed_in = sign_in(&scene, |_| ()).await.unwrap();
    assert_eq!(signed_in.id_claims["vn_account_level"], 2);
    assert_eq!(signed_in.userinfo["address"]["vn_code"], "00166", "members unknown to the crate are kept");
    let url = scene.party.end_session(&signed_in.id_token, "http://localhost:1/signed-out").await.unwrap().unwrap();
    assert!(url.query().unwrap().starts_with("id_token_hint=ey") && url.path() == "/end-session");
    scene.server.stop(false).await;
}

#[actix_web::test]
async fn oidc_core_3_1_3_7_an_id_token_with_one_thing_wrong_is_not_believed() {
    let scene = scene();
    let set = |name: &'static str, value: Value| {
        move |script: &mut Script| {
            script.claims.insert(name.to_owned(), value);
        }
    };
    let past = json!(chrono::Utc::now().timestamp() - 3600);
    for (name, value) in [
        ("iss", json!("http://127.0.0.1:1")),
        ("aud", json!("another-portal")),
        ("aud", json!(["portal", "another-portal"])),
        ("exp", past),
        ("nonce", json!("another-nonce")),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        let shown = format!("{name} {value}");
        assert_eq!(sign_in(&scene, set(name, value)).await.err(), Some(Failure::Untrusted("id_token")), "{shown}");
    }
    let nonceless = sign_in(&scene, |script| drop(script.claims.remove("nonce"))).await;
    assert_eq!(nonceless.err(), Some(Failure::Untrusted("id_token")));
    for signed in [Signed::ByAnother, Signed::WithTheSecret, Signed::NotAtAll] {
        assert!(sign_in(&scene, |script| script.signed = signed).await.is_err());
    }
    scene.server.stop(false).await;
}

#[actix_web::test]
async fn oidc_core_5_3_2_userinfo_about_somebody_else_is_not_believed() {
    let scene = scene();
    for userinfo in [json!({"sub": "another", "name": "x"}), json!({"name": "x"}), json!([])] {
        assert!(sign_in(&scene, |script| script.userinfo = userinfo).await.is_err());
    }
    let huge = json!({"sub": "someone", "name": "x".repeat(LARGEST_BODY)});
    assert!(sign_in(&scene, |script| script.userinfo = huge).await.is_err());
    scene.server.stop(false).await;
}

#[actix_web::test]
async fn a_key_rotated_since_discovery_is_found_and_a_redirect_is_not_followed() {
    let scene = scene();
    sign_in(&scene, |_| ()).await.unwrap();
    *scene.stub.key.lock().unwrap() = fresh_key("two");
    sign_in(&scene, |_| ()).await.unwrap();
    assert!(matches!(sign_in(&scene, |script| script.redirects = true).await, Err(Failure::Provider(_))));
    scene.server.stop(false).await;
}

#[actix_web::test]
async fn rfc9207_2_4_an_answer_without_our_issuer_is_not_read() {
    let scene = scene();
    for iss in [None, Some("http://evil.example".to_owned()), Some(format!("{}/", scene.stub.issuer))] {
        let begun = scene.party.begin(&Ask { language: "en".to_owned(), ..Ask::default() }).await.unwrap();
        let answer = Answer { error: Some("access_denied".to_owned()), iss, ..Answer::default() };
        assert_eq!(scene.party.finish(begun, &answer).await.err(), Some(Failure::Untrusted("iss")));
    }
    scene.server.stop(false).await;
}

fn logout_token(typ: &str, claims: &Value, key: &Jwk) -> String {
    let mut header = JwsHeader::new();
    header.set_token_type(typ);
    let mut payload = JwtPayload::new();
    for (name, value) in claims.as_object().unwrap() {
        payload.set_claim(name, Some(value.clone())).unwrap();
    }
    jwt::encode_with_signer(&payload, &header, &ES256.signer_from_jwk(key).unwrap()).unwrap()
}

#[actix_web::test]
async fn back_channel_logout_2_6_a_logout_token_with_one_thing_wrong_ends_nothing() {
    use idp::domain::Moment;
    use logout_token::Ended;

    let scene = scene();
    let now = 1_800_000_000;
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let claims = |jti: &str, patch: Value| {
        let mut claims = json!({
            "iss": scene.stub.issuer, "aud": "portal", "iat": now, "exp": now + 120, "jti": jti,
            "events": {event: {}}, "sub": "someone", "sid": "one",
        });
        for (name, value) in patch.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    };
    let key = scene.stub.key.lock().unwrap().clone();
    let hear = async |token: &str| scene.party.ended(token, Moment::from_unix(now)).await;
    let good = logout_token("logout+jwt", &claims("a", json!({})), &key);
    let ended = Ended { sub: Some("someone".to_owned()), sid: Some("one".to_owned()) };
    assert_eq!(hear(&good).await, Ok(ended));
    assert!(hear(&good).await.is_err(), "once");
    let by_sub = logout_token("logout+jwt", &claims("b", json!({"sid": null})), &key);
    assert_eq!(hear(&by_sub).await, Ok(Ended { sub: Some("someone".to_owned()), sid: None }));
    let wrong = [
        json!({"iss": "http://127.0.0.1:1"}),
        json!({"aud": "another-portal"}),
        json!({"exp": now - 61}),
        json!({"exp": null}),
        json!({"iat": now + 61}),
        json!({"nonce": "n"}),
        json!({"events": {"other": {}}}),
        json!({"events": {event: true}}),
        json!({"events": null}),
        json!({"sub": null, "sid": null}),
        json!({"jti": null}),
    ];
    for (number, patch) in wrong.into_iter().enumerate() {
        let shown = patch.to_string();
        let token = logout_token("logout+jwt", &claims(&format!("w{number}"), patch), &key);
        assert_eq!(hear(&token).await, Err(Failure::Untrusted("logout_token")), "{shown}");
    }
    let fresh = claims("c", json!({}));
    assert!(hear(&logout_token("JWT", &fresh, &key)).await.is_err());
    assert!(hear(&logout_token("logout+jwt", &fresh, &fresh_key("one"))).await.is_err());
    for junk in ["", "a.b.c", "a.b"] {
        assert!(hear(junk).await.is_err());
    }
    // Control: nothing of it was spent, and a key rotated since is found.
    *scene.stub.key.lock().unwrap() = fresh_key("two");
    let rotated = scene.stub.key.lock().unwrap().clone();
    assert!(hear(&logout_token("logout+jwt", &fresh, &rotated)).await.is_ok());
    scene.server.stop(false).await;
}

#[test]
fn a_logout_token_means_the_session_it_names_or_all_of_somebody() {
    use logout_token::Ended;
    let known: Map<String, Value> = serde_json::from_value(json!({"sub": "s", "sid": "1"})).unwrap();
    for (sub, sid, means) in [
        (Some("s"), Some("1"), true),
        (Some("s"), None, true),
        (None, Some("1"), true),
        (Some("s"), Some("2"), false),
        (Some("t"), Some("1"), false),
        (Some("t"), None, false),
        (None, None, false),
    ] {
        let ended = Ended { sub: sub.map(str::to_owned), sid: sid.map(str::to_owned) };
        assert_eq!(ended.means(&known), means, "{ended:?}");
    }
}
