//! Acting for another: a guardian for a child or ward, a representative for an organisation (ND69 Art 12, 14). Whoever
//! acts signs in as themself, says for whom, and then the sign-in is that of the other, with the actor named in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::authorize::{self, Pending, gone};
use super::facts::{self, Gathered};
use super::outbox::{self, Occasion};
use super::{Answer, Browser, Cookies, Outcome, Step, admit, guardian, home, page};
use crate::domain::account::Account;
use crate::domain::circumstances::represents;
use crate::domain::confirmation::{Stage, Word};
use crate::domain::grant::Authentication;
use crate::domain::interaction::Interaction;
use crate::domain::relying_party::ClientStatus;
use crate::domain::secret::{Minted, SessionCookie};
use crate::domain::session::{Acting, Session};
use crate::domain::standing::{Actor, Refusal, Standing, needs_guardian};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Holder, Id, Moment};
use crate::idp::Idp;
use crate::protocol::authorize::next::{Choice, Next};
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the gate asks of somebody who acts.
pub struct Known {
    pub account: Option<Account>,
    represents: bool,
}

impl Known {
    pub fn actor(&self) -> Actor<'_> {
        Actor { account: self.account.as_ref(), represents: self.represents }
    }
}

/// Reads whoever acts for a subject, in the transaction that asks about it.
pub fn known(
    db: &mut Db,
    subject: Option<&Account>,
    actor: Option<&Id<Account>>,
    now: Moment,
) -> Result<Option<Known>, Fault> {
    let Some(actor) = actor else { return Ok(None) };
    let account = store::account::find(db, actor)?;
    let represents = match subject.filter(|subject| subject.holder == Holder::Organisation) {
        Some(subject) => represents(&store::representation::of_organisation(db, &subject.id)?, actor, now),
        None => false,
    };
    Ok(Some(Known { account, represents }))
}

/// Holds whoever a grant speaks of. True where facts read before may have changed meanwhile.
pub fn hold(db: &mut Db, authentication: &Authentication) -> Result<bool, Fault> {
    let waited = store::account::hold(db, &authentication.account, Hold::Shared)?;
    if let Some(actor) = &authentication.actor {
        store::account::hold(db, &actor.account, Hold::Shared)?;
    }
    Ok(waited)
}

/// ND69 Art 14(2): a guardian acts in one interaction; a representative as long as the session lasts.
pub fn is_within(session: &Session, interaction: Option<&Id<Interaction>>) -> bool {
    let within = session.acting.as_ref().and_then(|acting| acting.within.as_ref());
    within.is_none() || within == interaction
}

/// Somebody a person may act for here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    pub account: Id<Account>,
    pub holder: Holder,
    pub name: String,
}

/// Whom a person may act for in an interaction: a ward who waits there, all wards once asked for, and organisations where
/// the client serves them.
fn others(db: &mut Db, person: &Account, pending: &Pending, now: Moment) -> Result<BTreeSet<Id<Account>>, Fault> {
    let mut others = BTreeSet::new();
    if let Some(id) = &pending.interaction {
        let asked = store::confirmation::of_interaction(db, id)?;
        others.extend(
            asked
                .filter(|asked| asked.guardian == person.id && asked.stage(now) == Stage::Waiting)
                .map(|asked| asked.ward),
        );
    }
    if pending.for_other {
        others.extend(store::account::wards(db, &person.id)?);
    }
    if pending.client.serves(Holder::Organisation) {
        others.extend(store::representation::of_person(db, &person.id, now)?);
    }
    let mut open = BTreeSet::new();
    for id in others {
        let Some(account) = store::account::find(db, &id)? else { continue };
        let needed = account.holder == Holder::Organisation || needs_guardian(&account, now);
        if needed && may_act_for(db, Some(&account), &person.id, now)?.is_ok() {
            open.insert(id);
        }
    }
    Ok(open)
}

fn may_act_for(
    db: &mut Db,
    account: Option<&Account>,
    person: &Id<Account>,
    now: Moment,
) -> Result<Result<Standing, Refusal>, Fault> {
    let actor = known(db, account, Some(person), now)?;
    Ok(facts::acting_for(account, actor.as_ref(), Some(ClientStatus::Live), now))
}

/// What a person signed in as themself said, or still has to say.
pub fn choice(db: &mut Db, person: &Account, pending: &Pending, now: Moment) -> Result<Choice, Fault> {
    match &pending.chosen {
        Some(chosen) if *chosen == person.id => Ok(Choice::Own),
        Some(chosen) => {
            store::account::hold(db, chosen, Hold::Shared)?;
            let account = store::account::find(db, chosen)?;
            may_act_for(db, account.as_ref(), &person.id, now).map(Choice::For)
        }
        None if others(db, person, pending, now)?.is_empty() => Ok(Choice::Own),
        None => Ok(Choice::Open),
    }
}

