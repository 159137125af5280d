//! Clients that register themselves by an invitation (RFC 7591), and that manage their registration (RFC 7592).
//!
//! The invitation's policy binds a registration for as long as it stands, whatever becomes of the invitation. The
//! registration access token is not rotated. A client an operator put in its stead is the operator's from then on.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::domain::invitation::{Policy, Registration};
use crate::domain::relying_party::{AuthMethod, ClientStatus, Registered};
use crate::domain::secret::{ClientSecret, InitialAccessToken, Minted, RegistrationToken, Stored};
use crate::domain::standing::{Asking, Subject, may_act};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Client, Fault, Id, Moment};
use crate::flow::{answers, own_keys, sector};
use crate::idp::Idp;
use crate::protocol::registration::{self, Unknown, manage, policy};
use crate::protocol::{Error, json};
use crate::store::{self, Db};

/// What the caller is told: the registration, or the rule it broke.
pub type Verdict = Result<Map<String, Value>, Error>;

/// How deep registration metadata may nest.
const DEEPEST: usize = 16;

/// Registers a client by an initial access token.
pub async fn register(token: &str, text: &str, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let (hash, now): (Stored<InitialAccessToken>, _) = (Stored::of(token), idp.clock.now());
    let Some(invitation) = idp.store.read(move |db| store::invitation::find_open(db, &hash, now)).await? else {
        return Ok(Err(manage::not_invited()));
    };
    let id: Id<Client> = idp.id()?;
    let client = match admitted(text, &invitation.policy, &id, idp).await? {
        Ok((_, client)) => client,
        Err(error) => return Ok(Err(error)),
    };
    let secret: Option<Minted<ClientSecret>> = has_secret(&client).then(|| idp.random.mint()).transpose()?;
    let manager: Minted<RegistrationToken> = idp.random.mint()?;
    let (stored, managed, event) = (secret.as_ref().map(Minted::stored), manager.stored(), idp.id::<Event>()?);
    let kept = client.clone();
    let registered = idp
        .store
        .transact(move |db| {
            if let Some(error) = own_keys::shared(db, &kept)? {
                return Ok(Err(error));
            }
            if !store::invitation::spend(db, &invitation.id, now)? {
                return Ok(Err(manage::not_invited()));
            }
            store::client::put(db, &kept, stored.as_ref(), now)?;
            own_keys::keep(db, &kept)?;
            store::invitation::register(db, &kept.id, &invitation.id, &managed, now)?;
            let detail = json!({
                "invitation": invitation.id, "scope": kept.scope, "redirect_uris": kept.redirect_uris
            });
            store::trail::append(db, &Event::new(Kind::ClientRegistered, now).by(&kept.id).with(detail), &event)?;
            Ok(Ok(()))
        })
        .await?;
    if let Err(error) = registered {
        return Ok(Err(error));
    }
    told(&client, secret.as_ref(), (manager.reveal(), now), idp).map(Ok)
}

