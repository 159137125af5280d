use super::super::refused::{self, Looking};
use super::super::retention;
use super::*;
use crate::domain::refused_request::{Endpoint, KEPT, Parameter, RefusedRequest, Shown};

fn refusal(id: &str, client: &str, at: i64) -> RefusedRequest {
    RefusedRequest {
        id: Id::new(id),
        client: Id::new(client),
        reference: format!("REF-{id}"),
        at: t(at),
        endpoint: Endpoint::Token,
        error: "invalid_grant".to_owned(),
        told: "the code is not valid".to_owned(),
        reason: Some("expired".to_owned()),
        clause: "RFC 6749 §4.1.2".to_owned(),
        parameters: vec![
            Parameter { name: "scope".to_owned(), shown: Shown::Value("openid".to_owned()) },
            Parameter {
                name: "code".to_owned(),
                shown: Shown::Shape("letters of base64url, 43 characters".to_owned()),
            },
        ],
        repeated: 0,
    }
}

fn two_clients(db: &mut Db) -> Result<(), Fault> {
    seed(db)?;
    client::put(db, &portal("other"), None, t(1_000))
}

fn ids(db: &mut Db, client: &str, looking: &Looking) -> Result<Vec<String>, Fault> {
    Ok(refused::of_client(db, &Id::new(client), looking)?.into_iter().map(|found| found.id.into_string()).collect())
}

fn first(limit: i64) -> Looking {
    Looking { limit, ..Looking::default() }
}

#[tokio::test]
async fn a_client_sees_its_own_refusals_newest_first() {
    within(|db| {
        two_clients(db)?;
        for (id, client) in [("1", "portal"), ("2", "other"), ("3", "portal"), ("4", "portal")] {
            refused::put(db, &refusal(id, client, 2_000))?;
        }
        let found = refused::of_client(db, &Id::new("other"), &first(10))?;
        assert_eq!(found, [refusal("2", "other", 2_000)], "every column comes back");
        assert_eq!(ids(db, "portal", &first(10))?, ["4", "3", "1"]);
        assert_eq!(ids(db, "portal", &first(2))?, ["4", "3"]);
        assert_eq!(ids(db, "portal", &Looking { before: Some(Id::new("3")), ..first(2) })?, ["1"]);
        let by = |reference: &str| Looking { reference: Some(reference.to_owned()), ..first(10) };
        assert_eq!(ids(db, "portal", &by("REF-3"))?, ["3"]);
        assert_eq!(ids(db, "portal", &by("REF-2"))?, Vec::<String>::new(), "another client's is like nobody's");
        assert_eq!(ids(db, "portal", &by("REF-9"))?, Vec::<String>::new());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_counted_by_kind_and_by_client() {
    within(|db| {
        two_clients(db)?;
        refused::put(db, &refusal("1", "portal", 2_000))?;
        refused::put(db, &refusal("2", "portal", 3_000))?;
        refused::put(db, &RefusedRequest { endpoint: Endpoint::Par, ..refusal("3", "portal", 3_000) })?;
        refused::put(db, &RefusedRequest { error: "invalid_client".to_owned(), ..refusal("4", "portal", 3_000) })?;
        refused::put(db, &refusal("5", "other", 3_000))?;
        let portal = Id::new("portal");
        let kind = (Endpoint::Token, "invalid_grant");
        assert_eq!(refused::kept_of_kind(db, &portal, kind, t(1_999))?, 2);
        assert_eq!(refused::kept_of_kind(db, &portal, kind, t(2_000))?, 1);
        assert_eq!(refused::kept(db, &portal, t(1_999))?, 4);
        assert!(refused::count(db, &portal, kind, 5)? && refused::count(db, &portal, kind, 2)?);
        assert!(!refused::count(db, &portal, (Endpoint::Revoke, "invalid_grant"), 5)?);
        let repeated: Vec<(String, i64)> = refused::of_client(db, &portal, &first(10))?
            .into_iter()
            .map(|found| (found.id.into_string(), found.repeated))
            .filter(|(_, repeated)| *repeated > 0)
            .collect();
        assert_eq!(repeated, [("2".to_owned(), 7)], "at the last of its kind");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn only_clients_are_known_and_only_they_have_rows() {
    within(|db| {
        two_clients(db)?;
        let known = refused::known(db, &["portal".to_owned(), "nobody".to_owned()])?;
        assert_eq!(known.into_iter().map(Id::into_string).collect::<Vec<_>>(), ["portal"]);
        Ok(())
    })
    .await;
    each(|store| async move {
        store.transact(seed).await.unwrap();
        let stranger = store.transact(|db| refused::put(db, &refusal("1", "nobody", 2_000))).await;
        assert!(stranger.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_forgotten_after_seven_days() {
    within(|db| {
        two_clients(db)?;
        for (id, at) in [("1", 2_000), ("2", 2_001)] {
            refused::put(db, &refusal(id, "portal", at))?;
        }
        let week = KEPT.as_seconds();
        assert_eq!(week, 604_800);
        assert_eq!(retention::sweep(db, t(2_000 + week))?, 0);
        assert_eq!(retention::sweep(db, t(2_001 + week))?, 1);
        assert_eq!(ids(db, "portal", &first(10))?, ["2"]);
        Ok(())
    })
    .await;
}
