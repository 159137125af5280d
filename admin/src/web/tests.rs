//! The console's door, without a provider behind it: what a stranger, a forger and a stale visitor get.

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
use idp::config::Config;
use idp::domain::refused_request::Endpoint;
use idp::domain::{Id, Moment};
use idp::flow;
use idp::flow::invitation::Terms;
use idp::flow::operator::{self, Verdict};
use idp::flow::trace::Origin;
use idp::protocol::{Params, redact};

use super::page::{ClientRow, InvitationRow, Overview};
use super::provider::SignedIn;
use super::session::Visit;
use super::words::{EN, VI};
use super::*;

const LINE: &str = r#"{"person_number":"099090000001","name":"Nguyễn Văn An","account":{"level":2,"state":"activated"},
"eid":{"state":"locked","grounds":["a"]},"card":{"expires":"2020-01-01"}}"#;

async fn idp() -> (Arc<Idp>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    // Nothing listens there: the provider is away.
    let mut config = Config::new("http://localhost:1", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    (Idp::open(config).await.unwrap(), directory)
}

async fn call(idp: &Arc<Idp>, request: TestRequest) -> ServiceResponse {
    let console = web::Data::new(Console::new(Arc::clone(idp)).unwrap());
    let app = init_service(App::new().app_data(console).configure(routes)).await;
    call_service(&app, request.to_request()).await
}

fn header<'a>(answer: &'a ServiceResponse, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn set(answer: &ServiceResponse, name: &str) -> Option<Cookie<'static>> {
    let found = answer.response().cookies().find(|cookie| cookie.name() == name).map(Cookie::into_owned);
    if let Some(cookie) = &found {
        assert!(cookie.name().starts_with("__Host-"), "{cookie}");
        assert!(cookie.secure() == Some(true) && cookie.http_only() == Some(true), "{cookie}");
        assert!(cookie.path() == Some("/") && cookie.domain().is_none(), "{cookie}");
        assert!(cookie.to_string().contains("SameSite=Lax"), "{cookie}");
    }
    found
}

async fn body(answer: ServiceResponse) -> String {
    String::from_utf8(to_bytes(answer.into_body()).await.unwrap().to_vec()).unwrap()
}

fn visit(now: Moment) -> Visit {
    let signed_in = SignedIn { sub: "sub".to_owned(), sid: "sid".to_owned(), id_token: "token".to_owned() };
    Visit::new(signed_in, now)
}

#[actix_web::test]
async fn a_stranger_gets_the_way_in_in_both_languages() {
    let (idp, _directory) = idp().await;
    let answer = call(&idp, TestRequest::get().uri("/")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "x-frame-options"), "DENY");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert!(header(&answer, "content-security-policy").contains("form-action 'self' http://localhost:1;"));
    let text = body(answer).await;
    assert!(text.contains("id=\"sign-in\"") && text.contains("lang=\"vi\"") && text.contains(VI.sign_in), "{text}");
    assert_eq!(text.matches("<h1>").count(), 1);

    let chosen = call(&idp, TestRequest::get().uri("/?lang=en")).await;
    assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
    let cookie = set(&chosen, "__Host-console_language").unwrap();
    let text = body(call(&idp, TestRequest::get().uri("/").cookie(cookie)).await).await;
    assert!(text.contains("<html lang=\"en\">") && text.contains(EN.sign_in), "{text}");
    let other = call(&idp, TestRequest::get().uri("/?lang=%22%3E")).await;
    assert!(set(&other, "__Host-console_language").is_none());
}

