use proptest::prelude::*;

use super::super::birth::Birth;
use super::super::circumstances::Circumstances;
use super::super::eid::{ElectronicId, Grounds, LockGround};
use super::super::grant::Party;
use super::super::id::Id;
use super::super::moment::Span;
use super::super::request::ClaimsRequest;
use super::super::session::Acquaintance;
use super::*;

fn at(seconds: i64) -> Moment {
    Moment::from_unix(seconds)
}

fn account() -> Account {
    Account {
        id: Id::new("a"),
        holder: Holder::Citizen,
        level: Some(AccountLevel::Two),
        state: AccountState::Activated,
        eid: Some(ElectronicId::new(at(0), [], 1)),
        own_locks: Grounds::default(),
        card_expires: Some(at(1000)),
        guardian: None,
        circumstances: Circumstances::default(),
        has_phone: true,
        has_password: true,
        has_totp: false,
        passkey: None,
        doubts: Default::default(),
        has_app: false,
    }
}

fn with(change: impl Fn(&mut Circumstances)) -> Account {
    let mut account = account();
    change(&mut account.circumstances);
    account
}

fn foreign(change: impl Fn(&mut Circumstances)) -> Account {
    Account { holder: Holder::Foreigner, eid: None, card_expires: None, ..with(change) }
}

fn session(opened: i64, ended: Option<i64>) -> Session {
    Session {
        id: Id::new("s"),
        acting: None,
        account: Id::new("a"),
        acquaintance: Acquaintance::default(),
        opened_at: at(opened),
        seen_at: at(opened),
        ended_at: ended.map(at),
    }
}

fn grant(offline: bool, revoked: Option<i64>) -> Grant {
    Grant {
        id: Id::new("g"),
        client: Id::new("c"),
        party: Party::ClientItself,
        scope: vec![],
        claims: ClaimsRequest::default(),
        service: None,
        resources: Vec::new(),
        transaction: None,
        offline,
        opened_at: at(0),
        revoked_at: revoked.map(at),
    }
}

fn of(account: &Account) -> Asking<'_> {
    Asking { client: None, subject: Subject::Holder(account), actor: None, grant: None, session: None }
}

#[test]
fn nd69_art_14_and_15_each_reason_alone_refuses() {
    let locked = Some(ElectronicId::new(at(0), [LockGround::HolderAsks], 1));
    let rows = [
        (account(), Ok(Some(AccountLevel::Two))),
        (Account { eid: None, ..account() }, Ok(Some(AccountLevel::One))),
        (Account { level: Some(AccountLevel::One), ..account() }, Ok(Some(AccountLevel::One))),
        (Account { holder: Holder::Foreigner, eid: None, ..account() }, Ok(Some(AccountLevel::Two))),
        // ND69 Art 12: an organisation acts through a person only.
        (
            Account { holder: Holder::Organisation, eid: None, level: None, ..account() },
            Err(Refusal::RepresentativeRequired),
        ),
        (Account { state: AccountState::Granted, ..account() }, Err(Refusal::NotActivated)),
        (Account { eid: locked, ..account() }, Err(Refusal::Locked)),
        (Account { card_expires: Some(at(10)), ..account() }, Err(Refusal::CardExpired)),
        (Account { guardian: Some(Id::new("g")), ..account() }, Err(Refusal::GuardianRequired)),
        (with(|own| own.ward = true), Err(Refusal::GuardianRequired)),
        (with(|own| own.born = Birth::parse("1969-01-01")), Err(Refusal::GuardianRequired)),
        (with(|own| own.born = Birth::parse("1950-01-01")), Ok(Some(AccountLevel::Two))),
        (
            Account { own_locks: Grounds::new([LockGround::HolderAsks], 1), eid: None, ..account() },
            Err(Refusal::Locked),
        ),
        (foreign(|own| own.permit_expires = Some(at(10))), Err(Refusal::PermitExpired)),
        (foreign(|own| own.permit_expires = Some(at(11))), Ok(Some(AccountLevel::Two))),
        (foreign(|own| own.passport_expires = Some(at(10))), Err(Refusal::PassportExpired)),
        (
            Account { own_locks: Grounds::new([LockGround::AgreementBroken], 1), ..foreign(|_| {}) },
            Err(Refusal::Locked),
        ),
        // Another holder's timers say nothing of a citizen.
        (with(|own| (own.permit_expires, own.dissolved_at) = (Some(at(1)), Some(at(1)))), Ok(Some(AccountLevel::Two))),
    ];
    for (account, expected) in rows {
        assert_eq!(may_act(of(&account), at(10)).map(Standing::account_level), expected, "{account:?}");
    }
    assert_eq!(may_act(of(&account()), at(999)).map(Standing::account_level), Ok(Some(AccountLevel::Two)));
    assert_eq!(may_act(of(&account()), at(1000)), Err(Refusal::CardExpired));
}

