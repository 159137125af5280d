//! The end of a change: the account, its sessions, what lives offline and the session at hand, in one transaction.

use serde_json::{Value, json};

use super::{Moved, own};
use crate::domain::account::Account;
use crate::domain::change::{Change, What};
use crate::domain::claim::ClaimName;
use crate::domain::recovery::Ending;
use crate::domain::secret::{Minted, Sealed, SessionCookie};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id};
use crate::factor::otp::News;
use crate::flow::logout::sign_out;
use crate::flow::recover::{Message, hours};
use crate::flow::{Browser, Cookies, sealed};
use crate::idp::Idp;
use crate::store::account::{Hold, SealedClaim};
use crate::store::change::Phone;
use crate::store::{self, Db};

/// Where claims the holder proved to us come from.
const SOURCE: &str = "holder";

pub(super) fn new_phone(change: &Change, idp: &Idp) -> Result<String, Fault> {
    sealed::open_phone(&change.account, &Sealed::from_text(change.value.clone()), &idp.vault)
}

pub(super) fn finish(
    db: &mut Db,
    change: &Change,
    session: &Session,
    browser: &Browser,
    idp: &Idp,
) -> Result<(Moved, Vec<Message>), Fault> {
    let now = idp.clock.now();
    let nothing = || Ok((Moved::On(Cookies::default()), Vec::new()));
    store::account::hold(db, &change.account, Hold::Alone)?;
    let known = own::known(db, &change.account, idp)?;
    if !store::change::complete(db, &change.id, now)? {
        return nothing();
    }
    let mut acquaintance = session.acquaintance.clone();
    let messages = match change.what {
        What::Password => {
            let Some(before) = &known.hash else { return nothing() };
            if !store::change::set_password(db, &change.account, before, &change.value, now)? {
                return nothing();
            }
            store::change::forget_devices(db, &change.account, browser.device.as_ref())?;
            known.phone.map(|to| Message::news(to, News::PasswordChanged)).into_iter().collect()
        }
        What::Phone => {
            let number = new_phone(change, idp)?;
            set_phone(db, change, &number, idp)?;
            // What the old phone proved is not the new phone's.
            acquaintance = acquaintance.only(|factor| factor != Factor::SmsOtp);
            let taken = News::PhoneTaken { hours: hours(idp.config.recovery.cooling_off) };
            let replaced = known.phone.map(|to| Message::news(to, News::PhoneReplaced));
            replaced.into_iter().chain([Message::news(number, taken)]).collect()
        }
    };
    // LG-19: what was begun with the credentials of before goes no further.
    store::recovery::end_all(db, &change.account, Ending::Overtaken, now)?;
    store::interaction::cancel_all(db, &change.account, now)?;
    store::otp::cancel_all(db, &change.account)?;
    end_others(db, &change.account, session, idp)?;
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    store::session::rekey(db, &session.id, &cookie.stored(), &acquaintance, now)?;
    let kind = if change.what == What::Password { Kind::PasswordChanged } else { Kind::PhoneChanged };
    let event = Event::new(kind, now).of(&change.account).within(&session.id).with(json!({"by": "holder"}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok((Moved::Done(change.what, Cookies { session: Some(cookie), ..Cookies::default() }), messages))
}

fn set_phone(db: &mut Db, change: &Change, number: &str, idp: &Idp) -> Result<(), Fault> {
    let (id, now) = (&change.account, idp.clock.now());
    let phone = Phone {
        sealed: &Sealed::from_text(change.value.clone()),
        index: &sealed::phone_index(number, &idp.vault),
        counts_from: now + idp.config.recovery.cooling_off,
    };
    store::change::set_phone(db, id, &phone, now)?;
    // The claim follows what is on file, so that no portal is told the old number.
    let mut claims = store::account::claims(db, id)?;
    for (name, value) in [("phone_number", Value::from(number)), ("phone_number_verified", Value::from(true))] {
        let Some(claim) = ClaimName::find(name) else { continue };
        claims.retain(|kept| kept.claim != claim);
        let value = sealed::claim(id, claim, &value, &idp.vault)?;
        claims.push(SealedClaim { claim, value, source: SOURCE.to_owned(), recorded_at: now });
    }
    store::account::put_claims(db, id, &claims)
}

/// Every other session, and what lives while nobody is signed in (`contract.md` 4).
fn end_others(db: &mut Db, account: &Id<Account>, here: &Session, idp: &Idp) -> Result<(), Fault> {
    for other in store::session::live(db, account)?.iter().filter(|other| other.id != here.id) {
        sign_out(db, other, idp)?;
    }
    store::change::revoke_offline(db, account, idp.clock.now())?;
    Ok(())
}
