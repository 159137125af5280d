//! The guardian's word (ND69 Art 14(2)): a child or ward who signed in waits, the guardian allows or refuses from a session
//! of their own or on the same browser, and the word opens that one interaction once.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use super::acting::{self, go_on};
use super::authorize::{Pending, open_interaction};
use super::facts::{self, Limits};
use super::{Answer, Browser, Cookies, Outcome, Step, home, notices};
use crate::domain::account::Account;
use crate::domain::confirmation::{Confirmation, Stage, WAITS, Word};
use crate::domain::consent::Bilingual;
use crate::domain::holder_notice::{GUARDIAN_TOLD_AN_HOUR, News};
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::relying_party::Client;
use crate::domain::secret::{Minted, SessionCookie};
use crate::domain::session::{Acquaintance, Acting, Session};
use crate::domain::standing::needs_guardian;
use crate::domain::trail::{Event, Kind};
use crate::domain::{AuthenticationLevel, Fault, Id, Moment, Span};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// Where a guardian is sent to reach level 2 before the word counts.
pub const CONFIRMATIONS: &str = "/identity?confirm=1";

/// What a ward waits with.
pub struct Asked<'a> {
    pub interaction: &'a Id<Interaction>,
    pub client: &'a Id<Client>,
    pub proofs: &'a Acquaintance,
}

/// Asks the guardian on record, unless a word on this is still waited for.
pub fn ask(db: &mut Db, ward: &Account, asked: &Asked<'_>, browser: &Browser, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    let Some(guardian) = &ward.guardian else { return Ok(()) };
    let before = store::confirmation::of_interaction(db, asked.interaction)?;
    let waits = |before: &Confirmation| matches!(before.stage(now), Stage::Waiting | Stage::Allowed);
    if before.is_some_and(|before| before.ward == ward.id && before.guardian == *guardian && waits(&before)) {
        return Ok(());
    }
    let confirmation = Confirmation {
        id: idp.id()?,
        interaction: asked.interaction.clone(),
        ward: ward.id.clone(),
        guardian: guardian.clone(),
        client: asked.client.clone(),
        acquaintance: asked.proofs.clone(),
        network: browser.address.map(network).unwrap_or_default(),
        asked_at: now,
        expires_at: now + WAITS,
        word: None,
        spent_at: None,
    };
    let unanswered = store::confirmation::unanswered_since(db, guardian, now - Span::hours(1))?;
    store::confirmation::ask(db, &confirmation)?;
    if unanswered < GUARDIAN_TOLD_AN_HOUR {
        let news = News::GuardianAsked(confirmation.id.clone());
        notices::put(db, &idp.id()?, (guardian, news), now)?;
    }
    let event = Event::new(Kind::GuardianAsked, now)
        .of(&ward.id)
        .by(asked.client)
        .with(json!({"guardian": guardian, "confirmation": confirmation.id}));
    store::trail::append(db, &event, &idp.id()?)
}

/// As much of an address as a guardian can tell their own home by.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.•")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:•")
        }
    }
}

/// What the waiting page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The guardian: a given name and the masked number, no more than the ward knows already.
    pub guardian: Option<(String, String)>,
    /// `None`: nobody is asked, for no guardian who could answer is on record.
    pub stage: Option<Stage>,
}

pub fn waiting(db: &mut Db, ward: Option<&Account>, id: &Id<Interaction>, idp: &Idp) -> Result<Waiting, Fault> {
    let now = idp.clock.now();
    let guardian = match ward.and_then(|ward| ward.guardian.as_ref()) {
        Some(guardian) => {
            let (name, number) = home::who(db, guardian, idp)?;
            Some((name.split_whitespace().next_back().unwrap_or_default().to_owned(), number))
        }
        None => None,
    };
    let asked = store::confirmation::of_interaction(db, id)?;
    let asked = asked.filter(|asked| ward.is_some_and(|ward| asked.ward == ward.id));
    Ok(Waiting { guardian, stage: asked.map(|asked| asked.stage(now)) })
}

