//! The header contract over all routes, errors included (P18, SE-08 to SE-11, `contract.md` 7).

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::holder::{self, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::wire::Answer;

fn contract_of_every_answer(answer: &Answer) {
    let place = format!("{} {}", answer.status, answer.url.path());
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("x-content-type-options"), "nosniff", "{place}");
    assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none(), "{place} names its software");
    let page = header("content-type").starts_with("text/html");
    if page || answer.header("location").is_some() {
        assert_eq!(header("referrer-policy"), "no-referrer", "{place}");
    }
    if page {
        contract_of_a_page(answer, &place);
    }
}

fn contract_of_a_page(answer: &Answer, place: &str) {
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("x-frame-options").to_ascii_uppercase(), "DENY", "{place}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{place}");
    assert!(header("cache-control").contains("no-store"), "{place} may be stored");
    let policy = header("content-security-policy");
    let directive = |name: &str| {
        let found = policy.split(';').map(str::trim).find_map(|part| part.strip_prefix(name)).map(str::trim);
        found.unwrap_or_else(|| panic!("{place}: no {name} in {policy:?}")).to_owned()
    };
    assert_eq!(directive("frame-ancestors"), "'none'", "{place}");
    assert_eq!(directive("base-uri"), "'none'", "{place}");
    assert!(directive("default-src") == "'none'" || directive("default-src") == "'self'", "{place}: {policy}");
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval") && !policy.contains('*'),
        "{place}: {policy}"
    );
    assert!(
        directive("form-action").starts_with("'self'") || directive("form-action") == "'none'",
        "{place}: {policy}"
    );
    let page = answer.page();
    assert!(matches!(page.language(), "vi" | "en"), "{place}: lang");
    assert!(!page.name().is_empty(), "{place}: data-page");
    assert_eq!(page.all("h1").count(), 1, "{place}: one h1");
    for (tag, attribute) in [("script", "src"), ("img", "src"), ("link", "href")] {
        for resource in page.all(tag).filter_map(|element| element.attribute(attribute)) {
            let to = answer.url.join(resource).unwrap();
            assert!(to.origin() == answer.url.origin() || to.scheme() == "data", "{place}: {resource}");
        }
    }
}

#[tokio::test]
async fn every_route_with_every_method_keeps_the_header_contract() {
    let idp = Sandbox::shared();
    for path in [
        "/",
        "/authorize",
        "/token",
        "/userinfo",
        "/introspect",
        "/trace",
        "/revoke",
        "/end-session",
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/sign-in",
        "/otp",
        "/consent",
        "/level",
        "/locked",
        "/signed-out",
        "/identity",
        "/nothing-here",
        "/sign-in?i=%00",
        "/%2e%2e/etc/passwd",
        "/livez",
        "/metrics",
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = idp.visitor().send(method, path, &[], None).await;
            assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.body);
            if method != "HEAD" {
                contract_of_every_answer(&answer);
            }
        }
    }
    // RG-16: operations are not on the public address.
    for private in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(idp.visitor().get(private).await.status, 404, "{private}");
    }
}

#[tokio::test]
async fn every_page_of_a_journey_keeps_it_too() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"vn_min_auth_level": 2}));
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let ask = Ask::of(&client).scope("openid profile").with("response_mode", "form_post");
    let mut at = visitor.open(&ask.target()).await;
    let mut seen = Vec::new();
    loop {
        contract_of_every_answer(&at);
        let page = at.page();
        let policy = at.header("content-security-policy").unwrap().to_owned();
        let form_action = policy.split(';').find(|part| part.trim().starts_with("form-action")).unwrap().to_owned();
        assert!(form_action.contains("https://rp.gov.vn"), "the exact origin of the return address: {form_action}");
        assert!(!form_action.contains("https://rp.gov.vn/"), "{form_action}");
        if at.returned().is_some() {
            break;
        }
        assert_eq!(at.url.path(), format!("/{}", page.name()), "a page has its own path");
        seen.push(page.name().to_owned());
        at = match page.name() {
            "sign-in" => idp.sign_in(&visitor, &at, &holder).await,
            "otp" => idp.enter_otp(&visitor, &at, &holder).await,
            _ => visitor.submit(&at, &page.press("allow", &[], &[])).await,
        };
    }
    assert_eq!(seen, ["sign-in", "otp", "consent"]);
    for (who, page) in [(holder::KHOI, "guardian"), (holder::BINH, "level")] {
        let (visitor, strict) = (idp.visitor(), idp.client(json!({"vn_min_account_level": 2})));
        let at = visitor.open(&Ask::of(&strict).target()).await;
        let at = idp.sign_in(&visitor, &at, &Holder::seeded(who)).await;
        assert_eq!((at.page().name(), at.url.path()), (page, format!("/{page}").as_str()));
        contract_of_every_answer(&at);
    }
}

#[tokio::test]
async fn hsts_is_for_https_only_and_cookies_of_strangers_are_not_needed() {
    let idp = Sandbox::shared();
    let answer = idp.visitor().get("/").await;
    assert_eq!(answer.status, 200);
    // SE-11 speaks of https; on a plain-http loopback issuer a browser ignores the header.
    if let Some(hsts) = answer.header("strict-transport-security") {
        let age = hsts.split(';').find_map(|part| part.trim().strip_prefix("max-age=")).unwrap();
        assert!(age.parse::<u64>().unwrap() >= 31_536_000);
    }
}

#[tokio::test]
async fn pages_speak_the_language_asked_for() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let english = idp.visitor().speaking("en-GB,en;q=0.9,vi;q=0.1");
    let page = |answer: Answer| answer.page().language().to_owned();
    assert_eq!(page(english.open(&Ask::of(&client).target()).await), "en");
    assert_eq!(page(english.open(&Ask::of(&client).with("ui_locales", "vi").target()).await), "vi");
    let french = idp.visitor().speaking("fr");
    assert_eq!(page(french.open(&Ask::of(&client).target()).await), "vi");
    assert_eq!(page(french.open(&Ask::of(&client).with("ui_locales", "fr en").target()).await), "en");
    // The client's name is shown in that language on the first page.
    let text = idp.visitor().open(&Ask::of(&client).target()).await.page().text;
    assert!(text.contains("Cổng thử nghiệm"), "{text}");
    let text = english.open(&Ask::of(&client).target()).await.page().text;
    assert!(text.contains("Test portal"), "{text}");
}

#[tokio::test]
async fn operations_answer_on_their_own_listener() {
    let idp = Sandbox::shared();
    let operations = crate::support::wire::Visitor::new(&idp.neighbour(1000));
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(operations.get(path).await.status, 200, "{path}");
    }
    let (client, holder) = (idp.confidential(), idp.citizen());
    idp.tokens(&idp.visitor(), &client, Ask::of(&client), &holder).await;
    let metrics = operations.get("/metrics").await.body;
    for private in [holder.number.as_str(), &holder.phone, &holder.name] {
        assert!(!metrics.contains(private));
    }
    assert!(metrics.lines().filter(|line| !line.starts_with('#')).count() > 10, "{metrics}");
}
