//! What the population database tells of cards and deaths, applied by itself (ND69 Art 29(1), Art 30(1)). Each event
//! counts once, whoever reads it and however often it comes; two of the same matter count in the order they happened,
//! not the order they came. When the last ground goes, the account is open again, and nothing it had lost comes back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::eid_lock::{self, Act, Ids, Turn, end_everything, held, turn};
use super::operator::Verdict;
use super::outbox::Occasion;
use super::sealed;
use crate::domain::account::Account;
use crate::domain::calendar::end_of;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::outbox::Cause;
use crate::domain::register::{RegistryEvent, RegistryEventKind as What};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment};
use crate::idp::Idp;
use crate::registry::POPULATION;
use crate::store::register::{Feed, Taken};
use crate::store::{self, Db};

const PATIENCE: Duration = Duration::from_millis(1000);
const PAGE: u32 = 200;

/// Kinds that speak of the same matter: of these, the one that happened last is how things stand.
const HOLDING: [&str; 3] = ["card_revoked", "card_held", "card_returned"];
const EXPIRY: [&str; 2] = ["card_renewed", "card_expired"];

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    /// It was as the event says already.
    Unchanged,
    /// Something newer about the same matter came before it.
    Overtaken,
    /// Nobody here has this number.
    Nobody,
    /// It came before.
    Known,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Unchanged => "unchanged",
            Outcome::Overtaken => "overtaken",
            Outcome::Nobody => "nobody",
            Outcome::Known => "known",
        }
    }
}

/// Runs until aborted, where there is a register to read. A failed round is logged and tried again.
pub async fn follow(idp: Arc<Idp>) {
    if !idp.registry.is_there() {
        return;
    }
    let mut interval = tokio::time::interval(PATIENCE);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        interval.tick().await;
        let ended = round(&idp).await;
        // A register that is away for an hour is told of once; its age is a figure.
        if let Err(fault) = &ended
            && !failing
        {
            tracing::warn!(%fault, "registry_events.round");
        }
        failing = ended.is_err();
        if let Err(fault) = measure(&idp).await {
            tracing::warn!(%fault, "registry_events.measure");
        }
    }
}

/// Reads on from the cursor until there is nothing new.
pub async fn round(idp: &Arc<Idp>) -> Result<(), Fault> {
    loop {
        let now = idp.clock.now();
        let feed = own_feed(idp).await?;
        let cursor = feed.as_ref().map(|feed| feed.cursor.as_str()).filter(|cursor| !cursor.is_empty());
        let page = idp.registry.events_after(cursor, PAGE, now).await?;
        let mut newest_at = feed.as_ref().and_then(|feed| feed.newest_at);
        for event in &page.events {
            newest_at = newest_at.max(Some(event.at));
            apply(event.clone(), idp).await?;
        }
        let (refused, more) = (page.refused, page.cursor.is_some());
        let cursor = page.cursor.or_else(|| feed.map(|feed| feed.cursor)).unwrap_or_default();
        let feed = Feed { name: POPULATION.to_owned(), cursor, read_at: now, newest_at };
        idp.store.transact(move |db| read_on(db, &feed, &refused, now)).await?;
        if !more {
            return Ok(());
        }
    }
}

async fn own_feed(idp: &Idp) -> Result<Option<Feed>, Fault> {
    let feeds = idp.store.read(store::register::feeds).await?;
    Ok(feeds.into_iter().find(|feed| feed.name == POPULATION))
}

/// The cursor moves only after everything before it was taken in. What could not be read is remembered and passed over.
fn read_on(db: &mut Db, feed: &Feed, refused: &[String], now: Moment) -> Result<(), Fault> {
    for id in refused {
        let taken =
            Taken { id, kind: "unreadable", account: None, happened_at: now, applied_at: now, outcome: "refused" };
        if store::register::once(db, &taken)? {
            tracing::warn!(event.id = %id, "registry_events.unreadable");
        }
    }
    store::register::put_feed(db, feed)
}

async fn measure(idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    if let Some(feed) = own_feed(idp).await? {
        idp.metrics.feed_age(POPULATION, now.since(feed.read_at).as_seconds());
    }
    Ok(())
}

