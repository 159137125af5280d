//! Authorization requests in progress.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::columns::{at as moment, json, to_json};
use super::db::{Db, on_each};
use super::schema::interactions;
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::secret::Stored;
use crate::domain::{Fault, Id, Moment};

#[derive(Queryable, Selectable)]
#[diesel(table_name = interactions)]
struct Row {
    id: String,
    browser: String,
    request: Option<String>,
    page: Option<String>,
    refused_id: Option<String>,
    account_id: Option<String>,
    opened_at: i64,
    expires_at: i64,
    finished_at: Option<i64>,
    confirmed_at: Option<i64>,
    chosen_id: Option<String>,
    for_other: bool,
}

impl Row {
    fn decode(self) -> Result<Interaction, Fault> {
        let destination = match (self.request, self.page) {
            (Some(request), None) => Destination::Client(json(&request, "interactions")?),
            (None, Some(page)) => Destination::OwnPage(page),
            _ => return Err(Fault::broken("store", "an interaction without one destination")),
        };
        Ok(Interaction {
            id: Id::new(self.id),
            browser: Stored::from_store(self.browser),
            destination,
            refused: self.refused_id.map(Id::new),
            proved_by: self.account_id.map(Id::new),
            confirmed_at: moment(self.confirmed_at),
            chosen: self.chosen_id.map(Id::new),
            for_other: self.for_other,
            opened_at: Moment::from_unix(self.opened_at),
            expires_at: Moment::from_unix(self.expires_at),
            finished_at: moment(self.finished_at),
        })
    }
}

pub fn open(db: &mut Db, interaction: &Interaction) -> Result<(), Fault> {
    let (request, page) = match &interaction.destination {
        Destination::Client(request) => (Some(to_json(request)?), None),
        Destination::OwnPage(page) => (None, Some(page.as_str())),
    };
    let refused = interaction.refused.as_ref().map(Id::as_str);
    let proved_by = interaction.proved_by.as_ref().map(Id::as_str);
    on_each!(db, |link| diesel::insert_into(interactions::table)
        .values((
            interactions::id.eq(interaction.id.as_str()),
            interactions::browser.eq(interaction.browser.as_str()),
            interactions::request.eq(request.as_deref()),
            interactions::page.eq(page),
            interactions::account_id.eq(refused.or(proved_by)),
            interactions::refused_id.eq(refused),
            interactions::opened_at.eq(interaction.opened_at.unix()),
            interactions::expires_at.eq(interaction.expires_at.unix()),
            interactions::finished_at.eq(interaction.finished_at.map(Moment::unix)),
            interactions::confirmed_at.eq(interaction.confirmed_at.map(Moment::unix)),
            interactions::chosen_id.eq(interaction.chosen.as_ref().map(Id::as_str)),
            interactions::for_other.eq(interaction.for_other),
        ))
        .execute(link))?;
    Ok(())
}

pub fn find(db: &mut Db, id: &Id<Interaction>) -> Result<Option<Interaction>, Fault> {
    let row: Option<Row> = on_each!(db, |link| interactions::table
        .find(id.as_str())
        .select(Row::as_select())
        .get_result(link)
        .optional())?;
    row.map(Row::decode).transpose()
}

/// Remembers who proved a factor here but may not act.
pub fn refuse(db: &mut Db, id: &Id<Interaction>, account: &Id<Account>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(interactions::table.find(id.as_str()))
        .set((interactions::refused_id.eq(account.as_str()), interactions::account_id.eq(account.as_str())))
        .execute(link))?;
    Ok(())
}

/// Remembers whose sign-in this became, so that a lock of that account finds it. What somebody confirmed before counts no
/// more.
pub fn belongs(db: &mut Db, id: &Id<Interaction>, account: &Id<Account>) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(interactions::table.find(id.as_str()))
        .set((
            interactions::account_id.eq(account.as_str()),
            interactions::confirmed_at.eq(None::<i64>),
            // Another person answers for themself.
            interactions::chosen_id.eq(None::<String>),
        ))
        .execute(link))?;
    Ok(())
}

/// Remembers that this person entered a code sent for this interaction.
pub fn confirm(db: &mut Db, id: &Id<Interaction>, account: &Id<Account>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(interactions::table.find(id.as_str()))
        .set((interactions::account_id.eq(account.as_str()), interactions::confirmed_at.eq(at.unix())))
        .execute(link))?;
    Ok(())
}

/// Remembers that whoever signs in here says it is for somebody else.
pub fn is_for_other(db: &mut Db, id: &Id<Interaction>, for_other: bool) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(interactions::table.find(id.as_str()))
        .set(interactions::for_other.eq(for_other))
        .execute(link))?;
    Ok(())
}

/// Remembers for whom the person here wants to act. False when the interaction is finished.
pub fn choose(db: &mut Db, id: &Id<Interaction>, chosen: &Id<Account>) -> Result<bool, Fault> {
    let changed = on_each!(db, |link| diesel::update(
        interactions::table.find(id.as_str()).filter(interactions::finished_at.is_null())
    )
    .set(interactions::chosen_id.eq(chosen.as_str()))
    .execute(link))?;
    Ok(changed > 0)
}

/// False when it was finished already: of two answers to one page, one counts.
pub fn finish(db: &mut Db, id: &Id<Interaction>, at: Moment) -> Result<bool, Fault> {
    let finished = on_each!(db, |link| diesel::update(
        interactions::table.find(id.as_str()).filter(interactions::finished_at.is_null())
    )
    .set(interactions::finished_at.eq(at.unix()))
    .execute(link))?;
    Ok(finished > 0)
}

/// What `cancel_all` cancels.
#[auto_type]
pub(super) fn standing<'a>(account: &'a str) -> _ {
    interactions::table.filter(interactions::account_id.eq(account)).filter(interactions::finished_at.is_null())
}

pub fn cancel_all(db: &mut Db, account: &Id<Account>, at: Moment) -> Result<usize, Fault> {
    Ok(on_each!(db, |link| diesel::update(standing(account.as_str()))
        .set(interactions::finished_at.eq(at.unix()))
        .execute(link))?)
}

/// How many are under way.
pub fn count_open(db: &mut Db, now: Moment) -> Result<i64, Fault> {
    Ok(on_each!(db, |link| interactions::table
        .filter(interactions::expires_at.gt(now.unix()))
        .filter(interactions::finished_at.is_null())
        .count()
        .get_result(link))?)
}

/// Forgets up to `limit` that expired before a moment.
pub fn sweep(db: &mut Db, before: Moment, limit: i64) -> Result<usize, Fault> {
    let stale: Vec<String> = on_each!(db, |link| interactions::table
        .filter(interactions::expires_at.lt(before.unix()))
        .order(interactions::expires_at)
        .limit(limit)
        .select(interactions::id)
        .load(link))?;
    Ok(on_each!(db, |link| diesel::delete(interactions::table.filter(interactions::id.eq_any(&stale))).execute(link))?)
}
