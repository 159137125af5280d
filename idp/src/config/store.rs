//! Where the memory is.

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Who brings the schema up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Migrate {
    /// The program, at start.
    Auto,
    /// An operator; the program refuses to start behind the schema.
    Check,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`. A relative path starts at the working directory.
    pub url: String,
    /// Absent: `auto` on SQLite, `check` on PostgreSQL.
    pub migrate: Option<Migrate>,
    /// Connections to PostgreSQL, or read connections to SQLite; one more writes for many requests at a time.
    pub pool: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "sqlite:idp.db".to_owned(), migrate: None, pool: 8 }
    }
}

impl DatabaseConfig {
    /// The file, when the store is SQLite.
    pub fn sqlite_path(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite:")
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres://") || self.url.starts_with("postgresql://")
    }

    pub fn migrate(&self) -> Migrate {
        self.migrate.unwrap_or(if self.is_postgres() { Migrate::Check } else { Migrate::Auto })
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if !self.is_postgres() && self.sqlite_path().is_none_or(str::is_empty) {
            return Err(Invalid::new("database.url", "must be sqlite:PATH or postgres://…"));
        }
        if self.pool == 0 {
            return Err(Invalid::new("database.pool", "must be at least 1"));
        }
        Ok(())
    }
}
