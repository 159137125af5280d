//! RFC 9126: requests pushed to `/par`, taken up at `/authorize` and answered once (`security.md` PJ-01 to PJ-07, PJ-16,
//! PJ-17, PK-10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::{Will, redeemed};
use crate::support::relying_party::{Proof, RelyingParty, assertion_fields};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Answer, Visitor, encode, pairs};
use crate::support::{fresh, verdict};

/// A refused `request_uri`: a page, and nothing sent anywhere.
fn refused(answer: &Answer) {
    verdict::page(answer, 400);
    assert_eq!(answer.page().code(), "invalid_request_uri");
}

#[tokio::test]
async fn rfc9126_2_2_control_a_pushed_request_leads_to_tokens() {
    let idp = Sandbox::shared();
    let holder = idp.citizen();
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] {
        let client = idp.client(json!({"token_endpoint_auth_method": method}));
        let ask = Ask::of(&client);
        let answer = client.push(&ask).await;
        assert_eq!(answer.status, 201, "{method}: {}", answer.body);
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        let body = answer.json();
        assert_eq!(body["expires_in"], json!(90));
        let request_uri = body["request_uri"].as_str().unwrap();
        let reference = request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
        assert!(reference.len() == 54 && reference.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        let visitor = idp.visitor();
        let end = visitor.open(&client.bring(request_uri)).await;
        let returned = idp.walk(&visitor, end, &holder, Will::AllowAll).await.returned().expect("an answer");
        assert_eq!((returned.address.as_str(), returned.get("state")), (client.redirect.as_str(), Some(&*ask.state)));
        assert_eq!(returned.get("iss"), Some(idp.issuer.as_str()));
        let tokens = redeemed(&client, ask.clone(), returned.code()).await;
        assert_eq!(idp.verified(tokens.id_token()).await["nonce"], json!(ask.nonce));
    }
}

#[tokio::test]
async fn pj_01_only_a_client_that_proves_itself_may_push() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let ask = Ask::of(&client);
    let bare = RelyingParty { proof: Proof::None, ..client.clone() };
    verdict::token_error(&bare.push(&ask).await, 401, "invalid_client");
    let wrong = RelyingParty { proof: Proof::Basic(fresh()), ..client.clone() };
    verdict::token_error(&wrong.push(&ask).await, 401, "invalid_client");
    let unknown = RelyingParty { id: "nobody".to_owned(), ..client.clone() };
    verdict::token_error(&unknown.push(&ask).await, 401, "invalid_client");
    // The request of another client is not ours to push.
    let other = idp.confidential();
    verdict::token_error(&client.push(&Ask::of(&other)).await, 401, "invalid_client");
    assert_eq!(client.push(&ask).await.status, 201);

    let signed = idp.client(json!({"token_endpoint_auth_method": "private_key_jwt"}));
    let replayed = assertion_fields(&signed.assertion(json!({})));
    let fields: Vec<_> = replayed.into_iter().chain(Ask::of(&signed).fields).collect();
    let first = idp.visitor().post("/par", &fields, &[]).await;
    assert_eq!(first.status, 201, "{}", first.body);
    verdict::token_error(&idp.visitor().post("/par", &fields, &[]).await, 401, "invalid_client");
    // CA-04: one spent here is spent everywhere.
    let mut elsewhere: Vec<_> = fields.iter().filter(|(name, _)| name.starts_with("client_")).cloned().collect();
    elsewhere.extend(pairs(&[("grant_type", "refresh_token"), ("refresh_token", "unknown")]));
    verdict::token_error(&idp.visitor().post("/token", &elsewhere, &[]).await, 401, "invalid_client");
}

