//! Request objects: fetched where that is allowed, verified with the client's keys, judged, and turned into the request they
//! make together with the parameters beside them.

use std::sync::Arc;

use super::authorize::address_policy;
use super::refuse::returned;
use super::session_state::stated;
use super::{Browser, Outcome, client_keys, hints, resource, transaction};
use crate::domain::Fault;
use crate::domain::relying_party::Client;
use crate::domain::request::AuthorizationRequest;
use crate::idp::Idp;
use crate::protocol::authorize::jar::{self, Carrier, ObjectId, VerifiedObject};
use crate::protocol::authorize::{Way, address, checks};
use crate::protocol::params::Params;
use crate::protocol::{Error, ErrorCode};
use crate::store::{self, Db};

/// The effective request: the parameters that count, and how they came.
#[derive(Debug)]
pub struct Asked {
    pub params: Params,
    pub way: Way,
    jti: Option<ObjectId>,
}

/// Why there is none, with the parameters that may say where to answer.
#[derive(Debug)]
pub struct Flawed {
    pub error: Error,
    pub params: Params,
}

/// Reads what a client asks, wherever its parameters stand. `pushed`: by the authenticated client itself.
pub async fn read(
    params: &Params,
    client: &Client,
    pushed: bool,
    idp: &Arc<Idp>,
) -> Result<Result<Asked, Flawed>, Fault> {
    let flawed = |error| Ok(Err(Flawed { error, params: params.clone() }));
    let object = match jar::carrier(params, client, pushed) {
        Ok(Carrier::Plain) => {
            return Ok(Ok(Asked { params: params.clone(), way: Way { pushed, signed: false }, jti: None }));
        }
        Ok(Carrier::Value(object)) => object.to_owned(),
        Ok(Carrier::Reference(uri)) => match fetched(uri, idp).await {
            Ok(object) => object,
            Err(error) => return flawed(error),
        },
        Err(error) => return flawed(error),
    };
    let Some(verified) = client_keys::verify(&object, client, &jar::algs(client), idp).await? else {
        return flawed(jar::invalid("RFC 9101 §6.2", "is not signed by a registered key with a registered algorithm"));
    };
    let signed = VerifiedObject { header: &verified.header, claims: &verified.claims };
    let effective = jar::effective(params, signed.claims, client.profile);
    match jar::judge(&signed, client, params.first("client_id"), &idp.config.issuer, idp.clock.now()) {
        Ok(jti) => Ok(Ok(Asked { params: effective, way: Way { pushed, signed: true }, jti })),
        // The client did say this, if not in order: where it asks to be answered is known.
        Err(error) => Ok(Err(Flawed { error, params: effective })),
    }
}

/// The request a browser brought, in order, or how it ends at once: with a page, or at the client's own address.
pub async fn understood(
    params: &Params,
    client: &Arc<Client>,
    (browser, posted): (&Browser, bool),
    idp: &Arc<Idp>,
) -> Result<Result<AuthorizationRequest, Outcome>, Fault> {
    let policy = address_policy(idp);
    let asked = match read(params, client, false, idp).await? {
        Ok(asked) => asked,
        Err(Flawed { error, params }) => {
            return Ok(Err(match address(&params, client, &policy) {
                Ok(address) => returned(&stated(address, client, browser, idp)?, client, error),
                Err(_) => Outcome::Shown(error),
            }));
        }
    };
    let address = match address(&asked.params, client, &policy) {
        Ok(address) => stated(address, client, browser, idp)?,
        Err(error) => return Ok(Err(Outcome::Shown(error))),
    };
    let hints = hints::resolve(&asked.params, client, posted, asked.way, idp).await?;
    let request = match checks::validate(&asked.params, client, &hints) {
        Ok(request) => request,
        Err(error) => return Ok(Err(returned(&address, client, error))),
    };
    if let Err(error) = resource::admit(&request.resources, client, idp).await? {
        return Ok(Err(returned(&address, client, error)));
    }
    if let Err(error) = transaction::admit(&request, idp).await? {
        return Ok(Err(returned(&address, client, error)));
    }
    if asked.jti.is_some() && !idp.store.transact(move |db| spend(db, &asked)).await? {
        return Ok(Err(returned(&address, client, jar::replayed())));
    }
    Ok(Ok(request))
}

/// OIDC Core §6.2: what stands at the registered address now.
async fn fetched(uri: &str, idp: &Idp) -> Result<String, Error> {
    let unusable = || {
        let told = "request_uri could not be fetched";
        Error::new(ErrorCode::InvalidRequestUri, "RFC 9101 §5.2.3", told)
    };
    let fetched = idp.fetch.get(uri).await.map_err(|fault| unusable().because(fault))?;
    let text = String::from_utf8(fetched.body).map_err(|_| unusable().because("not text"))?;
    Ok(text.trim().to_owned())
}

/// `security.md` PJ-13: false when this object made a request before.
pub fn spend(db: &mut Db, asked: &Asked) -> Result<bool, Fault> {
    match &asked.jti {
        Some((jti, until)) => store::used::once(db, "request_object", jti, *until),
        None => Ok(true),
    }
}
