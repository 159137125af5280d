//! The lock grounds of an account, its e-ID's or its own: saved only over the version they were read at.

use diesel::prelude::*;

use super::db::{Db, on_each};
use super::schema::eid_grounds;
use super::update::{Bind, Update};
use crate::domain::account::Account;
use crate::domain::eid::{Grounds, LockGround, LockOrder};
use crate::domain::{Fault, Id, Moment};

/// Saves turned grounds; `authority` is who ordered what is new. False when somebody else turned them meanwhile:
/// read again and decide again.
pub fn save(db: &mut Db, account: &Id<Account>, locks: &Grounds, authority: &str, at: Moment) -> Result<bool, Fault> {
    if !raise(db, account, locks.version, at)? {
        return Ok(false);
    }
    replace_grounds(db, account, locks, authority, at)?;
    Ok(true)
}

/// Opens the ground of an order and leaves the others be. False as for `save`.
pub fn open(db: &mut Db, account: &Id<Account>, version: i64, order: &LockOrder, at: Moment) -> Result<bool, Fault> {
    if !raise(db, account, version, at)? {
        return Ok(false);
    }
    put_ground(db, account, order.ground().letter(), order.authority(), at)?;
    Ok(true)
}

/// Closes one ground and leaves the others be. False as for `save`.
pub fn close(db: &mut Db, account: &Id<Account>, version: i64, ground: LockGround, at: Moment) -> Result<bool, Fault> {
    if !raise(db, account, version, at)? {
        return Ok(false);
    }
    on_each!(db, |link| diesel::delete(eid_grounds::table.find((account.as_str(), ground.letter()))).execute(link))?;
    Ok(true)
}

fn raise(db: &mut Db, account: &Id<Account>, version: i64, at: Moment) -> Result<bool, Fault> {
    let update = Update {
        pieces: [
            "UPDATE accounts SET eid_version = eid_version + 1, updated_at = ",
            " WHERE id = ",
            " AND eid_version = ",
        ],
        binds: [Bind::Number(at.unix()), Bind::Text(account.as_str()), Bind::Number(version)],
    };
    Ok(on_each!(db, |link| update.execute(link))? > 0)
}

fn put_ground(db: &mut Db, account: &Id<Account>, letter: &str, authority: &str, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(eid_grounds::table)
        .values((
            eid_grounds::account_id.eq(account.as_str()),
            eid_grounds::ground.eq(letter),
            eid_grounds::authority.eq(authority),
            eid_grounds::opened_at.eq(at.unix()),
        ))
        .on_conflict_do_nothing()
        .execute(link))?;
    Ok(())
}

/// Grounds that stay keep the authority and the time they were opened with.
pub(super) fn replace_grounds(
    db: &mut Db,
    account: &Id<Account>,
    locks: &Grounds,
    authority: &str,
    at: Moment,
) -> Result<(), Fault> {
    let open: Vec<&str> = locks.iter().map(LockGround::letter).collect();
    on_each!(db, |link| diesel::delete(
        eid_grounds::table
            .filter(eid_grounds::account_id.eq(account.as_str()))
            .filter(eid_grounds::ground.ne_all(&open))
    )
    .execute(link))?;
    for ground in open {
        put_ground(db, account, ground, authority, at)?;
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
