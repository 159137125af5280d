//! Sign-out: the browser's session ends, with every portal in it and everything it issued; other devices stay signed
//! in, and grants the holder let go on offline stay (`contract.md` 4, 8).

use std::sync::Arc;

use serde_json::json;

use super::facts::{self, Limits};
use super::outbox::{self, Occasion};
use super::{Browser, Cookies};
use crate::domain::consent::Bilingual;
use crate::domain::outbox::Cause;
use crate::domain::relying_party::ClientStatus;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Client, Fault, Id, Span};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::front_channel;
use crate::protocol::id_token::hinted;
use crate::protocol::logout::{self, Back, Ending, Here, LogoutHint};
use crate::protocol::params::Params;
use crate::store::account::Hold;
use crate::store::sign_out::SignOut as Leaving;
use crate::store::{self, Db};

/// For how long the page of a sign-out can be shown.
const PAGE_KEPT: Span = Span::minutes(5);
/// More frames than this would make a header longer than proxies let through.
const MOST_FRAMES: usize = 50;

/// How an end-session request goes on.
pub enum SignOut {
    /// Ask first.
    Confirm { client: Option<Bilingual>, portals: Vec<Bilingual> },
    /// Done: back to the client, or the signed-out page.
    Done {
        back: Option<Back>,
        /// The page to go through first: it tells clients through the browser.
        page: Option<Id<Leaving>>,
        cookies: Cookies,
    },
    /// With the client the request names.
    Refused(Error, Option<Id<Client>>),
}

/// Begins, or, with `confirmed`, carries out what the person confirmed.
pub async fn end(params: &Params, confirmed: bool, browser: &Browser, idp: &Arc<Idp>) -> Result<SignOut, Fault> {
    let hint = hint(params, idp);
    let client = logout::client_id(params, &hint);
    let (this, who, params) = (Arc::clone(idp), browser.clone(), params.clone());
    let done = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let registered = match &client {
                Some(client) => store::client::find(db, client)?,
                None => None,
            };
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            let here = here(db, &hint, session.as_ref())?;
            let back = match logout::end(&params, &hint, registered.as_ref(), here) {
                Ending::Page(error) => return Ok(SignOut::Refused(error, client)),
                Ending::Confirm { .. } if !confirmed => {
                    let portals = portals(db, session.as_ref())?;
                    let client = registered.map(|found| found.client.client_name.clone());
                    return Ok(SignOut::Confirm { client, portals });
                }
                Ending::Confirm { back } | Ending::Direct { back } => back,
            };
            let end_session = who.session.is_some() || who.state.is_some();
            let cookies = Cookies { end_session, ..Cookies::default() };
            let page = match session.or(lapsed(db, &who)?) {
                Some(session) => {
                    sign_out(db, &session, &this)?;
                    leave(db, &session, back.as_ref(), &this)?
                }
                None => None,
            };
            Ok(SignOut::Done { back, page, cookies })
        })
        .await?;
    idp.desk.ring();
    Ok(done)
}

/// A session past its limits that nobody ended yet: its portals may well think it stands.
fn lapsed(db: &mut Db, browser: &Browser) -> Result<Option<Session>, Fault> {
    let Some(cookie) = &browser.session else { return Ok(None) };
    Ok(store::session::find_by_cookie(db, cookie)?.filter(|session| session.ended_at.is_none()))
}

/// What the page needs that tells clients through the browser, if the session reached any it must tell.
pub(super) fn leave(
    db: &mut Db,
    session: &Session,
    back: Option<&Back>,
    idp: &Idp,
) -> Result<Option<Id<Leaving>>, Fault> {
    if frames(db, &session.id, idp)?.is_empty() {
        return Ok(None);
    }
    let leaving = Leaving {
        id: Id::new(idp.random.text()?),
        session: session.id.clone(),
        back: back.map(|back| (back.client().clone(), back.location())),
        expires_at: idp.clock.now() + PAGE_KEPT,
    };
    store::sign_out::put(db, &leaving)?;
    Ok(Some(leaving.id))
}

/// The addresses of the session's own clients and nobody else's (`security.md` LO-11).
fn frames(db: &mut Db, session: &Id<Session>, idp: &Idp) -> Result<Vec<String>, Fault> {
    let mut frames = Vec::new();
    for (client, sid) in store::session::clients(db, session)? {
        let found = store::client::find(db, &client)?.filter(|found| found.status != ClientStatus::Closed);
        frames.extend(found.and_then(|found| front_channel::frame(&found.client, &idp.config.issuer, &sid)));
    }
    if frames.len() > MOST_FRAMES {
        tracing::warn!(frames = frames.len(), "logout.frames_left_out");
        frames.truncate(MOST_FRAMES);
    }
    Ok(frames)
}

/// What the signed-out page shows on its way.
#[derive(Debug, Default)]
pub struct Farewell {
    pub frames: Vec<String>,
    /// The client's name and the address it registered to return to.
    pub back: Option<(Bilingual, String)>,
}

/// The page of one sign-out. Shown again, it does the same again; after some minutes it is the plain page.
pub async fn farewell(id: Id<Leaving>, idp: &Arc<Idp>) -> Result<Farewell, Fault> {
    let (this, now) = (Arc::clone(idp), idp.clock.now());
    idp.store
        .read(move |db| {
            let found = store::sign_out::find(db, &id)?.filter(|leaving| now < leaving.expires_at);
            let Some(leaving) = found else { return Ok(Farewell::default()) };
            let back = match leaving.back {
                Some((client, location)) => {
                    store::client::find(db, &client)?.map(|found| (found.client.client_name.clone(), location))
                }
                None => None,
            };
            Ok(Farewell { frames: frames(db, &leaving.session, &this)?, back })
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
    outbox::session_ended(db, session, Occasion { name: session.id.as_str(), cause: Cause::SignedOut, at: now })?;
    let grants = store::grant::revoke_session(db, &session.id, now, "signed_out")?;
    let event = Event::new(Kind::SignOut, now)
        .of(&session.account)
        .within(&session.id)
        .with(json!({"reason": "holder", "grants": grants}));
    store::trail::append(db, &event, &idp.id()?)
}
