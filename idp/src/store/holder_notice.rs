//! Messages to holders on their way. As in the outbox, affected rows decide who may make an attempt.

use diesel::prelude::*;

use super::columns::known;
use super::db::{Db, on_each};
use super::schema::holder_notices;
use crate::domain::holder_notice::{HolderNotice, News};
use crate::domain::{Fault, Id, Moment};

pub fn put(db: &mut Db, notice: &HolderNotice) -> Result<(), Fault> {
    let (word, of) = notice.news.kept();
    on_each!(db, |link| diesel::insert_into(holder_notices::table)
        .values((
            holder_notices::id.eq(notice.id.as_str()),
            holder_notices::account_id.eq(notice.account.as_str()),
            holder_notices::news.eq(word),
            holder_notices::of_what.eq(of),
            holder_notices::attempts.eq(notice.attempts),
            holder_notices::next_at.eq(notice.next_at.unix()),
            holder_notices::expires_at.eq(notice.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn due(db: &mut Db, now: Moment, limit: i64) -> Result<Vec<HolderNotice>, Fault> {
    type Row = (String, String, String, String, i64, i64, i64);
    let rows: Vec<Row> = on_each!(db, |link| holder_notices::table
        .filter(holder_notices::next_at.le(now.unix()))
        .order((holder_notices::next_at, holder_notices::id))
        .limit(limit)
        .select((
            holder_notices::id,
            holder_notices::account_id,
            holder_notices::news,
            holder_notices::of_what,
            holder_notices::attempts,
            holder_notices::next_at,
            holder_notices::expires_at,
        ))
        .load(link))?;
    rows.into_iter()
        .map(|(id, account, news, of, attempts, next, expires)| {
            Ok(HolderNotice {
                id: Id::new(id),
                account: Id::new(account),
                news: known(News::parse(&news, &of), "holder_notices")?,
                attempts,
                next_at: Moment::from_unix(next),
                expires_at: Moment::from_unix(expires),
            })
        })
        .collect()
}

/// Begins an attempt that nobody else may make before `until`. False: another server was first.
pub fn claim(db: &mut Db, notice: &HolderNotice, until: Moment) -> Result<bool, Fault> {
    let claimed = on_each!(db, |link| diesel::update(
        holder_notices::table
            .find(notice.id.as_str())
            .filter(holder_notices::attempts.eq(notice.attempts))
            .filter(holder_notices::next_at.eq(notice.next_at.unix()))
    )
    .set((holder_notices::attempts.eq(notice.attempts + 1), holder_notices::next_at.eq(until.unix())))
    .execute(link))?;
    Ok(claimed > 0)
}

/// Handed over, or not worth sending any more. False when it was gone.
pub fn finish(db: &mut Db, id: &Id<HolderNotice>) -> Result<bool, Fault> {
    Ok(on_each!(db, |link| diesel::delete(holder_notices::table.find(id.as_str())).execute(link))? > 0)
}

pub fn postpone(db: &mut Db, id: &Id<HolderNotice>, next_at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(holder_notices::table.find(id.as_str()))
        .set(holder_notices::next_at.eq(next_at.unix()))
        .execute(link))?;
    Ok(())
}
