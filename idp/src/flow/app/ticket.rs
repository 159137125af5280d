//! The app's side of a QR code: it scans, is shown who asks from where, and approves by the number on that screen, or
//! declines. Nothing is issued here: the browser that shows the code goes on in a request of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use subtle::ConstantTimeEq;

use super::{Speaker, Spoken, Told, is_too_fast, note, refuse, speaker, spoken};
use crate::domain::app::{Approval, Ending, MOST_TRIES, Place, Refused, Screen, Ticket, Unlock, reached};
use crate::domain::claim::ClaimName;
use crate::domain::consent::Bilingual;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::request::AuthorizationRequest;
use crate::domain::secret::{AppChallenge, AppTicket, Minted, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{AccountLevel, AuthenticationLevel, Fault, Span};
use crate::flow::authorize::live_client;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::protocol::app::Act;
use crate::protocol::authorize::demand;
use crate::store::{self, Db};

/// How long the browser may take to go on once the app approved.
const TAKEN_WITHIN: Span = Span::seconds(60);

/// What the app shows before anything is approved (`security.md` LG-31).
pub struct Scanned {
    pub challenge: Minted<AppChallenge>,
    /// `None`: one of our own pages.
    pub portal: Option<Bilingual>,
    pub organisation: Option<Bilingual>,
    pub service: Option<Bilingual>,
    pub place: Place,
    pub browser: String,
    pub level: AuthenticationLevel,
    pub unlock: &'static [Unlock],
    /// Labels of what the portal asks to be told.
    pub claims: Vec<Bilingual>,
    pub answer_within: Span,
    pub contested: bool,
}

/// The ticket a statement names, with what its screen shows and whose request it is.
struct Found {
    ticket: Ticket,
    screen: Screen,
    asks: Option<(AuthorizationRequest, Arc<Client>)>,
}

/// First to scan it is the only one that may answer it.
pub async fn scan(jws: &str, phone: Place, idp: &Arc<Idp>) -> Told<Scanned> {
    let spoken = match paced(jws, Act::Scan, idp).await? {
        Ok(spoken) => spoken,
        Err(refused) => return Ok(Err(refused)),
    };
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let (by, found) = match heard(db, &spoken, Act::Scan, &this)? {
                Ok(heard) => heard,
                Err(refused) => return Ok(Err(refused)),
            };
            let refusal = match found.ticket.scan(&by.device, this.clock.now()) {
                Ok(()) if found.screen.place.is_abroad_of(&phone) => Some(Refused::Abroad),
                Ok(()) => None,
                Err(refused) => Some(refused),
            };
            if let Some(refused) = refusal {
                if refused == Refused::TakenByAnother {
                    alert(db, &found.ticket, &this)?;
                }
                return Ok(Err(refuse(db, &by.account.id, Act::Scan, refused, &this)?));
            }
            bind(db, &by, found, &this)
        })
        .await
}

fn bind(db: &mut Db, by: &Speaker, found: Found, idp: &Idp) -> Told<Scanned> {
    let now = idp.clock.now();
    let Found { ticket, screen, asks } = found;
    let challenge: Minted<AppChallenge> = idp.random.mint()?;
    let first = ticket.device.is_none();
    let answer_by = if first { now + idp.config.lifetimes.app_answer } else { ticket.expires_at };
    if !store::app::scan(db, &ticket.id, &by.device, &challenge.stored(), (now, answer_by))? {
        // Another phone was quicker within this very moment.
        alert(db, &ticket, idp)?;
        return Ok(Err(refuse(db, &by.account.id, Act::Scan, Refused::TakenByAnother, idp)?));
    }
    store::app::note_use(db, &by.device.id, now)?;
    let client = asks.as_ref().map(|(_, client)| client.id.clone());
    let mut event = Event::new(Kind::AppScanned, now).of(&by.account.id).with(json!({"device": by.device.id}));
    event.client = client;
    store::trail::append(db, &event, &idp.id()?)?;
    let level = by.standing.ok().and_then(|standing| standing.account_level());
    let wanted = wanted(asks.as_ref(), by, level, &screen);
    let bilingual = |claim: ClaimName| Bilingual { vi: claim.label("vi").to_owned(), en: claim.label("en").to_owned() };
    let claims = match &asks {
        Some((request, _)) => asked_claims(db, by, request)?.into_iter().map(bilingual).collect(),
        None => Vec::new(),
    };
    let service = asks.as_ref().and_then(|(request, client)| client.service(request.service.as_deref()?));
    Ok(Ok(Scanned {
        challenge,
        portal: asks.as_ref().map(|(_, client)| client.client_name.clone()),
        organisation: asks.as_ref().map(|(_, client)| client.relying_party.clone()),
        service: service.map(|service| service.title.clone()),
        unlock: Unlock::towards(wanted, &screen.proved),
        level: wanted.unwrap_or(AuthenticationLevel::Two),
        place: screen.place,
        browser: screen.browser,
        claims,
        answer_within: answer_by.since(now),
        contested: ticket.contested,
    }))
}

