//! Notices from the act to the portal's door, on a store of its own each.

use serde_json::Value;

use super::fixtures::{AN, bench, benches, door, open, order, until};
use super::*;
use crate::clock::Clock;
use crate::domain::account::Account;
use crate::domain::secret::Stored;
use crate::domain::{Moment, PersonNumber};
use crate::flow::{consent, eid_lock};
use crate::telemetry::Stopwatch;

#[tokio::test]
async fn lo_08_sign_out_tells_every_client_of_the_session_its_own_sub_and_sid() {
    for bench in benches().await {
        let (one, two) = (door(&[200]), door(&[204]));
        bench.register("one", Some(&one.address), false).await;
        bench.register("two", Some(&two.address), true).await;
        bench.register("deaf", None, false).await;
        let session = bench.session("s", &["one", "two", "deaf"]).await;
        let other = bench.session("t", &["one"]).await;
        bench.sign_out(&session).await;
        assert_eq!(bench.waiting().await.len(), 2);
        bench.round().await;
        for (door, client) in [(&one, "one"), (&two, "two")] {
            let tokens = door.tokens();
            let [(header, claims)] = tokens.as_slice() else { panic!("{tokens:?}") };
            assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("logout+jwt"), Some("ES256")));
            assert_eq!(claims["aud"], client);
            assert_eq!(
                (&claims["sub"], &claims["sid"]),
                (&json!(format!("sub-{client}")), &json!(format!("s-{client}")))
            );
            assert!(claims.get("nonce").is_none() && claims["jti"].as_str().is_some_and(|jti| jti.len() == 43));
        }
        // RFC 8725 §3.11: it is no ID token of ours, though the same key signed it.
        let token = one.heard.lock().unwrap()[0].trim_start_matches("logout_token=").to_owned();
        assert!(bench.idp.ring.verify_own(&token).is_none());
        assert!(bench.waiting().await.is_empty(), "nothing is told twice");
        bench.sign_out(&session).await;
        assert!(bench.waiting().await.is_empty(), "a session ends once");
        let told = bench.remembered().await;
        assert_eq!(told.len(), 2);
        let detail = json!({"cause": "signed_out", "outcome": "told", "attempts": 1});
        assert!(told.iter().all(|(kind, found)| *kind == Kind::LogoutTold && *found == detail), "{told:?}");
        let live = bench.idp.store.read(move |db| store::session::find(db, &other.id)).await.unwrap().unwrap();
        assert!(live.ended_at.is_none(), "never other devices");
    }
}

#[tokio::test]
async fn n_28_lo_07_three_attempts_then_it_is_given_up() {
    for bench in benches().await {
        let (broken, stubborn, late) = (door(&[500]), door(&[400]), door(&[503, 302, 200]));
        for (id, door) in [("broken", &broken), ("stubborn", &stubborn), ("late", &late)] {
            bench.register(id, Some(&door.address), false).await;
        }
        bench.sign_out(&bench.session("s", &["broken", "stubborn", "late"]).await).await;
        for (pause, attempts, left) in [(0, 1, 2), (4, 1, 2), (1, 2, 2), (59, 2, 2), (1, 3, 0), (300, 3, 0)] {
            bench.clock.advance(Span::seconds(pause));
            bench.round().await;
            assert_eq!((broken.count(), late.count(), stubborn.count()), (attempts, attempts, 1));
            assert_eq!(bench.waiting().await.len(), left, "{attempts}");
        }
        let mut outcomes: Vec<(Kind, String, i64)> = bench
            .remembered()
            .await
            .into_iter()
            .map(|(kind, detail)| {
                (kind, detail["outcome"].as_str().unwrap().to_owned(), detail["attempts"].as_i64().unwrap())
            })
            .collect();
        outcomes.sort_by(|a, b| a.1.cmp(&b.1));
        let expected = [
            (Kind::LogoutNotTold, "refused".to_owned(), 1),
            (Kind::LogoutTold, "told".to_owned(), 3),
            (Kind::LogoutNotTold, "unanswered".to_owned(), 3),
        ];
        assert_eq!(outcomes, expected);
        // Each attempt is a token of its own.
        let jtis: std::collections::BTreeSet<String> =
            late.tokens().iter().map(|(_, claims)| claims["jti"].to_string()).collect();
        assert_eq!(jtis.len(), 3);
    }
}

