//! Sign-outs whose page has yet to be shown: it tells clients through the browser and then goes on.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::sign_outs;
use crate::domain::session::Session;
use crate::domain::{Client, Fault, Id, Moment};

/// A session that ended here, and where the person goes on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOut {
    pub id: Id<SignOut>,
    pub session: Id<Session>,
    /// A client and the whole address it registered to return to.
    pub back: Option<(Id<Client>, String)>,
    pub expires_at: Moment,
}

pub fn put(db: &mut Db, sign_out: &SignOut) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(sign_outs::table)
        .values((
            sign_outs::id.eq(sign_out.id.as_str()),
            sign_outs::session_id.eq(sign_out.session.as_str()),
            sign_outs::client_id.eq(sign_out.back.as_ref().map(|(client, _)| client.as_str())),
            sign_outs::location.eq(sign_out.back.as_ref().map(|(_, location)| location.as_str())),
            sign_outs::expires_at.eq(sign_out.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, id: &Id<SignOut>) -> Result<Option<SignOut>, Fault> {
    type Row = (String, Option<String>, Option<String>, i64);
    let row: Option<Row> = on_each!(db, |link| sign_outs::table
        .find(id.as_str())
        .select((sign_outs::session_id, sign_outs::client_id, sign_outs::location, sign_outs::expires_at))
        .get_result(link)
        .optional())?;
    Ok(row.map(|(session, client, location, expires_at)| SignOut {
        id: id.clone(),
        session: Id::new(session),
        back: client.map(Id::new).zip(location),
        expires_at: Moment::from_unix(expires_at),
    }))
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| sign_outs::table
        .filter(sign_outs::expires_at.lt(before.unix()))
        .order(sign_outs::expires_at)
        .limit(limit)
        .select(sign_outs::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(sign_outs::table.filter(sign_outs::id.eq_any(&stale))).execute(link))?)
}
