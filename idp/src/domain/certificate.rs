//! ClientCertificate: what is known of a certificate whose private key the caller proved to hold in the TLS handshake,
//! or a trusted proxy says it did. Read once for each connection; judged by rules on every request.

use std::net::IpAddr;

use super::moment::Moment;

/// An attribute of a distinguished name: the dotted object identifier of its type, and its value.
pub type Attribute = (String, String);

/// A distinguished name: its sets of attributes, the most general first, each set in order.
pub type DistinguishedName = Vec<Vec<Attribute>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate in base64url (RFC 8705 §3.1).
    pub thumbprint: String,
    pub subject: DistinguishedName,
    pub dns: Vec<String>,
    pub uris: Vec<String>,
    pub ips: Vec<IpAddr>,
    pub emails: Vec<String>,
    /// The RFC 7638 thumbprint of its public key; none for a key of a kind we do not use.
    pub jkt: Option<String>,
    pub not_before: Moment,
    pub not_after: Moment,
    /// Why it is no certificate for a TLS client at all: its purpose, or a weak key.
    pub unfit: Option<&'static str>,
    /// Whether an authority the operator trusts for clients issued it.
    pub is_issued: bool,
}