/// What the request asks for and the client it amounts to, within the policy.
async fn admitted(
    text: &str,
    policy: &Policy,
    id: &Id<Client>,
    idp: &Idp,
) -> Result<Result<(Value, Client), Error>, Fault> {
    let request = match json::strict(text, DEEPEST) {
        Ok(request) => request,
        Err(reason) => return Ok(Err(registration::refuse("the registration", "is not JSON").because(reason))),
    };
    let file = match policy::fill(&request, policy, id)? {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let admission = super::client::admission(Unknown::Ignored, idp);
    let client = match registration::admit(&file, &admission) {
        Ok((client, _)) => client,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(reason) = answers::check_keys(&client) {
        return Ok(Err(registration::refuse("jwks", reason)));
    }
    Ok(sector::check(&client, idp).await.map(|()| (request, client)))
}

fn has_secret(client: &Client) -> bool {
    matches!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost)
}

/// RFC 7591 §3.2.1, RFC 7592 §3. A secret is told when it is minted and never again: it is kept as a digest.
fn told(
    client: &Client,
    secret: Option<&Minted<ClientSecret>>,
    (manager, registered_at): (&str, Moment),
    idp: &Idp,
) -> Result<Map<String, Value>, Fault> {
    let mut told = registration::describe(client)?;
    let mut put = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    put("client_id_issued_at", registered_at.unix().into());
    put("registration_access_token", manager.into());
    put("registration_client_uri", format!("{}/register/{}", idp.config.issuer, client.id).into());
    if let Some(secret) = secret {
        put("client_secret", secret.reveal().into());
        put("client_secret_expires_at", 0.into());
    }
    Ok(told)
}

/// The registration behind a token, when it is this client's and the client stands.
fn entitled(
    db: &mut Db,
    id: &Id<Client>,
    token: &Stored<RegistrationToken>,
    now: Moment,
) -> Result<Result<(Registration, Registered), Error>, Fault> {
    let registration = store::invitation::registration(db, token)?.filter(|found| found.client == *id);
    let Some(registration) = registration else { return Ok(Err(manage::not_manager())) };
    let Some(registered) = store::client::find(db, id)? else { return Ok(Err(manage::not_manager())) };
    let asking = Asking {
        client: Some(registered.status),
        subject: Subject::ClientItself,
        actor: None,
        grant: None,
        session: None,
    };
    Ok(match may_act(asking, now) {
        Ok(_) => Ok((registration, registered)),
        // RFC 7592 §2.1: gone is 401, not permitted is 403.
        Err(_) if registered.status == ClientStatus::Closed => Err(manage::not_manager()),
        Err(_) => Err(manage::suspended()),
    })
}

/// Tells a client its registration (RFC 7592 §2.1).
pub async fn read(id: Id<Client>, token: &str, idp: &Idp) -> Result<Verdict, Fault> {
    let (hash, now) = (Stored::of(token), idp.clock.now());
    match idp.store.read(move |db| entitled(db, &id, &hash, now)).await? {
        Ok((registration, registered)) => {
            told(&registered.client, None, (token, registration.registered_at), idp).map(Ok)
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Replaces the metadata of a registration, within its invitation's policy (RFC 7592 §2.2).
pub async fn replace(id: Id<Client>, token: &str, text: &str, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let (hash, now) = (Stored::of(token), idp.clock.now());
    let (wanted, asked) = (id.clone(), hash.clone());
    let found = idp.store.read(move |db| entitled(db, &wanted, &asked, now)).await?;
    let (registration, _) = match found {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let (request, client) = match admitted(text, &registration.policy, &id, idp).await? {
        Ok(admitted) => admitted,
        Err(error) => return refused(id, error, idp).await,
    };
    let fresh = Fresh { secret: idp.random.mint()?, event: idp.id()?, at: now };
    let kept = client.clone();
    match idp.store.transact(move |db| put(db, &hash, &request, &kept, fresh)).await? {
        Ok(secret) => told(&client, secret.as_ref(), (token, registration.registered_at), idp).map(Ok),
        Err(error) => refused(id, error, idp).await,
    }
}

/// What the transaction may use up.
struct Fresh {
    secret: Minted<ClientSecret>,
    event: Id<Event>,
    at: Moment,
}

type Replaced = Result<Option<Minted<ClientSecret>>, Error>;

fn put(
    db: &mut Db,
    token: &Stored<RegistrationToken>,
    request: &Value,
    client: &Client,
    fresh: Fresh,
) -> Result<Replaced, Fault> {
    let existing = match entitled(db, &client.id, token, fresh.at)? {
        Ok((_, existing)) => existing,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = manage::replaces(request, client, &existing) {
        return Ok(Err(error));
    }
    if let Some(error) = own_keys::shared(db, client)? {
        return Ok(Err(error));
    }
    let minted = (has_secret(client) && existing.secret.is_none()).then_some(fresh.secret);
    store::client::put(db, client, minted.as_ref().map(Minted::stored).as_ref(), fresh.at)?;
    own_keys::keep(db, client)?;
    let detail = json!({
        "created": false, "by": "client", "scope": client.scope, "redirect_uris": client.redirect_uris,
        "secret_changed": minted.is_some()
    });
    store::trail::append(db, &Event::new(Kind::ClientPut, fresh.at).by(&client.id).with(detail), &fresh.event)?;
    Ok(Ok(minted))
}

/// A refusal of a client that proved itself, recorded once.
async fn refused(id: Id<Client>, error: Error, idp: &Idp) -> Result<Verdict, Fault> {
    let detail = json!({ "error": error.code.as_str(), "clause": error.clause, "told": error.told });
    let (now, event) = (idp.clock.now(), idp.id::<Event>()?);
    let refusal = Event::new(Kind::RegistrationRefused, now).by(&id).with(detail);
    idp.store.transact(move |db| store::trail::append(db, &refusal, &event)).await?;
    Ok(Err(error))
}

/// Ends a client at its own wish, for good (RFC 7592 §2.3). Its tokens end with it.
pub async fn close(id: Id<Client>, token: &str, idp: &Idp) -> Result<Result<(), Error>, Fault> {
    let (hash, now, event) = (Stored::of(token), idp.clock.now(), idp.id::<Event>()?);
    idp.store
        .transact(move |db| {
            if let Err(error) = entitled(db, &id, &hash, now)? {
                return Ok(Err(error));
            }
            store::client::set_status(db, &id, ClientStatus::Closed)?;
            let detail = json!({ "from": ClientStatus::Live.name(), "by": "client" });
            store::trail::append(db, &Event::new(Kind::ClientClosed, now).by(&id).with(detail), &event)?;
            Ok(Ok(()))
        })
        .await
}
