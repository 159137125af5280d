//! Codes sent to a phone outside an interaction. A code counts in the place it was sent for, once; guesses are charged
//! before they are compared, and sends are counted per phone.

use super::brake;
use crate::domain::secret::{BlindIndex, Minted, Otp, Stored};
use crate::domain::{Fault, Id, Span};
use crate::factor::otp::{self, Sends};
use crate::factor::throttle::{self, Counter, Verdict};
use crate::idp::Idp;
use crate::store::phone_code::PhoneCode;
use crate::store::{self, Db};

/// Where and what for. Two places never share a code or a counter.
pub struct Spot<'a> {
    pub place: &'a str,
    pub purpose: &'static str,
}

impl Spot<'_> {
    fn counters(&self) -> [Counter; 1] {
        [throttle::otp(self.place, self.purpose)]
    }
}

/// Why a code was not taken, or not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    Wrong,
    Expired,
    Wait(Span),
    SendLimit(Span),
}

impl Complaint {
    pub const fn name(self) -> &'static str {
        match self {
            Complaint::Wrong => "wrong",
            Complaint::Expired => "expired",
            Complaint::Wait(_) => "throttled",
            Complaint::SendLimit(_) => "send_limit",
        }
    }
}

/// Makes a code that takes the place of the one that is out. N-20: so many a phone, whoever asks.
pub fn make(
    db: &mut Db,
    spot: &Spot<'_>,
    phone: &BlindIndex,
    idp: &Idp,
) -> Result<Result<Minted<Otp>, Complaint>, Fault> {
    let now = idp.clock.now();
    let sent = Sends {
        burst: store::phone_code::sent_since(db, phone, now - Sends::BURST)?,
        quarter_hour: store::phone_code::sent_since(db, phone, now - Sends::QUARTER_HOUR)?,
        day: store::phone_code::sent_since(db, phone, now - Sends::DAY)?,
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
    let row = PhoneCode {
        id: idp.id()?,
        place: spot.place.to_owned(),
        purpose: spot.purpose.to_owned(),
        phone: phone.clone(),
        code: digest(spot, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::phone_code::put(db, &row)?;
    Ok(Ok(code))
}

/// Charges the guess, then compares. A right code is named, and still to be spent.
pub fn check(db: &mut Db, spot: &Spot<'_>, code: &str, idp: &Idp) -> Result<Result<Id<PhoneCode>, Complaint>, Fault> {
    let counters = spot.counters();
    if let Verdict::Wait(span) = brake::ask(db, &counters, idp)? {
        return Ok(Err(Complaint::Wait(span)));
    }
    brake::count(db, &counters, idp)?;
    let Some(open) = store::phone_code::find_open(db, spot.place, spot.purpose)? else {
        return Ok(Err(Complaint::Expired));
    };
    if idp.clock.now() >= open.expires_at {
        return Ok(Err(Complaint::Expired));
    }
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digest(spot, &digits, idp) != open.code {
        return Ok(Err(Complaint::Wrong));
    }
    Ok(Ok(open.id))
}

/// Affected rows decide: the same code posted many times at once counts once.
pub fn spend(db: &mut Db, spot: &Spot<'_>, id: &Id<PhoneCode>, idp: &Idp) -> Result<bool, Fault> {
    if !store::phone_code::spend(db, id, idp.clock.now())? {
        return Ok(false);
    }
    for counter in &spot.counters() {
        store::throttle::clear(db, &counter.key)?;
    }
    Ok(true)
}

/// Six digits are too few to keep under a plain digest: the key of the vault goes into it.
fn digest(spot: &Spot<'_>, code: &str, idp: &Idp) -> Stored<Otp> {
    let bound = format!("{}/{}/{code}", spot.purpose, spot.place);
    Stored::from_store(idp.vault.blind_index("otp", &bound).as_str().to_owned())
}

/// The origin line of a message names our host.
pub fn host(idp: &Idp) -> &str {
    let issuer = idp.config.issuer.as_str();
    issuer.split_once("://").map_or(issuer, |(_, host)| host)
}
