//! `security.md` 2.1: what the authorization endpoint refuses, and how.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::Will;
use crate::support::sandbox::Sandbox;
use crate::support::verdict;
use crate::support::wire::encode;

#[tokio::test]
async fn az_00_control_a_right_request_ends_in_a_code_with_state_and_iss() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client);
    let returned = idp.authorize(&idp.visitor(), &ask, &holder).await;
    assert_eq!(returned.address, client.redirect);
    assert_eq!(returned.get("state"), Some(ask.state.as_str()));
    assert_eq!(returned.get("iss"), Some(idp.issuer.as_str()));
    assert_eq!(returned.get("error"), None);
    let code = returned.code();
    assert!((43..=256).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
}

#[tokio::test]
async fn az_01_and_az_02_an_unknown_missing_empty_or_repeated_client_is_a_page() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let right = Ask::of(&client);
    for ask in [
        right.clone().with("client_id", "nobody"),
        right.clone().with("client_id", "<script>alert(1)</script>"),
        right.clone().with("client_id", ""),
        right.clone().without("client_id"),
        right.clone().also("client_id", &client.id),
    ] {
        let answer = idp.visitor().get(&ask.target()).await;
        verdict::page(&answer, 400);
        assert!(!answer.body.contains("<script>alert"), "nothing is reflected unescaped");
    }
}

#[tokio::test]
async fn az_04_a_repeated_parameter_is_invalid_request() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for name in ["scope", "nonce", "code_challenge", "response_type", "prompt", "max_age"] {
        let value = Ask::of(&client).get(name).to_owned();
        let ask = Ask::of(&client).also(name, "twice").also(name, &value);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
    // A state sent twice is not sane, so none is echoed.
    let ask = Ask::of(&client).also("state", "twice");
    let returned = verdict::redirect_without_state(&idp.visitor().get(&ask.target()).await, &client, "invalid_request");
    assert_eq!(returned.get("state"), None);
}

#[tokio::test]
async fn az_05_only_the_response_type_code_exists() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for kind in ["token", "id_token", "id_token token", "code token", "code id_token", "none", "junk"] {
        let ask = Ask::of(&client).with("response_type", kind);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "unsupported_response_type");
    }
    let ask = Ask::of(&client).without("response_type");
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
}

#[tokio::test]
async fn az_07_an_unknown_response_mode_is_refused_by_query() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for mode in ["fragment", "web_message", "junk", "form_post.jwt", "jwt"] {
        let ask = Ask::of(&client).with("response_mode", mode);
        let returned = verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
        assert!(!returned.by_form);
    }
}

#[tokio::test]
async fn az_08_scope_unregistered_empty_or_huge() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"scope": "openid profile"}));
    for scope in ["openid vn_tax", "openid email", ""] {
        let ask = Ask::of(&client).scope(scope);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_scope");
    }
    let many = vec!["openid"; 10_000].join(" ");
    let long = "x".repeat(1 << 20);
    for scope in [many, long] {
        let ask = Ask::of(&client).scope(&scope);
        let posted = idp.visitor().post("/authorize", &ask.fields, &[]).await;
        assert_eq!(posted.status, 413, "a body over the limit");
        assert!(posted.header("location").is_none());
        // A request line over the limit may end with the connection closed before all of it was read.
        if let Ok(got) = idp.visitor().attempt("GET", &ask.target(), &[], None).await {
            assert!(matches!(got.status, 413 | 414 | 431), "{}", got.status);
        }
    }
}

#[tokio::test]
async fn rfc6749_3_3_an_unknown_scope_is_ignored_and_the_granted_scope_returned() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client).scope("openid unheard-of profile");
    let tokens = idp.tokens(&idp.visitor(), &client, ask, &holder).await;
    let mut granted: Vec<&str> = tokens.text("scope").split(' ').collect();
    granted.sort_unstable();
    assert_eq!(granted, ["openid", "profile"]);
}

