//! RelyingParty: the organisation with an agreement. Client: one registered application of it, in the terms of
//! OAuth registration metadata (RFC 7591 §2) plus our `vn_` members (`contract.md` 4).

use serde::{Deserialize, Serialize};

use super::account::Holder;
use super::arrangement::{AnswerForms, Application, Binding, LogoutAddresses, RequestRules, Resources};
use super::claim::ClaimName;
use super::consent::{Bilingual, Purpose};
use super::id::Id;
use super::level::{AccountLevel, AuthenticationLevel};
use super::secret::{ClientSecret, Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    Consent,
    Law,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    Oidc,
    /// FAPI 2.0 Security Profile.
    Fapi2,
    /// FAPI 2.0 Message Signing, on top of the former.
    Fapi2MessageSigning,
}

impl Profile {
    pub const fn is_fapi(self) -> bool {
        matches!(self, Profile::Fapi2 | Profile::Fapi2MessageSigning)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    /// RFC 8705 §2.1: a certificate a trusted authority issued to the registered subject.
    TlsClientAuth,
    /// RFC 8705 §2.2: a certificate whose key is registered.
    SelfSignedTlsClientAuth,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The issuer as one plain string (FAPI 2.0 SP §5.3.2.1).
    Issuer,
    /// The issuer or the token endpoint, as one plain string: for libraries older than RFC 7523bis.
    TokenEndpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PkcePolicy {
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    Pairwise,
    Public,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlg {
    ES256,
    PS256,
    RS256,
    EdDSA,
}

impl SigningAlg {
    pub const ALL: [SigningAlg; 4] = [SigningAlg::ES256, SigningAlg::PS256, SigningAlg::RS256, SigningAlg::EdDSA];

    pub const fn name(self) -> &'static str {
        match self {
            SigningAlg::ES256 => "ES256",
            SigningAlg::PS256 => "PS256",
            SigningAlg::RS256 => "RS256",
            SigningAlg::EdDSA => "EdDSA",
        }
    }

    pub fn parse(name: &str) -> Option<SigningAlg> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }
}

/// A public service with its published level and claims (ND 42/2022 Art 12): data, changeable without a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub code: String,
    pub title: Bilingual,
    #[serde(default)]
    pub min_account_level: Option<u8>,
    #[serde(default)]
    pub min_auth_level: Option<u8>,
    #[serde(default)]
    pub claims: Vec<ClaimName>,
}

/// The lowest levels a request may end with. All demands hold together, so two floors merge by the maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    pub account: Option<AccountLevel>,
    pub authentication: Option<AuthenticationLevel>,
}

impl Floor {
    pub fn and(self, other: Floor) -> Floor {
        Floor {
            account: self.account.max(other.account),
            authentication: self.authentication.max(other.authentication),
        }
    }
}

/// Whether a client may act at all. Read from SQL on every request, never from a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStatus {
    Live,
    Suspended,
    Closed,
}

