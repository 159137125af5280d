use std::sync::Arc;
use std::time::Duration;

use super::{Ephemeral, open};
use crate::domain::Span;

/// The memory of this process, and Redis where the suite started one.
fn each() -> Vec<Arc<dyn Ephemeral>> {
    let mut all = vec![open("memory:").unwrap()];
    if let Ok(url) = std::env::var("IDP_TEST_REDIS") {
        all.push(open(&url).unwrap());
    }
    all
}

fn fresh(name: &str) -> String {
    format!("{name}:{}", uuid::Uuid::now_v7())
}

#[tokio::test]
async fn counts_within_a_window_and_starts_anew_after_it() {
    for ephemeral in each() {
        let (key, other) = (fresh("hit"), fresh("hit"));
        for expected in 1..=3 {
            assert_eq!(ephemeral.hit(&key, Span::seconds(5)).await.unwrap(), expected);
        }
        assert_eq!(ephemeral.hit(&other, Span::seconds(5)).await.unwrap(), 1);
        tokio::time::sleep(Duration::from_millis(5100)).await;
        assert_eq!(ephemeral.hit(&key, Span::seconds(5)).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn values_end_are_replaced_and_forgotten_and_are_never_counts() {
    for ephemeral in each() {
        let key = fresh("value");
        assert_eq!(ephemeral.peek(&key).await.unwrap(), None);
        ephemeral.put(&key, "một", Span::seconds(60)).await.unwrap();
        ephemeral.put(&key, "hai", Span::seconds(60)).await.unwrap();
        assert_eq!(ephemeral.peek(&key).await.unwrap().as_deref(), Some("hai"));
        assert_eq!(ephemeral.hit(&key, Span::seconds(60)).await.unwrap(), 1);
        ephemeral.forget(&key).await.unwrap();
        assert_eq!(ephemeral.peek(&key).await.unwrap(), None);
        assert_eq!(ephemeral.hit(&key, Span::seconds(60)).await.unwrap(), 2);
        ephemeral.put(&key, "ba", Span::seconds(1)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(ephemeral.peek(&key).await.unwrap(), None);
        ephemeral.announce("locked", "account").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn simultaneous_hits_are_all_counted() {
    for ephemeral in each() {
        let key = fresh("race");
        let hits: Vec<_> = (0..64)
            .map(|_| {
                let (ephemeral, key) = (ephemeral.clone(), key.clone());
                tokio::spawn(async move { ephemeral.hit(&key, Span::minutes(1)).await.unwrap() })
            })
            .collect();
        let mut seen = Vec::new();
        for hit in hits {
            seen.push(hit.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=64).collect::<Vec<u64>>());
    }
}

#[tokio::test]
async fn a_flood_of_keys_stays_bounded_and_the_newest_is_known() {
    let ephemeral = open("memory:").unwrap();
    for number in 0..80_000 {
        ephemeral.put(&format!("flood:{number}"), "x", Span::minutes(number + 1)).await.unwrap();
    }
    assert_eq!(ephemeral.peek("flood:79999").await.unwrap().as_deref(), Some("x"));
    assert_eq!(ephemeral.peek("flood:0").await.unwrap(), None);
}

#[tokio::test]
async fn d6_a_redis_that_is_not_there_is_a_fault_soon() {
    let ephemeral = open("redis://127.0.0.1:1").unwrap();
    for _ in 0..3 {
        let asked = tokio::time::timeout(Duration::from_secs(1), ephemeral.hit("key", Span::minutes(1)));
        assert!(asked.await.expect("answers in time").is_err());
    }
    let told = ephemeral.hit("key", Span::minutes(1)).await.unwrap_err();
    assert!(told.detail.contains("a moment ago"), "nobody waits for it again so soon: {}", told.detail);
}

#[test]
fn an_unknown_scheme_is_refused() {
    for url in ["", "memory", "rediss:/x", "http://localhost", "sqlite:x"] {
        assert!(open(url).is_err(), "{url}");
    }
}
