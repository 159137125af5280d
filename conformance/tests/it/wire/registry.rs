//! The registers in trouble: a request waits and is decided when they are back, and nothing else notices.

use std::time::Duration;

use super::enrol::{MAI, submitted};
use crate::support::holder::{AN, Holder};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Visitor, pairs};

async fn mood(sandbox: &Sandbox, mood: &str) {
    let answer = Visitor::new(&sandbox.neighbour(7)).post("/mood", &pairs(&[("mood", mood)]), &[]).await;
    assert_eq!(answer.status, 303);
}

async fn state(visitor: &Visitor) -> String {
    let page = visitor.open("/enrol").await.page();
    page.all("body").find_map(|body| body.attribute("data-state")).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_register_in_trouble_delays_a_decision_and_touches_no_sign_in() {
    let sandbox = Sandbox::fresh();
    let visitor = sandbox.visitor();
    mood(&sandbox, "down").await;
    submitted(&sandbox, &visitor, MAI, "0912000009").await;
    for trouble in ["down", "slow", "malformed", "repeated", "huge"] {
        mood(&sandbox, trouble).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(state(&visitor).await, "waiting", "{trouble}");
        let stranger = sandbox.visitor();
        let at = stranger.open("/identity").await;
        let signed_in = sandbox.sign_in(&stranger, &at, &Holder::seeded(AN)).await;
        assert_eq!(signed_in.page().name(), "identity", "{trouble}");
    }
    let figures = Visitor::new(&sandbox.neighbour(1000)).get("/metrics").await.body;
    let failed =
        figures.lines().find(|line| line.contains(r#"idp_registry{figure="failed",register="population-register"}"#));
    assert!(failed.is_some_and(|line| !line.ends_with(" 0")), "{failed:?}");
    let refresh = sandbox.admin(&["account", "refresh", AN.0]);
    assert!(refresh.status.success(), "unanswered, not broken: {}", String::from_utf8_lossy(&refresh.stderr));
    mood(&sandbox, "well").await;
    for _ in 0..300 {
        if state(&visitor).await == "granted" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("never decided after the register came back");
}

#[tokio::test]
async fn the_sample_registers_answer_nobody_without_the_credential() {
    let sandbox = Sandbox::shared();
    let registers = Visitor::new(&sandbox.neighbour(7));
    let body = || Some(br#"{"person_number":"099090000001"}"#.to_vec());
    for path in ["/person", "/events", "/tax/person"] {
        let answer = registers.send("POST", path, &[("content-type", "application/json")], body()).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{path}");
    }
}