/// Uses the word, if it was given: the ward's session opens, or goes on, with the guardian acting in this interaction.
pub fn take_up(
    db: &mut Db,
    open: &Interaction,
    pending: Pending,
    session: Option<Session>,
    (browser, idp): (&Browser, &Idp),
) -> Result<Result<Answer, Pending>, Fault> {
    let now = idp.clock.now();
    let Some(word) = store::confirmation::of_interaction(db, &open.id)? else { return Ok(Err(pending)) };
    if word.stage(now) != Stage::Allowed || session.as_ref().is_some_and(|session| session.account != word.ward) {
        return Ok(Err(pending));
    }
    store::account::hold(db, &word.ward, Hold::Shared)?;
    store::account::hold(db, &word.guardian, Hold::Shared)?;
    // Everything may have changed since: who is guardian, and whether either may act.
    let ward = store::account::find(db, &word.ward)?;
    let actor = acting::known(db, ward.as_ref(), Some(&word.guardian), now)?;
    if facts::acting_for(ward.as_ref(), actor.as_ref(), None, now).is_err() {
        return Ok(Err(pending));
    }
    // Affected rows decide: one word, one use.
    if !store::confirmation::spend(db, &word.id, now)? {
        return Ok(Err(pending));
    }
    let acting = Acting { account: word.guardian.clone(), proved: false, within: Some(open.id.clone()) };
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let session = match session {
        Some(own) => {
            let acting = Acting { proved: own.prover() != &own.account, ..acting };
            let carried = store::session::rekey(db, &own.id, &cookie.stored(), &own.acquaintance, now)?
                && store::session::act(db, &own.id, &acting)?;
            if !carried {
                return Ok(Err(pending));
            }
            Session { acting: Some(acting), seen_at: now, ..own }
        }
        None => {
            let (account, acquaintance) = (word.ward.clone(), word.acquaintance.clone());
            let (id, acting) = (idp.id()?, Some(acting));
            let session = Session { id, account, acting, acquaintance, opened_at: now, seen_at: now, ended_at: None };
            store::session::open(db, &session, &cookie.stored())?;
            super::admit::end_oldest(db, &word.ward, idp)?;
            // What the ward proved, it proved here.
            store::interaction::belongs(db, &open.id, &word.ward)?;
            session
        }
    };
    let event = Event::new(Kind::ActedFor, now)
        .of(&word.ward)
        .by(&word.client)
        .within(&session.id)
        .with(json!({"actor": word.guardian, "confirmation": word.id}));
    store::trail::append(db, &event, &idp.id()?)?;
    let arriving = pending.arriving && open.refused.is_none();
    let pending = Pending { arriving, confirmed_by: None, chosen: None, ..pending };
    go_on(db, pending, (session, cookie), browser, idp).map(Ok)
}

/// The guardian acts in the interaction itself, at level 2: the word that was waited for is given and used there. False when
/// it was refused from elsewhere meanwhile.
pub fn give_here(
    db: &mut Db,
    id: &Id<Interaction>,
    (ward, guardian): (&Id<Account>, &Id<Account>),
    idp: &Idp,
) -> Result<bool, Fault> {
    let now = idp.clock.now();
    let asked = store::confirmation::of_interaction(db, id)?;
    let Some(asked) = asked.filter(|asked| asked.ward == *ward && asked.guardian == *guardian) else {
        // Nobody waits: the guardian uses the account for the ward of their own accord.
        return Ok(true);
    };
    if matches!(asked.stage(now), Stage::Expired) && asked.word.is_none() {
        return Ok(true);
    }
    let answered =
        asked.word.is_some_and(acting::is_yes) || store::confirmation::answer(db, &asked.id, Word::Allowed, now)?;
    Ok(answered && store::confirmation::spend(db, &asked.id, now)?)
}

/// One word a guardian is asked for.
pub struct Request {
    pub id: Id<Confirmation>,
    pub ward: String,
    pub portal: Bilingual,
    pub service: Option<Bilingual>,
    pub purposes: Vec<Bilingual>,
    pub asked_at: Moment,
    pub expires_at: Moment,
    pub network: String,
}

