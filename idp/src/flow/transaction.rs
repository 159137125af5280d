//! Transactions (RFC 9396): shown whole, approved on a page of their own with a code sent for their sake, carried by one
//! token, and spent once by whom that token is for.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::authorize::{self, Pending, gone};
use super::refuse::refuse;
use super::{Answer, Browser, Outcome, Step, page, sealed};
use crate::domain::grant::Grant;
use crate::domain::interaction::Interaction;
use crate::domain::relying_party::Client;
use crate::domain::request::AuthorizationRequest;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::transaction::{Approved, Proposal, Spent, Transaction};
use crate::domain::{Fault, Id};
use crate::idp::Idp;
use crate::protocol::authorization_details::{approved_before, stated};
use crate::protocol::authorize::next::{Next, denied};
use crate::protocol::introspect::Spending;
use crate::protocol::{Error, authorization_details};
use crate::store::{self, Db};

/// The languages of the page.
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// What the holder said yes to.
pub struct Approval {
    transaction: Transaction,
    language: &'static str,
}

/// Whether a new request may still ask for it. What is approved meanwhile is found out at the approval itself.
pub async fn admit(request: &AuthorizationRequest, idp: &Arc<Idp>) -> Result<Result<(), Error>, Fault> {
    let Some(Proposal::Read(transaction)) = &request.transaction else { return Ok(Ok(())) };
    let (client, reference) =
        (request.client_id.clone(), sealed::transaction_index(&request.client_id, &transaction.identifier, &idp.vault));
    let known = idp.store.read(move |db| store::transaction::is_known(db, &client, &reference)).await?;
    Ok(if known { Err(approved_before()) } else { Ok(()) })
}

/// The request as it may be written down.
pub fn kept(mut request: AuthorizationRequest, idp: &Idp) -> Result<AuthorizationRequest, Fault> {
    if let Some(Proposal::Read(transaction)) = &request.transaction {
        let sealed = sealed::proposal(&request.client_id, transaction, &idp.vault)?;
        request.transaction = Some(Proposal::Kept(sealed));
    }
    Ok(request)
}

/// The transaction a request asks for.
pub fn proposed(request: &AuthorizationRequest, idp: &Idp) -> Result<Transaction, Fault> {
    match &request.transaction {
        Some(Proposal::Read(transaction)) => Ok(transaction.clone()),
        Some(Proposal::Kept(sealed)) => sealed::open_proposal(&request.client_id, sealed, &idp.vault),
        None => Err(Fault::broken("flow", "a transaction page without a transaction")),
    }
}

/// What the page says, whole and in order: to whom, in which language, and the transaction itself.
fn shown(transaction: &Transaction, client: &Client, language: &str) -> String {
    let (name, organisation) = (client.client_name.in_language(language), client.relying_party.in_language(language));
    json!([language, client.id, name, organisation, stated(transaction)]).to_string()
}

/// Binds an answer to exactly what was shown, the language included (`security.md` CO-05).
pub fn fingerprint(transaction: &Transaction, client: &Client, language: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(shown(transaction, client, language)))
}

/// Remembers, once an interaction, that the page was shown.
pub fn note_shown(
    db: &mut Db,
    open: &Interaction,
    (session, client): (&Session, &Client),
    transaction: &Transaction,
    idp: &Idp,
) -> Result<(), Fault> {
    if !store::used::once(db, "transaction_shown", open.id.as_str(), open.expires_at)? {
        return Ok(());
    }
    let detail = json!({"text": digest(transaction, idp)});
    store::trail::append(db, &event(Kind::TransactionShown, (session, client), idp).with(detail), &idp.id()?)
}

/// What was said, provable by whoever holds the keys: a plain digest of an amount and a name could be guessed.
fn digest(transaction: &Transaction, idp: &Idp) -> String {
    idp.vault.blind_index("transaction_text", &stated(transaction).to_string()).as_str().to_owned()
}

fn event(kind: Kind, (session, client): (&Session, &Client), idp: &Idp) -> Event {
    Event::new(kind, idp.clock.now()).of(&session.account).by(&client.id).within(&session.id)
}

/// What the holder answered.
pub struct Form {
    pub allow: bool,
    /// The fingerprint of what the page showed.
    pub shown: String,
}

