//! The password once more, from somebody who is signed in: what opens the acts of self-service for some minutes
//! (`security.md` N-24). It goes under the same brake as any sign-in, so that a stolen session guesses no faster.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::sign_in::{Complaint, Evaluated, Typed, evaluate, proved};
use super::{Browser, sealed};
use crate::domain::account::Account;
use crate::domain::session::{Fresh, Session};
use crate::domain::{Factor, Fault, Id};
use crate::factor::password;
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the session or the typed password proves now.
pub enum Again {
    Fresh(Fresh),
    /// Nothing fresh was proved and nothing typed.
    Missing,
    Wrong(Complaint),
}

/// One fresh proof of the session's own holder.
pub async fn prove(
    session: &Session,
    typed: Option<Zeroizing<String>>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Again, Fault> {
    if let Some(fresh) = session.acquaintance.fresh(idp.clock.now()) {
        return Ok(Again::Fresh(fresh));
    }
    let Some(typed) = typed.filter(|typed| !typed.is_empty()) else { return Ok(Again::Missing) };
    if !password::is_acceptable(&typed) {
        return Ok(Again::Wrong(Complaint::Wrong));
    }
    let (account, this) = (session.account.clone(), Arc::clone(idp));
    let index = idp.store.read(move |db| person_index(db, &account, &this)).await?;
    let typed = Typed { index, password: typed, within: None };
    let right = evaluate(typed, browser, idp, |db, attempt| proved(db, attempt, Hold::Shared).map(drop)).await?;
    Ok(match right {
        Evaluated::Right(()) => {
            let now = idp.clock.now();
            Fresh::of(Factor::Password, now, now).map_or(Again::Missing, Again::Fresh)
        }
        Evaluated::Again(complaint) => Again::Wrong(complaint),
        Evaluated::Gone => Again::Missing,
    })
}

fn person_index(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<crate::domain::secret::BlindIndex, Fault> {
    let Some(known) = store::account::credentials(db, account)? else {
        return Err(Fault::broken("flow", "a session of nobody"));
    };
    let number = sealed::open_person(account, &known.person, &idp.vault)?;
    Ok(sealed::person_index(&number, &idp.vault))
}
