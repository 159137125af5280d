//! `security.md` 2.21: sign-in through another provider, against one that misbehaves row by row.

mod linking;
mod logout;
mod second;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::abroad::{Abroad, back, stopped};
use crate::support::ask::Ask;
use crate::support::door::{self, door};
use crate::support::op::{Manner, Reply, Signed};
use crate::support::{fresh, now};

#[tokio::test]
async fn up_01_a_document_of_another_issuer_is_refused() {
    let (abroad, visitor) = (Abroad::shared(), Abroad::shared().sandbox.visitor());
    let away = abroad.press(&visitor, "wrong").await;
    stopped(&visitor, &away, 503, "unavailable").await;
    assert_eq!(abroad.wrong.heard("/token"), 0);
    // Control: the same document under its own name.
    abroad.depart(&visitor, "one").await;
}

#[tokio::test]
async fn up_02_an_answer_of_another_issuer_sends_no_token_request() {
    let abroad = Abroad::shared();
    let visitor = abroad.sandbox.visitor();
    for iss in [Some(abroad.plain.issuer.as_str()), Some("https://op.example.vn"), Some(""), None] {
        let departed = abroad.depart(&visitor, "one").await;
        let code = abroad.one.code(&departed, Manner::of("up-02"));
        let mut fields = vec![("code", code.as_str())];
        fields.extend(iss.map(|iss| ("iss", iss)));
        let at = visitor.get(&back("one", &departed, &fields)).await;
        stopped(&visitor, &at, 400, "untrusted").await;
        assert_eq!(abroad.one.asked(&code), 0, "{iss:?}");
    }
    // Controls: its own name; and none where none is advertised, though never another's.
    assert_eq!(abroad.arrive(&visitor, Manner::of("up-02")).await.page().name(), "link");
    let departed = abroad.depart(&visitor, "plain").await;
    let code = abroad.plain.code(&departed, Manner::of("up-02"));
    assert_eq!(visitor.open(&back("plain", &departed, &[("code", &code)])).await.page().name(), "link");
    let departed = abroad.depart(&visitor, "plain").await;
    let code = abroad.plain.code(&departed, Manner::of("up-02"));
    let at = visitor.get(&back("plain", &departed, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
    stopped(&visitor, &at, 400, "untrusted").await;
}

#[tokio::test]
async fn up_04_an_answer_counts_where_it_is_awaited_and_once() {
    let abroad = Abroad::shared();
    let (visitor, other) = (abroad.sandbox.visitor(), abroad.sandbox.visitor());
    abroad.door(&other).await;
    let departed = abroad.depart(&visitor, "one").await;
    let code = abroad.one.code(&departed, Manner::of("up-04"));
    let fields = [("code", code.as_str()), ("iss", abroad.one.issuer.as_str())];
    // At another provider, in another browser, under another state, with a planted second one.
    for (who, target) in [
        (&visitor, back("plain", &departed, &fields)),
        (&other, back("one", &departed, &fields)),
        (&visitor, back("one", &departed, &fields).replace("state=", "state=x")),
        (&visitor, format!("{}&state={}", back("one", &departed, &fields), departed.state)),
        (&visitor, back("one", &departed, &fields).replacen("state=", "none=", 1)),
    ] {
        stopped(who, &who.get(&target).await, 400, "unasked").await;
        assert_eq!(abroad.one.asked(&code), 0);
    }
    // Control, and the same once more.
    assert_eq!(visitor.open(&back("one", &departed, &fields)).await.page().name(), "link");
    assert!(abroad.one.proved_itself(&code));
    let again = visitor.get(&back("one", &departed, &fields)).await;
    stopped(&visitor, &again, 400, "unasked").await;
    assert_eq!(abroad.one.asked(&code), 1);
}

#[tokio::test]
async fn up_05_each_flaw_of_an_id_token_is_refused() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    let right = || Manner::of(&sub);
    let claims = |claims: Value| Manner { claims, ..right() };
    for (name, manner) in [
        ("signature", Manner { signed: Signed::Broken, ..right() }),
        ("another key", Manner { signed: Signed::AnotherKey, ..right() }),
        ("none", Manner { signed: Signed::None, ..right() }),
        ("hmac", Manner { signed: Signed::Hmac, ..right() }),
        ("kid", Manner { header: json!({"kid": "nine"}), ..right() }),
        ("crit", Manner { header: json!({"crit": ["x"], "x": 1}), ..right() }),
        ("typ", Manner { header: json!({"typ": "logout+jwt"}), ..right() }),
        ("aud", claims(json!({"aud": "another"}))),
        ("foreign aud", claims(json!({"aud": [crate::support::op::CLIENT, "another"]}))),
        ("azp", claims(json!({"aud": [crate::support::op::CLIENT, "another"], "azp": "another"}))),
        ("azp alone", claims(json!({"azp": "another"}))),
        ("iss", claims(json!({"iss": abroad.plain.issuer}))),
        ("expired", claims(json!({"exp": now() - 120}))),
        ("future", claims(json!({"iat": now() + 120}))),
        ("old", claims(json!({"iat": now() - 3600}))),
        ("no nonce", claims(json!({"nonce": null}))),
        ("nonce", claims(json!({"nonce": fresh()}))),
        ("at_hash", claims(json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}))),
        ("auth_time", claims(json!({"auth_time": now() - 3600}))),
        ("no sub", claims(json!({"sub": null}))),
        ("userinfo", Manner { userinfo: json!({"sub": "another"}), ..right() }),
        ("no id token", Manner { answer: json!({"id_token": null}), ..right() }),
        ("token type", Manner { answer: json!({"token_type": "mac"}), ..right() }),
    ] {
        let visitor = abroad.sandbox.visitor();
        let at = abroad.arrive(&visitor, manner).await;
        assert_eq!(at.page().code(), "untrusted", "{name}: {}", at.page().text);
        stopped(&visitor, &at, 400, "untrusted").await;
    }
    // Control, with what changes nothing (UP-08 among it): signed in.
    for manner in [
        right(),
        claims(json!({"aud": [crate::support::op::CLIENT], "azp": crate::support::op::CLIENT})),
        claims(json!({"email": "a@b.vn", "email_verified": "true"})),
        claims(json!({"email_verified": [true], "at_hash": null, "auth_time": null})),
        Manner { header: json!({"kid": null, "typ": "JWT"}), ..right() },
    ] {
        let visitor = abroad.sandbox.visitor();
        let at = abroad.arrive(&visitor, manner).await;
        assert_eq!(at.page().name(), "identity", "{}", at.page().text);
        assert!(at.body.contains(&holder.name));
    }
}

