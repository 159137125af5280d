//! Resources and the clients that answer for them (RFC 8707).

use diesel::prelude::*;

use super::client;
use super::db::{Db, aside, on_each};
use super::schema::{client_resources, clients};
use crate::domain::relying_party::Registered;
use crate::domain::{Client, Fault, Id};

/// Replaces what a client answers for. A resource of another client's is a fault: whoever registers asks `owner` first.
pub(super) fn put(db: &mut Db, client: &Client) -> Result<(), Fault> {
    release(db, &client.id)?;
    for resource in &client.resources.serves {
        let row =
            (client_resources::resource.eq(resource.as_str()), client_resources::client_id.eq(client.id.as_str()));
        on_each!(db, |link| diesel::insert_into(client_resources::table).values(row).execute(link))?;
    }
    Ok(())
}

/// A client that is closed for good answers for nothing any more, and somebody else may.
pub(super) fn release(db: &mut Db, client: &Id<Client>) -> Result<(), Fault> {
    db.writes_client();
    on_each!(db, |link| diesel::delete(
        client_resources::table.filter(client_resources::client_id.eq(client.as_str()))
    )
    .execute(link))?;
    Ok(())
}

pub fn owner(db: &mut Db, resource: &str) -> Result<Option<Id<Client>>, Fault> {
    let found: Option<String> = on_each!(db, |link| client_resources::table
        .find(resource)
        .select(client_resources::client_id)
        .get_result(link)
        .optional())?;
    Ok(found.map(Id::new))
}

/// Who answers for a resource, whatever its standing.
pub fn server(db: &mut Db, resource: &str) -> Result<Option<Registered>, Fault> {
    if let Some(seen) = db.seen.server(resource) {
        return Ok(Some(seen));
    }
    let found: Option<(String, client::State)> = aside!(db, |link| client_resources::table
        .inner_join(clients::table)
        .filter(client_resources::resource.eq(resource))
        .select((clients::id, (clients::version, clients::status, clients::secret)))
        .get_result(link)
        .optional())?;
    let Some((id, state)) = found else { return Ok(None) };
    let server = client::complete(db, &Id::new(id), state)?;
    if let Some(registered) = &server {
        db.saw_server(resource, registered);
    }
    Ok(server)
}
