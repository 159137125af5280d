//! The list of redirect URIs at a `sector_identifier_uri`, fetched when a client is admitted and never again
//! (OIDC Registration §5).

use crate::domain::Client;
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::registration::sector;

/// Nothing to check where the client names no such address.
pub async fn check(client: &Client, idp: &Idp) -> Result<(), Error> {
    let Some(uri) = &client.application.sector_identifier_uri else { return Ok(()) };
    match idp.fetch.get(uri).await {
        Ok(fetched) => sector::check(&fetched.body, &client.redirect_uris),
        Err(fault) => Err(sector::unfetched(&fault.detail)),
    }
}
