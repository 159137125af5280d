//! Housekeeping while the server runs: keys changed by another process are taken over within a second, and what
//! expired is swept away in small bites.

use std::sync::Arc;
use std::time::Duration;

use super::quota;
use crate::domain::Fault;
use crate::idp::Idp;
use crate::store;

/// How many sweeps apart expired rows are removed.
const TICKS_BETWEEN_SWEEPS: u32 = 30;
/// How many sweeps apart the certificates we serve are looked at.
const TICKS_BETWEEN_CERTIFICATES: u32 = 2;
/// How many sweeps apart what is open is counted.
const TICKS_BETWEEN_COUNTS: u32 = 5;
/// The most bites of one sweep: some 100,000 rows of each kind, more than the busiest half minute leaves behind.
const BITES: usize = 500;

/// Runs until aborted. A failed round is logged and tried again.
pub async fn keep(idp: Arc<Idp>) {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks: u32 = 0;
    loop {
        interval.tick().await;
        if let Err(fault) = refresh(&idp).await {
            tracing::warn!(%fault, "keep.refresh");
        }
        if ticks.is_multiple_of(TICKS_BETWEEN_CERTIFICATES) {
            idp.tls.refresh();
        }
        if ticks.is_multiple_of(TICKS_BETWEEN_COUNTS)
            && let Err(fault) = count(&idp).await
        {
            tracing::warn!(%fault, "keep.count");
        }
        if ticks.is_multiple_of(TICKS_BETWEEN_SWEEPS)
            && let Err(fault) = sweep(&idp).await
        {
            tracing::warn!(%fault, "keep.sweep");
        }
        ticks = ticks.wrapping_add(1);
    }
}

/// Takes over keys from SQL.
pub async fn refresh(idp: &Arc<Idp>) -> Result<(), Fault> {
    let keys = idp.store.read(store::key::list).await?;
    if idp.ring.refresh(&idp.vault, &keys)? {
        tracing::info!(keys = keys.len(), "keys.changed");
    }
    Ok(())
}

async fn count(idp: &Arc<Idp>) -> Result<(), Fault> {
    let now = idp.clock.now();
    let counted = idp.store.read(move |db| quota::count_open(db, now)).await?;
    idp.open.set(counted);
    Ok(())
}

/// A bite at a time, so that nobody waits for the write lock, until nothing is left or the next round is due.
async fn sweep(idp: &Arc<Idp>) -> Result<(), Fault> {
    let mut gone: usize = 0;
    for _ in 0..BITES {
        let now = idp.clock.now();
        match idp.store.transact(move |db| store::retention::sweep(db, now)).await? {
            0 => break,
            rows => gone += rows,
        }
    }
    if gone > 0 {
        tracing::debug!(rows = gone, "keep.swept");
    }
    Ok(())
}
