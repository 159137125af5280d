//! Accounts with their e-ID, the sealed values that identify a holder, and the sealed claims about one.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::columns::{at, known};
use super::db::{Db, Link, on_each};
use super::eid;
use super::schema::{account_claims, accounts, eid_grounds};
use crate::domain::account::{Account, AccountState, Holder};
use crate::domain::birth::Birth;
use crate::domain::circumstances::Circumstances;
use crate::domain::claim::ClaimName;
use crate::domain::eid::{ElectronicId, Grounds, LockGround};
use crate::domain::recovery::Doubts;
use crate::domain::secret::{BlindIndex, Sealed};
use crate::domain::{AccountLevel, Fault, Id, Moment};

/// What a sign-in checks and where a code is sent.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub password_hash: Option<String>,
    pub phone: Option<Sealed>,
    pub person: Sealed,
}

/// A whole account as an operator brings it in.
#[derive(Clone, Debug)]
pub struct Import {
    pub account: Account,
    pub person_index: BlindIndex,
    pub person: Sealed,
    pub password_hash: Option<String>,
    pub phone: Option<Sealed>,
    pub phone_index: Option<BlindIndex>,
    pub at: Moment,
}

/// A line of the operator's list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: Id<Account>,
    pub person: Sealed,
    pub holder: Holder,
    pub level: Option<AccountLevel>,
    pub state: AccountState,
    /// `None` without an e-ID.
    pub eid_active: Option<bool>,
    pub locked: bool,
    pub card_expires: Option<Moment>,
    pub guardian: bool,
    pub created_at: Moment,
}

