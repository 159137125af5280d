//! The code that proves the registered phone for a link, and the messages that tell of one. A code of this purpose serves
//! no other, and one of another purpose not this (`security.md` LG-13).

use serde_json::json;

use super::step_up::Complaint;
use super::upstreams::Upstream;
use super::{brake, sealed};
use crate::domain::account::Account;
use crate::domain::secret::{Minted, Otp, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::upstream::LinkProof;
use crate::domain::{Fault, Id};
use crate::factor::otp::{self, Sends};
use crate::factor::throttle::{self, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

const PURPOSE: &str = "link";

/// For whom, and for which proof.
type For<'a> = (&'a LinkProof, &'a Id<Account>);

/// A message to hand to the network once the transaction stands.
pub struct Sms {
    pub to: String,
    pub text: String,
}

pub async fn deliver(sms: Sms, idp: &Idp) -> Result<(), Fault> {
    idp.notice.send(&sms.to, &sms.text, idp.clock.now()).await
}

pub fn linked_text(upstream: &str) -> String {
    let upstream = otp::plain(upstream);
    format!("Tai khoan dinh danh cua ban vua duoc lien ket voi {upstream}. Neu khong phai ban, goi ngay 1900.0368.")
}

pub fn unlinked_text(upstream: &str) -> String {
    let upstream = otp::plain(upstream);
    format!("Tai khoan dinh danh cua ban da bo lien ket voi {upstream}. Neu khong phai ban, goi ngay 1900.0368.")
}

/// Makes the page's code when none was sent for this proof yet. An account without a phone gets none.
pub fn prepare(
    db: &mut Db,
    whose: For<'_>,
    upstream: &Upstream,
    idp: &Idp,
) -> Result<(String, Option<Complaint>, Option<Sms>), Fault> {
    let to = phone(db, whose.1, idp)?;
    if to.is_empty() || store::otp::find_open(db, &whose.0.interaction, PURPOSE)?.is_some() {
        return Ok((to, None, None));
    }
    match send(db, whose, upstream, idp)? {
        Ok(sms) => Ok((to, None, Some(sms))),
        Err(complaint) => Ok((to, Some(complaint), None)),
    }
}

pub fn send(
    db: &mut Db,
    (proof, account): For<'_>,
    upstream: &Upstream,
    idp: &Idp,
) -> Result<Result<Sms, Complaint>, Fault> {
    let now = idp.clock.now();
    let to = phone(db, account, idp)?;
    if to.is_empty() {
        return Ok(Err(Complaint::NotSent));
    }
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
    let host = idp.config.issuer.split_once("://").map_or("", |(_, host)| host);
    let text = otp::linking_text(code.reveal(), &upstream.agreed.name().vi, host);
    let challenge = store::otp::Challenge {
        id: idp.id()?,
        interaction: proof.interaction.clone(),
        account: account.clone(),
        purpose: PURPOSE.to_owned(),
        code: digest(proof, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::otp::put(db, &challenge)?;
    let event = Event::new(Kind::OtpSent, now).of(account).with(json!({"purpose": PURPOSE}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Ok(Sms { to, text }))
}

/// Charges the guess, then compares. `None`: the code was right and is spent.
pub fn check(db: &mut Db, (proof, account): For<'_>, code: &str, idp: &Idp) -> Result<Option<Complaint>, Fault> {
    let now = idp.clock.now();
    let counter = [throttle::otp(account.as_str(), PURPOSE)];
    let event = |reason: &str| {
        Event::new(Kind::OtpRefused, now).of(account).with(json!({"purpose": PURPOSE, "reason": reason}))
    };
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        brake::note_stop(db, &counter, &event("throttled"), idp)?;
        return Ok(Some(Complaint::Wait(span)));
    }
    brake::count(db, &counter, idp)?;
    let open = store::otp::find_open(db, &proof.interaction, PURPOSE)?;
    let open = open.filter(|challenge| challenge.account == *account && now < challenge.expires_at);
    let Some(challenge) = open else {
        store::trail::append(db, &event("expired"), &idp.id()?)?;
        return Ok(Some(Complaint::Expired));
    };
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digest(proof, &digits, idp) != challenge.code {
        store::trail::append(db, &event("wrong"), &idp.id()?)?;
        return Ok(Some(Complaint::Wrong));
    }
    // Affected rows decide: the same code posted twice at once counts once.
    if !store::otp::spend(db, &challenge.id, now)? {
        return Ok(Some(Complaint::Expired));
    }
    for counter in &counter {
        store::throttle::clear(db, &counter.key)?;
    }
    Ok(None)
}

/// The proof goes into it, and with it the subject, the browser and the interaction.
fn digest(proof: &LinkProof, code: &str, idp: &Idp) -> Stored<Otp> {
    Stored::from_store(idp.vault.blind_index("otp.link", &format!("{}/{code}", proof.id)).as_str().to_owned())
}

fn phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<String, Fault> {
    match store::account::credentials(db, account)?.and_then(|known| known.phone) {
        Some(phone) => sealed::open_phone(account, &phone, &idp.vault),
        None => Ok(String::new()),
    }
}
