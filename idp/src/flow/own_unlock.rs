//! The holder opens their own account again. It is locked, so there is no session and none is opened: the interaction
//! of this one page remembers that its browser gave the right password, and a code sent to the phone completes it.
//! Nothing else can be reached from here, and `may_act` says no everywhere until the ground is gone.

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::authorize::open_interaction;
use super::eid_lock::{Act, Ids, Turn, turn};
use super::operator::Verdict;
use super::sent_code::{self, Purpose};
use super::sign_in::{self, Evaluated, Typed, evaluate, proved};
use super::step_up::{self, Sms};
use super::{Browser, Cookies, brake, page};
use crate::domain::account::Account;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::session::{FRESH_FOR, Fresh};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, PersonNumber};
use crate::factor::{otp, password, throttle};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// The page's own path.
pub const PAGE: &str = "/unlock";
/// A code sent for this opens nothing else, and no other code opens this (`security.md` LG-13).
const PURPOSE: &str = "unlock";
const ACT: &str = "mo khoa tai khoan dinh danh dien tu";

/// Why nothing can be opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// There is nothing to open.
    NotLocked,
    /// Locked, but not because the holder asked.
    OtherGround,
    /// No phone to send a code to.
    NoPhone,
}

impl Stop {
    const fn name(self) -> &'static str {
        match self {
            Stop::NotLocked => "not_locked",
            Stop::OtherGround => "other_ground",
            Stop::NoPhone => "no_phone",
        }
    }
}

#[derive(Debug)]
pub enum View {
    Password,
    /// With the phone; the page masks it.
    Code(String, Option<step_up::Complaint>),
    Stopped(Stop),
    /// Opened, and whether other grounds keep the account locked.
    Opened {
        still_locked: bool,
    },
}

pub enum Shown {
    Page(View),
    /// To this interaction's own address first.
    Begin(Id<Interaction>, Cookies),
}

/// The page as its interaction stands; without one that can go on, a new one.
pub async fn show(id: Option<Id<Interaction>>, browser: &Browser, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (shown, sms) = idp
        .store
        .transact(move |db| {
            if let Some(id) = id
                && let Some(open) = under_way(db, &id, &who, &this)?
            {
                let (view, sms) = view(db, &open, &this)?;
                return Ok((Shown::Page(view), sms));
            }
            let (id, minted) = open_interaction(db, Destination::OwnPage(PAGE.to_owned()), &who, &this)?;
            Ok((Shown::Begin(id, Cookies { browser: minted, ..Cookies::default() }), None))
        })
        .await?;
    Ok(match (shown, handed_over(sms, idp).await) {
        (Shown::Page(View::Code(phone, _)), Some(complaint)) => Shown::Page(View::Code(phone, Some(complaint))),
        (shown, _) => shown,
    })
}

async fn handed_over(sms: Option<Sms>, idp: &Idp) -> Option<step_up::Complaint> {
    let fault = step_up::deliver(sms?, idp).await.err()?;
    tracing::error!(%fault, "otp.not_sent");
    Some(step_up::Complaint::NotSent)
}

/// The interaction, while what was proved in it is fresh (`security.md` N-24).
fn under_way(db: &mut Db, id: &Id<Interaction>, browser: &Browser, idp: &Idp) -> Result<Option<Interaction>, Fault> {
    let now = idp.clock.now();
    let open = page::bound(db, id, browser, now)?;
    let ours = |open: &Interaction| matches!(&open.destination, Destination::OwnPage(path) if path == PAGE);
    Ok(open.filter(|open| ours(open) && now.since(open.opened_at) < FRESH_FOR))
}

fn view(db: &mut Db, open: &Interaction, idp: &Idp) -> Result<(View, Option<Sms>), Fault> {
    let Some(account) = known(db, open)? else { return Ok((View::Password, None)) };
    if let Some(stop) = stop(&account) {
        return Ok((View::Stopped(stop), None));
    }
    let phone = step_up::phone(db, &account.id, idp)?;
    if store::otp::find_open(db, &open.id, PURPOSE)?.is_some() {
        return Ok((View::Code(phone, None), None));
    }
    match send(db, &open.id, (&account.id, phone.clone()), idp)? {
        Ok(sms) => Ok((View::Code(phone, None), Some(sms))),
        Err(complaint) => Ok((View::Code(phone, Some(complaint)), None)),
    }
}

/// Whose password was given in this interaction.
fn known(db: &mut Db, open: &Interaction) -> Result<Option<Account>, Fault> {
    match &open.refused {
        Some(account) => store::account::find(db, account),
        None => Ok(None),
    }
}

fn stop(account: &Account) -> Option<Stop> {
    if !account.is_locked() {
        return Some(Stop::NotLocked);
    }
    // LCC Art 34(2): each ground is opened by whoever it belongs to, and death by nobody.
    if !account.is_locked_on(LockGround::HolderAsks) || account.is_locked_on(LockGround::Death) {
        return Some(Stop::OtherGround);
    }
    (!account.has_phone).then_some(Stop::NoPhone)
}

fn send(
    db: &mut Db,
    id: &Id<Interaction>,
    to: (&Id<Account>, String),
    idp: &Idp,
) -> Result<Result<Sms, step_up::Complaint>, Fault> {
    let text = |code: &str| otp::text_to(code, ACT, step_up::host(&idp.config.issuer));
    sent_code::send(db, id, to, &Purpose { name: PURPOSE, client: None, text: &text }, idp)
}

