//! A flood of passwords takes none of the rest: beyond the pool's bound the answer is `busy` with `Retry-After`, at once,
//! and tokens and locks go on (RX-05, N-12, N-13, N-14). What it comes to in figures is the load report's.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::ask::Ask;
use crate::support::flow::sign_in_form;
use crate::support::sandbox::Sandbox;

const FLOOD: usize = 150;

#[tokio::test]
async fn rx_05_a_flood_of_passwords_is_told_to_come_back_and_stops_nothing_else() {
    // One of its own: nobody else's sign-in is to meet the flood.
    let idp = &Sandbox::fresh();
    let client = idp.client(json!({"grant_types": ["authorization_code", "refresh_token"]}));
    let holder = idp.citizen();
    let tokens = idp.offline_tokens(&client, &holder).await;
    let (victim, owner) = (idp.citizen(), idp.citizen());
    // Strangers with numbers nobody has, each at a page of its own, so that no brake stops them but the pool.
    let mut ready = Vec::new();
    for n in 0..FLOOD {
        let visitor = idp.visitor();
        let at = visitor.open(&Ask::of(&client).target()).await;
        let form = sign_in_form(&at, &format!("09907{n:07}"), "đoán mò cho đầy hàng đợi");
        ready.push((visitor, at, form));
    }
    let mut flood = JoinSet::new();
    let begun = Instant::now();
    for (visitor, at, form) in ready {
        flood.spawn(async move {
            let sent = Instant::now();
            (visitor.submit_once(&at, &form, &[]).await, sent.elapsed())
        });
    }
    // Meanwhile: tokens are read, turned, and a lock is acknowledged.
    let reads = async {
        let mut asked = 0;
        while asked < 5 || begun.elapsed() < Duration::from_millis(700) {
            assert_eq!(client.introspect(tokens.access()).await["active"], json!(true));
            assert_eq!(idp.visitor().get("/jwks").await.status, 200);
            asked += 1;
        }
        asked
    };
    // And an owner who does as the page says gets in.
    let visitor = idp.visitor();
    let (owner, asked) = tokio::join!(idp.tokens(&visitor, &client, Ask::of(&client), &owner), reads);
    assert!(!owner.access().is_empty());
    idp.lock(&victim);
    let mut waited = Vec::new();
    let (mut busy, mut evaluated) = (0, 0);
    for (answer, took) in flood.join_all().await {
        match answer.status {
            503 => {
                assert_eq!(answer.page().name(), "busy");
                let after: u32 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
                assert!((1..=60).contains(&after));
                busy += 1;
            }
            200 => {
                assert_eq!(answer.page().name(), "sign-in");
                evaluated += 1;
            }
            other => panic!("{other} in a flood"),
        }
        waited.push(took);
    }
    waited.sort();
    println!(
        "{FLOOD} at once: {evaluated} evaluated, {busy} busy, {asked} rounds of tokens beside, worst {waited:?}",
        waited = waited.last()
    );
    assert!(busy > 0, "the bound was never met");
    assert!(evaluated > 0, "nobody was served");
    assert_eq!(client.refresh(tokens.refresh()).await.status, 200);
    // What was too much is no fault of ours, and a flood does not fill the log.
    assert!(!idp.log().contains("request.fault"), "{}", idp.log());
}
