//! Sign-in with person number and password. An unknown number and a wrong password cost and answer the same; the
//! brake on guessing is asked before the hash and again with the outcome.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::admit::Proof;
use super::authorize::gone;
use super::{Answer, Browser, Outcome, admit, brake, page};
use crate::domain::account::Account;
use crate::domain::interaction::Interaction;
use crate::domain::recovery::Ending;
use crate::domain::secret::BlindIndex;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, PersonNumber, Span};
use crate::factor::throttle::{self, Counter, Rule, Verdict};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the sign-in form carried.
pub struct Form {
    pub person_number: String,
    pub password: Zeroizing<String>,
    /// The person says that they sign in for somebody else.
    pub for_other: bool,
}

/// Why the form is shown again. Never says whether the number exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Not twelve digits, or no password: seen without asking anybody.
    Malformed,
    Wrong,
    Wait(Span),
}

pub enum SignedIn {
    Again(Complaint),
    Done(Answer),
}

pub(super) struct Attempt {
    account: Option<Account>,
    hash: Option<String>,
    index: BlindIndex,
    /// What this guess is counted under.
    counters: Vec<Counter>,
}

/// Evaluates one password.
pub async fn password(id: Id<Interaction>, form: Form, browser: &Browser, idp: &Arc<Idp>) -> Result<SignedIn, Fault> {
    // A foreigner's number has no stated length (`domain.md` 3.1).
    let Some(number) = PersonNumber::parse_foreign(&form.person_number) else {
        return Ok(SignedIn::Again(Complaint::Malformed));
    };
    if !crate::factor::password::is_acceptable(&form.password) {
        return Ok(SignedIn::Again(Complaint::Malformed));
    }
    let typed = Typed {
        index: idp.vault.blind_index("person", number.reveal()),
        password: form.password,
        within: Some(id.clone()),
    };
    let (this, who, for_other) = (Arc::clone(idp), browser.clone(), form.for_other);
    let evaluated =
        evaluate(typed, browser, idp, move |db, attempt| admit(db, (id, for_other), attempt, &who, &this)).await?;
    Ok(match evaluated {
        Evaluated::Right(answer) => SignedIn::Done(answer),
        Evaluated::Again(complaint) => SignedIn::Again(complaint),
        Evaluated::Gone => SignedIn::Done(Answer::bare(Outcome::Shown(gone()))),
    })
}

/// A password to be tried.
pub(super) struct Typed {
    pub(super) index: BlindIndex,
    pub(super) password: Zeroizing<String>,
    /// The interaction it was typed in, which must still be this browser's.
    pub(super) within: Option<Id<Interaction>>,
}

pub(super) enum Evaluated<T> {
    Right(T),
    Again(Complaint),
    /// The interaction is over.
    Gone,
}

/// Evaluates one password under the brake. `then` runs in the transaction that found it right.
pub(super) async fn evaluate<T: Send + 'static>(
    typed: Typed,
    browser: &Browser,
    idp: &Arc<Idp>,
    then: impl FnOnce(&mut Db, &Attempt) -> Result<T, Fault> + Send + 'static,
) -> Result<Evaluated<T>, Fault> {
    // `security.md` RX-05: whoever must come back anyway has not cost a look into the store.
    idp.hasher.room()?;
    let Typed { index, password, within } = typed;
    let (this, who) = (Arc::clone(idp), browser.clone());
    let attempt = match idp.store.read(move |db| consider(db, within.as_ref(), index, &who, &this)).await? {
        Considered::Evaluate(attempt) => attempt,
        Considered::Wait(span, unnoted) => {
            idp.metrics.sign_in(Factor::Password, "throttled");
            if let Some(attempt) = unnoted {
                let this = Arc::clone(idp);
                idp.store.transact(move |db| record_stop(db, &attempt, &this)).await?;
            }
            return Ok(Evaluated::Again(Complaint::Wait(span)));
        }
        Considered::Gone => return Ok(Evaluated::Gone),
    };
    let right = idp.hasher.verify(&password, attempt.hash.as_deref()).await?;
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            // Guesses sent at once were all considered before any was counted: the brake is asked again, and a wait
            // overrules even a right password.
            if let Verdict::Wait(span) = brake::ask(db, &attempt.counters, &this)? {
                this.metrics.sign_in(Factor::Password, "throttled");
                record_stop(db, &attempt, &this)?;
                return Ok(Evaluated::Again(Complaint::Wait(span)));
            }
            if right {
                return then(db, &attempt).map(Evaluated::Right);
            }
            this.metrics.sign_in(Factor::Password, "wrong");
            record_wrong(db, &attempt, &this)?;
            Ok(Evaluated::Again(Complaint::Wrong))
        })
        .await
}

