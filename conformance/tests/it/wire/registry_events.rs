//! ND69 Art 29(1), 30(1): what the sample population database tells is applied by itself, within seconds, over real HTTP.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::holder::Holder;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Visitor, pairs};

async fn tell(idp: &Sandbox, holder: &Holder, kind: &str, expires: &str) {
    let register = Visitor::new(&idp.neighbour(7));
    let fields = pairs(&[("person_number", &holder.number), ("kind", kind), ("expires", expires)]);
    let answer = register.post("/append", &fields, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// Which page a new sign-in ends on, once it is this one.
async fn comes_to(idp: &Sandbox, holder: &Holder, page: &str) {
    let client = idp.confidential();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let visitor = idp.visitor();
        let at = visitor.open(&Ask::of(&client).scope("openid profile").target()).await;
        let at = idp.sign_in(&visitor, &at, holder).await;
        if at.page().name() == page {
            return;
        }
        assert!(Instant::now() < end, "{page} never came, but {}", at.page().name());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn d5b_d7_d9_cards_and_deaths_lock_and_open_by_themselves() {
    let idp = Sandbox::fresh();
    let (client, holder) = (idp.confidential(), idp.citizen());
    let tokens = idp.offline_tokens(&client, &holder).await;
    tell(&idp, &holder, "card_revoked", "").await;
    comes_to(&idp, &holder, "locked").await;
    assert_eq!(client.userinfo(tokens.access()).await.status, 401);
    tell(&idp, &holder, "card_returned", "").await;
    comes_to(&idp, &holder, "consent").await;
    assert_eq!(client.refresh(tokens.refresh()).await.json()["error"], "invalid_grant", "LK-14");
    let unlocked = idp.trail(&holder).into_iter().find(|event| event["kind"] == "eid_unlocked").unwrap();
    assert_eq!(unlocked["detail"]["cause"]["kind"], "card_returned", "LK-20");

    let tokens = idp.offline_tokens(&client, &holder).await;
    tell(&idp, &holder, "card_expired", "").await;
    comes_to(&idp, &holder, "card-expired").await;
    tell(&idp, &holder, "card_renewed", "2045-01-01").await;
    comes_to(&idp, &holder, "consent").await;
    assert_eq!(client.refresh(tokens.refresh()).await.json()["error"], "invalid_grant", "property 2");

    tell(&idp, &holder, "death", "").await;
    comes_to(&idp, &holder, "locked").await;
    tell(&idp, &holder, "card_returned", "").await;
    let texts = idp.messages(&holder.phone).await;
    assert_eq!(texts.iter().filter(|text| text.contains("da bi khoa")).count(), 1, "of the card, not of the death");

    let status: Value = serde_json::from_str(&idp.admin_ok(&["registry", "events", "--json"])).unwrap();
    assert_eq!(status["feeds"][0]["feed"], json!("population-register"));
    assert!(status["feeds"][0]["age_seconds"].as_i64().unwrap() < 30, "{status}");
    assert!(!status.to_string().contains(&holder.number));
    let metrics = Visitor::new(&idp.neighbour(1000)).get("/metrics").await.body;
    assert!(metrics.contains("feed_age_seconds"), "the lag is a figure");
}
