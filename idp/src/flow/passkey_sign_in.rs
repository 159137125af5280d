//! Proof by passkey: to sign in without typing anything, or to add the factor that is missing. A challenge is spent by the
//! first answer to it, whatever that answer is worth.

use std::sync::Arc;

use serde_json::{Value, json};

use super::admit::{self, Proof};
use super::authorize::gone;
use super::step_up::{self, Turn};
use super::{Answer, Browser, Cookies, Outcome, page, sealed};
use crate::config::SyncedPasskeys;
use crate::domain::account::Account;
use crate::domain::interaction::Interaction;
use crate::domain::passkey::Passkey;
use crate::domain::secret::{BrowserCookie, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, Span};
use crate::factor::passkey::{Passkeys, Presented};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::ceremony::{Bound, Ceremony};
use crate::store::{self, Db};

/// `security.md` N-04.
pub const LIFETIME: Span = Span::minutes(5);
const SIGN_IN: &str = "sign_in";
const STEP_UP: &str = "step_up";

/// A challenge on its way to the browser.
#[derive(Clone, Debug)]
pub struct Offer {
    pub id: Id<Ceremony>,
    /// For `navigator.credentials`.
    pub options: Value,
}

/// What the browser sent back.
pub struct Posted {
    pub ceremony: String,
    pub credential: String,
}

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The page was open too long, or answered before.
    Expired,
    Refused,
}

pub enum Entered {
    Again(Complaint),
    Done(Answer),
}

/// Keeps what was begun for a browser until it answers.
pub fn keep(db: &mut Db, bound: Bound, begun: crate::factor::passkey::Begun, idp: &Idp) -> Result<Offer, Fault> {
    let id: Id<Ceremony> = idp.id()?;
    let state = sealed::ceremony(&id, &begun.state, &idp.vault)?;
    let ceremony = Ceremony { id: id.clone(), bound, state, expires_at: idp.clock.now() + LIFETIME };
    store::ceremony::put(db, &ceremony)?;
    Ok(Offer { id, options: begun.options })
}

/// What the sign-in page offers. `None` where the issuer has no name a passkey could be for.
pub fn offer(db: &mut Db, open: &Interaction, idp: &Idp) -> Result<Option<Offer>, Fault> {
    let Some(passkeys) = &idp.passkeys else { return Ok(None) };
    keep(db, sign_in_bound(open), passkeys.begin_proof(&[])?, idp).map(Some)
}

/// What the step-up page offers: a proof by one of the account's own.
pub fn offer_step_up(
    db: &mut Db,
    open: &Interaction,
    account: &Id<Account>,
    idp: &Idp,
) -> Result<Option<Offer>, Fault> {
    let Some(passkeys) = &idp.passkeys else { return Ok(None) };
    let known = credentials(db, account, idp)?;
    keep(db, step_up_bound(open, account), passkeys.begin_proof(&known)?, idp).map(Some)
}

/// The ids of an account's passkeys, in base64url.
pub fn credentials(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Vec<String>, Fault> {
    let kept = store::passkey::of_account(db, account)?;
    kept.iter()
        .map(|one| Passkeys::credential(&sealed::open_passkey(&one.passkey.id, &one.kept, &idp.vault)?))
        .collect()
}

fn sign_in_bound(open: &Interaction) -> Bound {
    Bound { browser: open.browser.clone(), purpose: SIGN_IN, subject: open.id.to_string() }
}

fn step_up_bound(open: &Interaction, account: &Id<Account>) -> Bound {
    Bound { browser: open.browser.clone(), purpose: STEP_UP, subject: format!("{}/{account}", open.id) }
}

/// Spends a challenge. `None`: it was answered before, or it is too late.
pub fn spent(db: &mut Db, ceremony: &str, bound: &Bound, idp: &Idp) -> Result<Option<String>, Fault> {
    let id = Id::new(ceremony);
    let state = store::ceremony::spend(db, &id, bound, idp.clock.now())?;
    state.map(|state| sealed::open_ceremony(&id, &state, &idp.vault)).transpose()
}

/// Signs in by whichever passkey answered.
pub async fn sign_in(id: Id<Interaction>, posted: Posted, browser: &Browser, idp: &Arc<Idp>) -> Result<Entered, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some(open) = page::bound(db, &id, &who, this.clock.now())? else {
                return Ok(Entered::Done(Answer::bare(Outcome::Shown(gone()))));
            };
            match answered(db, &posted, (&sign_in_bound(&open), None), &this)? {
                Verdict::Proved(account, factor) => {
                    let proof = Proof { account: &account, factors: &[factor] };
                    admit::admit(db, open, &proof, &who, &this).map(Entered::Done)
                }
                Verdict::Expired => Ok(Entered::Again(Complaint::Expired)),
                Verdict::Refused(account, reason) => {
                    refused(db, account.as_ref(), Kind::SignInRefused, reason, &this)?;
                    Ok(Entered::Again(Complaint::Refused))
                }
            }
        })
        .await
}

