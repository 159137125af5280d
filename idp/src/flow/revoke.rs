//! Revocation (RFC 7009): a client gives up its own token. A refresh token takes its whole family along; an access
//! token dies alone.

use std::sync::Arc;

use serde_json::{Map, json};

use super::token::{Verdict, authenticate, replayed_assertion, spend_jti};
use crate::domain::Fault;
use crate::domain::grant::Grant;
use crate::domain::relying_party::Client;
use crate::domain::secret::{AccessToken, RefreshToken, Stored};
use crate::domain::trail::{Event, Kind};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::params::Params;
use crate::store::{self, Db};

/// Answers one revocation request. An unknown or foreign token is answered like a revoked one (RFC 7009 §2.2).
pub async fn answer(params: &Params, authorization: Option<&str>, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let caller = match authenticate(params, authorization, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    let token = match params.one("token") {
        Ok(Some(token)) => token.to_owned(),
        Ok(None) => return Ok(Err(Error::invalid_request("RFC 7009 §2.1", "token is missing"))),
        Err(error) => return Ok(Err(error)),
    };
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            if !spend_jti(db, &caller)? {
                return Ok(Err(replayed_assertion()));
            }
            revoke(db, caller.client(), &token, &this)?;
            Ok(Ok(Map::new()))
        })
        .await
}

fn revoke(db: &mut Db, caller: &Client, token: &str, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    if let Some((issued, grant)) = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))? {
        if grant.client == caller.id && issued.spent_at.is_none() && store::grant::revoke(db, &grant.id, now, "revoked")? {
            remember(db, &grant, "refresh_token", idp)?;
        }
        return Ok(());
    }
    let hash: Stored<AccessToken> = Stored::of(token);
    if let Some((_, grant)) = store::token::find_access(db, &hash)?
        && grant.client == caller.id
        && store::token::revoke_access(db, &hash, now)?
    {
        remember(db, &grant, "access_token", idp)?;
    }
    Ok(())
}

fn remember(db: &mut Db, grant: &Grant, class: &str, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    let mut event =
        Event::new(Kind::TokenRevoked, now).by(&grant.client).with(json!({"grant": grant.id, "class": class}));
    if let Some(holder) = grant.holder() {
        event = event.of(&holder.account).within(&holder.session);
    }
    store::trail::append(db, &event, &idp.random.id(now)?)
}
