//! The short memory of one process: maps behind a few locks, bounded, entries with an end.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::future::ready;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Ephemeral};
use crate::domain::{Fault, Span};

const SHARDS: usize = 16;
/// Entries of a shard; a flood of keys makes the oldest forget, not the process grow.
const BOUND: usize = 4096;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Count(String),
    Value(String),
}

enum Kept {
    Count(u64),
    Value(String),
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Key, (Kept, Instant)>,
}

#[derive(Default)]
pub(super) struct Memory {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

impl Memory {
    fn shard(&self, key: &Key) -> Result<MutexGuard<'_, Shard>, Fault> {
        let count = u64::try_from(SHARDS).unwrap_or(1);
        let number = usize::try_from(self.hasher.hash_one(key) % count).unwrap_or(0);
        let shard = self.shards.get(number).ok_or_else(|| Fault::broken("ephemeral", "no such shard"))?;
        Ok(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, key: &str, window: Span) -> Result<u64, Fault> {
        let key = Key::Count(key.to_owned());
        let mut shard = self.shard(&key)?;
        let now = Instant::now();
        shard.make_room(&key, now);
        match shard.entries.entry(key) {
            Entry::Occupied(mut entry) if entry.get().1 > now => match &mut entry.get_mut().0 {
                Kept::Count(count) => {
                    *count += 1;
                    Ok(*count)
                }
                Kept::Value(_) => Err(Fault::broken("ephemeral", "a count is not a count")),
            },
            entry => {
                entry.insert_entry((Kept::Count(1), now + length(window)));
                Ok(1)
            }
        }
    }

    fn keep(&self, key: &str, value: &str, ttl: Span) -> Result<(), Fault> {
        let key = Key::Value(key.to_owned());
        let mut shard = self.shard(&key)?;
        let now = Instant::now();
        shard.make_room(&key, now);
        shard.entries.insert(key, (Kept::Value(value.to_owned()), now + length(ttl)));
        Ok(())
    }

    fn find(&self, key: &str) -> Result<Option<String>, Fault> {
        let key = Key::Value(key.to_owned());
        let shard = self.shard(&key)?;
        Ok(match shard.entries.get(&key) {
            Some((Kept::Value(value), end)) if *end > Instant::now() => Some(value.clone()),
            _ => None,
        })
    }

    fn drop_value(&self, key: &str) -> Result<(), Fault> {
        let key = Key::Value(key.to_owned());
        self.shard(&key)?.entries.remove(&key);
        Ok(())
    }
}

impl Shard {
    /// Before a new key comes in: what has ended goes first, then what ends soonest.
    fn make_room(&mut self, key: &Key, now: Instant) {
        if self.entries.len() < BOUND || self.entries.contains_key(key) {
            return;
        }
        self.entries.retain(|_, (_, end)| *end > now);
        if self.entries.len() >= BOUND
            && let Some(soonest) = self.entries.iter().min_by_key(|(_, (_, end))| *end).map(|(key, _)| key.clone())
        {
            self.entries.remove(&soonest);
        }
    }
}

fn length(span: Span) -> Duration {
    Duration::from_secs(u64::try_from(span.as_seconds()).unwrap_or(0))
}

impl Ephemeral for Memory {
    fn hit<'a>(&'a self, key: &'a str, window: Span) -> Answer<'a, u64> {
        Box::pin(ready(self.count(key, window)))
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a str, ttl: Span) -> Answer<'a, ()> {
        Box::pin(ready(self.keep(key, value, ttl)))
    }

    fn peek<'a>(&'a self, key: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(ready(self.find(key)))
    }

    fn forget<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(ready(self.drop_value(key)))
    }

    fn announce<'a>(&'a self, _topic: &'a str, _text: &'a str) -> Answer<'a, ()> {
        // One process has nobody to tell.
        Box::pin(ready(Ok(())))
    }
}
