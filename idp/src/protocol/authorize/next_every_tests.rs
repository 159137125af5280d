use super::*;

/// Every combination of the facts that matter.
pub(super) fn every_case(mut visit: impl FnMut(&Case)) {
    let accounts: [Change; 10] = [
        |_| {},
        |c| c.account.has_app = true,
        |c| c.account = fixtures::account(Some(AccountLevel::One)),
        |c| c.account = fixtures::account(None),
        |c| c.account.eid = locked(),
        |c| c.account.state = AccountState::Granted,
        |c| c.account.card_expires = Some(at(1)),
        |c| c.account.guardian = Some(Id::new("g")),
        |c| c.account.has_phone = false,
        |c| {
            (c.account.has_phone, c.account.has_totp, c.account.passkey) =
                (false, true, Some(Factor::SyncedPasskeyAtOne));
        },
    ];
    let proofs: [Change; 8] = [
        |c| c.signed_in = false,
        |c| c.proofs = vec![],
        |c| c.proofs = vec![(Password, 900)],
        |c| c.proofs = vec![(SmsOtp, 950)],
        |c| c.proofs = vec![(Password, 900), (SmsOtp, 950)],
        |c| c.proofs = vec![(Password, 1000), (SmsOtp, 1000)],
        |c| c.proofs = vec![(Factor::Passkey, 950)],
        |c| c.proofs = vec![(Factor::SyncedPasskeyAtOne, 900), (Factor::Totp, 950)],
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
        let mut silent = Case { request: case.request.clone(), client: case.client.clone(), ..super::case() };
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
