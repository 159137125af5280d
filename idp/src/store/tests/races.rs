use super::super::{code as codes, consent, grant as grants, subject, throttle, token, used};
use super::clients::decision;
use super::grants::refresh;
use super::*;

/// Lets `contenders` run at once and counts those who won.
pub(super) async fn winners<F>(store: &Store, contenders: usize, work: F) -> usize
where
    F: Fn(&mut Db, usize) -> Result<bool, Fault> + Send + Sync + 'static,
{
    let work = Arc::new(work);
    let all: Vec<_> = (0..contenders)
        .map(|number| {
            let (store, work) = (store.clone(), work.clone());
            tokio::spawn(async move { store.transact(move |db| work(db, number)).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for one in all {
        won += usize::from(one.await.unwrap());
    }
    won
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d1_of_sixteen_who_bring_a_code_exactly_one_is_served() {
    each(|store| async move {
        for number in 0..50 {
            let text = format!("code-{number}");
            let put = text.clone();
            store
                .transact(move |db| {
                    grants::open(db, &grant(&put, "account-1", "s"))?;
                    codes::put(db, &code(&put, &put))
                })
                .await
                .unwrap();
            let hash = Stored::of(&text);
            // Read, decide, record: as the flow does it.
            let won = winners(&store, 16, move |db, _| {
                let (found, _) = codes::find(db, &hash)?.expect("found");
                Ok(found.spent_at.is_none() && codes::spend(db, &hash, t(1_010))?)
            });
            assert_eq!(won.await, 1, "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d1_of_sixteen_who_turn_a_refresh_token_exactly_one_gets_the_next() {
    each(|store| async move {
        store.transact(|db| grants::open(db, &grant("g", "account-1", "s"))).await.unwrap();
        for number in 0..50 {
            let text = format!("rt-{number}");
            let put = refresh(&text, "g", 9_000);
            store.transact(move |db| token::put_refresh(db, &put)).await.unwrap();
            let hash = Stored::of(&text);
            let won = winners(&store, 16, move |db, who| {
                let won = token::spend_refresh(db, &hash, t(1_010))?;
                if won {
                    token::put_refresh(db, &refresh(&format!("next-{number}-{who}"), "g", 9_000))?;
                }
                Ok(won)
            });
            assert_eq!(won.await, 1, "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_value_brought_at_once_by_many_is_new_to_one() {
    each(|store| async move {
        for number in 0..50 {
            let won = winners(&store, 16, move |db, _| used::once(db, "jti", &format!("v{number}"), t(9_000)));
            assert_eq!(won.await, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_given_at_once_leave_one_live_decision() {
    each(|store| async move {
        store.transact(seed).await.unwrap();
        for round in 0..10 {
            let recorded = winners(&store, 8, move |db, who| {
                let (consent, receipt) = decision(&format!("c-{round}-{who}"), "service", &["name"], 10);
                consent::record(db, &consent, &receipt)?;
                Ok(true)
            });
            assert_eq!(recorded.await, 8);
            let live = store.read(|db| consent::live(db, &Id::new("account-1"), &Id::new("portal"))).await.unwrap();
            assert_eq!(live.len(), 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subject_asked_for_at_once_is_one_subject() {
    each(|store| async move {
        store.transact(seed).await.unwrap();
        for round in 0..10 {
            let kept = winners(&store, 8, move |db, who| {
                let fresh = format!("sub-{round}-{who}");
                Ok(subject::find_or_put(db, &Id::new("account-1"), &format!("sector-{round}"), &fresh)? == fresh)
            });
            assert_eq!(kept.await, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_counted_at_once_are_all_counted() {
    each(|store| async move {
        winners(&store, 64, |db, _| Ok(throttle::fail(db, "key", t(1))? > 0)).await;
        let failures = store.read(|db| throttle::find(db, "key")).await.unwrap().unwrap();
        assert_eq!(failures.count, 64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_tell_at_once_is_first_told_by_one() {
    each(|store| async move {
        for (moment, firsts) in [(1, 1), (1, 0), (2, 1), (1, 0)] {
            assert_eq!(
                winners(&store, 16, move |db, _| throttle::mark(db, "key", t(moment))).await,
                firsts,
                "{moment}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_imported_at_once_is_one_account() {
    each(|store| async move {
        let created = winners(&store, 8, |db, who| {
            let mut import = citizen(1);
            import.account.id = Id::new(format!("try-{who}"));
            Ok(account::put(db, &import)? == import.account.id)
        });
        assert_eq!(created.await, 1);
    })
    .await;
}
