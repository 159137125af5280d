//! Step-up: the missing factor, a six-digit code sent to the registered phone. One code is sent when the page first
//! shows, another only when asked for; a code works once, for the interaction and the purpose it was sent for.

use std::sync::Arc;

use serde_json::json;

use super::authorize::{Pending, gone, live_client};
use super::facts::{self, Limits};
use super::{Answer, Browser, Cookies, Outcome, admit, brake, home, page};
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::secret::{Minted, Otp, SessionCookie, Stored};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, Span};
use crate::factor::otp::{self, Sends};
use crate::factor::throttle::{self, Counter, Verdict};
use crate::idp::Idp;
use crate::protocol::authorize::next::Next;
use crate::store::{self, Db};

/// What a code is for; a code of one purpose never serves another (`security.md` LG-13).
const PURPOSE: &str = "sign_in";
/// What the message calls our own page.
const OWN_PAGE: &str = "Danh tính của tôi";

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
    const fn name(self) -> &'static str {
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
    to: String,
    text: String,
}

pub enum Proved {
    Again(Complaint),
    Done(Answer),
}

/// Hands a message over. A failure is told to the holder, who can ask for another code.
pub async fn deliver(sms: Sms, idp: &Idp) -> Result<(), Fault> {
    idp.notice.send(&sms.to, &sms.text, idp.clock.now()).await
}

/// Makes the page's code when none was sent in this interaction yet. Gives the phone it goes to; the page masks it.
pub fn prepare(
    db: &mut Db,
    id: &Id<Interaction>,
    account: &Id<Account>,
    client: Option<&Client>,
    idp: &Idp,
) -> Result<(String, Option<Complaint>, Option<Sms>), Fault> {
    let to = phone(db, account, idp)?;
    if store::otp::find_open(db, id, PURPOSE)?.is_some() {
        return Ok((to, None, None));
    }
    match send(db, id, (account, to.clone()), client, idp)? {
        Ok(sms) => Ok((to, None, Some(sms))),
        Err(complaint) => Ok((to, Some(complaint), None)),
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
            if !turn.expected {
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

/// Evaluates one code.
pub async fn verify(id: Id<Interaction>, code: String, browser: &Browser, idp: &Arc<Idp>) -> Result<Proved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(turn) = turn(db, &id, &who, &this)? else {
                return Ok(Proved::Done(Answer::bare(Outcome::Shown(gone()))));
            };
            if !turn.expected {
                return admit::go_on(db, turn.open, (turn.session, Cookies::default()), &who, &this).map(Proved::Done);
            }
            let account = turn.session.prover().clone();
            if let Some(complaint) = check(db, &id, &account, &code, &this)? {
                this.metrics.sign_in(Factor::SmsOtp, "refused");
                let event = Event::new(Kind::OtpRefused, now)
                    .of(&account)
                    .within(&turn.session.id)
                    .with(json!({"reason": complaint.name()}));
                let event = by(event, turn.client.as_deref());
                match complaint {
                    Complaint::Wait(_) => brake::note_stop(db, &counters(&account), Some(event), &this)?,
                    _ => store::trail::append(db, &event, &this.id()?)?,
                }
                return Ok(Proved::Again(complaint));
            }
            this.metrics.sign_in(Factor::SmsOtp, "ok");
            prove(db, turn, &who, &this).map(Proved::Done)
        })
        .await
}

/// An interaction whose browser has a session, with whether a code is what comes next.
struct Turn {
    open: Interaction,
    /// `None` on the way to one of our own pages.
    client: Option<Arc<Client>>,
    session: Session,
    expected: bool,
}

fn by(event: Event, client: Option<&Client>) -> Event {
    match client {
        Some(client) => event.by(&client.id),
        None => event,
    }
}

fn turn(db: &mut Db, id: &Id<Interaction>, browser: &Browser, idp: &Idp) -> Result<Option<Turn>, Fault> {
    let now = idp.clock.now();
    let Some(open) = page::bound(db, id, browser, now)? else { return Ok(None) };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let Some(session) = session else { return Ok(None) };
    let request = match &open.destination {
        Destination::Client(request) => (**request).clone(),
        Destination::OwnPage(path) => {
            let expected = home::stands(db, &session, now)?.is_some() && page::wants_factor(db, path, &session)?;
            return Ok(Some(Turn { open, client: None, session, expected }));
        }
    };
    let Some(client) = live_client(db, &request.client_id)? else { return Ok(None) };
    let pending = Pending::within(&open, request, client);
    let next = page::where_now(db, &open, &pending, Some(session.clone()), idp)?;
    let expected = matches!(next, Next::StepUp(Factor::SmsOtp));
    Ok(Some(Turn { open, client: Some(pending.client), session, expected }))
}

