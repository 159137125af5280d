//! Clients as the operator admits, shows, suspends and closes them (`contract.md` 5).
//!
//! Suspension is lifted by `resume` and by nothing else, so that replacing a client's metadata cannot bring it back by
//! accident; closing is for good. Status and secret are read from SQL by every request, so what is acknowledged here
//! already holds.

use serde_json::Value;

use crate::domain::relying_party::{AuthMethod, ClientStatus, Registered};
use crate::domain::secret::{ClientSecret, Minted};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Client, Fault, Id, Moment};
use crate::flow::answers;
use crate::flow::operator::Verdict;
use crate::flow::{own_keys, sector};
use crate::idp::Idp;
use crate::protocol::registration::{self, Admission, Unknown};
use crate::protocol::{Error, json};
use crate::store::{self, Db};

/// How deep registration metadata may nest.
const DEEPEST: usize = 16;

/// A client as admitted.
#[derive(Debug)]
pub struct Put {
    pub id: Id<Client>,
    pub created: bool,
    /// Minted now; nobody can show it again.
    pub secret: Option<Minted<ClientSecret>>,
}

/// Creates or replaces by `client_id`. Without a secret the existing one stays, else one is minted.
pub async fn put(text: &str, idp: &Idp) -> Result<Verdict<Put>, Fault> {
    let metadata = match json::strict(text, DEEPEST) {
        Ok(metadata) => metadata,
        Err(reason) => return Ok(Verdict::Refused(format!("not JSON: {reason}"))),
    };
    let now = idp.clock.now();
    let admission = admission(Unknown::Refused, idp);
    if metadata.get("sector_identifier_uri").is_some_and(Value::is_string)
        && let Err(error) = check_sector(&metadata, &admission, idp).await
    {
        return Ok(refused(&error));
    }
    let fresh = Fresh { secret: idp.random.mint()?, event: idp.id()?, at: now, issuer: idp.config.issuer.clone() };
    idp.store.transact(move |db| admit(db, metadata, &admission, fresh)).await
}

/// What the running configuration lets a registration ask for.
pub fn admission(unknown: Unknown, idp: &Idp) -> Admission {
    Admission {
        http_loopback: idp.config.danger_http_loopback,
        unknown,
        certificates: idp.config.mtls.alias().is_some(),
        client_ca: idp.config.mtls.client_ca.is_some(),
    }
}

/// What the transaction may use up.
struct Fresh {
    secret: Minted<ClientSecret>,
    event: Id<Event>,
    at: Moment,
    /// Ours to answer for, and no client's.
    issuer: String,
}

fn admit(db: &mut Db, mut metadata: Value, admission: &Admission, fresh: Fresh) -> Result<Verdict<Put>, Fault> {
    let existing = match metadata.get("client_id").and_then(Value::as_str) {
        Some(id) => store::client::find(db, &Id::new(id))?,
        None => None,
    };
    if let Some(existing) = &existing {
        if existing.status == ClientStatus::Closed {
            return Ok(Verdict::refused("client_id belongs to a closed client and is not used again"));
        }
        keep_sector(&mut metadata, &existing.client.sector);
    }
    let (client, given) = match registration::admit(&metadata, admission) {
        Ok(admitted) => admitted,
        Err(error) => return Ok(refused(&error)),
    };
    // OIDC Core §8.1: another sector would give every citizen a second subject at the same portal.
    if let Some(existing) = &existing
        && existing.client.sector != client.sector
    {
        return Ok(Verdict::Refused(format!("vn_sector is frozen at {:?}", existing.client.sector)));
    }
    if let Err(reason) = answers::check_keys(&client) {
        return Ok(Verdict::Refused(format!("jwks {reason}")));
    }
    if let Some(reason) = served_elsewhere(db, &client, &fresh.issuer)? {
        return Ok(Verdict::Refused(reason));
    }
    if let Some(error) = own_keys::shared(db, &client)? {
        return Ok(refused(&error));
    }
    let needs_secret =
        matches!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
    let kept = existing.as_ref().is_some_and(|existing| existing.secret.is_some());
    let minted = (needs_secret && given.is_none() && !kept).then_some(fresh.secret);
    let stored = match (given.map(Minted::<ClientSecret>::from_text), &minted) {
        (Some(given), _) => Some(given.stored()),
        (None, Some(minted)) => Some(minted.stored()),
        (None, None) => None,
    };
    store::client::put(db, &client, stored.as_ref(), fresh.at)?;
    own_keys::keep(db, &client)?;
    // What an operator decided must not be undone by a client that once registered itself.
    store::invitation::take_over(db, &client.id)?;
    let detail = serde_json::json!({
        "created": existing.is_none(),
        "scope": client.scope,
        "redirect_uris": client.redirect_uris,
        "secret_changed": stored.is_some(),
    });
    store::trail::append(db, &Event::new(Kind::ClientPut, fresh.at).by(&client.id).with(detail), &fresh.event)?;
    Ok(Verdict::Done(Put { id: client.id, created: existing.is_none(), secret: minted }))
}