#[tokio::test]
async fn az_11_max_age_is_a_number_of_seconds() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for age in ["-1", "abc", "99999999999999999999", "1.5", "+1", " 1"] {
        let ask = Ask::of(&client).with("max_age", age);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn az_16_state_is_echoed_exactly_or_refused_without_echo() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let visitor = idp.visitor();
    for state in ["s".repeat(2048), "a b+c%20&=é¡\"'<>".to_owned()] {
        let mut ask = Ask::of(&client).with("state", &state);
        ask.state = state;
        let returned = idp.authorize(&visitor, &ask, &holder).await;
        assert_eq!(returned.get("state"), Some(ask.state.as_str()));
    }
    for state in ["s".repeat(8192), "a\0b".to_owned(), "a\r\nSet-Cookie: x=y".to_owned()] {
        let ask = Ask::of(&client).with("state", &state);
        let answer = idp.visitor().get(&ask.target()).await;
        let returned = verdict::redirect_without_state(&answer, &client, "invalid_request");
        assert_eq!(returned.get("state"), None);
        assert!(answer.cookies_named("x").is_empty());
    }
}

#[tokio::test]
async fn az_17_methods_and_media_types() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client);
    let visitor = idp.visitor();
    // OIDC Core 3.1.2.1: POST form works, also from another site: stored, then our own GET.
    let posted =
        visitor.post("/authorize", &ask.fields, &[("origin", "https://rp.gov.vn"), ("sec-fetch-site", "cross-site")]);
    let posted = posted.await;
    assert_eq!(posted.status, 303);
    let first = visitor.follow(posted).await;
    let end = idp.walk(&visitor, first, &holder, Will::AllowAll).await;
    assert!(end.returned().expect("an answer").get("code").is_some());

    let json = Some(json!({"client_id": client.id}).to_string().into_bytes());
    let answer = idp.visitor().send("POST", "/authorize", &[("content-type", "application/json")], json).await;
    assert_eq!(answer.status, 415);
    for method in ["PUT", "DELETE", "PATCH", "TRACE"] {
        let answer = idp.visitor().send(method, &ask.target(), &[], None).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    let head = idp.visitor();
    let answer = head.send("HEAD", &ask.target(), &[], None).await;
    assert!(answer.body.is_empty() && answer.status < 500);
    assert!(answer.returned().is_none_or(|returned| returned.get("code").is_none()), "HEAD issues nothing");
}

#[tokio::test]
async fn az_19_two_tabs_with_one_address_get_two_independent_codes() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (visitor, one, two) = (idp.visitor(), Ask::of(&client), Ask::of(&client));
    let (first, second) = (visitor.open(&one.target()).await, visitor.open(&two.target()).await);
    let second = idp.walk(&visitor, second, &holder, Will::AllowAll).await.returned().unwrap().code();
    let first = idp.walk(&visitor, first, &holder, Will::AllowAll).await.returned().unwrap().code();
    assert_ne!(first, second);
    verdict::token_error(&client.redeem(&first, &two.verifier).await, 400, "invalid_grant");
    assert_eq!(client.redeem(&first, &one.verifier).await.status, 200);
    assert_eq!(client.redeem(&second, &two.verifier).await.status, 200);
}

#[tokio::test]
async fn az_20_an_interaction_belongs_to_the_browser_that_began_it() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (attacker, victim) = (idp.visitor(), idp.visitor());
    let begun = attacker.open(&Ask::of(&client).target()).await;
    // The victim opens the attacker's page by its address, signed in or not.
    for _ in 0..2 {
        let seen = victim.get(begun.url.as_str()).await;
        assert!(matches!(seen.status, 400 | 403), "{}: {}", seen.status, seen.page().name());
        assert!(!seen.page().has("password"));
        let form = crate::support::flow::sign_in_form(&begun, &holder.number, &holder.password);
        let posted = victim.submit_once(&begun, &form, &[]).await;
        assert!(matches!(posted.status, 400 | 403), "{}", posted.status);
        idp.authorize(&victim, &Ask::of(&client), &holder).await;
    }
    let resumed = attacker.open(begun.url.as_str()).await;
    assert!(resumed.returned().is_none(), "the attacker is not signed in as the victim");
}

