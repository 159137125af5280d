//! Clients and keys as the operator turns them.

use super::*;
use crate::domain::relying_party::SigningAlg;
use crate::flow::keys::{self, Pace, Stage};

#[tokio::test]
async fn a_client_keeps_its_secret_its_sector_and_its_suspension() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let first = put(&client_file("portal"), idp).await;
    assert!(first.created);
    assert_eq!(first.secret.as_ref().map(|secret| secret.reveal().len()), Some(43));
    let second = put(&client_file("portal"), idp).await;
    assert!(!second.created && second.secret.is_none());
    let moved = client_file("portal").replace("localhost:8081", "localhost:9999");
    put(&moved, idp).await;
    let Verdict::Done(shown) = client::show(&Id::new("portal"), idp).await.unwrap() else { panic!() };
    assert_eq!(shown["vn_sector"], "localhost:8081");
    let mut other: Value = serde_json::from_str(&moved).unwrap();
    other["vn_sector"] = "elsewhere.vn".into();
    assert!(reason(client::put(&other.to_string(), idp).await.unwrap()).contains("vn_sector is frozen"));

    let id = Id::new("portal");
    assert_eq!(client::suspend(&id, idp).await.unwrap(), Verdict::Done(()));
    put(&client_file("portal"), idp).await;
    let status = async || match client::show(&id, idp).await.unwrap() {
        Verdict::Done(shown) => shown["status"].clone(),
        Verdict::Refused(reason) => panic!("{reason}"),
    };
    assert_eq!(status().await, "suspended");
    assert_eq!(client::resume(&id, idp).await.unwrap(), Verdict::Done(()));
    assert_eq!(status().await, "live");
    assert_eq!(client::close(&id, idp).await.unwrap(), Verdict::Done(()));
    assert!(reason(client::resume(&id, idp).await.unwrap()).contains("closed"));
    assert!(reason(client::put(&client_file("portal"), idp).await.unwrap()).contains("closed"));
    assert!(reason(client::close(&Id::new("none"), idp).await.unwrap()).contains("no client"));
}

#[tokio::test]
async fn a_secret_beside_method_none_and_a_repeated_member_are_refused() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let mut file: Value = serde_json::from_str(&client_file("portal")).unwrap();
    file["token_endpoint_auth_method"] = "none".into();
    file["client_secret"] = "s".repeat(43).into();
    reason(client::put(&file.to_string(), idp).await.unwrap());
    let twice = client_file("portal").replacen('{', r#"{"client_id":"other","#, 1);
    assert!(reason(client::put(&twice, idp).await.unwrap()).contains("client_id"));
    assert!(client::list(idp).await.unwrap().is_empty());
}

#[tokio::test]
async fn rotated_keys_stand_beside_the_old_ones_until_retired() {
    let bench = bench().await;
    let idp = &*bench.idp;
    let before = keys::list(idp).await.unwrap();
    let fresh = keys::rotate(&[SigningAlg::ES256], Pace::Announced, idp).await.unwrap();
    assert_eq!(fresh[0].stage, Stage::Announced);
    assert_eq!(keys::list(idp).await.unwrap().len(), before.len() + 1);
    let old = before.iter().find(|key| key.alg == SigningAlg::ES256).unwrap();
    reason(keys::retire(&old.kid, Pace::Now, idp).await.unwrap());
    bench.clock.advance(Span::hours(24));
    reason(keys::retire(&old.kid, Pace::Announced, idp).await.unwrap());
    bench.clock.advance(Span::hours(25));
    assert_eq!(keys::retire(&old.kid, Pace::Announced, idp).await.unwrap(), Verdict::Done(()));
    let at_once = keys::rotate(&[SigningAlg::ES256], Pace::Now, idp).await.unwrap();
    assert_eq!(at_once[0].use_from, idp.clock.now());
}