#[derive(Clone, Debug)]
pub struct SealedClaim {
    pub claim: ClaimName,
    pub value: Sealed,
    pub source: String,
    pub recorded_at: Moment,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
struct Row {
    id: String,
    holder: String,
    level: Option<i16>,
    state: String,
    eid_issued_at: Option<i64>,
    eid_version: i64,
    card_expires: Option<i64>,
    guardian_id: Option<String>,
    phone: Option<String>,
    password_hash: Option<String>,
    passkey: Option<String>,
    has_totp: bool,
    recovered_at: Option<i64>,
    reproofed_at: Option<i64>,
    phone_counts_from: Option<i64>,
    app_device: Option<String>,
    born: Option<String>,
    ward: bool,
    permit_expires: Option<i64>,
    passport_expires: Option<i64>,
    dissolved_at: Option<i64>,
}

impl Row {
    fn decode(self, grounds: Vec<LockGround>) -> Result<Account, Fault> {
        let version = self.eid_version;
        let (eid, own_locks) = match self.eid_issued_at {
            Some(issued) => (Some(ElectronicId::new(Moment::from_unix(issued), grounds, version)), Grounds::default()),
            None => (None, Grounds::new(grounds, version)),
        };
        let circumstances = Circumstances {
            born: self.born.map(|born| known(Birth::parse(&born), "accounts")).transpose()?,
            ward: self.ward,
            permit_expires: at(self.permit_expires),
            passport_expires: at(self.passport_expires),
            dissolved_at: at(self.dissolved_at),
        };
        Ok(Account {
            circumstances,
            holder: known(Holder::parse(&self.holder), "accounts")?,
            level: level(self.level)?,
            state: known(AccountState::parse(&self.state), "accounts")?,
            eid,
            own_locks,
            card_expires: at(self.card_expires),
            guardian: self.guardian_id.map(Id::new),
            has_phone: self.phone.is_some(),
            has_password: self.password_hash.is_some(),
            has_totp: self.has_totp,
            passkey: self.passkey.map(|kind| known(super::passkey::strongest(&kind), "accounts")).transpose()?,
            doubts: Doubts {
                recovered_at: at(self.recovered_at),
                reproofed_at: at(self.reproofed_at),
                phone_counts_from: at(self.phone_counts_from),
            },
            has_app: self.app_device.is_some(),
            id: Id::new(self.id),
        })
    }
}

fn level(column: Option<i16>) -> Result<Option<AccountLevel>, Fault> {
    column.map(|number| known(AccountLevel::from_number(number.into()), "accounts")).transpose()
}

/// One row per open ground, and one without any when there is none.
fn decode(rows: Vec<(Row, Option<String>)>) -> Result<Option<Account>, Fault> {
    let mut account = None;
    let mut grounds = Vec::new();
    for (row, ground) in rows {
        if let Some(letter) = ground {
            grounds.push(known(LockGround::parse(&letter), "eid_grounds")?);
        }
        account = Some(row);
    }
    account.map(|row| row.decode(grounds)).transpose()
}

pub fn find(db: &mut Db, id: &Id<Account>) -> Result<Option<Account>, Fault> {
    decode(on_each!(db, |link| accounts::table
        .left_join(eid_grounds::table)
        .filter(accounts::id.eq(id.as_str()))
        .select((Row::as_select(), eid_grounds::ground.nullable()))
        .load(link))?)
}

pub fn find_by_person(db: &mut Db, index: &BlindIndex) -> Result<Option<Account>, Fault> {
    decode(on_each!(db, |link| accounts::table
        .left_join(eid_grounds::table)
        .filter(accounts::person_index.eq(index.as_str()))
        .select((Row::as_select(), eid_grounds::ground.nullable()))
        .load(link))?)
}

/// Whose guardian a person is.
pub fn wards(db: &mut Db, guardian: &Id<Account>) -> Result<Vec<Id<Account>>, Fault> {
    let ids: Vec<String> = on_each!(db, |link| accounts::table
        .filter(accounts::guardian_id.eq(guardian.as_str()))
        .order(accounts::id)
        .select(accounts::id)
        .load(link))?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// How an account is kept while a transaction acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Something is issued to it; others may issue too.
    Shared,
    /// Something is taken from it; nobody issues meanwhile.
    Alone,
}

/// Puts issuing and taking away in order: what was issued by a transaction that came first is there to be taken away,
/// and what comes later sees that it was. True where facts read before may have changed meanwhile. SQLite has one
/// writer, so there is nothing to wait for.
pub fn hold(db: &mut Db, id: &Id<Account>, how: Hold) -> Result<bool, Fault> {
    let Link::Postgres(link) = &mut db.link else { return Ok(false) };
    let row = accounts::table.find(id.as_str()).select(accounts::id);
    let _: Option<String> = match how {
        Hold::Shared => row.for_share().first(link.as_mut()).optional()?,
        Hold::Alone => row.for_update().first(link.as_mut()).optional()?,
    };
    Ok(true)
}

/// Keeps the account of a person, if there is one, as `Hold::Alone` does.
pub fn hold_person(db: &mut Db, index: &BlindIndex) -> Result<(), Fault> {
    let Link::Postgres(link) = &mut db.link else { return Ok(()) };
    let row = accounts::table.filter(accounts::person_index.eq(index.as_str())).select(accounts::id);
    let _: Option<String> = row.for_update().first(link.as_mut()).optional()?;
    Ok(())
}

/// The hash of a person's password. One statement whether there is such a person or not (`security.md` LG-01).
pub fn password_by_person(db: &mut Db, index: &BlindIndex) -> Result<Option<String>, Fault> {
    let hash: Option<Option<String>> = on_each!(db, |link| accounts::table
        .filter(accounts::person_index.eq(index.as_str()))
        .select(accounts::password_hash)
        .first(link)
        .optional())?;
    Ok(hash.flatten())
}

pub fn credentials(db: &mut Db, id: &Id<Account>) -> Result<Option<Credentials>, Fault> {
    let row: Option<(Option<String>, Option<String>, String)> = on_each!(db, |link| accounts::table
        .find(id.as_str())
        .select((accounts::password_hash, accounts::phone, accounts::person))
        .get_result(link)
        .optional())?;
    Ok(row.map(|(password_hash, phone, person)| Credentials {
        password_hash,
        phone: phone.map(Sealed::from_text),
        person: Sealed::from_text(person),
    }))
}

/// Creates an account, or replaces the one of the same person, whose id stays. The answer is the id it has.
pub fn put(db: &mut Db, import: &Import) -> Result<Id<Account>, Fault> {
    let account = &import.account;
    let own = &account.circumstances;
    let born = own.born.map(|born| born.to_string());
    let row = (
        accounts::id.eq(account.id.as_str()),
        accounts::person_index.eq(import.person_index.as_str()),
        accounts::person.eq(import.person.as_str()),
        accounts::holder.eq(account.holder.name()),
        accounts::level.eq(account.level.map(|level| i16::from(level.number()))),
        accounts::state.eq(account.state.name()),
        accounts::eid_issued_at.eq(account.eid.as_ref().map(|eid| eid.issued_at.unix())),
        accounts::eid_version.eq(account.locks().version),
        accounts::card_expires.eq(account.card_expires.map(Moment::unix)),
        accounts::guardian_id.eq(account.guardian.as_ref().map(Id::as_str)),
        accounts::password_hash.eq(import.password_hash.as_deref()),
        accounts::phone.eq(import.phone.as_ref().map(Sealed::as_str)),
        accounts::phone_index.eq(import.phone_index.as_ref().map(BlindIndex::as_str)),
        accounts::created_at.eq(import.at.unix()),
        accounts::updated_at.eq(import.at.unix()),
        accounts::born.eq(born.as_deref()),
        accounts::ward.eq(own.ward),
        accounts::permit_expires.eq(own.permit_expires.map(Moment::unix)),
        accounts::passport_expires.eq(own.passport_expires.map(Moment::unix)),
        accounts::dissolved_at.eq(own.dissolved_at.map(Moment::unix)),
    );
    let replaced = (
        accounts::person.eq(excluded(accounts::person)),
        accounts::holder.eq(excluded(accounts::holder)),
        accounts::level.eq(excluded(accounts::level)),
        accounts::state.eq(excluded(accounts::state)),
        accounts::eid_issued_at.eq(excluded(accounts::eid_issued_at)),
        // Whoever holds the e-ID as it was before must not save over this.
        accounts::eid_version.eq(accounts::eid_version + 1),
        accounts::card_expires.eq(excluded(accounts::card_expires)),
        accounts::guardian_id.eq(excluded(accounts::guardian_id)),
        accounts::password_hash.eq(excluded(accounts::password_hash)),
        accounts::phone.eq(excluded(accounts::phone)),
        accounts::phone_index.eq(excluded(accounts::phone_index)),
        accounts::updated_at.eq(excluded(accounts::updated_at)),
        accounts::born.eq(excluded(accounts::born)),
        accounts::ward.eq(excluded(accounts::ward)),
        accounts::permit_expires.eq(excluded(accounts::permit_expires)),
        accounts::passport_expires.eq(excluded(accounts::passport_expires)),
        accounts::dissolved_at.eq(excluded(accounts::dissolved_at)),
    );
    let id: String = on_each!(db, |link| diesel::insert_into(accounts::table)
        .values(row)
        .on_conflict(accounts::person_index)
        .do_update()
        .set(replaced)
        .returning(accounts::id)
        .get_result(link))?;
    let id = Id::new(id);
    // A record that speaks of no e-ID says nothing about locks either: those that are open stay.
    if let Some(eid) = &account.eid {
        eid::replace_grounds(db, &id, &eid.locks, "import", import.at)?;
    }
    Ok(id)
}

/// What a register told of the card (ND69 Art 15). `None`: no card that could expire is known.
pub fn put_card_expiry(db: &mut Db, id: &Id<Account>, expires: Option<Moment>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::update(accounts::table.find(id.as_str()))
        .set((accounts::card_expires.eq(expires.map(Moment::unix)), accounts::updated_at.eq(at.unix())))
        .execute(link))?;
    Ok(())
}

