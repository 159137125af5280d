//! How does a refresh turn (RFC 6749 §6)? Public clients rotate and lose everything on a replay; confidential ones keep
//! their token (`security.md` D2). Nothing ever grows: scope stays within the grant.

use crate::domain::Moment;
use crate::domain::grant::{Authentication, Grant, IssuedRefreshToken};
use crate::domain::level::Acr;
use crate::domain::relying_party::GrantType;
use crate::domain::standing::Standing;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::scope::{self, OFFLINE_ACCESS};

use super::client_auth::Authenticated;
use super::request::permitted;

/// What a presented refresh token comes to. `scope` is for the new access token; the grant keeps its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Spend the token and mint its successor; the loser of a race is a replay.
    Rotate { scope: Vec<String> },
    /// Answer with the same token.
    Keep { scope: Vec<String> },
    /// A rotated token shown again: the whole grant falls (RFC 9700 §4.14.2).
    Replay(Error),
    /// Nothing changes.
    Refuse(Error),
}

/// Told alike whatever is wrong; the reason is for the log and for the client's own team.
fn invalid(clause: &'static str, reason: &'static str) -> Error {
    Error::invalid_grant(clause, "the refresh token is not valid").explained(reason)
}

/// What to tell whoever shows a token that was rotated, or lost the race for it.
pub fn spent() -> Error {
    invalid("RFC 9700 §4.14.2", "rotated before")
}

/// Judges a refresh token found in the store; `scope` is the parameter as sent. Whether the holder may still act is
/// decided by `standing::may_act`, not here.
pub fn turn(
    token: &IssuedRefreshToken,
    grant: &Grant,
    authenticated: &Authenticated,
    scope: Option<&str>,
    now: Moment,
) -> Turn {
    let client = authenticated.client();
    if let Err(error) = permitted(client, GrantType::RefreshToken) {
        return Turn::Refuse(error);
    }
    // RFC 6749 §5.2: issued to this client. Another one changes nothing, and learns no more than from an unknown token.
    if grant.client != client.id || token.grant != grant.id {
        let error = Error::invalid_grant("RFC 6749 §5.2", "the refresh token is not valid");
        return Turn::Refuse(error.because("issued to another client"));
    }
    if token.spent_at.is_some() {
        return Turn::Replay(spent());
    }
    if now >= token.expires_at {
        return Turn::Refuse(invalid("RFC 6749 §6", "expired"));
    }
    let scope = match narrowed(grant, scope) {
        Ok(scope) => scope,
        Err(error) => return Turn::Refuse(error),
    };
    // `security.md` RF-10: what the client may no longer ask for, it may no longer refresh.
    if !scope.iter().all(|scope| client.has_scope(scope)) {
        return Turn::Refuse(invalid("RFC 9700 §4.14.2", "a scope of it is no longer registered"));
    }
    if client.is_public() { Turn::Rotate { scope } } else { Turn::Keep { scope } }
}

/// RFC 6749 §6: nothing beyond what was granted; omitted means all of it.
fn narrowed(grant: &Grant, asked: Option<&str>) -> Result<Vec<String>, Error> {
    let Some(asked) = asked else { return Ok(grant.scope.clone()) };
    let mut scope: Vec<String> = Vec::new();
    for value in scope::values(asked) {
        if !grant.has_scope(value) {
            return Err(Error::new(ErrorCode::InvalidScope, "RFC 6749 §6", "scope is wider than what was granted"));
        }
        if !scope.iter().any(|known| known == value) {
            scope.push(value.to_owned());
        }
    }
    // A list of nothing but spaces asks for nothing.
    if scope.is_empty() { Ok(grant.scope.clone()) } else { Ok(scope) }
}

/// The `acr` of the sign-in, while it still holds: an account level may have gone since, and nothing revives here
/// (`contract.md` 4). `None` is stated by leaving `acr` out.
pub fn acr_now(authentication: &Authentication, standing: Standing) -> Option<Acr> {
    let level = authentication.acquaintance.level()?;
    authentication.acr.holds(standing.levels(level)).then_some(authentication.acr)
}

/// Whether a grant may carry a refresh token at all (`contract.md` 4): the client registered the grant type, and
/// `offline_access` was granted; never for what is approved once (RFC 9396).
pub fn is_due(grant: &Grant, authenticated: &Authenticated) -> bool {
    grant.transaction.is_none()
        && grant.offline
        && grant.has_scope(OFFLINE_ACCESS)
        && authenticated.client().may_use(GrantType::RefreshToken)
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
