use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::super::db::on_each;
use super::super::{Engine, grant as grants, meta, token, trail, used};
use super::grants::{access, own};
use super::*;
use crate::domain::fault::Cause;
use crate::domain::relying_party::ClientStatus;
use crate::domain::secret::AccessToken;
use crate::domain::trail::{Event, Kind};

type Told = Result<bool, Fault>;

/// Lets `count` pieces of work wait for one another, so that they are kept together, and says what each was told.
async fn together<F>(store: &Store, count: usize, work: F) -> Vec<Told>
where
    F: Fn(&mut Db, usize) -> Told + Send + Sync + 'static,
{
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let busy = tokio::spawn({
        let store = store.clone();
        async move {
            let wait = move |_: &mut Db| Ok(begin.send(()).is_ok() && gate.lock().unwrap().recv().is_ok());
            store.transact_adding(wait).await
        }
    });
    begun.recv().await.unwrap();
    let work = Arc::new(work);
    let mut told = Vec::new();
    for number in 0..count {
        let (work, asked) = (Arc::clone(&work), store.clone());
        told.push(tokio::spawn(async move { asked.transact_adding(move |db| work(db, number)).await }));
        while store.gauge().queued <= number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    go.send(()).unwrap();
    assert!(busy.await.unwrap().unwrap());
    let mut all = Vec::new();
    for one in told {
        all.push(one.await.unwrap());
    }
    all
}

/// What a token issued to a client itself adds.
fn issue(db: &mut Db, name: &str) -> Result<(), Fault> {
    grants::open(db, &own(name))?;
    token::put_access(db, &access(name, name, 9_000))?;
    trail::append(db, &Event::new(Kind::TokenIssued, t(1_000)), &Id::new(name))
}

/// Whether all, or else nothing, of what `issue` adds is there.
fn is_issued(db: &mut Db, name: &str) -> Told {
    let grant = grants::find(db, &Id::new(name))?;
    let token = token::find_access(db, &Stored::of(name))?;
    let told = counted(db, &format!("SELECT count(*) AS n FROM trail WHERE id = '{name}'"))? > 0;
    assert_eq!((grant.is_some(), token.is_some()), (told, told), "{name}");
    Ok(told)
}

async fn issued(store: &Store, count: usize) -> Vec<bool> {
    store.read(move |db| (0..count).map(|number| is_issued(db, &format!("g{number}"))).collect()).await.unwrap()
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn counted(db: &mut Db, query: &str) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| sql_query(query).get_result::<Counted>(link))?.n)
}

fn is_postgres(store: &Store) -> bool {
    matches!(store.engine.as_ref(), Engine::Postgres(_))
}

/// How many transactions wrote what is in the trail.
async fn writers(store: &Store) -> i64 {
    store.read(|db| counted(db, "SELECT count(DISTINCT xmin::text) AS n FROM trail")).await.unwrap()
}

