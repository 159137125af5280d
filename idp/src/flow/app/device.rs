//! Binding the app to a phone: a code shown to somebody who just proved level 2, typed or scanned in the app, which makes
//! its key and signs with it. An account has one device; a new one takes the place of the old, whose open approvals die.

use std::sync::Arc;

use serde_json::json;

use super::fresh::{self, Complaint};
use super::{Sms, Told, note};
use crate::domain::account::Account;
use crate::domain::app::{Device, Refused};
use crate::domain::interaction::Destination;
use crate::domain::secret::BlindIndex;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment};
use crate::flow::authorize::open_interaction;
use crate::flow::facts::{self, Limits};
use crate::flow::{Answer, Browser, Cookies, Outcome, Step, home, sealed};
use crate::idp::Idp;
use crate::keys;
use crate::protocol::app::{ALGS, Act, judge};
use crate::store::account::Hold;
use crate::store::{self, Db};

/// Where the holder sees to the app.
pub const PAGE: &str = "/app";

/// 32 letters that are not mistaken for one another: five bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 12;

/// A code that binds a phone, as it is shown once.
pub struct Binding {
    /// In groups of four.
    pub code: String,
    /// For the app to scan.
    pub payload: String,
    pub minutes: i64,
}

/// The device as its holder sees it.
pub struct Own {
    pub name: String,
    pub bound_at: Moment,
    pub used_at: Option<Moment>,
}

/// What the page shows.
pub enum View {
    Device,
    /// A code went to this phone.
    Otp(String, Option<Complaint>),
    Binding(Binding),
    /// A device is bound: it must be said that the new one takes its place.
    Confirm,
    Cannot(Complaint),
}

pub enum Shown {
    Page(Option<Own>, View, Cookies),
    SignInFirst(Answer),
}

/// Somebody who comes to bind a phone must have said who they are lately; other pages take any session.
pub fn is_stale(path: &str, session: &Session, now: Moment) -> bool {
    path == PAGE && !fresh::identified(session, now)
}

/// What the holder does on the page.
pub enum Wish {
    Look,
    /// `replace`: the old device may go.
    Bind {
        replace: bool,
    },
    Prove {
        otp: String,
    },
    Remove,
}

pub async fn answer(wish: Wish, browser: &Browser, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (mut shown, sms) = idp.store.transact(move |db| carry_out(db, wish, &who, &this)).await?;
    if let Some(sms) = sms
        && let Err(fault) = idp.notice.send(&sms.to, &sms.text, idp.clock.now()).await
    {
        tracing::error!(%fault, "app.sms_not_sent");
        if let Shown::Page(_, View::Otp(_, complaint), _) = &mut shown {
            *complaint = Some(Complaint::NotSent);
        }
    }
    Ok(shown)
}

fn carry_out(db: &mut Db, wish: Wish, browser: &Browser, idp: &Idp) -> Result<(Shown, Option<Sms>), Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let account = match &session {
        Some(session) => store::account::find(db, &session.account)?,
        None => None,
    };
    let may = facts::standing(account.as_ref(), None, now).is_ok();
    let (Some(session), true) = (session, may) else { return sign_in_first(db, browser, idp) };
    let page = |db: &mut Db, view, cookies| Ok::<_, Fault>(Shown::Page(own(db, &session.account, idp)?, view, cookies));
    match wish {
        Wish::Look => {
            store::session::touch(db, &session.id, now)?;
            Ok((page(db, View::Device, Cookies::default())?, None))
        }
        Wish::Remove => {
            store::account::hold(db, &session.account, Hold::Alone)?;
            let sms = remove(db, &session, idp)?;
            Ok((page(db, View::Device, Cookies::default())?, sms))
        }
        Wish::Bind { .. } | Wish::Prove { .. } if !fresh::identified(&session, now) => sign_in_first(db, browser, idp),
        Wish::Bind { replace: false } if store::app::bound(db, &session.account)?.is_some() => {
            Ok((page(db, View::Confirm, Cookies::default())?, None))
        }
        Wish::Bind { .. } if fresh::is_enough(&session, now) => {
            let binding = open(db, &session, idp)?;
            Ok((page(db, View::Binding(binding), Cookies::default())?, None))
        }
        Wish::Bind { .. } => match fresh::send(db, &session, idp)? {
            Ok(sms) => Ok((page(db, View::Otp(sms.to.clone(), None), Cookies::default())?, Some(sms))),
            Err(complaint) => Ok((page(db, View::Cannot(complaint), Cookies::default())?, None)),
        },
        Wish::Prove { otp } => match fresh::verify(db, session.clone(), &otp, idp)? {
            Ok((session, cookies)) => {
                let binding = open(db, &session, idp)?;
                Ok((page(db, View::Binding(binding), cookies)?, None))
            }
            Err(complaint) => {
                let to = fresh::phone(db, &session.account, idp)?.unwrap_or_default();
                Ok((page(db, View::Otp(to, Some(complaint)), Cookies::default())?, None))
            }
        },
    }
}

