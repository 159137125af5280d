//! Stopping a recovery that is somebody else's: with the code of the notice, or by whoever is signed in.

use std::sync::Arc;

use serde_json::json;

use super::Complaint;
use super::notices::{self, Message, post};
use crate::domain::account::Account;
use crate::domain::recovery::{Ending, Recovery, Stage};
use crate::domain::secret::{Otp, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, PersonNumber};
use crate::factor::otp::News;
use crate::factor::throttle::{self, Verdict};
use crate::flow::facts::{self, Limits};
use crate::flow::{Browser, brake, sealed};
use crate::idp::Idp;
use crate::store::{self, Db};

/// A code of the notice was typed, or came to nothing.
pub enum Halt {
    Stopped,
    Again(Complaint),
}

/// Eight digits, so that nobody takes it for a code of six to give to a caller.
pub(super) fn mint(recovery: &mut Recovery, idp: &Idp) -> Result<String, Fault> {
    let digits = format!("{}{}", idp.random.six_digits()?, idp.random.six_digits()?);
    let code: String = digits.chars().take(8).collect();
    recovery.stop_code = Some(digest(&recovery.id, &code, idp));
    let (head, tail) = code.split_at_checked(4).unwrap_or((&code, ""));
    Ok(format!("{head}-{tail}"))
}

fn digest(id: &Id<Recovery>, code: &str, idp: &Idp) -> Stored<Otp> {
    Stored::from_store(idp.vault.blind_index("otp", &format!("recovery_stop/{id}/{code}")).as_str().to_owned())
}

/// From any browser: the notice went to a phone.
pub async fn stop(number: &str, typed: &str, idp: &Arc<Idp>) -> Result<Halt, Fault> {
    let Some(number) = PersonNumber::parse_foreign(number) else { return Ok(Halt::Again(Complaint::Malformed)) };
    let person = sealed::person_index(&number, &idp.vault);
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let this = Arc::clone(idp);
    let (halt, message) = idp
        .store
        .transact(move |db| {
            let counter = [throttle::otp(person.as_str(), "recovery_stop")];
            if let Verdict::Wait(span) = brake::ask(db, &counter, &this)? {
                return Ok((Halt::Again(Complaint::Wait(span)), None));
            }
            brake::count(db, &counter, &this)?;
            let account = store::account::find_by_person(db, &person)?;
            let mut open = match &account {
                Some(account) => store::recovery::open(db, &account.id)?,
                None => Vec::new(),
            };
            open.retain(|one| one.stop_code.as_ref() == Some(&digest(&one.id, &digits, &this)));
            let (Some(account), false) = (account, open.is_empty()) else {
                return Ok((Halt::Again(Complaint::NothingToStop), None));
            };
            let message = halt(db, &account.id, "phone", &this)?;
            Ok((Halt::Stopped, message))
        })
        .await?;
    post(message, idp);
    Ok(halt)
}

/// By whoever is signed in; false when nobody is, or nothing was under way.
pub async fn stop_as_holder(browser: &Browser, idp: &Arc<Idp>) -> Result<bool, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let message = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            let Some(session) = session else { return Ok(None) };
            if under_way(db, &session.account, now)?.is_none() {
                return Ok(None);
            }
            halt(db, &session.account, "session", &this)
        })
        .await?;
    let stopped = message.is_some();
    post(message, idp);
    Ok(stopped)
}

fn halt(db: &mut Db, account: &Id<Account>, by: &str, idp: &Idp) -> Result<Option<Message>, Fault> {
    let now = idp.clock.now();
    let stopped = store::recovery::end_all(db, account, Ending::Stopped, now)?;
    let detail = json!({"ending": Ending::Stopped.name(), "by": by, "stopped": stopped});
    store::trail::append(db, &Event::new(Kind::RecoveryEnded, now).of(account).with(detail), &idp.id()?)?;
    Ok(notices::phone(db, account, idp)?.map(|to| Message::news(to, News::Stopped)))
}

/// A recovery of this account that proved the phone at least: when its password may be set, or now.
pub fn under_way(db: &mut Db, account: &Id<Account>, now: Moment) -> Result<Option<Moment>, Fault> {
    let open = store::recovery::open(db, account)?;
    Ok(open.iter().find_map(|one| match one.stage(now) {
        Stage::Waiting(ready) => Some(ready),
        Stage::NewPassword | Stage::SecondProof => Some(now),
        Stage::PhoneCode | Stage::Over(_) => None,
    }))
}
