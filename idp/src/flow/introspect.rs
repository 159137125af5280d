//! Introspection: the state of a token, told to the client it was issued to; everybody else hears `inactive`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::token::{Verdict, authenticate, holder_stands, replayed_assertion, spend_jti};
use crate::domain::Fault;
use crate::domain::grant::Grant;
use crate::domain::relying_party::Client;
use crate::domain::secret::{AccessToken, RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::idp::Idp;
use crate::protocol::introspect;
use crate::protocol::params::Params;
use crate::protocol::Error;
use crate::store::{self, Db};

/// Answers one introspection request.
pub async fn answer(params: &Params, authorization: Option<&str>, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let caller = match authenticate(params, authorization, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    if caller.client().is_public() {
        // RFC 7662 §2.1: the endpoint must not be a token oracle for anybody who knows a client_id.
        return Ok(Err(Error::invalid_client("RFC 7662 §2.1", "client authentication failed")));
    }
    let token = match params.one("token") {
        Ok(Some(token)) => token.to_owned(),
        Ok(None) => return Ok(Err(Error::invalid_request("RFC 7662 §2.1", "token is missing"))),
        Err(error) => return Ok(Err(error)),
    };
    if caller.jti().is_some() {
        let proved = caller.clone();
        if !idp.store.transact(move |db| spend_jti(db, &proved)).await? {
            return Ok(Err(replayed_assertion()));
        }
    }
    let this = Arc::clone(idp);
    idp.store.read(move |db| state(db, caller.client(), &token, &this)).await.map(Ok)
}

fn state(db: &mut Db, caller: &Client, token: &str, idp: &Idp) -> Result<Map<String, Value>, Fault> {
    let now = idp.clock.now();
    // RFC 7662 §2.1: a hint may be wrong; both classes are looked up whatever it says.
    if let Some((issued, grant)) = store::token::find_access(db, &Stored::<AccessToken>::of(token))? {
        if issued.revoked_at.is_some() || now >= issued.expires_at || grant.client != caller.id {
            return Ok(introspect::inactive());
        }
        return Ok(match stands(db, &grant, idp)? {
            Ok(standing) => introspect::access(&issued, &grant, standing, idp.config.issuer.as_str()),
            Err(_) => introspect::inactive(),
        });
    }
    if let Some((issued, grant)) = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))? {
        if issued.spent_at.is_some() || now >= issued.expires_at || grant.client != caller.id {
            return Ok(introspect::inactive());
        }
        return Ok(match stands(db, &grant, idp)? {
            Ok(standing) => introspect::refresh(&issued, &grant, standing, idp.config.issuer.as_str()),
            Err(_) => introspect::inactive(),
        });
    }
    Ok(introspect::inactive())
}

fn stands(db: &mut Db, grant: &Grant, idp: &Idp) -> Result<Result<Standing, Refusal>, Fault> {
    // The caller was found live a moment ago; the grant's holder and session are read here.
    match grant.holder() {
        Some(holder) => holder_stands(db, None, grant, holder, idp),
        None => {
            let subject = Subject::ClientItself;
            Ok(may_act(Asking { client: None, subject, grant: Some(grant), session: None }, idp.clock.now()))
        }
    }
}
