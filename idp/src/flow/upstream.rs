//! Sign-in through another provider: the browser is sent there, and what it brings back is redeemed once. A subject that
//! is linked signs in; one that is not may be linked by the holder (`linking`), and by nothing else.

use std::sync::Arc;

use serde_json::json;

use super::admit::Proof;
use super::authorize::{gone, open_interaction};
use super::facts::{self, Limits};
use super::upstreams::Upstream;
use super::{Answer, Browser, Cookies, Outcome, admit, linking, page};
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::secret::{Minted, Stored, UpstreamState};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::upstream::{Resting, Trip};
use crate::domain::{Factor, Fault, Id, Span};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};
use crate::upstream::{Bound, Failure, Identified};

/// How long somebody may take at the other provider.
const TRIP_LASTS: Span = Span::minutes(15);
/// As much of another provider's words as a page of ours repeats (`security.md` UP-14).
const MOST_QUOTED: usize = 200;

/// Why a visit to another provider came to nothing; each has a page of its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No such provider, or the operator switched it off.
    Off,
    /// Its accounts are not used to sign in any more.
    Ended,
    /// It may be linked, and nobody signs in by it.
    LinkOnly,
    /// It does not answer, or has not for a while.
    Unavailable,
    /// The answer belongs to no visit of this browser.
    Unasked,
    /// It said no, in these words.
    Refused(String),
    /// It answered something that cannot be believed.
    Untrusted,
    /// This person there is linked to another account here, or this account to another person there.
    Conflict,
}

impl Trouble {
    pub const fn name(&self) -> &'static str {
        match self {
            Trouble::Off => "off",
            Trouble::Ended => "ended",
            Trouble::LinkOnly => "link_only",
            Trouble::Unavailable => "unavailable",
            Trouble::Unasked => "unasked",
            Trouble::Refused(_) => "refused",
            Trouble::Untrusted => "untrusted",
            Trouble::Conflict => "conflict",
        }
    }

    fn of(failure: &Failure) -> Trouble {
        match failure {
            Failure::Unreachable(_) | Failure::OtherIssuer => Trouble::Unavailable,
            Failure::Refused(_) | Failure::Untrusted(_) => Trouble::Untrusted,
        }
    }
}

/// A page that says so, and the sign-in it leads back to.
#[derive(Debug)]
pub struct Stopped {
    pub trouble: Trouble,
    pub interaction: Option<Id<Interaction>>,
}

pub enum Begun {
    /// To the other provider.
    Away(String, Cookies),
    Stopped(Stopped),
    Elsewhere(Answer),
}

pub enum Finished {
    Answer(Answer),
    Stopped(Stopped),
}

