//! The authorization endpoint: a request begins, its interaction resumes after each page, and it ends with a code
//! or an error. Every step comes back to `settle`, the one dispatcher.

use std::sync::Arc;

use serde_json::json;

use super::facts::{self, Gathered, Limits};
use super::refuse::{refuse, refused};
use super::session_state::stated;
use super::transaction::{self, Approval};
use super::{Answer, Browser, Cookies, Outcome, Returned, Step, acting, guardian, par, request_object};
use crate::domain::grant::{Actor, Authentication, Grant, IssuedCode, Party};
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::{Client, ClientStatus, Registered};
use crate::domain::request::AuthorizationRequest;
use crate::domain::secret::{BrowserCookie, Code, Minted, Stored};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Account, Fault, Id};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::authorize::address::{AddressPolicy, ReturnAddress, named};
use crate::protocol::authorize::next::{Decided, Next};
use crate::protocol::authorize::par::{reference, spent};
use crate::protocol::params::Params;
use crate::store::{self, Db};

/// How the request reached the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Get,
    /// A form post from our own origin or with our cookies: answered at once.
    Post,
    /// A form post from another site: the browser kept our Lax cookies back, so the request is stored and taken
    /// up again at our own GET (`contract.md` 7).
    CrossSitePost,
}

/// Begins an authorization request.
pub async fn begin(params: &Params, arrival: Arrival, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let registered = find_client(params, idp).await?;
    let named = named(params, registered.as_ref()).and_then(|client| Ok((Arc::clone(client), reference(params)?)));
    let (client, request) = match named {
        Ok((client, Some(reference))) => {
            let taken = par::take_up(reference, &client, idp).await?;
            (client, taken)
        }
        Ok((client, None)) => {
            let posted = arrival != Arrival::Get;
            let understood = request_object::understood(params, &client, (browser, posted), idp).await?;
            (client, understood)
        }
        Err(error) => return Ok(Answer::bare(Outcome::Shown(error))),
    };
    match request {
        Ok(request) if arrival == Arrival::CrossSitePost => store_posted(request, idp).await,
        Ok(request) => proceed(Pending::new(request, client), browser, idp).await,
        Err(outcome) => Ok(Answer::bare(outcome)),
    }
}

/// Takes up a request a cross-site POST left behind.
pub async fn begin_posted(id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let found = idp
        .store
        .transact(move |db| {
            let Some(interaction) = store::interaction::find(db, &id)? else { return Ok(None) };
            let unbound = interaction.browser == unbound_browser() && interaction.is_open(now);
            // Single use: only one GET may take it up.
            if !unbound || !store::interaction::finish(db, &id, now)? {
                return Ok(None);
            }
            let Destination::Client(request) = interaction.destination else { return Ok(None) };
            let client = store::client::find(db, &request.client_id)?;
            Ok(client.filter(|found| found.status == ClientStatus::Live).map(|found| (*request, found.client)))
        })
        .await?;
    match found {
        Some((request, client)) => proceed(Pending::new(request, client), browser, idp).await,
        None => Ok(Answer::bare(Outcome::Shown(gone()))),
    }
}

/// A validated request with its client, and its interaction once a page was shown.
pub struct Pending {
    pub request: AuthorizationRequest,
    pub client: Arc<Client>,
    pub interaction: Option<Id<Interaction>>,
    /// Nobody proved a factor within the interaction yet: older proofs cannot pass for fresh ones.
    pub arriving: bool,
    /// Who entered a code sent for the interaction.
    pub confirmed_by: Option<Id<Account>>,
    /// What was approved in this very step.
    pub approval: Option<Approval>,
    /// For whom the person here chose to act.
    pub chosen: Option<Id<Account>>,
    /// They said before that it is for somebody else.
    pub for_other: bool,
}

impl Pending {
    /// A request that was just made.
    fn new(request: AuthorizationRequest, client: Arc<Client>) -> Self {
        Self {
            request,
            client,
            interaction: None,
            arriving: true,
            confirmed_by: None,
            approval: None,
            chosen: None,
            for_other: false,
        }
    }

    /// A request taken up again from its interaction.
    pub fn within(open: &Interaction, request: AuthorizationRequest, client: Arc<Client>) -> Self {
        let confirmed_by = open.proved_by.clone().filter(|_| open.confirmed_at.is_some());
        let (interaction, arriving) = (Some(open.id.clone()), open.proved_by.is_none());
        let (chosen, for_other) = (open.chosen.clone(), open.for_other);
        Self { request, client, interaction, arriving, confirmed_by, approval: None, chosen, for_other }
    }
}

