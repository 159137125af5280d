//! Sender-constrained tokens: what a client's tokens are bound to, and whether the caller holds it (RFC 9449, RFC 8705).
//! Four questions: what must a new token be bound to, may this code or refresh token be used, does a token open a
//! resource.

use crate::domain::Client;
use crate::domain::binding::Confirmation;
use crate::domain::grant::{IssuedCode, IssuedRefreshToken};

use super::dpop;
use super::error::{Error, ErrorCode};
use super::profile::demands_bound_tokens;

/// What the caller proved to hold in this request: the key of a DPoP proof, the certificate of the TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Possession {
    pub jkt: Option<String>,
    pub x5t: Option<String>,
}

/// How an access token was sent (RFC 9110 §11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Bearer,
    Dpop,
}

/// What the client's new tokens are bound to. A registered binding without its proof gives no token at all
/// (`security.md` DP-14).
pub fn confirmation(client: &Client, held: &Possession) -> Result<Option<Confirmation>, Error> {
    let registered = &client.binding;
    if registered.dpop_bound_access_tokens && held.jkt.is_none() {
        return Err(dpop::invalid("RFC 9449 §5.2", "DPoP proof is missing, and this client registered for it"));
    }
    let by_certificate = registered.tls_client_certificate_bound_access_tokens;
    if by_certificate && held.x5t.is_none() {
        let told = "client certificate is missing, and this client registered for tokens bound to it";
        return Err(Error::invalid_request("RFC 8705 §3", told));
    }
    // A certificate that only authenticates binds nothing, unless nothing else would.
    let needed = by_certificate || (demands_bound_tokens(client) && held.jkt.is_none());
    let bound = Confirmation::of(held.jkt.clone(), held.x5t.clone().filter(|_| needed));
    if bound.is_none() && demands_bound_tokens(client) {
        let told = "DPoP proof or client certificate is missing, and the profile of this client needs one";
        return Err(Error::invalid_request("FAPI 2.0 SP §5.3.2.1", told));
    }
    Ok(bound)
}

/// RFC 9449 §5, RFC 8705 §4: the refresh token of a public client, which nothing else protects, is bound as its access
/// token is.
pub fn of_refresh_token(client: &Client, access_token: Option<&Confirmation>) -> Option<Confirmation> {
    access_token.filter(|_| client.is_public()).cloned()
}

/// RFC 9449 §10: a code asked for with `dpop_jkt` is redeemed with that key.
pub fn may_redeem(code: &IssuedCode, held: &Possession) -> Result<(), Error> {
    let Some(bound) = &code.dpop_jkt else { return Ok(()) };
    match &held.jkt {
        Some(jkt) if jkt == bound => Ok(()),
        Some(_) => Err(Error::invalid_grant("RFC 9449 §10", "the code is not valid").explained("bound to another key")),
        None => Err(dpop::invalid("RFC 9449 §10", "DPoP proof is missing, and the code is bound to a key")),
    }
}

/// RFC 9449 §5, RFC 8705 §4: a bound refresh token with what it is bound to. A thief without it changes nothing.
pub fn may_refresh(token: &IssuedRefreshToken, held: &Possession) -> Result<(), Error> {
    let Some(bound) = &token.confirmation else { return Ok(()) };
    if bound.jkt().is_some() && held.jkt.is_none() {
        return Err(dpop::invalid("RFC 9449 §5", "DPoP proof is missing, and the refresh token is bound to a key"));
    }
    if holds(bound, held) {
        return Ok(());
    }
    let clause = if bound.jkt().is_some() { "RFC 9449 §5" } else { "RFC 8705 §4" };
    Err(Error::invalid_grant(clause, "the refresh token is not valid").explained("bound to something else"))
}

/// Whether an access token opens a resource for whoever sent it so (RFC 9449 §7.1, RFC 8705 §3).
pub fn may_present(bound: Option<&Confirmation>, scheme: Scheme, held: &Possession) -> Result<(), Error> {
    let refused = |clause, told: &str| Err(Error::new(ErrorCode::InvalidToken, clause, told));
    let by_key = bound.and_then(Confirmation::jkt).is_some();
    match scheme {
        // RFC 9449 §7.2: a bound token is no bearer token.
        Scheme::Bearer if by_key => return refused("RFC 9449 §7.2", "the access token is bound to a key"),
        Scheme::Dpop if !by_key => return refused("RFC 9449 §7.1", "the access token is not bound to a key"),
        Scheme::Bearer | Scheme::Dpop => {}
    }
    match bound {
        Some(bound) if bound.jkt() != held.jkt.as_deref().filter(|_| by_key) => {
            refused("RFC 9449 §7.1", "the access token is bound to another key")
        }
        Some(bound) if !holds_certificate(bound, held) => {
            refused("RFC 8705 §3", "the access token is bound to another certificate")
        }
        Some(_) | None => Ok(()),
    }
}

fn holds(bound: &Confirmation, held: &Possession) -> bool {
    bound.jkt().is_none_or(|jkt| held.jkt.as_deref() == Some(jkt)) && holds_certificate(bound, held)
}

fn holds_certificate(bound: &Confirmation, held: &Possession) -> bool {
    bound.x5t().is_none_or(|x5t| held.x5t.as_deref() == Some(x5t))
}

#[cfg(test)]
#[path = "binding_tests.rs"]
mod tests;
