//! Revocation (RFC 7009): a client gives up its own token. A refresh token takes its whole family along; an access
//! token dies alone.

use std::sync::Arc;

use serde_json::json;

use super::bearer;
use super::caller::{Call, authenticate, replayed_assertion, spend_jti};
use crate::domain::Fault;
use crate::domain::grant::Grant;
use crate::domain::secret::{RefreshToken, Stored};
use crate::domain::trail::{Event, Kind};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::introspect;
use crate::protocol::params::Params;
use crate::protocol::revoke::{self, Falls};
use crate::protocol::token::Authenticated;
use crate::store::{self, Db};

/// Answers one revocation request. An unknown or foreign token is answered like a revoked one (RFC 7009 §2.2).
pub async fn answer(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Result<(), Error>, Fault> {
    let caller = match authenticate(params, call, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    let token = match revoke::token(params) {
        Ok(token) => token.to_owned(),
        Err(error) => return Ok(Err(error)),
    };
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            if !spend_jti(db, &caller)? {
                return Ok(Err(replayed_assertion()));
            }
            if let Some(error) = end(db, &caller, &token, &this)? {
                return Ok(Err(error));
            }
            Ok(Ok(()))
        })
        .await
}

/// `Some`: the token is another client's, and nothing changed.
fn end(db: &mut Db, caller: &Authenticated, token: &str, idp: &Idp) -> Result<Option<Error>, Fault> {
    let now = idp.clock.now();
    let refresh = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))?;
    let hash = bearer::record(token, idp);
    let (grant, kind) = match refresh {
        Some((_, grant)) => (grant, introspect::Kind::Refresh),
        None => match store::token::find_access(db, &hash)? {
            Some((_, grant)) => (grant, introspect::Kind::Access),
            None => return Ok(None),
        },
    };
    let (ended, class) = match revoke::decide(caller, &grant, kind) {
        Ok(Falls::Grant) => (store::grant::revoke(db, &grant.id, now, "revoked")?, "refresh_token"),
        Ok(Falls::Token) => (store::token::revoke_access(db, &hash, now)?, "access_token"),
        Err(error) => return Ok(Some(error)),
    };
    if ended {
        remember(db, &grant, class, idp)?;
    }
    Ok(None)
}

fn remember(db: &mut Db, grant: &Grant, class: &str, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    let mut event =
        Event::new(Kind::TokenRevoked, now).by(&grant.client).with(json!({"grant": grant.id, "class": class}));
    if let Some(holder) = grant.holder() {
        event = event.of(&holder.account).within(&holder.session);
    }
    store::trail::append(db, &event, &idp.id()?)
}
