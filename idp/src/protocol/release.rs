//! What may be told: asked ∩ registered ∩ consented ∩ level, and what must be asked of the holder first.
//!
//! A companion claim (`email_verified`) follows its main claim everywhere: it stands in the same purposes, needs the
//! same consent, and is never offered by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::claim::ClaimName;
use crate::domain::consent::{Consent, OFFLINE_PURPOSE, Purpose};
use crate::domain::grant::Grant;
use crate::domain::relying_party::{GrantType, LegalBasis};
use crate::domain::request::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt};
use crate::domain::{AccountLevel, Client};

use super::scope;

/// What was asked for, wherever it is kept: a request in progress, a grant, or a token with a narrower scope.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub scope: &'a [String],
    pub claims: &'a ClaimsRequest,
    pub service: Option<&'a str>,
}

impl<'a> From<&'a AuthorizationRequest> for Asked<'a> {
    fn from(request: &'a AuthorizationRequest) -> Self {
        Self { scope: &request.scope, claims: &request.claims, service: request.service.as_deref() }
    }
}

impl<'a> From<&'a Grant> for Asked<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self { scope: &grant.scope, claims: &grant.claims, service: grant.service.as_deref() }
    }
}

impl<'a> Asked<'a> {
    /// The same request through a token whose scope may be narrower (RFC 6749 §6).
    pub fn within(self, scope: &'a [String]) -> Self {
        Self { scope, ..self }
    }
}

/// Where a claim is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Userinfo,
    IdToken,
}

/// Everything a request says of one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub essential: bool,
    pub userinfo: bool,
    pub id_token: bool,
}

impl Wish {
    fn at(&self, place: Place) -> bool {
        match place {
            Place::Userinfo => self.userinfo,
            Place::IdToken => self.id_token,
        }
    }
}

/// The claims a request asks for, of those this client registered a scope and a purpose for. Claims of scopes and of
/// the service go to userinfo (OIDC Core §5.4); the `claims` parameter names its own place (§5.5). Without `openid`
/// there is neither an ID token nor userinfo, so nothing is asked.
pub fn asked(asked: &Asked<'_>, client: &Client) -> BTreeMap<ClaimName, Wish> {
    let mut wishes: BTreeMap<ClaimName, Wish> = BTreeMap::new();
    if !asked.scope.iter().any(|scope| scope == scope::OPENID) {
        return wishes;
    }
    let of_scopes = asked.scope.iter().flat_map(|scope| ClaimName::of_scope(scope));
    let service = asked.service.and_then(|code| client.service(code));
    let of_service = service.into_iter().flat_map(|service| service.claims.iter().copied());
    for claim in of_scopes.chain(of_service) {
        wishes.entry(claim).or_default().userinfo = true;
    }
    for (claim, request) in &asked.claims.userinfo {
        let wish = wishes.entry(*claim).or_default();
        wish.userinfo = true;
        wish.essential |= request.essential;
    }
    for (claim, request) in &asked.claims.id_token {
        let wish = wishes.entry(*claim).or_default();
        wish.id_token = true;
        wish.essential |= request.essential;
    }
    wishes.retain(|claim, _| is_registered(*claim, client));
    wishes
}

/// The claim whose consent covers this one.
fn main_claim(claim: ClaimName) -> ClaimName {
    claim.entry().with.and_then(ClaimName::find).unwrap_or(claim)
}

fn is_registered(claim: ClaimName, client: &Client) -> bool {
    let main = main_claim(claim);
    client.has_scope(claim.entry().scope) && client.purposes.iter().any(|purpose| purpose.claims.contains(&main))
}

/// Whether a holder of this account level has the claim at all (`domain.md` 4). Organisations have no level and no
/// claims of the catalogue.
pub fn is_allowed(claim: ClaimName, level: Option<AccountLevel>) -> bool {
    level.is_some_and(|level| level >= claim.entry().level)
}

/// One purpose as the consent page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeOffer {
    pub purpose: Purpose,
    /// Listed without a box: goes with `#allow`.
    pub required: Vec<ClaimName>,
    /// An unticked box each.
    pub optional: Vec<ClaimName>,
    /// What the holder decided about other claims of this purpose before, which stays.
    before: Decision,
}

/// What the holder must be asked before anything is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub purposes: Vec<PurposeOffer>,
    /// Whether access while the holder is away is part of the question.
    pub offline: bool,
    /// `law`: the page is a notice, without boxes.
    pub basis: LegalBasis,
}

impl Offer {
    /// Nothing is left to ask: no page.
    pub fn is_empty(&self) -> bool {
        self.purposes.is_empty() && !self.offline
    }

    /// Every claim the page shows.
    pub fn claims(&self) -> BTreeSet<ClaimName> {
        self.purposes.iter().flat_map(|shown| shown.required.iter().chain(&shown.optional)).copied().collect()
    }
}

/// What to record of one purpose: everything asked so far, and the part let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub asked: BTreeSet<ClaimName>,
    pub granted: BTreeSet<ClaimName>,
}

