//! «Danh tính của tôi»: what the holder can see and end by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authorize::open_interaction;
use super::change::shown::{self, Credentials};
use super::facts::{self, Limits};
use super::{Answer, Browser, Cookies, Outcome, Step, acting, consent, guardian, not_me, passkeys, sealed};
use crate::domain::account::Account;
use crate::domain::agent::Agent;
use crate::domain::case::Case;
use crate::domain::claim::ClaimName;
use crate::domain::consent::{Bilingual, OFFLINE_PURPOSE};
use crate::domain::grant::Grant;
use crate::domain::interaction::Destination;
use crate::domain::level::AccountLevel;
use crate::domain::relying_party::Client;
use crate::domain::session::Session;
use crate::domain::standing::Standing;
use crate::domain::trail::Kind;
use crate::domain::transaction::Transaction;
use crate::domain::upstream::Link;
use crate::domain::{AuthenticationLevel, Fault, Id, Moment};
use crate::idp::Idp;
use crate::store::{self, Db};

/// The page's own path.
pub const PAGE: &str = "/identity";

/// How many past releases the page lists.
const RELEASES_SHOWN: usize = 50;
/// And how many transactions.
const TRANSACTIONS_SHOWN: i64 = 50;
/// And how many reports.
const CASES_SHOWN: i64 = 20;

pub struct Identity {
    pub session: Id<Session>,
    pub name: String,
    /// Masked.
    pub person_number: String,
    pub level: Option<AccountLevel>,
    pub authentication: Option<AuthenticationLevel>,
    pub eid_active: Option<bool>,
    pub sessions: Vec<SessionHere>,
    pub portals: Vec<PortalConsent>,
    pub releases: Vec<Release>,
    pub transactions: Vec<ApprovedHere>,
    /// Children and wards who wait for this person's word.
    pub requests: Vec<guardian::Request>,
    /// `None` where passkeys cannot be made.
    pub passkeys: Option<Vec<passkeys::Shown>>,
    /// Since when an authenticator app counts.
    pub totp: Option<Moment>,
    pub devices: Vec<DeviceHere>,
    pub cases: Vec<Case>,
    pub credentials: Credentials,
    pub links: Vec<LinkHere>,
}

/// One device the account signs in from.
pub struct DeviceHere {
    /// Names it to us; the digest of its cookie stays here.
    pub handle: String,
    pub agent: Option<Agent>,
    pub first_seen_at: Option<Moment>,
    pub seen_at: Moment,
    /// The one that asks.
    pub here: bool,
}

/// Another provider's account that is linked to this one.
pub struct LinkHere {
    pub link: Link,
    pub name: Bilingual,
}

/// One transaction the holder approved.
pub struct ApprovedHere {
    pub at: Moment,
    pub portal: Bilingual,
    pub transaction: Transaction,
    pub spent_at: Option<Moment>,
}

/// One standing sign-in of the account and the portals it reached.
pub struct SessionHere {
    pub session: Session,
    pub portals: Vec<Bilingual>,
    pub agent: Option<Agent>,
}

/// What one portal may read.
pub struct PortalConsent {
    pub client: Id<Client>,
    pub name: Bilingual,
    pub organisation: Bilingual,
    pub offline: bool,
    pub purposes: Vec<PurposeConsent>,
}

/// One purpose the holder decided on.
pub struct PurposeConsent {
    pub title: Bilingual,
    pub claims: Vec<ClaimName>,
    pub decided_at: Moment,
}

/// One time something left.
pub struct Release {
    pub at: Moment,
    pub portal: Bilingual,
    pub purposes: Vec<Bilingual>,
    pub claims: Vec<ClaimName>,
    /// By which grant it left, to point at it.
    pub grant: Option<Id<Grant>>,
}

pub enum Home {
    Page(Box<Identity>),
    SignInFirst(Answer),
}

/// The page, or the way to sign in first.
pub async fn identity(browser: &Browser, idp: &Arc<Idp>) -> Result<Home, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let session = facts::standing_session(db, who.session.as_ref(), Limits::of(&this), now)?;
            if let Some(session) = session
                && let Some((account, standing)) = stands(db, &session, now)?
            {
                store::session::touch(db, &session.id, now)?;
                let page = read(db, (&account, standing.stated_level()), session, &who, &this)?;
                return Ok(Home::Page(Box::new(page)));
            }
            let (id, minted) = open_interaction(db, Destination::OwnPage(PAGE.to_owned()), &who, &this)?;
            let cookies = Cookies { browser: minted, ..Cookies::default() };
            Ok(Home::SignInFirst(Answer { outcome: Outcome::Page(Step::SignIn, id), cookies }))
        })
        .await
}

