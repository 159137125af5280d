//! Linking: somebody another provider knows proves to be one of our holders, by password and a code to the registered
//! phone, in the browser that came back from there. That proof is bound to (account, issuer, subject, browser,
//! interaction) and counts once (`security.md` UP-07, UP-10, P26).

use std::sync::Arc;

use serde_json::json;

use super::authorize::open_interaction;
use super::facts::{self, Limits};
use super::linking_code::{self, Sms};
use super::step_up::Complaint;
use super::upstream::{Trouble, end, refuse};
use super::upstreams::Upstream;
use super::{Answer, Browser, Cookies, Outcome, Step, admit, home, page, sealed, sign_in};
use crate::domain::account::Account;
use crate::domain::consent::Bilingual;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::secret::{BlindIndex, Minted, SessionCookie};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::upstream::{Link, LinkProof, Trip};
use crate::domain::{Factor, Fault, Id, Span};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// How long the holder may take to prove the account here.
const PROOF_LASTS: Span = Span::minutes(15);

/// What the page asks for now.
#[derive(Debug)]
pub enum Stage {
    /// Whose account it is: number and password.
    Prove,
    /// A code sent to the registered phone.
    Code { holder: String, phone: String, complaint: Option<Complaint> },
}

#[derive(Debug)]
pub struct View {
    pub upstream: Bilingual,
    pub stage: Stage,
}

pub enum Shown {
    Page(View),
    Stopped(Trouble, Option<Id<Interaction>>),
    Elsewhere(Answer),
}

pub enum Linked {
    Done(Answer),
    Again(Complaint),
    Stopped(Trouble, Option<Id<Interaction>>),
}

/// The way to the page for somebody who is linked to nobody here.
pub(super) fn offer(
    db: &mut Db,
    upstream: &Upstream,
    (trip, subject): (&Trip, BlindIndex),
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let id: Id<LinkProof> = Id::new(idp.random.text()?);
    let path = format!("/link?proof={id}");
    let (interaction, cookie) = open_interaction(db, Destination::OwnPage(path.clone()), browser, idp)?;
    let proof = LinkProof {
        id,
        upstream: upstream.name.clone(),
        issuer: upstream.agreed.issuer.clone(),
        subject,
        browser: trip.browser.clone(),
        interaction,
        origin: trip.interaction.clone(),
        account: None,
        proved_at: now,
        expires_at: now + PROOF_LASTS,
        spent_at: None,
    };
    store::upstream::keep_proof(db, &proof)?;
    Ok(Answer { outcome: Outcome::OwnPage(path), cookies: Cookies { browser: cookie, ..Cookies::default() } })
}

/// Shows the page; the first look after the password sends the code.
pub async fn show(id: Id<LinkProof>, browser: &Browser, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (mut shown, sms) = idp.store.transact(move |db| view(db, &id, &who, &this)).await?;
    if let Some(sms) = sms
        && let Err(fault) = linking_code::deliver(sms, idp).await
    {
        tracing::error!(%fault, "linking.code_not_sent");
        if let Shown::Page(View { stage: Stage::Code { complaint, .. }, .. }) = &mut shown {
            *complaint = Some(Complaint::NotSent);
        }
    }
    Ok(shown)
}

fn view(db: &mut Db, id: &Id<LinkProof>, browser: &Browser, idp: &Idp) -> Result<(Shown, Option<Sms>), Fault> {
    let (proof, upstream, who) = match look(db, id, browser, idp)? {
        Looked::At(proof, upstream, who) => (proof, upstream, who),
        Looked::Stopped(trouble, origin) => return Ok((Shown::Stopped(trouble, origin), None)),
        Looked::Barred(answer) => return Ok((Shown::Elsewhere(answer), None)),
    };
    let name = upstream.agreed.name();
    let Some((_, account)) = who.as_deref() else {
        return Ok((Shown::Page(View { upstream: name, stage: Stage::Prove }), None));
    };
    let (phone, complaint, sms) = linking_code::prepare(db, (&proof, &account.id), &upstream, idp)?;
    let (holder, _) = home::who(db, &account.id, idp)?;
    Ok((Shown::Page(View { upstream: name, stage: Stage::Code { holder, phone, complaint } }), sms))
}

enum Looked {
    /// With the account that proved its password for this, once one did.
    At(Box<LinkProof>, Arc<Upstream>, Option<Box<(Session, Account)>>),
    Stopped(Trouble, Option<Id<Interaction>>),
    Barred(Answer),
}

