//! Recoveries under way and how they ended.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at, known};
use super::db::{Db, on_each};
use super::schema::recovery::recoveries;
use crate::domain::account::Account;
use crate::domain::recovery::{Ending, Recovery, Second};
use crate::domain::secret::{BlindIndex, RecoveryCookie, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = recoveries)]
struct Row {
    id: String,
    browser: String,
    person_index: String,
    account_id: Option<String>,
    code: Option<String>,
    code_expires_at: Option<i64>,
    phone_proved_at: Option<i64>,
    second: Option<String>,
    second_proved_at: Option<i64>,
    ready_at: Option<i64>,
    stop_code: Option<String>,
    began_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    ending: Option<String>,
}

impl Row {
    fn decode(self) -> Result<Recovery, Fault> {
        let second = self.second.map(|name| known(Second::parse(&name), "recoveries")).transpose()?;
        let ending = self.ending.map(|name| known(Ending::parse(&name), "recoveries")).transpose()?;
        Ok(Recovery {
            id: Id::new(self.id),
            browser: Stored::from_store(self.browser),
            person: BlindIndex::from_text(self.person_index),
            account: self.account_id.map(Id::new),
            code: self.code.map(Stored::from_store),
            code_expires_at: at(self.code_expires_at),
            phone_proved_at: at(self.phone_proved_at),
            second: second.zip(at(self.second_proved_at)),
            ready_at: at(self.ready_at),
            stop_code: self.stop_code.map(Stored::from_store),
            began_at: Moment::from_unix(self.began_at),
            expires_at: Moment::from_unix(self.expires_at),
            ending: ending.zip(at(self.ended_at)),
        })
    }
}

pub fn begin(db: &mut Db, recovery: &Recovery) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(recoveries::table)
        .values((
            recoveries::id.eq(recovery.id.as_str()),
            recoveries::browser.eq(recovery.browser.as_str()),
            recoveries::person_index.eq(recovery.person.as_str()),
            recoveries::account_id.eq(recovery.account.as_ref().map(Id::as_str)),
            recoveries::code.eq(recovery.code.as_ref().map(Stored::as_str)),
            recoveries::code_expires_at.eq(recovery.code_expires_at.map(Moment::unix)),
            recoveries::began_at.eq(recovery.began_at.unix()),
            recoveries::expires_at.eq(recovery.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, browser: &Stored<RecoveryCookie>) -> Result<Option<Recovery>, Fault> {
    let row: Option<Row> = on_each!(db, |link| recoveries::table
        .filter(recoveries::browser.eq(browser.as_str()))
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// All of an account that did not end, whether or not their time is over.
pub fn open(db: &mut Db, account: &Id<Account>) -> Result<Vec<Recovery>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| recoveries::table
        .filter(recoveries::account_id.eq(account.as_str()))
        .filter(recoveries::ended_at.is_null())
        .order(recoveries::began_at)
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// Writes what was proved since `recovery` was read. False when it ended, or was proved further, meanwhile: of two posts
/// at once one counts.
pub fn save(db: &mut Db, recovery: &Recovery, phone_was_proved: bool) -> Result<bool, Fault> {
    let values = (
        recoveries::code.eq(recovery.code.as_ref().map(Stored::as_str)),
        recoveries::code_expires_at.eq(recovery.code_expires_at.map(Moment::unix)),
        recoveries::phone_proved_at.eq(recovery.phone_proved_at.map(Moment::unix)),
        recoveries::second.eq(recovery.second.map(|(second, _)| second.name())),
        recoveries::second_proved_at.eq(recovery.second.map(|(_, at)| at.unix())),
        recoveries::ready_at.eq(recovery.ready_at.map(Moment::unix)),
        recoveries::stop_code.eq(recovery.stop_code.as_ref().map(Stored::as_str)),
        recoveries::expires_at.eq(recovery.expires_at.unix()),
    );
    let saved = on_each!(db, |link| diesel::update(
        recoveries::table
            .find(recovery.id.as_str())
            .filter(recoveries::ended_at.is_null())
            .filter(recoveries::second.is_null())
            .filter(recoveries::phone_proved_at.is_not_null().eq(phone_was_proved))
    )
    .set(values)
    .execute(link))?;
    Ok(saved > 0)
}

/// Spends it on a new password. Affected rows decide, and the row itself holds every proof once more.
pub fn complete(db: &mut Db, id: &Id<Recovery>, now: Moment) -> Result<bool, Fault> {
    let done = on_each!(db, |link| diesel::update(
        recoveries::table
            .find(id.as_str())
            .filter(recoveries::ended_at.is_null())
            .filter(recoveries::account_id.is_not_null())
            .filter(recoveries::phone_proved_at.is_not_null())
            .filter(recoveries::second_proved_at.is_not_null())
            .filter(recoveries::ready_at.le(now.unix()))
            .filter(recoveries::expires_at.gt(now.unix()))
    )
    .set((recoveries::ended_at.eq(now.unix()), recoveries::ending.eq(Ending::Done.name())))
    .execute(link))?;
    Ok(done > 0)
}

/// False when it had ended.
pub fn end(db: &mut Db, id: &Id<Recovery>, ending: Ending, now: Moment) -> Result<bool, Fault> {
    let ended = on_each!(db, |link| diesel::update(
        recoveries::table.find(id.as_str()).filter(recoveries::ended_at.is_null())
    )
    .set((recoveries::ended_at.eq(now.unix()), recoveries::ending.eq(ending.name())))
    .execute(link))?;
    Ok(ended > 0)
}

/// What `end_all` ends.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    recoveries::table.filter(recoveries::account_id.eq(account)).filter(recoveries::ended_at.is_null())
}

/// Ends every recovery of an account that did not end yet (LG-19); how many there were.
pub fn end_all(db: &mut Db, account: &Id<Account>, ending: Ending, now: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set((recoveries::ended_at.eq(now.unix()), recoveries::ending.eq(ending.name())))
        .execute(link))?)
}

/// How many are under way.
pub fn count_open(db: &mut Db, now: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| recoveries::table
        .filter(recoveries::expires_at.gt(now.unix()))
        .filter(recoveries::ended_at.is_null())
        .count()
        .get_result(link))?)
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| recoveries::table
        .filter(recoveries::expires_at.lt(before.unix()))
        .order(recoveries::expires_at)
        .limit(limit)
        .select(recoveries::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(recoveries::table.filter(recoveries::id.eq_any(&stale))).execute(link))?)
}