#[tokio::test]
async fn up_05_a_nonce_of_another_visit_is_refused() {
    let abroad = Abroad::shared();
    let visitor = abroad.sandbox.visitor();
    let (first, second) = (abroad.depart(&visitor, "one").await, abroad.depart(&visitor, "one").await);
    let swapped = Manner { claims: json!({"nonce": first.nonce}), ..Manner::of("replayed") };
    let code = abroad.one.code(&second, swapped);
    let at = visitor.get(&back("one", &second, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
    stopped(&visitor, &at, 400, "untrusted").await;
}

#[tokio::test]
async fn a_key_made_since_is_asked_for_and_not_again_and_again() {
    let abroad = Abroad::shared();
    let visitor = abroad.sandbox.visitor();
    let go = async |manner: Manner| {
        let departed = abroad.depart(&visitor, "turning").await;
        let code = abroad.turning.code(&departed, manner);
        let fields = [("code", code.as_str()), ("iss", abroad.turning.issuer.as_str())];
        visitor.open(&back("turning", &departed, &fields)).await.page().name().to_owned()
    };
    assert_eq!(go(Manner::of("key")).await, "link");
    abroad.turning.rotate();
    let before = abroad.turning.heard("/jwks");
    assert_eq!(go(Manner { signed: Signed::NewKey, ..Manner::of("key") }).await, "link");
    for _ in 0..3 {
        let unknown = Manner { header: json!({"kid": "nine"}), ..Manner::of("key") };
        assert_eq!(go(unknown).await, "upstream");
    }
    assert_eq!(abroad.turning.heard("/jwks"), before + 1, "asked once in half a minute");
    assert_eq!(go(Manner { signed: Signed::NewKey, ..Manner::of("key") }).await, "link");
}

#[tokio::test]
async fn up_11_off_link_only_ended_and_unasked() {
    let abroad = Abroad::shared();
    let visitor = abroad.sandbox.visitor();
    let page = abroad.door(&visitor).await.page();
    assert!(page.has("upstream-one") && page.has("upstream-old-portal"));
    assert!(!page.has("upstream-off") && !page.has("upstream-only"), "neither is offered");
    let href = page.by_id("upstream-one").unwrap().attribute("href").unwrap().to_owned();
    for (name, status, code) in [("off", 404, "off"), ("only", 200, "link_only"), ("nobody", 404, "off")] {
        let at = visitor.get(&href.replace("/one?", &format!("/{name}?"))).await;
        stopped(&visitor, &at, status, code).await;
        // Nobody asked: a provider that starts by itself.
        let at = visitor.get(&format!("/upstream/{name}/callback?code=c&state={}", fresh())).await;
        assert!(at.status >= 400 && at.page().name() == "upstream", "{name}");
    }
    assert_eq!(abroad.off.heard("/token") + abroad.only.heard("/token"), 0);
    // The old accounts explain themselves on their own page, and nothing is sent anywhere.
    let ended = abroad.press(&visitor, "old-portal").await;
    stopped(&visitor, &ended, 200, "ended").await;
    assert!(ended.body.contains("30/06/2024"), "{}", ended.page().text);
}

#[tokio::test]
async fn up_13_what_is_no_token_answer_fails_soon_and_sends_nothing_on() {
    let abroad = Abroad::open();
    let elsewhere = door(|_, _| door::Reply::Status(200));
    let raw = |status, headers: &str, kind: &str, body: &str| {
        Reply::Raw(status, headers.to_owned(), kind.to_owned(), body.to_owned())
    };
    let location = format!("Location: {}/token\r\n", elsewhere.origin);
    let twice = r#"{"access_token":"a","token_type":"Bearer","id_token":"x","id_token":"y"}"#;
    let visitor = abroad.sandbox.visitor();
    for (name, reply) in [
        ("307", raw(307, &location, "text/plain", "")),
        ("HTML", raw(200, "", "text/html", "<html><script>alert(1)</script>")),
        ("JSON said to be HTML", raw(200, "", "text/html", "{}")),
        ("twice", raw(200, "", "application/json", twice)),
        ("500", raw(500, "", "text/plain", "")),
    ] {
        let at = abroad.arrive(&visitor, Manner { reply, ..Manner::of("up-13") }).await;
        assert_eq!(at.page().code(), "unavailable", "{name}");
        stopped(&visitor, &at, 503, "unavailable").await;
        // The breaker counts such answers in a row: a right one stands between them.
        assert_eq!(abroad.arrive(&visitor, Manner::of("up-13")).await.page().name(), "link", "{name}");
    }
    for (name, reply) in [("endless", Reply::Endless), ("silence", Reply::Silence)] {
        let departed = abroad.depart(&visitor, "one").await;
        let code = abroad.one.code(&departed, Manner { reply, ..Manner::of("up-13") });
        let begun = Instant::now();
        let at = visitor.get(&back("one", &departed, &[("code", &code), ("iss", &abroad.one.issuer)])).await;
        assert!(begun.elapsed() < Duration::from_secs(8), "{name}: {:?}", begun.elapsed());
        stopped(&visitor, &at, 503, "unavailable").await;
    }
    assert!(elsewhere.heard().is_empty(), "nothing was sent on");
}

#[tokio::test]
async fn up_14_another_providers_words_are_only_text() {
    let abroad = Abroad::shared();
    let visitor = abroad.sandbox.visitor();
    let departed = abroad.depart(&visitor, "one").await;
    let words = format!("<script>alert(1)</script>\r\nSet-Cookie: a=b {}", "dài ".repeat(400));
    let fields = [("error", "access_denied"), ("error_description", words.as_str()), ("iss", &abroad.one.issuer)];
    let at = visitor.get(&back("one", &departed, &fields)).await;
    assert!(!at.body.contains("<script>") && at.body.contains("&#60;script&#62;"), "{}", at.body);
    assert!(at.body.matches("dài ").count() < 60, "not at length");
    assert!(at.headers.get_all("set-cookie").iter().all(|line| !line.to_str().unwrap().starts_with("a=b")));
    stopped(&visitor, &at, 200, "refused").await;
    // The way on leads to the sign-in page of this very sign-in.
    let on = at.page().by_id("other-way").unwrap().attribute("href").unwrap().to_owned();
    assert_eq!(visitor.open(&on).await.page().name(), "sign-in");
}

#[tokio::test]
async fn up_17_a_provider_that_is_down_is_left_alone_and_local_sign_in_works() {
    let abroad = Abroad::shared();
    let (visitor, holder) = (abroad.sandbox.visitor(), abroad.sandbox.citizen());
    abroad.flaky.fail(true);
    // Each waits out the moment in which a failure is shared.
    for _ in 0..5 {
        let at = abroad.press(&visitor, "flaky").await;
        stopped(&visitor, &at, 503, "unavailable").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = abroad.flaky.heard("/.well-known/openid-configuration");
    for _ in 0..20 {
        let begun = Instant::now();
        let at = abroad.press(&visitor, "flaky").await;
        assert_eq!(at.page().code(), "unavailable");
        assert!(begun.elapsed() < Duration::from_secs(2), "no waiting: {:?}", begun.elapsed());
    }
    assert!(abroad.flaky.heard("/.well-known/openid-configuration") <= before + 1, "it is left alone");
    let at = abroad.door(&visitor).await;
    assert_eq!(abroad.sandbox.sign_in(&visitor, &at, &holder).await.page().name(), "identity");
}

#[tokio::test]
async fn fifty_callbacks_at_once_are_one() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    let visitor = abroad.sandbox.visitor();
    let departed = abroad.depart(&visitor, "one").await;
    let code = abroad.one.code(&departed, Manner::of(&sub));
    let target = back("one", &departed, &[("code", &code), ("iss", &abroad.one.issuer)]);
    let cookies = visitor.cookies();
    // Made beforehand: what takes time must not stand between them.
    let twins = (0..50).map(|_| abroad.sandbox.visitor()).collect::<Vec<_>>();
    let calls = twins.into_iter().map(|twin| {
        let (target, cookies) = (target.clone(), cookies.clone());
        tokio::spawn(async move {
            twin.set_cookies(cookies);
            twin.get(&target).await.status
        })
    });
    let calls = calls.collect::<Vec<_>>();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 49, "{statuses:?}");
    assert_eq!(abroad.one.asked(&code), 1);
    assert_eq!(abroad.sandbox.trail_count(&holder, "sign_in"), 2, "by password for the link, and by this");
}

#[tokio::test]
async fn domain_2_4_a_missing_or_unknown_level_is_the_lowest() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    let client = abroad.sandbox.confidential();
    for (acr, level) in [(json!(null), 1), (json!("urn:vn:eid:muc:2"), 1), (json!(4), 1), (json!("two"), 2)] {
        let visitor = abroad.sandbox.visitor();
        let ask = Ask::of(&client).with("acr_values", "urn:vn:eid:xac-thuc:2");
        let manner = Manner { claims: json!({"acr": acr}), ..Manner::of(&sub) };
        let end = visitor.open(&abroad.on_the_way(&visitor, &ask, manner).await).await;
        // At level 1 the wish for level 2 asks for what is missing; at level 2 there is nothing to ask.
        let asked = end.returned().is_none();
        assert_eq!(asked, level == 1, "{acr}: {:?}", end.page().name());
        if asked {
            // Their word is none of ours: level 2 takes the password and the code.
            let end = abroad.sandbox.sign_in(&visitor, &end, &holder).await;
            assert_eq!(end.page().name(), "otp", "{acr}");
            let end = abroad.sandbox.enter_otp(&visitor, &end, &holder).await;
            assert!(end.returned().is_some(), "{acr}: {}", end.page().name());
        }
    }
}
