//! Logos of clients, re-served from our own origin: a page of ours never makes the citizen's browser call a portal,
//! and what a portal serves later cannot become part of our page unnoticed for longer than an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::domain::relying_party::{Client, ClientStatus};
use crate::domain::{Fault, Id, Moment, Span};
use crate::idp::Idp;
use crate::store;

const KEPT: Span = Span::hours(1);
/// A portal that does not answer is asked again after this long.
const ASKED_AGAIN: Span = Span::minutes(1);
/// Content types a page may show as a picture.
const PICTURES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"];

#[derive(Debug)]
pub struct Logo {
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

/// Logos fetched so far, one entry a client.
#[derive(Default)]
pub struct Logos(Mutex<HashMap<Id<Client>, Kept>>);

#[derive(Clone)]
struct Kept {
    uri: String,
    until: Moment,
    logo: Option<Arc<Logo>>,
}

/// The path a page shows a client's logo from.
pub fn path(client: &Client) -> Option<String> {
    client.logo_uri.as_ref().map(|_| format!("/logo/{}", client.id))
}

/// The logo of a live client that registered one and whose server gives a picture.
pub async fn logo(id: Id<Client>, idp: &Arc<Idp>) -> Result<Option<Arc<Logo>>, Fault> {
    let wanted = id.clone();
    let found = idp.store.read(move |db| store::client::find(db, &wanted)).await?;
    let client = found.filter(|found| found.status == ClientStatus::Live).map(|found| found.client);
    let Some(uri) = client.and_then(|client| client.logo_uri.clone()) else { return Ok(None) };
    let now = idp.clock.now();
    if let Some(kept) = idp.logos.find(&id, &uri, now)? {
        return Ok(kept.logo);
    }
    // Noted before the fetch, so that a slow portal is asked once and not by every visitor at once.
    idp.logos.keep(id.clone(), Kept { uri: uri.clone(), until: now + ASKED_AGAIN, logo: None })?;
    let logo = match idp.fetch.get(&uri).await {
        Ok(fetched) => {
            let essence = fetched.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let picture = PICTURES.into_iter().find(|picture| *picture == essence);
            picture.map(|content_type| Arc::new(Logo { content_type, body: fetched.body }))
        }
        Err(fault) => {
            tracing::warn!(client.id = %id, %fault, "logo.not_fetched");
            None
        }
    };
    let until = now + if logo.is_some() { KEPT } else { ASKED_AGAIN };
    idp.logos.keep(id, Kept { uri, until, logo: logo.clone() })?;
    Ok(logo)
}

impl Logos {
    fn find(&self, id: &Id<Client>, uri: &str, now: Moment) -> Result<Option<Kept>, Fault> {
        let held = self.0.lock().map_err(|_| Fault::broken("flow", "poisoned"))?;
        Ok(held.get(id).filter(|kept| kept.uri == uri && now < kept.until).cloned())
    }

    fn keep(&self, id: Id<Client>, kept: Kept) -> Result<(), Fault> {
        self.0.lock().map_err(|_| Fault::broken("flow", "poisoned"))?.insert(id, kept);
        Ok(())
    }
}
