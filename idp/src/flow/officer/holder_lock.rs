//! The holder asks in person, on form TK03, to lock or unlock their e-ID (ND69 Art 29, 30(2)): done at once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Ended, Filed, Refusal};
use crate::domain::account::Account;
use crate::domain::authority_request::Wish;
use crate::domain::eid::{LockGround, LockOrder, Turned};
use crate::domain::statement::Statement;
use crate::domain::{Fault, Id};
use crate::flow::eid_lock::{self, Act, Ids, Turn};
use crate::flow::operator::Verdict;
use crate::idp::Idp;
use crate::store;
use crate::store::account::Hold;

/// The form of ND69's annex.
pub const FORM: &str = "TK03";

/// A filed TK03. The officer saw the holder and their card: without that there is no order.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    pub account: Id<Account>,
    #[serde(serialize_with = "super::authority::wish_name")]
    pub wish: Wish,
    /// The number the office filed the form under.
    #[serde(serialize_with = "super::authority::statement_text")]
    pub paper: Statement,
}

/// The e-ID afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub account: Id<Account>,
    pub changed: bool,
    /// Letters of the grounds still open.
    pub grounds: Vec<String>,
}

impl From<eid_lock::Locked> for Settled {
    fn from(locked: eid_lock::Locked) -> Self {
        Self {
            account: locked.account,
            changed: locked.turned == Turned::Changed,
            grounds: locked.grounds.into_iter().map(str::to_owned).collect(),
        }
    }
}

pub(super) const fn act(wish: Wish) -> Act {
    match wish {
        Wish::Lock => Act::Lock,
        Wish::Unlock => Act::Unlock,
    }
}

/// Locks or unlocks on ground (a).
pub async fn carry_out(order: Order, filed: &Filed, idp: &Arc<Idp>) -> Ended<Settled> {
    let authority = format!("{FORM} {}", order.paper);
    let lock = LockOrder::official(LockGround::HolderAsks, authority)
        .ok_or_else(|| Fault::broken("flow", "a form without a name"))?;
    let ids = Ids::mint(idp)?;
    let officer = filed.officer.account().clone();
    let wanted = order.clone();
    let done = filed
        .once("holder_lock", &order, idp, move |db, now| {
            store::account::hold(db, &wanted.account, Hold::Alone)?;
            let Some(account) = store::account::find(db, &wanted.account)? else {
                return Ok(Err(Refusal::NoAccount));
            };
            let by = json!({ "officer": officer, "form": FORM, "identity": "in_person" });
            let turn = Turn { act: act(wanted.wish), order: &lock, cause: by, at: now };
            turned(eid_lock::turn(db, account, &turn, &ids)?)
        })
        .await?;
    if done.first
        && let Ok(settled) = &done.result
    {
        tell(settled, order.wish, idp).await;
    }
    Ok(done.result)
}

/// Death alone stands in the way of an order (LCC Art 34(2)).
pub(super) fn turned(verdict: Verdict<eid_lock::Locked>) -> Result<Result<Settled, Refusal>, Fault> {
    Ok(match verdict {
        Verdict::Done(locked) => Ok(Settled::from(locked)),
        Verdict::Refused(_) => Err(Refusal::Death),
    })
}

/// The other nodes hear of it at once; the holder's own notice was kept with the act.
pub(super) async fn tell(settled: &Settled, wish: Wish, idp: &Arc<Idp>) {
    if wish == Wish::Lock {
        eid_lock::announce(&settled.account, idp).await;
    }
}
