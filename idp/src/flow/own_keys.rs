//! Two FAPI clients never share a key: what one signs must not pass for the other's.
//!
//! Keys by value are compared by their thumbprints (RFC 7638). Those by reference are not ours to read when a client is
//! registered and change without us, so of them the address is compared: two clients never name the same set.

use std::collections::BTreeSet;

use crate::domain::{Client, Fault};
use crate::keys;
use crate::protocol::Error;
use crate::protocol::registration::refuse;
use crate::store::{self, Db};

/// What nobody else may be registered with; nothing for the other profiles.
fn marks(client: &Client) -> Vec<String> {
    if !client.profile.is_fapi() {
        return Vec::new();
    }
    let by_value = client.jwks.iter().flat_map(|jwks| keys::thumbprints(jwks));
    by_value.chain(client.jwks_uri.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Asked before a client is put; the reason to refuse it.
pub fn shared(db: &mut Db, client: &Client) -> Result<Option<Error>, Fault> {
    let marks = marks(client);
    if marks.is_empty() || !store::client_key::held_elsewhere(db, &client.id, &marks)? {
        return Ok(None);
    }
    let member = if client.jwks_uri.is_some() { "jwks_uri" } else { "jwks" };
    Ok(Some(refuse(member, "has a key another client is registered with")))
}

/// After it was put, in the same transaction.
pub fn keep(db: &mut Db, client: &Client) -> Result<(), Fault> {
    store::client_key::put(db, &client.id, &marks(client))
}
