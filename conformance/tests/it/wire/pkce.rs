//! `security.md` 2.3: proof key for code exchange is never stripped or weakened.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::redeemed;
use crate::support::sandbox::Sandbox;
use crate::support::{fresh, sha256_base64url, verdict};

#[tokio::test]
async fn pk_01_no_challenge_is_invalid_request() {
    let idp = Sandbox::shared();
    for client in [idp.public(), idp.confidential()] {
        let ask = Ask::of(&client).without("code_challenge").without("code_challenge_method");
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn pk_02_s256_is_the_only_method() {
    let idp = Sandbox::shared();
    let client = idp.public();
    for method in ["plain", "s256", "S512", ""] {
        let ask = Ask::of(&client).with("code_challenge_method", method);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
    for challenge in ["short", &"a".repeat(44), &"+".repeat(43), &format!("{}=", "a".repeat(42))] {
        let ask = Ask::of(&client).with("code_challenge", challenge);
        verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    }
}

#[tokio::test]
async fn pk_04_and_pk_05_a_wrong_verifier_leaves_the_code_to_its_owner() {
    let idp = Sandbox::shared();
    for client in [idp.public(), idp.confidential()] {
        let holder = idp.citizen();
        let ask = Ask::of(&client);
        let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
        let redirect = client.redirect.as_str();
        let bare = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect)];
        verdict::token_error(&client.call("/token", &bare).await, 400, "invalid_grant");
        for wrong in [fresh(), ask.get("code_challenge").to_owned(), ask.verifier.to_uppercase()] {
            verdict::token_error(&client.redeem(&code, &wrong).await, 400, "invalid_grant");
        }
        redeemed(&client, ask, code).await;
    }
}

#[tokio::test]
async fn pk_05_five_failures_end_the_code() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.public(), idp.citizen());
    let ask = Ask::of(&client);
    let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
    for _ in 0..5 {
        verdict::token_error(&client.redeem(&code, &fresh()).await, 400, "invalid_grant");
    }
    verdict::token_error(&client.redeem(&code, &ask.verifier).await, 400, "invalid_grant");
}

#[tokio::test]
async fn pk_07_a_verifier_for_a_code_without_challenge_is_refused() {
    let idp = Sandbox::shared();
    let client = idp.client(json!({"vn_pkce": "optional"}));
    let holder = idp.citizen();
    let visitor = idp.visitor();
    let bare = || Ask::of(&client).without("code_challenge").without("code_challenge_method");
    let code = idp.authorize(&visitor, &bare(), &holder).await.code();
    verdict::token_error(&client.redeem(&code, &fresh()).await, 400, "invalid_grant");
    // Control: an old library without PKCE works where the operator allowed it.
    let code = idp.authorize(&visitor, &bare(), &holder).await.code();
    let redirect = client.redirect.as_str();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect)];
    assert_eq!(client.call("/token", &fields).await.status, 200);
    // What it does send is enforced, never downgraded.
    let ask = Ask::of(&client);
    let code = idp.authorize(&visitor, &ask, &holder).await.code();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect)];
    verdict::token_error(&client.call("/token", &fields).await, 400, "invalid_grant");
    let ask = Ask::of(&client).with("code_challenge_method", "plain");
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
}

#[tokio::test]
async fn pk_08_codes_and_verifiers_do_not_mix() {
    let idp = Sandbox::shared();
    let client = idp.public();
    let (attacker, victim) = (Ask::of(&client), Ask::of(&client));
    let stolen = idp.authorize(&idp.visitor(), &victim, &idp.citizen()).await.code();
    let own = idp.authorize(&idp.visitor(), &attacker, &idp.citizen()).await.code();
    verdict::token_error(&client.redeem(&stolen, &attacker.verifier).await, 400, "invalid_grant");
    verdict::token_error(&client.redeem(&own, &victim.verifier).await, 400, "invalid_grant");
}

#[tokio::test]
async fn rfc7636_4_1_verifiers_of_every_allowed_length_work_and_no_other() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.public(), idp.citizen(), idp.visitor());
    for (verifier, status) in
        [("a".repeat(43), 200), ("~.-_".repeat(32), 200), ("a".repeat(42), 400), ("a".repeat(129), 400)]
    {
        let mut ask = Ask::of(&client).with("code_challenge", &sha256_base64url(&verifier));
        ask.verifier = verifier;
        let code = idp.authorize(&visitor, &ask, &holder).await.code();
        assert_eq!(client.redeem(&code, &ask.verifier).await.status, status, "{} characters", ask.verifier.len());
    }
}
