//! The guard before what only a fresh proof of level 2 opens: it lets through, or leads to the pages that ask for what is
//! missing and back again.

use super::authorize::open_interaction;
use super::facts::{self, Limits};
use super::guardian::CONFIRMATIONS;
use super::{Answer, Browser, Cookies, Outcome, Step, home};
use crate::domain::account::Account;
use crate::domain::interaction::Destination;
use crate::domain::session::Session;
use crate::domain::{Factor, Fault, Id, Span};
use crate::idp::Idp;
use crate::protocol::authorize::fresh::{WINDOW, Wanting, wanting};
use crate::store::account::Hold;
use crate::store::{self, Db};

pub const NEW_PASSKEY: &str = "/new-passkey";
pub const NEW_TOTP: &str = "/new-totp";
/// Where a removal is asked for again once it was confirmed who asks.
pub const CONFIRMED: &str = "/identity?done=confirmed";
/// Where somebody is told that their account has no second way.
const OUT_OF_REACH: &str = "/identity?done=out_of_reach";

/// An answer to a page that was opened in time may come this much later.
pub const PATIENCE: Span = Span::minutes(5);

pub enum Guarded {
    Open(Box<(Session, Account)>),
    Elsewhere(Answer),
}

/// What the way to one of our own pages still takes.
pub fn on_the_way(db: &mut Db, path: &str, session: Option<&Session>, idp: &Idp) -> Result<Wanting, Fault> {
    let Some(session) = session else { return Ok(Wanting::SignIn { again: false }) };
    // A session whose account may not act opens none of our pages either. Who acts for an organisation sees its page, and
    // changes nothing but their own.
    let stands = match path {
        home::PAGE => home::stands(db, session, idp.clock.now())?.is_some(),
        _ => facts::acting(db, Some(session.clone()), idp.clock.now())?.is_some(),
    };
    if !stands {
        return Ok(Wanting::SignIn { again: true });
    }
    if ![NEW_PASSKEY, NEW_TOTP, CONFIRMED, CONFIRMATIONS].contains(&path) {
        return Ok(Wanting::Nothing);
    }
    let account = store::account::find(db, &session.account)?;
    Ok(wanting(account.as_ref().map(|account| (session, account)), WINDOW, idp.clock.now()))
}

/// Where that leads: to the page that asks, to the page itself, or to where it is said that it cannot be.
pub fn outcome(wanting: &Wanting, path: &str, interaction: &Id<crate::domain::interaction::Interaction>) -> Outcome {
    match wanting {
        Wanting::Nothing => Outcome::OwnPage(path.to_owned()),
        Wanting::SignIn { .. } => Outcome::Page(Step::SignIn, interaction.clone()),
        Wanting::StepUp(ways) => {
            Outcome::Page(ways.first().copied().map_or(Step::SignIn, Step::of_factor), interaction.clone())
        }
        Wanting::OutOfReach => Outcome::OwnPage(OUT_OF_REACH.to_owned()),
    }
}

/// Lets through whoever proved level 2 within the window, and holds their account as asked.
pub fn guard(
    db: &mut Db,
    path: &'static str,
    (hold, late): (Hold, Span),
    browser: &Browser,
    idp: &Idp,
) -> Result<Guarded, Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    if let Some(session) = session {
        store::account::hold(db, &session.account, hold)?;
        // Facts again: a lock may have been acknowledged while this waited.
        let session = store::session::find(db, &session.id)?.filter(|fresh| fresh.ended_at.is_none());
        let account = match &session {
            Some(session) => store::account::find(db, &session.account)?,
            None => None,
        };
        if let (Some(session), Some(account)) = (session, account)
            && facts::standing(Some(&account), None, now).is_ok()
        {
            let window = Span::seconds(WINDOW.as_seconds() + late.as_seconds());
            let wanting = wanting(Some((&session, &account)), window, now);
            if wanting == Wanting::Nothing && browser.browser.is_some() {
                store::session::touch(db, &session.id, now)?;
                return Ok(Guarded::Open(Box::new((session, account))));
            }
            return asked(db, path, &wanting, browser, idp);
        }
    }
    asked(db, path, &Wanting::SignIn { again: false }, browser, idp)
}

fn asked(db: &mut Db, path: &str, wanting: &Wanting, browser: &Browser, idp: &Idp) -> Result<Guarded, Fault> {
    let (id, minted) = open_interaction(db, Destination::OwnPage(path.to_owned()), browser, idp)?;
    let cookies = Cookies { browser: minted, ..Cookies::default() };
    let outcome = match wanting {
        // The interaction's own page finds that nothing is missing, with a browser that is known by then.
        Wanting::Nothing => Outcome::Page(Step::SignIn, id),
        other => outcome(other, path, &id),
    };
    Ok(Guarded::Elsewhere(Answer { outcome, cookies }))
}

impl Step {
    /// The page a factor is asked for on.
    pub const fn of_factor(factor: Factor) -> Step {
        if factor.is_passkey() {
            Step::Passkey
        } else if factor.is_app() {
            Step::Qr
        } else if factor.identifies() {
            Step::SignIn
        } else {
            Step::Otp
        }
    }
}