/// OIDC Registration §5, before the transaction: it waits for somebody else's server.
async fn check_sector(metadata: &Value, admission: &Admission, idp: &Idp) -> Result<(), Error> {
    let (client, _) = registration::admit(metadata, admission)?;
    sector::check(&client, idp).await
}

fn refused<T>(error: &Error) -> Verdict<T> {
    Verdict::Refused(format!("{} ({})", error.told, error.clause))
}

/// RFC 8707: a resource has one server, or another could ask about the tokens meant for it.
fn served_elsewhere(db: &mut Db, client: &Client, issuer: &str) -> Result<Option<String>, Fault> {
    for resource in &client.resources.serves {
        let ours = resource.strip_prefix(issuer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let owner = store::resource::owner(db, resource)?;
        if ours || owner.is_some_and(|owner| owner != client.id) {
            return Ok(Some(format!("vn_serves names {resource}, which somebody else answers for")));
        }
    }
    Ok(None)
}

/// A file that does not name the sector means the one the client was onboarded with, whatever its addresses are now.
fn keep_sector(metadata: &mut Value, sector: &str) {
    if let Some(members) = metadata.as_object_mut()
        && members.get("vn_sector").is_none_or(Value::is_null)
    {
        members.insert("vn_sector".to_owned(), sector.into());
    }
}

/// Whether browsers may call the token endpoints from an origin: the pages of a live public client live there.
pub async fn may_call_from(origin: &str, idp: &Idp) -> Result<bool, Fault> {
    let origin = origin.to_owned();
    idp.store.read(move |db| store::client::has_public_origin(db, &origin)).await
}

/// Every client, whatever its status, by id.
pub async fn list(idp: &Idp) -> Result<Vec<Registered>, Fault> {
    idp.store.read(store::client::list).await
}

/// The client's metadata with its status; never its secret.
pub async fn show(id: &Id<Client>, idp: &Idp) -> Result<Verdict<Value>, Fault> {
    let id = id.clone();
    let Some(registered) = idp.store.read(move |db| store::client::find(db, &id)).await? else {
        return Ok(Verdict::refused("no client has this client_id"));
    };
    let mut shown = serde_json::to_value(&*registered.client).map_err(|error| Fault::broken("flow", error))?;
    if let Some(members) = shown.as_object_mut() {
        members.insert("status".to_owned(), registered.status.name().into());
        members.insert("has_secret".to_owned(), registered.secret.is_some().into());
    }
    Ok(Verdict::Done(shown))
}

pub async fn suspend(id: &Id<Client>, idp: &Idp) -> Result<Verdict<()>, Fault> {
    turn(id, ClientStatus::Suspended, Kind::ClientSuspended, idp).await
}

pub async fn resume(id: &Id<Client>, idp: &Idp) -> Result<Verdict<()>, Fault> {
    turn(id, ClientStatus::Live, Kind::ClientResumed, idp).await
}

pub async fn close(id: &Id<Client>, idp: &Idp) -> Result<Verdict<()>, Fault> {
    turn(id, ClientStatus::Closed, Kind::ClientClosed, idp).await
}

async fn turn(id: &Id<Client>, status: ClientStatus, kind: Kind, idp: &Idp) -> Result<Verdict<()>, Fault> {
    let id = id.clone();
    let now = idp.clock.now();
    let event = idp.id::<Event>()?;
    idp.store
        .transact(move |db| {
            let Some(registered) = store::client::find(db, &id)? else {
                return Ok(Verdict::refused("no client has this client_id"));
            };
            if registered.status == ClientStatus::Closed && status != ClientStatus::Closed {
                return Ok(Verdict::refused("the client is closed for good"));
            }
            if registered.status != status {
                store::client::set_status(db, &id, status)?;
                let detail = serde_json::json!({ "from": registered.status.name() });
                store::trail::append(db, &Event::new(kind, now).by(&id).with(detail), &event)?;
            }
            Ok(Verdict::Done(()))
        })
        .await
}