/// Whether a session opens pages of ours: a guardian's acting ends with the interaction it was for.
pub fn stands(db: &mut Db, session: &Session, now: Moment) -> Result<Option<(Account, Standing)>, Fault> {
    let within = acting::is_within(session, None);
    if !within && session.prover() != &session.account {
        return Ok(None);
    }
    let account = store::account::find(db, &session.account)?;
    let actor = session.acting.as_ref().filter(|_| within).map(|acting| &acting.account);
    let actor = acting::known(db, account.as_ref(), actor, now)?;
    let standing = facts::acting_for(account.as_ref(), actor.as_ref(), None, now);
    Ok(account.zip(standing.ok()))
}

type Clients = BTreeMap<Id<Client>, Arc<Client>>;

fn read(
    db: &mut Db,
    (account, level): (&Account, Option<AccountLevel>),
    session: Session,
    browser: &Browser,
    idp: &Idp,
) -> Result<Identity, Fault> {
    let clients: Clients =
        store::client::list(db)?.into_iter().map(|found| (found.client.id.clone(), found.client)).collect();
    let (name, person_number) = who(db, &account.id, idp)?;
    Ok(Identity {
        name,
        person_number,
        level,
        authentication: session.acquaintance.level(),
        eid_active: account.eid.as_ref().map(|eid| eid.is_active()),
        sessions: sessions(db, &account.id, &clients, idp)?,
        portals: portals(db, &account.id, &clients)?,
        releases: releases(db, &account.id, &clients)?,
        transactions: transactions(db, &account.id, &clients, idp)?,
        requests: if session.acting.is_none() { guardian::requests(db, &account.id, idp)? } else { Vec::new() },
        passkeys: match idp.passkeys {
            Some(_) => Some(passkeys::list(db, &account.id, idp)?),
            None => None,
        },
        totp: store::totp::find(db, &account.id)?.and_then(|totp| totp.confirmed_at),
        devices: devices(db, &account.id, browser, idp)?,
        cases: store::case::of_account(db, &account.id, CASES_SHOWN)?,
        credentials: shown::credentials(db, account, &session, idp)?,
        links: links(db, &account.id, idp)?,
        session: session.id,
    })
}

