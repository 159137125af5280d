//! Level 2 with its e-ID: an account made with both, or raised to both. What the account is known by stays as it is.

use diesel::prelude::*;

use super::account::Import;
use super::db::{Db, on_each};
use super::schema::{accounts, enrolments};
use crate::domain::account::Account;
use crate::domain::enrolment::{Channel, Enrolment};
use crate::domain::registration::State;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{AccountLevel, Fault, Id, Moment};

/// Makes an account with its e-ID for a person who has none. False when there is one: nothing of it changes.
pub fn create(db: &mut Db, import: &Import) -> Result<bool, Fault> {
    let account = &import.account;
    let made = on_each!(db, |link| diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(account.id.as_str()),
            accounts::person_index.eq(import.person_index.as_str()),
            accounts::person.eq(import.person.as_str()),
            accounts::holder.eq(account.holder.name()),
            accounts::level.eq(account.level.map(|level| i16::from(level.number()))),
            accounts::state.eq(account.state.name()),
            accounts::eid_issued_at.eq(account.eid.as_ref().map(|eid| eid.issued_at.unix())),
            accounts::eid_version.eq(0),
            accounts::card_expires.eq(account.card_expires.map(Moment::unix)),
            accounts::phone.eq(import.phone.as_ref().map(Sealed::as_str)),
            accounts::phone_index.eq(import.phone_index.as_ref().map(BlindIndex::as_str)),
            accounts::created_at.eq(import.at.unix()),
            accounts::updated_at.eq(import.at.unix()),
        ))
        .on_conflict(accounts::person_index)
        .do_nothing()
        .execute(link))?;
    Ok(made > 0)
}

/// What an upgrade changes; the id, the subjects, the password and the state stay.
pub struct Raised {
    pub card_expires: Option<Moment>,
    pub phone: Sealed,
    pub phone_index: BlindIndex,
}

/// False when it is not at level 1 any more.
pub fn raise(db: &mut Db, id: &Id<Account>, raised: &Raised, at: Moment) -> Result<bool, Fault> {
    let changed = on_each!(db, |link| diesel::update(
        accounts::table.find(id.as_str()).filter(accounts::level.eq(i16::from(AccountLevel::One.number())))
    )
    .set((
        accounts::level.eq(i16::from(AccountLevel::Two.number())),
        // ND69 Art 28(2): the e-ID is issued together with level 2.
        accounts::eid_issued_at.eq(at.unix()),
        accounts::eid_version.eq(accounts::eid_version + 1),
        accounts::card_expires.eq(raised.card_expires.map(Moment::unix)),
        accounts::phone.eq(raised.phone.as_str()),
        accounts::phone_index.eq(raised.phone_index.as_str()),
        accounts::updated_at.eq(at.unix()),
    ))
    .execute(link))?;
    Ok(changed > 0)
}

/// The id of the request a desk has open about a person, if any.
pub fn open_at_desk(db: &mut Db, person: &BlindIndex) -> Result<Option<Id<Enrolment>>, Fault> {
    let open = [State::Draft.name(), State::Submitted.name(), State::Checking.name()];
    let id: Option<String> = on_each!(db, |link| enrolments::table
        .filter(enrolments::person_index.eq(person.as_str()))
        .filter(enrolments::channel.eq(Channel::Desk.name()))
        .filter(enrolments::state.eq_any(open))
        .order(enrolments::id.desc())
        .select(enrolments::id)
        .first(link)
        .optional())?;
    Ok(id.map(Id::new))
}