#[tokio::test]
async fn two_servers_tell_once_and_one_takes_over_from_a_dead_one() {
    for bench in benches().await {
        let portal = door(&[200]);
        bench.register("rp", Some(&portal.address), false).await;
        let second = open(&bench.config, &bench.clock).await;
        for number in 0..20 {
            bench.sign_out(&bench.session(&format!("s{number}"), &["rp"]).await).await;
        }
        let (here, there) = tokio::join!(round(&bench.idp), round(&second));
        here.unwrap();
        there.unwrap();
        until(|| portal.count() >= 20).await;
        until(|| [&bench.idp, &second].iter().all(|idp| idp.desk.under_way.lock().unwrap().is_empty())).await;
        bench.round().await;
        assert_eq!(portal.count(), 20, "each once");
        assert!(bench.waiting().await.is_empty());

        // A server claims and dies: nobody else sends while it might still, then somebody does.
        bench.sign_out(&bench.session("last", &["rp"]).await).await;
        let now = bench.clock.now();
        let claimed = bench
            .idp
            .store
            .transact(move |db| {
                let due = store::outbox::due(db, now, &[], 10)?;
                let claimed = store::outbox::claim(db, &due[0], now + LEASE)?.expect("the first");
                assert!(store::outbox::claim(db, &due[0], now + LEASE)?.is_none(), "one claims");
                Ok(claimed)
            })
            .await
            .unwrap();
        bench.clock.advance(Span::seconds(LEASE.as_seconds() - 1));
        round(&second).await.unwrap();
        assert_eq!(portal.count(), 20);
        bench.clock.advance(Span::seconds(1));
        round(&second).await.unwrap();
        until(|| portal.count() == 21).await;
        until(|| second.desk.under_way.lock().unwrap().is_empty()).await;
        assert!(bench.waiting().await.is_empty());
        // What the dead one would still have said of it counts for nothing.
        let finished = bench.idp.store.transact(move |db| store::outbox::finish(db, &claimed)).await.unwrap();
        assert!(!finished);
        assert_eq!(bench.remembered().await.len(), 21);
    }
}

