use super::*;

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
fn oidc_core_3_1_2_1_how_old_a_proof_may_be() {
    hold(vec![
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
    ]);
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
