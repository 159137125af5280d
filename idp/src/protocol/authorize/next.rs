//! What happens next to a request: sign in, step up, a page that ends it, consent, or the code. One decision, made anew
//! from the facts after every step, so that no step can be skipped and none is asked twice.

use std::collections::BTreeSet;

use crate::domain::claim::ClaimName;
use crate::domain::consent::Consent;
use crate::domain::level::Acr;
use crate::domain::relying_party::Floor;
use crate::domain::request::{AuthorizationRequest, Expected, Prompt};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::standing::{Refusal, Standing};
use crate::domain::{Account, AuthenticationLevel, Client, Factor, Holder, Moment, Span};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::release::{self, Offer};

use super::demand::{Demands, Reach, wanted, ways};

/// What is known when the decision is made, all read in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// This browser's session, already known to stand.
    pub session: Option<&'a Session>,
    /// The session's account.
    pub account: Option<&'a Account>,
    /// Whose factors the session's proofs are, where it is not that account.
    pub prover: Option<&'a Account>,
    /// Whether the person here wants to act for somebody else.
    pub choice: Choice,
    /// What `may_act` said of that account.
    pub standing: Option<Result<Standing, Refusal>>,
    /// The account's `sub` as this client knows it, if it has one yet.
    pub sub: Option<&'a str>,
    /// The claims a source has for the account.
    pub available: &'a BTreeSet<ClaimName>,
    /// Live consents of the account.
    pub consents: &'a [Consent],
    /// The request arrives just now: nothing can have been proved or answered for its sake, even within this second.
    pub arriving: bool,
    /// Something held was proved in this very interaction.
    pub confirmed: bool,
    /// The holder approved the transaction the request asks for, in this very step.
    pub approved: bool,
}

/// For whom a person acts who signed in as themself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// For themself: nobody else is there to act for, or they said so.
    Own,
    /// There is somebody, and the person was not asked yet.
    Open,
    /// For somebody else, with what `may_act` says of that.
    For(Result<Standing, Refusal>),
}

/// ND69 Art 12, 14: whoever acts for another does so with their own account of level 2, signed in to at level 2.
const ON_BEHALF: AuthenticationLevel = AuthenticationLevel::Two;

/// The next step.
#[derive(Clone, Debug)]
pub enum Next {
    /// `again`: somebody is signed in here already.
    SignIn { again: bool },
    /// Only this factor is missing; the session stays.
    StepUp(Factor),
    /// The holder may not use the account now: a page, then `barred_error`.
    Barred(Refusal),
    /// A demand this holder cannot meet: a page, then `Shortfall::error`.
    Level(Shortfall),
    /// The consent page, or the notice where the basis is law.
    Consent(Offer),
    /// The page on which the transaction is approved: shown every time, remembered never.
    Transaction,
    /// Everything is there: open a grant and send the code.
    Issue(Decided),
    /// The page on which a person says for whom they act.
    Represent,
    /// They said it and proved enough: the sign-in becomes that of the one acted for.
    ActFor,
    /// Straight back to the client.
    Refuse(Error),
}

/// Everything a grant is opened from.
#[derive(Clone, Debug)]
pub struct Decided {
    pub standing: Standing,
    pub acr: Acr,
    /// The proofs the answer rests on.
    pub acquaintance: Acquaintance,
    pub auth_time: Moment,
    /// `offline_access` is granted.
    pub offline: bool,
}

/// Which axis cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortfallKind {
    Account,
    Authentication,
}

/// A demand this holder cannot meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    pub kind: ShortfallKind,
    /// What would do.
    pub needed: Floor,
}

impl Shortfall {
    /// The answer after the page. Its reason word never changes.
    pub fn error(self) -> Error {
        let (word, number) = match self.kind {
            ShortfallKind::Account => ("account_level", self.needed.account.map(|level| level.number())),
            ShortfallKind::Authentication => {
                ("authentication_level", self.needed.authentication.map(|level| level.number()))
            }
        };
        let told = match number {
            Some(number) => format!("{word} {number} is required and cannot be reached"),
            None => format!("{word} required is not offered"),
        };
        Error::new(ErrorCode::UnmetAuthenticationRequirements, "OIDC Unmet Authentication Requirements §2", told)
    }
}

/// What a client is told of a holder who may not act. A portal learns nothing of a lock (`contract.md` 4).
pub fn barred_error(refusal: Refusal) -> Error {
    match refusal {
        Refusal::GuardianRequired => Error::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "ND69 Art 14(2)",
            "guardian_required for this account",
        ),
        other => Error::new(ErrorCode::AccessDenied, "RFC 6749 §4.1.2.1", "the citizen cannot use this account now")
            .because(other.name()),
    }
}

