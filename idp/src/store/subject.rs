//! The subject identifier of an account in a sector: random, stored, never reused.

use std::collections::HashMap;

use diesel::prelude::*;

use super::columns::known;
use super::db::{Db, on_each};
use super::schema::subjects;
use crate::domain::account::Account;
use crate::domain::{Fault, Id};

pub fn find(db: &mut Db, account: &Id<Account>, sector: &str) -> Result<Option<String>, Fault> {
    Ok(on_each!(db, |link| subjects::table
        .find((account.as_str(), sector))
        .select(subjects::sub)
        .get_result(link)
        .optional())?)
}

/// The known subject, else `fresh`.
pub fn find_or_put(db: &mut Db, account: &Id<Account>, sector: &str, fresh: &str) -> Result<String, Fault> {
    if let Some(sub) = find(db, account, sector)? {
        return Ok(sub);
    }
    on_each!(db, |link| diesel::insert_into(subjects::table)
        .values((subjects::account_id.eq(account.as_str()), subjects::sector.eq(sector), subjects::sub.eq(fresh),))
        .on_conflict((subjects::account_id, subjects::sector))
        .do_nothing()
        .execute(link))?;
    // Another request may have been first.
    known(find(db, account, sector)?, "subjects")
}

/// Every name the account has, by sector.
pub fn all(db: &mut Db, account: &Id<Account>) -> Result<HashMap<String, String>, Fault> {
    let rows: Vec<(String, String)> = on_each!(db, |link| subjects::table
        .filter(subjects::account_id.eq(account.as_str()))
        .select((subjects::sector, subjects::sub))
        .load(link))?;
    Ok(rows.into_iter().collect())
}

pub fn account_of(db: &mut Db, sector: &str, sub: &str) -> Result<Option<Id<Account>>, Fault> {
    let id: Option<String> = on_each!(db, |link| subjects::table
        .filter(subjects::sector.eq(sector))
        .filter(subjects::sub.eq(sub))
        .select(subjects::account_id)
        .get_result(link)
        .optional())?;
    Ok(id.map(Id::new))
}
