//! A holder's passkeys: one more, another name, one less.

use std::sync::Arc;

use serde_json::json;

use super::factor_change::{self, Here};
use super::passkey_sign_in::{self as proof, Offer, Posted};
use super::{Answer, Browser, fresh, home, sealed};
use crate::domain::passkey::Passkey;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Account, Fault, Id, Moment, Span};
use crate::factor::notice::Change;
use crate::factor::passkey::{Made, Owner, Passkeys};
use crate::idp::Idp;
use crate::store::ceremony::Bound;
use crate::store::passkey::Kept;
use crate::store::{self, Db};

const REGISTER: &str = "register";
/// More than anybody has devices.
const MOST: usize = 20;
/// Characters of a passkey's name.
const LONGEST_LABEL: usize = 60;

/// One passkey as its holder sees it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: Id<Passkey>,
    pub label: String,
    pub synced: bool,
    pub created_at: Moment,
    pub used_at: Option<Moment>,
}

/// Why the page for a new one is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    Expired,
    Refused,
    /// This very passkey is registered already, to whomever.
    Registered,
    TooMany,
}

pub enum New {
    /// `None` where passkeys cannot be made.
    Page(Option<Offer>),
    Again(Complaint),
    Added,
    Elsewhere(Answer),
}

/// What became of a change.
pub enum Changed {
    Done,
    /// There was nothing to change, or it is somebody else's: which is not told.
    Nothing,
    Elsewhere(Answer),
}

pub fn list(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Vec<Shown>, Fault> {
    let kept = store::passkey::of_account(db, account)?;
    let shown = kept.into_iter().map(|Kept { passkey, label, .. }| {
        let label = sealed::open_passkey_label(&passkey.id, &label, &idp.vault)?;
        let Passkey { id, synced, created_at, used_at, .. } = passkey;
        Ok(Shown { id, label, synced, created_at, used_at })
    });
    shown.collect()
}

/// The page for a new one, with a challenge of its own.
pub async fn begin(browser: &Browser, idp: &Arc<Idp>) -> Result<New, Fault> {
    factor_change::guarded((fresh::NEW_PASSKEY, Span::ZERO), browser, idp, New::Elsewhere, |db, here| {
        let Here { account, browser, idp, .. } = here;
        let Some(passkeys) = &idp.passkeys else { return Ok(New::Page(None)) };
        let handle = store::passkey::user_handle_or(db, &account.id, &Passkeys::handle(idp.random.bytes()?))?;
        let (display_name, name) = home::who(db, &account.id, idp)?;
        let owner = Owner { handle: &handle, name: &name, display_name: &display_name };
        let known = proof::credentials(db, &account.id, idp)?;
        let begun = passkeys.begin_registration(&owner, &known)?;
        let offer = proof::keep(db, bound(&account.id, browser)?, begun, idp)?;
        Ok(New::Page(Some(offer)))
    })
    .await
}

/// What the device made is this account's from now on.
pub async fn finish(posted: Posted, label: &str, browser: &Browser, idp: &Arc<Idp>) -> Result<New, Fault> {
    let label = named(label, browser.language);
    factor_change::changed(fresh::NEW_PASSKEY, browser, idp, New::Elsewhere, move |db, here| {
        let Here { session, account, browser, idp } = here;
        let again = |complaint| Ok((New::Again(complaint), None));
        let Some(passkeys) = &idp.passkeys else { return again(Complaint::Refused) };
        let Some(state) = proof::spent(db, &posted.ceremony, &bound(&account.id, browser)?, idp)? else {
            return again(Complaint::Expired);
        };
        if store::passkey::of_account(db, &account.id)?.len() >= MOST {
            return again(Complaint::TooMany);
        }
        let made = match passkeys.finish_registration(&posted.credential, &state) {
            Ok(made) => made,
            Err(refused) => {
                proof::refused(db, Some(&account.id), Kind::FactorRefused, refused.0, idp)?;
                return again(Complaint::Refused);
            }
        };
        let Some(id) = put(db, &account.id, &made, &label, idp)? else {
            proof::refused(db, Some(&account.id), Kind::FactorRefused, "registered", idp)?;
            return again(Complaint::Registered);
        };
        let detail = json!({"passkey": id, "synced": made.synced});
        Ok((New::Added, factor_change::follow(db, &session, Change::PasskeyAdded, detail, idp)?))
    })
    .await
}

fn put(db: &mut Db, account: &Id<Account>, made: &Made, label: &str, idp: &Idp) -> Result<Option<Id<Passkey>>, Fault> {
    let id: Id<Passkey> = idp.id()?;
    let kept = Kept {
        kept: sealed::passkey(&id, &made.kept, &idp.vault)?,
        label: sealed::passkey_label(&id, label, &idp.vault)?,
        passkey: Passkey {
            id: id.clone(),
            account: account.clone(),
            synced: made.synced,
            sign_count: i64::from(made.sign_count),
            created_at: idp.clock.now(),
            used_at: None,
        },
    };
    let credential = sealed::credential_index(&made.credential, &idp.vault);
    Ok(store::passkey::put(db, &kept, &credential)?.then_some(id))
}

fn bound(account: &Id<Account>, browser: &Browser) -> Result<Bound, Fault> {
    Ok(Bound { browser: proof::browser_of(browser)?, purpose: REGISTER, subject: account.to_string() })
}

/// A name of one line and a sane length; a passkey without one is called what it is.
fn named(label: &str, language: &str) -> String {
    let clean: String = label.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_LABEL).collect();
    match clean.trim() {
        "" if language == "en" => "Passkey".to_owned(),
        "" => "Khóa truy cập".to_owned(),
        clean => clean.to_owned(),
    }
}

