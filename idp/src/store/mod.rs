//! The memory: SQL on PostgreSQL or SQLite from one text per query.
//!
//! Owns: connections, transactions, the schema and every query. One module per table or family of tables, plain
//! functions over a `Db`; a flow strings them together inside one closure, so that what it read, decided and
//! recorded is one transaction. A security fact lives here and nowhere else.
//! Must not know: HTTP, protocol parameters, how a value was sealed or hashed, what time it is.
//!
//! A row that does not decode is a fault, never a guess. Only a fault rolls back: a refusal that must leave a mark
//! is a value.

pub mod account;
pub mod app;
pub mod authority;
pub mod case;
pub mod ceremony;
pub mod change;
pub mod client;
pub mod client_key;
pub mod code;
pub mod confirmation;
pub mod consent;
pub mod device;
pub mod eid;
pub mod enrolled;
pub mod grant;
pub mod holder_notice;
pub mod interaction;
pub mod invitation;
pub mod key;
pub mod level_two;
pub mod message;
pub mod meta;
pub mod officer_act;
pub mod otp;
pub mod outbox;
pub mod passkey;
pub mod phone_code;
pub mod pushed;
pub mod recovery;
pub mod refused;
pub mod register;
pub mod registration;
pub mod representation;
pub mod resource;
pub mod retention;
pub mod session;
pub mod sign_out;
pub mod standing;
pub mod subject;
pub mod throttle;
pub mod token;
pub mod totp;
pub mod trail;
pub mod transaction;
pub mod upstream;
pub mod upstream_link;
pub mod used;

mod columns;
mod db;
mod held;
mod home;
mod migrate;
mod postgres;
mod queue;
mod schema;
mod seen;
mod sqlite;
#[cfg(test)]
mod tests;
mod update;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use db::Db;
use queue::{Body, Need, Once, Repeatable};
#[cfg(test)]
pub use tests::fresh_schema;

use crate::domain::relying_party::Registered;
use crate::domain::{Client, Fault, Id};

/// What to do about a schema older than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// Bring it up to date.
    Auto,
    /// Refuse to start, saying what to run.
    Check,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    pub migrate: Migrate,
    /// Connections beside the one that keeps many pieces of work at a time: on SQLite they only read.
    pub pool: u32,
}

/// How busy the connections are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGauge {
    pub in_use: usize,
    pub idle: usize,
    pub size: usize,
    pub queued: usize,
}

/// The door to the memory; cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
    clients: Arc<client::Cache>,
}

enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

enum Place<'a> {
    Sqlite(PathBuf),
    Postgres(&'a str),
}

/// The scheme alone decides; a mistyped one must not become the name of a file.
fn place(url: &str) -> Result<Place<'_>, Fault> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Postgres(url));
    }
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() && !path.starts_with(':') => Ok(Place::Sqlite(Path::new(path).to_owned())),
        _ => Err(Fault::unavailable("store", "the database URL must be sqlite:PATH or postgres://…")),
    }
}

/// A connection of its own for work on the schema.
fn tend(url: &str) -> Result<Db, Fault> {
    match place(url)? {
        Place::Sqlite(path) => sqlite::connect(&path, Arc::default()),
        Place::Postgres(url) => postgres::tend(url),
    }
}

impl Store {
    pub fn open(settings: &Settings) -> Result<Store, Fault> {
        let place = place(&settings.url)?;
        match settings.migrate {
            Migrate::Auto => drop(migrate::up(&mut tend(&settings.url)?)?),
            Migrate::Check => migrate::check(&mut tend(&settings.url)?)?,
        }
        let clients = Arc::<client::Cache>::default();
        let engine = match place {
            Place::Sqlite(path) => Engine::Sqlite(sqlite::Sqlite::open(&path, settings, clients.clone())?),
            Place::Postgres(url) => {
                drop(postgres::connect(url, Arc::default())?);
                Engine::Postgres(postgres::Postgres::open(url, settings, &clients)?)
            }
        };
        Ok(Store { engine: Arc::new(engine), clients })
    }

    /// Runs `work` in one transaction. When this answers `Ok`, the effect is on disk and every later read sees it;
    /// on `Err` nothing of it remains. The work finishes even when the caller stops waiting.
    pub async fn transact<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.write(Once(Some(work)), Need::Transaction).await
    }

    /// The same for `work` that bears being run again, its first effect taken back, before it is answered. On SQLite such
    /// pieces of work share a commit without a savepoint each.
    pub async fn transact_repeatably<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: Fn(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.write(Repeatable(work), Need::Transaction).await
    }

    /// The same for `work` that, as a rule, reads clients and adds rows, and no more. On PostgreSQL such pieces share one
    /// statement; one that does anything else makes a transaction of it.
    pub async fn transact_adding<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: Fn(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.write(Repeatable(work), Need::Addition).await
    }

    async fn write<T: Send + 'static>(&self, work: impl Body<T>, need: Need) -> Result<T, Fault> {
        let (job, answer) = queue::ask(work, need);
        match self.engine.as_ref() {
            Engine::Sqlite(engine) => engine.put(job),
            Engine::Postgres(engine) => engine.put(job),
        }
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Runs `work`, which only reads. Its statements may see different moments; what must hold together belongs
    /// into `transact`.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        match self.engine.as_ref() {
            Engine::Sqlite(engine) => engine.read(work),
            Engine::Postgres(engine) => {
                let (job, answer) = queue::ask(Once(Some(work)), Need::Nothing);
                engine.put(job);
                answer.await.unwrap_or_else(|_| Err(lost()))
            }
        }
    }

    /// A client as this process last read it. Nothing may rest on it but a transaction that asks whether it still holds.
    pub fn last_read(&self, client: &Id<Client>) -> Option<Registered> {
        self.clients.last(client.as_str())
    }

    /// Whether work that writes can be done now.
    pub async fn ready(&self) -> Result<(), Fault> {
        match self.engine.as_ref() {
            Engine::Sqlite(_) => self.transact(|_| Ok(())).await,
            Engine::Postgres(_) => self.read(postgres::ready).await,
        }
    }

    /// Makes this process the one server of an SQLite file, for as long as the store lives. On PostgreSQL any number
    /// of servers share the database.
    pub fn claim_server(&self) -> Result<(), Fault> {
        match self.engine.as_ref() {
            Engine::Sqlite(engine) => engine.claim(),
            Engine::Postgres(_) => Ok(()),
        }
    }

    pub fn gauge(&self) -> PoolGauge {
        match self.engine.as_ref() {
            Engine::Sqlite(engine) => engine.gauge(),
            Engine::Postgres(engine) => engine.gauge(),
        }
    }

    /// Applies what is missing and names it.
    pub fn migrate_up(url: &str) -> Result<Vec<String>, Fault> {
        migrate::up(&mut tend(url)?)
    }

    /// Every migration of this program in order, and whether it was applied.
    pub fn status(url: &str) -> Result<Vec<(String, bool)>, Fault> {
        migrate::status(&mut tend(url)?)
    }

    /// Empties the database: everything in it is gone, the schema included.
    pub fn reset(url: &str) -> Result<(), Fault> {
        migrate::down(&mut tend(url)?)
    }
}

fn lost() -> Fault {
    Fault::unavailable("store", "the thread of the database is gone")
}
