//! The public keys of a client: those it registered, or those at its `jwks_uri` as they are now.
//!
//! A fetched set is asked for again after two minutes and never used after five, so that a key a client took out of
//! its set soon signs nothing (`security.md` CA-11). A set that lacks the key a signature names is asked for at once,
//! but for strangers' sake at most every half minute. While a portal does not answer, the last good set serves its five
//! minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::arrangement::KeyAlg;
use crate::domain::relying_party::SigningAlg;
use crate::domain::{Client, Fault, Id, Moment, Span};
use crate::idp::Idp;
use crate::keys::client::{self, VerifiedJwt};
use crate::keys::encrypt;

const LONGEST_USED: Span = Span::minutes(5);
const RENEWED_AFTER: Span = Span::minutes(2);
const ASKED_AGAIN: Span = Span::seconds(30);
/// As long as a registered `kid` may be; a longer one names no key.
const LONGEST_KID: usize = 200;

/// Sets fetched so far, one entry a client.
#[derive(Default)]
pub struct ClientKeys(Mutex<HashMap<Id<Client>, Arc<Place>>>);

/// What is known of one address.
struct Place {
    uri: String,
    held: Mutex<Option<Held>>,
    /// One request at a time asks; the others wait for what it brings.
    turn: tokio::sync::Mutex<Turn>,
}

#[derive(Clone)]
struct Held {
    jwks: Arc<str>,
    as_of: Moment,
}

#[derive(Default)]
struct Turn {
    asked_at: Option<Moment>,
    /// The last time a signature made us ask.
    pressed_at: Option<Moment>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// No set young enough.
    Set,
    /// The set does not have what a signature needs.
    Key,
    /// Good for now, but due to be renewed.
    Youth,
}

/// The client's keys as the text of a JWK set (RFC 7517 §5). `kid` is the key somebody needs: when a fetched set lacks
/// it, the set is fetched again. `None` when the client has no keys, or they cannot be fetched; the log says why.
pub async fn client_keys(client: &Client, kid: Option<&str>, idp: &Arc<Idp>) -> Result<Option<Arc<str>>, Fault> {
    if let Some(jwks) = &client.jwks {
        return Ok(Some(Arc::from(jwks.as_str())));
    }
    let kid = kid.filter(|kid| (1..=LONGEST_KID).contains(&kid.len()));
    fetched(client, &|jwks| kid.is_none_or(|kid| client::may_have(jwks, kid)), idp).await
}

/// The client's keys, one of which can be encrypted to in this way. A fetched set that has none is fetched again, for it
/// may have been added since.
pub async fn to_encrypt(client: &Client, alg: KeyAlg, idp: &Arc<Idp>) -> Result<Option<Arc<str>>, Fault> {
    if let Some(jwks) = &client.jwks {
        return Ok(Some(Arc::from(jwks.as_str())));
    }
    let fits = |jwks: &str| encrypt::fits(jwks, alg).is_ok();
    Ok(fetched(client, &fits, idp).await?.filter(|jwks| fits(jwks)))
}

/// A JWT this client signed with an allowed algorithm.
pub async fn verify(
    jwt: &str,
    client: &Client,
    allowed: &[SigningAlg],
    idp: &Arc<Idp>,
) -> Result<Option<VerifiedJwt>, Fault> {
    if let Some(jwks) = &client.jwks {
        return Ok(client::verify(jwt, jwks, allowed).ok());
    }
    let Ok(kid) = client::kid(jwt, allowed) else { return Ok(None) };
    let Some(jwks) = client_keys(client, kid.as_deref(), idp).await? else { return Ok(None) };
    if let Ok(verified) = client::verify(jwt, &jwks, allowed) {
        return Ok(Some(verified));
    }
    if kid.is_some_and(|kid| client::has(&jwks, &kid)) {
        return Ok(None);
    }
    // Where names do not tell the keys apart, the signature may be of one that was added since.
    let newer = fetched(client, &|other| *other != *jwks, idp).await?;
    Ok(newer.filter(|newer| *newer != jwks).and_then(|newer| client::verify(jwt, &newer, allowed).ok()))
}

/// The set at the client's `jwks_uri`, one that `suits` if there is any.
async fn fetched(
    client: &Client,
    suits: &(dyn Fn(&str) -> bool + Sync),
    idp: &Arc<Idp>,
) -> Result<Option<Arc<str>>, Fault> {
    let Some(uri) = &client.jwks_uri else { return Ok(None) };
    let place = idp.client_keys.place(&client.id, uri);
    let now = idp.clock.now();
    let held = place.held(now);
    let Some(lack) = lack(held.as_ref(), suits, now) else { return Ok(held.map(|held| held.jwks)) };
    let mut turn = match (lack, place.turn.try_lock()) {
        (_, Ok(turn)) => turn,
        (Lack::Youth, Err(_)) => return Ok(held.map(|held| held.jwks)),
        (Lack::Set | Lack::Key, Err(_)) => place.turn.lock().await,
    };
    // Whoever had the turn before may have brought what is wanted.
    if let Some(lack) = self::lack(place.held(now).as_ref(), suits, now)
        && turn.takes(lack, now)
    {
        match ask(uri, idp).await {
            Ok(jwks) => place.keep(Held { jwks, as_of: now }),
            Err(reason) => tracing::warn!(client.id = %client.id, reason, "client_keys.not_fetched"),
        }
    }
    Ok(place.held(now).map(|held| held.jwks))
}

fn lack(held: Option<&Held>, suits: &(dyn Fn(&str) -> bool + Sync), now: Moment) -> Option<Lack> {
    match held {
        None => Some(Lack::Set),
        Some(held) if !suits(&held.jwks) => Some(Lack::Key),
        Some(held) if now.since(held.as_of) >= RENEWED_AFTER => Some(Lack::Youth),
        Some(_) => None,
    }
}

async fn ask(uri: &str, idp: &Idp) -> Result<Arc<str>, String> {
    let fetched = idp.fetch.get(uri).await.map_err(|fault| fault.to_string())?;
    let text = String::from_utf8(fetched.body).map_err(|_| "the set is not text".to_owned())?;
    client::admit(&text).or_else(|why| encrypt::admit(&text).map_err(|_| why))?;
    Ok(Arc::from(text))
}

impl ClientKeys {
    /// A client that registered another address starts anew.
    fn place(&self, id: &Id<Client>, uri: &str) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(id).filter(|place| place.uri == uri) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place { uri: uri.to_owned(), held: Mutex::default(), turn: Default::default() });
        places.insert(id.clone(), Arc::clone(&place));
        place
    }
}

impl Place {
    fn held(&self, now: Moment) -> Option<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|held| now.since(held.as_of) < LONGEST_USED).cloned()
    }

    fn keep(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }
}

impl Turn {
    /// Whether asking is due, and if so, that it happens now.
    fn takes(&mut self, lack: Lack, now: Moment) -> bool {
        let last = if lack == Lack::Key { &mut self.pressed_at } else { &mut self.asked_at };
        let due = last.is_none_or(|last| now.since(last) >= ASKED_AGAIN);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
#[path = "client_keys_tests.rs"]
mod tests;
