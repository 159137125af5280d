//! What the token endpoint refuses, and how each refusal is remembered.

use serde_json::json;

use super::Decision;
use crate::domain::Fault;
use crate::domain::grant::Grant;
use crate::domain::standing::Refusal;
use crate::domain::trail::{Event, Kind};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::token::client_auth::Authenticated;
use crate::store::{self, Db};

/// A refusal of an authenticated client, recorded once; it changes nothing else.
pub(super) fn refused(db: &mut Db, caller: &Authenticated, grant: Option<&Grant>, error: Error, idp: &Idp) -> Decision {
    remember_refusal(db, Kind::TokenRefused, (caller, grant), &error, idp)?;
    Ok(Err(error))
}

/// A replay that kills the family. It is a value, so that the revocation commits with it (`architecture.md` V13).
pub(super) fn replayed(db: &mut Db, caller: &Authenticated, grant: &Grant, error: Error, idp: &Idp) -> Decision {
    store::grant::revoke(db, &grant.id, idp.clock.now(), "replayed")?;
    remember_refusal(db, Kind::TokenReplayed, (caller, Some(grant)), &error, idp)?;
    Ok(Err(error))
}

pub(super) fn remember_refusal(
    db: &mut Db,
    kind: Kind,
    (caller, grant): (&Authenticated, Option<&Grant>),
    error: &Error,
    idp: &Idp,
) -> Result<(), Fault> {
    let now = idp.clock.now();
    let mut event = Event::new(kind, now).by(&caller.client().id).with(json!({
        "error": error.code.as_str(), "clause": error.clause, "told": error.told, "grant": grant.map(|grant| &grant.id)
    }));
    if let Some(holder) = grant.and_then(Grant::holder) {
        event = event.of(&holder.account).within(&holder.session);
    }
    store::trail::append(db, &event, &idp.id()?)
}

pub(super) fn unknown_code() -> Error {
    Error::invalid_grant("RFC 6749 §5.2", "the code is not valid")
}

pub(super) fn unknown_refresh() -> Error {
    Error::invalid_grant("RFC 6749 §5.2", "the refresh token is not valid")
}

pub(super) fn no_longer(refusal: Refusal) -> Error {
    if refusal == Refusal::ClientNotLive {
        return Error::invalid_client("RFC 6749 §5.2", "client authentication failed").because(refusal.name());
    }
    Error::invalid_grant("RFC 6749 §5.2", "grant is no longer valid").because(refusal.name())
}
