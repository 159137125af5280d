use super::super::{code as codes, grant as grants, otp, retention, session as sessions, throttle, token, used};
use super::*;
use crate::domain::Span;
use crate::domain::binding::Confirmation;
use crate::domain::grant::{IssuedAccessToken, IssuedRefreshToken};
use crate::domain::request::{ClaimRequest, ClaimsRequest};
use crate::domain::secret::{AccessToken, RefreshToken};

pub(super) fn access(text: &str, grant: &str, expires: i64) -> IssuedAccessToken {
    IssuedAccessToken {
        hash: Stored::of(text),
        grant: Id::new(grant),
        scope: vec!["openid".to_owned()],
        issued_at: t(1_000),
        expires_at: t(expires),
        revoked_at: None,
        audience: vec!["https://api.example".to_owned()],
        told: None,
        confirmation: Confirmation::of(Some("key".to_owned()), None),
    }
}

pub(super) fn refresh(text: &str, grant: &str, expires: i64) -> IssuedRefreshToken {
    IssuedRefreshToken {
        hash: Stored::of(text),
        grant: Id::new(grant),
        issued_at: t(1_000),
        expires_at: t(expires),
        spent_at: None,
        confirmation: Confirmation::of(Some("key".to_owned()), Some("certificate".to_owned())),
    }
}

pub(super) fn own(id: &str) -> Grant {
    Grant { party: Party::ClientItself, resources: Vec::new(), ..grant(id, "", "") }
}