/// Decides with the browser's own session and settles.
async fn proceed(pending: Pending, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let (this, browser) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            // It was read before this transaction: one suspended since gets nothing.
            let Some(client) = live_client(db, &pending.client.id)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(&this), now)?;
            settle(db, Pending { client, ..pending }, session, &browser, &this)
        })
        .await
}

/// The dispatcher: reads the facts, asks `next`, records and answers. Runs inside the caller's transaction.
pub fn settle(
    db: &mut Db,
    pending: Pending,
    session: Option<Session>,
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let gathered = facts::gather(db, session, &pending, now)?;
    let decision = gathered.next(&pending, now);
    let step = match decision {
        Next::Issue(decided) => return issue(db, pending, (gathered, decided), browser, idp),
        Next::Refuse(error) => return refuse(db, &pending, (gathered.session.as_ref(), browser), error, idp),
        Next::SignIn { .. } => Step::SignIn,
        Next::StepUp(factor) => Step::of_factor(factor),
        Next::Consent(_) => Step::Consent,
        Next::Transaction => Step::Transaction,
        Next::Level(_) => Step::Level,
        Next::Represent => Step::Represent,
        Next::ActFor => return acting::take_over(db, pending, gathered, browser, idp),
        Next::Barred(refusal) => Step::of_refusal(refusal),
    };
    let mut cookies = Cookies::default();
    let (client, arriving) = (pending.client.id.clone(), pending.interaction.is_none());
    let interaction = match &pending.interaction {
        Some(id) => id.clone(),
        None => {
            let (opened, minted) = open_interaction(db, Destination::Client(Box::new(pending.request)), browser, idp)?;
            cookies.browser = minted;
            opened
        }
    };
    // Whoever is signed in already and needs a guardian asks for the word right away.
    if let (Step::Guardian, true, Some(session), Some(ward)) = (step, arriving, &gathered.session, &gathered.account) {
        let asked = guardian::Asked { interaction: &interaction, client: &client, proofs: &session.acquaintance };
        guardian::ask(db, ward, &asked, browser, idp)?;
    }
    Ok(Answer { outcome: Outcome::Page(step, interaction), cookies })
}

/// Opens an interaction bound to this browser; a browser without a binding cookie gets one.
pub fn open_interaction(
    db: &mut Db,
    destination: Destination,
    browser: &Browser,
    idp: &Idp,
) -> Result<(Id<Interaction>, Option<Minted<BrowserCookie>>), Fault> {
    let now = idp.clock.now();
    idp.open.one_more(idp.config.limits.open_interactions)?;
    let minted: Option<Minted<BrowserCookie>> = match browser.browser {
        Some(_) => None,
        None => Some(idp.random.mint()?),
    };
    let bound = match (&browser.browser, &minted) {
        (Some(known), _) => known.clone(),
        (None, Some(minted)) => minted.stored(),
        (None, None) => return Err(Fault::broken("flow", "no browser binding")),
    };
    let destination = match destination {
        Destination::Client(request) => Destination::Client(Box::new(transaction::kept(*request, idp)?)),
        own => own,
    };
    let interaction = Interaction {
        id: Id::new(idp.random.text()?),
        browser: bound,
        destination,
        refused: None,
        proved_by: None,
        confirmed_at: None,
        chosen: None,
        for_other: false,
        opened_at: now,
        expires_at: now + idp.config.lifetimes.interaction,
        finished_at: None,
    };
    store::interaction::open(db, &interaction)?;
    Ok((interaction.id, minted))
}

