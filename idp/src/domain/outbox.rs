//! Outbox: what a client must still be told. Each notice is put in the transaction of what it tells of, and leaves
//! with its delivery or when it is given up.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::id::Id;
use super::moment::Moment;
use super::relying_party::Client;

/// Why what a client held came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    SignedOut,
    SignedOutEverywhere,
    /// Replaced by another sign-in, or one session too many.
    SessionEnded,
    EidLocked,
    AccountReplaced,
    ConsentWithdrawn,
    /// The holder said that it was somebody else.
    NotMe,
    CardExpired,
    CredentialChanged,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Cause::SignedOut => "signed_out",
            Cause::SignedOutEverywhere => "signed_out_everywhere",
            Cause::SessionEnded => "session_ended",
            Cause::EidLocked => "eid_locked",
            Cause::AccountReplaced => "account_replaced",
            Cause::ConsentWithdrawn => "consent_withdrawn",
            Cause::NotMe => "not_me",
            Cause::CardExpired => "card_expired",
            Cause::CredentialChanged => "credential_changed",
        }
    }
}

/// A back-channel logout on its way. It holds what the logout token will say and nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    pub id: Id<LogoutNotice>,
    pub cause: Cause,
    pub client: Id<Client>,
    pub account: Id<Account>,
    /// The account as this client knows it.
    pub sub: String,
    /// The session as this client knows it; none where every session of the account is meant.
    pub sid: Option<String>,
    /// Attempts begun, a claimed one included.
    pub attempts: i64,
    pub next_at: Moment,
    pub expires_at: Moment,
}
