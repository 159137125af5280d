//! Step-up: the missing factor, a six-digit code of the authenticator app or one sent to the registered phone. One is sent
//! when the page first shows to somebody without an app, another only when asked for; a code works once, and one that was
//! sent only for the interaction and the purpose it was sent for.

use std::sync::Arc;

use serde_json::json;

use super::authorize::{Pending, gone, live_client};
use super::facts::{self, Limits};
use super::sent_code::{self, Purpose};
use super::{Answer, Browser, Cookies, Outcome, admit, brake, fresh, page, totp};
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::secret::{Minted, SessionCookie};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, Span};
use crate::factor::otp;
use crate::factor::throttle::{self, Counter};
use crate::idp::Idp;
use crate::protocol::authorize::fresh::Wanting;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What a code is for; a code of one purpose never serves another (`security.md` LG-13).
const PURPOSE: &str = "sign_in";
/// What a message names where one of our own pages asks.
const OURSELVES: &str = "VNeID";

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    Wrong,
    Expired,
    Wait(Span),
    /// No more codes for now: too many were sent.
    SendLimit(Span),
    /// The message could not be handed over.
    NotSent,
}

impl Complaint {
    /// As the trail names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Complaint::Wrong => "wrong",
            Complaint::Expired => "expired",
            Complaint::Wait(_) => "throttled",
            Complaint::SendLimit(_) => "send_limit",
            Complaint::NotSent => "not_sent",
        }
    }
}

/// A message to hand to the network once the transaction stands.
pub struct Sms {
    pub(super) to: String,
    pub(super) text: String,
}

pub enum Proved {
    Again(Complaint),
    Done(Answer),
}

/// Hands a message over. A failure is told to the holder, who can ask for another code.
pub async fn deliver(sms: Sms, idp: &Idp) -> Result<(), Fault> {
    idp.notice.send(&sms.to, &sms.text, idp.clock.now()).await
}

/// Which code is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Of the authenticator app.
    App,
    /// Sent to the phone.
    Sms,
}

impl Way {
    const fn factor(self) -> Factor {
        match self {
            Way::App => Factor::Totp,
            Way::Sms => Factor::SmsOtp,
        }
    }

    /// As addresses and forms name it.
    pub const fn name(self) -> &'static str {
        match self {
            Way::App => "app",
            Way::Sms => "sms",
        }
    }

    pub fn parse(name: &str) -> Option<Way> {
        [Way::App, Way::Sms].into_iter().find(|way| way.name() == name)
    }
}

/// What the page asks for.
#[derive(Debug)]
pub struct Asked {
    pub way: Way,
    /// Where a code was sent; the page masks it.
    pub phone: String,
    /// Everything the holder may choose from.
    pub ways: Vec<Factor>,
    pub complaint: Option<Complaint>,
}

/// Decides which code the page asks for. The app comes first where there is one, and then no message goes out unasked;
/// else the page's code is made when none was sent in this interaction yet.
pub fn prepare(
    db: &mut Db,
    (id, account, client): (&Id<Interaction>, &Id<Account>, Option<&Client>),
    (ways, wanted): (Vec<Factor>, Option<Way>),
    idp: &Idp,
) -> Result<(Asked, Option<Sms>), Fault> {
    let (app, phone) = (ways.contains(&Factor::Totp), ways.contains(&Factor::SmsOtp));
    let sent = store::otp::find_open(db, id, PURPOSE)?.is_some();
    if app && !(phone && sent && wanted == Some(Way::Sms)) {
        return Ok((Asked { way: Way::App, phone: String::new(), ways, complaint: None }, None));
    }
    let to = self::phone(db, account, idp)?;
    let asked = |complaint| Asked { way: Way::Sms, phone: to.clone(), ways, complaint };
    if sent {
        return Ok((asked(None), None));
    }
    match send(db, id, (account, to.clone()), client, idp)? {
        Ok(sms) => Ok((asked(None), Some(sms))),
        Err(complaint) => Ok((asked(Some(complaint)), None)),
    }
}

/// The holder asked for another code.
pub async fn resend(id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Proved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let sent = idp
        .store
        .transact(move |db| {
            let Some(turn) = turn(db, &id, &who, &this)? else {
                return Ok(Err(Proved::Done(Answer::bare(Outcome::Shown(gone())))));
            };
            if !turn.ways.contains(&Factor::SmsOtp) {
                let answer = Answer::bare(Outcome::Page(super::Step::Otp, id));
                return Ok(Err(Proved::Done(answer)));
            }
            let to = phone(db, turn.session.prover(), &this)?;
            let sent = send(db, &id, (turn.session.prover(), to), turn.client.as_deref(), &this)?;
            Ok(sent.map_err(Proved::Again).map(|sms| (sms, id)))
        })
        .await?;
    match sent {
        Ok((sms, id)) => {
            if let Err(fault) = deliver(sms, idp).await {
                tracing::error!(%fault, "otp.not_sent");
                return Ok(Proved::Again(Complaint::NotSent));
            }
            Ok(Proved::Done(Answer::bare(Outcome::Page(super::Step::Otp, id))))
        }
        Err(proved) => Ok(proved),
    }
}

/// A code as it was typed, and which one it is meant to be.
pub struct Typed {
    pub code: String,
    pub way: Way,
}

