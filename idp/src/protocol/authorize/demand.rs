//! Which levels a request demands or wishes, and what is missing for them (`contract.md` 4, "acr").
//!
//! A floor or an essential list must hold or the request fails; a wish is pursued as far as the holder can go and
//! never fails.

use crate::domain::authenticator;
use crate::domain::level::{Acr, Levels};
use crate::domain::relying_party::Floor;
use crate::domain::request::AuthorizationRequest;
use crate::domain::{Account, AccountLevel, AuthenticationLevel, Client, Factor};

use super::next::{Shortfall, ShortfallKind};

/// ND69 Art 14(3): what is done through the account counts as the holder's own act, so an approval takes two factors.
const APPROVES: AuthenticationLevel = AuthenticationLevel::Two;

/// Everything a request says about levels.
pub(super) struct Demands {
    floor: Floor,
    /// Of each list one value must hold.
    lists: Vec<Vec<Acr>>,
    /// Pursued in this order where reachable.
    wishes: Vec<Acr>,
}

/// Where the holder stands and could get to in this sign-in.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub account: Option<AccountLevel>,
    /// What the counting proofs add up to.
    pub now: AuthenticationLevel,
    /// With every factor the holder has.
    pub most: AuthenticationLevel,
}

impl Reach {
    pub(super) fn of(account: &Account, level: Option<AccountLevel>, proved: &[Factor]) -> Option<Self> {
        let mut all = proved.to_vec();
        all.extend(missing_factors(account, proved));
        Some(Self { account: level, now: authenticator::level(proved)?, most: authenticator::level(&all)? })
    }

    fn levels_now(self) -> Levels {
        Levels { account: self.account, authentication: self.now }
    }

    fn holds(self, acr: Acr) -> bool {
        acr.holds(self.levels_now())
    }

    fn reaches(self, acr: Acr) -> bool {
        acr.holds(Levels { account: self.account, authentication: self.most })
    }

    fn has_account(self, needed: Option<AccountLevel>) -> bool {
        needed.is_none_or(|needed| self.account.is_some_and(|has| has >= needed))
    }
}

