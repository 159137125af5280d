//! What a registration does to accounts: one is made, one is activated, claims are stated by a register.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::account::{Import, SealedClaim};
use super::db::{Db, on_each};
use super::schema::{account_claims, accounts};
use crate::domain::account::{Account, AccountState};
use crate::domain::claim::ClaimName;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{Fault, Id, Moment};

/// Makes an account for a person who has none. False when there is one: nothing of it changes (LG-40).
pub fn create(db: &mut Db, import: &Import) -> Result<bool, Fault> {
    let account = &import.account;
    let own = &account.circumstances;
    let born = own.born.map(|born| born.to_string());
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
            accounts::guardian_id.eq(account.guardian.as_ref().map(Id::as_str)),
            accounts::born.eq(born.as_deref()),
            accounts::ward.eq(own.ward),
            accounts::permit_expires.eq(own.permit_expires.map(Moment::unix)),
            accounts::passport_expires.eq(own.passport_expires.map(Moment::unix)),
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

/// ND69 Art 14(1): the holder's first password. False when the account was activated before, with a password.
pub fn activate(db: &mut Db, id: &Id<Account>, password_hash: &str, at: Moment) -> Result<bool, Fault> {
    let activated = on_each!(db, |link| diesel::update(
        accounts::table
            .find(id.as_str())
            .filter(accounts::state.eq(AccountState::Granted.name()).or(accounts::password_hash.is_null()))
    )
    .set((
        accounts::state.eq(AccountState::Activated.name()),
        accounts::password_hash.eq(password_hash),
        accounts::updated_at.eq(at.unix()),
    ))
    .execute(link))?;
    Ok(activated > 0)
}

/// The hotline's activation: the holder chooses a password afterwards. What stood there before serves no more.
pub fn activate_by_hotline(db: &mut Db, id: &Id<Account>, at: Moment) -> Result<bool, Fault> {
    let activated = on_each!(db, |link| diesel::update(
        accounts::table.find(id.as_str()).filter(accounts::state.eq(AccountState::Granted.name()))
    )
    .set((
        accounts::state.eq(AccountState::Activated.name()),
        accounts::password_hash.eq(None::<&str>),
        accounts::updated_at.eq(at.unix()),
    ))
    .execute(link))?;
    Ok(activated > 0)
}

/// Adds claims or replaces those of the same name; the others stay.
pub fn state_claims(db: &mut Db, id: &Id<Account>, claims: &[SealedClaim]) -> Result<(), Fault> {
    let by_name: BTreeMap<ClaimName, &SealedClaim> = claims.iter().map(|claim| (claim.claim, claim)).collect();
    for claim in by_name.values() {
        on_each!(db, |link| diesel::insert_into(account_claims::table)
            .values((
                account_claims::account_id.eq(id.as_str()),
                account_claims::claim.eq(claim.claim.as_str()),
                account_claims::value.eq(claim.value.as_str()),
                account_claims::source.eq(claim.source.as_str()),
                account_claims::recorded_at.eq(claim.recorded_at.unix()),
            ))
            .on_conflict((account_claims::account_id, account_claims::claim))
            .do_update()
            .set((
                account_claims::value.eq(excluded(account_claims::value)),
                account_claims::source.eq(excluded(account_claims::source)),
                account_claims::recorded_at.eq(excluded(account_claims::recorded_at)),
            ))
            .execute(link))?;
    }
    Ok(())
}

/// When the card in force ends, as the population database says now.
pub fn renew_card(db: &mut Db, id: &Id<Account>, expires: Option<Moment>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(id.as_str()))
        .set((accounts::card_expires.eq(expires.map(Moment::unix)), accounts::updated_at.eq(at.unix())))
        .execute(link))?;
    Ok(())
}
