use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::level::AuthenticationLevel;
use crate::domain::relying_party::{AuthMethod, Profile};
use crate::domain::secret::Stored;
use crate::domain::{AccountLevel, Client, Factor, Id};
use crate::protocol::fixtures::{self, at, words};

const SCOPE: &str = "openid profile email offline_access";

fn issued() -> IssuedRefreshToken {
    let (hash, grant) = (Stored::of("r"), Id::new("grant-1"));
    IssuedRefreshToken { hash, grant, issued_at: at(0), expires_at: at(2000), spent_at: None, confirmation: None }
}

fn confidential() -> Client {
    fixtures::client("rp", SCOPE)
}

fn public() -> Client {
    Client { token_endpoint_auth_method: AuthMethod::None, ..confidential() }
}

fn fapi() -> Client {
    let (profile, token_endpoint_auth_method) = (Profile::Fapi2, AuthMethod::PrivateKeyJwt);
    Client { profile, token_endpoint_auth_method, ..confidential() }
}

fn word(turn: &Turn) -> String {
    match turn {
        Turn::Rotate { scope } => format!("rotate {}", scope.join(" ")),
        Turn::Keep { scope } => format!("keep {}", scope.join(" ")),
        Turn::Replay(error) => format!("replay {}", error.code.as_str()),
        Turn::Refuse(error) => error.code.as_str().to_owned(),
    }
}

#[test]
fn rfc6749_6_and_d2_how_a_refresh_turns() {
    let spent = || IssuedRefreshToken { spent_at: Some(at(900)), ..issued() };
    let elsewhere = IssuedRefreshToken { grant: Id::new("grant-2"), ..issued() };
    let no_grant = Client { grant_types: vec![GrantType::AuthorizationCode], ..confidential() };
    let fewer = || fixtures::client("rp", "openid profile offline_access");
    type Row<'a> = (&'a str, IssuedRefreshToken, Client, Option<&'a str>, i64, String);
    let rows: Vec<Row<'_>> = vec![
        ("confidential keeps", issued(), confidential(), None, 1000, format!("keep {SCOPE}")),
        // FAPI 2.0 SP §5.3.2.1: no rotation.
        ("fapi2 keeps", issued(), fapi(), None, 1000, format!("keep {SCOPE}")),
        ("public rotates", issued(), public(), None, 1000, format!("rotate {SCOPE}")),
        ("at the last second", issued(), public(), None, 1999, format!("rotate {SCOPE}")),
        ("expired", issued(), public(), None, 2000, "invalid_grant".into()),
        ("rf_01 rotated before", spent(), public(), None, 1000, "replay invalid_grant".into()),
        ("rf_05 rotated before and expired since", spent(), public(), None, 9000, "replay invalid_grant".into()),
        ("rf_07 another client", issued(), fixtures::client("other", SCOPE), None, 1000, "invalid_grant".into()),
        (
            "rf_07 another client, rotated before",
            spent(),
            fixtures::client("other", SCOPE),
            None,
            1000,
            "invalid_grant".into(),
        ),
        ("another grant", elsewhere, confidential(), None, 1000, "invalid_grant".into()),
        ("rf_08 narrower", issued(), confidential(), Some("email openid email"), 1000, "keep email openid".into()),
        ("rf_08 wider", issued(), confidential(), Some("openid phone"), 1000, "invalid_scope".into()),
        ("nothing but spaces", issued(), confidential(), Some("  "), 1000, format!("keep {SCOPE}")),
        ("rf_10 a scope gone from the client", issued(), fewer(), None, 1000, "invalid_grant".into()),
        ("rf_10 and what is left asked for", issued(), fewer(), Some("openid"), 1000, "keep openid".into()),
        ("the grant type gone", issued(), no_grant, None, 1000, "unauthorized_client".into()),
    ];
    for (name, token, client, scope, now, expected) in rows {
        let grant = fixtures::grant("rp", SCOPE);
        let found = turn(&token, &grant, &fixtures::authenticated(&client), scope, at(now));
        assert_eq!(word(&found), expected, "{name}");
    }
}

