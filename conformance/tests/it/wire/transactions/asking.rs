//! Ways to ask for a transaction, and who may.

use super::*;
use crate::support::relying_party::sign;
use crate::wire::register::{invite, register, registered};

/// Every shape that is not the one, with what is told of it.
fn wrong() -> Vec<(Value, &'static str)> {
    let mut rows = vec![
        (json!({}), "is not a JSON array"),
        (json!([]), "is empty"),
        (json!([details("a")[0], details("b")[0]]), "holds more than one transaction"),
        (json!(["vn_transaction"]), "holds what is not an object"),
        (json!("x".repeat(9_000)), "is too large"),
    ];
    for (member, value, told) in [
        ("type", json!("payment_initiation"), "type is not known"),
        ("locations", json!(["https://api.gov.vn"]), "member locations is not known"),
        ("identifier", json!("with space"), "identifier is not"),
        ("identifier", Value::Null, "identifier is not text"),
        ("text", json!({"en": "only"}), "vi is missing"),
        ("text", json!({"vi": "gi\u{202e}ả"}), "text vi is not"),
        ("amount", json!({"currency": "VND", "value": 5}), "value is not text"),
        ("payee", json!(["a"]), "payee is not text"),
    ] {
        let mut one = details("a");
        one[0][member] = value;
        rows.push((one, told));
    }
    rows
}

#[tokio::test]
async fn rfc9396_5_whatever_is_not_the_one_shape_is_refused_everywhere() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({"authorization_details_types": ["vn_transaction"]}));
    for (details, told) in wrong() {
        let ask = asking(&client, &details);
        let enclosed = client.enclosed(&ask, &client.object(&ask, json!({"authorization_details": details})));
        let mut ways = Vec::new();
        // Neither an address nor a signed object may be so long.
        if told != "is too large" {
            ways.extend([idp.visitor().get(&ask.target()).await, idp.visitor().get(&enclosed.target()).await]);
        }
        let posted = idp.visitor();
        let stored = posted.post("/authorize", &ask.fields, &[]).await;
        ways.push(posted.follow(stored).await);
        for answer in ways {
            let returned = verdict::redirect(&answer, &client, &ask, "invalid_authorization_details");
            let why = returned.get("error_description").unwrap().to_owned();
            assert!(why.starts_with(&format!("authorization_details {told}")), "{why}");
        }
        for pushed in [&ask, &enclosed].into_iter().take(if told == "is too large" { 1 } else { 2 }) {
            let answer = client.push(pushed).await;
            verdict::token_error(&answer, 400, "invalid_authorization_details");
            assert!(answer.json()["error_description"].as_str().unwrap().contains(told), "{}", answer.body);
        }
    }
    // A repeated parameter is refused like any other.
    let twice = asking(&client, &details("a")).also("authorization_details", "[]");
    verdict::redirect(&idp.visitor().get(&twice.target()).await, &client, &twice, "invalid_request");
    verdict::token_error(&client.push(&twice).await, 400, "invalid_request");
    // Nothing of all this used the reference up.
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    approved(idp, &visitor, &client, asking(&client, &details("a")), &holder).await;
}

#[tokio::test]
async fn rfc9396_3_by_query_by_form_pushed_and_signed() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({"authorization_details_types": ["vn_transaction"]}));
    for way in ["query", "form", "pushed", "object", "pushed object", "object of text"] {
        let visitor = idp.visitor();
        let details = details(&reference());
        let ask = asking(&client, &details);
        let array = json!({"authorization_details": details});
        let object = || client.enclosed(&ask, &client.object(&ask, array.clone()));
        let first = match way {
            "form" => {
                let stored = visitor.post("/authorize", &ask.fields, &[]).await;
                visitor.follow(stored).await
            }
            "pushed" => visitor.open(&client.bring(&client.pushed(&ask).await)).await,
            "object" => visitor.open(&object().target()).await,
            "pushed object" => visitor.open(&client.bring(&client.pushed(&object()).await)).await,
            "object of text" => visitor.open(&client.enclosed(&ask, &client.object(&ask, json!({}))).target()).await,
            _ => visitor.open(&ask.target()).await,
        };
        // A holder for each: codes to one phone are bounded.
        let at = idp.walk(&visitor, first, &idp.citizen(), Will::AllowAll).await;
        assert_eq!(at.page().name(), "transaction", "{way}");
        let code = press(&visitor, &at, "allow").await.returned().unwrap().code();
        let tokens = redeemed(&client, ask, code).await;
        assert_eq!(tokens.body["authorization_details"], details, "{way}");
    }
    // A signature that is not the client's asks for nothing.
    let ask = asking(&client, &details(&reference()));
    let (foreign, _) = crate::support::relying_party::key_pair();
    let forged = sign(&foreign, &[], &client.object_claims(&ask, json!({})));
    let enclosed = client.enclosed(&ask, &forged);
    verdict::token_error(&client.push(&enclosed).await, 400, "invalid_request_object");
}

