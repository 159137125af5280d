//! How often a client did something lately. Quotas keep our own tables small and decide nothing else, so the short memory
//! may hold them (`security.md` D1).

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::{Client, Fault, Id, Moment, Span};
use crate::idp::Idp;
use crate::store::{self, Db};

/// Counts one more. Without the shared counter this process counts its own share.
pub async fn hits(what: &str, client: &Id<Client>, window: Span, idp: &Idp) -> u64 {
    let key = format!("quota/{what}/{client}");
    match idp.ephemeral.hit(&key, window).await {
        Ok(hits) => hits,
        Err(fault) => {
            tracing::warn!(%fault, "quota.fallback");
            idp.fallback.hit(&key, window).await.unwrap_or(u64::MAX)
        }
    }
}

/// How much is begun and not finished, so that pages opened and left cannot fill the tables (`security.md` RX-10). Counted
/// in SQL by `keep`, and by what this process opened since: a few seconds' worth above the limit does no harm.
#[derive(Default)]
pub struct Open(AtomicI64);

impl Open {
    /// One more, if there is room. It is `busy`, and by itself over in a while.
    pub fn one_more(&self, most: i64) -> Result<(), Fault> {
        if self.0.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(Fault::overloaded("flow", "too many interactions are open"));
        }
        Ok(())
    }

    pub fn set(&self, counted: i64) {
        self.0.store(counted, Ordering::Relaxed);
    }
}

pub fn count_open(db: &mut Db, now: Moment) -> Result<i64, Fault> {
    Ok(store::interaction::count_open(db, now)? + store::recovery::count_open(db, now)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rx_10_no_more_than_there_is_room_for() {
        let open = Open::default();
        open.set(8);
        assert!(open.one_more(10).is_ok() && open.one_more(10).is_ok());
        assert!(open.one_more(10).is_err() && open.one_more(10).is_err());
        open.set(0);
        assert!(open.one_more(10).is_ok(), "what was finished or swept makes room");
    }
}
