//! The short memory: counters, caches and announcements whose loss has no security effect.
