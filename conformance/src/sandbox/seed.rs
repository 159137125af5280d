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
    let holds = |name: &str, known: &[String]| {
        let ours = registration.get(name).and_then(Value::as_array).into_iter().flatten();
        ours.filter_map(Value::as_str).all(|ours| known.iter().any(|known| known == ours))
    };
    let client = &known.client;
    known.secret == secret
        && holds("redirect_uris", &client.redirect_uris)
        && holds("vn_resources", &client.resources.may_ask)
        && holds("vn_serves", &client.resources.serves)
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
    let Some(number) = PersonNumber::parse_any(number) else { return Ok(None) };
    let index = sealed::person_index(&number, &idp.vault);
    let found = idp.store.read(move |db| store::account::find_by_person(db, &index)).await;
    Ok(found.map_err(|fault| fault.to_string())?.map(|account| account.id.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use idp::domain::eid::{LockGround, LockOrder};
    use idp::flow::eid_lock;

    use super::super::clients::{NATIONAL, registrations};
    use super::super::setup::{Options, REGISTRY, client_secret, configuration};
    use super::*;

    const AN: &str = "099090000001";

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_tried_survives_the_next_start() {
        let place = tempfile::tempdir().unwrap();
        let ports = Ports::from_base(18_080).unwrap();
        let options = Options {
            directory: place.path().to_owned(),
            reset: false,
            database_url: None,
            redis_url: None,
            ports,
            seed_only: true,
            upstream: Default::default(),
            downstream: None,
        };
        client_secret(place.path(), REGISTRY).unwrap();
        let idp = Idp::open(configuration(&options, place.path(), Vec::new())).await.unwrap();
        let registrations = registrations(ports, |_| "s".repeat(43));
        seed(&registrations, ports, &idp).await.unwrap();
        let (id, officers) = (account_id(AN, &idp).await.unwrap(), operators(&idp).await.unwrap());
        assert!(id.is_some() && officers.len() == 2);

        let number = PersonNumber::parse(AN).unwrap();
        let order = LockOrder::official(LockGround::AuthorityAsks, "Công an phường Cầu Giấy").unwrap();
        assert!(matches!(eid_lock::lock(&number, order, &idp).await.unwrap(), Verdict::Done(_)));
        let national = Id::new(NATIONAL);
        assert!(matches!(client::suspend(&national, &idp).await.unwrap(), Verdict::Done(())));
        let version = |found: Option<Registered>| found.unwrap().version;
        let before = idp
            .store
            .read({
                let id = national.clone();
                move |db| store::client::find(db, &id)
            })
            .await
            .unwrap();

        seed(&registrations, ports, &idp).await.unwrap();
        assert_eq!(account_id(AN, &idp).await.unwrap(), id);
        assert_eq!(operators(&idp).await.unwrap(), officers);
        let wanted = Id::new(id.unwrap());
        let account = idp.store.read(move |db| store::account::find(db, &wanted)).await.unwrap().unwrap();
        assert!(account.eid.unwrap().grounds().count() == 1);
        let after = idp.store.read(move |db| store::client::find(db, &national)).await.unwrap();
        assert_eq!(after.as_ref().map(|known| known.status), before.as_ref().map(|known| known.status));
        assert_eq!(version(after), version(before));
    }
}