pub fn list(db: &mut Db, after: Option<&Id<Account>>, limit: i64) -> Result<Vec<Listed>, Fault> {
    type Line = (String, String, String, Option<i16>, String, Option<i64>, Option<i64>, Option<String>, i64);
    let lines: Vec<Line> = on_each!(db, |link| accounts::table
        .filter(accounts::id.gt(after.map_or("", Id::as_str)))
        .order(accounts::id)
        .limit(limit)
        .select((
            accounts::id,
            accounts::person,
            accounts::holder,
            accounts::level,
            accounts::state,
            accounts::eid_issued_at,
            accounts::card_expires,
            accounts::guardian_id,
            accounts::created_at,
        ))
        .load(link))?;
    let ids: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    let locked: Vec<String> = on_each!(db, |link| eid_grounds::table
        .filter(eid_grounds::account_id.eq_any(&ids))
        .select(eid_grounds::account_id)
        .distinct()
        .load(link))?;
    let locked: BTreeSet<String> = locked.into_iter().collect();
    lines
        .into_iter()
        .map(|(id, person, holder, number, state, issued, card, guardian, created)| {
            Ok(Listed {
                person: Sealed::from_text(person),
                holder: known(Holder::parse(&holder), "accounts")?,
                level: level(number)?,
                state: known(AccountState::parse(&state), "accounts")?,
                eid_active: issued.map(|_| !locked.contains(&id)),
                locked: locked.contains(&id),
                card_expires: at(card),
                guardian: guardian.is_some(),
                created_at: Moment::from_unix(created),
                id: Id::new(id),
            })
        })
        .collect()
}

