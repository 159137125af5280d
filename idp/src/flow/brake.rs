//! The brake on guessing as the journeys ask it: the counters' verdict, a failure counted, and what the trail keeps of
//! guesses that were stopped.

use crate::domain::trail::Event;
use crate::domain::{Fault, Moment};
use crate::factor::throttle::{self, Counter, Failures, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

/// What the counters say together.
pub fn ask(db: &mut Db, counters: &[Counter], idp: &Idp) -> Result<Verdict, Fault> {
    let mut rows = Vec::with_capacity(counters.len());
    for counter in counters {
        rows.push((counter.rule, failures(db, counter)?));
    }
    Ok(throttle::decide(rows, idp.clock.now()))
}

/// Counts one failure under each counter; one that is over begins anew.
pub fn count(db: &mut Db, counters: &[Counter], idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    for counter in counters {
        if failures(db, counter)?.is_some_and(|row| counter.rule.is_over(row, now)) {
            store::throttle::clear(db, &counter.key)?;
        }
        store::throttle::fail(db, &counter.key, now)?;
    }
    Ok(())
}

/// Remembers a stopped guess, the first since a guess was counted. The rest are the metric's: an attacker can fill the
/// trail no faster than the brake lets passwords be tried.
pub fn note_stop(db: &mut Db, counters: &[Counter], event: &Event, idp: &Idp) -> Result<(), Fault> {
    let Some((key, since)) = stop(db, counters)? else { return Ok(()) };
    if store::throttle::mark(db, &key, since)? {
        store::trail::append(db, event, &idp.id()?)?;
    }
    Ok(())
}

/// Whether `note_stop` would do nothing: asked beforehand, so that a flood takes no write lock.
pub fn is_stop_noted(db: &mut Db, counters: &[Counter]) -> Result<bool, Fault> {
    let Some((key, since)) = stop(db, counters)? else { return Ok(true) };
    Ok(store::throttle::find(db, &key)?.is_some_and(|noted| noted.last_at >= since))
}

/// What stops are remembered under, and the last guess that was counted.
fn stop(db: &mut Db, counters: &[Counter]) -> Result<Option<(String, Moment)>, Fault> {
    let mut last = None;
    for counter in counters {
        last = last.max(failures(db, counter)?.map(|row| row.last_at));
    }
    Ok(throttle::stops(counters).zip(last))
}

fn failures(db: &mut Db, counter: &Counter) -> Result<Option<Failures>, Fault> {
    let row = store::throttle::find(db, &counter.key)?;
    Ok(row.map(|row| Failures { count: row.count, first_at: row.first_at, last_at: row.last_at }))
}
