//! The hotline's part (ND69 Art 14(1)): it spoke to the holder and activates the account, whatever became of the seven days.
//! The holder then chooses a password with a code, within seven days of this; who lets those pass too calls again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Readiness, readiness, record, registered_phone};
use crate::domain::account::{Account, AccountState};
use crate::domain::eid::LockGround;
use crate::domain::enrolment::{Channel, Enrolment, Particulars};
use crate::domain::hotline::Case;
use crate::domain::registration::{Event as Happened, Progress, State, activate_by};
use crate::domain::trail::Kind;
use crate::domain::{Fault, Id, Moment, PersonNumber};
use crate::flow::eid_lock;
use crate::flow::operator::Verdict;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

/// Why the hotline does not activate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow) enum Unfit {
    /// In use, or its password may still be chosen.
    NotWaiting,
    /// LCC Art 34(1)d: whoever calls is not the holder.
    Dead,
}

/// An account the hotline may activate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Until when its holder can without the hotline; `None` where no notice set an end.
    pub until: Option<Moment>,
}

/// Whether there is something for the hotline to do.
pub(in crate::flow) fn waiting(db: &mut Db, account: &Account, idp: &Idp) -> Result<Option<Waiting>, Fault> {
    let (readiness, enrolment) = readiness(db, account, idp)?;
    let waits = account.state == AccountState::Granted || readiness == Readiness::Overdue;
    Ok(waits.then(|| Waiting { until: enrolment.and_then(|enrolment| enrolment.progress.activate_by) }))
}

/// In a transaction that holds the account; `behind` is who acts and on what. Until when the password can be chosen.
pub(in crate::flow) fn activate(
    db: &mut Db,
    account: &Account,
    (case, behind): (&Case, Value),
    idp: &Idp,
) -> Result<Result<Moment, Unfit>, Fault> {
    if account.is_locked_on(LockGround::Death) {
        return Ok(Err(Unfit::Dead));
    }
    if waiting(db, account, idp)?.is_none() {
        return Ok(Err(Unfit::NotWaiting));
    }
    let now = idp.clock.now();
    let choose_by = activate_by(now);
    let first = account.state == AccountState::Granted;
    if first && !store::enrolled::activate_by_hotline(db, &account.id, now)? {
        return Ok(Err(Unfit::NotWaiting));
    }
    match store::registration::of_account(db, &account.id)? {
        Some(mut enrolment) => {
            let turned = if first {
                enrolment.progress.turn(Happened::ActivateByHotline, now)
            } else {
                Some(enrolment.progress)
            };
            let Some(progress) = turned else { return Err(Fault::broken("flow", "a request out of turn")) };
            enrolment.progress = Progress { activate_by: Some(choose_by), ..progress };
            enrolment.due_at = None;
            if !store::registration::save(db, &enrolment)? {
                return Err(Fault::unavailable("flow", "a request changed in between, try again"));
            }
        }
        None => {
            let request = imported(db, account, choose_by, idp)?;
            store::registration::put(db, &request)?;
        }
    }
    let mut detail = json!({"via": "hotline", "case": case.as_str()});
    if let (Some(all), Value::Object(more)) = (detail.as_object_mut(), behind) {
        all.extend(more);
    }
    record(db, Kind::AccountActivated, &account.id, detail, idp)?;
    Ok(Ok(choose_by))
}

/// As an operator's command, which leaves it to the hotline what was checked.
pub async fn by_hotline(number: PersonNumber, case: &str, idp: &Arc<Idp>) -> Result<Verdict<()>, Fault> {
    let Some(case) = Case::parse(case) else {
        return Ok(Verdict::refused(
            "the case is a reference of 1 to 64 letters, digits and - / . _ #, not a person's number",
        ));
    };
    let this = Arc::clone(idp);
    let done = idp
        .store
        .transact(move |db| {
            let index = sealed::person_index(&number, &this.vault);
            let Some(account) = eid_lock::held(db, &index)? else {
                return Ok(Verdict::refused("no account has this person number"));
            };
            Ok(match activate(db, &account, (&case, Value::Null), &this)? {
                Ok(_) => Verdict::Done(account.id),
                Err(Unfit::NotWaiting) => Verdict::refused("the account is activated already"),
                Err(Unfit::Dead) => Verdict::refused("the e-ID is locked on the holder's death"),
            })
        })
        .await?;
    Ok(match done {
        Verdict::Refused(reason) => Verdict::Refused(reason),
        Verdict::Done(account) => {
            tell(&account, idp).await?;
            Verdict::Done(())
        }
    })
}

const TOLD: &str = "VNeID: Tong dai 1900.0368 da kich hoat tai khoan dinh danh cua ban. Hay dat mat khau trong 7 ngay, \
    tai trang Kich hoat tai khoan.";

/// After the commit: the registered phone hears of it, whoever called.
pub(in crate::flow) async fn tell(account: &Id<Account>, idp: &Arc<Idp>) -> Result<(), Fault> {
    let (this, account) = (Arc::clone(idp), account.clone());
    let phone = idp.store.read(move |db| registered_phone(db, &account, &this)).await?;
    if let Some(phone) = phone
        && let Err(fault) = idp.notice.send(&phone, TOLD, idp.clock.now()).await
    {
        tracing::error!(%fault, "activate.notice_not_sent");
    }
    Ok(())
}

/// The request of an account that came without one.
fn imported(db: &mut Db, account: &Account, choose_by: Moment, idp: &Idp) -> Result<Enrolment, Fault> {
    let (id, now) = (idp.id()?, idp.clock.now());
    let known = store::account::credentials(db, &account.id)?
        .ok_or_else(|| Fault::broken("flow", "an account without a person"))?;
    let number = sealed::open_person(&account.id, &known.person, &idp.vault)?;
    let progress = Progress { state: State::ActivatedViaHotline, activate_by: Some(choose_by), ..Progress::NEW };
    Ok(Enrolment {
        holder: account.holder,
        level: account.level,
        channel: Channel::Import,
        progress,
        person_index: sealed::person_index(&number, &idp.vault),
        person: sealed::enrolment_person(&id, &number, &idp.vault)?,
        particulars: sealed::particulars(&id, &Particulars::default(), &idp.vault)?,
        phone: None,
        phone_index: None,
        phone_proved_at: None,
        account: Some(account.id.clone()),
        officer: None,
        created_at: now,
        due_at: None,
        tries: 0,
        version: 0,
        id,
    })
}
