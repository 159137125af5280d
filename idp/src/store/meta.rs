//! A few named facts about the database itself, such as the fingerprint of the keys it was sealed with.

use diesel::prelude::*;

use super::columns::known;
use super::db::{Db, on_each};
use super::schema::meta;
use crate::domain::Fault;

pub fn find(db: &mut Db, name: &str) -> Result<Option<String>, Fault> {
    Ok(on_each!(db, |link| meta::table.find(name).select(meta::value).get_result(link).optional())?)
}

/// The value that is there, else `value`.
pub fn put_if_absent(db: &mut Db, name: &str, value: &str) -> Result<String, Fault> {
    on_each!(db, |link| diesel::insert_into(meta::table)
        .values((meta::name.eq(name), meta::value.eq(value)))
        .on_conflict(meta::name)
        .do_nothing()
        .execute(link))?;
    known(find(db, name)?, "meta")
}
