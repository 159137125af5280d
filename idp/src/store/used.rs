//! Values that count once, such as the `jti` of an assertion.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::used;
use crate::domain::{Fault, Moment};

/// True for the first to bring this value; the unique key decides. Kept until `expires_at`.
pub fn once(db: &mut Db, class: &str, value: &str, expires_at: Moment) -> Result<bool, Fault> {
    let inserted = on_each!(db, |link| diesel::insert_into(used::table)
        .values((used::class.eq(class), used::value.eq(value), used::expires_at.eq(expires_at.unix())))
        .on_conflict((used::class, used::value))
        .do_nothing()
        .execute(link))?;
    Ok(inserted > 0)
}

/// Whether a value was brought before, without bringing it.
pub fn is_known(db: &mut Db, class: &str, value: &str) -> Result<bool, Fault> {
    let found: Option<String> =
        on_each!(db, |link| used::table.find((class, value)).select(used::class).get_result(link).optional())?;
    Ok(found.is_some())
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<(String, String)> = on_each!(db, |link| used::table
        .filter(used::expires_at.lt(before.unix()))
        .order(used::expires_at)
        .limit(limit)
        .select((used::class, used::value))
        .load(link))?;
    for (class, value) in &stale {
        on_each!(db, |link| diesel::delete(used::table.find((class, value))).execute(link))?;
    }
    Ok(stale.len())
}
