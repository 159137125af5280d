//! Devices an account has signed in from, by the digest of their cookie.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;

use super::columns::at as moment;
use super::db::{Db, on_each};
use super::schema::devices;
use crate::domain::account::Account;
use crate::domain::agent::Agent;
use crate::domain::secret::{DeviceCookie, Stored};
use crate::domain::{Fault, Id, Moment};

pub fn knows(db: &mut Db, cookie: &Stored<DeviceCookie>, account: &Id<Account>) -> Result<bool, Fault> {
    Ok(on_each!(db, |link| select(exists(devices::table.find((cookie.as_str(), account.as_str())))).get_result(link))?)
}

/// A device as its owner is shown it.
#[derive(Clone, Debug)]
pub struct Known {
    pub cookie: Stored<DeviceCookie>,
    /// Neither is known of a device from before they were kept.
    pub agent: Option<Agent>,
    pub first_seen_at: Option<Moment>,
    pub seen_at: Moment,
}

pub fn remember(
    db: &mut Db,
    cookie: &Stored<DeviceCookie>,
    account: &Id<Account>,
    agent: Option<&Agent>,
    at: Moment,
) -> Result<(), Fault> {
    let agent = agent.map(Agent::as_str);
    on_each!(db, |link| diesel::insert_into(devices::table)
        .values((
            devices::cookie.eq(cookie.as_str()),
            devices::account_id.eq(account.as_str()),
            devices::remembered_at.eq(at.unix()),
            devices::agent.eq(agent),
            devices::first_seen_at.eq(at.unix()),
        ))
        .on_conflict((devices::cookie, devices::account_id))
        .do_update()
        .set((devices::remembered_at.eq(at.unix()), devices::agent.eq(agent)))
        .execute(link))?;
    Ok(())
}

/// The last used first.
pub fn of_account(db: &mut Db, account: &Id<Account>) -> Result<Vec<Known>, Fault> {
    type Row = (String, Option<String>, Option<i64>, i64);
    let rows: Vec<Row> = on_each!(db, |link| devices::table
        .filter(devices::account_id.eq(account.as_str()))
        .order((devices::remembered_at.desc(), devices::cookie))
        .select((devices::cookie, devices::agent, devices::first_seen_at, devices::remembered_at))
        .load(link))?;
    let known = rows.into_iter().map(|(cookie, agent, first, seen)| Known {
        cookie: Stored::from_store(cookie),
        agent: agent.as_deref().map(Agent::kept),
        first_seen_at: moment(first),
        seen_at: Moment::from_unix(seen),
    });
    Ok(known.collect())
}

/// False when it was not remembered.
pub fn forget(db: &mut Db, cookie: &Stored<DeviceCookie>, account: &Id<Account>) -> Result<bool, Fault> {
    let gone =
        on_each!(db, |link| diesel::delete(devices::table.find((cookie.as_str(), account.as_str()))).execute(link))?;
    Ok(gone > 0)
}
