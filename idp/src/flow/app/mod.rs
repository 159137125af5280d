//! The holder's VNeID app: how it is bound to one device, and how it approves a sign-in that goes on in another browser.
//! What the app says is signed by the key of its device and counts once.

pub mod device;
pub mod fresh;
pub mod qr;
pub mod ticket;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::account::Account;
use crate::domain::app::{Device, Refused};
use crate::domain::standing::{Refusal, Standing};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::flow::facts;
use crate::idp::Idp;
use crate::keys;
use crate::protocol::app::{ALGS, Act, Statement, judge};
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the app is told, unless something of ours failed.
pub type Told<T> = Result<Result<T, Refused>, Fault>;

/// A message to hand over once the transaction stands.
pub struct Sms {
    pub to: String,
    pub text: String,
}

/// Hands it over. What was done stands all the same.
pub async fn deliver(sms: Option<Sms>, idp: &Idp) {
    if let Some(sms) = sms
        && let Err(fault) = idp.notice.send(&sms.to, &sms.text, idp.clock.now()).await
    {
        tracing::error!(%fault, "app.notice_not_sent");
    }
}

/// Who speaks, by a signature checked before any transaction begins. Its identifier is not spent yet.
struct Spoken {
    device: Id<Device>,
    statement: Statement,
}

/// The statement of a bound device. A forged one is nobody's: it is logged and counted, and changes nothing.
async fn spoken(jws: &str, act: Act, idp: &Arc<Idp>) -> Told<Spoken> {
    let refused = |reason: &str| {
        tracing::info!(act = act.name(), reason, "app.statement_refused");
        Ok(Err(Refused::Statement))
    };
    let id: Id<Device> = match keys::client::kid(jws, &ALGS) {
        Ok(Some(kid)) if kid.len() <= 64 => Id::new(kid),
        _ => return refused("kid"),
    };
    let named = id.clone();
    let Some(device) = idp.store.read(move |db| store::app::find_device(db, &named)).await? else {
        return refused("device");
    };
    let set = format!(r#"{{"keys":[{}]}}"#, device.key);
    let verified = match keys::client::verify(jws, &set, &ALGS) {
        Ok(verified) => verified,
        Err(reason) => return refused(&reason),
    };
    match judge(&verified.header, verified.claims, (&idp.config.issuer, act), idp.clock.now()) {
        Ok(statement) => Ok(Ok(Spoken { device: id, statement })),
        Err(reason) => refused(reason),
    }
}

/// The speaker as it stands now, in the transaction that acts on what it said.
struct Speaker {
    device: Device,
    account: Account,
    standing: Result<Standing, Refusal>,
}

/// Spends the statement and reads its speaker again: the device may have been removed, the account locked meanwhile.
fn speaker(db: &mut Db, spoken: &Spoken, idp: &Idp) -> Told<Speaker> {
    let now = idp.clock.now();
    let Some(device) = store::app::find_device(db, &spoken.device)? else { return Ok(Err(Refused::Statement)) };
    store::account::hold(db, &device.account, Hold::Shared)?;
    let again = store::app::find_device(db, &spoken.device)?;
    let account = store::account::find(db, &device.account)?;
    let (Some(device), Some(account)) = (again, account) else { return Ok(Err(Refused::Statement)) };
    let value = format!("{} {}", device.id, spoken.statement.jti);
    if !store::used::once(db, "app_statement", &value, spoken.statement.expires_at)? {
        return Ok(Err(Refused::Statement));
    }
    let standing = facts::standing(Some(&account), None, now);
    Ok(Ok(Speaker { device, account, standing }))
}

/// Remembers why a known holder's app was refused.
fn refuse(db: &mut Db, account: &Id<Account>, act: Act, why: Refused, idp: &Idp) -> Result<Refused, Fault> {
    note(db, account, Kind::AppRefused, json!({"act": act.name(), "reason": why.name()}), idp)?;
    Ok(why)
}

fn note(db: &mut Db, account: &Id<Account>, kind: Kind, detail: Value, idp: &Idp) -> Result<(), Fault> {
    store::trail::append(db, &Event::new(kind, idp.clock.now()).of(account).with(detail), &idp.id()?)
}

/// Whether somebody asks too often. The count decides nothing else, so the short memory may hold it.
pub async fn is_too_fast(what: &str, who: &str, idp: &Idp) -> bool {
    let key = format!("app/{what}/{}", idp.vault.blind_index("app_pace", who).as_str());
    let window = crate::domain::Span::seconds(10);
    let hits = match idp.ephemeral.hit(&key, window).await {
        Ok(hits) => hits,
        Err(fault) => {
            tracing::warn!(%fault, "app.pace_fallback");
            idp.fallback.hit(&key, window).await.unwrap_or(u64::MAX)
        }
    };
    hits > idp.config.limits.app_calls_per_10_seconds
}

#[cfg(test)]
mod tests;
