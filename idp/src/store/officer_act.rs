//! Acts of officers, each once by the key it came with.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::officer_acts;
use crate::domain::{Account, Fault, Id, Moment};

/// An act as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub officer: Id<Account>,
    pub key: String,
    pub act: String,
    pub content: String,
}

/// True for the first to bring this key; the primary key decides. Others wait for the first to finish.
pub fn begin(db: &mut Db, asked: &Asked, at: Moment) -> Result<bool, Fault> {
    let inserted = on_each!(db, |link| diesel::insert_into(officer_acts::table)
        .values((
            officer_acts::officer_id.eq(asked.officer.as_str()),
            officer_acts::key.eq(&asked.key),
            officer_acts::act.eq(&asked.act),
            officer_acts::content.eq(&asked.content),
            officer_acts::at.eq(at.unix()),
        ))
        .on_conflict((officer_acts::officer_id, officer_acts::key))
        .do_nothing()
        .execute(link))?;
    Ok(inserted > 0)
}

pub fn finish(db: &mut Db, asked: &Asked, result: &str) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(officer_acts::table.find((asked.officer.as_str(), &asked.key)))
        .set(officer_acts::result.eq(result))
        .execute(link))?;
    Ok(())
}

/// The act of a key and what it came to.
pub fn find(db: &mut Db, officer: &Id<Account>, key: &str) -> Result<Option<(Asked, Option<String>)>, Fault> {
    let row: Option<(String, String, Option<String>)> = on_each!(db, |link| officer_acts::table
        .find((officer.as_str(), key))
        .select((officer_acts::act, officer_acts::content, officer_acts::result))
        .first(link)
        .optional())?;
    Ok(row
        .map(|(act, content, result)| (Asked { officer: officer.clone(), key: key.to_owned(), act, content }, result)))
}

/// Forgets up to `limit` of before a moment.
pub(super) fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<(String, String)> = on_each!(db, |link| officer_acts::table
        .filter(officer_acts::at.lt(before.unix()))
        .order(officer_acts::at)
        .limit(limit)
        .select((officer_acts::officer_id, officer_acts::key))
        .load(link))?;
    for (officer, key) in &stale {
        on_each!(db, |link| diesel::delete(officer_acts::table.find((officer, key))).execute(link))?;
    }
    Ok(stale.len())
}