/// How a posted form ends.
pub enum Posted {
    /// Back to the page by GET.
    Onward(Id<Interaction>),
    /// The page again, with what was wrong.
    WrongPassword(sign_in::Complaint),
    WrongCode(step_up::Complaint),
    Opened {
        still_locked: bool,
    },
    /// The interaction is over: begin again.
    Over,
}

/// The number and the password. Right ones open no session.
pub async fn password(
    id: Id<Interaction>,
    form: sign_in::Form,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Posted, Fault> {
    let malformed = Ok(Posted::WrongPassword(sign_in::Complaint::Malformed));
    let Some(number) = PersonNumber::parse_foreign(&form.person_number) else { return malformed };
    if !password::is_acceptable(&form.password) {
        return malformed;
    }
    let typed = Typed {
        index: idp.vault.blind_index("person", number.reveal()),
        password: Zeroizing::clone(&form.password),
        within: Some(id.clone()),
    };
    let (this, who) = (Arc::clone(idp), browser.clone());
    let right = evaluate(typed, browser, idp, move |db, attempt| {
        let account = proved(db, attempt, Hold::Shared)?;
        let Some(open) = under_way(db, &id, &who, &this)? else { return Ok(Posted::Over) };
        store::interaction::refuse(db, &open.id, &account.id)?;
        if let Some(stop) = stop(&account) {
            refused(db, &account.id, stop.name(), &this)?;
        }
        Ok(Posted::Onward(open.id))
    });
    Ok(match right.await? {
        Evaluated::Right(posted) => posted,
        Evaluated::Again(complaint) => Posted::WrongPassword(complaint),
        Evaluated::Gone => Posted::Over,
    })
}

/// The code: with it the account opens, in the transaction that spends it.
pub async fn code(id: Id<Interaction>, typed: String, browser: &Browser, idp: &Arc<Idp>) -> Result<Posted, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some(open) = under_way(db, &id, &who, &this)? else { return Ok(Posted::Over) };
            let Some(whose) = open.refused.clone() else { return Ok(Posted::Onward(id)) };
            store::account::hold(db, &whose, Hold::Alone)?;
            let Some(account) = store::account::find(db, &whose)? else { return Ok(Posted::Over) };
            if stop(&account).is_some() {
                return Ok(Posted::Onward(id));
            }
            if let Some(complaint) = sent_code::check(db, (&id, PURPOSE), &whose, &typed, &this)? {
                wrong_code(db, &whose, complaint, &this)?;
                return Ok(Posted::WrongCode(complaint));
            }
            opened(db, &open, account, &this)
        })
        .await
}

fn opened(db: &mut Db, open: &Interaction, account: Account, idp: &Idp) -> Result<Posted, Fault> {
    let now = idp.clock.now();
    // Of two posts of one code, one gets here; of two codes, one finds the interaction open.
    if !store::interaction::finish(db, &open.id, now)? {
        return Ok(Posted::Over);
    }
    let password = Fresh::of(Factor::Password, open.opened_at, now);
    let order = password
        .zip(Fresh::of(Factor::SmsOtp, now, now))
        .and_then(|(password, code)| LockOrder::owner_unlocks(password, code));
    let Some(order) = order else { return Ok(Posted::Over) };
    let cause = json!({"by": "holder", "factors": [Factor::Password.name(), Factor::SmsOtp.name()]});
    match turn(db, account, &Turn { act: Act::Unlock, order: &order, cause, at: now }, &Ids::mint(idp)?)? {
        Verdict::Done(locked) => Ok(Posted::Opened { still_locked: !locked.grounds.is_empty() }),
        Verdict::Refused(_) => Ok(Posted::Over),
    }
}

/// Another code.
pub async fn resend(id: Id<Interaction>, browser: &Browser, idp: &Arc<Idp>) -> Result<Posted, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let sent = idp
        .store
        .transact(move |db| {
            let Some(open) = under_way(db, &id, &who, &this)? else { return Ok(Err(Posted::Over)) };
            let Some(account) = known(db, &open)?.filter(|account| stop(account).is_none()) else {
                return Ok(Err(Posted::Onward(id)));
            };
            let phone = step_up::phone(db, &account.id, &this)?;
            let sent = send(db, &id, (&account.id, phone), &this)?;
            Ok(sent.map(|sms| (sms, id)).map_err(Posted::WrongCode))
        })
        .await?;
    match sent {
        Ok((sms, id)) => match handed_over(Some(sms), idp).await {
            Some(complaint) => Ok(Posted::WrongCode(complaint)),
            None => Ok(Posted::Onward(id)),
        },
        Err(posted) => Ok(posted),
    }
}

fn wrong_code(db: &mut Db, account: &Id<Account>, complaint: step_up::Complaint, idp: &Idp) -> Result<(), Fault> {
    if let step_up::Complaint::Wait(_) = complaint {
        let counters = [throttle::otp(account.as_str(), PURPOSE)];
        return brake::note_stop(db, &counters, &refusal(account, complaint.name(), idp), idp);
    }
    refused(db, account, complaint.name(), idp)
}

fn refusal(account: &Id<Account>, reason: &str, idp: &Idp) -> Event {
    Event::new(Kind::LockRefused, idp.clock.now()).of(account).with(json!({"act": "unlock", "reason": reason}))
}

fn refused(db: &mut Db, account: &Id<Account>, reason: &str, idp: &Idp) -> Result<(), Fault> {
    store::trail::append(db, &refusal(account, reason, idp), &idp.id()?)
}
