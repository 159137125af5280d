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
    confirmed: bool,
    approved: bool,
    choice: Choice,
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
        confirmed: false,
        approved: false,
        choice: Choice::Own,
        now: 1000,
    }
}

impl Case {
    fn decide(&self) -> Next {
        let session = fixtures::session(&self.proofs);
        let facts = Facts {
            session: self.signed_in.then_some(&session),
            account: self.signed_in.then_some(&self.account),
            prover: None,
            choice: self.choice,
            standing: self.signed_in.then(|| fixtures::standing(&self.account, at(self.now))),
            sub: self.sub,
            available: &self.available,
            consents: &self.consents,
            arriving: self.arriving,
            confirmed: self.confirmed,
            approved: self.approved,
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
            Next::Transaction => "transaction".to_owned(),
            Next::Represent => "represent".to_owned(),
            Next::ActFor => "act for".to_owned(),
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

fn other() -> Choice {
    Choice::For(fixtures::standing(&fixtures::account(Some(AccountLevel::One)), at(1000)))
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
            // The guardian can be asked, though not in silence.
            "interaction_required",
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
            "an organisation where none is served",
            vec![|c| c.account = fixtures::account(None)],
            "sign-in again",
            "login_required",
        ),
        (
            "a citizen where none is served",
            vec![|c| c.client.holders = vec![Holder::Organisation]],
            "access_denied",
            "access_denied",
        ),
        (
            "an organisation acts at its representative's level",
            vec![|c| c.account = fixtures::account(None), |c| c.client.holders = vec![Holder::Organisation]],
            "muc:2",
            "muc:2",
        ),
        ("for whom is not said yet", vec![|c| c.choice = Choice::Open], "represent", "muc:2"),
        (
            "for whom is not said, and another is expected",
            vec![|c| c.choice = Choice::Open, |c| c.request.expected = Some(Expected::Subject("x".into()))],
            "represent",
            "login_required",
        ),
        ("for another, with enough proved", vec![|c| c.choice = other()], "act for", "muc:2"),
        (
            "for another, with one factor",
            vec![|c| c.choice = other(), |c| c.proofs = vec![(Password, 900)]],
            "sms_otp",
            "muc:1",
        ),
        (
            "for another, with one factor and no more",
            vec![|c| c.choice = other(), |c| c.proofs = vec![(Password, 900)], |c| c.account.has_phone = false],
            "authentication_level 2 is required and cannot be reached",
            "muc:1",
        ),
        ("for another, who may not", vec![|c| c.choice = Choice::For(Err(Refusal::Locked))], "barred locked", "muc:2"),
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
    hold(rows);
}

/// What each case comes to when pages may be shown, and in silence.
fn hold(rows: Vec<(&str, Vec<Change>, &str, &str)>) {
    for (name, changes, shown, silent) in rows {
        let found = both(|case| changes.iter().for_each(|change| change(case)));
        assert_eq!((found.0.as_str(), found.1.as_str()), (shown, silent), "{name}");
    }
}

#[path = "next_app_tests.rs"]
mod app;
#[path = "next_every_tests.rs"]
mod every;
#[path = "next_factor_tests.rs"]
mod factor;
#[path = "next_fresh_tests.rs"]
mod fresh;
#[path = "next_transaction_tests.rs"]
mod transaction;
