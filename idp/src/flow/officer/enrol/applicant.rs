//! Who may get which level at the desk, and together with whom (ND69 Art 7(1), 10(2)đ): a child or ward comes with the
//! guardian, who has an account of their own and lends the phone.

use chrono::NaiveDate;

use super::super::{Ended, Refusal};
use super::sealing;
use crate::domain::account::Account;
use crate::domain::birth::Birth;
use crate::domain::calendar;
use crate::domain::circumstances::Circumstances;
use crate::domain::standing::{may_act_for_others, needs_guardian};
use crate::domain::{AccountLevel, Fault, Id, Moment, PersonNumber};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

/// What is asked for, and by whom.
pub(super) struct Asked<'a> {
    pub level: AccountLevel,
    /// `None`: the person has no account yet.
    pub account: Option<&'a Account>,
    /// Stated on the form; of whoever has an account, what is on file counts.
    pub born: Option<NaiveDate>,
    pub guardian: Option<&'a PersonNumber>,
    pub phone: &'a str,
}

/// How a new account of a child or ward is bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guarded {
    pub guardian: Id<Account>,
    pub circumstances: Circumstances,
}

/// Asked when an application is taken in, and again when it is granted.
pub(super) fn check(db: &mut Db, asked: &Asked<'_>, now: Moment, idp: &Idp) -> Ended<Option<Guarded>> {
    let is_two = asked.level == AccountLevel::Two;
    let born = match (asked.account, asked.born) {
        (Some(_), _) if !is_two => return Ok(Err(Refusal::AlreadyRegistered)),
        (Some(account), _) if account.level != Some(AccountLevel::One) => return Ok(Err(Refusal::AlreadyLevelTwo)),
        (Some(account), _) => sealing::birth(db, &account.id, idp)?,
        (None, Some(stated)) if stated > calendar::date(now) => return Ok(Err(Refusal::Malformed)),
        (None, Some(stated)) => Birth::parse(&stated.to_string()),
        (None, None) => return Ok(Err(Refusal::Malformed)),
    };
    let is_under = |age| born.is_some_and(|born| born.is_under(age, now));
    if is_two && is_under(Birth::LEVEL_TWO) {
        return Ok(Err(Refusal::UnderSix));
    }
    let is_child = is_under(Birth::OWN);
    let Some(number) = asked.guardian else {
        let needed = is_child || asked.account.is_some_and(|account| needs_guardian(account, now));
        return Ok(match (needed, is_two) {
            (true, _) => Err(Refusal::UnderAge),
            (false, true) => Ok(None),
            (false, false) => Err(Refusal::LevelOneOnline),
        });
    };
    let found = store::account::find_by_person(db, &sealed::person_index(number, &idp.vault))?;
    let Some(guardian) = found.filter(|found| may_act_for_others(found, now)) else {
        return Ok(Err(Refusal::GuardianUnfit));
    };
    // Another guardian than the one on record is an import's to enter: it ends what the former one began.
    let is_on_record = asked.account.is_none_or(|account| account.guardian.as_ref() == Some(&guardian.id));
    if !is_on_record || phone(db, &guardian.id, idp)?.as_deref() != Some(asked.phone) {
        return Ok(Err(Refusal::GuardianUnfit));
    }
    // Of age and with a guardian: a ward, as the paper shown at the desk says.
    let circumstances = Circumstances { born, ward: !is_child, ..Circumstances::default() };
    Ok(Ok(Some(Guarded { guardian: guardian.id, circumstances })))
}

/// The phone an account has on file.
fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<String>, Fault> {
    let known = store::account::credentials(db, account)?.and_then(|known| known.phone);
    known.map(|phone| sealed::open_phone(account, &phone, &idp.vault)).transpose()
}
