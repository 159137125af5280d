//! Values that count once, such as the `jti` of an assertion.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::used;
use super::update::{Bind, Insert, Insertion};
use crate::domain::{Fault, Moment};

struct Once;

impl Insertion for Once {
    const INTO: &'static str = "INSERT INTO used (class, value, expires_at)";
    const END: &'static str = " ON CONFLICT (class, value) DO NOTHING";
}

/// True for the first to bring this value; the unique key decides. Kept until `expires_at`.
pub fn once(db: &mut Db, class: &str, value: &str, expires_at: Moment) -> Result<bool, Fault> {
    let insert = Insert::of(Once, [Bind::Text(class), Bind::Text(value), Bind::Number(expires_at.unix())]);
    Ok(db.add(insert)? > 0)
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
