use super::super::ceremony::{self, Bound, Ceremony};
use super::super::passkey::{self, Kept};
use super::super::totp::{self, Totp};
use super::super::{account, retention};
use super::races::winners;
use super::*;
use crate::domain::Factor;
use crate::domain::passkey::Passkey;

fn sealed(text: &str) -> Sealed {
    Sealed::from_text(text.to_owned())
}

fn kept(id: &str, owner: &str, synced: bool) -> Kept {
    Kept {
        passkey: Passkey {
            id: Id::new(id),
            account: Id::new(owner),
            synced,
            sign_count: 0,
            created_at: t(100),
            used_at: None,
        },
        kept: sealed("kept"),
        label: sealed("label"),
    }
}

fn index(text: &str) -> BlindIndex {
    BlindIndex::from_text(text.to_owned())
}

#[tokio::test]
async fn lg_28_a_credential_is_somebodys_once_and_the_account_tells_what_it_has() {
    within(|db| {
        for number in [1, 2] {
            let mut import = citizen(number);
            (import.phone, import.phone_index) = (None, None);
            account::put(db, &import)?;
        }
        let (one, two) = (Id::new("account-1"), Id::new("account-2"));
        let has = |db: &mut Db| -> Result<_, Fault> { Ok(account::find(db, &Id::new("account-1"))?.unwrap().passkey) };
        assert_eq!(has(db)?, None);
        assert!(passkey::put(db, &kept("p1", "account-1", true), &index("a"))?);
        assert_eq!(has(db)?, Some(Factor::SyncedPasskeyAtOne));
        assert!(passkey::put(db, &kept("p2", "account-1", false), &index("b"))?);
        assert_eq!(has(db)?, Some(Factor::Passkey));
        assert!(!passkey::put(db, &kept("p3", "account-2", false), &index("a"))?, "another's already");
        assert!(!passkey::put(db, &kept("p3", "account-1", false), &index("a"))?, "the same account's already");
        assert_eq!(account::find(db, &two)?.unwrap().passkey, None);
        // Import replaces what an operator knows, not how the holder signs in.
        account::put(db, &citizen(1))?;
        assert_eq!(has(db)?, Some(Factor::Passkey));
        assert!(!passkey::remove(db, &two, &Id::new("p2"))?, "nobody removes another's");
        assert!(!passkey::rename(db, &two, &Id::new("p2"), &sealed("mine"))?);
        assert!(passkey::rename(db, &one, &Id::new("p2"), &sealed("mine"))?);
        assert!(passkey::remove(db, &one, &Id::new("p2"))?);
        assert!(!passkey::remove(db, &one, &Id::new("p2"))?);
        assert_eq!(has(db)?, Some(Factor::SyncedPasskeyAtOne));
        assert_eq!(passkey::of_account(db, &one)?.len(), 1);
        assert!(passkey::find_by_credential(db, &index("b"))?.is_none());
        assert_eq!(passkey::user_handle(db, &one)?, None);
        assert_eq!(passkey::user_handle_or(db, &one, "first")?, "first");
        assert_eq!(passkey::user_handle_or(db, &one, "second")?, "first");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn of_two_uses_with_one_count_one_counts() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let made = kept("p1", "account-1", false);
        passkey::put(db, &made, &index("a"))?;
        assert!(passkey::used(db, &made.passkey, (5, &sealed("k5")), t(200))?);
        assert!(!passkey::used(db, &made.passkey, (5, &sealed("k5")), t(200))?);
        let found = passkey::find_by_credential(db, &index("a"))?.unwrap();
        assert_eq!((found.passkey.sign_count, found.passkey.used_at, found.kept.as_str()), (5, Some(t(200)), "k5"));
        Ok(())
    })
    .await;
}

fn bound(browser: &str, purpose: &'static str, subject: &str) -> Bound {
    Bound { browser: Stored::from_store(browser.to_owned()), purpose, subject: subject.to_owned() }
}

fn begun(id: &str) -> Ceremony {
    Ceremony { id: Id::new(id), bound: bound("b", "sign_in", "i"), state: sealed("state"), expires_at: t(400) }
}

