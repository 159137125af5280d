use super::super::{pushed, retention};
use super::sessions::request;
use super::*;
use crate::domain::request::PushedRequest;

fn push(text: &str) -> PushedRequest {
    PushedRequest { reference: Stored::of(text), request: request(), expires_at: t(1_090), spent_at: None }
}

#[tokio::test]
async fn rfc9126_a_pushed_request_is_kept_held_and_answered_once() {
    within(|db| {
        let asked = push("a");
        pushed::put(db, &asked)?;
        let found = pushed::find(db, &asked.reference)?.expect("found");
        assert_eq!((&found.request, found.expires_at, found.spent_at), (&asked.request, t(1_090), None));
        assert!(pushed::find(db, &Stored::of("b"))?.is_none());
        pushed::hold(db, &asked.reference, t(2_900))?;
        pushed::hold(db, &asked.reference, t(2_000))?;
        assert_eq!(retention::sweep(db, t(2_900))?, 0, "held, and never for less");
        assert!(pushed::spend(db, &asked.reference, t(2_800))?);
        assert!(!pushed::spend(db, &asked.reference, t(2_801))?);
        assert_eq!(pushed::find(db, &asked.reference)?.and_then(|found| found.spent_at), Some(t(2_800)));
        assert_eq!(retention::sweep(db, t(2_901))?, 1);
        assert!(!pushed::spend(db, &asked.reference, t(2_902))?, "what is gone was answered");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_nobody_came_for_goes_when_it_expires() {
    within(|db| {
        for n in 0..3 {
            pushed::put(db, &push(&format!("p{n}")))?;
        }
        assert_eq!(pushed::sweep(db, t(1_090), 10)?, 0);
        assert_eq!(pushed::sweep(db, t(1_091), 2)?, 2);
        assert_eq!(pushed::sweep(db, t(1_091), 2)?, 1);
        Ok(())
    })
    .await;
}