/// Another name changes nothing about who may sign in, so it takes no fresh proof.
pub async fn rename(id: Id<Passkey>, label: &str, browser: &Browser, idp: &Arc<Idp>) -> Result<Changed, Fault> {
    let (this, who, label) = (Arc::clone(idp), browser.clone(), named(label, browser.language));
    idp.store
        .transact(move |db| {
            let Some(session) = here(db, &who, &this)? else { return Ok(Changed::Nothing) };
            let sealed = sealed::passkey_label(&id, &label, &this.vault)?;
            if !store::passkey::rename(db, &session.account, &id, &sealed)? {
                return Ok(Changed::Nothing);
            }
            let event = Event::new(Kind::PasskeyRenamed, this.clock.now()).of(&session.account).within(&session.id);
            store::trail::append(db, &event.with(json!({"passkey": id})), &this.id()?)?;
            Ok(Changed::Done)
        })
        .await
}

pub async fn remove(id: Id<Passkey>, browser: &Browser, idp: &Arc<Idp>) -> Result<Changed, Fault> {
    factor_change::changed(fresh::CONFIRMED, browser, idp, Changed::Elsewhere, move |db, here| {
        if !store::passkey::remove(db, &here.account.id, &id)? {
            return Ok((Changed::Nothing, None));
        }
        let detail = json!({"passkey": id});
        Ok((Changed::Done, factor_change::follow(db, &here.session, Change::PasskeyRemoved, detail, here.idp)?))
    })
    .await
}

fn here(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<Option<Session>, Fault> {
    use super::facts::{Limits, standing_session};
    standing_session(db, browser.session.as_ref(), Limits::of(idp), idp.clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_never_empty() {
        assert_eq!(named("  Điện thoại\n của An ", "vi"), "Điện thoại  của An");
        assert_eq!((named(" \t", "vi"), named("", "en")), ("Khóa truy cập".to_owned(), "Passkey".to_owned()));
        assert_eq!(named(&"ă".repeat(100), "vi").chars().count(), LONGEST_LABEL);
    }
}
