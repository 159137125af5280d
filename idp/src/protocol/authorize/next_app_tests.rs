use super::*;
use crate::domain::secret::Sealed;
use crate::domain::transaction::Proposal;

use Factor::{AppFace, AppPasscode};

const XT_3: &str = "urn:vn:eid:muc:2:xac-thuc:3";
const XT_4: &str = "urn:vn:eid:muc:2:xac-thuc:4";

/// ND69 Art 3(7) with the app: what is asked for on the way to a level, and what is stated once there.
#[test]
fn contract_4_levels_three_and_four_are_the_apps() {
    let app: Change = |c| c.account.has_app = true;
    let demand_3: Change = |c| c.request.claims.acr = acr(true, &[XT_3]);
    let demand_4: Change = |c| c.request.claims.acr = acr(true, &[XT_4]);
    let floor_4: Change = |c| c.client.min_auth_level = Some(4);
    let unreachable = "authentication_level 3 is required and cannot be reached";
    let unmet = "unmet_authentication_requirements";
    let ask = "interaction_required";
    let rows: Vec<(&str, Vec<Change>, &str, &str)> = vec![
        ("no app, level 3", vec![demand_3], unreachable, unmet),
        (
            "level 3 after a password: the face, and no code",
            vec![app, demand_3, |c| c.proofs = vec![(Password, 900)]],
            "app_face",
            ask,
        ),
        ("level 3 after password and code", vec![app, demand_3], "app_face", ask),
        ("level 4 after a password", vec![app, demand_4, |c| c.proofs = vec![(Password, 900)]], "app_face", ask),
        ("level 4 by a portal's own floor", vec![app, floor_4], "app_face", ask),
        ("level 4 after the passcode", vec![app, demand_4, |c| c.proofs = vec![(AppPasscode, 900)]], "app_face", ask),
        ("level 4 after the face", vec![app, demand_4, |c| c.proofs = vec![(AppFace, 900)]], "app_passcode", ask),
        (
            "level 2 after a password: the code as before",
            vec![app, |c| c.client.min_auth_level = Some(2), |c| c.proofs = vec![(Password, 900)]],
            "sms_otp",
            ask,
        ),
        (
            "level 2 without a phone number: the app",
            vec![app, |c| c.account.has_phone = false, |c| c.client.min_auth_level = Some(2), |c| {
                c.proofs = vec![(Password, 900)]
            }],
            "app_passcode",
            ask,
        ),
        ("signed in by passcode", vec![app, |c| c.proofs = vec![(AppPasscode, 900)]], "muc:2", "muc:2"),
        ("signed in by face", vec![app, |c| c.proofs = vec![(AppFace, 900)]], "muc:2:xac-thuc:3", "muc:2:xac-thuc:3"),
        (
            "by both",
            vec![app, demand_4, |c| c.proofs = vec![(AppPasscode, 900), (AppFace, 900)]],
            "muc:2:xac-thuc:4",
            "muc:2:xac-thuc:4",
        ),
        (
            "a wish for more is pursued, not demanded",
            vec![app, |c| c.request.acr_values = vec![XT_3.into()]],
            "app_face",
            "muc:2",
        ),
        ("a wish without the app is let go", vec![|c| c.request.acr_values = vec![XT_3.into()]], "muc:2", "muc:2"),
        (
            "a level-1 account reaches the authentication alone",
            vec![app, |c| c.account.level = Some(AccountLevel::One), |c| c.account.eid = None, |c| {
                c.request.claims.acr = acr(true, &["urn:vn:eid:xac-thuc:3"])
            }],
            "app_face",
            ask,
        ),
    ];
    for (name, changes, shown, silent) in rows {
        let change = |c: &mut Case| changes.iter().for_each(|change| change(c));
        assert_eq!(both(change), (shown.to_owned(), silent.to_owned()), "{name}");
    }
}

/// `contract.md` 4: what another interaction's number proved approves no transaction.
#[test]
fn an_approval_of_the_app_is_one_interactions() {
    let mut case = case();
    case.account.has_app = true;
    case.proofs = vec![(AppPasscode, 900), (AppFace, 900)];
    let facts_proved = |case: &Case| {
        let session = fixtures::session(&case.proofs);
        let facts = Facts {
            prover: None,
            choice: super::Choice::Own,
            session: Some(&session),
            account: Some(&case.account),
            standing: None,
            sub: None,
            available: &case.available,
            consents: &case.consents,
            arriving: false,
            confirmed: case.confirmed,
            approved: false,
        };
        proved(&case.request, &case.client, &facts, at(case.now))
    };
    assert_eq!(facts_proved(&case), [AppPasscode, AppFace]);
    case.request.transaction = Some(Proposal::Kept(Sealed::from_text("v1.x".to_owned())));
    assert_eq!(facts_proved(&case), []);
    case.confirmed = true;
    assert_eq!(facts_proved(&case), [AppPasscode, AppFace]);
}
