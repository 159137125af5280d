//! Requests of authorities: received, forwarded, decided by other eyes; accepting one turns the e-ID in the same
//! transaction (ND69 Art 30(3)-(5)), or the account of who has none: C06 decides about accounts too (ND69 Art 16), and an
//! order of an authority may not be void where the holder's own form TK03 would lock.

use std::sync::Arc;

use serde::Serializer;
use serde_json::{Value, json};

use super::holder_lock::{Settled, act, tell};
use super::{Ended, Filed, Officer, Refusal};
use crate::domain::account::Account;
use crate::domain::authority_request::{AuthorityRequest, Decision, Letter, Signed, Wish};
use crate::domain::calendar;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::statement::Statement;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment};
use crate::flow::eid_lock::{self, Ids, Turn};
use crate::flow::operator::Verdict;
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// How many requests one list holds.
const MOST: i64 = 200;

pub(super) fn wish_name<S: Serializer>(wish: &Wish, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(wish.name())
}

pub(super) fn statement_text<S: Serializer>(statement: &Statement, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(statement.as_str())
}

fn letter_content(letter: &Letter) -> Value {
    json!({ "wish": letter.wish.name(), "authority": letter.authority.as_str(), "paper": letter.paper.as_str() })
}

/// An office takes a written request in. The answer is its id.
pub async fn receive(
    account: Id<Account>,
    letter: Letter,
    filed: &Filed,
    idp: &Arc<Idp>,
) -> Ended<Id<AuthorityRequest>> {
    let (id, event) = (idp.id::<AuthorityRequest>()?, idp.id::<Event>()?);
    let content = json!({ "account": account, "letter": letter_content(&letter) });
    let officer = filed.officer.account().clone();
    let done = filed
        .once("authority_receive", &content, idp, move |db, now| {
            if store::account::find(db, &account)?.is_none() {
                return Ok(Err(Refusal::NoAccount));
            }
            let received = Signed { by: officer, at: now };
            let request = AuthorityRequest::receive(id, account, letter, received, &calendar::deadline);
            store::authority::put(db, &request)?;
            remember(db, Kind::AuthorityRequestReceived, &request, &request.received, &event)?;
            Ok(Ok(request.id))
        })
        .await?;
    Ok(done.result)
}

/// The office sends it on to C06.
pub async fn forward(id: Id<AuthorityRequest>, filed: &Filed, idp: &Arc<Idp>) -> Ended<Id<AuthorityRequest>> {
    let event = idp.id::<Event>()?;
    let officer = filed.officer.account().clone();
    let content = json!({ "request": id });
    let done = filed
        .once("authority_forward", &content, idp, move |db, now| {
            let Some(request) = store::authority::find(db, &id)? else { return Ok(Err(Refusal::NoRequest)) };
            let by = Signed { by: officer, at: now };
            let request = match request.forward(by.clone(), &calendar::deadline) {
                Ok(request) => request,
                Err(objection) => return Ok(Err(objection.into())),
            };
            if !store::authority::forward(db, &request)? {
                return Ok(Err(Refusal::AlreadyForwarded));
            }
            remember(db, Kind::AuthorityRequestForwarded, &request, &by, &event)?;
            Ok(Ok(id))
        })
        .await?;
    Ok(done.result)
}

/// C06 decides. An acceptance locks or unlocks on ground (đ) there and then; `None` after a refusal.
pub async fn decide(
    id: Id<AuthorityRequest>,
    decision: Decision,
    filed: &Filed,
    idp: &Arc<Idp>,
) -> Ended<Option<Settled>> {
    let (event, ids) = (idp.id::<Event>()?, Ids::mint(idp)?);
    let reason = match &decision {
        Decision::Accept => None,
        Decision::Refuse(reason) => Some(reason.as_str().to_owned()),
    };
    let content = json!({ "request": id, "refused": reason });
    let by = filed.officer.account().clone();
    let done = filed
        .once("authority_decide", &content, idp, move |db, now| settle(db, &id, (decision, by), (&event, &ids, now)))
        .await?;
    if done.first
        && let Ok(Some((settled, wish))) = &done.result
    {
        tell(settled, parsed(wish)?, idp).await;
    }
    Ok(done.result.map(|settled| settled.map(|(settled, _)| settled)))
}

