//! RFC 9101 and OIDC Core §6: requests in signed objects, by value and by a registered reference (`security.md` PJ-08 to
//! PJ-14).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::pushed::{key_of_kind, sign_with};
use crate::support::relying_party::{RelyingParty, key_pair, sign};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Returned, pairs};
use crate::support::{base64url, fresh, now, verdict};

async fn answered(idp: &Sandbox, ask: &Ask) -> Returned {
    let (visitor, holder) = (idp.visitor(), idp.citizen());
    let page = visitor.open(&ask.target()).await;
    let end = idp.walk(&visitor, page, &holder, Will::AllowAll).await;
    end.returned().unwrap_or_else(|| panic!("ended at {:?}: {}", end.page().name(), end.body))
}

/// The object was refused: told to the registered address that stands beside it.
fn refused(answer: &Answer, client: &RelyingParty) -> Returned {
    verdict::redirect_without_state(answer, client, "invalid_request_object")
}

#[tokio::test]
async fn rfc9101_6_control_a_signed_object_by_value_leads_to_tokens() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({}));
    let (inside, outside) = (Ask::of(&client), Ask::of(&client));
    let object = client.object(&inside, json!({"max_age": 300, "claims": {"id_token": {"auth_time": null}}}));
    // Everything inside wins over the same outside (OIDC Core section 6.1).
    let mut both = outside.with("request", &object).with("redirect_uri", "https://evil.vn/");
    both = both.with("scope", "openid profile").with("response_mode", "form_post");
    let returned = answered(idp, &both).await;
    assert_eq!((returned.address.as_str(), returned.get("state")), (client.redirect.as_str(), Some(&*inside.state)));
    // What is absent inside is taken from outside, for this profile alone.
    assert!(returned.by_form);
    let tokens = redeemed(&client, inside.clone(), returned.code()).await;
    assert_eq!((tokens.text("scope"), tokens.ask.nonce.as_str()), ("openid", inside.nonce.as_str()));
    assert_eq!(idp.verified(tokens.id_token()).await["nonce"], json!(inside.nonce));
}

#[tokio::test]
async fn rfc9101_5_client_id_and_object_alone_suffice_and_by_post_and_par_too() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.signing(json!({})), idp.citizen());
    let ask = Ask::of(&client);
    let alone = client.enclosed(&ask, &client.object(&ask, json!({})));
    redeemed(&client, ask.clone(), answered(idp, &alone).await.code()).await;

    let posted = client.enclosed(&ask, &client.object(&ask, json!({})));
    let visitor = idp.visitor();
    let first = visitor.post("/authorize", &posted.fields, &[]).await;
    let page = visitor.follow(first).await;
    let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
    redeemed(&client, ask.clone(), returned.code()).await;

    let uri = client.pushed(&client.enclosed(&ask, &client.object(&ask, json!({})))).await;
    let page = visitor.open(&client.bring(&uri)).await;
    let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
    assert_eq!(returned.get("state"), Some(ask.state.as_str()));
    redeemed(&client, ask, returned.code()).await;
}

#[tokio::test]
async fn pj_10_pj_11_what_an_object_must_say() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({}));
    let other = idp.signing(json!({}));
    let good = |patch: Value| {
        let ask = Ask::of(&client);
        ask.clone().with("request", &client.object(&ask, patch))
    };
    for right in [
        json!({}),
        json!({"nbf": now() + 10, "iat": now() + 10}),
        json!({"aud": ["https://other.vn", idp.issuer]}),
        json!({"exp": now() + 3500}),
        json!({"extra": {"nested": [1]}}),
    ] {
        let page = idp.visitor().open(&good(right.clone()).target()).await;
        assert_eq!(page.page().name(), "sign-in", "{right}: {}", page.body);
    }
    for wrong in [
        json!({"iss": other.id}),
        json!({"aud": "https://other.vn"}),
        json!({"aud": []}),
        json!({"aud": format!("{}/par", idp.issuer)}),
        json!({"exp": now() - 1}),
        json!({"exp": now() + 31_536_000}),
        json!({"exp": "soon"}),
        json!({"nbf": now() + 75}),
        json!({"client_id": other.id}),
        json!({"sub": client.id}),
        json!({"jti": ""}),
        json!({"request": "a.b.c"}),
        json!({"request_uri": "https://rp.gov.vn/o"}),
    ] {
        let ask = good(wrong.clone());
        let returned = refused(&idp.visitor().get(&ask.target()).await, &client);
        assert!(returned.get("error_description").is_some_and(|told| told.starts_with("request object")), "{wrong}");
        verdict::token_error(&client.push(&good(wrong)).await, 400, "invalid_request_object");
    }
    // PJ-11: client_id outside names somebody else, whose page this becomes.
    let ask = Ask::of(&client);
    let foreign = other.enclosed(&ask, &client.object(&ask, json!({})));
    verdict::page(&idp.visitor().get(&foreign.target()).await, 400);
}

