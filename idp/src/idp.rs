//! Idp: everything a flow needs, opened once and passed down. There is no global.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::{Clock, SystemClock, Ticks};
use crate::config::Config;
use crate::domain::secret::{Class, Minted};
use crate::domain::{Acr, AuthenticationLevel, Fault, Id};
use crate::ephemeral::{self, Ephemeral};
use crate::factor::passkey::Passkeys;
use crate::factor::password::{Hasher, threads_for};
use crate::fetch::Fetch;
use crate::flow::back_channel::Desk;
use crate::flow::client_keys::ClientKeys;
use crate::flow::facts::Limits;
use crate::flow::inbox::{StoredInbox, open_notice};
use crate::flow::logo::Logos;
use crate::flow::quota::Open;
use crate::flow::tls::Tls;
use crate::flow::trace::Queue;
use crate::flow::upstreams::Upstreams;
use crate::keys::{Ring, Vault};
use crate::notice::Notice;
use crate::protocol::discovery::{self, Certificates, Published};
use crate::random::{Random, SystemRandom};
use crate::registry::Registry;
use crate::store::{self, Store};
use crate::telemetry::Metrics;

pub struct Idp {
    pub config: Config,
    pub store: Store,
    pub ephemeral: Arc<dyn Ephemeral>,
    /// Counters of this process alone, for when the shared ones cannot be reached.
    pub fallback: Arc<dyn Ephemeral>,
    pub vault: Arc<Vault>,
    pub ring: Ring,
    pub hasher: Hasher,
    /// `None` where the issuer has no name a passkey could be for.
    pub passkeys: Option<Passkeys>,
    pub notice: Arc<dyn Notice>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub metrics: Metrics,
    pub fetch: Fetch,
    /// The state's registers; nothing on the way of a sign-in asks them.
    pub registry: Registry,
    pub logos: Logos,
    /// Where back-channel notices are handed out.
    pub desk: Arc<Desk>,
    pub client_keys: ClientKeys,
    /// Refusals that wait to be written for the teams of their clients.
    pub refusals: Queue,
    pub tls: Tls,
    /// What is begun and not finished.
    pub open: Open,
    pub upstreams: Upstreams,
    /// The discovery document, rendered once.
    pub metadata: String,
    stopping: AtomicBool,
    ticks: Arc<Ticks>,
}

/// The surroundings a test replaces.
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

impl Idp {
    /// Opens everything a configuration names. The first start makes the keys.
    pub async fn open(config: Config) -> Result<Arc<Idp>, Fault> {
        Self::open_with(config, Surroundings::default()).await
    }

    pub async fn open_with(config: Config, surroundings: Surroundings) -> Result<Arc<Idp>, Fault> {
        let Surroundings { clock, random } = surroundings;
        let store = Store::open(&settings(&config))?;
        let vault = Arc::new(Vault::at(&config.keys.directory, &*random)?);
        same_keys(&store, &vault, &config).await?;
        let ring = open_ring(&store, &vault, &*clock).await?;
        let fetch = Fetch::new(&config.fetch, config.danger_http_loopback)?;
        let ticks = Arc::new(Ticks::default());
        let inbox = StoredInbox {
            store: store.clone(),
            vault: Arc::clone(&vault),
            random: Arc::clone(&random),
            clock: Arc::clone(&clock),
            ticks: Arc::clone(&ticks),
        };
        let notice = open_notice(&config, inbox, &fetch)?;
        let idp = Idp {
            ephemeral: ephemeral::open(&config.ephemeral.url)?,
            fallback: ephemeral::open("memory:")?,
            hasher: Hasher::new(password_threads(&config), vault.pepper(), Arc::clone(&random))?,
            passkeys: Passkeys::of(&config.issuer),
            metrics: Metrics::new()?,
            logos: Logos::default(),
            desk: Arc::default(),
            client_keys: ClientKeys::default(),
            refusals: Queue::default(),
            tls: Tls::open(&config)?,
            registry: crate::flow::registry::open(&config, &fetch)?,
            open: Open::default(),
            upstreams: Upstreams::open(&config, &fetch)?,
            fetch,
            metadata: metadata(&config),
            stopping: AtomicBool::new(false),
            ticks,
            notice,
            config,
            store,
            vault,
            ring,
            clock,
            random,
        };
        Ok(Arc::new(idp))
    }

