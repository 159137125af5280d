//! Passkeys of an account, without what only the one who verifies them reads.

use super::account::Account;
use super::authenticator::Factor;
use super::id::Id;
use super::moment::Moment;

/// One passkey, as its holder and the rules know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: Id<Passkey>,
    pub account: Id<Account>,
    /// It may be on several devices (WebAuthn §6.1.3, backup eligible). It stays so for its whole life.
    pub synced: bool,
    /// WebAuthn §6.1.1: how often its device signed, where that is counted.
    pub sign_count: i64,
    pub created_at: Moment,
    pub used_at: Option<Moment>,
}

/// The strongest of several, as it surely counts.
pub fn strongest(synced: impl IntoIterator<Item = bool>) -> Option<Factor> {
    let mut strongest = None;
    for synced in synced {
        let factor = if synced { Factor::SyncedPasskeyAtOne } else { Factor::Passkey };
        if strongest != Some(Factor::Passkey) {
            strongest = Some(factor);
        }
    }
    strongest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bound_to_its_device_is_the_strongest() {
        assert_eq!(strongest([]), None);
        assert_eq!(strongest([true, true]), Some(Factor::SyncedPasskeyAtOne));
        for mixed in [[true, false], [false, true]] {
            assert_eq!(strongest(mixed), Some(Factor::Passkey));
        }
    }
}
