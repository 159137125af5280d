//! Resources (RFC 8707) as the store knows them at this moment: who answers for one, and whether that server still may.

use std::sync::Arc;

use crate::domain::Fault;
use crate::domain::consent::Bilingual;
use crate::domain::relying_party::Client;
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::resource::{self, Form, Target};
use crate::store::{self, Db};

/// Whether the client may name these in an authorization request.
pub async fn admit(named: &[String], client: &Arc<Client>, idp: &Arc<Idp>) -> Result<Result<(), Error>, Fault> {
    if named.is_empty() {
        return Ok(Ok(()));
    }
    let (named, client, this) = (named.to_vec(), Arc::clone(client), Arc::clone(idp));
    idp.store.read(move |db| Ok(forms(db, &named, &client, &this)?.map(|_| ()))).await
}

/// A server the client asks for access to, as a holder may know it.
#[derive(Clone, Debug)]
pub struct Server {
    pub name: Bilingual,
    pub resource: String,
}

/// Who answers for what a request names; our own userinfo needs no telling.
pub fn servers(db: &mut Db, named: &[String], idp: &Idp) -> Result<Vec<Server>, Fault> {
    let mut servers = Vec::with_capacity(named.len());
    for resource in named.iter().filter(|resource| **resource != idp.config.issuer) {
        if let Some(registered) = store::resource::server(db, resource)? {
            servers.push(Server { name: registered.client.client_name.clone(), resource: resource.clone() });
        }
    }
    Ok(servers)
}

/// What a token is for, of what was granted. Asked anew for every token: a server that is gone, or a resource the client may
/// no longer name, yields none (`security.md` RF-11).
pub fn target(
    db: &mut Db,
    granted: &[String],
    asked: &[String],
    client: &Client,
    idp: &Idp,
) -> Result<Result<Target, Error>, Fault> {
    let audience = match resource::within(granted, asked.to_vec()) {
        Ok(audience) => audience,
        Err(error) => return Ok(Err(error)),
    };
    let forms = forms(db, &audience, client, idp)?;
    Ok(forms.and_then(|forms| Ok(Target { form: resource::common(&forms)?, audience })))
}

fn forms(db: &mut Db, named: &[String], client: &Client, idp: &Idp) -> Result<Result<Vec<Form>, Error>, Fault> {
    if let Err(error) = resource::permitted(named, client, &idp.config.issuer) {
        return Ok(Err(error));
    }
    let mut forms = Vec::with_capacity(named.len());
    for name in named {
        match form(db, name, idp)? {
            Ok(form) => forms.push(form),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(forms))
}

fn form(db: &mut Db, name: &str, idp: &Idp) -> Result<Result<Form, Error>, Fault> {
    if name == idp.config.issuer {
        return Ok(Ok(Form::Opaque));
    }
    Ok(resource::form(name, store::resource::server(db, name)?.as_ref()))
}

/// The part of an audience that somebody still answers for. `None`: nobody does, and the token is worth nothing.
pub fn standing(db: &mut Db, audience: &[String], idp: &Idp) -> Result<Option<Vec<String>>, Fault> {
    let mut standing = Vec::with_capacity(audience.len());
    for name in audience {
        if form(db, name, idp)?.is_ok() {
            standing.push(name.clone());
        }
    }
    Ok((audience.is_empty() || !standing.is_empty()).then_some(standing))
}
