//! Linking an account a portal issued itself to the citizen who signs in by VNeID: which of the five states of
//! `domain.md` 2.5 it is in. Agreement of recorded data makes a link possible; only the holder makes it.

/// ND69 Art 9: a portal's own account is a separate object, linked with the holder's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkState {
    NoLocalAccount,
    LinkableVerifiedMatch,
    MismatchNeedsUpdate,
    Linked,
    ConflictTwoLocalAccounts,
}

impl LinkState {
    pub const ALL: [LinkState; 5] = [
        LinkState::NoLocalAccount,
        LinkState::LinkableVerifiedMatch,
        LinkState::MismatchNeedsUpdate,
        LinkState::Linked,
        LinkState::ConflictTwoLocalAccounts,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            LinkState::NoLocalAccount => "no_local_account",
            LinkState::LinkableVerifiedMatch => "linkable_verified_match",
            LinkState::MismatchNeedsUpdate => "mismatch_needs_update",
            LinkState::Linked => "linked",
            LinkState::ConflictTwoLocalAccounts => "conflict_two_local_accounts",
        }
    }
}

/// One account the portal has under the number of the person who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAccount {
    /// To whom the portal linked it already.
    pub linked: LinkedTo,
    /// Its name and birth date are those VNeID vouches for.
    pub agrees: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkedTo {
    Nobody,
    /// The one who signed in.
    This,
    Another,
}

/// The state, from what the portal has under this number or linked to this person.
pub fn state(accounts: &[LocalAccount]) -> LinkState {
    if accounts.iter().any(|account| account.linked == LinkedTo::This) {
        return LinkState::Linked;
    }
    match accounts {
        [] => LinkState::NoLocalAccount,
        [one] if one.linked == LinkedTo::Another => LinkState::ConflictTwoLocalAccounts,
        [one] if one.agrees => LinkState::LinkableVerifiedMatch,
        [_] => LinkState::MismatchNeedsUpdate,
        // Which of two is meant, nobody but an officer with both files can tell.
        _ => LinkState::ConflictTwoLocalAccounts,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: LocalAccount = LocalAccount { linked: LinkedTo::Nobody, agrees: true };
    const OFF: LocalAccount = LocalAccount { linked: LinkedTo::Nobody, agrees: false };
    const MINE: LocalAccount = LocalAccount { linked: LinkedTo::This, agrees: true };
    const TAKEN: LocalAccount = LocalAccount { linked: LinkedTo::Another, agrees: true };

    #[test]
    fn domain_2_5_each_state_from_its_facts() {
        for (accounts, expected) in [
            (&[][..], LinkState::NoLocalAccount),
            (&[FREE], LinkState::LinkableVerifiedMatch),
            (&[OFF], LinkState::MismatchNeedsUpdate),
            (&[MINE], LinkState::Linked),
            (&[LocalAccount { agrees: false, ..MINE }], LinkState::Linked),
            (&[TAKEN], LinkState::ConflictTwoLocalAccounts),
            (&[FREE, OFF], LinkState::ConflictTwoLocalAccounts),
            (&[FREE, FREE], LinkState::ConflictTwoLocalAccounts),
            (&[FREE, MINE], LinkState::Linked),
        ] {
            assert_eq!(state(accounts), expected, "{accounts:?}");
        }
    }

    fn any_account() -> impl Strategy<Value = LocalAccount> {
        let linked = prop_oneof![Just(LinkedTo::Nobody), Just(LinkedTo::This), Just(LinkedTo::Another)];
        (linked, any::<bool>()).prop_map(|(linked, agrees)| LocalAccount { linked, agrees })
    }

    proptest! {
        /// One can be linked only where there is exactly one, it is free, and what is recorded agrees.
        #[test]
        fn domain_2_5_linkable_is_one_free_account_that_agrees(accounts in proptest::collection::vec(any_account(), 0..5)) {
            let linkable = state(&accounts) == LinkState::LinkableVerifiedMatch;
            prop_assert_eq!(linkable, accounts.as_slice() == [FREE]);
        }

        #[test]
        fn domain_2_5_the_order_of_rows_says_nothing(accounts in proptest::collection::vec(any_account(), 0..5)) {
            let turned: Vec<LocalAccount> = accounts.iter().rev().copied().collect();
            prop_assert_eq!(state(&accounts), state(&turned));
        }
    }
}