#[test]
fn d5_client_grant_and_session_are_looked_at_on_every_path() {
    let account = account();
    let limits = SessionLimits { idle: Span::seconds(5), absolute: Span::seconds(100) };
    for status in [ClientStatus::Suspended, ClientStatus::Closed] {
        let asking = Asking { client: Some(status), ..of(&account) };
        assert_eq!(may_act(asking, at(10)), Err(Refusal::ClientNotLive));
        let own = Asking { subject: Subject::ClientItself, ..asking };
        assert_eq!(may_act(own, at(10)), Err(Refusal::ClientNotLive));
    }
    assert_eq!(may_act(Asking { subject: Subject::Missing, ..of(&account) }, at(10)), Err(Refusal::NoAccount));
    // (offline, revoked, opened, ended) at 100 s
    let rows = [
        (false, None, 50, None, Ok(())),
        (false, Some(60), 50, None, Err(Refusal::GrantRevoked)),
        (true, Some(60), 50, None, Err(Refusal::GrantRevoked)),
        (false, None, 50, Some(60), Err(Refusal::SessionEnded)),
        (false, None, 0, None, Err(Refusal::SessionEnded)),
        (false, None, -50, None, Err(Refusal::SessionEnded)),
        (false, None, 1, None, Ok(())),
        (true, None, 0, Some(60), Ok(())),
    ];
    for (offline, revoked, opened, ended, expected) in rows {
        let (grant, session) = (grant(offline, revoked), session(opened, ended));
        let asking = Asking { grant: Some(&grant), session: Some((&session, limits)), ..of(&account) };
        assert_eq!(may_act(asking, at(100)).map(|_| ()), expected, "{grant:?} {session:?}");
    }
    // A session nobody can find has ended.
    let (bound, offline) = (grant(false, None), grant(true, None));
    let lost = |grant| may_act(Asking { grant: Some(grant), ..of(&account) }, at(100)).map(|_| ());
    assert_eq!((lost(&bound), lost(&offline)), (Err(Refusal::SessionEnded), Ok(())));
    let own = Asking { subject: Subject::ClientItself, grant: Some(&bound), ..of(&account) };
    assert!(may_act(own, at(100)).is_ok());
}