/// The number was typed: charged first, compared then, and approved by one conditional update.
pub async fn approve(jws: &str, idp: &Arc<Idp>) -> Told<()> {
    let spoken = match paced(jws, Act::Approve, idp).await? {
        Ok(spoken) => spoken,
        Err(refused) => return Ok(Err(refused)),
    };
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let (by, found) = match heard(db, &spoken, Act::Approve, &this)? {
                Ok(heard) => heard,
                Err(refused) => return Ok(Err(refused)),
            };
            match approved(db, &by, &spoken, &found, &this)? {
                Ok(()) => Ok(Ok(())),
                Err(refused) => Ok(Err(refuse(db, &by.account.id, Act::Approve, refused, &this)?)),
            }
        })
        .await
}

fn approved(db: &mut Db, by: &Speaker, spoken: &Spoken, found: &Found, idp: &Idp) -> Told<()> {
    let now = idp.clock.now();
    let said = &spoken.statement;
    let (Some(challenge), Some(unlocks)) = (said.text("challenge"), said.unlocked_by()) else {
        return Ok(Err(Refused::Statement));
    };
    let challenge: Stored<AppChallenge> = Stored::of(challenge);
    let answer = Approval { challenge: challenge.clone(), aware: said.is_true("contested") };
    if let Err(refused) = found.ticket.approve(&by.device, &answer, now) {
        return Ok(Err(refused));
    }
    let factors: Vec<_> = unlocks.iter().map(|unlock| unlock.factor()).collect();
    let level = by.standing.ok().and_then(|standing| standing.account_level());
    let wanted = wanted(found.asks.as_ref(), by, level, &found.screen);
    if reached(factors.iter().copied(), &found.screen.proved) < wanted {
        return Ok(Err(Refused::TooWeak));
    }
    // `security.md` LG-31, P13: whoever approves sees the screen that asks.
    let Some(tries) = store::app::charge(db, &found.ticket.id)? else {
        return Ok(Err(Refused::Ended(Ending::Guessed)));
    };
    let typed = said.text("number").unwrap_or_default();
    if !bool::from(typed.as_bytes().ct_eq(found.screen.number.as_bytes())) {
        if tries < MOST_TRIES {
            return Ok(Err(Refused::WrongNumber));
        }
        store::app::end(db, &found.ticket.id, Ending::Guessed)?;
        return Ok(Err(Refused::Ended(Ending::Guessed)));
    }
    let by_and_for = (&by.device, &challenge);
    if !store::app::approve(db, &found.ticket.id, by_and_for, &factors, (now, now + TAKEN_WITHIN))? {
        return Ok(Err(Refused::Ended(Ending::Taken)));
    }
    let names: Vec<&str> = unlocks.iter().map(|unlock| unlock.name()).collect();
    let detail = json!({"device": by.device.id, "unlocked_by": names, "contested": found.ticket.contested});
    let mut event = Event::new(Kind::AppApproved, now).of(&by.account.id).with(detail);
    event.client = found.asks.as_ref().map(|(_, client)| client.id.clone());
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Ok(()))
}

