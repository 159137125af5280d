//! What a page of an interaction shows. Which page that is follows from the facts alone: a page asked for out of
//! turn leads on to the one whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::acting::{self, Offered};
use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Gathered, Limits};
use super::guardian::{self, CONFIRMATIONS, Waiting};
use super::resource::{self, Server};
use super::{Answer, Browser, Outcome, Step, home, sealed, step_up, transaction};
use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::session::Session;
use crate::domain::standing::Refusal;
use crate::domain::transaction::Transaction;
use crate::domain::{AuthenticationLevel, Fault, Holder, Id, Moment};
use crate::idp::Idp;
use crate::protocol::authorize::next::{Next, Shortfall};
use crate::protocol::release::Offer;
use crate::store::{self, Db};

/// The frame every page of an interaction has.
#[derive(Clone, Debug)]
pub struct Setting {
    pub interaction: Id<Interaction>,
    /// `None` on the way to one of our own pages.
    pub client: Option<Arc<Client>>,
    /// Where the answer will go, for the page's `form-action`.
    pub redirect_uri: Option<String>,
    pub ui_locales: Vec<String>,
    /// The code of the public service the request names.
    pub service: Option<String>,
}

#[derive(Debug)]
pub enum View {
    SignIn { again: bool },
    Otp { phone: String, complaint: Option<step_up::Complaint> },
    Consent(Box<ConsentView>),
    Transaction(Box<TransactionView>),
    Level(Shortfall, Option<Holder>),
    Guardian(Waiting),
    Represent { own: String, offered: Vec<Offered> },
    Barred(Refusal),
}

#[derive(Debug)]
pub struct ConsentView {
    pub offer: Offer,
    pub values: BTreeMap<ClaimName, Value>,
    /// Whose record it is: the holder's name, or the masked number where the record has none.
    pub holder: String,
    /// Where the access asked for would be used.
    pub servers: Vec<Server>,
}

#[derive(Debug)]
pub struct TransactionView {
    pub transaction: Transaction,
    /// Who approves: the holder's name, or the masked number where the record has none.
    pub holder: String,
}

pub enum Shown {
    Page(Setting, View),
    Elsewhere(Answer),
}

/// Shows the page `step`, or leads on.
pub async fn show(step: Step, id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (mut shown, sms) = idp.store.transact(move |db| view(db, step, &id, &who, &this)).await?;
    if let Some(sms) = sms
        && let Err(fault) = step_up::deliver(sms, idp).await
    {
        tracing::error!(%fault, "otp.not_sent");
        if let Shown::Page(_, View::Otp { complaint, .. }) = &mut shown {
            *complaint = Some(step_up::Complaint::NotSent);
        }
    }
    Ok(shown)
}

type WithSms = (Shown, Option<step_up::Sms>);

