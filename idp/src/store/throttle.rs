//! Failure counters. They are security facts: a cleared short memory must not hand out fresh guesses.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::db::{Db, on_each};
use super::schema::throttles;
use crate::domain::failures::Failures;
use crate::domain::{Fault, Moment, Span};

pub fn find(db: &mut Db, key: &str) -> Result<Option<Failures>, Fault> {
    let row: Option<(i64, i64, i64)> = on_each!(db, |link| throttles::table
        .find(key)
        .select((throttles::count, throttles::first_at, throttles::last_at))
        .get_result(link)
        .optional())?;
    Ok(row.map(|(count, first, last)| Failures {
        count,
        first_at: Moment::from_unix(first),
        last_at: Moment::from_unix(last),
    }))
}

/// Counts one more failure; the answer is how many there are now.
pub fn fail(db: &mut Db, key: &str, at: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| diesel::insert_into(throttles::table)
        .values((
            throttles::key.eq(key),
            throttles::count.eq(1),
            throttles::first_at.eq(at.unix()),
            throttles::last_at.eq(at.unix()),
        ))
        .on_conflict(throttles::key)
        .do_update()
        .set((throttles::count.eq(throttles::count + 1), throttles::last_at.eq(excluded(throttles::last_at)),))
        .returning(throttles::count)
        .get_result(link))?)
}

/// The same, counting anew when the first failure is `window` or longer ago.
pub fn fail_within(db: &mut Db, key: &str, at: Moment, window: Span) -> Result<i64, Fault> {
    let restarted = on_each!(db, |link| diesel::update(
        throttles::table.find(key).filter(throttles::first_at.le((at - window).unix()))
    )
    .set((throttles::count.eq(1), throttles::first_at.eq(at.unix()), throttles::last_at.eq(at.unix()),))
    .execute(link))?;
    if restarted > 0 { Ok(1) } else { fail(db, key, at) }
}

/// Remembers the newest moment told under this key. Affected rows decide: of many who tell the same one at once, one is
/// the first.
pub fn mark(db: &mut Db, key: &str, at: Moment) -> Result<bool, Fault> {
    let raised =
        on_each!(db, |link| diesel::update(throttles::table.find(key).filter(throttles::last_at.lt(at.unix())))
            .set((throttles::count.eq(throttles::count + 1), throttles::last_at.eq(at.unix())))
            .execute(link))?;
    if raised > 0 {
        return Ok(true);
    }
    let made = on_each!(db, |link| diesel::insert_into(throttles::table)
        .values((
            throttles::key.eq(key),
            throttles::count.eq(1),
            throttles::first_at.eq(at.unix()),
            throttles::last_at.eq(at.unix()),
        ))
        .on_conflict(throttles::key)
        .do_nothing()
        .execute(link))?;
    Ok(made > 0)
}

pub fn clear(db: &mut Db, key: &str) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(throttles::table.find(key)).execute(link))?;
    Ok(())
}
