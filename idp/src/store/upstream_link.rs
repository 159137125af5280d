//! Who at another provider is who here, and the sessions that rest on it. The unique keys decide between two who link at
//! once.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::{upstream_links, upstream_sessions};
use crate::domain::account::Account;
use crate::domain::secret::BlindIndex;
use crate::domain::session::Session;
use crate::domain::upstream::{Link, Resting};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = upstream_links)]
struct Row {
    id: String,
    account_id: String,
    issuer: String,
    subject: String,
    linked_at: i64,
}

impl Row {
    fn decode(self) -> Link {
        Link {
            id: Id::new(self.id),
            account: Id::new(self.account_id),
            issuer: self.issuer,
            subject: BlindIndex::from_text(self.subject),
            linked_at: Moment::from_unix(self.linked_at),
        }
    }
}

/// False when this subject is linked to somebody, or this account to another subject of the issuer.
pub fn put(db: &mut Db, new: &Link) -> Result<bool, Fault> {
    let put = on_each!(db, |link| diesel::insert_into(upstream_links::table)
        .values((
            upstream_links::id.eq(new.id.as_str()),
            upstream_links::account_id.eq(new.account.as_str()),
            upstream_links::issuer.eq(new.issuer.as_str()),
            upstream_links::subject.eq(new.subject.as_str()),
            upstream_links::linked_at.eq(new.linked_at.unix()),
        ))
        .on_conflict_do_nothing()
        .execute(link))?;
    Ok(put > 0)
}

pub fn find(db: &mut Db, issuer: &str, subject: &BlindIndex) -> Result<Option<Link>, Fault> {
    let row: Option<Row> = on_each!(db, |link| upstream_links::table
        .filter(upstream_links::issuer.eq(issuer))
        .filter(upstream_links::subject.eq(subject.as_str()))
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    Ok(row.map(Row::decode))
}

pub fn of_account(db: &mut Db, account: &Id<Account>) -> Result<Vec<Link>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| upstream_links::table
        .filter(upstream_links::account_id.eq(account.as_str()))
        .order((upstream_links::linked_at, upstream_links::id))
        .select(Row::as_select())
        .load(link))?;
    Ok(rows.into_iter().map(Row::decode).collect())
}

/// The link as it was, when it was this account's and is gone by this very call.
pub fn take(db: &mut Db, id: &Id<Link>, account: &Id<Account>) -> Result<Option<Link>, Fault> {
    let found = of_account(db, account)?.into_iter().find(|link| link.id == *id);
    let gone = on_each!(db, |link| diesel::delete(
        upstream_links::table.find(id.as_str()).filter(upstream_links::account_id.eq(account.as_str()))
    )
    .execute(link))?;
    Ok(found.filter(|_| gone > 0))
}

/// A session rests on the link it was last proved by.
pub fn rest(db: &mut Db, resting: &Resting) -> Result<(), Fault> {
    let sid = resting.sid.as_ref().map(BlindIndex::as_str);
    on_each!(db, |link| diesel::insert_into(upstream_sessions::table)
        .values((
            upstream_sessions::session_id.eq(resting.session.as_str()),
            upstream_sessions::link_id.eq(resting.link.as_str()),
            upstream_sessions::sid.eq(sid),
        ))
        .on_conflict(upstream_sessions::session_id)
        .do_update()
        .set((upstream_sessions::link_id.eq(resting.link.as_str()), upstream_sessions::sid.eq(sid)))
        .execute(link))?;
    Ok(())
}

/// Every session that rests on a link; with `sid`, only those the other provider knows by it.
pub fn resting(db: &mut Db, link: &Id<Link>, sid: Option<&BlindIndex>) -> Result<Vec<Id<Session>>, Fault> {
    let rows: Vec<(String, Option<String>)> = on_each!(db, |link_| upstream_sessions::table
        .filter(upstream_sessions::link_id.eq(link.as_str()))
        .order(upstream_sessions::session_id)
        .select((upstream_sessions::session_id, upstream_sessions::sid))
        .load(link_))?;
    let meant = |own: &Option<String>| sid.is_none_or(|sid| own.as_deref() == Some(sid.as_str()));
    Ok(rows.into_iter().filter(|(_, own)| meant(own)).map(|(session, _)| Id::new(session)).collect())
}

/// Sessions an issuer knows by `sid`, whoever's they are.
pub fn resting_by_sid(db: &mut Db, issuer: &str, sid: &BlindIndex) -> Result<Vec<Id<Session>>, Fault> {
    let links: Vec<String> = on_each!(db, |link| upstream_sessions::table
        .filter(upstream_sessions::sid.eq(sid.as_str()))
        .select(upstream_sessions::link_id)
        .distinct()
        .load(link))?;
    let mut sessions = Vec::new();
    for id in links.into_iter().map(Id::new) {
        let named: Option<String> = on_each!(db, |link| upstream_links::table
            .find(id.as_str())
            .select(upstream_links::issuer)
            .get_result(link)
            .optional())?;
        if named.as_deref() == Some(issuer) {
            sessions.extend(resting(db, &id, Some(sid))?);
        }
    }
    Ok(sessions)
}
