//! What a page of an interaction shows. Which page that is follows from the facts alone: a page asked for out of
//! turn leads on to the one whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Gathered, Limits};
use super::resource::{self, Server};
use super::{Answer, Browser, Outcome, Step, app, home, sealed, step_up, transaction};
use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::session::Session;
use crate::domain::transaction::Transaction;
use crate::domain::{Fault, Holder, Id, Moment};
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
    Barred(Step),
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
        Destination::OwnPage(path) => {
            let session = facts::acting(db, session, now)?;
            return own_page(step, id, path, (session, now));
        }
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
    let mut sms = None;
    let view = match (step, decision) {
        (Step::SignIn, Next::SignIn { again }) => View::SignIn { again },
        // A holder who is told to go back may sign in as somebody else instead.
        (Step::SignIn, Next::Barred(_)) if session.is_none() => View::SignIn { again: false },
        (Step::Otp, Next::StepUp(factor)) if Step::of_factor(factor) == Step::Otp => {
            let Some(account) = &gathered.account else { return Err(Fault::broken("flow", "step-up without account")) };
            let (phone, complaint, message) = step_up::prepare(db, id, &account.id, &pending.client, idp)?;
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
        (step, Next::Barred(refusal)) if step == Step::of_refusal(refusal) => View::Barred(step),
        (_, Next::Barred(refusal)) => {
            return elsewhere(Answer::bare(Outcome::Page(Step::of_refusal(refusal), id.clone())));
        }
        _ => return elsewhere(authorize::settle(db, pending, session, browser, idp)?),
    };
    Ok((Shown::Page(setting, view), sms))
}

fn own_page(
    step: Step,
    id: &Id<Interaction>,
    path: &str,
    (session, now): (Option<Session>, Moment),
) -> Result<WithSms, Fault> {
    if session.as_ref().is_some_and(|session| !app::device::is_stale(path, session, now)) {
        return Ok((Shown::Elsewhere(Answer::bare(Outcome::OwnPage(path.to_owned()))), None));
    }
    if step != Step::SignIn {
        return Ok((Shown::Elsewhere(Answer::bare(Outcome::Page(Step::SignIn, id.clone()))), None));
    }
    let setting =
        Setting { interaction: id.clone(), client: None, redirect_uri: None, ui_locales: Vec::new(), service: None };
    Ok((Shown::Page(setting, View::SignIn { again: session.is_some() }), None))
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
    let gathered = facts::gather(db, session, &pending.client, now)?;
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
