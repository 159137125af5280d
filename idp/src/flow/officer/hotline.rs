//! The hotline's call, taken at the desk (ND69 Art 14(1)): an account whose holder did not activate it in time is activated
//! by an officer who says what was checked of whoever called.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Ended, Filed, Refusal};
use crate::domain::account::Account;
use crate::domain::hotline::Call;
use crate::domain::{Id, Moment};
use crate::flow::activate::hotline::{self, Unfit};
use crate::idp::Idp;
use crate::store;
use crate::store::account::Hold;

pub use crate::flow::activate::hotline::Waiting;

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    pub account: Id<Account>,
    /// Until when the holder can choose a password.
    pub choose_by: Moment,
}

pub async fn activate(id: Id<Account>, call: Call, filed: &Filed, idp: &Arc<Idp>) -> Ended<Activated> {
    let content = json!({ "account": id, "case": call.case().as_str(), "checked": call.checked() });
    let (this, officer) = (Arc::clone(idp), filed.officer.account().clone());
    let done = filed
        .once("hotline_activate", &content, idp, move |db, _| {
            store::account::hold(db, &id, Hold::Alone)?;
            let Some(account) = store::account::find(db, &id)? else { return Ok(Err(Refusal::NoAccount)) };
            let behind = json!({ "officer": officer, "checked": call.checked() });
            Ok(match hotline::activate(db, &account, (call.case(), behind), &this)? {
                Ok(choose_by) => Ok(Activated { account: id, choose_by }),
                Err(Unfit::NotWaiting) => Err(Refusal::NotWaiting),
                Err(Unfit::Dead) => Err(Refusal::Death),
            })
        })
        .await?;
    if done.first
        && let Ok(activated) = &done.result
    {
        hotline::tell(&activated.account, idp).await?;
    }
    Ok(done.result)
}