prop_compose! {
    fn any_account()(
        holder in prop::sample::select(vec![Holder::Citizen, Holder::Foreigner, Holder::Organisation]),
        level in prop::option::of(prop::sample::select(vec![AccountLevel::One, AccountLevel::Two])),
        activated in prop::bool::weighted(0.8),
        grounds in prop::option::of(prop::collection::btree_set(prop::sample::select(LockGround::ALL.to_vec()), 0..3)),
        card_expires in prop::option::of(0_i64..8),
        ward in prop::bool::weighted(0.2),
    ) -> Account {
        Account {
            holder,
            level,
            state: if activated { AccountState::Activated } else { AccountState::Granted },
            eid: grounds.map(|grounds| ElectronicId::new(at(0), grounds, 1)),
            own_locks: Grounds::default(),
            card_expires: card_expires.map(at),
            guardian: ward.then(|| Id::new("g")),
            ..account()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn locked_never_acts_and_later_time_never_revives(
        account in any_account(),
        status in prop::option::of(prop::sample::select(vec![ClientStatus::Live, ClientStatus::Suspended])),
        grant_facts in prop::option::of((any::<bool>(), prop::option::of(0_i64..8))),
        session_facts in prop::option::of((0_i64..8, prop::option::of(0_i64..8))),
        now in 0_i64..10,
        later in 0_i64..10,
    ) {
        let grant = grant_facts.map(|(offline, revoked)| grant(offline, revoked));
        let session = session_facts.map(|(opened, ended)| session(opened, ended));
        let limits = SessionLimits { idle: Span::seconds(2), absolute: Span::seconds(4) };
        let asking = Asking {
            client: status,
            subject: Subject::Holder(&account),
            actor: None,
            grant: grant.as_ref(),
            session: session.as_ref().map(|session| (session, limits)),
        };
        let first = may_act(asking, at(now));
        if account.eid.as_ref().is_some_and(|eid| !eid.is_active()) {
            prop_assert!(first.is_err());
        }
        // Only coming of age opens by time alone, and no such account is made here.
        if first.is_err() {
            prop_assert!(may_act(asking, at(now + later)).is_err());
        }
    }
}

/// Every way in which somebody who acts can be, for every kind of subject: 3 x 4 x 3 x 2 x 9 combinations.
#[test]
fn nd69_art_12_and_14_who_may_act_for_whom_in_every_combination() {
    let now = at(10);
    let young = Birth::parse("1960-01-01"); // ten years old
    let old = Birth::parse("1950-01-01");
    let person = |change: fn(&mut Account)| {
        let mut person = Account { id: Id::new("g"), ..account() };
        change(&mut person);
        person
    };
    // With whether they are fit to act for anybody.
    let actors: [(Option<Account>, bool); 9] = [
        (Some(person(|_| {})), true),
        (Some(person(|p| (p.holder, p.eid) = (Holder::Foreigner, None))), true),
        (Some(person(|p| p.level = Some(AccountLevel::One))), false),
        (Some(person(|p| p.eid = Some(ElectronicId::new(at(0), [LockGround::CardWithdrawn], 1)))), false),
        (Some(person(|p| p.state = AccountState::Granted)), false),
        (Some(person(|p| p.card_expires = Some(at(10)))), false),
        (Some(person(|p| p.circumstances.ward = true)), false),
        (Some(person(|p| (p.holder, p.eid, p.level) = (Holder::Organisation, None, None))), false),
        (None, false),
    ];
    let mut seen = 0;
    for holder in [Holder::Citizen, Holder::Foreigner, Holder::Organisation] {
        for (born, ward, needs) in [(None, false, false), (young, false, false), (old, true, true), (old, false, false)]
        {
            for guardian in [None, Some("g"), Some("other")] {
                for represents in [false, true] {
                    for (actor, fit) in &actors {
                        let mut subject = Account { holder, guardian: guardian.map(Id::new), ..account() };
                        (subject.circumstances.born, subject.circumstances.ward) = (born, ward);
                        if holder != Holder::Citizen {
                            subject.eid = None;
                        }
                        let needs = needs || born == young || (born.is_none() && guardian.is_some());
                        let alone = may_act(of(&subject), now);
                        let acting =
                            Asking { actor: Some(Actor { account: actor.as_ref(), represents }), ..of(&subject) };
                        let acting = may_act(acting, now);
                        let context = format!("{holder:?} {born:?} {ward} {guardian:?} {represents} {actor:?}");
                        if holder == Holder::Organisation {
                            assert_eq!(alone, Err(Refusal::RepresentativeRequired), "{context}");
                            let expected = *fit && represents;
                            assert_eq!(acting.is_ok(), expected, "{context}");
                            if let Ok(standing) = acting {
                                assert_eq!(standing.account_level(), Some(AccountLevel::Two));
                                assert_eq!(standing.stated_level(), None);
                            }
                        } else {
                            assert_eq!(alone.is_ok(), !needs, "{context}");
                            assert_eq!(acting.is_ok(), *fit && guardian == Some("g"), "{context}");
                            assert!(acting.is_ok() || acting == Err(Refusal::GuardianRequired), "{context}");
                        }
                        seen += 1;
                    }
                }
            }
        }
    }
    assert_eq!(seen, 3 * 4 * 3 * 2 * 9);
    // Nobody is their own guardian.
    let own = Account { guardian: Some(Id::new("a")), ..account() };
    let asking = Asking { actor: Some(Actor { account: Some(&own), represents: true }), ..of(&own) };
    assert_eq!(may_act(asking, now), Err(Refusal::GuardianRequired));
}

/// What locks the subject locks it for whoever acts, too.
#[test]
fn nd69_art_15_a_closed_account_is_closed_for_whoever_acts() {
    let person = Account { id: Id::new("g"), ..account() };
    let actor = Some(Actor { account: Some(&person), represents: true });
    let child = Account { guardian: Some(Id::new("g")), ..with(|own| own.ward = true) };
    let firm = Account { holder: Holder::Organisation, eid: None, level: None, ..account() };
    let mut dissolved = firm.clone();
    dissolved.circumstances.dissolved_at = Some(at(10));
    let mut locked = firm.clone();
    locked.own_locks = Grounds::new([LockGround::HolderAsks], 1);
    for (subject, before, after) in [
        (child.clone(), Ok(()), Ok(())),
        (Account { card_expires: Some(at(10)), ..child.clone() }, Ok(()), Err(Refusal::CardExpired)),
        (
            Account { eid: Some(ElectronicId::new(at(0), [LockGround::Death], 1)), ..child },
            Err(Refusal::Locked),
            Err(Refusal::Locked),
        ),
        (firm, Ok(()), Ok(())),
        (dissolved, Ok(()), Err(Refusal::Dissolved)),
        (locked, Err(Refusal::Locked), Err(Refusal::Locked)),
    ] {
        let asking = Asking { actor, ..of(&subject) };
        assert_eq!(may_act(asking, at(9)).map(|_| ()), before, "{subject:?}");
        assert_eq!(may_act(asking, at(10)).map(|_| ()), after, "{subject:?}");
    }
}