#[tokio::test]
async fn fapi2_pushed_signed_and_answered_by_jarm() {
    let idp = Sandbox::shared();
    for (profile, mode) in [("fapi2", None), ("fapi2_message_signing", Some("jwt"))] {
        let client = idp.signing(json!({
            "vn_profile": profile, "id_token_signed_response_alg": null, "authorization_details_types": ["vn_transaction"],
            "authorization_signed_response_alg": mode.map(|_| "ES256"),
        }));
        let (holder, visitor) = (idp.citizen(), idp.visitor());
        let details = details(&reference());
        let ask = asking(&client, &details);
        let ask = mode.map_or(ask.clone(), |mode| ask.with("response_mode", mode));
        refused_directly(idp, &client, &ask, mode).await;
        let proper = match mode {
            None => ask.clone(),
            Some(_) => client.enclosed(&ask, &client.object(&ask, json!({"authorization_details": details}))),
        };
        let at = visitor.open(&client.bring(&client.pushed(&proper).await)).await;
        let at = idp.walk(&visitor, at, &holder, Will::AllowAll).await;
        assert_eq!(at.page().name(), "transaction", "{profile}");
        let returned = press(&visitor, &at, "allow").await.returned().unwrap();
        match mode {
            None => assert!(returned.get("code").is_some()),
            Some(_) => assert!(idp.verified(returned.get("response").unwrap()).await["code"].is_string()),
        }
    }
}

/// FAPI takes nothing that was not pushed, a transaction neither.
async fn refused_directly(idp: &Sandbox, client: &RelyingParty, ask: &Ask, mode: Option<&str>) {
    let answer = idp.visitor().get(&ask.target()).await;
    if mode.is_none() {
        verdict::redirect(&answer, client, ask, "invalid_request");
    } else {
        let response = answer.returned().unwrap();
        let told = idp.verified(response.get("response").unwrap()).await;
        assert_eq!(told["error"], json!("invalid_request"));
    }
}

#[tokio::test]
async fn rfc9396_10_only_clients_that_registered_the_type() {
    let idp = Sandbox::shared();
    let plain = idp.confidential();
    let ask = asking(&plain, &details(&reference()));
    let answer = idp.visitor().get(&ask.target()).await;
    let returned = verdict::redirect(&answer, &plain, &ask, "invalid_authorization_details");
    assert!(returned.get("error_description").unwrap().contains("not registered"), "{returned:?}");
    verdict::token_error(&plain.push(&ask).await, 400, "invalid_authorization_details");
    // Taken away, what was pushed before is the only thing left of it.
    let mut unknown = plain.metadata.clone();
    unknown["authorization_details_types"] = json!(["payment_initiation"]);
    assert!(idp.refuses_client(&unknown).is_some_and(|why| why.contains("authorization_details_types")));
    unknown["authorization_details_types"] = json!(["vn_transaction"]);
    assert_eq!(idp.refuses_client(&unknown), None);
    assert_eq!(plain.push(&ask).await.status, 201);

    // By `/register` only as far as the invitation allows, which is not at all unless it says so.
    let closed = invite(idp, &["--uses", "9"]);
    let wish = json!({"authorization_details_types": ["vn_transaction"]});
    let answer = register(idp, &closed.token, wish.clone()).await;
    verdict::token_error(&answer, 400, "invalid_client_metadata");
    let without = registered(idp, &closed.token, json!({})).await;
    assert_eq!(without.get("authorization_details_types"), None);
    let open = invite(idp, &["--uses", "9", "--authorization-details-types", "vn_transaction"]);
    for patch in [wish, json!({})] {
        let told = registered(idp, &open.token, patch).await;
        assert_eq!(told["authorization_details_types"], json!(["vn_transaction"]));
    }
    let none = registered(idp, &open.token, json!({"authorization_details_types": []})).await;
    assert_eq!(none.get("authorization_details_types"), None, "less than allowed");
    for document in ["openid-configuration", "oauth-authorization-server"] {
        let metadata = idp.visitor().get(&format!("/.well-known/{document}")).await.json();
        assert_eq!(metadata["authorization_details_types_supported"], json!(["vn_transaction"]));
    }
}

#[tokio::test]
async fn rfc9396_6_the_token_endpoint_takes_none() {
    let idp = Sandbox::shared();
    let client = payer(
        idp,
        json!({"grant_types": ["authorization_code", "refresh_token", "client_credentials"], "scope": "openid offline_access reports.read"}),
    );
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let asked = details(&reference());
    let text = asked.to_string();
    let ask = asking(&client, &asked);
    let at = at_page(idp, &visitor, &ask, &holder).await;
    let code = press(&visitor, &at, "allow").await.returned().unwrap().code();
    for value in [text.as_str(), "[]", "x"] {
        let mut fields = client.redemption(&code, &ask.verifier).to_vec();
        fields.push(("authorization_details", value));
        verdict::token_error(&client.call("/token", &fields).await, 400, "invalid_authorization_details");
    }
    let tokens = redeemed(&client, ask, code).await;
    assert_eq!(tokens.body["authorization_details"], asked, "nothing was used up");
    let offline = idp.tokens(&visitor, &client, Ask::of(&client).scope("openid offline_access"), &holder).await;
    let details = ("authorization_details", text.as_str());
    for grant in [
        vec![("grant_type", "refresh_token"), ("refresh_token", offline.refresh()), details],
        vec![("grant_type", "client_credentials"), details],
    ] {
        verdict::token_error(&client.call("/token", &grant).await, 400, "invalid_authorization_details");
        let answer = client.call("/token", &grant[..grant.len() - 1]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json().get("authorization_details"), None);
    }
}
