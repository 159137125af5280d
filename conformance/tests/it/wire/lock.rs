//! `security.md` 2.17: nothing issued before works after `admin eid lock` returned, and no unlock revives it.

use serde_json::json;

use crate::support::ask::Ask;
use crate::support::flow::{Will, consent_form, redeemed, sign_in_form};
use crate::support::sandbox::Sandbox;
use crate::support::verdict;

#[tokio::test]
async fn lk_01_to_lk_14_everything_is_dead_after_the_lock_and_stays_dead() {
    let idp = Sandbox::shared();
    let (confidential, public, holder) = (idp.confidential(), idp.public(), idp.citizen());
    let mut access = Vec::new();
    let mut refresh = Vec::new();
    let mut visitors = Vec::new();
    for client in [&confidential, &public] {
        for _ in 0..2 {
            let visitor = idp.visitor();
            let ask = Ask::of(client).scope("openid profile offline_access");
            let tokens = idp.tokens(&visitor, client, ask, &holder).await;
            access.push((client, tokens.access().to_owned()));
            refresh.push((client, tokens.refresh().to_owned()));
            visitors.push(visitor);
        }
    }
    // A pending code, a pending consent, a pending OTP, a pending sign-in.
    let pending = Ask::of(&confidential);
    let code = idp.authorize(&visitors[0], &pending, &holder).await.code();
    let fresh_client = idp.confidential();
    let consent = visitors[1].open(&Ask::of(&fresh_client).scope("openid profile").target()).await;
    assert_eq!(consent.page().name(), "consent");
    let demand = json!({"id_token": {"acr": {"essential": true, "value": "urn:vn:eid:muc:2"}}}).to_string();
    let otp = visitors[2].open(&Ask::of(&public).with("claims", &demand).target()).await;
    assert_eq!(otp.page().name(), "otp");
    let digits = idp.otp(&holder.phone).await;
    let stranger = idp.visitor();
    let sign_in = stranger.open(&Ask::of(&public).target()).await;
    // Controls: all of it lives.
    for (client, token) in &access {
        assert_eq!(client.userinfo(token).await.status, 200);
    }

    idp.lock(&holder);

    for round in ["locked", "unlocked again"] {
        verdict::token_error(&confidential.redeem(&code, &pending.verifier).await, 400, "invalid_grant");
        for (client, token) in &refresh {
            verdict::token_error(&client.refresh(token).await, 400, "invalid_grant");
        }
        for (client, token) in &access {
            assert_eq!(client.userinfo(token).await.status, 401, "{round}");
            if client.introspects() {
                assert_eq!(client.introspect(token).await, json!({"active": false}), "{round}");
            }
        }
        for visitor in &visitors {
            let silent = Ask::of(&confidential).with("prompt", "none");
            verdict::redirect(&visitor.get(&silent.target()).await, &confidential, &silent, "login_required");
            assert_eq!(visitor.open(&Ask::of(&confidential).target()).await.page().name(), "sign-in", "{round}");
        }
        let posted = visitors[1].submit(&consent, &consent_form(&consent, Will::AllowAll)).await;
        assert!(posted.returned().is_none_or(|returned| returned.get("code").is_none()), "{round}: LK-10");
        let entered = visitors[2].submit(&otp, &otp.page().press("submit", &[("otp", &digits)], &[])).await;
        assert!(entered.returned().is_none_or(|returned| returned.get("code").is_none()), "{round}: LK-07");
        if round == "locked" {
            // LK-05: sign-in again, then the `locked` page.
            let at = stranger.submit(&sign_in, &sign_in_form(&sign_in, &holder.number, &holder.password)).await;
            assert_eq!(at.page().name(), "locked");
            idp.unlock(&holder);
        }
    }
    // And a new sign-in works.
    let again = idp.offline_tokens(&confidential, &holder).await;
    assert_eq!(confidential.userinfo(again.access()).await.status, 200);
}