/// Where the linking stands, from the facts alone.
fn look(db: &mut Db, id: &Id<LinkProof>, browser: &Browser, idp: &Idp) -> Result<Looked, Fault> {
    let now = idp.clock.now();
    let found = store::upstream::find_proof(db, id)?;
    let Some(proof) = found.filter(|proof| proof.is_open(browser.browser.as_ref(), now)) else {
        return Ok(Looked::Stopped(Trouble::Unasked, None));
    };
    let stopped = |trouble, proof: &LinkProof| Ok(Looked::Stopped(trouble, Some(proof.origin.clone())));
    let upstream = idp.upstreams.find(&proof.upstream).filter(|known| known.agreed.issuer == proof.issuer);
    let Some(upstream) = upstream.filter(|known| known.agreed.enabled && !known.agreed.has_ended(now)) else {
        return stopped(Trouble::Off, &proof);
    };
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    // A password proved before says nothing of this: whoever sits here now must know it.
    let since = proof.proved_at;
    let fresh = |session: &Session| {
        session.acting.is_none()
            && session.acquaintance.proofs().any(|(factor, at)| factor == Factor::Password && at >= since)
    };
    let proof = Box::new(proof);
    let Some(session) = session.filter(fresh) else { return Ok(Looked::At(proof, upstream, None)) };
    // A lock beats everything, before anything is sent or said (`security.md` D5).
    store::account::hold(db, &session.account, Hold::Alone)?;
    let account = store::account::find(db, &session.account)?;
    if let Err(refusal) = facts::standing(account.as_ref(), None, now) {
        let page = Outcome::Page(Step::of_refusal(refusal), proof.origin.clone());
        return Ok(Looked::Barred(Answer::bare(page)));
    }
    let Some(account) = account else { return Err(Fault::broken("flow", "a session without an account")) };
    if taken(db, &proof, &account.id)? {
        refuse(db, &account.id, (&upstream, "conflict"), idp)?;
        return stopped(Trouble::Conflict, &proof);
    }
    if !store::upstream::claim_proof(db, &proof.id, &account.id)? {
        refuse(db, &account.id, (&upstream, "other_account"), idp)?;
        return stopped(Trouble::Unasked, &proof);
    }
    Ok(Looked::At(proof, upstream, Some(Box::new((session, account)))))
}

/// The subject there is somebody's here, or the account here is another's there.
fn taken(db: &mut Db, proof: &LinkProof, account: &Id<Account>) -> Result<bool, Fault> {
    let theirs = store::upstream_link::find(db, &proof.issuer, &proof.subject)?.is_some();
    let ours = store::upstream_link::of_account(db, account)?.iter().any(|link| link.issuer == proof.issuer);
    Ok(theirs || ours)
}

/// The holder's number and password: an ordinary sign-in, with its brake and its trail.
pub async fn password(
    id: Id<LinkProof>,
    form: sign_in::Form,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Option<sign_in::SignedIn>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let found = idp.store.read(move |db| {
        let now = this.clock.now();
        let found = store::upstream::find_proof(db, &id)?;
        Ok(found.filter(|proof| proof.is_open(who.browser.as_ref(), now)))
    });
    match found.await? {
        Some(proof) => sign_in::password(proof.interaction, form, browser, idp).await.map(Some),
        None => Ok(None),
    }
}

/// Another code, asked for.
pub async fn resend(id: Id<LinkProof>, browser: &Browser, idp: &Arc<Idp>) -> Result<Option<Complaint>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let sent = idp.store.transact(move |db| match look(db, &id, &who, &this)? {
        Looked::At(proof, upstream, Some(whose)) => {
            linking_code::send(db, (&proof, &whose.1.id), &upstream, &this).map(Some)
        }
        _ => Ok(None),
    });
    match sent.await? {
        Some(Ok(sms)) => match linking_code::deliver(sms, idp).await {
            Ok(()) => Ok(None),
            Err(fault) => {
                tracing::error!(%fault, "linking.code_not_sent");
                Ok(Some(Complaint::NotSent))
            }
        },
        Some(Err(complaint)) => Ok(Some(complaint)),
        None => Ok(None),
    }
}

/// Evaluates the code; a right one makes the link.
pub async fn confirm(id: Id<LinkProof>, code: String, browser: &Browser, idp: &Arc<Idp>) -> Result<Linked, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (linked, told) = idp
        .store
        .transact(move |db| match look(db, &id, &who, &this)? {
            Looked::At(proof, upstream, Some(whose)) => decide(db, (&proof, *whose), (&upstream, &code), &who, &this),
            Looked::At(proof, _, None) => {
                let page = Outcome::OwnPage(format!("/link?proof={}", proof.id));
                Ok((Linked::Done(Answer::bare(page)), None))
            }
            Looked::Stopped(trouble, origin) => Ok((Linked::Stopped(trouble, origin), None)),
            Looked::Barred(answer) => Ok((Linked::Done(answer), None)),
        })
        .await?;
    if let Some(sms) = told {
        tell(sms, idp).await;
    }
    Ok(linked)
}

