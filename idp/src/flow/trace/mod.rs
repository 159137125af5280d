//! The live trace: requests of a client that were refused, for its own team and for operators. A refusal is noted in
//! memory and written by a task of its own within a second, many in one transaction, so that it answers as fast as ever
//! and the same whether it can be written or not. What waits when a server dies is lost: this is an aid for developers,
//! and what must be remembered stands in the trail, in the transaction of its effect.

mod queue;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::bearer;
use super::caller::{Call, authenticate, replayed_assertion, spend_jti};
use super::operator::Verdict;
use crate::domain::refused_request::{Endpoint, LONG, Parameter, RefusedRequest, SHORT, room};
use crate::domain::standing::{Asking, Subject, may_act};
use crate::domain::{Client, Fault, Id, Moment};
use crate::idp::Idp;
use crate::protocol::params::Params;
use crate::protocol::trace::{PAGE, Wanted, body, wanted};
use crate::protocol::{Error, introspect, redact};
use crate::store::refused::Looking;
use crate::store::{self, Db};
pub use queue::Queue;
use queue::{Kept, Kind, Room};

/// How long a refusal waits to be written.
const PACE: Duration = Duration::from_secs(1);
/// No client has a longer name (`contract.md` 8).
const LONGEST_CLIENT_ID: usize = 64;

/// Whose request was refused, where, and under which reference.
pub struct Origin {
    /// As the request says; whoever turns out to be nobody is not recorded.
    pub client: Id<Client>,
    pub endpoint: Endpoint,
    pub reference: String,
}

/// Notes a refusal. `parameters` is called only if there is room for another.
pub fn note(origin: Origin, error: &Error, parameters: impl FnOnce() -> Vec<Parameter>, idp: &Idp) {
    let Origin { client, endpoint, reference } = origin;
    if client.as_str().is_empty() || client.as_str().len() > LONGEST_CLIENT_ID {
        return;
    }
    let kind: Kind = (client, endpoint, error.code.as_str());
    match idp.refusals.room(&kind) {
        Room::Row => {}
        Room::OnlyCounted => return idp.metrics.refusals_traced("counted", 1),
        Room::None => return idp.metrics.refusals_traced("dropped", 1),
    }
    let Ok(id) = idp.id() else { return };
    let refused = RefusedRequest {
        id,
        client: kind.0.clone(),
        reference,
        at: idp.clock.now(),
        endpoint,
        error: kind.2.to_owned(),
        told: redact::told(&error.told),
        reason: error.reason.map(str::to_owned),
        clause: error.clause.to_owned(),
        parameters: parameters(),
        repeated: 0,
    };
    idp.refusals.put(kind, refused);
}

/// Runs until aborted.
pub async fn write(idp: Arc<Idp>) {
    let mut interval = tokio::time::interval(PACE);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        flush(&idp).await;
    }
}

/// Writes what waits. What cannot be written is given up: the next second has refusals of its own.
pub async fn flush(idp: &Arc<Idp>) {
    let waiting = idp.refusals.take();
    if waiting.is_empty() {
        return;
    }
    let all = rows(waiting.values());
    if let Err(fault) = keep(waiting, idp).await {
        tracing::warn!(%fault, "trace.not_written");
        idp.metrics.refusals_traced("dropped", all);
    }
}

fn rows<'a>(kept: impl Iterator<Item = &'a Kept>) -> u64 {
    kept.map(|kept| u64::try_from(kept.rows.len()).unwrap_or(u64::MAX)).sum()
}

