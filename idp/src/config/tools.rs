//! Settings of the small tools: where the keys are, how a text message leaves, what a fetch may trust.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Invalid;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// Holds the master, blind-index and pepper keys. Made when absent.
    pub directory: PathBuf,
}

impl KeysConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.directory.as_os_str().is_empty() {
            return Err(Invalid::new("keys.directory", "is required"));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsKind {
    /// Into the sealed inbox only; nothing is sent.
    #[default]
    Sandbox,
    /// To the operator's gateway at `sms.url`.
    Http,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsConfig {
    pub kind: SmsKind,
    pub url: Option<String>,
    /// A file with the bearer token the gateway wants.
    pub token_file: Option<PathBuf>,
}

impl SmsConfig {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        match (self.kind, self.url.as_deref().map(Url::parse)) {
            (SmsKind::Sandbox, None) => Ok(()),
            (SmsKind::Sandbox, Some(_)) => Err(Invalid::new("sms.url", "only beside sms.kind = \"http\"")),
            (SmsKind::Http, Some(Ok(url))) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
            (SmsKind::Http, Some(_)) => Err(Invalid::new("sms.url", "is not an http or https URL")),
            (SmsKind::Http, None) => Err(Invalid::new("sms.url", "is required beside sms.kind = \"http\"")),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// A PEM file with certificate authorities trusted beside the system's.
    pub extra_ca: Option<PathBuf>,
}
