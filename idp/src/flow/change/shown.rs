//! What a holder's own page shows of password and phone, and of a recovery somebody else may have begun.

use super::{UnderWay, own, under_way};
use crate::domain::account::Account;
use crate::domain::session::Session;
use crate::domain::{Fault, Moment};
use crate::flow::recover;
use crate::idp::Idp;
use crate::store::Db;

#[derive(Clone, Debug)]
pub struct Credentials {
    pub phone: Option<String>,
    pub has_password: bool,
    pub change: Option<UnderWay>,
    /// When the phone is a second factor, while it is none.
    pub phone_counts_from: Option<Moment>,
    /// When the account was recovered, while its level waits for the holder to be proofed again.
    pub recovered_at: Option<Moment>,
    /// From when somebody's recovery under way may set a password.
    pub recovery: Option<Moment>,
}

pub fn credentials(db: &mut Db, account: &Account, session: &Session, idp: &Idp) -> Result<Credentials, Fault> {
    let now = idp.clock.now();
    let doubts = account.doubts;
    Ok(Credentials {
        phone: own::known(db, &account.id, idp)?.phone,
        has_password: account.has_password,
        change: under_way(db, session, idp)?,
        phone_counts_from: doubts.phone_counts_from.filter(|_| !doubts.phone_counts(now)),
        recovered_at: doubts.recovered_at.filter(|_| doubts.caps_level()),
        recovery: recover::under_way(db, &account.id, now)?,
    })
}
