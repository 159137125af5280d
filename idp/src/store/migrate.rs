//! The schema, brought up and down by the migrations embedded in the program.

use std::error::Error;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::db::{Db, Link, on_each};
use crate::domain::Fault;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/portable");

/// Two nodes starting at once must not apply one migration twice. The number is ours and arbitrary.
const LOCK: &str = "SELECT pg_advisory_lock(7203480921)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7203480921)";

pub(super) fn up(db: &mut Db) -> Result<Vec<String>, Fault> {
    alone(db, |db| {
        let pending: Vec<String> =
            status(db)?.into_iter().filter_map(|(name, applied)| (!applied).then_some(name)).collect();
        on_each!(db, |link| link.run_pending_migrations(MIGRATIONS).map(drop)).map_err(failed)?;
        Ok(pending)
    })
}

pub(super) fn down(db: &mut Db) -> Result<(), Fault> {
    alone(db, |db| on_each!(db, |link| link.revert_all_migrations(MIGRATIONS).map(drop)).map_err(failed))
}

/// Refuses a schema older than the program. A newer one is welcome: old code runs on it.
pub(super) fn check(db: &mut Db) -> Result<(), Fault> {
    match status(db)?.iter().filter(|(_, applied)| !applied).count() {
        0 => Ok(()),
        behind => Err(Fault::unavailable(
            "store",
            format!("the database is {behind} migrations behind this program; run `idp migrate up`"),
        )),
    }
}

pub(super) fn status(db: &mut Db) -> Result<Vec<(String, bool)>, Fault> {
    let applied = on_each!(db, |link| link.applied_migrations()).map_err(failed)?;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(failed)?;
    Ok(known
        .iter()
        .map(|migration| (migration.name().to_string(), applied.contains(&migration.name().version())))
        .collect())
}

fn alone<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
    if matches!(db.link, Link::Sqlite(_)) {
        return work(db);
    }
    db.execute(LOCK)?;
    let result = work(db);
    db.execute(UNLOCK)?;
    result
}

fn failed(error: Box<dyn Error + Send + Sync>) -> Fault {
    Fault::unavailable("store", format!("migration: {error}"))
}