/// What a browser brought back (OIDC Core §3.1.2.5, RFC 9207 §2).
#[derive(Clone, Debug, Default)]
pub struct Brought {
    pub state: String,
    pub code: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// Sends the browser away. Without an interaction the holder is signed in and wants a link.
pub async fn begin(
    name: &str,
    interaction: Option<Id<Interaction>>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Begun, Fault> {
    let stopped = |trouble: Trouble, interaction| {
        idp.metrics.upstream(name, trouble.name());
        Ok(Begun::Stopped(Stopped { trouble, interaction }))
    };
    let Some(upstream) = idp.upstreams.find(name) else {
        return Ok(Begun::Stopped(Stopped { trouble: Trouble::Off, interaction }));
    };
    let now = idp.clock.now();
    if let Some(trouble) = closed(&upstream, interaction.is_none(), idp) {
        return stopped(trouble, interaction);
    }
    if !upstream.admits(now) {
        return stopped(Trouble::Unavailable, interaction);
    }
    let state: Minted<UpstreamState> = idp.random.mint()?;
    let secrets = Secrets::of(&state, idp);
    let bound = Bound { state: state.reveal(), nonce: &secrets.nonce, verifier: &secrets.verifier, begun_at: now };
    // Asked first: a provider that does not answer leaves no trip behind.
    let away = upstream.oidc.begin(&bound, browser.language, now).await;
    upstream.note(&away, now);
    let url = match away {
        Ok(url) => url,
        Err(failure) => {
            tracing::warn!(upstream.name = name, reason = ?failure, "upstream.not_begun");
            return stopped(Trouble::of(&failure), interaction);
        }
    };
    let (this, who, name) = (Arc::clone(idp), browser.clone(), name.to_owned());
    let stored = state.stored();
    let left = idp.store.transact(move |db| leave(db, (name, stored), interaction, &who, &this)).await?;
    Ok(match left {
        Left::Away(cookies) => {
            idp.metrics.upstream(&upstream.name, "begun");
            Begun::Away(url, cookies)
        }
        Left::Elsewhere(answer) => Begun::Elsewhere(answer),
    })
}

/// Made from the state by our own keys: nothing of a trip at rest is of use to whoever reads it.
struct Secrets {
    nonce: String,
    verifier: String,
}

impl Secrets {
    fn of(state: &Minted<UpstreamState>, idp: &Idp) -> Secrets {
        let made = |kind| idp.vault.seal_of(kind, state.reveal());
        Secrets { nonce: made("upstream.nonce"), verifier: made("upstream.verifier") }
    }
}

/// Why this provider takes nobody now (`security.md` UP-11).
fn closed(upstream: &Upstream, linking: bool, idp: &Idp) -> Option<Trouble> {
    if !upstream.agreed.enabled {
        return Some(Trouble::Off);
    }
    if upstream.agreed.has_ended(idp.clock.now()) {
        return Some(Trouble::Ended);
    }
    (upstream.agreed.link_only && !linking).then_some(Trouble::LinkOnly)
}

enum Left {
    Away(Cookies),
    Elsewhere(Answer),
}

fn leave(
    db: &mut Db,
    (upstream, state): (String, Stored<UpstreamState>),
    interaction: Option<Id<Interaction>>,
    browser: &Browser,
    idp: &Idp,
) -> Result<Left, Fault> {
    let now = idp.clock.now();
    let (id, cookie, linking) = match interaction {
        Some(id) => match page::bound(db, &id, browser, now)? {
            Some(_) => (id, None, false),
            None => return Ok(Left::Elsewhere(Answer::bare(Outcome::Shown(gone())))),
        },
        None => {
            let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
            let account = match session {
                Some(session) => store::account::find(db, &session.account)?,
                None => None,
            };
            if facts::standing(account.as_ref(), None, now).is_err() {
                return Ok(Left::Elsewhere(Answer::bare(Outcome::OwnPage("/identity".to_owned()))));
            }
            let (id, cookie) = open_interaction(db, Destination::OwnPage("/identity".to_owned()), browser, idp)?;
            (id, cookie, true)
        }
    };
    let bound = match (&browser.browser, &cookie) {
        (Some(known), _) => known.clone(),
        (None, Some(minted)) => minted.stored(),
        (None, None) => return Err(Fault::broken("flow", "no browser binding")),
    };
    let trip = Trip {
        state,
        upstream,
        interaction: id,
        browser: bound,
        linking,
        begun_at: now,
        expires_at: now + TRIP_LASTS,
        spent_at: None,
    };
    store::upstream::send(db, &trip)?;
    Ok(Left::Away(Cookies { browser: cookie, ..Cookies::default() }))
}

/// Takes what the browser brought back.
pub async fn finish(name: &str, brought: Brought, browser: &Browser, idp: &Arc<Idp>) -> Result<Finished, Fault> {
    let Some(upstream) = idp.upstreams.find(name) else { return Ok(stopped(Trouble::Off, None)) };
    let state: Minted<UpstreamState> = Minted::from_text(brought.state.clone());
    let (this, who, at, key) = (Arc::clone(idp), browser.clone(), name.to_owned(), state.stored());
    let trip = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let trip = store::upstream::find(db, &key)?;
            let Some(trip) = trip.filter(|trip| trip.awaits(&at, who.browser.as_ref(), now)) else { return Ok(None) };
            // Affected rows decide: of answers that come at once, one counts.
            Ok(store::upstream::spend(db, &trip.state, now)?.then_some(trip))
        })
        .await?;
    let Some(trip) = trip else {
        idp.metrics.upstream(name, "unasked");
        return Ok(stopped(Trouble::Unasked, None));
    };
    let identified = match closed(&upstream, trip.linking, idp) {
        Some(trouble) => Err(trouble),
        None => redeem(&upstream, &brought, (&state, &trip), idp).await?,
    };
    let identified = match identified {
        Ok(identified) => identified,
        Err(trouble) => {
            idp.metrics.upstream(name, trouble.name());
            return Ok(stopped(trouble, Some(trip.interaction)));
        }
    };
    let (this, who) = (Arc::clone(idp), browser.clone());
    let finished = idp.store.transact(move |db| arrive(db, &upstream, (&trip, &identified), &who, &this)).await?;
    idp.desk.ring();
    Ok(finished)
}

const fn stopped(trouble: Trouble, interaction: Option<Id<Interaction>>) -> Finished {
    Finished::Stopped(Stopped { trouble, interaction })
}

