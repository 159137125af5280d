//! Purposes a relying party declares, and the holder's recorded decision on each.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::claim::ClaimName;
use super::id::Id;
use super::moment::Moment;
use super::relying_party::{Client, LegalBasis};

/// Text in both languages of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    pub vi: String,
    pub en: String,
}

impl Bilingual {
    pub fn in_language(&self, language: &str) -> &str {
        if language == "en" { &self.en } else { &self.vi }
    }
}

/// Why a relying party wants claims: one consent each (ND 13 Art 11(4), carried into the PDPL).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    pub id: String,
    pub title: Bilingual,
    pub claims: Vec<ClaimName>,
    /// Those of `claims` without which the purpose cannot be served: listed without a box.
    #[serde(default)]
    pub required: Vec<ClaimName>,
    /// Why sensitive data is needed (ND 13 Art 11(8)).
    #[serde(default)]
    pub sensitive_reason: Option<Bilingual>,
}

/// The purpose id under which access while the holder is away is recorded.
pub const OFFLINE_PURPOSE: &str = "offline_access";

/// A holder's live decision on one purpose of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub id: Id<Consent>,
    pub account: Id<Account>,
    pub client: Id<Client>,
    pub purpose: String,
    /// What was asked when the holder decided: nothing in it is asked again.
    pub asked: BTreeSet<ClaimName>,
    /// What the holder let go, a subset of `asked`.
    pub granted: BTreeSet<ClaimName>,
    pub decided_at: Moment,
}

/// What is kept to prove a decision (PDPL Art 9, ND356 Art 6: expressed clearly, in a verifiable form).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt {
    pub purpose: String,
    pub asked: BTreeSet<ClaimName>,
    pub granted: BTreeSet<ClaimName>,
    pub legal_basis: LegalBasis,
    /// SHA-256 of the text the holder saw, base64url.
    pub text_hash: String,
    pub language: String,
    pub authentication_level: u8,
    /// Who decided in the holder's place: a guardian, or an organisation's representative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Id<Account>>,
}
