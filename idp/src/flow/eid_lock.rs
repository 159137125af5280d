//! Locking and unlocking an e-ID (LCC Art 34). The lock and everything that ends with it are one transaction: when it
//! is acknowledged, no session, code, grant or interaction of the account stands anywhere. Unlocking removes its own
//! ground and revives nothing.

use serde_json::json;

use crate::domain::account::Account;
use crate::domain::eid::{ElectronicId, LockOrder, Turned};
use crate::domain::outbox::Cause;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, PersonNumber};
use crate::flow::operator::Verdict;
use crate::flow::outbox::{self, Occasion};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

/// The topic under which other nodes hear of a lock. They do not rely on it: each asks SQL before it acts.
const LOCKED_TOPIC: &str = "eid-locked";

/// The e-ID as an order leaves it.
#[derive(Debug, PartialEq, Eq)]
pub struct Locked {
    pub account: Id<Account>,
    pub turned: Turned,
    /// Letters of the grounds still open.
    pub grounds: Vec<&'static str>,
}

pub async fn lock(number: &PersonNumber, order: LockOrder, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    let verdict = carry_out(number, order, Act::Lock, idp).await?;
    if let Verdict::Done(locked) = &verdict {
        announce(&locked.account, idp).await;
    }
    Ok(verdict)
}

pub async fn unlock(number: &PersonNumber, order: LockOrder, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    carry_out(number, order, Act::Unlock, idp).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Lock,
    Unlock,
}

/// Why an e-ID cannot be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    NoEid,
    Death,
}

impl Objection {
    const fn told(self) -> &'static str {
        match self {
            Objection::NoEid => "the account has no e-ID: only an account of level 2 can be locked",
            Objection::Death => "the e-ID is locked on the holder's death and stays locked (LCC Art 34)",
        }
    }
}

/// An order as it is carried out. `by`: the officer it came through, and what stands behind it.
pub(super) struct Turning<'a> {
    pub order: &'a LockOrder,
    pub act: Act,
    pub by: Option<serde_json::Value>,
}

/// Lets the other nodes and the portals hear of what a transaction has locked.
pub(super) async fn announce(account: &Id<Account>, idp: &Idp) {
    idp.desk.ring();
    if let Err(fault) = idp.ephemeral.announce(LOCKED_TOPIC, account.as_str()).await {
        tracing::warn!(%fault, "a lock could not be announced; it holds all the same");
    }
}

async fn carry_out(number: &PersonNumber, order: LockOrder, act: Act, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    let index = sealed::person_index(number, &idp.vault);
    let now = idp.clock.now();
    let event = idp.id::<Event>()?;
    idp.store
        .transact(move |db| {
            let Some(account) = store::account::find_by_person(db, &index)? else {
                return Ok(Verdict::refused("no account has this person number"));
            };
            let turned = turn(db, &account, &Turning { order: &order, act, by: None }, (&event, now))?;
            Ok(match turned {
                Ok(locked) => Verdict::Done(locked),
                Err(objection) => Verdict::refused(objection.told()),
            })
        })
        .await
}

/// Turns an account's e-ID within the transaction of whatever orders it.
pub(super) fn turn(
    db: &mut Db,
    account: &Account,
    turning: &Turning<'_>,
    (event, now): (&Id<Event>, Moment),
) -> Result<Result<Locked, Objection>, Fault> {
    let Some(mut eid) = account.eid.clone() else { return Ok(Err(Objection::NoEid)) };
    let (order, act) = (turning.order, turning.act);
    let turned = match act {
        Act::Lock => eid.lock(order),
        Act::Unlock => eid.unlock(order),
    };
    match turned {
        Turned::Terminal => return Ok(Err(Objection::Death)),
        Turned::Changed => {
            save(db, &account.id, &eid, order, now)?;
            if act == Act::Lock {
                let occasion = Occasion { name: event.as_str(), cause: Cause::EidLocked, at: now };
                end_everything(db, &account.id, occasion)?;
            }
        }
        // The order is remembered even where it changes nothing: another authority may stand behind it.
        Turned::Unchanged => {}
    }
    let grounds: Vec<&'static str> = eid.grounds().map(|ground| ground.letter()).collect();
    let kind = if act == Act::Lock { Kind::EidLocked } else { Kind::EidUnlocked };
    let mut detail = json!({
        "ground": order.ground().letter(),
        "authority": order.authority(),
        "changed": turned == Turned::Changed,
        "grounds": grounds,
    });
    if let (Some(by), Some(members)) = (&turning.by, detail.as_object_mut()) {
        members.insert("by".to_owned(), by.clone());
    }
    store::trail::append(db, &Event::new(kind, now).of(&account.id).with(detail), event)?;
    Ok(Ok(Locked { account: account.id.clone(), turned, grounds }))
}

fn save(db: &mut Db, account: &Id<Account>, eid: &ElectronicId, order: &LockOrder, now: Moment) -> Result<(), Fault> {
    if store::eid::save(db, account, eid, order.authority(), now)? {
        Ok(())
    } else {
        Err(Fault::unavailable("flow", "the e-ID changed in between"))
    }
}

/// Ends all that was ever issued to an account and is still alive, and lets its portals know. Nothing of it comes back
/// later.
pub(super) fn end_everything(db: &mut Db, account: &Id<Account>, occasion: Occasion<'_>) -> Result<(), Fault> {
    outbox::account_ended(db, account, occasion)?;
    store::session::end_all(db, account, occasion.at)?;
    store::grant::revoke_all(db, account, occasion.at, occasion.cause.name())?;
    store::interaction::cancel_all(db, account, occasion.at)?;
    store::otp::cancel_all(db, account)?;
    Ok(())
}
