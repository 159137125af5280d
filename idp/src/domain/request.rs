//! An authorization request as kept while it is in progress: checked, typed, and bound to its client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::claim::ClaimName;
use super::id::Id;
use super::moment::Moment;
use super::relying_party::Client;
use super::secret::{PushedReference, Stored};
use super::transaction::Proposal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    Query,
    FormPost,
    /// JARM §2.3.1, and `jwt`, which means the same for a code (§2.3.4).
    QueryJwt,
    /// JARM §2.3.3.
    FormPostJwt,
}

impl ResponseMode {
    /// Whether the answer leaves as one signed JWT.
    pub const fn is_signed(self) -> bool {
        matches!(self, ResponseMode::QueryJwt | ResponseMode::FormPostJwt)
    }

    /// Whether the answer leaves by a form that posts itself.
    pub const fn by_form(self) -> bool {
        matches!(self, ResponseMode::FormPost | ResponseMode::FormPostJwt)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

/// What the `claims` parameter says of one claim at one place (OIDC Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// `value` and `values` alike: any of these will do. Empty: any value will.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// The `claims` parameter, reduced to claims of the catalogue. `acr` and `sub` are kept apart, since they are
/// demands on the sign-in and not things to release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    #[serde(default)]
    pub userinfo: BTreeMap<ClaimName, ClaimRequest>,
    #[serde(default)]
    pub id_token: BTreeMap<ClaimName, ClaimRequest>,
    /// The `acr` member under `id_token`: values and whether they are essential.
    #[serde(default)]
    pub acr: Option<ClaimRequest>,
    /// The `sub` member under either place: the only subject that will do.
    #[serde(default)]
    pub sub: Option<String>,
}

/// Who the client says it expects (`login_hint`, `id_token_hint`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// A `sub` of this client: only this subject may answer.
    Subject(String),
    /// An account a person number was resolved to: a suggestion only.
    Hint(Id<Account>),
}

/// Everything that was asked at the authorization endpoint and matters later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: Id<Client>,
    pub redirect_uri: String,
    pub response_mode: ResponseMode,
    pub state: Option<String>,
    pub nonce: Option<String>,
    /// Granted scopes: known, registered, in the order asked, without repeats.
    pub scope: Vec<String>,
    pub code_challenge: Option<String>,
    pub prompt: Vec<Prompt>,
    pub max_age: Option<u64>,
    pub acr_values: Vec<String>,
    pub claims: ClaimsRequest,
    pub service: Option<String>,
    /// Resources the client names (RFC 8707), in the order asked, without repeats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What the holder is asked to approve (RFC 9396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Proposal>,
    /// `id_token_hint`'s subject, or `login_hint` when it is a `sub` of this client.
    pub expected: Option<Expected>,
    pub ui_locales: Vec<String>,
    /// The thumbprint of the key the code is to be redeemed with (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// When the request arrived: what counts as a fresh authentication is measured from here.
    pub asked_at: Moment,
    /// The digest of the reference it was pushed under: it is answered once, however often it is opened (RFC 9126 §7.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<String>,
}

/// A request a client pushed, waiting for the browser that brings its reference (RFC 9126 §2.2).
#[derive(Clone, Debug)]
pub struct PushedRequest {
    pub reference: Stored<PushedReference>,
    pub request: AuthorizationRequest,
    pub expires_at: Moment,
    pub spent_at: Option<Moment>,
}

impl AuthorizationRequest {
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|asked| asked == scope)
    }

    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}
