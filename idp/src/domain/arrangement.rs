//! What a client and we arranged beyond the plain code flow: how it must ask, how we answer, what its tokens are bound
//! to, and how it hears of a sign-out. Each part is absent by default, and stored flat beside the other metadata.

use serde::{Deserialize, Serialize};

use super::relying_party::SigningAlg;
use super::transaction::DetailsType;

/// How requests must be made (RFC 9126 §6, RFC 9101 §10.5, OIDC Registration §2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestRules {
    pub require_pushed_authorization_requests: bool,
    pub require_signed_request_object: bool,
    pub request_object_signing_alg: Option<SigningAlg>,
    /// Where request objects may be fetched from, byte for byte, fragment included.
    pub request_uris: Vec<String>,
    /// Types of `authorization_details` the client may ask for (RFC 9396 §10).
    pub authorization_details_types: Vec<DetailsType>,
}

/// How a key is agreed or wrapped for an encrypted answer (RFC 7518 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyAlg {
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
}

impl KeyAlg {
    pub const ALL: [KeyAlg; 3] = [KeyAlg::RsaOaep256, KeyAlg::EcdhEs, KeyAlg::EcdhEsA256Kw];

    pub const fn name(self) -> &'static str {
        match self {
            KeyAlg::RsaOaep256 => "RSA-OAEP-256",
            KeyAlg::EcdhEs => "ECDH-ES",
            KeyAlg::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    pub fn parse(name: &str) -> Option<KeyAlg> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }
}

/// How the content of an encrypted answer is encrypted (RFC 7518 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentAlg {
    #[serde(rename = "A256GCM")]
    A256Gcm,
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
}

impl ContentAlg {
    pub const ALL: [ContentAlg; 2] = [ContentAlg::A128CbcHs256, ContentAlg::A256Gcm];

    pub const fn name(self) -> &'static str {
        match self {
            ContentAlg::A256Gcm => "A256GCM",
            ContentAlg::A128CbcHs256 => "A128CBC-HS256",
        }
    }
}

/// To whom an answer is encrypted and how: with a key of the client's that this algorithm can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub alg: KeyAlg,
    pub enc: ContentAlg,
}

/// Which answers are signed or encrypted (OIDC Registration §2, JARM §3, RFC 9701 §6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerForms {
    pub authorization_signed_response_alg: Option<SigningAlg>,
    pub id_token_encrypted_response_alg: Option<KeyAlg>,
    pub id_token_encrypted_response_enc: Option<ContentAlg>,
    pub userinfo_signed_response_alg: Option<SigningAlg>,
    pub userinfo_encrypted_response_alg: Option<KeyAlg>,
    pub userinfo_encrypted_response_enc: Option<ContentAlg>,
    pub introspection_signed_response_alg: Option<SigningAlg>,
}

impl AnswerForms {
    pub fn id_token_encryption(&self) -> Option<Encryption> {
        encryption(self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc)
    }

    pub fn userinfo_encryption(&self) -> Option<Encryption> {
        encryption(self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc)
    }
}

/// OIDC Registration §2: the content algorithm where only one for the key is registered.
fn encryption(alg: Option<KeyAlg>, enc: Option<ContentAlg>) -> Option<Encryption> {
    Some(Encryption { alg: alg?, enc: enc.unwrap_or(ContentAlg::A128CbcHs256) })
}

/// What the client's tokens are bound to, and by which certificate it authenticates (RFC 9449 §5.2, RFC 8705 §2.1.2, §3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binding {
    pub dpop_bound_access_tokens: bool,
    pub tls_client_certificate_bound_access_tokens: bool,
    pub tls_client_auth_subject_dn: Option<String>,
    pub tls_client_auth_san_dns: Option<String>,
    pub tls_client_auth_san_uri: Option<String>,
    pub tls_client_auth_san_ip: Option<String>,
    pub tls_client_auth_san_email: Option<String>,
}

/// How the client hears that a session ended (OIDC Back-Channel Logout §2.2, Front-Channel Logout §2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogoutAddresses {
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    pub frontchannel_logout_uri: Option<String>,
    pub frontchannel_logout_session_required: bool,
}

/// What sort of application a client is (OIDC Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    #[default]
    Web,
    Native,
}

/// What a registration says of the application besides, kept to be followed and told again (RFC 7591 §2, §3.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Application {
    pub application_type: ApplicationType,
    /// Asks for what every ID token of ours has anyway.
    pub require_auth_time: bool,
    pub sector_identifier_uri: Option<String>,
    /// The one algorithm assertions may be signed with; every supported one when absent.
    pub token_endpoint_auth_signing_alg: Option<SigningAlg>,
    pub software_id: Option<String>,
    pub software_version: Option<String>,
}

/// The form of the access tokens for a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenForm {
    #[default]
    Opaque,
    /// RFC 9068: verified without asking us, so it lives half as long.
    Jwt,
}

/// Resources (RFC 8707): those this client answers for, and those it may ask tokens for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Resource identifiers whose server this client is: it may introspect tokens meant for them.
    #[serde(rename = "vn_serves")]
    pub serves: Vec<String>,
    #[serde(rename = "vn_token_form")]
    pub token_form: TokenForm,
    /// What signs them where they are JWTs; ES256 unless registered.
    #[serde(rename = "vn_token_signed_alg")]
    pub token_signed_alg: Option<SigningAlg>,
    /// Resource identifiers this client may name in `resource`.
    #[serde(rename = "vn_resources")]
    pub may_ask: Vec<String>,
}
