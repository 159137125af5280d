//! Who calls: client authentication, as every endpoint a client calls shares it.

use std::net::IpAddr;
use std::sync::Arc;

use super::client_keys;
use crate::domain::certificate::ClientCertificate;
use crate::domain::relying_party::{AuthMethod, ClientStatus, Registered, SigningAlg};
use crate::domain::{Client, Fault, Id, Span};
use crate::factor::throttle;
use crate::idp::Idp;
use crate::keys::client::{self, VerifiedJwt};
use crate::protocol::Error;
use crate::protocol::params::Params;
use crate::protocol::profile;
use crate::protocol::token::client_auth::{self, Authenticated, Credentials, Verified, VerifiedAssertion};
use crate::store::{self, Db};

/// Under which assertions are spent.
pub(super) const ASSERTION: &str = "client_assertion";

/// A call by a program, apart from its parameters.
#[derive(Clone, Default)]
pub struct Call<'a> {
    pub authorization: Option<&'a str>,
    pub method: &'a str,
    /// The path of the endpoint, as published.
    pub path: &'a str,
    /// Every `DPoP` header.
    pub dpop: Vec<&'a str>,
    /// Where it comes from; used to slow down guessing only.
    pub address: Option<IpAddr>,
    /// The certificate of its connection.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// A caller that proved itself.
pub struct Proved {
    pub caller: Authenticated,
    /// The client as this process last read it, where the proof rests on that.
    presumed: Option<Registered>,
}

impl Proved {
    /// Whether the proof holds for the client as SQL has it now. Asked by the act's own transaction, before anything else.
    pub fn holds(&self, now: Option<&Registered>) -> bool {
        self.presumed.as_ref().is_none_or(|presumed| now.is_some_and(|now| now.is_still(presumed)))
    }
}

/// Authenticates the client. The `jti` of an assertion is spent later, in the transaction of the act itself.
pub async fn authenticate(
    params: &Params,
    call: &Call<'_>,
    idp: &Arc<Idp>,
) -> Result<Result<Authenticated, Error>, Fault> {
    Ok(prove(params, call, false, idp).await?.map(|proved| proved.caller))
}