fn view(db: &mut Db, step: Step, id: &Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<WithSms, Fault> {
    let now = idp.clock.now();
    let elsewhere = |answer| Ok((Shown::Elsewhere(answer), None));
    let Some(open) = bound(db, id, browser, now)? else {
        return elsewhere(Answer::bare(Outcome::Shown(gone())));
    };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let request = match &open.destination {
        Destination::Client(request) => (**request).clone(),
        Destination::OwnPage(path) => return own_page(db, (step, id), path, session, idp),
    };
    let Some(client) = live_client(db, &request.client_id)? else {
        return elsewhere(Answer::bare(Outcome::Shown(gone())));
    };
    let setting = Setting {
        interaction: id.clone(),
        client: Some(Arc::clone(&client)),
        redirect_uri: Some(request.redirect_uri.clone()),
        ui_locales: request.ui_locales.clone(),
        service: request.service.clone(),
    };
    let pending = Pending::within(&open, request, client);
    let (decision, gathered) = decide(db, &open, &pending, session.clone(), idp)?;
    let pending = match (step, &decision) {
        (Step::Guardian, Next::Barred(Refusal::GuardianRequired)) => {
            match guardian::take_up(db, &open, pending, session.clone(), (browser, idp))? {
                Ok(answer) => return elsewhere(answer),
                Err(pending) => pending,
            }
        }
        _ => pending,
    };
    let mut sms = None;
    let view = match (step, decision) {
        (Step::SignIn, Next::SignIn { again }) => View::SignIn { again },
        // A holder who is told to go back may sign in as somebody else instead.
        (Step::SignIn, Next::Barred(_)) if session.is_none() => View::SignIn { again: false },
        // ND69 Art 14(2): the guardian confirms on this browser too, signed in as themself.
        (Step::SignIn, Next::Barred(Refusal::GuardianRequired)) => View::SignIn { again: false },
        (Step::Otp, Next::StepUp(_)) => {
            let Some(own) = &gathered.session else { return Err(Fault::broken("flow", "step-up without session")) };
            let (phone, complaint, message) = step_up::prepare(db, id, own.prover(), Some(&pending.client), idp)?;
            sms = message;
            View::Otp { phone, complaint }
        }
        (Step::Consent, Next::Consent(offer)) => {
            let Some(account) = &gathered.account else { return Err(Fault::broken("flow", "consent without account")) };
            let (values, holder) = previews(db, account, &offer, idp)?;
            let servers = resource::servers(db, &pending.request.resources, idp)?;
            View::Consent(Box::new(ConsentView { offer, values, holder, servers }))
        }
        (Step::Transaction, Next::Transaction) => {
            let Some(session) = &gathered.session else { return Err(Fault::broken("flow", "approval by nobody")) };
            let transaction = transaction::proposed(&pending.request, idp)?;
            transaction::note_shown(db, &open, (session, &pending.client), &transaction, idp)?;
            let (holder, _) = home::who(db, &session.account, idp)?;
            View::Transaction(Box::new(TransactionView { transaction, holder }))
        }
        (Step::Level, Next::Level(shortfall)) => {
            View::Level(shortfall, gathered.account.as_ref().map(|account| account.holder))
        }
        (Step::Represent, Next::Represent) => {
            let Some(person) = &gathered.account else { return Err(Fault::broken("flow", "nobody to act")) };
            let (own, _) = home::who(db, &person.id, idp)?;
            View::Represent { own, offered: acting::offered(db, person, &pending, idp)? }
        }
        (Step::Guardian, Next::Barred(Refusal::GuardianRequired)) => {
            View::Guardian(guardian::waiting(db, gathered.account.as_ref(), id, idp)?)
        }
        (step, Next::Barred(refusal)) if step == Step::of_refusal(refusal) => View::Barred(refusal),
        (_, Next::Barred(refusal)) => {
            return elsewhere(Answer::bare(Outcome::Page(Step::of_refusal(refusal), id.clone())));
        }
        _ => return elsewhere(authorize::settle(db, pending, session, browser, idp)?),
    };
    Ok((Shown::Page(setting, view), sms))
}

fn own_page(
    db: &mut Db,
    (step, id): (Step, &Id<Interaction>),
    path: &str,
    session: Option<Session>,
    idp: &Idp,
) -> Result<WithSms, Fault> {
    let elsewhere = |outcome| Ok((Shown::Elsewhere(Answer::bare(outcome)), None));
    let setting =
        Setting { interaction: id.clone(), client: None, redirect_uri: None, ui_locales: Vec::new(), service: None };
    // A session whose account may not act opens none of our pages either.
    let session = match session {
        Some(session) => home::stands(db, &session, idp.clock.now())?.map(|_| session),
        None => None,
    };
    let Some(session) = session else {
        return match step {
            Step::SignIn => Ok((Shown::Page(setting, View::SignIn { again: false }), None)),
            _ => elsewhere(Outcome::Page(Step::SignIn, id.clone())),
        };
    };
    if !wants_factor(db, path, &session)? {
        return elsewhere(Outcome::OwnPage(path.to_owned()));
    }
    if step != Step::Otp {
        return elsewhere(Outcome::Page(Step::Otp, id.clone()));
    }
    let (phone, complaint, sms) = step_up::prepare(db, id, session.prover(), None, idp)?;
    Ok((Shown::Page(setting, View::Otp { phone, complaint }), sms))
}

/// Whether one of our own pages asks for a second factor this session lacks and its holder has.
pub fn wants_factor(db: &mut Db, path: &str, session: &Session) -> Result<bool, Fault> {
    if path != CONFIRMATIONS || session.acquaintance.level() >= Some(AuthenticationLevel::Two) {
        return Ok(false);
    }
    Ok(store::account::find(db, session.prover())?.is_some_and(|account| account.has_phone))
}

/// The interaction, if it is open and this browser began it (`security.md` AZ-20).
pub fn bound(db: &mut Db, id: &Id<Interaction>, browser: &Browser, now: Moment) -> Result<Option<Interaction>, Fault> {
    let found = store::interaction::find(db, id)?;
    Ok(found.filter(|open| open.is_open(now) && browser.browser.as_ref() == Some(&open.browser)))
}

/// An interaction taken up by its own browser: the request, the session, and whose turn it is.
pub fn turn(
    db: &mut Db,
    id: &Id<Interaction>,
    browser: &Browser,
    idp: &Idp,
) -> Result<Option<(Pending, Option<Session>, Next)>, Fault> {
    let now = idp.clock.now();
    let Some(open) = bound(db, id, browser, now)? else { return Ok(None) };
    let Some(request) = open.request().cloned() else { return Ok(None) };
    let Some(client) = live_client(db, &request.client_id)? else { return Ok(None) };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let pending = Pending::within(&open, request, client);
    let next = where_now(db, &open, &pending, session.clone(), idp)?;
    Ok(Some((pending, session, next)))
}

/// What the rules say about an interaction now.
pub fn where_now(
    db: &mut Db,
    open: &Interaction,
    pending: &Pending,
    session: Option<Session>,
    idp: &Idp,
) -> Result<Next, Fault> {
    Ok(decide(db, open, pending, session, idp)?.0)
}

fn decide(
    db: &mut Db,
    open: &Interaction,
    pending: &Pending,
    session: Option<Session>,
    idp: &Idp,
) -> Result<(Next, Gathered), Fault> {
    let now = idp.clock.now();
    // Somebody proved a password here and may not act: there is no session, but they are told why.
    if let (None, Some(refused)) = (&session, &open.refused) {
        let account = store::account::find(db, refused)?;
        if let Err(refusal) = facts::standing(account.as_ref(), None, now) {
            return Ok((Next::Barred(refusal), Gathered { account, ..Gathered::default() }));
        }
    }
    let gathered = facts::gather(db, session, pending, now)?;
    Ok((gathered.next(pending, now), gathered))
}

/// The values behind an offer, so that the holder sees what would leave, and the name it is the record of.
fn previews(
    db: &mut Db,
    account: &Account,
    offer: &Offer,
    idp: &Idp,
) -> Result<(BTreeMap<ClaimName, Value>, String), Fault> {
    let mut wanted = offer.claims();
    let companions = ClaimName::all()
        .filter(|claim| claim.entry().with.and_then(ClaimName::find).is_some_and(|main| wanted.contains(&main)));
    wanted.extend(companions.collect::<Vec<_>>());
    let (mut values, mut holder) = (BTreeMap::new(), String::new());
    for kept in store::account::claims(db, &account.id)? {
        let is_name = kept.claim.as_str() == "name";
        if !is_name && !wanted.contains(&kept.claim) {
            continue;
        }
        let value = sealed::open_claim(&account.id, kept.claim, &kept.value, &idp.vault)?;
        if is_name {
            holder = value.as_str().unwrap_or_default().to_owned();
        }
        if wanted.contains(&kept.claim) {
            values.insert(kept.claim, value);
        }
    }
    Ok((values, holder))
}
