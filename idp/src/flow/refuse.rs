//! How an authorization request ends with an error for its client.

use std::sync::Arc;

use serde_json::json;

use super::authorize::{Pending, gone, live_client, return_address};
use super::facts::{self, Limits};
use super::session_state::stated;
use super::{Answer, Browser, Outcome, Returned, par};
use crate::domain::interaction::Interaction;
use crate::domain::relying_party::Client;
use crate::domain::request::AuthorizationRequest;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::idp::Idp;
use crate::protocol::authorize::address::ReturnAddress;
use crate::protocol::authorize::next::{Next, barred_error};
use crate::protocol::authorize::par::spent;
use crate::protocol::{Error, ErrorCode};
use crate::store::{self, Db};

/// Ends a request with an error for the client, recorded once: in the trail when a holder is known.
pub fn refuse(
    db: &mut Db,
    pending: &Pending,
    (session, browser): (Option<&Session>, &Browser),
    error: Error,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    if let Some(id) = &pending.interaction
        && !store::interaction::finish(db, id, now)?
    {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    }
    if !par::spend(db, &pending.request, idp)? {
        return Ok(Answer::bare(Outcome::Shown(spent())));
    }
    refused(db, (&pending.request, &pending.client), (session, browser), error, idp)
}

pub(super) fn refused(
    db: &mut Db,
    (request, client): (&AuthorizationRequest, &Client),
    (session, browser): (Option<&Session>, &Browser),
    error: Error,
    idp: &Idp,
) -> Result<Answer, Fault> {
    if let Some(session) = session {
        let event = Event::new(Kind::AuthorizationRefused, idp.clock.now())
            .of(&session.account)
            .by(&client.id)
            .within(&session.id)
            .with(json!({"error": error.code.as_str(), "told": error.told}));
        store::trail::append(db, &event, &idp.id()?)?;
    }
    let address = stated(return_address(request, client, idp)?, client, browser, idp)?;
    Ok(Answer::bare(returned(&address, client, error)))
}

/// The holder pressed «back to the portal» on a page that explains why they cannot go on.
pub async fn give_up(id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let (this, browser) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(open) = super::page::bound(db, &id, &browser, now)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let Some(request) = open.request().cloned() else {
                store::interaction::finish(db, &id, now)?;
                return Ok(Answer::bare(Outcome::OwnPage("/".to_owned())));
            };
            let Some(client) = live_client(db, &request.client_id)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(&this), now)?;
            let pending = Pending::within(&open, request, client);
            let error = match super::page::where_now(db, &open, &pending, session.clone(), &this)? {
                Next::Level(shortfall) => shortfall.error(),
                Next::Barred(refusal) => barred_error(refusal),
                Next::Refuse(error) => error,
                _ => Error::new(ErrorCode::AccessDenied, "RFC 6749 §4.1.2.1", "the citizen went back"),
            };
            refuse(db, &pending, (session.as_ref(), &browser), error, &this)
        })
        .await
}

pub fn returned(address: &ReturnAddress, client: &Client, error: Error) -> Outcome {
    let outgoing = address.refuse(&error);
    Outcome::Returned(Box::new(Returned { outgoing, client: client.id.clone(), error: Some(error) }))
}