/// For the page: everybody a person may act for, by name.
pub fn offered(db: &mut Db, person: &Account, pending: &Pending, idp: &Idp) -> Result<Vec<Offered>, Fault> {
    let mut offered = Vec::new();
    for account in others(db, person, pending, idp.clock.now())? {
        let holder = store::account::find(db, &account)?.map_or(Holder::Citizen, |found| found.holder);
        let (name, _) = home::who(db, &account, idp)?;
        offered.push(Offered { account, holder, name });
    }
    offered.sort_by(|a, b| (a.holder, &a.name).cmp(&(b.holder, &b.name)));
    Ok(offered)
}

/// The person said for whom they act. Whoever is not offered cannot be chosen.
pub async fn choose(
    id: Id<Interaction>,
    chosen: Option<Id<Account>>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Answer, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some((pending, session, next)) = page::turn(db, &id, &who, &this)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let (Some(session), Next::Represent) = (session.clone(), next) else {
                return authorize::settle(db, pending, session, &who, &this);
            };
            let chosen = chosen.unwrap_or_else(|| session.account.clone());
            let Some(person) = store::account::find(db, &session.account)? else {
                return Err(Fault::broken("flow", "a session without an account"));
            };
            let own = chosen == person.id;
            if !own && !others(db, &person, &pending, this.clock.now())?.contains(&chosen) {
                return Ok(Answer::bare(Outcome::Page(Step::Represent, id)));
            }
            if !store::interaction::choose(db, &id, &chosen)? {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            }
            let pending = Pending { chosen: Some(chosen), ..pending };
            authorize::settle(db, pending, Some(session), &who, &this)
        })
        .await
}

/// The sign-in becomes that of the one acted for: a session of its own under a new cookie. The person's own ends, since a
/// browser is one holder's at a time (`security.md` SE-01).
pub fn take_over(
    db: &mut Db,
    pending: Pending,
    gathered: Gathered,
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let (Some(own), Some(chosen), Some(id)) = (gathered.session, pending.chosen.clone(), pending.interaction.clone())
    else {
        return Err(Fault::broken("flow", "nobody to act for"));
    };
    let Some(account) = store::account::find(db, &chosen)? else {
        return Err(Fault::broken("flow", "an account vanished"));
    };
    let ward = account.holder != Holder::Organisation;
    if ward && !guardian::give_here(db, &id, (&chosen, &own.account), idp)? {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    }
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    admit::end(db, &own, json!({"reason": "replaced", "acts_for": chosen}), idp)?;
    let session = Session {
        id: idp.id()?,
        account: chosen.clone(),
        acting: Some(Acting { account: own.account.clone(), proved: true, within: ward.then(|| id.clone()) }),
        acquaintance: own.acquaintance,
        opened_at: now,
        seen_at: now,
        ended_at: None,
    };
    store::session::open(db, &session, &cookie.stored())?;
    admit::end_oldest(db, &chosen, idp)?;
    let detail = json!({"actor": own.account, "holder": account.holder.name()});
    let event = Event::new(Kind::ActedFor, now).of(&chosen).by(&pending.client.id).within(&session.id).with(detail);
    store::trail::append(db, &event, &idp.id()?)?;
    go_on(db, pending, (session, cookie), browser, idp)
}

/// Back to the dispatcher with the session just opened.
pub(super) fn go_on(
    db: &mut Db,
    pending: Pending,
    (session, cookie): (Session, Minted<SessionCookie>),
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let mut cookies = Cookies { session: Some(cookie), state: Some(idp.random.text()?.into()), ..Cookies::default() };
    let browser = Browser { state: cookies.state.as_deref().map(str::to_owned), ..browser.clone() };
    let answer = authorize::settle(db, pending, Some(session), &browser, idp)?;
    cookies.browser = answer.cookies.browser;
    Ok(Answer { outcome: answer.outcome, cookies })
}

/// Ends all that somebody began for others: a guardian who may no longer act confirms nothing, and neither does what they
/// confirmed go on.
pub(super) fn end(db: &mut Db, actor: &Id<Account>, occasion: Occasion<'_>) -> Result<(), Fault> {
    for session in store::session::live_acting(db, actor)? {
        outbox::session_ended(db, &session, occasion)?;
        store::session::end(db, &session.id, occasion.at)?;
        store::grant::revoke_session(db, &session.id, occasion.at, occasion.cause.name())?;
    }
    store::grant::revoke_acting(db, actor, occasion.at, occasion.cause.name())?;
    store::confirmation::cancel_all(db, actor, occasion.at)?;
    Ok(())
}

/// Ends what somebody began for one of those others, whom they represent no more.
pub(super) fn end_for(
    db: &mut Db,
    (actor, account): (&Id<Account>, &Id<Account>),
    occasion: Occasion<'_>,
) -> Result<(), Fault> {
    for session in store::session::live_acting(db, actor)? {
        if session.account == *account {
            outbox::session_ended(db, &session, occasion)?;
            store::session::end(db, &session.id, occasion.at)?;
            store::grant::revoke_session(db, &session.id, occasion.at, occasion.cause.name())?;
        }
    }
    store::grant::revoke_acting_for(db, actor, account, occasion.at, occasion.cause.name())?;
    Ok(())
}

/// Whether a word counts as given.
pub(super) const fn is_yes(word: Word) -> bool {
    matches!(word, Word::Allowed)
}
