//! What an import says of a holder's circumstances: age and guardianship, papers that run out, who acts for an
//! organisation.

use std::collections::HashMap;

use super::lines::Record;
use crate::domain::account::Account;
use crate::domain::birth::Birth;
use crate::domain::circumstances::{Circumstances, Representation, represents};
use crate::domain::outbox::Cause;
use crate::domain::trail::Event;
use crate::domain::{AccountLevel, Fault, Holder, Id, Moment, PersonNumber};
use crate::flow::outbox::Occasion;
use crate::flow::{acting, sealed};
use crate::keys::Vault;
use crate::store::{self, Db};

/// Accounts met so far, and whether each has a guardian.
pub(super) type People = HashMap<PersonNumber, (Id<Account>, bool)>;

/// What no account can be, whatever else the line says.
pub(super) fn check(record: &Record, existing: Option<&Account>, now: Moment) -> Result<(), &'static str> {
    // ND69 Art 7(1)-(2): under six there is level 1 only.
    if record.level == Some(AccountLevel::Two) && record.born.is_some_and(|born| born.is_under(Birth::LEVEL_TWO, now)) {
        return Err("account.level 2 is not for a child under six (ND69 Art 7)");
    }
    if existing.is_some_and(|known| known.holder != record.own.holder) {
        return Err("the number belongs to another kind of holder");
    }
    // Dissolved is for ever, as death is.
    let ended = existing.and_then(|known| known.circumstances.dissolved_at);
    if ended.is_some() && record.own.dissolved_at != ended {
        return Err("the organisation was dissolved and stays so");
    }
    Ok(())
}

pub(super) fn of(record: &Record, existing: Option<&Account>, now: Moment) -> Circumstances {
    let under_age = record.born.is_some_and(|born| born.is_under(Birth::OWN, now));
    let guarded = record.guardian.is_some();
    // Whoever was imported as a child comes of age; whoever comes with a guardian at fourteen or later is a ward.
    let was_child = existing.is_some_and(|known| {
        known.guardian.is_some() && !known.circumstances.ward && known.circumstances.born.is_some()
    });
    let of_age = record.born.is_some() && !under_age;
    Circumstances {
        // Of everybody else the rules ask no age, and none is kept in clear.
        born: record.born.filter(|_| under_age || guarded),
        ward: record.ward.unwrap_or(guarded && of_age && !was_child),
        permit_expires: record.own.permit_expires,
        passport_expires: record.own.passport_expires,
        dissolved_at: record.own.dissolved_at,
    }
}

/// Everybody an organisation's line names must have an account.
pub(super) fn people(
    db: &mut Db,
    record: &Record,
    known: &mut People,
    vault: &Vault,
) -> Result<Result<(), &'static str>, Fault> {
    for one in &record.own.representatives {
        if known.contains_key(&one.number) {
            continue;
        }
        let Some(found) = store::account::find_by_person(db, &sealed::person_index(&one.number, vault))? else {
            return Ok(Err("representatives names somebody without an account"));
        };
        known.insert(one.number.clone(), (found.id, found.guardian.is_some()));
    }
    Ok(Ok(()))
}

/// Replaces who acts for an organisation. What people began who represent it no more, or did not until now, ends: nothing
/// of it comes back.
pub(super) fn representatives(
    db: &mut Db,
    (organisation, event): (&Id<Account>, &Id<Event>),
    record: &Record,
    known: &People,
    now: Moment,
) -> Result<(), Fault> {
    if record.own.holder != Holder::Organisation {
        return Ok(());
    }
    let before = store::representation::of_organisation(db, organisation)?;
    let id = |number: &PersonNumber| known.get(number).map(|(id, _)| id.clone());
    let mut after = Vec::new();
    for one in &record.own.representatives {
        let Some(person) = id(&one.number) else { return Err(Fault::broken("flow", "a representative vanished")) };
        let begun = before.iter().find(|known| known.person == person && known.role == one.role);
        after.push(Representation {
            organisation: organisation.clone(),
            role: one.role,
            bound_by: one.bound_by.as_ref().and_then(id),
            from: one.from.unwrap_or_else(|| begun.map_or(now, |begun| begun.from)),
            until: one.until,
            person,
        });
    }
    store::representation::replace(db, organisation, &after)?;
    let occasion = Occasion { name: event.as_str(), cause: Cause::AccountReplaced, at: now };
    for person in before.iter().map(|record| &record.person) {
        if !(represents(&before, person, now) && represents(&after, person, now)) {
            acting::end_for(db, (person, organisation), occasion)?;
        }
    }
    Ok(())
}
