//! RF-13 of `security.md`: what finding and spending a refresh token costs is the same among few and among very many:
//! the same statements, each by an index, and as many rows. Counted, never timed.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::connection::InstrumentationEvent;
use diesel::sql_types::{BigInt, Text};
use sha2::{Digest, Sha256};

use super::super::db::{Link, aside};
use super::super::{grant as grants, token};
use super::grants::refresh;
use super::*;
use crate::domain::secret::RefreshToken;

/// Tokens in the store; `LONG=1` goes as far as the catalogue says. The planner of PostgreSQL reads a table of a page or
/// two as a whole, which is no dearer than its index, so it begins above that.
fn sizes() -> [i64; 3] {
    [10, 1_000, if std::env::var_os("LONG").is_some() { 1_000_000 } else { 50_000 }]
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName, Clone, Copy, Debug, PartialEq, Eq)]
struct Rows {
    #[diesel(sql_type = BigInt)]
    whole: i64,
    #[diesel(sql_type = BigInt)]
    indexed: i64,
}

/// Other tokens, each with a grant of its own, and as many spent ones of one grant.
fn fill(db: &mut Db, from: i64, to: i64, family: &str) -> Result<(), Fault> {
    let numbers = match db.link {
        Link::Sqlite(_) => format!(
            "(WITH RECURSIVE seq(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < {to}) SELECT n FROM seq)"
        ),
        Link::Postgres(_) => format!("(SELECT generate_series({from}, {to} - 1) AS n)"),
    };
    if matches!(db.link, Link::Postgres(_)) {
        // A connection that serves has no time for this.
        db.execute("SET LOCAL statement_timeout = 0")?;
    }
    let spent = format!(
        "INSERT INTO refresh_tokens (hash, grant_id, issued_at, expires_at, spent_at) \
         SELECT 'spent-' || n, '{family}', 1000, 9000, 1000 FROM "
    );
    for statement in [
        "INSERT INTO grants (id, client_id, account_id, sub, session_id, scope, offline, opened_at) \
         SELECT 'other-' || n, 'portal', 'account-' || n, 'sub', 'session', 'openid', TRUE, 1000 FROM ",
        "INSERT INTO refresh_tokens (hash, grant_id, issued_at, expires_at) \
         SELECT 'other-' || n, 'other-' || n, 1000, 9000 FROM ",
        &spent,
    ] {
        db.execute(&format!("{statement}{numbers} AS numbers"))?;
    }
    // These two, and not the tables of every test that has used this database before.
    db.execute("ANALYZE grants")?;
    db.execute("ANALYZE refresh_tokens")
}

/// What a refresh does with the presented token, however it ends.
fn find_and_spend(db: &mut Db, presented: &str) -> Result<(), Fault> {
    let hash: Stored<RefreshToken> = Stored::of(presented);
    let (found, grant) = token::find_refresh(db, &hash)?.expect("it was put");
    assert!(found.hash == hash && found.grant == grant.id);
    assert!(token::spend_refresh(db, &hash, t(2_000))?);
    Ok(())
}

/// The statements of `act`, as they went to the database.
fn statements(db: &mut Db, act: impl FnOnce(&mut Db) -> Result<(), Fault>) -> Result<Vec<String>, Fault> {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = Arc::clone(&heard);
    aside!(db, |link| link.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            ears.lock().unwrap().push(text.split(" -- binds").next().unwrap_or_default().to_owned());
        }
    }));
    act(db)?;
    aside!(db, |link| link.set_instrumentation(|_: InstrumentationEvent<'_>| {}));
    Ok(std::mem::take(&mut *heard.lock().unwrap()))
}

/// SQLite: how it goes about these statements.
fn plan(db: &mut Db, statements: &[String]) -> Vec<String> {
    let Link::Sqlite(link) = &mut db.link else { return Vec::new() };
    let explained = statements.iter().flat_map(|statement| {
        let steps: Vec<Step> =
            diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(link.as_mut()).unwrap();
        steps.into_iter().map(|step| step.detail)
    });
    explained.collect()
}

/// PostgreSQL: rows this transaction has read so far, in whole tables and by an index.
fn rows(db: &mut Db) -> Option<Rows> {
    let Link::Postgres(link) = &mut db.link else { return None };
    let query = diesel::sql_query(
        "SELECT sum(coalesce(seq_tup_read, 0))::bigint AS whole, sum(coalesce(idx_tup_fetch, 0))::bigint AS indexed \
         FROM pg_stat_xact_user_tables WHERE schemaname = current_schema() AND relname IN ('grants', 'refresh_tokens')",
    );
    Some(query.get_result(link.as_mut()).unwrap())
}

#[tokio::test]
async fn rf_13_a_refresh_token_is_found_and_spent_at_the_same_cost_among_few_and_many() {
    within(|db| {
        seed(db)?;
        let mut filled = 0;
        let mut costs = Vec::new();
        for size in sizes() {
            // Names of its own: what is deleted in a transaction is still in its way on PostgreSQL.
            let (family, presented) = (format!("family-{size}"), format!("presented-{size}"));
            grants::open(db, &Grant { offline: true, ..grant(&family, "account-1", "s") })?;
            token::put_refresh(db, &refresh(&presented, &family, 9_000))?;
            fill(db, filled, size, &family)?;
            filled = size;
            let before = rows(db);
            let told = statements(db, |db| find_and_spend(db, &presented))?;
            let read = before.zip(rows(db)).map(|(before, after)| Rows {
                whole: after.whole - before.whole,
                indexed: after.indexed - before.indexed,
            });
            assert_eq!(told.len(), 2, "one to find it with its grant, one to spend it: {told:?}");
            let plan = plan(db, &told);
            assert!(plan.iter().all(|step| step.starts_with("SEARCH ") && step.contains("=?")), "{plan:?}");
            costs.push((size, told, plan, read));
        }
        let [_, few, many] = costs.as_slice() else { panic!("{costs:?}") };
        assert_eq!((&few.1, &few.2, few.3), (&many.1, &many.2, many.3));
        // The token and its grant to find it, the token once more to spend it; the planner looks at the ends of an index.
        assert!(few.3.is_none_or(|read| read.whole == 0 && (3..=6).contains(&read.indexed)), "{few:?}");
        assert_eq!(few.2.len(), if few.3.is_none() { 3 } else { 0 }, "{few:?}");
        Ok(())
    })
    .await;
}

#[test]
fn rf_13_a_presented_token_is_looked_up_by_one_sha_256_of_it() {
    let presented = minted("presented-refresh-token", t(1_000));
    let digest = Sha256::new().chain_update(b"refresh_token\0").chain_update(&presented).finalize();
    let expected = format!("{}{}", minted_before(t(1_000)), URL_SAFE_NO_PAD.encode(digest));
    assert_eq!(Stored::<RefreshToken>::of(&presented).as_str(), expected, "after the date it begins with");
}