/// The same for an `act` whose transaction asks `Proved::holds`, and does nothing and brings nothing where it does not: a
/// client this process knows is not read beforehand. A proof that fails by what is remembered is judged by what SQL says, so
/// that nobody is let in or turned away by memory alone.
pub async fn authenticated<T>(
    params: &Params,
    call: &Call<'_>,
    idp: &Arc<Idp>,
    act: impl AsyncFn(Proved) -> Result<Option<T>, Fault>,
) -> Result<Result<T, Error>, Fault> {
    let proved = match prove(params, call, true, idp).await? {
        Ok(proved) => proved,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(done) = act(proved).await? {
        return Ok(Ok(done));
    }
    // The client is not what it was when it was last read.
    let caller = match authenticate(params, call, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    let done = act(Proved { caller, presumed: None }).await?;
    done.map(Ok).ok_or_else(|| Fault::broken("flow", "a proof that rests on nothing failed"))
}

async fn prove(params: &Params, call: &Call<'_>, ahead: bool, idp: &Arc<Idp>) -> Result<Result<Proved, Error>, Fault> {
    let credentials = match client_auth::credentials(params, call.authorization) {
        Ok(credentials) => credentials.shown_with(call.certificate.clone()),
        Err(error) => return Ok(Err(error)),
    };
    let id = credentials.client_id().clone();
    let guesses = guesses(&id, call);
    if is_stopped(guesses.as_deref(), idp).await {
        return Err(Fault::overloaded("flow", "too many failed proofs of one client from one network"));
    }
    let mut judged = None;
    if let Some(known) = idp.store.last_read(&id).filter(|_| ahead) {
        match judge(&credentials, Some(&known), idp).await? {
            Ok(caller) => return Ok(Ok(Proved { caller, presumed: Some(known) })),
            Err(error) => judged = Some((known, error)),
        }
    }
    let registered = idp.store.read(move |db| store::client::find(db, &id)).await?;
    let proved = match judged {
        // It is what it was, and no signature is verified twice.
        Some((known, error)) if registered.as_ref().is_some_and(|now| now.is_still(&known)) => Err(error),
        _ => judge(&credentials, registered.as_ref(), idp).await?,
    };
    if proved.is_err() {
        count(guesses.as_deref(), idp).await;
    }
    Ok(proved.map(|caller| Proved { caller, presumed: None }))
}

async fn judge(
    credentials: &Credentials,
    registered: Option<&Registered>,
    idp: &Arc<Idp>,
) -> Result<Result<Authenticated, Error>, Fault> {
    let verified = verify_assertion(credentials, registered, idp).await?;
    let keys = certificate_keys(registered, idp).await?;
    let verified = verified.as_ref().map(|jwt| VerifiedAssertion { header: &jwt.header, claims: &jwt.claims });
    let proofs = Verified { assertion: verified.as_ref(), keys: &keys };
    Ok(client_auth::prove(credentials, registered, &proofs, &idp.config.issuer, idp.clock.now()))
}

/// Under which failures are counted.
fn guesses(client: &Id<Client>, call: &Call<'_>) -> Option<String> {
    call.address.map(|address| format!("guesses/{client}/{}", throttle::network(address)))
}

/// How long failures are counted together, and guessing is stopped.
const GUESSING: Span = Span::minutes(1);

/// `security.md` CA-14: after too many failures from one network nothing of this client is evaluated there for a while;
/// elsewhere it is. Secrets are long, so each process may count by itself, and nobody who proves himself waits for a count
/// kept somewhere else. A client that does not exist is counted as one that does.
async fn is_stopped(guesses: Option<&str>, idp: &Idp) -> bool {
    match guesses {
        Some(guesses) => idp.fallback.peek(guesses).await.is_ok_and(|stop| stop.is_some()),
        None => false,
    }
}

async fn count(guesses: Option<&str>, idp: &Idp) {
    let Some(guesses) = guesses else { return };
    let failures = idp.fallback.hit(guesses, GUESSING).await.unwrap_or(0);
    if failures >= idp.config.limits.client_failures_per_network
        && let Err(fault) = idp.fallback.put(guesses, "", GUESSING).await
    {
        tracing::warn!(%fault, "guesses.not_stopped");
    }
}

async fn verify_assertion(
    credentials: &Credentials,
    registered: Option<&Registered>,
    idp: &Arc<Idp>,
) -> Result<Option<VerifiedJwt>, Fault> {
    let (Some(jwt), Some(registered)) = (credentials.assertion(), registered) else { return Ok(None) };
    let client = &registered.client;
    // Nobody else's keys are asked for.
    if client.token_endpoint_auth_method != AuthMethod::PrivateKeyJwt || registered.status != ClientStatus::Live {
        return Ok(None);
    }
    let profiled = profile::signing_algs(client.profile).iter().copied();
    let only = client.application.token_endpoint_auth_signing_alg;
    let allowed: Vec<SigningAlg> = profiled.filter(|alg| only.is_none_or(|only| only == *alg)).collect();
    client_keys::verify(jwt, client, &allowed, idp).await
}

/// The keys a certificate may hold, for a client that is known by the key of its certificate.
async fn certificate_keys(registered: Option<&Registered>, idp: &Arc<Idp>) -> Result<Vec<String>, Fault> {
    let by_key = |registered: &&Registered| {
        registered.status == ClientStatus::Live
            && registered.client.token_endpoint_auth_method == AuthMethod::SelfSignedTlsClientAuth
    };
    let Some(registered) = registered.filter(by_key) else { return Ok(Vec::new()) };
    let jwks = client_keys::client_keys(&registered.client, None, idp).await?;
    Ok(jwks.map(|jwks| client::thumbprints(&jwks)).unwrap_or_default())
}

/// RFC 7523 §3 and RFC 6749 §2.3: an assertion authenticates once.
pub fn spend_jti(db: &mut Db, caller: &Authenticated) -> Result<bool, Fault> {
    match caller.jti() {
        Some((jti, until)) => store::used::once(db, ASSERTION, jti, until),
        None => Ok(true),
    }
}

pub fn replayed_assertion() -> Error {
    Error::invalid_client("RFC 7523 §3", "client authentication failed").explained("jti was used before")
}
