//! The life of an account (`domain.md` 6.2) as a model: every event in every state, clocks given, held against a second
//! reading of the rule; and what died, which no later event or hour brings back (`security.md` 5, property 2).

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::eid::{ElectronicId, Grounds, LockGround, LockOrder, Turned};
use super::super::grant::Party;
use super::super::id::Id;
use super::super::moment::Span;
use super::super::request::ClaimsRequest;
use super::*;

const NOW: i64 = 1_000;

fn at(seconds: i64) -> Moment {
    Moment::from_unix(seconds)
}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Activated,
    Upgraded,
    Locked(LockGround),
    Unlocked(LockGround),
    CardRenewed,
    CardExpired,
    GuardianNamed,
    GuardianGone,
    /// Time alone, past the end of the card.
    Passes,
}

impl Happens {
    fn all() -> Vec<Happens> {
        let grounds = LockGround::ALL.into_iter();
        let turns = grounds.flat_map(|ground| [Happens::Locked(ground), Happens::Unlocked(ground)]);
        turns
            .chain([
                Happens::Activated,
                Happens::Upgraded,
                Happens::CardRenewed,
                Happens::CardExpired,
                Happens::GuardianNamed,
                Happens::GuardianGone,
                Happens::Passes,
            ])
            .collect()
    }
}

/// The account as the rules see it, beside the same facts kept plainly.
#[derive(Clone, Debug)]
struct Life {
    account: Account,
    now: Moment,
    grounds: BTreeSet<LockGround>,
    expires: Option<i64>,
    activated: bool,
    ward: bool,
}

fn order(ground: LockGround) -> LockOrder {
    LockOrder::official(ground, "C06").unwrap()
}

impl Life {
    fn new((activated, has_eid, ward): (bool, bool, bool), mask: usize, expires: Option<i64>) -> Life {
        let open = (0..).zip(LockGround::ALL).filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, ground)| ground);
        let grounds: BTreeSet<LockGround> = open.collect();
        let eid = has_eid.then(|| ElectronicId::new(at(0), grounds.iter().copied(), 1));
        let own_locks = if has_eid { Grounds::default() } else { Grounds::new(grounds.iter().copied(), 1) };
        let account = Account {
            circumstances: Default::default(),
            id: Id::new("a"),
            holder: Holder::Citizen,
            level: Some(if has_eid { AccountLevel::Two } else { AccountLevel::One }),
            state: if activated { AccountState::Activated } else { AccountState::Granted },
            eid,
            own_locks,
            card_expires: expires.map(at),
            guardian: ward.then(|| Id::new("g")),
            has_phone: true,
            has_password: true,
            has_totp: false,
            passkey: None,
            has_app: false,
            doubts: Default::default(),
        };
        Life { account, now: at(NOW), grounds, expires, activated, ward }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Activated => {
                self.account.state = AccountState::Activated;
                self.activated = true;
            }
            Happens::Upgraded => {
                // ND69 Art 28(2): the e-ID comes with level 2, and whatever is open stays open.
                if self.account.eid.is_none() {
                    let open: Vec<LockGround> = self.account.own_locks.iter().collect();
                    self.account.eid = Some(ElectronicId::new(self.now, open, self.account.own_locks.version));
                    self.account.own_locks = Grounds::default();
                }
                self.account.level = Some(AccountLevel::Two);
            }
            Happens::Locked(ground) => {
                assert_ne!(self.account.lock(&order(ground)), Turned::Terminal);
                self.grounds.insert(ground);
            }
            Happens::Unlocked(ground) => {
                let terminal = ground == LockGround::Death || self.grounds.contains(&LockGround::Death);
                assert_eq!(self.account.unlock(&order(ground)) == Turned::Terminal, terminal);
                if !terminal {
                    self.grounds.remove(&ground);
                }
            }
            Happens::CardRenewed => {
                self.expires = Some(self.now.unix() + 500);
                self.account.card_expires = self.expires.map(at);
            }
            Happens::CardExpired => {
                self.expires = Some(self.now.unix());
                self.account.card_expires = self.expires.map(at);
            }
            Happens::GuardianNamed => {
                self.account.guardian = Some(Id::new("g"));
                self.ward = true;
            }
            Happens::GuardianGone => {
                self.account.guardian = None;
                self.ward = false;
            }
            Happens::Passes => self.now = self.now + Span::seconds(600),
        }
    }

    /// `domain.md` 6.2 read once more: activated, no ground open, card not expired, nobody else's to confirm.
    fn expected(&self) -> Option<Refusal> {
        match () {
            () if !self.activated => Some(Refusal::NotActivated),
            () if !self.grounds.is_empty() => Some(Refusal::Locked),
            () if self.expires.is_some_and(|end| end <= self.now.unix()) => Some(Refusal::CardExpired),
            () if self.ward => Some(Refusal::GuardianRequired),
            () => None,
        }
    }

    fn standing(&self) -> Result<Standing, Refusal> {
        may_act(
            Asking { client: None, subject: Subject::Holder(&self.account), actor: None, grant: None, session: None },
            self.now,
        )
    }

    fn check(&self, what: &dyn std::fmt::Debug) {
        assert_eq!(self.standing().err(), self.expected(), "{what:?} in {self:?}");
        if let Ok(standing) = self.standing() {
            let two = standing.account_level() == Some(AccountLevel::Two);
            assert!(!two || self.account.eid.as_ref().is_some_and(ElectronicId::is_active), "{self:?}");
        }
    }
}

#[test]
fn domain_6_2_every_event_in_every_state() {
    let mut seen = 0;
    for mask in 0..32 {
        for expires in [None, Some(NOW - 1), Some(NOW), Some(NOW + 1), Some(NOW + 10_000)] {
            for bits in 0..8 {
                let life = Life::new((bits & 1 != 0, bits & 2 != 0, bits & 4 != 0), mask, expires);
                life.check(&"the state itself");
                for what in Happens::all() {
                    let mut then = life.clone();
                    then.happens(what);
                    then.check(&what);
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 32 * 5 * 8 * 17);
}

fn grant(revoked: Option<Moment>) -> Grant {
    Grant {
        id: Id::new("g"),
        client: Id::new("c"),
        party: Party::ClientItself,
        scope: vec![],
        claims: ClaimsRequest::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        offline: true,
        opened_at: at(0),
        revoked_at: revoked,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A grant of before any lock is dead for ever, whatever happens afterwards; and after a death nobody acts again.
    #[test]
    fn property_2_what_died_stays_dead(events in prop::collection::vec(prop::sample::select(Happens::all()), 1..40)) {
        let mut life = Life::new((true, true, false), 0, None);
        let (mut revoked, mut died) = (None, false);
        for what in events {
            let open_before = !life.account.is_locked();
            life.happens(what);
            // As the journeys do it: a ground that is new, or a card that ends or is replaced after its end, ends everything.
            let locks = matches!(what, Happens::Locked(_)) && (open_before || life.account.is_locked());
            if locks || what == Happens::CardExpired {
                revoked = revoked.or(Some(life.now));
            }
            died |= what == Happens::Locked(LockGround::Death);
            life.check(&what);
            let kept = grant(revoked);
            let asking = Asking {
                actor: None,
                client: Some(ClientStatus::Live),
                subject: Subject::Holder(&life.account),
                grant: Some(&kept),
                session: None,
            };
            prop_assert!(revoked.is_none() || may_act(asking, life.now).is_err());
            prop_assert!(!died || life.standing().is_err());
        }
    }
}