#[actix_web::test]
async fn rg_10_nothing_but_a_sealed_sign_in_that_stands_opens_the_lists() {
    let (idp, _directory) = idp().await;
    flow::account::import(&LINE.replace('\n', ""), &idp).await.unwrap();
    let now = idp.clock.now();
    let stale = visit(Moment::from_unix(now.unix() - 15 * 60)).cookie(&idp).unwrap();
    let unknown = visit(now).cookie(&idp).unwrap();
    let moved = Cookie::new("__Host-console", operator::keep("__Host-console_begun", &visit(now), &idp).unwrap());
    let forged = Cookie::new("__Host-console", r#"{"sub":"sub","sid":"sid","id_token":"","seen_at":9999999999}"#);
    for cookie in [stale, unknown, moved, forged] {
        for uri in ["/", "/?after=", "/callback", "/sign-out", "/sign-in", "/accounts"] {
            let text = body(call(&idp, TestRequest::get().uri(uri).cookie(cookie.clone())).await).await;
            assert!(!text.contains("id=\"accounts\"") && !text.contains("099"), "{uri}: {text}");
        }
    }
    // A sign-in that no longer stands is forgotten.
    let answer = call(&idp, TestRequest::get().uri("/").cookie(visit(now).cookie(&idp).unwrap())).await;
    assert_eq!(set(&answer, "__Host-console").unwrap().value(), "");
}

#[actix_web::test]
async fn an_answer_nobody_asked_for_signs_nobody_in() {
    let (idp, _directory) = idp().await;
    let answer = call(&idp, TestRequest::get().uri("/callback?code=c&state=s&iss=http%3A%2F%2Flocalhost%3A1")).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(set(&answer, "__Host-console").is_none());
}

#[actix_web::test]
async fn a_sign_out_needs_its_form_token() {
    let (idp, _directory) = idp().await;
    let cookie = visit(idp.clock.now()).cookie(&idp).unwrap();
    let post = |token: &str| {
        TestRequest::post().uri("/sign-out").cookie(cookie.clone()).set_form([("form_token", token.to_owned())])
    };
    let forged = call(&idp, post("x")).await;
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);
    assert!(set(&forged, "__Host-console").is_none());
    let token = operator::form_token("sid", "console/sign-out", &idp);
    // The provider is away, and still this browser is signed out here.
    let answer = call(&idp, post(&token)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(set(&answer, "__Host-console").unwrap().value(), "");
}

#[actix_web::test]
async fn a_provider_that_is_away_is_said_to_be() {
    let (idp, _directory) = idp().await;
    let answer = call(&idp, TestRequest::get().uri("/sign-in")).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&answer, "retry-after"), "30");
    assert!(body(answer).await.contains(VI.away.heading));
    let missing = call(&idp, TestRequest::get().uri("/none")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_lists_are_masked_and_escaped() {
    let (idp, _directory) = idp().await;
    flow::account::import(&LINE.replace('\n', ""), &idp).await.unwrap();
    let file = r#"{"client_id":"p","client_name":{"vi":"<b>Cổng</b>","en":"Portal"},"scope":"openid",
        "redirect_uris":["http://localhost:8082/callback"],"token_endpoint_auth_method":"client_secret_basic"}"#;
    let Verdict::Done(_) = flow::client::put(file, &idp).await.unwrap() else { panic!("refused") };
    let clients = flow::client::list(&idp).await.unwrap();
    let policy = serde_json::json!({"scope": "openid", "vn_relying_party": "<i>Bộ</i>"});
    let mut tokens = Vec::new();
    for uses in [2, 3] {
        let terms = Terms { uses, until: None };
        let Verdict::Done(given) = flow::invitation::invite(&policy, &terms, &idp).await.unwrap() else { panic!() };
        tokens.push(given);
    }
    flow::invitation::revoke(&tokens[0].id, &idp).await.unwrap();
    let invitations = flow::invitation::list(&idp).await.unwrap();
    let mut overview = Overview {
        words: &VI,
        form_token: "t".to_owned(),
        is_officer: false,
        clients: clients.iter().map(|client| ClientRow::new(client, "vi")).collect(),
        invitations: invitations.iter().map(|one| InvitationRow::new(one, "vi", idp.clock.now())).collect(),
        accounts: flow::account::list(None, 10, &idp).await.unwrap(),
        more: None,
    };
    let console = Console::new(Arc::clone(&idp)).unwrap();
    let page = page::overview(&overview, &console);
    let text = String::from_utf8(to_bytes(page.into_body()).await.unwrap().to_vec()).unwrap();
    assert!(text.contains("099••••••001") && !text.contains("099090000001"), "{text}");
    assert!(!text.contains("<b>") && text.contains("Cổng"), "{text}");
    assert!(!text.contains("<i>") && text.contains("Bộ"), "{text}");
    for (given, state) in tokens.iter().zip(["đã thu hồi", "còn hiệu lực"]) {
        assert!(text.contains(&given.id.to_string()) && text.contains(state), "{text}");
        assert!(!text.contains(given.token.reveal()), "a token is told once, and not here");
    }
    for hook in
        ["id=\"clients\"", "id=\"invitations\"", "id=\"accounts\"", "id=\"sign-out\"", "đã khóa", VI.card_expired]
    {
        assert!(text.contains(hook), "{hook}: {text}");
    }
    assert!(!text.contains("/desk"), "the desk is an officer's: {text}");
    overview.is_officer = true;
    let page = page::overview(&overview, &console);
    let text = String::from_utf8(to_bytes(page.into_body()).await.unwrap().to_vec()).unwrap();
    assert!(text.contains("id=\"to-desk\" href=\"/desk\""), "control: {text}");
}

