//! Clients. Whether one may act is read from SQL on every request; its parsed metadata is kept by version.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::client_key;
use super::columns::{json, known, to_json};
use super::db::{Db, aside, on_each};
use super::resource;
use super::schema::{client_origins, clients};
use crate::domain::relying_party::{AuthMethod, ClientStatus, Registered};
use crate::domain::secret::{ClientSecret, Stored};
use crate::domain::{Client, Fault, Id, Moment};

/// Version, status and secret.
pub(super) type State = (i64, String, Option<String>);

/// Clients as each was last read, by name. Metadata is taken from here once SQL has named its version; standing and secret
/// never are.
#[derive(Default)]
pub(super) struct Cache(RwLock<HashMap<String, Registered>>);

impl Cache {
    /// A guess, for a statement that asks SQL itself whether it still holds.
    pub(super) fn last(&self, id: &str) -> Option<Registered> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn keep(&self, registered: &Registered) {
        let id = registered.client.id.as_str().to_owned();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, registered.clone());
    }

    /// What was just read, with the metadata that is known of its version.
    fn with_metadata(&self, id: &str, (version, status, secret): State) -> Result<Option<Registered>, Fault> {
        let Some(last) = self.last(id).filter(|last| last.version == version) else { return Ok(None) };
        let status = known(ClientStatus::parse(&status), "clients")?;
        let now = Registered { client: last.client, status, secret: secret.map(Stored::from_store), version };
        if now.status != last.status || now.secret != last.secret {
            self.keep(&now);
        }
        Ok(Some(now))
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct Row {
    metadata: String,
    status: String,
    secret: Option<String>,
    version: i64,
}

impl Row {
    fn decode(self) -> Result<Registered, Fault> {
        Ok(Registered {
            client: Arc::new(json(&self.metadata, "clients")?),
            status: known(ClientStatus::parse(&self.status), "clients")?,
            secret: self.secret.map(Stored::from_store),
            version: self.version,
        })
    }
}

pub fn find(db: &mut Db, id: &Id<Client>) -> Result<Option<Registered>, Fault> {
    if let Some(seen) = db.seen.client(id.as_str()) {
        return Ok(Some(seen));
    }
    let state: Option<State> = aside!(db, |link| clients::table
        .find(id.as_str())
        .select((clients::version, clients::status, clients::secret))
        .get_result(link)
        .optional())?;
    let Some(state) = state else { return Ok(None) };
    let found = complete(db, id, state)?;
    if let Some(registered) = &found {
        db.saw_client(registered);
    }
    Ok(found)
}

/// A client whose state was just read, with its metadata.
pub(super) fn complete(db: &mut Db, id: &Id<Client>, state: State) -> Result<Option<Registered>, Fault> {
    if let Some(registered) = db.clients.with_metadata(id.as_str(), state)? {
        return Ok(Some(registered));
    }
    let row: Option<Row> =
        aside!(db, |link| clients::table.find(id.as_str()).select(Row::as_select()).get_result(link).optional())?;
    let Some(registered) = row.map(Row::decode).transpose()? else { return Ok(None) };
    // A version written in this very transaction may be rolled back and then given to other metadata.
    if !db.wrote_client {
        db.clients.keep(&registered);
    }
    Ok(Some(registered))
}

/// Those of the named clients that are known, in no order.
pub fn find_all(db: &mut Db, ids: &[Id<Client>]) -> Result<Vec<Registered>, Fault> {
    let names: Vec<&str> = ids.iter().map(Id::as_str).collect();
    let states: Vec<(String, State)> = on_each!(db, |link| clients::table
        .filter(clients::id.eq_any(&names))
        .select((clients::id, (clients::version, clients::status, clients::secret)))
        .load(link))?;
    let mut found = Vec::with_capacity(states.len());
    for (id, state) in states {
        found.extend(complete(db, &Id::new(id), state)?);
    }
    Ok(found)
}

/// Registers a client or replaces its metadata. Its standing stays, and so does its secret unless a new one is
/// given or the client no longer authenticates by one.
pub fn put(db: &mut Db, client: &Client, secret: Option<&Stored<ClientSecret>>, at: Moment) -> Result<(), Fault> {
    let metadata = to_json(client)?;
    db.writes_client();
    let row = (
        clients::id.eq(client.id.as_str()),
        clients::metadata.eq(metadata.as_str()),
        clients::status.eq(ClientStatus::Live.name()),
        clients::secret.eq(secret.map(Stored::as_str)),
        clients::version.eq(1),
        clients::created_at.eq(at.unix()),
        clients::updated_at.eq(at.unix()),
    );
    let replaced = (
        clients::metadata.eq(excluded(clients::metadata)),
        clients::version.eq(clients::version + 1),
        clients::updated_at.eq(excluded(clients::updated_at)),
    );
    on_each!(db, |link| diesel::insert_into(clients::table)
        .values(row)
        .on_conflict(clients::id)
        .do_update()
        .set(replaced)
        .execute(link))?;
    let by_secret =
        matches!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
    if secret.is_some() || !by_secret {
        let secret = secret.filter(|_| by_secret).map(Stored::as_str);
        on_each!(db, |link| diesel::update(clients::table.find(client.id.as_str()))
            .set(clients::secret.eq(secret))
            .execute(link))?;
    }
    put_origins(db, client)?;
    resource::put(db, client)
}

/// The origins a public client's pages live at; a confidential client calls from its servers and has none.
fn put_origins(db: &mut Db, client: &Client) -> Result<(), Fault> {
    on_each!(db, |link| diesel::delete(
        client_origins::table.filter(client_origins::client_id.eq(client.id.as_str()))
    )
    .execute(link))?;
    let uris = client.redirect_uris.iter().filter(|_| client.is_public());
    let origins: BTreeSet<String> =
        uris.filter_map(|uri| Some(url::Url::parse(uri).ok()?.origin().ascii_serialization())).collect();
    for origin in origins {
        let row = (client_origins::client_id.eq(client.id.as_str()), client_origins::origin.eq(origin.as_str()));
        on_each!(db, |link| diesel::insert_into(client_origins::table).values(row).execute(link))?;
    }
    Ok(())
}

/// Whether the pages of a live public client live at an origin.
pub fn has_public_origin(db: &mut Db, origin: &str) -> Result<bool, Fault> {
    let found: Option<String> = on_each!(db, |link| client_origins::table
        .inner_join(clients::table)
        .filter(client_origins::origin.eq(origin))
        .filter(clients::status.eq(ClientStatus::Live.name()))
        .select(client_origins::client_id)
        .first(link)
        .optional())?;
    Ok(found.is_some())
}

/// False when there is no such client. One that is closed for good frees what only one may have.
pub fn set_status(db: &mut Db, id: &Id<Client>, status: ClientStatus) -> Result<bool, Fault> {
    db.writes_client();
    let changed = on_each!(db, |link| diesel::update(clients::table.find(id.as_str()))
        .set(clients::status.eq(status.name()))
        .execute(link))?;
    if status == ClientStatus::Closed {
        resource::release(db, id)?;
        client_key::release(db, id)?;
    }
    Ok(changed > 0)
}

pub fn list(db: &mut Db) -> Result<Vec<Registered>, Fault> {
    let rows: Vec<Row> = on_each!(db, |link| clients::table.order(clients::id).select(Row::as_select()).load(link))?;
    rows.into_iter().map(Row::decode).collect()
}