#[tokio::test]
async fn lo_07_a_silent_portal_holds_up_only_itself() {
    let bench = bench(None).await;
    let (silent, quick) = (door(&[0]), door(&[200]));
    bench.register("silent", Some(&silent.address), false).await;
    bench.register("quick", Some(&quick.address), false).await;
    for number in 0..3 * MOST_PER_CLIENT {
        bench.sign_out(&bench.session(&format!("s{number}"), &["silent"]).await).await;
    }
    bench.sign_out(&bench.session("q", &["quick"]).await).await;
    let begun = Stopwatch::start();
    round(&bench.idp).await.unwrap();
    until(|| quick.count() == 1).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    until(|| silent.count() == MOST_PER_CLIENT).await;
    assert_eq!(bench.idp.desk.busy(), ["silent"]);
    // After two seconds the first are over, and make room for more.
    until(|| bench.idp.desk.busy().is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    round(&bench.idp).await.unwrap();
    until(|| silent.count() > MOST_PER_CLIENT).await;
}

#[tokio::test]
async fn contract_8_a_lock_says_sub_only_and_a_withdrawal_only_one_client() {
    for bench in benches().await {
        let (one, two) = (door(&[200]), door(&[200]));
        bench.register("one", Some(&one.address), false).await;
        bench.register("two", Some(&two.address), true).await;
        let session = bench.session("s", &["one", "two"]).await;
        bench.session("t", &["two"]).await;
        for client in ["one", "two"] {
            let (account, client) = (session.account.clone(), Id::new(client));
            let given = consent_of(&account, &client, bench.clock.now());
            bench.idp.store.transact(move |db| store::consent::record(db, &given.0, &given.1)).await.unwrap();
        }
        let withdraw = async |client: &str| {
            consent::withdraw(session.account.clone(), Id::new(client), session.id.clone(), &bench.idp).await
        };
        assert!(withdraw("one").await.unwrap());
        bench.round().await;
        assert_eq!((one.count(), two.count()), (1, 0));
        assert!(one.tokens()[0].1.get("sid").is_none());
        assert!(!withdraw("one").await.unwrap(), "once");
        // A client that goes by sessions hears of each.
        assert!(withdraw("two").await.unwrap());
        bench.round().await;
        let mut sids: Vec<String> = two.tokens().iter().map(|(_, claims)| claims["sid"].to_string()).collect();
        sids.sort();
        assert_eq!((one.count(), sids), (1, vec!["\"s-two\"".to_owned(), "\"t-two\"".to_owned()]));

        let number = PersonNumber::parse(AN).unwrap();
        eid_lock::lock(&number, order(), &bench.idp).await.unwrap();
        bench.round().await;
        assert_eq!((one.count(), two.count()), (2, 3));
        for (door, at) in [(&one, 1), (&two, 2)] {
            let claims = &door.tokens()[at].1;
            assert!(claims.get("sid").is_none() && claims["sub"].is_string(), "{claims}");
        }
        assert_eq!(bench.remembered().await.last().unwrap().1["cause"], "eid_locked");
    }
}

fn consent_of(
    account: &Id<Account>,
    client: &Id<Client>,
    at: Moment,
) -> (crate::domain::consent::Consent, crate::domain::consent::Receipt) {
    let consent = crate::domain::consent::Consent {
        id: Id::new(format!("consent-{client}")),
        account: account.clone(),
        client: client.clone(),
        purpose: "p".to_owned(),
        asked: Default::default(),
        granted: Default::default(),
        decided_at: at,
    };
    let receipt = crate::domain::consent::Receipt {
        actor: None,
        purpose: "p".to_owned(),
        asked: Default::default(),
        granted: Default::default(),
        legal_basis: crate::domain::relying_party::LegalBasis::Consent,
        text_hash: "hash".to_owned(),
        language: "vi".to_owned(),
        authentication_level: 1,
    };
    (consent, receipt)
}

#[tokio::test]
async fn a_client_that_closed_or_moved_is_not_called_where_it_was() {
    let bench = bench(None).await;
    let (old, new, closed) = (door(&[200]), door(&[200]), door(&[200]));
    bench.register("moved", Some(&old.address), false).await;
    bench.register("gone", Some(&old.address), false).await;
    bench.register("closed", Some(&closed.address), false).await;
    bench.sign_out(&bench.session("s", &["moved", "gone", "closed"]).await).await;
    bench.register("moved", Some(&new.address), false).await;
    bench.register("gone", None, false).await;
    let id = Id::new("closed");
    bench.idp.store.transact(move |db| store::client::set_status(db, &id, ClientStatus::Closed)).await.unwrap();
    bench.round().await;
    assert_eq!((old.count(), new.count(), closed.count()), (0, 1, 0));
    let outcomes: Vec<Value> =
        bench.remembered().await.into_iter().map(|(_, detail)| detail["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "no_address").count(), 2, "{outcomes:?}");
    assert!(bench.waiting().await.is_empty());
}

#[tokio::test]
async fn lo_07_an_address_inside_is_never_called() {
    let bench = bench(None).await;
    let inside = door(&[200]);
    // Named, so that it is found out only when the name is resolved.
    let named = inside.address.replace("http://127.0.0.1", "https://localhost");
    bench.register("rp", Some(&named), false).await;
    bench.sign_out(&bench.session("s", &["rp"]).await).await;
    for pause in [0, 5, 60] {
        bench.clock.advance(Span::seconds(pause));
        bench.round().await;
    }
    assert_eq!(inside.count(), 0);
    assert_eq!(bench.remembered().await[0].1["outcome"], "unanswered");
}

/// The session ran out here while a portal still showed pages: signing out there ends it everywhere.
#[tokio::test]
async fn a_session_that_ran_out_is_still_signed_out() {
    let bench = bench(None).await;
    let portal = door(&[200]);
    bench.register("rp", Some(&portal.address), false).await;
    let session = bench.session("s", &["rp"]).await;
    bench.clock.advance(Span::days(2));
    let browser = crate::flow::Browser { session: Some(Stored::of("s")), ..Default::default() };
    let params = crate::protocol::Params::parse("").unwrap();
    for told in [1, 1] {
        crate::flow::logout::end(&params, true, &browser, &bench.idp).await.unwrap();
        bench.round().await;
        assert_eq!(portal.count(), told);
    }
    let ended = bench.idp.store.read(move |db| store::session::find(db, &session.id)).await.unwrap().unwrap();
    assert_eq!(ended.ended_at, Some(bench.clock.now()));
}