/// The holder said no on the consent page (RFC 6749 §4.1.2.1).
pub fn denied() -> Error {
    Error::new(ErrorCode::AccessDenied, "RFC 6749 §4.1.2.1", "the citizen refused")
}

/// Decides. With `prompt=none` the outcome is `Issue` or `Refuse`, never a page (OIDC Core §3.1.2.1).
pub fn next(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>, now: Moment) -> Next {
    let step = step(request, client, facts, now);
    if request.prompts(Prompt::None) { silent(step) } else { step }
}

/// What the holder may choose from where a factor is missing, the one asked for first before the others.
pub fn choices(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>, now: Moment) -> Vec<Factor> {
    let Some(prover) = facts.prover.or(facts.account) else { return Vec::new() };
    let proved = proved(request, client, facts, now);
    ways(prover, &proved, aim(request, client, facts, now))
}

/// The authentication level it is for.
pub fn aim(
    request: &AuthorizationRequest,
    client: &Client,
    facts: &Facts<'_>,
    now: Moment,
) -> Option<AuthenticationLevel> {
    if let Choice::For(_) = facts.choice {
        return Some(ON_BEHALF);
    }
    let level = facts.standing.and_then(Result::ok).and_then(Standing::account_level);
    wanted((request, client), (facts.prover.or(facts.account)?, level), &proved(request, client, facts, now))
}

/// OIDC Core §3.1.2.6: what a request that forbids pages is told in place of each.
fn silent(step: Next) -> Next {
    let told = |code, told: &str| Next::Refuse(Error::new(code, "OIDC Core §3.1.2.6", told));
    match step {
        Next::SignIn { .. } => told(ErrorCode::LoginRequired, "the citizen is not signed in"),
        Next::StepUp(_) => told(ErrorCode::InteractionRequired, "authentication_level asks for another factor"),
        Next::Transaction => told(ErrorCode::InteractionRequired, "a transaction is approved by the citizen"),
        Next::Consent(_) => told(ErrorCode::ConsentRequired, "the citizen was not asked yet"),
        Next::Level(shortfall) => Next::Refuse(shortfall.error()),
        Next::Represent | Next::ActFor => told(ErrorCode::InteractionRequired, "the citizen says for whom they act"),
        // ND69 Art 14(2): the guardian is asked every time, so it can be reached, but never in silence.
        Next::Barred(Refusal::GuardianRequired) => {
            told(ErrorCode::InteractionRequired, "guardian_required for this account, and the guardian is to be asked")
        }
        // A lock looks like an absent session, so that it cannot be probed silently (`security.md` LK-05).
        Next::Barred(_) => told(ErrorCode::LoginRequired, "the citizen is not signed in"),
        Next::Issue(decided) => Next::Issue(decided),
        Next::Refuse(error) => Next::Refuse(error),
    }
}

fn step(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>, now: Moment) -> Next {
    let (Some(session), Some(account)) = (facts.session, facts.account) else { return Next::SignIn { again: false } };
    let proofs = counting(request, client, &session.acquaintance, facts, now);
    let factors = proofs.factors();
    // Whoever signs in for another is not the one a client expects; the other will be.
    let for_themself = facts.choice == Choice::Own || request.prompts(Prompt::None);
    if session.account != account.id
        || (for_themself && !is_expected(request, facts.sub))
        || !factors.iter().any(|factor| factor.identifies())
    {
        return Next::SignIn { again: true };
    }
    let standing = match facts.standing {
        Some(Ok(standing)) => standing,
        Some(Err(Refusal::SessionEnded | Refusal::NoAccount)) | None => return Next::SignIn { again: false },
        // A person signs in first, and then says for which organisation.
        Some(Err(Refusal::RepresentativeRequired)) => return Next::SignIn { again: true },
        Some(Err(refusal @ (Refusal::ClientNotLive | Refusal::GrantRevoked))) => {
            return Next::Refuse(barred_error(refusal));
        }
        Some(Err(refusal)) => return Next::Barred(refusal),
    };
    if request.service.as_deref().is_some_and(|code| client.service(code).is_none()) {
        return Next::Refuse(Error::invalid_request("contract 4", "service is not registered for this client"));
    }
    let level = standing.account_level();
    let prover = facts.prover.unwrap_or(account);
    let (Some(reach), Some(auth_time)) = (Reach::of(prover, level, &factors), proofs.last()) else {
        return Next::SignIn { again: true };
    };
    if !for_themself {
        return on_behalf(facts.choice, reach, ways(prover, &factors, Some(ON_BEHALF)).into_iter().next());
    }
    if !client.serves(account.holder) {
        return match account.holder {
            Holder::Organisation => Next::SignIn { again: true },
            _ => Next::Refuse(not_served()),
        };
    }
    let demands = Demands::of(request, client);
    if let Some(shortfall) = demands.shortfall(reach) {
        return Next::Level(shortfall);
    }
    // Wishes are worth a question, but not an error where no question may be put.
    let wanted = if request.prompts(Prompt::None) { demands.demanded(reach) } else { demands.target(reach) };
    if wanted > Some(reach.now)
        && let Some(factor) = ways(prover, &factors, wanted).into_iter().next()
    {
        return Next::StepUp(factor);
    }
    let offer = if facts.arriving && request.prompts(Prompt::Consent) {
        // An answer of this very second was not given to this request.
        let later = AuthorizationRequest { asked_at: request.asked_at + Span::seconds(1), ..request.clone() };
        release::offer(&later, client, level, facts.available, facts.consents)
    } else {
        release::offer(request, client, level, facts.available, facts.consents)
    };
    if !offer.is_empty() {
        return Next::Consent(offer);
    }
    if request.transaction.is_some() && !facts.approved {
        return Next::Transaction;
    }
    let offline = release::offline(&request.scope, client, facts.consents);
    Next::Issue(Decided { standing, acr: demands.acr(reach), acquaintance: proofs, auth_time, offline })
}