fn issue(
    db: &mut Db,
    pending: Pending,
    (gathered, decided): (Gathered, Decided),
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let Some(session) = gathered.session else { return Err(Fault::broken("flow", "issue without a session")) };
    let Pending { request, client, interaction, approval, .. } = pending;
    // One answer per interaction: a second tab that finishes the same one finds it closed.
    if let Some(id) = &interaction
        && !store::interaction::finish(db, id, now)?
    {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    }
    if !par::spend(db, &request, idp)? {
        return Ok(Answer::bare(Outcome::Shown(spent())));
    }
    let grant: Id<Grant> = idp.id()?;
    let approved = match (&request.transaction, &approval) {
        (None, _) => None,
        (Some(_), None) => return Err(Fault::broken("flow", "a transaction nobody approved")),
        (Some(_), Some(approval)) => match transaction::approve(db, approval, (&session, &client), &grant, idp)? {
            Ok(approved) => Some(approved),
            Err(error) => return refused(db, (&request, &client), (Some(&session), browser), error, idp),
        },
    };
    let sub = match gathered.sub {
        Some(sub) => sub,
        None => facts::subject(db, &session.account, &client, &idp.random.text()?)?,
    };
    let actor = match &session.acting {
        Some(acting) => {
            let sub = facts::subject(db, &acting.account, &client, &idp.random.text()?)?;
            Some(Actor { account: acting.account.clone(), sub })
        }
        None => None,
    };
    let actor_id = actor.as_ref().map(|actor| actor.account.clone());
    let authentication = Authentication {
        account: session.account.clone(),
        actor,
        sub,
        sid: store::session::sid(db, &session.id, &client.id, &idp.random.text()?)?,
        session: session.id.clone(),
        auth_time: decided.auth_time,
        acr: decided.acr,
        acquaintance: decided.acquaintance,
    };
    let code: Minted<Code> = idp.mint()?;
    let grant = Grant {
        id: grant,
        client: client.id.clone(),
        party: Party::Holder(authentication),
        scope: granted_scope(&request, decided.offline),
        claims: request.claims.clone(),
        service: request.service.clone(),
        resources: request.resources.clone(),
        transaction: approved,
        offline: decided.offline,
        opened_at: now,
        revoked_at: None,
    };
    let issued = IssuedCode {
        hash: code.stored(),
        grant: grant.id.clone(),
        client: client.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        issued_at: now,
        expires_at: now + idp.config.lifetimes.code,
        spent_at: None,
        failures: 0,
        dpop_jkt: request.dpop_jkt.clone(),
    };
    store::grant::open(db, &grant)?;
    store::code::put(db, &issued)?;
    if session.seen_at < now {
        store::session::touch(db, &session.id, now)?;
    }
    let event =
        Event::new(Kind::AuthorizationIssued, now).of(&session.account).by(&client.id).within(&session.id).with(
            json!({"acr": decided.acr.urn(), "scope": grant.scope, "service": request.service, "grant": grant.id,
                   "actor": actor_id}),
        );
    store::trail::append(db, &event, &idp.id()?)?;
    let address = stated(return_address(&request, &client, idp)?, &client, browser, idp)?;
    Ok(Answer::bare(Outcome::Returned(Box::new(Returned {
        outgoing: address.code(code.reveal()),
        client: client.id.clone(),
        error: None,
    }))))
}

/// `offline_access` is granted only where the decision says so; every other scope as asked.
fn granted_scope(request: &AuthorizationRequest, offline: bool) -> Vec<String> {
    request.scope.iter().filter(|scope| offline || *scope != "offline_access").cloned().collect()
}

/// The client of a kept request, if it may still act.
pub fn live_client(db: &mut Db, id: &Id<Client>) -> Result<Option<Arc<Client>>, Fault> {
    let found = store::client::find(db, id)?;
    Ok(found.filter(|found| found.status == ClientStatus::Live).map(|found| found.client))
}

async fn find_client(params: &Params, idp: &Arc<Idp>) -> Result<Option<Registered>, Fault> {
    let Some(id) = params.first("client_id").filter(|id| !id.is_empty() && id.len() <= 64) else { return Ok(None) };
    let id = Id::new(id);
    idp.store.read(move |db| store::client::find(db, &id)).await
}

async fn store_posted(request: AuthorizationRequest, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let unbound = Browser { browser: Some(unbound_browser()), ..Browser::default() };
            let (id, _) = open_interaction(db, Destination::Client(Box::new(request)), &unbound, &this)?;
            Ok(Answer::bare(Outcome::Posted(id)))
        })
        .await
}

/// The binding of a stored cross-site POST: no cookie value has this digest, so no page can continue it.
fn unbound_browser() -> Stored<BrowserCookie> {
    Stored::from_store("unbound".to_owned())
}

pub fn gone() -> Error {
    Error::invalid_request(
        "OIDC Core §3.1.2",
        "interaction is not open in this browser: it ended, expired, or was begun elsewhere",
    )
}

pub fn address_policy(idp: &Idp) -> AddressPolicy<'_> {
    AddressPolicy { issuer: &idp.config.issuer, http_loopback: idp.config.danger_http_loopback }
}

pub fn return_address(request: &AuthorizationRequest, client: &Client, idp: &Idp) -> Result<ReturnAddress, Fault> {
    ReturnAddress::of(request, client, &address_policy(idp))
        .map_err(|error| Fault::broken("flow", format!("kept request lost its address: {}", error.told)))
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
