//! Authenticator apps. One counts per account; one being set up waits for its first code.

use diesel::prelude::*;

use super::columns::at;
use super::db::{Db, on_each};
use super::schema::accounts;
use super::schema::totps;
use crate::domain::account::Account;
use crate::domain::secret::{BrowserCookie, Sealed, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Clone, Debug)]
pub struct Totp {
    pub id: Id<Totp>,
    pub account: Id<Account>,
    /// Where it is being set up.
    pub browser: Stored<BrowserCookie>,
    pub secret: Sealed,
    /// The step of the last code that counted: no code of it or of an earlier one counts any more (RFC 6238 §5.2).
    pub last_step: i64,
    pub created_at: Moment,
    pub confirmed_at: Option<Moment>,
}

type Row = (String, String, String, String, i64, i64, Option<i64>);

fn decode((id, account, browser, secret, last_step, created, confirmed): Row) -> Totp {
    Totp {
        id: Id::new(id),
        account: Id::new(account),
        browser: Stored::from_store(browser),
        secret: Sealed::from_text(secret),
        last_step,
        created_at: Moment::from_unix(created),
        confirmed_at: at(confirmed),
    }
}

/// Begins to set one up; what this account began before and did not finish is forgotten.
pub fn begin(db: &mut Db, totp: &Totp) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(
        totps::table.filter(totps::account_id.eq(totp.account.as_str())).filter(totps::confirmed_at.is_null())
    )
    .execute(link))?;
    on_each!(db, |link| diesel::insert_into(totps::table)
        .values((
            totps::id.eq(totp.id.as_str()),
            totps::account_id.eq(totp.account.as_str()),
            totps::browser.eq(totp.browser.as_str()),
            totps::secret.eq(totp.secret.as_str()),
            totps::last_step.eq(totp.last_step),
            totps::created_at.eq(totp.created_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, account: &Id<Account>) -> Result<Option<Totp>, Fault> {
    let row: Option<Row> = on_each!(db, |link| totps::table
        .filter(totps::account_id.eq(account.as_str()))
        .filter(totps::confirmed_at.is_not_null())
        .select((
            totps::id,
            totps::account_id,
            totps::browser,
            totps::secret,
            totps::last_step,
            totps::created_at,
            totps::confirmed_at,
        ))
        .get_result(link)
        .optional())?;
    Ok(row.map(decode))
}

/// The one being set up in this browser.
pub fn find_begun(db: &mut Db, account: &Id<Account>, browser: &Stored<BrowserCookie>) -> Result<Option<Totp>, Fault> {
    let row: Option<Row> = on_each!(db, |link| totps::table
        .filter(totps::account_id.eq(account.as_str()))
        .filter(totps::browser.eq(browser.as_str()))
        .filter(totps::confirmed_at.is_null())
        .select((
            totps::id,
            totps::account_id,
            totps::browser,
            totps::secret,
            totps::last_step,
            totps::created_at,
            totps::confirmed_at,
        ))
        .first(link)
        .optional())?;
    Ok(row.map(decode))
}

/// The first code was right: from now on this app counts, and the one before does not. False when it was confirmed or
/// given up meanwhile.
pub fn confirm(db: &mut Db, begun: &Totp, step: i64, at: Moment) -> Result<bool, Fault> {
    on_each!(db, |link| diesel::delete(
        totps::table.filter(totps::account_id.eq(begun.account.as_str())).filter(totps::confirmed_at.is_not_null())
    )
    .execute(link))?;
    let confirmed = on_each!(db, |link| diesel::update(
        totps::table.find(begun.id.as_str()).filter(totps::confirmed_at.is_null())
    )
    .set((totps::confirmed_at.eq(at.unix()), totps::last_step.eq(step)))
    .execute(link))?;
    summarise(db, &begun.account, confirmed > 0)?;
    Ok(confirmed > 0)
}

/// Uses the code of a step. Affected rows decide: false when this step or a later one was used before (`security.md`
/// LG-14).
pub fn spend(db: &mut Db, id: &Id<Totp>, step: i64) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        totps::table.find(id.as_str()).filter(totps::last_step.lt(step)).filter(totps::confirmed_at.is_not_null())
    )
    .set(totps::last_step.eq(step))
    .execute(link))?;
    Ok(spent > 0)
}

/// False when there was none.
pub fn remove(db: &mut Db, account: &Id<Account>) -> Result<bool, Fault> {
    let removed = on_each!(db, |link| diesel::delete(
        totps::table.filter(totps::account_id.eq(account.as_str())).filter(totps::confirmed_at.is_not_null())
    )
    .execute(link))?;
    summarise(db, account, false)?;
    Ok(removed > 0)
}

/// The account's own row tells what there is, so that a sign-in reads one row.
fn summarise(db: &mut Db, account: &Id<Account>, has_totp: bool) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(account.as_str()))
        .set(accounts::has_totp.eq(has_totp))
        .execute(link))?;
    Ok(())
}

/// Forgets up to `limit` that nobody finished.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| totps::table
        .filter(totps::confirmed_at.is_null())
        .filter(totps::created_at.lt(before.unix()))
        .limit(limit)
        .select(totps::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(totps::table.filter(totps::id.eq_any(&stale))).execute(link))?)
}
