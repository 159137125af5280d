//! JARM: answers as signed JWTs, for clients that registered them or pushed their request (`security.md` AZ-07).

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::relying_party::RelyingParty;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Returned};
use crate::support::{jwt, now, verdict};

/// The claims of the one parameter of an answer, its signature verified with the published key.
async fn opened(idp: &Sandbox, returned: &Returned, client: &RelyingParty, alg: &str) -> Value {
    assert_eq!(returned.address, client.redirect);
    let names: Vec<&str> = returned.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["response"], "nothing plain beside it");
    let response = returned.get("response").unwrap();
    assert_eq!(jwt::read(response).0["alg"], json!(alg));
    let claims = idp.verified(response).await;
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(idp.issuer), &json!(client.id)));
    // Session Management §2: every answer says it, in the JWT like beside a code.
    assert!(claims["session_state"].as_str().is_some_and(|state| state.contains('.')), "{claims}");
    let left = claims["exp"].as_i64().unwrap() - now();
    assert!((60..=600).contains(&left), "short, and longer than the code: {left}");
    claims
}

fn code(claims: &Value) -> String {
    let members: Vec<&String> = claims.as_object().unwrap().keys().collect();
    let known = ["iss", "aud", "exp", "code", "state", "session_state"];
    assert!(members.iter().all(|name| known.contains(&name.as_str())), "{members:?}");
    claims["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn jarm_2_3_each_mode_carries_one_signed_answer() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for alg in ["ES256", "PS256", "RS256", "EdDSA"] {
        let client = idp.client(json!({"authorization_signed_response_alg": alg}));
        for (mode, by_form) in [("jwt", false), ("query.jwt", false), ("form_post.jwt", true)] {
            let ask = Ask::of(&client).with("response_mode", mode);
            let returned = idp.authorize(&idp.visitor(), &ask, &holder).await;
            assert_eq!(returned.by_form, by_form, "{mode}");
            let claims = opened(idp, &returned, &client, alg).await;
            assert_eq!(claims["state"], json!(ask.state));
            redeemed(&client, ask, code(&claims)).await;
        }
        // The plain modes stay open to an `oidc` client.
        let plain = idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await;
        assert!(plain.get("response").is_none() && plain.get("code").is_some());
    }
}

#[tokio::test]
async fn jarm_2_1_errors_are_signed_too_and_a_state_not_sent_is_not_made_up() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"authorization_signed_response_alg": "ES256"}));
    for mode in ["jwt", "form_post.jwt"] {
        let base = Ask::of(&client).with("response_mode", mode);
        for (ask, error) in [
            (base.clone().with("prompt", "none"), "login_required"),
            (base.clone().with("scope", "openid vn_health_record"), "invalid_scope"),
            (base.clone().without("code_challenge").without("code_challenge_method"), "invalid_request"),
            (base.clone().with("response_type", "token"), "unsupported_response_type"),
        ] {
            let returned = idp.visitor().get(&ask.target()).await.returned().unwrap();
            let claims = opened(idp, &returned, &client, "ES256").await;
            assert_eq!((&claims["error"], &claims["state"]), (&json!(error), &json!(ask.state)));
            assert!(claims["error_description"].is_string() && claims.get("code").is_none());
        }
        let stateless = base.without("state").with("prompt", "none");
        let returned = idp.visitor().get(&stateless.target()).await.returned().unwrap();
        assert_eq!(opened(idp, &returned, &client, "ES256").await.get("state"), None);
    }
    // The holder who goes back is told to the client the same way.
    let ask = Ask::of(&client).scope("openid profile").with("response_mode", "jwt");
    let visitor = idp.visitor();
    let page = visitor.open(&ask.target()).await;
    let denied = idp.walk(&visitor, page, &idp.citizen(), Will::Deny).await.returned().unwrap();
    assert_eq!(opened(idp, &denied, &client, "ES256").await["error"], json!("access_denied"));
}

#[tokio::test]
async fn az_07_signed_modes_are_not_for_everybody_and_never_in_a_fragment() {
    let idp = Sandbox::shared();
    let (plain, signed) = (idp.confidential(), idp.client(json!({"authorization_signed_response_alg": "ES256"})));
    for mode in ["jwt", "query.jwt", "form_post.jwt", "fragment.jwt", "fragment", "web_message", "JWT"] {
        let ask = Ask::of(&plain).with("response_mode", mode);
        let answer = idp.visitor().get(&ask.target()).await;
        let returned = verdict::redirect(&answer, &plain, &ask, "invalid_request");
        assert!(!returned.by_form, "{mode}");
    }
    for mode in ["fragment.jwt", "fragment"] {
        let ask = Ask::of(&signed).with("response_mode", mode);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &signed, &ask, "invalid_request");
    }
    // An address that is not registered gets nothing, signed or not.
    let ask = Ask::of(&signed).with("response_mode", "form_post.jwt").with("redirect_uri", "https://evil.vn/");
    verdict::page(&idp.visitor().get(&ask.target()).await, 400);
}

#[tokio::test]
async fn contract_4_whoever_pushed_may_ask_for_a_signed_answer() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let ask = Ask::of(&client).with("response_mode", "jwt");
    let page: Answer = visitor.open(&client.bring(&client.pushed(&ask).await)).await;
    let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
    // JARM section 3: RS256 where nothing is registered.
    let claims = opened(idp, &returned, &client, "RS256").await;
    redeemed(&client, ask, code(&claims)).await;
}

#[tokio::test]
async fn rfc8725_3_11_an_answer_is_no_id_token() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"authorization_signed_response_alg": "ES256"}));
    let ask = Ask::of(&client).with("response_mode", "jwt");
    let returned = idp.authorize(&idp.visitor(), &ask, &idp.citizen()).await;
    let hinted = Ask::of(&client).with("id_token_hint", returned.get("response").unwrap());
    verdict::redirect(&idp.visitor().get(&hinted.target()).await, &client, &hinted, "invalid_request");
}
