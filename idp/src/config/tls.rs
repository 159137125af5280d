//! TLS in the program itself, and certificates of clients: from our own listener, or from a proxy before us.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Invalid, Network};

/// Absent: plain HTTP, for a proxy in front or a developer's machine. Beside an http issuer only the listener of mutual TLS
/// serves it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The chain in PEM, our own certificate first. Read again when it changes.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl TlsConfig {
    pub(super) fn check(&self, issuer: &str, mtls: &MtlsConfig) -> Result<(), Invalid> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(Invalid::new("tls.key", "is required beside tls.certificate")),
            (None, Some(_)) => Err(Invalid::new("tls.certificate", "is required beside tls.key")),
            (Some(_), Some(_)) if issuer.starts_with("https:") || mtls.listen.is_some() => Ok(()),
            (Some(_), Some(_)) => Err(Invalid::new("tls.certificate", "only beside an https issuer or mtls.listen")),
        }
    }
}

/// Where clients may show a certificate (RFC 8705). Absent: nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MtlsConfig {
    /// A listener of its own that asks for certificates, so that the public one never troubles a browser with it.
    pub listen: Option<SocketAddr>,
    /// How clients name that listener, or the proxy's: `https://mtls.host`, without a trailing slash.
    pub issuer_alias: Option<String>,
    /// The authorities trusted to issue certificates for clients, in PEM. Absent: only self-signed ones, by their key.
    pub client_ca: Option<PathBuf>,
    /// The lists of certificates these authorities revoked (RFC 5280 §5), in PEM, a current one of every authority of a
    /// chain: without it a certificate counts as issued by nobody. Read again when it changes. Absent: nothing is asked.
    pub client_crl: Option<PathBuf>,
    /// Only these may state the certificate of a caller in a header. Nobody by default.
    pub trusted_proxies: Vec<Network>,
    /// That header (RFC 9440). Its value is as RFC 9440 says, or PEM with percent escapes.
    pub certificate_header: String,
}

impl Default for MtlsConfig {
    fn default() -> Self {
        Self {
            listen: None,
            issuer_alias: None,
            client_ca: None,
            client_crl: None,
            trusted_proxies: Vec::new(),
            certificate_header: "client-cert".to_owned(),
        }
    }
}

impl MtlsConfig {
    /// Where certificates are asked for, when they are.
    pub fn alias(&self) -> Option<&str> {
        self.issuer_alias.as_deref()
    }

    pub fn trusts(&self, proxy: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(proxy))
    }

    pub(super) fn check(&self, tls: &TlsConfig) -> Result<(), Invalid> {
        if self.listen.is_some() && tls.certificate.is_none() {
            return Err(Invalid::new("mtls.listen", "needs tls.certificate"));
        }
        let has_door = self.listen.is_some() || !self.trusted_proxies.is_empty();
        match &self.issuer_alias {
            None if has_door => return Err(Invalid::new("mtls.issuer_alias", "is required for mutual TLS")),
            Some(_) if !has_door => {
                return Err(Invalid::new("mtls.issuer_alias", "only beside mtls.listen or mtls.trusted_proxies"));
            }
            Some(alias) if !is_origin(alias) => {
                return Err(Invalid::new("mtls.issuer_alias", "must be https://host or https://host:port"));
            }
            _ => {}
        }
        if self.client_ca.is_some() && !has_door {
            return Err(Invalid::new("mtls.client_ca", "only beside mtls.listen or mtls.trusted_proxies"));
        }
        if self.client_crl.is_some() && self.client_ca.is_none() {
            return Err(Invalid::new("mtls.client_crl", "only beside mtls.client_ca"));
        }
        let header = &self.certificate_header;
        if header.is_empty() || !header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Invalid::new("mtls.certificate_header", "is not the name of a header"));
        }
        Ok(())
    }
}

fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == text)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn checked(text: &str) -> Result<(), String> {
        let text = format!("issuer = \"https://id.vn\"\n{text}\n[keys]\ndirectory = \"k\"");
        Config::read(&text, []).map(drop).map_err(|invalid| invalid.key)
    }

    #[test]
    fn what_goes_together() {
        let tls = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
        let listen = "[mtls]\nlisten = \"127.0.0.1:1\"\n";
        let alias = "issuer_alias = \"https://mtls.id.vn\"\n";
        let refused = |key: &str| Err(key.to_owned());
        for (text, expected) in [
            (String::new(), Ok(())),
            (tls.to_owned(), Ok(())),
            ("[tls]\ncertificate = \"c\"".to_owned(), refused("tls.key")),
            ("[tls]\nkey = \"c\"".to_owned(), refused("tls.certificate")),
            (format!("{tls}{listen}{alias}"), Ok(())),
            (format!("{tls}{listen}{alias}client_ca = \"ca\""), Ok(())),
            (format!("{tls}{listen}{alias}client_ca = \"ca\"\nclient_crl = \"crl\""), Ok(())),
            (format!("{tls}{listen}{alias}client_crl = \"crl\""), refused("mtls.client_crl")),
            (format!("{listen}{alias}"), refused("mtls.listen")),
            (format!("{tls}{listen}"), refused("mtls.issuer_alias")),
            (format!("[mtls]\n{alias}"), refused("mtls.issuer_alias")),
            ("[mtls]\nclient_ca = \"ca\"".to_owned(), refused("mtls.client_ca")),
            (format!("[mtls]\n{alias}trusted_proxies = [\"10.0.0.0/8\"]"), Ok(())),
            (
                format!("[mtls]\n{alias}trusted_proxies = [\"10.0.0.0/8\"]\ncertificate_header = \"a b\""),
                refused("mtls.certificate_header"),
            ),
            (format!("{tls}{listen}issuer_alias = \"https://mtls.id.vn/\""), refused("mtls.issuer_alias")),
            (format!("{tls}{listen}issuer_alias = \"http://mtls.id.vn\""), refused("mtls.issuer_alias")),
            (format!("{tls}{listen}issuer_alias = \"https://mtls.id.vn:8443\""), Ok(())),
        ] {
            assert_eq!(checked(&text), expected, "{text}");
        }
        let plain = "issuer = \"http://localhost:1\"\n[keys]\ndirectory = \"k\"\n";
        assert_eq!(Config::read(&format!("{plain}{tls}"), []).unwrap_err().key, "tls.certificate");
        assert!(Config::read(&format!("{plain}{tls}{listen}{alias}"), []).is_ok());
    }
}