#[tokio::test]
async fn a_grant_comes_back_as_it_was_opened() {
    within(|db| {
        let mut full = grant("g1", "account-1", "s");
        full.offline = true;
        full.service = Some("1.004222".to_owned());
        full.claims =
            ClaimsRequest { acr: Some(ClaimRequest { essential: true, ..Default::default() }), ..Default::default() };
        for opened in [full, grant("g2", "account-1", "s"), own("g3")] {
            grants::open(db, &opened)?;
            let found = grants::find(db, &opened.id)?.expect("found");
            assert_eq!(format!("{found:?}"), format!("{opened:?}"));
        }
        assert!(grants::find(db, &Id::new("g4"))?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn revoking_reaches_exactly_what_it_names() {
    within(|db| {
        seed(db)?;
        sessions::open(db, &session("s1", "account-1"), &Stored::of("s1"))?;
        let offline = Grant { offline: true, ..grant("offline", "account-1", "s1") };
        let elsewhere = Grant { client: Id::new("another"), ..grant("elsewhere", "account-1", "s2") };
        let all =
            [grant("plain", "account-1", "s1"), offline, elsewhere, grant("stranger", "account-2", "s1"), own("own")];
        for one in &all {
            grants::open(db, one)?;
        }
        let account = Id::new("account-1");
        let live = |db: &mut Db| -> Result<Vec<&'static str>, Fault> {
            let mut live = Vec::new();
            for id in ["plain", "offline", "elsewhere", "stranger", "own"] {
                if grants::find(db, &Id::new(id))?.expect("found").revoked_at.is_none() {
                    live.push(id);
                }
            }
            Ok(live)
        };
        assert_eq!(grants::revoke_session(db, &Id::new("s1"), t(2_000), "sign_out")?, 1);
        assert_eq!(live(db)?, ["offline", "elsewhere", "stranger", "own"]);
        assert_eq!(grants::revoke_client(db, &account, &Id::new("another"), t(2_000), "withdrawn")?, 1);
        assert_eq!(live(db)?, ["offline", "stranger", "own"]);
        assert_eq!(grants::revoke_all(db, &account, t(2_000), "locked")?, 1);
        assert_eq!(live(db)?, ["stranger", "own"]);
        assert!(grants::revoke(db, &Id::new("own"), t(2_000), "replay")?);
        assert!(!grants::revoke(db, &Id::new("own"), t(2_001), "again")?);
        assert_eq!(live(db)?, ["stranger"]);
        assert_eq!(grants::revoke_session(db, &Id::new("unknown"), t(2_000), "sign_out")?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_code_comes_with_its_grant_and_is_spent_once() {
    within(|db| {
        grants::open(db, &grant("g", "account-1", "s"))?;
        let issued = code("code", "g");
        codes::put(db, &issued)?;
        let (found, family) = codes::find(db, &issued.hash)?.expect("found");
        assert_eq!(format!("{found:?}"), format!("{issued:?}"));
        assert!(found.hash == issued.hash && family.id == issued.grant);
        assert_eq!(codes::fail(db, &issued.hash)?, 1);
        assert_eq!(codes::fail(db, &issued.hash)?, 2);
        assert_eq!(codes::fail(db, &Stored::of("unknown"))?, 0);
        assert!(codes::spend(db, &issued.hash, t(1_010))?);
        assert!(!codes::spend(db, &issued.hash, t(1_011))?);
        assert!(!codes::spend(db, &Stored::of("unknown"), t(1_011))?);
        let (found, _) = codes::find(db, &issued.hash)?.expect("found");
        assert_eq!((found.spent_at, found.failures), (Some(t(1_010)), 2));
        assert!(codes::find(db, &Stored::of("unknown"))?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn tokens_come_with_their_grant() {
    within(|db| {
        grants::open(db, &grant("g", "account-1", "s"))?;
        let (at, rt) = (access("at", "g", 1_600), refresh("rt", "g", 5_000));
        token::put_access(db, &at)?;
        token::put_refresh(db, &rt)?;
        let (found, family) = token::find_access(db, &at.hash)?.expect("found");
        assert_eq!((format!("{found:?}"), family.id), (format!("{at:?}"), Id::new("g")));
        let (found, family) = token::find_refresh(db, &rt.hash)?.expect("found");
        assert_eq!((format!("{found:?}"), family.id), (format!("{rt:?}"), Id::new("g")));
        assert!(token::find_access(db, &Stored::<AccessToken>::of("rt"))?.is_none(), "classes stay apart (D9)");
        assert!(token::find_refresh(db, &Stored::<RefreshToken>::of("at"))?.is_none());

        token::extend_refresh(db, &rt.hash, t(6_000))?;
        token::extend_refresh(db, &rt.hash, t(5_500))?;
        assert_eq!(token::find_refresh(db, &rt.hash)?.map(|(found, _)| found.expires_at), Some(t(6_000)));
        assert!(token::spend_refresh(db, &rt.hash, t(1_100))?);
        assert!(!token::spend_refresh(db, &rt.hash, t(1_101))?);
        token::extend_refresh(db, &rt.hash, t(9_000))?;
        let (found, _) = token::find_refresh(db, &rt.hash)?.expect("found");
        assert_eq!((found.spent_at, found.expires_at), (Some(t(1_100)), t(6_000)));

        assert!(token::revoke_access(db, &at.hash, t(1_200))?);
        assert!(!token::revoke_access(db, &at.hash, t(1_201))?);
        assert_eq!(token::find_access(db, &at.hash)?.and_then(|(found, _)| found.revoked_at), Some(t(1_200)));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_value_is_new_once_per_class() {
    within(|db| {
        assert!(used::once(db, "jti", "v", t(100))?);
        assert!(!used::once(db, "jti", "v", t(200))?);
        assert!(used::once(db, "other", "v", t(100))?);
        assert_eq!(used::sweep(db, t(100), 10)?, 0);
        assert_eq!(used::sweep(db, t(101), 10)?, 2);
        assert!(used::once(db, "jti", "v", t(300))?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_has_served_its_time_is_forgotten_in_batches() {
    each(|store| async move {
        let now = t(1_700) + Span::days(3);
        let young = minted("live", now - Span::minutes(59));
        let known = Stored::of(&young);
        store
            .transact(move |db| {
                seed(db)?;
                grants::open(db, &grant("g", "account-1", "s"))?;
                for number in 0..450 {
                    let id = format!("own-{number}");
                    grants::open(db, &own(&id))?;
                    let dated = minted(&id, t(1_000));
                    token::put_access(db, &access(&dated, &id, 1_600))?;
                    codes::put(db, &code(&dated, "g"))?;
                    used::once(db, "jti", &id, t(1_000))?;
                }
                token::put_access(db, &access(&young, "g", 900_000))?;
                token::put_refresh(db, &refresh("dead", "g", 2_000))?;
                token::put_refresh(db, &refresh("live", "g", 900_000))?;
                throttle::fail(db, "old", t(0))?;
                otp::put(
                    db,
                    &otp::Challenge {
                        id: Id::new("otp"),
                        interaction: Id::new("i"),
                        account: Id::new("account-1"),
                        purpose: "sign_in".to_owned(),
                        code: Stored::of("1"),
                        sent_at: t(1_000),
                        expires_at: t(1_300),
                    },
                )
            })
            .await
            .unwrap();
        let mut gone = Vec::new();
        loop {
            let swept = store.transact(move |db| retention::sweep(db, now)).await.unwrap();
            if swept == 0 {
                break;
            }
            assert!(swept <= 1_400, "a batch is bounded");
            gone.push(swept);
        }
        assert_eq!(gone.iter().sum::<usize>(), 450 * 3 + 2, "{gone:?}");
        store
            .read(move |db| {
                assert!(token::find_access(db, &known)?.is_some());
                assert!(token::find_refresh(db, &Stored::of("live"))?.is_some());
                assert!(token::find_refresh(db, &Stored::of("dead"))?.is_none());
                assert!(grants::find(db, &Id::new("g"))?.is_some(), "a holder's history stays");
                assert!(grants::find(db, &Id::new("own-3"))?.is_none());
                assert!(throttle::find(db, "old")?.is_some());
                Ok(())
            })
            .await
            .unwrap();
        let later = t(0) + Span::days(61);
        assert!(store.transact(move |db| retention::sweep(db, later)).await.unwrap() > 0);
        assert!(store.read(|db| throttle::find(db, "old")).await.unwrap().is_none());
    })
    .await;
}
