//! Kinds of factor, what they add up to, and how they are named to a relying party.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::level::AuthenticationLevel;

/// One proof given by the holder in a sign-in. It is stored by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    /// Knowledge: the account's password.
    Password,
    /// Possession: a code sent to the registered phone.
    SmsOtp,
    /// Possession: a code of the holder's authenticator app (RFC 6238).
    Totp,
    /// A passkey that cannot leave its device, its user verified: two factors in one, of which a verifier cannot tell
    /// a fingerprint from a PIN.
    Passkey,
    /// The same, synced between the holder's devices, where policy lets it count as much.
    SyncedPasskey,
    /// A synced passkey where policy counts it as one factor only (`security.md` LG-29).
    SyncedPasskeyAtOne,
    /// The VNeID app on its bound device, unlocked by passcode: possession and knowledge.
    AppPasscode,
    /// The VNeID app on its bound device, unlocked by a face match: possession and a biometric.
    AppFace,
    /// Another provider's sign-in, at the level the configured mapping gives it.
    Upstream(AuthenticationLevel),
}

impl Factor {
    const ALL: [Factor; 12] = [
        Factor::Password,
        Factor::SmsOtp,
        Factor::Totp,
        Factor::Passkey,
        Factor::SyncedPasskey,
        Factor::SyncedPasskeyAtOne,
        Factor::AppPasscode,
        Factor::AppFace,
        Factor::Upstream(AuthenticationLevel::One),
        Factor::Upstream(AuthenticationLevel::Two),
        Factor::Upstream(AuthenticationLevel::Three),
        Factor::Upstream(AuthenticationLevel::Four),
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Factor::Password => "password",
            Factor::SmsOtp => "sms_otp",
            Factor::Totp => "totp",
            Factor::Passkey => "passkey",
            Factor::SyncedPasskey => "synced_passkey",
            Factor::SyncedPasskeyAtOne => "synced_passkey_at_1",
            Factor::AppPasscode => "app_passcode",
            Factor::AppFace => "app_face",
            Factor::Upstream(AuthenticationLevel::One) => "upstream_1",
            Factor::Upstream(AuthenticationLevel::Two) => "upstream_2",
            Factor::Upstream(AuthenticationLevel::Three) => "upstream_3",
            Factor::Upstream(AuthenticationLevel::Four) => "upstream_4",
        }
    }

    pub fn parse(name: &str) -> Option<Factor> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }

    /// Whether it says by itself who is signing in. A code only adds to somebody already known.
    pub const fn identifies(self) -> bool {
        !matches!(self, Factor::SmsOtp | Factor::Totp)
    }

    /// Given by the app, for one interaction and by its number.
    pub const fn is_app(self) -> bool {
        matches!(self, Factor::AppPasscode | Factor::AppFace)
    }

    /// ND69 Art 3(7): something known.
    const fn knows(self) -> bool {
        matches!(self, Factor::Password | Factor::AppPasscode | Factor::Passkey | Factor::SyncedPasskey)
    }

    pub const fn is_passkey(self) -> bool {
        matches!(self, Factor::Passkey | Factor::SyncedPasskey | Factor::SyncedPasskeyAtOne)
    }

    /// ND69 Art 3(7): something held.
    pub const fn holds(self) -> bool {
        !matches!(self, Factor::Password | Factor::Upstream(_))
    }

    /// ND69 Art 3(7): something the holder is.
    const fn is_biometric(self) -> bool {
        matches!(self, Factor::AppFace)
    }

    /// RFC 8176 §2, as `contract.md` 4 fixes it. What another provider did is not ours to name.
    const fn amr(self) -> &'static [&'static str] {
        match self {
            Factor::Password => &["pwd"],
            Factor::SmsOtp => &["otp", "sms"],
            Factor::Totp => &["otp"],
            Factor::Passkey => &["hwk", "pop", "user"],
            Factor::SyncedPasskey | Factor::SyncedPasskeyAtOne => &["pop", "swk", "user"],
            Factor::AppPasscode => &["pin", "pop"],
            Factor::AppFace => &["face", "pop"],
            Factor::Upstream(_) => &[],
        }
    }
}

