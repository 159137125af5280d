//! Kinds of factor, what they add up to, and how they are named to a relying party.

use serde::{Deserialize, Serialize};

use super::level::AuthenticationLevel;

/// One proof given by the holder in a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// Knowledge: the account's password.
    Password,
    /// Possession: a code sent to the registered phone.
    SmsOtp,
}

impl Factor {
    pub const fn name(self) -> &'static str {
        match self {
            Factor::Password => "password",
            Factor::SmsOtp => "sms_otp",
        }
    }

    pub fn parse(name: &str) -> Option<Factor> {
        [Factor::Password, Factor::SmsOtp].into_iter().find(|factor| factor.name() == name)
    }

    /// RFC 8176 §2, as `contract.md` 4 fixes it.
    const fn amr(self) -> &'static [&'static str] {
        match self {
            Factor::Password => &["pwd"],
            Factor::SmsOtp => &["otp", "sms"],
        }
    }
}

/// ND69 Art 3(7): one factor is level 1, two different factors level 2. Levels 3 and 4 need a biometric,
/// which no factor here is. `None` when nothing was proved.
pub fn level(factors: &[Factor]) -> Option<AuthenticationLevel> {
    let knows = factors.contains(&Factor::Password);
    let holds = factors.contains(&Factor::SmsOtp);
    match (knows, holds) {
        (true, true) => Some(AuthenticationLevel::Two),
        (true, false) | (false, true) => Some(AuthenticationLevel::One),
        (false, false) => None,
    }
}

/// The `amr` values for a set of factors; two different factors add `mfa`.
pub fn amr(factors: &[Factor]) -> Vec<&'static str> {
    let mut values: Vec<&'static str> = factors.iter().flat_map(|factor| factor.amr().iter().copied()).collect();
    values.sort_unstable();
    values.dedup();
    if level(factors) >= Some(AuthenticationLevel::Two) {
        values.push("mfa");
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nd69_art_3_7_two_different_factors_make_level_two() {
        use AuthenticationLevel as N;
        use Factor::{Password, SmsOtp};
        let rows: [(&[Factor], Option<N>, &[&str]); 5] = [
            (&[], None, &[]),
            (&[Password], Some(N::One), &["pwd"]),
            (&[Password, Password], Some(N::One), &["pwd"]),
            (&[SmsOtp], Some(N::One), &["otp", "sms"]),
            (&[Password, SmsOtp], Some(N::Two), &["otp", "pwd", "sms", "mfa"]),
        ];
        for (factors, expected, names) in rows {
            assert_eq!(level(factors), expected, "{factors:?}");
            assert_eq!(amr(factors), names, "{factors:?}");
        }
    }
}
