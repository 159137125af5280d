//! Locking and unlocking an e-ID, or an account that has none (LCC Art 34, ND69 Art 15). The lock and everything that ends
//! with it are one transaction: when it is acknowledged, no session, code, grant or interaction of the account stands
//! anywhere. Unlocking removes its own ground and revives nothing.

use serde_json::{Value, json};

use crate::domain::account::Account;
use crate::domain::eid::{LockGround, LockOrder, Turned};
use crate::domain::holder_notice::{HolderNotice, News};
use crate::domain::outbox::Cause;
use crate::domain::recovery::Ending;
use crate::domain::secret::BlindIndex;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Holder, Id, Moment, PersonNumber};
use crate::flow::operator::Verdict;
use crate::flow::outbox::{self, Occasion};
use crate::flow::sealed;
use crate::flow::{acting, notices};
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

/// After the commit: portals are told without waiting, and other nodes may hear of it.
pub(super) async fn announce(account: &Id<Account>, idp: &Idp) {
    idp.desk.ring();
    if let Err(fault) = idp.ephemeral.announce(LOCKED_TOPIC, account.as_str()).await {
        tracing::warn!(%fault, "a lock could not be announced; it holds all the same");
    }
}

pub async fn unlock(number: &PersonNumber, order: LockOrder, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    carry_out(number, order, Act::Unlock, idp).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Lock,
    Unlock,
}

async fn carry_out(number: &PersonNumber, order: LockOrder, act: Act, idp: &Idp) -> Result<Verdict<Locked>, Fault> {
    let index = sealed::person_index(number, &idp.vault);
    let now = idp.clock.now();
    let ids = Ids::mint(idp)?;
    idp.store
        .transact(move |db| {
            let Some(account) = held(db, &index)? else {
                return Ok(Verdict::refused("no account has this person number"));
            };
            turn(db, account, &Turn { act, order: &order, cause: json!({"by": "authority"}), at: now }, &ids)
        })
        .await
}

/// ND69 Art 15: which grounds lock whose account. Papers that expire and an organisation's end lock by themselves.
fn lockable(account: &Account, ground: LockGround) -> Result<(), &'static str> {
    use LockGround::{AgreementBroken, Death, HolderAsks};
    match (account.holder, ground) {
        (Holder::Citizen, _)
        | (Holder::Foreigner, HolderAsks | AgreementBroken | Death)
        | (Holder::Organisation, HolderAsks | AgreementBroken) => Ok(()),
        (Holder::Foreigner, _) => {
            Err("a foreigner's account locks on a, b or d only; on its permit and passport by itself (ND69 Art 15)")
        }
        (Holder::Organisation, _) => {
            Err("an organisation's account locks on a or b only; its end is imported as `dissolved` (ND69 Art 15)")
        }
    }
}

/// The account of a person, kept from everybody who would issue something to it meanwhile.
pub(super) fn held(db: &mut Db, index: &BlindIndex) -> Result<Option<Account>, Fault> {
    store::account::hold_person(db, index)?;
    store::account::find_by_person(db, index)
}

/// Fresh names a turn needs, made before the transaction.
pub(super) struct Ids {
    event: Id<Event>,
    notice: Id<HolderNotice>,
}

impl Ids {
    pub(super) fn mint(idp: &Idp) -> Result<Ids, Fault> {
        Ok(Ids { event: idp.id()?, notice: idp.id()? })
    }

    pub(super) fn event(&self) -> &Id<Event> {
        &self.event
    }
}

/// One order, and what stands behind it.
pub(super) struct Turn<'a> {
    pub(super) act: Act,
    pub(super) order: &'a LockOrder,
    /// For the trail: who or what caused it (`security.md` LK-20).
    pub(super) cause: Value,
    pub(super) at: Moment,
}

/// Carries out an order on an account that was read, and is held, in this very transaction.
pub(super) fn turn(db: &mut Db, mut account: Account, turn: &Turn<'_>, ids: &Ids) -> Result<Verdict<Locked>, Fault> {
    let Turn { act, order, cause, at } = turn;
    if let Err(reason) = lockable(&account, order.ground()) {
        return Ok(Verdict::refused(reason));
    }
    let turned = match act {
        Act::Lock => account.lock(order),
        Act::Unlock => account.unlock(order),
    };
    match turned {
        Turned::Terminal => {
            return Ok(Verdict::refused("the e-ID is locked on the holder's death and stays locked (LCC Art 34)"));
        }
        Turned::Changed => {
            let version = account.locks().version;
            let saved = match act {
                Act::Lock => store::eid::open(db, &account.id, version, order, *at)?,
                Act::Unlock => store::eid::close(db, &account.id, version, order.ground(), *at)?,
            };
            if !saved {
                return Err(Fault::unavailable("flow", "the grounds changed in between"));
            }
            if *act == Act::Lock {
                let occasion = Occasion { name: ids.event.as_str(), cause: Cause::EidLocked, at: *at };
                end_everything(db, &account.id, occasion)?;
            }
            // domain.md 6.4: nobody is left who could give or withdraw them.
            if order.ground() == LockGround::Death {
                store::consent::close_all(db, &account.id, *at)?;
            }
            let news = match act {
                Act::Lock => News::of_lock(order.ground()),
                Act::Unlock => (!account.is_locked()).then_some(News::Unlocked),
            };
            if let Some(news) = news {
                notices::put(db, &ids.notice, (&account.id, news), *at)?;
            }
        }
        // The order is remembered even where it changes nothing: another authority may stand behind it.
        Turned::Unchanged => {}
    }
    let grounds: Vec<&'static str> = account.locks().iter().map(LockGround::letter).collect();
    let kind = if *act == Act::Lock { Kind::EidLocked } else { Kind::EidUnlocked };
    let detail = json!({
        "ground": order.ground().letter(),
        "authority": order.authority(),
        "changed": turned == Turned::Changed,
        "grounds": grounds,
        "cause": cause,
    });
    store::trail::append(db, &Event::new(kind, *at).of(&account.id).with(detail), &ids.event)?;
    Ok(Verdict::Done(Locked { account: account.id, turned, grounds }))
}

/// Ends all that was ever issued to an account and is still alive, and lets its portals know. Nothing of it comes back
/// later.
pub(super) fn end_everything(db: &mut Db, account: &Id<Account>, occasion: Occasion<'_>) -> Result<(), Fault> {
    let standing = store::standing::of(db, account, occasion.at)?;
    if standing.sessions || standing.grants {
        outbox::account_ended(db, account, occasion)?;
    }
    if standing.sessions {
        store::session::end_all(db, account, occasion.at)?;
    }
    if standing.grants {
        store::grant::revoke_all(db, account, occasion.at, occasion.cause.name())?;
    }
    if standing.interactions {
        store::interaction::cancel_all(db, account, occasion.at)?;
    }
    if standing.acting {
        acting::end(db, account, occasion)?;
    }
    if standing.otps {
        store::otp::cancel_all(db, account)?;
    }
    // LG-19: what was begun before goes no further, not even after an unlock.
    if standing.recoveries {
        store::recovery::end_all(db, account, Ending::Overtaken, occasion.at)?;
    }
    if standing.changes {
        store::change::end_all(db, account, occasion.at)?;
    }
    if standing.app {
        store::app::cancel_all(db, account, occasion.at)?;
    }
    Ok(())
}