#[tokio::test]
async fn pj_02_and_every_rule_of_the_request_holds_when_it_is_pushed() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let good = || Ask::of(&client);
    let uri = client.pushed(&good()).await;
    let rows: Vec<(Ask, &str)> = vec![
        (good().with("request_uri", &uri), "invalid_request"),
        (good().with("request_uri", "https://rp.gov.vn/object"), "invalid_request"),
        (good().with("redirect_uri", "https://evil.vn/"), "invalid_request"),
        (good().without("redirect_uri"), "invalid_request"),
        (good().also("redirect_uri", &client.redirect), "invalid_request"),
        (good().with("response_type", "code id_token"), "unsupported_response_type"),
        (good().without("response_type"), "invalid_request"),
        (good().with("response_mode", "fragment"), "invalid_request"),
        (good().without("code_challenge").without("code_challenge_method"), "invalid_request"),
        (good().with("code_challenge_method", "plain"), "invalid_request"),
        (good().with("scope", "openid vn_health_record"), "invalid_scope"),
        (good().also("state", "twice"), "invalid_request"),
        (good().with("prompt", "none login"), "invalid_request"),
        (good().with("max_age", "-1"), "invalid_request"),
        (good().with("claims", "{"), "invalid_request"),
        (good().with("service", "9.9"), "invalid_request"),
        (good().with("id_token_hint", "a.b.c"), "invalid_request"),
        (good().with("registration", "{}"), "registration_not_supported"),
        (good().with("request", "a.b.c"), "request_not_supported"),
    ];
    for (ask, error) in rows {
        let answer = client.push(&ask).await;
        assert_eq!(answer.json()["error"], json!(error), "{:?}", ask.fields);
        verdict::token_error(&answer, 400, error);
    }
    assert_eq!(client.push(&good()).await.status, 201);
    let by_itself = idp.client(json!({"grant_types": ["client_credentials"], "scope": "reports.read"}));
    verdict::token_error(&by_itself.push(&Ask::of(&by_itself)).await, 400, "unauthorized_client");
}

#[tokio::test]
async fn pj_04_a_reference_is_its_clients_alone() {
    let idp = Sandbox::shared();
    let (a, b, holder) = (idp.confidential(), idp.confidential(), idp.citizen());
    let ask = Ask::of(&a);
    let uri = a.pushed(&ask).await;
    refused(&idp.visitor().get(&b.bring(&uri)).await);
    let target = format!("/authorize?{}", encode(&pairs(&[("request_uri", &uri)])));
    verdict::page(&idp.visitor().get(&target).await, 400);
    let twice = format!("{}&{}", a.bring(&uri), encode(&pairs(&[("request_uri", &uri)])));
    verdict::page(&idp.visitor().get(&twice).await, 400);
    // Still usable by the one it was minted for.
    let visitor = idp.visitor();
    let end = visitor.open(&a.bring(&uri)).await;
    let code = idp.walk(&visitor, end, &holder, Will::AllowAll).await.returned().unwrap().code();
    redeemed(&a, ask, code).await;
}

#[tokio::test]
async fn pj_05_a_reference_lives_as_long_as_it_says() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    let (young, old, open) =
        (client.pushed(&Ask::of(&client)).await, client.pushed(&Ask::of(&client)).await, Ask::of(&client));
    let opened = client.pushed(&open).await;
    let pushed = Instant::now();
    let page = visitor.open(&client.bring(&opened)).await;
    tokio::time::sleep(Duration::from_secs(85)).await;
    assert_eq!(idp.visitor().open(&client.bring(&young)).await.page().name(), "sign-in");
    tokio::time::sleep(Duration::from_secs(91).saturating_sub(pushed.elapsed())).await;
    refused(&idp.visitor().get(&client.bring(&old)).await);
    // Whoever was already signing in may take their time.
    let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
    redeemed(&client, open, returned.code()).await;
}

#[tokio::test]
async fn rfc9126_7_3_used_up_by_its_answer_and_not_by_being_opened() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client);
    let uri = client.pushed(&ask).await;
    let (first, second) = (idp.visitor(), idp.visitor());
    let abandoned = first.open(&client.bring(&uri)).await;
    assert_eq!(abandoned.page().name(), "sign-in");
    let again = second.open(&client.bring(&uri)).await;
    let returned = idp.walk(&second, again, &holder, Will::AllowAll).await.returned().unwrap();
    redeemed(&client, ask, returned.code()).await;
    refused(&second.get(&client.bring(&uri)).await);
    refused(&idp.visitor().get(&client.bring(&uri)).await);
    // The page that was left open cannot answer it a second time.
    let late = idp.walk(&first, abandoned, &idp.citizen(), Will::AllowAll).await;
    assert!(late.returned().is_none());
    refused(&late);
    // An error is an answer too.
    let silent = Ask::of(&client).with("prompt", "none");
    let uri = client.pushed(&silent).await;
    verdict::redirect(&idp.visitor().get(&client.bring(&uri)).await, &client, &silent, "login_required");
    refused(&idp.visitor().get(&client.bring(&uri)).await);
}