/// What to ask the holder: per purpose, the claims asked for that the account has at its level and was never asked
/// about before. With `prompt=consent` everything is asked again, except what was answered since the request arrived.
/// `consents` are the live ones of this account; those of other clients are left aside (`security.md` CO-04).
pub fn offer(
    request: &AuthorizationRequest,
    client: &Client,
    level: Option<AccountLevel>,
    available: &BTreeSet<ClaimName>,
    consents: &[Consent],
) -> Offer {
    let again = request.prompts(Prompt::Consent);
    let answers = |consent: &&Consent| !again || consent.decided_at >= request.asked_at;
    let wishes = asked(&Asked::from(request), client);
    let by_law = client.legal_basis == LegalBasis::Law;
    let candidates: Vec<(ClaimName, &Wish)> = wishes
        .iter()
        .map(|(claim, wish)| (*claim, wish))
        .filter(|(claim, _)| claim.entry().with.is_none() && is_allowed(*claim, level) && available.contains(claim))
        .collect();
    let mut purposes = Vec::new();
    for purpose in &client.purposes {
        let recorded = live(consents, client, &purpose.id);
        let answered = recorded.filter(answers);
        let (mut required, mut optional) = (Vec::new(), Vec::new());
        for claim in purpose.claims.iter().copied() {
            let Some((_, wish)) = candidates.iter().find(|(candidate, _)| *candidate == claim) else { continue };
            if answered.is_some_and(|consent| consent.asked.contains(&claim)) {
                continue;
            }
            let goes_along = by_law || wish.essential || purpose.required.contains(&claim);
            if goes_along { &mut required } else { &mut optional }.push(claim);
        }
        if !(required.is_empty() && optional.is_empty()) {
            let before = recorded.map_or_else(Decision::default, |consent| Decision {
                asked: consent.asked.clone(),
                granted: consent.granted.clone(),
            });
            purposes.push(PurposeOffer { purpose: purpose.clone(), required, optional, before });
        }
    }
    let offline_open = asks_offline(&request.scope, client)
        && live(consents, client, OFFLINE_PURPOSE).filter(answers).is_none()
        // Where the law is the basis no consent is needed: it is mentioned on a notice, and never the only reason for one.
        && (!by_law || !purposes.is_empty());
    Offer { purposes, offline: offline_open, basis: client.legal_basis }
}

fn live<'a>(consents: &'a [Consent], client: &Client, purpose: &str) -> Option<&'a Consent> {
    consents.iter().find(|consent| consent.client == client.id && consent.purpose == purpose)
}

/// Whether the scope asks for a grant that outlives its session, and the client could use one.
fn asks_offline(scope: &[String], client: &Client) -> bool {
    client.may_use(GrantType::RefreshToken) && scope.iter().any(|scope| scope == scope::OFFLINE_ACCESS)
}

/// Whether offline access is granted: asked, possible, and either consented or based on law (`contract.md` 4).
pub fn offline(scope: &[String], client: &Client, consents: &[Consent]) -> bool {
    asks_offline(scope, client)
        && (client.legal_basis == LegalBasis::Law || live(consents, client, OFFLINE_PURPOSE).is_some())
}

/// Turns the boxes the holder ticked (claim names, as posted) into what to record for each purpose offered. Names
/// that were not offered are ignored, so an answer can only be narrower than its offer (`security.md` CO-05).
pub fn answer(offer: &Offer, ticked: &[String]) -> Vec<(Purpose, Decision)> {
    offer.purposes.iter().map(|shown| (shown.purpose.clone(), decide(shown, ticked))).collect()
}

fn decide(shown: &PurposeOffer, ticked: &[String]) -> Decision {
    let mut decision = shown.before.clone();
    for claim in shown.required.iter().chain(&shown.optional) {
        decision.asked.insert(*claim);
        decision.granted.remove(claim);
    }
    let chosen = shown.optional.iter().filter(|claim| ticked.iter().any(|name| name == claim.as_str()));
    decision.granted.extend(shown.required.iter().chain(chosen).copied());
    decision
}

/// What may be released at one place now: asked ∩ registered ∩ consented ∩ level. Computed anew at every release, so
/// that a narrower consent, registration or level takes effect at once (`security.md` UI-05).
pub fn narrow(
    asked_for: &Asked<'_>,
    client: &Client,
    level: Option<AccountLevel>,
    consents: &[Consent],
    place: Place,
) -> BTreeSet<ClaimName> {
    let consented = |claim: ClaimName| {
        let main = main_claim(claim);
        client.purposes.iter().any(|purpose| {
            purpose.claims.contains(&main)
                && live(consents, client, &purpose.id).is_some_and(|consent| consent.granted.contains(&main))
        })
    };
    asked(asked_for, client)
        .into_iter()
        .filter(|(claim, wish)| wish.at(place) && is_allowed(*claim, level) && consented(*claim))
        .map(|(claim, _)| claim)
        .collect()
}

/// OIDC Core §5.5.1: whether a value is one the `claims` parameter will take at this place. A claim with another value
/// is left out.
pub fn fits(claims: &ClaimsRequest, place: Place, claim: ClaimName, value: &Value) -> bool {
    let requests: &BTreeMap<ClaimName, ClaimRequest> = match place {
        Place::Userinfo => &claims.userinfo,
        Place::IdToken => &claims.id_token,
    };
    requests.get(&claim).is_none_or(|request| request.values.is_empty() || request.values.contains(value))
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
