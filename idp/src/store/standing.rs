//! What an account has that can be ended, seen by one statement. An account has little of it at a time, and each kind is
//! ended by an update of its own: asked first, those with nothing to end are not made.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;

use super::db::{Db, on_each};
use super::{app, change, confirmation, grant, interaction, otp, recovery, session};
use crate::domain::account::Account;
use crate::domain::{Fault, Id, Moment};

/// Which kinds there is something of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable)]
pub struct Standing {
    pub sessions: bool,
    pub grants: bool,
    pub interactions: bool,
    /// Sessions and grants in which the account acts for others, and words it was asked for.
    pub acting: bool,
    pub otps: bool,
    pub recoveries: bool,
    pub changes: bool,
    /// Codes that would bind a phone, and tickets an app has not answered.
    pub app: bool,
}

/// To be asked where the account is held `Alone`: nothing is issued to it until the transaction ends.
pub fn of(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<Standing, Fault> {
    let account = account.as_str();
    Ok(on_each!(db, |link| select((
        exists(session::standing(account)),
        exists(grant::standing(account)),
        exists(interaction::standing(account)),
        exists(session::acting(account))
            .or(exists(grant::acting(account)))
            .or(exists(confirmation::standing(account, now.unix()))),
        exists(otp::standing(account)),
        exists(recovery::standing(account)),
        exists(change::standing(account)),
        exists(app::open_codes(account)).or(exists(app::open_tickets(account))),
    ))
    .get_result(link))?)
}
