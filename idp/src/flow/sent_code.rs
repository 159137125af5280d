//! Six-digit codes by SMS, each for one interaction and one purpose: sent within limits, guessed within a budget, spent once.

use serde_json::json;

use super::brake;
use super::step_up::{Complaint, Sms};
use crate::domain::account::Account;
use crate::domain::interaction::Interaction;
use crate::domain::relying_party::Client;
use crate::domain::secret::{Minted, Otp, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::factor::otp::{self, Sends};
use crate::factor::throttle::{self, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

/// What a code is for, and the words it is sent with. A code of one purpose never serves another (`security.md` LG-13).
pub(super) struct Purpose<'a> {
    pub(super) name: &'static str,
    pub(super) client: Option<&'a Id<Client>>,
    pub(super) text: &'a dyn Fn(&str) -> String,
}

/// Compares with the code that was sent, within the budget of its purpose. `None`: it was right and is spent.
pub(super) fn check(
    db: &mut Db,
    (id, purpose): (&Id<Interaction>, &str),
    account: &Id<Account>,
    code: &str,
    idp: &Idp,
) -> Result<Option<Complaint>, Fault> {
    guess(db, (account, purpose), idp, |db| spend(db, (id, purpose), code, idp))
}

/// Charges a guess, then lets it be compared (`security.md` LG-10, LG-11).
pub(super) fn guess(
    db: &mut Db,
    (account, purpose): (&Id<Account>, &str),
    idp: &Idp,
    compare: impl FnOnce(&mut Db) -> Result<Option<Complaint>, Fault>,
) -> Result<Option<Complaint>, Fault> {
    let counter = [throttle::otp(account.as_str(), purpose)];
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        return Ok(Some(Complaint::Wait(span)));
    }
    brake::count(db, &counter, idp)?;
    let wrong = compare(db)?;
    if wrong.is_none() {
        for counter in &counter {
            store::throttle::clear(db, &counter.key)?;
        }
    }
    Ok(wrong)
}

/// Compares with the code that was sent, and spends it.
pub(super) fn spend(
    db: &mut Db,
    (id, purpose): (&Id<Interaction>, &str),
    code: &str,
    idp: &Idp,
) -> Result<Option<Complaint>, Fault> {
    let now = idp.clock.now();
    let Some(challenge) = store::otp::find_open(db, id, purpose)? else { return Ok(Some(Complaint::Expired)) };
    if now >= challenge.expires_at {
        return Ok(Some(Complaint::Expired));
    }
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digest(id, &digits, idp) != challenge.code {
        return Ok(Some(Complaint::Wrong));
    }
    // Affected rows decide: the same code posted twice at once proves the factor once.
    let spent = store::otp::spend(db, &challenge.id, now)?;
    Ok((!spent).then_some(Complaint::Expired))
}

/// Makes a code and what is sent with it, unless too many were sent.
pub(super) fn send(
    db: &mut Db,
    id: &Id<Interaction>,
    (account, to): (&Id<Account>, String),
    purpose: &Purpose<'_>,
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
    let text = (purpose.text)(code.reveal());
    let challenge = store::otp::Challenge {
        id: idp.id()?,
        interaction: id.clone(),
        account: account.clone(),
        purpose: purpose.name.to_owned(),
        code: digest(id, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::otp::put(db, &challenge)?;
    let event = Event::new(Kind::OtpSent, now).of(account).with(json!({"purpose": purpose.name}));
    let event = Event { client: purpose.client.cloned(), ..event };
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Ok(Sms { to, text }))
}

/// Six digits are too few to keep under a plain digest: the key of the vault goes into it.
fn digest(id: &Id<Interaction>, code: &str, idp: &Idp) -> Stored<Otp> {
    Stored::from_store(idp.vault.blind_index("otp", &format!("{id}/{code}")).as_str().to_owned())
}
