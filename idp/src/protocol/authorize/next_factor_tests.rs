use super::*;
use Factor::{Passkey, SyncedPasskey, SyncedPasskeyAtOne, Totp};

fn demanding(change: impl FnOnce(&mut Case)) -> Case {
    let mut case = case();
    (case.client.min_auth_level, case.proofs) = (Some(2), vec![(Password, 900)]);
    change(&mut case);
    case
}

#[test]
fn the_missing_factor_is_the_first_that_gets_further() {
    type Row = (&'static str, Change, &'static str);
    let rows: [Row; 14] = [
        ("a phone", |_| {}, "sms_otp"),
        ("the app before a message", |c| c.account.has_totp = true, "totp"),
        ("an app and no phone", |c| (c.account.has_totp, c.account.has_phone) = (true, false), "totp"),
        ("a code before a passkey", |c| c.account.passkey = Some(Passkey), "sms_otp"),
        ("a passkey and no phone", |c| (c.account.passkey, c.account.has_phone) = (Some(Passkey), false), "passkey"),
        (
            "a synced passkey and no phone",
            |c| (c.account.passkey, c.account.has_phone) = (Some(SyncedPasskeyAtOne), false),
            "synced_passkey_at_1",
        ),
        ("signed in by a passkey", |c| c.proofs = vec![(Passkey, 900)], "muc:2"),
        ("signed in by a synced one", |c| c.proofs = vec![(SyncedPasskey, 900)], "muc:2"),
        ("LG-29 by a synced one that counts for one", |c| c.proofs = vec![(SyncedPasskeyAtOne, 900)], "password"),
        (
            "LG-29 and something held is no second factor to it",
            |c| {
                (c.account.has_totp, c.account.has_password) = (true, false);
                c.proofs = vec![(SyncedPasskeyAtOne, 900)];
            },
            "authentication_level 2 is required and cannot be reached",
        ),
        ("the password and any passkey", |c| c.proofs.push((SyncedPasskeyAtOne, 950)), "muc:2"),
        ("an app's code", |c| c.proofs.push((Totp, 950)), "muc:2"),
        ("an app's code alone", |c| c.proofs = vec![(Totp, 950)], "sign-in again"),
        (
            "another provider's word of one factor",
            |c| c.proofs = vec![(Factor::Upstream(AuthenticationLevel::One), 900)],
            "password",
        ),
    ];
    for (name, change, expected) in rows {
        assert_eq!(demanding(change).word(), expected, "{name}");
    }
}

#[test]
fn every_way_that_gets_further_may_be_chosen() {
    let choices = |case: &Case| {
        let session = fixtures::session(&case.proofs);
        let facts = Facts {
            prover: None,
            choice: super::Choice::Own,
            session: Some(&session),
            account: Some(&case.account),
            standing: Some(fixtures::standing(&case.account, at(case.now))),
            sub: case.sub,
            available: &case.available,
            consents: &case.consents,
            arriving: false,
            confirmed: false,
            approved: false,
        };
        choices(&case.request, &case.client, &facts, at(case.now))
    };
    let everything = demanding(|c| (c.account.has_totp, c.account.passkey) = (true, Some(SyncedPasskeyAtOne)));
    assert_eq!(choices(&everything), [Totp, SmsOtp, SyncedPasskeyAtOne]);
    let by_passkey = demanding(|c| {
        (c.account.has_totp, c.account.passkey) = (true, Some(SyncedPasskeyAtOne));
        c.proofs = vec![(SyncedPasskeyAtOne, 900)];
    });
    assert_eq!(choices(&by_passkey), [Password]);
}

#[test]
fn a_transaction_takes_something_held_proved_for_its_sake() {
    use crate::domain::secret::Sealed;
    use crate::domain::transaction::Proposal;
    let paying = |proofs: &[(Factor, i64)], confirmed| {
        let mut case = case();
        case.request.transaction = Some(Proposal::Kept(Sealed::from_text("v1.x".to_owned())));
        (case.arriving, case.confirmed, case.proofs) = (false, confirmed, proofs.to_vec());
        case.word()
    };
    for held in [Passkey, SyncedPasskey] {
        assert_eq!(paying(&[(held, 900)], false), "sign-in again", "{held:?} of another interaction");
        assert_eq!(paying(&[(held, 1000)], true), "transaction");
    }
    for held in [Totp, SyncedPasskeyAtOne] {
        assert_eq!(paying(&[(Password, 900), (held, 950)], false), "sms_otp");
        assert_eq!(paying(&[(Password, 900), (held, 1000)], true), "transaction");
    }
}
