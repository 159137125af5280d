use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::domain::claim::ClaimName;
use crate::domain::consent::{Bilingual, OFFLINE_PURPOSE};
use crate::domain::eid::{ElectronicId, LockGround};
use crate::domain::relying_party::{LegalBasis, Service};
use crate::domain::request::ClaimRequest;
use crate::domain::{AccountLevel, AccountState, AuthenticationLevel, Id};
use crate::protocol::fixtures::{self, at, claims, consent};

use Factor::{Password, SmsOtp};

/// A holder with everything, at a client without demands; rows change what they are about.
struct Case {
    client: Client,
    request: AuthorizationRequest,
    account: Account,
    proofs: Vec<(Factor, i64)>,
    signed_in: bool,
    sub: Option<&'static str>,
    available: BTreeSet<ClaimName>,
    consents: Vec<Consent>,
    arriving: bool,
    now: i64,
}

fn case() -> Case {
    let client = fixtures::client("rp", "openid profile email offline_access");
    Case {
        request: fixtures::request(&client, "openid"),
        client,
        account: fixtures::account(Some(AccountLevel::Two)),
        proofs: vec![(Password, 900), (SmsOtp, 950)],
        signed_in: true,
        sub: Some("sub-1"),
        available: claims("name email email_verified"),
        consents: vec![],
        arriving: true,
        now: 1000,
    }
}

impl Case {
    fn decide(&self) -> Next {
        let session = fixtures::session(&self.proofs);
        let facts = Facts {
            session: self.signed_in.then_some(&session),
            account: self.signed_in.then_some(&self.account),
            standing: self.signed_in.then(|| fixtures::standing(&self.account, at(self.now))),
            sub: self.sub,
            available: &self.available,
            consents: &self.consents,
            arriving: self.arriving,
        };
        next(&self.request, &self.client, &facts, at(self.now))
    }

    /// The outcome in a word, for tables.
    fn word(&self) -> String {
        match self.decide() {
            Next::SignIn { again } => format!("sign-in{}", if again { " again" } else { "" }),
            Next::StepUp(factor) => factor.name().to_owned(),
            Next::Barred(refusal) => format!("barred {}", refusal.name()),
            Next::Level(shortfall) => shortfall.error().told,
            Next::Consent(_) => "consent".to_owned(),
            Next::Issue(decided) => decided.acr.urn().trim_start_matches("urn:vn:eid:").to_owned(),
            Next::Refuse(error) => error.code.as_str().to_owned(),
        }
    }

    fn silent_word(&mut self) -> String {
        self.request.prompt = vec![Prompt::None];
        self.word()
    }
}

/// Changes `case()` and gives the outcome with pages and under `prompt=none`.
fn both(change: impl Fn(&mut Case)) -> (String, String) {
    let (mut shown, mut silent) = (case(), case());
    change(&mut shown);
    change(&mut silent);
    (shown.word(), silent.silent_word())
}

fn locked() -> Option<ElectronicId> {
    Some(ElectronicId::new(at(0), [LockGround::HolderAsks], 1))
}

fn service(account: Option<u8>, authentication: Option<u8>) -> Service {
    let title = Bilingual { vi: "s".into(), en: "s".into() };
    Service { code: "1.1".into(), title, min_account_level: account, min_auth_level: authentication, claims: vec![] }
}

fn acr(essential: bool, values: &[&str]) -> Option<ClaimRequest> {
    Some(ClaimRequest { essential, values: values.iter().map(|value| json!(value)).collect(), purpose: None })
}

type Change = fn(&mut Case);