/// The factors that count for this request.
pub fn proved(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>, now: Moment) -> Vec<Factor> {
    let known = facts.session.map(|session| counting(request, client, &session.acquaintance, facts, now));
    known.map(|known| known.factors()).unwrap_or_default()
}

/// Whoever acts for another goes on once they proved enough as themself.
fn on_behalf(choice: Choice, reach: Reach, missing: Option<Factor>) -> Next {
    match (choice, missing) {
        (Choice::For(Err(refusal)), _) => Next::Barred(refusal),
        (Choice::For(Ok(_)), _) if reach.now >= ON_BEHALF => Next::ActFor,
        (Choice::For(Ok(_)), Some(factor)) if reach.most >= ON_BEHALF => Next::StepUp(factor),
        (Choice::For(Ok(_)), _) => Next::Level(Shortfall {
            kind: ShortfallKind::Authentication,
            needed: Floor { authentication: Some(ON_BEHALF), ..Floor::default() },
        }),
        (Choice::Open | Choice::Own, _) => Next::Represent,
    }
}

fn not_served() -> Error {
    Error::new(ErrorCode::AccessDenied, "ND69 Art 7", "this client does not serve this kind of holder")
}

/// OIDC Core §3.1.2.1 and §5.5.1: a named subject is the only one that may answer. A hint at an account only fills in
/// the sign-in page.
fn is_expected(request: &AuthorizationRequest, sub: Option<&str>) -> bool {
    let hinted = match &request.expected {
        Some(Expected::Subject(expected)) => sub == Some(expected),
        Some(Expected::Hint(_)) | None => true,
    };
    hinted && request.claims.sub.as_deref().is_none_or(|expected| sub == Some(expected))
}

/// The proofs that count for this request. `prompt=login`, `prompt=select_account` and a client that does not share the
/// session want proofs given for its sake; `max_age` takes those and any younger than it (OIDC Core §3.1.2.1). A transaction
/// is approved with something held, proved for its sake alone: no other interaction's will do (`contract.md` 4).
fn counting(
    request: &AuthorizationRequest,
    client: &Client,
    known: &Acquaintance,
    facts: &Facts<'_>,
    now: Moment,
) -> Acquaintance {
    let arriving = facts.arriving;
    let stale = request.transaction.is_some() && !facts.confirmed;
    let known = &if stale { known.clone().only(|factor| !factor.holds()) } else { known.clone() };
    let own = || if arriving { Acquaintance::default() } else { known.since(request.asked_at) };
    if !client.sso || request.prompts(Prompt::Login) || request.prompts(Prompt::SelectAccount) {
        return own();
    }
    match request.max_age.or(client.default_max_age) {
        None => known.clone(),
        // OIDC Core §3.1.2.1: `max_age=0` is `prompt=login`.
        Some(0) => own(),
        Some(seconds) => {
            let oldest = now - Span::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
            known.since(if arriving { oldest } else { oldest.min(request.asked_at) })
        }
    }
}

#[cfg(test)]
#[path = "next_tests.rs"]
mod tests;
