//! Invitation: leave to register clients without an operator at hand, within what the operator laid down
//! (RFC 7591 §1.2: the initial access token).

use serde::{Deserialize, Serialize};

use super::consent::{Bilingual, Purpose};
use super::id::Id;
use super::moment::Moment;
use super::relying_party::{AssertionAudience, Client, GrantType, LegalBasis, PkcePolicy, Profile};
use super::transaction::DetailsType;

/// What clients registered by an invitation get where they ask for nothing, and at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub scope: Vec<String>,
    pub grant_types: Vec<GrantType>,
    /// Types of `authorization_details`; none unless the operator says so.
    #[serde(default)]
    pub authorization_details_types: Vec<DetailsType>,
    #[serde(rename = "vn_purposes")]
    pub purposes: Vec<Purpose>,
    #[serde(rename = "vn_legal_basis")]
    pub legal_basis: LegalBasis,
    #[serde(rename = "vn_pkce")]
    pub pkce: PkcePolicy,
    #[serde(rename = "vn_assertion_audience")]
    pub assertion_audience: AssertionAudience,
    #[serde(rename = "vn_min_account_level")]
    pub min_account_level: Option<u8>,
    #[serde(rename = "vn_min_auth_level")]
    pub min_auth_level: Option<u8>,
    #[serde(rename = "vn_acr_demand")]
    pub acr_demand: Option<bool>,
    #[serde(rename = "vn_profile")]
    pub profile: Profile,
    /// The organisation shown beside the name a client gave itself; that name when absent.
    #[serde(rename = "vn_relying_party")]
    pub relying_party: Option<Bilingual>,
}

/// An invitation as the operator sees it; its token is shown once and kept as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: Id<Invitation>,
    pub policy: Policy,
    pub uses_left: i64,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub revoked_at: Option<Moment>,
}

/// What an invitation is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    Open,
    UsedUp,
    Expired,
    Revoked,
}

impl Validity {
    pub const fn name(self) -> &'static str {
        match self {
            Validity::Open => "open",
            Validity::UsedUp => "used_up",
            Validity::Expired => "expired",
            Validity::Revoked => "revoked",
        }
    }
}

impl Invitation {
    /// What the operator took back stays so called, whatever else ended it.
    pub fn validity(&self, now: Moment) -> Validity {
        if self.revoked_at.is_some() {
            Validity::Revoked
        } else if self.uses_left <= 0 {
            Validity::UsedUp
        } else if now >= self.expires_at {
            Validity::Expired
        } else {
            Validity::Open
        }
    }
}

/// A client that registered itself, and the policy that still binds it.
#[derive(Clone, Debug)]
pub struct Registration {
    pub client: Id<Client>,
    pub policy: Policy,
    pub registered_at: Moment,
}