impl ClientStatus {
    pub const fn name(self) -> &'static str {
        match self {
            ClientStatus::Live => "live",
            ClientStatus::Suspended => "suspended",
            ClientStatus::Closed => "closed",
        }
    }

    pub fn parse(name: &str) -> Option<ClientStatus> {
        [Self::Live, Self::Suspended, Self::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// A client as admitted: every default filled in, every value checked by `protocol::registration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    #[serde(rename = "client_id")]
    pub id: Id<Client>,
    pub client_name: Bilingual,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<GrantType>,
    pub token_endpoint_auth_method: AuthMethod,
    /// The public keys of a `private_key_jwt` client, a JWK set as text.
    pub jwks: Option<String>,
    /// Registered scopes, in order.
    pub scope: Vec<String>,
    pub id_token_signed_response_alg: SigningAlg,
    pub subject_type: SubjectType,
    pub default_acr_values: Vec<String>,
    pub default_max_age: Option<u64>,
    pub logo_uri: Option<String>,
    pub client_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub contacts: Vec<String>,
    #[serde(rename = "vn_relying_party")]
    pub relying_party: Bilingual,
    #[serde(rename = "vn_min_account_level")]
    pub min_account_level: Option<u8>,
    #[serde(rename = "vn_min_auth_level")]
    pub min_auth_level: Option<u8>,
    #[serde(rename = "vn_acr_demand")]
    pub acr_demand: bool,
    #[serde(rename = "vn_legal_basis")]
    pub legal_basis: LegalBasis,
    /// Never empty for a client with claims: a default purpose is made when none is registered.
    #[serde(rename = "vn_purposes")]
    pub purposes: Vec<Purpose>,
    #[serde(rename = "vn_services")]
    pub services: Vec<Service>,
    #[serde(rename = "vn_security_level")]
    pub security_level: Option<u8>,
    #[serde(rename = "vn_profile")]
    pub profile: Profile,
    #[serde(rename = "vn_assertion_audience")]
    pub assertion_audience: AssertionAudience,
    /// The pairwise sector, frozen at onboarding (OIDC Core §8.1).
    #[serde(rename = "vn_sector")]
    pub sector: String,
    #[serde(rename = "vn_sso")]
    pub sso: bool,
    #[serde(rename = "vn_pkce")]
    pub pkce: PkcePolicy,
    /// Whom it serves (ND69 Art 7).
    #[serde(rename = "vn_holders", default = "persons")]
    pub holders: Vec<Holder>,
    /// Where the public keys are fetched from, instead of `jwks`.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Where a portal of this client begins a sign-in somebody else asked for (OIDC Core §4).
    #[serde(default)]
    pub initiate_login_uri: Option<String>,
    #[serde(flatten)]
    pub application: Application,
    #[serde(flatten)]
    pub requests: RequestRules,
    #[serde(flatten)]
    pub answers: AnswerForms,
    #[serde(flatten)]
    pub binding: Binding,
    #[serde(flatten)]
    pub logout: LogoutAddresses,
    #[serde(flatten)]
    pub resources: Resources,
}

/// An organisation signs in only where it is expected.
pub fn persons() -> Vec<Holder> {
    vec![Holder::Citizen, Holder::Foreigner]
}

impl Client {
    pub fn serves(&self, holder: Holder) -> bool {
        self.holders.contains(&holder)
    }

    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|registered| registered == scope)
    }

    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthMethod::None
    }

    pub fn service(&self, code: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.code == code)
    }

    /// Whether the client registered any scope of ours, which puts both levels into its ID tokens.
    pub fn has_vn_scope(&self) -> bool {
        self.scope.iter().any(|scope| scope.starts_with("vn_"))
    }

    /// The minimum set at onboarding.
    pub fn floor(&self) -> Floor {
        floor(self.min_account_level, self.min_auth_level)
    }

    /// With that of the service a request or grant names.
    pub fn floor_of(&self, service: Option<&str>) -> Floor {
        let service = service.and_then(|code| self.service(code));
        self.floor().and(service.map(Service::floor).unwrap_or_default())
    }
}

impl Service {
    pub fn floor(&self) -> Floor {
        floor(self.min_account_level, self.min_auth_level)
    }
}

fn floor(account: Option<u8>, authentication: Option<u8>) -> Floor {
    Floor {
        account: account.and_then(|number| AccountLevel::from_number(number.into())),
        authentication: authentication.and_then(|number| AuthenticationLevel::from_number(number.into())),
    }
}

/// A client as the store holds it.
#[derive(Clone, Debug)]
pub struct Registered {
    pub client: std::sync::Arc<Client>,
    pub status: ClientStatus,
    pub secret: Option<Stored<ClientSecret>>,
    /// Raised whenever the metadata is replaced.
    pub version: i64,
}

impl Registered {
    /// Whether it is what `former` was: in the same standing, with the same secret and metadata.
    pub fn is_still(&self, former: &Registered) -> bool {
        (&self.client.id, self.version, self.status) == (&former.client.id, former.version, former.status)
            && self.secret == former.secret
    }
}