/// The holder's name, or the masked number where the record has none; and that number.
pub(super) fn who(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<(String, String), Fault> {
    let named = store::account::claims(db, account)?.into_iter().find(|kept| kept.claim.as_str() == "name");
    let name = match named {
        Some(kept) => sealed::open_claim(account, kept.claim, &kept.value, &idp.vault)?,
        None => serde_json::Value::Null,
    };
    let number = match store::account::credentials(db, account)? {
        Some(known) => sealed::open_person(account, &known.person, &idp.vault)?.to_string(),
        None => String::new(),
    };
    Ok((name.as_str().unwrap_or(&number).to_owned(), number))
}

fn sessions(db: &mut Db, account: &Id<Account>, clients: &Clients, idp: &Idp) -> Result<Vec<SessionHere>, Fault> {
    let (limits, now) = (Limits::of(idp), idp.clock.now());
    let mut lines = Vec::new();
    let mut places = store::session::places(db, account)?;
    for session in store::session::live(db, account)? {
        if session.stands(limits.for_session(&session), now) {
            let agent = places.remove(&session.id).and_then(|place| place.agent);
            let reached = store::session::clients(db, &session.id)?;
            let portals = reached.iter().map(|(client, _)| named(clients, client)).collect();
            lines.push(SessionHere { session, portals, agent });
        }
    }
    Ok(lines)
}

fn portals(db: &mut Db, account: &Id<Account>, clients: &Clients) -> Result<Vec<PortalConsent>, Fault> {
    let mut portals: BTreeMap<Id<Client>, PortalConsent> = BTreeMap::new();
    for live in store::consent::all_live(db, account)? {
        let portal = portals.entry(live.client.clone()).or_insert_with(|| PortalConsent {
            name: named(clients, &live.client),
            organisation: clients.get(&live.client).map_or_else(blank, |client| client.relying_party.clone()),
            client: live.client.clone(),
            offline: false,
            purposes: Vec::new(),
        });
        if live.purpose == OFFLINE_PURPOSE {
            portal.offline = true;
            continue;
        }
        portal.purposes.push(PurposeConsent {
            title: title(clients, &live.client, &live.purpose),
            claims: live.granted.into_iter().collect(),
            decided_at: live.decided_at,
        });
    }
    Ok(portals.into_values().collect())
}

fn releases(db: &mut Db, account: &Id<Account>, clients: &Clients) -> Result<Vec<Release>, Fault> {
    let events = store::trail::of_account(db, account)?;
    let released = events.into_iter().rev().filter(|event| event.kind == Kind::Released);
    let lines = released.take(RELEASES_SHOWN).filter_map(|event| {
        let client = event.client?;
        let names = event.detail.get("claims")?.as_array()?.iter();
        let claims: Vec<ClaimName> = names.filter_map(|name| ClaimName::find(name.as_str()?)).collect();
        let registered = clients.get(&client).map(|client| client.purposes.as_slice()).unwrap_or_default();
        let purposes = registered
            .iter()
            .filter(|purpose| purpose.claims.iter().any(|claim| claims.contains(claim)))
            .map(|purpose| purpose.title.clone())
            .collect();
        let grant = event.detail.get("grant").and_then(|grant| grant.as_str()).map(Id::new);
        Some(Release { at: event.at, portal: named(clients, &client), purposes, claims, grant })
    });
    Ok(lines.collect())
}

fn transactions(db: &mut Db, account: &Id<Account>, clients: &Clients, idp: &Idp) -> Result<Vec<ApprovedHere>, Fault> {
    let approved = store::transaction::of_account(db, account, TRANSACTIONS_SHOWN)?;
    let lines = approved.into_iter().map(|approved| {
        Ok(ApprovedHere {
            at: approved.approved_at,
            portal: named(clients, &approved.client),
            transaction: sealed::open_transaction(&approved.id, &approved.details, &idp.vault)?,
            spent_at: approved.spent.map(|spent| spent.at),
        })
    });
    lines.collect()
}

fn devices(db: &mut Db, account: &Id<Account>, browser: &Browser, idp: &Idp) -> Result<Vec<DeviceHere>, Fault> {
    let known = store::device::of_account(db, account)?.into_iter().map(|known| DeviceHere {
        handle: not_me::handle(&known.cookie, idp),
        here: browser.device.as_ref() == Some(&known.cookie),
        agent: known.agent,
        first_seen_at: known.first_seen_at,
        seen_at: known.seen_at,
    });
    Ok(known.collect())
}

fn links(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Vec<LinkHere>, Fault> {
    let known = store::upstream_link::of_account(db, account)?.into_iter().map(|link| {
        let name = match idp.upstreams.of_issuer(&link.issuer) {
            Some(upstream) => upstream.agreed.name(),
            None => Bilingual { vi: link.issuer.clone(), en: link.issuer.clone() },
        };
        LinkHere { link, name }
    });
    Ok(known.collect())
}

fn named(clients: &Clients, id: &Id<Client>) -> Bilingual {
    clients
        .get(id)
        .map_or_else(|| Bilingual { vi: id.to_string(), en: id.to_string() }, |client| client.client_name.clone())
}

fn title(clients: &Clients, client: &Id<Client>, purpose: &str) -> Bilingual {
    let registered = clients.get(client).and_then(|client| client.purposes.iter().find(|known| known.id == purpose));
    registered.map_or_else(|| Bilingual { vi: purpose.to_owned(), en: purpose.to_owned() }, |known| known.title.clone())
}

fn blank() -> Bilingual {
    Bilingual { vi: String::new(), en: String::new() }
}

/// The holder withdraws what one portal may read. `None`: not signed in any more.
pub async fn withdraw(client: Id<Client>, browser: &Browser, idp: &Arc<Idp>) -> Result<Option<bool>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let session = idp
        .store
        .read(move |db| facts::standing_session(db, who.session.as_ref(), Limits::of(&this), this.clock.now()))
        .await?;
    match session {
        Some(session) => consent::withdraw(session.account, client, session.id, idp).await.map(Some),
        None => Ok(None),
    }
}
