//! The end of a recovery: the new password, and everything the old one ever let in ends in the same transaction.

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::notices::{self, Message, post};
use super::{Complaint, Moved, due};
use crate::domain::account::Account;
use crate::domain::outbox::Cause;
use crate::domain::recovery::{Ending, Second, Stage};
use crate::domain::secret::{RecoveryCookie, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::factor::otp::News;
use crate::factor::password::rules::{Person, check_new};
use crate::flow::change::own;
use crate::flow::eid_lock::end_everything;
use crate::flow::outbox::Occasion;
use crate::flow::{Browser, facts};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::change::Recovered;
use crate::store::{self, Db};

/// A new password, typed twice.
pub struct Chosen {
    pub password: Zeroizing<String>,
    pub again: Zeroizing<String>,
}

pub async fn set_password(
    cookie: &Stored<RecoveryCookie>,
    chosen: Chosen,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Moved, Fault> {
    let (this, at) = (Arc::clone(idp), Stored::from_store(cookie.as_str().to_owned()));
    let known = idp
        .store
        .read(move |db| {
            let Some(recovery) = due(db, &at, Stage::NewPassword, this.clock.now())? else { return Ok(None) };
            let Some(account) = recovery.account else { return Ok(None) };
            own::known(db, &account, &this).map(Some)
        })
        .await?;
    // Cheap before dear: nothing is hashed for a recovery that is not at this step (N-13).
    let Some(known) = known else { return Ok(Moved::On) };
    if chosen.password != chosen.again {
        return Ok(Moved::Again(Complaint::Differ));
    }
    let phones: Vec<&str> = known.phone.iter().map(String::as_str).collect();
    let person = Person { number: &known.number, phones: &phones, name: &known.name, birthdate: &known.birthdate };
    if let Err(weakness) = check_new(&chosen.password, &person) {
        return Ok(Moved::Again(Complaint::Weak(weakness)));
    }
    let hash = idp.hasher.hash(&chosen.password).await?;
    let (this, at, who) = (Arc::clone(idp), Stored::from_store(cookie.as_str().to_owned()), browser.clone());
    let message = idp.store.transact(move |db| finish(db, &at, &hash, &who, &this)).await?;
    post(message, idp);
    idp.desk.ring();
    Ok(Moved::On)
}

fn finish(
    db: &mut Db,
    cookie: &Stored<RecoveryCookie>,
    hash: &str,
    browser: &Browser,
    idp: &Idp,
) -> Result<Option<Message>, Fault> {
    let now = idp.clock.now();
    let Some(recovery) = store::recovery::find(db, cookie)? else { return Ok(None) };
    let Ok(account) = recovery.may_set_password(now) else { return Ok(None) };
    // A sign-in that completes meanwhile is either seen and ended here, or begins afterwards.
    store::account::hold(db, account, Hold::Alone)?;
    let known = store::account::find(db, account)?;
    if facts::standing(known.as_ref(), None, now).is_err() || !store::recovery::complete(db, &recovery.id, now)? {
        return Ok(None);
    }
    let phone_counts_from = now + idp.config.recovery.cooling_off;
    store::change::recover(db, account, &Recovered { hash, at: now, phone_counts_from })?;
    let event: Id<Event> = idp.id()?;
    let occasion = Occasion { name: event.as_str(), cause: Cause::CredentialChanged, at: now };
    end_everything(db, account, occasion)?;
    let kept = recovery.second.filter(|(second, _)| *second == Second::KnownDevice).and(browser.device.as_ref());
    let devices = store::change::forget_devices(db, account, kept)?;
    remember(db, account, (&event, recovery.second.map(|(second, _)| second), devices), idp)?;
    Ok(notices::phone(db, account, idp)?.map(|to| Message::news(to, News::Recovered)))
}

fn remember(
    db: &mut Db,
    account: &Id<Account>,
    (event, second, devices): (&Id<Event>, Option<Second>, usize),
    idp: &Idp,
) -> Result<(), Fault> {
    let now = idp.clock.now();
    let detail = json!({"ending": Ending::Done.name()});
    store::trail::append(db, &Event::new(Kind::RecoveryEnded, now).of(account).with(detail), &idp.id()?)?;
    let detail = json!({"by": "recovery", "second": second.map(Second::name), "devices_forgotten": devices});
    store::trail::append(db, &Event::new(Kind::PasswordChanged, now).of(account).with(detail), event)
}
