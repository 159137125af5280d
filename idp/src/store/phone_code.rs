//! One-time codes sent to a phone outside an interaction: to prove the phone of an enrolment, to activate. One is open per
//! place and purpose.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::phone_codes;
use crate::domain::secret::{BlindIndex, Otp, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Clone, Debug)]
pub struct PhoneCode {
    pub id: Id<PhoneCode>,
    /// What the code is bound to: it counts nowhere else.
    pub place: String,
    pub purpose: String,
    /// Sends are counted per phone.
    pub phone: BlindIndex,
    pub code: Stored<Otp>,
    pub sent_at: Moment,
    pub expires_at: Moment,
}

/// Takes the place of the open one, if any. What was sent before still counts as sent.
pub fn put(db: &mut Db, code: &PhoneCode) -> Result<(), Fault> {
    cancel(db, &code.place, &code.purpose, code.sent_at)?;
    on_each!(db, |link| diesel::insert_into(phone_codes::table)
        .values((
            phone_codes::id.eq(code.id.as_str()),
            phone_codes::place.eq(code.place.as_str()),
            phone_codes::purpose.eq(code.purpose.as_str()),
            phone_codes::phone.eq(code.phone.as_str()),
            phone_codes::code.eq(code.code.as_str()),
            phone_codes::sent_at.eq(code.sent_at.unix()),
            phone_codes::expires_at.eq(code.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// Unspent; it may have expired.
pub fn find_open(db: &mut Db, place: &str, purpose: &str) -> Result<Option<PhoneCode>, Fault> {
    type Row = (String, String, String, i64, i64);
    let row: Option<Row> = on_each!(db, |link| phone_codes::table
        .filter(phone_codes::place.eq(place))
        .filter(phone_codes::purpose.eq(purpose))
        .filter(phone_codes::spent_at.is_null())
        .select((phone_codes::id, phone_codes::phone, phone_codes::code, phone_codes::sent_at, phone_codes::expires_at))
        .get_result(link)
        .optional())?;
    Ok(row.map(|(id, phone, code, sent, expires)| PhoneCode {
        id: Id::new(id),
        place: place.to_owned(),
        purpose: purpose.to_owned(),
        phone: BlindIndex::from_text(phone),
        code: Stored::from_store(code),
        sent_at: Moment::from_unix(sent),
        expires_at: Moment::from_unix(expires),
    }))
}

/// False when it was spent, replaced or cancelled before.
pub fn spend(db: &mut Db, id: &Id<PhoneCode>, at: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        phone_codes::table.find(id.as_str()).filter(phone_codes::spent_at.is_null())
    )
    .set(phone_codes::spent_at.eq(at.unix()))
    .execute(link))?;
    Ok(spent > 0)
}

pub fn cancel(db: &mut Db, place: &str, purpose: &str, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(
        phone_codes::table
            .filter(phone_codes::place.eq(place))
            .filter(phone_codes::purpose.eq(purpose))
            .filter(phone_codes::spent_at.is_null())
    )
    .set(phone_codes::spent_at.eq(at.unix()))
    .execute(link))?;
    Ok(())
}

/// How many were sent to a phone at `since` or later.
pub fn sent_since(db: &mut Db, phone: &BlindIndex, since: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| phone_codes::table
        .filter(phone_codes::phone.eq(phone.as_str()))
        .filter(phone_codes::sent_at.ge(since.unix()))
        .count()
        .get_result(link))?)
}

/// Forgets up to `limit` that expired before a moment.
pub(super) fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| phone_codes::table
        .filter(phone_codes::expires_at.lt(before.unix()))
        .order(phone_codes::expires_at)
        .limit(limit)
        .select(phone_codes::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(phone_codes::table.filter(phone_codes::id.eq_any(&stale))).execute(link))?)
}
