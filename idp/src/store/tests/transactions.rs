use super::super::{grant as grants, interaction, transaction};
use super::races::winners;
use super::*;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::transaction::{Approved, Spent};

fn approved(id: &str, reference: &str, at: i64) -> Approved {
    Approved {
        id: Id::new(id),
        client: Id::new("portal"),
        reference: BlindIndex::from_text(reference.to_owned()),
        account: Id::new("account-1"),
        grant: Id::new(format!("grant-{id}")),
        details: Sealed::from_text(format!("sealed-{id}")),
        language: "vi".to_owned(),
        approved_at: t(at),
        spent: None,
    }
}

fn spent(at: i64, by: &str, attempt: Option<&str>) -> Spent {
    Spent { at: t(at), by: Id::new(by), attempt: attempt.map(str::to_owned) }
}

#[tokio::test]
async fn a_reference_is_approved_once_per_client_and_spent_once() {
    within(|db| {
        assert!(transaction::approve(db, &approved("a", "r", 1_000))?);
        assert!(!transaction::approve(db, &approved("b", "r", 1_001))?, "the reference is taken");
        assert!(transaction::approve(db, &Approved { client: Id::new("other"), ..approved("c", "r", 1_002) })?);
        let reference = BlindIndex::from_text("r".to_owned());
        assert!(transaction::is_known(db, &Id::new("portal"), &reference)?);
        assert!(!transaction::is_known(db, &Id::new("third"), &reference)?);
        assert!(transaction::find(db, &Id::new("b"))?.is_none());
        let found = transaction::find(db, &Id::new("a"))?.expect("found");
        assert!(found.details == Sealed::from_text("sealed-a".to_owned()) && found.reference == reference);
        assert_eq!(
            (found.grant, found.account, found.approved_at),
            (Id::new("grant-a"), Id::new("account-1"), t(1_000))
        );
        assert_eq!((found.language.as_str(), found.spent), ("vi", None));
        assert!(transaction::spend(db, &Id::new("a"), &spent(1_010, "api", Some("1")))?);
        for (by, attempt) in [("api", Some("1")), ("api", None), ("other", Some("2"))] {
            assert!(!transaction::spend(db, &Id::new("a"), &spent(1_011, by, attempt))?);
        }
        let found = transaction::find(db, &Id::new("a"))?.expect("found");
        assert_eq!(found.spent, Some(spent(1_010, "api", Some("1"))), "the first stays");
        assert!(!transaction::spend(db, &Id::new("unknown"), &spent(1_011, "api", None))?);
        let ids = |all: Vec<Approved>| all.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(transaction::of_account(db, &Id::new("account-1"), 9)?), ["c", "a"]);
        assert_eq!(ids(transaction::of_account(db, &Id::new("account-1"), 1)?), ["c"]);
        assert!(transaction::of_account(db, &Id::new("account-2"), 9)?.is_empty());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_grant_names_its_transaction() {
    within(|db| {
        let paying = Grant { transaction: Some(Id::new("a")), ..grant("g", "account-1", "s") };
        grants::open(db, &paying)?;
        grants::open(db, &grant("h", "account-1", "s"))?;
        let of = |db: &mut Db, id: &str| Ok::<_, Fault>(grants::find(db, &Id::new(id))?.expect("found").transaction);
        assert_eq!((of(db, "g")?, of(db, "h")?), (Some(Id::new("a")), None));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_is_its_persons_and_ends_with_the_next_sign_in() {
    within(|db| {
        seed(db)?;
        let open = Interaction {
            chosen: None,
            for_other: false,
            id: Id::new("i"),
            browser: Stored::of("browser"),
            destination: Destination::OwnPage("/".to_owned()),
            refused: None,
            proved_by: None,
            confirmed_at: None,
            opened_at: t(1_000),
            expires_at: t(2_000),
            finished_at: None,
        };
        interaction::open(db, &open)?;
        let seen = |db: &mut Db| {
            let found = interaction::find(db, &Id::new("i"))?.expect("found");
            Ok::<_, Fault>((found.proved_by.map(|id| id.to_string()), found.confirmed_at))
        };
        let (one, two) = (Id::new("account-1"), Id::new("account-2"));
        interaction::belongs(db, &open.id, &one)?;
        assert_eq!(seen(db)?, (Some("account-1".to_owned()), None));
        interaction::confirm(db, &open.id, &one, t(1_010))?;
        assert_eq!(seen(db)?, (Some("account-1".to_owned()), Some(t(1_010))));
        interaction::belongs(db, &open.id, &two)?;
        assert_eq!(seen(db)?, (Some("account-2".to_owned()), None));
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_one_approves_a_reference_and_one_spends_it() {
    each(|store| async move {
        for round in 0..10 {
            let approving = move |db: &mut Db, who: usize| {
                transaction::approve(db, &approved(&format!("{round}-{who}"), &format!("r-{round}"), 1_000))
            };
            assert_eq!(winners(&store, 50, approving).await, 1, "{round}");
            let put = approved(&format!("s-{round}"), &format!("s-{round}"), 1_000);
            store.transact(move |db| transaction::approve(db, &put)).await.unwrap();
            let spending = move |db: &mut Db, who: usize| {
                transaction::spend(db, &Id::new(format!("s-{round}")), &spent(1_010, "api", Some(&who.to_string())))
            };
            assert_eq!(winners(&store, 50, spending).await, 1, "{round}");
        }
    })
    .await;
}