#[test]
fn contract_4_and_az_10_what_happens_next() {
    let level_one: Change = |c| c.account = fixtures::account(Some(AccountLevel::One));
    let rows: Vec<(&str, Vec<Change>, &str, &str)> = vec![
        ("all well", vec![], "muc:2", "muc:2"),
        ("nobody signed in", vec![|c| c.signed_in = false], "sign-in", "login_required"),
        (
            "only a possession factor proved",
            vec![|c| c.proofs = vec![(SmsOtp, 950)]],
            "sign-in again",
            "login_required",
        ),
        ("one factor is enough without demands", vec![|c| c.proofs = vec![(Password, 900)]], "muc:1", "muc:1"),
        ("locked", vec![|c| c.account.eid = locked()], "barred locked", "login_required"),
        ("not activated", vec![|c| c.account.state = AccountState::Granted], "barred not_activated", "login_required"),
        ("card expired", vec![|c| c.account.card_expires = Some(at(1000))], "barred card_expired", "login_required"),
        (
            "ward",
            vec![|c| c.account.guardian = Some(Id::new("g"))],
            "barred guardian_required",
            "unmet_authentication_requirements",
        ),
        (
            "another subject expected",
            vec![|c| c.request.expected = Some(Expected::Subject("x".into()))],
            "sign-in again",
            "login_required",
        ),
        (
            "this subject expected",
            vec![|c| c.request.expected = Some(Expected::Subject("sub-1".into()))],
            "muc:2",
            "muc:2",
        ),
        (
            "a subject expected where none is known",
            vec![|c| c.sub = None, |c| c.request.claims.sub = Some("sub-1".into())],
            "sign-in again",
            "login_required",
        ),
        ("a hint is a suggestion", vec![|c| c.request.expected = Some(Expected::Hint(Id::new("x")))], "muc:2", "muc:2"),
        ("service gone since", vec![|c| c.request.service = Some("1.1".into())], "invalid_request", "invalid_request"),
        // demands
        (
            "level 2 demanded, one factor proved",
            vec![|c| c.client.min_auth_level = Some(2), |c| c.proofs = vec![(Password, 900)]],
            "sms_otp",
            "interaction_required",
        ),
        (
            "level 2 demanded, no phone",
            vec![|c| c.client.min_auth_level = Some(2), |c| c.proofs = vec![(Password, 900)], |c| {
                c.account.has_phone = false
            }],
            "authentication_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "level 3 demanded",
            vec![|c| c.client.min_auth_level = Some(3)],
            "authentication_level 3 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "account level 2 demanded",
            vec![level_one, |c| c.client.min_account_level = Some(2)],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "both axes short: the account is named, and no factor asked",
            vec![level_one, |c| c.client.min_account_level = Some(2), |c| c.client.min_auth_level = Some(3)],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "an organisation has no account level",
            vec![|c| c.account = fixtures::account(None), |c| c.client.min_account_level = Some(1)],
            "account_level 1 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        ("an organisation signs in", vec![|c| c.account = fixtures::account(None)], "xac-thuc:2", "xac-thuc:2"),
        (
            "service demands",
            vec![
                |c| c.client.services = vec![service(None, Some(2))],
                |c| c.request.service = Some("1.1".into()),
                |c| c.proofs = vec![(Password, 900)],
            ],
            "sms_otp",
            "interaction_required",
        ),
        (
            "service demands the account",
            vec![level_one, |c| c.client.services = vec![service(Some(2), None)], |c| {
                c.request.service = Some("1.1".into())
            }],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "essential acr",
            vec![|c| c.request.claims.acr = acr(true, &["urn:vn:eid:muc:2"]), |c| c.proofs = vec![(Password, 900)]],
            "sms_otp",
            "interaction_required",
        ),
        (
            "essential acr beyond the account (CO-08)",
            vec![level_one, |c| c.request.claims.acr = acr(true, &["urn:vn:eid:muc:2"])],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        (
            "essential acr nobody can state",
            vec![|c| c.request.claims.acr = acr(true, &["junk"])],
            "authentication_level required is not offered",
            "unmet_authentication_requirements",
        ),
        (
            "essential acr, a lower one listed",
            vec![level_one, |c| c.request.claims.acr = acr(true, &["urn:vn:eid:muc:2", "urn:vn:eid:muc:1"])],
            "muc:1",
            "muc:1",
        ),
        (
            "acr_values demanded",
            vec![level_one, |c| c.client.acr_demand = true, |c| c.request.acr_values = vec!["urn:vn:eid:muc:2".into()]],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
        // wishes never fail
        (
            "acr_values wished beyond the account",
            vec![level_one, |c| c.request.acr_values = vec!["urn:vn:eid:muc:2".into()]],
            "muc:1",
            "muc:1",
        ),
        (
            "acr_values wished and reachable",
            vec![|c| c.proofs = vec![(Password, 900)], |c| c.request.acr_values = vec!["urn:vn:eid:muc:2".into()]],
            "sms_otp",
            "muc:1",
        ),
        (
            "the first listed that can be reached",
            vec![|c| c.proofs = vec![(Password, 900)], |c| {
                c.request.acr_values = vec!["urn:vn:eid:xac-thuc:1".into(), "urn:vn:eid:muc:2".into()]
            }],
            "xac-thuc:1",
            "xac-thuc:1",
        ),
        (
            "voluntary acr claim",
            vec![|c| c.proofs = vec![(Password, 900)], |c| c.request.claims.acr = acr(false, &["urn:vn:eid:muc:2"])],
            "sms_otp",
            "muc:1",
        ),
        (
            "default_acr_values",
            vec![|c| c.proofs = vec![(Password, 900)], |c| {
                c.client.default_acr_values = vec!["urn:vn:eid:muc:2".into()]
            }],
            "sms_otp",
            "muc:1",
        ),
        (
            "acr_values win over the default",
            vec![
                |c| c.proofs = vec![(Password, 900)],
                |c| c.client.default_acr_values = vec!["urn:vn:eid:muc:2".into()],
                |c| c.request.acr_values = vec!["urn:vn:eid:muc:1".into()],
            ],
            "muc:1",
            "muc:1",
        ),
        (
            "what is stated satisfies every demand",
            vec![|c| c.request.claims.acr = acr(true, &["urn:vn:eid:muc:1"]), |c| c.client.acr_demand = true, |c| {
                c.request.acr_values = vec!["urn:vn:eid:muc:2".into()]
            }],
            "muc:2",
            "muc:2",
        ),
        // freshness
        ("max_age still young", vec![|c| c.request.max_age = Some(100)], "muc:2", "muc:2"),
        ("max_age passed by both", vec![|c| c.request.max_age = Some(49)], "sign-in again", "login_required"),
        (
            "max_age passed by the password alone",
            vec![|c| c.request.max_age = Some(60)],
            "sign-in again",
            "login_required",
        ),
        (
            "max_age passed by the code alone",
            vec![|c| c.proofs = vec![(SmsOtp, 900), (Password, 950)], |c| c.request.max_age = Some(60)],
            "muc:1",
            "muc:1",
        ),
        (
            "and level 2 demanded",
            vec![|c| c.proofs = vec![(SmsOtp, 900), (Password, 950)], |c| c.request.max_age = Some(60), |c| {
                c.client.min_auth_level = Some(2)
            }],
            "sms_otp",
            "interaction_required",
        ),
        (
            "max_age=0 of this second",
            vec![|c| c.proofs = vec![(Password, 1000)], |c| c.request.max_age = Some(0)],
            "sign-in again",
            "login_required",
        ),
        ("an endless max_age", vec![|c| c.request.max_age = Some(u64::MAX)], "muc:2", "muc:2"),
        ("default_max_age", vec![|c| c.client.default_max_age = Some(10)], "sign-in again", "login_required"),
        ("a client that does not share the session", vec![|c| c.client.sso = false], "sign-in again", "login_required"),
        // consent
        ("a claim never asked about", vec![|c| c.request.scope.push("profile".into())], "consent", "consent_required"),
        (
            "refused before",
            vec![|c| c.request.scope.push("profile".into()), |c| {
                c.consents = vec![consent("rp", "default", "name", "")]
            }],
            "muc:2",
            "muc:2",
        ),
        (
            "nothing to release",
            vec![|c| c.request.scope.push("profile".into()), |c| c.available = claims("email")],
            "muc:2",
            "muc:2",
        ),
        ("offline access", vec![|c| c.request.scope.push("offline_access".into())], "consent", "consent_required"),
        (
            "the level comes before consent",
            vec![level_one, |c| c.request.scope.push("profile".into()), |c| c.client.min_account_level = Some(2)],
            "account_level 2 is required and cannot be reached",
            "unmet_authentication_requirements",
        ),
    ];
    for (name, changes, shown, silent) in rows {
        let found = both(|case| changes.iter().for_each(|change| change(case)));
        assert_eq!((found.0.as_str(), found.1.as_str()), (shown, silent), "{name}");
    }
}

#[test]
fn oidc_core_3_1_2_1_prompt_login_takes_only_what_was_proved_for_it() {
    for prompt in [Prompt::Login, Prompt::SelectAccount] {
        let mut case = case();
        case.request.prompt = vec![prompt];
        case.proofs = vec![(Password, 1000), (SmsOtp, 1000)];
        assert_eq!(case.word(), "sign-in again", "proofs of the second of arrival are older than the request");
        case.arriving = false;
        case.proofs = vec![(SmsOtp, 950), (Password, 1001)];
        case.client.min_auth_level = Some(2);
        assert_eq!(case.word(), "sms_otp", "the old code does not count");
        case.proofs = vec![(Password, 1001), (SmsOtp, 1002)];
        case.now = 1002;
        let Next::Issue(decided) = case.decide() else { panic!("{}", case.word()) };
        assert_eq!((decided.auth_time, decided.acr), (at(1002), Acr::Muc2));
    }
}

#[test]
fn max_age_takes_what_was_proved_for_the_request_however_long_the_pages_take() {
    let mut case = case();
    case.request.max_age = Some(1);
    case.arriving = false;
    case.proofs = vec![(Password, 1000), (SmsOtp, 1010)];
    case.now = 1500;
    assert_eq!(case.word(), "muc:2");
}

#[test]
fn contract_4_auth_time_is_the_last_act_and_the_answer_rests_on_what_counts() {
    let Next::Issue(decided) = case().decide() else { panic!() };
    assert_eq!((decided.auth_time, decided.offline), (at(950), false));
    assert_eq!(decided.acquaintance.level(), Some(AuthenticationLevel::Two));
    let mut aged = case();
    aged.proofs = vec![(SmsOtp, 900), (Password, 950)];
    aged.request.max_age = Some(60);
    let Next::Issue(decided) = aged.decide() else { panic!() };
    assert_eq!(decided.acquaintance.factors(), [Password]);
}

#[test]
fn contract_4_offline_access_is_granted_by_consent_or_law() {
    let mut case = case();
    case.request.scope.push("offline_access".into());
    case.consents = vec![consent("rp", OFFLINE_PURPOSE, "", "")];
    assert!(matches!(case.decide(), Next::Issue(Decided { offline: true, .. })));
    case.consents.clear();
    case.client.legal_basis = LegalBasis::Law;
    assert!(matches!(case.decide(), Next::Issue(Decided { offline: true, .. })));
}

#[test]
fn prompt_consent_asks_again_until_answered() {
    let mut case = case();
    case.request.scope.push("profile".into());
    case.request.prompt = vec![Prompt::Consent];
    case.consents = vec![Consent { decided_at: at(1000), ..consent("rp", "default", "name", "name") }];
    assert_eq!(case.word(), "consent", "an answer of the second of arrival was for another request");
    case.arriving = false;
    assert_eq!(case.word(), "muc:2");
    case.consents[0].decided_at = at(999);
    assert_eq!(case.word(), "consent");
}

#[test]
fn a_portal_learns_nothing_of_a_lock() {
    for refusal in [Refusal::Locked, Refusal::NotActivated, Refusal::CardExpired] {
        let error = barred_error(refusal);
        assert_eq!(
            (error.code, error.told.as_str()),
            (ErrorCode::AccessDenied, "the citizen cannot use this account now")
        );
    }
    let error = barred_error(Refusal::GuardianRequired);
    assert!(error.code == ErrorCode::UnmetAuthenticationRequirements && error.told.starts_with("guardian_required"));
    assert_eq!(denied().code, ErrorCode::AccessDenied);
}

/// Every combination of the facts that matter.
fn every_case(mut visit: impl FnMut(&Case)) {
    let accounts: [Change; 8] = [
        |_| {},
        |c| c.account = fixtures::account(Some(AccountLevel::One)),
        |c| c.account = fixtures::account(None),
        |c| c.account.eid = locked(),
        |c| c.account.state = AccountState::Granted,
        |c| c.account.card_expires = Some(at(1)),
        |c| c.account.guardian = Some(Id::new("g")),
        |c| c.account.has_phone = false,
    ];
    let proofs: [Change; 6] = [
        |c| c.signed_in = false,
        |c| c.proofs = vec![],
        |c| c.proofs = vec![(Password, 900)],
        |c| c.proofs = vec![(SmsOtp, 950)],
        |c| c.proofs = vec![(Password, 900), (SmsOtp, 950)],
        |c| c.proofs = vec![(Password, 1000), (SmsOtp, 1000)],
    ];
    let ages: [Change; 4] =
        [|_| {}, |c| c.request.max_age = Some(0), |c| c.request.max_age = Some(60), |c| c.client.sso = false];
    let demands: [Change; 8] = [
        |_| {},
        |c| c.client.min_auth_level = Some(2),
        |c| c.client.min_auth_level = Some(4),
        |c| c.client.min_account_level = Some(2),
        |c| c.request.claims.acr = acr(true, &["urn:vn:eid:muc:2"]),
        |c| c.request.claims.acr = acr(true, &["junk"]),
        |c| c.request.acr_values = vec!["urn:vn:eid:muc:2".into(), "urn:vn:eid:muc:1".into()],
        |c| (c.client.acr_demand, c.request.acr_values) = (true, vec!["urn:vn:eid:xac-thuc:2".into()]),
    ];
    let expectations: [Change; 3] =
        [|_| {}, |c| c.request.expected = Some(Expected::Subject("other".into())), |c| c.sub = None];
    let consents: [Change; 4] = [
        |_| {},
        |c| c.request.scope = fixtures::words("openid profile email offline_access"),
        |c| {
            (c.request.scope, c.consents) =
                (fixtures::words("openid profile"), vec![consent("rp", "default", "name", "")])
        },
        |c| (c.request.scope, c.client.legal_basis) = (fixtures::words("openid email offline_access"), LegalBasis::Law),
    ];
    for account in accounts {
        for proof in proofs {
            for age in ages {
                for demand in demands {
                    for expectation in expectations {
                        for consent in consents {
                            for arriving in [true, false] {
                                let mut case = case();
                                [account, proof, age, demand, expectation, consent]
                                    .iter()
                                    .for_each(|change| change(&mut case));
                                case.arriving = arriving;
                                visit(&case);
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn oidc_core_3_1_2_1_prompt_none_is_never_a_page_and_agrees_with_the_pages() {
    let mut count = 0;
    every_case(|case| {
        let shown = case.decide();
        let mut silent = Case { request: case.request.clone(), client: case.client.clone(), ..self::case() };
        silent.account = case.account.clone();
        (silent.proofs, silent.signed_in, silent.sub) = (case.proofs.clone(), case.signed_in, case.sub);
        (silent.consents, silent.arriving) = (case.consents.clone(), case.arriving);
        silent.request.prompt = vec![Prompt::None];
        match silent.decide() {
            // Where a wish would have asked for a factor, silence issues what holds.
            Next::Issue(_) => assert!(matches!(shown, Next::Issue(_) | Next::StepUp(_)), "{shown:?}"),
            Next::Refuse(_) => assert!(!matches!(shown, Next::Issue(_)), "{shown:?}"),
            page => panic!("a page under prompt=none: {page:?}"),
        }
        count += 1;
    });
    assert!(count > 30_000);
}

#[test]
fn nothing_is_issued_below_a_demand_or_to_who_may_not_act() {
    every_case(|case| {
        let Next::Issue(decided) = case.decide() else { return };
        let level = decided.acquaintance.level().unwrap();
        let levels = decided.standing.levels(level);
        assert!(fixtures::standing(&case.account, at(case.now)).is_ok());
        assert!(decided.acr.holds(levels));
        assert!(case.client.min_auth_level.is_none_or(|needed| level.number() >= needed));
        let account = levels.account.map_or(0, AccountLevel::number);
        assert!(case.client.min_account_level.is_none_or(|needed| account >= needed));
        if let Some(claim) = case.request.claims.acr.as_ref().filter(|claim| claim.essential) {
            assert!(claim.values.contains(&json!(decided.acr.urn())));
        }
        if case.client.acr_demand {
            assert!(decided.acr.holds(levels) && decided.acr == Acr::XacThuc2);
        }
        if !case.client.sso || case.request.max_age == Some(0) {
            assert!(!case.arriving && decided.auth_time >= case.request.asked_at);
        }
    });
}
