//! What a page of an interaction shows. Which page that is follows from the facts alone: a page asked for out of
//! turn leads on to the one whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::acting::{self, Offered};
use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Gathered, Limits};
use super::guardian::{self, Waiting};
use super::passkey_sign_in::{self, Offer as Challenge};
use super::resource::{self, Server};
use super::step_up::{Asked, Way};
use super::{Answer, Browser, Outcome, Step, fresh, home, sealed, step_up, transaction};
use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::session::Session;
use crate::domain::standing::Refusal;
use crate::domain::transaction::Transaction;
use crate::domain::{Factor, Fault, Holder, Id, Moment};
use crate::idp::Idp;
use crate::protocol::authorize::fresh::Wanting;
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
    SignIn { again: bool, passkey: Option<Challenge> },
    Otp(Box<Asked>),
    Passkey { challenge: Challenge, ways: Vec<Factor> },
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

/// Shows the page `step`, or leads on. `way`: which code the holder chose to give.
pub async fn show(
    (step, way): (Step, Option<Way>),
    id: Id<Interaction>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (mut shown, sms) = idp.store.transact(move |db| view(db, (step, way), &id, &who, &this)).await?;
    if let Some(sms) = sms
        && let Err(fault) = step_up::deliver(sms, idp).await
    {
        tracing::error!(%fault, "otp.not_sent");
        if let Shown::Page(_, View::Otp(asked)) = &mut shown {
            asked.complaint = Some(step_up::Complaint::NotSent);
        }
    }
    Ok(shown)
}

type WithSms = (Shown, Option<step_up::Sms>);

fn view(
    db: &mut Db,
    (step, way): (Step, Option<Way>),
    id: &Id<Interaction>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<WithSms, Fault> {
    let now = idp.clock.now();
    let elsewhere = |answer| Ok((Shown::Elsewhere(answer), None));
    let Some(open) = bound(db, id, browser, now)? else {
        return elsewhere(Answer::bare(Outcome::Shown(gone())));
    };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let request = match &open.destination {
        Destination::Client(request) => (**request).clone(),
        Destination::OwnPage(path) => return own_page(db, (step, way), (&open, path), session, idp),
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
        (Step::SignIn, Next::SignIn { again }) => sign_in(db, &open, again, idp)?,
        // A holder who is told to go back may sign in as somebody else instead.
        (Step::SignIn, Next::Barred(_)) if session.is_none() => sign_in(db, &open, false, idp)?,
        // ND69 Art 14(2): the guardian confirms on this browser too, signed in as themself.
        (Step::SignIn, Next::Barred(Refusal::GuardianRequired)) => sign_in(db, &open, false, idp)?,
        (Step::SignIn | Step::Otp | Step::Passkey, Next::StepUp(_)) => {
            let Some(own) = &gathered.session else { return Err(Fault::broken("flow", "step-up without session")) };
            let ways = gathered.choices(&pending, now);
            let asking = Asking { open: &open, account: own.prover(), client: Some(&pending.client), ways };
            match step_up_page(db, (step, way), asking, idp)? {
                Some((view, message)) => {
                    sms = message;
                    view
                }
                None => return elsewhere(authorize::settle(db, pending, session, browser, idp)?),
            }
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

/// The sign-in page, with a challenge for a passkey.
fn sign_in(db: &mut Db, open: &Interaction, again: bool, idp: &Idp) -> Result<View, Fault> {
    Ok(View::SignIn { again, passkey: passkey_sign_in::offer(db, open, idp)? })
}

/// What is asked of whom, where a factor is missing.
struct Asking<'a> {
    open: &'a Interaction,
    account: &'a Id<Account>,
    /// `None` on the way to one of our own pages.
    client: Option<&'a Client>,
    ways: Vec<Factor>,
}

/// The page of a missing factor, if it can be given there.
fn step_up_page(
    db: &mut Db,
    (step, way): (Step, Option<Way>),
    asking: Asking<'_>,
    idp: &Idp,
) -> Result<Option<(View, Option<step_up::Sms>)>, Fault> {
    let Asking { open, account, client, ways } = asking;
    if !ways.iter().any(|factor| Step::of_factor(*factor) == step) {
        return Ok(None);
    }
    match step {
        Step::SignIn => Ok(Some((sign_in(db, open, true, idp)?, None))),
        Step::Passkey => {
            let challenge = passkey_sign_in::offer_step_up(db, open, account, idp)?;
            Ok(challenge.map(|challenge| (View::Passkey { challenge, ways }, None)))
        }
        _ => {
            let (asked, sms) = step_up::prepare(db, (&open.id, account, client), (ways, way), idp)?;
            Ok(Some((View::Otp(Box::new(asked)), sms)))
        }
    }
}

fn own_page(
    db: &mut Db,
    (step, way): (Step, Option<Way>),
    (open, path): (&Interaction, &str),
    session: Option<Session>,
    idp: &Idp,
) -> Result<WithSms, Fault> {
    let setting = Setting {
        interaction: open.id.clone(),
        client: None,
        redirect_uri: None,
        ui_locales: Vec::new(),
        service: None,
    };
    // Somebody proved a password here and may not act: they are told why, as on the way to a portal.
    if let Some(refused) = open.refused.as_ref().filter(|_| session.is_none() && step != Step::SignIn) {
        let account = store::account::find(db, refused)?;
        if let Err(refusal) = facts::standing(account.as_ref(), None, idp.clock.now()) {
            let reason = Step::of_refusal(refusal);
            if step == reason {
                return Ok((Shown::Page(setting, View::Barred(refusal)), None));
            }
            return Ok((Shown::Elsewhere(Answer::bare(Outcome::Page(reason, open.id.clone()))), None));
        }
    }
    let wanting = fresh::on_the_way(db, path, session.as_ref(), idp)?;
    match (&wanting, step) {
        (Wanting::SignIn { again }, Step::SignIn) => {
            return Ok((Shown::Page(setting, sign_in(db, open, *again, idp)?), None));
        }
        (Wanting::StepUp(ways), Step::SignIn | Step::Otp | Step::Passkey) => {
            let Some(session) = &session else { return Err(Fault::broken("flow", "step-up of nobody")) };
            let asking = Asking { open, account: &session.account, client: None, ways: ways.clone() };
            if let Some((view, sms)) = step_up_page(db, (step, way), asking, idp)? {
                return Ok((Shown::Page(setting, view), sms));
            }
        }
        _ => {}
    }
    Ok((Shown::Elsewhere(Answer::bare(fresh::outcome(&wanting, path, &open.id))), None))
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

/// The factors that may be given now, if one is missing.
pub fn ways_now(
    db: &mut Db,
    open: &Interaction,
    pending: &Pending,
    session: Session,
    idp: &Idp,
) -> Result<Vec<Factor>, Fault> {
    let (next, gathered) = decide(db, open, pending, Some(session), idp)?;
    let missing = matches!(next, Next::StepUp(_));
    Ok(if missing { gathered.choices(pending, idp.clock.now()) } else { Vec::new() })
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
