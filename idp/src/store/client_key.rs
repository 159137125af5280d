//! What only one client may be registered with: its keys, by their marks.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::client_keys;
use crate::domain::{Client, Fault, Id};

/// Replaces a client's marks. One of another client's is a fault: whoever registers asks `held_elsewhere` first.
pub fn put(db: &mut Db, client: &Id<Client>, marks: &[String]) -> Result<(), Fault> {
    release(db, client)?;
    for mark in marks {
        let row = (client_keys::mark.eq(mark.as_str()), client_keys::client_id.eq(client.as_str()));
        on_each!(db, |link| diesel::insert_into(client_keys::table).values(row).execute(link))?;
    }
    Ok(())
}

pub fn held_elsewhere(db: &mut Db, client: &Id<Client>, marks: &[String]) -> Result<bool, Fault> {
    let found: Option<String> = on_each!(db, |link| client_keys::table
        .filter(client_keys::mark.eq_any(marks))
        .filter(client_keys::client_id.ne(client.as_str()))
        .select(client_keys::client_id)
        .first(link)
        .optional())?;
    Ok(found.is_some())
}

/// A client that is closed for good holds nothing any more.
pub(super) fn release(db: &mut Db, client: &Id<Client>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(client_keys::table.filter(client_keys::client_id.eq(client.as_str())))
        .execute(link))?;
    Ok(())
}