/// Evaluates one code.
pub async fn verify(id: Id<Interaction>, typed: Typed, browser: &Browser, idp: &Arc<Idp>) -> Result<Proved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(turn) = turn(db, &id, &who, &this)? else {
                return Ok(Proved::Done(Answer::bare(Outcome::Shown(gone()))));
            };
            let factor = typed.way.factor();
            if !turn.ways.contains(&factor) {
                return admit::go_on(db, turn.open, (turn.session, Cookies::default()), &who, &this).map(Proved::Done);
            }
            let account = turn.session.prover().clone();
            if let Some(complaint) = check(db, &id, &account, &typed, &this)? {
                this.metrics.sign_in(factor, "refused");
                let event = Event::new(Kind::OtpRefused, now)
                    .of(&account)
                    .within(&turn.session.id)
                    .with(json!({"factor": factor.name(), "reason": complaint.name()}));
                let event = asked_by(event, turn.client.as_deref());
                match complaint {
                    Complaint::Wait(_) => brake::note_stop(db, &counters(&account), &event, &this)?,
                    _ => store::trail::append(db, &event, &this.id()?)?,
                }
                return Ok(Proved::Again(complaint));
            }
            this.metrics.sign_in(factor, "ok");
            prove(db, turn, factor, &who, &this).map(Proved::Done)
        })
        .await
}

fn asked_by(event: Event, client: Option<&Client>) -> Event {
    match client {
        Some(client) => event.by(&client.id),
        None => event,
    }
}

/// An interaction whose browser has a session, with the factors that may be given now.
pub(super) struct Turn {
    pub(super) open: Interaction,
    pub(super) client: Option<Arc<Client>>,
    pub(super) session: Session,
    pub(super) ways: Vec<Factor>,
}

pub(super) fn turn(db: &mut Db, id: &Id<Interaction>, browser: &Browser, idp: &Idp) -> Result<Option<Turn>, Fault> {
    let now = idp.clock.now();
    let Some(open) = page::bound(db, id, browser, now)? else { return Ok(None) };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let Some(session) = session else { return Ok(None) };
    let request = match &open.destination {
        Destination::Client(request) => (**request).clone(),
        Destination::OwnPage(path) => {
            // Facts again: a lock may have been acknowledged while this waited.
            store::account::hold(db, &session.account, Hold::Shared)?;
            if store::session::find(db, &session.id)?.is_none_or(|fresh| fresh.ended_at.is_some()) {
                return Ok(None);
            }
            let ways = match fresh::on_the_way(db, path, Some(&session), idp)? {
                Wanting::StepUp(ways) => ways,
                _ => Vec::new(),
            };
            return Ok(Some(Turn { open, client: None, session, ways }));
        }
    };
    let Some(client) = live_client(db, &request.client_id)? else { return Ok(None) };
    let pending = Pending::within(&open, request, Arc::clone(&client));
    let ways = page::ways_now(db, &open, &pending, session.clone(), idp)?;
    Ok(Some(Turn { open, client: Some(client), session, ways }))
}

fn counters(account: &Id<Account>) -> [Counter; 1] {
    [throttle::otp(account.as_str(), PURPOSE)]
}

/// Charges the guess, then compares; the app's codes and those sent have one budget (`security.md` LG-10). `None`: the
/// code was right and is spent.
fn check(
    db: &mut Db,
    id: &Id<Interaction>,
    account: &Id<Account>,
    typed: &Typed,
    idp: &Idp,
) -> Result<Option<Complaint>, Fault> {
    sent_code::guess(db, (account, PURPOSE), idp, |db| match typed.way {
        Way::App => Ok((!totp::spend(db, account, &typed.code, idp)?).then_some(Complaint::Wrong)),
        Way::Sms => sent_code::spend(db, (id, PURPOSE), &typed.code, idp),
    })
}

/// The missing factor was proved: the session has it from now on, under a new cookie.
pub(super) fn prove(db: &mut Db, turn: Turn, factor: Factor, browser: &Browser, idp: &Idp) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let acquaintance = turn.session.acquaintance.clone().with(factor, now);
    if !store::session::rekey(db, &turn.session.id, &cookie.stored(), &acquaintance, now)? {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    }
    let prover = turn.session.prover().clone();
    let event =
        Event::new(Kind::StepUp, now).of(&prover).within(&turn.session.id).with(json!({"factor": factor.name()}));
    store::trail::append(db, &asked_by(event, turn.client.as_deref()), &idp.id()?)?;
    let cookies = Cookies { session: Some(cookie), ..Cookies::default() };
    store::interaction::confirm(db, &turn.open.id, &prover, now)?;
    let (proved_by, confirmed_at) = (Some(prover), Some(now));
    let open = Interaction { proved_by, confirmed_at, ..turn.open };
    let session = Session { acquaintance, seen_at: now, ..turn.session };
    admit::go_on(db, open, (session, cookies), browser, idp)
}

fn send(
    db: &mut Db,
    id: &Id<Interaction>,
    (account, to): (&Id<Account>, String),
    client: Option<&Client>,
    idp: &Idp,
) -> Result<Result<Sms, Complaint>, Fault> {
    let portal = client.map_or(OURSELVES, |client| &client.client_name.vi);
    let text = |code: &str| otp::text(code, portal, host(&idp.config.issuer));
    let purpose = Purpose { name: PURPOSE, client: client.map(|client| &client.id), text: &text };
    sent_code::send(db, id, (account, to), &purpose, idp)
}

pub(super) fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<String, Fault> {
    let sealed = store::account::credentials(db, account)?.and_then(|known| known.phone);
    let Some(sealed) = sealed else { return Err(Fault::broken("flow", "step-up without a phone")) };
    super::sealed::open_phone(account, &sealed, &idp.vault)
}

pub(super) fn host(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, host)| host)
}
