//! Settings of the registers: the population database and the ministries' registers. Without `url` there is none, and
//! registrations wait.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Invalid, write};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// The population database.
    pub url: Option<String>,
    /// A file with the bearer token it wants.
    pub token_file: Option<PathBuf>,
    /// Driving licences and vehicles.
    pub traffic_url: Option<String>,
    pub traffic_token_file: Option<PathBuf>,
    /// Health and social insurance.
    pub insurance_url: Option<String>,
    pub insurance_token_file: Option<PathBuf>,
    /// Tax codes.
    pub tax_url: Option<String>,
    pub tax_token_file: Option<PathBuf>,
    /// How long one question may take.
    pub timeout_milliseconds: u64,
    /// How often a question that failed is asked again, each time after a longer pause.
    pub retries: u32,
    /// Failures in a row after which a register is left alone, and for how long.
    pub failures_to_open: u32,
    pub open_seconds: i64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            url: None,
            token_file: None,
            traffic_url: None,
            traffic_token_file: None,
            insurance_url: None,
            insurance_token_file: None,
            tax_url: None,
            tax_token_file: None,
            timeout_milliseconds: 3_000,
            retries: 2,
            failures_to_open: 5,
            open_seconds: 30,
        }
    }
}

impl RegistryConfig {
    fn addresses(&self) -> [(&'static str, Option<&String>, bool); 4] {
        [
            ("url", self.url.as_ref(), self.token_file.is_some()),
            ("traffic_url", self.traffic_url.as_ref(), self.traffic_token_file.is_some()),
            ("insurance_url", self.insurance_url.as_ref(), self.insurance_token_file.is_some()),
            ("tax_url", self.tax_url.as_ref(), self.tax_token_file.is_some()),
        ]
    }

    pub(super) fn check(&self, http_loopback: bool) -> Result<(), Invalid> {
        for (name, address, has_token) in self.addresses() {
            let key = format!("registry.{name}");
            match address {
                None if has_token => return Err(Invalid::new(key, "is required beside its token")),
                None => {}
                Some(address) if may_be_asked(address, http_loopback) => {}
                Some(_) => return Err(Invalid::new(key, "must be an https URL without user, query and fragment")),
            }
        }
        for (name, holds) in [
            ("timeout_milliseconds", (1..=10_000).contains(&self.timeout_milliseconds)),
            ("retries", self.retries <= 5),
            ("failures_to_open", self.failures_to_open >= 1),
            ("open_seconds", (1..=3_600).contains(&self.open_seconds)),
        ] {
            if !holds {
                return Err(Invalid::new(format!("registry.{name}"), "is out of bounds"));
            }
        }
        Ok(())
    }

    /// Every optional key present.
    pub(super) fn template() -> Self {
        let (url, file) = (Some(String::new()), Some(PathBuf::new()));
        Self {
            url: url.clone(),
            token_file: file.clone(),
            traffic_url: url.clone(),
            traffic_token_file: file.clone(),
            insurance_url: url.clone(),
            insurance_token_file: file.clone(),
            tax_url: url,
            tax_token_file: file,
            ..Self::default()
        }
    }

    pub(super) fn hidden(&self) -> Self {
        let hide = |url: &Option<String>| url.as_deref().map(write::hide);
        Self {
            url: hide(&self.url),
            traffic_url: hide(&self.traffic_url),
            insurance_url: hide(&self.insurance_url),
            tax_url: hide(&self.tax_url),
            ..self.clone()
        }
    }
}

/// Personal data go there and come back: nothing may listen.
fn may_be_asked(address: &str, http_loopback: bool) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback && http_loopback);
    scheme && url.has_host() && url.username().is_empty() && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_nobody_listens() {
        for (address, loopback, fits) in [
            ("https://csdl.example.vn/registry", false, true),
            ("http://localhost:8087", true, true),
            ("http://localhost:8087", false, false),
            ("http://csdl.example.vn", true, false),
            ("https://u:p@csdl.example.vn", false, false),
            ("https://csdl.example.vn?x=1", false, false),
            ("csdl", true, false),
        ] {
            let config = RegistryConfig { url: Some(address.to_owned()), ..RegistryConfig::default() };
            assert_eq!(config.check(loopback).is_ok(), fits, "{address}");
        }
        let alone = RegistryConfig { tax_token_file: Some(PathBuf::from("t")), ..RegistryConfig::default() };
        assert_eq!(alone.check(true).unwrap_err().key, "registry.tax_url");
        assert!(RegistryConfig::default().check(false).is_ok());
        assert!(RegistryConfig { retries: 6, ..RegistryConfig::default() }.check(false).is_err());
    }
}
