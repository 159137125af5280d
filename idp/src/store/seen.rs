//! What pieces of work that are done together have read of clients.
//!
//! On SQLite the pieces of work of a commit share one transaction, and it holds the only right to write from its first
//! statement on. A client it has read stays as it was read until the transaction itself writes one, so the pieces that
//! follow need not ask again. On PostgreSQL others write beside a transaction, and nothing is remembered but by pieces whose
//! rows are held: all of them were asked for before the first one read, so to each it is what it would have read itself.

use std::collections::HashMap;

use super::db::{Db, Link};
use crate::domain::relying_party::Registered;
use crate::domain::{Client, Id};

#[derive(Default)]
pub(super) struct Seen {
    clients: HashMap<String, Registered>,
    /// Who answers for a resource.
    servers: HashMap<String, Id<Client>>,
}

impl Seen {
    pub(super) fn client(&self, id: &str) -> Option<Registered> {
        self.clients.get(id).cloned()
    }

    pub(super) fn server(&self, resource: &str) -> Option<Registered> {
        self.client(self.servers.get(resource)?.as_str())
    }

    pub(super) fn clear(&mut self) {
        self.clients.clear();
        self.servers.clear();
    }
}

impl Db {
    pub(super) fn saw_client(&mut self, registered: &Registered) {
        if self.is_lasting() {
            self.seen.clients.insert(registered.client.id.as_str().to_owned(), registered.clone());
        }
    }

    pub(super) fn saw_server(&mut self, resource: &str, registered: &Registered) {
        if self.is_lasting() {
            self.saw_client(registered);
            self.seen.servers.insert(resource.to_owned(), registered.client.id.clone());
        }
    }

    /// Said before anything is written that `Seen` may hold.
    pub(super) fn writes_client(&mut self) {
        self.wrote_client = true;
        self.seen.clear();
    }

    /// Whether what is read of a client holds for the pieces of work that follow.
    fn is_lasting(&mut self) -> bool {
        self.held.is_some() || (matches!(self.link, Link::Sqlite(_)) && !self.wrote_client && self.depth() > 0)
    }
}
