//! Consent: the holder's decision on what was shown, recorded per purpose with what proves it.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Limits};
use super::outbox::{self, Occasion};
use super::refuse::refuse;
use super::resource::{self, Server};
use super::{Answer, Browser, Outcome, page};
use crate::domain::account::Account;
use crate::domain::consent::{Consent, OFFLINE_PURPOSE, Receipt};
use crate::domain::interaction::Interaction;
use crate::domain::outbox::Cause;
use crate::domain::relying_party::Client;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::idp::Idp;
use crate::protocol::authorize::next::Next;
use crate::protocol::release::{self, Decision, Offer};
use crate::protocol::{Error, ErrorCode};
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the holder answered.
pub struct Form {
    pub allow: bool,
    /// The optional claims whose boxes were ticked.
    pub ticked: Vec<String>,
    /// The fingerprint of the offer the page showed.
    pub offer: String,
    pub language: &'static str,
}

/// What the holder was asked, of which the page made its text.
pub struct Question<'a> {
    pub client: &'a Client,
    pub offer: &'a Offer,
    pub service: Option<&'a str>,
    pub servers: &'a [Server],
}

/// Binds an answer to exactly what was shown: changed by another tab, it is refused (`security.md` CO-05).
pub fn fingerprint(offer: &Offer) -> String {
    let mut hash = Sha256::new();
    hash.update(if offer.offline { "offline" } else { "" });
    for purpose in &offer.purposes {
        hash.update([0]);
        hash.update(&purpose.purpose.id);
        for (mark, claims) in [(1, &purpose.required), (2, &purpose.optional)] {
            for claim in claims {
                hash.update([mark]);
                hash.update(claim.as_str());
            }
        }
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Records the answer and goes on.
pub async fn answer(
    id: Id<Interaction>,
    form: Form,
    text: impl Fn(&Question<'_>) -> String + Send + 'static,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Answer, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(open) = page::bound(db, &id, &who, now)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let Some(request) = open.request().cloned() else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let Some(client) = live_client(db, &request.client_id)? else {
                return Ok(Answer::bare(Outcome::Shown(gone())));
            };
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            let pending = Pending::within(&open, request, client);
            let next = page::where_now(db, &open, &pending, session.clone(), &this)?;
            let (Some(session), Next::Consent(offer)) = (session.clone(), next) else {
                // Not the time to consent (signed out, locked, already answered): the dispatcher knows what is.
                return authorize::settle(db, pending, session, &who, &this);
            };
            if fingerprint(&offer) != form.offer {
                return Ok(Answer::bare(Outcome::Page(super::Step::Consent, id)));
            }
            if !form.allow {
                return deny(db, &pending, (&session, &who), &offer, &this);
            }
            let text = text(&Question {
                client: &pending.client,
                offer: &offer,
                service: pending.request.service.as_deref(),
                servers: &resource::servers(db, &pending.request.resources, &this)?,
            });
            let text_hash = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
            record(db, &session, &Given { client: &pending.client, offer: &offer, form: &form, text_hash }, &this)?;
            authorize::settle(db, without_prompt(pending), Some(session), &who, &this)
        })
        .await
}

/// `prompt=consent` is satisfied by the answer just given; asking again would never end.
fn without_prompt(mut pending: Pending) -> Pending {
    pending.request.prompt.retain(|prompt| *prompt != crate::domain::request::Prompt::Consent);
    pending
}

struct Given<'a> {
    client: &'a Client,
    offer: &'a Offer,
    form: &'a Form,
    text_hash: String,
}

fn record(db: &mut Db, session: &Session, given: &Given<'_>, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    let (client, offer) = (given.client, given.offer);
    let answered =
        release::answer(offer, &given.form.ticked).into_iter().map(|(purpose, decision)| (purpose.id, decision));
    let offline = offer.offline.then(|| (OFFLINE_PURPOSE.to_owned(), Decision::default()));
    for (purpose, decision) in answered.chain(offline) {
        let consent = Consent {
            id: idp.id()?,
            account: session.account.clone(),
            client: client.id.clone(),
            purpose: purpose.clone(),
            asked: decision.asked.clone(),
            granted: decision.granted.clone(),
            decided_at: now,
        };
        let receipt = Receipt {
            purpose: purpose.clone(),
            asked: decision.asked,
            granted: decision.granted,
            legal_basis: client.legal_basis,
            text_hash: given.text_hash.clone(),
            language: given.form.language.to_owned(),
            authentication_level: session.acquaintance.level().map_or(0, |level| level.number()),
            // ND69 Art 14(2): a child's or ward's decision is the guardian's.
            actor: session.acting.as_ref().map(|acting| acting.account.clone()),
        };
        store::consent::record(db, &consent, &receipt)?;
        let event = Event::new(Kind::ConsentGiven, now)
            .of(&session.account)
            .by(&client.id)
            .within(&session.id)
            .with(json!({"purpose": purpose, "asked": consent.asked, "granted": consent.granted,
                         "legal_basis": client.legal_basis, "text_hash": given.text_hash, "actor": receipt.actor}));
        store::trail::append(db, &event, &idp.id()?)?;
    }
    Ok(())
}

fn deny(
    db: &mut Db,
    pending: &Pending,
    (session, browser): (&Session, &Browser),
    offer: &Offer,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let asked: BTreeSet<_> = offer.claims();
    let event = Event::new(Kind::ConsentRefused, now)
        .of(&session.account)
        .by(&pending.client.id)
        .within(&session.id)
        .with(json!({ "asked": asked }));
    store::trail::append(db, &event, &idp.id()?)?;
    let error = Error::new(ErrorCode::AccessDenied, "RFC 6749 §4.1.2.1", "the citizen refused");
    // The consent event is the one record of this refusal.
    refuse(db, pending, (None, browser), error, idp)
}

/// The holder takes back everything one client was told it may know. What it issued to that client dies with it.
pub async fn withdraw(
    account: Id<Account>,
    client: Id<Client>,
    browser_session: Id<Session>,
    idp: &Arc<Idp>,
) -> Result<bool, Fault> {
    let this = Arc::clone(idp);
    let withdrawn = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            store::account::hold(db, &account, Hold::Alone)?;
            let withdrawn = store::consent::withdraw(db, &account, &client, now)?;
            if withdrawn == 0 {
                return Ok(false);
            }
            let told: Id<Event> = this.id()?;
            let occasion = Occasion { name: told.as_str(), cause: Cause::ConsentWithdrawn, at: now };
            outbox::client_ended(db, &account, &client, occasion)?;
            store::grant::revoke_client(db, &account, &client, now, occasion.cause.name())?;
            let event = Event::new(Kind::ConsentWithdrawn, now).of(&account).by(&client).within(&browser_session);
            store::trail::append(db, &event, &told)?;
            Ok(true)
        })
        .await?;
    idp.desk.ring();
    Ok(withdrawn)
}