/// What the provider says of who signed in there. Its name is checked before anything is sent to it
/// (`security.md` UP-02).
async fn redeem(
    upstream: &Upstream,
    brought: &Brought,
    (state, trip): (&Minted<UpstreamState>, &Trip),
    idp: &Idp,
) -> Result<Result<Identified, Trouble>, Fault> {
    let now = idp.clock.now();
    if !upstream.admits(now) {
        return Ok(Err(Trouble::Unavailable));
    }
    let asked = match upstream.oidc.answered(brought.iss.as_deref(), now).await {
        Err(failure) => Err(failure),
        Ok(()) => match (&brought.error, &brought.code) {
            (Some(error), _) => return Ok(Err(Trouble::Refused(quoted(error, brought.error_description.as_deref())))),
            (None, None) => Err(Failure::Untrusted("code")),
            (None, Some(code)) => {
                let secrets = Secrets::of(state, idp);
                let (nonce, verifier) = (secrets.nonce.as_str(), secrets.verifier.as_str());
                let bound = Bound { state: state.reveal(), nonce, verifier, begun_at: trip.begun_at };
                upstream.oidc.redeem(code, &bound, &upstream.credential(idp)?, now).await
            }
        },
    };
    upstream.note(&asked, idp.clock.now());
    Ok(asked.map_err(|failure| {
        tracing::warn!(upstream.name = %upstream.name, reason = ?failure, "upstream.not_believed");
        Trouble::of(&failure)
    }))
}

/// Another provider's words on a page of ours: one line, not long.
fn quoted(error: &str, description: Option<&str>) -> String {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let text = match description {
        Some(description) => format!("{}: {}", plain(error), plain(description)),
        None => plain(error),
    };
    text.chars().take(MOST_QUOTED).collect()
}

/// Signs in who is linked, and asks who is not.
fn arrive(
    db: &mut Db,
    upstream: &Upstream,
    (trip, identified): (&Trip, &Identified),
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Finished, Fault> {
    let now = idp.clock.now();
    let Some(open) = page::bound(db, &trip.interaction, browser, now)? else {
        return Ok(Finished::Answer(Answer::bare(Outcome::Shown(gone()))));
    };
    let subject = upstream.subject(&identified.sub, idp);
    let issuer = upstream.agreed.issuer.as_str();
    let Some(known) = store::upstream_link::find(db, issuer, &subject)? else {
        let outcome = linking::offer(db, upstream, (trip, subject), browser, idp)?;
        idp.metrics.upstream(&upstream.name, "unlinked");
        return Ok(Finished::Answer(outcome));
    };
    store::account::hold(db, &known.account, Hold::Shared)?;
    // Asked again: an unlink that was acknowledged meanwhile holds.
    let Some(known) = store::upstream_link::find(db, issuer, &subject)? else {
        return Ok(stopped(Trouble::Unasked, Some(trip.interaction.clone())));
    };
    if trip.linking {
        let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
        if session.is_none_or(|session| session.account != known.account) {
            refuse(db, &known.account, (upstream, "conflict"), idp)?;
            return Ok(stopped(Trouble::Conflict, Some(trip.interaction.clone())));
        }
        store::interaction::finish(db, &open.id, now)?;
        return Ok(Finished::Answer(Answer::bare(Outcome::OwnPage("/identity?done=linked".to_owned()))));
    }
    let Some(account) = store::account::find(db, &known.account)? else {
        return Err(Fault::broken("flow", "a link without an account"));
    };
    let factors = [Factor::Upstream(upstream.agreed.level(identified.acr.as_deref()))];
    let answer = admit::admit(db, open, &Proof { account: &account, factors: &factors }, browser, idp)?;
    if let Some(cookie) = &answer.cookies.session
        && let Some(session) = store::session::find_by_cookie(db, &cookie.stored())?
    {
        let sid = identified.sid.as_deref().map(|sid| upstream.session(sid, idp));
        store::upstream_link::rest(db, &Resting { session: session.id, link: known.id, sid })?;
        idp.metrics.upstream(&upstream.name, "signed_in");
    } else {
        idp.metrics.upstream(&upstream.name, "barred");
    }
    Ok(Finished::Answer(answer))
}

/// Remembers a refusal that names a known holder.
pub(super) fn refuse(
    db: &mut Db,
    account: &Id<Account>,
    (upstream, reason): (&Upstream, &'static str),
    idp: &Idp,
) -> Result<(), Fault> {
    idp.metrics.upstream(&upstream.name, reason);
    let event = Event::new(Kind::UpstreamRefused, idp.clock.now())
        .of(account)
        .with(json!({"upstream": upstream.name, "reason": reason}));
    store::trail::append(db, &event, &idp.id()?)
}

/// Ends sessions that rest on a link, with all that lives with them.
pub(super) fn end(db: &mut Db, sessions: &[Id<Session>], reason: &str, idp: &Idp) -> Result<usize, Fault> {
    let mut ended = 0;
    for id in sessions {
        let Some(session) = store::session::find(db, id)?.filter(|session| session.ended_at.is_none()) else {
            continue;
        };
        admit::end(db, &session, json!({"reason": reason}), idp)?;
        ended += 1;
    }
    Ok(ended)
}
