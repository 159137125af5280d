//! Where refusals wait for the writer: bounded, so that a flood of them costs neither memory nor anybody's time.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::domain::refused_request::{Endpoint, MOST_OF_A_KIND, RefusedRequest};
use crate::domain::{Client, Id};

/// Waiting at once. They are written every second.
const MOST: usize = 2_000;
/// Of these, for names that may be nobody's: whoever makes names up must not crowd out those that are known.
const MOST_OF_STRANGERS: usize = 1_000;

/// What the budgets of `refused_request` are counted by.
pub type Kind = (Id<Client>, Endpoint, &'static str);

#[derive(Default)]
pub struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    kinds: HashMap<Kind, Kept>,
    rows: usize,
    of_strangers: usize,
    /// Clients that were found to be some, each once; there are no more of them than are registered.
    known: BTreeSet<Id<Client>>,
}

/// The refusals of one kind that wait.
#[derive(Debug, Default)]
pub struct Kept {
    pub rows: Vec<RefusedRequest>,
    /// Beyond what would be kept in any case.
    pub counted: i64,
}

/// What becomes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Row,
    OnlyCounted,
    None,
}

impl Queue {
    /// Asked before anything is made of the refusal. One that is only counted is counted with this.
    pub fn room(&self, kind: &Kind) -> Room {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = waiting.kinds.get_mut(kind)
            && kept.rows.len() >= MOST_OF_A_KIND
        {
            kept.counted = kept.counted.saturating_add(1);
            return Room::OnlyCounted;
        }
        let crowded = !waiting.known.contains(&kind.0) && waiting.of_strangers >= MOST_OF_STRANGERS;
        if crowded || waiting.rows >= MOST { Room::None } else { Room::Row }
    }

    pub fn put(&self, kind: Kind, refused: RefusedRequest) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.rows += 1;
        if !waiting.known.contains(&kind.0) {
            waiting.of_strangers += 1;
        }
        waiting.kinds.entry(kind).or_default().rows.push(refused);
    }

    /// Everything that waits.
    pub fn take(&self) -> HashMap<Kind, Kept> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.rows, waiting.of_strangers) = (0, 0);
        std::mem::take(&mut waiting.kinds)
    }

    /// These were found to be clients.
    pub fn know(&self, clients: &BTreeSet<Id<Client>>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.known.extend(clients.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;

    fn kind(client: &str, error: &'static str) -> Kind {
        (Id::new(client), Endpoint::Token, error)
    }

    fn fill(queue: &Queue, kind: &Kind) -> Room {
        let room = queue.room(kind);
        if room == Room::Row {
            let refused = RefusedRequest {
                id: Id::new("id"),
                client: kind.0.clone(),
                reference: String::new(),
                at: Moment::from_unix(0),
                endpoint: kind.1,
                error: kind.2.to_owned(),
                told: String::new(),
                reason: None,
                clause: String::new(),
                parameters: Vec::new(),
                repeated: 0,
            };
            queue.put(kind.clone(), refused);
        }
        room
    }

    #[test]
    fn a_kind_beyond_its_budget_is_only_counted() {
        let queue = Queue::default();
        let rooms: Vec<Room> = (0..MOST_OF_A_KIND + 3).map(|_| fill(&queue, &kind("rp", "invalid_grant"))).collect();
        assert_eq!(rooms.iter().filter(|room| **room == Room::Row).count(), MOST_OF_A_KIND);
        assert_eq!(rooms.last(), Some(&Room::OnlyCounted));
        assert_eq!(fill(&queue, &kind("rp", "invalid_client")), Room::Row, "another kind has its own");
        let taken = queue.take();
        assert_eq!(taken.get(&kind("rp", "invalid_grant")).map(|kept| kept.counted), Some(3));
        assert!(queue.take().is_empty());
        assert_eq!(fill(&queue, &kind("rp", "invalid_grant")), Room::Row, "and the next second begins anew");
    }

    #[test]
    fn names_made_up_do_not_crowd_out_those_that_are_known() {
        let queue = Queue::default();
        queue.know(&BTreeSet::from([Id::new("rp")]));
        for n in 0..MOST_OF_STRANGERS {
            assert_eq!(fill(&queue, &kind(&format!("made-up-{n}"), "invalid_client")), Room::Row);
        }
        assert_eq!(fill(&queue, &kind("one-more", "invalid_client")), Room::None);
        let known: Vec<Id<Client>> = (0..MOST - MOST_OF_STRANGERS).map(|n| Id::new(format!("rp-{n}"))).collect();
        queue.know(&known.iter().cloned().collect());
        for client in &known {
            assert_eq!(fill(&queue, &kind(client.as_str(), "invalid_client")), Room::Row);
        }
        assert_eq!(fill(&queue, &kind("rp", "invalid_client")), Room::None);
        queue.take();
        assert_eq!(fill(&queue, &kind("one-more", "invalid_client")), Room::Row);
    }
}
