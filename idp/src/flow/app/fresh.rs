//! A fresh proof of level 2 before a phone may speak for the account (`security.md` LG-38): what the session proved in
//! the last minutes, and where that is not enough, a code by SMS for this purpose alone.

use serde_json::json;

use super::Sms;
use crate::domain::account::Account;
use crate::domain::interaction::Interaction;
use crate::domain::secret::{Minted, Otp, SessionCookie, Stored};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{AuthenticationLevel, Factor, Fault, Id, Moment, Span};
use crate::factor::otp::{self, Sends};
use crate::factor::throttle::{self, Verdict};
use crate::flow::{Cookies, brake, sealed};
use crate::idp::Idp;
use crate::store::{self, Db};

/// `security.md` LG-13: a code of one purpose never serves another.
const PURPOSE: &str = "app_binding";
const WITHIN: Span = Span::minutes(10);

/// Why no code can be sent, or the one typed did not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    Wrong,
    Wait(Span),
    NotSent,
    NoPhone,
}

/// Whether somebody said who they are within the last minutes.
pub fn identified(session: &Session, now: Moment) -> bool {
    session.acquaintance.since(now - WITHIN).factors().iter().any(|factor| factor.identifies())
}

/// Whether the session's proofs of the last minutes reach level 2.
pub fn is_enough(session: &Session, now: Moment) -> bool {
    identified(session, now) && session.acquaintance.since(now - WITHIN).level() >= Some(AuthenticationLevel::Two)
}

pub fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<String>, Fault> {
    let sealed = store::account::credentials(db, account)?.and_then(|known| known.phone);
    sealed.map(|sealed| sealed::open_phone(account, &sealed, &idp.vault)).transpose()
}

/// The code to send, and where to.
pub fn send(db: &mut Db, session: &Session, idp: &Idp) -> Result<Result<Sms, Complaint>, Fault> {
    let (now, account) = (idp.clock.now(), &session.account);
    let Some(to) = phone(db, account, idp)? else { return Ok(Err(Complaint::NoPhone)) };
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
        return Ok(Err(Complaint::Wait(span)));
    }
    let code: Minted<Otp> = Minted::from_text(idp.random.six_digits()?);
    let challenge = store::otp::Challenge {
        id: idp.id()?,
        interaction: place(session),
        account: account.clone(),
        purpose: PURPOSE.to_owned(),
        code: digest(session, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::otp::put(db, &challenge)?;
    let event = Event::new(Kind::OtpSent, now).of(account).within(&session.id).with(json!({"purpose": PURPOSE}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Ok(Sms { to, text: otp::binding_text(code.reveal(), idp.config.issuer_host()) }))
}

/// Charges the guess, then compares. Right, the session has proved one factor more and goes by a new cookie.
pub fn verify(
    db: &mut Db,
    session: Session,
    typed: &str,
    idp: &Idp,
) -> Result<Result<(Session, Cookies), Complaint>, Fault> {
    let now = idp.clock.now();
    if let Some(complaint) = check(db, &session, typed, idp)? {
        let event = Event::new(Kind::OtpRefused, now).of(&session.account).within(&session.id).with(
            json!({"purpose": PURPOSE, "reason": if complaint == Complaint::Wrong { "wrong" } else { "throttled" }}),
        );
        match complaint {
            Complaint::Wait(_) => brake::note_stop(db, &[counter(&session)], &event, idp)?,
            _ => store::trail::append(db, &event, &idp.id()?)?,
        }
        return Ok(Err(complaint));
    }
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let acquaintance = session.acquaintance.clone().with(Factor::SmsOtp, now);
    if !store::session::rekey(db, &session.id, &cookie.stored(), &acquaintance, now)? {
        return Ok(Err(Complaint::Wrong));
    }
    let event = Event::new(Kind::StepUp, now)
        .of(&session.account)
        .within(&session.id)
        .with(json!({"factor": Factor::SmsOtp.name(), "purpose": PURPOSE}));
    store::trail::append(db, &event, &idp.id()?)?;
    let cookies = Cookies { session: Some(cookie), ..Cookies::default() };
    Ok(Ok((Session { acquaintance, seen_at: now, ..session }, cookies)))
}

fn check(db: &mut Db, session: &Session, typed: &str, idp: &Idp) -> Result<Option<Complaint>, Fault> {
    let (now, counter) = (idp.clock.now(), [counter(session)]);
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        return Ok(Some(Complaint::Wait(span)));
    }
    brake::count(db, &counter, idp)?;
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let open = store::otp::find_open(db, &place(session), PURPOSE)?;
    let right = open.filter(|open| now < open.expires_at && open.code == digest(session, &digits, idp));
    let Some(right) = right else { return Ok(Some(Complaint::Wrong)) };
    if !store::otp::spend(db, &right.id, now)? {
        return Ok(Some(Complaint::Wrong));
    }
    for counter in &counter {
        store::throttle::clear(db, &counter.key)?;
    }
    Ok(None)
}

fn counter(session: &Session) -> throttle::Counter {
    throttle::otp(session.account.as_str(), PURPOSE)
}

/// Codes are kept by the interaction they are for: here that is the session.
fn place(session: &Session) -> Id<Interaction> {
    Id::new(session.id.as_str())
}

fn digest(session: &Session, code: &str, idp: &Idp) -> Stored<Otp> {
    let text = format!("{PURPOSE}/{}/{code}", session.id);
    Stored::from_store(idp.vault.blind_index("otp", &text).as_str().to_owned())
}