/// Adds the missing factor by a passkey of whoever is signed in.
pub async fn step_up(id: Id<Interaction>, posted: Posted, browser: &Browser, idp: &Arc<Idp>) -> Result<Entered, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some(turn) = step_up::turn(db, &id, &who, &this)? else {
                return Ok(Entered::Done(Answer::bare(Outcome::Shown(gone()))));
            };
            if !turn.ways.iter().any(|factor| factor.is_passkey()) {
                let Turn { open, session, .. } = turn;
                return admit::go_on(db, open, (session, Cookies::default()), &who, &this).map(Entered::Done);
            }
            let account = turn.session.prover().clone();
            match answered(db, &posted, (&step_up_bound(&turn.open, &account), Some(&account)), &this)? {
                Verdict::Proved(_, factor) => {
                    this.metrics.sign_in(factor, "ok");
                    step_up::prove(db, turn, factor, &who, &this).map(Entered::Done)
                }
                Verdict::Expired => Ok(Entered::Again(Complaint::Expired)),
                Verdict::Refused(_, reason) => {
                    refused(db, Some(&account), Kind::FactorRefused, reason, &this)?;
                    Ok(Entered::Again(Complaint::Refused))
                }
            }
        })
        .await
}

enum Verdict {
    Proved(Box<Account>, Factor),
    Expired,
    /// With the account the answer named, where there is one.
    Refused(Option<Id<Account>>, &'static str),
}

/// Spends the challenge, then holds the answer to it. Given an account, the passkey must be one of its own.
fn answered(
    db: &mut Db,
    posted: &Posted,
    (bound, owner): (&Bound, Option<&Id<Account>>),
    idp: &Idp,
) -> Result<Verdict, Fault> {
    let Some(passkeys) = &idp.passkeys else { return Ok(Verdict::Expired) };
    let Some(state) = spent(db, &posted.ceremony, bound, idp)? else { return Ok(Verdict::Expired) };
    let presented = match passkeys.presented(&posted.credential) {
        Ok(presented) => presented,
        Err(refused) => return Ok(Verdict::Refused(None, refused.0)),
    };
    let index = sealed::credential_index(&presented.credential, &idp.vault);
    let Some(found) = store::passkey::find_by_credential(db, &index)? else {
        return Ok(Verdict::Refused(None, "unknown_credential"));
    };
    let whose = found.passkey.account.clone();
    store::account::hold(db, &whose, Hold::Shared)?;
    if owner.is_some_and(|owner| *owner != whose) {
        return Ok(Verdict::Refused(Some(whose), "other_holder"));
    }
    if let Some(reason) = misnamed(db, &whose, &presented, owner.is_some())? {
        return Ok(Verdict::Refused(Some(whose), reason));
    }
    let kept = sealed::open_passkey(&found.passkey.id, &found.kept, &idp.vault)?;
    let proved = match passkeys.prove(&presented, &state, &kept) {
        Ok(proved) => proved,
        Err(refused) => return Ok(Verdict::Refused(Some(whose), refused.0)),
    };
    let kept = sealed::passkey(&found.passkey.id, &proved.kept, &idp.vault)?;
    let count = i64::from(proved.sign_count);
    // WebAuthn §7.2 step 22: of two answers with the same count one may be a copy's.
    if !store::passkey::used(db, &found.passkey, (count, &kept), idp.clock.now())? {
        return Ok(Verdict::Refused(Some(whose), "sign_count"));
    }
    let Some(account) = store::account::find(db, &whose)? else { return Err(Fault::broken("flow", "no account")) };
    Ok(Verdict::Proved(Box::new(account), factor(&found.passkey, idp)))
}

/// WebAuthn §7.2 step 6: the passkey names the account it is for; where nobody is known yet it must.
fn misnamed(
    db: &mut Db,
    account: &Id<Account>,
    presented: &Presented,
    known: bool,
) -> Result<Option<&'static str>, Fault> {
    match &presented.handle {
        None => Ok((!known).then_some("no_user_handle")),
        Some(handle) => {
            let same = store::passkey::user_handle(db, account)?.as_ref() == Some(handle);
            Ok((!same).then_some("user_handle"))
        }
    }
}

/// How much the passkey counts for.
pub fn factor(passkey: &Passkey, idp: &Idp) -> Factor {
    match (passkey.synced, idp.config.factors.synced_passkeys) {
        (false, _) => Factor::Passkey,
        (true, SyncedPasskeys::Two) => Factor::SyncedPasskey,
        (true, SyncedPasskeys::One) => Factor::SyncedPasskeyAtOne,
    }
}

/// Remembered where it names a known holder; else a line for the operators.
pub fn refused(
    db: &mut Db,
    account: Option<&Id<Account>>,
    kind: Kind,
    reason: &'static str,
    idp: &Idp,
) -> Result<(), Fault> {
    idp.metrics.sign_in(Factor::Passkey, "refused");
    let Some(account) = account else {
        tracing::info!(reason, "passkey.refused");
        return Ok(());
    };
    let detail = json!({"factor": Factor::Passkey.name(), "reason": reason});
    store::trail::append(db, &Event::new(kind, idp.clock.now()).of(account).with(detail), &idp.id()?)
}

/// The browser an offer is bound to.
pub fn browser_of(browser: &Browser) -> Result<Stored<BrowserCookie>, Fault> {
    browser.browser.clone().ok_or_else(|| Fault::broken("flow", "a ceremony in no browser"))
}
