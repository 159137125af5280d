//! Level 2 with its e-ID: an account raised to both. What the account is known by stays as it is.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::{accounts, enrolments};
use crate::domain::account::Account;
use crate::domain::enrolment::{Channel, Enrolment};
use crate::domain::registration::State;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{AccountLevel, Fault, Id, Moment};

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
        // LG-20: who was identified in person has proved again what a recovery left in doubt.
        accounts::reproofed_at.eq(at.unix()),
        accounts::phone_counts_from.eq(None::<i64>),
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
