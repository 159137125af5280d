//! One connection to either database, and the only two ways to speak through it: `on_each!` and `Db::transact`.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::client::Cache;
use super::held::Held;
use super::seen::Seen;
use super::update::Plain;
use crate::domain::Fault;

/// How the detail of a fault begins when the server turned read-only under us (SQLSTATE 25006).
pub(super) const READ_ONLY: &str = "read-only";
/// How it begins when the server went away.
pub(super) const CLOSED: &str = "closed";

/// A connection. What a flow holds while it reads or writes; it never looks inside.
pub struct Db {
    pub(super) link: Link,
    pub(super) clients: Arc<Cache>,
    /// Whether the open transaction wrote a client.
    pub(super) wrote_client: bool,
    pub(super) seen: Seen,
    /// Nothing where rows are added as they are said.
    pub(super) held: Option<Held>,
    /// How many statements were made.
    pub(super) said: u32,
}

pub(super) enum Link {
    Postgres(Box<PgConnection>),
    Sqlite(Box<SqliteConnection>),
}

/// Type-checks one query once per database: one text, static dispatch, the full dialect of diesel.
macro_rules! on_each {
    ($db:expr, |$link:ident| $query:expr) => {
        match $db.release() {
            Ok(()) => $crate::store::db::aside!($db, |$link| $query),
            Err(error) => Err(error.into()),
        }
    };
}
pub(super) use on_each;

/// The same for a statement that only reads, and nothing that may be held: what is held stays so.
macro_rules! aside {
    ($db:expr, |$link:ident| $query:expr) => {{
        $db.said = $db.said.wrapping_add(1);
        match &mut $db.link {
            $crate::store::db::Link::Postgres(link) => {
                let $link = link.as_mut();
                $query
            }
            $crate::store::db::Link::Sqlite(link) => {
                let $link = link.as_mut();
                $query
            }
        }
    }};
}
pub(super) use aside;

impl Db {
    pub(super) fn sqlite(path: &Path, pragmas: &str, clients: Arc<Cache>) -> Result<Db, Fault> {
        let text = path.to_str().ok_or_else(|| Fault::broken("store", "the path of the database is not UTF-8"))?;
        let mut link = SqliteConnection::establish(text).map_err(unreachable)?;
        link.batch_execute(pragmas)?;
        Ok(Db {
            link: Link::Sqlite(Box::new(link)),
            clients,
            wrote_client: false,
            seen: Seen::default(),
            held: None,
            said: 0,
        })
    }

    pub(super) fn postgres(url: &str, settings: &str, clients: Arc<Cache>) -> Result<Db, Fault> {
        let mut link = PgConnection::establish(url).map_err(unreachable)?;
        link.batch_execute(settings)?;
        Ok(Db {
            link: Link::Postgres(Box::new(link)),
            clients,
            wrote_client: false,
            seen: Seen::default(),
            held: None,
            said: 0,
        })
    }

    /// The only transaction. On SQLite it takes the write lock at once: a transaction that first reads and then
    /// wants to write would otherwise fail whenever another writer was quicker. Inside another one it is a savepoint.
    pub fn transact<T>(&mut self, body: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
        self.release()?;
        let depth = self.depth();
        self.begin()?;
        match body(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(fault) => {
                self.roll_back_to(depth)?;
                Err(fault)
            }
        }
    }

    /// A transaction that only reads; it takes no write lock, and there is nothing to nest in it.
    pub(super) fn look<T>(&mut self, body: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
        self.say("BEGIN")?;
        let result = body(self);
        self.say("ROLLBACK")?;
        result
    }

    /// One piece of several that share a transaction: what `keep` does not let stand leaves no trace.
    pub(super) fn piece<T>(
        &mut self,
        body: impl FnOnce(&mut Db) -> T,
        keep: impl FnOnce(&T) -> bool,
    ) -> Result<T, Fault> {
        let depth = self.depth();
        self.say("SAVEPOINT piece")?;
        let result = body(self);
        if !keep(&result) {
            self.roll_back_to(depth)?;
            self.say("ROLLBACK TO piece")?;
        }
        self.say("RELEASE piece")?;
        Ok(result)
    }

    fn say(&mut self, statement: &'static str) -> Result<(), Fault> {
        on_each!(self, |link| Plain(statement).execute(link))?;
        Ok(())
    }

    /// Whether the other end still answers.
    pub(super) fn ping(&mut self) -> Result<(), Fault> {
        self.say("SELECT 1")
    }

    pub(super) fn begin(&mut self) -> Result<(), Fault> {
        if self.depth() > 0 {
            return Ok(on_each!(self, |link| AnsiTransactionManager::begin_transaction(link))?);
        }
        self.wrote_client = false;
        self.seen.clear();
        match &mut self.link {
            Link::Postgres(link) => AnsiTransactionManager::begin_transaction_sql(link.as_mut(), "BEGIN")?,
            Link::Sqlite(link) => AnsiTransactionManager::begin_transaction_sql(link.as_mut(), "BEGIN IMMEDIATE")?,
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), Fault> {
        on_each!(self, |link| AnsiTransactionManager::commit_transaction(link))?;
        self.wrote_client &= self.depth() > 0;
        Ok(())
    }

    /// Undoes whatever was begun since the transaction was `depth` deep.
    pub(super) fn roll_back_to(&mut self, depth: u32) -> Result<(), Fault> {
        while self.depth() > depth {
            on_each!(self, |link| AnsiTransactionManager::rollback_transaction(link))?;
        }
        self.wrote_client &= depth > 0;
        Ok(())
    }

    /// How many transactions are open, one inside the other; a connection past repair counts as none.
    pub(super) fn depth(&mut self) -> u32 {
        self.open().ok().flatten().map_or(0, NonZeroU32::get)
    }

    /// Whether the connection is fit for the next piece of work.
    pub(super) fn is_clean(&mut self) -> bool {
        matches!(self.open(), Ok(None))
    }

    fn open(&mut self) -> QueryResult<Option<NonZeroU32>> {
        let status = match &mut self.link {
            Link::Postgres(link) => AnsiTransactionManager::transaction_manager_status_mut(link.as_mut()),
            Link::Sqlite(link) => AnsiTransactionManager::transaction_manager_status_mut(link.as_mut()),
        };
        status.transaction_depth()
    }

    pub(super) fn execute(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(on_each!(self, |link| link.batch_execute(sql))?)
    }
}

fn unreachable(error: ConnectionError) -> Fault {
    // The text of a refused connection may repeat the URL, password included.
    let text = error.to_string();
    let shown = if text.contains("://") || text.contains("password=") { "cannot connect" } else { text.as_str() };
    Fault::unavailable("store", format!("{CLOSED}: {shown}"))
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match &error {
            Error::DatabaseError(kind, detail) => match kind {
                DatabaseErrorKind::ReadOnlyTransaction => Fault::unavailable("store", format!("{READ_ONLY}: {error}")),
                DatabaseErrorKind::ClosedConnection => Fault::unavailable("store", format!("{CLOSED}: {error}")),
                // The name of the constraint says enough; the message may repeat the value.
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::NotNullViolation => Fault::broken(
                    "store",
                    format!("{kind:?} of {}", detail.constraint_name().or(detail.table_name()).unwrap_or("a table")),
                ),
                // Timeouts, locks, a full disk, deadlocks, a server going down: another attempt may succeed.
                _ => Fault::unavailable("store", &error),
            },
            Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
                Fault::unavailable("store", &error)
            }
            _ => Fault::broken("store", &error),
        }
    }
}
