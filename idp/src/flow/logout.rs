//! Sign-out: the browser's session ends, with every portal in it and everything it issued; other devices stay signed
//! in, and grants the holder let go on offline stay (`contract.md` 4, 8).

use std::sync::Arc;

use serde_json::json;

use super::facts::{self, Limits};
use super::{Browser, Cookies};
use crate::domain::Fault;
use crate::domain::consent::Bilingual;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::id_token::hinted;
use crate::protocol::logout::{self, Back, Ending, Here, LogoutHint};
use crate::protocol::params::Params;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// How an end-session request goes on.
pub enum SignOut {
    /// Ask first.
    Confirm {
        client: Option<Bilingual>,
        portals: Vec<Bilingual>,
    },
    /// Done: back to the client, or the signed-out page.
    Done {
        back: Option<Back>,
        cookies: Cookies,
    },
    Refused(Error),
}

/// Begins, or, with `confirmed`, carries out what the person confirmed.
pub async fn end(params: &Params, confirmed: bool, browser: &Browser, idp: &Arc<Idp>) -> Result<SignOut, Fault> {
    let hint = hint(params, idp);
    let client = logout::client_id(params, &hint);
    let (this, who, params) = (Arc::clone(idp), browser.clone(), params.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let registered = match &client {
                Some(client) => store::client::find(db, client)?,
                None => None,
            };
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            let here = here(db, &hint, session.as_ref())?;
            let back = match logout::end(&params, &hint, registered.as_ref(), here) {
                Ending::Page(error) => return Ok(SignOut::Refused(error)),
                Ending::Confirm { .. } if !confirmed => {
                    let portals = portals(db, session.as_ref())?;
                    let client = registered.map(|found| found.client.client_name.clone());
                    return Ok(SignOut::Confirm { client, portals });
                }
                Ending::Confirm { back } | Ending::Direct { back } => back,
            };
            let cookies = Cookies { end_session: who.session.is_some(), ..Cookies::default() };
            if let Some(session) = session {
                sign_out(db, &session, &this)?;
            }
            Ok(SignOut::Done { back, cookies })
        })
        .await
}

fn hint(params: &Params, idp: &Idp) -> LogoutHint {
    let Some(jwt) = params.first("id_token_hint").filter(|hint| !hint.is_empty()) else { return LogoutHint::Absent };
    match idp.ring.verify_own(jwt) {
        None => LogoutHint::Invalid("was not issued here"),
        Some(claims) => match hinted(&claims, &idp.config.issuer) {
            Ok(hinted) => LogoutHint::Valid(hinted),
            Err(reason) => LogoutHint::Invalid(reason),
        },
    }
}

fn here(db: &mut Db, hint: &LogoutHint, session: Option<&Session>) -> Result<Here, Fault> {
    let Some(session) = session else { return Ok(Here::Nobody) };
    let LogoutHint::Valid(hinted) = hint else { return Ok(Here::Another) };
    let Some(sid) = &hinted.sid else { return Ok(Here::Another) };
    let meant = store::session::find_by_sid(db, &hinted.client, sid)?;
    Ok(if meant.is_some_and(|meant| meant.id == session.id) { Here::Hinted } else { Here::Another })
}

fn portals(db: &mut Db, session: Option<&Session>) -> Result<Vec<Bilingual>, Fault> {
    let Some(session) = session else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for (client, _) in store::session::clients(db, &session.id)? {
        if let Some(found) = store::client::find(db, &client)? {
            names.push(found.client.client_name.clone());
        }
    }
    Ok(names)
}

/// Ends one session with the grants that live with it.
pub fn sign_out(db: &mut Db, session: &Session, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    store::account::hold(db, &session.account, Hold::Alone)?;
    if !store::session::end(db, &session.id, now)? {
        return Ok(());
    }
    let grants = store::grant::revoke_session(db, &session.id, now, "signed_out")?;
    let event = Event::new(Kind::SignOut, now)
        .of(&session.account)
        .within(&session.id)
        .with(json!({"reason": "holder", "grants": grants}));
    store::trail::append(db, &event, &idp.id()?)
}
