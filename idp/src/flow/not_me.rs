//! «Không phải tôi»: the holder points at a session, a release or a device that is not theirs. What it issued ends, the
//! portals it reached are told, the device is forgotten, and a case is opened that operators answer.

use std::sync::Arc;

use serde_json::json;

use super::Browser;
use super::facts::{self, Limits};
use super::notices;
use super::outbox::{self, Occasion};
use crate::domain::account::Account;
use crate::domain::case::{About, Case, Step, Taken, number};
use crate::domain::grant::Grant;
use crate::domain::holder_notice::News;
use crate::domain::outbox::Cause;
use crate::domain::secret::{DeviceCookie, Stored};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Client, Fault, Id, Span};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// How far back the portals a device reached are told.
const WINDOW: Span = Span::days(90);

/// What the holder points at, as the page named it.
#[derive(Clone, Debug)]
pub enum Pointed {
    Session(Id<Session>),
    /// By the grant it left under.
    Release(Id<Grant>),
    /// By its handle.
    Device(String),
}

pub enum Reported {
    Case(Id<Case>),
    /// It was not found: ended and swept, or never the holder's.
    Nothing,
    SignInFirst,
}

/// A name for a device that leaves our house; the digest of its cookie does not.
pub fn handle(device: &Stored<DeviceCookie>, idp: &Idp) -> String {
    idp.vault.blind_index("device", device.as_str()).as_str().to_owned()
}

/// One report, in one transaction.
pub async fn report(pointed: Pointed, browser: &Browser, idp: &Arc<Idp>) -> Result<Reported, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let reported = idp
        .store
        .transact(move |db| {
            let Some(here) = standing(db, &who, &this)? else { return Ok(Reported::SignInFirst) };
            store::account::hold(db, &here.account, Hold::Alone)?;
            let Some(target) = target(db, &here, pointed, &this)? else { return Ok(Reported::Nothing) };
            carry_out(db, &here, target, &who, &this)
        })
        .await?;
    idp.desk.ring();
    Ok(reported)
}

/// What is to be ended.
struct Target {
    about: About,
    subject: String,
    /// Each session, with the one client where only what that client got is meant.
    sessions: Vec<(Session, Option<Id<Client>>)>,
    device: Option<Stored<DeviceCookie>>,
}

fn target(db: &mut Db, here: &Session, pointed: Pointed, idp: &Idp) -> Result<Option<Target>, Fault> {
    let mine = |session: &Session| session.account == here.account;
    Ok(match pointed {
        Pointed::Session(id) => {
            let found = store::session::find(db, &id)?.filter(mine).filter(|session| session.id != here.id);
            let Some(session) = found else { return Ok(None) };
            let device = store::session::device(db, &session.id)?;
            let subject = session.id.to_string();
            Some(Target { about: About::Session, subject, sessions: vec![(session, None)], device })
        }
        Pointed::Release(id) => {
            let Some(grant) = store::grant::find(db, &id)? else { return Ok(None) };
            let Some(holder) = grant.holder().filter(|holder| holder.account == here.account) else { return Ok(None) };
            let Some(session) = store::session::find(db, &holder.session)?.filter(mine) else { return Ok(None) };
            // Whoever reports from the very session keeps it; only what that portal got from it ends.
            let own = session.id == here.id;
            let device = if own { None } else { store::session::device(db, &session.id)? };
            let only = own.then(|| grant.client.clone());
            Some(Target { about: About::Release, subject: id.to_string(), sessions: vec![(session, only)], device })
        }
        Pointed::Device(handle_given) => {
            let known = store::device::of_account(db, &here.account)?;
            let Some(device) =
                known.into_iter().map(|known| known.cookie).find(|cookie| handle(cookie, idp) == handle_given)
            else {
                return Ok(None);
            };
            let since = idp.clock.now() - WINDOW;
            let sessions = store::session::of_device(db, &here.account, &device, since)?;
            let sessions =
                sessions.into_iter().filter(|session| session.id != here.id).map(|one| (one, None)).collect();
            Some(Target { about: About::Device, subject: handle_given, sessions, device: Some(device) })
        }
    })
}

fn carry_out(db: &mut Db, here: &Session, target: Target, browser: &Browser, idp: &Idp) -> Result<Reported, Fault> {
    let (now, account) = (idp.clock.now(), &here.account);
    let fresh = number(idp.random.bytes()?);
    let (case, new) = store::case::open(db, &fresh, account, (target.about, &target.subject), now)?;
    let occasion = Occasion { name: case.as_str(), cause: Cause::NotMe, at: now };
    let (mut ended, mut grants) = (0_usize, 0);
    for (session, only) in &target.sessions {
        grants += store::grant::revoke_issued_in(db, account, &session.id, only.as_ref(), (now, Cause::NotMe.name()))?;
        match only {
            Some(client) => outbox::client_ended(db, account, client, occasion)?,
            None => {
                outbox::session_ended(db, session, occasion)?;
                ended += usize::from(store::session::end(db, &session.id, now)?);
            }
        }
    }
    let forgotten = match target.device.filter(|device| browser.device.as_ref() != Some(device)) {
        Some(device) => store::device::forget(db, &device, account)?,
        None => false,
    };
    if new {
        let opened = Taken { step: Step::Opened, at: now, by: None, note: None };
        store::case::take(db, &case, &opened)?;
        notices::put(db, &idp.id()?, (account, News::CaseOpened(case.clone())), now)?;
    }
    let detail = json!({
        "case": case, "about": target.about.name(), "new": new,
        "sessions": ended, "grants": grants, "device_forgotten": forgotten,
    });
    let event = Event::new(Kind::CaseOpened, now).of(account).within(&here.id).with(detail);
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Reported::Case(case))
}

/// One device is no longer known: a sign-in from it counts as a stranger's. Its sessions are ended on their own.
pub async fn forget(handle_given: String, browser: &Browser, idp: &Arc<Idp>) -> Result<bool, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some(here) = standing(db, &who, &this)? else { return Ok(false) };
            let known = store::device::of_account(db, &here.account)?;
            let found = known.into_iter().find(|known| handle(&known.cookie, &this) == handle_given);
            let Some(found) = found else { return Ok(false) };
            if !store::device::forget(db, &found.cookie, &here.account)? {
                return Ok(false);
            }
            let agent = found.agent.as_ref().map(crate::domain::agent::Agent::as_str);
            let event = Event::new(Kind::DeviceForgotten, this.clock.now())
                .of(&here.account)
                .within(&here.id)
                .with(json!({"agent": agent}));
            store::trail::append(db, &event, &this.id()?)?;
            Ok(true)
        })
        .await
}

fn standing(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<Option<Session>, Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let Some(session) = session else { return Ok(None) };
    let account: Option<Account> = store::account::find(db, &session.account)?;
    Ok(facts::standing(account.as_ref(), None, now).is_ok().then_some(session))
}
