//! Does this code entitle its bearer (RFC 6749 §4.1.3)? Every value it is bound to must match; what a mismatch costs is
//! decided by who shows it (`security.md` D10, D11).

use crate::domain::Moment;
use crate::domain::grant::{Grant, IssuedCode};
use crate::domain::relying_party::GrantType;
use crate::protocol::error::Error;
use crate::protocol::pkce;

use super::client_auth::Authenticated;
use super::request::permitted;

/// Wrong verifiers after which a code is worth nothing (`security.md` PK-05).
pub const MOST_FAILURES: i64 = 5;

/// What came with the code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presented<'a> {
    pub redirect_uri: Option<&'a str>,
    pub code_verifier: Option<&'a str>,
    /// Of the resources granted, those the token shall be for (RFC 8707 §2.2).
    pub resources: &'a [String],
}

/// What a presented code comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// Everything matches: spend it, and whoever spends it first gets the tokens.
    Entitled,
    /// Count the failure; the code stays good, since a thief must not burn an honest client's code (D10).
    WrongVerifier(Error),
    /// Spent before, and shown again by the client it belongs to with the right verifier: the whole grant falls (D11).
    Replay(Error),
    /// Nothing changes.
    Refused(Error),
}

/// Told alike whatever is wrong with a code; the reason is for the log and for the client's own team.
fn invalid(clause: &'static str, reason: &'static str) -> Error {
    Error::invalid_grant(clause, "the code is not valid").explained(reason)
}

/// What to tell the client that lost the race for a code another request spent meanwhile.
pub fn spent() -> Error {
    invalid("RFC 6749 §4.1.2", "spent before")
}

/// Judges a code found in the store. Whether the holder may still act is decided by `standing::may_act`, not here.
pub fn redeem(
    code: &IssuedCode,
    grant: &Grant,
    authenticated: &Authenticated,
    presented: &Presented<'_>,
    now: Moment,
) -> Redemption {
    let client = authenticated.client();
    if let Err(error) = permitted(client, GrantType::AuthorizationCode) {
        return Redemption::Refused(error);
    }
    let refused = |clause, detail| Redemption::Refused(invalid(clause, detail));
    // RFC 6749 §5.2: issued to this client. Another one changes nothing, and learns no more than from an unknown code.
    if code.client != client.id || grant.client != client.id || code.grant != grant.id {
        let error = Error::invalid_grant("RFC 6749 §5.2", "the code is not valid");
        return Redemption::Refused(error.because("issued to another client"));
    }
    let right_verifier = match (&code.code_challenge, presented.code_verifier) {
        (Some(challenge), Some(verifier)) => pkce::verifies(challenge, verifier),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if code.spent_at.is_some() {
        return if right_verifier { Redemption::Replay(spent()) } else { refused("RFC 6749 §4.1.2", "spent before") };
    }
    if now >= code.expires_at {
        return refused("RFC 6749 §4.1.2", "expired");
    }
    if code.failures >= MOST_FAILURES {
        return refused("RFC 7636 §4.6", "ended by wrong verifiers");
    }
    // RFC 6749 §4.1.3: identical to the one of the authorization request.
    if presented.redirect_uri != Some(code.redirect_uri.as_str()) {
        return refused("RFC 6749 §4.1.3", "redirect_uri differs");
    }
    if code.code_challenge.is_none() && presented.code_verifier.is_some() {
        // RFC 9700 §4.8.2: a challenge was stripped on the way.
        return refused("RFC 9700 §4.8.2", "verifier without a challenge");
    }
    if !right_verifier {
        return Redemption::WrongVerifier(invalid("RFC 7636 §4.6", "wrong verifier"));
    }
    Redemption::Entitled
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
