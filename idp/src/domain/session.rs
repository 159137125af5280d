//! Session: this browser's standing sign-in. Acquaintance: which factors were proved, and when.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::authenticator::{self, Factor};
use super::id::Id;
use super::interaction::Interaction;
use super::level::AuthenticationLevel;
use super::moment::{Moment, Span};

/// Factors proved by the holder, each with the time of its last proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acquaintance(Vec<(Factor, Moment)>);

impl Acquaintance {
    pub fn with(mut self, factor: Factor, at: Moment) -> Self {
        self.0.retain(|(known, _)| *known != factor);
        self.0.push((factor, at));
        self
    }

    pub fn proofs(&self) -> impl Iterator<Item = (Factor, Moment)> + '_ {
        self.0.iter().copied()
    }

    pub fn factors(&self) -> Vec<Factor> {
        self.0.iter().map(|(factor, _)| *factor).collect()
    }

    /// Only the proofs given at `threshold` or later.
    pub fn since(&self, threshold: Moment) -> Self {
        Self(self.0.iter().copied().filter(|(_, at)| *at >= threshold).collect())
    }

    pub fn only(mut self, counts: impl Fn(Factor) -> bool) -> Self {
        self.0.retain(|(known, _)| counts(*known));
        self
    }

    pub fn level(&self) -> Option<AuthenticationLevel> {
        authenticator::level(&self.factors())
    }

    /// `auth_time`: the last completed authentication act, step-up included (`contract.md` 4).
    pub fn last(&self) -> Option<Moment> {
        self.0.iter().map(|(_, at)| *at).max()
    }
}

/// For how long a proof opens the acts of self-service that change who can get in (`security.md` N-24).
pub const FRESH_FOR: Span = Span::minutes(10);

/// A proof given within the last minutes. Nothing else makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh(Factor);

impl Fresh {
    pub fn of(factor: Factor, proved_at: Moment, now: Moment) -> Option<Fresh> {
        (now.since(proved_at) < FRESH_FOR).then_some(Fresh(factor))
    }

    pub fn factor(self) -> Factor {
        self.0
    }
}

impl Acquaintance {
    /// The newest proof, if it is fresh.
    pub fn fresh(&self, now: Moment) -> Option<Fresh> {
        let newest = self.proofs().max_by_key(|(_, at)| *at)?;
        Fresh::of(newest.0, newest.1, now)
    }

    pub fn fresh_by(&self, factor: Factor, now: Moment) -> Option<Fresh> {
        self.proofs().find(|(known, _)| *known == factor).and_then(|(known, at)| Fresh::of(known, at, now))
    }
}

/// How long a session lives (`security.md` N-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    pub idle: Span,
    pub absolute: Span,
}

impl SessionLimits {
    /// The longest allowed at an authentication level: 1 h / 24 h at level 1, 15 min / 12 h from level 2.
    pub const fn ceiling(level: AuthenticationLevel) -> Self {
        match level {
            AuthenticationLevel::One => Self { idle: Span::hours(1), absolute: Span::hours(24) },
            _ => Self { idle: Span::minutes(15), absolute: Span::hours(12) },
        }
    }
}

/// Somebody else who acts in a session for its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    pub account: Id<Account>,
    /// The proofs of the session are theirs, not the account's holder's.
    pub proved: bool,
    /// ND69 Art 14(2): each use of a child's or ward's account is confirmed, so a guardian acts in one interaction only.
    pub within: Option<Id<Interaction>>,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub id: Id<Session>,
    pub account: Id<Account>,
    pub acting: Option<Acting>,
    pub acquaintance: Acquaintance,
    pub opened_at: Moment,
    pub seen_at: Moment,
    pub ended_at: Option<Moment>,
}

impl Session {
    /// Whose factors the proofs are, and whose can be asked for.
    pub fn prover(&self) -> &Id<Account> {
        self.acting.as_ref().filter(|acting| acting.proved).map_or(&self.account, |acting| &acting.account)
    }

    /// Whether the session still stands. At the limit itself it has ended.
    pub fn stands(&self, limits: SessionLimits, now: Moment) -> bool {
        self.ended_at.is_none() && now.since(self.seen_at) < limits.idle && now.since(self.opened_at) < limits.absolute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(opened: i64, seen: i64) -> Session {
        Session {
            id: Id::new("s"),
            account: Id::new("a"),
            acting: None,
            acquaintance: Acquaintance::default().with(Factor::Password, Moment::from_unix(opened)),
            opened_at: Moment::from_unix(opened),
            seen_at: Moment::from_unix(seen),
            ended_at: None,
        }
    }

    #[test]
    fn n_23_idle_and_absolute_limits_to_the_second_at_every_level() {
        use AuthenticationLevel as N;
        let rows = [(N::One, 3600, 24 * 3600), (N::Two, 900, 12 * 3600), (N::Three, 900, 12 * 3600)];
        for (level, idle, absolute) in rows.into_iter().chain([(N::Four, 900, 12 * 3600)]) {
            let limits = SessionLimits::ceiling(level);
            assert!(session(0, 0).stands(limits, Moment::from_unix(idle - 1)), "{level:?}");
            assert!(!session(0, 0).stands(limits, Moment::from_unix(idle)), "{level:?}");
            assert!(session(0, absolute - 10).stands(limits, Moment::from_unix(absolute - 1)), "{level:?}");
            assert!(!session(0, absolute - 10).stands(limits, Moment::from_unix(absolute)), "{level:?}");
        }
    }

    #[test]
    fn n_24_a_proof_is_fresh_for_ten_minutes_and_not_a_second_longer() {
        let known = session(0, 0).acquaintance;
        assert_eq!(known.fresh(Moment::from_unix(599)).map(Fresh::factor), Some(Factor::Password));
        assert_eq!(known.fresh(Moment::from_unix(600)), None);
        assert_eq!(Acquaintance::default().fresh(Moment::from_unix(0)), None);
        assert_eq!(known.fresh_by(Factor::SmsOtp, Moment::from_unix(1)), None);
    }

    #[test]
    fn a_proof_replaces_the_older_one_of_its_kind() {
        let known = Acquaintance::default()
            .with(Factor::Password, Moment::from_unix(1))
            .with(Factor::SmsOtp, Moment::from_unix(2))
            .with(Factor::Password, Moment::from_unix(9));
        assert_eq!(known.factors(), [Factor::SmsOtp, Factor::Password]);
        assert_eq!(known.last(), Some(Moment::from_unix(9)));
        assert_eq!(known.since(Moment::from_unix(3)).factors(), [Factor::Password]);
        assert_eq!(known.level(), Some(AuthenticationLevel::Two));
    }
}
