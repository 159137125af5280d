//! Operators: who may enter the console, and what every act of theirs ends in.
//!
//! A role belongs to an account and is configured, not stored: `admin.operators` (who sees the systems) and
//! `admin.officers` (who acts at the desk, `flow::officer`) list account ids, as `admin account show` prints them. Nobody can therefore grant it to themselves through the console or an account
//! file, and no person number stands in the configuration. The console knows its visitor only by the `sub` of its own
//! sector; who that is, whether they may still act and whether their sign-in still stands is read from SQL on every
//! request, so that a lock or a sign-out elsewhere closes the console at once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::account::Account;
use crate::domain::relying_party::ClientStatus;
use crate::domain::secret::Sealed;
use crate::domain::{Client, Fault, Id};
use crate::flow::facts::{self, Limits};
use crate::idp::Idp;
use crate::store;

/// How an operator's act ends, unless a fault of ours stops it.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    Done(T),
    /// One line why, in English, without personal data.
    Refused(String),
}

impl<T> Verdict<T> {
    pub fn refused(reason: impl Into<String>) -> Self {
        Verdict::Refused(reason.into())
    }
}

/// What the console's visitor turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visitor {
    Operator(Id<Account>),
    /// An officer who is no operator: only the desk is theirs.
    Officer(Id<Account>),
    /// A holder in good standing without the role.
    WithoutRole,
    /// The sign-in no longer stands: signed out elsewhere, locked, expired, or never ours.
    Gone,
}

/// Whom the console signed in, in the terms of its own ID token.
pub async fn recognise(sub: &str, sid: &str, idp: &Idp) -> Result<Visitor, Fault> {
    let console: Id<Client> = Id::new(idp.config.admin.client_id.clone());
    let (sub, sid) = (sub.to_owned(), sid.to_owned());
    let (limits, now) = (Limits::of(idp), idp.clock.now());
    let found = idp
        .store
        .read(move |db| {
            let Some(registered) = store::client::find(db, &console)? else { return Ok(None) };
            if registered.status != ClientStatus::Live {
                return Ok(None);
            }
            let Some(id) = store::subject::account_of(db, &registered.client.sector, &sub)? else { return Ok(None) };
            let Some(session) = store::session::find_by_sid(db, &console, &sid)? else { return Ok(None) };
            let opened_for = now.since(session.opened_at);
            let lives = session.ended_at.is_none() && opened_for < limits.for_session(&session).absolute;
            if !lives || session.account != id {
                return Ok(None);
            }
            let account = store::account::find(db, &id)?;
            let standing = facts::standing(account.as_ref(), Some(registered.status), now);
            Ok(standing.is_ok().then_some(id))
        })
        .await?;
    Ok(match found {
        None => Visitor::Gone,
        Some(id) if is_operator(&id, idp) => Visitor::Operator(id),
        Some(id) if is_officer(&id, idp) => Visitor::Officer(id),
        Some(_) => Visitor::WithoutRole,
    })
}

pub fn is_operator(account: &Id<Account>, idp: &Idp) -> bool {
    idp.config.admin.operators.iter().any(|operator| operator == account.as_str())
}

pub fn is_officer(account: &Id<Account>, idp: &Idp) -> bool {
    idp.config.admin.officers.iter().any(|officer| officer == account.as_str())
}

/// Seals what the console keeps in its visitor's browser: any node can read it back, the browser cannot.
pub fn keep<T: Serialize>(place: &str, value: &T, idp: &Idp) -> Result<String, Fault> {
    let plain = serde_json::to_vec(value).map_err(|error| Fault::broken("flow", error))?;
    Ok(idp.vault.seal(place, "", &plain)?.as_str().to_owned())
}

/// What `keep` sealed for this place; `None` for anything else.
pub fn recall<T: DeserializeOwned>(place: &str, kept: &str, idp: &Idp) -> Option<T> {
    let plain = idp.vault.open(place, "", &Sealed::from_text(kept.to_owned())).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// Whether a form of the console came from our own page to this sign-in.
pub fn form_fits(presented: &str, sid: &str, form: &str, idp: &Idp) -> bool {
    idp.vault.knows_form_token(sid, form, presented)
}

/// The token a form of the console carries, bound to the sign-in and the form.
pub fn form_token(sid: &str, form: &str, idp: &Idp) -> String {
    idp.vault.form_token(sid, form)
}

#[cfg(test)]
mod tests;
