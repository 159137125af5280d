use proptest::prelude::*;

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
        has_phone: true,
        has_password: true,
        has_totp: false,
        passkey: None,
        doubts: Default::default(),
        has_app: false,
    }
}

fn session(opened: i64, ended: Option<i64>) -> Session {
    Session {
        id: Id::new("s"),
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
    Asking { client: None, subject: Subject::Holder(account), grant: None, session: None }
}

#[test]
fn nd69_art_14_and_15_each_reason_alone_refuses() {
    let locked = Some(ElectronicId::new(at(0), [LockGround::HolderAsks], 1));
    let rows = [
        (account(), Ok(Some(AccountLevel::Two))),
        (Account { eid: None, ..account() }, Ok(Some(AccountLevel::One))),
        (Account { level: Some(AccountLevel::One), ..account() }, Ok(Some(AccountLevel::One))),
        (Account { holder: Holder::Foreigner, eid: None, ..account() }, Ok(Some(AccountLevel::Two))),
        (Account { holder: Holder::Organisation, ..account() }, Ok(None)),
        (Account { state: AccountState::Granted, ..account() }, Err(Refusal::NotActivated)),
        (Account { eid: locked, ..account() }, Err(Refusal::Locked)),
        (Account { card_expires: Some(at(10)), ..account() }, Err(Refusal::CardExpired)),
        (Account { guardian: Some(Id::new("g")), ..account() }, Err(Refusal::GuardianRequired)),
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
            grant: grant.as_ref(),
            session: session.as_ref().map(|session| (session, limits)),
        };
        let first = may_act(asking, at(now));
        if account.eid.as_ref().is_some_and(|eid| !eid.is_active()) {
            prop_assert!(first.is_err());
        }
        if first.is_err() {
            prop_assert!(may_act(asking, at(now + later)).is_err());
        }
    }
}