/// Factors the holder has and did not prove, in the order they are asked for.
pub(super) fn missing_factors(account: &Account, proved: &[Factor]) -> impl Iterator<Item = Factor> {
    let has = [
        (Factor::Password, account.has_password),
        (Factor::Totp, account.has_totp),
        (Factor::SmsOtp, account.has_phone),
        (Factor::AppPasscode, account.has_app),
        (Factor::AppFace, account.has_app),
    ];
    // One passkey proved is as good as another that counts no more.
    let passkey = account.passkey.filter(|passkey| {
        let at_least = authenticator::level(&[*passkey]);
        !proved.iter().any(|factor| factor.is_passkey() && authenticator::level(&[*factor]) >= at_least)
    });
    has.into_iter()
        .filter(|(factor, has)| *has && !proved.contains(factor))
        .map(|(factor, _)| factor)
        .chain(passkey)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The factors worth asking for next on the way to `wanted`, in the order they are asked for: those that get there by
/// themselves, so that nothing is asked that does not help; else those that get furthest.
pub fn ways(account: &Account, proved: &[Factor], wanted: Option<AuthenticationLevel>) -> Vec<Factor> {
    let with = |factor: &Factor| authenticator::level(&[proved, &[*factor]].concat());
    let missing: Vec<Factor> = missing_factors(account, proved).collect();
    let mut enough: Vec<Factor> = missing.iter().copied().filter(|factor| with(factor) >= wanted).collect();
    // A password is what one signs in by: as a second factor it comes after a code or the app, but before another passkey,
    // which may be on another device.
    enough.sort_by_key(|factor| (factor.is_passkey(), *factor == Factor::Password));
    if !enough.is_empty() {
        return enough;
    }
    let furthest = missing.iter().map(with).max();
    missing.into_iter().filter(|factor| Some(with(factor)) == furthest).collect()
}

/// The authentication level a request would have of this holder, beside what was proved already.
pub fn wanted(
    (request, client): (&AuthorizationRequest, &Client),
    (account, level): (&Account, Option<AccountLevel>),
    proved: &[Factor],
) -> Option<AuthenticationLevel> {
    // Nobody signs in by less than one factor: the reach of a stranger is that of the factors the holder has.
    let all: Vec<Factor> = proved.iter().copied().chain(missing_factors(account, proved)).collect();
    let most = authenticator::level(&all)?;
    let now = authenticator::level(proved).unwrap_or(AuthenticationLevel::One);
    Demands::of(request, client).target(Reach { account: level, now, most })
}

impl Demands {
    pub(super) fn of(request: &AuthorizationRequest, client: &Client) -> Self {
        let approval = Floor { authentication: request.transaction.as_ref().map(|_| APPROVES), ..Floor::default() };
        let floor = client.floor_of(request.service.as_deref()).and(approval);
        let known = |values: &[String]| values.iter().filter_map(|urn| Acr::parse(urn)).collect::<Vec<_>>();
        let (mut lists, mut wishes) = (Vec::new(), Vec::new());
        let claim = request.claims.acr.as_ref().filter(|claim| !claim.values.is_empty());
        if let Some(claim) = claim {
            let values: Vec<Acr> =
                claim.values.iter().filter_map(|value| value.as_str().and_then(Acr::parse)).collect();
            // OIDC Core §5.5.1.1: an essential list holds or the sign-in fails, also when we know none of its values.
            if claim.essential { lists.push(values) } else { wishes.extend(values) }
        }
        let asked = known(&request.acr_values);
        if asked.is_empty() {
            if claim.is_none() {
                wishes.extend(known(&client.default_acr_values));
            }
        } else if client.acr_demand {
            lists.push(asked);
        } else {
            wishes.extend(asked);
        }
        Self { floor, lists, wishes }
    }

    /// What can never hold for this holder, if anything. The account is named before the sign-in, since no factor mends it.
    pub(super) fn shortfall(&self, reach: Reach) -> Option<Shortfall> {
        let beyond: Vec<&Vec<Acr>> =
            self.lists.iter().filter(|list| !list.iter().any(|acr| reach.reaches(*acr))).collect();
        let floor_account = !reach.has_account(self.floor.account);
        let floor_factors = self.floor.authentication > Some(reach.most);
        if beyond.is_empty() && !floor_account && !floor_factors {
            return None;
        }
        let lacks_account =
            |list: &Vec<Acr>| !list.is_empty() && !list.iter().any(|acr| reach.has_account(acr.account()));
        let by_account = floor_account || beyond.iter().any(|list| lacks_account(list));
        // The least that would do: of every list the value that asks least of the account, then of the sign-in.
        let needed = beyond.iter().fold(self.floor, |needed, list| {
            let least = list.iter().map(|acr| (acr.account(), acr.authentication())).min();
            needed.and(least.map_or_else(Floor::default, |(account, authentication)| Floor {
                account,
                authentication: Some(authentication),
            }))
        });
        let kind = if by_account { ShortfallKind::Account } else { ShortfallKind::Authentication };
        Some(Shortfall { kind, needed })
    }

    /// The authentication level demanded, given that nothing is beyond reach: the floor, and of each list none of whose
    /// values holds yet the first that can.
    pub(super) fn demanded(&self, reach: Reach) -> Option<AuthenticationLevel> {
        let unmet = self.lists.iter().filter(|list| !list.iter().any(|acr| reach.holds(*acr)));
        unmet.filter_map(|list| first_reachable(list, reach)).max().max(self.floor.authentication)
    }

    /// The authentication level to aim at when the holder can be asked: every list's first reachable value, and the
    /// first reachable wish.
    pub(super) fn target(&self, reach: Reach) -> Option<AuthenticationLevel> {
        let lists = self.lists.iter().filter_map(|list| first_reachable(list, reach)).max();
        lists.max(first_reachable(&self.wishes, reach)).max(self.floor.authentication)
    }

    /// What to state: the first listed value that holds, preferring one that says enough for every demand; else the
    /// strongest that holds.
    pub(super) fn acr(&self, reach: Reach) -> Acr {
        let listed = || self.lists.iter().flatten().chain(&self.wishes).copied().filter(|acr| reach.holds(*acr));
        let says_enough = |acr: &Acr| {
            let said = Levels { account: acr.account(), authentication: acr.authentication() };
            self.lists.iter().all(|list| list.iter().any(|demanded| demanded.holds(said)))
        };
        listed().find(says_enough).or_else(|| listed().next()).unwrap_or_else(|| Acr::strongest(reach.levels_now()))
    }
}

fn first_reachable(list: &[Acr], reach: Reach) -> Option<AuthenticationLevel> {
    list.iter().find(|acr| reach.reaches(**acr)).map(|acr| acr.authentication())
}
