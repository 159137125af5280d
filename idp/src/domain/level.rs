//! The two axes of assurance, which never compare with each other, and the `acr` values that name them.
//!
//! Account level (ND69 Art 7): how the holder was proofed. Authentication level (ND69 Art 3(7)-(8)): which
//! factors were used in this sign-in. `contract.md` 4 fixes the URNs.

use serde::{Deserialize, Serialize};

/// Mức độ tài khoản: how the holder was proofed. Organisations have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountLevel {
    One,
    Two,
}

/// Mức độ xác thực: which factors were used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationLevel {
    One,
    Two,
    Three,
    Four,
}

impl AccountLevel {
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

impl AuthenticationLevel {
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            4 => Some(Self::Four),
            _ => None,
        }
    }
}

/// Both axes as they stand for one holder in one sign-in.
/// `account` is the level that may be *claimed now*: a citizen's two counts only with an active e-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    pub account: Option<AccountLevel>,
    pub authentication: AuthenticationLevel,
}

/// An authentication context class we can state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Acr {
    #[serde(rename = "urn:vn:eid:muc:1")]
    Muc1,
    #[serde(rename = "urn:vn:eid:muc:2")]
    Muc2,
    #[serde(rename = "urn:vn:eid:muc:2:xac-thuc:3")]
    Muc2XacThuc3,
    #[serde(rename = "urn:vn:eid:muc:2:xac-thuc:4")]
    Muc2XacThuc4,
    #[serde(rename = "urn:vn:eid:xac-thuc:1")]
    XacThuc1,
    #[serde(rename = "urn:vn:eid:xac-thuc:2")]
    XacThuc2,
    #[serde(rename = "urn:vn:eid:xac-thuc:3")]
    XacThuc3,
    #[serde(rename = "urn:vn:eid:xac-thuc:4")]
    XacThuc4,
}

impl Acr {
    /// In the order `contract.md` 4 lists them; only what the running configuration can reach.
    pub const ALL: [Acr; 8] = [
        Acr::Muc1,
        Acr::Muc2,
        Acr::Muc2XacThuc3,
        Acr::Muc2XacThuc4,
        Acr::XacThuc1,
        Acr::XacThuc2,
        Acr::XacThuc3,
        Acr::XacThuc4,
    ];

    pub const fn urn(self) -> &'static str {
        match self {
            Acr::Muc1 => "urn:vn:eid:muc:1",
            Acr::Muc2 => "urn:vn:eid:muc:2",
            Acr::Muc2XacThuc3 => "urn:vn:eid:muc:2:xac-thuc:3",
            Acr::Muc2XacThuc4 => "urn:vn:eid:muc:2:xac-thuc:4",
            Acr::XacThuc1 => "urn:vn:eid:xac-thuc:1",
            Acr::XacThuc2 => "urn:vn:eid:xac-thuc:2",
            Acr::XacThuc3 => "urn:vn:eid:xac-thuc:3",
            Acr::XacThuc4 => "urn:vn:eid:xac-thuc:4",
        }
    }

    /// Unknown values are ignored by the caller, never an error (`contract.md` 4).
    pub fn parse(urn: &str) -> Option<Acr> {
        Self::ALL.into_iter().find(|acr| acr.urn() == urn)
    }

    /// The account level this value states, if it speaks of one.
    pub const fn account(self) -> Option<AccountLevel> {
        match self {
            Acr::Muc1 => Some(AccountLevel::One),
            Acr::Muc2 | Acr::Muc2XacThuc3 | Acr::Muc2XacThuc4 => Some(AccountLevel::Two),
            Acr::XacThuc1 | Acr::XacThuc2 | Acr::XacThuc3 | Acr::XacThuc4 => None,
        }
    }

    pub const fn authentication(self) -> AuthenticationLevel {
        match self {
            Acr::Muc1 | Acr::XacThuc1 => AuthenticationLevel::One,
            Acr::Muc2 | Acr::XacThuc2 => AuthenticationLevel::Two,
            Acr::Muc2XacThuc3 | Acr::XacThuc3 => AuthenticationLevel::Three,
            Acr::Muc2XacThuc4 | Acr::XacThuc4 => AuthenticationLevel::Four,
        }
    }

    /// Whether the value is true of `levels`: a higher level satisfies a lower one on both axes.
    pub fn holds(self, levels: Levels) -> bool {
        levels.authentication >= self.authentication()
            && self.account().is_none_or(|needed| levels.account.is_some_and(|has| has >= needed))
    }

    /// What to state when no listed value holds: the strongest `muc` that does, else (organisations) the
    /// strongest authentication level alone.
    pub fn strongest(levels: Levels) -> Acr {
        const DOWNWARDS: [Acr; 7] =
            [Acr::Muc2XacThuc4, Acr::Muc2XacThuc3, Acr::Muc2, Acr::Muc1, Acr::XacThuc4, Acr::XacThuc3, Acr::XacThuc2];
        DOWNWARDS.into_iter().find(|acr| acr.holds(levels)).unwrap_or(Acr::XacThuc1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_4_a_higher_level_satisfies_a_lower_one_and_axes_stay_apart() {
        use AccountLevel as A;
        use AuthenticationLevel as N;
        let rows = [
            (Some(A::One), N::One, vec![Acr::Muc1, Acr::XacThuc1]),
            (Some(A::One), N::Two, vec![Acr::Muc1, Acr::XacThuc1, Acr::XacThuc2]),
            (Some(A::Two), N::One, vec![Acr::Muc1, Acr::XacThuc1]),
            (Some(A::Two), N::Two, vec![Acr::Muc1, Acr::Muc2, Acr::XacThuc1, Acr::XacThuc2]),
            (
                Some(A::Two),
                N::Three,
                vec![Acr::Muc1, Acr::Muc2, Acr::Muc2XacThuc3, Acr::XacThuc1, Acr::XacThuc2, Acr::XacThuc3],
            ),
            (Some(A::Two), N::Four, Acr::ALL.to_vec()),
            (Some(A::One), N::Three, vec![Acr::Muc1, Acr::XacThuc1, Acr::XacThuc2, Acr::XacThuc3]),
            (None, N::Four, vec![Acr::XacThuc1, Acr::XacThuc2, Acr::XacThuc3, Acr::XacThuc4]),
        ];
        for (account, authentication, hold) in rows {
            let levels = Levels { account, authentication };
            for acr in Acr::ALL {
                assert_eq!(acr.holds(levels), hold.contains(&acr), "{acr:?} on {levels:?}");
            }
            assert!(Acr::strongest(levels).holds(levels));
        }
    }

    #[test]
    fn every_urn_parses_back_and_nothing_else_does() {
        for acr in Acr::ALL {
            assert_eq!(Acr::parse(acr.urn()), Some(acr));
        }
        for other in ["", "1", "urn:vn:eid:muc:3", "URN:VN:EID:MUC:1", "urn:vn:eid:muc:2 "] {
            assert_eq!(Acr::parse(other), None);
        }
    }
}