#[tokio::test]
async fn ca_11_and_jo_01_only_a_registered_key_with_a_registered_algorithm() {
    let idp = Sandbox::shared();
    let (rsa, rsa_public) = key_of_kind("RSA");
    let (ed, ed_public) = key_of_kind("OKP");
    let (ec, mut set) = key_pair();
    set["keys"].as_array_mut().unwrap().extend([rsa_public, ed_public]);
    let any = idp.client(json!({"jwks": set}));
    let only = idp.client(json!({"jwks": set, "request_object_signing_alg": "PS256"}));
    for client in [&any, &only] {
        let is_only = client.id == only.id;
        let ask = Ask::of(client);
        let claims = || client.object_claims(&ask, json!({}));
        let objects = [
            ("ES256", sign(&ec, &[], &claims())),
            ("RS256", sign_with("RS256", &rsa, &claims())),
            ("PS256", sign_with("PS256", &rsa, &claims())),
            ("EdDSA", sign_with("EdDSA", &ed, &claims())),
        ];
        for (alg, object) in objects {
            let answer = idp.visitor().open(&ask.clone().with("request", &object).target()).await;
            if is_only && alg != "PS256" {
                refused(&answer, client);
            } else {
                assert_eq!(answer.page().name(), "sign-in", "{alg}: {}", answer.body);
            }
        }
        let body = base64url(claims().to_string().as_bytes());
        let (attacker, _) = key_pair();
        let public = serde_json::to_value(attacker.to_public_key().unwrap()).unwrap();
        for bad in [
            format!("{}.{body}.", base64url(br#"{"alg":"none"}"#)),
            format!("{}.{body}.AAAA", base64url(br#"{"alg":"HS256"}"#)),
            sign(&attacker, &[], &claims()),
            sign(&attacker, &[("jwk", public)], &claims()),
            sign(&ec, &[("crit", json!(["x"])), ("x", json!(1))], &claims()),
            "a.b.c".to_owned(),
            "a.b.c.d.e".to_owned(),
        ] {
            refused(&idp.visitor().get(&ask.clone().with("request", &bad).target()).await, client);
            verdict::token_error(&client.push(&ask.clone().with("request", &bad)).await, 400, "invalid_request_object");
        }
    }
}

#[tokio::test]
async fn pj_13_an_object_makes_one_request_also_after_a_restart() {
    let idp = Sandbox::fresh();
    let client = idp.signing(json!({}));
    let ask = Ask::of(&client);
    let object = ask.clone().with("request", &client.object(&ask, json!({})));
    assert_eq!(idp.visitor().open(&object.target()).await.page().name(), "sign-in");
    refused(&idp.visitor().get(&object.target()).await, &client);
    verdict::token_error(&client.push(&object).await, 400, "invalid_request_object");
    idp.kill();
    idp.start();
    refused(&idp.visitor().get(&object.target()).await, &client);
    // What was refused for another reason was not used.
    let kept = client.object(&ask, json!({}));
    let spoilt = ask.clone().without("response_type");
    let twice = client.object(&spoilt, json!({"jti": "same"}));
    verdict::redirect_without_state(
        &idp.visitor().get(&client.enclosed(&ask, &twice).target()).await,
        &client,
        "invalid_request",
    );
    let right = client.object(&ask, json!({"jti": "same"}));
    assert_eq!(client.push(&client.enclosed(&ask, &right)).await.status, 201);
    assert_eq!(client.push(&client.enclosed(&ask, &kept)).await.status, 201);
}

#[tokio::test]
async fn pj_14_types_of_objects() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({}));
    for (typ, good) in [
        (Value::Null, true),
        (json!("JWT"), true),
        (json!("oauth-authz-req+jwt"), true),
        (json!("dpop+jwt"), false),
        (json!("client-authentication+jwt"), false),
        (json!("logout+jwt"), false),
    ] {
        let ask = Ask::of(&client);
        let object = sign(client.key(), &[("typ", typ.clone())], &client.object_claims(&ask, json!({})));
        let answer = idp.visitor().open(&ask.with("request", &object).target()).await;
        if good { assert_eq!(answer.page().name(), "sign-in", "{typ}") } else { drop(refused(&answer, &client)) }
    }
    // A client assertion is no request object, and the other way round.
    let ask = Ask::of(&client).with("request", &client.assertion(json!({})));
    refused(&idp.visitor().get(&ask.target()).await, &client);
}

#[tokio::test]
async fn protocol_1_1_an_unregistered_address_inside_is_a_page_whatever_stands_outside() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({}));
    let ask = Ask::of(&client);
    for patch in [json!({"redirect_uri": "https://evil.vn/"}), json!({"redirect_uri": "https://evil.vn/", "exp": 1})] {
        let outside = ask.clone().with("request", &client.object(&ask, patch));
        verdict::page(&idp.visitor().get(&outside.target()).await, 400);
    }
    // Where nothing can be believed and nothing stands outside, there is no address either.
    verdict::page(&idp.visitor().get(&client.enclosed(&ask, "a.b.c").target()).await, 400);
}

