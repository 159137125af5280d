//! The memory: SQL on PostgreSQL or SQLite from one text per query.