#[tokio::test]
async fn az_22_hidden_fields_decide_nothing() {
    let idp = Sandbox::shared();
    let (client, other, holder) = (idp.confidential(), idp.confidential(), idp.citizen());
    let (visitor, ask) = (idp.visitor(), Ask::of(&client));
    let at = visitor.open(&ask.target()).await;
    let mut form = crate::support::flow::sign_in_form(&at, &holder.number, &holder.password);
    for (name, value) in
        [("client_id", other.id.as_str()), ("scope", "openid vn_tax"), ("redirect_uri", "https://evil.vn/")]
    {
        form.set(name, value);
    }
    let at = visitor.submit(&at, &form).await;
    let end = idp.walk(&visitor, at, &holder, Will::AllowAll).await.returned().unwrap();
    assert_eq!(end.address, client.redirect);
    let answer = client.redeem(&end.code(), &ask.verifier).await;
    assert_eq!(answer.json()["scope"], json!("openid"));
}

#[tokio::test]
async fn az_23_a_suspended_or_closed_client_is_a_page() {
    let idp = Sandbox::shared();
    for command in ["suspend", "close"] {
        let client = idp.confidential();
        assert_eq!(idp.visitor().open(&Ask::of(&client).target()).await.page().name(), "sign-in");
        idp.admin_ok(&["client", command, &client.id]);
        verdict::page(&idp.visitor().get(&Ask::of(&client).target()).await, 400);
    }
}

#[tokio::test]
async fn az_25_parameters_that_are_never_an_error() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for (name, value) in [
        ("ui_locales", "se"),
        ("ui_locales", "%00 zz-ZZ vi"),
        ("claims_locales", "se"),
        ("display", "wap"),
        ("display", "junk"),
        ("acr_values", "unknown 2 URN:VN:EID:MUC:1"),
        ("login_hint", "somebody@example.vn"),
        ("extra", "ignored"),
        ("nonce", &"n".repeat(384)),
        ("prompt", ""),
    ] {
        let answer = idp.visitor().open(&Ask::of(&client).with(name, value).target()).await;
        assert_eq!(answer.page().name(), "sign-in", "{name}={value}: {}", answer.body);
    }
    for n in 0..200 {
        let answer = idp.visitor().open(&Ask::of(&client).with("ui_locales", &format!("x{n}-Y{n}")).target()).await;
        assert_eq!(answer.page().language(), "vi", "an unknown language falls back");
    }
}

#[tokio::test]
async fn oidc_core_6_request_objects_and_registration_have_their_own_refusals() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    for (name, value, error) in [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:other:x", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let ask = Ask::of(&client).with(name, value);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, error);
    }
    // PJ-08: and nothing is fetched.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let ask = Ask::of(&client).with("request_uri", &format!("http://{}/r", listener.local_addr().unwrap()));
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "request_uri_not_supported");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(listener.accept().is_err(), "no outbound connection");
}

#[tokio::test]
async fn form_post_answers_and_errors_go_in_a_form_with_nothing_in_the_query() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client).with("response_mode", "form_post");
    let returned = idp.authorize(&idp.visitor(), &ask, &holder).await;
    assert!(returned.by_form && returned.address == client.redirect);
    assert_eq!(returned.get("state"), Some(ask.state.as_str()));
    assert_eq!(client.redeem(&returned.code(), &ask.verifier).await.status, 200);

    let ask = ask.with("prompt", "none");
    let answer = idp.visitor().get(&ask.target()).await;
    let returned = verdict::redirect(&answer, &client, &ask, "login_required");
    assert!(returned.by_form);
    let page = answer.page();
    assert!(page.all("button").next().is_some() || page.all("input").any(|i| i.attribute("type") == Some("submit")));
    assert!(!answer.url.as_str().contains(encode(&[("error".to_owned(), "login_required".to_owned())]).as_str()));
}

#[tokio::test]
async fn a_broken_claims_parameter_or_unknown_service_is_invalid_request() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let deep = "[".repeat(5000);
    for claims in ["{", "[]", "1", "null", r#"{"userinfo":1}"#, r#"{"userinfo":{"name":null,"name":null}}"#, &deep] {
        let ask = Ask::of(&client).with("claims", claims);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
    let ask = Ask::of(&client).with("service", "9.999999");
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
}
