//! Locking and unlocking an e-ID (LCC Art 34). The lock and everything that ends with it are one transaction: when it
//! is acknowledged, no session, code, grant or interaction of the account stands anywhere. Unlocking removes its own
//! ground and revives nothing.

use serde_json::json;

use crate::domain::account::Account;
use crate::domain::eid::{ElectronicId, LockGround, LockOrder, Turned};
use crate::domain::outbox::Cause;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Holder, Id, Moment, PersonNumber};
use crate::flow::acting;
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
    idp.desk.ring();
    if let Verdict::Done(locked) = &verdict
        && let Err(fault) = idp.ephemeral.announce(LOCKED_TOPIC, locked.account.as_str()).await
    {
        tracing::warn!(%fault, "a lock could not be announced; it holds all the same");
    }
    Ok(verdict)
}

pub async fn unlock(number: &PersonNumber, order: LockOrder, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    carry_out(number, order, Act::Unlock, idp).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Lock,
    Unlock,
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
            if let Err(reason) = lockable(&account, order.ground()) {
                return Ok(Verdict::refused(reason));
            }
            let mut eid = grounds_of(&account);
            let turned = match act {
                Act::Lock => eid.lock(&order),
                Act::Unlock => eid.unlock(&order),
            };
            match turned {
                Turned::Terminal => {
                    return Ok(Verdict::refused(
                        "the e-ID is locked on the holder's death and stays locked (LCC Art 34)",
                    ));
                }
                Turned::Changed => {
                    save(db, &account.id, &eid, &order, now)?;
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
            let detail = json!({
                "ground": order.ground().letter(),
                "authority": order.authority(),
                "changed": turned == Turned::Changed,
                "grounds": grounds,
            });
            store::trail::append(db, &Event::new(kind, now).of(&account.id).with(detail), &event)?;
            Ok(Verdict::Done(Locked { account: account.id, turned, grounds }))
        })
        .await
}

/// The grounds an account holds: those of its e-ID, or its own where it has none.
pub(super) fn grounds_of(account: &Account) -> ElectronicId {
    let own = &account.circumstances;
    account
        .eid
        .clone()
        .unwrap_or_else(|| ElectronicId::new(Moment::from_unix(0), own.grounds.iter().copied(), own.version))
}

/// ND69 Art 15: which grounds lock whose account. Papers that expire and an organisation's end lock by themselves.
fn lockable(account: &Account, ground: LockGround) -> Result<(), &'static str> {
    use LockGround::{AgreementBroken, Death, HolderAsks};
    match (account.holder, ground) {
        (Holder::Citizen, _) if account.eid.is_some() => Ok(()),
        (Holder::Citizen, _) => Err("the account has no e-ID: only an account of level 2 can be locked"),
        (Holder::Foreigner, HolderAsks | AgreementBroken | Death) => Ok(()),
        (Holder::Foreigner, _) => {
            Err("a foreigner's account locks on a, b or d only; on its permit and passport by itself (ND69 Art 15)")
        }
        (Holder::Organisation, HolderAsks | AgreementBroken) => Ok(()),
        (Holder::Organisation, _) => {
            Err("an organisation's account locks on a or b only; its end is imported as `dissolved` (ND69 Art 15)")
        }
    }
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
    acting::end(db, account, occasion)?;
    store::otp::cancel_all(db, account)?;
    Ok(())
}