/// The holder says no, which is what the app proposes. The screen is told.
pub async fn decline(jws: &str, idp: &Arc<Idp>) -> Told<()> {
    let spoken = match paced(jws, Act::Decline, idp).await? {
        Ok(spoken) => spoken,
        Err(refused) => return Ok(Err(refused)),
    };
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let (by, found) = match heard(db, &spoken, Act::Decline, &this)? {
                Ok(heard) => heard,
                Err(refused) => return Ok(Err(refused)),
            };
            let owns = found.ticket.device.as_ref() == Some(&by.device.id);
            if !owns || found.ticket.factors.is_some() || !store::app::end(db, &found.ticket.id, Ending::Declined)? {
                return Ok(Err(refuse(db, &by.account.id, Act::Decline, Refused::NotScanned, &this)?));
            }
            note(db, &by.account.id, Kind::AppDeclined, json!({"device": by.device.id}), &this)?;
            Ok(Ok(()))
        })
        .await
}

async fn paced(jws: &str, act: Act, idp: &Arc<Idp>) -> Told<Spoken> {
    let spoken = match spoken(jws, act, idp).await? {
        Ok(spoken) => spoken,
        Err(refused) => return Ok(Err(refused)),
    };
    // `security.md` LG-35.
    if is_too_fast("device", spoken.device.as_str(), idp).await {
        return Ok(Err(Refused::Pace));
    }
    Ok(Ok(spoken))
}

/// The speaker, who may act, and the ticket the statement names.
fn heard(db: &mut Db, spoken: &Spoken, act: Act, idp: &Idp) -> Told<(Speaker, Found)> {
    let by = match speaker(db, spoken, idp)? {
        Ok(by) => by,
        Err(refused) => return Ok(Err(refused)),
    };
    if by.standing.is_err() {
        return Ok(Err(refuse(db, &by.account.id, act, Refused::Barred, idp)?));
    }
    match find(db, spoken.statement.text("ticket").unwrap_or_default(), idp)? {
        Some(found) => Ok(Ok((by, found))),
        None => Ok(Err(refuse(db, &by.account.id, act, Refused::Unknown, idp)?)),
    }
}

/// Nothing is found where the interaction is over or its client gone: there is nobody to go on.
fn find(db: &mut Db, text: &str, idp: &Idp) -> Result<Option<Found>, Fault> {
    let Some(ticket) = store::app::find(db, &Stored::<AppTicket>::of(text))? else { return Ok(None) };
    let open: Option<Interaction> = store::interaction::find(db, &ticket.interaction)?;
    let Some(open) = open.filter(|open| open.is_open(idp.clock.now())) else { return Ok(None) };
    let asks = match open.destination {
        Destination::OwnPage(_) => None,
        Destination::Client(request) => match live_client(db, &request.client_id)? {
            Some(client) => Some((*request, client)),
            None => return Ok(None),
        },
    };
    let screen = sealed::open_screen(&ticket, &idp.vault)?;
    Ok(Some(Found { ticket, screen, asks }))
}

/// The first phone's holder and the screen learn of it (`security.md` LG-32).
fn alert(db: &mut Db, ticket: &Ticket, idp: &Idp) -> Result<(), Fault> {
    store::app::contest(db, &ticket.id)?;
    match &ticket.account {
        Some(first) => note(db, first, Kind::AppRefused, json!({"act": "scan", "reason": "contested"}), idp),
        None => Ok(()),
    }
}

fn wanted(
    asks: Option<&(AuthorizationRequest, Arc<Client>)>,
    by: &Speaker,
    level: Option<AccountLevel>,
    screen: &Screen,
) -> Option<AuthenticationLevel> {
    let (request, client) = asks?;
    demand::wanted((request, client), (&by.account, level), &screen.proved)
}

/// What the request would have told, of what there is.
fn asked_claims(db: &mut Db, by: &Speaker, request: &AuthorizationRequest) -> Result<BTreeSet<ClaimName>, Fault> {
    let available = store::account::claim_names(db, &by.account.id)?;
    let asked = request.scope.iter().flat_map(|scope| ClaimName::of_scope(scope));
    Ok(asked.filter(|claim| available.contains(claim)).collect())
}