fn decide(
    db: &mut Db,
    (proof, (session, account)): (&LinkProof, (Session, Account)),
    (upstream, code): (&Upstream, &str),
    browser: &Browser,
    idp: &Idp,
) -> Result<(Linked, Option<Sms>), Fault> {
    let now = idp.clock.now();
    if let Some(complaint) = linking_code::check(db, (proof, &account.id), code, idp)? {
        return Ok((Linked::Again(complaint), None));
    }
    let link = Link {
        id: idp.id()?,
        account: account.id.clone(),
        issuer: proof.issuer.clone(),
        subject: proof.subject.clone(),
        linked_at: now,
    };
    // Affected rows decide, of the proof and of the link both.
    if !store::upstream::spend_proof(db, &proof.id, now)? {
        return Ok((Linked::Stopped(Trouble::Unasked, Some(proof.origin.clone())), None));
    }
    if !store::upstream_link::put(db, &link)? {
        refuse(db, &account.id, (upstream, "conflict"), idp)?;
        return Ok((Linked::Stopped(Trouble::Conflict, Some(proof.origin.clone())), None));
    }
    idp.metrics.upstream(&upstream.name, "linked");
    let event = Event::new(Kind::UpstreamLinked, now)
        .of(&account.id)
        .within(&session.id)
        .with(json!({"upstream": upstream.name, "factor": "password+sms_otp"}));
    store::trail::append(db, &event, &idp.id()?)?;
    let told = notice(db, &account.id, linking_code::linked_text(&upstream.agreed.name().vi), idp)?;
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let acquaintance = session.acquaintance.clone().with(Factor::SmsOtp, now);
    if !store::session::rekey(db, &session.id, &cookie.stored(), &acquaintance, now)? {
        return Err(Fault::unavailable("flow", "the session ended in between"));
    }
    let cookies = Cookies { session: Some(cookie), ..Cookies::default() };
    let session = Session { acquaintance, seen_at: now, ..session };
    let Some(open) = page::bound(db, &proof.origin, browser, now)?.filter(|open| open.request().is_some()) else {
        store::interaction::finish(db, &proof.origin, now)?;
        let outcome = Outcome::OwnPage("/identity?done=linked".to_owned());
        return Ok((Linked::Done(Answer { outcome, cookies }), told));
    };
    store::interaction::belongs(db, &open.id, &account.id)?;
    let open = Interaction { proved_by: Some(account.id), confirmed_at: None, ..open };
    let answer = admit::go_on(db, open, (session, cookies), browser, idp)?;
    Ok((Linked::Done(answer), told))
}

/// The holder does not want it after all: back to the sign-in it began with.
pub async fn give_up(id: Id<LinkProof>, browser: &Browser, idp: &Arc<Idp>) -> Result<Answer, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let found = store::upstream::find_proof(db, &id)?;
            let Some(proof) = found.filter(|proof| proof.is_open(who.browser.as_ref(), now)) else {
                return Ok(Answer::bare(Outcome::OwnPage("/identity".to_owned())));
            };
            store::upstream::spend_proof(db, &proof.id, now)?;
            store::interaction::finish(db, &proof.interaction, now)?;
            Ok(Answer::bare(Outcome::Page(Step::SignIn, proof.origin)))
        })
        .await
}

/// Takes a link away, with every session that rests on it. `None`: signed in no more.
pub async fn unlink(id: Id<Link>, browser: &Browser, idp: &Arc<Idp>) -> Result<Option<bool>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (unlinked, told) = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            let Some(session) = session else { return Ok((None, None)) };
            // A sign-in through it that completes meanwhile is either seen and ended here, or finds no link.
            store::account::hold(db, &session.account, Hold::Alone)?;
            let Some(link) = store::upstream_link::take(db, &id, &session.account)? else {
                return Ok((Some(false), None));
            };
            store::upstream::cancel_proofs(db, &link.issuer, &link.subject, now)?;
            let resting = store::upstream_link::resting(db, &link.id, None)?;
            let ended = end(db, &resting, "upstream_unlinked", &this)?;
            let upstream = this.upstreams.of_issuer(&link.issuer);
            let name = upstream.map_or_else(|| "unconfigured".to_owned(), |upstream| upstream.name.clone());
            let event = Event::new(Kind::UpstreamUnlinked, now)
                .of(&session.account)
                .within(&session.id)
                .with(json!({"upstream": name, "sessions": ended}));
            store::trail::append(db, &event, &this.id()?)?;
            let shown = upstream.map_or_else(|| link.issuer.clone(), |upstream| upstream.agreed.name().vi);
            let told = notice(db, &session.account, linking_code::unlinked_text(&shown), &this)?;
            Ok((Some(true), told))
        })
        .await?;
    if let Some(sms) = told {
        tell(sms, idp).await;
    }
    idp.desk.ring();
    Ok(unlinked)
}

/// A message to the registered phone, where there is one.
fn notice(db: &mut Db, account: &Id<Account>, text: String, idp: &Idp) -> Result<Option<Sms>, Fault> {
    let Some(phone) = store::account::credentials(db, account)?.and_then(|known| known.phone) else { return Ok(None) };
    Ok(Some(Sms { to: sealed::open_phone(account, &phone, &idp.vault)?, text }))
}

/// The link stands whether or not the message arrives; the trail has both.
async fn tell(sms: Sms, idp: &Idp) {
    if let Err(fault) = linking_code::deliver(sms, idp).await {
        tracing::error!(%fault, "linking.notice_not_sent");
    }
}
