use std::str::FromStr;

use actix_web::http::header::{HeaderMap, LOCATION, SET_COOKIE};
use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::clock::FixedClock;
use idp::domain::Moment;
use openidconnect::core::{CoreIdToken, CoreJwsSigningAlgorithm};
use serde_json::{Value, json};

use super::super::site::{MINISTRY_SITE, NATIONAL_SITE};
use super::*;
use crate::rp::Registration;

/// A portal whose provider is away: port 9 discards.
fn portal(site: &'static Site) -> web::Data<Portal> {
    let registration = Registration {
        issuer: "http://localhost:9".to_owned(),
        client_id: site.client.to_owned(),
        client_secret: "s".repeat(43),
        redirect_uri: "http://localhost:8082/callback".to_owned(),
        signing: CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    };
    web::Data::new(Portal {
        site,
        origin: "http://localhost:8082".to_owned(),
        issuer: "http://localhost:9".to_owned(),
        relying_party: RelyingParty::new(registration).unwrap(),
        visits: Visits::default(),
        clock: Arc::new(FixedClock::at(Moment::from_unix(1_795_000_000))),
        old: Default::default(),
    })
}

fn signed_in(userinfo: Value) -> SignedIn {
    let id_claims = json!({
        "iss": "http://localhost:9", "aud": "x", "sub": "s", "exp": 2, "iat": 1,
        "acr": "urn:vn:eid:muc:2", "vn_account_level": 2, "vn_auth_level": 2
    });
    let token =
        ["{\"alg\":\"ES256\"}", &id_claims.to_string(), "sig"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    SignedIn {
        id_token: CoreIdToken::from_str(&token).unwrap(),
        id_claims: serde_json::from_value(id_claims).unwrap(),
        userinfo: serde_json::from_value(userinfo).unwrap(),
        approved: None,
    }
}

/// A browser that has signed in, by its cookie.
fn visitor(portal: &Portal, errand: &str, userinfo: Value) -> String {
    let key = portal.visits.open(portal.clock.now());
    portal.visits.with(&key, portal.clock.now(), |visit| {
        visit.signed_in = Some(signed_in(userinfo));
        visit.errand = portal.site.errand(errand);
    });
    format!("{}={key}", portal.site.cookie)
}

async fn page_of(portal: &web::Data<Portal>, uri: &str, cookie: &str) -> (u16, HeaderMap, String) {
    let app = init_service(App::new().app_data(portal.clone()).configure(routes)).await;
    let request =
        TestRequest::get().uri(uri).insert_header(("Host", "localhost:8082")).insert_header(("Cookie", cookie));
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = actix_web::test::read_body(response).await;
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_stranger_may_sign_in_and_sees_nothing_else() {
    for (site, dossier) in [(&NATIONAL_SITE, true), (&MINISTRY_SITE, false)] {
        let (status, headers, page) = page_of(&portal(site), "/", "").await;
        assert_eq!(status, 200);
        assert!(
            page.contains("id=\"sign-in\"") && !page.contains("id=\"claims\"") && !page.contains("id=\"sign-out\"")
        );
        assert_eq!(page.contains("id=\"dossier\""), dossier);
        assert!(page.contains("<html lang=\"vi\">") && page.matches("<h1").count() == 1);
        let policy = headers.get("Content-Security-Policy").unwrap().to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.contains("form-action 'self' http://localhost:9;"));
        assert!(!headers.contains_key(SET_COOKIE), "nothing is kept of who only looks");
    }
}

#[actix_web::test]
async fn what_was_received_is_shown_escaped_and_fills_the_form() {
    let portal = portal(&NATIONAL_SITE);
    let claims = json!({
        "sub": "s", "name": "<script>alert(1)</script> & \"An\"", "birthdate": "1990-05-19",
        "picture": "http://localhost:8082/portrait.svg"
    });
    let cookie = visitor(&portal, "information", claims);
    let (_, _, page) = page_of(&portal, "/", &cookie).await;
    assert!(!page.contains("<script"));
    for shown in [
        "id=\"claims\"",
        "id=\"sign-out\"",
        "id=\"dossier\"",
        "value=\"19/05/1990\" readonly",
        "Tài khoản mức độ 2 · Xác thực mức độ 2",
        "src=\"http://localhost:8082/portrait.svg\"",
        "id=\"received\"",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("id=\"sign-in\""));
    // What was not released is left for the citizen to type.
    assert!(page.contains("name=\"field-email\" value=\"\">"));

    let (_, headers, page) = page_of(&portal, "/?lang=en", &cookie).await;
    assert!(page.contains("<html lang=\"en\">") && page.contains("Date of birth"));
    let kept = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(kept.starts_with("__Host-national-portal-language=en; "));
}

#[actix_web::test]
async fn a_picture_from_elsewhere_is_not_loaded() {
    let portal = portal(&NATIONAL_SITE);
    let cookie = visitor(&portal, "information", json!({"picture": "http://localhost:8082.evil.example/x.png"}));
    let (_, _, page) = page_of(&portal, "/", &cookie).await;
    assert!(!page.contains("<img"));
}

#[actix_web::test]
async fn rfc6749_10_12_an_answer_nobody_asked_for_is_not_believed() {
    let portal = portal(&NATIONAL_SITE);
    let cookie = visitor(&portal, "information", json!({"name": "An"}));
    for uri in ["/callback?code=x&state=y&iss=http://localhost:9", "/callback", "/callback?state="] {
        let (status, headers, page) = page_of(&portal, uri, &cookie).await;
        assert_eq!(status, 400);
        assert!(page.contains("untrusted_answer") && !headers.contains_key(SET_COOKIE), "{uri}");
    }
}

#[actix_web::test]
async fn the_other_name_of_this_machine_leads_to_the_registered_one() {
    let portal = portal(&NATIONAL_SITE);
    let app = init_service(App::new().app_data(portal).configure(routes)).await;
    let request = TestRequest::get().uri("/dossier?lang=en").insert_header(("Host", "127.0.0.1:8082")).to_request();
    let response = call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers().get(LOCATION).unwrap(), "http://localhost:8082/dossier?lang=en");
}