/// What waits for a person's word now, of those whose guardian they still are.
pub fn requests(db: &mut Db, guardian: &Id<Account>, idp: &Idp) -> Result<Vec<Request>, Fault> {
    let now = idp.clock.now();
    let mut requests = Vec::new();
    for asked in store::confirmation::waiting(db, guardian, now)? {
        let ward = store::account::find(db, &asked.ward)?;
        let still = ward.is_some_and(|ward| ward.guardian.as_ref() == Some(guardian) && needs_guardian(&ward, now));
        let open = store::interaction::find(db, &asked.interaction)?.filter(|open| open.is_open(now));
        let (true, Some(open), Some(client)) = (still, open, store::client::find(db, &asked.client)?) else { continue };
        let client = client.client;
        let service = open.request().and_then(|request| client.service(request.service.as_deref()?));
        requests.push(Request {
            ward: home::who(db, &asked.ward, idp)?.0,
            portal: client.client_name.clone(),
            service: service.map(|service| service.title.clone()),
            purposes: client.purposes.iter().map(|purpose| purpose.title.clone()).collect(),
            id: asked.id,
            asked_at: asked.asked_at,
            expires_at: asked.expires_at,
            network: asked.network,
        });
    }
    Ok(requests)
}

/// What became of a guardian's answer.
pub enum Answered {
    Allowed,
    Refused,
    /// Answered before, too late, or never this person's to answer: which of these is not told.
    Nothing,
    /// Not signed in, or not at level 2 yet.
    First(Answer),
}

/// A guardian allows or refuses from a session of their own.
pub async fn answer(id: Id<Confirmation>, word: Word, browser: &Browser, idp: &Arc<Idp>) -> Result<Answered, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store.transact(move |db| settle(db, &id, word, &who, &this)).await
}

fn settle(db: &mut Db, id: &Id<Confirmation>, word: Word, browser: &Browser, idp: &Idp) -> Result<Answered, Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let session = session.filter(|session| session.acting.is_none());
    let enough = |session: &Session| session.acquaintance.level() >= Some(AuthenticationLevel::Two);
    let Some(session) = session.filter(|session| !acting::is_yes(word) || enough(session)) else {
        // ND69 Art 14(2): consent is an act of the guardian's own account, at level 2. To refuse takes less.
        let (id, minted) = open_interaction(db, Destination::OwnPage(CONFIRMATIONS.to_owned()), browser, idp)?;
        let cookies = Cookies { browser: minted, ..Cookies::default() };
        return Ok(Answered::First(Answer { outcome: Outcome::Page(Step::SignIn, id), cookies }));
    };
    let Some(asked) = store::confirmation::find(db, id)?.filter(|asked| asked.guardian == session.account) else {
        return Ok(Answered::Nothing);
    };
    store::account::hold(db, &asked.guardian, Hold::Shared)?;
    store::account::hold(db, &asked.ward, Hold::Shared)?;
    let fresh = store::session::find(db, &session.id)?.is_some_and(|session| session.ended_at.is_none());
    let ward = store::account::find(db, &asked.ward)?;
    let actor = acting::known(db, ward.as_ref(), Some(&asked.guardian), now)?;
    if !fresh || facts::acting_for(ward.as_ref(), actor.as_ref(), None, now).is_err() {
        return Ok(Answered::Nothing);
    }
    if !store::confirmation::answer(db, id, word, now)? {
        return Ok(Answered::Nothing);
    }
    let kind = if acting::is_yes(word) { Kind::GuardianAllowed } else { Kind::GuardianRefused };
    let event = Event::new(kind, now)
        .of(&asked.ward)
        .by(&asked.client)
        .within(&session.id)
        .with(json!({"guardian": asked.guardian, "confirmation": asked.id}));
    store::trail::append(db, &event, &idp.id()?)?;
    store::session::touch(db, &session.id, now)?;
    Ok(if acting::is_yes(word) { Answered::Allowed } else { Answered::Refused })
}