/// Takes in one event: itself and its effect are one transaction.
pub async fn apply(event: RegistryEvent, idp: &Idp) -> Result<Outcome, Fault> {
    let index = sealed::person_index(&event.person_number, &idp.vault);
    let (ids, kept, at) = (Ids::mint(idp)?, idp.id::<Event>()?, idp.clock.now());
    let (outcome, account) = idp
        .store
        .transact(move |db| {
            let account = held(db, &index)?;
            let id = account.as_ref().map(|account| account.id.clone());
            let overtaken = match &id {
                Some(id) => is_overtaken(db, id, &event)?,
                None => false,
            };
            let told = match (&account, overtaken) {
                (None, _) => Outcome::Nobody,
                (Some(_), true) => Outcome::Overtaken,
                (Some(_), false) => Outcome::Applied,
            };
            let taken = Taken {
                id: &event.id,
                kind: event.kind.name(),
                account: id.as_ref(),
                happened_at: event.at,
                applied_at: at,
                outcome: told.name(),
            };
            if !store::register::once(db, &taken)? {
                return Ok((Outcome::Known, None));
            }
            let Some(account) = account else { return Ok((told, None)) };
            if told == Outcome::Overtaken {
                let detail = json!({"event": event.id, "kind": event.kind.name(), "outcome": told.name()});
                let remembered = Event::new(Kind::RegistryEventKept, at).of(&account.id).with(detail);
                store::trail::append(db, &remembered, &kept)?;
                return Ok((told, None));
            }
            Ok((effect(db, account, &event, (&ids, at))?, id))
        })
        .await?;
    if let (Outcome::Applied, Some(account)) = (outcome, &account) {
        eid_lock::announce(account, idp).await;
    }
    Ok(outcome)
}

fn is_overtaken(db: &mut Db, account: &Id<Account>, event: &RegistryEvent) -> Result<bool, Fault> {
    let kinds: &[&str] = match event.kind {
        What::CardRevoked | What::CardHeld | What::CardReturned => &HOLDING,
        What::CardRenewed { .. } | What::CardExpired => &EXPIRY,
        // LCC Art 34(2): nothing overtakes a death.
        What::Death => return Ok(false),
    };
    store::register::is_overtaken(db, account, kinds, (event.at, &event.id))
}

fn effect(db: &mut Db, account: Account, event: &RegistryEvent, (ids, at): (&Ids, Moment)) -> Result<Outcome, Fault> {
    let (act, ground) = match event.kind {
        What::CardRevoked | What::CardHeld => (Act::Lock, LockGround::CardWithdrawn),
        What::CardReturned => (Act::Unlock, LockGround::CardWithdrawn),
        What::Death => (Act::Lock, LockGround::Death),
        What::CardRenewed { expires } => return expiry(db, &account, (expires.map(end_of), event), (ids, at)),
        What::CardExpired => {
            let known = account.card_expires.map_or(event.at, |known| known.min(event.at));
            return expiry(db, &account, (Some(known), event), (ids, at));
        }
    };
    let order = LockOrder::register(ground, &event.source);
    Ok(match turn(db, account, &Turn { act, order: &order, cause: cause(event), at }, ids)? {
        Verdict::Done(locked) if locked.turned == crate::domain::eid::Turned::Changed => Outcome::Applied,
        // A card given back after a death opens nothing.
        Verdict::Done(_) | Verdict::Refused(_) => Outcome::Unchanged,
    })
}

/// ND69 Art 15: the account stops with its card and goes on with the next; which of the two holds is derived from the
/// date alone. What the account had issued ends either way, so that a new card revives nothing of the old time.
fn expiry(
    db: &mut Db,
    account: &Account,
    (expires, event): (Option<Moment>, &RegistryEvent),
    (ids, at): (&Ids, Moment),
) -> Result<Outcome, Fault> {
    if account.card_expires == expires {
        return Ok(Outcome::Unchanged);
    }
    let ends = account.card_has_expired(at) || expires.is_some_and(|expires| at >= expires);
    store::account::put_card_expiry(db, &account.id, expires, at)?;
    if ends {
        let occasion = Occasion { name: ids.event().as_str(), cause: Cause::CardExpired, at };
        end_everything(db, &account.id, occasion)?;
    }
    let detail = json!({"expires": expires, "ended_all": ends, "cause": cause(event)});
    let remembered = Event::new(Kind::CardExpiryChanged, at).of(&account.id).with(detail);
    store::trail::append(db, &remembered, ids.event())?;
    Ok(Outcome::Applied)
}

/// `security.md` LK-20: which event of which register stands behind it.
fn cause(event: &RegistryEvent) -> Value {
    json!({"by": "register", "event": event.id, "kind": event.kind.name(), "source": event.source})
}

/// How far the feed was read, and what came of the newest events.
pub struct Standing {
    pub feeds: Vec<Feed>,
    pub now: Moment,
    /// Id, kind, when it happened, when it was taken in, what became of it.
    pub recent: Vec<(String, String, Moment, Moment, String)>,
}

pub async fn standing(limit: i64, idp: &Idp) -> Result<Standing, Fault> {
    let now = idp.clock.now();
    idp.store
        .read(move |db| {
            Ok(Standing { feeds: store::register::feeds(db)?, now, recent: store::register::recent(db, limit)? })
        })
        .await
}

#[cfg(test)]
#[path = "registry_events_tests.rs"]
mod tests;