fn sign_in_first(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<(Shown, Option<Sms>), Fault> {
    let (id, minted) = open_interaction(db, Destination::OwnPage(PAGE.to_owned()), browser, idp)?;
    let cookies = Cookies { browser: minted, ..Cookies::default() };
    Ok((Shown::SignInFirst(Answer { outcome: Outcome::Page(Step::SignIn, id), cookies }), None))
}

fn own(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<Own>, Fault> {
    let Some(device) = store::app::bound(db, account)? else { return Ok(None) };
    let name = sealed::open_app_name(&device, &idp.vault)?;
    Ok(Some(Own { name, bound_at: device.bound_at, used_at: device.used_at }))
}

fn open(db: &mut Db, session: &Session, idp: &Idp) -> Result<Binding, Fault> {
    let now = idp.clock.now();
    let code = open_binding(db, &session.account, idp)?;
    let event = Event::new(Kind::AppBindingOpened, now).of(&session.account).within(&session.id);
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Binding {
        payload: format!("{}/app#bind-{code}", idp.config.issuer),
        code: grouped(&code),
        minutes: idp.config.lifetimes.app_binding.as_seconds() / 60,
    })
}

/// A fresh code of an account. The caller answers for who gets to see it.
pub fn open_binding(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<String, Fault> {
    let now = idp.clock.now();
    let bytes: [u8; CODE_LENGTH] = idp.random.bytes()?;
    let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map(char::from));
    let code: String = letters.collect();
    store::app::open_binding(db, account, &index(&code, idp), (now, now + idp.config.lifetimes.app_binding))?;
    Ok(code)
}

fn index(code: &str, idp: &Idp) -> BlindIndex {
    idp.vault.blind_index("app_binding", code)
}

fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A code as it may be typed: small letters, spaces, and letters taken for digits.
fn read(typed: &str) -> String {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase());
    letters
        .map(|c| {
            if c == 'O' {
                '0'
            } else if matches!(c, 'I' | 'L') {
                '1'
            } else {
                c
            }
        })
        .collect()
}

fn remove(db: &mut Db, session: &Session, idp: &Idp) -> Result<Option<Sms>, Fault> {
    let now = idp.clock.now();
    let Some(device) = store::app::remove(db, &session.account, now)? else { return Ok(None) };
    let event = Event::new(Kind::AppRemoved, now)
        .of(&session.account)
        .within(&session.id)
        .with(json!({"device": device, "reason": "holder"}));
    store::trail::append(db, &event, &idp.id()?)?;
    notice(db, &session.account, "da duoc go khoi", idp)
}

/// Told to the phone number on file (`security.md` LG-38).
fn notice(db: &mut Db, account: &Id<Account>, what: &str, idp: &Idp) -> Result<Option<Sms>, Fault> {
    let to = fresh::phone(db, account, idp)?;
    let text = format!("Ung dung VNeID tren dien thoai {what} tai khoan cua ban. Khong phai ban, goi ngay 1900 0368.");
    Ok(to.map(|to| Sms { to, text }))
}

/// What the app learns when it is bound.
pub struct Bound {
    pub device: Id<Device>,
    pub holder: String,
    pub notice: Option<Sms>,
}

/// The app brings a code and its fresh key, and proves by the signature that it holds the other half.
pub async fn bind(jws: &str, idp: &Arc<Idp>) -> Told<Bound> {
    let refused = |reason: &str| {
        tracing::info!(reason, "app.binding_refused");
        Ok(Err(Refused::Statement))
    };
    let signed = match keys::proof::verify(jws, &ALGS) {
        Ok(signed) => signed,
        Err(reason) => return refused(&reason),
    };
    let key = match signed.header.members.get("jwk").map(ToString::to_string) {
        Some(key) if keys::client::admit(&format!(r#"{{"keys":[{key}]}}"#)).is_ok() => key,
        _ => return refused("jwk"),
    };
    let said = match judge(&signed.header.members, signed.claims, (&idp.config.issuer, Act::Bind), idp.clock.now()) {
        Ok(said) => said,
        Err(reason) => return refused(reason),
    };
    let (Some(code), Some(name)) = (said.text("code").map(read), said.name().map(str::to_owned)) else {
        return refused("code or name");
    };
    let this = Arc::clone(idp);
    idp.store.transact(move |db| bind_device(db, &index(&code, &this), (&name, key), &this)).await
}

fn bind_device(db: &mut Db, code: &BlindIndex, (name, key): (&str, String), idp: &Idp) -> Told<Bound> {
    let now = idp.clock.now();
    let Some(account) = store::app::find_binding(db, code, now)? else {
        tracing::info!("app.code_refused");
        return Ok(Err(Refused::Code));
    };
    // One phone at a time takes the place of the one before.
    store::account::hold(db, &account, Hold::Alone)?;
    let holder = store::account::find(db, &account)?;
    if facts::standing(holder.as_ref(), None, now).is_err() {
        return Ok(Err(super::refuse(db, &account, Act::Bind, Refused::Barred, idp)?));
    }
    if !store::app::spend_binding(db, code, now)? {
        return Ok(Err(super::refuse(db, &account, Act::Bind, Refused::Code, idp)?));
    }
    if let Some(old) = store::app::remove(db, &account, now)? {
        note(db, &account, Kind::AppRemoved, json!({"device": old, "reason": "replaced"}), idp)?;
    }
    let id: Id<Device> = idp.id()?;
    let name = sealed::app_name(&id, name, &idp.vault)?;
    let device = Device { name, key, account, bound_at: now, used_at: None, removed_at: None, id };
    store::app::bind(db, &device)?;
    note(db, &device.account, Kind::AppBound, json!({"device": device.id}), idp)?;
    let notice = notice(db, &device.account, "vua duoc gan voi", idp)?;
    let (holder, _) = home::who(db, &device.account, idp)?;
    Ok(Ok(Bound { device: device.id, holder, notice }))
}
