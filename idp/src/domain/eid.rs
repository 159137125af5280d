//! Căn cước điện tử: the identity document as data, its lock grounds, and how a lock turns.
//!
//! LCC Art 34: locked while *any* ground is open; every ground but death can be removed; unlocking removes
//! its own ground only.

use std::collections::BTreeSet;

use super::moment::Moment;
use super::session::Fresh;

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

/// What stands as the authority of an order the holder gave.
const OWNER: &str = "holder";

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

    /// LCC Art 34(1)(a): the holder asks, and has just proved to be the holder. Knowing the number proves nothing, so
    /// that locking is no weapon (`security.md` LK-17).
    pub fn owner(_proof: Fresh) -> Self {
        Self { ground: LockGround::HolderAsks, authority: OWNER.to_owned() }
    }

    /// LCC Art 34(2)(a): opening again takes more than closing did, two different proofs.
    pub fn owner_unlocks(one: Fresh, other: Fresh) -> Option<Self> {
        (one.factor() != other.factor()).then(|| Self::owner(one))
    }

    /// ND69 Art 29(1): a fact of a national register locks by itself. `source` is the register that told it.
    pub fn register(ground: LockGround, source: &str) -> Self {
        Self { ground, authority: format!("register: {source}") }
    }

    pub fn ground(&self) -> LockGround {
        self.ground
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }
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

/// The open grounds of an e-ID, or of an account that has none (`domain.md` 6.2: locked from the same signals).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    open: BTreeSet<LockGround>,
    /// Raised by every change; a save must match it.
    pub version: i64,
}

impl Grounds {
    pub fn new(open: impl IntoIterator<Item = LockGround>, version: i64) -> Self {
        Self { open: open.into_iter().collect(), version }
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub fn contains(&self, ground: LockGround) -> bool {
        self.open.contains(&ground)
    }

    pub fn iter(&self) -> impl Iterator<Item = LockGround> + '_ {
        self.open.iter().copied()
    }

    /// LCC Art 34(1): adds the order's ground.
    pub fn lock(&mut self, order: &LockOrder) -> Turned {
        if self.open.insert(order.ground) { Turned::Changed } else { Turned::Unchanged }
    }

    /// LCC Art 34(2): removes the order's ground and no other.
    pub fn unlock(&mut self, order: &LockOrder) -> Turned {
        if order.ground == LockGround::Death || self.contains(LockGround::Death) {
            return Turned::Terminal;
        }
        if self.open.remove(&order.ground) { Turned::Changed } else { Turned::Unchanged }
    }
}

/// The e-ID of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectronicId {
    pub locks: Grounds,
    pub issued_at: Moment,
}

impl ElectronicId {
    pub fn new(issued_at: Moment, grounds: impl IntoIterator<Item = LockGround>, version: i64) -> Self {
        Self { locks: Grounds::new(grounds, version), issued_at }
    }

    pub fn is_active(&self) -> bool {
        self.locks.is_empty()
    }

    pub fn grounds(&self) -> impl Iterator<Item = LockGround> + '_ {
        self.locks.iter()
    }

    pub fn version(&self) -> i64 {
        self.locks.version
    }

    pub fn lock(&mut self, order: &LockOrder) -> Turned {
        self.locks.lock(order)
    }

    pub fn unlock(&mut self, order: &LockOrder) -> Turned {
        self.locks.unlock(order)
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

    #[test]
    fn lk_17_the_holder_locks_by_one_fresh_proof_and_opens_by_two() {
        use crate::domain::Factor;
        use crate::domain::session::Acquaintance;
        let at = Moment::from_unix;
        let known = Acquaintance::default().with(Factor::Password, at(0)).with(Factor::SmsOtp, at(10));
        let (password, code) = (known.fresh_by(Factor::Password, at(599)), known.fresh_by(Factor::SmsOtp, at(599)));
        let (password, code) = (password.unwrap(), code.unwrap());
        assert_eq!(LockOrder::owner(code).ground(), LockGround::HolderAsks);
        assert!(LockOrder::owner_unlocks(password, password).is_none());
        assert!(LockOrder::owner_unlocks(password, code).is_some());
    }
}