impl Serialize for Factor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Factor::parse(&name).ok_or_else(|| serde::de::Error::custom("no factor has this name"))
    }
}

/// ND69 Art 3(7): one factor is level 1, two different factors level 2, one of them a biometric level 3, and a biometric
/// with something held and something known level 4. `None` when nothing was proved.
pub fn level(factors: &[Factor]) -> Option<AuthenticationLevel> {
    own_level(factors).max(upstream_level(factors))
}

fn upstream_level(factors: &[Factor]) -> Option<AuthenticationLevel> {
    let told = factors.iter().filter_map(|factor| match factor {
        Factor::Upstream(level) => Some(*level),
        _ => None,
    });
    told.max()
}

fn own_level(factors: &[Factor]) -> Option<AuthenticationLevel> {
    let any = |has: fn(Factor) -> bool| factors.iter().copied().any(has);
    match (any(Factor::knows), any(Factor::holds), any(Factor::is_biometric)) {
        (false, false, false) => None,
        (true, true, true) => Some(AuthenticationLevel::Four),
        (true, _, true) | (_, true, true) => Some(AuthenticationLevel::Three),
        (true, true, false) => Some(AuthenticationLevel::Two),
        _ => Some(AuthenticationLevel::One),
    }
}

/// The `amr` values for a set of factors; two different factors add `mfa`.
pub fn amr(factors: &[Factor]) -> Vec<&'static str> {
    let mut values: Vec<&'static str> = factors.iter().flat_map(|factor| factor.amr().iter().copied()).collect();
    values.sort_unstable();
    values.dedup();
    if own_level(factors) >= Some(AuthenticationLevel::Two) {
        values.push("mfa");
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nd69_art_3_7_factors_add_up_to_a_level() {
        use AuthenticationLevel as N;
        use Factor::*;
        let rows: [(&[Factor], Option<N>, &[&str]); 15] = [
            (&[], None, &[]),
            (&[Password], Some(N::One), &["pwd"]),
            (&[Password, Password], Some(N::One), &["pwd"]),
            (&[SmsOtp], Some(N::One), &["otp", "sms"]),
            (&[Password, SmsOtp], Some(N::Two), &["otp", "pwd", "sms", "mfa"]),
            (&[Password, Totp], Some(N::Two), &["otp", "pwd", "mfa"]),
            (&[SmsOtp, Totp], Some(N::One), &["otp", "sms"]),
            (&[Passkey], Some(N::Two), &["hwk", "pop", "user", "mfa"]),
            (&[SyncedPasskey], Some(N::Two), &["pop", "swk", "user", "mfa"]),
            (&[SyncedPasskeyAtOne], Some(N::One), &["pop", "swk", "user"]),
            (&[Password, SyncedPasskeyAtOne], Some(N::Two), &["pop", "pwd", "swk", "user", "mfa"]),
            (&[AppPasscode], Some(N::Two), &["pin", "pop", "mfa"]),
            (&[AppFace], Some(N::Three), &["face", "pop", "mfa"]),
            (&[AppPasscode, AppFace], Some(N::Four), &["face", "pin", "pop", "mfa"]),
            (&[Upstream(N::Two), SmsOtp], Some(N::Two), &["otp", "sms"]),
        ];
        for (factors, expected, names) in rows {
            assert_eq!(level(factors), expected, "{factors:?}");
            assert_eq!(amr(factors), names, "{factors:?}");
        }
    }

    #[test]
    fn a_factor_is_stored_by_its_name() {
        for factor in Factor::ALL {
            let text = serde_json::to_string(&factor).unwrap();
            assert_eq!(text, format!("\"{}\"", factor.name()));
            assert_eq!(serde_json::from_str::<Factor>(&text).unwrap(), factor);
        }
        assert!(serde_json::from_str::<Factor>("\"palm\"").is_err());
    }
}
