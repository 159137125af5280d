use super::super::{pushed, retention};
use super::sessions::request;
use super::*;
use crate::domain::Span;
use crate::domain::request::PushedRequest;

fn push(text: &str) -> PushedRequest {
    let reference = Stored::of(&minted(text, t(1_000)));
    PushedRequest { reference, request: request(), expires_at: t(1_090), spent_at: None }
}

#[tokio::test]
async fn rfc9126_a_pushed_request_is_kept_and_answered_once() {
    within(|db| {
        let asked = push("a");
        pushed::put(db, &asked, t(2_900))?;
        let found = pushed::find(db, &asked.reference)?.expect("found");
        assert_eq!((&found.request, found.expires_at, found.spent_at), (&asked.request, t(1_090), None));
        assert!(pushed::find(db, &Stored::of("b"))?.is_none());
        assert_eq!(retention::sweep(db, t(2_900))?, 0, "whoever came for it may still answer");
        assert!(pushed::spend(db, &asked.reference, t(2_800))?);
        assert!(!pushed::spend(db, &asked.reference, t(2_801))?);
        assert_eq!(pushed::find(db, &asked.reference)?.and_then(|found| found.spent_at), Some(t(2_800)));
        assert_eq!(retention::sweep(db, t(1_000) + Span::hours(2))?, 0, "two hours for any");
        assert_eq!(retention::sweep(db, t(1_001) + Span::hours(2))?, 1);
        assert!(!pushed::spend(db, &asked.reference, t(2_902))?, "what is gone was answered");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_nobody_came_for_goes_in_batches() {
    within(|db| {
        let later = t(1_001) + Span::hours(2);
        for (name, until) in [("p0", later), ("p1", t(2_900)), ("p2", t(2_900))] {
            pushed::put(db, &push(name), until)?;
        }
        assert_eq!(pushed::sweep(db, t(1_091), 10)?, 0);
        assert_eq!(pushed::sweep(db, later, 1)?, 1);
        assert_eq!(pushed::sweep(db, later, 2)?, 1, "never before what it is kept until");
        assert_eq!(pushed::sweep(db, later + Span::seconds(1), 2)?, 1);
        Ok(())
    })
    .await;
}