#[tokio::test]
async fn lk_08_a_request_pushed_before_the_lock_leads_to_the_locked_page_and_silently_nowhere() {
    let idp = Sandbox::shared();
    let (client, holder, visitor) = (idp.confidential(), idp.citizen(), idp.visitor());
    idp.authorize(&visitor, &Ask::of(&client), &holder).await;
    // Three of each, so that the control spends none of the others.
    let (mut asked, mut silent) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let ask = Ask::of(&client);
        asked.push(client.bring(&client.pushed(&ask).await));
        let ask = ask.with("prompt", "none");
        silent.push((client.bring(&client.pushed(&ask).await), ask));
    }
    for target in [&asked[0], &silent[0].0] {
        assert!(visitor.get(target).await.returned().unwrap().get("code").is_some(), "control");
    }
    idp.lock(&holder);
    let at = visitor.open(&asked[1]).await;
    assert_eq!(at.page().name(), "sign-in", "the session is gone");
    let at = idp.sign_in(&visitor, &at, &holder).await;
    assert_eq!((at.page().name(), at.returned().is_none()), ("locked", true), "{}", at.page().text);
    let (target, ask) = &silent[1];
    verdict::redirect(&visitor.get(target).await, &client, ask, "login_required");
    // LK-14: an unlock brings the request back to life no more than the session it counted on.
    idp.unlock(&holder);
    let (target, ask) = &silent[2];
    verdict::redirect(&visitor.get(target).await, &client, ask, "login_required");
    let at = visitor.open(&asked[2]).await;
    assert_eq!(at.page().name(), "sign-in");
    assert!(idp.sign_in(&visitor, &at, &holder).await.returned().is_some(), "whoever proves it anew goes on");
}

#[tokio::test]
async fn lk_a_lock_is_one_holders_and_counts_in_the_trail() {
    let idp = Sandbox::shared();
    let (client, one, two) = (idp.confidential(), idp.citizen(), idp.citizen());
    let unharmed = idp.offline_tokens(&client, &two).await;
    idp.lock(&one);
    assert_eq!(client.userinfo(unharmed.access()).await.status, 200);
    assert_eq!(client.refresh(unharmed.refresh()).await.status, 200);
    assert_eq!(idp.trail_count(&one, "eid_locked"), 1);
    idp.unlock(&one);
    assert_eq!(idp.trail_count(&one, "eid_unlocked"), 1);
}

#[tokio::test]
async fn lk_two_grounds_need_two_unlocks() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    idp.lock(&holder);
    idp.admin_ok(&["eid", "lock", &holder.number, "--ground", "đ", "--authority", "Tòa án nhân dân"]);
    idp.unlock(&holder);
    let visitor = idp.visitor();
    let at = visitor.open(&Ask::of(&client).target()).await;
    assert_eq!(idp.sign_in(&visitor, &at, &holder).await.page().name(), "locked", "a ground remains");
    idp.admin_ok(&["eid", "unlock", &holder.number, "--ground", "đ", "--authority", "Tòa án nhân dân"]);
    idp.authorize(&idp.visitor(), &Ask::of(&client), &holder).await;
}

#[tokio::test]
async fn lk_sub_survives_a_lock() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let sub = async || {
        let ask = Ask::of(&client);
        let code = idp.authorize(&idp.visitor(), &ask, &holder).await.code();
        crate::support::jwt::claims(redeemed(&client, ask, code).await.id_token())["sub"].clone()
    };
    let before = sub().await;
    idp.lock(&holder);
    idp.unlock(&holder);
    assert_eq!(sub().await, before, "contract 8: never derived, never reused, survives a lock");
}

/// The lock's moment: a stream of requests runs while the command does; none that began after it returned succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p16_no_request_begun_after_the_lock_returned_succeeds() {
    let idp = Sandbox::shared();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    let began = std::time::Instant::now();
    let returned = std::sync::Arc::new(std::sync::OnceLock::new());
    let working = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut streams = Vec::new();
    for kind in 0..4 {
        let (client, tokens, returned) = (client.clone(), tokens.clone(), std::sync::Arc::clone(&returned));
        let working = std::sync::Arc::clone(&working);
        streams.push(tokio::spawn(async move {
            let mut last = std::time::Duration::ZERO;
            loop {
                let start = began.elapsed();
                let alive = match kind % 3 {
                    0 => client.userinfo(tokens.access()).await.status == 200,
                    1 => client.refresh(tokens.refresh()).await.status == 200,
                    _ => client.introspect(tokens.access()).await["active"] == json!(true),
                };
                if alive {
                    if last.is_zero() {
                        working.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    last = last.max(start);
                }
                let end: Option<&std::time::Duration> = returned.get();
                if end.is_some_and(|end| start > *end + std::time::Duration::from_millis(700)) {
                    return last;
                }
            }
        }));
    }
    while working.load(std::sync::atomic::Ordering::Relaxed) < streams.len() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "control: every stream works before the lock");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tokio::task::block_in_place(|| idp.lock(&holder));
    returned.set(began.elapsed()).unwrap();
    for stream in streams {
        let last = stream.await.unwrap();
        assert!(last <= *returned.get().unwrap(), "a request begun after the acknowledgement succeeded");
    }
}