/// Which claims there are, without their values.
pub fn claim_names(db: &mut Db, id: &Id<Account>) -> Result<BTreeSet<ClaimName>, Fault> {
    let names: Vec<String> = on_each!(db, |link| account_claims::table
        .filter(account_claims::account_id.eq(id.as_str()))
        .select(account_claims::claim)
        .load(link))?;
    names.iter().map(|name| known(ClaimName::find(name), "account_claims")).collect()
}

/// In the order of the catalogue's names.
pub fn claims(db: &mut Db, id: &Id<Account>) -> Result<Vec<SealedClaim>, Fault> {
    let rows: Vec<(String, String, String, i64)> = on_each!(db, |link| account_claims::table
        .filter(account_claims::account_id.eq(id.as_str()))
        .order(account_claims::claim)
        .select((account_claims::claim, account_claims::value, account_claims::source, account_claims::recorded_at,))
        .load(link))?;
    rows.into_iter()
        .map(|(claim, value, source, recorded)| {
            Ok(SealedClaim {
                claim: known(ClaimName::find(&claim), "account_claims")?,
                value: Sealed::from_text(value),
                source,
                recorded_at: Moment::from_unix(recorded),
            })
        })
        .collect()
}

/// Replaces all claims about a holder.
pub fn put_claims(db: &mut Db, id: &Id<Account>, claims: &[SealedClaim]) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(account_claims::table.filter(account_claims::account_id.eq(id.as_str())))
        .execute(link))?;
    // The last value of a claim given twice is the one that counts.
    let by_name: BTreeMap<ClaimName, &SealedClaim> = claims.iter().map(|claim| (claim.claim, claim)).collect();
    let rows: Vec<_> = by_name
        .values()
        .map(|claim| {
            (
                account_claims::account_id.eq(id.as_str()),
                account_claims::claim.eq(claim.claim.as_str()),
                account_claims::value.eq(claim.value.as_str()),
                account_claims::source.eq(claim.source.as_str()),
                account_claims::recorded_at.eq(claim.recorded_at.unix()),
            )
        })
        .collect();
    on_each!(db, |link| diesel::insert_into(account_claims::table).values(&rows).execute(link))?;
    Ok(())
}