#[actix_web::test]
async fn a_provider_that_is_away_is_told_kindly() {
    let portal = portal(&MINISTRY_SITE);
    let (status, headers, _) = page_of(&portal, "/sign-in", "").await;
    assert_eq!((status, headers.get(LOCATION).unwrap().to_str().unwrap()), (303, "/"));
    let cookie = headers.get(SET_COOKIE).unwrap().to_str().unwrap().to_owned();
    for attribute in ["__Host-social-security=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let (_, _, page) = page_of(&portal, "/", cookie.split(';').next().unwrap()).await;
    assert!(page.contains("data-error=\"provider_unavailable\"") && page.contains("id=\"sign-in\""));
}

#[actix_web::test]
async fn signing_out_takes_a_form_of_this_visit() {
    let portal = portal(&NATIONAL_SITE);
    let cookie = visitor(&portal, "information", json!({"name": "Nguyễn Văn An"}));
    let app = init_service(App::new().app_data(portal.clone()).configure(routes)).await;
    let post = |token: String| {
        TestRequest::post()
            .uri("/sign-out")
            .insert_header(("Cookie", cookie.clone()))
            .set_form([("form_token", token)])
            .to_request()
    };
    call_service(&app, post("forged".to_owned())).await;
    let (_, _, page) = page_of(&portal, "/", &cookie).await;
    assert!(page.contains("Nguyễn Văn An"));

    let key = cookie.split_once('=').unwrap().1;
    let token = portal.visits.with(key, portal.clock.now(), |visit| visit.form_token.clone()).unwrap();
    let response = call_service(&app, post(token)).await;
    assert_eq!(response.headers().get(LOCATION).unwrap(), "http://localhost:8082/signed-out");
    let (_, _, page) = page_of(&portal, "/", &cookie).await;
    assert!(!page.contains("Nguyễn Văn An") && page.contains("id=\"sign-in\""));
}

#[actix_web::test]
async fn every_answer_carries_the_guarding_headers() {
    let portal = portal(&NATIONAL_SITE);
    for uri in
        ["/", "/policy", "/terms", "/signed-out", "/callback", "/nowhere", "/style.css", "/portrait.svg", "/sign-in"]
    {
        let (_, headers, _) = page_of(&portal, uri, "").await;
        assert_eq!(headers.get("X-Content-Type-Options").unwrap(), "nosniff", "{uri}");
        assert_eq!(headers.get("X-Frame-Options").unwrap(), "DENY", "{uri}");
        assert!(headers.contains_key("Cache-Control"), "{uri}");
    }
    let app = init_service(App::new().app_data(portal.clone()).configure(routes)).await;
    let body = call_and_read_body(&app, TestRequest::get().uri("/style.css").to_request()).await;
    assert!(!body.is_empty());
}