#[test]
fn contract_4_acr_only_while_it_still_holds() {
    let mut signed_in = fixtures::authentication(&[(Factor::Password, 900), (Factor::SmsOtp, 950)]);
    signed_in.acr = Acr::Muc2;
    let standing = |level| fixtures::standing(&fixtures::account(level), at(1000)).unwrap();
    assert_eq!(acr_now(&signed_in, standing(Some(AccountLevel::Two))), Some(Acr::Muc2));
    assert_eq!(acr_now(&signed_in, standing(Some(AccountLevel::One))), None);
    // An organisation's is its representative's.
    assert_eq!(acr_now(&signed_in, standing(None)), Some(Acr::Muc2));
    signed_in.acr = Acr::XacThuc2;
    assert_eq!(acr_now(&signed_in, standing(None)), Some(Acr::XacThuc2));
    assert_eq!(signed_in.acquaintance.level(), Some(AuthenticationLevel::Two));
}

#[test]
fn contract_4_a_refresh_token_is_due_exactly_when_offline_was_granted_and_can_be_used() {
    let with = |offline, scope: &str, client: &Client| {
        let grant = Grant { offline, ..fixtures::grant("rp", scope) };
        is_due(&grant, &fixtures::authenticated(client))
    };
    let no_grant = Client { grant_types: vec![GrantType::AuthorizationCode], ..confidential() };
    assert!(with(true, SCOPE, &confidential()));
    assert!(!with(false, SCOPE, &confidential()));
    assert!(!with(true, "openid", &confidential()));
    assert!(!with(true, SCOPE, &no_grant));
}

/// A family as a store would keep it, driven by `turn` alone.
struct Family {
    grant: Grant,
    chain: Vec<IssuedRefreshToken>,
    dead: bool,
}

proptest! {
    #[test]
    fn over_any_history_scope_never_widens_and_a_replay_ends_a_public_family(
        is_public in any::<bool>(),
        granted in prop::sample::subsequence(words(SCOPE), 1..=4),
        steps in prop::collection::vec((any::<usize>(), prop::option::of(prop::sample::subsequence(words("openid profile email phone"), 1..=4)), 0_i64..50), 1..30),
    ) {
        let client = if is_public { public() } else { confidential() };
        let authenticated = fixtures::authenticated(&client);
        let grant = Grant { scope: granted.clone(), ..fixtures::grant("rp", "") };
        let mut family = Family { grant, chain: vec![issued()], dead: false };
        let all: BTreeSet<&String> = granted.iter().collect();
        let mut now = 100;
        for (which, scope, pause) in steps {
            now += pause;
            let place = which % family.chain.len();
            let is_head = place + 1 == family.chain.len();
            let asked = scope.as_ref().map(|scope| scope.join(" "));
            match turn(&family.chain[place], &family.grant, &authenticated, asked.as_deref(), at(now)) {
                Turn::Rotate { scope } => {
                    prop_assert!(is_public && is_head);
                    prop_assert!(scope.iter().collect::<BTreeSet<_>>().is_subset(&all));
                    family.chain[place].spent_at = Some(at(now));
                    family.chain.push(issued());
                }
                Turn::Keep { scope } => {
                    prop_assert!(!is_public);
                    prop_assert!(scope.iter().collect::<BTreeSet<_>>().is_subset(&all));
                }
                Turn::Replay(_) => {
                    prop_assert!(is_public && !is_head);
                    family.dead = true;
                }
                Turn::Refuse(_) => {
                    let wider = scope.is_some_and(|scope| scope.iter().any(|scope| !all.contains(scope)));
                    prop_assert!(wider);
                }
            }
            prop_assert_eq!(&family.grant.scope, &granted);
            // At most one token of the family is ever good.
            prop_assert_eq!(family.chain.iter().filter(|token| token.spent_at.is_none()).count(), 1);
            if family.dead { break; }
        }
    }
}
