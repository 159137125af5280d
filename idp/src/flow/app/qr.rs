//! The screen's side of a QR code: the ticket a sign-in page shows, what became of it, and going on once the app
//! approved it. Going on happens in the browser's own request, so that the session's cookie reaches that browser alone
//! (`security.md` LG-31).

use std::sync::Arc;

use serde_json::json;

use super::device::is_stale;
use crate::domain::app::{Ending, Place, Screen, Ticket, Unlock};
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::secret::{AppTicket, Minted};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Account, AuthenticationLevel, Factor, Fault, Id};
use crate::flow::admit::{self, Proof};
use crate::flow::authorize::{Pending, gone};
use crate::flow::facts::{self, Limits};
use crate::flow::page::{self, Setting};
use crate::flow::{Answer, Browser, Outcome, Step, authorize, sealed};
use crate::idp::Idp;
use crate::protocol::authorize::next::Next;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the page says of its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// To be scanned.
    Waiting,
    /// A phone has it.
    Scanned,
    /// It was answered, and the browser goes on.
    Approved,
    /// The holder said no, the number was wrong too often, or it cannot be answered any more.
    Over(Ending),
    /// Nobody answered in time.
    Late,
}

impl Stage {
    fn of(ticket: &Ticket, idp: &Idp) -> Stage {
        let late = idp.clock.now() >= ticket.expires_at;
        match (ticket.ended, &ticket.factors) {
            (Some(ending), _) => Stage::Over(ending),
            (None, _) if late => Stage::Late,
            (None, Some(_)) => Stage::Approved,
            (None, None) if ticket.device.is_some() => Stage::Scanned,
            (None, None) => Stage::Waiting,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Scanned => "scanned",
            Stage::Approved => "approved",
            Stage::Over(Ending::Declined) => "declined",
            Stage::Over(Ending::Guessed) => "guessed",
            Stage::Over(_) => "over",
            Stage::Late => "late",
        }
    }
}

pub struct View {
    /// What the code holds: the app refuses one that is not of our origin.
    pub payload: String,
    pub number: String,
    pub stage: Stage,
    /// Another phone scanned it too.
    pub contested: bool,
    pub seconds_left: i64,
    /// A level the app is asked for, with the unlock that reaches it; `None` at a first sign-in.
    pub needed: Option<(AuthenticationLevel, &'static [Unlock])>,
    /// Signing in by password is possible as well.
    pub may_type: bool,
}

pub enum Shown {
    Page(Setting, Box<View>),
    Elsewhere(Answer),
}

/// Who looks at the page.
pub struct Viewer<'a> {
    pub browser: &'a Browser,
    pub place: Place,
    /// As people call it.
    pub agent: String,
}

/// Shows the page with a ticket that can be scanned, or goes on where one was approved. `renew`: the person asked for
/// another code.
pub async fn show(id: Id<Interaction>, viewer: Viewer<'_>, renew: bool, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), viewer.browser.clone());
    let (place, agent) = (viewer.place, viewer.agent);
    idp.store
        .transact(move |db| {
            let turn = match turn(db, &id, &who, &this)? {
                Ok(turn) => turn,
                Err(answer) => return Ok(Shown::Elsewhere(answer)),
            };
            let newest = store::app::newest(db, &id)?;
            if let Some(ticket) = &newest
                && let Some(factors) = ticket.approved(this.clock.now()).map(<[Factor]>::to_vec)
                && let Some(answer) = go_on(db, &turn, (ticket, &factors), &who, &this)?
            {
                return Ok(Shown::Elsewhere(answer));
            }
            let kept = newest.filter(|ticket| !renew && !is_worn(ticket, &this));
            let ticket = match kept {
                Some(ticket) => ticket,
                None => make(db, &turn, (place, agent), &this)?,
            };
            Ok(Shown::Page(turn.setting.clone(), Box::new(view(&ticket, &turn, &this)?)))
        })
        .await
}

/// What became of the newest ticket, for a page that asks. Reads and nothing else.
pub async fn stage(id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Option<(Stage, bool)>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .read(move |db| {
            if page::bound(db, &id, &who, this.clock.now())?.is_none() {
                return Ok(None);
            }
            let newest = store::app::newest(db, &id)?;
            Ok(newest.map(|ticket| (Stage::of(&ticket, &this), ticket.contested)))
        })
        .await
}

/// Whether a fresh one is shown without being asked for: nobody scanned it, and it can be scanned no more.
fn is_worn(ticket: &Ticket, idp: &Idp) -> bool {
    match Stage::of(ticket, idp) {
        Stage::Late => ticket.device.is_none(),
        Stage::Over(ending) => ending == Ending::Taken,
        _ => false,
    }
}

