//! The caller's fault: a closed set of codes, each error carrying the clause it breaks.

use std::fmt;

use crate::domain::Acr;

/// Every error code we put on the wire. Names are the standards' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    // RFC 6749 §4.1.2.1 and §5.2
    InvalidRequest,
    UnauthorizedClient,
    AccessDenied,
    UnsupportedResponseType,
    InvalidScope,
    ServerError,
    TemporarilyUnavailable,
    InvalidClient,
    InvalidGrant,
    UnsupportedGrantType,
    // OIDC Core §3.1.2.6
    InteractionRequired,
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    // RFC 9101 §7
    InvalidRequestObject,
    InvalidRequestUri,
    // OIDC unmet authentication requirements 1.0
    UnmetAuthenticationRequirements,
    // RFC 6750 §3.1
    InvalidToken,
    InsufficientScope,
    // RFC 9470 §3
    InsufficientUserAuthentication,
    // RFC 8707 §2
    InvalidTarget,
    // RFC 9396 §5
    InvalidAuthorizationDetails,
    // RFC 9449 §5, §8
    InvalidDpopProof,
    UseDpopNonce,
    // RFC 7009 §2.2.1
    UnsupportedTokenType,
    // RFC 7591 §3.2.2
    InvalidRedirectUri,
    InvalidClientMetadata,
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 29] = [
        ErrorCode::InvalidRequest,
        ErrorCode::UnauthorizedClient,
        ErrorCode::AccessDenied,
        ErrorCode::UnsupportedResponseType,
        ErrorCode::InvalidScope,
        ErrorCode::ServerError,
        ErrorCode::TemporarilyUnavailable,
        ErrorCode::InvalidClient,
        ErrorCode::InvalidGrant,
        ErrorCode::UnsupportedGrantType,
        ErrorCode::InteractionRequired,
        ErrorCode::LoginRequired,
        ErrorCode::ConsentRequired,
        ErrorCode::RequestNotSupported,
        ErrorCode::RequestUriNotSupported,
        ErrorCode::RegistrationNotSupported,
        ErrorCode::InvalidRequestObject,
        ErrorCode::InvalidRequestUri,
        ErrorCode::UnmetAuthenticationRequirements,
        ErrorCode::InvalidToken,
        ErrorCode::InsufficientScope,
        ErrorCode::InsufficientUserAuthentication,
        ErrorCode::InvalidTarget,
        ErrorCode::InvalidAuthorizationDetails,
        ErrorCode::InvalidDpopProof,
        ErrorCode::UseDpopNonce,
        ErrorCode::UnsupportedTokenType,
        ErrorCode::InvalidRedirectUri,
        ErrorCode::InvalidClientMetadata,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::ServerError => "server_error",
            ErrorCode::TemporarilyUnavailable => "temporarily_unavailable",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::InteractionRequired => "interaction_required",
            ErrorCode::LoginRequired => "login_required",
            ErrorCode::ConsentRequired => "consent_required",
            ErrorCode::RequestNotSupported => "request_not_supported",
            ErrorCode::RequestUriNotSupported => "request_uri_not_supported",
            ErrorCode::RegistrationNotSupported => "registration_not_supported",
            ErrorCode::InvalidRequestObject => "invalid_request_object",
            ErrorCode::InvalidRequestUri => "invalid_request_uri",
            ErrorCode::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            ErrorCode::InvalidToken => "invalid_token",
            ErrorCode::InsufficientScope => "insufficient_scope",
            ErrorCode::InsufficientUserAuthentication => "insufficient_user_authentication",
            ErrorCode::InvalidTarget => "invalid_target",
            ErrorCode::InvalidAuthorizationDetails => "invalid_authorization_details",
            ErrorCode::InvalidDpopProof => "invalid_dpop_proof",
            ErrorCode::UseDpopNonce => "use_dpop_nonce",
            ErrorCode::UnsupportedTokenType => "unsupported_token_type",
            ErrorCode::InvalidRedirectUri => "invalid_redirect_uri",
            ErrorCode::InvalidClientMetadata => "invalid_client_metadata",
        }
    }
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: ErrorCode,
    /// The clause that was broken, e.g. `RFC 6749 §4.1.3`.
    pub clause: &'static str,
    /// `error_description`: English, printable ASCII without `"` and `\` (RFC 6749 §5.2). Its leading word never changes.
    pub told: String,
    /// For the client's own team, once it has proved who it is: never in an answer, and never about a holder. Fixed words,
    /// so that nothing a caller sent can get into it.
    pub reason: Option<&'static str>,
    /// For the log only.
    pub detail: Option<String>,
    /// What would do, where a stronger sign-in mends it (RFC 9470 §3).
    pub step_up: Option<Acr>,
}

impl Error {
    /// `told` may quote what the caller sent: characters that may not stand in a description become `?`.
    pub fn new(code: ErrorCode, clause: &'static str, told: impl Into<String>) -> Self {
        Self { code, clause, told: describable(told.into()), reason: None, detail: None, step_up: None }
    }

    /// Adds what only the log may know.
    pub fn because(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Adds what the log and the client's own team may know.
    pub fn explained(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self.because(reason) }
    }

    pub fn invalid_request(clause: &'static str, told: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, clause, told)
    }

    pub fn invalid_grant(clause: &'static str, told: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidGrant, clause, told)
    }

    pub fn invalid_client(clause: &'static str, told: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidClient, clause, told)
    }
}

/// What is quoted of a caller must not make an answer, or an address it goes into, as long as the caller likes.
const LONGEST_TOLD: usize = 400;

/// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E` and nothing else may stand in `error_description`.
fn describable(text: String) -> String {
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if text.len() <= LONGEST_TOLD && text.chars().all(allowed) {
        return text;
    }
    text.chars().take(LONGEST_TOLD).map(|c| if allowed(c) { c } else { '?' }).collect()
}
