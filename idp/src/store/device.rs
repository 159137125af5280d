//! Devices an account has signed in from, by the digest of their cookie.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;

use super::db::{Db, on_each};
use super::schema::devices;
use crate::domain::account::Account;
use crate::domain::secret::{DeviceCookie, Stored};
use crate::domain::{Fault, Id, Moment};

pub fn knows(db: &mut Db, cookie: &Stored<DeviceCookie>, account: &Id<Account>) -> Result<bool, Fault> {
    Ok(on_each!(db, |link| select(exists(devices::table.find((cookie.as_str(), account.as_str())))).get_result(link))?)
}

pub fn remember(db: &mut Db, cookie: &Stored<DeviceCookie>, account: &Id<Account>, at: Moment) -> Result<(), Fault> {
    on_each!(db, |link| diesel::insert_into(devices::table)
        .values((
            devices::cookie.eq(cookie.as_str()),
            devices::account_id.eq(account.as_str()),
            devices::remembered_at.eq(at.unix()),
        ))
        .on_conflict((devices::cookie, devices::account_id))
        .do_update()
        .set(devices::remembered_at.eq(at.unix()))
        .execute(link))?;
    Ok(())
}
