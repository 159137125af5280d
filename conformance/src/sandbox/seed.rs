//! Seed: brings the holders and the clients into a store that lacks them. What is there already is left as it is, so
//! that whatever a person tried - a lock, a changed registration - survives a restart.

use idp::domain::relying_party::Registered;
use idp::domain::secret::Stored;
use idp::domain::{Client, Id, PersonNumber};
use idp::flow::operator::Verdict;
use idp::flow::{account, client, sealed};
use idp::idp::Idp;
use idp::store;
use serde_json::Value;

use super::people::{self, OPERATORS};
use super::ports::{Ports, origin};

/// Seeds what is missing.
pub async fn seed(registrations: &[Value], ports: Ports, idp: &Idp) -> Result<(), String> {
    for registration in registrations {
        register(registration, idp).await?;
    }
    let mut missing = String::new();
    for (number, line) in people::lines(&origin(ports.national())) {
        if account_id(number, idp).await?.is_none() {
            missing.push_str(&line);
            missing.push('\n');
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    match account::import(&missing, idp).await {
        Ok(Verdict::Done(_)) => Ok(()),
        Ok(Verdict::Refused(reason)) => Err(format!("the seeded holders are refused: {reason}")),
        Err(fault) => Err(fault.to_string()),
    }
}

async fn register(registration: &Value, idp: &Idp) -> Result<(), String> {
    let text = |name: &str| registration.get(name).and_then(Value::as_str).unwrap_or_default();
    let id: Id<Client> = Id::new(text("client_id"));
    let wanted = id.clone();
    let known = idp.store.read(move |db| store::client::find(db, &wanted)).await.map_err(|fault| fault.to_string())?;
    if known.is_some_and(|known| still_fits(&known, registration)) {
        return Ok(());
    }
    match client::put(&registration.to_string(), idp).await {
        Ok(Verdict::Done(_)) => Ok(()),
        Ok(Verdict::Refused(reason)) => {
            // A client someone closed for good stays closed; the rest of the sandbox is still worth starting.
            eprintln!("sandbox: client {:?} is not registered: {reason}", text("client_id"));
            Ok(())
        }
        Err(fault) => Err(fault.to_string()),
    }
}

/// Whether a registered client still serves our part at its ports with its secret, whatever else was changed in it.
fn still_fits(known: &Registered, registration: &Value) -> bool {
    let secret = registration.get("client_secret").and_then(Value::as_str).map(Stored::of);
    let redirects = registration.get("redirect_uris").and_then(Value::as_array);
    known.secret == secret
        && redirects
            .into_iter()
            .flatten()
            .all(|uri| uri.as_str().is_some_and(|uri| known.client.redirect_uris.iter().any(|known| known == uri)))
}

/// The accounts that may enter the console.
pub async fn operators(idp: &Idp) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for number in OPERATORS {
        found.extend(account_id(number, idp).await?);
    }
    Ok(found)
}

async fn account_id(number: &str, idp: &Idp) -> Result<Option<String>, String> {
    let Some(number) = PersonNumber::parse(number) else { return Ok(None) };
    let index = sealed::person_index(&number, &idp.vault);
    let found = idp.store.read(move |db| store::account::find_by_person(db, &index)).await;
    Ok(found.map_err(|fault| fault.to_string())?.map(|account| account.id.as_str().to_owned()))
}
