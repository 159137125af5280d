//! What must be proved before a holder changes how they sign in: level 2, within the last minutes (`security.md` N-24).
//! Less would let whoever knows a password make a second factor of their own (SP 800-63B §6.1.2).

use crate::domain::authenticator::level;
use crate::domain::session::Session;
use crate::domain::{Account, AuthenticationLevel, Factor, Moment, Span};

use super::demand::{missing_factors, ways};

/// `security.md` N-24.
pub const WINDOW: Span = Span::minutes(10);

/// What is missing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanting {
    Nothing,
    /// `again`: somebody is signed in here already.
    SignIn {
        again: bool,
    },
    /// One of these, the first being asked for.
    StepUp(Vec<Factor>),
    /// The account has nothing that adds up to level 2.
    OutOfReach,
}

pub fn wanting(here: Option<(&Session, &Account)>, window: Span, now: Moment) -> Wanting {
    let Some((session, account)) = here else { return Wanting::SignIn { again: false } };
    let enough = Some(AuthenticationLevel::Two);
    let fresh = session.acquaintance.since(now - window).factors();
    if level(&fresh) >= enough {
        return Wanting::Nothing;
    }
    let all: Vec<Factor> = fresh.iter().copied().chain(missing_factors(account, &fresh)).collect();
    if level(&all) < enough {
        return Wanting::OutOfReach;
    }
    if !fresh.iter().any(|factor| factor.identifies()) {
        return Wanting::SignIn { again: true };
    }
    Wanting::StepUp(ways(account, &fresh, enough))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::AccountLevel;
    use crate::protocol::fixtures;

    fn now() -> Moment {
        Moment::from_unix(10_000)
    }

    #[test]
    fn n_24_level_two_within_ten_minutes() {
        use Factor::*;
        use Wanting::*;
        type Row = (&'static str, &'static [(Factor, i64)], fn(&mut Account), Wanting);
        let rows: [Row; 14] = [
            ("both just now", &[(Password, 9_900), (SmsOtp, 9_950)], |_| {}, Nothing),
            ("at the limit", &[(Password, 9_400), (SmsOtp, 9_400)], |_| {}, Nothing),
            ("a second too old", &[(Password, 9_399), (SmsOtp, 9_400)], |_| {}, SignIn { again: true }),
            ("an old code", &[(Password, 9_900), (SmsOtp, 9_000)], |_| {}, StepUp(vec![SmsOtp])),
            ("a passkey alone", &[(Passkey, 9_900)], |_| {}, Nothing),
            ("a synced one", &[(SyncedPasskey, 9_900)], |_| {}, Nothing),
            ("a synced one at one", &[(SyncedPasskeyAtOne, 9_900)], |_| {}, StepUp(vec![Password])),
            ("an app first", &[(Password, 9_900)], |a| a.has_totp = true, StepUp(vec![Totp, SmsOtp])),
            (
                "every way there is",
                &[(Password, 9_900)],
                |a| (a.has_totp, a.passkey) = (true, Some(Passkey)),
                StepUp(vec![Totp, SmsOtp, Passkey]),
            ),
            (
                "a passkey where there is no phone",
                &[(Password, 9_900)],
                |a| {
                    (a.has_phone, a.passkey) = (false, Some(SyncedPasskeyAtOne));
                },
                StepUp(vec![SyncedPasskeyAtOne]),
            ),
            ("nothing besides the password", &[(Password, 9_900)], |a| a.has_phone = false, OutOfReach),
            ("not even lately", &[(Password, 1)], |a| a.has_phone = false, OutOfReach),
            ("nobody proved anything", &[], |_| {}, SignIn { again: true }),
            ("codes only", &[(SmsOtp, 9_900)], |_| {}, SignIn { again: true }),
        ];
        for (name, proofs, change, expected) in rows {
            let mut account = fixtures::account(Some(AccountLevel::Two));
            change(&mut account);
            let session = fixtures::session(proofs);
            assert_eq!(wanting(Some((&session, &account)), WINDOW, now()), expected, "{name}");
        }
        assert_eq!(wanting(None, WINDOW, now()), SignIn { again: false });
    }

    proptest! {
        #[test]
        fn whoever_proves_what_is_asked_gets_there(
            phone in any::<bool>(), totp in any::<bool>(), password in any::<bool>(), passkey in 0_usize..3,
            first in 0_usize..3,
        ) {
            let mut account = fixtures::account(Some(AccountLevel::Two));
            (account.has_phone, account.has_totp, account.has_password) = (phone, totp, password);
            account.passkey = [None, Some(Factor::Passkey), Some(Factor::SyncedPasskeyAtOne)][passkey];
            let first = [Factor::Password, Factor::SyncedPasskeyAtOne, Factor::Passkey][first];
            let mut proofs = vec![(first, 9_999)];
            for _ in 0..4 {
                let session = fixtures::session(&proofs);
                match wanting(Some((&session, &account)), WINDOW, now()) {
                    Wanting::StepUp(ways) => {
                        prop_assert!(!ways.is_empty());
                        prop_assert!(proofs.iter().all(|(factor, _)| *factor != ways[0]), "never the same again");
                        proofs.push((ways[0], 9_999));
                    }
                    Wanting::Nothing => {
                        prop_assert!(level(&session.acquaintance.factors()) >= Some(AuthenticationLevel::Two));
                        return Ok(());
                    }
                    Wanting::OutOfReach => return Ok(()),
                    Wanting::SignIn { .. } => prop_assert!(false, "somebody is signed in"),
                }
            }
            prop_assert!(false, "no end");
        }
    }
}
