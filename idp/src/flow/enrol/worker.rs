//! The worker that decides requests and tells the applicants. Its work list is SQL, so that a restart loses nothing, and a
//! request is taken by raising its version, so that of many workers one decides.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::grant::{self, Granted};
use super::{LEASE, notices, record, sealed};
use crate::domain::account::AccountState;
use crate::domain::enrolment::{Channel, Enrolment};
use crate::domain::register::Record;
use crate::domain::registration::{Event as Happened, Reason, State};
use crate::domain::trail::Kind;
use crate::domain::{Fault, Moment, Span, calendar, matching};
use crate::idp::Idp;
use crate::store::{self, Db};

/// How often the list is looked into.
const PATIENCE: Duration = Duration::from_millis(500);
/// Taken at once.
const BATCH: i64 = 16;
/// The pause after a register that could not be asked doubles up to the last of these.
const FIRST_PAUSE: i64 = 2;
const LONGEST_PAUSE: i64 = 300;

/// Decides what is due, until the process ends.
pub async fn decide(idp: Arc<Idp>) {
    loop {
        let now = idp.clock.now();
        match idp.store.read(move |db| store::registration::due(db, now, BATCH)).await {
            Ok(due) => {
                for enrolment in due {
                    if let Err(fault) = step(enrolment, &idp).await {
                        tracing::warn!(%fault, "enrol.not_decided");
                    }
                }
            }
            Err(fault) => tracing::error!(%fault, "enrol.not_read"),
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Takes the request for a while, does what its state asks for, and puts it where the next look finds it.
async fn step(enrolment: Enrolment, idp: &Arc<Idp>) -> Result<(), Fault> {
    let Some(taken) = take(enrolment, idp).await? else { return Ok(()) };
    match taken.progress.state {
        State::Checking if taken.channel == Channel::Online => compare(taken, idp).await,
        State::Granted | State::Rejected(_) => tell(taken, idp).await,
        State::Notified => lapse(taken, idp).await,
        _ => Ok(()),
    }
}

/// `None`: another worker was first.
async fn take(mut enrolment: Enrolment, idp: &Arc<Idp>) -> Result<Option<Enrolment>, Fault> {
    let now = idp.clock.now();
    if let Some(checking) = enrolment.progress.turn(Happened::Check, now) {
        enrolment.progress = checking;
    }
    enrolment.due_at = Some(now + LEASE);
    enrolment.tries = enrolment.tries.saturating_add(1);
    idp.store
        .transact(move |db| {
            let mine = store::registration::save(db, &enrolment)?;
            // What was saved is one version on.
            Ok(mine.then(|| Enrolment { version: enrolment.version.saturating_add(1), ..enrolment }))
        })
        .await
}

async fn compare(enrolment: Enrolment, idp: &Arc<Idp>) -> Result<(), Fault> {
    let number = sealed::open_enrolment_person(&enrolment, &idp.vault)?;
    match idp.registry.find(&number, idp.clock.now()).await {
        Ok(held) => {
            let this = Arc::clone(idp);
            let told = idp.store.transact(move |db| settle(db, enrolment, held.as_ref(), &this)).await?;
            if let Some(phone) = told {
                idp.notice.send(&phone, notices::HAS_ACCOUNT, idp.clock.now()).await?;
            }
            Ok(())
        }
        Err(fault) => {
            put_off(enrolment, idp).await?;
            Err(fault)
        }
    }
}

/// The decision. The answer is the phone of an account that was there before, whose holder is to know.
fn settle(db: &mut Db, mut enrolment: Enrolment, held: Option<&Record>, idp: &Idp) -> Result<Option<String>, Fault> {
    let now = idp.clock.now();
    let stated = sealed::open_particulars(&enrolment, &idp.vault)?;
    let (mut refused, mut told) = (None, None);
    match (matching::check(&stated, held, calendar::date(now)), held) {
        (Err(reason), _) => refused = Some(reason),
        (Ok(()), None) => refused = Some(Reason::NotMatched),
        (Ok(()), Some(held)) => {
            if let Granted::HasAccount(existing) = grant::level_one(db, &mut enrolment, held, idp)? {
                refused = Some(Reason::NotMatched);
                let known = store::account::credentials(db, &existing)?.and_then(|known| known.phone);
                told = known.map(|phone| sealed::open_phone(&existing, &phone, &idp.vault)).transpose()?;
            }
        }
    }
    if let Some(reason) = refused {
        let Some(progress) = enrolment.progress.turn(Happened::Reject(reason), now) else { return Ok(None) };
        enrolment.progress = progress;
        let detail = json!({"reason": reason.name(), "has_account": told.is_some()});
        record(db, Kind::EnrolmentRefused, &enrolment, detail, idp)?;
    }
    (enrolment.due_at, enrolment.tries) = (Some(now), 0);
    if !store::registration::save(db, &enrolment)? {
        // Superseded or decided meanwhile: whatever was written here goes with the transaction.
        return Err(Fault::unavailable("flow", "a request changed while it was decided"));
    }
    Ok(told)
}

/// ND69 Art 10(2)d: the result, by the proved phone.
async fn tell(mut enrolment: Enrolment, idp: &Arc<Idp>) -> Result<(), Fault> {
    let phone = sealed::open_enrolment_phone(&enrolment, &idp.vault)?.filter(|_| enrolment.phone_proved_at.is_some());
    let text = match enrolment.progress.state.reason() {
        Some(reason) => notices::refused(reason),
        None => notices::granted(enrolment.level, is_activated(&enrolment, idp).await?),
    };
    if let Some(phone) = phone
        && let Err(fault) = idp.notice.send(&phone, text, idp.clock.now()).await
    {
        put_off(enrolment, idp).await?;
        return Err(fault);
    }
    let (this, now) = (Arc::clone(idp), idp.clock.now());
    idp.store
        .transact(move |db| {
            match enrolment.progress.turn(Happened::Notify, now) {
                Some(progress) => (enrolment.progress, enrolment.due_at) = (progress, progress.activate_by),
                None => (enrolment.progress.notified_at, enrolment.due_at) = (Some(now), None),
            }
            enrolment.tries = 0;
            // The holder may have activated already, or the row belongs to somebody else again: nothing to add then.
            if store::registration::save(db, &enrolment)? {
                let detail = json!({"state": enrolment.progress.state.name()});
                record(db, Kind::EnrolmentNotified, &enrolment, detail, &this)?;
            }
            Ok(())
        })
        .await
}

/// Whether the account was in use before this request: its level is raised, and there is nothing to activate.
async fn is_activated(enrolment: &Enrolment, idp: &Idp) -> Result<bool, Fault> {
    let Some(id) = enrolment.account.clone() else { return Ok(false) };
    let account = idp.store.read(move |db| store::account::find(db, &id)).await?;
    Ok(account.is_some_and(|account| account.state == AccountState::Activated))
}

/// ND69 Art 14(1): the seven days are over.
async fn lapse(mut enrolment: Enrolment, idp: &Arc<Idp>) -> Result<(), Fault> {
    let (this, now) = (Arc::clone(idp), idp.clock.now());
    idp.store
        .transact(move |db| {
            let overdue = enrolment.progress.turn(Happened::Lapse, now);
            enrolment.due_at = if overdue.is_some() { None } else { enrolment.progress.activate_by };
            enrolment.progress = overdue.unwrap_or(enrolment.progress);
            if store::registration::save(db, &enrolment)? && overdue.is_some() {
                record(db, Kind::ActivationOverdue, &enrolment, json!({}), &this)?;
            }
            Ok(())
        })
        .await
}

async fn put_off(mut enrolment: Enrolment, idp: &Arc<Idp>) -> Result<(), Fault> {
    enrolment.due_at = Some(again_at(enrolment.tries, idp.clock.now()));
    idp.store.transact(move |db| store::registration::save(db, &enrolment).map(drop)).await
}

fn again_at(tries: i64, now: Moment) -> Moment {
    let doubled = u32::try_from(tries.clamp(1, 16)).ok().and_then(|tries| 2_i64.checked_pow(tries.saturating_sub(1)));
    now + Span::seconds(FIRST_PAUSE.saturating_mul(doubled.unwrap_or(LONGEST_PAUSE)).min(LONGEST_PAUSE))
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
