//! Notes what was refused for the team of the client it came from: at each door, where the parameters are known.

use super::read::{self, Unread};
use super::reply::Context;
use crate::domain::refused_request::{Endpoint, Parameter};
use crate::domain::{Client, Id};
use crate::flow::Outcome;
use crate::flow::trace::{self, Origin};
use crate::protocol::discovery::path;
use crate::protocol::params::Params;
use crate::protocol::token::client_auth::claimed;
use crate::protocol::{Error, redact};

/// At an endpoint a client calls with its own credentials.
pub fn of_program(error: &Error, params: &Params, context: &Context<'_>) {
    let client = claimed(params, read::authorization(context.request));
    note(error, client, || [headers(context), redact::parameters(params)].concat(), context);
}

/// A request that could not be read: its header may still say whose it was.
pub fn unread(unread: &Unread, context: &Context<'_>) {
    let (_, error) = unread.refusal();
    of_program(&error, &Params::default(), context);
}

/// At the authorization endpoint: a page, or an error on its way to the client.
pub fn of_authorization(outcome: &Outcome, params: &Params, context: &Context<'_>) {
    let (error, client) = match outcome {
        Outcome::Shown(error) => (error, params.one("client_id").ok().flatten().map(Id::new)),
        Outcome::Returned(returned) => match &returned.error {
            Some(error) => (error, Some(returned.client.clone())),
            None => return,
        },
        Outcome::Page(..) | Outcome::OwnPage(_) | Outcome::Posted(_) => return,
    };
    note(error, client, || redact::parameters(params), context);
}

/// An authorization request that was refused on one of our pages, after its parameters had been taken in. One that was
/// refused at once is noted where they are still there.
pub fn of_interaction(error: &Error, client: &Id<Client>, context: &Context<'_>) {
    if context.request.path() != path::AUTHORIZE {
        record(error, (client.clone(), Endpoint::Authorize), Vec::new, context);
    }
}

/// At userinfo: the client is the one the token was issued to.
pub async fn of_token(error: &Error, token: &str, form: Option<&Params>, context: &Context<'_>) {
    let client = trace::client_of(token, context.idp).await;
    let sent = || [headers(context), form.map(redact::parameters).unwrap_or_default()].concat();
    note(error, client, sent, context);
}

/// At the end-session endpoint, and on the page that confirms it.
pub fn of_sign_out(error: &Error, client: Option<Id<Client>>, params: &Params, context: &Context<'_>) {
    if let Some(client) = client {
        record(error, (client, Endpoint::EndSession), || redact::parameters(params), context);
    }
}

/// At the address of a registration (RFC 7592); a client that is still to be registered has no team yet.
pub fn of_registration(error: &Error, client: Id<Client>, sent: Option<&str>, context: &Context<'_>) {
    let sent = || [headers(context), sent.map(redact::members).unwrap_or_default()].concat();
    record(error, (client, Endpoint::Register), sent, context);
}

fn headers(context: &Context<'_>) -> Vec<Parameter> {
    let authorization = read::authorizations(context.request).into_iter().map(redact::authorization);
    let proofs =
        context.request.headers().get_all(read::DPOP).filter_map(|value| value.to_str().ok()).map(redact::proof);
    // More than two of a kind say no more than two.
    authorization.take(2).chain(proofs.take(2)).collect()
}

fn note(error: &Error, client: Option<Id<Client>>, parameters: impl FnOnce() -> Vec<Parameter>, context: &Context<'_>) {
    let endpoint = match context.request.path() {
        path::AUTHORIZE => Endpoint::Authorize,
        path::PAR => Endpoint::Par,
        path::TOKEN => Endpoint::Token,
        path::INTROSPECT => Endpoint::Introspect,
        path::REVOKE => Endpoint::Revoke,
        path::USERINFO => Endpoint::Userinfo,
        _ => return,
    };
    if let Some(client) = client {
        record(error, (client, endpoint), parameters, context);
    }
}

fn record(
    error: &Error,
    (client, endpoint): (Id<Client>, Endpoint),
    parameters: impl FnOnce() -> Vec<Parameter>,
    context: &Context<'_>,
) {
    trace::note(Origin { client, endpoint, reference: context.reference() }, error, parameters, context.idp);
}