/// Takes the answer and goes on.
pub async fn answer(id: Id<Interaction>, form: Form, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let Some((pending, session, next)) = page::turn(db, &id, &who, &this)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let (Some(session), Next::Transaction) = (session.clone(), next) else {
                // Not the time to approve (signed out, locked, already answered): the dispatcher knows what is.
                return authorize::settle(db, pending, session, &who, &this);
            };
            let transaction = proposed(&pending.request, &this)?;
            let read = |language: &&str| fingerprint(&transaction, &pending.client, language) == form.shown;
            let Some(language) = LANGUAGES.into_iter().find(read) else {
                return Ok(Answer::bare(Outcome::Page(Step::Transaction, id)));
            };
            if !form.allow {
                let detail = json!({"text": digest(&transaction, &this), "language": language});
                let event = event(Kind::TransactionRefused, (&session, &pending.client), &this).with(detail);
                store::trail::append(db, &event, &this.id()?)?;
                // That event is the one record of this refusal.
                return refuse(db, &pending, (None, &who), denied(), &this);
            }
            let approval = Some(Approval { transaction, language });
            authorize::settle(db, Pending { approval, ..pending }, Some(session), &who, &this)
        })
        .await
}

/// Records the approval a grant is opened for. The error: this client's identifier was approved before.
pub fn approve(
    db: &mut Db,
    approval: &Approval,
    (session, client): (&Session, &Client),
    grant: &Id<Grant>,
    idp: &Idp,
) -> Result<Result<Id<Transaction>, Error>, Fault> {
    let Approval { transaction, language } = approval;
    let id: Id<Transaction> = idp.id()?;
    let approved = Approved {
        id: id.clone(),
        client: client.id.clone(),
        reference: sealed::transaction_index(&client.id, &transaction.identifier, &idp.vault),
        account: session.account.clone(),
        grant: grant.clone(),
        details: sealed::transaction(&id, transaction, &idp.vault)?,
        language: (*language).to_owned(),
        approved_at: idp.clock.now(),
        spent: None,
    };
    if !store::transaction::approve(db, &approved)? {
        return Ok(Err(approved_before()));
    }
    let detail = json!({
        "transaction": id, "grant": grant, "text": digest(transaction, idp), "language": language,
        "factors": session.acquaintance.factors(),
    });
    store::trail::append(db, &event(Kind::TransactionApproved, (session, client), idp).with(detail), &idp.id()?)?;
    Ok(Ok(id))
}

/// What a grant's token carries, if it was given for a transaction.
pub fn carried(db: &mut Db, grant: &Grant, idp: &Idp) -> Result<Option<Value>, Fault> {
    let Some(approved) = found(db, grant)? else { return Ok(None) };
    Ok(Some(stated(&sealed::open_transaction(&approved.id, &approved.details, &idp.vault)?)))
}

/// Whether the transaction of a grant was spent: its token is worth nothing more.
pub fn is_spent(db: &mut Db, grant: &Grant) -> Result<bool, Fault> {
    Ok(found(db, grant)?.is_some_and(|approved| approved.spent.is_some()))
}

fn found(db: &mut Db, grant: &Grant) -> Result<Option<Approved>, Fault> {
    let Some(id) = &grant.transaction else { return Ok(None) };
    let found = store::transaction::find(db, id)?;
    found.map(Some).ok_or_else(|| Fault::broken("flow", "a grant lost its transaction"))
}

/// Whom the token is for asks about it: the first to ask spends it, and only the same attempt hears of it again. False:
/// it was spent before.
pub fn spend(db: &mut Db, grant: &Grant, spending: &Spending, idp: &Idp) -> Result<bool, Fault> {
    let Some(approved) = found(db, grant)? else { return Ok(true) };
    let spent = Spent { at: idp.clock.now(), by: spending.by.clone(), attempt: spending.attempt.clone() };
    if !store::transaction::spend(db, &approved.id, &spent)? {
        // Another may have come first since it was read: what stands now decides.
        let standing = found(db, grant)?.and_then(|approved| approved.spent);
        return Ok(standing.is_some_and(|first| authorization_details::is_repeated(&first, &spent)));
    }
    let event = Event::new(Kind::TransactionSpent, spent.at)
        .of(&approved.account)
        .by(&spending.by)
        .with(json!({"transaction": approved.id, "client": approved.client}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(true)
}