async fn keep(waiting: HashMap<Kind, Kept>, idp: &Arc<Idp>) -> Result<(), Fault> {
    let mut names: Vec<String> = waiting.keys().map(|(client, ..)| client.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    // Names that are nobody's never reach the writer.
    let known = idp.store.read(move |db| store::refused::known(db, &names)).await?;
    idp.refusals.know(&known);
    let (ours, strangers): (HashMap<Kind, Kept>, HashMap<Kind, Kept>) =
        waiting.into_iter().partition(|((client, ..), _)| known.contains(client));
    idp.metrics.refusals_traced("unknown_client", rows(strangers.values()));
    if ours.is_empty() {
        return Ok(());
    }
    let (all, now) = (rows(ours.values()), idp.clock.now());
    // In order, so that two servers that write at once never wait for each other in a circle.
    let ours: BTreeMap<Kind, Kept> = ours.into_iter().collect();
    let kept = idp
        .store
        .transact(move |db| ours.into_iter().try_fold(0, |sum, (kind, kept)| Ok(sum + put(db, &kind, kept, now)?)))
        .await?;
    idp.metrics.refusals_traced("kept", kept);
    idp.metrics.refusals_traced("counted", all.saturating_sub(kept));
    Ok(())
}

/// Keeps as many of a kind as its budget allows and counts the rest.
fn put(db: &mut Db, (client, endpoint, error): &Kind, kept: Kept, now: Moment) -> Result<u64, Fault> {
    let of_kind = store::refused::kept_of_kind(db, client, (*endpoint, error), now - SHORT)?;
    let of_client = store::refused::kept(db, client, now - LONG)?;
    let whole = |count: i64| usize::try_from(count).unwrap_or_default();
    let room = room(whole(of_kind), whole(of_client));
    for refused in kept.rows.iter().take(room) {
        store::refused::put(db, refused)?;
    }
    let over = kept.rows.len().saturating_sub(room);
    let more = i64::try_from(over).unwrap_or(i64::MAX).saturating_add(kept.counted);
    if more > 0 {
        store::refused::count(db, client, (*endpoint, error), more)?;
    }
    Ok(u64::try_from(kept.rows.len().min(room)).unwrap_or_default())
}

/// The client an access token was issued to, whatever has become of the token.
pub async fn client_of(token: &str, idp: &Idp) -> Option<Id<Client>> {
    let hash = bearer::record(token, idp);
    let found = idp.store.read(move |db| store::token::find_access(db, &hash)).await;
    found.ok().flatten().map(|(_, grant)| grant.client)
}

/// What a client is told of its own refusals. Whoever asks for another's hears what it hears of one nobody has.
pub async fn answer(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Result<Value, Error>, Fault> {
    let caller = match authenticate(params, call, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    // Naming oneself is no proof: what a public client asked wrongly its operator can look up.
    let admitted = introspect::admit(&caller).and_then(|()| wanted(params));
    let wanted = match admitted {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Err(error)),
    };
    if caller.jti().is_some() {
        let proved = caller.clone();
        if !idp.store.transact(move |db| spend_jti(db, &proved)).await? {
            return Ok(Err(replayed_assertion()));
        }
    }
    let (id, now) = (caller.client().id.clone(), idp.clock.now());
    let looking = looking(wanted);
    let found = idp
        .store
        .read(move |db| {
            let status = store::client::find(db, &id)?.map(|registered| registered.status);
            let asking =
                Asking { client: status, subject: Subject::ClientItself, actor: None, grant: None, session: None };
            match may_act(asking, now) {
                Ok(_) => store::refused::of_client(db, &id, &looking).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
        .await?;
    Ok(match found {
        Ok(found) => Ok(body(&found)),
        Err(refusal) => {
            Err(Error::invalid_client("RFC 6749 §5.2", "client authentication failed").because(refusal.name()))
        }
    })
}

/// What an operator is shown of the refusals of a client: one page, and one more where there is another.
pub async fn list(client: &Id<Client>, wanted: Wanted, idp: &Idp) -> Result<Verdict<Vec<RefusedRequest>>, Fault> {
    let (id, looking) = (client.clone(), looking(wanted));
    let found = idp
        .store
        .read(move |db| match store::client::find(db, &id)? {
            Some(_) => store::refused::of_client(db, &id, &looking).map(Some),
            None => Ok(None),
        })
        .await?;
    Ok(found.map_or_else(|| Verdict::refused("no client has this client_id"), Verdict::Done))
}

fn looking(wanted: Wanted) -> Looking {
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    Looking { reference: wanted.reference, before: wanted.before, limit }
}

#[cfg(test)]
mod tests;
