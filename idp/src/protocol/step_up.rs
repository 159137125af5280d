//! Step-up challenges (RFC 9470): a token is good, but the sign-in behind it is not strong or fresh enough.

use crate::domain::level::{Acr, Levels};
use crate::domain::relying_party::Floor;
use crate::domain::{AccountLevel, AuthenticationLevel, Client, Moment, Span};

use super::error::{Error, ErrorCode};

/// What a sign-in must reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    pub acr: Option<Acr>,
    /// How long ago it may be, in seconds.
    pub max_age: Option<u64>,
}

impl StepUp {
    /// Whether a token that states `acr` of a sign-in at `auth_time` meets it.
    pub fn is_met(&self, acr: Option<Acr>, auth_time: Moment, now: Moment) -> bool {
        let strong = self.acr.is_none_or(|needed| acr.is_some_and(|stated| needed.holds(said(stated))));
        let young = |age: u64| i64::try_from(age).is_ok_and(|age| now.since(auth_time) <= Span::seconds(age));
        strong && self.max_age.is_none_or(young)
    }

    /// RFC 9470 §3: `acr_values` and `max_age` beside the error of RFC 6750 §3, to be put into `WWW-Authenticate`.
    pub fn parameters(&self) -> String {
        let acr = self.acr.map(|acr| format!(", acr_values=\"{}\"", acr.urn())).unwrap_or_default();
        let max_age = self.max_age.map(|age| format!(", max_age=\"{age}\"")).unwrap_or_default();
        format!("{acr}{max_age}")
    }
}

/// RFC 9470 §3, with the `acr` that would do, if a sign-in of today can reach any.
pub fn refusal(acr: Option<Acr>) -> Error {
    let told = "a stronger or fresher sign-in is needed";
    let error = Error::new(ErrorCode::InsufficientUserAuthentication, "RFC 9470 §3", told);
    Error { step_up: acr, ..error }
}

/// What an `acr` states, as levels.
fn said(acr: Acr) -> Levels {
    Levels { account: acr.account(), authentication: acr.authentication() }
}

/// The lowest levels this client, for this service, may be answered at.
pub fn floor(client: &Client, service: Option<&str>) -> Floor {
    client.floor_of(service)
}

/// Whether what holds now still reaches the floor. It may not, after the client was given a higher one or the holder lost
/// a level.
pub fn check(floor: Floor, now: Levels) -> Result<(), Error> {
    let account = floor.account.is_none_or(|needed| now.account.is_some_and(|has| has >= needed));
    if account && Some(now.authentication) >= floor.authentication {
        return Ok(());
    }
    Err(refusal(Some(asked(floor))))
}

/// The `acr` to ask for. Below account level 2 it names the authentication alone: the account is demanded anyway, and no
/// value states both without asking for more.
fn asked(floor: Floor) -> Acr {
    match (floor.account, floor.authentication) {
        (Some(AccountLevel::Two), Some(AuthenticationLevel::Four)) => Acr::Muc2XacThuc4,
        (Some(AccountLevel::Two), Some(AuthenticationLevel::Three)) => Acr::Muc2XacThuc3,
        (_, Some(AuthenticationLevel::Four)) => Acr::XacThuc4,
        (_, Some(AuthenticationLevel::Three)) => Acr::XacThuc3,
        (Some(AccountLevel::Two), _) => Acr::Muc2,
        (_, Some(AuthenticationLevel::Two)) => Acr::XacThuc2,
        (Some(AccountLevel::One), _) => Acr::Muc1,
        (None, _) => Acr::XacThuc1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{self, at};

    #[test]
    fn rfc9470_3_a_floor_that_is_no_longer_met_names_what_would_do() {
        use AccountLevel as A;
        use AuthenticationLevel as N;
        let rows = [
            (None, None, Some(A::One), N::One, Ok(())),
            (Some(A::One), Some(N::One), Some(A::One), N::One, Ok(())),
            (Some(A::Two), Some(N::Two), Some(A::Two), N::Two, Ok(())),
            (Some(A::Two), None, Some(A::One), N::Two, Err(Some(Acr::Muc2))),
            (Some(A::One), Some(N::Two), Some(A::Two), N::One, Err(Some(Acr::XacThuc2))),
            (None, Some(N::Two), None, N::One, Err(Some(Acr::XacThuc2))),
            (Some(A::One), None, None, N::Two, Err(Some(Acr::Muc1))),
            (None, Some(N::Three), Some(A::Two), N::Two, Err(Some(Acr::XacThuc3))),
            (Some(A::Two), Some(N::Four), Some(A::Two), N::Two, Err(Some(Acr::Muc2XacThuc4))),
        ];
        for (account, authentication, has, reached, expected) in rows {
            let now = Levels { account: has, authentication: reached };
            let checked = check(Floor { account, authentication }, now);
            assert_eq!(checked.map_err(|error| error.step_up), expected, "{account:?} {authentication:?}");
        }
        let client = Client { min_account_level: Some(2), ..fixtures::client("rp", "openid") };
        assert_eq!(floor(&client, Some("unknown")).account, Some(A::Two));
    }

    #[test]
    fn rfc9470_3_the_challenge_and_who_meets_it() {
        let both = StepUp { acr: Some(Acr::Muc2), max_age: Some(60) };
        assert_eq!(both.parameters(), ", acr_values=\"urn:vn:eid:muc:2\", max_age=\"60\"");
        assert_eq!(StepUp::default().parameters(), "");
        let rows = [
            (Some(Acr::Muc2), 940, true),
            (Some(Acr::Muc2), 939, false),
            (Some(Acr::Muc1), 1000, false),
            (Some(Acr::XacThuc2), 1000, false),
            (None, 1000, false),
        ];
        for (acr, signed_in, met) in rows {
            assert_eq!(both.is_met(acr, at(signed_in), at(1000)), met, "{acr:?} {signed_in}");
        }
        assert!(StepUp::default().is_met(None, at(0), at(1000)));
        let low = StepUp { acr: Some(Acr::XacThuc1), max_age: None };
        assert!(low.is_met(Some(Acr::Muc2), at(0), at(1000)));
    }
}
