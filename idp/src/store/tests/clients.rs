use std::collections::BTreeSet;

use super::super::{Engine, consent, key, message, meta, resource, subject, trail};
use super::*;
use crate::domain::claim::ClaimName;
use crate::domain::consent::{Consent, Receipt};
use crate::domain::fault::Cause;
use crate::domain::key::StoredKey;
use crate::domain::relying_party::ClientStatus;
use crate::domain::trail::{Event, Kind};

fn claims(names: &[&str]) -> BTreeSet<ClaimName> {
    names.iter().map(|name| ClaimName::find(name).unwrap()).collect()
}

pub(super) fn decision(id: &str, purpose: &str, granted: &[&str], at: i64) -> (Consent, Receipt) {
    let asked = claims(&["name", "email"]);
    let granted = claims(granted);
    let consent = Consent {
        id: Id::new(id),
        account: Id::new("account-1"),
        client: Id::new("portal"),
        purpose: purpose.to_owned(),
        asked: asked.clone(),
        granted: granted.clone(),
        decided_at: t(at),
    };
    let receipt = Receipt {
        actor: None,
        purpose: purpose.to_owned(),
        asked,
        granted,
        legal_basis: LegalBasis::Consent,
        text_hash: "hash".to_owned(),
        language: "vi".to_owned(),
        authentication_level: 2,
    };
    (consent, receipt)
}

