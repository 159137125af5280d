//! What the registers told: each event once, and how far each feed was read.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::columns::at;
use super::db::{Db, on_each};
use super::schema::{register_events, register_feeds};
use crate::domain::account::Account;
use crate::domain::{Fault, Id, Moment};

/// An event as it was taken in.
#[derive(Clone, Debug)]
pub struct Taken<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub account: Option<&'a Id<Account>>,
    pub happened_at: Moment,
    pub applied_at: Moment,
    pub outcome: &'a str,
}

/// False when the event was taken in before: uniqueness in SQL decides, however many servers read the feed.
pub fn once(db: &mut Db, event: &Taken<'_>) -> Result<bool, Fault> {
    let new = on_each!(db, |link| diesel::insert_into(register_events::table)
        .values((
            register_events::id.eq(event.id),
            register_events::kind.eq(event.kind),
            register_events::account_id.eq(event.account.map(Id::as_str)),
            register_events::happened_at.eq(event.happened_at.unix()),
            register_events::applied_at.eq(event.applied_at.unix()),
            register_events::outcome.eq(event.outcome),
        ))
        .on_conflict(register_events::id)
        .do_nothing()
        .execute(link))?;
    Ok(new > 0)
}

/// Whether an event of these kinds that happened later was taken in already: this one speaks of the past.
pub fn is_overtaken(
    db: &mut Db,
    account: &Id<Account>,
    kinds: &[&str],
    (happened, id): (Moment, &str),
) -> Result<bool, Fault> {
    let newest: Option<(i64, String)> = on_each!(db, |link| register_events::table
        .filter(register_events::account_id.eq(account.as_str()))
        .filter(register_events::kind.eq_any(kinds))
        .filter(register_events::id.ne(id))
        .order((register_events::happened_at.desc(), register_events::id.desc()))
        .select((register_events::happened_at, register_events::id))
        .first(link)
        .optional())?;
    Ok(newest.is_some_and(|newest| newest > (happened.unix(), id.to_owned())))
}

/// How far a feed was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    pub name: String,
    pub cursor: String,
    pub read_at: Moment,
    /// When the newest event it told of happened.
    pub newest_at: Option<Moment>,
}

pub fn feeds(db: &mut Db) -> Result<Vec<Feed>, Fault> {
    let rows: Vec<(String, String, i64, Option<i64>)> = on_each!(db, |link| register_feeds::table
        .order(register_feeds::name)
        .select((register_feeds::name, register_feeds::cursor, register_feeds::read_at, register_feeds::newest_at))
        .load(link))?;
    let feeds = rows.into_iter().map(|(name, cursor, read, newest)| Feed {
        name,
        cursor,
        read_at: Moment::from_unix(read),
        newest_at: at(newest),
    });
    Ok(feeds.collect())
}

pub fn put_feed(db: &mut Db, feed: &Feed) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(register_feeds::table)
        .values((
            register_feeds::name.eq(feed.name.as_str()),
            register_feeds::cursor.eq(feed.cursor.as_str()),
            register_feeds::read_at.eq(feed.read_at.unix()),
            register_feeds::newest_at.eq(feed.newest_at.map(Moment::unix)),
        ))
        .on_conflict(register_feeds::name)
        .do_update()
        .set((
            register_feeds::cursor.eq(excluded(register_feeds::cursor)),
            register_feeds::read_at.eq(excluded(register_feeds::read_at)),
            register_feeds::newest_at.eq(excluded(register_feeds::newest_at)),
        ))
        .execute(link))?;
    Ok(())
}

/// Name, kind, when it happened, when it was taken in, and what came of it.
pub type Line = (String, String, Moment, Moment, String);

/// What was taken in, the newest first.
pub fn recent(db: &mut Db, limit: i64) -> Result<Vec<Line>, Fault> {
    let rows: Vec<(String, String, i64, i64, String)> = on_each!(db, |link| register_events::table
        .order((register_events::applied_at.desc(), register_events::id.desc()))
        .limit(limit)
        .select((
            register_events::id,
            register_events::kind,
            register_events::happened_at,
            register_events::applied_at,
            register_events::outcome,
        ))
        .load(link))?;
    let recent = rows.into_iter().map(|(id, kind, happened, applied, outcome)| {
        (id, kind, Moment::from_unix(happened), Moment::from_unix(applied), outcome)
    });
    Ok(recent.collect())
}