fn counters(account: &Id<Account>) -> [Counter; 1] {
    [throttle::otp(account.as_str(), PURPOSE)]
}

/// Charges the guess, then compares. `None`: the code was right and is spent.
fn check(
    db: &mut Db,
    id: &Id<Interaction>,
    account: &Id<Account>,
    code: &str,
    idp: &Idp,
) -> Result<Option<Complaint>, Fault> {
    let now = idp.clock.now();
    let counter = counters(account);
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        return Ok(Some(Complaint::Wait(span)));
    }
    brake::count(db, &counter, idp)?;
    let Some(challenge) = store::otp::find_open(db, id, PURPOSE)? else { return Ok(Some(Complaint::Expired)) };
    if now >= challenge.expires_at {
        return Ok(Some(Complaint::Expired));
    }
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digest(id, &digits, idp) != challenge.code {
        return Ok(Some(Complaint::Wrong));
    }
    // Affected rows decide: the same code posted twice at once proves the factor once.
    if !store::otp::spend(db, &challenge.id, now)? {
        return Ok(Some(Complaint::Expired));
    }
    for counter in &counter {
        store::throttle::clear(db, &counter.key)?;
    }
    Ok(None)
}

fn prove(db: &mut Db, turn: Turn, browser: &Browser, idp: &Idp) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let acquaintance = turn.session.acquaintance.clone().with(Factor::SmsOtp, now);
    if !store::session::rekey(db, &turn.session.id, &cookie.stored(), &acquaintance, now)? {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    }
    let prover = turn.session.prover().clone();
    let event = Event::new(Kind::StepUp, now)
        .of(&prover)
        .within(&turn.session.id)
        .with(json!({"factor": Factor::SmsOtp.name()}));
    store::trail::append(db, &by(event, turn.client.as_deref()), &idp.id()?)?;
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
    let now = idp.clock.now();
    let sent = Sends {
        burst: store::otp::sent_since(db, account, now - Sends::BURST)?,
        quarter_hour: store::otp::sent_since(db, account, now - Sends::QUARTER_HOUR)?,
        day: store::otp::sent_since(db, account, now - Sends::DAY)?,
    };
    let limits = &idp.config.limits;
    let most = Sends {
        burst: limits.otp_sends_per_10_seconds,
        quarter_hour: limits.otp_sends_per_quarter_hour,
        day: limits.otp_sends_per_day,
    };
    if let Verdict::Wait(span) = otp::may_send(sent, most) {
        return Ok(Err(Complaint::SendLimit(span)));
    }
    let code: Minted<Otp> = Minted::from_text(idp.random.six_digits()?);
    let text = otp::text(
        code.reveal(),
        client.map_or(OWN_PAGE, |client| client.client_name.vi.as_str()),
        host(&idp.config.issuer),
    );
    let challenge = store::otp::Challenge {
        id: idp.id()?,
        interaction: id.clone(),
        account: account.clone(),
        purpose: PURPOSE.to_owned(),
        code: digest(id, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::otp::put(db, &challenge)?;
    let event = Event::new(Kind::OtpSent, now).of(account).with(json!({"purpose": PURPOSE}));
    store::trail::append(db, &by(event, client), &idp.id()?)?;
    Ok(Ok(Sms { to, text }))
}

/// Six digits are too few to keep under a plain digest: the key of the vault goes into it.
fn digest(id: &Id<Interaction>, code: &str, idp: &Idp) -> Stored<Otp> {
    Stored::from_store(idp.vault.blind_index("otp", &format!("{id}/{code}")).as_str().to_owned())
}

fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<String, Fault> {
    let sealed = store::account::credentials(db, account)?.and_then(|known| known.phone);
    let Some(sealed) = sealed else { return Err(Fault::broken("flow", "step-up without a phone")) };
    super::sealed::open_phone(account, &sealed, &idp.vault)
}

fn host(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, host)| host)
}
