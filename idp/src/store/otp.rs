//! One-time codes sent to a phone. One is open per interaction and purpose.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::otps;
use crate::domain::account::Account;
use crate::domain::interaction::Interaction;
use crate::domain::secret::{Otp, Stored};
use crate::domain::{Fault, Id, Moment};

#[derive(Clone, Debug)]
pub struct Challenge {
    pub id: Id<Challenge>,
    pub interaction: Id<Interaction>,
    pub account: Id<Account>,
    pub purpose: String,
    pub code: Stored<Otp>,
    pub sent_at: Moment,
    pub expires_at: Moment,
}

/// Takes the place of the open one, if any. What was sent before still counts as sent.
pub fn put(db: &mut Db, challenge: &Challenge) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(
        otps::table
            .filter(otps::interaction_id.eq(challenge.interaction.as_str()))
            .filter(otps::purpose.eq(challenge.purpose.as_str()))
            .filter(otps::spent_at.is_null())
    )
    .set(otps::spent_at.eq(challenge.sent_at.unix()))
    .execute(link))?;
    on_each!(db, |link| diesel::insert_into(otps::table)
        .values((
            otps::id.eq(challenge.id.as_str()),
            otps::interaction_id.eq(challenge.interaction.as_str()),
            otps::account_id.eq(challenge.account.as_str()),
            otps::purpose.eq(challenge.purpose.as_str()),
            otps::code.eq(challenge.code.as_str()),
            otps::sent_at.eq(challenge.sent_at.unix()),
            otps::expires_at.eq(challenge.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

/// Unspent; it may have expired.
pub fn find_open(db: &mut Db, interaction: &Id<Interaction>, purpose: &str) -> Result<Option<Challenge>, Fault> {
    type Row = (String, String, String, i64, i64);
    let row: Option<Row> = on_each!(db, |link| otps::table
        .filter(otps::interaction_id.eq(interaction.as_str()))
        .filter(otps::purpose.eq(purpose))
        .filter(otps::spent_at.is_null())
        .select((otps::id, otps::account_id, otps::code, otps::sent_at, otps::expires_at))
        .get_result(link)
        .optional())?;
    Ok(row.map(|(id, account, code, sent, expires)| Challenge {
        id: Id::new(id),
        interaction: interaction.clone(),
        account: Id::new(account),
        purpose: purpose.to_owned(),
        code: Stored::from_store(code),
        sent_at: Moment::from_unix(sent),
        expires_at: Moment::from_unix(expires),
    }))
}

/// False when it was spent, replaced or cancelled before.
pub fn spend(db: &mut Db, id: &Id<Challenge>, at: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(otps::table.find(id.as_str()).filter(otps::spent_at.is_null()))
        .set(otps::spent_at.eq(at.unix()))
        .execute(link))?;
    Ok(spent > 0)
}

/// How many were sent to the holder at `since` or later.
pub fn sent_since(db: &mut Db, account: &Id<Account>, since: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| otps::table
        .filter(otps::account_id.eq(account.as_str()))
        .filter(otps::sent_at.ge(since.unix()))
        .count()
        .get_result(link))?)
}

/// What `cancel_all` cancels.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    otps::table.filter(otps::account_id.eq(account)).filter(otps::spent_at.is_null())
}

pub fn cancel_all(db: &mut Db, account: &Id<Account>) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set(otps::spent_at.eq(otps::sent_at.nullable()))
        .execute(link))?)
}