    pub fn session_limits(&self) -> Limits {
        let lifetimes = &self.config.lifetimes;
        Limits { one: lifetimes.session(AuthenticationLevel::One), two: lifetimes.session(AuthenticationLevel::Two) }
    }

    /// A fresh identifier that sorts after every one this process made before.
    pub fn id<T>(&self) -> Result<Id<T>, Fault> {
        self.random.id(self.ticks.next(&*self.clock))
    }

    /// A fresh value of a dated class: a code, a token, a pushed reference.
    pub fn mint<C: Class>(&self) -> Result<Minted<C>, Fault> {
        Ok(Minted::dated(self.random.bytes()?, self.clock.milliseconds()))
    }

    /// The same for what is a key to nothing: the `jti` of a token that proves itself by its signature.
    pub fn mint_name<C: Class>(&self) -> Result<Minted<C>, Fault> {
        Ok(Minted::dated(self.random.public_bytes()?, self.clock.milliseconds()))
    }

    /// From now on readiness says no, while requests under way finish.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Takes the figures that are read rather than counted.
    pub fn observe(&self) {
        let queue = self.hasher.queue();
        self.metrics.password_queue(queue.waiting, queue.running);
        let pool = self.store.gauge();
        for (state, connections) in
            [("in_use", pool.in_use), ("idle", pool.idle), ("size", pool.size), ("queued", pool.queued)]
        {
            self.metrics.pool(state, connections);
        }
        for source in self.registry.sources() {
            let (answered, failed) = source.figures();
            let open = source.is_open(self.clock.now());
            self.metrics.register(source.name(), [answered, failed, open.into()]);
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

fn settings(config: &Config) -> store::Settings {
    let migrate = match config.database.migrate() {
        crate::config::Migrate::Auto => store::Migrate::Auto,
        crate::config::Migrate::Check => store::Migrate::Check,
    };
    store::Settings { url: config.database.url.clone(), migrate, pool: config.database.pool }
}

/// Another master key, or another issuer, on the same database would make every sealed value unreadable or every
/// token a lie: the start is refused (`security.md` ST-08, F-38).
async fn same_keys(store: &Store, vault: &Vault, config: &Config) -> Result<(), Fault> {
    let mine = [("keys_fingerprint", vault.fingerprint()), ("issuer", config.issuer.clone())];
    store
        .transact(move |db| {
            for (name, value) in mine {
                if store::meta::put_if_absent(db, name, &value)? != value {
                    return Err(Fault::unavailable("idp", format!("the database was made with another {name}")));
                }
            }
            Ok(())
        })
        .await
}

async fn open_ring(store: &Store, vault: &Arc<Vault>, clock: &dyn Clock) -> Result<Ring, Fault> {
    let now = clock.now();
    let ring = Ring::load(vault, &store.read(store::key::list).await?)?;
    if ring.missing(now).is_empty() {
        return Ok(ring);
    }
    let sealing = Arc::clone(vault);
    let stored = store
        .transact(move |db| {
            // Asked again inside the transaction: two nodes may start at once.
            let stored = store::key::list(db)?;
            for alg in Ring::load(&sealing, &stored)?.missing(now) {
                store::key::put(db, &Ring::mint(&sealing, alg, now, now)?)?;
            }
            store::key::list(db)
        })
        .await?;
    ring.refresh(vault, &stored)?;
    Ok(ring)
}

fn password_threads(config: &Config) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    config.web.password_threads.unwrap_or_else(|| threads_for(cores))
}

fn metadata(config: &Config) -> String {
    let published = Published {
        issuer: &config.issuer,
        certificates: config
            .mtls
            .alias()
            .map(|alias| Certificates { alias, has_authority: config.mtls.client_ca.is_some() }),
        acr: &Acr::ALL,
        service_documentation: None,
        op_policy_uri: None,
        op_tos_uri: None,
    };
    discovery::metadata(&published).to_string()
}
