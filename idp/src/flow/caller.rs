//! Who calls: client authentication, as every endpoint a client calls shares it.

use std::sync::Arc;

use crate::domain::Fault;
use crate::domain::certificate::ClientCertificate;
use crate::domain::relying_party::{AuthMethod, Registered, SigningAlg};
use crate::idp::Idp;
use crate::keys;
use crate::protocol::Error;
use crate::protocol::params::Params;
use crate::protocol::token::client_auth::{self, Audience, Authenticated, Credentials, Verified, VerifiedAssertion};
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
    /// The certificate of its connection.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// Authenticates the client. The `jti` of an assertion is spent later, in the transaction of the act itself.
pub async fn authenticate(
    params: &Params,
    call: &Call<'_>,
    idp: &Arc<Idp>,
) -> Result<Result<Authenticated, Error>, Fault> {
    let credentials = match client_auth::credentials(params, call.authorization) {
        Ok(credentials) => credentials.shown_with(call.certificate.clone()),
        Err(error) => return Ok(Err(error)),
    };
    let id = credentials.client_id().clone();
    let registered = idp.store.read(move |db| store::client::find(db, &id)).await?;
    let verified = verify_assertion(&credentials, registered.as_ref());
    let keys = certificate_keys(registered.as_ref());
    let verified = verified.as_ref().map(|jwt| VerifiedAssertion { header: &jwt.header, claims: &jwt.claims });
    let proofs = Verified { assertion: verified.as_ref(), keys: &keys };
    let token_endpoint = format!("{}/token", idp.config.issuer);
    let audience = Audience { issuer: &idp.config.issuer, token_endpoint: &token_endpoint };
    Ok(client_auth::prove(&credentials, registered.as_ref(), &proofs, &audience, idp.clock.now()))
}

fn verify_assertion(credentials: &Credentials, registered: Option<&Registered>) -> Option<keys::client::VerifiedJwt> {
    let jwt = credentials.assertion()?;
    let jwks = registered?.client.jwks.as_deref()?;
    keys::client::verify(jwt, jwks, &SigningAlg::ALL).ok()
}

/// The keys a certificate may hold, for a client that is known by the key of its certificate.
fn certificate_keys(registered: Option<&Registered>) -> Vec<String> {
    let client = registered.map(|registered| &registered.client);
    let client = client.filter(|client| client.token_endpoint_auth_method == AuthMethod::SelfSignedTlsClientAuth);
    client.and_then(|client| client.jwks.as_deref()).map(keys::client::thumbprints).unwrap_or_default()
}

/// RFC 7523 §3 and RFC 6749 §2.3: an assertion authenticates once.
pub fn spend_jti(db: &mut Db, caller: &Authenticated) -> Result<bool, Fault> {
    match caller.jti() {
        Some((jti, until)) => store::used::once(db, ASSERTION, jti, until),
        None => Ok(true),
    }
}

pub fn replayed_assertion() -> Error {
    Error::invalid_client("RFC 7523 §3", "client authentication failed").because("jti was used before")
}