#[tokio::test]
async fn lg_13_a_challenge_is_its_own_browsers_purposes_and_subjects_until_it_expires() {
    within(|db| {
        ceremony::put(db, &begun("c"))?;
        let id = Id::new("c");
        for other in [bound("x", "sign_in", "i"), bound("b", "register", "i"), bound("b", "sign_in", "j")] {
            assert!(ceremony::spend(db, &id, &other, t(100))?.is_none());
        }
        let own = bound("b", "sign_in", "i");
        assert!(ceremony::spend(db, &Id::new("d"), &own, t(100))?.is_none());
        assert!(ceremony::spend(db, &id, &own, t(400))?.is_none(), "at its end it is over");
        assert!(ceremony::spend(db, &id, &own, t(399))?.is_some());
        assert!(ceremony::spend(db, &id, &own, t(399))?.is_none(), "once");
        assert_eq!(retention::sweep(db, t(400))?, 0);
        assert_eq!(retention::sweep(db, t(401))?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d1_of_sixteen_answers_to_a_challenge_one_counts() {
    each(|store| async move {
        for number in 0..20 {
            let id = format!("c{number}");
            let put = begun(&id);
            store.transact(move |db| ceremony::put(db, &put)).await.unwrap();
            let won = winners(&store, 16, move |db, _| {
                Ok(ceremony::spend(db, &Id::new(id.as_str()), &bound("b", "sign_in", "i"), t(100))?.is_some())
            });
            assert_eq!(won.await, 1);
        }
    })
    .await;
}

fn app(id: &str, browser: &str) -> Totp {
    Totp {
        id: Id::new(id),
        account: Id::new("account-1"),
        browser: Stored::from_store(browser.to_owned()),
        secret: sealed(id),
        last_step: 0,
        created_at: t(100),
        confirmed_at: None,
    }
}

#[tokio::test]
async fn one_app_counts_once_it_was_confirmed() {
    within(|db| {
        account::put(db, &citizen(1))?;
        let one = Id::new("account-1");
        let has = |db: &mut Db| -> Result<_, Fault> { Ok(account::find(db, &Id::new("account-1"))?.unwrap().has_totp) };
        totp::begin(db, &app("a1", "b"))?;
        assert!(totp::find(db, &one)?.is_none() && !has(db)?, "nothing counts before its first code");
        assert!(!totp::spend(db, &Id::new("a1"), 9)?);
        assert!(totp::find_begun(db, &one, &Stored::from_store("x".to_owned()))?.is_none(), "another browser's");
        let waiting = totp::find_begun(db, &one, &Stored::from_store("b".to_owned()))?.unwrap();
        assert!(totp::confirm(db, &waiting, 10, t(200))?);
        assert!(has(db)?);
        // LG-14: never the same step, never an earlier one.
        for (step, expected) in [(10, false), (9, false), (11, true), (11, false), (12, true), (11, false)] {
            assert_eq!(totp::spend(db, &Id::new("a1"), step)?, expected, "{step}");
        }
        // Another app takes its place when its own first code was right, and not before.
        totp::begin(db, &app("a2", "b"))?;
        assert!(totp::spend(db, &Id::new("a1"), 13)?);
        let waiting = totp::find_begun(db, &one, &Stored::from_store("b".to_owned()))?.unwrap();
        assert!(totp::confirm(db, &waiting, 20, t(300))?);
        assert_eq!(totp::find(db, &one)?.unwrap().id, Id::new("a2"));
        assert!(!totp::spend(db, &Id::new("a1"), 30)?);
        assert!(totp::remove(db, &one)? && !totp::remove(db, &one)? && !has(db)?);
        totp::begin(db, &app("a3", "b"))?;
        assert_eq!(retention::sweep(db, t(10_000))?, 1, "what nobody finished is forgotten");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d1_of_sixteen_who_bring_one_code_one_is_served() {
    each(|store| async move {
        store
            .transact(|db| {
                account::put(db, &citizen(1))?;
                totp::begin(db, &app("a1", "b"))?;
                totp::confirm(db, &app("a1", "b"), 1, t(100)).map(drop)
            })
            .await
            .unwrap();
        for step in 2..30 {
            assert_eq!(winners(&store, 16, move |db, _| totp::spend(db, &Id::new("a1"), step)).await, 1);
        }
    })
    .await;
}