#[tokio::test]
async fn pk_10_rfc9126_4_what_stands_beside_the_reference_is_ignored() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let (ask, other) = (Ask::of(&client), Ask::of(&client));
    let mut beside = other.clone().with("scope", "openid profile email").with("response_mode", "fragment");
    beside = beside.with("redirect_uri", "https://evil.vn/cb").with("request", "a.b.c").with("prompt", "none");
    beside = beside.with("request_uri", &client.pushed(&ask).await).also("state", "twice").also("registration", "{}");
    let visitor = idp.visitor();
    let page = visitor.open(&beside.target()).await;
    assert_eq!(page.page().name(), "sign-in", "{}", page.body);
    let returned = idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap();
    assert_eq!((returned.address.as_str(), returned.get("state")), (client.redirect.as_str(), Some(&*ask.state)));
    let code = returned.code();
    // The challenge that was pushed binds the code, and no other.
    verdict::token_error(&client.redeem(&code, &other.verifier).await, 400, "invalid_grant");
    let tokens = redeemed(&client, ask, code).await;
    assert_eq!(tokens.text("scope"), "openid");
}

#[tokio::test]
async fn rfc9126_6_who_must_push_cannot_do_otherwise() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.client(json!({"require_pushed_authorization_requests": true})), idp.citizen());
    let ask = Ask::of(&client);
    verdict::redirect(&idp.visitor().get(&ask.target()).await, &client, &ask, "invalid_request");
    let visitor = idp.visitor();
    let page = visitor.open(&client.bring(&client.pushed(&ask).await)).await;
    assert!(idp.walk(&visitor, page, &holder, Will::AllowAll).await.returned().unwrap().get("code").is_some());
}

#[tokio::test]
async fn a_reference_of_a_client_out_of_service_or_at_another_address_leads_nowhere() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let (one, two) = (client.pushed(&Ask::of(&client)).await, client.pushed(&Ask::of(&client)).await);
    let mut moved = client.metadata.clone();
    moved["redirect_uris"] = json!(["https://rp.gov.vn/elsewhere"]);
    idp.put_client(&moved);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    verdict::page(&idp.visitor().get(&client.bring(&one)).await, 400);
    idp.put_client(&client.metadata);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(idp.visitor().open(&client.bring(&two)).await.page().name(), "sign-in");
    idp.admin_ok(&["client", "suspend", &client.id]);
    verdict::page(&idp.visitor().get(&client.bring(&two)).await, 400);
    verdict::token_error(&client.push(&Ask::of(&client)).await, 401, "invalid_client");
}

