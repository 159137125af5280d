//! May we answer this address at all? Until the client and its address are known to be right, nothing is ever sent
//! there: the error is a page (RFC 6749 §4.1.2.1, RFC 9700 §4.1).

use std::sync::Arc;

use url::form_urlencoded;

use crate::domain::relying_party::{ClientStatus, Registered};
use crate::domain::request::{AuthorizationRequest, ResponseMode};
use crate::domain::{Client, Id};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::params::Params;
use crate::protocol::uri::{self, Kind};

use super::answer::{self, Signing};

/// What decides about addresses besides the registration.
#[derive(Clone, Copy, Debug)]
pub struct AddressPolicy<'a> {
    /// Stamped on every answer (RFC 9207).
    pub issuer: &'a str,
    /// `danger_http_loopback`: plain HTTP on loopback is allowed, port and all.
    pub http_loopback: bool,
}

/// An address we may send an answer to. Made only from a client's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress {
    uri: String,
    mode: ResponseMode,
    state: Option<String>,
    issuer: String,
    session_state: Option<String>,
    /// Where the mode is a signed one.
    signing: Option<Signing>,
}

/// An answer on its way to the client: ready for the wire, or still to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub mode: ResponseMode,
    /// `query`: the whole address to redirect to. Otherwise the address alone.
    pub uri: String,
    /// What the form or the JWT carries; empty for `query`.
    pub fields: Vec<(String, String)>,
    pub signing: Option<Signing>,
}

/// The client a request names, to be looked up before `address`. Missing or repeated is `invalid_request`, shown as a page.
pub fn client_id(params: &Params) -> Result<Id<Client>, Error> {
    let missing = || Error::invalid_request("RFC 6749 §4.1.1", "client_id is missing");
    params.one("client_id")?.map(Id::new).ok_or_else(missing)
}

/// The client a request names, if it is known and live. Every error of it must be shown as a page: `invalid_request` for a
/// missing or repeated `client_id`, `invalid_client` for a client that is unknown or not live.
pub fn named<'a>(params: &Params, registered: Option<&'a Registered>) -> Result<&'a Arc<Client>, Error> {
    let id = client_id(params)?;
    // RFC 6749 §4.1.2.1: an unknown client is told to the person, never to an address.
    registered
        .filter(|registered| registered.status == ClientStatus::Live && registered.client.id == id)
        .map(|registered| &registered.client)
        .ok_or_else(|| Error::invalid_client("RFC 6749 §4.1.2.1", "client_id is not known or not in service"))
}

/// Finds where to answer a request of `client`. Every error of it must be shown as a page: `invalid_request` for a missing
/// or repeated `redirect_uri` or one that is not registered.
pub fn address(params: &Params, client: &Client, policy: &AddressPolicy<'_>) -> Result<ReturnAddress, Error> {
    let asked = params.one("redirect_uri")?;
    // OIDC Core §3.1.2.1: required, even where only one is registered.
    let asked = asked.ok_or_else(|| Error::invalid_request("OIDC Core §3.1.2.1", "redirect_uri is missing"))?;
    let mode = mode(params, client);
    Ok(ReturnAddress {
        uri: registered_uri(asked, client, policy)?,
        mode,
        signing: mode.is_signed().then(|| Signing::of(client)),
        state: sane_state(params).ok().flatten().map(str::to_owned),
        issuer: policy.issuer.to_owned(),
        session_state: None,
    })
}

/// RFC 9700 §2.1: compared as bytes with the registered ones, except for the port of a native application (RFC 8252 §7.3).
fn registered_uri(asked: &str, client: &Client, policy: &AddressPolicy<'_>) -> Result<String, Error> {
    let unregistered = || Error::invalid_request("RFC 9700 §4.1.3", "redirect_uri is not registered");
    let native = |uri: &str| client.is_public() && uri::is_native_with_port(uri, asked);
    let matched = client.redirect_uris.iter().find(|uri| *uri == asked || native(uri)).ok_or_else(unregistered)?;
    // A registration that should not exist must not become a redirect either (`security.md` RU-10, RU-11).
    match uri::lawful(asked) {
        Ok((_, Kind::Https)) => Ok(asked.to_owned()),
        Ok((_, Kind::HttpLoopback)) if policy.http_loopback || (client.is_public() && uri::is_native(matched)) => {
            Ok(asked.to_owned())
        }
        _ => Err(unregistered()),
    }
}

