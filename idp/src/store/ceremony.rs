//! Passkey ceremonies under way: each challenge waits for one answer.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::passkey_ceremonies as ceremonies;
use crate::domain::secret::{BrowserCookie, Sealed, Stored};
use crate::domain::{Fault, Id, Moment};

/// What an answer must belong to, besides the challenge itself.
#[derive(Clone, Debug)]
pub struct Bound {
    pub browser: Stored<BrowserCookie>,
    /// An answer for one purpose never serves another (`security.md` LG-13).
    pub purpose: &'static str,
    /// The interaction, the account, or both.
    pub subject: String,
}

#[derive(Clone, Debug)]
pub struct Ceremony {
    pub id: Id<Ceremony>,
    pub bound: Bound,
    pub state: Sealed,
    pub expires_at: Moment,
}

pub fn put(db: &mut Db, ceremony: &Ceremony) -> Result<(), Fault> {
    let bound = &ceremony.bound;
    on_each!(db, |link| diesel::insert_into(ceremonies::table)
        .values((
            ceremonies::id.eq(ceremony.id.as_str()),
            ceremonies::browser.eq(bound.browser.as_str()),
            ceremonies::purpose.eq(bound.purpose),
            ceremonies::subject.eq(bound.subject.as_str()),
            ceremonies::state.eq(ceremony.state.as_str()),
            ceremonies::expires_at.eq(ceremony.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// Spends a ceremony. Affected rows decide: `None` when it was spent, has expired, or is another browser's, purpose's or
/// subject's.
pub fn spend(db: &mut Db, id: &Id<Ceremony>, bound: &Bound, at: Moment) -> Result<Option<Sealed>, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        ceremonies::table
            .find(id.as_str())
            .filter(ceremonies::browser.eq(bound.browser.as_str()))
            .filter(ceremonies::purpose.eq(bound.purpose))
            .filter(ceremonies::subject.eq(bound.subject.as_str()))
            .filter(ceremonies::spent_at.is_null())
            .filter(ceremonies::expires_at.gt(at.unix()))
    )
    .set(ceremonies::spent_at.eq(at.unix()))
    .execute(link))?;
    if spent == 0 {
        return Ok(None);
    }
    let state: Option<String> =
        on_each!(db, |link| ceremonies::table.find(id.as_str()).select(ceremonies::state).get_result(link).optional())?;
    Ok(state.map(Sealed::from_text))
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| ceremonies::table
        .filter(ceremonies::expires_at.lt(before.unix()))
        .order(ceremonies::expires_at)
        .limit(limit)
        .select(ceremonies::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(ceremonies::table.filter(ceremonies::id.eq_any(&stale))).execute(link))?)
}
