use super::super::{interaction, session as sessions};
use super::*;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::request::{AuthorizationRequest, Prompt, ResponseMode};

fn one() -> Id<Account> {
    Id::new("account-1")
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_until_the_cookie_changes() {
    within(|db| {
        seed(db)?;
        let (first, second) = (Stored::of("first"), Stored::of("second"));
        let opened = session("s", "account-1");
        sessions::open(db, &opened, &first)?;
        let found = sessions::find_by_cookie(db, &first)?.expect("found");
        assert_eq!(format!("{found:?}"), format!("{opened:?}"));
        assert!(sessions::find_by_cookie(db, &second)?.is_none());

        let more = opened.acquaintance.clone().with(Factor::SmsOtp, t(1_100));
        assert!(sessions::rekey(db, &opened.id, &second, &more, t(1_100))?);
        assert!(sessions::find_by_cookie(db, &first)?.is_none(), "the old cookie is nothing now");
        let found = sessions::find_by_cookie(db, &second)?.expect("found");
        assert_eq!((found.acquaintance, found.seen_at), (more.clone(), t(1_100)));

        sessions::touch(db, &opened.id, t(1_050))?;
        assert_eq!(sessions::find(db, &opened.id)?.map(|s| s.seen_at), Some(t(1_100)), "never back");
        sessions::touch(db, &opened.id, t(1_200))?;
        assert!(sessions::prove(db, &opened.id, &opened.acquaintance, t(1_300))?);
        let found = sessions::find(db, &opened.id)?.expect("found");
        assert_eq!((found.acquaintance, found.seen_at), (opened.acquaintance.clone(), t(1_300)));

        assert!(sessions::end(db, &opened.id, t(1_400))?);
        assert!(!sessions::end(db, &opened.id, t(1_500))?);
        assert!(!sessions::rekey(db, &opened.id, &first, &more, t(1_500))?);
        assert!(!sessions::prove(db, &opened.id, &more, t(1_500))?);
        sessions::touch(db, &opened.id, t(1_500))?;
        let found = sessions::find_by_cookie(db, &second)?.expect("found");
        assert_eq!((found.ended_at, found.seen_at), (Some(t(1_400)), t(1_300)));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn ending_all_ends_those_of_one_account() {
    within(|db| {
        seed(db)?;
        for (id, account) in [("a", "account-1"), ("b", "account-1"), ("c", "account-2")] {
            sessions::open(db, &session(id, account), &Stored::of(id))?;
        }
        assert_eq!(sessions::live(db, &one())?.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(sessions::end_all(db, &one(), t(2_000))?, 2);
        assert_eq!(sessions::end_all(db, &one(), t(2_001))?, 0);
        assert!(sessions::live(db, &one())?.is_empty());
        assert_eq!(sessions::live(db, &Id::new("account-2"))?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn each_client_knows_a_session_by_its_own_name() {
    within(|db| {
        seed(db)?;
        client::put(db, &portal("another"), None, t(1))?;
        sessions::open(db, &session("s", "account-1"), &Stored::of("s"))?;
        let (id, portal, another) = (Id::new("s"), Id::new("portal"), Id::new("another"));
        assert_eq!(sessions::sid(db, &id, &portal, "x")?, "x");
        assert_eq!(sessions::sid(db, &id, &portal, "y")?, "x");
        assert_eq!(sessions::sid(db, &id, &another, "z")?, "z");
        assert_eq!(sessions::find_by_sid(db, &portal, "x")?.map(|s| s.id), Some(id.clone()));
        assert!(sessions::find_by_sid(db, &portal, "z")?.is_none());
        assert_eq!(sessions::clients(db, &id)?, [(another, "z".to_owned()), (portal, "x".to_owned())]);
        Ok(())
    })
    .await;
}

pub(super) fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: Id::new("portal"),
        redirect_uri: "https://portal.example/cb".to_owned(),
        response_mode: ResponseMode::FormPost,
        state: Some("trạng thái".to_owned()),
        nonce: None,
        scope: vec!["openid".to_owned()],
        code_challenge: Some("c".to_owned()),
        prompt: vec![Prompt::Login],
        max_age: Some(60),
        acr_values: Vec::new(),
        claims: Default::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        expected: None,
        ui_locales: Vec::new(),
        dpop_jkt: None,
        asked_at: t(1_000),
        pushed: None,
    }
}

fn opened(id: &str, destination: Destination, at: i64) -> Interaction {
    Interaction {
        chosen: None,
        for_other: false,
        id: Id::new(id),
        browser: Stored::of("browser"),
        destination,
        refused: None,
        proved_by: None,
        confirmed_at: None,
        opened_at: t(at),
        expires_at: t(at + 1_800),
        finished_at: None,
    }
}

#[tokio::test]
async fn an_interaction_is_finished_once_or_cancelled() {
    within(|db| {
        seed(db)?;
        let asked = opened("a", Destination::Client(Box::new(request())), 1_000);
        let own = opened("b", Destination::OwnPage("/identity".to_owned()), 1_000);
        interaction::open(db, &asked)?;
        interaction::open(db, &own)?;
        for expected in [&asked, &own] {
            let found = interaction::find(db, &expected.id)?.expect("found");
            assert_eq!(found.destination, expected.destination);
            assert!(found.browser == expected.browser && found.is_open(t(1_001)));
        }
        interaction::refuse(db, &asked.id, &one())?;
        assert_eq!(interaction::find(db, &asked.id)?.and_then(|found| found.refused), Some(one()));
        interaction::belongs(db, &own.id, &one())?;
        assert_eq!(interaction::find(db, &own.id)?.and_then(|found| found.refused), None);
        assert!(interaction::finish(db, &own.id, t(1_100))?);
        assert!(!interaction::finish(db, &own.id, t(1_101))?);
        assert_eq!(interaction::cancel_all(db, &one(), t(1_200))?, 1, "only what was still open");
        assert_eq!(interaction::find(db, &asked.id)?.and_then(|found| found.finished_at), Some(t(1_200)));
        assert!(!interaction::finish(db, &asked.id, t(1_300))?);
        assert!(interaction::find(db, &Id::new("c"))?.is_none());
        assert_eq!(interaction::sweep(db, t(2_801), 1)?, 1);
        assert_eq!(interaction::sweep(db, t(2_801), 10)?, 1);
        assert_eq!(interaction::sweep(db, t(2_801), 10)?, 0);
        Ok(())
    })
    .await;
}
