//! How often a client did something lately. Quotas keep our own tables small and decide nothing else, so the short memory
//! may hold them (`security.md` D1).

use crate::domain::{Client, Id, Span};
use crate::idp::Idp;

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
