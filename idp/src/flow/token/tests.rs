//! The client as it is now decides, not as this process last read it; on a fresh SQLite file each.

use serde_json::json;

use super::*;
use crate::clock::FixedClock;
use crate::config::Config;
use crate::domain::secret::Minted;
use crate::domain::{Client, Id, Moment};
use crate::idp::Surroundings;
use crate::random::SystemRandom;

const OWN: &str = "a-secret-long-enough";
const OTHER: &str = "another-secret-as-long";

struct Bench {
    idp: Arc<Idp>,
    client: Arc<Client>,
    _directory: tempfile::TempDir,
}

fn id() -> Id<Client> {
    Id::new("robot")
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new("https://id.gov.vn", directory.path().join("keys"));
    config.database.url = format!("sqlite:{}", directory.path().join("idp.db").display());
    let clock = Arc::new(FixedClock::at(Moment::from_unix(1_800_000_000)));
    let idp = Idp::open_with(config, Surroundings { clock, random: Arc::new(SystemRandom) }).await.unwrap();
    let file = json!({"client_id": "robot", "grant_types": ["client_credentials"], "scope": "registry.read",
        "token_endpoint_auth_method": "client_secret_post", "client_secret": OWN});
    crate::flow::client::put(&file.to_string(), &idp).await.unwrap();
    let client = idp.store.read(|db| store::client::find(db, &id())).await.unwrap().unwrap().client;
    Bench { idp, client, _directory: directory }
}

impl Bench {
    /// `None`: a token. Else the error.
    async fn asks(&self, secret: &str) -> Option<&'static str> {
        assert!(self.idp.store.last_read(&id()).is_some(), "remembered all the while");
        let text = format!("grant_type=client_credentials&client_id=robot&client_secret={secret}&scope=registry.read");
        let verdict = answer(&Params::parse(&text).unwrap(), &Call::default(), &self.idp).await.unwrap();
        verdict.err().map(|error| error.code.as_str())
    }

    async fn put(&self, client: &Client, secret: &str) {
        let (client, secret) = (client.clone(), Minted::from_text(secret.to_owned()).stored());
        let at = self.idp.clock.now();
        self.idp.store.transact(move |db| store::client::put(db, &client, Some(&secret), at)).await.unwrap();
    }

    async fn set(&self, status: ClientStatus) {
        assert!(self.idp.store.transact(move |db| store::client::set_status(db, &id(), status)).await.unwrap());
    }

    async fn remembered(&self) -> i64 {
        self.idp.store.read(store::trail::count).await.unwrap()
    }
}

#[tokio::test]
async fn a_secret_counts_as_it_is_now() {
    let bench = bench().await;
    assert_eq!(bench.asks(OWN).await, None, "control");
    assert_eq!(bench.asks(OTHER).await, Some("invalid_client"));
    let before = bench.remembered().await;
    for (now, former) in [(OTHER, OWN), (OWN, OTHER)] {
        bench.put(&bench.client, now).await;
        assert_eq!(bench.asks(former).await, Some("invalid_client"), "the first to come after the change");
        assert_eq!(bench.asks(now).await, None);
        bench.put(&bench.client, former).await;
        assert_eq!(bench.asks(former).await, None, "the first to come after the change");
    }
    assert_eq!(bench.remembered().await, before + 4, "one event for each token, and a stranger is nobody's");
}

#[tokio::test]
async fn a_client_that_is_stopped_gets_nothing_and_one_that_is_resumed_all() {
    let bench = bench().await;
    assert_eq!(bench.asks(OWN).await, None, "control");
    bench.set(ClientStatus::Suspended).await;
    let before = bench.remembered().await;
    assert_eq!(bench.asks(OWN).await, Some("invalid_client"));
    assert_eq!(bench.asks(OWN).await, Some("invalid_client"));
    bench.set(ClientStatus::Live).await;
    assert_eq!(bench.asks(OWN).await, None);
    assert_eq!(bench.remembered().await, before + 1);
}

#[tokio::test]
async fn what_a_client_may_ask_for_is_what_it_may_now() {
    let bench = bench().await;
    assert_eq!(bench.asks(OWN).await, None, "control");
    let mut narrower = (*bench.client).clone();
    narrower.scope = vec!["registry.list".to_owned()];
    bench.put(&narrower, OWN).await;
    let before = bench.remembered().await;
    assert_eq!(bench.asks(OWN).await, Some("invalid_scope"));
    assert_eq!(bench.remembered().await, before + 1, "a refusal is recorded once");
    bench.put(&bench.client, OWN).await;
    assert_eq!(bench.asks(OWN).await, None);
}