#[tokio::test]
async fn rfc9101_10_5_who_must_sign_cannot_do_otherwise() {
    let idp = Sandbox::shared();
    let client = idp.signing(json!({"require_signed_request_object": true}));
    let ask = Ask::of(&client);
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    verdict::token_error(&client.push(&ask).await, 400, "invalid_request");
    let signed = client.enclosed(&ask, &client.object(&ask, json!({})));
    assert_eq!(client.push(&signed).await.status, 201);
}

/// Serves one object at a loopback address of its own, as often as asked.
fn serve(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://localhost:{}/object", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut asked = [0; 4096];
            let read = connection.read(&mut asked).unwrap();
            let line = String::from_utf8_lossy(&asked[..read]).lines().next().unwrap_or_default().to_owned();
            assert_eq!(line, "GET /object HTTP/1.1", "the fragment stays here");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop(connection.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    address
}

#[tokio::test]
async fn pj_08_oidc_core_6_2_by_reference_only_where_it_is_registered_byte_for_byte() {
    let idp = Sandbox::shared();
    let mut client = idp.signing(json!({}));
    let ask = Ask::of(&client);
    let served = serve(client.object(&ask, json!({"jti": null})));
    let registered = format!("{served}#v1");
    client.metadata["request_uris"] = json!([registered]);
    idp.put_client(&client.metadata);
    tokio::time::sleep(Duration::from_millis(1200)).await;

    let by = |uri: &str| Ask { fields: pairs(&[("client_id", &client.id), ("request_uri", uri)]), ..ask.clone() };
    let returned = answered(idp, &by(&registered)).await;
    assert_eq!(returned.get("state"), Some(ask.state.as_str()));
    redeemed(&client, ask.clone(), returned.code()).await;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/object", listener.local_addr().unwrap());
    for uri in [&served, &format!("{served}#v2"), &format!("{served}?x#v1"), &elsewhere, "file:///etc/passwd"] {
        let answer = idp.visitor().get(&by(uri).target()).await;
        verdict::page(&answer, 400);
        assert_eq!(answer.page().code(), "request_uri_not_supported", "{uri}");
        let beside = ask.clone().with("request_uri", uri);
        verdict::redirect(&idp.visitor().get(&beside.target()).await, &client, &ask, "request_uri_not_supported");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(listener.accept().is_err(), "no outbound connection");
    let both = ask.clone().with("request_uri", &registered).with("request", "a.b.c");
    verdict::redirect(&idp.visitor().get(&both.target()).await, &client, &ask, "invalid_request");
    verdict::token_error(&client.push(&by(&registered)).await, 400, "invalid_request");
}

#[tokio::test]
async fn rfc9101_5_2_3_what_stands_at_the_reference_must_hold_too() {
    let idp = Sandbox::shared();
    let mut client = idp.signing(json!({}));
    let ask = Ask::of(&client);
    let (attacker, _) = key_pair();
    let forged = serve(sign(&attacker, &[], &client.object_claims(&ask, json!({}))));
    let unsigned = serve(format!("{}.{}.", base64url(br#"{"alg":"none"}"#), base64url(fresh().as_bytes())));
    let long = serve("x".repeat(70_000));
    let nobody = "http://localhost:9/object".to_owned();
    client.metadata["request_uris"] = json!([forged, unsigned, long, nobody]);
    idp.put_client(&client.metadata);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    for (uri, error) in [
        (&forged, "invalid_request_object"),
        (&unsigned, "invalid_request_object"),
        (&long, "invalid_request_uri"),
        (&nobody, "invalid_request_uri"),
    ] {
        let beside = ask.clone().with("request_uri", uri);
        verdict::redirect(&idp.visitor().get(&beside.target()).await, &client, &ask, error);
    }
}
