//! Uses of a child's or ward's account that wait for the guardian's word.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at as moment, json, known, to_json};
use super::db::{Db, on_each};
use super::schema::confirmations;
use crate::domain::account::Account;
use crate::domain::confirmation::{Confirmation, Word};
use crate::domain::interaction::Interaction;
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = confirmations)]
struct Row {
    id: String,
    interaction_id: String,
    ward_id: String,
    guardian_id: String,
    client_id: String,
    acquaintance: String,
    network: String,
    asked_at: i64,
    expires_at: i64,
    answer: Option<String>,
    spent_at: Option<i64>,
}

impl Row {
    fn decode(self) -> Result<Confirmation, Fault> {
        Ok(Confirmation {
            id: Id::new(self.id),
            interaction: Id::new(self.interaction_id),
            ward: Id::new(self.ward_id),
            guardian: Id::new(self.guardian_id),
            client: Id::new(self.client_id),
            acquaintance: json(&self.acquaintance, "confirmations")?,
            network: self.network,
            asked_at: Moment::from_unix(self.asked_at),
            expires_at: Moment::from_unix(self.expires_at),
            word: self.answer.map(|word| known(Word::parse(&word), "confirmations")).transpose()?,
            spent_at: moment(self.spent_at),
        })
    }
}

pub fn ask(db: &mut Db, confirmation: &Confirmation) -> Result<(), Fault> {
    let acquaintance = to_json(&confirmation.acquaintance)?;
    on_each!(db, |link| diesel::insert_into(confirmations::table)
        .values((
            confirmations::id.eq(confirmation.id.as_str()),
            confirmations::interaction_id.eq(confirmation.interaction.as_str()),
            confirmations::ward_id.eq(confirmation.ward.as_str()),
            confirmations::guardian_id.eq(confirmation.guardian.as_str()),
            confirmations::client_id.eq(confirmation.client.as_str()),
            confirmations::acquaintance.eq(acquaintance.as_str()),
            confirmations::network.eq(confirmation.network.as_str()),
            confirmations::asked_at.eq(confirmation.asked_at.unix()),
            confirmations::expires_at.eq(confirmation.expires_at.unix()),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, id: &Id<Confirmation>) -> Result<Option<Confirmation>, Fault> {
    let row: Option<Row> = on_each!(db, |link| confirmations::table
        .find(id.as_str())
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// The last one asked for in an interaction, whatever became of it.
pub fn of_interaction(db: &mut Db, interaction: &Id<Interaction>) -> Result<Option<Confirmation>, Fault> {
    let row: Option<Row> = on_each!(db, |link| confirmations::table
        .filter(confirmations::interaction_id.eq(interaction.as_str()))
        .order((confirmations::asked_at.desc(), confirmations::id.desc()))
        .select(Row::as_select())
        .first(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// What waits for a person's word, the oldest first.
pub fn waiting(db: &mut Db, guardian: &Id<Account>, now: Moment) -> Result<Vec<Confirmation>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| confirmations::table
        .filter(confirmations::guardian_id.eq(guardian.as_str()))
        .filter(confirmations::answer.is_null())
        .filter(confirmations::expires_at.gt(now.unix()))
        .order((confirmations::asked_at, confirmations::id))
        .select(Row::as_select())
        .load(link))?;
    rows.into_iter().map(Row::decode).collect()
}

/// How many a person was asked since a moment and did not answer.
pub fn unanswered_since(db: &mut Db, guardian: &Id<Account>, since: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| confirmations::table
        .filter(confirmations::guardian_id.eq(guardian.as_str()))
        .filter(confirmations::answer.is_null())
        .filter(confirmations::asked_at.gt(since.unix()))
        .count()
        .get_result(link))?)
}

/// False when it was answered or too late: of two answers one counts.
pub fn answer(db: &mut Db, id: &Id<Confirmation>, word: Word, now: Moment) -> Result<bool, Fault> {
    let answered = on_each!(db, |link| diesel::update(
        confirmations::table
            .find(id.as_str())
            .filter(confirmations::answer.is_null())
            .filter(confirmations::expires_at.gt(now.unix()))
    )
    .set((confirmations::answer.eq(word.name()), confirmations::answered_at.eq(now.unix())))
    .execute(link))?;
    Ok(answered > 0)
}

/// False when it was used, refused or too late: one word, one use.
pub fn spend(db: &mut Db, id: &Id<Confirmation>, now: Moment) -> Result<bool, Fault> {
    let spent = on_each!(db, |link| diesel::update(
        confirmations::table
            .find(id.as_str())
            .filter(confirmations::answer.eq(Word::Allowed.name()))
            .filter(confirmations::spent_at.is_null())
            .filter(confirmations::expires_at.gt(now.unix()))
    )
    .set(confirmations::spent_at.eq(now.unix()))
    .execute(link))?;
    Ok(spent > 0)
}

/// What `cancel_all` cancels.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str, now: i64) -> _ {
    confirmations::table
        .filter(confirmations::guardian_id.eq(account).or(confirmations::ward_id.eq(account)))
        .filter(confirmations::spent_at.is_null())
        .filter(confirmations::expires_at.gt(now))
}

/// Ends what waits for a person's word or was allowed by it, and what waits in a ward's own name.
pub fn cancel_all(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str(), now.unix()))
        .set(confirmations::expires_at.eq(now.unix()))
        .execute(link))?)
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| confirmations::table
        .filter(confirmations::expires_at.lt(before.unix()))
        .order(confirmations::expires_at)
        .limit(limit)
        .select(confirmations::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(confirmations::table.filter(confirmations::id.eq_any(&stale)))
        .execute(link))?)
}
