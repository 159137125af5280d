//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.5): takes notices out of the outbox and tells the
//! clients, several times if need be. Whoever signed out never waits for it, and a slow portal holds up only itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;

use crate::domain::outbox::LogoutNotice;
use crate::domain::relying_party::{Client, ClientStatus};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Span};
use crate::idp::Idp;
use crate::protocol::logout_token::{self, Delivery, TYP, claims, delivery, is_over};
use crate::store::{self, Db};

/// How often the outbox is looked into without being woken: an act of another process (`admin eid lock`) must leave
/// within a second of it (`security.md` LK-16).
const PATIENCE: Duration = Duration::from_millis(400);
/// For how long an attempt belongs to the server that began it: longer than the attempt itself can take.
const LEASE: Span = Span::seconds(10);
/// How long a client may take to answer (`security.md` N-28).
const ATTEMPT: Duration = Duration::from_secs(2);
/// Attempts under way at once, to one client and to all of them.
const MOST_PER_CLIENT: usize = 16;
const MOST: usize = 512;
/// Claimed in one transaction.
const BATCH: usize = 64;

/// Attempts under way in this process, and the bell that calls for the next round.
#[derive(Default)]
pub struct Desk {
    bell: Notify,
    under_way: Mutex<HashMap<Id<Client>, usize>>,
}

impl Desk {
    /// Something was put into the outbox, and committed.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Clients that cannot be told more at present.
    fn busy(&self) -> Vec<String> {
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = under_way.iter().filter(|(_, count)| **count >= MOST_PER_CLIENT);
        busy.map(|(client, _)| client.to_string()).collect()
    }

    fn room(&self) -> usize {
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        MOST.saturating_sub(under_way.values().sum()).min(BATCH)
    }

    /// A place for an attempt, unless its client has enough under way.
    fn seat(self: &Arc<Self>, client: &Id<Client>) -> Option<Seat> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(client.clone()).or_default();
        if *count >= MOST_PER_CLIENT {
            return None;
        }
        *count += 1;
        Some(Seat { desk: Arc::clone(self), client: client.clone() })
    }
}

/// An attempt's place at the desk, free again whichever way the attempt ends.
struct Seat {
    desk: Arc<Desk>,
    client: Id<Client>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut under_way = self.desk.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.client);
            }
        }
        drop(under_way);
        self.desk.ring();
    }
}

/// Runs until aborted. A failed round is logged and tried again.
pub async fn deliver(idp: Arc<Idp>) {
    loop {
        // A bell that did not ring in time is no reason to wait longer.
        let _rung = tokio::time::timeout(PATIENCE, idp.desk.bell.notified()).await;
        if let Err(fault) = round(&idp).await {
            tracing::warn!(%fault, "back_channel.round");
        }
    }
}

/// Begins an attempt for everything due that there is room for.
pub async fn round(idp: &Arc<Idp>) -> Result<(), Fault> {
    loop {
        let (busy, room, now) = (idp.desk.busy(), idp.desk.room(), idp.clock.now());
        let Some(limit) = i64::try_from(room).ok().filter(|room| *room > 0) else { return Ok(()) };
        let due = idp.store.read(move |db| store::outbox::due(db, now, &busy, limit)).await?;
        if due.is_empty() {
            return Ok(());
        }
        let seated: Vec<(LogoutNotice, Seat)> =
            due.into_iter().filter_map(|notice| Some((notice.clone(), idp.desk.seat(&notice.client)?))).collect();
        let this = Arc::clone(idp);
        let begun = idp.store.transact(move |db| begin(db, seated, &this)).await?;
        for attempt in begun {
            tokio::spawn(attempt.make(Arc::clone(idp)));
        }
    }
}

/// One attempt that is ours to make.
struct Attempt {
    notice: LogoutNotice,
    client: Arc<Client>,
    address: String,
    _seat: Seat,
}

/// Claims what can be told, and gives up what cannot any more.
fn begin(db: &mut Db, seated: Vec<(LogoutNotice, Seat)>, idp: &Idp) -> Result<Vec<Attempt>, Fault> {
    let now = idp.clock.now();
    let mut begun = Vec::new();
    for (notice, seat) in seated {
        // A notice whose last attempt nobody finished: the server that made it is gone.
        if is_over(&notice, now) {
            give_up(db, &notice, "unanswered", idp)?;
            continue;
        }
        let found = store::client::find(db, &notice.client)?.filter(|found| found.status != ClientStatus::Closed);
        let address = found.and_then(|found| Some((found.client.logout.backchannel_logout_uri.clone()?, found.client)));
        let Some((address, client)) = address else {
            give_up(db, &notice, "no_address", idp)?;
            continue;
        };
        if let Some(notice) = store::outbox::claim(db, &notice, now + LEASE)? {
            begun.push(Attempt { notice, client, address, _seat: seat });
        }
    }
    Ok(begun)
}

impl Attempt {
    async fn make(self, idp: Arc<Idp>) {
        let status = match self.send(&idp).await {
            Ok(status) => Some(status),
            Err(fault) => {
                tracing::info!(client = %self.notice.client, %fault, "back_channel.not_reached");
                None
            }
        };
        let (notice, this) = (self.notice.clone(), Arc::clone(&idp));
        // What cannot be recorded stays claimed, and is due again when the claim ends.
        if let Err(fault) = idp.store.transact(move |db| settle(db, &notice, status, &this)).await {
            tracing::warn!(%fault, "back_channel.settle");
        }
    }

    /// The status the client answered. The token is made now, by the key and algorithm of now.
    async fn send(&self, idp: &Idp) -> Result<u16, Fault> {
        let now = idp.clock.now();
        let claims = claims(&self.notice, &idp.config.issuer, &idp.random.text()?, now);
        let token = idp.ring.sign(self.client.id_token_signed_response_alg, TYP, &claims, now)?;
        idp.fetch.tell(&self.address, &[("logout_token", &token)], ATTEMPT).await
    }
}

fn settle(db: &mut Db, notice: &LogoutNotice, status: Option<u16>, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    match delivery(notice, status, now) {
        Delivery::Told => {
            if store::outbox::finish(db, notice)? {
                idp.metrics.logout_notice("told");
                remember(db, Kind::LogoutTold, notice, "told", idp)?;
            }
        }
        Delivery::Refused => give_up(db, notice, "refused", idp)?,
        Delivery::GivenUp => give_up(db, notice, "unanswered", idp)?,
        Delivery::Again(next_at) => {
            store::outbox::postpone(db, notice, next_at)?;
            idp.metrics.logout_notice("again");
        }
    }
    Ok(())
}

fn give_up(db: &mut Db, notice: &LogoutNotice, outcome: &'static str, idp: &Idp) -> Result<(), Fault> {
    if store::outbox::finish(db, notice)? {
        idp.metrics.logout_notice(outcome);
        remember(db, Kind::LogoutNotTold, notice, outcome, idp)?;
    }
    Ok(())
}

fn remember(db: &mut Db, kind: Kind, notice: &LogoutNotice, outcome: &str, idp: &Idp) -> Result<(), Fault> {
    let event = Event::new(kind, idp.clock.now()).of(&notice.account).by(&notice.client).with(json!({
        "cause": notice.cause,
        "outcome": outcome,
        "attempts": notice.attempts.min(logout_token::MOST_ATTEMPTS),
    }));
    store::trail::append(db, &event, &idp.id()?)
}

#[cfg(test)]
#[path = "back_channel_fixtures.rs"]
mod fixtures;

#[cfg(test)]
#[path = "back_channel_tests.rs"]
mod tests;