/// The mode errors go by: the one asked for if this client may have it, else its default.
fn mode(params: &Params, client: &Client) -> ResponseMode {
    let asked = params.one("response_mode").ok().flatten();
    answer::mode(asked, client, false).unwrap_or_else(|_| answer::default(client))
}

/// The longest `state` echoed, in characters (`contract.md` 8).
const LONGEST_STATE: usize = 2048;

/// `state` if it may be echoed. `invalid_request` when repeated, longer than 2,048 characters or with control
/// characters (`security.md` AZ-16): such a state is never sent back.
pub(in crate::protocol) fn sane_state(params: &Params) -> Result<Option<&str>, Error> {
    let state = params.one("state")?;
    let insane = |told| Err(Error::invalid_request("RFC 6749 §4.1.1", told));
    match state {
        // First, so that no more of it is looked at than may be echoed.
        Some(text) if text.chars().nth(LONGEST_STATE).is_some() => insane("state is too long"),
        Some(text) if text.chars().any(char::is_control) => insane("state has control characters"),
        sane => Ok(sane),
    }
}

impl ReturnAddress {
    /// The address of a request kept while it was in progress, checked against the registration of today.
    pub fn of(request: &AuthorizationRequest, client: &Client, policy: &AddressPolicy<'_>) -> Result<Self, Error> {
        if request.client_id != client.id {
            return Err(Error::invalid_request("RFC 6749 §4.1.2.1", "client_id is not the one that asked"));
        }
        Ok(Self {
            uri: registered_uri(&request.redirect_uri, client, policy)?,
            mode: request.response_mode,
            signing: request.response_mode.is_signed().then(|| Signing::of(client)),
            state: request.state.clone(),
            issuer: policy.issuer.to_owned(),
            session_state: None,
        })
    }

    /// Session Management §3: from now on every answer states what the browser's session looks like to this client.
    pub fn stating(self, session_state: Option<String>) -> Self {
        Self { session_state, ..self }
    }

    /// The address itself, byte for byte as registered.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The scheme, host and port, for `form-action` of our content security policy.
    pub fn origin(&self) -> String {
        url::Url::parse(&self.uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// An answer to this address. Adds `state` as sent and `iss` to every one of them, errors too (RFC 9207 §2).
    pub fn answer(&self, pairs: &[(&str, &str)]) -> Outgoing {
        let state = self.state.as_deref().map(|state| ("state", state));
        let session_state = self.session_state.as_deref().map(|found| ("session_state", found));
        let all = pairs.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]).chain(session_state);
        let mode = self.mode;
        if mode == ResponseMode::Query {
            return Outgoing { mode, uri: with_query(&self.uri, all), fields: Vec::new(), signing: None };
        }
        let fields = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Outgoing { mode, uri: self.uri.clone(), fields, signing: self.signing.clone() }
    }

    /// An error answer (RFC 6749 §4.1.2.1).
    pub fn refuse(&self, error: &Error) -> Outgoing {
        self.answer(&[("error", error.code.as_str()), ("error_description", &error.told)])
    }

    /// The code (RFC 6749 §4.1.2).
    pub fn code(&self, code: &str) -> Outgoing {
        self.answer(&[("code", code)])
    }
}

/// RFC 6749 §3.1.2: a registered query is kept and ours is added to it.
pub(in crate::protocol) fn with_query<'a>(uri: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() {
        return uri.to_owned();
    }
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

/// RFC 6749 §4.1.2.1: a client that may not use this grant is told so at its address.
pub(super) fn not_for_code() -> Error {
    Error::new(
        ErrorCode::UnauthorizedClient,
        "RFC 6749 §4.1.2.1",
        "authorization_code is not registered for this client",
    )
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