#[tokio::test]
async fn contract_4_a_person_number_may_be_hinted_by_par() {
    let idp = Sandbox::shared();
    let (client, holder, other) = (idp.confidential(), idp.citizen(), idp.citizen());
    let visitor = idp.visitor();
    idp.authorize(&visitor, &Ask::of(&client), &other).await;
    for number in [holder.number.as_str(), "099000000000"] {
        let answer = client.push(&Ask::of(&client).with("login_hint", number)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
        let at = idp.visitor().open(&client.bring(&uri)).await;
        assert_eq!(at.page().name(), "sign-in");
        assert!(!at.body.contains(number) && !at.url.as_str().contains(number));
    }
}

#[tokio::test]
async fn pj_16_what_is_no_pushed_request_at_all() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let Proof::Basic(secret) = &client.proof else { unreachable!() };
    let basic = crate::support::relying_party::basic(&client.id, secret);
    for method in ["GET", "PUT", "DELETE", "HEAD"] {
        let answer = idp.visitor().send(method, "/par", &[("authorization", &basic)], None).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    let send = |kind: &'static str, body: String| {
        let basic = basic.clone();
        async move {
            let headers = [("content-type", kind), ("authorization", basic.as_str())];
            idp.visitor().send("POST", "/par", &headers, Some(body.into_bytes())).await
        }
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    let good = encode(&Ask::of(&client).fields);
    let as_json: BTreeMap<_, _> = Ask::of(&client).fields.into_iter().collect();
    assert_eq!(send("application/json", json!(as_json).to_string()).await.status, 415);
    assert_eq!(send("text/plain", good.clone()).await.status, 415);
    assert_eq!(send(FORM, format!("{good}&x={}", "x".repeat(1 << 20))).await.status, 413);
    let many: String = (0..500).map(|n| format!("&p{n}=1")).collect();
    verdict::token_error(&send(FORM, format!("{good}{many}")).await, 400, "invalid_request");
    verdict::token_error(&send(FORM, format!("{good}&x=%zz")).await, 400, "invalid_request");
    assert_eq!(send(FORM, good).await.status, 201);
}

#[tokio::test]
async fn pj_07_references_do_not_repeat_and_cannot_be_guessed() {
    let idp = Sandbox::shared();
    let client = idp.confidential();
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        assert!(seen.insert(client.pushed(&Ask::of(&client)).await));
        let guess = format!("urn:ietf:params:oauth:request_uri:{}", fresh());
        refused(&idp.visitor().get(&client.bring(&guess)).await);
    }
    let real = seen.pop_first().unwrap();
    for near in [real.to_uppercase(), format!("{real}A"), real[..real.len() - 1].to_owned(), format!("{real} ")] {
        assert_ne!(idp.visitor().open(&client.bring(&near)).await.page().name(), "sign-in", "{near}");
    }
    assert_eq!(idp.visitor().open(&client.bring(&real)).await.page().name(), "sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pj_17_a_flood_meets_a_quota_of_its_own_client() {
    const PUSHES: usize = 10_000;
    let idp = Sandbox::fresh();
    let (client, calm) = (idp.confidential(), idp.confidential());
    let body = encode(&Ask::of(&client).fields);
    let (_, header) = client.credentials();
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let (visitor, body, header) = (Visitor::new(&idp.issuer), body.clone(), header.clone().unwrap());
        tasks.spawn(async move {
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", header.as_str())];
            let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
            for _ in 0..PUSHES / 10 {
                let answer = visitor.send("POST", "/par", &headers, Some(body.clone().into_bytes())).await;
                if answer.status == 429 {
                    let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                    assert!((1..=120).contains(&after));
                    assert!(answer.header("cache-control").unwrap().contains("no-store"));
                }
                *seen.entry(answer.status).or_default() += 1;
            }
            seen
        });
    }
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    while let Some(part) = tasks.join_next().await {
        for (status, times) in part.unwrap() {
            *seen.entry(status).or_default() += times;
        }
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [201, 429], "{seen:?}");
    assert_eq!(seen[&201] + seen[&429], PUSHES);
    // Nobody else pays for it.
    assert_eq!(calm.push(&Ask::of(&calm)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc9126_7_3_one_reference_brought_fifty_times_at_once_is_answered_once() {
    const AT_ONCE: usize = 50;
    let idp = Sandbox::fresh();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    let through: Vec<_> = (0..10)
        .map(|_| {
            let other = idp.visitor();
            other.set_cookies(visitor.cookies());
            Arc::new(other)
        })
        .collect();
    for round in 0..20 {
        let ask = Ask::of(&client);
        let target = client.bring(&client.pushed(&ask).await);
        let gate = Arc::new(Barrier::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for n in 0..AT_ONCE {
            let (visitor, target, gate) = (Arc::clone(&through[n % through.len()]), target.clone(), Arc::clone(&gate));
            tasks.spawn(async move {
                gate.wait().await;
                visitor.get(&target).await
            });
        }
        let mut codes = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            let answer = answer.unwrap();
            match answer.returned() {
                Some(returned) => codes.push(returned.code()),
                None => refused(&answer),
            }
        }
        assert_eq!(codes.len(), 1, "round {round}");
        redeemed(&client, ask, codes.remove(0)).await;
    }
}

#[tokio::test]
async fn a_pushed_request_survives_a_restart_and_a_cross_site_post() {
    let idp = Sandbox::fresh();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let ask = Ask::of(&client);
    let uri = client.pushed(&ask).await;
    idp.kill();
    idp.start();
    let visitor = idp.visitor();
    let fields = pairs(&[("client_id", &client.id), ("request_uri", &uri)]);
    let posted = visitor.post("/authorize", &fields, &[("origin", "https://rp.gov.vn")]).await;
    let at = visitor.follow(posted).await;
    let returned = idp.walk(&visitor, at, &holder, Will::AllowAll).await.returned().unwrap();
    redeemed(&client, ask, returned.code()).await;
    refused(&visitor.get(&client.bring(&uri)).await);
    let metadata: Value = idp.visitor().get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["pushed_authorization_request_endpoint"], json!(format!("{}/par", idp.issuer)));
}
