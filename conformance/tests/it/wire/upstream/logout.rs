//! UP-16, UP-19, LO-09: another provider ends what rests on it, and nobody else does.

use serde_json::{Value, json};

use crate::support::abroad::Abroad;
use crate::support::fresh;
use crate::support::op::Manner;
use crate::support::wire::{Answer, pairs};

async fn tell(abroad: &Abroad, name: &str, token: &str) -> Answer {
    let fields = pairs(&[("logout_token", token)]);
    abroad.sandbox.visitor().post(&format!("/upstream/{name}/logout"), &fields, &[]).await
}

#[tokio::test]
async fn lo_09_up_16_a_forged_logout_changes_nothing_and_a_right_one_ends_what_rests_on_it() {
    let abroad = Abroad::shared();
    let (holder, sub) = abroad.linked().await;
    let (visitor, local) = (abroad.sandbox.visitor(), abroad.sandbox.visitor());
    abroad.arrive(&visitor, Manner { claims: json!({"sid": "s-1"}), ..Manner::of(&sub) }).await;
    let door = abroad.door(&local).await;
    abroad.sandbox.sign_in(&local, &door, &holder).await;
    let stands = async || visitor.open("/identity").await.page().name() == "identity";
    assert!(stands().await);
    let right = |header: Value, claims: Value| {
        let mut members = json!({"sub": sub});
        for (name, value) in claims.as_object().unwrap() {
            members[name] = value.clone();
        }
        abroad.one.logout_token(header, members)
    };
    let jti = fresh();
    for (name, token) in [
        ("typ", right(json!({"typ": "JWT"}), json!({}))),
        ("no typ", right(json!({"typ": null}), json!({}))),
        ("events", right(json!({}), json!({"events": {"x": {}}}))),
        ("iss", right(json!({}), json!({"iss": abroad.plain.issuer}))),
        ("aud", right(json!({}), json!({"aud": "another"}))),
        ("iat", right(json!({}), json!({"iat": crate::support::now() - 3600}))),
        ("exp", right(json!({}), json!({"exp": crate::support::now() - 120}))),
        ("jti", right(json!({}), json!({"jti": null}))),
        ("nonce", right(json!({}), json!({"nonce": "n"}))),
        ("nobody", abroad.one.logout_token(json!({}), json!({}))),
        ("another key", abroad.plain.logout_token(json!({}), json!({"iss": abroad.one.issuer, "sub": sub}))),
        ("nothing", String::new()),
        ("noise", "a.b.c".to_owned()),
    ] {
        let answer = tell(abroad, "one", &token).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
        assert!(stands().await, "{name}");
    }
    // Of another session there, of another subject, at another provider's door: nothing here rests on it.
    for (name, claims) in [("one", json!({"sid": "s-2"})), ("one", json!({"sub": fresh()}))] {
        tell(abroad, name, &right(json!({}), claims)).await;
        assert!(stands().await);
    }
    assert_eq!(tell(abroad, "plain", &right(json!({}), json!({}))).await.status, 400);
    assert_eq!(tell(abroad, "nobody", &right(json!({}), json!({}))).await.status, 400);
    assert!(stands().await);

    let token = right(json!({}), json!({"jti": jti, "sid": "s-1"}));
    assert_eq!(tell(abroad, "one", &token).await.status, 200);
    assert!(!stands().await, "it ended");
    assert_eq!(local.open("/identity").await.page().name(), "identity", "what does not rest on it stands");
    assert_eq!(
        abroad.sandbox.trail_count(&holder, "upstream_signed_out"),
        2,
        "the one for another session told nothing"
    );
    // Heard once: the same token ends no later session.
    abroad.arrive(&visitor, Manner { claims: json!({"sid": "s-1"}), ..Manner::of(&sub) }).await;
    assert_eq!(tell(abroad, "one", &token).await.status, 400);
    assert!(stands().await);
    // By `sid` alone.
    assert_eq!(tell(abroad, "one", &abroad.one.logout_token(json!({}), json!({"sid": "s-1"}))).await.status, 200);
    assert!(!stands().await);
}

#[tokio::test]
async fn up_19_tokens_of_a_session_that_rests_on_it_end_too() {
    let abroad = Abroad::shared();
    let (_, sub) = abroad.linked().await;
    let client = abroad.sandbox.confidential();
    let visitor = abroad.sandbox.visitor();
    abroad.arrive(&visitor, Manner::of(&sub)).await;
    let ask = crate::support::ask::Ask::of(&client).scope("openid");
    let end = visitor.open(&ask.target()).await;
    let code = end.returned().unwrap_or_else(|| panic!("{}", end.page().text)).code();
    let tokens = crate::support::flow::redeemed(&client, ask, code).await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 200);
    assert_eq!(tell(abroad, "one", &abroad.one.logout_token(json!({}), json!({"sub": sub}))).await.status, 200);
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
}