#[tokio::test]
async fn a_client_comes_back_as_put_and_keeps_secret_and_standing() {
    each(|store| async move {
        let secret = Stored::of("secret");
        let id = Id::new("portal");
        let put = secret.clone();
        store.transact(move |db| client::put(db, &portal("portal"), Some(&put), t(1))).await.unwrap();
        let find = || store.read(|db| client::find(db, &Id::new("portal")));
        let found = find().await.unwrap().unwrap();
        assert_eq!(*found.client, portal("portal"));
        assert!(found.secret == Some(secret.clone()) && found.status == ClientStatus::Live && found.version == 1);
        assert!(Arc::ptr_eq(&found.client, &find().await.unwrap().unwrap().client), "parsed once per version");

        store.transact(move |db| client::set_status(db, &id, ClientStatus::Suspended)).await.unwrap();
        assert_eq!(find().await.unwrap().unwrap().status, ClientStatus::Suspended, "never from a cache");

        let mut renamed = portal("portal");
        renamed.client_name.vi = "Cổng khác".to_owned();
        let put = renamed.clone();
        store.transact(move |db| client::put(db, &put, None, t(2))).await.unwrap();
        let found = find().await.unwrap().unwrap();
        assert_eq!(*found.client, renamed);
        assert!(found.secret == Some(secret) && found.status == ClientStatus::Suspended && found.version == 2);

        renamed.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
        store.transact(move |db| client::put(db, &renamed, None, t(3))).await.unwrap();
        assert!(find().await.unwrap().unwrap().secret.is_none(), "a secret nobody may use is not kept");

        store.transact(|db| client::put(db, &portal("another"), None, t(3))).await.unwrap();
        let all = store.read(client::list).await.unwrap();
        assert_eq!(all.iter().map(|one| one.client.id.as_str()).collect::<Vec<_>>(), ["another", "portal"]);
        assert!(store.read(|db| client::find(db, &Id::new("nobody"))).await.unwrap().is_none());
        assert!(!store.transact(|db| client::set_status(db, &Id::new("nobody"), ClientStatus::Closed)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn metadata_that_was_rolled_back_is_never_served() {
    each(|store| async move {
        store.transact(|db| client::put(db, &portal("portal"), None, t(1))).await.unwrap();
        let rolled_back = store.transact(|db| {
            let mut wrong = portal("portal");
            wrong.redirect_uris = vec!["https://wrong.example".to_owned()];
            client::put(db, &wrong, None, t(2))?;
            assert_eq!(client::find(db, &Id::new("portal"))?.unwrap().client.redirect_uris, wrong.redirect_uris);
            Err::<(), _>(Fault::broken("test", "refused"))
        });
        assert!(rolled_back.await.is_err());
        let mut right = portal("portal");
        right.redirect_uris = vec!["https://right.example".to_owned()];
        let put = right.clone();
        store.transact(move |db| client::put(db, &put, None, t(3))).await.unwrap();
        let found = store.read(|db| client::find(db, &Id::new("portal"))).await.unwrap().unwrap();
        assert_eq!((found.version, &found.client.redirect_uris), (2, &right.redirect_uris));
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_keeps_others_out_asks_once_for_a_client_and_sees_its_own_writes() {
    within(|db| {
        let (id, api) = (Id::new("portal"), "https://api.example");
        let mut portal = portal("portal");
        portal.resources.serves = vec![api.to_owned()];
        let standing = |db: &mut Db| -> Result<_, Fault> {
            let server = resource::server(db, api)?.unwrap();
            let found = client::find(db, &id)?.unwrap();
            assert_eq!((found.version, found.status), (server.version, server.status));
            Ok((found.version, found.status))
        };
        client::put(db, &portal, None, t(1))?;
        assert_eq!(standing(db)?, (1, ClientStatus::Live));
        client::set_status(db, &id, ClientStatus::Suspended)?;
        assert_eq!(standing(db)?, (1, ClientStatus::Suspended));
        let undone = db.transact(|db| {
            client::put(db, &portal, None, t(2))?;
            assert_eq!(standing(db)?.0, 2);
            Err::<(), _>(Fault::broken("test", "refused"))
        });
        assert!(undone.is_err() && standing(db)? == (1, ClientStatus::Suspended));
        client::set_status(db, &id, ClientStatus::Closed)?;
        assert!(resource::server(db, api)?.is_none() && client::find(db, &id)?.unwrap().status == ClientStatus::Closed);
        Ok(())
    })
    .await;
    each(|store| async move {
        store.transact(|db| client::put(db, &portal("portal"), None, t(1))).await.unwrap();
        let twice = |db: &mut Db| {
            let before = db.said;
            for _ in 0..2 {
                assert!(client::find(db, &Id::new("portal"))?.is_some());
            }
            Ok(db.said - before)
        };
        let on_postgres = matches!(store.engine.as_ref(), Engine::Postgres(_));
        // The first transaction reads the metadata too.
        store.transact(twice).await.unwrap();
        assert_eq!(store.transact(twice).await.unwrap(), if on_postgres { 2 } else { 1 });
        assert_eq!(store.read(twice).await.unwrap(), 2, "a reader keeps nobody out");
        let suspend = |db: &mut Db| client::set_status(db, &Id::new("portal"), ClientStatus::Suspended);
        assert!(store.transact(suspend).await.unwrap());
        let found = store.transact(|db| client::find(db, &Id::new("portal"))).await.unwrap().unwrap();
        assert_eq!(found.status, ClientStatus::Suspended, "never from an earlier transaction");
    })
    .await;
}

#[tokio::test]
async fn a_subject_is_the_same_for_ever_in_its_sector() {
    within(|db| {
        seed(db)?;
        let (one, two) = (Id::new("account-1"), Id::new("account-2"));
        assert_eq!(subject::find(db, &one, "sector")?, None);
        assert_eq!(subject::find_or_put(db, &one, "sector", "s1")?, "s1");
        assert_eq!(subject::find_or_put(db, &one, "sector", "s2")?, "s1");
        assert_eq!(subject::find_or_put(db, &one, "another", "s1")?, "s1");
        assert_eq!(subject::find_or_put(db, &two, "sector", "s3")?, "s3");
        assert_eq!(subject::account_of(db, "sector", "s1")?, Some(one));
        assert_eq!(subject::account_of(db, "another", "s3")?, None);
        assert!(db.transact(|db| subject::find_or_put(db, &two, "another", "s1")).is_err(), "never two people");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_decision_is_live_per_purpose_and_the_rest_is_evidence() {
    within(|db| {
        seed(db)?;
        let (account, client) = (Id::new("account-1"), Id::new("portal"));
        for (consent, receipt) in [
            decision("c1", "service", &["name"], 10),
            decision("c2", "service", &["name", "email"], 20),
            decision("c3", "offline_access", &[], 30),
        ] {
            consent::record(db, &consent, &receipt)?;
        }
        let mut live = consent::live(db, &account, &client)?;
        live.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(
            live,
            [decision("c2", "service", &["name", "email"], 20).0, decision("c3", "offline_access", &[], 30).0]
        );
        assert_eq!(consent::all_live(db, &account)?.len(), 2);
        // The unique index itself holds, whatever the code does.
        let twice = "INSERT INTO consents SELECT 'c4', account_id, client_id, purpose, asked, granted, decided_at, \
            legal_basis, text_hash, language, authentication_level, NULL, NULL FROM consents WHERE id = 'c2'";
        assert!(db.transact(|db| db.execute(twice)).is_err());
        assert_eq!(consent::withdraw(db, &account, &client, t(40))?, 2);
        assert_eq!(consent::withdraw(db, &account, &client, t(41))?, 0);
        assert!(consent::live(db, &account, &client)?.is_empty());
        let (again, receipt) = decision("c5", "service", &[], 50);
        consent::record(db, &again, &receipt)?;
        assert_eq!(consent::live(db, &account, &client)?, [again]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn keys_are_kept_after_they_retire() {
    within(|db| {
        let stored = |kid: &str, alg, at| StoredKey {
            kid: kid.to_owned(),
            alg,
            private: Sealed::from_text("sealed".to_owned()),
            public: "{}".to_owned(),
            published_at: t(at),
            use_from: t(at + 5),
            retired_at: None,
        };
        key::put(db, &stored("b", SigningAlg::EdDSA, 1))?;
        key::put(db, &stored("a", SigningAlg::ES256, 2))?;
        assert!(key::retire(db, "b", t(9))?);
        assert!(!key::retire(db, "b", t(10))? && !key::retire(db, "c", t(10))?);
        let all = key::list(db)?;
        let seen: Vec<_> = all.iter().map(|key| (key.kid.as_str(), key.alg, key.use_from, key.retired_at)).collect();
        assert_eq!(seen, [("b", SigningAlg::EdDSA, t(6), Some(t(9))), ("a", SigningAlg::ES256, t(7), None)]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_named_fact_is_written_once() {
    within(|db| {
        assert_eq!(meta::find(db, "fingerprint")?, None);
        assert_eq!(meta::put_if_absent(db, "fingerprint", "one")?, "one");
        assert_eq!(meta::put_if_absent(db, "fingerprint", "two")?, "one");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_trail_tells_of_an_account_in_order() {
    within(|db| {
        let account = Id::new("account-1");
        let first = Event::new(Kind::SignIn, t(1))
            .of(&account)
            .by(&Id::new("portal"))
            .within(&Id::new("session"))
            .referring("ref")
            .with(serde_json::json!({"level": 2}));
        trail::append(db, &Event::new(Kind::EidLocked, t(2)).of(&account), &Id::new("b"))?;
        trail::append(db, &first, &Id::new("c"))?;
        trail::append(db, &Event::new(Kind::TokenIssued, t(1)), &Id::new("a"))?;
        let told: Vec<_> = trail::of_account(db, &account)?.iter().map(|event| format!("{event:?}")).collect();
        let second = Event::new(Kind::EidLocked, t(2)).of(&account);
        assert_eq!(told, [format!("{first:?}"), format!("{second:?}")]);
        assert_eq!(trail::count(db)?, 3);
        assert!(db.transact(|db| trail::append(db, &first, &Id::new("c"))).is_err(), "an event is told once");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_inbox_lists_the_newest_first() {
    within(|db| {
        let sms = |id: &str, to: &str, at| message::SmsMessage {
            id: Id::new(id),
            to_index: BlindIndex::from_text(to.to_owned()),
            to: Sealed::from_text("to".to_owned()),
            text: Sealed::from_text("text".to_owned()),
            at: t(at),
        };
        for message in [sms("a", "x", 1), sms("b", "y", 2), sms("c", "x", 3), sms("d", "x", 3)] {
            message::put(db, &message)?;
        }
        let ids = |all: Vec<message::SmsMessage>| all.into_iter().map(|one| one.id.into_string()).collect::<Vec<_>>();
        assert_eq!(ids(message::list(db, Some(&BlindIndex::from_text("x".to_owned())), 2)?), ["d", "c"]);
        assert_eq!(ids(message::list(db, None, 10)?), ["d", "c", "b", "a"]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn rfc8707_a_resource_has_one_server_and_moves_only_when_that_is_gone() {
    each(|store| async move {
        let server = |id: &str, serves: &[&str]| {
            let mut client = portal(id);
            client.resources.serves = serves.iter().map(|one| (*one).to_owned()).collect();
            client
        };
        let put = |client: Client| store.transact(move |db| client::put(db, &client, None, t(1)));
        let owner = |name: &'static str| store.read(move |db| resource::owner(db, name));
        put(server("one", &["https://a", "https://b"])).await.unwrap();
        assert_eq!(owner("https://a").await.unwrap(), Some(Id::new("one")));
        assert!(put(server("two", &["https://b"])).await.is_err(), "served already");
        assert!(store.read(|db| client::find(db, &Id::new("two"))).await.unwrap().is_none(), "nothing of it stays");

        put(server("one", &["https://a"])).await.unwrap();
        assert_eq!(owner("https://b").await.unwrap(), None);
        put(server("two", &["https://b"])).await.unwrap();
        let found = store.read(|db| resource::server(db, "https://b")).await.unwrap().unwrap();
        assert_eq!(found.client.id, Id::new("two"));
        store.transact(|db| client::set_status(db, &Id::new("two"), ClientStatus::Suspended)).await.unwrap();
        let found = store.read(|db| resource::server(db, "https://b")).await.unwrap().unwrap();
        assert_eq!(found.status, ClientStatus::Suspended);
        store.transact(|db| resource::release(db, &Id::new("two"))).await.unwrap();
        assert!(store.read(|db| resource::server(db, "https://b")).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_row_that_does_not_decode_is_a_fault() {
    each(|store| async move {
        store.transact(seed).await.unwrap();
        store.transact(|db| db.execute("UPDATE clients SET metadata = '{}', version = version + 1")).await.unwrap();
        let fault = store.read(|db| client::find(db, &Id::new("portal"))).await.unwrap_err();
        assert_eq!(fault.cause, Cause::Broken);
        assert!(store.transact(|db| db.execute("UPDATE accounts SET state = 'lost'")).await.is_err());
    })
    .await;
}
