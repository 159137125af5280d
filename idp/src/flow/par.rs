//! Pushed authorization requests (RFC 9126): the client pushes, its browser brings the reference, and the request is answered
//! once.
//!
//! Everything an authorization request is checked for is checked when it is pushed. Whether the client still lives and its
//! address is still registered is asked again when the browser comes.

use std::sync::Arc;

use serde_json::json;

use super::authorize::address_policy;
use super::binding::Shown;
use super::caller::{Call, Proved, authenticated};
use super::request_object::{self, Asked};
use super::{Outcome, binding, hints, quota, resource, transaction};
use crate::domain::relying_party::Client;
use crate::domain::request::{AuthorizationRequest, PushedRequest};
use crate::domain::secret::{Minted, PushedReference, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Span};
use crate::idp::Idp;
use crate::protocol::authorize::{ReturnAddress, address, checks, jar, par};
use crate::protocol::params::Params;
use crate::protocol::token::client_auth::Authenticated;
use crate::protocol::{Error, ErrorCode};
use crate::store::{self, Db};

/// What a client that pushed is told.
#[derive(Debug)]
pub enum Pushed {
    Accepted {
        request_uri: String,
        expires_in: Span,
    },
    Refused(Error),
    /// It pushed more than it may; to be tried again after this long.
    TooMany(Span),
}

/// Takes one request in.
pub async fn push(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Pushed, Fault> {
    let pushed = authenticated(params, call, idp, async |proved| take_in(params, call, proved, idp).await).await?;
    Ok(pushed.unwrap_or_else(Pushed::Refused))
}

/// Nothing where the proof does not hold any more; nothing happened then.
async fn take_in(params: &Params, call: &Call<'_>, proved: Proved, idp: &Arc<Idp>) -> Result<Option<Pushed>, Fault> {
    let client = proved.caller.client();
    // Before anything costly, and before anything is recorded.
    if is_over_quota(client, idp).await {
        return Ok(Some(Pushed::TooMany(idp.config.lifetimes.request_uri)));
    }
    let drafted = draft(params, client, idp).await?;
    let (this, shown) = (Arc::clone(idp), binding::shown(call, idp));
    idp.store
        .transact_adding(move |db| {
            let registered = store::client::find(db, &proved.caller.client().id)?;
            if !proved.holds(registered.as_ref()) {
                return Ok(None);
            }
            record(db, &proved.caller, &shown, &drafted, &this).map(Some)
        })
        .await
}

/// Spends what counts once, and keeps the request or its refusal.
fn record(
    db: &mut Db,
    caller: &Authenticated,
    shown: &Result<Shown, Error>,
    drafted: &Result<(Asked, AuthorizationRequest), Error>,
    idp: &Idp,
) -> Result<Pushed, Fault> {
    let held = match binding::spent(db, caller, shown)? {
        Ok(held) => held,
        Err(error) => return refused(db, caller, error, idp),
    };
    let (asked, request) = match drafted {
        Ok(drafted) => drafted,
        Err(error) => return refused(db, caller, error.clone(), idp),
    };
    if !request_object::spend(db, asked)? {
        return refused(db, caller, jar::replayed(), idp);
    }
    match par::bound(request.clone(), held.jkt) {
        Ok(request) => keep(db, request, idp),
        Err(error) => refused(db, caller, error, idp),
    }
}

/// The request as all the rules leave it, or the first one it breaks.
async fn draft(
    params: &Params,
    client: &Arc<Client>,
    idp: &Arc<Idp>,
) -> Result<Result<(Asked, AuthorizationRequest), Error>, Fault> {
    let asked = match request_object::read(params, client, true, idp).await? {
        Ok(asked) => asked,
        Err(flawed) => return Ok(Err(flawed.error)),
    };
    if let Err(error) = address(&asked.params, client, &address_policy(idp)) {
        return Ok(Err(error));
    }
    let hints = hints::resolve(&asked.params, client, true, asked.way, idp).await?;
    let request = match checks::validate(&asked.params, client, &hints) {
        Ok(request) => request,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = resource::admit(&request.resources, client, idp).await? {
        return Ok(Err(error));
    }
    Ok(transaction::admit(&request, idp).await?.map(|()| (asked, request)))
}

fn keep(db: &mut Db, request: AuthorizationRequest, idp: &Idp) -> Result<Pushed, Fault> {
    let reference: Minted<PushedReference> = idp.mint()?;
    let expires_in = idp.config.lifetimes.request_uri;
    let expires_at = request.asked_at + expires_in;
    let request = transaction::kept(request, idp)?;
    let pushed = PushedRequest { reference: reference.stored(), request, expires_at, spent_at: None };
    store::pushed::put(db, &pushed, expires_at + idp.config.lifetimes.interaction)?;
    Ok(Pushed::Accepted { request_uri: par::request_uri(reference.reveal()), expires_in })
}

fn refused(db: &mut Db, caller: &Authenticated, error: Error, idp: &Idp) -> Result<Pushed, Fault> {
    let event = Event::new(Kind::AuthorizationRefused, idp.clock.now())
        .by(&caller.client().id)
        .with(json!({"error": error.code.as_str(), "told": error.told, "pushed": true}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Pushed::Refused(error))
}

/// What a client that pushes too much is told (RFC 9126 §2.3).
pub fn too_many() -> Error {
    Error::new(ErrorCode::TemporarilyUnavailable, "RFC 9126 §2.3", "requests of this client are too many")
}

/// RFC 9126 §2.3.
async fn is_over_quota(client: &Client, idp: &Idp) -> bool {
    let hits = quota::hits("par", &client.id, idp.config.lifetimes.request_uri, idp).await;
    hits > idp.config.limits.pushed_requests_per_client
}

/// The browser brought a reference: what was pushed under it. Until it is known to be this client's, nothing is sent anywhere.
pub async fn take_up(
    reference: &str,
    client: &Client,
    idp: &Idp,
) -> Result<Result<AuthorizationRequest, Outcome>, Fault> {
    let hash = Stored::<PushedReference>::of(reference);
    let found = idp.store.read(move |db| store::pushed::find(db, &hash)).await?;
    let taken = par::taken_up(found, client, idp.clock.now()).and_then(|request| {
        ReturnAddress::of(&request, client, &address_policy(idp))?;
        Ok(request)
    });
    Ok(taken.map_err(Outcome::Shown))
}

/// RFC 9126 §7.3: a pushed request is answered once, by a code or an error. False for whoever comes too late.
pub fn spend(db: &mut Db, request: &AuthorizationRequest, idp: &Idp) -> Result<bool, Fault> {
    let Some(hash) = &request.pushed else { return Ok(true) };
    store::pushed::spend(db, &Stored::from_store(hash.clone()), idp.clock.now())
}

#[cfg(test)]
#[path = "par_tests.rs"]
mod tests;