fn parsed(wish: &str) -> Result<Wish, Fault> {
    Wish::parse(wish).ok_or_else(|| Fault::broken("flow", "an unknown wish"))
}

/// What was settled, and by which wish.
type Outcome = Option<(Settled, String)>;

fn settle(
    db: &mut Db,
    id: &Id<AuthorityRequest>,
    (decision, officer): (Decision, Id<Account>),
    (decided, ids, now): (&Id<Event>, &Ids, Moment),
) -> Ended<Outcome> {
    let Some(request) = store::authority::find(db, id)? else { return Ok(Err(Refusal::NoRequest)) };
    let by = Signed { by: officer, at: now };
    let request = match request.decide(by.clone(), decision.clone()) {
        Ok(request) => request,
        Err(objection) => return Ok(Err(objection.into())),
    };
    store::account::hold(db, &request.account, Hold::Alone)?;
    let Some(account) = store::account::find(db, &request.account)? else { return Ok(Err(Refusal::NoAccount)) };
    let accepted = matches!(decision, Decision::Accept);
    // Nothing may be written before all refusals are past: a refusal commits.
    if accepted && request.letter.wish == Wish::Unlock && account.is_locked_on(LockGround::Death) {
        return Ok(Err(Refusal::Death));
    }
    if !store::authority::decide(db, id, &by, &decision)? {
        return Ok(Err(Refusal::AlreadyDecided));
    }
    let kind = if accepted { Kind::AuthorityRequestAccepted } else { Kind::AuthorityRequestRefused };
    remember(db, kind, &request, &by, decided)?;
    if !accepted {
        return Ok(Ok(None));
    }
    let letter = &request.letter;
    let order = LockOrder::official(LockGround::AuthorityAsks, format!("{}, {}", letter.authority, letter.paper))
        .ok_or_else(|| Fault::broken("flow", "a letter of nobody"))?;
    let behind = json!({ "officer": by.by, "request": request.id });
    let turn = Turn { act: act(letter.wish), order: &order, cause: behind, at: now };
    match eid_lock::turn(db, account, &turn, ids)? {
        Verdict::Done(locked) => Ok(Ok(Some((Settled::from(locked), letter.wish.name().to_owned())))),
        Verdict::Refused(_) => Err(Fault::broken("flow", "an e-ID refuses what was checked")),
    }
}

fn remember(db: &mut Db, kind: Kind, request: &AuthorityRequest, by: &Signed, event: &Id<Event>) -> Result<(), Fault> {
    let mut detail = letter_content(&request.letter);
    if let Some(members) = detail.as_object_mut() {
        members.insert("request".to_owned(), json!(request.id));
        members.insert("officer".to_owned(), json!(by.by));
        if let Some((_, Decision::Refuse(reason))) = &request.decided {
            members.insert("reason".to_owned(), json!(reason.as_str()));
        }
    }
    store::trail::append(db, &Event::new(kind, by.at).of(&request.account).with(detail), event)
}

/// A request with whom it is about, masked.
#[derive(Clone, Debug)]
pub struct Shown {
    pub request: AuthorityRequest,
    pub person_number: String,
}

/// Everything that waits, the most urgent first.
pub async fn open(_officer: &Officer, idp: &Arc<Idp>) -> Result<Vec<Shown>, Fault> {
    let this = Arc::clone(idp);
    idp.store
        .read(move |db| {
            let requests = store::authority::open(db, MOST)?;
            requests.into_iter().map(|request| shown(db, request, &this)).collect()
        })
        .await
}

pub async fn find(id: Id<AuthorityRequest>, _officer: &Officer, idp: &Arc<Idp>) -> Ended<Shown> {
    let this = Arc::clone(idp);
    idp.store
        .read(move |db| match store::authority::find(db, &id)? {
            Some(request) => shown(db, request, &this).map(Ok),
            None => Ok(Err(Refusal::NoRequest)),
        })
        .await
}

fn shown(db: &mut Db, request: AuthorityRequest, idp: &Idp) -> Result<Shown, Fault> {
    let person_number = super::dossier::masked(db, &request.account, idp)?;
    Ok(Shown { request, person_number })
}
