//! Trail: what must be remembered. Appended in the same transaction as its effect; never a log line.
//! Detail never holds a personal number, phone, value of a claim, token or secret.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::id::Id;
use super::moment::Moment;
use super::relying_party::Client;
use super::session::Session;

/// What happened. Names are only added, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    SignIn,
    SignInRefused,
    StepUp,
    OtpSent,
    OtpRefused,
    SignOut,
    LogoutTold,
    LogoutNotTold,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    AuthorizationIssued,
    AuthorizationRefused,
    TokenIssued,
    TokenRefused,
    TokenReplayed,
    TokenRefreshed,
    TokenRevoked,
    Released,
    TransactionShown,
    TransactionApproved,
    TransactionRefused,
    TransactionSpent,
    PasskeyAdded,
    PasskeyRenamed,
    PasskeyRemoved,
    TotpAdded,
    TotpRemoved,
    FactorRefused,
    EidLocked,
    EidUnlocked,
    EnrolmentSubmitted,
    EnrolmentGranted,
    EnrolmentRefused,
    EnrolmentNotified,
    AccountActivated,
    ActivationRefused,
    ActivationOverdue,
    PapersRefreshed,
    AppBindingOpened,
    AppBound,
    AppRemoved,
    AppScanned,
    AppApproved,
    AppDeclined,
    AppRefused,
    AccountImported,
    AccountRevealed,
    GuardianAsked,
    GuardianAllowed,
    GuardianRefused,
    ActedFor,
    ClientPut,
    ClientSuspended,
    ClientResumed,
    ClientClosed,
    ClientInvited,
    InvitationRevoked,
    ClientRegistered,
    RegistrationRefused,
    UpstreamLinked,
    UpstreamUnlinked,
    UpstreamRefused,
    UpstreamSignedOut,
    KeyRotated,
    KeyRetired,
    TrailExported,
    LockRefused,
    CardExpiryChanged,
    RegistryEventKept,
    DeviceForgotten,
    CaseOpened,
    CaseLookedAt,
    CaseClosed,
    HolderTold,
    HolderNotTold,
    RecoveryBegun,
    RecoveryRefused,
    RecoveryProved,
    RecoveryEnded,
    CredentialChangeBegun,
    CredentialChangeRefused,
    PasswordChanged,
    PhoneChanged,
    HolderReproofed,
    AccountLookedUp,
    AuthorityRequestReceived,
    AuthorityRequestForwarded,
    AuthorityRequestAccepted,
    AuthorityRequestRefused,
    LevelTwoSubmitted,
    LevelTwoGranted,
    LevelTwoRefused,
}

/// One remembered event.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: Kind,
    pub at: Moment,
    pub account: Option<Id<Account>>,
    pub client: Option<Id<Client>>,
    pub session: Option<Id<Session>>,
    /// The reference a page or a log line showed, so that a complaint finds the event.
    pub reference: Option<String>,
    /// Facts worth proving later: claim names, levels, reasons, authorities.
    pub detail: serde_json::Value,
}

impl Event {
    pub fn new(kind: Kind, at: Moment) -> Self {
        Self { kind, at, account: None, client: None, session: None, reference: None, detail: serde_json::Value::Null }
    }

    pub fn of(mut self, account: &Id<Account>) -> Self {
        self.account = Some(account.clone());
        self
    }

    pub fn by(mut self, client: &Id<Client>) -> Self {
        self.client = Some(client.clone());
        self
    }

    pub fn within(mut self, session: &Id<Session>) -> Self {
        self.session = Some(session.clone());
        self
    }

    pub fn referring(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    pub fn with(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}