async fn never() -> actix_web::HttpResponse {
    std::future::pending().await
}

#[actix_web::test]
async fn n_26_an_answer_that_takes_too_long_is_503() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("http://localhost:1", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    config.danger_http_loopback = true;
    (config.limits.body_seconds, config.limits.handler_seconds) = (1, 1);
    let console = web::Data::new(Console::new(Idp::open(config).await.unwrap()).unwrap());
    let app = App::new()
        .app_data(console)
        .wrap(from_fn(patience::bounded))
        .route("/never", web::get().to(never))
        .configure(routes);
    let app = init_service(app).await;
    assert_eq!(call_service(&app, TestRequest::get().uri("/").to_request()).await.status(), StatusCode::OK, "control");
    let late = try_call_service(&app, TestRequest::get().uri("/never").to_request()).await;
    let answer = late.err().unwrap().error_response();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after") && answer.headers().contains_key("content-security-policy"));
}

#[actix_web::test]
async fn the_operations_listener_answers_its_three_questions() {
    let (idp, _directory) = idp().await;
    let app = init_service(App::new().app_data(web::Data::from(idp)).configure(operations::routes)).await;
    for (uri, status) in [("/livez", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404)] {
        let answer = call_service(&app, TestRequest::get().uri(uri).to_request()).await;
        assert_eq!(answer.status().as_u16(), status, "{uri}");
    }
}

#[actix_web::test]
async fn a_client_page_shows_what_was_refused_and_finds_a_reference() {
    let (idp, _directory) = idp().await;
    let file = r#"{"client_id":"p","client_name":{"vi":"<b>Cổng</b>","en":"Portal"},"scope":"openid",
        "redirect_uris":["http://localhost:8082/callback"],"token_endpoint_auth_method":"client_secret_basic"}"#;
    let Verdict::Done(_) = flow::client::put(file, &idp).await.unwrap() else { panic!("refused") };
    for (reference, told) in [("AAAAAAAAAA", "redirect_uri is not registered"), ("BBBBBBBBBB", "<i>is wrong</i>")] {
        let origin = Origin { client: Id::new("p"), endpoint: Endpoint::Authorize, reference: reference.to_owned() };
        let error = idp::protocol::Error::invalid_request("RFC 9700 §4.1.3", told);
        let sent = Params::parse("scope=openid&state=abc").unwrap();
        flow::trace::note(origin, &error, || redact::parameters(&sent), &idp);
    }
    flow::trace::flush(&idp).await;
    let shown = async |client: &str, reference: &str| {
        let looking = trace::Looking::for_reference(reference);
        let page = trace::client_page(&Id::new(client), looking, "t".to_owned(), &EN, &idp).await.unwrap()?;
        let console = Console::new(Arc::clone(&idp)).unwrap();
        let page = page::client(&page, &console);
        Some(String::from_utf8(to_bytes(page.into_body()).await.unwrap().to_vec()).unwrap())
    };
    let text = shown("p", "").await.unwrap();
    for hook in [
        "data-page=\"console-client\"",
        "id=\"refused\"",
        "id=\"reference\"",
        "data-reference=\"AAAAAAAAAA\"",
        "RFC 9700 §4.1.3",
        "scope = openid",
        "state (letters of base64url, 3 characters)",
    ] {
        assert!(text.contains(hook), "{hook}: {text}");
    }
    assert!(!text.contains("<i>") && !text.contains("<b>"), "{text}");
    let found = shown("p", " aaaaaaaaaa ").await.unwrap();
    assert!(found.contains("data-reference=\"AAAAAAAAAA\"") && !found.contains("data-reference=\"BBBBBBBBBB\""));
    let nothing = shown("p", "CCCCCCCCCC").await.unwrap();
    assert!(!nothing.contains("data-reference") && nothing.contains(EN.none));
    assert!(shown("nobody", "").await.is_none());
    // A stranger sees the way in and nothing else.
    let text = body(call(&idp, TestRequest::get().uri("/clients/p")).await).await;
    assert!(text.contains("id=\"sign-in\"") && !text.contains("AAAAAAAAAA"), "{text}");
}
