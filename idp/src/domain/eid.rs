//! Căn cước điện tử: the identity document as data, its lock grounds, and how a lock turns.
//!
//! LCC Art 34: locked while *any* ground is open; every ground but death can be removed; unlocking removes
//! its own ground only.

use std::collections::BTreeSet;

use super::moment::Moment;

/// A ground of LCC Art 34(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockGround {
    /// (a) the holder asks.
    HolderAsks,
    /// (b) the holder breaks the app agreement.
    AgreementBroken,
    /// (c) the card is revoked or held.
    CardWithdrawn,
    /// (d) the holder died. Terminal.
    Death,
    /// (đ) a proceedings body or other competent authority asks.
    AuthorityAsks,
}

impl LockGround {
    pub const ALL: [LockGround; 5] = [
        LockGround::HolderAsks,
        LockGround::AgreementBroken,
        LockGround::CardWithdrawn,
        LockGround::Death,
        LockGround::AuthorityAsks,
    ];

    /// The letter of the law, as the CLI and the trail write it.
    pub const fn letter(self) -> &'static str {
        match self {
            LockGround::HolderAsks => "a",
            LockGround::AgreementBroken => "b",
            LockGround::CardWithdrawn => "c",
            LockGround::Death => "d",
            LockGround::AuthorityAsks => "đ",
        }
    }

    pub fn parse(letter: &str) -> Option<LockGround> {
        Self::ALL.into_iter().find(|ground| ground.letter() == letter)
    }
}

/// Who orders a lock. A portal can only report a suspicion: no constructor takes a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOrder {
    ground: LockGround,
    authority: String,
}

impl LockOrder {
    /// An act of the deciding authority (LCC Art 34(4)), named in `authority`.
    pub fn official(ground: LockGround, authority: impl Into<String>) -> Option<Self> {
        let authority = authority.into();
        (!authority.trim().is_empty()).then_some(Self { ground, authority })
    }

    pub fn ground(&self) -> LockGround {
        self.ground
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// The e-ID of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectronicId {
    grounds: BTreeSet<LockGround>,
    pub issued_at: Moment,
    /// Raised by every change; a save must match it.
    pub version: i64,
}

/// What a lock or unlock order came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The ground was added or removed.
    Changed,
    /// The ground was already there, or was not there: nothing changes.
    Unchanged,
    /// LCC Art 34(2) knows no unlock after death.
    Terminal,
}

impl ElectronicId {
    pub fn new(issued_at: Moment, grounds: impl IntoIterator<Item = LockGround>, version: i64) -> Self {
        Self { grounds: grounds.into_iter().collect(), issued_at, version }
    }

    pub fn is_active(&self) -> bool {
        self.grounds.is_empty()
    }

    pub fn grounds(&self) -> impl Iterator<Item = LockGround> + '_ {
        self.grounds.iter().copied()
    }

    /// LCC Art 34(1): adds the order's ground.
    pub fn lock(&mut self, order: &LockOrder) -> Turned {
        if self.grounds.insert(order.ground) { Turned::Changed } else { Turned::Unchanged }
    }

    /// LCC Art 34(2): removes the order's ground and no other.
    pub fn unlock(&mut self, order: &LockOrder) -> Turned {
        if order.ground == LockGround::Death || self.grounds.contains(&LockGround::Death) {
            return Turned::Terminal;
        }
        if self.grounds.remove(&order.ground) { Turned::Changed } else { Turned::Unchanged }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(ground: LockGround) -> LockOrder {
        LockOrder::official(ground, "C06").unwrap()
    }

    fn any_ground() -> impl Strategy<Value = LockGround> {
        prop::sample::select(LockGround::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn stays_locked_while_any_ground_is_open_and_death_is_terminal(
            steps in prop::collection::vec((any::<bool>(), any_ground()), 0..40)
        ) {
            let mut eid = ElectronicId::new(Moment::from_unix(0), [], 0);
            let mut dead = false;
            for (locks, ground) in steps {
                let before: BTreeSet<_> = eid.grounds().collect();
                if locks {
                    eid.lock(&order(ground));
                    dead |= ground == LockGround::Death;
                    prop_assert!(!eid.is_active());
                } else {
                    eid.unlock(&order(ground));
                    let after: BTreeSet<_> = eid.grounds().collect();
                    prop_assert!(after.is_subset(&before));
                    prop_assert!(before.difference(&after).all(|gone| *gone == ground));
                }
                prop_assert!(!dead || !eid.is_active());
                prop_assert_eq!(eid.is_active(), eid.grounds().count() == 0);
            }
        }
    }

    #[test]
    fn an_order_names_its_authority() {
        assert!(LockOrder::official(LockGround::HolderAsks, "  ").is_none());
    }
}
