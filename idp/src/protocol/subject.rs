//! Subject identifiers (OIDC Core §8): in which sector a client knows its holders.

use crate::domain::Client;
use crate::domain::relying_party::SubjectType;

/// The sector all `public` clients share. No pairwise sector can be named so: sectors are hosts or client ids.
pub const PUBLIC_SECTOR: &str = "*";

/// The sector under which this client's `sub` values are stored, one per (account, sector), never derived from
/// anything (`contract.md` 8).
pub fn sector(client: &Client) -> &str {
    match client.subject_type {
        SubjectType::Pairwise => &client.sector,
        SubjectType::Public => PUBLIC_SECTOR,
    }
}
