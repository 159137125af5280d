//! The lock grounds of an account and its e-ID: saved only over the version they were read at.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::{accounts, eid_grounds};
use crate::domain::account::Account;
use crate::domain::eid::{ElectronicId, LockGround};
use crate::domain::{Fault, Id, Moment};

/// Saves a turned e-ID; `authority` is who ordered what is new. False when somebody else turned it meanwhile:
/// read again and decide again.
pub fn save(
    db: &mut Db,
    account: &Id<Account>,
    eid: &ElectronicId,
    authority: &str,
    at: Moment,
) -> Result<bool, Fault> {
    let saved = on_each!(db, |link| diesel::update(
        accounts::table.find(account.as_str()).filter(accounts::eid_version.eq(eid.version))
    )
    .set((accounts::eid_version.eq(accounts::eid_version + 1), accounts::updated_at.eq(at.unix())))
    .execute(link))?;
    if saved == 0 {
        return Ok(false);
    }
    replace_grounds(db, account, &eid.grounds().collect(), authority, at)?;
    Ok(true)
}

/// Grounds that stay keep the authority and the time they were opened with.
pub(super) fn replace_grounds(
    db: &mut Db,
    account: &Id<Account>,
    wanted: &BTreeSet<LockGround>,
    authority: &str,
    at: Moment,
) -> Result<(), Fault> {
    for ground in LockGround::ALL {
        if wanted.contains(&ground) {
            on_each!(db, |link| diesel::insert_into(eid_grounds::table)
                .values((
                    eid_grounds::account_id.eq(account.as_str()),
                    eid_grounds::ground.eq(ground.letter()),
                    eid_grounds::authority.eq(authority),
                    eid_grounds::opened_at.eq(at.unix()),
                ))
                .on_conflict_do_nothing()
                .execute(link))?;
        } else {
            on_each!(db, |link| diesel::delete(eid_grounds::table.find((account.as_str(), ground.letter())))
                .execute(link))?;
        }
    }
    Ok(())
}

/// The open grounds with who ordered each and when.
pub fn grounds(db: &mut Db, account: &Id<Account>) -> Result<Vec<(LockGround, String, Moment)>, Fault> {
    let rows: Vec<(String, String, i64)> = on_each!(db, |link| eid_grounds::table
        .filter(eid_grounds::account_id.eq(account.as_str()))
        .order(eid_grounds::ground)
        .select((eid_grounds::ground, eid_grounds::authority, eid_grounds::opened_at))
        .load(link))?;
    rows.into_iter()
        .map(|(ground, authority, opened)| {
            let ground = super::columns::known(LockGround::parse(&ground), "eid_grounds")?;
            Ok((ground, authority, Moment::from_unix(opened)))
        })
        .collect()
}