struct Turn {
    open: Interaction,
    setting: Setting,
    /// Whose session the app adds to; `None` where it signs in.
    own: Option<Id<Account>>,
    proved: Vec<Factor>,
    needed: Option<(AuthenticationLevel, &'static [Unlock])>,
    may_type: bool,
}

/// Whether the app is what may come next, or where to go instead.
fn turn(db: &mut Db, id: &Id<Interaction>, browser: &Browser, idp: &Idp) -> Result<Result<Turn, Answer>, Fault> {
    let now = idp.clock.now();
    let Some(open) = page::bound(db, id, browser, now)? else {
        return Ok(Err(Answer::bare(Outcome::Shown(gone()))));
    };
    if let Destination::OwnPage(path) = &open.destination {
        let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
        let session = facts::acting(db, session, now)?;
        if session.is_some_and(|session| !is_stale(path, &session, now)) {
            return Ok(Err(Answer::bare(Outcome::OwnPage(path.clone()))));
        }
        return Ok(Ok(Turn {
            setting: own_setting(id),
            open,
            own: None,
            proved: vec![],
            needed: None,
            may_type: true,
        }));
    }
    let Some((pending, session, next)) = page::turn(db, id, browser, idp)? else {
        return Ok(Err(Answer::bare(Outcome::Shown(gone()))));
    };
    let setting = Setting {
        client: Some(Arc::clone(&pending.client)),
        redirect_uri: Some(pending.request.redirect_uri.clone()),
        ui_locales: pending.request.ui_locales.clone(),
        service: pending.request.service.clone(),
        ..own_setting(id)
    };
    match (next, session) {
        (Next::SignIn { .. }, _) | (Next::Barred(_), None) => {
            Ok(Ok(Turn { open, setting, own: None, proved: vec![], needed: None, may_type: true }))
        }
        (Next::StepUp(factor), Some(session)) => step_up(db, (open, setting), (pending, session, factor), browser, idp),
        (_, session) => authorize::settle(db, pending, session, browser, idp).map(Err),
    }
}

/// A bound app may give whatever factor is missing; without one the page of that factor is the place to be.
fn step_up(
    db: &mut Db,
    (open, setting): (Interaction, Setting),
    (pending, session, factor): (Pending, Session, Factor),
    browser: &Browser,
    idp: &Idp,
) -> Result<Result<Turn, Answer>, Fault> {
    let now = idp.clock.now();
    let gathered = facts::gather(db, Some(session.clone()), &pending, now)?;
    let proved = gathered.proved(&pending, now);
    let wanted = gathered.aim(&pending, now);
    let Some(account) = gathered.prover.or(gathered.account).filter(|account| account.has_app) else {
        return authorize::settle(db, pending, Some(session), browser, idp).map(Err);
    };
    let unlock = Unlock::towards(wanted, &proved);
    let needed = wanted.map(|wanted| (wanted, unlock));
    let may_type = Step::of_factor(factor) != Step::Qr;
    Ok(Ok(Turn { open, setting, own: Some(account.id), proved, needed, may_type }))
}

fn own_setting(id: &Id<Interaction>) -> Setting {
    Setting { interaction: id.clone(), client: None, redirect_uri: None, ui_locales: Vec::new(), service: None }
}

/// An approval becomes this browser's sign-in, once.
fn go_on(
    db: &mut Db,
    turn: &Turn,
    (ticket, factors): (&Ticket, &[Factor]),
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Option<Answer>, Fault> {
    let now = idp.clock.now();
    let Some(account) = &ticket.account else { return Err(Fault::broken("flow", "an approval by nobody")) };
    store::account::hold(db, account, Hold::Shared)?;
    let is_own = turn.own.as_ref().is_none_or(|own| own == account);
    if !is_own || !store::app::take(db, &ticket.id, now)? {
        return Ok(None);
    }
    // The device may have been removed since it approved.
    let device = store::app::bound(db, account)?.filter(|bound| ticket.device.as_ref() == Some(&bound.id));
    let (Some(account), Some(_)) = (store::account::find(db, account)?, device) else { return Ok(None) };
    if turn.own.is_some() {
        let event = Event::new(Kind::StepUp, now)
            .of(&account.id)
            .with(json!({"factor": factors.iter().map(|factor| factor.name()).collect::<Vec<_>>().join("+")}));
        store::trail::append(db, &event, &idp.id()?)?;
    }
    let proof = Proof { account: &account, factors };
    admit::admit(db, turn.open.clone(), &proof, browser, idp).map(Some)
}

/// A fresh ticket in place of the one before.
fn make(db: &mut Db, turn: &Turn, (place, browser): (Place, String), idp: &Idp) -> Result<Ticket, Fault> {
    let now = idp.clock.now();
    let secret: Minted<AppTicket> = idp.random.mint()?;
    let number: [u8; 4] = idp.random.bytes()?;
    let number = format!("{:02}", u32::from_le_bytes(number) % 100);
    let screen = Screen { ticket: secret.reveal().to_owned(), number, place, browser, proved: turn.proved.clone() };
    let id: Id<Ticket> = idp.id()?;
    let ticket = Ticket {
        screen: sealed::screen(&id, &screen, &idp.vault)?,
        id,
        interaction: turn.open.id.clone(),
        account: turn.own.clone(),
        device: None,
        challenge: None,
        contested: false,
        tries: 0,
        factors: None,
        expires_at: now + idp.config.lifetimes.app_ticket,
        ended: None,
    };
    store::app::show(db, &ticket, &secret.stored(), now)?;
    // Another tab may have been first.
    store::app::newest(db, &ticket.interaction)?.ok_or_else(|| Fault::broken("flow", "a ticket vanished"))
}

fn view(ticket: &Ticket, turn: &Turn, idp: &Idp) -> Result<View, Fault> {
    let screen = sealed::open_screen(ticket, &idp.vault)?;
    Ok(View {
        payload: format!("{}/app#{}", idp.config.issuer, screen.ticket),
        number: screen.number,
        stage: Stage::of(ticket, idp),
        contested: ticket.contested,
        seconds_left: ticket.expires_at.since(idp.clock.now()).as_seconds(),
        needed: turn.needed,
        may_type: turn.may_type,
    })
}