#[tokio::test]
async fn rows_of_a_group_are_added_by_one_statement_and_each_is_what_it_would_be_alone() {
    each(|store| async move {
        store.transact(seed).await.unwrap();
        let told = together(&store, 40, |db, number| {
            assert!(client::find(db, &Id::new("portal"))?.is_some());
            assert!(used::once(db, "assertion", &format!("jti-{number}"), t(9_000))?);
            issue(db, &format!("g{number}"))?;
            Ok(true)
        });
        assert!(told.await.into_iter().all(|told| told.unwrap()));
        assert_eq!(issued(&store, 40).await, [true; 40]);
        if is_postgres(&store) {
            assert_eq!(writers(&store).await, 1);
        }
        let (alone, among) = store
            .transact(|db| {
                grants::open(db, &own("alone"))?;
                token::put_access(db, &access("alone", "alone", 9_000))?;
                Ok((token::find_access(db, &Stored::of("alone"))?, token::find_access(db, &Stored::of("g7"))?))
            })
            .await
            .unwrap();
        let told = |found: Option<_>| format!("{:?}", found.unwrap()).replace("alone", "g7");
        let digest = |name: &str| Stored::<AccessToken>::of(name).as_str().to_owned();
        assert_eq!(told(alone).replace(&digest("alone"), &digest("g7")), told(among));
        assert!(store.transact(|db| used::is_known(db, "assertion", "jti-39")).await.unwrap());
        // One by itself is one statement too.
        assert!(store.transact_adding(|db| issue(db, "single").map(|()| true)).await.unwrap());
        assert!(store.read(|db| is_issued(db, "single")).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_or_panics_leaves_nothing_and_the_others_stay() {
    each(|store| async move {
        let told = together(&store, 30, |db, number| {
            issue(db, &format!("g{number}"))?;
            assert!(number != 20, "on purpose");
            if number == 10 { Err(Fault::broken("test", "refused")) } else { Ok(true) }
        });
        let told: Vec<bool> = told.await.into_iter().map(|told| told.is_ok()).collect();
        assert_eq!(told, (0..30).map(|number| ![10, 20].contains(&number)).collect::<Vec<_>>());
        assert_eq!(issued(&store, 30).await, told);
    })
    .await;
}

#[tokio::test]
async fn of_fifty_held_together_who_bring_the_same_value_one_is_served() {
    each(|store| async move {
        let told = together(&store, 50, |db, number| {
            let first = used::once(db, "assertion", "the same", t(9_000))?;
            if first {
                issue(db, &format!("g{number}"))?;
            }
            Ok(first)
        });
        let told: Vec<bool> = told.await.into_iter().map(|told| told.unwrap()).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert_eq!(issued(&store, 50).await, told);
        // Nor is whoever comes later, in a group or alone.
        let late =
            together(&store, 5, |db, number| used::once(db, "assertion", ["other", "the same"][number % 2], t(9_000)));
        let late: Vec<bool> = late.await.into_iter().map(|told| told.unwrap()).collect();
        // Served by themselves, in any order.
        assert_eq!(late.iter().filter(|first| **first).count(), 1);
        assert!(!late[1] && !late[3]);
        assert!(!store.transact_adding(|db| used::once(db, "assertion", "the same", t(9_000))).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn whoever_brings_a_row_that_is_there_is_told_and_nobody_else() {
    each(|store| async move {
        store.transact(|db| issue(db, "g3")).await.unwrap();
        let told = together(&store, 6, |db, number| issue(db, &format!("g{number}")).map(|()| true)).await;
        for (number, told) in told.into_iter().enumerate() {
            assert_eq!(
                told.as_ref().err().map(|fault| fault.cause),
                (number == 3).then_some(Cause::Broken),
                "{told:?}"
            );
        }
        assert_eq!(issued(&store, 6).await, [true; 6]);
    })
    .await;
}

#[tokio::test]
async fn a_text_that_no_store_need_keep_is_the_fault_of_whoever_brings_it() {
    each(|store| async move {
        let told = together(&store, 6, |db, number| {
            let value = if number == 2 { "a\0b".to_owned() } else { number.to_string() };
            issue(db, &format!("g{number}"))?;
            used::once(db, "assertion", &value, t(9_000))
        });
        let told: Vec<bool> = told.await.into_iter().map(|told| told.is_ok()).collect();
        let kept = |number: usize| number != 2 || !is_postgres(&store);
        assert_eq!(told, (0..6).map(kept).collect::<Vec<_>>());
        assert_eq!(issued(&store, 6).await, told);
    })
    .await;
}

#[tokio::test]
async fn whatever_else_is_said_makes_a_transaction_of_it() {
    each(|store| async move {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let told = together(&store, 20, move |db, number| {
            counted.fetch_add(1, Ordering::Relaxed);
            issue(db, &format!("g{number}"))?;
            if number % 5 == 0 {
                // It sees its own rows, and those of the group.
                assert!(is_issued(db, &format!("g{number}"))?);
                meta::put_if_absent(db, &format!("m{number}"), "here")?;
            }
            Ok(true)
        });
        assert!(told.await.into_iter().all(|told| told.unwrap()));
        assert_eq!(issued(&store, 20).await, [true; 20]);
        assert_eq!(runs.load(Ordering::Relaxed), 20);
        if is_postgres(&store) {
            assert_eq!(writers(&store).await, 1);
        }
        let told = together(&store, 5, |db, number| {
            issue(db, &format!("h{number}"))?;
            meta::put_if_absent(db, &format!("n{number}"), "here")?;
            if number == 4 { Err(Fault::broken("test", "refused")) } else { Ok(true) }
        });
        let told: Vec<bool> = told.await.into_iter().map(|told| told.is_ok()).collect();
        assert_eq!(told, [true, true, true, true, false]);
        let found = store.read(|db| {
            (0..5)
                .map(|n| Ok((is_issued(db, &format!("h{n}"))?, meta::find(db, &format!("n{n}"))?.is_some())))
                .collect()
        });
        let found: Vec<(bool, bool)> = found.await.unwrap();
        assert_eq!(found, told.iter().map(|told| (*told, *told)).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn an_inner_transaction_that_is_taken_back_takes_nothing_that_is_held() {
    each(|store| async move {
        let told = together(&store, 4, |db, number| {
            issue(db, &format!("g{number}"))?;
            let inner = db.transact(|db| {
                issue(db, &format!("inner{number}"))?;
                if number % 2 == 0 { Err(Fault::broken("test", "refused")) } else { Ok(()) }
            });
            Ok(inner.is_ok())
        });
        let told: Vec<bool> = told.await.into_iter().map(|told| told.unwrap()).collect();
        assert_eq!(told, [false, true, false, true]);
        assert_eq!(issued(&store, 4).await, [true; 4]);
        let inner = store
            .read(|db| (0..4).map(|number| is_issued(db, &format!("inner{number}"))).collect::<Result<Vec<_>, _>>());
        assert_eq!(inner.await.unwrap(), told);
    })
    .await;
}

#[tokio::test]
async fn what_a_group_has_read_of_a_client_is_not_remembered_by_the_next() {
    each(|store| async move {
        store.transact(seed).await.unwrap();
        let status = |db: &mut Db| Ok(client::find(db, &Id::new("portal"))?.unwrap().status);
        let live = ClientStatus::Live;
        let told = together(&store, 3, move |db, _| Ok(status(db)? == live)).await;
        assert!(told.into_iter().all(|told| told.unwrap()));
        for to in [ClientStatus::Suspended, live] {
            store.transact(move |db| client::set_status(db, &Id::new("portal"), to)).await.unwrap();
            assert_eq!(store.transact_adding(move |db| status(db)).await.unwrap(), to);
            let told = together(&store, 3, move |db, _| Ok(status(db)? == to)).await;
            assert!(told.into_iter().all(|told| told.unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn f_11_a_connection_that_died_is_replaced_before_the_group_notices() {
    let Some(url) = fresh_schema() else { return };
    let store = Store::open(&settings(format!("{url}&application_name=idp-f11-held"))).unwrap();
    store.transact(seed).await.unwrap();
    let mut link = PgConnection::establish(&std::env::var("IDP_TEST_DATABASE").unwrap()).unwrap();
    for round in 0..3 {
        let told = together(&store, 8, move |db, number| {
            assert!(client::find(db, &Id::new("portal"))?.is_some());
            issue(db, &format!("r{round}-{number}")).map(|()| true)
        });
        assert!(told.await.into_iter().all(|told| told.unwrap()));
        link.batch_execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'idp-f11-held'",
        )
        .unwrap();
    }
    assert_eq!(store.read(trail::count).await.unwrap(), 24);
}

#[tokio::test]
async fn f_12_a_group_that_finds_the_server_read_only_is_told_and_the_next_is_kept() {
    let Some(fresh) = postgres() else { return };
    fresh.store.transact_adding(|db| db.execute("SET default_transaction_read_only = on")).await.unwrap();
    let told = together(&fresh.store, 5, |db, number| issue(db, &format!("g{number}")).map(|()| true)).await;
    for told in told {
        assert_eq!(told.unwrap_err().cause, Cause::Unavailable);
    }
    let told = together(&fresh.store, 5, |db, number| issue(db, &format!("g{number}")).map(|()| true)).await;
    assert!(told.into_iter().all(|told| told.unwrap()));
    assert_eq!(issued(&fresh.store, 5).await, [true; 5]);
}
