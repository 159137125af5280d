//! The doors: listeners, proxies before them, and the console beside them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::Invalid;

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Health and metrics: never the public listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperationsConfig {
    pub listen: SocketAddr,
}

impl Default for OperationsConfig {
    fn default() -> Self {
        Self { listen: loopback(9080) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Request threads. Absent: one for each core.
    pub workers: Option<usize>,
    /// Threads that do nothing but hash passwords. Absent: one less than the cores, at least one.
    pub password_threads: Option<usize>,
    /// Only these may state a caller's address in `X-Forwarded-For`.
    pub trusted_proxies: Vec<Network>,
    /// The header in which a trusted proxy says where a caller is: `VN` or `VN;H%C3%A0%20N%E1%BB%99i`. Absent: nobody knows.
    pub geo_header: Option<String>,
    /// How long requests in progress may take to finish when the program is asked to stop.
    pub shutdown_seconds: u64,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            workers: None,
            password_threads: None,
            trusted_proxies: Vec::new(),
            geo_header: None,
            shutdown_seconds: 20,
        }
    }
}

impl WebConfig {
    pub fn trusts(&self, proxy: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(proxy))
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        for (key, threads) in [("web.workers", self.workers), ("web.password_threads", self.password_threads)] {
            if threads == Some(0) {
                return Err(Invalid::new(key, "must be at least 1"));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    pub listen: SocketAddr,
    pub operations_listen: SocketAddr,
    /// The console is a relying party of the provider.
    pub client_id: String,
    pub client_secret_file: Option<PathBuf>,
    /// Ids of the accounts that may enter the console, as `admin account show` prints them. Nobody by default.
    pub operators: Vec<String>,
    /// Ids of the accounts that may act at the officer's desk: register level 2, lock, unlock, decide. Nobody by default.
    pub officers: Vec<String>,
    /// Where browsers find the console. Absent: `http://localhost` with the port it listens on.
    pub public_url: Option<String>,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            listen: loopback(8081),
            operations_listen: loopback(9081),
            client_id: "console".to_owned(),
            client_secret_file: None,
            operators: Vec::new(),
            officers: Vec::new(),
            public_url: None,
        }
    }
}

impl AdminConfig {
    /// Without a trailing slash.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://localhost:{}", self.listen.port()))
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let Some(text) = &self.public_url else { return Ok(()) };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() && !text.ends_with('/') => Ok(()),
            _ => Err(Invalid::new("admin.public_url", "must be an http or https URL without a trailing slash")),
        }
    }
}

/// A range of addresses in CIDR notation; a bare address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        // An IPv4 caller on a dual-stack socket arrives as ::ffff:a.b.c.d.
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = u32::from(network) ^ u32::from(address);
                differing.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = u128::from(network) ^ u128::from(address);
                differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "is not an IP address or CIDR range")?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= widest).ok_or("has a bad prefix length")?,
            None => widest,
        };
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|reason| serde::de::Error::custom(format!("{text:?} {reason}")))
    }
}
