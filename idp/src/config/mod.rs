//! Config: one TOML file, each key overridable from the environment, parsed into typed values or refused at start
//! with the key's name (`contract.md` 3).
//!
//! Owns: every setting, its default and its bounds. An absent key is safe; weaker-than-default keys begin with
//! `danger_`. Must not know: who uses a setting, or what any other room does.

mod dpop;
mod ephemeral;
mod factors;
mod issuer;
mod lifetimes;
mod limits;
mod read;
mod recovery;
mod registry;
mod store;
mod telemetry;
mod tls;
mod tools;
mod upstream;
mod web;
mod write;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use dpop::DpopConfig;
pub use ephemeral::EphemeralConfig;
pub use factors::{FactorsConfig, SyncedPasskeys};
pub use lifetimes::Lifetimes;
pub use limits::Limits;
pub use recovery::RecoveryConfig;
pub use registry::RegistryConfig;
pub use store::{DatabaseConfig, Migrate};
pub use telemetry::{LogFormat, TelemetryConfig};
pub use tls::{MtlsConfig, TlsConfig};
pub use tools::{FetchConfig, KeysConfig, SmsConfig, SmsKind};
pub use upstream::{UpstreamConfig, UpstreamKind, UpstreamProvider};
pub use web::{AdminConfig, Network, OperationsConfig, WebConfig};

/// The file read when none is named.
pub const DEFAULT_FILE: &str = "idp.toml";

/// A setting that stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The dotted key, or the environment variable it came from.
    pub key: String,
    pub reason: String,
}

impl Invalid {
    pub fn new(key: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { key: key.into(), reason: reason.to_string() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

impl std::error::Error for Invalid {}

/// Everything that can be set. `default()` lacks `issuer` and `keys.directory`, so it does not pass `check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who we are to every client, for ever.
    pub issuer: String,
    pub listen: SocketAddr,
    /// Lets registered addresses be http on loopback. Only beside an http loopback issuer.
    pub danger_http_loopback: bool,
    pub operations: OperationsConfig,
    pub database: DatabaseConfig,
    pub ephemeral: EphemeralConfig,
    pub keys: KeysConfig,
    pub sms: SmsConfig,
    pub fetch: FetchConfig,
    pub web: WebConfig,
    pub dpop: DpopConfig,
    pub factors: FactorsConfig,
    pub tls: TlsConfig,
    pub mtls: MtlsConfig,
    pub admin: AdminConfig,
    pub registry: RegistryConfig,
    pub lifetimes: Lifetimes,
    pub recovery: RecoveryConfig,
    pub limits: Limits,
    pub telemetry: TelemetryConfig,
    pub upstream: UpstreamConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            listen: web::loopback(8080),
            danger_http_loopback: false,
            operations: OperationsConfig::default(),
            database: DatabaseConfig::default(),
            ephemeral: EphemeralConfig::default(),
            keys: KeysConfig::default(),
            sms: SmsConfig::default(),
            fetch: FetchConfig::default(),
            web: WebConfig::default(),
            dpop: DpopConfig::default(),
            factors: FactorsConfig::default(),
            tls: TlsConfig::default(),
            mtls: MtlsConfig::default(),
            admin: AdminConfig::default(),
            registry: RegistryConfig::default(),
            lifetimes: Lifetimes::default(),
            recovery: RecoveryConfig::default(),
            limits: Limits::default(),
            telemetry: TelemetryConfig::default(),
            upstream: UpstreamConfig::default(),
        }
    }
}

impl Config {
    /// Defaults around the two settings that have none.
    pub fn new(issuer: impl Into<String>, keys_directory: impl Into<PathBuf>) -> Self {
        Self { issuer: issuer.into(), keys: KeysConfig { directory: keys_directory.into() }, ..Self::default() }
    }

    /// Reads the file, lets the environment override it, and checks the result. A named file must exist; without
    /// a name `./idp.toml` is read if it is there.
    pub fn load(path: Option<&Path>) -> Result<Config, Invalid> {
        let (path, named) = match path {
            Some(path) => (path, true),
            None => (Path::new(DEFAULT_FILE), false),
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Invalid::new(path.display().to_string(), error)),
        };
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::read(&text, environment)
    }

    /// `load` without the machine: the file's text and the environment are arguments.
    pub fn read(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, Invalid> {
        let config = read::merged(text, environment)?;
        config.check()?;
        Ok(config)
    }

    /// Every bound that a type alone does not hold.
    pub fn check(&self) -> Result<(), Invalid> {
        issuer::check(&self.issuer).map_err(|reason| Invalid::new("issuer", reason))?;
        if self.danger_http_loopback && !self.has_loopback_issuer() {
            return Err(Invalid::new("danger_http_loopback", "only beside an http loopback issuer"));
        }
        self.database.check()?;
        self.ephemeral.check()?;
        self.keys.check()?;
        self.sms.check()?;
        self.web.check()?;
        self.tls.check(&self.issuer, &self.mtls)?;
        self.mtls.check(&self.tls)?;
        self.admin.check()?;
        self.registry.check(self.danger_http_loopback)?;
        self.lifetimes.check()?;
        self.recovery.check()?;
        self.upstream.check(&self.issuer, self.danger_http_loopback)?;
        self.limits.check()
    }

    /// Whether the issuer is a developer's machine: http on loopback.
    pub fn has_loopback_issuer(&self) -> bool {
        self.issuer.starts_with("http://")
    }

    /// The issuer's host, as an SMS names it. The port is left out.
    pub fn issuer_host(&self) -> &str {
        let rest = self.issuer.split_once("://").map_or(self.issuer.as_str(), |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        }
    }

    /// The file that would give exactly this configuration.
    pub fn to_toml(&self) -> String {
        write::toml(self)
    }

    /// `to_toml` for people: secrets hidden.
    pub fn effective(&self) -> String {
        write::toml(&Config {
            database: DatabaseConfig { url: write::hide(&self.database.url), ..self.database.clone() },
            ephemeral: EphemeralConfig { url: write::hide(&self.ephemeral.url) },
            sms: SmsConfig { url: self.sms.url.as_deref().map(write::hide), ..self.sms.clone() },
            registry: self.registry.hidden(),
            ..self.clone()
        })
    }

    /// A configuration with every optional key present: what `read` knows the keys and their types by.
    fn template() -> Self {
        Self {
            database: DatabaseConfig { migrate: Some(Migrate::Auto), ..DatabaseConfig::default() },
            sms: SmsConfig { url: Some(String::new()), token_file: Some(PathBuf::new()), ..SmsConfig::default() },
            fetch: FetchConfig { extra_ca: Some(PathBuf::new()) },
            web: WebConfig {
                workers: Some(1),
                password_threads: Some(1),
                geo_header: Some(String::new()),
                ..WebConfig::default()
            },
            admin: AdminConfig {
                client_secret_file: Some(PathBuf::new()),
                public_url: Some(String::new()),
                ..AdminConfig::default()
            },
            registry: RegistryConfig::template(),
            tls: TlsConfig { certificate: Some(PathBuf::new()), key: Some(PathBuf::new()) },
            mtls: MtlsConfig {
                listen: Some(web::loopback(0)),
                issuer_alias: Some(String::new()),
                client_ca: Some(PathBuf::new()),
                client_crl: Some(PathBuf::new()),
                ..MtlsConfig::default()
            },
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