/// The account a right password was given for, read again: a lock may have been acknowledged while it was being hashed.
pub(super) fn proved(db: &mut Db, attempt: &Attempt, how: Hold) -> Result<Account, Fault> {
    if let Some(known) = &attempt.account {
        store::account::hold(db, &known.id, how)?;
    }
    // What strangers used up comes back by time alone; the owner's own device starts afresh.
    for counter in attempt.counters.iter().filter(|counter| counter.rule == Rule::KnownDevice) {
        store::throttle::clear(db, &counter.key)?;
    }
    let account = store::account::find_by_person(db, &attempt.index)?;
    account.ok_or_else(|| Fault::broken("flow", "an account vanished"))
}

enum Considered {
    Evaluate(Box<Attempt>),
    /// With the attempt when the trail does not tell of such a stop yet.
    Wait(Span, Option<Box<Attempt>>),
    Gone,
}

/// Everything cheap comes before the hash (`security.md` N-13).
fn consider(
    db: &mut Db,
    within: Option<&Id<Interaction>>,
    index: BlindIndex,
    browser: &Browser,
    idp: &Idp,
) -> Result<Considered, Fault> {
    if let Some(id) = within
        && page::bound(db, id, browser, idp.clock.now())?.is_none()
    {
        return Ok(Considered::Gone);
    }
    let account = store::account::find_by_person(db, &index)?;
    let counters = counters(db, account.as_ref(), &index, browser)?;
    if let Verdict::Wait(span) = brake::ask(db, &counters, idp)? {
        let noted = brake::is_stop_noted(db, &counters)?;
        let unnoted = (!noted).then(|| Box::new(Attempt { account, hash: None, index, counters }));
        return Ok(Considered::Wait(span, unnoted));
    }
    let hash = store::account::password_by_person(db, &index)?;
    Ok(Considered::Evaluate(Box::new(Attempt { account, hash, index, counters })))
}

fn counters(
    db: &mut Db,
    account: Option<&Account>,
    index: &BlindIndex,
    browser: &Browser,
) -> Result<Vec<Counter>, Fault> {
    let known = match (&browser.device, account) {
        (Some(device), Some(account)) => store::device::knows(db, device, &account.id)?,
        _ => false,
    };
    let device = browser.device.as_ref().filter(|_| known).map(|device| device.as_str());
    let address = browser.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Ok(throttle::password(index.as_str(), device, address))
}

fn record_wrong(db: &mut Db, attempt: &Attempt, idp: &Idp) -> Result<(), Fault> {
    brake::count(db, &attempt.counters, idp)?;
    store::trail::append(db, &refused(attempt, "wrong", idp), &idp.id()?)
}

fn record_stop(db: &mut Db, attempt: &Attempt, idp: &Idp) -> Result<(), Fault> {
    brake::note_stop(db, &attempt.counters, &refused(attempt, "throttled", idp), idp)
}

/// What the trail keeps of a guess at a password. One for a number nobody has is kept as well, by nobody's name: the answer
/// must not come sooner for it (`security.md` LG-01).
fn refused(attempt: &Attempt, reason: &str, idp: &Idp) -> Event {
    let known_device = attempt.counters.iter().any(|counter| counter.rule == Rule::KnownDevice);
    let detail = json!({"factor": Factor::Password.name(), "reason": reason, "known_device": known_device});
    let event = Event::new(Kind::SignInRefused, idp.clock.now()).with(detail);
    match &attempt.account {
        Some(account) => event.of(&account.id),
        None => event,
    }
}

/// The right password: told what stands in the way, or signed in.
fn admit(
    db: &mut Db,
    (id, for_other): (Id<Interaction>, bool),
    attempt: &Attempt,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Answer, Fault> {
    let Some(open) = page::bound(db, &id, browser, idp.clock.now())? else {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    };
    let open = Interaction { for_other, ..open };
    store::interaction::is_for_other(db, &id, for_other)?;
    let account = proved(db, attempt, Hold::Shared)?;
    // Whoever has the password needs no recovery: one under way is somebody else's.
    store::recovery::end_all(db, &account.id, Ending::Overtaken, idp.clock.now())?;
    admit::admit(db, open, &Proof { account: &account, factors: &[Factor::Password] }, browser, idp)
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
